/**
 * The one-dimensional transforms of Winograd's minimal filtering, on four lanes. F(m, 3) computes m outputs of a filter
 * with 3 taps from m + 2 products: y = Aᵀ[(G·w) ⊙ (Bᵀ·d)]. F(2) interpolates at 0, ±1, ∞; F(4) at 0, ±3/4, ±3/2, ∞, which
 * are exact in binary and lose 3 times less accuracy than the usual 0, ±1, ±2, ∞. Each function stores its results `step`
 * bytes apart.   Lavin & Gray, CVPR 2016; points after Barabasz et al., ACM TOMS 46 (2020).
 */

import { fma, fnma } from "./simd";

/** Squares of the points a = 3/4, b = 3/2 of F(4), their sum and product. */
// @ts-ignore: decorator
@inline
const A2: f32 = 0.5625;
// @ts-ignore: decorator
@inline
const B2: f32 = 2.25;
// @ts-ignore: decorator
@inline
const SUM: f32 = 2.8125;
// @ts-ignore: decorator
@inline
const PRODUCT: f32 = 1.265625;
/** Π (p − q) over the other points q, for p = 0, ±a, ±b: what the weights are divided by. */
// @ts-ignore: decorator
@inline
const N0: f32 = 1.265625;
// @ts-ignore: decorator
@inline
const NA: f32 = -1.8984375;
// @ts-ignore: decorator
@inline
const NB: f32 = 7.59375;

/** Bᵀ·d for F(4): six data. */
// @ts-ignore: decorator
@inline
export function data6(out: usize, step: usize, d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128): void {
  const sum = f32x4.splat(SUM);
  const product = f32x4.splat(PRODUCT);
  v128.store(out, fma(product, d0, fnma(sum, d2, d4)));
  v128.store(out + 5 * step, fma(product, d1, fnma(sum, d3, d5)));
  const b2 = f32x4.splat(B2);
  const evenA = fnma(b2, d2, d4);
  const oddA = f32x4.mul(f32x4.splat(0.75), fnma(b2, d1, d3));
  v128.store(out + step, f32x4.add(evenA, oddA));
  v128.store(out + 2 * step, f32x4.sub(evenA, oddA));
  const a2 = f32x4.splat(A2);
  const evenB = fnma(a2, d2, d4);
  const oddB = f32x4.mul(f32x4.splat(1.5), fnma(a2, d1, d3));
  v128.store(out + 3 * step, f32x4.add(evenB, oddB));
  v128.store(out + 4 * step, f32x4.sub(evenB, oddB));
}

/** Aᵀ·m for F(4): six products to four outputs. */
// @ts-ignore: decorator
@inline
export function outputs4(out: usize, step: usize, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128): void {
  const p = f32x4.add(m1, m2);
  const q = f32x4.sub(m1, m2);
  const u = f32x4.add(m3, m4);
  const v = f32x4.sub(m3, m4);
  v128.store(out, f32x4.add(m0, f32x4.add(p, u)));
  v128.store(out + step, fma(f32x4.splat(0.75), q, f32x4.mul(f32x4.splat(1.5), v)));
  v128.store(out + 2 * step, fma(f32x4.splat(A2), p, f32x4.mul(f32x4.splat(B2), u)));
  v128.store(out + 3 * step, fma(f32x4.splat(0.421875), q, fma(f32x4.splat(3.375), v, m5)));
}

/** A·g for F(4): the gradients of four outputs. */
// @ts-ignore: decorator
@inline
export function gradients6(out: usize, step: usize, g0: v128, g1: v128, g2: v128, g3: v128): void {
  v128.store(out, g0);
  v128.store(out + 5 * step, g3);
  const evenA = fma(f32x4.splat(A2), g2, g0);
  const oddA = fma(f32x4.splat(0.421875), g3, f32x4.mul(f32x4.splat(0.75), g1));
  v128.store(out + step, f32x4.add(evenA, oddA));
  v128.store(out + 2 * step, f32x4.sub(evenA, oddA));
  const evenB = fma(f32x4.splat(B2), g2, g0);
  const oddB = fma(f32x4.splat(3.375), g3, f32x4.mul(f32x4.splat(1.5), g1));
  v128.store(out + 3 * step, f32x4.add(evenB, oddB));
  v128.store(out + 4 * step, f32x4.sub(evenB, oddB));
}

