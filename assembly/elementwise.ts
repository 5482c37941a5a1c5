/**
 * y = f(x), element by element, and the gradients of the activations. `begin`, `end` count elements; `begin` is a multiple
 * of 16 and blocks are padded to 64 bytes, so whole vectors are written, beyond `end` into the pad. y may be x.
 */
import { erf4, exp4, expm14, cos4, gauss4, log1p4, log4, normalCdf4, pow4, sigmoid4, sin4, softplus4, tanh4 } from "./math";
import { fma, select } from "./simd";

// @ts-ignore: decorator
@inline
function bytes(elements: i32): usize {
  return <usize>elements << 2;
}

// @ts-ignore: decorator
@inline
function one(): v128 {
  return f32x4.splat(1);
}

/** y = eˣ. */
export function exp(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, exp4(v128.load(x + i)));
}

/** y = eˣ − 1. */
export function expm1(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, expm14(v128.load(x + i)));
}

/** y = ln x. */
export function log(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, log4(v128.load(x + i)));
}

/** y = ln(1 + x). */
export function log1p(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, log1p4(v128.load(x + i)));
}

/** y = √x. */
export function sqrt(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, f32x4.sqrt(v128.load(x + i)));
}

/** y = 1/x. */
export function recip(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, f32x4.div(one(), v128.load(x + i)));
}

/** y = 1/√x. */
export function rsqrt(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16)
    v128.store(y + i, f32x4.div(one(), f32x4.sqrt(v128.load(x + i))));
}

/** y = |x|. */
export function abs(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, f32x4.abs(v128.load(x + i)));
}

/** y = −1, ±0 or 1; NaN stays. */
export function sign(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = v128.load(x + i);
    const unit = v128.or(one(), v128.and(v, f32x4.splat(-0.0)));
    v128.store(y + i, select(f32x4.gt(f32x4.abs(v), f32x4.splat(0)), unit, v));
  }
}

/** y = ⌊x⌋. */
export function floor(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, f32x4.floor(v128.load(x + i)));
}

/** y = x². */
export function square(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = v128.load(x + i);
    v128.store(y + i, f32x4.mul(v, v));
  }
}

/** y = sin x. */
export function sin(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, sin4(v128.load(x + i)));
}

/** y = cos x. */
export function cos(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, cos4(v128.load(x + i)));
}

/** y = tanh x. */
export function tanh(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, tanh4(v128.load(x + i)));
}

/** y = erf x. */
export function erf(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, erf4(v128.load(x + i)));
}

/** y = σ(x) = 1/(1 + e⁻ˣ). */
export function sigmoid(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, sigmoid4(v128.load(x + i)));
}

/** y = ln(1 + eˣ). */
export function softplus(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, softplus4(v128.load(x + i)));
}

/** y = max(x, 0). */
export function relu(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16)
    v128.store(y + i, f32x4.pmax(v128.load(x + i), f32x4.splat(0)));
}

/** y = x·σ(x). */
export function silu(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = atLeast(v128.load(x + i));
    v128.store(y + i, f32x4.mul(v, sigmoid4(v)));
  }
}

/** Activations that vanish at −∞ as x·(…) meet 0·∞ there: far below, they are 0 already. */
// @ts-ignore: decorator
@inline
function atLeast(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(-120));
}

/** y = x·Φ(x), Φ the normal distribution function. */
export function gelu(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = v128.load(x + i);
    const near = within(v);
    const cdf = normalCdf4(near, gauss4(near));
    v128.store(y + i, f32x4.mul(f32x4.pmax(v, f32x4.splat(-16)), cdf));
  }
}

/** x in [−16, 16], beyond which both GELUs are linear and their gradients constant, to the last bit. */
// @ts-ignore: decorator
@inline
function within(x: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(-16)), f32x4.splat(16));
}

/** √(2/π)·2 and its product with 0.044715: GELU's tanh form is x·σ(2√(2/π)(x + 0.044715x³)). */
const GELU_1: f32 = 1.5957691216;
const GELU_3: f32 = 0.0713548162726;

