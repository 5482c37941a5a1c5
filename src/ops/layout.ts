import { mismatch } from "../core/errors.ts";
import { isRecording, type Op, op, record, registry } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { resolveAxes, resolveAxis, type Shape, sameShape, sizeOf, stridesOf } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { copy, rowGrain } from "./strides.ts";

const isSize = (n: number): boolean => Number.isInteger(n) && n >= 0;

/** The same elements in another shape, without a copy. One size may be −1: it follows from the others. */
export function reshape(x: Tensor, { shape }: { shape: Shape }): Tensor {
  const resolved = shape.includes(-1) ? inferSize(x.shape, shape) : shape;
  if (sizeOf(resolved) !== x.size || !resolved.every(isSize))
    throw mismatch("reshape", [x.shape], `${x.size} elements do not fill [${shape.join(", ")}].`);
  const out = new Tensor(resolved, x.block);
  return isRecording() ? record(out, reshapeRule, [x], undefined) : out;
}
const reshapeRule = {
  name: "reshape",
  vjp: (g: Tensor, [x]: readonly Tensor[]) => [reshape(g, { shape: x.shape })],
};
registry.set("reshape", reshape as (...args: never[]) => Tensor);

function inferSize(from: Shape, shape: Shape): number[] {
  const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
  if (shape.filter((n) => n === -1).length > 1 || known === 0 || sizeOf(from) % known !== 0)
    throw mismatch("reshape", [from], `no size for −1 in [${shape.join(", ")}] fits.`);
  return shape.map((n) => (n === -1 ? sizeOf(from) / known : n));
}

/** Axes in another order: y.shape[i] = x.shape[axes[i]]. */
export const permute: Op<[x: Tensor], { axes: readonly number[] }> = op("permute", {
  shape([shape], { axes }) {
    if (axes.length !== shape.length)
      throw mismatch("permute", [shape], `[${axes.join(", ")}] must name each of the ${shape.length} axes once.`);
    resolveAxes("permute", shape, axes);
    return axes.map((axis) => shape[resolveAxis("permute", shape, axis)]);
  },
  forward(y, [x], { axes }) {
    const order = axes.map((axis) => resolveAxis("permute", x.shape, axis));
    const strides = stridesOf(x.shape);
    if (swapsLastTwo(order) && x.size > 0) {
      const [m, n] = x.shape.slice(-2);
      parallel("transpose", (x.size / (m * n)) * Math.ceil(n / 4), rowGrain(4 * m), y.ptr, x.ptr, m, n);
    } else
      copy(
        y.shape,
        y,
        stridesOf(y.shape),
        0,
        x,
        order.map((axis) => strides[axis]),
        0,
      );
  },
  vjp(g, [x], _y, { axes }) {
    const inverse = new Array<number>(axes.length);
    axes.forEach((axis, i) => {
      inverse[resolveAxis("permute", x.shape, axis)] = i;
    });
    return [permute(g, { axes: inverse })];
  },
});

const swapsLastTwo = (order: readonly number[]): boolean => {
  const n = order.length;
  return (
    n >= 2 && order[n - 1] === n - 2 && order[n - 2] === n - 1 && order.every((axis, i) => i >= n - 2 || axis === i)
  );
};

/** Two axes swapped; by default the last two. */
export function transpose(x: Tensor, { axes = [-2, -1] }: { axes?: readonly [number, number] } = {}): Tensor {
  const [a, b] = axes.map((axis) => resolveAxis("transpose", x.shape, axis));
  const order = x.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  return permute(x, { axes: order });
}

export interface SliceRange {
  axis: number;
  /** First element; counts from the end if negative. */
  start?: number;
  /** One past the last; counts from the end if negative. */
  end?: number;
}

/** x[start … end) along one axis. Its adjoint pads with zeros. */
export const slice: Op<[x: Tensor], SliceRange> = op("slice", {
  shape([shape], range) {
    const { axis, start, end } = resolveRange(shape, range);
    return shape.map((n, i) => (i === axis ? end - start : n));
  },
  forward(y, [x], range) {
    const { axis, start } = resolveRange(x.shape, range);
    const strides = stridesOf(x.shape);
    copy(y.shape, y, stridesOf(y.shape), 0, x, strides, start * strides[axis]);
  },
  vjp(g, [x], _y, range) {
    const { axis, start, end } = resolveRange(x.shape, range);
    return [padConstant(g, { axis, before: start, after: x.shape[axis] - end })];
  },
});

function resolveRange(
  shape: Shape,
  { axis, start = 0, end }: SliceRange,
): { axis: number; start: number; end: number } {
  const at = resolveAxis("slice", shape, axis);
  const n = shape[at];
  const from = start < 0 ? start + n : start;
  const to = end === undefined ? n : end < 0 ? end + n : end;
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= n))
    throw mismatch("slice", [shape], `range ${start} … ${end ?? n} does not lie within axis ${axis} of size ${n}.`);
  return { axis: at, start: from, end: to };
}

