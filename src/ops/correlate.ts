/** Convolutions and their gradients by packed products, or row by row where there is little to multiply. Pointers in, numbers out. */
import { allocate, f32View, i32View, release } from "../core/memory.ts";
import { parallel } from "../core/parallel.ts";
import { copy, rowGrain } from "./strides.ts";

/**
 * y[n, group·rows + i, start + step·t] = Σ a[group·rows + i, p] · x[n, group·channels + c, read·t + tap], p = (c, tap), for t on a
 * grid, + bias, then the activation. Pairs are [vertical, horizontal]; taps may lie outside the image, where it is 0.
 */
export interface Correlation {
  images: number;
  groups: number;
  rows: number;
  channels: number;
  grid: readonly [number, number];
  read: readonly [number, number];
  taps: readonly (readonly [number, number])[];
  /** Height and width of x and of y. */
  source: readonly [number, number];
  target: readonly [number, number];
  start: readonly [number, number];
  step: readonly [number, number];
  bias?: number;
  activation?: "none" | "relu";
}

/** As in core/gemm.ts: rows and columns of a block, and the floats in which it completes the tiles cut by the edge. */
const ROWS = 60;
const COLUMNS = 64;
const EDGE = 48;
const DEPTH = 512;
/** Floats of panels that one pair of jobs aims at, and of padded images at a time. */
const WORKSPACE = 1 << 21;
const PADDED = 1 << 22;
/** Multiplications, and floats to pack, that are worth waking another thread for. */
const WORTHWHILE = 1 << 18;
const WORTH_PACKING = 1 << 15;
/** Rows of `a` under which a product by tiles wastes most of them. */
const THIN = 4;

/** x with the margins that the taps reach into, and where each (channel, tap) lies from a grid point's first float, in bytes. */
interface Source {
  ptr: number;
  width: number;
  plane: number;
  offsets: number;
}

/** `body` once for every stretch of images [first, first + count), whose padded copy stays small. */
function overSources(
  x: number,
  { images, groups, channels, grid, read, taps, source: [height, width] }: Correlation,
  body: (source: Source, first: number, count: number) => void,
): void {
  const reach = [0, 1].map((axis) => {
    const all = taps.map((tap) => tap[axis]);
    const size = [height, width][axis];
    const end = (grid[axis] - 1) * read[axis] + Math.max(...all) + 1;
    return { before: Math.max(0, -Math.min(...all)), after: Math.max(0, end - size), size };
  });
  const [paddedHeight, paddedWidth] = reach.map(({ before, after, size }) => before + size + after);
  const [top, left] = reach.map(({ before }) => before);
  const inside = paddedHeight === height && paddedWidth === width;
  const plane = paddedHeight * paddedWidth;
  const planes = groups * channels;
  const chunk = inside ? images : Math.min(images, Math.max(1, Math.floor(PADDED / (planes * plane))));
  const table = allocate(4 * channels * taps.length);
  const offsets = i32View(table.ptr, channels * taps.length);
  for (let c = 0, p = 0; c < channels; c++)
    for (const [dy, dx] of taps) offsets[p++] = 4 * (c * plane + (top + dy) * paddedWidth + left + dx);
  const padded = inside ? undefined : allocate(4 * chunk * planes * plane);
  for (let first = 0; first < images; first += chunk) {
    const count = Math.min(chunk, images - first);
    const from = x + 4 * first * planes * height * width;
    if (padded) {
      const sizes = [height, width, top, left, paddedHeight, paddedWidth];
      parallel("padPlanes", count * planes, rowGrain(plane), padded.ptr, from, ...sizes);
    }
    body({ ptr: padded?.ptr ?? from, width: paddedWidth, plane, offsets: table.ptr }, first, count);
  }
  if (padded) release(padded);
  release(table);
}

