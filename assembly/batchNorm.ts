/**
 * Batch norm: the columns of x [rows, width] normalised over the batch. Ioffe & Szegedy 2015.
 * Memory is read by whole rows, in blocks whose sums are combined in their order, so the bits are the same on any number of
 * threads. The sums are f64: one pass over x is enough for the variance of data far from 0.
 */
import { fma, fnma } from "./simd";

/** Rows and columns whose sums one unit takes. */
const ROWS: i32 = 256;
const COLUMNS: i32 = 256;

/** Four columns, or one in lane 0. */
// @ts-ignore: decorator
@inline
function read(p: usize, one: bool): v128 {
  return one ? v128.load32_zero(p) : v128.load(p);
}

// @ts-ignore: decorator
@inline
function write(p: usize, v: v128, one: bool): void {
  if (one) v128.store32_lane(p, v, 0);
  else v128.store(p, v);
}

/** Two floats as f64, or one in lane 0. */
// @ts-ignore: decorator
@inline
function pair(p: usize, one: bool = false): v128 {
  return f64x2.promote_low_f32x4(one ? v128.load32_zero(p) : v128.load64_zero(p));
}

/** y += v for two f64, or one. */
// @ts-ignore: decorator
@inline
function addTo(y: usize, v: v128, one: bool): void {
  if (one) v128.store64_lane(y, f64x2.add(v128.load64_zero(y), v), 0);
  else v128.store(y, f64x2.add(v128.load(y), v));
}

/**
 * Down the columns of each block of 256 rows Σ (x − x₀) and Σ (x − x₀)², x₀ the first row of all: x [rows, width] →
 * f64 sums [⌈rows/256⌉, 2, width]. `begin`, `end` count (block, 256 columns).
 */
export function columnMoments(begin: i32, end: i32, sums: usize, x: usize, rows: i32, width: i32): void {
  const step = <usize>width << 2;
  const strips = (width + COLUMNS - 1) / COLUMNS;
  for (let unit = begin; unit < end; unit++) {
    const b = unit / strips;
    const c = (unit % strips) * COLUMNS;
    const bytes = <usize>min(COLUMNS, width - c) << 2;
    const first = x + (<usize>c << 2);
    const to = sums + ((<usize>(2 * b) * width + c) << 3);
    memory.fill(to, 0, bytes << 1);
    memory.fill(to + 2 * step, 0, bytes << 1);
    const count = min(ROWS, rows - b * ROWS);
    let r = 0;
    let p = first + <usize>(b * ROWS) * step;
    for (; r + 4 <= count; r += 4, p += 4 * step) addMoments(to, p, first, step, bytes, true);
    for (; r < count; r++, p += step) addMoments(to, p, first, step, bytes, false);
  }
}

/** Adds four rows, or one, to a block's moments. */
// @ts-ignore: decorator
@inline
function addMoments(to: usize, p: usize, first: usize, step: usize, bytes: usize, four: bool): void {
  const whole = bytes & ~7;
  let i: usize = 0;
  for (; i < whole; i += 8) addMoment(to + 2 * i, p + i, first + i, step, four, false);
  if (i < bytes) addMoment(to + 2 * i, p + i, first + i, step, four, true);
}

// @ts-ignore: decorator
@inline
function addMoment(to: usize, p: usize, first: usize, step: usize, four: bool, one: bool): void {
  const shift = pair(first, one);
  const a = f64x2.sub(pair(p, one), shift);
  let sum = a;
  let squares = f64x2.mul(a, a);
  if (four) {
    const b = f64x2.sub(pair(p + step, one), shift);
    const c = f64x2.sub(pair(p + 2 * step, one), shift);
    const d = f64x2.sub(pair(p + 3 * step, one), shift);
    sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
    squares = f64x2.add(f64x2.add(squares, f64x2.mul(b, b)), f64x2.add(f64x2.mul(c, c), f64x2.mul(d, d)));
  }
  addTo(to, sum, one);
  addTo(to + 2 * step, squares, one);
}

/**
 * Mean and biased variance of each column over `count` values, from its sums in so many blocks: those of `columnMoments`, or of
 * `planeMoments`. The first values of columns stand `step` apart in x. `begin`, `end` count pairs of columns.
 */
