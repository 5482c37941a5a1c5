/** Tiles of an image and what Winograd's transforms make of them, for winograd.ts and winogradGrad.ts. */

import { floats } from "./tile";
import { data4, data6 } from "./winogradTransforms";

/** Bytes of scratch that one unit of work has. */
// @ts-ignore: decorator
@inline
export const SCRATCH: i32 = 1024;

/** The first of a tile's m × m pixels in an image of `image` floats with rows of `width`. */
// @ts-ignore: decorator
@inline
export function tileAt(t: i32, m: i32, tilesAcross: i32, tilesInImage: i32, image: i32, width: i32): usize {
  const inside = t % tilesInImage;
  return floats(t / tilesInImage, image) + floats((inside / tilesAcross) * m * width + (inside % tilesAcross) * m, 1);
}

/** Four rows of four floats as four columns, stored 16 bytes apart. */
// @ts-ignore: decorator
@inline
function transposed(M: i32, out: usize, step: usize, p0: usize, p1: usize, p2: usize, p3: usize): void {
  const x = v128.load(p0);
  const y = v128.load(p1);
  const z = v128.load(p2);
  const w = v128.load(p3);
  const xyLow = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
  const zwLow = v128.shuffle<f32>(z, w, 0, 4, 1, 5);
  const xyHigh = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
  const zwHigh = v128.shuffle<f32>(z, w, 2, 6, 3, 7);
  const d0 = v128.shuffle<f32>(xyLow, zwLow, 0, 1, 4, 5);
  const d1 = v128.shuffle<f32>(xyLow, zwLow, 2, 3, 6, 7);
  const d2 = v128.shuffle<f32>(xyHigh, zwHigh, 0, 1, 4, 5);
  const d3 = v128.shuffle<f32>(xyHigh, zwHigh, 2, 3, 6, 7);
  if (M == 2) {
    data4(out, step, d0, d1, d2, d3);
  } else {
    const f = v128.load(p0, 8);
    const g = v128.load(p1, 8);
    const h = v128.load(p2, 8);
    const k = v128.load(p3, 8);
    const fg = v128.shuffle<f32>(f, g, 2, 6, 3, 7);
    const hk = v128.shuffle<f32>(h, k, 2, 6, 3, 7);
    data6(out, step, d0, d1, d2, d3, v128.shuffle<f32>(fg, hk, 0, 1, 4, 5), v128.shuffle<f32>(fg, hk, 2, 3, 6, 7));
  }
}

/** Bᵀ·d·B of the patches at p0 … p3, one in each lane; coefficient x is stored at out + x·step. */
// @ts-ignore: decorator
@inline
export function patches(
  M: i32, out: usize, step: usize, p0: usize, p1: usize, p2: usize, p3: usize, row: usize, scratch: usize,
): void {
  const N = M + 2;
  for (let r = 0; r < N; r++, p0 += row, p1 += row, p2 += row, p3 += row) {
    transposed(M, scratch + floats(r, 4 * N), 16, p0, p1, p2, p3);
  }
  for (let c = 0; c < N; c++) {
    const at = scratch + floats(c, 4);
    const to = out + <usize>c * step;
    if (M == 2) {
      data4(to, 4 * step, v128.load(at), v128.load(at, 64), v128.load(at, 128), v128.load(at, 192));
    } else {
      data6(
        to, 6 * step,
        v128.load(at), v128.load(at, 96), v128.load(at, 192), v128.load(at, 288), v128.load(at, 384), v128.load(at, 480),
      );
    }
  }
}
