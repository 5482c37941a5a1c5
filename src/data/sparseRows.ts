import type { Csr } from "../core/csr.ts";
import type { Tensor } from "../core/tensor.ts";

/** A matrix [rows, columns] most of whose elements are 0: where the others are, and their values [entries] in that order. */
export interface SparseRows {
  readonly adj: Csr;
  readonly values: Tensor;
}
