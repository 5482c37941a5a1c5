import { mismatch } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import type { SparseRows } from "../data/sparseRows.ts";
import { add, linear, matmul, spmm, transpose } from "../ops/index.ts";
import type { Dropout } from "./dropout.ts";
import type { Training } from "./module.ts";

const isSparse = (x: Tensor | SparseRows): x is SparseRows => !(x instanceof Tensor);

/** x·Wᵀ (+ b), x dense or sparse: of a bag of words only the words that occur are multiplied. weight [out, in], bias [out]. */
export function linearRows(x: Tensor | SparseRows, weight: Tensor, bias?: Tensor): Tensor {
  const [rows, columns] = isSparse(x) ? [x.adj.rows, x.adj.cols] : x.shape;
  const [out, features] = weight.shape;
  if (columns !== features)
    throw mismatch(
      `Linear(${features} → ${out})`,
      [[rows, columns]],
      `the input has ${columns} features, not ${features}.`,
    );
  if (!isSparse(x)) return bias ? linear(x, weight, bias) : matmul(x, weight, { transposeB: true });
  const y = spmm(x.values, transpose(weight), { adj: x.adj });
  return bias ? add(y, bias) : y;
}

/** Dropout; of a sparse matrix, of the elements that are not 0. */
export function dropRows(dropout: Dropout, x: Tensor | SparseRows, training?: Training): Tensor | SparseRows {
  return isSparse(x) ? { adj: x.adj, values: dropout.forward(x.values, training) } : dropout.forward(x, training);
}
