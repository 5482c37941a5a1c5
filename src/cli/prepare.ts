import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { CrystalGraphFeaturiser } from "../data/crystalGraph.ts";
import { readCrystals } from "../data/crystals.ts";
import { splitRows } from "../data/dataset.ts";
import type { References } from "../data/referenceEnergies.ts";
import { readTable, type Table, type TableOptions } from "../data/table.ts";
import { kFold, matbenchFolds, stratifiedKFold } from "../train/folds.ts";
import { asMatbench } from "./benchmark.ts";
import { missing, type RunConfig } from "./config.ts";
import { embedded, embeddedRows, isEmbedded } from "./embedded.ts";
import { graphSpec, usable } from "./featurisers.ts";
import { areImages, readLabelledImages } from "./images.ts";
import { needsNodes, needsStructures } from "./models.ts";
import { nodeParts } from "./nodes.ts";
import { isPotential } from "./potentialConfig.ts";
import { frameCheck, freeAtoms, withoutAtoms } from "./potentials.ts";
import { formulasAreOfStructures } from "./rows.ts";

/** Rows of one training: to learn from, to choose the best epoch by, and to report on. */
export interface Parts {
  train: Table;
  validation: Table;
  test?: Table;
  /** All rows of the training file, whatever part they are in: which values a category has. */
  all: Table;
  /** Energies of free atoms, where they are given. */
  atoms?: References;
  /** 1 … of the outer folds; 0 without folds. */
  fold: number;
}

/** Reads the files of a run and cuts them into parts: one, or one for each fold. */
export async function prepareParts(config: RunConfig, rng: Rng, note: (text: string) => void): Promise<Parts[]> {
  if (needsNodes(config.model)) return nodeParts(config, rng);
  const table = await readAll(config, note);
  const read = config.matbench === undefined ? table : asMatbench(table, config.matbench);
  const { rest: all, atoms: found } = isPotential(config) ? withoutAtoms(read, config, note) : { rest: read };
  const atoms = await freeAtoms(config, found);
  const parts = await partsOf(config, all, rng, note);
  return parts.map((part) => ({ ...part, atoms }));
}

async function partsOf(config: RunConfig, all: Table, rng: Rng, note: (text: string) => void): Promise<Parts[]> {
  const { names } = all.numeric;
  // The other files are read as the first one was: the same columns, the same kind of target, the same classes.
  const like: TableOptions = all.classes
    ? { numeric: names, classes: all.classes }
    : { numeric: names, task: "regression" };
  const read = async (file?: string): Promise<Table | undefined> => {
    const table = file === undefined ? undefined : await readOne(file, config, note, like);
    return table && isPotential(config) ? withoutAtoms(table, config, note).rest : table;
  };
  const validation = await read(config.val);
  const { valFraction = 0, testFraction } = config;
  const own = isEmbedded(config.data) && testFraction === undefined ? embedded(config.data).test : undefined;
  const test = (await read(config.test)) ?? own;

  if (config.folds !== undefined)
    return foldsOf(all, config, note).flatMap((fold, i) => {
      if (config.onlyFolds && !config.onlyFolds.includes(i)) return [];
      const [train, inner] = cut(all.rows(fold.train), valFraction, rng.fork(i));
      return { train, validation: inner, test: all.rows(fold.test), all, fold: i + 1 };
    });
  const [rest, held] = testFraction === undefined ? [all, test] : cut(all, testFraction, rng.fork(1));
  if (validation) return [{ train: rest, validation, test: held, all, fold: 0 }];
  const [train, inner] = cut(rest, valFraction, rng.fork(2));
  return [{ train, validation: inner, test: held, all, fold: 0 }];
}

/** Two disjoint parts of a table's rows: all but `share` of them, and that share. */
function cut(table: Table, share: number, rng: Rng): [Table, Table] {
  if (table.length < 2)
    throw new UserError(
      `${table.file} has too few rows (${table.length}): some are held out, and none is left to learn from.`,
      "Use more rows, or hold out fewer.",
    );
  // Few pictures must still have all classes among those held out.
  const labels = table.images && table.classes ? table.targets?.values : undefined;
  const [rest, held] = splitRows(table.length, 1 - share, rng, labels);
  return [table.rows(rest), table.rows(held)];
}

