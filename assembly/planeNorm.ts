/**
 * Batch norm of x [batch, channels, size]: each channel normalised over batch and plane. The kernels of batchNorm.ts, whose
 * `batchStatistics` and `batchGradients` serve here too, with one block of sums for each image of the batch.
 */
import { fma, fnma } from "./simd";

/** Two floats as f64. */
// @ts-ignore: decorator
@inline
function pair(p: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(p));
}

// @ts-ignore: decorator
@inline
function both(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** Lanes 0 + 2 and 1 + 3, as f64. */
// @ts-ignore: decorator
@inline
function halves(v: v128): v128 {
  const high = i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  return f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(high));
}

/**
 * Over each plane Σ (x − x₀) and Σ (x − x₀)², x₀ the channel's first element of all: f64 sums [batch, 2, channels].
 * `begin`, `end` count planes.
 */
export function planeMoments(begin: i32, end: i32, sums: usize, x: usize, channels: i32, size: i32): void {
  const bytes = <usize>size << 2;
  for (let p = begin; p < end; p++) {
    const c = p % channels;
    const first = <f64>load<f32>(x + <usize>c * bytes);
    const shift = f64x2.splat(first);
    let s0 = f64x2.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let q0 = s0;
    let q1 = s0;
    let q2 = s0;
    let q3 = s0;
    let at = x + <usize>p * bytes;
    let i = 0;
    for (; i + 8 <= size; i += 8, at += 32) {
      const a = f64x2.sub(pair(at), shift);
      const b = f64x2.sub(pair(at + 8), shift);
      const d = f64x2.sub(pair(at + 16), shift);
      const e = f64x2.sub(pair(at + 24), shift);
      s0 = f64x2.add(s0, a);
      s1 = f64x2.add(s1, b);
      s2 = f64x2.add(s2, d);
      s3 = f64x2.add(s3, e);
      q0 = f64x2.add(q0, f64x2.mul(a, a));
      q1 = f64x2.add(q1, f64x2.mul(b, b));
      q2 = f64x2.add(q2, f64x2.mul(d, d));
      q3 = f64x2.add(q3, f64x2.mul(e, e));
    }
    let sum = both(f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3)));
    let squares = both(f64x2.add(f64x2.add(q0, q1), f64x2.add(q2, q3)));
    for (; i < size; i++, at += 4) {
      const d = <f64>load<f32>(at) - first;
      sum += d;
      squares += d * d;
    }
    write(sums, p, c, channels, sum, squares);
  }
}

/** The two sums of plane p, of channel c, to their places. */
// @ts-ignore: decorator
@inline
function write(sums: usize, p: i32, c: i32, channels: i32, first: f64, second: f64): void {
  const to = sums + (<usize>(2 * p - c) << 3);
  store<f64>(to, first);
  store<f64>(to + (<usize>channels << 3), second);
}

/** y = max(floor, (x − mean)·scale + b) on each plane; a floor of −∞ leaves all as it is. `begin`, `end` count planes. */
export function planeNorm(
  begin: i32, end: i32, y: usize, x: usize, mean: usize, scale: usize, b: usize, channels: i32, size: i32, floor: f32,
): void {
  const bytes = <usize>size << 2;
  const whole = bytes & ~15;
  const least = f32x4.splat(floor);
  for (let p = begin; p < end; p++) {
    const c = <usize>(p % channels) << 2;
    const mu = v128.load32_splat(mean + c);
    const s = v128.load32_splat(scale + c);
    const shift = v128.load32_splat(b + c);
    const at = <usize>p * bytes;
    let i: usize = 0;
    for (; i < whole; i += 16)
      v128.store(y + at + i, f32x4.max(fma(f32x4.sub(v128.load(x + at + i), mu), s, shift), least));
    for (; i < bytes; i += 4)
      v128.store32_lane(y + at + i, f32x4.max(fma(f32x4.sub(v128.load32_zero(x + at + i), mu), s, shift), least), 0);
  }
}

/** g where y = v·scale + b, of v = x − mean, is above the floor: the rectifier's mask, computed again rather than read. */
// @ts-ignore: decorator
@inline
function masked(g: v128, v: v128, s: v128, shift: v128, least: v128): v128 {
  return v128.and(g, f32x4.gt(fma(v, s, shift), least));
}

