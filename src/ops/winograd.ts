/** 3 × 3 convolutions with stride 1 and their gradients by Winograd's F(m × m, 3 × 3). Pointers in, numbers out; a picture is in assembly/winograd.ts. */
import { gemm } from "../core/gemm.ts";
import { allocate, type Block, release } from "../core/memory.ts";
import { parallel } from "../core/parallel.ts";
import type { Geometry } from "./convGeometry.ts";
import { rowGrain } from "./strides.ts";

/** y [images, rows, …] from x [images, channels, …] by 9 taps; the margins may be negative, as zeros that are cut off. */
export interface Filter {
  images: number;
  channels: number;
  rows: number;
  /** Height and width of x and of y. */
  source: readonly [number, number];
  target: readonly [number, number];
  /** Zeros above and to the left of x. */
  before: readonly [number, number];
  bias?: number;
  activation?: "none" | "relu";
}

/** How the weight (row, channel) lies: `rowStep` and `depthStep` floats apart, its 9 taps backwards where `flip`. */
interface Taps {
  rowStep: number;
  depthStep: number;
  flip: boolean;
}

export type TileSize = 2 | 4;

/**
 * The tiles by which a convolution is fastest, or undefined where direct products are. Costs in nanoseconds of one thread, as
 * measured: a multiplication in a product, a number packed for a direct product, transformed to or from tiles, or a weight
 * transformed. All sizes cost alike in the gradients.
 */
export function tileSize(filter: Filter, { kernel, stride, dilation, groups }: Geometry): TileSize | undefined {
  const standard = [...stride, ...dilation].every((n) => n === 1) && groups === 1;
  if (!standard || kernel[0] !== 3 || kernel[1] !== 3) return undefined;
  const { images, channels, rows, target } = filter;
  const [product, packed, tiled, weight] = [0.04, 1, 1.4, 1];
  const pixels = images * target[0] * target[1];
  let [best, least]: [TileSize | undefined, number] = [undefined, 9 * channels * pixels * (rows * product + packed)];
  for (const m of [2, 4] as const) {
    const tiles = Math.ceil((images * Math.ceil(target[0] / m) * Math.ceil(target[1] / m)) / NR) * NR;
    const each = channels * rows * (tiles * product + weight) + (channels + rows) * tiles * tiled;
    const cost = (m + 2) ** 2 * each;
    if (cost < least) [best, least] = [m, cost];
  }
  return best;
}

/** Floats of transformed tiles, of transformed weights and of padded images at a time: they stay in the last cache, and memory small. */
const WORKSPACE = 1 << 20;
const TRANSFORMED = 1 << 22;
const PADDED = 1 << 22;
/** As in the kernels: channels or rows of one unit, tiles of a panel, bytes of scratch of a unit. */
const BLOCK = 16;
const NR = 8;
const SCRATCH = 1024;
/** Rows of one unit of the products, whole panels in either build; the last panel may be completed by 5 more. */
const ROWS = 60;
const EXTRA = 5;
const ACTIVATIONS = { none: 0, relu: 1 };

/** Distance of two coefficients, in floats: an odd number of cache lines, so that they do not share a set of the cache. */
const spaced = (floats: number): number => (Math.ceil(floats / 32) * 2 + 1) * 16;

/** How tiles lie in an image whose margins make them whole: how many in a row and in all, and the image's width and size in floats. */
interface Tiles {
  across: number;
  inImage: number;
  width: number;
  plane: number;
}

/** `body` for stretches of images, with a copy of x in which all tiles lie inside. */
function overImages(
  x: number,
  m: TileSize,
  { images, channels, source: [height, width], target, before: [top, left] }: Filter,
  border: 0 | 2,
  body: (x: number, tiles: Tiles, first: number, count: number) => void,
): void {
  const [down, across] = [Math.ceil(target[0] / m), Math.ceil(target[1] / m)];
  const [paddedHeight, paddedWidth] = [down * m + border, across * m + border];
  const plane = paddedHeight * paddedWidth;
  const tiles = { across, inImage: down * across, width: paddedWidth, plane };
  const inside = paddedHeight === height && paddedWidth === width && top === 0 && left === 0;
  const chunk = inside ? images : Math.min(images, Math.max(1, Math.floor(PADDED / (channels * plane))));
  const padded = inside ? undefined : allocate(4 * chunk * channels * plane);
  for (let first = 0; first < images; first += chunk) {
    const count = Math.min(chunk, images - first);
    const from = x + 4 * first * channels * height * width;
    if (padded) {
      const sizes = [height, width, top, left, paddedHeight, paddedWidth];
      parallel("padPlanes", count * channels, rowGrain(plane), padded.ptr, from, ...sizes);
    }
    body(padded?.ptr ?? from, tiles, first, count);
  }
  if (padded) release(padded);
}

/**
 * y ← x filtered by the weights at `w`. Against f64 the error is below 1e-6 of the largest value for tiles of 2 × 2 and 5e-6 for
 * 4 × 4 with up to 512 channels, in value and gradients.
 */
