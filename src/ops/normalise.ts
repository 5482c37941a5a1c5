/** Batch statistics and their gradients, for `batchNorm` and for ops that normalise within kernels of their own. */
import { mismatch } from "../core/errors.ts";
import { allocate, allocateOwned, release } from "../core/memory.ts";
import { type Gradients, noGrad } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { empty, Tensor } from "../core/tensor.ts";
import { affine, mul, rsqrt } from "./elementwise.ts";
import { GRAIN, rowGrain } from "./strides.ts";

/** Statistics of the last forward pass, kept for the backward one: they belong to the output, so they live in its scope. */
export const kept = new WeakMap<Tensor, Tensor[]>();

export function keep(y: Tensor, count: number, size: number): Tensor[] {
  const buffers = Array.from({ length: count }, () => new Tensor([size], allocateOwned(size * 4)));
  kept.set(y, buffers);
  return buffers;
}

export interface BatchNormAttrs {
  eps?: number;
  /** One for each channel, constant: receive the batch's mean and biased variance, or without `training` stand in for them. */
  mean?: Tensor;
  variance?: Tensor;
  /** Whether the batch's own statistics normalise (true by default). */
  training?: boolean;
}

/** Rows, and columns, of one unit of the kernels' partial sums. */
const BLOCK = 256;

/** x [rows, width] or [N, C, …] as [batch, width, size], whose statistics are taken over `count` values for each of the width. */
export function channelsOf(shape: Shape): { batch: number; width: number; size: number; count: number } {
  const [batch, width, ...space] = shape;
  const size = sizeOf(space);
  return { batch, width, size, count: batch * size };
}

/** [1, width, 1, …]: what broadcasts one value for each channel over x. */
export const alongChannels = (shape: Shape): Shape => shape.map((n, axis) => (axis === 1 ? n : 1));

/** The partial sums of `kernel`, by blocks of rows or by planes, handed to `combine` with units of two channels. */
function sumChannels(
  x: Tensor,
  kernel: "Moments" | "Gradients",
  args: readonly number[],
  combine: (sums: number, blocks: number, units: number, grain: number) => void,
): void {
  const { batch, width, size } = channelsOf(x.shape);
  const blocks = size === 1 ? Math.ceil(batch / BLOCK) : batch;
  // Two f64 for each block and channel, and one more: channels are read in pairs.
  const sums = allocate((blocks * 2 * width + 1) * 8);
  if (size === 1) {
    const grain = rowGrain(Math.min(batch, BLOCK) * Math.min(width, BLOCK));
    parallel(`column${kernel}`, blocks * Math.ceil(width / BLOCK), grain, sums.ptr, ...args, batch, width);
  } else parallel(`plane${kernel}`, batch * width, rowGrain(size), sums.ptr, ...args, width, size);
  combine(sums.ptr, blocks, Math.ceil(width / 2), rowGrain(blocks * 16));
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
  const { width, size, count } = channelsOf(x.shape);
  const [mu, v] = keep(y, 2, width);
  const known = given(attrs);
  if (known) {
    mu.set(known[0].data);
    v.set(known[1].data);
  } else {
    sumChannels(x, "Moments", [x.ptr], (sums, blocks, units, grain) =>
      parallel("batchStatistics", units, grain, mu.ptr, v.ptr, sums, x.ptr, blocks, count, width, size),
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

/** y = (x − mean)·scale + bias by `normaliserOf`'s mean and scale, and a rectifier where asked for. */
export function normalised(y: Tensor, x: Tensor, mean: Tensor, scale: Tensor, bias: Tensor, rectified: boolean): void {
  const { batch, width, size } = channelsOf(x.shape);
  const operands = [y.ptr, x.ptr, mean.ptr, scale.ptr, bias.ptr];
  const floor = rectified ? 0 : -Infinity;
  if (size === 1) parallel("batchNorm", batch, rowGrain(width), ...operands, width, floor);
  else parallel("planeNorm", batch * width, rowGrain(size), ...operands, width, size, floor);
}

/**
 * Gradients for x (written to `d`, which may be g itself), weight and bias, from the gradient g of the normalised x. With the bias of
 * a `rectified` y, g is that of the rectified values.
 */
export function normaliserGradients(
  g: Tensor,
  d: Tensor,
  x: Tensor,
  w: Tensor,
  y: Tensor,
  attrs: BatchNormAttrs = {},
  needed: readonly boolean[] = [],
  rectified?: Tensor,
): Gradients {
  const { eps = 1e-5 } = attrs;
  const { batch, width, size, count } = channelsOf(x.shape);
  const [mu, v] = kept.get(y)!;
  const scale = scaleOf(w, v, eps);
  const known = given(attrs);
  const [dw, db, m, slope] = Array.from({ length: 4 }, () => empty([width]));
  const planes = size !== 1;
  // Kernels for planes mask as they go, by the sign of y computed again; rows are masked first.
  const mask = planes ? [scale.ptr, (rectified ?? mu).ptr] : [];
  const isMasked = planes ? [rectified ? 1 : 0] : [];
  if (rectified && !planes) {
    parallel("reluGrad", x.size, GRAIN, d.ptr, g.ptr, y.ptr);
    g = d;
  }
  const operands = [g.ptr, x.ptr, mu.ptr];
  if (!known || needed[1] || needed[2]) {
    const results = [dw.ptr, db.ptr, m.ptr, slope.ptr];
    sumChannels(x, "Gradients", [...operands, ...mask, ...isMasked], (sums, blocks, units, grain) =>
      parallel("batchGradients", units, grain, ...results, sums, v.ptr, blocks, count, width, eps),
    );
  }
  // With given statistics it is a linear map: no gradient flows through them.
  if (known) for (const t of [m, slope]) t.data.fill(0);
  if (needed[0]) {
    const means = [m.ptr, slope.ptr];
    if (planes)
      parallel(
        "planeNormGrad",
        batch * width,
        rowGrain(size),
        d.ptr,
        ...operands,
        ...mask,
        ...means,
        ...isMasked,
        width,
        size,
      );
    else parallel("batchNormGrad", batch, rowGrain(width), d.ptr, ...operands, scale.ptr, ...means, width);
  }
  return [needed[0] ? d : undefined, dw, db];
}
