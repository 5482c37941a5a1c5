/** Register tiles of C for matmul.ts: MR × NR sums that stay in registers over the whole depth. */

import { fma } from "./simd";

/**
 * Rows of a register tile: 2·MR sums, 2 vectors of B and 1 of A fill the 15 vector registers that V8 gives; without a
 * fused multiply-add one more holds the product.
 */
// @ts-ignore: decorator
@inline
export const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;
/** Columns of a register tile. */
// @ts-ignore: decorator
@inline
export const NR: i32 = 8;
/** Floats of workspace in which a block of C completes the tiles that its edge cuts. */
// @ts-ignore: decorator
@inline
export const EDGE: i32 = 48;

/**
 * C [MR, NR] (+)= panel A [depth, MR] · panel B [depth, NR], depth ≥ 1: the loop where the time goes.
 * V8 compiles it without spills and without address arithmetic because the first step stands before the loop (the
 * addresses' offsets are formed there) and the sums are made and stored in one order with no other use of them. What
 * looks like an equivalent form can be twice as slow: read the machine code after a change.
 */
export function tile(c: usize, ldc: i32, a: usize, b: usize, depth: i32, accumulate: i32): void {
  const row = floats(ldc, 1);
  const end = b + floats(depth, NR);
  let b0 = v128.load(b);
  let b1 = v128.load(b, 16);
  let x: v128;
  let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128;
  let c30: v128, c31: v128, c40: v128, c41: v128, c50 = b0, c51 = b1;
  x = v128.load32_splat(a);
  c00 = f32x4.mul(x, b0);
  c01 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 4);
  c10 = f32x4.mul(x, b0);
  c11 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 8);
  c20 = f32x4.mul(x, b0);
  c21 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 12);
  c30 = f32x4.mul(x, b0);
  c31 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 16);
  c40 = f32x4.mul(x, b0);
  c41 = f32x4.mul(x, b1);
  if (MR > 5) {
    x = v128.load32_splat(a, 20);
    c50 = f32x4.mul(x, b0);
    c51 = f32x4.mul(x, b1);
  }
  while ((b += NR << 2) < end) {
    a += MR << 2;
    b0 = v128.load(b);
    b1 = v128.load(b, 16);
    x = v128.load32_splat(a);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    if (MR > 5) {
      x = v128.load32_splat(a, 20);
      c50 = fma(x, b0, c50);
      c51 = fma(x, b1, c51);
    }
  }
  if (accumulate) {
    v128.store(c, f32x4.add(v128.load(c), c00));
    v128.store(c, f32x4.add(v128.load(c, 16), c01), 16);
    v128.store(c + row, f32x4.add(v128.load(c + row), c10));
    v128.store(c + row, f32x4.add(v128.load(c + row, 16), c11), 16);
    v128.store(c + 2 * row, f32x4.add(v128.load(c + 2 * row), c20));
    v128.store(c + 2 * row, f32x4.add(v128.load(c + 2 * row, 16), c21), 16);
    v128.store(c + 3 * row, f32x4.add(v128.load(c + 3 * row), c30));
    v128.store(c + 3 * row, f32x4.add(v128.load(c + 3 * row, 16), c31), 16);
    v128.store(c + 4 * row, f32x4.add(v128.load(c + 4 * row), c40));
    v128.store(c + 4 * row, f32x4.add(v128.load(c + 4 * row, 16), c41), 16);
    if (MR > 5) {
      v128.store(c + 5 * row, f32x4.add(v128.load(c + 5 * row), c50));
      v128.store(c + 5 * row, f32x4.add(v128.load(c + 5 * row, 16), c51), 16);
    }
  } else {
    v128.store(c, c00);
    v128.store(c, c01, 16);
    v128.store(c + row, c10);
    v128.store(c + row, c11, 16);
    v128.store(c + 2 * row, c20);
    v128.store(c + 2 * row, c21, 16);
    v128.store(c + 3 * row, c30);
    v128.store(c + 3 * row, c31, 16);
    v128.store(c + 4 * row, c40);
    v128.store(c + 4 * row, c41, 16);
    if (MR > 5) {
      v128.store(c + 5 * row, c50);
      v128.store(c + 5 * row, c51, 16);
    }
  }
}

/**
 * C [mr, nr] (+)= A [mr, k] · B [k, nr] by strides. `whole`: B's NR columns are adjacent and all there. Otherwise its
 * lanes are picked one by one. Lanes and rows past the edge repeat the last one: nothing outside the operands is read.
 */