/** y = ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
export function geluTanh(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = v128.load(x + i);
    const u = within(v);
    const s = sigmoid4(f32x4.mul(u, fma(f32x4.mul(u, u), f32x4.splat(GELU_3), f32x4.splat(GELU_1))));
    v128.store(y + i, f32x4.mul(f32x4.pmax(v, f32x4.splat(-16)), s));
  }
}

/** y = x·tanh(ln(1 + eˣ)). */
export function mish(begin: i32, end: i32, y: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = atLeast(v128.load(x + i));
    const z = exp4(v128.or(v, f32x4.splat(-0.0)));
    const negative = i32x4.shr_s(v, 31);
    const twice = f32x4.add(z, z);
    // tanh ln(1 + eˣ) = t/(t + d): t = z² + 2z, d = 2 for x < 0, else t = 1 + 2z, d = 2z², with z = e^(−|x|).
    const t = f32x4.add(twice, select(negative, f32x4.mul(z, z), one()));
    const d = select(negative, f32x4.splat(2), f32x4.mul(twice, z));
    v128.store(y + i, f32x4.mul(v, f32x4.div(t, f32x4.add(t, d))));
  }
}

/** y = x for x > 0, else α(eˣ − 1). */
export function elu(begin: i32, end: i32, y: usize, x: usize, alpha: f32): void {
  const a = f32x4.splat(alpha);
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = v128.load(x + i);
    v128.store(y + i, select(f32x4.gt(v, f32x4.splat(0)), v, f32x4.mul(a, expm14(v))));
  }
}

/** y = x for x > 0, else slope·x. */
export function leakyRelu(begin: i32, end: i32, y: usize, x: usize, slope: f32): void {
  const s = f32x4.splat(slope);
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = v128.load(x + i);
    v128.store(y + i, select(f32x4.gt(v, f32x4.splat(0)), v, f32x4.mul(s, v)));
  }
}

/** y = xᵖ. */
export function powScalar(begin: i32, end: i32, y: usize, x: usize, p: f32): void {
  const e = f32x4.splat(p);
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, pow4(v128.load(x + i), e));
}

/** y = scale·x + shift. */
export function affine(begin: i32, end: i32, y: usize, x: usize, scale: f32, shift: f32): void {
  const a = f32x4.splat(scale);
  const b = f32x4.splat(shift);
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) v128.store(y + i, fma(v128.load(x + i), a, b));
}

/** y = x in [lo, hi]; NaN stays. */
export function clamp(begin: i32, end: i32, y: usize, x: usize, lo: f32, hi: f32): void {
  const a = f32x4.splat(lo);
  const b = f32x4.splat(hi);
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16)
    v128.store(y + i, f32x4.pmin(f32x4.pmax(v128.load(x + i), a), b));
}

/** y += s·x. */
export function addScaled(begin: i32, end: i32, y: usize, x: usize, s: f32): void {
  const a = f32x4.splat(s);
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16)
    v128.store(y + i, fma(a, v128.load(x + i), v128.load(y + i)));
}

/** d = g·y(1 − y), y = σ(x). */
export function sigmoidGrad(begin: i32, end: i32, d: usize, g: usize, y: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = v128.load(y + i);
    v128.store(d + i, f32x4.mul(v128.load(g + i), f32x4.mul(v, f32x4.sub(one(), v))));
  }
}

/** d = g(1 − y²), y = tanh x. */
export function tanhGrad(begin: i32, end: i32, d: usize, g: usize, y: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = v128.load(y + i);
    v128.store(d + i, f32x4.mul(v128.load(g + i), f32x4.mul(f32x4.sub(one(), v), f32x4.add(one(), v))));
  }
}

/** d = g where y > 0, else 0; y = max(x, 0). */
export function reluGrad(begin: i32, end: i32, d: usize, g: usize, y: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16)
    v128.store(d + i, v128.and(v128.load(g + i), f32x4.gt(v128.load(y + i), f32x4.splat(0))));
}

/** d = g·σ(x). */
export function softplusGrad(begin: i32, end: i32, d: usize, g: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16)
    v128.store(d + i, f32x4.mul(v128.load(g + i), sigmoid4(v128.load(x + i))));
}

