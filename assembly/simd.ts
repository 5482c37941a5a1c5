/** The vocabulary every kernel is written in: four f32 lanes, fused multiply-add where the engine has it. */

/** a·b + c per lane; one rounding in the relaxed build on CPUs with FMA, two in the plain one. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c − a·b per lane. */
// @ts-ignore: decorator
@inline
export function fnma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/** (lane 0 + lane 2) + (lane 1 + lane 3): one fixed order everywhere, so sums have the same bits on any thread. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const pair = f32x4.add(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1);
}

/** The largest of four lanes; NaN if one is NaN. */
// @ts-ignore: decorator
@inline
export function maxLanes(v: v128): f32 {
  const pair = f32x4.max(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return max(f32x4.extract_lane(pair, 0), f32x4.extract_lane(pair, 1));
}

/** Lanes of a where the mask is set, of b elsewhere; every lane of the mask is all ones or all zeros. */
// @ts-ignore: decorator
@inline
export function select(mask: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_laneselect(a, b, mask);
  return v128.bitselect(a, b, mask);
}

/** Σ of n contiguous floats: sixteen running sums, then one fixed order. */
export function sumRow(x: usize, n: i32): f32 {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let i = 0;
  for (; i + 16 <= n; i += 16, x += 64) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
    c = f32x4.add(c, v128.load(x, 32));
    d = f32x4.add(d, v128.load(x, 48));
  }
  let sum = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; i < n; i++, x += 4) sum += load<f32>(x);
  return sum;
}

/** y = x over n elements of 4 bytes. Engines call out for memory.copy, which costs more than a short row does. */
export function copyRow(y: usize, x: usize, n: i32): void {
  if (n > 512) {
    memory.copy(y, x, <usize>n << 2);
    return;
  }
  let i = 0;
  for (; i + 4 <= n; i += 4, y += 16, x += 16) v128.store(y, v128.load(x));
  for (; i < n; i++, y += 4, x += 4) store<u32>(y, load<u32>(x));
}

/** y = value over n elements of 4 bytes. */
export function fillRow(y: usize, value: u32, n: i32): void {
  const v = i32x4.splat(value);
  let i = 0;
  for (; i + 4 <= n; i += 4, y += 16) v128.store(y, v);
  for (; i < n; i++, y += 4) store<u32>(y, value);
}