/** Computes `y` from `x` and `a` [groups · rows, channels · taps]; all three are pointers. */
export function correlate(y: number, x: number, a: number, c: Correlation): void {
  if (c.images * c.grid[0] * c.grid[1] * c.groups * c.rows === 0) return;
  overSources(x, c, (source, first, count) => {
    const to = y + 4 * (first * c.groups * c.rows * c.target[0] * c.target[1] + c.start[0] * c.target[1] + c.start[1]);
    if (c.rows < THIN) byRows(to, a, source, count, c);
    else for (let group = 0; group < c.groups; group++) byTiles(to, a, source, group, count, c);
  });
}

const ACTIVATIONS = { none: 0, relu: 1 };

function byRows(y: number, a: number, source: Source, images: number, c: Correlation): void {
  const { groups, rows, channels, grid, read, target, step, taps, bias = 0, activation = "none" } = c;
  const k = channels * taps.length;
  const to = [target[0] * target[1], step[0] * target[1], step[1]];
  const from = [groups * channels * source.plane, channels * source.plane, read[0] * source.width, read[1]];
  const sizes = [grid[0] * grid[1], grid[1], groups, rows, k, bias, ACTIVATIONS[activation]];
  const grain = Math.ceil(WORTHWHILE / (4 * grid[0] * grid[1] * k));
  parallel("convRows", images * groups * rows, grain, y, source.ptr, a, source.offsets, ...to, ...from, ...sizes);
}

/** The part of a product that one pair of jobs takes: columns and depth, in equal parts. */
const part = (size: number, most: number, unit: number): number =>
  Math.ceil(size / Math.ceil(size / most) / unit) * unit;

function byTiles(y: number, a: number, source: Source, group: number, images: number, c: Correlation): void {
  const { groups, rows: m, channels, grid, read, target, step, taps, bias = 0, activation = "none" } = c;
  const [k, n] = [channels * taps.length, images * grid[0] * grid[1]];
  const kc = part(k, DEPTH, 4);
  const blocksA = Math.ceil(m / ROWS);
  const kb = part(k, Math.max(kc, WORKSPACE / (2 * blocksA * ROWS)), kc);
  const nb = part(n, Math.max(16 * COLUMNS, WORKSPACE / (2 * kb)), COLUMNS);
  const blocksB = Math.ceil(nb / COLUMNS);
  const sizeA = 4 * kb * blocksA * ROWS;
  const sizeB = 4 * kb * blocksB * COLUMNS;
  const workspace = allocate(sizeA + sizeB + 4 * EDGE * blocksA * blocksB);
  const [packedA, packedB, edges] = [workspace.ptr, workspace.ptr + sizeA, workspace.ptr + sizeA + sizeB];
  const plane = target[0] * target[1];
  const from = source.ptr + 4 * group * channels * source.plane;
  const places = [groups * channels * source.plane, read[0] * source.width, read[1], grid[0] * grid[1], grid[1]];
  const to = [plane, groups * m * plane, step[0] * target[1], step[1], grid[0] * grid[1], grid[1]];
  for (let p = 0; p < k; p += kb) {
    const depth = Math.min(kb, k - p);
    const slices = Math.ceil(depth / kc);
    const last = p + kb >= k;
    const rowsA = [a + 4 * (group * m * k + p), k, 1, 0, 0, 0, 0, 0];
    const packGrain = Math.ceil(WORTH_PACKING / (ROWS * kc));
    const sizesA = [m, 0, depth, kc, ROWS, COLUMNS];
    parallel("gemmPack", slices * blocksA, packGrain, packedA, packedB, ...rowsA, ...sizesA);
    for (let j = 0; j < n; j += nb) {
      const columns = Math.min(nb, n - j);
      const cb = Math.ceil(columns / COLUMNS);
      const sizes = [columns, depth, kc];
      const grain = Math.ceil(WORTH_PACKING / (COLUMNS * kc));
      const offsets = source.offsets + 4 * p;
      parallel("convPack", slices * cb, grain, packedB, from, offsets, ...places, j, ...sizes, COLUMNS);
      const finish = [+(p > 0), +last, bias && bias + 4 * group * m, ACTIVATIONS[activation]];
      parallel(
        "convTiles",
        blocksA * cb,
        Math.ceil(WORTHWHILE / (ROWS * COLUMNS * depth)),
        ...[y + 4 * group * m * plane, packedA, packedB, edges, ...to, j, m, ...sizes, ROWS, COLUMNS, ...finish],
      );
    }
  }
  release(workspace);
}

