/**
 * Max pooling: a choice in every window, kept as a position in the plane h × w. What follows from a choice (the values chosen, the
 * gradient sent back to them) is linear, and exact to any order. One thread owns each plane.
 */
import { select } from "./simd";

/**
 * y = the largest of each window of x [planes, h, w] → [planes, oh, ow], and its position (the first of equals; the last NaN, if there
 * is one; −1 where the window meets padding only) to `index`, unless that is 0. Padding is −∞. `begin`, `end` count planes.
 */
export function maxPool(
  begin: i32, end: i32, y: usize, index: usize, x: usize, h: i32, w: i32, oh: i32, ow: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, ph: i32, pw: i32, dh: i32, dw: i32,
): void {
  let out = <usize>begin * oh * ow << 2;
  for (let p = begin; p < end; p++) {
    const plane = x + (<usize>p * h * w << 2);
    for (let i = 0; i < oh; i++) {
      const top = i * sh - ph;
      const bottom = min(top + (kh - 1) * dh + 1, h);
      const from = inside(top, dh);
      for (let j = 0; j < ow; ) {
        const left = j * sw - pw;
        const to = index ? index + out : 0;
        if (left >= 0 && j + 4 <= ow && left + 3 * sw + (kw - 1) * dw < w) {
          chooseFour(y + out, to, plane, w, from, bottom, dh, left, kw, dw, sw);
          j += 4;
          out += 16;
        } else {
          const right = min(left + (kw - 1) * dw + 1, w);
          choose(y + out, to, plane, w, from, bottom, dh, inside(left, dw), right, dw);
          j++;
          out += 4;
        }
      }
    }
  }
}

/** The first of start, start + step, … that is not negative. */
// @ts-ignore: decorator
@inline
function inside(start: i32, step: i32): i32 {
  return start < 0 ? start + (step - 1 - start) / step * step : start;
}

/**
 * The largest of rows top, top + dh, … < bottom and columns left, left + dw, … < right of a plane, and where it stands. In lanes, all
 * alike: which element of a small window is the largest cannot be foreseen, so nothing may branch upon it.
 */
function choose(
  y: usize, index: usize, plane: usize, w: i32, top: i32, bottom: i32, dh: i32, left: i32, right: i32, dw: i32,
): void {
  let best = f32x4.splat(-<f32>Infinity);
  let chosen = i32x4.splat(top < bottom && left < right ? top * w + left : -1);
  for (let i = top; i < bottom; i += dh) {
    const last = i * w + right;
    for (let at = i * w + left; at < last; at += dw) {
      const from = plane + (<usize>at << 2);
      // In a long row four at a time are seldom of interest.
      if (dw == 1 && at + 4 <= last && !v128.any_true(exceeds(v128.load(from), best))) {
        at += 3;
        continue;
      }
      const v = v128.load32_splat(from);
      const better = exceeds(v, best);
      best = select(better, v, best);
      chosen = select(better, i32x4.splat(at), chosen);
    }
  }
  v128.store32_lane(y, best, 0);
  if (index) v128.store32_lane(index, chosen, 0);
}

/** `choose` in four windows, `sw` apart, the first of which starts in column left; all their kw columns lie inside. */
function chooseFour(
  y: usize, index: usize, plane: usize, w: i32, top: i32, bottom: i32, dh: i32, left: i32, kw: i32, dw: i32, sw: i32,
): void {
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(sw));
  const step = <usize>sw << 2;
  let best = f32x4.splat(-<f32>Infinity);
  let chosen = top < bottom ? i32x4.add(i32x4.splat(top * w + left), lanes) : i32x4.splat(-1);
  for (let i = top; i < bottom; i += dh)
    for (let k = 0, at = i * w + left; k < kw; k++, at += dw) {
      const from = plane + (<usize>at << 2);
      let v: v128;
      if (sw == 1) v = v128.load(from);
      else {
        v = v128.load32_lane(from + step, v128.load32_zero(from), 1);
        v = v128.load32_lane(from + 2 * step, v, 2);
        v = v128.load32_lane(from + 3 * step, v, 3);
      }
      const better = exceeds(v, best);
      best = select(better, v, best);
      chosen = select(better, i32x4.add(i32x4.splat(at), lanes), chosen);
    }
  v128.store(y, best);
  if (index) v128.store(index, chosen);
}

