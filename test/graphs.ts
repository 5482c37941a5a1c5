import { Csr } from "../src/core/csr.ts";
import { tensor } from "../src/core/tensor.ts";
import type { SparseRows } from "../src/data/sparseRows.ts";

/** Rows of the given columns that are not 0, each row adding up to 1. */
export function sparse(rows: readonly (readonly number[])[], columns: number): SparseRows {
  const row = rows.flatMap((own, i) => own.map(() => i));
  const adj = Csr.fromPairs(row, rows.flat(), rows.length, columns);
  return { adj, values: tensor(row.map((i) => 1 / rows[i].length)) };
}