/**
 * a [groups · rows, channels · taps] ← Σ g[n, row, t] · x[n, channel, read·t + tap] over images n and grid points t: the gradient of
 * `correlate` in a. g [images, groups · rows, grid]; all three are pointers.
 */
export function correlateWeights(a: number, x: number, g: number, c: Correlation): void {
  const { groups, rows, channels, grid, read, taps } = c;
  const [points, k] = [grid[0] * grid[1], channels * taps.length];
  f32View(a, groups * rows * k).fill(0);
  if (c.images * points === 0) return;
  overSources(x, c, (source, first, count) => {
    const from = g + 4 * first * groups * rows * points;
    if (rows >= THIN) for (let group = 0; group < groups; group++) weightsByTiles(a, from, source, group, count, c);
    else {
      const places = [groups * channels * source.plane, channels * source.plane, read[0] * source.width, read[1]];
      const sizes = [count, points, grid[1], groups, rows, k, +(first > 0)];
      const grain = Math.ceil(WORTHWHILE / (4 * count * points));
      parallel("convRowsGrad", groups * rows * k, grain, a, from, source.ptr, source.offsets, ...places, ...sizes);
    }
  });
}

function weightsByTiles(a: number, g: number, source: Source, group: number, images: number, c: Correlation): void {
  const { groups, rows: m, channels, grid, read, taps } = c;
  const points = grid[0] * grid[1];
  const [n, depth] = [channels * taps.length, images * points];
  // The points of all images in one line: the depth of the product.
  const lines = allocate(4 * m * depth);
  copy(
    [m, images, points],
    lines,
    [depth, points, 1],
    0,
    { ptr: g },
    [points, groups * m * points, 1],
    group * m * points,
  );
  const [blocksA, blocksB] = [Math.ceil(m / ROWS), Math.ceil(n / COLUMNS)];
  const kc = part(depth, DEPTH, 4);
  const kb = part(depth, Math.max(kc, WORKSPACE / (blocksA * ROWS + blocksB * COLUMNS)), kc);
  const sizeA = 4 * kb * blocksA * ROWS;
  const sizeB = 4 * kb * blocksB * COLUMNS;
  const workspace = allocate(sizeA + sizeB + 4 * EDGE * blocksA * blocksB);
  const [packedA, packedB, edges] = [workspace.ptr, workspace.ptr + sizeA, workspace.ptr + sizeA + sizeB];
  const from = source.ptr + 4 * group * channels * source.plane;
  const places = [groups * channels * source.plane, read[0] * source.width, read[1], points, grid[1]];
  const grain = Math.ceil(WORTH_PACKING / (COLUMNS * kc));
  for (let j = 0; j < depth; j += kb) {
    const count = Math.min(kb, depth - j);
    const slices = Math.ceil(count / kc);
    const sizesA = [m, 0, count, kc, ROWS, COLUMNS];
    const operands = [lines.ptr + 4 * j, depth, 1, 0, 0, 0, 0, 0];
    parallel("gemmPack", slices * blocksA, grain, packedA, packedB, ...operands, ...sizesA);
    const sizes = [n, count, kc, COLUMNS];
    parallel("convPackPoints", slices * blocksB, grain, packedB, from, source.offsets, ...places, j, ...sizes);
    parallel(
      "gemmTiles",
      blocksA * blocksB,
      Math.ceil(WORTHWHILE / (ROWS * COLUMNS * count)),
      ...[a + 4 * group * m * n, n, 0, packedA, packedB, edges, m, n, count, kc, ROWS, COLUMNS, 1, 0, 0],
    );
  }
  release(workspace);
  release(lines);
}
