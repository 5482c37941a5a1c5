/**
 * 3 × 3 convolutions with stride 1 by Winograd's F(m × m, 3 × 3), m = 2 or 4: each tile of m × m outputs comes from
 * (m + 2)² products instead of 9·m², by one product of matrices for each of the (m + 2)² coefficients x:
 *
 *   image ── winogradData ──▶ V[x] [channels, tiles] ─┐
 *                                                     ├─ winogradProducts ──▶ M[x] [rows, tiles] ── winogradOutputs ──▶ y
 *   weights ─ winogradWeights ▶ U[x] [rows, channels] ┘
 *
 * The image has its margins already, so that all tiles lie inside. V and U are stored as the panels that `tile` reads.
 * Coefficients are `vStep`, `uStep`, `mStep` floats apart: not a power of 2, or they would fight for one set of the cache.
 * For the gradient of the weights, `winogradPoints` and `winogradGradients` give V and the gradients with channels side
 * by side, gemm sums over the tiles, and `winogradTaps` returns to 3 × 3. Tiles count row by row, image by image.
 */

import { ceilDiv, floats, MR, NR, tile } from "./tile";
import { patches, SCRATCH, tileAt } from "./winogradTiles";
import { outputs2, outputs4, weights4, weights6 } from "./winogradTransforms";

/** Channels, and rows, that one unit of work transforms. */
// @ts-ignore: decorator
@inline
const BLOCK: i32 = 16;

/**
 * V of tiles [first, first + tiles) in panels of NR tiles, [x][panel][channel][NR].   `begin`, `end` count blocks of 16
 * channels for each panel. plane: floats of one channel of x; scratch: 1 KB for each unit.
 */
// @ts-ignore: decorator
@inline
function dataKernel(
  M: i32, begin: i32, end: i32, v: usize, x: usize, scratch: usize, vStep: i32,
  channels: i32, plane: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32, tiles: i32,
): void {
  const blocks = ceilDiv(channels, BLOCK);
  const work = scratch + begin * SCRATCH;
  const step = floats(vStep, 1);
  const image = channels * plane;
  for (let u = begin; u < end; u++) {
    const panel = u / blocks;
    const c0 = (u % blocks) * BLOCK;
    const c1 = min(channels, c0 + BLOCK);
    for (let half = 0; half < NR; half += 4) {
      const t = panel * NR + half;
      const last = first + tiles - 1;
      const from = x + floats(c0, plane);
      let p0 = from + tileAt(min(last, first + t), M, tilesAcross, tilesInImage, image, width);
      let p1 = from + tileAt(min(last, first + t + 1), M, tilesAcross, tilesInImage, image, width);
      let p2 = from + tileAt(min(last, first + t + 2), M, tilesAcross, tilesInImage, image, width);
      let p3 = from + tileAt(min(last, first + t + 3), M, tilesAcross, tilesInImage, image, width);
      let out = v + floats(panel * channels + c0, NR) + floats(half, 1);
      for (let c = c0; c < c1; c++, out += NR << 2) {
        patches(M, out, step, p0, p1, p2, p3, floats(width, 1), work);
        p0 += floats(plane, 1);
        p1 += floats(plane, 1);
        p2 += floats(plane, 1);
        p3 += floats(plane, 1);
      }
    }
  }
}

export function winogradData2(
  begin: i32, end: i32, v: usize, x: usize, scratch: usize, vStep: i32,
  channels: i32, plane: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32, tiles: i32,
): void {
  dataKernel(2, begin, end, v, x, scratch, vStep, channels, plane, width, tilesAcross, tilesInImage, first, tiles);
}

export function winogradData4(
  begin: i32, end: i32, v: usize, x: usize, scratch: usize, vStep: i32,
  channels: i32, plane: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32, tiles: i32,
): void {
  dataKernel(4, begin, end, v, x, scratch, vStep, channels, plane, width, tilesAcross, tilesInImage, first, tiles);
}

/**
 * U = G·w·Gᵀ in panels of MR rows, [x][panel][k][MR]; rows past the last one repeat it.   `begin`, `end` count groups of
 * 4 rows. Weight (i, k) is 9 floats at w + i·rowStep + k·depthStep, read backwards where `flip`.
 */
