/** Dot products of three rows with three columns for matmul.ts: neither operand is packed. */

import { fma, sumLanes } from "./simd";
import { floats } from "./tile";

/**
 * C [mr, nr] (+)= three rows of A times three columns of B, or those of them that exist; the last stands in for the
 * missing. Elements of C are crs and ccs bytes apart, rows of A ars, columns of B bcs. Sums are made from the last to
 * the first and stored from the first to the last: this order V8 compiles without spills in the plain build.
 */
export function dotTile(
  c: usize, crs: usize, ccs: usize, a: usize, ars: usize, b: usize, bcs: usize,
  mr: i32, nr: i32, k: i32, accumulate: i32, bias: usize, biasByRow: i32, floor: f32,
): void {
  let a0 = a;
  let a1 = mr > 1 ? a0 + ars : a0;
  let a2 = mr > 2 ? a1 + ars : a1;
  let b0 = b;
  let b1 = nr > 1 ? b0 + bcs : b0;
  let b2 = nr > 2 ? b1 + bcs : b1;
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c02 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c12 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c22 = f32x4.splat(0);
  for (const end = b0 + floats(k & ~3, 1); b0 < end; ) {
    const x0 = v128.load(a0);
    const x1 = v128.load(a1);
    const x2 = v128.load(a2);
    let y: v128;
    y = v128.load(b2);
    c22 = fma(x2, y, c22);
    c12 = fma(x1, y, c12);
    c02 = fma(x0, y, c02);
    y = v128.load(b1);
    c21 = fma(x2, y, c21);
    c11 = fma(x1, y, c11);
    c01 = fma(x0, y, c01);
    y = v128.load(b0);
    c20 = fma(x2, y, c20);
    c10 = fma(x1, y, c10);
    c00 = fma(x0, y, c00);
    a0 += 16;
    a1 += 16;
    a2 += 16;
    b0 += 16;
    b1 += 16;
    b2 += 16;
  }
  const rest = k & 3;
  // The biases of neighbouring rows and columns are di and dj bytes apart: one of the two is 0.
  const di: usize = biasByRow ? 4 : 0;
  const dj: usize = 4 - di;
  storeDot(c, c00, a0, b0, rest, accumulate, bias, 0, floor);
  if (mr > 1) storeDot(c + crs, c10, a1, b0, rest, accumulate, bias, di, floor);
  if (mr > 2) storeDot(c + 2 * crs, c20, a2, b0, rest, accumulate, bias, 2 * di, floor);
  if (nr > 1) storeDot(c + ccs, c01, a0, b1, rest, accumulate, bias, dj, floor);
  if (mr > 1 && nr > 1) storeDot(c + crs + ccs, c11, a1, b1, rest, accumulate, bias, di + dj, floor);
  if (mr > 2 && nr > 1) storeDot(c + 2 * crs + ccs, c21, a2, b1, rest, accumulate, bias, 2 * di + dj, floor);
  if (nr > 2) storeDot(c + 2 * ccs, c02, a0, b2, rest, accumulate, bias, 2 * dj, floor);
  if (mr > 1 && nr > 2) storeDot(c + crs + 2 * ccs, c12, a1, b2, rest, accumulate, bias, di + 2 * dj, floor);
  if (mr > 2 && nr > 2) storeDot(c + 2 * crs + 2 * ccs, c22, a2, b2, rest, accumulate, bias, 2 * di + 2 * dj, floor);
}

/** c (+)= the sum of the lanes, the `rest` products that are left at a and b, and the bias. */
function storeDot(
  c: usize, lanes: v128, a: usize, b: usize, rest: i32, accumulate: i32, bias: usize, biasAt: usize, floor: f32,
): void {
  let y = sumLanes(lanes);
  for (let p = 0; p < rest; p++, a += 4, b += 4) y += load<f32>(a) * load<f32>(b);
  if (accumulate) y += load<f32>(c);
  if (bias) y += load<f32>(bias + biasAt);
  store<f32>(c, max(y, floor));
}
