import { UserError } from "../core/errors.ts";
import { init } from "../core/parallel.ts";
import { CrystalGraphFeaturiser } from "../data/crystalGraph.ts";
import { readCrystalRows } from "../data/crystals.ts";
import type { Featuriser } from "../data/featuriser.ts";
import { ImageFeaturiser } from "../data/imageFeaturiser.ts";
import { NBodyFeaturiser } from "../data/nbody.ts";
import { NodeFeaturiser } from "../data/nodeFeaturiser.ts";
import { PointCloudFeaturiser } from "../data/pointCloudFeaturiser.ts";
import { PotentialFeaturiser } from "../data/potentialFeaturiser.ts";
import { isStructureFile } from "../data/structureFiles.ts";
import { readRows, Table } from "../data/table.ts";
import { buildModel } from "../models/index.ts";
import { Ensemble } from "../train/ensemble.ts";
import { Predictor, type RowPredictor } from "../train/predictor.ts";
import { embedded, isEmbedded } from "./embedded.ts";
import { usable } from "./featurisers.ts";
import { imageTables } from "./images.ts";
import { nodesToPredict } from "./nodes.ts";
import { formulasAreOfStructures } from "./rows.ts";
import { ensembleIn, existingModel } from "./runFolder.ts";
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

/** The model of a run, or the ensemble that its folder holds. */
export async function loadRowPredictor(model: string, threads: number | undefined): Promise<RowPredictor> {
  const found = ensembleIn(model);
  if (!found) return loadPredictor(model, threads);
  await init({ threads });
  return Ensemble.load(found.members, buildModel, found);
}

/** The rows of the files, in pieces, as the model needs them. */
export async function* tables(
  files: readonly string[],
  predictor: RowPredictor,
  flags: ReadFlags,
): AsyncGenerator<Table> {
  const { featuriser } = predictor;
  if (featuriser instanceof NBodyFeaturiser)
    throw new UserError(
      "This model moves particles, which no file holds.",
      "In a program: Predictor.load(file, buildModel), then predict(nBody({ count, seed })).",
    );
  if (featuriser instanceof NodeFeaturiser) yield* graphNodes(files, predictor, flags);
  else if (files.some(isEmbedded)) yield* embeddedTables(files);
  else if (!(featuriser instanceof ImageFeaturiser)) for (const name of files) yield* tablesOf(name, predictor, flags);
  else if (flags.formula === undefined) yield* imageTables(files, featuriser, flags);
  else throw new UserError("--formula is for tables; this model sees images.", "Leave it out.");
}

/** The nodes of each file's graph: each is predicted from all. */
async function* graphNodes(
  files: readonly string[],
  { card }: RowPredictor,
  { id, delimiter }: ReadFlags,
): AsyncGenerator<Table> {
  for (const file of files) yield nodesToPredict(file, { id, delimiter, target: card.target.name });
}

/** Generated rows without their targets: those to test with, where there are some. */
function* embeddedTables(files: readonly string[]): Generator<Table> {
  for (const name of files) {
    const { train, test = train } = embedded(name);
    yield new Table({ ...test, targets: undefined, classes: undefined });
  }
}

/** The rows of a file, in pieces, as the model needs them. */
async function* tablesOf(name: string, { featuriser, card }: RowPredictor, flags: ReadFlags): AsyncGenerator<Table> {
  const [source, file] = name === "-" ? [process.stdin, "standard input"] : [name, name];
  const { skipBad, ...own } = flags;
  if (featuriser instanceof PointCloudFeaturiser) {
    yield* skippable(readCrystalRows(source, { ...own, file, skipBad }), skipBad);
    return;
  }
  if (featuriser instanceof CrystalGraphFeaturiser || featuriser instanceof PotentialFeaturiser) {
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
