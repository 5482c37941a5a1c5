/**
 * Random numbers without state: element i is word i mod 4 of block counter + ⌊i/4⌋ of Philox4x32-10, so any chunk
 * can be filled by any thread. Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 * `begin`, `end` count elements; begin is a multiple of 16, and whole groups of 16 are written, past `end` into the
 * pad.
 */
import { log4, sinQuarter4 } from "./math";
import { fma } from "./simd";

const enum Kind {
  Uniform,
  Normal,
  Bernoulli,
}

/** The upper halves of two pairs of 64-bit products … */
// @ts-ignore: decorator
@inline
function upper(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

/** … and the lower ones. */
// @ts-ignore: decorator
@inline
function lower(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
}

/** Sixteen elements at a time: four Philox blocks side by side, transposed into memory order. */
// @ts-ignore: decorator
@inline
function fill(
  kind: Kind, begin: i32, end: i32, y: usize,
  keyLo: i32, keyHi: i32, counterLo: i32, counterHi: i32, keep: v128, scale: v128,
): void {
  const counter = (<u64>(<u32>counterHi) << 32) | (<u64>(<u32>counterLo));
  for (let i = begin; i < end; i += 16) {
    const block = counter + <u64>(i >> 2);
    const base = i32x4.splat(<i32>block);
    let c0 = i32x4.add(base, i32x4(0, 1, 2, 3));
    // A lane that wrapped is below its base: its mask, −1, is the carry.
    let c1 = i32x4.sub(i32x4.splat(<i32>(block >> 32)), i32x4.lt_u(c0, base));
    let c2 = i32x4.splat(0);
    let c3 = i32x4.splat(0);
    let k0 = i32x4.splat(keyLo);
    let k1 = i32x4.splat(keyHi);
    let round = 0;
    do {
      const a0 = i64x2.extmul_low_i32x4_u(c0, i32x4.splat(0xd2511f53));
      const a1 = i64x2.extmul_high_i32x4_u(c0, i32x4.splat(0xd2511f53));
      const b0 = i64x2.extmul_low_i32x4_u(c2, i32x4.splat(0xcd9e8d57));
      const b1 = i64x2.extmul_high_i32x4_u(c2, i32x4.splat(0xcd9e8d57));
      c0 = v128.xor(v128.xor(upper(b0, b1), c1), k0);
      c2 = v128.xor(v128.xor(upper(a0, a1), c3), k1);
      c1 = lower(b0, b1);
      c3 = lower(a0, a1);
      k0 = i32x4.add(k0, i32x4.splat(0x9e3779b9));
      k1 = i32x4.add(k1, i32x4.splat(0xbb67ae85));
    } while (++round < 10);
    if (kind == Kind.Normal) {
      const r0 = radius(c0);
      const r1 = radius(c2);
      const a0 = angle(c1);
      const a1 = angle(c3);
      const q0 = quarter(c1);
      const q1 = quarter(c3);
      c0 = f32x4.mul(r0, sinQuarter4(a0, i32x4.add(q0, i32x4.splat(1))));
      c1 = f32x4.mul(r0, sinQuarter4(a0, q0));
      c2 = f32x4.mul(r1, sinQuarter4(a1, i32x4.add(q1, i32x4.splat(1))));
      c3 = f32x4.mul(r1, sinQuarter4(a1, q1));
    } else {
      c0 = unit(c0);
      c1 = unit(c1);
      c2 = unit(c2);
      c3 = unit(c3);
      if (kind == Kind.Bernoulli) {
        c0 = v128.and(f32x4.lt(c0, keep), scale);
        c1 = v128.and(f32x4.lt(c1, keep), scale);
        c2 = v128.and(f32x4.lt(c2, keep), scale);
        c3 = v128.and(f32x4.lt(c3, keep), scale);
      }
    }
    const low01 = i8x16.shuffle(c0, c1, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const low23 = i8x16.shuffle(c2, c3, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const high01 = i8x16.shuffle(c0, c1, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    const high23 = i8x16.shuffle(c2, c3, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    const to = y + (<usize>i << 2);
    v128.store(to, i8x16.shuffle(low01, low23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), 0);
    v128.store(to, i8x16.shuffle(low01, low23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 16);
    v128.store(to, i8x16.shuffle(high01, high23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), 32);
    v128.store(to, i8x16.shuffle(high01, high23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 48);
  }
}

/** The upper 24 bits as a fraction in [0, 1). */
// @ts-ignore: decorator
@inline
function unit(word: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(word, 8)), f32x4.splat(5.9604645e-8));
}

/** √(−2 ln u), u = (word + 1)/2³² in (0, 1]. */
// @ts-ignore: decorator
@inline
function radius(word: v128): v128 {
  const u = fma(f32x4.convert_i32x4_u(word), f32x4.splat(2.3283064e-10), f32x4.splat(2.3283064e-10));
  return f32x4.sqrt(f32x4.mul(f32x4.splat(-2), log4(u)));
}

/** The angle word/2³² turns: its nearest quarter turn … */
// @ts-ignore: decorator
@inline
function quarter(word: v128): v128 {
  return i32x4.shr_u(i32x4.add(word, i32x4.splat(1 << 29)), 30);
}

/** … and the rest in radians, |r| ≤ π/4. */
// @ts-ignore: decorator
@inline
function angle(word: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(word, i32x4.shl(quarter(word), 30))), f32x4.splat(1.46291807927e-9));
}

/** y ∈ [0, 1), multiples of 2⁻²⁴. */
export function uniform(begin: i32, end: i32, y: usize, keyLo: i32, keyHi: i32, counterLo: i32, counterHi: i32): void {
  fill(Kind.Uniform, begin, end, y, keyLo, keyHi, counterLo, counterHi, f32x4.splat(0), f32x4.splat(0));
}

/** y ~ N(0, 1) by Box & Muller: words 0, 1 of a block give elements 0, 1, words 2, 3 give 2, 3. |y| ≤ 6.66. */
export function normal(begin: i32, end: i32, y: usize, keyLo: i32, keyHi: i32, counterLo: i32, counterHi: i32): void {
  fill(Kind.Normal, begin, end, y, keyLo, keyHi, counterLo, counterHi, f32x4.splat(0), f32x4.splat(0));
}

/** y = scale with probability `keep`, else 0: dropout's mask. */
export function bernoulliMask(
  begin: i32, end: i32, y: usize, keyLo: i32, keyHi: i32, counterLo: i32, counterHi: i32, keep: f32, scale: f32,
): void {
  fill(Kind.Bernoulli, begin, end, y, keyLo, keyHi, counterLo, counterHi, f32x4.splat(keep), f32x4.splat(scale));
}