/**
 * Over each plane Σ g and Σ g ⊙ (x − mean), where y of `planeNorm` is above the floor (rectified) or everywhere: f64 sums
 * [batch, 2, channels]. `begin`, `end` count planes.
 */
export function planeGradients(
  begin: i32, end: i32, sums: usize, g: usize, x: usize, mean: usize, scale: usize, b: usize, rectified: i32, channels: i32, size: i32,
): void {
  for (let p = begin; p < end; p++) {
    if (rectified) addPlane(sums, g, x, mean, scale, b, p, channels, size, true);
    else addPlane(sums, g, x, mean, scale, b, p, channels, size, false);
  }
}

// @ts-ignore: decorator
@inline
function addPlane(
  sums: usize, g: usize, x: usize, mean: usize, scale: usize, b: usize, p: i32, channels: i32, size: i32, rectified: bool,
): void {
  const c = p % channels;
  const own = <usize>c << 2;
  const mu = v128.load32_splat(mean + own);
  const s = v128.load32_splat(scale + own);
  const shift = v128.load32_splat(b + own);
  const zero = f32x4.splat(0);
  const start = <usize>p * size << 2;
  g += start;
  x += start;
  let sum = f64x2.splat(0);
  let dot = sum;
  let i = 0;
  // Sixteen products are added up in f32, everything beyond in f64.
  for (; i + 16 <= size; i += 16, g += 64, x += 64) {
    let total = zero;
    let product = zero;
    for (let k: usize = 0; k < 64; k += 16) {
      const v = f32x4.sub(v128.load(x + k), mu);
      const gk = rectified ? masked(v128.load(g + k), v, s, shift, zero) : v128.load(g + k);
      total = f32x4.add(total, gk);
      product = fma(gk, v, product);
    }
    sum = f64x2.add(sum, halves(total));
    dot = f64x2.add(dot, halves(product));
  }
  for (; i + 4 <= size; i += 4, g += 16, x += 16) {
    const v = f32x4.sub(v128.load(x), mu);
    const gk = rectified ? masked(v128.load(g), v, s, shift, zero) : v128.load(g);
    sum = f64x2.add(sum, halves(gk));
    dot = f64x2.add(dot, halves(f32x4.mul(gk, v)));
  }
  for (; i < size; i++, g += 4, x += 4) {
    const v = f32x4.sub(v128.load32_zero(x), mu);
    const gk = rectified ? masked(v128.load32_zero(g), v, s, shift, zero) : v128.load32_zero(g);
    sum = f64x2.add(sum, halves(gk));
    dot = f64x2.add(dot, halves(f32x4.mul(gk, v)));
  }
  write(sums, p, c, channels, both(sum), both(dot));
}

/** The gradient for x, d = scale·(g − m − (x − mean)·slope), g masked as in `planeGradients`. `begin`, `end` count planes. */
export function planeNormGrad(
  begin: i32, end: i32, d: usize, g: usize, x: usize, mean: usize, scale: usize, b: usize, m: usize, slope: usize,
  rectified: i32, channels: i32, size: i32,
): void {
  const bytes = <usize>size << 2;
  const whole = bytes & ~15;
  // Without a rectifier, everything but NaN exceeds the floor −∞; NaN makes the whole channel's gradient NaN anyway.
  const least = f32x4.splat(rectified ? 0 : -<f32>Infinity);
  for (let p = begin; p < end; p++) {
    const c = <usize>(p % channels) << 2;
    const mu = v128.load32_splat(mean + c);
    const s = v128.load32_splat(scale + c);
    const shift = v128.load32_splat(b + c);
    const mg = v128.load32_splat(m + c);
    const k = v128.load32_splat(slope + c);
    const at = <usize>p * bytes;
    let i: usize = 0;
    for (; i < whole; i += 16) {
      const v = f32x4.sub(v128.load(x + at + i), mu);
      const gi = masked(v128.load(g + at + i), v, s, shift, least);
      v128.store(d + at + i, f32x4.mul(s, fnma(v, k, f32x4.sub(gi, mg))));
    }
    for (; i < bytes; i += 4) {
      const v = f32x4.sub(v128.load32_zero(x + at + i), mu);
      const gi = masked(v128.load32_zero(g + at + i), v, s, shift, least);
      v128.store32_lane(d + at + i, f32x4.mul(s, fnma(v, k, f32x4.sub(gi, mg))), 0);
    }
  }
}
