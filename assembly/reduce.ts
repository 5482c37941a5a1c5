import { exp4, log4 } from "./math";
import { maxLanes, sumLanes, sumRow } from "./simd";

/** Columns that one unit of `sumBlocks` takes when the reduced axis is not the last. */
const COLUMNS: i32 = 64;

/**
 * y[o, b, c] = Σ x[o, r, c] over the b-th block of `block` rows r: x [outer, rows, inner] → y [outer, ⌈rows/block⌉, inner].
 * `begin`, `end` count (o, b, 64 columns) in row-major order; with inner = 1 just (o, b). Repeated until one block is left,
 * this is a sum in a fixed tree: its bits do not depend on the number of threads.
 */
export function sumBlocks(begin: i32, end: i32, y: usize, x: usize, rows: i32, block: i32, inner: i32): void {
  const blocks = (rows + block - 1) / block;
  const strips = (inner + COLUMNS - 1) / COLUMNS;
  for (let unit = begin; unit < end; unit++) {
    const strip = unit % strips;
    const ob = unit / strips;
    const b = ob % blocks;
    const first = b * block;
    const count = min(block, rows - first);
    const from = x + ((<usize>(ob / blocks) * rows + first) * inner << 2);
    if (inner == 1) {
      store<f32>(y + (<usize>ob << 2), sumRow(from, count));
    } else {
      const c = strip * COLUMNS;
      sumColumns(y + ((<usize>ob * inner + c) << 2), from + (<usize>c << 2), count, inner, min(COLUMNS, inner - c));
    }
  }
}

/** y[c] = Σ x[r, c] over `count` rows that are `stride` floats apart. */
function sumColumns(y: usize, x: usize, count: i32, stride: i32, columns: i32): void {
  const step = <usize>stride << 2;
  let c = 0;
  for (; c + 16 <= columns; c += 16) {
    let a = f32x4.splat(0);
    let b = a;
    let d = a;
    let e = a;
    for (let r = 0, p = x + (<usize>c << 2); r < count; r++, p += step) {
      a = f32x4.add(a, v128.load(p));
      b = f32x4.add(b, v128.load(p, 16));
      d = f32x4.add(d, v128.load(p, 32));
      e = f32x4.add(e, v128.load(p, 48));
    }
    v128.store(y + (<usize>c << 2), a);
    v128.store(y + (<usize>c << 2), b, 16);
    v128.store(y + (<usize>c << 2), d, 32);
    v128.store(y + (<usize>c << 2), e, 48);
  }
  for (; c + 4 <= columns; c += 4) {
    let a = f32x4.splat(0);
    for (let r = 0, p = x + (<usize>c << 2); r < count; r++, p += step) a = f32x4.add(a, v128.load(p));
    v128.store(y + (<usize>c << 2), a);
  }
  for (; c < columns; c++) {
    let sum: f32 = 0;
    for (let r = 0, p = x + (<usize>c << 2); r < count; r++, p += step) sum += load<f32>(p);
    store<f32>(y + (<usize>c << 2), sum);
  }
}

/**
 * Where the largest (sign = 1) or smallest (sign = −1) of x[o, :, c] stands: the flat position in x if `flat`, else its row r.
 * The first of equals wins; a NaN counts as largest, so that it is not lost. Units: (o, c). An empty axis gives −1.
 */
export function argReduce(begin: i32, end: i32, out: usize, x: usize, rows: i32, inner: i32, sign: f32, flat: i32): void {
  for (let unit = begin; unit < end; unit++) {
    const base = (unit / inner) * rows * inner + (unit % inner);
    let best: f32 = 0;
    let at = -1;
    for (let r = 0; r < rows; r++) {
      const v = sign * load<f32>(x + (<usize>(base + r * inner) << 2));
      if (at < 0 || v > best || (v != v && best == best)) {
        best = v;
        at = r;
      }
    }
    store<i32>(out + (<usize>unit << 2), flat && at >= 0 ? base + at * inner : at);
  }
}

/** max over a row; lanes beyond `n` in the last group are not read. */
function maxRow(x: usize, n: i32): f32 {
  let best = load<f32>(x);
  let i = 0;
  if (n >= 4) {
    let m = v128.load(x);
    for (i = 4; i + 4 <= n; i += 4) m = f32x4.max(m, v128.load(x + (<usize>i << 2)));
    best = maxLanes(m);
  }
  for (; i < n; i++) best = max(best, load<f32>(x + (<usize>i << 2)));
  return best;
}

// @ts-ignore: decorator
@inline
function expOf(v: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(v)), 0);
}

/** Shift that keeps exp in range: the row's maximum, or 0 where that is infinite (then exp gives the right 0, 1 or ∞). */
// @ts-ignore: decorator
@inline
function shiftOf(m: f32): f32 {
  return abs<f32>(m) == <f32>Infinity ? <f32>0 : m;
}

