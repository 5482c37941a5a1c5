import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { splitRows } from "../data/dataset.ts";
import type { FeatureSpec } from "../data/featuriser.ts";
import { ionicTable } from "../data/ionic.ts";
import { readTable, type Table } from "../data/table.ts";
import { kFold, matbenchFolds, stratifiedKFold } from "../train/folds.ts";
import type { RunConfig } from "./config.ts";

/** Rows of one training: to learn from, to choose the best epoch by, and to report on. */
export interface Parts {
  train: Table;
  validation: Table;
  test?: Table;
  /** 1 … of the outer folds; 0 without folds. */
  fold: number;
}

/** Reads the files of a run and cuts them into parts: one, or one for each fold. */
export async function prepareParts(config: RunConfig, rng: Rng, note: (text: string) => void): Promise<Parts[]> {
  const options = {
    target: config.target,
    id: config.id,
    formula: config.formula,
    numeric: config.numeric,
    categorical: config.categorical,
    dropMissing: config.dropMissing,
    delimiter: config.delimiter,
    task: config.task,
  };
  const read = async (file: string, like?: Table): Promise<Table> => {
    if (file.startsWith(EMBEDDED)) return embedded(file, config.target);
    const table = await readTable(file, like?.classes ? { ...options, classes: like.classes } : options);
    if (table.dropped.length > 0)
      note(
        `${file}: ${table.dropped.length} rows left out, the first in line ${table.dropped[0].line}: ${table.dropped[0].reason}`,
      );
    return table;
  };
  const data = await read(config.data);
  if (needsNumeric(config, data)) options.numeric = ["*"];
  const table = options.numeric === config.numeric ? data : await read(config.data);
  const validation = config.val ? await read(config.val, table) : undefined;
  const test = config.test ? await read(config.test, table) : undefined;

  if (config.folds !== undefined) {
    if (test || validation)
      throw new UserError("--folds makes its own test sets.", "Leave out --val and --test, or --folds.");
    return foldsOf(table, config).map(({ train, test: held }, i) => {
      const [inner, outer] = splitRows(train.length, 1 - config.valFraction, rng.fork(i));
      const at = (rows: Int32Array): Int32Array => rows.map((r) => train[r]);
      return { train: table.rows(at(inner)), validation: table.rows(at(outer)), test: table.rows(held), fold: i + 1 };
    });
  }
  let rows = table;
  let heldOut = test;
  if (!heldOut && config.testFraction !== undefined) {
    const [rest, held] = splitRows(rows.length, 1 - config.testFraction, rng.fork(1));
    heldOut = rows.rows(held);
    rows = rows.rows(rest);
  }
  if (validation) return [{ train: rows, validation, test: heldOut, fold: 0 }];
  const [inner, outer] = splitRows(rows.length, 1 - config.valFraction, rng.fork(2));
  return [{ train: rows.rows(inner), validation: rows.rows(outer), test: heldOut, fold: 0 }];
}

/** Data that the package generates itself go by such names. */
export const EMBEDDED = "embedded:";

function embedded(name: string, target: string): Table {
  if (name !== `${EMBEDDED}ionic`)
    throw new UserError(`There are no embedded data "${name}".`, `There is ${EMBEDDED}ionic.`);
  const table = ionicTable();
  const [only] = table.targets!.names;
  if (target !== only) throw new UserError(`${name} has no column "${target}".`, `Its target is "${only}".`);
  return table;
}

function foldsOf(table: Table, { folds, seed }: RunConfig): { train: Int32Array; test: Int32Array }[] {
  const classification = table.classes !== undefined;
  const targets = table.targets!.values;
  if (folds === "matbench") return matbenchFolds(targets, classification ? "classification" : "regression");
  const options = { shuffle: { seed: seed % 2 ** 32 } };
  return classification ? stratifiedKFold(targets, folds!, options) : kFold(table.length, folds!, options);
}

/** Without formula and named columns, every numeric column is a feature. */
const needsNumeric = (config: RunConfig, table: Table): boolean =>
  !table.formulas && config.numeric.length === 0 && config.categorical.length === 0;

/** The features that a model takes where the user does not say. */
export function featureSpec(config: RunConfig, table: Table): FeatureSpec {
  const chosen = config.features ?? (table.formulas ? "magpie" : "none");
  if (config.model === "elemnet" && chosen !== "fractions" && chosen !== "allFractions")
    throw new UserError(
      `ElemNet learns from element fractions, not from ${chosen}.`,
      "Leave out --features, or train an mlp.",
    );
  return {
    formula: chosen === "none" ? undefined : chosen,
    numeric: table.numeric.names,
    categorical: table.categorical.names,
    standardise: config.model !== "elemnet",
  };
}
