/**
 * Elementary functions of four f32 lanes, v128 → v128: minimax polynomials after an exact range reduction, no tables.
 * Each docstring states the worst error in units in the last place, plain build / relaxed build, over the sweep of
 * test/kernels/math.test.ts. NaN, ±∞, ±0 and denormals give what Math.* gives.
 */
import { fma, fnma, select } from "./simd";

/** 1.5·2²³: adding it leaves the nearest integer in the low bits of the sum. */
const ROUND: f32 = 12582912.0;
const LOG2E: f32 = 1.44269504;
/** ln 2 in two parts; the first has 9 bits, so its product with an exponent is exact. */
const LN2_HI: f32 = 0.693359375;
const LN2_LO: f32 = -0.00021219444;

// @ts-ignore: decorator
@inline
function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** (eʳ − 1 − r)/r² for |r| ≤ ½ ln 2. */
// @ts-ignore: decorator
@inline
function expTail(r: v128): v128 {
  let p = fma(r, splat(0.00019764414), splat(0.0013932381));
  p = fma(r, p, splat(0.008333543));
  p = fma(r, p, splat(0.041666493));
  p = fma(r, p, splat(0.16666666));
  return fma(r, p, splat(0.5));
}

/** eˣ. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, splat(-104.0)), splat(89.0));
  // The low bits of t are n + 126, so that t << 23 is 2ⁿ⁻¹. Negative n: 2ⁿ⁺⁶⁴ · 2⁻⁶⁴, to underflow gradually.
  const t = fma(x, splat(LOG2E), splat(ROUND + 126.0));
  const n = f32x4.sub(t, splat(ROUND + 126.0));
  const r = fnma(n, splat(LN2_LO), fnma(n, splat(LN2_HI), x));
  const p = f32x4.add(splat(1.0), fma(f32x4.mul(r, r), expTail(r), r));
  const down = v128.and(i32x4.shr_s(x, 31), i32x4.splat(65 << 23));
  const scale = i32x4.add(i32x4.shl(t, 23), down);
  return f32x4.mul(f32x4.mul(p, scale), i32x4.sub(i32x4.splat(128 << 23), down));
}

/** eˣ for x ≤ 0. */
// @ts-ignore: decorator
@inline
function expNegative4(x: v128): v128 {
  x = f32x4.pmax(x, splat(-104.0));
  const t = fma(x, splat(LOG2E), splat(ROUND + 191.0));
  const n = f32x4.sub(t, splat(ROUND + 191.0));
  const r = fnma(n, splat(LN2_LO), fnma(n, splat(LN2_HI), x));
  const p = f32x4.add(splat(1.0), fma(f32x4.mul(r, r), expTail(r), r));
  return f32x4.mul(f32x4.mul(p, i32x4.shl(t, 23)), i32x4.splat(63 << 23));
}

/** eˣ − 1. */
// @ts-ignore: decorator
@inline
export function expm14(x: v128): v128 {
  const y = f32x4.pmin(f32x4.pmax(x, splat(-18.0)), splat(89.0));
  const t = fma(y, splat(LOG2E), splat(ROUND + 126.0));
  const n = f32x4.sub(t, splat(ROUND + 126.0));
  const high = fnma(n, splat(LN2_HI), y);
  const low = f32x4.mul(n, splat(LN2_LO));
  const r = f32x4.sub(high, low);
  const c = f32x4.sub(f32x4.sub(high, r), low);
  const q = f32x4.add(r, fma(f32x4.mul(r, r), expTail(r), c));
  // Halved until the end: 2¹²⁸ is not an f32.
  const half = i32x4.shl(t, 23);
  const z = fma(half, q, f32x4.sub(half, splat(0.5)));
  return select(f32x4.lt(f32x4.abs(x), splat(5.9604645e-8)), x, f32x4.add(z, z));
}