/** Σ exp(xᵢ − shift), writing the terms to y unless y is 0. */
function expSum(y: usize, x: usize, n: i32, shift: f32): f32 {
  const s = f32x4.splat(shift);
  let sums = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const e = exp4(f32x4.sub(v128.load(x + (<usize>i << 2)), s));
    if (y) v128.store(y + (<usize>i << 2), e);
    sums = f32x4.add(sums, e);
  }
  let sum = sumLanes(sums);
  for (; i < n; i++) {
    const e = expOf(load<f32>(x + (<usize>i << 2)) - shift);
    if (y) store<f32>(y + (<usize>i << 2), e);
    sum += e;
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function logOf(v: f32): f32 {
  return f32x4.extract_lane(log4(f32x4.splat(v)), 0);
}

/** y[r] = log Σ exp x[r, :]; rows of n floats. −∞ for a row of −∞, ∞ where one element is. */
export function logSumExp(begin: i32, end: i32, y: usize, x: usize, n: i32): void {
  for (let r = begin; r < end; r++) {
    const row = x + (<usize>r * n << 2);
    const m: f32 = n > 0 ? maxRow(row, n) : -<f32>Infinity;
    const shift = shiftOf(m);
    store<f32>(y + (<usize>r << 2), logOf(expSum(0, row, n, shift)) + shift);
  }
}

/** y[r, :] = softmax x[r, :]. */
export function softmax(begin: i32, end: i32, y: usize, x: usize, n: i32): void {
  if (n == 0) return;
  for (let r = begin; r < end; r++) {
    const row = x + (<usize>r * n << 2);
    const out = y + (<usize>r * n << 2);
    scaleRow(out, n, <f32>1 / expSum(out, row, n, shiftOf(maxRow(row, n))));
  }
}

function scaleRow(y: usize, n: i32, factor: f32): void {
  const s = f32x4.splat(factor);
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(y + (<usize>i << 2), f32x4.mul(v128.load(y + (<usize>i << 2)), s));
  for (; i < n; i++) store<f32>(y + (<usize>i << 2), load<f32>(y + (<usize>i << 2)) * factor);
}

/** y[r, :] = x[r, :] − log Σ exp x[r, :]. */
export function logSoftmax(begin: i32, end: i32, y: usize, x: usize, n: i32): void {
  if (n == 0) return;
  for (let r = begin; r < end; r++) {
    const row = x + (<usize>r * n << 2);
    const out = y + (<usize>r * n << 2);
    const shift = shiftOf(maxRow(row, n));
    const total = logOf(expSum(0, row, n, shift));
    // Two subtractions, not one of their sum: x − shift is exact near the maximum.
    for (let i = 0; i < n; i++) store<f32>(out + (<usize>i << 2), load<f32>(row + (<usize>i << 2)) - shift - total);
  }
}

/** d = y ⊙ (g − Σ g ⊙ y) by rows: softmax's gradient. */
export function softmaxGrad(begin: i32, end: i32, d: usize, g: usize, y: usize, n: i32): void {
  for (let r = begin; r < end; r++) {
    const at = <usize>r * n << 2;
    let dot: f32 = 0;
    for (let i = 0; i < n; i++) dot += load<f32>(g + at + (<usize>i << 2)) * load<f32>(y + at + (<usize>i << 2));
    for (let i = 0; i < n; i++) {
      const p = at + (<usize>i << 2);
      store<f32>(d + p, load<f32>(y + p) * (load<f32>(g + p) - dot));
    }
  }
}

/** d = g − exp(y) Σ g by rows: log-softmax's gradient. */
export function logSoftmaxGrad(begin: i32, end: i32, d: usize, g: usize, y: usize, n: i32): void {
  for (let r = begin; r < end; r++) {
    const at = <usize>r * n << 2;
    const total = sumRow(g + at, n);
    for (let i = 0; i < n; i++) {
      const p = at + (<usize>i << 2);
      store<f32>(d + p, load<f32>(g + p) - expOf(load<f32>(y + p)) * total);
    }
  }
}

/** d[r, :] = g[r] · exp(x[r, :] − y[r]): the gradient of log-sum-exp. */
export function logSumExpGrad(begin: i32, end: i32, d: usize, g: usize, x: usize, y: usize, n: i32): void {
  for (let r = begin; r < end; r++) {
    const at = <usize>r * n << 2;
    const scale = load<f32>(g + (<usize>r << 2));
    const shift = load<f32>(y + (<usize>r << 2));
    for (let i = 0; i < n; i++) {
      const p = at + (<usize>i << 2);
      store<f32>(d + p, scale * expOf(load<f32>(x + p) - shift));
    }
  }
}

/**
 * out[r, :] = positions 0 … n − 1 of row r in the order of their values; equal values keep their order; NaNs stand as largest.
 * Bottom-up merge sort; `work` holds one row of indices for each row.
 */
export function argsort(begin: i32, end: i32, out: usize, work: usize, x: usize, n: i32, descending: i32): void {
  for (let r = begin; r < end; r++) {
    const row = x + (<usize>r * n << 2);
    let from = out + (<usize>r * n << 2);
    let to = work + (<usize>r * n << 2);
    for (let i = 0; i < n; i++) store<i32>(from + (<usize>i << 2), i);
    for (let width = 1; width < n; width <<= 1) {
      for (let low = 0; low < n; low += width << 1) {
        const middle = min(low + width, n);
        const high = min(middle + width, n);
        let a = low;
        let b = middle;
        for (let k = low; k < high; k++) {
          const ia = load<i32>(from + (<usize>min(a, n - 1) << 2));
          const ib = load<i32>(from + (<usize>min(b, n - 1) << 2));
          const takeB = b < high && (a >= middle || before(load<f32>(row + (<usize>ib << 2)), load<f32>(row + (<usize>ia << 2)), descending));
          store<i32>(to + (<usize>k << 2), takeB ? ib : ia);
          if (takeB) b++;
          else a++;
        }
      }
      const swap = from;
      from = to;
      to = swap;
    }
    if (from != out + (<usize>r * n << 2)) memory.copy(out + (<usize>r * n << 2), from, <usize>n << 2);
  }
}

/** Strictly before, with NaN above every number. */
// @ts-ignore: decorator
@inline
function before(a: f32, b: f32, descending: i32): bool {
  if (descending) return a > b || (a != a && b == b);
  return a < b || (b != b && a == a);
}
