/**
 * Elementary functions of four f32 lanes, v128 → v128: minimax polynomials after an exact range reduction, no
 * tables. Errors are the worst found by test/kernels/math.test.ts and denser sweeps, in units in the last place (ulp).
 * NaN, ±∞, ±0 and denormals, in and out, are those of Math.*.
 */
import { fma, fnma, select } from "./simd";

export { cos4, sin4, sinQuarter4 } from "./trig";
export { pow4 } from "./pow";

/** 1.5·2²³: a sum with it is rounded to an integer, which stands in its low bits. */
const ROUND: f32 = 12582912.0;
const LOG2E: f32 = 1.44269504;
/** ln 2 in two parts; the first has 9 bits, so its product with an exponent is exact. */
const LN2_HI: f32 = 0.693359375;
const LN2_LO: f32 = -0.00021219444;
const SIGN: f32 = -0.0;

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

/** eˣ. Error ≤ 0.95 ulp, relaxed ≤ 1. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, splat(-104)), splat(89));
  // The low bits of t are n + 126, so that t << 23 is 2ⁿ⁻¹. For x < 0, 2ⁿ⁺⁶⁴·2⁻⁶⁴ lets the result underflow gradually.
  const t = fma(x, splat(LOG2E), splat(ROUND + 126));
  const n = f32x4.sub(t, splat(ROUND + 126));
  const r = fnma(n, splat(LN2_LO), fnma(n, splat(LN2_HI), x));
  const p = f32x4.add(splat(1), fma(f32x4.mul(r, r), expTail(r), r));
  const down = v128.and(i32x4.shr_s(x, 31), i32x4.splat(65 << 23));
  const scale = i32x4.add(i32x4.shl(t, 23), down);
  return f32x4.mul(f32x4.mul(p, scale), i32x4.sub(i32x4.splat(128 << 23), down));
}

/** e^(−|x|): as exp4, with half of its cases. */
// @ts-ignore: decorator
@inline
export function expMinusAbs4(x: v128): v128 {
  x = f32x4.pmax(v128.or(x, splat(SIGN)), splat(-104));
  const t = fma(x, splat(LOG2E), splat(ROUND + 191));
  const n = f32x4.sub(t, splat(ROUND + 191));
  const r = fnma(n, splat(LN2_LO), fnma(n, splat(LN2_HI), x));
  const p = f32x4.add(splat(1), fma(f32x4.mul(r, r), expTail(r), r));
  return f32x4.mul(f32x4.mul(p, i32x4.shl(t, 23)), i32x4.splat(63 << 23));
}

/** eˣ − 1. Error ≤ 1.55 ulp, relaxed ≤ 1.45. */
// @ts-ignore: decorator
@inline
export function expm14(x: v128): v128 {
  const y = f32x4.pmin(f32x4.pmax(x, splat(-18)), splat(89));
  const t = fma(y, splat(LOG2E), splat(ROUND + 126));
  const n = f32x4.sub(t, splat(ROUND + 126));
  const high = fnma(n, splat(LN2_HI), y);
  const low = f32x4.mul(n, splat(LN2_LO));
  const r = f32x4.sub(high, low);
  const lost = f32x4.sub(f32x4.sub(high, r), low);
  const q = f32x4.add(r, fma(f32x4.mul(r, r), expTail(r), lost));
  // Halved until the end: 2¹²⁸ is not an f32.
  const half = i32x4.shl(t, 23);
  const z = fma(half, q, f32x4.sub(half, splat(0.5)));
  return select(isTiny(x), x, f32x4.add(z, z));
}

/** |x| < 2⁻²⁴, where f(x) = x + O(x²) is x: keeps −0 and denormals. */
// @ts-ignore: decorator
@inline
function isTiny(x: v128): v128 {
  return f32x4.lt(f32x4.abs(x), splat(5.9604645e-8));
}

/** tanh x, by a polynomial near 0, else 1 − 2z/(1 + z) with z = e^(−2|x|). Error ≤ 1.5 ulp, relaxed ≤ 1.5. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const a = f32x4.abs(x);
  const s = f32x4.mul(a, a);
  let p = fma(s, splat(-0.0058979667), splat(0.020798625));
  p = fma(s, p, splat(-0.053784717));
  p = fma(s, p, splat(0.13331936));
  p = fma(s, p, splat(-0.333333));
  const near = fma(f32x4.mul(s, a), p, a);
  const z = expMinusAbs4(f32x4.add(x, x));
  const far = f32x4.sub(splat(1), f32x4.div(f32x4.add(z, z), f32x4.add(splat(1), z)));
  return v128.or(select(f32x4.lt(a, splat(0.6)), near, far), v128.and(x, splat(SIGN)));
}

/** σ(x) = 1/(1 + e⁻ˣ). Error ≤ 1.85 ulp, relaxed ≤ 1.65. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const z = expMinusAbs4(x);
  const q = f32x4.div(z, f32x4.add(splat(1), z));
  return select(i32x4.shr_s(x, 31), fnma(z, q, z), f32x4.sub(splat(1), q));
}

/** ln(1 + f) + k ln 2 = f − s(f − R) + k ln 2 with s = f/(2 + f), √½ ≤ 1 + f < √2. */
// @ts-ignore: decorator
@inline
function logSum(f: v128, k: v128): v128 {
  const s = f32x4.div(f, f32x4.add(splat(2), f));
  const z = f32x4.mul(s, s);
  let p = fma(z, splat(0.2427717), splat(0.28498828));
  p = fma(z, p, splat(0.40000972));
  p = fma(z, p, splat(0.6666666));
  const h = f32x4.mul(splat(0.5), f32x4.mul(f, f));
  const tail = fma(s, fma(z, p, h), f32x4.mul(k, splat(LN2_LO)));
  return fma(k, splat(LN2_HI), f32x4.sub(f, f32x4.sub(h, tail)));
}

