/** Batch statistics and their gradients, for `batchNorm` and for ops that normalise within kernels of their own. */
import { mismatch } from "../core/errors.ts";
import { allocate, allocateOwned, release } from "../core/memory.ts";
import { type Gradients, noGrad } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { type Shape, sameShape } from "../core/shape.ts";
import { empty, Tensor } from "../core/tensor.ts";
import type { KernelName } from "../core/wasm.ts";
import { affine, mul, rsqrt } from "./elementwise.ts";
import { rowGrain } from "./strides.ts";

/** Statistics of the last forward pass, kept for the backward one: they belong to the output, so they live in its scope. */
export const kept = new WeakMap<Tensor, Tensor[]>();

export function keep(y: Tensor, count: number, size: number): Tensor[] {
  const buffers = Array.from({ length: count }, () => new Tensor([size], allocateOwned(size * 4)));
  kept.set(y, buffers);
  return buffers;
}

export interface BatchNormAttrs {
  eps?: number;
  /** [width], constant: receive the batch's mean and biased variance, or without `training` stand in for them. */
  mean?: Tensor;
  variance?: Tensor;
  /** Whether the batch's own statistics normalise (true by default). */
  training?: boolean;
}

/** Rows, and columns, of one unit of the kernels' partial sums. */
const BLOCK = 256;

/** Runs `kernel` over x by blocks of rows, then `combine` on the partial sums that it left, with units of two columns. */
function sumColumns(
  x: Tensor,
  kernel: KernelName,
  args: readonly number[],
  combine: (sums: number, units: number, grain: number) => void,
): void {
  const [rows, width] = x.shape;
  const blocks = Math.ceil(rows / BLOCK);
  // Two f64 for each block and column, and one more: columns are read in pairs.
  const sums = allocate((blocks * 2 * width + 1) * 8);
  const units = blocks * Math.ceil(width / BLOCK);
  parallel(kernel, units, rowGrain(Math.min(rows, BLOCK) * Math.min(width, BLOCK)), sums.ptr, ...args, rows, width);
  combine(sums.ptr, Math.ceil(width / 2), rowGrain(blocks * 16));
  release(sums);
}

/** w/√(variance + ε). */
const scaleOf = (w: Tensor, variance: Tensor, eps: number): Tensor =>
  noGrad(() => mul(w, rsqrt(affine(variance, { scale: 1, shift: eps }))));

/** The statistics that normalise instead of the batch's; undefined while training. */
export function given({
  mean,
  variance,
  training = true,
}: BatchNormAttrs): [mean: Tensor, variance: Tensor] | undefined {
  return training || !mean || !variance ? undefined : [mean, variance];
}

/** @throws ShapeError for statistics of another width, and where there are none to normalise by */
export function checkStatistics(
  call: string,
  shapes: readonly Shape[],
  width: number,
  { mean, variance, training = true }: BatchNormAttrs = {},
): void {
  if (!training && !(mean && variance))
    throw mismatch(call, shapes, "without training it needs a mean and a variance.");
  for (const s of [mean, variance])
    if (s && !sameShape(s.shape, [width])) throw mismatch(call, shapes, `mean and variance must be [${width}].`);
}

/**
 * What brings x to mean 0 and variance `weight`²: x̂ = (x − mean)·scale. The statistics are kept with `y`, the op's output, for
 * `normaliserGradients`. For ops that normalise within kernels of their own.
 */
export function normaliserOf(y: Tensor, x: Tensor, w: Tensor, attrs: BatchNormAttrs = {}) {
  const [rows, width] = x.shape;
  const [mu, v] = keep(y, 2, width);
  const known = given(attrs);
  if (known) {
    mu.set(known[0].data);
    v.set(known[1].data);
  } else {
    sumColumns(x, "columnMoments", [x.ptr], (sums, units, grain) =>
      parallel("batchStatistics", units, grain, mu.ptr, v.ptr, sums, x.ptr, rows, width),
    );
    attrs.mean?.set(mu.data);
    attrs.variance?.set(v.data);
  }
  return { mean: mu, scale: scaleOf(w, v, attrs.eps ?? 1e-5) };
}

/** The same for the backward pass. */
export function keptNormaliser(y: Tensor, w: Tensor, { eps = 1e-5 }: BatchNormAttrs = {}) {
  const [mu, v] = kept.get(y)!;
  return { mean: mu, scale: scaleOf(w, v, eps) };
}

/** Gradients for x (written to `d`, which may be g itself), weight and bias, from the gradient g of the normalised x. */
export function normaliserGradients(
  g: Tensor,
  d: Tensor,
  x: Tensor,
  w: Tensor,
  y: Tensor,
  attrs: BatchNormAttrs = {},
  needed: readonly boolean[] = [],
): Gradients {
  const { eps = 1e-5 } = attrs;
  const [rows, width] = x.shape;
  const [mu, v] = kept.get(y)!;
  const scale = scaleOf(w, v, eps);
  const known = given(attrs);
  const [dw, db, m, slope] = Array.from({ length: 4 }, () => empty([width]));
  if (!known || needed[1] || needed[2])
    sumColumns(x, "columnGradients", [g.ptr, x.ptr, mu.ptr], (sums, units, grain) =>
      parallel("batchGradients", units, grain, dw.ptr, db.ptr, m.ptr, slope.ptr, sums, v.ptr, rows, width, eps),
    );
  // With given statistics it is a linear map: no gradient flows through them.
  if (known) for (const t of [m, slope]) t.data.fill(0);
  if (needed[0]) {
    const columns = [mu.ptr, scale.ptr, m.ptr, slope.ptr];
    parallel("batchNormGrad", rows, rowGrain(width), d.ptr, g.ptr, x.ptr, ...columns, width);
  }
  return [needed[0] ? d : undefined, dw, db];
}
