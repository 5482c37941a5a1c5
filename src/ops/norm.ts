import { mismatch } from "../core/errors.ts";
import { fused, type Op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { empty, Tensor } from "../core/tensor.ts";
import { add, affine, div, mul, rsqrt, sqrt, square, sub } from "./elementwise.ts";
import {
  type BatchNormAttrs,
  checkStatistics,
  given,
  keep,
  kept,
  normaliserGradients,
  normaliserOf,
} from "./normalise.ts";
import { mean, sum } from "./reduce.ts";
import { rowGrain } from "./strides.ts";

export type { BatchNormAttrs };

type Norm = [x: Tensor, weight: Tensor, bias: Tensor];

function checkAffine(call: string, shapes: readonly [Shape, Shape, Shape], width: number): Shape {
  for (const s of shapes.slice(1))
    if (!sameShape(s, [width])) throw mismatch(call, shapes, `weight and bias must be [${width}].`);
  return shapes[0];
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

/**
 * Each column brought to mean 0 and variance 1 over the batch, then ·weight + bias. x [rows, width], weight, bias [width].
 * With given statistics it is a linear map of x, (x − mean)·weight/√(variance + ε) + bias. Ioffe & Szegedy 2015.
 */
export const batchNorm: Op<Norm, BatchNormAttrs | undefined> = fused<Norm, BatchNormAttrs | undefined>("batchNorm", {
  shape(shapes, attrs) {
    if (shapes[0].length !== 2) throw mismatch("batchNorm", shapes, "the input must be [rows, width].");
    checkStatistics("batchNorm", shapes, shapes[0][1], attrs);
    return checkAffine("batchNorm", shapes, shapes[0][1]);
  },
  expand([x, w, b], attrs = {}) {
    const [mu, known] = given(attrs) ?? [mean(x, { axes: 0, keepDim: true }), undefined];
    const d = sub(x, mu);
    const v = known ?? mean(square(d), { axes: 0, keepDim: true });
    return add(mul(div(d, sqrt(affine(v, { scale: 1, shift: attrs.eps ?? 1e-5 }))), w), b);
  },
  forward(y, [x, w, b], attrs = {}) {
    const [rows, width] = x.shape;
    const { mean: mu, scale } = normaliserOf(y, x, w, attrs);
    parallel("batchNorm", rows, rowGrain(width), y.ptr, x.ptr, mu.ptr, scale.ptr, b.ptr, width);
  },
  backward: (g, [x, w], y, attrs, needed) => normaliserGradients(g, empty(x.shape), x, w, y, attrs, needed),
});
