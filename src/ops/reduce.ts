import { mismatch } from "../core/errors.ts";
import { allocate, release } from "../core/memory.ts";
import { fused, type Op, op, registry } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { resolveAxes, resolveAxis, type Shape, sameShape, sizeOf, stridesOf } from "../core/shape.ts";
import { emit, emptyIndices, type Indices, Tensor, zeros } from "../core/tensor.ts";
import { abs, affine, exp, log, neg, sqrt, square, sub } from "./elementwise.ts";
import { take } from "./gather.ts";
import { permute, reshape } from "./layout.ts";
import { broadcastStrides, copy, rowGrain } from "./strides.ts";

export interface Axes {
  /** The axes to reduce over; all of them by default. */
  axes?: number | readonly number[];
  /** Keep the reduced axes with size 1. */
  keepDim?: boolean;
}

function reducedShape(call: string, shape: Shape, { axes, keepDim = false }: Axes = {}): Shape {
  const over = resolveAxes(call, shape, axes);
  return keepDim ? shape.map((n, i) => (over.includes(i) ? 1 : n)) : shape.filter((_, i) => !over.includes(i));
}

/** Rows added up by one unit of `sumBlocks`; a longer axis is summed as a tree of such blocks. */
const BLOCK = 1024;

/** Σ over the named axes. Its adjoint is `expand`. */
export const sum: Op<[x: Tensor], Axes | undefined> = op<[x: Tensor], Axes | undefined>("sum", {
  shape: ([shape], attrs) => reducedShape("sum", shape, attrs),
  forward(y, [x], { axes } = {}) {
    const over = resolveAxes("sum", x.shape, axes);
    let shape = [...x.shape];
    let from = x.ptr;
    let held: ReturnType<typeof allocate> | undefined;
    // Runs of neighbouring axes, last first: x is [outer, rows, inner] for each.
    const runs: [number, number][] = [];
    for (const axis of over) {
      const last = runs.at(-1);
      if (last && last[1] === axis) last[1] = axis + 1;
      else runs.push([axis, axis + 1]);
    }
    if (runs.length === 0) runs.push([x.rank, x.rank]);
    while (runs.length > 0) {
      const [first, end] = runs.pop()!;
      const outer = sizeOf(shape.slice(0, first));
      let rows = sizeOf(shape.slice(first, end));
      const inner = sizeOf(shape.slice(end));
      for (let more = true; more; ) {
        const blocks = Math.ceil(rows / BLOCK);
        more = blocks > 1;
        const target = more || runs.length > 0 ? allocate(outer * Math.max(blocks, 1) * inner * 4) : undefined;
        const to = target?.ptr ?? y.ptr;
        if (rows === 0) new Tensor([outer * inner], target ?? y.block).data.fill(0);
        else {
          const strips = inner === 1 ? 1 : Math.ceil(inner / 64);
          const grain = rowGrain(Math.min(rows, BLOCK) * Math.min(inner, 64));
          parallel("sumBlocks", outer * blocks * strips, grain, to, from, rows, BLOCK, inner);
        }
        if (held) release(held);
        held = target;
        from = to;
        rows = blocks;
      }
      shape = [...shape.slice(0, first), ...new Array(end - first).fill(1), ...shape.slice(end)];
    }
  },
  vjp: (g, [x], _y, attrs) => [
    expand(reshape(g, { shape: reducedShape("sum", x.shape, { ...attrs, keepDim: true }) }), { shape: x.shape }),
  ],
});

/** x stretched to `shape` after the broadcasting rule. Its adjoint is `sumTo`. */
export const expand: Op<[x: Tensor], { shape: Shape }> = op("expand", {
  shape([from], { shape }) {
    const lead = shape.length - from.length;
    const possible = lead >= 0 && shape.every((n) => Number.isInteger(n) && n >= 0);
    if (!possible || from.some((n, i) => n !== 1 && n !== shape[lead + i]))
      throw mismatch("expand", [from], `it does not stretch to [${shape.join(", ")}].`);
    return shape;
  },
  forward: (y, [x]) => copy(y.shape, y, stridesOf(y.shape), 0, x, broadcastStrides(x.shape, y.shape), 0),
  vjp: (g, [x]) => [sumTo(g, { shape: x.shape })],
});

/** x summed over the axes along which `shape` would stretch to x's: undoes broadcasting. */
export function sumTo(x: Tensor, { shape }: { shape: Shape }): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  if (lead < 0 || shape.some((n, i) => n !== 1 && n !== x.shape[lead + i]))
    throw mismatch("sumTo", [x.shape], `[${shape.join(", ")}] does not stretch to it.`);
  const axes = x.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
  return reshape(sum(x, { axes }), { shape });
}
registry.set("sumTo", sumTo as (...args: never[]) => Tensor);