export function winograd(m: TileSize, y: number, x: number, w: number, taps: Taps, filter: Filter): void {
  const { channels, rows, target, bias = 0, activation = "none" } = filter;
  const count = (m + 2) ** 2;
  const most = Math.max(ROWS, Math.floor(TRANSFORMED / (count * channels) / ROWS) * ROWS);
  const slice = Math.ceil(rows / Math.ceil(rows / most) / ROWS) * ROWS;
  const uStep = spaced((Math.min(slice, rows) + EXTRA) * channels);
  const u = allocate(4 * count * uStep);
  const scratch = new Scratch();
  overImages(x, m, filter, 2, (from, { across, inImage, width, plane }, first, images) => {
    const all = images * inImage;
    const size = part(all, WORKSPACE / (count * (channels + Math.min(slice, rows))));
    const [vStep, mStep] = [spaced(channels * size), spaced((Math.min(slice, rows) + EXTRA) * size)];
    const v = allocate(4 * count * (vStep + mStep));
    const products = v.ptr + 4 * count * vStep;
    for (let row = 0; row < rows; row += slice) {
      const some = Math.min(slice, rows - row);
      const groups = Math.ceil((some + EXTRA) / 4);
      const weights = [w + 4 * row * taps.rowStep, scratch.of(groups), uStep, some, channels];
      const lies = [taps.rowStep, taps.depthStep, +taps.flip];
      parallel(`winogradWeights${m}`, groups, Math.ceil(512 / channels), u.ptr, ...weights, ...lies);
      for (let tile = 0; tile < all; tile += size) {
        const tiles = Math.min(size, all - tile);
        const panels = Math.ceil(tiles / NR);
        const place = [across, inImage, tile, tiles];
        if (row === 0 || size < all) {
          const units = panels * Math.ceil(channels / BLOCK);
          const work = [from, scratch.of(units), vStep, channels, plane, width, ...place];
          parallel(`winogradData${m}`, units, 4, v.ptr, ...work);
        }
        const sizes = [mStep, uStep, vStep, some, channels, tiles, ROWS];
        parallel("winogradProducts", count * Math.ceil(some / ROWS), 1, products, u.ptr, v.ptr, ...sizes);
        const units = panels * Math.ceil(some / BLOCK);
        const to = y + 4 * (first * rows + row) * target[0] * target[1];
        const finish = [bias && bias + 4 * row, ACTIVATIONS[activation]];
        const work = [products, scratch.of(units), mStep, rows, some, ...target, ...place, ...finish];
        parallel(`winogradOutputs${m}`, units, 4, to, ...work);
      }
    }
    release(v);
  });
  scratch.release();
  release(u);
}

/** Tiles in one pass: equal parts of at most `most`, whole panels. */
const part = (tiles: number, most: number): number =>
  Math.ceil(tiles / Math.ceil(tiles / Math.max(NR, most)) / NR) * NR;

/** d [rows, channels, 3, 3] ← the gradient of the weights, from x and the gradient g of y. */
export function winogradWeights(m: TileSize, d: number, x: number, g: number, filter: Filter): void {
  const { channels, rows, target } = filter;
  const count = (m + 2) ** 2;
  const [lineX, lineG] = [Math.ceil(channels / 4) * 4, Math.ceil(rows / 4) * 4];
  const uStep = spaced(rows * channels);
  const u = allocate(4 * (count * uStep + 4));
  const scratch = new Scratch();
  let accumulate = false;
  overImages(x, m, filter, 2, (from, tiles, first, images) => {
    const whole = { ...filter, images, channels: rows, source: target, before: [0, 0] as const };
    overImages(g + 4 * first * rows * target[0] * target[1], m, whole, 0, (gradients, tilesG, start, some) => {
      const all = some * tiles.inImage;
      const size = part(all, WORKSPACE / (count * (lineX + lineG)));
      const [vStep, gStep] = [spaced(lineX * size), spaced(lineG * size)];
      const v = allocate(4 * count * (vStep + gStep));
      const vg = v.ptr + 4 * count * vStep;
      const images = from + 4 * start * channels * tiles.plane;
      for (let tile = 0; tile < all; tile += size, accumulate = true) {
        const k = Math.min(size, all - tile);
        const place = [tiles.across, tiles.inImage, tile];
        const grain = Math.ceil(64 / channels);
        const work = scratch.of(k);
        parallel(
          `winogradPoints${m}`,
          k,
          grain,
          v.ptr,
          images,
          work,
          vStep,
          channels,
          tiles.plane,
          tiles.width,
          ...place,
        );
        parallel(
          `winogradGradients${m}`,
          k,
          grain,
          vg,
          gradients,
          work,
          gStep,
          rows,
          tilesG.plane,
          tilesG.width,
          ...place,
        );
        gemm(u.ptr, vg, v.ptr, {
          ...{ m: rows, n: channels, k, ars: 1, acs: lineG, brs: lineX, bcs: 1, accumulate },
          ...{ batch: count, strideA: gStep, strideB: vStep, strideC: uStep },
        });
      }
      release(v);
    });
  });
  parallel(`winogradTaps${m}`, rows, Math.ceil(256 / channels), d, u.ptr, scratch.of(rows), uStep, channels);
  scratch.release();
  release(u);
}

/** Workspace of the transforms: 1 KB a unit. */
class Scratch {
  private block?: Block;
  private units = 0;

  of(units: number): number {
    if (units > this.units) {
      this.release();
      this.block = allocate(SCRATCH * units);
      this.units = units;
    }
    return this.block!.ptr;
  }

  release(): void {
    if (this.block) release(this.block);
    this.block = undefined;
    this.units = 0;
  }
}
