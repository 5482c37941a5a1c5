import type { NumpyRandom } from "../core/numpyRandom.ts";

/** What a model of a microstructure computes before anyone takes its picture. */
export interface Field {
  /** [size, size], row-major, in the model's own unit. */
  readonly values: Float64Array;
  /** Numbers that the model knows of the picture: lengths in pixels, fractions of area, the parameters drawn. */
  readonly facts: Readonly<Record<string, number>>;
}

/** Uniform in [low, high). */
export const between = (random: NumpyRandom, low: number, high: number): number => low + (high - low) * random.random();

/** The top left square of `size` of x [n, n]. */
export function crop(x: Float64Array, n: number, size: number): Float64Array {
  if (n === size) return x;
  const out = new Float64Array(size * size);
  for (let row = 0; row < size; row++) out.set(x.subarray(row * n, row * n + size), row * size);
  return out;
}
