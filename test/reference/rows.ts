import { type Nd, reduce, reshape, rows, total, zip } from "./nd.ts";

const logTotal = (row: ArrayLike<number>): number => {
  const values = Array.from(row);
  const top = Math.max(...values);
  return top + Math.log(total(values.map((v) => Math.exp(v - top))));
};

/** ln Σ eˣ of each row. */
export const logSumExp = (x: Nd): Nd =>
  reshape(
    rows(x, (row) => [logTotal(row)]),
    x.shape.slice(0, -1),
  );

export const logSoftmax = (x: Nd): Nd =>
  rows(x, (row) => {
    const shift = logTotal(row);
    return row.map((v) => v - shift);
  });

export const softmax = (x: Nd): Nd =>
  rows(x, (row) => {
    const shift = logTotal(row);
    return row.map((v) => Math.exp(v - shift));
  });

const meanOf = (values: ArrayLike<number>): number => total(values) / values.length;

/** Σ (v − mean)² / (n − correction). */
export const varianceOf = (values: ArrayLike<number>, correction: number): number => {
  const mu = meanOf(values);
  return total(Array.from(values, (v) => (v - mu) ** 2)) / (values.length - correction);
};

/** (x − mean)/√(variance + ε)·w + b, the statistics over the named axis. */
export function normalise(x: Nd, w: Nd, b: Nd, axis: number, eps: number): Nd {
  const mu = reduce(x, [axis], true, meanOf);
  const variance = reduce(x, [axis], true, (values) => varianceOf(values, 0));
  return zip((v, m, s, scale, shift) => ((v - m) / Math.sqrt(s + eps)) * scale + shift, x, mu, variance, w, b);
}

/** How a loss per element becomes the result. */
export type Reduction = "mean" | "sum" | "none";

export function reduced(loss: Nd, reduction: Reduction): Nd {
  if (reduction === "none") return loss;
  return reduce(loss, undefined, false, reduction === "sum" ? total : meanOf);
}

/** x[r, index[r]] of every row. */
export const pick = (x: Nd, index: ArrayLike<number>): Nd =>
  reshape(
    rows(x, (row, r) => [row[index[r]]]),
    x.shape.slice(0, -1),
  );

export function crossEntropy(logits: Nd, labels: ArrayLike<number>, smoothing: number): Nd {
  const logp = logSoftmax(logits);
  const hard = pick(logp, labels);
  const uniform = reduce(logp, [-1], false, meanOf);
  return zip((h, u) => -(1 - smoothing) * h - smoothing * u, hard, uniform);
}

/** f of the elements of arrays with one shape, reduced. */
export const elementwiseLoss =
  (f: (...values: number[]) => number, reduction: Reduction) =>
  (...xs: Nd[]): Nd =>
    reduced(zip(f, ...xs), reduction);