// @ts-ignore: decorator
@inline
export function directTile(
  whole: bool, c: usize, ldc: i32, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32,
  k: i32, mr: i32, nr: i32, accumulate: i32,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0);
  let c41 = f32x4.splat(0);
  let c50 = f32x4.splat(0);
  let c51 = f32x4.splat(0);
  const a1 = floats(min(1, mr - 1), ars);
  const a2 = floats(min(2, mr - 1), ars);
  const a3 = floats(min(3, mr - 1), ars);
  const a4 = floats(min(4, mr - 1), ars);
  const a5 = floats(min(5, mr - 1), ars);
  for (let p = 0; p < k; p++) {
    const b0 = whole ? v128.load(b) : pick(b, bcs, nr);
    const b1 = whole ? v128.load(b, 16) : pick(b + floats(min(4, nr - 1), bcs), bcs, nr - 4);
    let x: v128;
    x = v128.load32_splat(a);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a + a1);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a + a2);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a + a3);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a + a4);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    if (MR > 5) {
      x = v128.load32_splat(a + a5);
      c50 = fma(x, b0, c50);
      c51 = fma(x, b1, c51);
    }
    a += floats(acs, 1);
    b += floats(brs, 1);
  }
  storeTile(c, ldc, mr, nr, accumulate, c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51);
}

/** Four floats `stride` apart; past `count` the last one again. */
// @ts-ignore: decorator
@inline
function pick(p: usize, stride: i32, count: i32): v128 {
  const last = max(0, count - 1);
  let v = v128.load32_zero(p);
  v = v128.load_lane<f32>(p + floats(min(1, last), stride), v, 1);
  v = v128.load_lane<f32>(p + floats(min(2, last), stride), v, 2);
  return v128.load_lane<f32>(p + floats(min(3, last), stride), v, 3);
}

/** C [mr, nr] (+)= the corner of a whole tile. */
export function storeCorner(c: usize, ldc: i32, whole: usize, mr: i32, nr: i32, accumulate: i32): void {
  for (let i = 0; i < mr; i++, c += floats(ldc, 1), whole += NR << 2) {
    storeRow(c, v128.load(whole), v128.load(whole, 16), nr, accumulate);
  }
}

/** C [mr, nr] (+)= the corner of a tile in registers. */
function storeTile(
  c: usize, ldc: i32, mr: i32, nr: i32, accumulate: i32,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128,
  c30: v128, c31: v128, c40: v128, c41: v128, c50: v128, c51: v128,
): void {
  const row = floats(ldc, 1);
  storeRow(c, c00, c01, nr, accumulate);
  if (mr > 1) storeRow((c += row), c10, c11, nr, accumulate);
  if (mr > 2) storeRow((c += row), c20, c21, nr, accumulate);
  if (mr > 3) storeRow((c += row), c30, c31, nr, accumulate);
  if (mr > 4) storeRow((c += row), c40, c41, nr, accumulate);
  if (MR > 5 && mr > 5) storeRow(c + row, c50, c51, nr, accumulate);
}

// @ts-ignore: decorator
@inline
function storeRow(c: usize, c0: v128, c1: v128, nr: i32, accumulate: i32): void {
  if (accumulate) {
    c0 = f32x4.add(c0, loadLanes(c, nr));
    c1 = f32x4.add(c1, loadLanes(c + 16, nr - 4));
  }
  storeLanes(c, c0, nr);
  storeLanes(c + 16, c1, nr - 4);
}

/** C [rows, columns] ← activation(C + bias), while C is in the cache. */
export function finish(c: usize, ldc: i32, rows: i32, columns: i32, bias: usize, activation: i32): void {
  if (!bias && !activation) return;
  const floor = f32x4.splat(activation == 1 ? 0 : -Infinity);
  for (let i = 0; i < rows; i++, c += floats(ldc, 1)) {
    for (let j = 0; j < columns; j += 4) {
      const at = c + floats(j, 1);
      let y = loadLanes(at, columns - j);
      if (bias) y = f32x4.add(y, loadLanes(bias + floats(j, 1), columns - j));
      storeLanes(at, f32x4.pmax(y, floor), columns - j);
    }
  }
}

/** The first `count` floats at p; 0 in the other lanes. */
// @ts-ignore: decorator
@inline
function loadLanes(p: usize, count: i32): v128 {
  return count >= 4 ? v128.load(p) : loadSome(p, count);
}

function loadSome(p: usize, count: i32): v128 {
  let v = f32x4.splat(0);
  if (count > 0) v = v128.load32_zero(p);
  if (count > 1) v = v128.load_lane<f32>(p, v, 1, 4);
  if (count > 2) v = v128.load_lane<f32>(p, v, 2, 8);
  return v;
}

// @ts-ignore: decorator
@inline
function storeLanes(p: usize, v: v128, count: i32): void {
  if (count >= 4) v128.store(p, v);
  else storeSome(p, v, count);
}

function storeSome(p: usize, v: v128, count: i32): void {
  if (count > 0) v128.store_lane<f32>(p, v, 0);
  if (count > 1) v128.store_lane<f32>(p, v, 1, 4);
  if (count > 2) v128.store_lane<f32>(p, v, 2, 8);
}

/** Bytes of count · each floats. */
// @ts-ignore: decorator
@inline
export function floats(count: i32, each: i32): usize {
  return <usize>(count * each) << 2;
}

// @ts-ignore: decorator
@inline
export function ceilDiv(x: i32, y: i32): i32 {
  return (x + y - 1) / y;
}
