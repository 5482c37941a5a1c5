/** The gradient of the weights of a 3 × 3 convolution by Winograd's F(m × m, 3 × 3); a picture is in winograd.ts. */

import { ceilDiv, floats } from "./tile";
import { patches, SCRATCH, tileAt } from "./winogradTiles";
import { gradients4, gradients6, taps4, taps6 } from "./winogradTransforms";

/**
 * V of tiles [first, …) with channels side by side, [x][tile][channels padded to 4].   `begin`, `end` count tiles.
 * plane: floats of one channel of x; scratch: 1 KB for each unit.
 */
// @ts-ignore: decorator
@inline
function pointKernel(
  M: i32, begin: i32, end: i32, v: usize, x: usize, scratch: usize, vStep: i32,
  channels: i32, plane: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32,
): void {
  const work = scratch + begin * SCRATCH;
  const line = ceilDiv(channels, 4) * 4;
  const across = floats(plane, 1);
  for (let t = begin; t < end; t++) {
    const from = x + tileAt(first + t, M, tilesAcross, tilesInImage, channels * plane, width);
    const last = from + floats(channels - 1, plane);
    for (let c = 0; c < channels; c += 4) {
      const p = from + floats(c, plane);
      patches(
        M, v + floats(t, line) + floats(c, 1), floats(vStep, 1),
        p, min(p + across, last), min(p + 2 * across, last), min(p + 3 * across, last), floats(width, 1), work,
      );
    }
  }
}

export function winogradPoints2(
  begin: i32, end: i32, v: usize, x: usize, scratch: usize, vStep: i32,
  channels: i32, plane: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32,
): void {
  pointKernel(2, begin, end, v, x, scratch, vStep, channels, plane, width, tilesAcross, tilesInImage, first);
}

export function winogradPoints4(
  begin: i32, end: i32, v: usize, x: usize, scratch: usize, vStep: i32,
  channels: i32, plane: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32,
): void {
  pointKernel(4, begin, end, v, x, scratch, vStep, channels, plane, width, tilesAcross, tilesInImage, first);
}

/**
 * A·g·Aᵀ of tiles [first, …) with rows side by side, [x][tile][rows padded to 4].   `begin`, `end` count tiles. g has whole
 * tiles: what lies outside the image is 0.
 */
// @ts-ignore: decorator
@inline
function gradientKernel(
  M: i32, begin: i32, end: i32, v: usize, g: usize, scratch: usize, vStep: i32,
  rows: i32, plane: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32,
): void {
  const N = M + 2;
  const work = scratch + begin * SCRATCH;
  const line = ceilDiv(rows, 4) * 4;
  const across = floats(plane, 1);
  const down = floats(width, 1);
  const step = floats(vStep, 1);
  for (let t = begin; t < end; t++) {
    const from = g + tileAt(first + t, M, tilesAcross, tilesInImage, rows * plane, width);
    const last = from + floats(rows - 1, plane);
    for (let i = 0; i < rows; i += 4) {
      let p0 = from + floats(i, plane);
      let p1 = min(p0 + across, last);
      let p2 = min(p0 + 2 * across, last);
      let p3 = min(p0 + 3 * across, last);
      for (let r = 0; r < M; r++, p0 += down, p1 += down, p2 += down, p3 += down) {
        const to = work + floats(r, 4 * N);
        if (M == 2) {
          let g0 = v128.load32_zero(p0);
          let g1 = v128.load32_zero(p0, 4);
          g0 = v128.load_lane<f32>(p1, g0, 1);
          g1 = v128.load_lane<f32>(p1, g1, 1, 4);
          g0 = v128.load_lane<f32>(p2, g0, 2);
          g1 = v128.load_lane<f32>(p2, g1, 2, 4);
          gradients4(to, 16, v128.load_lane<f32>(p3, g0, 3), v128.load_lane<f32>(p3, g1, 3, 4));
        } else {
          const a = v128.load(p0);
          const b = v128.load(p1);
          const c = v128.load(p2);
          const d = v128.load(p3);
          const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
          const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
          const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
          const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
          gradients6(
            to, 16,
            v128.shuffle<f32>(abLow, cdLow, 0, 1, 4, 5), v128.shuffle<f32>(abLow, cdLow, 2, 3, 6, 7),
            v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5), v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7),
          );
        }
      }
      for (let c = 0; c < N; c++) {
        const at = work + (c << 4);
        const to = v + floats(t, line) + floats(i, 1) + <usize>c * step;
        if (M == 2) gradients4(to, 4 * step, v128.load(at), v128.load(at, 64));
        else gradients6(to, 6 * step, v128.load(at), v128.load(at, 96), v128.load(at, 192), v128.load(at, 288));
      }
    }
  }
}