/** tanh x = −w/(2 + w) with w = e^(−2|x|) − 1. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), splat(10.0));
  const t = fma(a, splat(-2.0 * LOG2E), splat(ROUND + 127.0));
  const n = f32x4.sub(t, splat(ROUND + 127.0));
  const r = fnma(n, splat(LN2_LO), fnma(n, splat(LN2_HI), f32x4.mul(a, splat(-2.0))));
  const q = fma(f32x4.mul(r, r), expTail(r), r);
  const scale = i32x4.shl(t, 23);
  const w = fma(scale, q, f32x4.sub(scale, splat(1.0)));
  const y = f32x4.div(w, f32x4.add(splat(2.0), w));
  return v128.or(f32x4.abs(y), v128.and(x, splat(-0.0)));
}

/** σ(x) = 1/(1 + e⁻ˣ), from e^(−|x|), which cannot overflow. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const z = expNegative4(v128.or(x, splat(-0.0)));
  const top = select(i32x4.shr_s(x, 31), z, splat(1.0));
  return f32x4.div(top, f32x4.add(splat(1.0), z));
}

/** log(1 + f)·1 + k ln 2 = f − s(f − R) + k ln 2 with s = f/(2 + f). */
// @ts-ignore: decorator
@inline
function logOf(f: v128, k: v128): v128 {
  const s = f32x4.div(f, f32x4.add(splat(2.0), f));
  const z = f32x4.mul(s, s);
  let p = fma(z, splat(0.2427717), splat(0.28498828));
  p = fma(z, p, splat(0.40000972));
  p = fma(z, p, splat(0.6666666));
  const h = f32x4.mul(splat(0.5), f32x4.mul(f, f));
  const tail = fma(s, fma(z, p, h), f32x4.mul(k, splat(LN2_LO)));
  return fma(k, splat(LN2_HI), f32x4.sub(f, f32x4.sub(h, tail)));
}

/** ln x. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const denormal = f32x4.lt(x, splat(1.1754944e-38));
  const y = select(denormal, f32x4.mul(x, splat(8388608.0)), x);
  // y = 2ᵏ·m with m in [√½, √2).
  const e = i32x4.shr_s(i32x4.sub(y, i32x4.splat(0x3f3504f3)), 23);
  const m = i32x4.sub(y, i32x4.shl(e, 23));
  const k = f32x4.sub(f32x4.convert_i32x4_s(e), v128.and(denormal, splat(23.0)));
  const r = logOf(f32x4.sub(m, splat(1.0)), k);
  return logEnds(x, x, r);
}

/** r, but −∞ where u = 0, x where u = ∞, NaN where u < 0 or NaN. */
// @ts-ignore: decorator
@inline
function logEnds(u: v128, x: v128, r: v128): v128 {
  r = select(f32x4.eq(u, splat(Infinity)), x, r);
  r = select(f32x4.eq(u, splat(0.0)), splat(-Infinity), r);
  return v128.or(r, v128.not(f32x4.ge(u, splat(0.0))));
}

/** ln(1 + x). */
// @ts-ignore: decorator
@inline
export function log1p4(x: v128): v128 {
  const u = f32x4.add(splat(1.0), x);
  // u + c = 1 + x exactly.
  const b = f32x4.sub(u, splat(1.0));
  const c = f32x4.add(f32x4.sub(x, b), f32x4.sub(splat(1.0), f32x4.sub(u, b)));
  const e = i32x4.shr_s(i32x4.sub(u, i32x4.splat(0x3f3504f3)), 23);
  const down = i32x4.shl(e, 23);
  const m = i32x4.sub(u, down);
  const f = fma(c, i32x4.sub(splat(1.0), down), f32x4.sub(m, splat(1.0)));
  const r = logEnds(u, x, logOf(f, f32x4.convert_i32x4_s(e)));
  return select(f32x4.lt(f32x4.abs(x), splat(5.9604645e-8)), x, r);
}

/** ln(1 + eˣ) = max(x, 0) + log1p(e^(−|x|)). */
// @ts-ignore: decorator
@inline
export function softplus4(x: v128): v128 {
  const f = expNegative4(v128.or(x, splat(-0.0)));
  const s = f32x4.div(f, f32x4.add(splat(2.0), f));
  const z = f32x4.mul(s, s);
  let p = fma(z, splat(0.24244861), splat(0.21443956));
  p = fma(z, p, splat(0.2861521));
  p = fma(z, p, splat(0.3999895));
  p = fma(z, p, splat(0.66666675));
  return f32x4.add(f32x4.pmax(x, splat(0.0)), fnma(s, fnma(z, p, f), f));
}

