import { beforeAll, describe, expect, test } from "vitest";
import { sameShape } from "../../src/core/shape.ts";
import { init, ones, Rng, type Tensor, zeros } from "../../src/index.ts";
import { geometryOf } from "../../src/ops/convGeometry.ts";
import { type Filter, type TileSize, tileSize, winograd, winogradWeights } from "../../src/ops/winograd.ts";

beforeAll(() => init({ threads: 1 }));

/** A 3 × 3 convolution with a margin of 1. */
const filter = (images: number, channels: number, rows: number, height: number, width: number): Filter => {
  const size = [height, width] as const;
  return { images, channels, rows, source: size, target: size, before: [1, 1] };
};

/** Σ over the taps that stay inside, in f64: `each` gets the places of output, input and weight. */
function products({ images, channels, rows, source: [h, w] }: Filter, each: (y: number, x: number, k: number) => void) {
  for (let n = 0; n < images; n++)
    for (let o = 0; o < rows; o++)
      for (let c = 0; c < channels; c++)
        for (let t = 0; t < 9; t++) {
          const [down, right] = [Math.floor(t / 3) - 1, (t % 3) - 1];
          for (let i = Math.max(0, -down); i < Math.min(h, h - down); i++)
            for (let j = Math.max(0, -right); j < Math.min(w, w - right); j++)
              each(
                ((n * rows + o) * h + i) * w + j,
                ((n * channels + c) * h + i + down) * w + j + right,
                (o * channels + c) * 9 + t,
              );
        }
}

/** The largest error, in units of the largest value. */
function error(found: Tensor, exact: Float64Array): number {
  const scale = exact.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return found.data.reduce((worst, v, i) => Math.max(worst, Math.abs(v - exact[i])), 0) / scale;
}

/** Errors of value and weight gradient. */
function errors(m: TileSize, f: Filter): [number, number] {
  const rng = new Rng(f.channels);
  const x = rng.normal([f.images, f.channels, ...f.source]);
  const w = rng.normal([f.rows, f.channels, 3, 3]);
  const g = rng.normal([f.images, f.rows, ...f.target]);
  const [y, d] = [zeros(g.shape), zeros(w.shape)];
  const [exactY, exactD] = [new Float64Array(y.size), new Float64Array(d.size)];
  products(f, (to, from, tap) => {
    exactY[to] += x.data[from] * w.data[tap];
    exactD[tap] += x.data[from] * g.data[to];
  });
  winograd(m, y.ptr, x.ptr, w.ptr, { rowStep: 9 * f.channels, depthStep: 9, flip: false }, f);
  winogradWeights(m, d.ptr, x.ptr, g.ptr, f);
  return [error(y, exactY), error(d, exactD)];
}

describe("accuracy against f64, relative to the largest value", () => {
  // The docstring of tileSize quotes these bounds.
  const BOUNDS = { 2: 1e-6, 4: 5e-6 };
  test.each([2, 4] as const)("F(%i)", (m) => {
    const worst = [filter(1, 64, 4, 11, 10), filter(1, 512, 2, 9, 8), filter(3, 5, 7, 1, 1), filter(1, 3, 61, 13, 4)]
      .flatMap((f) => errors(m, f))
      .reduce((a, b) => Math.max(a, b));
    expect(worst).toBeLessThan(BOUNDS[m]);
    expect(worst).toBeGreaterThan(1e-8);
  });
});

test("the rows that complete a panel, and images cut by tiles, leave neighbours alone", () => {
  const f = filter(1, 2, 3, 5, 3);
  const [x, w] = [ones([1, 2, 5, 3]), ones([3, 2, 3, 3])];
  const y = zeros([1, 4, 5, 3]);
  winograd(4, y.ptr, x.ptr, w.ptr, { rowStep: 18, depthStep: 9, flip: false }, f);
  expect(y.data.slice(45).every((v) => v === 0)).toBe(true);
  expect(sameShape(y.shape, [1, 4, 5, 3])).toBe(true);
  expect(y.data[4]).toBeCloseTo(18, 4);
});

describe("tileSize", () => {
  const plain = geometryOf("conv2d", [3, 3], { padding: 1 });
  test("large images and many channels: tiles of 4 × 4", () => {
    expect(tileSize(filter(1, 64, 64, 224, 224), plain)).toBe(4);
  });
  test("few pixels, where the weights' transform would cost most: tiles of 2 × 2", () => {
    expect(tileSize(filter(32, 512, 512, 2, 2), plain)).toBe(2);
  });
  test("few channels: direct products", () => {
    expect(tileSize(filter(64, 1, 32, 28, 28), plain)).toBeUndefined();
  });
  test("other kernels, strides, dilations and groups: direct products", () => {
    const f = filter(1, 64, 64, 56, 56);
    for (const options of [{ stride: 2 }, { dilation: [1, 2] as const }, { groups: 2 }])
      expect(tileSize(f, geometryOf("conv2d", [3, 3], options))).toBeUndefined();
    expect(tileSize(f, geometryOf("conv2d", [3, 5], {}))).toBeUndefined();
  });
});
