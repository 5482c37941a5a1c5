/** Panels for matmul.ts. */

import { floats } from "./tile";

/**
 * Panels of W lines, each [depth][W], from `lines` lines that are `across` apart, whose elements are `along` apart; the
 * last panel is padded with 0. A's lines are its rows, B's its columns. W is 5, 6 or 8, a constant where it is inlined.
 */
// @ts-ignore: decorator
@inline
export function packPanels(W: i32, out: usize, src: usize, across: i32, along: i32, lines: i32, depth: i32): void {
  const panels = lines / W;
  const panel = floats(depth, W);
  if (across == 1) {
    // p outside, panels inside: each p reads one stretch of memory, however far apart the stretches are.
    for (let p = 0; p < depth; p++) {
      let to = out + floats(p, W);
      let from = src + floats(p, along);
      for (let q = 0; q < panels; q++) {
        v128.store(to, v128.load(from));
        if (W == 8) v128.store(to, v128.load(from, 16), 16);
        else if (W == 6) store<u64>(to, load<u64>(from, 16), 16);
        else store<u32>(to, load<u32>(from, 16), 16);
        to += panel;
        from += W << 2;
      }
    }
  } else {
    const line = floats(across, 1);
    const whole = along == 1 ? depth & ~3 : 0;
    for (let q = 0; q < panels; q++) {
      const to = out + floats(q * W, depth);
      const from = src + floats(q * W, across);
      for (let p = 0; p < whole; p += 4) {
        const f = from + floats(p, 1);
        const g = f + 4 * line;
        const t = to + floats(p, W);
        transpose(W, t, f, line);
        if (W == 8) {
          transpose(W, t + 16, g, line);
        } else if (W == 6) {
          const x = v128.load(g);
          const y = v128.load(g + line);
          const low = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
          const high = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
          v128.store_lane<u64>(t, low, 0, 16);
          v128.store_lane<u64>(t, low, 1, 40);
          v128.store_lane<u64>(t, high, 0, 64);
          v128.store_lane<u64>(t, high, 1, 88);
        } else {
          const x = v128.load(g);
          v128.store_lane<f32>(t, x, 0, 16);
          v128.store_lane<f32>(t, x, 1, 36);
          v128.store_lane<f32>(t, x, 2, 56);
          v128.store_lane<f32>(t, x, 3, 76);
        }
      }
      packLines(W, to, from, across, along, W, whole, depth);
    }
  }
  const packed = panels * W;
  if (packed == lines) return;
  packLines(W, out + floats(packed, depth), src + floats(packed, across), across, along, lines - packed, 0, depth);
}

/** Elements [from, depth) of one panel of W lines, `lines` of which exist. */
function packLines(
  W: i32, out: usize, src: usize, across: i32, along: i32, lines: i32, from: i32, depth: i32,
): void {
  for (let p = from; p < depth; p++) {
    const at = src + floats(p, along);
    const to = out + floats(p, W);
    for (let w = 0; w < W; w++) {
      store<f32>(to + floats(w, 1), w < lines ? load<f32>(at + floats(w, across)) : 0);
    }
  }
}

/** Four elements of each of four lines, `line` bytes apart, as the columns of four rows that are W floats apart. */
// @ts-ignore: decorator
@inline
function transpose(W: i32, out: usize, src: usize, line: usize): void {
  const x = v128.load(src);
  const y = v128.load(src + line);
  const z = v128.load(src + 2 * line);
  const w = v128.load(src + 3 * line);
  const xyLow = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
  const zwLow = v128.shuffle<f32>(z, w, 0, 4, 1, 5);
  const xyHigh = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
  const zwHigh = v128.shuffle<f32>(z, w, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<f32>(xyLow, zwLow, 0, 1, 4, 5));
  v128.store(out + W * 4, v128.shuffle<f32>(xyLow, zwLow, 2, 3, 6, 7));
  v128.store(out + W * 8, v128.shuffle<f32>(xyHigh, zwHigh, 0, 1, 4, 5));
  v128.store(out + W * 12, v128.shuffle<f32>(xyHigh, zwHigh, 2, 3, 6, 7));
}