export function batchStatistics(
  begin: i32, end: i32, mean: usize, variance: usize, sums: usize, x: usize, blocks: i32, count: i32, width: i32, step: i32,
): void {
  const n = f64x2.splat(<f64>count);
  for (let unit = begin; unit < end; unit++) {
    const at = <usize>unit << 3;
    const d = f64x2.div(total(sums + 2 * at, blocks, width), n);
    const squares = f64x2.div(total(sums + 2 * at + (<usize>width << 3), blocks, width), n);
    const column = 2 * unit;
    const a = <f64>load<f32>(x + (<usize>column * step << 2));
    const b = <f64>load<f32>(x + (<usize>min(column + 1, width - 1) * step << 2));
    writePair(mean + at, f64x2.add(f64x2.replace_lane(f64x2.splat(a), 1, b), d));
    writePair(variance + at, f64x2.max(f64x2.sub(squares, f64x2.mul(d, d)), f64x2.splat(0)));
  }
}

/** One of the two sums of a pair of columns, over all blocks. */
// @ts-ignore: decorator
@inline
function total(p: usize, blocks: i32, width: i32): v128 {
  let sum = f64x2.splat(0);
  for (let k = 0; k < blocks; k++, p += <usize>width << 4) sum = f64x2.add(sum, v128.load(p));
  return sum;
}

/** Two f64 to floats. A vector of an odd number of columns has room for one more: every buffer is padded. */
// @ts-ignore: decorator
@inline
function writePair(p: usize, v: v128): void {
  v128.store64_lane(p, f32x4.demote_f64x2_zero(v), 0);
}

/** y = max(floor, (x − mean)·scale + b), scale = w/√(variance + ε); a floor of −∞ leaves all as it is. `begin`, `end` count rows. */
export function batchNorm(
  begin: i32, end: i32, y: usize, x: usize, mean: usize, scale: usize, b: usize, width: i32, floor: f32,
): void {
  const bytes = <usize>width << 2;
  const whole = bytes & ~15;
  const least = f32x4.splat(floor);
  for (let at = <usize>begin * bytes, last = <usize>end * bytes; at < last; at += bytes) {
    let i: usize = 0;
    for (; i < whole; i += 16) normalise(y + at + i, x + at + i, mean + i, scale + i, b + i, least, false);
    for (; i < bytes; i += 4) normalise(y + at + i, x + at + i, mean + i, scale + i, b + i, least, true);
  }
}

// @ts-ignore: decorator
@inline
function normalise(y: usize, x: usize, mean: usize, scale: usize, b: usize, least: v128, one: bool): void {
  write(y, f32x4.max(fma(f32x4.sub(read(x, one), read(mean, one)), read(scale, one), read(b, one)), least), one);
}

/**
 * Σ g and Σ g ⊙ (x − mean) down the columns of each block of 256 rows: g, x [rows, width] → f64 sums [⌈rows/256⌉, 2, width].
 * `begin`, `end` count (block, 256 columns).
 */
export function columnGradients(
  begin: i32, end: i32, sums: usize, g: usize, x: usize, mean: usize, rows: i32, width: i32,
): void {
  const step = <usize>width << 2;
  const strips = (width + COLUMNS - 1) / COLUMNS;
  for (let unit = begin; unit < end; unit++) {
    const b = unit / strips;
    const c = (unit % strips) * COLUMNS;
    const at = <usize>c << 2;
    const bytes = <usize>min(COLUMNS, width - c) << 2;
    const to = sums + ((<usize>(2 * b) * width + c) << 3);
    memory.fill(to, 0, bytes << 1);
    memory.fill(to + 2 * step, 0, bytes << 1);
    const count = min(ROWS, rows - b * ROWS);
    let r = 0;
    let p = <usize>(b * ROWS) * step + at;
    for (; r + 4 <= count; r += 4, p += 4 * step) addGradients(to, g + p, x + p, mean + at, step, bytes, true);
    for (; r < count; r++, p += step) addGradients(to, g + p, x + p, mean + at, step, bytes, false);
  }
}

