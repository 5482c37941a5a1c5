import { mismatch } from "../core/errors.ts";
import { allocateOwned } from "../core/memory.ts";
import { fused, type Op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { emit, empty, Tensor } from "../core/tensor.ts";
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

/**
 * Each column brought to mean 0 and variance 1 over the batch, then ·weight + bias. x [rows, width], weight, bias [width].
 * `mean` and `variance` (biased), where given, receive the batch's statistics. Ioffe & Szegedy 2015.
 */
export const batchNorm: Op<Norm, { eps?: number; mean?: Tensor; variance?: Tensor } | undefined> = fused<
  Norm,
  { eps?: number; mean?: Tensor; variance?: Tensor } | undefined
>("batchNorm", {
  shape(shapes) {
    if (shapes[0].length !== 2) throw mismatch("batchNorm", shapes, "the input must be [rows, width].");
    return checkAffine("batchNorm", shapes, shapes[0][1]);
  },
  expand([x, w, b], { eps = 1e-5 } = {}) {
    const d = sub(x, mean(x, { axes: 0, keepDim: true }));
    const v = mean(square(d), { axes: 0, keepDim: true });
    return add(mul(div(d, sqrt(affine(v, { scale: 1, shift: eps }))), w), b);
  },
  forward(y, [x, w, b], attrs = {}) {
    const { eps = 1e-5 } = attrs;
    const [rows, width] = x.shape;
    const [mu, v] = keep(y, 2, width);
    const grain = Math.max(1, Math.ceil(rowGrain(rows) / 4));
    parallel("batchNorm", Math.ceil(width / 4), grain, y.ptr, mu.ptr, v.ptr, x.ptr, w.ptr, b.ptr, rows, width, eps);
    attrs.mean?.set(mu.data);
    attrs.variance?.set(v.data);
  },
  backward(g, [x, w], y, { eps = 1e-5 } = {}) {
    const [rows, width] = x.shape;
    const [mu, v] = kept.get(y)!;
    const [dw, db] = [empty([width]), empty([width])];
    const grain = Math.max(1, Math.ceil(rowGrain(rows) / 4));
    const sizes = [rows, width, eps];
    const d = emit(x.shape, (t) =>
      parallel(
        "batchNormGrad",
        Math.ceil(width / 4),
        grain,
        t.ptr,
        dw.ptr,
        db.ptr,
        g.ptr,
        x.ptr,
        w.ptr,
        mu.ptr,
        v.ptr,
        ...sizes,
      ),
    );
    return [d, dw, db];
  },
});
