/**
 * Convolutions as products whose right operand is read from the image while it is packed: no matrix of columns exists
 * beyond the panels in use. Everything that a convolution and its gradients need has one form,
 *
 *   y[n, i, t] = Σ a[i, p] · x[n, read·t + offset[p]],   p = (channel, tap),   t on a grid of gridWidth columns,
 *
 * on an image with margins, so that no index leaves it. Column j of the product is (image, grid point), row by row.
 * Strides and offsets count floats.
 */

import { copyRow, fillRow, fma, sumLanes } from "./simd";
import { ceilDiv, EDGE, floats, MR, NR, tile } from "./tile";

/**
 * y [planes, yHeight, yWidth] ← x [planes, height, width] moved by top, left, zeros around; negative margins crop.
 * `begin`, `end` count planes.
 */
export function padPlanes(
  begin: i32, end: i32, y: usize, x: usize,
  height: i32, width: i32, top: i32, left: i32, yHeight: i32, yWidth: i32,
): void {
  const first = min(max(left, 0), yWidth);
  const last = max(first, min(yWidth, left + width));
  for (let plane = begin; plane < end; plane++) {
    const from = x + floats(plane * height, width);
    let to = y + floats(plane * yHeight, yWidth);
    for (let i = 0; i < yHeight; i++, to += floats(yWidth, 1)) {
      const row = i - top;
      if (row < 0 || row >= height) {
        fillRow(to, 0, yWidth);
        continue;
      }
      fillRow(to, 0, first);
      copyRow(to + floats(first, 1), from + floats(row, width) + floats(first - left, 1), last - first);
      fillRow(to + floats(last, 1), 0, yWidth - last);
    }
  }
}

/** Where grid point j of all images is read, in bytes from the image's first float. */
// @ts-ignore: decorator
@inline
function place(j: i32, grid: i32, gridWidth: i32, image: i32, down: i32, right: i32): i32 {
  const t = j % grid;
  return ((j / grid) * image + (t / gridWidth) * down + (t % gridWidth) * right) << 2;
}

/**
 * Packs columns [first, first + n) of the product for `convTiles`, in slices of kc.   `begin`, `end` count blocks of
 * `columns` columns, for each slice of k in turn. packed as gemmPack has it; offsets: k numbers of bytes (i32).
 */
export function convPack(
  begin: i32, end: i32, packed: usize, x: usize, offsets: usize,
  image: i32, down: i32, right: i32, grid: i32, gridWidth: i32, first: i32, n: i32, k: i32, kc: i32, columns: i32,
): void {
  const blocks = ceilDiv(n, columns);
  for (let u = begin; u < end; u++) {
    const p0 = (u / blocks) * kc;
    const depth = min(kc, k - p0);
    const j0 = (u % blocks) * columns;
    const j1 = min(n, j0 + columns);
    const out = packed + floats(p0, blocks * columns);
    for (let j = j0; j < j1; j += NR) {
      packPanel(
        out + floats(j, depth), x, offsets + (p0 << 2), depth, first + j, first + n - 1, image, down, right, grid, gridWidth,
      );
    }
  }
}

/** One panel of NR columns from column j on; past the last one that one again. */
function packPanel(
  out: usize, x: usize, offsets: usize, depth: i32, j: i32, last: i32,
  image: i32, down: i32, right: i32, grid: i32, gridWidth: i32,
): void {
  const b0 = place(j, grid, gridWidth, image, down, right);
  const b1 = place(min(j + 1, last), grid, gridWidth, image, down, right);
  const b2 = place(min(j + 2, last), grid, gridWidth, image, down, right);
  const b3 = place(min(j + 3, last), grid, gridWidth, image, down, right);
  const b4 = place(min(j + 4, last), grid, gridWidth, image, down, right);
  const b5 = place(min(j + 5, last), grid, gridWidth, image, down, right);
  const b6 = place(min(j + 6, last), grid, gridWidth, image, down, right);
  const b7 = place(min(j + 7, last), grid, gridWidth, image, down, right);
  const end = offsets + floats(depth, 1);
  if (b3 - b0 == 12 && b7 - b4 == 12) {
    for (; offsets < end; offsets += 4, out += NR << 2) {
      const from = x + load<i32>(offsets);
      v128.store(out, v128.load(from + b0));
      v128.store(out, v128.load(from + b4), 16);
    }
  } else {
    for (; offsets < end; offsets += 4, out += NR << 2) {
      const from = x + load<i32>(offsets);
      let v = v128.load32_zero(from + b0);
      v = v128.load_lane<f32>(from + b1, v, 1);
      v = v128.load_lane<f32>(from + b2, v, 2);
      v128.store(out, v128.load_lane<f32>(from + b3, v, 3));
      let w = v128.load32_zero(from + b4);
      w = v128.load_lane<f32>(from + b5, w, 1);
      w = v128.load_lane<f32>(from + b6, w, 2);
      v128.store(out, v128.load_lane<f32>(from + b7, w, 3), 16);
    }
  }
}

