import { describe, expect, test } from "vitest";
import { type Kernels, loadKernels, targets } from "./load.ts";
import { bits } from "./ulp.ts";

/** Rows around the blocks of 256, widths around the lanes and the strips of 256 columns. */
const SHAPES = [1, 2, 5, 255, 256, 257, 1031].flatMap((rows) =>
  [1, 3, 4, 7, 33].map((width): [number, number] => [rows, width]),
);
SHAPES.push([3, 255], [9, 257], [261, 521]);

const EPS = 1e-3;

/** Σ f(r) over rows in f64. */
function sum(rows: number, f: (r: number) => number): number {
  let total = 0;
  for (let r = 0; r < rows; r++) total += f(r);
  return total;
}

/** A range cut into pieces as threads would take them. */
function inPieces(n: number, piece: number, run: (begin: number, end: number) => void): void {
  for (let begin = 0; begin < n; begin += piece) run(begin, Math.min(begin + piece, n));
}

describe.each(targets)("%s build", (target) => {
  const next = bits(23);
  const uniform = (): number => next() / 2 ** 32 - 0.5;

  /** What must not be written stands behind every output. */
  const GUARD = 4321;
  const guarded = (kernels: Kernels, length: number): Float32Array => {
    const block = kernels.floats(length + 16).fill(GUARD);
    return block.subarray(0, length);
  };
  const untouched = (block: Float32Array, kernels: Kernels, pad: number): boolean =>
    new Float32Array(kernels.memory.buffer, block.byteOffset + (block.length + pad) * 4, 16 - pad).every(
      (v) => v === GUARD,
    );

  /** Batch norm of x [rows, width] and its gradients, in pieces or whole. */
  function batchNorm(rows: number, width: number, offset: number, piece: number) {
    const kernels = loadKernels(target, 5 * rows * width + 40 * width + 8 * width * Math.ceil(rows / 256) + 2048);
    const seeded = bits(rows * 1000 + width);
    const draw = (n: number, shift: number): Float32Array =>
      kernels.floats(Float32Array.from({ length: n }, () => (seeded() / 2 ** 32 - 0.5) * 4 + shift));
    const [x, g, scale, b] = [draw(rows * width, offset), draw(rows * width, 0.25), draw(width, 1), draw(width, 0)];
    const [y, d] = [guarded(kernels, rows * width), guarded(kernels, rows * width)];
    const [mean, variance, dw, db, m, slope] = Array.from({ length: 6 }, () => guarded(kernels, width));
    const sums = kernels.floats(4 * width * Math.ceil(rows / 256) + 2);
    const blocks = Math.ceil(rows / 256);
    const units = blocks * Math.ceil(width / 256);
    const run = (kernel: string, n: number, ...args: (number | Float32Array)[]): void =>
      inPieces(n, piece, (begin, end) => kernels.run(kernel, begin, end, ...args));
    run("columnMoments", units, sums, x, rows, width);
    run("batchStatistics", Math.ceil(width / 2), mean, variance, sums, x, blocks, rows, width, 1);
    run("batchNorm", rows, y, x, mean, scale, b, width, -Infinity);
    run("columnGradients", units, sums, g, x, mean, rows, width);
    run("batchGradients", Math.ceil(width / 2), dw, db, m, slope, sums, variance, blocks, rows, width, EPS);
    run("batchNormGrad", rows, d, g, x, mean, scale, m, slope, width);
    const clean =
      [y, d].every((t) => untouched(t, kernels, 0)) &&
      [mean, variance, dw, db, m, slope].every((t) => untouched(t, kernels, width % 2));
    return { x, g, scale, b, y, d, mean, variance, dw, db, clean };
  }

  test.each([0, 3000])("batch norm of data about %d: f64's values, no write past the end", (offset) => {
    for (const [rows, width] of SHAPES) {
      const { x, g, scale, b, y, d, mean, variance, dw, db, clean } = batchNorm(rows, width, offset, 1e9);
      expect(clean, `${rows} × ${width}`).toBe(true);
      for (let c = 0; c < width; c++) {
        const what = `${rows} × ${width}, column ${c}`;
        const at = (t: Float32Array, r: number): number => t[r * width + c];
        const mu = sum(rows, (r) => at(x, r)) / rows;
        const v = sum(rows, (r) => (at(x, r) - mu) ** 2) / rows;
        // Both are f64's, rounded: whatever the mean, and wherever the first row lies.
        expect(Math.abs(mean[c] - mu), `mean, ${what}`).toBeLessThanOrEqual(Math.abs(mu) * 2 ** -24 + 1e-14);
        expect(Math.abs(variance[c] - v), `variance, ${what}`).toBeLessThanOrEqual(v * 6.1e-8 + 1e-14);
        // From here on by the mean that the kernels had: f32 holds it to 2⁻²⁴ of itself.
        const dot = sum(rows, (r) => at(g, r) * (at(x, r) - mean[c]));
        const total = sum(rows, (r) => at(g, r));
        const rstd = 1 / Math.sqrt(variance[c] + EPS);
        expect(Math.abs(db[c] - total), `db, ${what}`).toBeLessThanOrEqual(3e-7 * sum(rows, (r) => Math.abs(at(g, r))));
        const size = sum(rows, (r) => Math.abs(at(g, r) * (at(x, r) - mean[c])));
        expect(Math.abs(dw[c] - dot * rstd), `dw, ${what}`).toBeLessThanOrEqual(3e-7 * size * rstd + 1e-12);
        const slope = (dot * rstd * rstd) / rows;
        for (let r = 0; r < rows; r++) {
          const centred = at(x, r) - mean[c];
          const known = scale[c] * (at(g, r) - total / rows - centred * slope);
          const near = 6e-7 * Math.abs(scale[c]) * (3 + Math.abs(centred * slope) + (size * rstd * rstd) / rows);
          if (Math.abs(at(d, r) - known) > near) expect(at(d, r), `d, ${what}, row ${r}`).toBe(known);
          const normal = centred * scale[c] + b[c];
          if (Math.abs(at(y, r) - normal) > 6e-7 * (Math.abs(centred * scale[c]) + Math.abs(b[c])))
            expect(at(y, r), `y, ${what}, row ${r}`).toBe(normal);
        }
      }
    }
  });

  test("batch norm: the same bits however the ranges are cut", () => {
    for (const [rows, width] of [
      [1031, 33],
      [261, 521],
    ]) {
      const whole = batchNorm(rows, width, 1, 1e9);
      for (const piece of [1, 3]) {
        const cut = batchNorm(rows, width, 1, piece);
        for (const name of ["mean", "variance", "y", "dw", "db", "d"] as const)
          expect(
            cut[name].every((v, i) => Object.is(v, whole[name][i])),
            name,
          ).toBe(true);
      }
    }
  });

  test("a constant column has variance 0, exactly, far from 0 too", () => {
    const kernels = loadKernels(target, 8192);
    const [rows, width] = [700, 3];
    const x = kernels.floats(rows * width).fill(12345.678);
    const [mean, variance] = [kernels.floats(width), kernels.floats(width)];
    const sums = kernels.floats(4 * width * 3 + 2);
    kernels.run("columnMoments", 0, 3, sums, x, rows, width);
    kernels.run("batchStatistics", 0, 2, mean, variance, sums, x, 3, rows, width, 1);
    expect([...mean]).toEqual([...x.subarray(0, 3)]);
    expect([...variance]).toEqual([0, 0, 0]);
  });

  test("layer norm's gradient: f64's values for every remainder of the width, no write past the end", () => {
    const rows = 3;
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 31, 64]) {
      const kernels = loadKernels(target, 16384);
      const fill = (length: number): Float32Array => kernels.floats(Float32Array.from({ length }, uniform));
      const [g, x, w, b] = [fill(rows * n), fill(rows * n), fill(n), fill(n)];
      const [y, d, gh] = [kernels.floats(rows * n), guarded(kernels, rows * n), guarded(kernels, rows * n)];
      const [mean, rstd] = [kernels.floats(rows), kernels.floats(rows)];
      kernels.run("layerNorm", 0, rows, y, mean, rstd, x, w, b, n, EPS);
      kernels.run("layerNormGrad", 0, rows, d, gh, g, x, w, mean, rstd, n);
      expect(untouched(d, kernels, 0) && untouched(gh, kernels, 0), `width ${n}`).toBe(true);
      for (let r = 0; r < rows; r++) {
        const at = (t: Float32Array, i: number): number => t[r * n + i];
        const h = (i: number): number => (at(x, i) - mean[r]) * rstd[r];
        const m = sum(n, (i) => at(g, i) * w[i]) / n;
        const slope = sum(n, (i) => at(g, i) * w[i] * h(i)) / n;
        for (let i = 0; i < n; i++) {
          const known = rstd[r] * (at(g, i) * w[i] - m - h(i) * slope);
          expect(Math.abs(at(d, i) - known), `d, width ${n}`).toBeLessThanOrEqual(1e-6 * rstd[r]);
          expect(Math.abs(at(gh, i) - at(g, i) * h(i)), `gh, width ${n}`).toBeLessThanOrEqual(1e-6);
        }
      }
    }
  });
});
