import { Csr } from "../core/csr.ts";
import { mismatch } from "../core/errors.ts";
import { type Op, op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { resolveAxis, type Shape, sizeOf } from "../core/shape.ts";
import { emit, emptyIndices, type Indices, indices, type Tensor } from "../core/tensor.ts";
import { div, exp, mul, sub } from "./elementwise.ts";
import { reshape } from "./layout.ts";
import { rowGrain } from "./strides.ts";

export interface TakeAttrs {
  /** Rows to pick; a negative one gives zeros. */
  index: Indices;
  axis?: number;
}

/** x seen as [outer, rows, inner] around an axis. */
function around(call: string, shape: Shape, axis: number): { at: number; outer: number; rows: number; inner: number } {
  const at = resolveAxis(call, shape, axis);
  return { at, outer: sizeOf(shape.slice(0, at)), rows: shape[at], inner: sizeOf(shape.slice(at + 1)) };
}

/** x[index[k]] along an axis (the first by default): gather, index-select, embedding. Its adjoint is `put`. */
export const take: Op<[x: Tensor], TakeAttrs> = op("take", {
  shape([shape], { index, axis = 0 }) {
    const { at, rows } = around("take", shape, axis);
    const { data } = index;
    for (let k = 0; k < data.length; k++)
      if (data[k] >= rows)
        throw mismatch("take", [shape], `index ${data[k]} (at position ${k}) is outside axis ${axis} of size ${rows}.`);
    return shape.map((n, i) => (i === at ? index.length : n));
  },
  forward(y, [x], { index, axis = 0 }) {
    const { outer, rows, inner } = around("take", x.shape, axis);
    parallel("take", outer * index.length, rowGrain(inner), y.ptr, x.ptr, index.ptr, index.length, rows, inner);
  },
  vjp: (g, [x], _y, { index, axis = 0 }) => [
    put(g, { index, axis, size: x.shape[resolveAxis("take", x.shape, axis)] }),
  ],
});

/** y[index[k]] += x[k] along an axis of the given size, zeros elsewhere: scatter-add. Its adjoint is `take`. */
export const put: Op<[x: Tensor], TakeAttrs & { size: number }> = op("put", {
  shape([shape], { index, axis = 0, size }) {
    const { at, rows } = around("put", shape, axis);
    if (rows !== index.length)
      throw mismatch("put", [shape], `axis ${axis} has size ${rows}, but there are ${index.length} indices.`);
    if (!(Number.isInteger(size) && size >= 0))
      throw mismatch("put", [shape], `size ${size} is not a whole number ≥ 0.`);
    const { data } = index;
    for (let k = 0; k < data.length; k++)
      if (data[k] >= size)
        throw mismatch("put", [shape], `index ${data[k]} (at position ${k}) is outside size ${size}.`);
    return shape.map((n, i) => (i === at ? size : n));
  },
  forward(y, [x], { index, axis = 0, size }) {
    const { outer, inner } = around("put", x.shape, axis);
    const grain = rowGrain((index.length + size) * Math.min(inner, 16));
    parallel("put", outer * Math.ceil(inner / 16), grain, y.ptr, x.ptr, index.ptr, index.length, size, inner);
  },
  vjp: (g, _x, _y, { index, axis }) => [take(g, { index, axis })],
});

/** Each row of x repeated `counts[i]` times along the first axis. */
export function repeatInterleave(x: Tensor, { counts }: { counts: ArrayLike<number> }): Tensor {
  const rows = x.shape[resolveAxis("repeatInterleave", x.shape, 0)];
  if (counts.length !== rows)
    throw mismatch("repeatInterleave", [x.shape], `${counts.length} counts for ${rows} rows.`);
  const index: number[] = [];
  for (let i = 0; i < rows; i++) {
    if (!(Number.isInteger(counts[i]) && counts[i] >= 0))
      throw mismatch("repeatInterleave", [x.shape], `count ${counts[i]} (row ${i}) is not a whole number ≥ 0.`);
    for (let k = 0; k < counts[i]; k++) index.push(i);
  }
  return take(x, { index: indices(index) });
}

/** x[r, index[r]] for every row: y has x's shape without its last axis. */
export function pick(x: Tensor, { index }: { index: Indices }): Tensor {
  const n = x.shape[resolveAxis("pick", x.shape, -1)];
  const rows = sizeOf(x.shape.slice(0, -1));
  if (index.length !== rows) throw mismatch("pick", [x.shape], `${index.length} indices for ${rows} rows.`);
  const flat = emptyIndices(rows);
  const from = index.data;
  const to = flat.data;
  for (let r = 0; r < rows; r++) {
    if (!(from[r] >= 0 && from[r] < n))
      throw mismatch("pick", [x.shape], `index ${from[r]} (row ${r}) is outside 0 … ${n - 1}.`);
    to[r] = r * n + from[r];
  }
  return reshape(take(reshape(x, { shape: [x.size] }), { index: flat }), { shape: x.shape.slice(0, -1) });
}

export interface AdjAttrs {
  adj: Csr;
}

function checkSenders(call: string, shape: Shape, adj: Csr): void {
  if (shape.length < 1 || shape[0] !== adj.cols)
    throw mismatch(call, [shape], `the ${adj.rows} × ${adj.cols} structure needs ${adj.cols} rows.`);
}
const widthOf = (x: Tensor): number => sizeOf(x.shape.slice(1));
const edgeGrain = (adj: Csr, width: number): number =>
  rowGrain((width * Math.max(adj.entries, 1)) / Math.max(adj.rows, 1));

/** y = A·x for a 0/1 sparse A [m, n]: x [n, …] → y [m, …], the sum of each receiver's neighbours. Its adjoint is itself with Aᵀ. */
export const segmentSum: Op<[x: Tensor], AdjAttrs> = op("segmentSum", {
  shape([shape], { adj }) {
    checkSenders("segmentSum", shape, adj);
    return [adj.rows, ...shape.slice(1)];
  },
  forward: (y, [x], { adj }) =>
    parallel("segmentSum", adj.rows, edgeGrain(adj, widthOf(x)), y.ptr, x.ptr, adj.ptr.ptr, adj.index.ptr, widthOf(x)),
  vjp: (g, _x, _y, { adj }) => [segmentSum(g, { adj: adj.transposed })],
});

/** How many entries each row has, [rows, 1, …] so that it divides a tensor of the given rank. */
export function segmentCount({ adj, rank = 1 }: AdjAttrs & { rank?: number }): Tensor {
  const ptr = adj.ptr.data.slice();
  return emit([adj.rows, ...new Array<number>(rank - 1).fill(1)], (t) => {
    const { data } = t;
    for (let i = 0; i < adj.rows; i++) data[i] = ptr[i + 1] - ptr[i];
  });
}

/** Mean of each receiver's neighbours; 0 for a receiver without any. */
export function segmentMean(x: Tensor, { adj }: AdjAttrs): Tensor {
  checkSenders("segmentMean", x.shape, adj);
  const count = segmentCount({ adj, rank: x.rank });
  const { data } = count;
  for (let i = 0; i < data.length; i++) data[i] = data[i] === 0 ? 1 : data[i];
  return div(segmentSum(x, { adj }), count);
}

function segmentExtreme(call: string, x: Tensor, adj: Csr, sign: 1 | -1): Tensor {
  checkSenders(call, x.shape, adj);
  const width = widthOf(x);
  const index = emptyIndices(adj.rows * width);
  parallel("segmentArg", adj.rows, edgeGrain(adj, width), index.ptr, x.ptr, adj.ptr.ptr, adj.index.ptr, width, sign);
  return reshape(take(reshape(x, { shape: [x.size] }), { index }), { shape: [adj.rows, ...x.shape.slice(1)] });
}

/** Largest of each receiver's neighbours, by elements; 0 for a receiver without any. The gradient goes to the element chosen. */
export const segmentMax = (x: Tensor, { adj }: AdjAttrs): Tensor => segmentExtreme("segmentMax", x, adj, 1);
/** Smallest of each receiver's neighbours. */
export const segmentMin = (x: Tensor, { adj }: AdjAttrs): Tensor => segmentExtreme("segmentMin", x, adj, -1);

/** Softmax within segments: x [entries, …], ids[e] the segment of entry e; each segment's weights add up to 1. */
export function segmentSoftmax(x: Tensor, { ids, count }: { ids: Indices; count: number }): Tensor {
  const entries = x.shape[resolveAxis("segmentSoftmax", x.shape, 0)];
  if (ids.length !== entries)
    throw mismatch("segmentSoftmax", [x.shape], `${ids.length} segment ids for ${entries} entries.`);
  const e = ids.data.findIndex((id) => id < 0 || id >= count);
  if (e >= 0)
    throw mismatch("segmentSoftmax", [x.shape], `id ${ids.data[e]} (entry ${e}) is outside 0 … ${count - 1}.`);
  const adj = Csr.segments(ids.data.slice(), count);
  const shift = take(segmentMax(x.detach(), { adj }), { index: ids });
  const weight = exp(sub(x, shift));
  return div(weight, take(segmentSum(weight, { adj }), { index: ids }));
}

/** Weighted sparse times dense: y[i] = Σₑ values[e]·x[col(e)] over the entries e of row i. x [cols, d], values [entries] in storage order. */
export function spmm(values: Tensor, x: Tensor, { adj }: AdjAttrs): Tensor {
  checkSenders("spmm", x.shape, adj);
  if (values.shape.length !== 1 || values.size !== adj.entries)
    throw mismatch("spmm", [values.shape, x.shape], `the structure has ${adj.entries} entries.`);
  const weight = reshape(values, { shape: [adj.entries, ...new Array<number>(x.rank - 1).fill(1)] });
  const messages = mul(weight, take(x, { index: adj.index }));
  return segmentSum(messages, { adj: Csr.segments(adj.rowOfEntry(), adj.rows) });
}
