import { mismatch, UserError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { resample, Taps } from "./taps.ts";

export interface UpsampleAttrs {
  /** How many times larger, each axis alike or [height, width]; sizes are rounded down. */
  scaleFactor?: number | readonly [number, number];
  /** The size that comes out, instead of a factor. */
  size?: number | readonly [number, number];
  /** The nearest element (default), or the weighted mean of the four around. */
  mode?: "nearest" | "bilinear";
  /** Bilinear: corners stay where they are, rather than the outer edges of the elements there. */
  alignCorners?: boolean;
}

/**
 * x [N, C, H, W] at another size, larger or smaller, by PyTorch's rules (`interpolate`): what stands at i comes from i·n/n′ with
 * "nearest", from (i + ½)·n/n′ − ½ with "bilinear", or with aligned corners from i·(n − 1)/(n′ − 1). Shrinking does not smooth.
 */
export function upsample(
  x: Tensor,
  { scaleFactor, size, mode = "nearest", alignCorners = false }: UpsampleAttrs,
): Tensor {
  if (x.rank !== 4) throw mismatch("upsample", [x.shape], "the input must be [N, C, H, W].");
  if ((scaleFactor === undefined) === (size === undefined))
    throw new UserError("upsample: it takes either a scaleFactor or a size.", "Give one of the two.");
  if (mode !== "nearest" && mode !== "bilinear")
    throw new UserError(`upsample: mode must be "nearest" or "bilinear", not ${JSON.stringify(mode)}.`);
  if (alignCorners && mode === "nearest")
    throw new UserError('upsample: alignCorners needs mode "bilinear".', "Nearest elements know no corners.");
  const factors = typeof scaleFactor === "number" ? [scaleFactor, scaleFactor] : scaleFactor;
  const given = typeof size === "number" ? [size, size] : size;
  const space = x.shape.slice(2);
  const [rows, columns] = space.map((from, axis) => {
    const to = given ? given[axis] : Math.floor(from * factors![axis]);
    if (!(Number.isInteger(to) && to > 0) || from === 0)
      throw mismatch(
        "upsample",
        [x.shape],
        `${factors ? `scaleFactor ${factors[axis]}` : "size"} makes ${to} of an axis of ${from}; it must be a whole number ≥ 1.`,
      );
    // PyTorch computes positions in f32.
    const ratio = Math.fround(factors ? 1 / factors[axis] : from / to);
    if (mode === "nearest")
      return new Taps(from, to, (i) => [[Math.min(Math.floor(Math.fround(i * ratio)), from - 1), 1]]);
    const step = alignCorners ? Math.fround(to > 1 ? (from - 1) / (to - 1) : 0) : ratio;
    return new Taps(from, to, (i) => neighbours(i, from, to, step, alignCorners));
  });
  return resample(x, { rows, columns });
}

/** The two elements around the source of element i, and their weights; beyond the last element there is the last again. */
function neighbours(i: number, from: number, to: number, step: number, alignCorners: boolean): [number, number][] {
  if (from === to) return [[i, 1]];
  const f = Math.fround;
  const source = alignCorners ? f(i * step) : Math.max(0, f(f(step * (i + 0.5)) - 0.5));
  const first = Math.min(Math.floor(source), from - 1);
  const weight = Math.min(Math.max(f(source - first), 0), 1);
  return [
    [first, f(1 - weight)],
    [Math.min(first + 1, from - 1), weight],
  ];
}