/** e^(a²)·erfc(a) for a ≥ 0, up to where erfc underflows. */
// @ts-ignore: decorator
@inline
function erfcScaled(a: v128): v128 {
  let p = fma(a, splat(0.03297015), splat(0.23004495));
  p = fma(a, p, splat(0.73333605));
  p = fma(a, p, splat(1.24006246));
  p = fma(a, p, splat(1.0));
  let q = fma(a, splat(0.05843739), splat(0.40776966));
  q = fma(a, q, splat(1.32860182));
  q = fma(a, q, splat(2.40582726));
  q = fma(a, q, splat(2.36844222));
  q = fma(a, q, splat(1.0));
  return f32x4.div(p, q);
}

/** erf x = 2/√π ∫₀ˣ e^(−t²) dt. */
// @ts-ignore: decorator
@inline
export function erf4(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), splat(4.0));
  const z = f32x4.mul(a, a);
  let p = fma(z, splat(-0.0006910098), splat(0.0051334687));
  p = fma(z, p, splat(-0.026842482));
  p = fma(z, p, splat(0.11283506));
  p = fma(z, p, splat(-0.37612626));
  p = fma(z, p, splat(0.12837917));
  const small = fma(x, p, x);
  const large = f32x4.sub(splat(1.0), f32x4.mul(expNegative4(f32x4.neg(z)), erfcScaled(a)));
  return select(f32x4.lt(z, splat(0.5)), small, v128.or(large, v128.and(x, splat(-0.0))));
}

/** Φ(x) = ½ erfc(−x/√2), the normal distribution function; `density` is e^(−x²/2). Relatively right in the left tail too. */
// @ts-ignore: decorator
@inline
export function normalCdf4(x: v128, density: v128): v128 {
  const tail = f32x4.mul(f32x4.mul(splat(0.5), density), erfcScaled(f32x4.mul(f32x4.abs(x), splat(0.70710678))));
  return select(i32x4.shr_s(x, 31), tail, f32x4.sub(splat(1.0), tail));
}

/** e^(−x²/2), with x² to twice the precision: its rounding would be multiplied by x². */
// @ts-ignore: decorator
@inline
export function gauss4(x: v128): v128 {
  const high = v128.and(x, i32x4.splat(0xfffff000));
  const low = f32x4.mul(f32x4.mul(splat(-0.5), f32x4.sub(x, high)), f32x4.add(x, high));
  const e = expNegative4(f32x4.mul(splat(-0.5), f32x4.mul(high, high)));
  return fma(e, low, e);
}

/** Bits 32k … 32k + 31 after the point of 1/(2π). */
function turnBits(k: i32): u32 {
  switch (k) {
    case 0: return 0x28be60db;
    case 1: return 0x9391054a;
    case 2: return 0x7f09d5f4;
    case 3: return 0x7d4d3770;
    case 4: return 0x36d8a566;
    case 5: return 0x4f10e410;
    default: return 0x7f9458ea;
  }
}

/** a/(2π) modulo 1, in units of 2⁻⁶⁴, for a ≥ 2²³ (Payne & Hanek, SIGNUM 18, 1983): only bits that matter are multiplied. */
function turns(a: f32): u64 {
  const bits = reinterpret<u32>(a);
  const mantissa = <u64>((bits & 0x7fffff) | 0x800000);
  const shift = max(<i32>(bits >> 23) - 150, 0);
  const k = shift >> 5;
  const s = <u64>(shift & 31);
  const b0 = <u64>turnBits(k);
  const b1 = <u64>turnBits(k + 1);
  const b2 = <u64>turnBits(k + 2);
  const b3 = <u64>turnBits(k + 3);
  const w0 = (((b0 << 32) | b1) << s) >> 32;
  const w1 = (((b1 << 32) | b2) << s) >> 32;
  const w2 = (((b2 << 32) | b3) << s) >> 32;
  return ((mantissa * w0) << 32) + mantissa * w1 + ((mantissa * w2) >> 32);
}

/** Two angles in units of 2⁻⁶⁴ turns, minus the nearest quarter turn, in radians. */
// @ts-ignore: decorator
@inline
function radians(a: u64, b: u64): v128 {
  const pair = f64x2.replace_lane(f64x2.splat(<f64>(<i64>(a << 2))), 1, <f64>(<i64>(b << 2)));
  return f64x2.mul(pair, f64x2.splat(8.515303950216386e-20));
}

