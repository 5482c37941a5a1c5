import { mismatch } from "../core/errors.ts";
import { type Activation, gemm } from "../core/gemm.ts";
import { fused, type Op, op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { broadcastShapes, type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { asTensor, emit, type Tensor } from "../core/tensor.ts";
import { relu } from "./activation.ts";
import { add, affine, div, gt, mul, sub, where } from "./elementwise.ts";
import { reshape, roll, slice, squeeze, stack, unsqueeze } from "./layout.ts";
import { softmax, sum } from "./reduce.ts";
import { broadcastStrides, GRAIN } from "./strides.ts";

export interface MatmulOptions {
  /** Use aᵀ (the last two axes swapped) without making it. */
  transposeA?: boolean;
  transposeB?: boolean;
}

interface Plan {
  out: Shape;
  m: number;
  n: number;
  k: number;
  batch: Shape;
}

function plan(shapes: readonly [Shape, Shape], { transposeA = false, transposeB = false }: MatmulOptions = {}): Plan {
  const [a, b] = shapes;
  if (a.length < 2 || b.length < 2) throw mismatch("matmul", shapes, "both need at least two axes.");
  const [m, k] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const [kb, n] = transposeB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
  if (k !== kb) {
    const fix =
      (transposeB ? b.at(-2) : b.at(-1)) === k
        ? `transposeB: ${!transposeB}`
        : m === kb && `transposeA: ${!transposeA}`;
    const hint = fix ? `Did you mean matmul(a, b, { ${fix} })?` : undefined;
    throw mismatch("matmul", shapes, `inner sizes ${k} and ${kb} differ.`, hint);
  }
  const batch = broadcastShapes("matmul", [a.slice(0, -2), b.slice(0, -2)]);
  return { out: [...batch, m, n], m, n, k, batch };
}

/** Matrix product of the last two axes, the others broadcasting: a [… m, k] · b [… k, n] → [… m, n]. */
export const matmul: Op<[a: Tensor, b: Tensor], MatmulOptions | undefined> = op<
  [a: Tensor, b: Tensor],
  MatmulOptions | undefined
>("matmul", {
  shape: (shapes, attrs) => plan(shapes, attrs).out,
  forward(y, [a, b], attrs = {}) {
    const { m, n, k, batch } = plan([a.shape, b.shape], attrs);
    const [ars, acs] = attrs.transposeA ? [1, m] : [k, 1];
    const [brs, bcs] = attrs.transposeB ? [1, k] : [n, 1];
    const count = sizeOf(batch);
    const product = { m, n, k, ars, acs, brs, bcs };
    const strideA = uniformStride(a.shape.slice(0, -2), batch, m * k);
    const strideB = uniformStride(b.shape.slice(0, -2), batch, k * n);
    if (strideA !== undefined && strideB !== undefined) {
      gemm(y.ptr, a.ptr, b.ptr, { ...product, batch: count, strideA, strideB, strideC: m * n });
      return;
    }
    const sa = broadcastStrides(a.shape.slice(0, -2), batch);
    const sb = broadcastStrides(b.shape.slice(0, -2), batch);
    for (let item = 0; item < count; item++) {
      let [ia, ib] = [0, 0];
      for (let d = batch.length - 1, rest = item; d >= 0; rest = Math.floor(rest / batch[d--])) {
        ia += (rest % batch[d]) * sa[d];
        ib += (rest % batch[d]) * sb[d];
      }
      gemm(y.ptr + 4 * item * m * n, a.ptr + 4 * ia * m * k, b.ptr + 4 * ib * k * n, product);
    }
  },
  vjp(g, [a, b], _y, { transposeA = false, transposeB = false } = {}, [wantsA, wantsB]) {
    const ga = (): Tensor =>
      transposeA
        ? matmul(b, g, { transposeA: transposeB, transposeB: true })
        : matmul(g, b, { transposeB: !transposeB });
    const gb = (): Tensor =>
      transposeB
        ? matmul(g, a, { transposeA: true, transposeB: transposeA })
        : matmul(a, g, { transposeA: !transposeA });
    return [wantsA ? ga() : undefined, wantsB ? gb() : undefined];
  },
});

/** Distance between an operand's matrices when one number says it: `step`, or 0 where one matrix serves all. */
function uniformStride(own: Shape, batch: Shape, step: number): number | undefined {
  if (sizeOf(own) === 1) return 0;
  return sameShape(own, batch) ? step : undefined;
}

/** a [m] ⊗ b [n] → [m, n]. */
export function outer(a: Tensor, b: Tensor): Tensor {
  if (a.rank !== 1 || b.rank !== 1) throw mismatch("outer", [a.shape, b.shape], "both must be vectors.");
  return mul(reshape(a, { shape: [a.size, 1] }), b);
}

interface LinearOptions {
  activation?: Activation;
}

/** x·Wᵀ + b, then an optional ReLU, in one pass over the result: x [… in], W [out, in] (PyTorch's layout), b [out] → [… out]. */
export const linear: Op<[x: Tensor, weight: Tensor, bias: Tensor], LinearOptions | undefined> = fused<
  [x: Tensor, weight: Tensor, bias: Tensor],
  LinearOptions | undefined
>("linear", {
  shape(shapes) {
    const [x, w, b] = shapes;
    if (w.length !== 2 || x.length < 1 || x.at(-1) !== w[1])
      throw mismatch("linear", shapes, `the input has ${x.at(-1)} features, the weight [out, in] takes ${w[1]}.`);
    if (!sameShape(b, [w[0]])) throw mismatch("linear", shapes, `the bias must be [${w[0]}].`);
    return [...x.slice(0, -1), w[0]];
  },
  expand([x, w, b], { activation = "none" } = {}) {
    const flat = reshape(x, { shape: [rowsOf(x), w.shape[1]] });
    const y = add(matmul(flat, w, { transposeB: true }), b);
    const shaped = reshape(y, { shape: [...x.shape.slice(0, -1), w.shape[0]] });
    return activation === "relu" ? relu(shaped) : shaped;
  },
  forward(y, [x, w, b], { activation = "none" } = {}) {
    const [n, k] = w.shape;
    gemm(y.ptr, x.ptr, w.ptr, { m: rowsOf(x), n, k, ars: k, acs: 1, brs: 1, bcs: k, bias: b.ptr, activation });
  },
  vjp(g, [x, w], y, { activation = "none" } = {}, [wantX, wantW, wantB]) {
    const d = activation === "relu" ? mul(g, gt(y, asTensor(0))) : g;
    const rows = reshape(d, { shape: [rowsOf(x), w.shape[0]] });
    const features = (): Tensor => reshape(x, { shape: [rowsOf(x), w.shape[1]] });
    return [
      wantX ? reshape(matmul(rows, w), { shape: x.shape }) : undefined,
      wantW ? matmul(rows, features(), { transposeA: true }) : undefined,
      wantB ? sum(rows, { axes: 0 }) : undefined,
    ];
  },
  backward(g, [x, w], y, { activation = "none" } = {}, [wantX, wantW, wantB]) {
    const [n, k] = w.shape;
    const m = rowsOf(x);
    const d = activation === "relu" ? reluMasked(g, y) : g;
    const rows = reshape(d, { shape: [m, n] });
    return [
      wantX
        ? emit(x.shape, (t) => gemm(t.ptr, d.ptr, w.ptr, { m, n: k, k: n, ars: n, acs: 1, brs: k, bcs: 1 }))
        : undefined,
      wantW
        ? emit(w.shape, (t) => gemm(t.ptr, d.ptr, x.ptr, { m: n, n: k, k: m, ars: 1, acs: n, brs: k, bcs: 1 }))
        : undefined,
      wantB ? sum(rows, { axes: 0 }) : undefined,
    ];
  },
});

const rowsOf = (x: Tensor): number => sizeOf(x.shape.slice(0, -1));

/** g where the rectified output is positive. */
const reluMasked = (g: Tensor, y: Tensor): Tensor =>
  emit(g.shape, (d) => parallel("reluGrad", g.size, GRAIN, d.ptr, g.ptr, y.ptr));

/** Determinants of 3 × 3 matrices: a [… 3, 3] → […]. */
export function det3(a: Tensor): Tensor {
  const rows = rowsOf3("det3", a);
  return sum(mul(rows[0], cross(rows[1], rows[2])), { axes: -1 });
}

/** Inverses of 3 × 3 matrices, by cofactors: a [… 3, 3] → [… 3, 3]. */
export function inverse3(a: Tensor): Tensor {
  const [r0, r1, r2] = rowsOf3("inverse3", a);
  const columns = stack([cross(r1, r2), cross(r2, r0), cross(r0, r1)], { axis: -1 });
  const det = sum(mul(r0, cross(r1, r2)), { axes: -1, keepDim: true });
  return div(columns, unsqueeze(det, { axis: -1 }));
}

function rowsOf3(call: string, a: Tensor): Tensor[] {
  if (a.rank < 2 || a.shape.at(-1) !== 3 || a.shape.at(-2) !== 3)
    throw mismatch(call, [a.shape], "the last two axes must be 3 × 3.");
  return [0, 1, 2].map((i) => squeeze(slice(a, { axis: -2, start: i, end: i + 1 }), { axis: -2 }));
}

/** Cross product along the last axis: [… 3] × [… 3] → [… 3]. */
export function cross(a: Tensor, b: Tensor): Tensor {
  for (const t of [a, b])
    if (t.shape.at(-1) !== 3) throw mismatch("cross", [a.shape, b.shape], "the last axis must have size 3.");
  broadcastShapes("cross", [a.shape, b.shape]);
  const next = (t: Tensor, shift: number): Tensor => roll(t, { shift, axis: -1 });
  return sub(mul(next(a, -1), next(b, 1)), mul(next(a, 1), next(b, -1)));
}

/**
 * Scaled dot-product attention: softmax(q·kᵀ/√d + mask)·v. q [… m, d], k [… n, d], v [… n, e] → [… m, e].
 * `mask` broadcasts to [… m, n]; where it is 0 a key is not seen. Vaswani et al. 2017.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, { mask }: { mask?: Tensor } = {}): Tensor {
  if (q.rank < 2 || k.rank < 2 || v.rank < 2 || q.shape.at(-1) !== k.shape.at(-1) || k.shape.at(-2) !== v.shape.at(-2))
    throw mismatch("attention", [q.shape, k.shape, v.shape], "they must be [… m, d], [… n, d] and [… n, e].");
  const scores = affine(matmul(q, k, { transposeB: true }), { scale: 1 / Math.sqrt(q.shape.at(-1)!), shift: 0 });
  const seen = mask ? where(mask, scores, asTensor(-1e30)) : scores;
  return matmul(softmax(seen), v);
}
