import { copyRow, fillRow } from "./simd";

/** Columns that one unit of `put` owns. */
const COLUMNS: i32 = 16;

/**
 * y[o, k, :] = x[o, index[k], :]: x [outer, rows, inner] → y [outer, count, inner]; a negative index gives zeros.
 * `begin`, `end` count (o, k).
 */
export function take(begin: i32, end: i32, y: usize, x: usize, index: usize, count: i32, rows: i32, inner: i32): void {
  const bytes = <usize>inner << 2;
  for (let unit = begin; unit < end; unit++) {
    const i = load<i32>(index + (<usize>(unit % count) << 2));
    const to = y + unit * bytes;
    if (i < 0) fillRow(to, 0, inner);
    else copyRow(to, x + (<usize>(unit / count) * rows + i) * bytes, inner);
  }
}

/**
 * y[o, index[k], :] += x[o, k, :], y zeroed first: the adjoint of `take`. `begin`, `end` count (o, 16 columns): one unit adds
 * all k of its columns in order, so equal indices need no atomics and the bits are the same on any number of threads.
 */
export function put(begin: i32, end: i32, y: usize, x: usize, index: usize, count: i32, rows: i32, inner: i32): void {
  const strips = (inner + COLUMNS - 1) / COLUMNS;
  const bytes = <usize>inner << 2;
  for (let unit = begin; unit < end; unit++) {
    const first = (unit % strips) * COLUMNS;
    const columns = min(COLUMNS, inner - first);
    const o = unit / strips;
    const to = y + <usize>o * rows * bytes + (<usize>first << 2);
    let from = x + <usize>o * count * bytes + (<usize>first << 2);
    if (strips == 1) memory.fill(to, 0, rows * bytes);
    else for (let r = 0, p = to; r < rows; r++, p += bytes) fillRow(p, 0, columns);
    for (let k = 0; k < count; k++, from += bytes) {
      const i = load<i32>(index + (<usize>k << 2));
      if (i >= 0) addRow(to + i * bytes, from, columns);
    }
  }
}

/** y += x over n floats. */
// @ts-ignore: decorator
@inline
function addRow(y: usize, x: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    v128.store(y + at, f32x4.add(v128.load(y + at), v128.load(x + at)));
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    store<f32>(y + at, load<f32>(y + at) + load<f32>(x + at));
  }
}

/**
 * y[i, :] = Σ x[index[e], :] over e ∈ [ptr[i], ptr[i+1]).   `begin`, `end` count rows i; rows have `width` floats.
 * One thread owns each row and adds in edge order: no atomics, the same bits on any number of threads.
 */
export function segmentSum(begin: i32, end: i32, y: usize, x: usize, ptr: usize, index: usize, width: i32): void {
  const bytes = <usize>width << 2;
  for (let i = begin; i < end; i++) {
    const to = y + i * bytes;
    const last = load<i32>(ptr + (<usize>i << 2), 4);
    fillRow(to, 0, width);
    for (let e = load<i32>(ptr + (<usize>i << 2)); e < last; e++)
      addRow(to, x + load<i32>(index + (<usize>e << 2)) * bytes, width);
  }
}

/**
 * Flat position in x of the largest (sign = 1) or smallest (sign = −1) x[index[e], c] over the row's edges, −1 for a row
 * without any. `begin`, `end` count rows; out [rows, width].
 */
export function segmentArg(begin: i32, end: i32, out: usize, x: usize, ptr: usize, index: usize, width: i32, sign: f32): void {
  for (let i = begin; i < end; i++) {
    const first = load<i32>(ptr + (<usize>i << 2));
    const last = load<i32>(ptr + (<usize>i << 2), 4);
    for (let c = 0; c < width; c++) {
      let best: f32 = 0;
      let at = -1;
      for (let e = first; e < last; e++) {
        const p = load<i32>(index + (<usize>e << 2)) * width + c;
        const v = sign * load<f32>(x + (<usize>p << 2));
        if (at < 0 || v > best || (v != v && best == best)) {
          best = v;
          at = p;
        }
      }
      store<i32>(out + (<usize>(i * width + c) << 2), at);
    }
  }
}
