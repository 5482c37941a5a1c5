import type { Csr } from "../core/csr.ts";
import { mismatch } from "../core/errors.ts";
import { allocate, release } from "../core/memory.ts";
import { fused, noGrad, type Op, op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { emit, empty, type Indices, type Tensor, tensor } from "../core/tensor.ts";
import { sigmoid, softplus } from "./activation.ts";
import { affine, exp, mul, square, sub } from "./elementwise.ts";
import { segmentSum } from "./gather.ts";
import { reshape, slice, transpose } from "./layout.ts";
import { matmul } from "./matmul.ts";
import { batchNorm } from "./norm.ts";
import {
  type BatchNormAttrs,
  checkStatistics,
  keptNormaliser,
  normaliserGradients,
  normaliserOf,
} from "./normalise.ts";
import { sum } from "./reduce.ts";
import { rowGrain } from "./strides.ts";

/** Gaussians on a grid: exp(−gamma·(d − μₖ)²), μₖ = start + k·step, k < count. `gamma` is the coefficient itself, in 1/Å². */
export interface GaussianBasis {
  start: number;
  step: number;
  count: number;
  gamma: number;
}

function checkBasis(call: string, shapes: readonly Shape[], { count, step, gamma }: GaussianBasis): void {
  if (shapes[0].length !== 1) throw mismatch(call, shapes, "the distances must be [edges].");
  if (!(Number.isInteger(count) && count >= 1 && step > 0 && gamma > 0))
    throw mismatch(call, shapes, `a basis needs count ≥ 1, step > 0 and gamma > 0, not ${count}, ${step}, ${gamma}.`);
}

/** The Gaussians of each distance: d [edges] → [edges, count], Å. */
export function gaussianBasis(d: Tensor, basis: GaussianBasis): Tensor {
  checkBasis("gaussianBasis", [d.shape], basis);
  const { start, step, count, gamma } = basis;
  const centres = tensor(Float32Array.from({ length: count }, (_, k) => start + k * step));
  const delta = sub(reshape(d, { shape: [d.size, 1] }), centres);
  return exp(affine(square(delta), { scale: -gamma, shift: 0 }));
}

/** Beyond this exponent a Gaussian is below 10⁻¹⁰ and left out. */
const NEGLIGIBLE = 23;

/** The Gaussians that matter at each distance, in workspace; `use` runs the kernel that takes them. */
function withTerms(
  d: Tensor,
  { start, step, count: centres, gamma }: GaussianBasis,
  use: (terms: { first: number; coefficient: number; count: number }) => void,
): void {
  const reach = Math.sqrt(NEGLIGIBLE / gamma) / step;
  const count = Math.min(centres, Math.floor(2 * reach) + 1);
  const width = (count + 3) & ~3;
  const [first, coefficient] = [allocate(4 * d.size), allocate(4 * d.size * width)];
  const sizes = [centres, count, start, step, gamma, reach];
  parallel("gaussianTerms", d.size, rowGrain(8 * width), first.ptr, coefficient.ptr, d.ptr, ...sizes);
  use({ first: first.ptr, coefficient: coefficient.ptr, count });
  release(first);
  release(coefficient);
}

/** Edges whose gradients are summed before they meet the others': few enough to share the work, many enough to be worth a sum. */
const blockOf = (edges: number): number => Math.max(512, Math.ceil(edges / 256));

/**
 * The product of a Gaussian expansion and a weight, without the expansion: y = gaussianBasis(d)·wᵀ, d [edges], w [width, count] →
 * [edges, width]. Gaussians below 10⁻¹⁰ are left out: with CGCNN's basis ten of forty-one remain.
 */
export const gaussianLinear: Op<[d: Tensor, w: Tensor], GaussianBasis> = fused("gaussianLinear", {
  shape(shapes, basis) {
    checkBasis("gaussianLinear", shapes, basis);
    const [[edges], [width, count]] = shapes;
    if (shapes[1].length !== 2 || count !== basis.count)
      throw mismatch("gaussianLinear", shapes, `the weight must be [width, ${basis.count}].`);
    return [edges, width];
  },
  expand: ([d, w], basis) => matmul(gaussianBasis(d, basis), transpose(w)),
  forward(y, [d, w], basis) {
    const [width] = w.shape;
    const transposed = noGrad(() => transpose(w));
    withTerms(d, basis, ({ first, coefficient, count }) =>
      parallel(
        "gaussianLinear",
        d.size,
        rowGrain(count * width),
        y.ptr,
        first,
        coefficient,
        transposed.ptr,
        count,
        width,
        0,
      ),
    );
  },
  backward: (g, [d, w], _y, basis, needed) => gaussianGradients(g, d, w, basis, needed),
});

/** Gradients for distances and weight. */
function gaussianGradients(
  g: Tensor,
  d: Tensor,
  w: Tensor,
  basis: GaussianBasis,
  [wantsD]: readonly boolean[],
): [d: Tensor | undefined, w: Tensor] {
  const [width, centres] = w.shape;
  const block = blockOf(d.size);
  const blocks = Math.ceil(d.size / block);
  const partial = empty([blocks, centres, width]);
  withTerms(d, basis, ({ first, coefficient, count }) => {
    const sizes = [d.size, block, centres, count, width];
    parallel("gaussianLinearGrad", blocks, 1, partial.ptr, g.ptr, first, coefficient, ...sizes);
  });
  return [wantsD ? distanceGradient(g, d, w, basis) : undefined, transpose(sum(partial, { axes: 0 }))];
}

/** Σ over the width of g·∂y/∂d. */
function distanceGradient(g: Tensor, d: Tensor, w: Tensor, basis: GaussianBasis): Tensor {
  const { start, step, count, gamma } = basis;
  const centres = tensor(Float32Array.from({ length: count }, (_, k) => start + k * step));
  const delta = sub(reshape(d, { shape: [d.size, 1] }), centres);
  const slope = mul(delta, exp(affine(square(delta), { scale: -gamma, shift: 0 })));
  return affine(sum(mul(slope, matmul(g, w)), { axes: 1 }), { scale: -2 * gamma, shift: 0 });
}

/** Which nodes an edge joins. Edges are sorted by receiver. */
export interface EdgeAttrs {
  /** [edges] */
  receiver: Indices;
  /** [edges] */
  sender: Indices;
  /** [nodes × edges]: row i holds the edges that i receives. */
  receivers: Csr;
  /** [nodes × edges]: row j holds the edges that j sends. */
  senders: Csr;
}

/** z[e] = p[receiver of e] + q[sender of e] + u[e]: p, q [nodes, width], u [edges, width]. What W·[vᵢ; vⱼ; u] is when W is cut in three. */
export const edgeSum: Op<[p: Tensor, q: Tensor, u: Tensor], EdgeAttrs> = op("edgeSum", {
  shape(shapes, { receivers: { rows, cols } }) {
    const [p, q, u] = shapes;
    const width = u[1];
    const fits = (s: Shape, n: number): boolean => s.length === 2 && s[0] === n && s[1] === width;
    if (!(fits(p, rows) && fits(q, rows) && fits(u, cols)))
      throw mismatch("edgeSum", shapes, `the graph has ${rows} nodes and ${cols} edges.`);
    return u;
  },
  forward: (z, [p, q, u], { receiver, sender }) =>
    parallel(
      "edgeSum",
      u.shape[0],
      rowGrain(u.shape[1]),
      z.ptr,
      p.ptr,
      q.ptr,
      u.ptr,
      receiver.ptr,
      sender.ptr,
      u.shape[1],
    ),
  vjp: (g, _x, _z, { receivers, senders }) => [segmentSum(g, { adj: receivers }), segmentSum(g, { adj: senders }), g],
});

/**
 * edgeSum(p, q, gaussianLinear(d, w)), z[e] = p[receiver] + q[sender] + Σₖ gaussianₖ(d)·w[:, k], with no [edges, width] but z itself:
 * p, q [nodes, width], d [edges], w [width, count].
 */
export const gaussianEdgeSum: Op<[p: Tensor, q: Tensor, d: Tensor, w: Tensor], EdgeAttrs & { basis: GaussianBasis }> =
  fused("gaussianEdgeSum", {
    shape(shapes, { basis, receivers: { rows, cols } }) {
      const [p, q, d, w] = shapes;
      checkBasis("gaussianEdgeSum", [d], basis);
      const fits = (s: Shape, ...sizes: number[]): boolean => sameShape(s, sizes);
      if (!(fits(p, rows, w[0]) && fits(q, rows, w[0]) && fits(d, cols) && fits(w, w[0], basis.count)))
        throw mismatch(
          "gaussianEdgeSum",
          shapes,
          `the graph has ${rows} nodes and ${cols} edges, the basis ${basis.count} functions.`,
        );
      return [cols, w[0]];
    },
    expand: ([p, q, d, w], { basis, ...edges }) => edgeSum(p, q, gaussianLinear(d, w, basis), edges),
    forward(z, [p, q, d, w], { basis, receiver, sender }) {
      const [edges, width] = z.shape;
      parallel("edgeSum", edges, rowGrain(width), z.ptr, p.ptr, q.ptr, 0, receiver.ptr, sender.ptr, width);
      const transposed = noGrad(() => transpose(w));
      withTerms(d, basis, ({ first, coefficient, count }) => {
        const sizes = [count, width, 1];
        parallel("gaussianLinear", edges, rowGrain(count * width), z.ptr, first, coefficient, transposed.ptr, ...sizes);
      });
    },
    backward: (g, [, , d, w], _z, { basis, receivers, senders }, [wantsP, wantsQ, ...wants]) => [
      wantsP ? segmentSum(g, { adj: receivers }) : undefined,
      wantsQ ? segmentSum(g, { adj: senders }) : undefined,
      ...gaussianGradients(g, d, w, basis, wants),
    ],
  });

/**
 * s[i] = Σ σ(y[e, :w]) ⊙ softplus(y[e, w:]) over the edges e that i receives, y = batchNorm(z, weight, bias): z [edges, 2w], weight,
 * bias [2w] → [nodes, w]; 0 for a node without any. Gate and core of CGCNN's convolution, normalised and summed as they are made.
 * `receivers` holds every edge once, in order.
 */
export const gatedSum: Op<[z: Tensor, weight: Tensor, bias: Tensor], Pick<EdgeAttrs, "receivers"> & BatchNormAttrs> =
  fused("gatedSum", {
    shape(shapes, { receivers: { rows, cols }, ...attrs }) {
      const [z, w, b] = shapes;
      if (z.length !== 2 || z[0] !== cols || z[1] % 8 !== 0 || !sameShape(w, [z[1]]) || !sameShape(b, [z[1]]))
        throw mismatch(
          "gatedSum",
          shapes,
          `the input must be [${cols}, width], width a multiple of 8, weight and bias [width].`,
        );
      checkStatistics("gatedSum", shapes, z[1], attrs);
      return [rows, z[1] / 2];
    },
    expand([z, weight, bias], { receivers: adj, ...attrs }) {
      const y = batchNorm(z, weight, bias, attrs);
      const w = z.shape[1] / 2;
      const gate = sigmoid(slice(y, { axis: 1, start: 0, end: w }));
      return segmentSum(mul(gate, softplus(slice(y, { axis: 1, start: w, end: 2 * w }))), { adj });
    },
    forward(s, [z, weight, bias], { receivers, ...attrs }) {
      const { mean, scale } = normaliserOf(s, z, weight, attrs);
      const columns = [mean.ptr, scale.ptr, bias.ptr];
      const grain = gateGrain(receivers, s);
      parallel("gatedSum", receivers.rows, grain, s.ptr, z.ptr, ...columns, receivers.ptr.ptr, s.shape[1]);
    },
    backward(g, [z, weight, bias], s, { receivers, ...attrs }, needed) {
      const { mean, scale } = keptNormaliser(s, weight, attrs);
      const columns = [mean.ptr, scale.ptr, bias.ptr];
      const grain = gateGrain(receivers, g);
      const d = emit(z.shape, (t) =>
        parallel("gatedSumGrad", receivers.rows, grain, t.ptr, g.ptr, z.ptr, ...columns, receivers.ptr.ptr, g.shape[1]),
      );
      return normaliserGradients(d, d, z, weight, s, attrs, needed);
    },
  });

/** Receivers to a chunk: an edge costs about ten times what its numbers cost to copy. */
const gateGrain = ({ entries, rows }: Csr, s: Tensor): number =>
  rowGrain((10 * sizeOf(s.shape.slice(1)) * Math.max(1, entries)) / Math.max(1, rows));
