import { type Shape, sizeOf } from "../../src/core/shape.ts";

/** An f64 array with a shape. What is written with it is slow, and simple enough to be read as a definition. */
export interface Nd {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export const nd = (shape: Shape, data: ArrayLike<number>): Nd => ({ shape, data: Float64Array.from(data) });

/** The array whose element at `index` is f(index). */
export function build(shape: Shape, f: (index: readonly number[]) => number): Nd {
  const data = new Float64Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < data.length; i++) {
    data[i] = f(index);
    for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
  }
  return { shape, data };
}

/** Position of `index` in row-major order. */
export function offset(shape: Shape, index: readonly number[]): number {
  let at = 0;
  for (let d = 0; d < shape.length; d++) at = at * shape[d] + index[d];
  return at;
}

export const get = (x: Nd, index: readonly number[]): number => x.data[offset(x.shape, index)];

export const map = (x: Nd, f: (v: number) => number): Nd => ({ shape: x.shape, data: x.data.map((v) => f(v)) });

export const reshape = (x: Nd, shape: Shape): Nd => ({ shape, data: x.data });

/** `axis` counted from the front. */
export const axisOf = (shape: Shape, axis: number): number => (axis < 0 ? axis + shape.length : axis);

/** The element that broadcasting puts at `index` of the result. */
export function stretched(x: Nd, index: readonly number[]): number {
  const lead = index.length - x.shape.length;
  let at = 0;
  for (let d = 0; d < x.shape.length; d++) at = at * x.shape[d] + (x.shape[d] === 1 ? 0 : index[lead + d]);
  return x.data[at];
}

/** f over the elements of arrays that broadcast. */
export function zip(f: (...values: number[]) => number, ...xs: Nd[]): Nd {
  const rank = Math.max(...xs.map((x) => x.shape.length));
  const shape = Array.from({ length: rank }, (_, d) => {
    const sizes = xs.map((x) => x.shape[d - rank + x.shape.length] ?? 1);
    return sizes.find((n) => n !== 1) ?? 1;
  });
  return build(shape, (index) => f(...xs.map((x) => stretched(x, index))));
}

/** f over the groups of elements, in row-major order, that differ only along `axes`. */
export function reduce(
  x: Nd,
  axes: readonly number[] | undefined,
  keepDim: boolean,
  f: (values: number[]) => number,
): Nd {
  const over = (axes ?? x.shape.map((_, d) => d)).map((axis) => axisOf(x.shape, axis));
  const kept = x.shape.map((n, d) => (over.includes(d) ? 1 : n));
  const groups = Array.from({ length: sizeOf(kept) }, () => [] as number[]);
  build(x.shape, (index) => {
    const group = index.map((i, d) => (over.includes(d) ? 0 : i));
    return groups[offset(kept, group)].push(get(x, index));
  });
  const shape = keepDim ? kept : x.shape.filter((_, d) => !over.includes(d));
  return { shape, data: Float64Array.from(groups, f) };
}

export const total = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
};

/** f over each row, the last axis: rows in, rows out (of any one length). */
export function rows(x: Nd, f: (row: Float64Array, r: number) => ArrayLike<number>): Nd {
  const n = x.shape[x.shape.length - 1];
  const lead = x.shape.slice(0, -1);
  const out: number[] = [];
  let width = n;
  for (let r = 0; r < sizeOf(lead); r++) {
    const row = f(x.data.subarray(r * n, (r + 1) * n), r);
    width = row.length;
    for (let i = 0; i < width; i++) out.push(row[i]);
  }
  return nd([...lead, width], out);
}

/** f along `axis` moved to the end and back. */
export function along(x: Nd, axis: number, f: (x: Nd) => Nd): Nd {
  const at = axisOf(x.shape, axis);
  const order = [...x.shape.keys()].filter((d) => d !== at).concat(at);
  const y = f(permute(x, order));
  if (y.shape.length < x.shape.length) return y;
  return permute(
    y,
    [...order.keys()].map((d) => order.indexOf(d)),
  );
}

/** y.shape[d] = x.shape[axes[d]]. */
export function permute(x: Nd, axes: readonly number[]): Nd {
  const order = axes.map((axis) => axisOf(x.shape, axis));
  const from = new Array<number>(order.length);
  return build(
    order.map((axis) => x.shape[axis]),
    (index) => {
      order.forEach((axis, d) => {
        from[axis] = index[d];
      });
      return get(x, from);
    },
  );
}