/** The training file. Where it has no formula and no columns are named, every column of numbers is a feature. */
async function readAll(config: RunConfig, note: (text: string) => void): Promise<Table> {
  const { data, numeric, categorical } = config;
  const features = config.model === "crabnet" ? "sets of elements" : (config.features ?? "none");
  const table = await readOne(data, config, note);
  if (table.images) return table;
  if (features !== "none" && !table.formulas)
    throw new UserError(
      `${data} has no column "formula" or "composition" to make ${features} of.`,
      `Name it: --formula COLUMN. There are ${table.unused.map((name) => JSON.stringify(name)).join(", ")}.`,
    );
  const chosen = table.structures || (table.formulas && config.features !== "none");
  if (chosen || numeric.length > 0 || categorical.length > 0) return table;
  const wide = isEmbedded(data) ? table : await readOne(data, config, () => {}, { numeric: ["*"] });
  if (wide.numeric.names.length > 0) return wide;
  throw new UserError(
    `${data} has nothing to learn from: no column "formula" or "composition", and no numbers beside the target.`,
    "Name what to use: --formula COLUMN, --categorical COLUMNS.",
  );
}

async function readOne(
  file: string,
  config: RunConfig,
  note: (text: string) => void,
  like: TableOptions = {},
): Promise<Table> {
  const { target, id, formula, numeric, categorical, ignore, dropMissing, delimiter } = config;
  const task = isPotential(config) ? "regression" : config.task;
  if (isEmbedded(file)) return embeddedRows({ ...config, data: file });
  if (await areImages(file, config)) {
    const table = await readLabelledImages(file, config, like);
    noteDropped(table.dropped, table, note);
    return table;
  }
  if (target === "") throw missing("target");
  const options = { target, id, formula, numeric, categorical, ignore, dropMissing, delimiter, task, ...like };
  // A composition model takes the formulas of structures, too; where a table has both, it has no use for the structures.
  const composition = !needsStructures(config.model);
  const named = composition && (formula !== undefined || config.features === "none");
  if (named || (composition && !(await formulasAreOfStructures(file)))) {
    const table = await readTable(file, options);
    noteDropped(table.dropped, table, note);
    return table;
  }
  const table = await readCrystals(file, { ...options, skipBad: config.skipBad });
  const checks = () => (isPotential(config) ? frameCheck(config) : new CrystalGraphFeaturiser(graphSpec(config)));
  const used = composition || config.model === "pointnet" ? table : usable(table, checks(), config.skipBad);
  noteDropped(used.dropped, used, note);
  if (used.length === 0)
    throw new UserError(
      `${file}: no structure is left: ${used.dropped[0].reason}`,
      "Correct the files, or give others.",
    );
  return used;
}

/** How many rows are left out, and the first few of them. */
function noteDropped(
  dropped: readonly { line: number; reason: string }[],
  { file }: Table,
  note: (text: string) => void,
): void {
  if (dropped.length === 0) return;
  const shown = dropped
    .slice(0, 10)
    .map(({ line, reason }) => `  ${reason.startsWith(file) ? "" : `line ${line}: `}${reason}`);
  if (dropped.length > shown.length) shown.push(`  … and ${dropped.length - shown.length} more`);
  note(`${file}: ${dropped.length} ${dropped.length === 1 ? "row" : "rows"} left out:\n${shown.join("\n")}`);
}

function foldsOf(
  table: Table,
  { folds, seed }: RunConfig,
  warn: (text: string) => void,
): { train: Int32Array; test: Int32Array }[] {
  const classification = table.classes !== undefined;
  const targets = table.targets!.values;
  if (folds === "matbench") return matbenchFolds(targets, classification ? "classification" : "regression");
  const options = { shuffle: { seed: seed % 2 ** 32 } };
  return classification ? stratifiedKFold(targets, folds!, { ...options, warn }) : kFold(table.length, folds!, options);
}
