import { UserError } from "../core/errors.ts";

export interface Pca {
  /** Where each row lies along the components [rows][n]. */
  scores: Float64Array[];
  /** Orthonormal directions [n][columns], that of the largest variance first; zeros where nothing varies any more. */
  components: Float64Array[];
  /** The share of the variance along each [n]. */
  explained: number[];
}

/**
 * Principal components of rows of numbers, centred but not scaled. The sign of a component, which is arbitrary, makes its largest entry
 * positive, so that equal rows give equal pictures.
 */
export function pca(rows: readonly ArrayLike<number>[], n = 2): Pca {
  const count = rows.length;
  const columns = rows[0]?.length ?? 0;
  const odd = rows.findIndex(({ length }) => length !== columns);
  if (odd >= 0) throw new UserError(`pca: row ${odd + 1} has ${rows[odd].length} numbers, the first has ${columns}.`);
  if (!(n >= 1 && n <= Math.min(count, columns)))
    throw new UserError(`pca: ${count} rows of ${columns} numbers do not have ${n} components.`);
  const mean = Float64Array.from({ length: columns }, (_, c) => rows.reduce((sum, row) => sum + row[c], 0) / count);
  const centred = rows.map((row) => mean.map((m, c) => row[c] - m));
  const bad = centred.findIndex((row) => !row.every(Number.isFinite));
  if (bad >= 0) throw new UserError(`pca: row ${bad + 1} has numbers that are not finite.`);
  // XXᵀ has the eigenvalues of XᵀX: the smaller of the two will do.
  const wide = columns > count;
  const vectors = wide
    ? centred
    : Array.from({ length: columns }, (_, c) => Float64Array.from(centred, (row) => row[c]));
  const eigen = symmetricEigen(vectors.map((a) => Float64Array.from(vectors, (b) => dot(a, b))));
  const total = eigen.values.reduce((sum, value) => sum + value, 0);
  const components = eigen.vectors.slice(0, n).map((u) => {
    const direction = wide ? mean.map((_, c) => u.reduce((sum, x, i) => sum + x * centred[i][c], 0)) : u;
    return unit(direction, 1e-10 * Math.sqrt(total));
  });
  return {
    scores: centred.map((row) => Float64Array.from(components, (component) => dot(row, component))),
    components,
    explained: eigen.values.slice(0, n).map((value) => (total > 0 ? Math.max(0, value) / total : 0)),
  };
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Of length 1, its largest entry positive; zeros where it is shorter than `least`. */
function unit(v: Float64Array, least: number): Float64Array {
  const length = Math.sqrt(dot(v, v));
  if (length <= least) return v.map(() => 0);
  const largest = v.reduce((most, x) => (Math.abs(x) > Math.abs(most) * (1 + 1e-9) ? x : most), 0);
  return v.map((x) => (largest < 0 ? -x : x) / length);
}

/**
 * Eigenvalues, the largest first, and orthonormal eigenvectors of a symmetric matrix, by Jacobi rotations: slow for thousands of rows,
 * accurate to the last digits, and the same bits everywhere. Golub & Van Loan, Matrix Computations, §8.5.
 */
export function symmetricEigen(matrix: readonly ArrayLike<number>[]): { values: number[]; vectors: Float64Array[] } {
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  // Rows of `v` become the eigenvectors.
  const v = a.map((_, i) => new Float64Array(n).fill(1, i, i + 1));
  const size = Math.sqrt(a.reduce((sum, row) => sum + dot(row, row), 0));
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) off += a[i][j] * a[i][j];
    if (Math.sqrt(off) <= 1e-15 * size) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) if (a[p][q] !== 0) rotate(a, v, p, q);
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j][j] - a[i][i] || i - j);
  return { values: order.map((i) => a[i][i]), vectors: order.map((i) => v[i]) };
}

/** The rotation of the plane p, q that makes a[p][q] zero. */
function rotate(a: Float64Array[], v: Float64Array[], p: number, q: number): void {
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (const row of a) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
  for (const rows of [a, v]) {
    const [one, other] = [rows[p], rows[q]];
    for (let k = 0; k < one.length; k++) [one[k], other[k]] = [c * one[k] - s * other[k], s * one[k] + c * other[k]];
  }
}
