import { mismatch } from "../core/errors.ts";
import { allocate, allocateOwned, release } from "../core/memory.ts";
import { fused, noGrad, type Op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { emit, empty, Tensor } from "../core/tensor.ts";
import type { KernelName } from "../core/wasm.ts";
import { add, affine, div, mul, rsqrt, sqrt, square, sub } from "./elementwise.ts";
import { mean, sum } from "./reduce.ts";
import { rowGrain } from "./strides.ts";

type Norm = [x: Tensor, weight: Tensor, bias: Tensor];

function checkAffine(call: string, shapes: readonly [Shape, Shape, Shape], width: number): Shape {
  for (const s of shapes.slice(1))
    if (!sameShape(s, [width])) throw mismatch(call, shapes, `weight and bias must be [${width}].`);
  return shapes[0];
}

/** Statistics of the last forward pass, kept for the backward one: they belong to the output, so they live in its scope. */
const kept = new WeakMap<Tensor, Tensor[]>();

function keep(y: Tensor, count: number, size: number): Tensor[] {
  const buffers = Array.from({ length: count }, () => new Tensor([size], allocateOwned(size * 4)));
  kept.set(y, buffers);
  return buffers;
}

/** Each row (last axis) brought to mean 0 and variance 1, then ·weight + bias. x [… n], weight, bias [n]. Ba, Kiros & Hinton 2016. */
export const layerNorm: Op<Norm, { eps?: number } | undefined> = fused<Norm, { eps?: number } | undefined>(
  "layerNorm",
  {
    shape: (shapes) => checkAffine("layerNorm", shapes, shapes[0].at(-1) ?? 0),
    expand([x, w, b], { eps = 1e-5 } = {}) {
      const d = sub(x, mean(x, { axes: -1, keepDim: true }));
      const v = mean(square(d), { axes: -1, keepDim: true });
      return add(mul(mul(d, rsqrt(affine(v, { scale: 1, shift: eps }))), w), b);
    },
    forward(y, [x, w, b], { eps = 1e-5 } = {}) {
      const n = x.shape.at(-1)!;
      const rows = sizeOf(x.shape.slice(0, -1));
      const [mu, rstd] = keep(y, 2, rows);
      parallel("layerNorm", rows, rowGrain(n), y.ptr, mu.ptr, rstd.ptr, x.ptr, w.ptr, b.ptr, n, eps);
    },
    backward(g, [x, w], y) {
      const n = x.shape.at(-1)!;
      const rows = sizeOf(x.shape.slice(0, -1));
      const [mu, rstd] = kept.get(y)!;
      const d = empty(x.shape);
      const gh = empty([rows, n]);
      parallel("layerNormGrad", rows, rowGrain(n), d.ptr, gh.ptr, g.ptr, x.ptr, w.ptr, mu.ptr, rstd.ptr, n);
      return [d, sum(gh, { axes: 0 }), sum(new Tensor([rows, n], g.block), { axes: 0 })];
    },
  },
);

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
function given({ mean, variance, training = true }: BatchNormAttrs): [mean: Tensor, variance: Tensor] | undefined {
  return training || !mean || !variance ? undefined : [mean, variance];
}

/**
 * Each column brought to mean 0 and variance 1 over the batch, then ·weight + bias. x [rows, width], weight, bias [width].
 * With given statistics it is a linear map of x, (x − mean)·weight/√(variance + ε) + bias. Ioffe & Szegedy 2015.
 */
export const batchNorm: Op<Norm, BatchNormAttrs | undefined> = fused<Norm, BatchNormAttrs | undefined>("batchNorm", {
  shape(shapes, { mean, variance, training = true } = {}) {
    if (shapes[0].length !== 2) throw mismatch("batchNorm", shapes, "the input must be [rows, width].");
    const width = shapes[0][1];
    if (!training && !(mean && variance))
      throw mismatch("batchNorm", shapes, "without training it needs a mean and a variance.");
    for (const s of [mean, variance])
      if (s && !sameShape(s.shape, [width]))
        throw mismatch("batchNorm", shapes, `mean and variance must be [${width}].`);
    return checkAffine("batchNorm", shapes, width);
  },
  expand([x, w, b], attrs = {}) {
    const [mu, known] = given(attrs) ?? [mean(x, { axes: 0, keepDim: true }), undefined];
    const d = sub(x, mu);
    const v = known ?? mean(square(d), { axes: 0, keepDim: true });
    return add(mul(div(d, sqrt(affine(v, { scale: 1, shift: attrs.eps ?? 1e-5 }))), w), b);
  },
  forward(y, [x, w, b], attrs = {}) {
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
    const scale = scaleOf(w, v, attrs.eps ?? 1e-5);
    parallel("batchNorm", rows, rowGrain(width), y.ptr, x.ptr, mu.ptr, scale.ptr, b.ptr, width);
  },
  backward(g, [x, w], y, attrs = {}, needed) {
    const { eps = 1e-5 } = attrs;
    const [rows, width] = x.shape;
    const [mu, v] = kept.get(y)!;
    const scale = scaleOf(w, v, eps);
    const known = given(attrs);
    if (known && !needed[1] && !needed[2]) return [mul(g, scale), undefined, undefined];
    const [dw, db, m, slope] = Array.from({ length: 4 }, () => empty([width]));
    sumColumns(x, "columnGradients", [g.ptr, x.ptr, mu.ptr], (sums, units, grain) =>
      parallel("batchGradients", units, grain, dw.ptr, db.ptr, m.ptr, slope.ptr, sums, v.ptr, rows, width, eps),
    );
    if (known) return [needed[0] ? mul(g, scale) : undefined, dw, db];
    const d = emit(x.shape, (t) => {
      const columns = [mu.ptr, scale.ptr, m.ptr, slope.ptr];
      parallel("batchNormGrad", rows, rowGrain(width), t.ptr, g.ptr, x.ptr, ...columns, width);
    });
    return [d, dw, db];
  },
});
