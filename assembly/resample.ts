/** Maps that act on the rows and on the columns of a plane apart: average pooling, interpolation, and their adjoints. */
import { fma } from "./simd";

/**
 * y = R·x·Cᵀ on each plane of x [planes, h, w] → [planes, oh, ow]. R [oh, h] and C [ow, w] are sparse: row i of R has the entries
 * rowPtr[i] … rowPtr[i + 1] with their columns and weights, C likewise. `work` is [planes, w] floats. `begin`, `end` count planes.
 */
export function resample(
  begin: i32, end: i32, y: usize, x: usize, work: usize, h: i32, w: i32, oh: i32, ow: i32,
  rowPtr: usize, rowIndex: usize, rowWeight: usize, colPtr: usize, colIndex: usize, colWeight: usize,
): void {
  const pitch = <usize>w << 2;
  const taps = uniform(colPtr, ow);
  let out = y + (<usize>begin * oh * ow << 2);
  for (let p = begin; p < end; p++) {
    const plane = x + <usize>(p * h) * pitch;
    const buffer = work + <usize>p * pitch;
    for (let i = 0; i < oh; i++, out += <usize>ow << 2) {
      const e = load<i32>(rowPtr + (<usize>i << 2));
      const count = load<i32>(rowPtr + (<usize>i << 2), 4) - e;
      const index = rowIndex + (<usize>e << 2);
      const weight = rowWeight + (<usize>e << 2);
      let row = buffer;
      if (count == 1 && load<f32>(weight) == 1) row = plane + <usize>load<i32>(index) * pitch;
      else mixRows(buffer, plane, pitch, index, weight, count);
      mixElements(out, row, ow, taps, colPtr, colIndex, colWeight);
    }
  }
}

/** y = Σ weight[t]·plane[index[t], :] over `count` rows of `pitch` bytes. */
function mixRows(y: usize, plane: usize, pitch: usize, index: usize, weight: usize, count: i32): void {
  if (count == 0) {
    memory.fill(y, 0, pitch);
    return;
  }
  const whole = pitch & ~15;
  // Two rows at a time halve the traffic of the sum.
  let t = 0;
  for (; t + 2 <= count; t += 2, index += 8, weight += 8) {
    const a = plane + <usize>load<i32>(index) * pitch;
    const b = plane + <usize>load<i32>(index, 4) * pitch;
    const wa = v128.load32_splat(weight);
    const wb = v128.load32_splat(weight, 4);
    let i: usize = 0;
    if (t == 0) {
      for (; i < whole; i += 16) v128.store(y + i, fma(wb, v128.load(b + i), f32x4.mul(wa, v128.load(a + i))));
      for (; i < pitch; i += 4)
        v128.store32_lane(y + i, fma(wb, v128.load32_zero(b + i), f32x4.mul(wa, v128.load32_zero(a + i))), 0);
    } else {
      for (; i < whole; i += 16)
        v128.store(y + i, fma(wb, v128.load(b + i), fma(wa, v128.load(a + i), v128.load(y + i))));
      for (; i < pitch; i += 4) {
        const sum = fma(wa, v128.load32_zero(a + i), v128.load32_zero(y + i));
        v128.store32_lane(y + i, fma(wb, v128.load32_zero(b + i), sum), 0);
      }
    }
  }
  if (t == count) return;
  const a = plane + <usize>load<i32>(index) * pitch;
  const wa = v128.load32_splat(weight);
  let i: usize = 0;
  if (t == 0) {
    for (; i < whole; i += 16) v128.store(y + i, f32x4.mul(wa, v128.load(a + i)));
    for (; i < pitch; i += 4) v128.store32_lane(y + i, f32x4.mul(wa, v128.load32_zero(a + i)), 0);
  } else {
    for (; i < whole; i += 16) v128.store(y + i, fma(wa, v128.load(a + i), v128.load(y + i)));
    for (; i < pitch; i += 4)
      v128.store32_lane(y + i, fma(wa, v128.load32_zero(a + i), v128.load32_zero(y + i)), 0);
  }
}

/** 1 or 2, where every one of n elements has so many entries; else 0. */
function uniform(ptr: usize, n: i32): i32 {
  const taps = n > 0 ? load<i32>(ptr, 4) : 0;
  if (taps > 2) return 0;
  for (let j = 1; j <= n; j++) if (load<i32>(ptr + (<usize>j << 2)) != j * taps) return 0;
  return taps;
}

/** y[j] = Σ weight[e]·row[index[e]] over ptr[j] ≤ e < ptr[j + 1]; `taps` is what `uniform` found. */
function mixElements(y: usize, row: usize, n: i32, taps: i32, ptr: usize, index: usize, weight: usize): void {
  let j = 0;
  let e: usize = 0;
  if (taps == 1)
    for (; j + 4 <= n; j += 4, y += 16, e += 16)
      v128.store(y, f32x4.mul(v128.load(weight + e), gather(row, index + e, 4)));
  else if (taps == 2)
    for (; j + 4 <= n; j += 4, y += 16, e += 32) {
      const a = v128.load(weight + e);
      const b = v128.load(weight + e, 16);
      const first = f32x4.mul(v128.shuffle<f32>(a, b, 0, 2, 4, 6), gather(row, index + e, 8));
      v128.store(y, fma(v128.shuffle<f32>(a, b, 1, 3, 5, 7), gather(row, index + e + 4, 8), first));
    }
  for (; j < n; j++, y += 4) {
    const last = <usize>load<i32>(ptr + (<usize>j << 2), 4) << 2;
    let sum: f32 = 0;
    for (; e < last; e += 4) sum += load<f32>(weight + e) * load<f32>(row + (<usize>load<i32>(index + e) << 2));
    store<f32>(y, sum);
  }
}

/** Four elements of a row, whose positions stand `step` bytes apart. */
// @ts-ignore: decorator
@inline
function gather(row: usize, index: usize, step: usize): v128 {
  let v = v128.load32_zero(row + (<usize>load<i32>(index) << 2));
  v = v128.load32_lane(row + (<usize>load<i32>(index + step) << 2), v, 1);
  v = v128.load32_lane(row + (<usize>load<i32>(index + 2 * step) << 2), v, 2);
  return v128.load32_lane(row + (<usize>load<i32>(index + 3 * step) << 2), v, 3);
}