/** d = g(σ + u′·σ(1 − σ)), σ = σ(v), from z = e^(−|v|): 1 − σ itself would cancel. */
// @ts-ignore: decorator
@inline
function gatedSlope(v: v128, slope: v128): v128 {
  const z = exp4(v128.or(v, f32x4.splat(-0.0)));
  const r = f32x4.div(one(), f32x4.add(one(), z));
  const zr = f32x4.mul(z, r);
  return fma(slope, f32x4.mul(zr, r), select(i32x4.shr_s(v, 31), zr, r));
}

/** d = g(σ(x) + x·σ(x)σ(−x)). */
export function siluGrad(begin: i32, end: i32, d: usize, g: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = f32x4.pmin(atLeast(v128.load(x + i)), f32x4.splat(120));
    v128.store(d + i, f32x4.mul(v128.load(g + i), gatedSlope(v, v)));
  }
}

/** d = g(Φ(x) + x·φ(x)), φ(x) = e^(−x²/2)/√(2π). */
export function geluGrad(begin: i32, end: i32, d: usize, g: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = within(v128.load(x + i));
    const density = gauss4(v);
    const slope = fma(f32x4.mul(v, f32x4.splat(0.3989422804)), density, normalCdf4(v, density));
    v128.store(d + i, f32x4.mul(v128.load(g + i), slope));
  }
}

/** d = g times the derivative of geluTanh at x. */
export function geluTanhGrad(begin: i32, end: i32, d: usize, g: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = within(v128.load(x + i));
    const cubic = f32x4.mul(f32x4.mul(v, v), f32x4.splat(GELU_3));
    const u = f32x4.mul(v, f32x4.add(cubic, f32x4.splat(GELU_1)));
    const slope = f32x4.mul(v, fma(cubic, f32x4.splat(3), f32x4.splat(GELU_1)));
    v128.store(d + i, f32x4.mul(v128.load(g + i), gatedSlope(u, slope)));
  }
}

/** d = g times the derivative of mish at x: t/(t + d) + x·4z(1 + z)·(z for x > 0)/(t + d)² in the terms of `mish`. */
export function mishGrad(begin: i32, end: i32, d: usize, g: usize, x: usize): void {
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = f32x4.pmin(atLeast(v128.load(x + i)), f32x4.splat(120));
    const z = exp4(v128.or(v, f32x4.splat(-0.0)));
    const negative = i32x4.shr_s(v, 31);
    const twice = f32x4.add(z, z);
    const squared = f32x4.mul(z, z);
    const t = f32x4.add(twice, select(negative, squared, one()));
    const r = f32x4.div(one(), f32x4.add(t, select(negative, f32x4.splat(2), f32x4.add(squared, squared))));
    const change = f32x4.mul(f32x4.mul(f32x4.splat(4), select(negative, z, squared)), f32x4.add(one(), z));
    const slope = fma(f32x4.mul(v, change), f32x4.mul(r, r), f32x4.mul(t, r));
    v128.store(d + i, f32x4.mul(v128.load(g + i), slope));
  }
}

/** d = g for x > 0, else g·α·eˣ. */
export function eluGrad(begin: i32, end: i32, d: usize, g: usize, x: usize, alpha: f32): void {
  const a = f32x4.splat(alpha);
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const v = v128.load(x + i);
    const slope = select(f32x4.gt(v, f32x4.splat(0)), one(), f32x4.mul(a, exp4(v)));
    v128.store(d + i, f32x4.mul(v128.load(g + i), slope));
  }
}

/** d = g for x > 0, else g·slope. */
export function leakyReluGrad(begin: i32, end: i32, d: usize, g: usize, x: usize, slope: f32): void {
  const s = f32x4.splat(slope);
  for (let i = bytes(begin), n = bytes(end); i < n; i += 16) {
    const u = v128.load(g + i);
    v128.store(d + i, select(f32x4.gt(v128.load(x + i), f32x4.splat(0)), u, f32x4.mul(s, u)));
  }
}
