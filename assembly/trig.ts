/** Sine and cosine of four f32 lanes, right for every finite x. */
import { fma, fnma, select } from "./simd";

/** 1.5·2⁵²: a sum with it is rounded to an integer, which stands in its low bits. */
const ROUND: f64 = 6755399441055744;
/** π/2 in two parts; the first has 27 bits, so its product with a count of up to 26 bits is exact. */
const PIO2_HI: f64 = 1.570796325802803;
const PIO2_LO: f64 = 9.920935796805404e-10;

/** sin x, x in radians. Error ≤ 1.6 ulp, relaxed ≤ 1.6. */
// @ts-ignore: decorator
@inline
export function sin4(x: v128): v128 {
  return v128.xor(sinShifted(f32x4.abs(x), 0), v128.and(x, f32x4.splat(-0.0)));
}

/** cos x, x in radians. Error ≤ 1.6 ulp, relaxed ≤ 1.6. */
// @ts-ignore: decorator
@inline
export function cos4(x: v128): v128 {
  return sinShifted(f32x4.abs(x), 1);
}

/** sin(r + n·π/2) for |r| ≤ π/4 and integers n. */
// @ts-ignore: decorator
@inline
export function sinQuarter4(r: v128, n: v128): v128 {
  const z = f32x4.mul(r, r);
  let s = fma(z, f32x4.splat(-0.00019518286), f32x4.splat(0.008332189));
  s = fma(z, s, f32x4.splat(-0.16666655));
  s = fma(f32x4.mul(z, r), s, r);
  let c = fma(z, f32x4.splat(2.4432564e-5), f32x4.splat(-0.0013887311));
  c = fma(z, c, f32x4.splat(0.041666646));
  c = fma(f32x4.mul(z, z), c, fnma(f32x4.splat(0.5), z, f32x4.splat(1)));
  const odd = i32x4.shr_s(i32x4.shl(n, 31), 31);
  return v128.xor(select(odd, c, s), i32x4.shl(v128.and(n, i32x4.splat(2)), 30));
}

/** sin(a + shift·π/2) for a ≥ 0: a minus the nearest multiple of π/2 in f64, and for a ≥ 2²³ in fixed point. */
// @ts-ignore: decorator
@inline
function sinShifted(a: v128, shift: i32): v128 {
  const a0 = f64x2.promote_low_f32x4(a);
  const a1 = f64x2.promote_low_f32x4(i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  const t0 = nearestQuarter(a0);
  const t1 = nearestQuarter(a1);
  let r = join(minusQuarters(a0, t0), minusQuarters(a1, t1));
  let n = i8x16.shuffle(t0, t1, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
  const small = f32x4.lt(a, f32x4.splat(8388608));
  if (!i32x4.all_true(small)) {
    const u0 = turns(f32x4.extract_lane(a, 0));
    const u1 = turns(f32x4.extract_lane(a, 1));
    const u2 = turns(f32x4.extract_lane(a, 2));
    const u3 = turns(f32x4.extract_lane(a, 3));
    const finite = f32x4.lt(a, f32x4.splat(Infinity));
    r = select(small, r, v128.or(join(radians(u0, u1), radians(u2, u3)), v128.not(finite)));
    const q = i32x4.replace_lane(i32x4.splat(quarters(u0)), 1, quarters(u1));
    n = select(small, n, i32x4.replace_lane(i32x4.replace_lane(q, 2, quarters(u2)), 3, quarters(u3)));
  }
  return sinQuarter4(r, i32x4.add(n, i32x4.splat(shift)));
}

/** The number of quarter turns nearest to two f64 angles, in the low bits of each lane. */
// @ts-ignore: decorator
@inline
function nearestQuarter(a: v128): v128 {
  return f64x2.add(f64x2.mul(a, f64x2.splat(0.6366197723675814)), f64x2.splat(ROUND));
}

// @ts-ignore: decorator
@inline
function minusQuarters(a: v128, t: v128): v128 {
  const n = f64x2.sub(t, f64x2.splat(ROUND));
  return f64x2.sub(f64x2.sub(a, f64x2.mul(n, f64x2.splat(PIO2_HI))), f64x2.mul(n, f64x2.splat(PIO2_LO)));
}

/** Four f32 lanes from two pairs of f64. */
// @ts-ignore: decorator
@inline
export function join(a: v128, b: v128): v128 {
  const low = f32x4.demote_f64x2_zero(a);
  const high = f32x4.demote_f64x2_zero(b);
  return i8x16.shuffle(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
}

/**
 * a/(2π) modulo 1 in units of 2⁻⁶⁴, for finite a ≥ 2²³. Bits of 1/(2π) that only give whole turns are left out.
 * Payne, Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 18 (1983).
 */
function turns(a: f32): u64 {
  const bits = reinterpret<u32>(a);
  const mantissa = <u64>((bits & 0x7fffff) | 0x800000);
  const shift = max(<i32>(bits >> 23) - 150, 0);
  const k = shift >> 5;
  const w0 = turnBits(k, shift);
  const w1 = turnBits(k + 1, shift);
  const w2 = turnBits(k + 2, shift);
  return ((mantissa * w0) << 32) + mantissa * w1 + ((mantissa * w2) >> 32);
}

/** 32 bits of 1/(2π), from bit 32k + (shift mod 32) after the point. */
// @ts-ignore: decorator
@inline
function turnBits(k: i32, shift: i32): u64 {
  return (((turnWord(k) << 32) | turnWord(k + 1)) << (shift & 31)) >> 32;
}

/** 1/(2π) in words of 32 bits; a switch, because a table would need a data segment. */
function turnWord(k: i32): u64 {
  switch (k) {
    case 0:
      return 0x28be60db;
    case 1:
      return 0x9391054a;
    case 2:
      return 0x7f09d5f4;
    case 3:
      return 0x7d4d3770;
    case 4:
      return 0x36d8a566;
    case 5:
      return 0x4f10e410;
    default:
      return 0x7f9458ea;
  }
}

/** Two angles in units of 2⁻⁶⁴ turns, minus their nearest quarter turns, in radians. */
// @ts-ignore: decorator
@inline
function radians(a: u64, b: u64): v128 {
  const pair = f64x2.replace_lane(f64x2.splat(<f64>(<i64>(a << 2))), 1, <f64>(<i64>(b << 2)));
  return f64x2.mul(pair, f64x2.splat(8.515303950216386e-20));
}

/** The quarter turn nearest to an angle in units of 2⁻⁶⁴ turns. */
// @ts-ignore: decorator
@inline
function quarters(turn: u64): i32 {
  return <i32>((turn + (1 << 61)) >> 62);
}