/**
 * The product from packed panels (A's by gemmPack), + bias [m], then the activation (0 none, 1 relu) where `finish`.
 * `begin`, `end` count blocks of rows × columns. Row i of column j goes to y + i·plane + the column's place by image,
 * down and right. edges: 48 floats of workspace for each block.
 */
export function convTiles(
  begin: i32, end: i32, y: usize, packedA: usize, packedB: usize, edges: usize,
  plane: i32, image: i32, down: i32, right: i32, grid: i32, gridWidth: i32, first: i32,
  m: i32, n: i32, k: i32, kc: i32, rows: i32, columns: i32, accumulate: i32, finish: i32, bias: usize, activation: i32,
): void {
  const blocksA = ceilDiv(m, rows);
  const blocksB = ceilDiv(n, columns);
  const slices = ceilDiv(k, kc);
  const dense = right == 1 && down == gridWidth;
  const floor: f32 = activation == 1 ? 0 : -Infinity;
  for (let u = begin; u < end; u++) {
    const i0 = (u / blocksB) * rows;
    const j0 = (u % blocksB) * columns;
    const i1 = min(m, i0 + rows);
    const j1 = min(n, j0 + columns);
    const edge = edges + floats(u, EDGE);
    for (let slice = 0; slice < slices; slice++) {
      const depth = min(kc, k - slice * kc);
      const add = accumulate | slice;
      const last = finish & i32(slice == slices - 1);
      const panelsA = packedA + floats(slice * kc, blocksA * rows);
      const panelsB = packedB + floats(slice * kc, blocksB * columns);
      for (let j = j0; j < j1; j += NR) {
        const column = first + j;
        const whole = dense && n - j >= NR && (column % grid) + NR <= grid;
        const start = y + place(column, grid, gridWidth, image, down, right);
        for (let i = i0; i < i1; i += MR) {
          const panelA = panelsA + floats(i, depth);
          const panelB = panelsB + floats(j, depth);
          const count = min(MR, m - i);
          const biasI = last && bias ? bias + floats(i, 1) : 0;
          if (whole && count == MR) {
            const at = start + floats(i, plane);
            tile(at, plane, panelA, panelB, depth, add);
            if (last && (bias || activation)) finishRows(at, plane, at, plane, MR, 0, biasI, floor);
          } else if (whole) {
            tile(edge, NR, panelA, panelB, depth, 0);
            finishRows(start + floats(i, plane), plane, edge, NR, count, add, biasI, last ? floor : -Infinity);
          } else {
            tile(edge, NR, panelA, panelB, depth, 0);
            for (let lane = 0; lane < min(NR, n - j); lane++) {
              let at = y + floats(i, plane) + place(column + lane, grid, gridWidth, image, down, right);
              for (let r = 0; r < count; r++, at += floats(plane, 1)) {
                let value = load<f32>(edge + floats(r * NR + lane, 1));
                if (add) value += load<f32>(at);
                if (biasI) value += load<f32>(biasI + floats(r, 1));
                store<f32>(at, last && value < floor ? floor : value);
              }
            }
          }
        }
      }
    }
  }
}