// @ts-ignore: decorator
@inline
function weightKernel(
  M: i32, begin: i32, end: i32, u: usize, w: usize, scratch: usize, uStep: i32,
  rows: i32, k: i32, rowStep: i32, depthStep: i32, flip: i32,
): void {
  const N = M + 2;
  const work = scratch + begin * SCRATCH;
  const coefficients = work + 512;
  const step = floats(uStep, 1);
  const padded = ceilDiv(rows, MR) * MR;
  for (let group = begin; group < end; group++) {
    const i = group * 4;
    const from0 = w + floats(min(i, rows - 1), rowStep);
    const from1 = w + floats(min(i + 1, rows - 1), rowStep);
    const from2 = w + floats(min(i + 2, rows - 1), rowStep);
    const from3 = w + floats(min(i + 3, rows - 1), rowStep);
    const to0 = u + floats((i / MR) * k, MR) + floats(i % MR, 1);
    const to1 = u + floats(((i + 1) / MR) * k, MR) + floats((i + 1) % MR, 1);
    const to2 = u + floats(((i + 2) / MR) * k, MR) + floats((i + 2) % MR, 1);
    const to3 = u + floats(((i + 3) / MR) * k, MR) + floats((i + 3) % MR, 1);
    const count = min(4, padded - i);
    if (count <= 0) break;
    for (let p = 0; p < k; p++) {
      const at = floats(p, depthStep);
      for (let c = 0; c < 3; c++) {
        const a = at + ((flip ? 8 - c : c) << 2);
        const down: usize = flip ? -12 : 12;
        let w0 = v128.load32_zero(from0 + a);
        let w1 = v128.load32_zero(from0 + a + down);
        let w2 = v128.load32_zero(from0 + a + 2 * down);
        w0 = v128.load_lane<f32>(from1 + a, w0, 1);
        w1 = v128.load_lane<f32>(from1 + a + down, w1, 1);
        w2 = v128.load_lane<f32>(from1 + a + 2 * down, w2, 1);
        w0 = v128.load_lane<f32>(from2 + a, w0, 2);
        w1 = v128.load_lane<f32>(from2 + a + down, w1, 2);
        w2 = v128.load_lane<f32>(from2 + a + 2 * down, w2, 2);
        w0 = v128.load_lane<f32>(from3 + a, w0, 3);
        w1 = v128.load_lane<f32>(from3 + a + down, w1, 3);
        w2 = v128.load_lane<f32>(from3 + a + 2 * down, w2, 3);
        if (M == 2) weights4(work + (c << 4), 48, w0, w1, w2);
        else weights6(work + (c << 4), 48, w0, w1, w2);
      }
      for (let r = 0; r < N; r++) {
        const row = work + 48 * r;
        if (M == 2) weights4(coefficients, 16, v128.load(row), v128.load(row, 16), v128.load(row, 32));
        else weights6(coefficients, 16, v128.load(row), v128.load(row, 16), v128.load(row, 32));
        let x = <usize>(r * N) * step + floats(p, MR);
        for (let c = 0; c < N; c++, x += step) {
          const value = v128.load(coefficients + (c << 4));
          if (MR == 6) {
            v128.store_lane<u64>(to0 + x, value, 0);
            if (count > 2) v128.store_lane<u64>(to2 + x, value, 1);
          } else {
            v128.store_lane<f32>(to0 + x, value, 0);
            if (count > 1) v128.store_lane<f32>(to1 + x, value, 1);
            if (count > 2) v128.store_lane<f32>(to2 + x, value, 2);
            if (count > 3) v128.store_lane<f32>(to3 + x, value, 3);
          }
        }
      }
    }
  }
}

export function winogradWeights2(
  begin: i32, end: i32, u: usize, w: usize, scratch: usize, uStep: i32,
  rows: i32, k: i32, rowStep: i32, depthStep: i32, flip: i32,
): void {
  weightKernel(2, begin, end, u, w, scratch, uStep, rows, k, rowStep, depthStep, flip);
}

export function winogradWeights4(
  begin: i32, end: i32, u: usize, w: usize, scratch: usize, uStep: i32,
  rows: i32, k: i32, rowStep: i32, depthStep: i32, flip: i32,
): void {
  weightKernel(4, begin, end, u, w, scratch, uStep, rows, k, rowStep, depthStep, flip);
}

/**
 * M[x] = U[x]·V[x], [rows padded to MR, tiles padded to NR].   `begin`, `end` count blocks of `block` rows,
 * a multiple of MR, for each of the coefficients.
 */
export function winogradProducts(
  begin: i32, end: i32, m: usize, u: usize, v: usize, mStep: i32, uStep: i32, vStep: i32,
  rows: i32, k: i32, tiles: i32, block: i32,
): void {
  const panels = ceilDiv(rows, MR);
  const blocks = ceilDiv(rows, block);
  const across = ceilDiv(tiles, NR);
  for (let unit = begin; unit < end; unit++) {
    const x = unit / blocks;
    const q0 = ((unit % blocks) * block) / MR;
    const q1 = min(panels, q0 + block / MR);
    const out = m + floats(x, mStep);
    const left = u + floats(x, uStep);
    const right = v + floats(x, vStep);
    for (let q = q0; q < q1; q++) {
      const a = left + floats(q * k, MR);
      const c = out + floats(q * MR, across * NR);
      for (let t = 0; t < across; t++) tile(c + floats(t, NR), across * NR, a, right + floats(t * k, NR), k, 0);
    }
  }
}