// @ts-ignore: decorator
@inline
function addGradients(to: usize, g: usize, x: usize, mean: usize, step: usize, bytes: usize, four: bool): void {
  const whole = bytes & ~15;
  let i: usize = 0;
  for (; i < whole; i += 16) addGradient(to + 2 * i, g + i, x + i, mean + i, step, four, false);
  for (; i < bytes; i += 4) addGradient(to + 2 * i, g + i, x + i, mean + i, step, four, true);
}

// @ts-ignore: decorator
@inline
function addGradient(to: usize, g: usize, x: usize, mean: usize, step: usize, four: bool, one: bool): void {
  const mu = read(mean, one);
  let sum = read(g, one);
  let dot = f32x4.mul(sum, f32x4.sub(read(x, one), mu));
  if (four) {
    const b = read(g + step, one);
    const c = read(g + 2 * step, one);
    const d = read(g + 3 * step, one);
    sum = f32x4.add(f32x4.add(sum, b), f32x4.add(c, d));
    const ab = fma(b, f32x4.sub(read(x + step, one), mu), dot);
    const c4 = f32x4.mul(c, f32x4.sub(read(x + 2 * step, one), mu));
    dot = f32x4.add(ab, fma(d, f32x4.sub(read(x + 3 * step, one), mu), c4));
  }
  addTo(to, f64x2.promote_low_f32x4(sum), one);
  addTo(to + 2 * step, f64x2.promote_low_f32x4(dot), one);
  if (one) return;
  addTo(to + 16, high(sum), false);
  addTo(to + 2 * step + 16, high(dot), false);
}

/** Lanes 2 and 3 as f64. */
// @ts-ignore: decorator
@inline
function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
}

/**
 * From the sums of `columnGradients`, or of `planeGradients`, over `count` values in so many blocks: dw = Σ g ⊙ x̂ and db = Σ g, and
 * for the gradient of x the means m = mean(g) and slope = rstd·mean(g ⊙ x̂). `begin`, `end` count pairs of columns.
 */
export function batchGradients(
  begin: i32, end: i32, dw: usize, db: usize, m: usize, slope: usize, sums: usize, variance: usize,
  blocks: i32, count: i32, width: i32, eps: f64,
): void {
  const n = f64x2.splat(<f64>count);
  for (let unit = begin; unit < end; unit++) {
    const at = <usize>unit << 3;
    const sum = total(sums + 2 * at, blocks, width);
    const dot = total(sums + 2 * at + (<usize>width << 3), blocks, width);
    const rstd = f64x2.div(f64x2.splat(1), f64x2.sqrt(f64x2.add(pair(variance + at), f64x2.splat(eps))));
    const gradient = f64x2.mul(dot, rstd);
    writePair(dw + at, gradient);
    writePair(db + at, sum);
    writePair(m + at, f64x2.div(sum, n));
    writePair(slope + at, f64x2.div(f64x2.mul(gradient, rstd), n));
  }
}

/** Batch norm's gradient for x: d = scale·(g − m − (x − mean)·slope). `begin`, `end` count rows. */
export function batchNormGrad(
  begin: i32, end: i32, d: usize, g: usize, x: usize, mean: usize, scale: usize, m: usize, slope: usize, width: i32,
): void {
  const bytes = <usize>width << 2;
  const whole = bytes & ~15;
  for (let at = <usize>begin * bytes, last = <usize>end * bytes; at < last; at += bytes) {
    let i: usize = 0;
    for (; i < whole; i += 16) denormalise(d + at + i, g + at + i, x + at + i, mean + i, scale + i, m + i, slope + i, false);
    for (; i < bytes; i += 4) denormalise(d + at + i, g + at + i, x + at + i, mean + i, scale + i, m + i, slope + i, true);
  }
}

// @ts-ignore: decorator
@inline
function denormalise(d: usize, g: usize, x: usize, mean: usize, scale: usize, m: usize, slope: usize, one: bool): void {
  const v = f32x4.sub(read(x, one), read(mean, one));
  write(d, f32x4.mul(read(scale, one), fnma(v, read(slope, one), f32x4.sub(read(g, one), read(m, one)))), one);
}