/** y [rows, NR] ← activation(x + bias of the rows), + y before it where `add`; rows are `plane` and `line` floats apart. */
function finishRows(
  y: usize, plane: i32, x: usize, line: i32, rows: i32, add: i32, bias: usize, floor: f32,
): void {
  const least = f32x4.splat(floor);
  for (let r = 0; r < rows; r++, y += floats(plane, 1), x += floats(line, 1)) {
    const b = f32x4.splat(bias ? load<f32>(bias + floats(r, 1)) : 0);
    let v = f32x4.add(v128.load(x), b);
    let w = f32x4.add(v128.load(x, 16), b);
    if (add) {
      v = f32x4.add(v, v128.load(y));
      w = f32x4.add(w, v128.load(y, 16));
    }
    v128.store(y, f32x4.pmax(v, least));
    v128.store(y, f32x4.pmax(w, least), 16);
  }
}

/**
 * Packs the transposed product for the gradient of the weights: depth j ∈ [first, first + depth) are grid points,
 * columns p the channels and taps.   `begin`, `end` count blocks of `columns` columns, for each slice of j in turn.
 */
export function convPackPoints(
  begin: i32, end: i32, packed: usize, x: usize, offsets: usize,
  image: i32, down: i32, right: i32, grid: i32, gridWidth: i32, first: i32, n: i32, k: i32, kc: i32, columns: i32,
): void {
  const blocks = ceilDiv(n, columns);
  for (let u = begin; u < end; u++) {
    const slice = (u / blocks) * kc;
    const depth = min(kc, k - slice);
    const p0 = (u % blocks) * columns;
    const p1 = min(n, p0 + columns);
    for (let p = p0; p < p1; p += NR) {
      let out = packed + floats(slice, blocks * columns) + floats(p, depth);
      const last = offsets + floats(n - 1, 1);
      const at = offsets + floats(p, 1);
      const b0 = load<i32>(at);
      const b1 = load<i32>(min(at + 4, last));
      const b2 = load<i32>(min(at + 8, last));
      const b3 = load<i32>(min(at + 12, last));
      const b4 = load<i32>(min(at + 16, last));
      const b5 = load<i32>(min(at + 20, last));
      const b6 = load<i32>(min(at + 24, last));
      const b7 = load<i32>(min(at + 28, last));
      let from = x + place(first + slice, grid, gridWidth, image, down, right);
      let t = (first + slice) % grid;
      let column = t % gridWidth;
      for (let j = 0; j < depth; j++, out += NR << 2) {
        let v = v128.load32_zero(from + b0);
        v = v128.load_lane<f32>(from + b1, v, 1);
        v = v128.load_lane<f32>(from + b2, v, 2);
        v128.store(out, v128.load_lane<f32>(from + b3, v, 3));
        let w = v128.load32_zero(from + b4);
        w = v128.load_lane<f32>(from + b5, w, 1);
        w = v128.load_lane<f32>(from + b6, w, 2);
        v128.store(out, v128.load_lane<f32>(from + b7, w, 3), 16);
        from += floats(right, 1);
        if (++column == gridWidth) {
          column = 0;
          t += gridWidth;
          if (t == grid) t = 0;
          from = x + place(first + slice + j + 1, grid, gridWidth, image, down, right);
        }
      }
    }
  }
}

/**
 * y = the sum above by rows of the image: for few channels or few rows of a, as in depthwise convolution.   `begin`,
 * `end` count planes of y, `groups · rows` in an image; each group has `k` products from `channels` planes of x.
 */