/**
 * y = Aᵀ·M·A of tiles [first, first + tiles), + bias [rows], then the activation; what lies outside the image is left
 * out. These are `rows` of the `allRows` planes that an image has.   `begin`, `end` count blocks of 16 rows for each panel of NR tiles.
 */
// @ts-ignore: decorator
@inline
function outputKernel(
  M: i32, begin: i32, end: i32, y: usize, m: usize, scratch: usize, mStep: i32,
  allRows: i32, rows: i32, height: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32, tiles: i32,
  bias: usize, activation: i32,
): void {
  const N = M + 2;
  const blocks = ceilDiv(rows, BLOCK);
  const work = scratch + begin * SCRATCH;
  const step = floats(mStep, 1);
  const line = ceilDiv(tiles, NR) * NR;
  const plane = height * width;
  const least = f32x4.splat(activation == 1 ? 0 : -Infinity);
  for (let unit = begin; unit < end; unit++) {
    const i0 = (unit % blocks) * BLOCK;
    const i1 = min(rows, i0 + BLOCK);
    for (let half = 0; half < NR; half += 4) {
      const t = (unit / blocks) * NR + half;
      const lanes = min(4, tiles - t);
      for (let i = i0; i < i1 && lanes > 0; i++) {
        const from = m + floats(i, line) + floats(t, 1);
        for (let c = 0; c < N; c++) {
          const at = from + <usize>c * step;
          const to = work + (c << 4);
          if (M == 2) {
            outputs2(
              to, 64, v128.load(at), v128.load(at + 4 * step), v128.load(at + 8 * step), v128.load(at + 12 * step),
            );
          } else {
            outputs4(
              to, 96, v128.load(at), v128.load(at + 6 * step), v128.load(at + 12 * step), v128.load(at + 18 * step),
              v128.load(at + 24 * step), v128.load(at + 30 * step),
            );
          }
        }
        const b = f32x4.splat(bias ? load<f32>(bias + floats(i, 1)) : 0);
        const result = work + 512;
        for (let r = 0; r < M; r++) {
          const row = work + r * N * 16;
          const to = result + r * M * 16;
          if (M == 2) {
            outputs2(to, 16, v128.load(row), v128.load(row, 16), v128.load(row, 32), v128.load(row, 48));
          } else {
            outputs4(
              to, 16, v128.load(row), v128.load(row, 16), v128.load(row, 32), v128.load(row, 48), v128.load(row, 64),
              v128.load(row, 80),
            );
          }
          const r0 = f32x4.pmax(f32x4.add(v128.load(to), b), least);
          const r1 = f32x4.pmax(f32x4.add(v128.load(to, 16), b), least);
          if (M == 2) {
            v128.store(to, v128.shuffle<f32>(r0, r1, 0, 4, 1, 5));
            v128.store(to, v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), 16);
          } else {
            const r2 = f32x4.pmax(f32x4.add(v128.load(to, 32), b), least);
            const r3 = f32x4.pmax(f32x4.add(v128.load(to, 48), b), least);
            const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
            const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
            const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
            const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
            v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
            v128.store(to, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), 16);
            v128.store(to, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 32);
            v128.store(to, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), 48);
          }
        }
        for (let lane = 0; lane < lanes; lane++) {
          const number = first + t + lane;
          const inside = number % tilesInImage;
          const top = (inside / tilesAcross) * M;
          const left = (inside % tilesAcross) * M;
          const bottom = min(M, height - top);
          const right = min(M, width - left);
          let to = y + floats((number / tilesInImage) * allRows + i, plane) + floats(top * width + left, 1);
          // A row of the tile lies behind those of the lanes before.
          let from = result + lane * M * 4;
          for (let r = 0; r < bottom; r++, to += floats(width, 1), from += M << 4) {
            if (right < M) for (let c = 0; c < right; c++) store<f32>(to + (c << 2), load<f32>(from + (c << 2)));
            else if (M == 4) v128.store(to, v128.load(from));
            else store<u64>(to, load<u64>(from));
          }
        }
      }
    }
  }
}

export function winogradOutputs2(
  begin: i32, end: i32, y: usize, m: usize, scratch: usize, mStep: i32,
  allRows: i32, rows: i32, height: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32, tiles: i32,
  bias: usize, activation: i32,
): void {
  outputKernel(
    2, begin, end, y, m, scratch, mStep,
    allRows, rows, height, width, tilesAcross, tilesInImage, first, tiles, bias, activation,
  );
}

export function winogradOutputs4(
  begin: i32, end: i32, y: usize, m: usize, scratch: usize, mStep: i32,
  allRows: i32, rows: i32, height: i32, width: i32, tilesAcross: i32, tilesInImage: i32, first: i32, tiles: i32,
  bias: usize, activation: i32,
): void {
  outputKernel(
    4, begin, end, y, m, scratch, mStep,
    allRows, rows, height, width, tilesAcross, tilesInImage, first, tiles, bias, activation,
  );
}