export function winogradGradients2(
  begin: i32, end: i32, v: usize, g: usize, scratch: usize, vStep: i32,
  rows: i32, plane: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32,
): void {
  gradientKernel(2, begin, end, v, g, scratch, vStep, rows, plane, width, tilesAcross, tilesInImage, first);
}

export function winogradGradients4(
  begin: i32, end: i32, v: usize, g: usize, scratch: usize, vStep: i32,
  rows: i32, plane: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32,
): void {
  gradientKernel(4, begin, end, v, g, scratch, vStep, rows, plane, width, tilesAcross, tilesInImage, first);
}

/** d [rows, channels, 3, 3] ← Gᵀ·u·G from u [x][rows, channels].   `begin`, `end` count rows; u is readable 4 floats on. */
// @ts-ignore: decorator
@inline
function tapKernel(M: i32, begin: i32, end: i32, d: usize, u: usize, scratch: usize, uStep: i32, channels: i32): void {
  const N = M + 2;
  const work = scratch + begin * SCRATCH;
  const step = floats(uStep, 1);
  for (let i = begin; i < end; i++) {
    for (let c = 0; c < channels; c += 4) {
      const from = u + floats(i * channels + c, 1);
      for (let s = 0; s < N; s++) {
        const at = from + <usize>s * step;
        const to = work + (s << 4);
        if (M == 2) {
          taps4(to, 64, v128.load(at), v128.load(at + 4 * step), v128.load(at + 8 * step), v128.load(at + 12 * step));
        } else {
          taps6(
            to, 96, v128.load(at), v128.load(at + 6 * step), v128.load(at + 12 * step), v128.load(at + 18 * step),
            v128.load(at + 24 * step), v128.load(at + 30 * step),
          );
        }
      }
      const result = work + 512;
      for (let r = 0; r < 3; r++) {
        const row = work + 16 * N * r;
        const to = result + 48 * r;
        if (M == 2) taps4(to, 16, v128.load(row), v128.load(row, 16), v128.load(row, 32), v128.load(row, 48));
        else {
          taps6(
            to, 16, v128.load(row), v128.load(row, 16), v128.load(row, 32), v128.load(row, 48), v128.load(row, 64),
            v128.load(row, 80),
          );
        }
      }
      const count = min(4, channels - c);
      let to = d + floats(i * channels + c, 9);
      for (let lane = 0; lane < count; lane++) {
        for (let tap = 0; tap < 9; tap++, to += 4) store<f32>(to, load<f32>(result + (tap << 4) + (lane << 2)));
      }
    }
  }
}

export function winogradTaps2(
  begin: i32, end: i32, d: usize, u: usize, scratch: usize, uStep: i32, channels: i32,
): void {
  tapKernel(2, begin, end, d, u, scratch, uStep, channels);
}

export function winogradTaps4(
  begin: i32, end: i32, d: usize, u: usize, scratch: usize, uStep: i32, channels: i32,
): void {
  tapKernel(4, begin, end, d, u, scratch, uStep, channels);
}
