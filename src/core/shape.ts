import { mismatch } from "./errors.ts";

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The common shape of operands after numpy's rule: align at the right, 1 stretches. */
export function broadcastShapes(call: string, shapes: readonly Shape[]): Shape {
  const first = shapes[0];
  if (shapes.every((s) => sameShape(s, first))) return first;
  const rank = Math.max(...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes)
    for (let i = 0; i < shape.length; i++) {
      const at = rank - shape.length + i;
      if (shape[i] === 1) continue;
      if (out[at] !== 1 && out[at] !== shape[i])
        throw mismatch(call, shapes, `sizes ${out[at]} and ${shape[i]} of axis ${at - rank} do not broadcast.`);
      out[at] = shape[i];
    }
  return out;
}

/** Axis in 0 … rank − 1 from one that may count from the end. */
export function resolveAxis(call: string, shape: Shape, axis: number): number {
  const at = axis < 0 ? axis + shape.length : axis;
  if (!(Number.isInteger(axis) && at >= 0 && at < shape.length))
    throw mismatch(
      call,
      [shape],
      shape.length === 0
        ? `there is no axis ${axis}: this is a single number.`
        : `there is no axis ${axis}; the axes are ${-shape.length} … ${shape.length - 1}.`,
    );
  return at;
}

/** Axes sorted, each once; all of them where none is given. */
export function resolveAxes(call: string, shape: Shape, axes?: number | readonly number[]): number[] {
  if (axes === undefined) return shape.map((_, i) => i);
  const list = typeof axes === "number" ? [axes] : axes;
  const resolved = [...new Set(list.map((axis) => resolveAxis(call, shape, axis)))].sort((a, b) => a - b);
  if (resolved.length !== list.length) throw mismatch(call, [shape], `axis named twice in [${list.join(", ")}].`);
  return resolved;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1, stride = 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}