/** How many elements are reduced into one. */
const countOver = (call: string, shape: Shape, axes: Axes["axes"]): number =>
  resolveAxes(call, shape, axes).reduce((count, axis) => count * shape[axis], 1);

/** Mean over the named axes; NaN over none. */
export function mean(x: Tensor, options: Axes = {}): Tensor {
  const scale = 1 / countOver("mean", x.shape, options.axes);
  return affine(sum(x, options), { scale, shift: 0 });
}

/** Variance over the named axes, of the population (correction 0) or of a sample (correction 1, the default as in PyTorch). */
export function variance(x: Tensor, { correction = 1, ...options }: Axes & { correction?: number } = {}): Tensor {
  const scale = 1 / (countOver("variance", x.shape, options.axes) - correction);
  const d = sub(x, mean(x, { axes: options.axes, keepDim: true }));
  return affine(sum(square(d), options), { scale, shift: 0 });
}

/** Euclidean length over the named axes; its gradient at the origin is 0, not NaN. */
export function norm(x: Tensor, options: Axes = {}): Tensor {
  resolveAxes("norm", x.shape, options.axes);
  return sqrt(sum(square(x), options));
}

/** Σ |x|. */
export function norm1(x: Tensor, options: Axes = {}): Tensor {
  resolveAxes("norm1", x.shape, options.axes);
  return sum(abs(x), options);
}

export interface OneAxis {
  /** The axis to reduce over; the last by default. */
  axis?: number;
}

/** Positions of the largest or smallest along an axis: in the axis, or flat in x. */
function argReduce(call: string, x: Tensor, axis: number, sign: 1 | -1, flat: boolean): Indices {
  const at = resolveAxis(call, x.shape, axis);
  const rows = x.shape[at];
  const inner = sizeOf(x.shape.slice(at + 1));
  const outer = sizeOf(x.shape.slice(0, at));
  if (rows === 0) throw mismatch(call, [x.shape], `axis ${axis} is empty: there is nothing to choose from.`);
  const out = emptyIndices(outer * inner);
  parallel("argReduce", outer * inner, rowGrain(rows), out.ptr, x.ptr, rows, inner, sign, flat ? 1 : 0);
  return out;
}

/** Where the largest stands along an axis (the first of equals; NaN counts as largest), row-major over the other axes. */
export function argmax(x: Tensor, { axis = -1 }: OneAxis = {}): Indices {
  return argReduce("argmax", x, axis, 1, false);
}

/** Where the smallest stands along an axis. */
export function argmin(x: Tensor, { axis = -1 }: OneAxis = {}): Indices {
  return argReduce("argmin", x, axis, -1, false);
}

function extreme(
  call: string,
  x: Tensor,
  { axis = -1, keepDim = false }: OneAxis & { keepDim?: boolean },
  sign: 1 | -1,
): Tensor {
  const shape = reducedShape(call, x.shape, { axes: axis, keepDim });
  const index = argReduce(call, x, axis, sign, true);
  return reshape(take(reshape(x, { shape: [x.size] }), { index }), { shape });
}

/** Largest along an axis. The choice is an index; the gradient goes to the element chosen. */
export const max = (x: Tensor, options: OneAxis & { keepDim?: boolean } = {}): Tensor => extreme("max", x, options, 1);
/** Smallest along an axis. */
export const min = (x: Tensor, options: OneAxis & { keepDim?: boolean } = {}): Tensor => extreme("min", x, options, -1);

/** Positions 0 … n − 1 along the last axis in the order of the values; equal values keep their order, NaN is largest. */
export function argsort(x: Tensor, { descending = false }: { descending?: boolean } = {}): Indices {
  const n = x.shape[resolveAxis("argsort", x.shape, -1)];
  const out = emptyIndices(x.size);
  const work = allocate(x.size * 4);
  if (n > 0) parallel("argsort", x.size / n, rowGrain(n * 16), out.ptr, work.ptr, x.ptr, n, descending ? 1 : 0);
  release(work);
  return out;
}

/** The k largest (or smallest) along the last axis, in order, with their positions in it. */
export function topk(
  x: Tensor,
  { k, largest = true }: { k: number; largest?: boolean },
): { values: Tensor; index: Indices } {
  const n = x.shape[resolveAxis("topk", x.shape, -1)];
  if (!(Number.isInteger(k) && k >= 0 && k <= n)) throw mismatch("topk", [x.shape], `k = ${k} is not in 0 … ${n}.`);
  const rows = n === 0 ? 0 : x.size / n;
  const order = argsort(x, { descending: largest });
  const index = emptyIndices(rows * k);
  const flat = emptyIndices(rows * k);
  const from = order.data;
  const to = index.data;
  const at = flat.data;
  for (let r = 0, j = 0; r < rows; r++)
    for (let i = 0; i < k; i++, j++) {
      to[j] = from[r * n + i];
      at[j] = r * n + to[j];
    }
  order.dispose();
  const values = reshape(take(reshape(x, { shape: [x.size] }), { index: flat }), {
    shape: [...x.shape.slice(0, -1), k],
  });
  return { values, index };
}

