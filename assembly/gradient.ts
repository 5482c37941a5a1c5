/**
 * d = g·f′(x) for the activations, from their input x or, where that is enough, their output y; flat as in
 * elementwise.
 */
import { eluSlope4, geluSlope4, geluTanhSlope4, mishSlope4, siluSlope4 } from "./activation";
import { sigmoid4 } from "./math";
import { select } from "./simd";

const enum Op {
  Sigmoid,
  Tanh,
  Relu,
  Softplus,
  Silu,
  Gelu,
  GeluTanh,
  Mish,
  Elu,
  LeakyRelu,
}

/** x is the activation's output for sigmoid, tanh and relu. */
// @ts-ignore: decorator
@inline
function apply(op: Op, g: v128, x: v128, s: v128): v128 {
  if (op == Op.Sigmoid) return f32x4.mul(g, f32x4.mul(x, f32x4.sub(f32x4.splat(1), x)));
  if (op == Op.Tanh) return f32x4.mul(g, f32x4.mul(f32x4.add(f32x4.splat(1), x), f32x4.sub(f32x4.splat(1), x)));
  if (op == Op.Relu) return v128.and(g, f32x4.gt(x, f32x4.splat(0)));
  if (op == Op.Softplus) return f32x4.mul(g, sigmoid4(x));
  if (op == Op.Silu) return f32x4.mul(g, siluSlope4(x));
  if (op == Op.Gelu) return f32x4.mul(g, geluSlope4(x));
  if (op == Op.GeluTanh) return f32x4.mul(g, geluTanhSlope4(x));
  if (op == Op.Mish) return f32x4.mul(g, mishSlope4(x));
  if (op == Op.Elu) return f32x4.mul(g, eluSlope4(x, s));
  return select(f32x4.gt(x, f32x4.splat(0)), g, f32x4.mul(s, g));
}

// @ts-ignore: decorator
@inline
function map(op: Op, begin: i32, end: i32, d: usize, g: usize, x: usize, s: f32 = 0): void {
  if (begin >= end) return;
  const s4 = f32x4.splat(s);
  const last = <usize>end << 2;
  let i = <usize>begin << 2;
  do v128.store(d + i, apply(op, v128.load(g + i), v128.load(x + i), s4));
  while ((i += 16) < last);
}

/** d = g·y(1 − y), y = σ(x). */
export function sigmoidGrad(begin: i32, end: i32, d: usize, g: usize, y: usize): void {
  map(Op.Sigmoid, begin, end, d, g, y);
}

/** d = g(1 − y²), y = tanh x. */
export function tanhGrad(begin: i32, end: i32, d: usize, g: usize, y: usize): void {
  map(Op.Tanh, begin, end, d, g, y);
}

/** d = g where y > 0, else 0, y = max(x, 0). */
export function reluGrad(begin: i32, end: i32, d: usize, g: usize, y: usize): void {
  map(Op.Relu, begin, end, d, g, y);
}

/** d = g·σ(x). */
export function softplusGrad(begin: i32, end: i32, d: usize, g: usize, x: usize): void {
  map(Op.Softplus, begin, end, d, g, x);
}

/** d = g(σ(x) + x·σ(x)σ(−x)). */
export function siluGrad(begin: i32, end: i32, d: usize, g: usize, x: usize): void {
  map(Op.Silu, begin, end, d, g, x);
}

/** d = g(Φ(x) + x·e^(−x²/2)/√(2π)). */
export function geluGrad(begin: i32, end: i32, d: usize, g: usize, x: usize): void {
  map(Op.Gelu, begin, end, d, g, x);
}

/** d = g·geluTanh′(x). */
export function geluTanhGrad(begin: i32, end: i32, d: usize, g: usize, x: usize): void {
  map(Op.GeluTanh, begin, end, d, g, x);
}

/** d = g·mish′(x). */
export function mishGrad(begin: i32, end: i32, d: usize, g: usize, x: usize): void {
  map(Op.Mish, begin, end, d, g, x);
}

/** d = g for x > 0, else g·α·eˣ. */
export function eluGrad(begin: i32, end: i32, d: usize, g: usize, x: usize, alpha: f32): void {
  map(Op.Elu, begin, end, d, g, x, alpha);
}

/** d = g for x > 0, else g·slope. */
export function leakyReluGrad(begin: i32, end: i32, d: usize, g: usize, x: usize, slope: f32): void {
  map(Op.LeakyRelu, begin, end, d, g, x, slope);
}
