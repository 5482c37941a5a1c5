import { UserError } from "./errors.ts";
import { emptyIndices, type Indices } from "./tensor.ts";

/**
 * A sparse 0/1 matrix [rows, cols] in compressed rows: row i has its columns in index[ptr[i] … ptr[i+1]). Graphs are such
 * matrices (receivers × senders), and so are segments (segments × elements). Duplicate entries count twice.
 */
export class Csr {
  private transpose: Csr | undefined;

  constructor(
    readonly rows: number,
    readonly cols: number,
    /** [rows + 1], from 0 to the number of entries. */
    readonly ptr: Indices,
    /** [entries], each in 0 … cols − 1. */
    readonly index: Indices,
  ) {}

  /** The matrix with entries (row[e], col[e]). Within a row, entries keep their order. */
  static fromPairs(row: ArrayLike<number>, col: ArrayLike<number>, rows: number, cols: number): Csr {
    if (row.length !== col.length) throw new UserError(`Csr.fromPairs: ${row.length} rows but ${col.length} columns.`);
    const ptr = new Int32Array(rows + 1);
    for (let e = 0; e < row.length; e++) {
      if (!(row[e] >= 0 && row[e] < rows && col[e] >= 0 && col[e] < cols))
        throw new UserError(`Csr.fromPairs: entry ${e} is (${row[e]}, ${col[e]}), outside ${rows} × ${cols}.`);
      ptr[row[e] + 1]++;
    }
    for (let i = 0; i < rows; i++) ptr[i + 1] += ptr[i];
    const next = ptr.slice(0, rows);
    const index = new Int32Array(row.length);
    for (let e = 0; e < row.length; e++) index[next[row[e]]++] = col[e];
    return Csr.fromArrays(rows, cols, ptr, index);
  }

  /** Segments: row s holds the positions e with ids[e] = s. `segmentSum` over it adds x[e] into segment ids[e]. */
  static segments(ids: ArrayLike<number>, count: number): Csr {
    return Csr.fromPairs(
      ids,
      Int32Array.from({ length: ids.length }, (_, e) => e),
      count,
      ids.length,
    );
  }

  private static fromArrays(rows: number, cols: number, ptr: Int32Array, index: Int32Array): Csr {
    const p = emptyIndices(ptr.length);
    p.data.set(ptr);
    const i = emptyIndices(index.length);
    i.data.set(index);
    return new Csr(rows, cols, p, i);
  }

  get entries(): number {
    return this.index.length;
  }

  /** The transposed matrix, made once. */
  get transposed(): Csr {
    if (this.transpose === undefined) {
      this.transpose = Csr.fromPairs(this.index.data.slice(), this.rowOfEntry(), this.cols, this.rows);
      this.transpose.transpose = this;
    }
    return this.transpose;
  }

  /** The row of each entry, in storage order. */
  rowOfEntry(): Int32Array {
    const { data } = this.ptr;
    const row = new Int32Array(this.entries);
    for (let i = 0; i < this.rows; i++) row.fill(i, data[i], data[i + 1]);
    return row;
  }
}