/** Applies an op of the last axis along any axis. */
function alongAxis(call: string, x: Tensor, axis: number, f: (x: Tensor) => Tensor): Tensor {
  const at = resolveAxis(call, x.shape, axis);
  if (at === x.rank - 1) return f(x);
  const order = x.shape.map((_, i) => i).filter((i) => i !== at);
  order.push(at);
  const y = f(permute(x, { axes: order }));
  if (y.rank < x.rank) return y;
  const back = x.shape.map((_, i) => order.indexOf(i));
  return permute(y, { axes: back });
}

const width = (shape: Shape): number => shape[shape.length - 1];
const rowsOf = (x: Tensor): number => (x.size === 0 ? 0 : x.size / width(x.shape));

const logSumExpLast: Op<[x: Tensor]> = fused("logSumExp", {
  shape: ([shape]) => shape.slice(0, -1),
  expand([x]) {
    const m = width(x.shape) === 0 ? zeros([...x.shape.slice(0, -1), 1]) : finite(max(x.detach(), { keepDim: true }));
    return sumOut(log(sum(exp(sub(x, m)), { axes: -1, keepDim: true })), m);
  },
  forward: (y, [x]) => parallel("logSumExp", y.size, rowGrain(width(x.shape) * 4), y.ptr, x.ptr, width(x.shape)),
  backward: (g, [x], y) => [
    emit(x.shape, (d) =>
      parallel("logSumExpGrad", rowsOf(x), rowGrain(width(x.shape) * 4), d.ptr, g.ptr, x.ptr, y.ptr, width(x.shape)),
    ),
  ],
});
/** a + m with the last axis of size 1 dropped. */
const sumOut = (a: Tensor, m: Tensor): Tensor => {
  const total = sub(a, neg(m));
  return reshape(total, { shape: total.shape.slice(0, -1) });
};
/** Infinite shifts become 0. */
const finite = (m: Tensor): Tensor => {
  const { data } = m;
  for (let i = 0; i < data.length; i++) if (Math.abs(data[i]) === Infinity) data[i] = 0;
  return m;
};

/** ln Σ eˣ along an axis (the last by default), without overflow. */
export const logSumExp = (x: Tensor, { axis = -1 }: OneAxis = {}): Tensor =>
  alongAxis("logSumExp", x, axis, logSumExpLast);

const softmaxLast: Op<[x: Tensor]> = fused("softmax", {
  shape: ([shape]) => shape,
  expand: ([x]) => exp(logSoftmaxExpanded(x)),
  forward: (y, [x]) => parallel("softmax", rowsOf(x), rowGrain(width(x.shape) * 4), y.ptr, x.ptr, width(x.shape)),
  backward: (g, [x], y) => [
    emit(x.shape, (d) =>
      parallel("softmaxGrad", rowsOf(x), rowGrain(width(x.shape) * 2), d.ptr, g.ptr, y.ptr, width(x.shape)),
    ),
  ],
});
const logSoftmaxExpanded = (x: Tensor): Tensor =>
  sub(x, reshape(logSumExpLast(x), { shape: [...x.shape.slice(0, -1), 1] }));

/** eˣ / Σ eˣ along an axis (the last by default). */
export const softmax = (x: Tensor, { axis = -1 }: OneAxis = {}): Tensor => alongAxis("softmax", x, axis, softmaxLast);

const logSoftmaxLast: Op<[x: Tensor]> = fused("logSoftmax", {
  shape: ([shape]) => shape,
  expand: ([x]) => logSoftmaxExpanded(x),
  forward: (y, [x]) => parallel("logSoftmax", rowsOf(x), rowGrain(width(x.shape) * 4), y.ptr, x.ptr, width(x.shape)),
  backward: (g, [x], y) => [
    emit(x.shape, (d) =>
      parallel("logSoftmaxGrad", rowsOf(x), rowGrain(width(x.shape) * 4), d.ptr, g.ptr, y.ptr, width(x.shape)),
    ),
  ],
});

/** x − ln Σ eˣ along an axis (the last by default). */
export const logSoftmax = (x: Tensor, { axis = -1 }: OneAxis = {}): Tensor =>
  alongAxis("logSoftmax", x, axis, logSoftmaxLast);
