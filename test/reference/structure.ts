import { sizeOf } from "../../src/core/shape.ts";
import { axisOf, build, get, type Nd } from "./nd.ts";

const replaced = (index: readonly number[], at: number, value: number): number[] =>
  index.map((i, d) => (d === at ? value : i));

/** x[start … end) along an axis. */
export function slice(x: Nd, axis: number, start: number, end: number): Nd {
  const at = axisOf(x.shape, axis);
  return build(replaced(x.shape, at, end - start), (index) => get(x, replaced(index, at, index[at] + start)));
}

export function pad(x: Nd, axis: number, before: number, after: number, value = 0): Nd {
  const at = axisOf(x.shape, axis);
  return build(replaced(x.shape, at, before + x.shape[at] + after), (index) => {
    const i = index[at] - before;
    return i >= 0 && i < x.shape[at] ? get(x, replaced(index, at, i)) : value;
  });
}

export function concat(xs: readonly Nd[], axis: number): Nd {
  const at = axisOf(xs[0].shape, axis);
  const size = xs.reduce((sum, x) => sum + x.shape[at], 0);
  return build(replaced(xs[0].shape, at, size), (index) => {
    let [k, i] = [0, index[at]];
    while (i >= xs[k].shape[at]) i -= xs[k++].shape[at];
    return get(xs[k], replaced(index, at, i));
  });
}

export const flip = (x: Nd, axes: readonly number[]): Nd => {
  const over = axes.map((axis) => axisOf(x.shape, axis));
  return build(x.shape, (index) =>
    get(
      x,
      index.map((i, d) => (over.includes(d) ? x.shape[d] - 1 - i : i)),
    ),
  );
};

export function roll(x: Nd, shift: number, axis: number): Nd {
  const at = axisOf(x.shape, axis);
  const n = x.shape[at];
  return build(x.shape, (index) => get(x, replaced(index, at, (((index[at] - shift) % n) + n) % n)));
}

/** x[index[k]] along an axis; zeros where the index is negative. */
export function take(x: Nd, index: ArrayLike<number>, axis: number): Nd {
  const at = axisOf(x.shape, axis);
  return build(replaced(x.shape, at, index.length), (out) => {
    const i = index[out[at]];
    return i < 0 ? 0 : get(x, replaced(out, at, i));
  });
}

/** y[index[k]] += x[k] along an axis of the given size. */
export function put(x: Nd, index: ArrayLike<number>, axis: number, size: number): Nd {
  const at = axisOf(x.shape, axis);
  return build(replaced(x.shape, at, size), (out) => {
    let sum = 0;
    for (let k = 0; k < index.length; k++) if (index[k] === out[at]) sum += get(x, replaced(out, at, k));
    return sum;
  });
}

/** A sparse 0/1 matrix as the list of its entries. */
export interface Pairs {
  rows: number;
  cols: number;
  row: readonly number[];
  col: readonly number[];
}

/** y[i, …] = f of x[col, …] over the entries of row i. */
export function segments(x: Nd, { rows, row, col }: Pairs, f: (values: number[]) => number): Nd {
  const width = sizeOf(x.shape.slice(1));
  const groups = Array.from({ length: rows * width }, () => [] as number[]);
  for (let e = 0; e < row.length; e++)
    for (let c = 0; c < width; c++) groups[row[e] * width + c].push(x.data[col[e] * width + c]);
  return { shape: [rows, ...x.shape.slice(1)], data: Float64Array.from(groups, f) };
}
