/**
 * Activations and their derivatives on four f32 lanes, v128 → v128, built from e^(−|x|) or e^(−x²/2), which neither
 * overflow nor cancel; they take their limits at ±∞. Errors ≤ 6 ulp of |y| or of 2⁻⁵, whichever is more; of
 * derivatives, ≤ 4 ulp of 1.
 */
import { erfcScaled4, expMinusAbs4, exp4, expm14, sigmoid4 } from "./math";
import { fma, select } from "./simd";

// @ts-ignore: decorator
@inline
function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** All ones where x has a minus sign. */
// @ts-ignore: decorator
@inline
function isNegative(x: v128): v128 {
  return i32x4.shr_s(x, 31);
}

/** x in [−bound, bound], where x·f(x) no longer meets 0·∞ and f has reached its limit; NaN stays. */
// @ts-ignore: decorator
@inline
function within(x: v128, bound: f32): v128 {
  return f32x4.pmin(f32x4.pmax(x, splat(-bound)), splat(bound));
}

/** x·σ(x). */
// @ts-ignore: decorator
@inline
export function silu4(x: v128): v128 {
  x = f32x4.pmax(x, splat(-120));
  return f32x4.mul(x, sigmoid4(x));
}

/** σ(x) + x·σ(x)σ(−x). */
// @ts-ignore: decorator
@inline
export function siluSlope4(x: v128): v128 {
  x = within(x, 120);
  return gateSlope(x, x);
}

/** σ(u) + v·σ(u)σ(−u), the derivative of x·σ(u(x)) with v = x·u′. */
// @ts-ignore: decorator
@inline
function gateSlope(u: v128, v: v128): v128 {
  const z = expMinusAbs4(u);
  const r = f32x4.div(splat(1), f32x4.add(splat(1), z));
  const q = f32x4.mul(z, r);
  return fma(v, f32x4.mul(q, r), select(isNegative(u), q, r));
}

/** e^(−x²/2). */
// @ts-ignore: decorator
@inline
function bell(x: v128): v128 {
  return expMinusAbs4(f32x4.mul(f32x4.mul(x, x), splat(0.5)));
}

/** Φ(x) = ½ erfc(−x/√2), given e = e^(−x²/2). */
// @ts-ignore: decorator
@inline
function normalCdf(x: v128, e: v128): v128 {
  const scaled = erfcScaled4(f32x4.mul(f32x4.abs(x), splat(0.70710678)));
  const tail = f32x4.mul(f32x4.mul(splat(0.5), e), scaled);
  return select(isNegative(x), tail, f32x4.sub(splat(1), tail));
}

/** x·Φ(x), Φ the normal distribution function. */
// @ts-ignore: decorator
@inline
export function gelu4(x: v128): v128 {
  const u = within(x, 16);
  return f32x4.mul(f32x4.pmax(x, splat(-16)), normalCdf(u, bell(u)));
}

/** Φ(x) + x·e^(−x²/2)/√(2π). */
// @ts-ignore: decorator
@inline
export function geluSlope4(x: v128): v128 {
  const u = within(x, 16);
  const e = bell(u);
  return fma(f32x4.mul(u, splat(0.3989422804)), e, normalCdf(u, e));
}

/** ½x(1 + tanh w(x)) = x·σ(2w), 2w = GELU_1·x + GELU_3·x³, w = √(2/π)(x + 0.044715x³). */
const GELU_1: f32 = 1.5957691216;
const GELU_3: f32 = 0.0713548162726;

/** ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
// @ts-ignore: decorator
@inline
export function geluTanh4(x: v128): v128 {
  const u = within(x, 16);
  const s = sigmoid4(f32x4.mul(u, fma(f32x4.mul(u, u), splat(GELU_3), splat(GELU_1))));
  return f32x4.mul(f32x4.pmax(x, splat(-16)), s);
}

/** The derivative of geluTanh4. */
// @ts-ignore: decorator
@inline
export function geluTanhSlope4(x: v128): v128 {
  const u = within(x, 16);
  const cubic = f32x4.mul(f32x4.mul(u, u), splat(GELU_3));
  const w = f32x4.mul(u, f32x4.add(cubic, splat(GELU_1)));
  return gateSlope(w, f32x4.mul(u, fma(cubic, splat(3), splat(GELU_1))));
}

/** x·tanh(ln(1 + eˣ)) = x·t/(t + d), z = e^(−|x|): t = z² + 2z and d = 2 for x < 0, else t = 1 + 2z and d = 2z². */
// @ts-ignore: decorator
@inline
export function mish4(x: v128): v128 {
  x = f32x4.pmax(x, splat(-120));
  const z = expMinusAbs4(x);
  const twice = f32x4.add(z, z);
  const t = f32x4.add(twice, select(isNegative(x), f32x4.mul(z, z), splat(1)));
  const d = select(isNegative(x), splat(2), f32x4.mul(twice, z));
  return f32x4.mul(x, f32x4.div(t, f32x4.add(t, d)));
}

/** The derivative of mish4: t/(t + d) + x·4z(1 + z)/(t + d)², times z in the second term for x ≥ 0. */
// @ts-ignore: decorator
@inline
export function mishSlope4(x: v128): v128 {
  x = within(x, 120);
  const z = expMinusAbs4(x);
  const twice = f32x4.add(z, z);
  const square = f32x4.mul(z, z);
  const t = f32x4.add(twice, select(isNegative(x), square, splat(1)));
  const r = f32x4.div(splat(1), f32x4.add(t, select(isNegative(x), splat(2), f32x4.add(square, square))));
  const change = f32x4.mul(f32x4.mul(splat(4), select(isNegative(x), z, square)), f32x4.add(splat(1), z));
  return fma(f32x4.mul(x, change), f32x4.mul(r, r), f32x4.mul(t, r));
}

/** x for x > 0, else α(eˣ − 1). */
// @ts-ignore: decorator
@inline
export function elu4(x: v128, alpha: v128): v128 {
  return select(f32x4.gt(x, splat(0)), x, f32x4.mul(alpha, expm14(x)));
}

/** 1 for x > 0, else α·eˣ. */
// @ts-ignore: decorator
@inline
export function eluSlope4(x: v128, alpha: v128): v128 {
  return select(f32x4.gt(x, splat(0)), splat(1), f32x4.mul(alpha, exp4(x)));
}
