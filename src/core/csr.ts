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
    for (let e = 0; e < row.length; e++)
      if (!(isIndex(row[e], rows) && isIndex(col[e], cols)))
        throw new UserError(`Csr.fromPairs: entry ${e} is (${row[e]}, ${col[e]}), outside ${rows} × ${cols}.`);
    return Csr.compress(row, col, rows, cols);
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

  private static compress(
    row: ArrayLike<number>,
    col: ArrayLike<number>,
    rows: number,
    cols: number,
    sibling?: Indices,
  ): Csr {
    const start = new Int32Array(rows + 1);
    for (let e = 0; e < row.length; e++) start[row[e] + 1]++;
    for (let i = 0; i < rows; i++) start[i + 1] += start[i];
    const next = start.slice(0, rows);
    const ptr = emptyIndices(rows + 1, sibling);
    const index = emptyIndices(row.length, sibling);
    ptr.data.set(start);
    const { data } = index;
    for (let e = 0; e < row.length; e++) data[next[row[e]]++] = col[e];
    return new Csr(rows, cols, ptr, index);
  }

  get entries(): number {
    return this.index.length;
  }

  /** The transposed matrix, made once. Asked for inside a scope it still lives as long as this one, not as the scope. */
  get transposed(): Csr {
    if (this.transpose === undefined || this.transpose.index.block.ptr === 0) {
      const { index, cols, rows } = this;
      this.transpose = Csr.compress(index.data.slice(), this.rowOfEntry(), cols, rows, index);
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

const isIndex = (i: number, n: number): boolean => Number.isInteger(i) && i >= 0 && i < n;
