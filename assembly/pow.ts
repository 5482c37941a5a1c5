/** Powers of four f32 lanes, computed in pairs of f64. */
import { join } from "./trig";
import { select } from "./simd";

/** 1.5·2⁵² + 1023: the low bits of a sum with it are an f64's exponent field. */
const ROUND: f64 = 6755399441055744 + 1023;

/** xʸ by the rules of Math.pow: x⁰ = 1, (±1)^(±∞) = NaN, x < 0 takes integers y. Error ≤ 0.51 ulp, relaxed ≤ 0.51. */
// @ts-ignore: decorator
@inline
export function pow4(x: v128, y: v128): v128 {
  const a = f32x4.abs(x);
  const denormal = f32x4.lt(a, f32x4.splat(1.1754944e-38));
  const b = select(denormal, f32x4.mul(a, f32x4.splat(8388608)), a);
  // b = 2ᵉ·m with √½ ≤ m < √2; the exponent k of 0, ∞ and NaN is −∞, ∞ and NaN.
  const e = i32x4.shr_s(i32x4.sub(b, i32x4.splat(0x3f3504f3)), 23);
  const m = i32x4.sub(b, i32x4.shl(e, 23));
  let k = f32x4.sub(f32x4.convert_i32x4_s(e), v128.and(denormal, f32x4.splat(23)));
  k = select(f32x4.eq(a, f32x4.splat(0)), f32x4.splat(-Infinity), k);
  k = select(f32x4.lt(a, f32x4.splat(Infinity)), k, a);
  const low = power(lowPair(m), lowPair(k), lowPair(y));
  const high = power(highPair(m), highPair(k), highPair(y));
  const half = f32x4.mul(y, f32x4.splat(0.5));
  const whole = f32x4.eq(f32x4.trunc(y), y);
  const odd = v128.andnot(whole, f32x4.eq(f32x4.trunc(half), half));
  let r = v128.xor(join(low, high), v128.and(v128.and(odd, x), f32x4.splat(-0.0)));
  const root = v128.andnot(v128.and(f32x4.lt(x, f32x4.splat(0)), f32x4.gt(x, f32x4.splat(-Infinity))), whole);
  r = v128.or(r, root);
  return select(f32x4.eq(y, f32x4.splat(0)), f32x4.splat(1), r);
}

// @ts-ignore: decorator
@inline
function lowPair(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

// @ts-ignore: decorator
@inline
function highPair(v: v128): v128 {
  return f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
}

/** (2ᵏ·m)ʸ = 2^(y(k + log₂ m)) of two f64 lanes, √½ ≤ m < √2. */
// @ts-ignore: decorator
@inline
function power(m: v128, k: v128, y: v128): v128 {
  const s = f64x2.div(f64x2.sub(m, f64x2.splat(1)), f64x2.add(m, f64x2.splat(1)));
  const z = f64x2.mul(s, s);
  let p = step(z, f64x2.splat(0.28301713486252705), 0.3198979539907928);
  p = step(z, p, 0.41220942917104686);
  p = step(z, p, 0.5770779407501546);
  p = step(z, p, 0.9617966941183337);
  p = step(z, p, 2.885390081777848);
  const log = f64x2.add(k, f64x2.mul(s, p));
  const x = f64x2.pmin(f64x2.pmax(f64x2.mul(y, log), f64x2.splat(-160)), f64x2.splat(160));
  const t = f64x2.add(x, f64x2.splat(ROUND));
  const r = f64x2.sub(x, f64x2.sub(t, f64x2.splat(ROUND)));
  let q = step(r, f64x2.splat(1.5201897923797879e-5), 0.00015469317284844003);
  q = step(r, q, 0.001333392286928251);
  q = step(r, q, 0.009618027172848832);
  q = step(r, q, 0.05550410352815707);
  q = step(r, q, 0.24022651198753744);
  q = step(r, q, 0.6931471807287208);
  q = step(r, q, 0.9999999999616215);
  return f64x2.mul(q, i64x2.shl(t, 52));
}

/** One step of Horner's rule. */
// @ts-ignore: decorator
@inline
function step(x: v128, p: v128, c: f64): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(x, p, f64x2.splat(c));
  return f64x2.add(f64x2.mul(x, p), f64x2.splat(c));
}