/** y, but −∞ where u = 0, x where u = ∞, NaN where u < 0 or NaN. */
// @ts-ignore: decorator
@inline
function logEnds(u: v128, x: v128, y: v128): v128 {
  y = select(f32x4.eq(u, splat(Infinity)), x, y);
  y = select(f32x4.eq(u, splat(0)), splat(-Infinity), y);
  return v128.or(y, v128.not(f32x4.ge(u, splat(0))));
}

/** ln x. Error ≤ 0.85 ulp, relaxed ≤ 0.85. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const denormal = f32x4.lt(x, splat(1.1754944e-38));
  const y = select(denormal, f32x4.mul(x, splat(8388608)), x);
  // y = 2ᵉ·m with √½ ≤ m < √2.
  const e = i32x4.shr_s(i32x4.sub(y, i32x4.splat(0x3f3504f3)), 23);
  const m = i32x4.sub(y, i32x4.shl(e, 23));
  const k = f32x4.sub(f32x4.convert_i32x4_s(e), v128.and(denormal, splat(23)));
  return logEnds(x, x, logSum(f32x4.sub(m, splat(1)), k));
}

/** ln(1 + x). Error ≤ 1.4 ulp, relaxed ≤ 1.4. */
// @ts-ignore: decorator
@inline
export function log1p4(x: v128): v128 {
  const u = f32x4.add(splat(1), x);
  // u + lost = 1 + x exactly, and it is 2ᵉ(1 + f); 2⁻ᵉ would be below 0 for the largest e.
  const back = f32x4.sub(u, splat(1));
  const lost = f32x4.add(f32x4.sub(x, back), f32x4.sub(splat(1), f32x4.sub(u, back)));
  const e = i32x4.shr_s(i32x4.sub(u, i32x4.splat(0x3f3504f3)), 23);
  const down = i32x4.shl(e, 23);
  const scale = i32x4.max_s(i32x4.sub(splat(1), down), i32x4.splat(0));
  const f = fma(lost, scale, f32x4.sub(i32x4.sub(u, down), splat(1)));
  return select(isTiny(x), x, logEnds(u, x, logSum(f, f32x4.convert_i32x4_s(e))));
}

/** ln(1 + z) for 0 ≤ z ≤ 1, as in logSum without the reduction. */
// @ts-ignore: decorator
@inline
export function log1pUnit(z: v128): v128 {
  const s = f32x4.div(z, f32x4.add(splat(2), z));
  const t = f32x4.mul(s, s);
  let p = fma(t, splat(0.24244861), splat(0.21443956));
  p = fma(t, p, splat(0.2861521));
  p = fma(t, p, splat(0.3999895));
  p = fma(t, p, splat(0.66666675));
  return fnma(s, fnma(t, p, z), z);
}

/** ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|)). Error ≤ 2 ulp, relaxed ≤ 1.8. */
// @ts-ignore: decorator
@inline
export function softplus4(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, splat(0)), log1pUnit(expMinusAbs4(x)));
}

/** e^(a²)·erfc(a) for 0 ≤ a ≤ 10.3, beyond which erfc underflows. */
// @ts-ignore: decorator
@inline
export function erfcScaled4(a: v128): v128 {
  let p = fma(a, splat(0.03297015), splat(0.23004495));
  p = fma(a, p, splat(0.73333605));
  p = fma(a, p, splat(1.24006246));
  p = fma(a, p, splat(1));
  let q = fma(a, splat(0.05843739), splat(0.40776966));
  q = fma(a, q, splat(1.32860182));
  q = fma(a, q, splat(2.40582726));
  q = fma(a, q, splat(2.36844222));
  q = fma(a, q, splat(1));
  return f32x4.div(p, q);
}

/** erf x = 2/√π ∫₀ˣ e^(−t²) dt. Error ≤ 1.4 ulp, relaxed ≤ 1.25. */
// @ts-ignore: decorator
@inline
export function erf4(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), splat(4));
  const z = f32x4.mul(a, a);
  let p = fma(z, splat(7.806903e-5), splat(-0.0007997853));
  p = fma(z, p, splat(0.005187162));
  p = fma(z, p, splat(-0.026853347));
  p = fma(z, p, splat(0.11283579));
  p = fma(z, p, splat(-0.37612626));
  p = fma(z, p, splat(0.12837917));
  const near = fma(x, p, x);
  const far = f32x4.sub(splat(1), f32x4.mul(expMinusAbs4(z), erfcScaled4(a)));
  return select(f32x4.lt(z, splat(1)), near, v128.or(far, v128.and(x, splat(SIGN))));
}
