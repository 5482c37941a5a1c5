import { pca } from "../../train/pca.ts";

/** The plane in which points differ most. */
export interface Plane {
  /** Of each row, its places along the two axes [rows · 2]. */
  readonly points: Float32Array;
  /** Shares of the variance along them. */
  readonly explained: readonly [number, number];
  /** [2][width] */
  readonly axes: readonly Float64Array[];
}

/**
 * The first two principal components of rows [n · width]. An axis and its opposite are the same: the one is taken that is nearer to
 * `before`'s, so that pictures of a training do not flip.
 */
export function principalPlane(rows: Float32Array, width: number, before?: Plane["axes"]): Plane {
  const list = Array.from({ length: rows.length / width }, (_, r) => rows.subarray(r * width, (r + 1) * width));
  const { scores, components, explained } = pca(list, 2);
  const signs = components.map((axis, k) => (before && dot(axis, before[k]) < 0 ? -1 : 1));
  return {
    points: Float32Array.from(scores.flatMap((score) => signs.map((sign, k) => sign * score[k]))),
    explained: [explained[0], explained[1]],
    axes: components.map((axis, k) => axis.map((x) => signs[k] * x)),
  };
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
