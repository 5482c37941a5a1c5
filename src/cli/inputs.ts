import { UserError } from "../core/errors.ts";
import { init } from "../core/parallel.ts";
import { CrystalGraphFeaturiser } from "../data/crystalGraph.ts";
import { readCrystalRows } from "../data/crystals.ts";
import type { Featuriser } from "../data/featuriser.ts";
import { ImageFeaturiser } from "../data/imageFeaturiser.ts";
import { isStructureFile } from "../data/structureFiles.ts";
import { readRows, Table } from "../data/table.ts";
import { buildModel } from "../models/index.ts";
import { Predictor } from "../train/predictor.ts";
import { embedded, isEmbedded } from "./embedded.ts";
import { usable } from "./featurisers.ts";
import { imageTables } from "./images.ts";
import { formulasAreOfStructures } from "./rows.ts";
import { existingModel } from "./runFolder.ts";
import { isSafetensors } from "./tableInfo.ts";

/** How the files that a trained model is given are read. */
export interface ReadFlags {
  id?: string;
  formula?: string;
  dropMissing?: boolean;
  delimiter?: string;
  skipBad?: boolean;
}

/** The model of a run, by its file or the run's folder. */
export async function loadPredictor(model: string, threads: number | undefined): Promise<Predictor> {
  const path = existingModel(model);
  if (!(await isSafetensors(path)))
    throw new UserError(`${path} is not a model.`, "Give the model.safetensors of a run first, then the files.");
  await init({ threads });
  return Predictor.load(path, buildModel);
}

/** The rows of the files, in pieces, as the model needs them. */
export async function* tables(files: readonly string[], predictor: Predictor, flags: ReadFlags): AsyncGenerator<Table> {
  const { featuriser } = predictor;
  if (files.some(isEmbedded)) yield* embeddedTables(files);
  else if (!(featuriser instanceof ImageFeaturiser)) for (const name of files) yield* tablesOf(name, predictor, flags);
  else if (flags.formula === undefined) yield* imageTables(files, featuriser, flags);
  else throw new UserError("--formula is for tables; this model sees images.", "Leave it out.");
}

/** Generated rows without their targets: those to test with, where there are some. */
function* embeddedTables(files: readonly string[]): Generator<Table> {
  for (const name of files) {
    const { train, test = train } = embedded(name);
    yield new Table({ ...test, targets: undefined, classes: undefined });
  }
}

/** The rows of a file, in pieces, as the model needs them. */
async function* tablesOf(name: string, { featuriser, card }: Predictor, flags: ReadFlags): AsyncGenerator<Table> {
  const [source, file] = name === "-" ? [process.stdin, "standard input"] : [name, name];
  const { skipBad, ...own } = flags;
  if (featuriser instanceof CrystalGraphFeaturiser) {
    for await (const table of skippable(readCrystalRows(source, { ...own, file, skipBad }), skipBad))
      yield usable(table, featuriser, skipBad);
    return;
  }
  const { formula: features, numeric, categorical } = (featuriser as Featuriser).spec;
  const { formula = card.formula } = flags;
  const options = { ...own, file, numeric, categorical };
  const structures = name !== "-" && !formula && (features !== undefined || isStructureFile(name));
  if (structures && (await formulasAreOfStructures(name)))
    yield* skippable(readCrystalRows(source, { ...options, skipBad }), skipBad);
  else yield* readRows(source, { ...options, formula, batch: 4096 });
}

/** With `skipBad`, a file that cannot be read ends the tables and not the program. */
async function* skippable(tables: AsyncIterable<Table>, skipBad = false): AsyncGenerator<Table> {
  try {
    yield* tables;
  } catch (error) {
    if (!(skipBad && error instanceof UserError)) throw error;
    process.stderr.write(`left out: ${error.message.split("\n")[0]}\n`);
  }
}