export interface PadAttrs {
  axis: number;
  /** Elements added in front and behind. */
  before?: number;
  after?: number;
  /** What they are: `value` everywhere (default), or x mirrored in its first and last element. */
  mode?: "constant" | "reflect";
  value?: number;
}

/** x with elements added along an axis: `value` (default 0), or with mode "reflect" its own, as many as it has besides the first or last. */
export function pad(x: Tensor, { mode = "constant", ...attrs }: PadAttrs): Tensor {
  if (mode !== "constant" && mode !== "reflect")
    throw mismatch("pad", [x.shape], `mode must be "constant" or "reflect", not ${JSON.stringify(mode)}.`);
  return mode === "reflect" ? padReflect(x, attrs) : padConstant(x, attrs);
}

/** Its adjoint is `slice`. */
const padConstant: Op<[x: Tensor], Omit<PadAttrs, "mode">> = op("pad", {
  shape([shape], { axis, before = 0, after = 0 }) {
    const at = resolveAxis("pad", shape, axis);
    checkPad(shape, before, after);
    return shape.map((n, i) => (i === at ? n + before + after : n));
  },
  forward(y, [x], { axis, before = 0, value = 0 }) {
    const at = resolveAxis("pad", x.shape, axis);
    const strides = stridesOf(y.shape);
    y.data.fill(value);
    copy(x.shape, y, strides, before * strides[at], x, stridesOf(x.shape), 0);
  },
  vjp(g, [x], _y, { axis, before = 0 }) {
    const at = resolveAxis("pad", x.shape, axis);
    return [slice(g, { axis: at, start: before, end: before + x.shape[at] })];
  },
});

function checkPad(shape: Shape, before: number, after: number): void {
  if (!(isSize(before) && isSize(after)))
    throw mismatch("pad", [shape], `before ${before} and after ${after} must be whole numbers ≥ 0.`);
}

function padReflect(x: Tensor, { axis, before = 0, after = 0, value }: Omit<PadAttrs, "mode">): Tensor {
  const at = resolveAxis("pad", x.shape, axis);
  const n = x.shape[at];
  checkPad(x.shape, before, after);
  if (value !== undefined) throw mismatch("pad", [x.shape], 'mode "reflect" takes no value.');
  if (Math.max(before, after) >= n && before + after > 0)
    throw mismatch(
      "pad",
      [x.shape],
      `axis ${axis} of size ${n} has no ${Math.max(before, after)} elements to reflect.`,
    );
  const mirrored = (start: number, end: number): Tensor => flip(slice(x, { axis: at, start, end }), { axes: at });
  const parts = [x];
  if (before > 0) parts.unshift(mirrored(1, before + 1));
  if (after > 0) parts.push(mirrored(n - 1 - after, n - 1));
  return parts.length === 1 ? x : concat(parts, { axis: at });
}

/** Tensors one after the other along an axis. */
export function concat(tensors: readonly Tensor[], { axis = 0 }: { axis?: number } = {}): Tensor {
  if (tensors.length === 0) throw mismatch("concat", [], "there is nothing to join.");
  return concatAll(...tensors, { axis });
}

const concatAll: (...args: [...Tensor[], { axis: number }]) => Tensor = op<Tensor[], { axis: number }>("concat", {
  shape(shapes, { axis }) {
    const [first, ...rest] = shapes;
    const at = resolveAxis("concat", first, axis);
    for (const s of rest)
      if (s.length !== first.length || s.some((n, i) => i !== at && n !== first[i]))
        throw mismatch("concat", shapes, `shapes must agree outside axis ${axis}.`);
    return first.map((n, i) => (i === at ? shapes.reduce((total, s) => total + s[at], 0) : n));
  },
  forward(y, tensors, { axis }) {
    const at = resolveAxis("concat", y.shape, axis);
    const strides = stridesOf(y.shape);
    let offset = 0;
    for (const x of tensors) {
      copy(x.shape, y, strides, offset * strides[at], x, stridesOf(x.shape), 0);
      offset += x.shape[at];
    }
  },
  vjp(g, tensors, _y, { axis }) {
    let start = 0;
    return tensors.map((x) => {
      const end = start + x.shape[resolveAxis("concat", x.shape, axis)];
      const part = slice(g, { axis, start, end });
      start = end;
      return part;
    });
  },
}) as (...args: [...Tensor[], { axis: number }]) => Tensor;

/** Tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], { axis = 0 }: { axis?: number } = {}): Tensor {
  const shapes = tensors.map((t) => t.shape);
  if (shapes.some((s) => !sameShape(s, shapes[0]))) throw mismatch("stack", shapes, "all must have one shape.");
  return concat(
    tensors.map((t) => unsqueeze(t, { axis })),
    { axis },
  );
}

/** Parts of the given sizes along an axis. */
export function split(x: Tensor, { sizes, axis = 0 }: { sizes: readonly number[]; axis?: number }): Tensor[] {
  const at = resolveAxis("split", x.shape, axis);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== x.shape[at] || !sizes.every(isSize))
    throw mismatch(
      "split",
      [x.shape],
      `sizes [${sizes.join(", ")}] add up to ${total}, axis ${axis} has ${x.shape[at]}.`,
    );
  let start = 0;
  return sizes.map((n) => slice(x, { axis: at, start, end: (start += n) }));
}

/** `count` parts along an axis, the last one smaller if it must be. */
export function chunk(x: Tensor, { count, axis = 0 }: { count: number; axis?: number }): Tensor[] {
  const n = x.shape[resolveAxis("chunk", x.shape, axis)];
  if (!(isSize(count) && count > 0)) throw mismatch("chunk", [x.shape], `count ${count} must be a whole number > 0.`);
  const size = Math.max(1, Math.ceil(n / count));
  const sizes = Array.from({ length: Math.ceil(n / size) }, (_, i) => Math.min(size, n - i * size));
  return split(x, { sizes, axis });
}

/** A new axis of size 1. */
export function unsqueeze(x: Tensor, { axis }: { axis: number }): Tensor {
  const at = axis < 0 ? axis + x.rank + 1 : axis;
  if (!(isSize(at) && at <= x.rank))
    throw mismatch("unsqueeze", [x.shape], `there is no place ${axis} for a new axis.`);
  return reshape(x, { shape: [...x.shape.slice(0, at), 1, ...x.shape.slice(at)] });
}

/** Without the named axis of size 1, or without all of them. */
export function squeeze(x: Tensor, { axis }: { axis?: number } = {}): Tensor {
  if (axis === undefined) return reshape(x, { shape: x.shape.filter((n) => n !== 1) });
  const at = resolveAxis("squeeze", x.shape, axis);
  if (x.shape[at] !== 1) throw mismatch("squeeze", [x.shape], `axis ${axis} has size ${x.shape[at]}, not 1.`);
  return reshape(x, { shape: x.shape.filter((_, i) => i !== at) });
}

/** The axes from `start` on as one. */
export const flatten = (x: Tensor, { start = 0 }: { start?: number } = {}): Tensor => {
  const at = x.rank === 0 ? 0 : resolveAxis("flatten", x.shape, start);
  return reshape(x, { shape: [...x.shape.slice(0, at), sizeOf(x.shape.slice(at))] });
};

/** The order of elements reversed along the named axes (all, where none is named). Its own adjoint. */
export const flip: Op<[x: Tensor], { axes?: number | readonly number[] } | undefined> = op<
  [x: Tensor],
  { axes?: number | readonly number[] } | undefined
>("flip", {
  shape([shape], { axes } = {}) {
    resolveAxes("flip", shape, axes);
    return shape;
  },
  forward(y, [x], { axes } = {}) {
    const reversed = resolveAxes("flip", x.shape, axes);
    const strides = stridesOf(x.shape);
    const offset = reversed.reduce((sum, axis) => sum + (x.shape[axis] - 1) * strides[axis], 0);
    const signed = strides.map((s, i) => (reversed.includes(i) ? -s : s));
    copy(y.shape, y, stridesOf(y.shape), 0, x, signed, offset);
  },
  vjp: (g, _x, _y, attrs) => [flip(g, attrs)],
});

/** Elements shifted by `shift` along an axis; those pushed out at one end come in at the other. */
export const roll: Op<[x: Tensor], { shift: number; axis: number }> = op("roll", {
  shape([shape], { shift, axis }) {
    resolveAxis("roll", shape, axis);
    if (!Number.isInteger(shift)) throw mismatch("roll", [shape], `shift ${shift} is not a whole number.`);
    return shape;
  },
  forward(y, [x], { shift, axis }) {
    const at = resolveAxis("roll", x.shape, axis);
    const n = x.shape[at];
    if (x.size === 0) return;
    const by = ((shift % n) + n) % n;
    const strides = stridesOf(x.shape);
    const sized = (count: number): number[] => x.shape.map((size, i) => (i === at ? count : size));
    copy(sized(n - by), y, strides, by * strides[at], x, strides, 0);
    copy(sized(by), y, strides, 0, x, strides, (n - by) * strides[at]);
  },
  vjp: (g, _x, _y, { shift, axis }) => [roll(g, { shift: -shift, axis })],
});
