import type { Rng } from "../core/random.ts";
import { type ArrayDataset, splitRows } from "./dataset.ts";
import { type FeatureSpec, Featuriser } from "./featuriser.ts";
import type { Source } from "./open.ts";
import { readTable, type Table, type TableOptions } from "./table.ts";

/** A table on its way to a network: which columns become features is settled, what they are scaled by is learned at the split. */
export class TabularData {
  constructor(
    readonly table: Table,
    readonly spec: FeatureSpec,
  ) {}

  get length(): number {
    return this.table.length;
  }

  /** Features of a row: the network's inputs. */
  get width(): number {
    return Featuriser.fit({ ...this.spec, standardise: false }, this.table).width;
  }

  /** A random share of the rows to train on and the rest to validate with; features are scaled by the training rows alone. */
  split(fraction: number, rng: Rng): { train: ArrayDataset; validation: ArrayDataset; featuriser: Featuriser } {
    const [train, validation] = splitRows(this.length, fraction, rng).map((rows) => this.table.rows(rows));
    const featuriser = Featuriser.fit(this.spec, train);
    return { train: featuriser.dataset(train), validation: featuriser.dataset(validation), featuriser };
  }
}

/**
 * Reads a table and makes features of its columns: statistics of the formula's elements if there is a formula column, every
 * numeric column otherwise, or what `options` name.
 */
export async function readCsv(
  source: Source,
  options: TableOptions & Pick<FeatureSpec, "standardise"> & { features?: FeatureSpec["formula"] } = {},
): Promise<TabularData> {
  const { features, standardise, ...rest } = options;
  let table = await readTable(source, rest);
  if (!table.formulas && !rest.numeric && !rest.categorical)
    table = await readTable(source, { ...rest, numeric: ["*"] });
  const formula = features ?? (table.formulas ? "magpie" : undefined);
  const { numeric, categorical } = table;
  return new TabularData(table, { formula, numeric: numeric.names, categorical: categorical.names, standardise });
}