export function convRows(
  begin: i32, end: i32, y: usize, x: usize, a: usize, offsets: usize,
  yPlane: i32, yDown: i32, yRight: i32, xImage: i32, xGroup: i32, xDown: i32, xRight: i32,
  grid: i32, gridWidth: i32, groups: i32, rows: i32, k: i32, bias: usize, activation: i32,
): void {
  const height = grid / gridWidth;
  const floor: f32 = activation == 1 ? 0 : -Infinity;
  const least = f32x4.splat(floor);
  for (let u = begin; u < end; u++) {
    const row = u % (groups * rows);
    const from = x + floats(u / (groups * rows), xImage) + floats(row / rows, xGroup);
    const weights = a + floats(row, k);
    const b: f32 = bias ? load<f32>(bias + floats(row, 1)) : 0;
    for (let t = 0; t < height; t++) {
      const to = y + floats(u, yPlane) + floats(t, yDown);
      const source = from + floats(t, xDown);
      let j = 0;
      if (xRight == 1 && yRight == 1) {
        for (; j + 16 <= gridWidth; j += 16) {
          let s0 = f32x4.splat(b);
          let s1 = s0;
          let s2 = s0;
          let s3 = s0;
          const at = source + floats(j, 1);
          for (let p = 0; p < k; p++) {
            const w = v128.load32_splat(weights + floats(p, 1));
            const v = at + load<i32>(offsets + floats(p, 1));
            s0 = fma(w, v128.load(v), s0);
            s1 = fma(w, v128.load(v, 16), s1);
            s2 = fma(w, v128.load(v, 32), s2);
            s3 = fma(w, v128.load(v, 48), s3);
          }
          const out = to + floats(j, 1);
          v128.store(out, f32x4.pmax(s0, least));
          v128.store(out, f32x4.pmax(s1, least), 16);
          v128.store(out, f32x4.pmax(s2, least), 32);
          v128.store(out, f32x4.pmax(s3, least), 48);
        }
        for (; j + 4 <= gridWidth; j += 4) {
          let s = f32x4.splat(b);
          const at = source + floats(j, 1);
          for (let p = 0; p < k; p++) {
            s = fma(v128.load32_splat(weights + floats(p, 1)), v128.load(at + load<i32>(offsets + floats(p, 1))), s);
          }
          v128.store(to + floats(j, 1), f32x4.pmax(s, least));
        }
      }
      for (; j < gridWidth; j++) {
        let s = b;
        const at = source + floats(j, xRight);
        for (let p = 0; p < k; p++) {
          s += load<f32>(weights + floats(p, 1)) * load<f32>(at + load<i32>(offsets + floats(p, 1)));
        }
        store<f32>(to + floats(j, yRight), s < floor ? floor : s);
      }
    }
  }
}

/**
 * a[row, p] (+)= Σ g[n, row, t] · x[n, read·t + offset[p]] over images and grid points, the gradient of `convRows` in its
 * weights.   `begin`, `end` count the groups · rows · k products. Rows are summed in f32, the rows' sums in f64.
 */
export function convRowsGrad(
  begin: i32, end: i32, a: usize, g: usize, x: usize, offsets: usize,
  xImage: i32, xGroup: i32, xDown: i32, xRight: i32,
  images: i32, grid: i32, gridWidth: i32, groups: i32, rows: i32, k: i32, accumulate: i32,
): void {
  const height = grid / gridWidth;
  for (let u = begin; u < end; u++) {
    const row = u / k;
    const from = x + floats(row / rows, xGroup) + load<i32>(offsets + floats(u % k, 1));
    let sum: f64 = accumulate ? load<f32>(a + floats(u, 1)) : 0;
    for (let image = 0; image < images; image++) {
      const gPlane = g + floats(image * groups * rows + row, grid);
      for (let t = 0; t < height; t++) {
        const gRow = gPlane + floats(t, gridWidth);
        const xRow = from + floats(image, xImage) + floats(t, xDown);
        let j = 0;
        let v = f32x4.splat(0);
        if (xRight == 1) {
          for (; j + 4 <= gridWidth; j += 4) v = fma(v128.load(gRow + floats(j, 1)), v128.load(xRow + floats(j, 1)), v);
        }
        let s = sumLanes(v);
        for (; j < gridWidth; j++) s += load<f32>(gRow + floats(j, 1)) * load<f32>(xRow + floats(j, xRight));
        sum += <f64>s;
      }
    }
    store<f32>(a + floats(u, 1), <f32>sum);
  }
}

/**
 * The weights of a gradient: y[group, c, o·taps + t] = w[group·rows + o, c, tap[t]], from w [groups · rows, channels,
 * size].   `begin`, `end` count (group, c); taps are i32.
 */
export function convFlip(
  begin: i32, end: i32, y: usize, w: usize, taps: usize, rows: i32, channels: i32, size: i32, count: i32,
): void {
  for (let u = begin; u < end; u++) {
    let from = w + floats(((u / channels) * rows) * channels + (u % channels), size);
    let to = y + floats(u * rows, count);
    for (let o = 0; o < rows; o++, from += floats(channels, size)) {
      for (let t = 0; t < count; t++, to += 4) store<f32>(to, load<f32>(from + (load<i32>(taps + (t << 2)) << 2)));
    }
  }
}