/** G·w for F(4): three weights. */
// @ts-ignore: decorator
@inline
export function weights6(out: usize, step: usize, w0: v128, w1: v128, w2: v128): void {
  v128.store(out, f32x4.mul(f32x4.splat(1 / N0), w0));
  v128.store(out + 5 * step, w2);
  const evenA = f32x4.mul(f32x4.splat(1 / NA), fma(f32x4.splat(A2), w2, w0));
  const oddA = f32x4.mul(f32x4.splat(0.75 / NA), w1);
  v128.store(out + step, f32x4.add(evenA, oddA));
  v128.store(out + 2 * step, f32x4.sub(evenA, oddA));
  const evenB = f32x4.mul(f32x4.splat(1 / NB), fma(f32x4.splat(B2), w2, w0));
  const oddB = f32x4.mul(f32x4.splat(1.5 / NB), w1);
  v128.store(out + 3 * step, f32x4.add(evenB, oddB));
  v128.store(out + 4 * step, f32x4.sub(evenB, oddB));
}

/** Gᵀ·u for F(4): six sums to the gradients of three weights. */
// @ts-ignore: decorator
@inline
export function taps6(out: usize, step: usize, u0: v128, u1: v128, u2: v128, u3: v128, u4: v128, u5: v128): void {
  const p = f32x4.mul(f32x4.splat(1 / NA), f32x4.add(u1, u2));
  const q = f32x4.mul(f32x4.splat(0.75 / NA), f32x4.sub(u1, u2));
  const r = f32x4.mul(f32x4.splat(1 / NB), f32x4.add(u3, u4));
  const s = f32x4.mul(f32x4.splat(1.5 / NB), f32x4.sub(u3, u4));
  v128.store(out, fma(f32x4.splat(1 / N0), u0, f32x4.add(p, r)));
  v128.store(out + step, f32x4.add(q, s));
  v128.store(out + 2 * step, fma(f32x4.splat(A2), p, fma(f32x4.splat(B2), r, u5)));
}

/** Bᵀ·d for F(2): four data. */
// @ts-ignore: decorator
@inline
export function data4(out: usize, step: usize, d0: v128, d1: v128, d2: v128, d3: v128): void {
  v128.store(out, f32x4.sub(d0, d2));
  v128.store(out + step, f32x4.add(d1, d2));
  v128.store(out + 2 * step, f32x4.sub(d2, d1));
  v128.store(out + 3 * step, f32x4.sub(d3, d1));
}

/** Aᵀ·m for F(2): four products to two outputs. */
// @ts-ignore: decorator
@inline
export function outputs2(out: usize, step: usize, m0: v128, m1: v128, m2: v128, m3: v128): void {
  v128.store(out, f32x4.add(m0, f32x4.add(m1, m2)));
  v128.store(out + step, f32x4.add(m3, f32x4.sub(m1, m2)));
}

/** A·g for F(2): the gradients of two outputs. */
// @ts-ignore: decorator
@inline
export function gradients4(out: usize, step: usize, g0: v128, g1: v128): void {
  v128.store(out, g0);
  v128.store(out + step, f32x4.add(g0, g1));
  v128.store(out + 2 * step, f32x4.sub(g0, g1));
  v128.store(out + 3 * step, g1);
}

/** G·w for F(2): three weights. */
// @ts-ignore: decorator
@inline
export function weights4(out: usize, step: usize, w0: v128, w1: v128, w2: v128): void {
  const even = f32x4.mul(f32x4.splat(0.5), f32x4.add(w0, w2));
  const odd = f32x4.mul(f32x4.splat(0.5), w1);
  v128.store(out, w0);
  v128.store(out + step, f32x4.add(even, odd));
  v128.store(out + 2 * step, f32x4.sub(even, odd));
  v128.store(out + 3 * step, w2);
}

/** Gᵀ·u for F(2): four sums to the gradients of three weights. */
// @ts-ignore: decorator
@inline
export function taps4(out: usize, step: usize, u0: v128, u1: v128, u2: v128, u3: v128): void {
  const p = f32x4.mul(f32x4.splat(0.5), f32x4.add(u1, u2));
  v128.store(out, f32x4.add(u0, p));
  v128.store(out + step, f32x4.mul(f32x4.splat(0.5), f32x4.sub(u1, u2)));
  v128.store(out + 2 * step, f32x4.add(p, u3));
}
