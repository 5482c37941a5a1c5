import { build, get, type Nd, nd } from "./nd.ts";

/** The rows of a matrix [n, 3]. */
const vectors = (x: Nd): number[][] =>
  Array.from({ length: x.shape[0] }, (_, e) => [0, 1, 2].map((c) => get(x, [e, c])));

/** f of each row of the operands. */
const each = (f: (...rows: number[][]) => number, ...xs: Nd[]): Nd => {
  const rows = xs.map(vectors);
  return nd(
    [xs[0].shape[0]],
    rows[0].map((_, e) => f(...rows.map((r) => r[e]))),
  );
};

const dot = (u: number[], v: number[]): number => u.reduce((sum, x, c) => sum + x * v[c], 0);
const cosine = (u: number[], v: number[]): number => dot(u, v) / Math.sqrt(dot(u, u) * dot(v, v));

export const distances = (x: Nd): Nd => each((v) => Math.hypot(...v), x);
export const cosines = (u: Nd, v: Nd): Nd => each(cosine, u, v);
export const angles = (u: Nd, v: Nd): Nd => each((p, q) => Math.acos(cosine(p, q)), u, v);

export const displacements = (x: Nd, receiver: readonly number[], sender: readonly number[], shift?: Nd): Nd =>
  build(
    [sender.length, 3],
    ([e, c]) => get(x, [sender[e], c]) - get(x, [receiver[e], c]) + (shift ? get(shift, [e, c]) : 0),
  );