/** `maxPool` of 2 × 2 windows, two apart, that all lie inside: 2·oh ≤ h, 2·ow ≤ w. `begin`, `end` count planes. */
export function maxPool2x2(
  begin: i32, end: i32, y: usize, index: usize, x: usize, h: i32, w: i32, oh: i32, ow: i32,
): void {
  const down = <usize>w << 2;
  let out = <usize>begin * oh * ow << 2;
  for (let p = begin; p < end; p++) {
    const plane = x + (<usize>p * h * w << 2);
    for (let i = 0; i < oh; i++) {
      const first = 2 * i * w;
      const row = plane + (<usize>first << 2);
      let at = i32x4.add(i32x4.splat(first), i32x4(0, 2, 4, 6));
      let j = 0;
      for (; j + 4 <= ow; j += 4, out += 16) {
        const from = row + (<usize>j << 3);
        const a = v128.load(from);
        const b = v128.load(from, 16);
        const c = v128.load(from + down);
        const d = v128.load(from + down, 16);
        let best = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
        let chosen = at;
        let v = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
        let better = exceeds(v, best);
        best = select(better, v, best);
        chosen = select(better, i32x4.add(at, i32x4.splat(1)), chosen);
        v = v128.shuffle<f32>(c, d, 0, 2, 4, 6);
        better = exceeds(v, best);
        best = select(better, v, best);
        chosen = select(better, i32x4.add(at, i32x4.splat(w)), chosen);
        v = v128.shuffle<f32>(c, d, 1, 3, 5, 7);
        better = exceeds(v, best);
        v128.store(y + out, select(better, v, best));
        if (index) v128.store(index + out, select(better, i32x4.add(at, i32x4.splat(w + 1)), chosen));
        at = i32x4.add(at, i32x4.splat(8));
      }
      for (; j < ow; j++, out += 4)
        choose(y + out, index ? index + out : 0, plane, w, 2 * i, 2 * i + 2, 1, 2 * j, 2 * j + 2, 1);
    }
  }
}

/** Where v is larger than the best so far, or NaN. */
// @ts-ignore: decorator
@inline
function exceeds(v: v128, best: v128): v128 {
  return v128.or(f32x4.gt(v, best), f32x4.ne(v, v));
}

/** y[p, i] = x[p, index[p, i]], 0 where that is negative: x [planes, size] → y [planes, outputs]. `begin`, `end` count planes. */
export function takeChosen(begin: i32, end: i32, y: usize, x: usize, index: usize, size: i32, outputs: i32): void {
  let out = <usize>begin * outputs << 2;
  for (let p = begin; p < end; p++) {
    const plane = x + (<usize>p * size << 2);
    for (let i = 0; i < outputs; i++, out += 4) {
      const at = load<i32>(index + out);
      store<f32>(y + out, at < 0 ? 0 : load<f32>(plane + (<usize>at << 2)));
    }
  }
}

/** d[p, index[p, i]] += g[p, i], zeros elsewhere: g [planes, outputs] → d [planes, size]. `begin`, `end` count planes. */
export function putChosen(begin: i32, end: i32, d: usize, g: usize, index: usize, size: i32, outputs: i32): void {
  let out = <usize>begin * outputs << 2;
  for (let p = begin; p < end; p++) {
    const plane = d + (<usize>p * size << 2);
    memory.fill(plane, 0, <usize>size << 2);
    for (let i = 0; i < outputs; i++, out += 4) {
      const at = load<i32>(index + out);
      if (at < 0) continue;
      const to = plane + (<usize>at << 2);
      store<f32>(to, load<f32>(to) + load<f32>(g + out));
    }
  }
}

/** `putChosen` for the choices of `maxPool2x2`: every element is written once. `begin`, `end` count planes. */
export function putChosen2x2(
  begin: i32, end: i32, d: usize, g: usize, index: usize, h: i32, w: i32, oh: i32, ow: i32,
): void {
  const down = <usize>w << 2;
  let out = <usize>begin * oh * ow << 2;
  for (let p = begin; p < end; p++) {
    const plane = d + (<usize>p * h * w << 2);
    for (let i = 0; i < oh; i++) {
      const first = 2 * i * w;
      const row = plane + (<usize>first << 2);
      let at = i32x4.add(i32x4.splat(first), i32x4(0, 2, 4, 6));
      let j = 0;
      for (; j + 4 <= ow; j += 4, out += 16) {
        const v = v128.load(g + out);
        const chosen = i32x4.sub(v128.load(index + out), at);
        const to = row + (<usize>j << 3);
        pairs(to, v, chosen, 0);
        pairs(to + down, v, chosen, w);
        at = i32x4.add(at, i32x4.splat(8));
      }
      for (; j < ow; j++, out += 4) {
        const v = load<f32>(g + out);
        const chosen = load<i32>(index + out) - first - 2 * j;
        const to = row + (<usize>j << 3);
        store<f32>(to, chosen == 0 ? v : 0);
        store<f32>(to, chosen == 1 ? v : 0, 4);
        store<f32>(to + down, chosen == w ? v : 0);
        store<f32>(to + down, chosen == w + 1 ? v : 0, 4);
      }
      for (let rest = 2 * ow; rest < w; rest++) {
        store<f32>(row + (<usize>rest << 2), 0);
        store<f32>(row + down + (<usize>rest << 2), 0);
      }
    }
    memory.fill(plane + <usize>(2 * oh) * down, 0, <usize>(h - 2 * oh) * down);
  }
}

/** Eight elements of a row: v where the choice is its column, `at` or `at` + 1. */
// @ts-ignore: decorator
@inline
function pairs(to: usize, v: v128, chosen: v128, at: i32): void {
  const even = v128.and(v, i32x4.eq(chosen, i32x4.splat(at)));
  const odd = v128.and(v, i32x4.eq(chosen, i32x4.splat(at + 1)));
  v128.store(to, v128.shuffle<f32>(even, odd, 0, 4, 1, 5));
  v128.store(to, v128.shuffle<f32>(even, odd, 2, 6, 3, 7), 16);
}