// @ts-ignore: decorator
@inline
function quarters(turn: u64): i32 {
  return <i32>((turn + (1 << 61)) >> 62);
}

/** sin(r + n·π/2) for |r| ≤ π/4. */
// @ts-ignore: decorator
@inline
export function sinQuarter4(r: v128, n: v128): v128 {
  const z = f32x4.mul(r, r);
  let s = fma(z, splat(-0.00019518286), splat(0.008332189));
  s = fma(z, s, splat(-0.16666655));
  s = fma(f32x4.mul(z, r), s, r);
  let c = fma(z, splat(2.4432564e-5), splat(-0.0013887311));
  c = fma(z, c, splat(0.041666646));
  c = fma(f32x4.mul(z, z), c, fnma(splat(0.5), z, splat(1.0)));
  const odd = i32x4.shr_s(i32x4.shl(n, 31), 31);
  return v128.xor(select(odd, c, s), i32x4.shl(v128.and(n, i32x4.splat(2)), 30));
}

/** ± sin(|x| + shift·π/2), for every finite x; `sign` flips. */
// @ts-ignore: decorator
@inline
function sinShifted(x: v128, shift: i32, sign: v128): v128 {
  const a = f32x4.abs(x);
  const a0 = f64x2.promote_low_f32x4(a);
  const a1 = f64x2.promote_low_f32x4(i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  // 1.5·2⁵² leaves n, the nearest number of quarter turns, in the low bits of t; n·π/2 is exact in its first part.
  const t0 = f64x2.add(f64x2.mul(a0, f64x2.splat(0.6366197723675814)), f64x2.splat(6755399441055744.0));
  const t1 = f64x2.add(f64x2.mul(a1, f64x2.splat(0.6366197723675814)), f64x2.splat(6755399441055744.0));
  const n0 = f64x2.sub(t0, f64x2.splat(6755399441055744.0));
  const n1 = f64x2.sub(t1, f64x2.splat(6755399441055744.0));
  const r0 = f64x2.sub(f64x2.sub(a0, f64x2.mul(n0, f64x2.splat(1.570796325802803))), f64x2.mul(n0, f64x2.splat(9.920935796805404e-10)));
  const r1 = f64x2.sub(f64x2.sub(a1, f64x2.mul(n1, f64x2.splat(1.570796325802803))), f64x2.mul(n1, f64x2.splat(9.920935796805404e-10)));
  let r = joinLow(f32x4.demote_f64x2_zero(r0), f32x4.demote_f64x2_zero(r1));
  let n = i8x16.shuffle(t0, t1, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
  const small = f32x4.lt(a, splat(8388608.0));
  if (!i32x4.all_true(small)) {
    const u0 = turns(f32x4.extract_lane(a, 0));
    const u1 = turns(f32x4.extract_lane(a, 1));
    const u2 = turns(f32x4.extract_lane(a, 2));
    const u3 = turns(f32x4.extract_lane(a, 3));
    const reduced = joinLow(f32x4.demote_f64x2_zero(radians(u0, u1)), f32x4.demote_f64x2_zero(radians(u2, u3)));
    let q = i32x4.splat(quarters(u0));
    q = i32x4.replace_lane(q, 1, quarters(u1));
    q = i32x4.replace_lane(q, 2, quarters(u2));
    q = i32x4.replace_lane(q, 3, quarters(u3));
    r = select(small, r, v128.or(reduced, v128.not(f32x4.lt(a, splat(Infinity)))));
    n = select(small, n, q);
  }
  return v128.xor(sinQuarter4(r, i32x4.add(n, i32x4.splat(shift))), sign);
}

/** Lanes 0, 1 of a, then lanes 0, 1 of b. */
// @ts-ignore: decorator
@inline
function joinLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
}

/** sin x, x in radians. */
// @ts-ignore: decorator
@inline
export function sin4(x: v128): v128 {
  return sinShifted(x, 0, v128.and(x, splat(-0.0)));
}

/** cos x, x in radians. */
// @ts-ignore: decorator
@inline
export function cos4(x: v128): v128 {
  return sinShifted(x, 1, splat(0.0));
}

/** 2^(y·log₂(2ᵉ·m)) of two f64 lanes, m in [√½, √2). */
// @ts-ignore: decorator
@inline
function powPair(m: v128, e: v128, y: v128): v128 {
  const s = f64x2.div(f64x2.sub(m, f64x2.splat(1.0)), f64x2.add(m, f64x2.splat(1.0)));
  const z = f64x2.mul(s, s);
  let p = f64x2.add(f64x2.mul(z, f64x2.splat(0.28301713486252705)), f64x2.splat(0.3198979539907928));
  p = f64x2.add(f64x2.mul(z, p), f64x2.splat(0.41220942917104686));
  p = f64x2.add(f64x2.mul(z, p), f64x2.splat(0.5770779407501546));
  p = f64x2.add(f64x2.mul(z, p), f64x2.splat(0.9617966941183337));
  p = f64x2.add(f64x2.mul(z, p), f64x2.splat(2.885390081777848));
  const log = f64x2.add(e, f64x2.mul(s, p));
  const x = f64x2.pmin(f64x2.pmax(f64x2.mul(y, log), f64x2.splat(-160.0)), f64x2.splat(160.0));
  const t = f64x2.add(x, f64x2.splat(6755399441055744.0 + 1023.0));
  const r = f64x2.sub(x, f64x2.sub(t, f64x2.splat(6755399441055744.0 + 1023.0)));
  let q = f64x2.add(f64x2.mul(r, f64x2.splat(1.5201897923797879e-5)), f64x2.splat(0.00015469317284844003));
  q = f64x2.add(f64x2.mul(r, q), f64x2.splat(0.001333392286928251));
  q = f64x2.add(f64x2.mul(r, q), f64x2.splat(0.009618027172848832));
  q = f64x2.add(f64x2.mul(r, q), f64x2.splat(0.05550410352815707));
  q = f64x2.add(f64x2.mul(r, q), f64x2.splat(0.24022651198753744));
  q = f64x2.add(f64x2.mul(r, q), f64x2.splat(0.6931471807287208));
  q = f64x2.add(f64x2.mul(r, q), f64x2.splat(0.9999999999616215));
  return f64x2.mul(q, i64x2.shl(t, 52));
}

/** xʸ, with the rules of Math.pow: a negative base takes an integer exponent, x⁰ = 1, (±1)^(±∞) = NaN. */
// @ts-ignore: decorator
@inline
export function pow4(x: v128, y: v128): v128 {
  return power(x, y);
}

/** Not inlined: its callers are loops in which it would be most of the code. */
function power(x: v128, y: v128): v128 {
  const a = f32x4.abs(x);
  const denormal = f32x4.lt(a, splat(1.1754944e-38));
  const b = select(denormal, f32x4.mul(a, splat(8388608.0)), a);
  const e = i32x4.shr_s(i32x4.sub(b, i32x4.splat(0x3f3504f3)), 23);
  const m = i32x4.sub(b, i32x4.shl(e, 23));
  let k = f32x4.sub(f32x4.convert_i32x4_s(e), v128.and(denormal, splat(23.0)));
  k = select(f32x4.eq(a, splat(0.0)), splat(-Infinity), k);
  k = select(f32x4.lt(a, splat(Infinity)), k, a);
  const low = powPair(f64x2.promote_low_f32x4(m), f64x2.promote_low_f32x4(k), f64x2.promote_low_f32x4(y));
  const high = powPair(f64x2.promote_low_f32x4(swap(m)), f64x2.promote_low_f32x4(swap(k)), f64x2.promote_low_f32x4(swap(y)));
  let r = joinLow(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high));
  const half = f32x4.mul(y, splat(0.5));
  const whole = f32x4.eq(f32x4.trunc(y), y);
  const odd = v128.andnot(whole, f32x4.eq(f32x4.trunc(half), half));
  r = v128.xor(r, v128.and(v128.and(odd, x), splat(-0.0)));
  r = v128.or(r, v128.andnot(v128.and(f32x4.lt(x, splat(0.0)), f32x4.gt(x, splat(-Infinity))), whole));
  return select(f32x4.eq(y, splat(0.0)), splat(1.0), r);
}

/** Lanes 2, 3, 0, 1. */
// @ts-ignore: decorator
@inline
function swap(a: v128): v128 {
  return i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
}
