import { describe, expect, test } from "vitest";
import { type Kernels, loadKernels, targets } from "./load.ts";

/** Philox4x32-10 of Salmon, Moraes, Dror & Shaw (SC 2011): four words from four counter words and two key words. */
function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const a = BigInt(c0 >>> 0) * 0xd2511f53n;
    const b = BigInt(c2 >>> 0) * 0xcd9e8d57n;
    const high = (product: bigint) => Number(product >> 32n);
    [c0, c1, c2, c3] = [high(b) ^ c1 ^ k0, Number(b & 0xffffffffn), high(a) ^ c3 ^ k1, Number(a & 0xffffffffn)];
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  return [c0, c1, c2, c3].map((word) => word >>> 0);
}

/** The words of elements 0 … n − 1 for a 64-bit counter. */
function words(n: number, key: readonly number[], counter: bigint): number[] {
  const out: number[] = [];
  for (let block = 0n; out.length < n; block++) {
    const at = BigInt.asUintN(64, counter + block);
    out.push(...philox([Number(at & 0xffffffffn), Number(at >> 32n), 0, 0], key));
  }
  return out.slice(0, n);
}

const seeds = (key: readonly number[], counter: bigint): number[] => [
  ...key,
  Number(BigInt.asIntN(32, counter)),
  Number(BigInt.asIntN(32, counter >> 32n)),
];

test("the reference gives the known answers published with Random123", () => {
  const hex = (values: number[]) => values.map((word) => word.toString(16).padStart(8, "0")).join(" ");
  expect(hex(philox([0, 0, 0, 0], [0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  expect(hex(philox([-1, -1, -1, -1], [-1, -1]))).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
  const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  expect(hex(philox(pi, [0xa4093822, 0x299f31d0]))).toBe("d16cfe09 94fdcceb 5001e420 24126ea1");
});

describe.each(targets)("%s build", (target) => {
  const N = 1 << 18;
  const kernels: Kernels = loadKernels(target, 4 * N);
  const y = kernels.floats(N);
  const again = kernels.floats(N);

  // Counters whose low word wraps within a vector of blocks, between two, and whose high word wraps too.
  const streams: [key: number[], counter: bigint][] = [
    [[0, 0], 0n],
    [[0x12345678, -0x7654321], 1000n],
    [[1, 2], 0xfffffffdn],
    [[3, 4], 0x1_ffff_fff0n],
    [[-1, -1], 0xffff_ffff_ffff_fffen],
  ];

  test.each(streams)("uniform has the upper 24 bits of each word: key %o, counter %o", (key, counter) => {
    kernels.run("uniform", 0, 1024, y, ...seeds(key, counter));
    const exact = words(1024, key, counter).map((word) => (word >>> 8) / 2 ** 24);
    expect(Array.from(y.subarray(0, 1024))).toEqual(exact);
  });

  test.each(streams)("normal is Box & Muller's transform of each pair of words: key %o, counter %o", (key, counter) => {
    kernels.run("normal", 0, 1024, y, ...seeds(key, counter));
    const word = words(1024, key, counter);
    for (let i = 0; i < 1024; i += 2) {
      const radius = Math.sqrt(-2 * Math.log((word[i] + 1) / 2 ** 32));
      const angle = (2 * Math.PI * word[i + 1]) / 2 ** 32;
      // Near u = 1, where the radius is √(2(1 − u)), the rounding of u shows.
      const tolerance = 1e-6 + 1e-7 / radius;
      expect(Math.abs(y[i] - radius * Math.cos(angle))).toBeLessThan(tolerance);
      expect(Math.abs(y[i + 1] - radius * Math.sin(angle))).toBeLessThan(tolerance);
    }
  });

  test("bernoulliMask is the scale where uniform is below keep, else 0", () => {
    kernels.run("uniform", 0, N, y, 5, 6, 7, 8);
    kernels.run("bernoulliMask", 0, N, again, 5, 6, 7, 8, 0.8, 1.25);
    expect(again.every((mask, i) => mask === (y[i] < Math.fround(0.8) ? 1.25 : 0))).toBe(true);
  });

  test("a mask that keeps everything or nothing", () => {
    kernels.run("bernoulliMask", 0, N, again, 5, 6, 7, 8, 1, 2);
    expect(again.every((mask) => mask === 2)).toBe(true);
    kernels.run("bernoulliMask", 0, N, again, 5, 6, 7, 8, 0, 2);
    expect(again.every((mask) => mask === 0)).toBe(true);
  });

  test.each(["uniform", "normal"])("%s has the same bits in any chunks, and each writes only its own", (kernel) => {
    kernels.run(kernel, 0, N, y, 1, 2, -3, 4);
    again.fill(Number.NaN);
    for (const [begin, end] of [
      [4096, N],
      [16, 32],
      [32, 4096],
    ])
      kernels.run(kernel, begin, end, again, 1, 2, -3, 4);
    expect(Array.from(again.subarray(0, 16))).toEqual(new Array(16).fill(Number.NaN));
    kernels.run(kernel, 0, 16, again, 1, 2, -3, 4);
    expect(Buffer.compare(new Uint8Array(again.slice().buffer), new Uint8Array(y.slice().buffer))).toBe(0);
  });

  test.each([
    ["uniform", 0.5, 1 / 12, 0, 9 / 5],
    ["normal", 0, 1, 0, 3],
  ])("%s has mean %f, variance %f, skewness %f, kurtosis %f", (kernel, mean, variance, skewness, kurtosis) => {
    kernels.run(kernel as string, 0, N, y, 42, 0, 0, 0);
    const moment = (order: number) =>
      y.reduce((sum, value) => sum + ((value - (mean as number)) / Math.sqrt(variance as number)) ** order, 0) / N;
    // Five standard errors of N samples.
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(N));
    expect(Math.abs(moment(2) - 1)).toBeLessThan((5 * Math.sqrt(2)) / Math.sqrt(N));
    expect(Math.abs(moment(3) - (skewness as number))).toBeLessThan((5 * Math.sqrt(15)) / Math.sqrt(N));
    expect(Math.abs(moment(4) - (kurtosis as number))).toBeLessThan((5 * Math.sqrt(96)) / Math.sqrt(N));
  });

  test("normal reaches its tails and stays finite", () => {
    kernels.run("normal", 0, N, y, 42, 0, 0, 0);
    const largest = y.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(4);
    expect(largest).toBeLessThanOrEqual(6.67);
  });
});
