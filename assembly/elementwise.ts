/**
 * y = f(x) element by element. `begin`, `end` count elements: begin is a multiple of 16 and blocks are padded to 64
 * bytes, so whole vectors are written, past `end` into the pad. y may be x.
 */
import { elu4, gelu4, geluTanh4, mish4, silu4 } from "./activation";
import { cos4, erf4, exp4, expm14, log1p4, log4, pow4, sigmoid4, sin4, softplus4, tanh4 } from "./math";
import { fma, select } from "./simd";

const enum Op {
  Exp,
  Expm1,
  Log,
  Log1p,
  Sqrt,
  Recip,
  Rsqrt,
  Abs,
  Sign,
  Floor,
  Square,
  Sin,
  Cos,
  Tanh,
  Erf,
  Sigmoid,
  Softplus,
  Relu,
  Silu,
  Gelu,
  GeluTanh,
  Mish,
  Elu,
  LeakyRelu,
  PowScalar,
  Affine,
  Clamp,
}

// @ts-ignore: decorator
@inline
function apply(op: Op, x: v128, s: v128, t: v128): v128 {
  if (op == Op.Exp) return exp4(x);
  if (op == Op.Expm1) return expm14(x);
  if (op == Op.Log) return log4(x);
  if (op == Op.Log1p) return log1p4(x);
  if (op == Op.Sqrt) return f32x4.sqrt(x);
  if (op == Op.Recip) return f32x4.div(f32x4.splat(1), x);
  if (op == Op.Rsqrt) return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
  if (op == Op.Abs) return f32x4.abs(x);
  if (op == Op.Sign) return signOf(x);
  if (op == Op.Floor) return f32x4.floor(x);
  if (op == Op.Square) return f32x4.mul(x, x);
  if (op == Op.Sin) return sin4(x);
  if (op == Op.Cos) return cos4(x);
  if (op == Op.Tanh) return tanh4(x);
  if (op == Op.Erf) return erf4(x);
  if (op == Op.Sigmoid) return sigmoid4(x);
  if (op == Op.Softplus) return softplus4(x);
  if (op == Op.Relu) return f32x4.pmax(x, f32x4.splat(0));
  if (op == Op.Silu) return silu4(x);
  if (op == Op.Gelu) return gelu4(x);
  if (op == Op.GeluTanh) return geluTanh4(x);
  if (op == Op.Mish) return mish4(x);
  if (op == Op.Elu) return elu4(x, s);
  if (op == Op.LeakyRelu) return select(f32x4.gt(x, f32x4.splat(0)), x, f32x4.mul(s, x));
  if (op == Op.PowScalar) return pow4(x, s);
  if (op == Op.Affine) return fma(x, s, t);
  return f32x4.pmin(f32x4.pmax(x, s), t);
}

// @ts-ignore: decorator
@inline
function signOf(x: v128): v128 {
  const unit = v128.or(f32x4.splat(1), v128.and(x, f32x4.splat(-0.0)));
  return select(f32x4.gt(f32x4.abs(x), f32x4.splat(0)), unit, x);
}

/** y = op(x) with up to two parameters. `op` is a constant, so one branch of `apply` is left in each kernel. */
// @ts-ignore: decorator
@inline
function map(op: Op, begin: i32, end: i32, y: usize, x: usize, s: f32 = 0, t: f32 = 0): void {
  if (begin >= end) return;
  const s4 = f32x4.splat(s);
  const t4 = f32x4.splat(t);
  const last = <usize>end << 2;
  let i = <usize>begin << 2;
  // Tested at the end: engines move constants out of a loop only if its body is sure to run.
  do v128.store(y + i, apply(op, v128.load(x + i), s4, t4));
  while ((i += 16) < last);
}

/** y = eˣ. */
export function exp(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Exp, begin, end, y, x);
}

/** y = eˣ − 1. */
export function expm1(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Expm1, begin, end, y, x);
}

/** y = ln x. */
export function log(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Log, begin, end, y, x);
}

/** y = ln(1 + x). */
export function log1p(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Log1p, begin, end, y, x);
}

/** y = √x. */
export function sqrt(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Sqrt, begin, end, y, x);
}

/** y = 1/x. */
export function recip(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Recip, begin, end, y, x);
}

/** y = 1/√x. */
export function rsqrt(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Rsqrt, begin, end, y, x);
}

/** y = |x|. */
export function abs(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Abs, begin, end, y, x);
}

/** y = −1, ±0 or 1; NaN stays. */
export function sign(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Sign, begin, end, y, x);
}

/** y = ⌊x⌋. */
export function floor(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Floor, begin, end, y, x);
}

/** y = x². */
export function square(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Square, begin, end, y, x);
}

/** y = sin x. */
export function sin(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Sin, begin, end, y, x);
}

/** y = cos x. */
export function cos(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Cos, begin, end, y, x);
}

/** y = tanh x. */
export function tanh(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Tanh, begin, end, y, x);
}

/** y = erf x. */
export function erf(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Erf, begin, end, y, x);
}

/** y = σ(x) = 1/(1 + e⁻ˣ). */
export function sigmoid(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Sigmoid, begin, end, y, x);
}

/** y = ln(1 + eˣ). */
export function softplus(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Softplus, begin, end, y, x);
}

/** y = max(x, 0). */
export function relu(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Relu, begin, end, y, x);
}

/** y = x·σ(x). */
export function silu(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Silu, begin, end, y, x);
}

/** y = x·Φ(x), Φ the normal distribution function. */
export function gelu(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Gelu, begin, end, y, x);
}

/** y = ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
export function geluTanh(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.GeluTanh, begin, end, y, x);
}

/** y = x·tanh(ln(1 + eˣ)). */
export function mish(begin: i32, end: i32, y: usize, x: usize): void {
  map(Op.Mish, begin, end, y, x);
}

/** y = x for x > 0, else α(eˣ − 1). */
export function elu(begin: i32, end: i32, y: usize, x: usize, alpha: f32): void {
  map(Op.Elu, begin, end, y, x, alpha);
}

/** y = x for x > 0, else slope·x. */
export function leakyRelu(begin: i32, end: i32, y: usize, x: usize, slope: f32): void {
  map(Op.LeakyRelu, begin, end, y, x, slope);
}

/** y = xᵖ. */
export function powScalar(begin: i32, end: i32, y: usize, x: usize, p: f32): void {
  map(Op.PowScalar, begin, end, y, x, p);
}

/** y = scale·x + shift. */
export function affine(begin: i32, end: i32, y: usize, x: usize, scale: f32, shift: f32): void {
  map(Op.Affine, begin, end, y, x, scale, shift);
}

/** y = x, but at least lo and at most hi; NaN stays. */
export function clamp(begin: i32, end: i32, y: usize, x: usize, lo: f32, hi: f32): void {
  map(Op.Clamp, begin, end, y, x, lo, hi);
}

/** y += s·x. */
export function addScaled(begin: i32, end: i32, y: usize, x: usize, s: f32): void {
  if (begin >= end) return;
  const s4 = f32x4.splat(s);
  const last = <usize>end << 2;
  let i = <usize>begin << 2;
  do v128.store(y + i, fma(s4, v128.load(x + i), v128.load(y + i)));
  while ((i += 16) < last);
}
