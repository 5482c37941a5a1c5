import { build, get, map, type Nd, nd, permute, reshape, rows, stretched, zip } from "./nd.ts";
import { softmax } from "./rows.ts";

export const transposed = (x: Nd): Nd => {
  const last = x.shape.length - 1;
  return permute(x, [...[...x.shape.keys()].slice(0, -2), last, last - 1]);
};

/** a [… m, k] · b [… k, n] → [… m, n], the leading axes broadcasting. */
export function matmul(a: Nd, b: Nd): Nd {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.shape.length - 1];
  const matrices = (x: Nd): Nd =>
    build(x.shape.slice(0, -2), (index) => {
      let at = 0;
      for (let d = 0; d < index.length; d++) at = at * x.shape[d] + index[d];
      return at;
    });
  const items = zip((i, j) => i * 2 ** 20 + j, matrices(a), matrices(b));
  const out: number[] = [];
  for (const item of items.data) {
    const [ia, ib] = [Math.floor(item / 2 ** 20) * m * k, (item % 2 ** 20) * k * n];
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += a.data[ia + i * k + p] * b.data[ib + p * n + j];
        out.push(sum);
      }
  }
  return nd([...items.shape, m, n], out);
}

export const outer = (a: Nd, b: Nd): Nd => build([a.data.length, b.data.length], ([i, j]) => a.data[i] * b.data[j]);

/** x·Wᵀ + b. */
export function linear(x: Nd, w: Nd, b: Nd): Nd {
  const flat = reshape(x, [x.shape.slice(0, -1).reduce((p, n) => p * n, 1), w.shape[1]]);
  const y = matmul(flat, transposed(w));
  return reshape(
    zip((u, v) => u + v, y, b),
    [...x.shape.slice(0, -1), w.shape[0]],
  );
}

const next = (i: number): number => (i + 1) % 3;
const previous = (i: number): number => (i + 2) % 3;

/** Cofactor (i, j) of one 3 × 3 matrix: with cyclic rows and columns it has no sign of its own. */
const cofactor = (a: ArrayLike<number>, i: number, j: number): number =>
  a[3 * next(i) + next(j)] * a[3 * previous(i) + previous(j)] -
  a[3 * next(i) + previous(j)] * a[3 * previous(i) + next(j)];

const determinant = (a: ArrayLike<number>): number =>
  a[0] * cofactor(a, 0, 0) + a[1] * cofactor(a, 0, 1) + a[2] * cofactor(a, 0, 2);

const matrices = (a: Nd): Nd => reshape(a, [...a.shape.slice(0, -2), 9]);

export function det3(a: Nd): Nd {
  const y = rows(matrices(a), (row) => [determinant(row)]);
  return reshape(y, a.shape.slice(0, -2));
}

export function inverse3(a: Nd): Nd {
  const y = rows(matrices(a), (row) => {
    const det = determinant(row);
    return Array.from({ length: 9 }, (_, at) => cofactor(row, at % 3, Math.floor(at / 3)) / det);
  });
  return reshape(y, a.shape);
}

export function cross(a: Nd, b: Nd): Nd {
  const { shape } = zip((u, v) => u + v, a, b);
  return build(shape, (index) => {
    const i = index[index.length - 1];
    const part = (x: Nd, k: number): number => stretched(x, [...index.slice(0, -1), k]);
    return part(a, next(i)) * part(b, previous(i)) - part(a, previous(i)) * part(b, next(i));
  });
}

/** softmax(q·kᵀ/√d)·v, over the keys where `mask` is not 0. */
export function attention(q: Nd, k: Nd, v: Nd, mask?: Nd): Nd {
  const scores = map(matmul(q, transposed(k)), (s) => s / Math.sqrt(q.shape[q.shape.length - 1]));
  const seen = mask ? build(scores.shape, (index) => (stretched(mask, index) ? get(scores, index) : -1e30)) : scores;
  return matmul(softmax(seen), v);
}
