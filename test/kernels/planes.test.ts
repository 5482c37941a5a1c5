import { describe, expect, test } from "vitest";
import { type Kernels, loadKernels, targets } from "./load.ts";
import { bits } from "./ulp.ts";

/** What must not be written stands behind every output. */
const GUARD = 4321;
const guarded = (kernels: Kernels, length: number): Float32Array =>
  kernels
    .floats(length + 16)
    .fill(GUARD)
    .subarray(0, length);
const isClean = (block: Float32Array): boolean =>
  new Float32Array(block.buffer, block.byteOffset + 4 * block.length, 16).every((v) => v === GUARD);

/** A range cut into pieces as threads would take them. */
function inPieces(n: number, piece: number, run: (begin: number, end: number) => void): void {
  for (let begin = 0; begin < n; begin += piece) run(begin, Math.min(begin + piece, n));
}

const SPECIAL = [Number.NaN, Infinity, -Infinity, 0, -0];

describe.each(targets)("%s build", (target) => {
  const next = bits(31);
  const draw = (length: number): Float32Array => Float32Array.from({ length }, () => (next() / 2 ** 32 - 0.5) * 4);
  /** Small whole numbers, so that there are ties, and now and then a special one. */
  const tied = (length: number): Float32Array =>
    Float32Array.from({ length }, () => (next() % 9 === 0 ? SPECIAL[next() % 5] : (next() % 5) - 2));

  /** PyTorch's rule: the first of equals, but NaN before all, and the last of these. */
  function largest(x: Float32Array, places: readonly number[]): [value: number, at: number] {
    let [best, at] = [-Infinity, places[0] ?? -1];
    for (const p of places) if (x[p] > best || Number.isNaN(x[p])) [best, at] = [x[p], p];
    return [best, at];
  }

  test("max pooling chooses as PyTorch does, with ties, NaN and infinities, and writes its own outputs only", () => {
    const planes = 3;
    for (const [h, w, kh, kw, sh, sw, ph, pw, dh, dw] of [
      [4, 4, 2, 2, 2, 2, 0, 0, 1, 1],
      [5, 19, 2, 2, 2, 2, 0, 0, 1, 1],
      [7, 18, 2, 2, 2, 2, 0, 0, 1, 1],
      [6, 21, 3, 3, 1, 1, 1, 1, 1, 1],
      [6, 23, 3, 3, 2, 2, 1, 1, 1, 1],
      [5, 17, 2, 3, 1, 3, 1, 0, 2, 2],
      [1, 40, 1, 40, 1, 1, 0, 0, 1, 1],
      [4, 4, 2, 2, 1, 1, 1, 1, 5, 5],
    ]) {
      const oh = Math.floor((h + 2 * ph - dh * (kh - 1) - 1) / sh) + 1;
      const ow = Math.floor((w + 2 * pw - dw * (kw - 1) - 1) / sw) + 1;
      const what = `${h} × ${w} by ${kh} × ${kw}, every ${sh} × ${sw}`;
      const kernels = loadKernels(target, 16384);
      const x = kernels.floats(tied(planes * h * w));
      const [y, index] = [guarded(kernels, planes * oh * ow), guarded(kernels, planes * oh * ow)];
      const plain = kh === 2 && kw === 2 && sh === 2 && sw === 2;
      const sizes = [kh, kw, sh, sw, ph, pw, dh, dw];
      inPieces(planes, 2, (begin, end) =>
        kernels.run(plain ? "maxPool2x2" : "maxPool", begin, end, y, index, x, h, w, oh, ow, ...(plain ? [] : sizes)),
      );
      expect(isClean(y) && isClean(index), what).toBe(true);
      const at = new Int32Array(index.buffer, index.byteOffset, index.length);
      for (let o = 0; o < planes * oh * ow; o++) {
        const [p, i, j] = [Math.floor(o / (oh * ow)), Math.floor(o / ow) % oh, o % ow];
        const places: number[] = [];
        for (let a = 0; a < kh; a++)
          for (let b = 0; b < kw; b++) {
            const [row, column] = [i * sh - ph + a * dh, j * sw - pw + b * dw];
            if (row >= 0 && row < h && column >= 0 && column < w) places.push(row * w + column);
          }
        const known = largest(x.subarray(p * h * w, (p + 1) * h * w), places);
        expect([y[o], at[o]], `${what}, output ${o}`).toEqual(known);
      }
      const alone = kernels.floats(y.length);
      kernels.run(plain ? "maxPool2x2" : "maxPool", 0, planes, alone, 0, x, h, w, oh, ow, ...(plain ? [] : sizes));
      expect([...alone], `${what}, without positions`).toEqual([...y]);

      const g = kernels.floats(draw(planes * oh * ow));
      const [d, back] = [guarded(kernels, planes * h * w), guarded(kernels, planes * oh * ow)];
      const known = new Float32Array(planes * h * w);
      g.forEach((v, o) => {
        if (at[o] >= 0) known[Math.floor(o / (oh * ow)) * h * w + at[o]] += v;
      });
      inPieces(planes, 2, (begin, end) => kernels.run("putChosen", begin, end, d, g, index, h * w, oh * ow));
      expect([...d], `${what}, put`).toEqual([...known]);
      if (plain) {
        d.fill(7);
        inPieces(planes, 2, (begin, end) => kernels.run("putChosen2x2", begin, end, d, g, index, h, w, oh, ow));
        expect([...d], `${what}, put side by side`).toEqual([...known]);
      }
      kernels.run("takeChosen", 0, planes, back, x, index, h * w, oh * ow);
      y.forEach((v, o) => expect(back[o], `${what}, take`).toBe(at[o] < 0 ? 0 : v));
      expect(isClean(d) && isClean(back), what).toBe(true);
    }
  });

  test("resampling is R·x·Cᵀ: every number of entries, every remainder, no write past the end", () => {
    const planes = 2;
    for (const [h, w, oh, ow, most] of [
      [3, 5, 4, 9, 1],
      [4, 8, 3, 11, 2],
      [2, 7, 5, 6, 2],
      [6, 13, 2, 3, 5],
      [5, 1, 1, 1, 5],
    ]) {
      const kernels = loadKernels(target, 8192);
      const sparse = (rows: number, columns: number, ragged: boolean) => {
        const [ptr, index, weight] = [[0], [] as number[], [] as number[]];
        for (let i = 0; i < rows; i++) {
          const count = ragged ? next() % (most + 1) : most;
          for (let e = 0; e < count; e++) {
            index.push(next() % columns);
            weight.push(most === 1 && next() % 2 ? 1 : Math.fround(next() / 2 ** 32));
          }
          ptr.push(index.length);
        }
        const dense = (i: number, j: number): number => {
          let sum = 0;
          for (let e = ptr[i]; e < ptr[i + 1]; e++) if (index[e] === j) sum += weight[e];
          return sum;
        };
        return { dense, tables: [kernels.ints(ptr), kernels.ints(index), kernels.floats(weight)] };
      };
      for (const ragged of [false, true]) {
        const [rows, columns] = [sparse(oh, h, ragged), sparse(ow, w, ragged)];
        const x = kernels.floats(draw(planes * h * w));
        const [y, work] = [guarded(kernels, planes * oh * ow), guarded(kernels, planes * w)];
        inPieces(planes, 1, (begin, end) =>
          kernels.run("resample", begin, end, y, x, work, h, w, oh, ow, ...rows.tables, ...columns.tables),
        );
        expect(isClean(y) && isClean(work)).toBe(true);
        for (let o = 0; o < y.length; o++) {
          const [p, i, j] = [Math.floor(o / (oh * ow)), Math.floor(o / ow) % oh, o % ow];
          let sum = 0;
          for (let a = 0; a < h; a++)
            for (let b = 0; b < w; b++) sum += rows.dense(i, a) * columns.dense(j, b) * x[(p * h + a) * w + b];
          expect(Math.abs(y[o] - sum), `${h} × ${w} → ${oh} × ${ow}, output ${o}`).toBeLessThan(1e-5);
        }
      }
    }
  });

  /** The norm of x [batch, channels, size] about `offset`, and its gradients, in pieces. */
  function planeNorm([batch, channels, size]: number[], offset: number, rectified: number, piece: number) {
    const n = batch * channels * size;
    const kernels = loadKernels(target, 8 * n + 64 * channels + 4 * batch * channels + 2048);
    const seeded = bits(n + rectified);
    const fill = (length: number, shift = 0): Float32Array =>
      kernels.floats(Float32Array.from({ length }, () => (seeded() / 2 ** 32 - 0.5) * 4 + shift));
    const [x, g, scale, b] = [fill(n, offset), fill(n, 0.25), fill(channels), fill(channels)];
    const [y, d] = [guarded(kernels, n), guarded(kernels, n)];
    const [mean, variance, dw, db, m, slope] = Array.from({ length: 6 }, () => kernels.floats(channels));
    const sums = kernels.floats(4 * channels * batch + 2);
    const run = (kernel: string, units: number, ...args: (number | Float32Array)[]): void =>
      inPieces(units, piece, (begin, end) => kernels.run(kernel, begin, end, ...args));
    const [planes, pairs, count] = [batch * channels, Math.ceil(channels / 2), batch * size];
    run("planeMoments", planes, sums, x, channels, size);
    run("batchStatistics", pairs, mean, variance, sums, x, batch, count, channels, size);
    run("planeNorm", planes, y, x, mean, scale, b, channels, size, rectified ? 0 : -Infinity);
    run("planeGradients", planes, sums, g, x, mean, scale, b, rectified, channels, size);
    run("batchGradients", pairs, dw, db, m, slope, sums, variance, batch, count, channels, 1e-3);
    run("planeNormGrad", planes, d, g, x, mean, scale, b, m, slope, rectified, channels, size);
    return { x, g, scale, b, y, d, mean, variance, dw, db, clean: isClean(y) && isClean(d) };
  }

  const SHAPES = [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 37].map((size) => [2, 3, size]);
  SHAPES.push([5, 4, 64], [1, 1, 1000]);

  test.each([
    [0, 0],
    [0, 1],
    [3000, 0],
  ])("batch norm of planes about %d, rectified: %d: f64's values, no write past the end", (offset, rectified) => {
    for (const [batch, channels, size] of SHAPES) {
      const r = planeNorm([batch, channels, size], offset, rectified, 1e9);
      expect(r.clean, `size ${size}`).toBe(true);
      for (let c = 0; c < channels; c++) {
        const what = `[${batch}, ${channels}, ${size}], channel ${c}`;
        const places = Array.from({ length: batch * size }, (_, k) => {
          return (Math.floor(k / size) * channels + c) * size + (k % size);
        });
        const count = places.length;
        const sum = (f: (p: number) => number): number => places.reduce((total, p) => total + f(p), 0);
        const mu = sum((p) => r.x[p]) / count;
        const v = sum((p) => (r.x[p] - mu) ** 2) / count;
        expect(Math.abs(r.mean[c] - mu), `mean, ${what}`).toBeLessThanOrEqual(Math.abs(mu) * 2 ** -24 + 1e-14);
        expect(Math.abs(r.variance[c] - v), `variance, ${what}`).toBeLessThanOrEqual(v * 6.1e-8 + 1e-14);
        const centred = (p: number): number => r.x[p] - r.mean[c];
        const g = (p: number): number => (rectified && !(r.y[p] > 0) ? 0 : r.g[p]);
        const rstd = 1 / Math.sqrt(r.variance[c] + 1e-3);
        const [total, dot] = [sum(g), sum((p) => g(p) * centred(p))];
        const size1 = sum((p) => Math.abs(g(p) * centred(p)));
        expect(Math.abs(r.db[c] - total), `db, ${what}`).toBeLessThanOrEqual(3e-7 * sum((p) => Math.abs(g(p))));
        expect(Math.abs(r.dw[c] - dot * rstd), `dw, ${what}`).toBeLessThanOrEqual(4e-7 * size1 * rstd + 1e-12);
        const slope = (dot * rstd * rstd) / count;
        for (const p of places) {
          const normal = centred(p) * r.scale[c] + r.b[c];
          const known = rectified ? Math.max(0, normal) : normal;
          const size = Math.abs(centred(p) * r.scale[c]) + Math.abs(r.b[c]);
          if (!(Math.abs(r.y[p] - known) <= 6e-7 * size)) expect(r.y[p], `y, ${what}`).toBe(known);
          const gradient = r.scale[c] * (g(p) - total / count - centred(p) * slope);
          const scale = Math.abs(r.scale[c]) * (3 + Math.abs(centred(p) * slope) + (size1 * rstd * rstd) / count);
          if (!(Math.abs(r.d[p] - gradient) <= 6e-7 * scale)) expect(r.d[p], `d, ${what}`).toBe(gradient);
        }
      }
    }
  });

  test("batch norm of planes: the same bits however the ranges are cut", () => {
    const whole = planeNorm([3, 5, 37], 1, 1, 1e9);
    const cut = planeNorm([3, 5, 37], 1, 1, 2);
    for (const name of ["mean", "variance", "y", "dw", "db", "d"] as const)
      expect(
        cut[name].every((v, i) => Object.is(v, whole[name][i])),
        name,
      ).toBe(true);
  });
});
