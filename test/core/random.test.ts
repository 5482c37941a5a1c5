import { beforeAll, describe, expect, test } from "vitest";
import { philox } from "../../src/core/random.ts";
import { init, Rng, type RngState } from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 2, deterministic: true });
});

const hex = (words: readonly number[]): string => words.map((w) => w.toString(16).padStart(8, "0")).join(" ");

test("Philox4x32-10: the authors' known answers", () => {
  const all = 0xffffffff;
  expect(hex(philox([0, 0], [0, 0, 0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  expect(hex(philox([all, all], [all, all, all, all]))).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
  expect(hex(philox([0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]))).toBe(
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  );
});

/** Word i of the stream that starts at `state`. */
function wordAt({ key, counter }: RngState, i: number): number {
  const block = BigInt(counter[0]) + (BigInt(counter[1]) << 32n) + BigInt(i >> 2);
  return philox(key, [Number(block & 0xffffffffn), Number((block >> 32n) & 0xffffffffn), 0, 0])[i & 3];
}

describe("the kernels compute what the script computes", () => {
  const states: RngState[] = [
    new Rng(42).state,
    { key: [0xdeadbeef, 7], counter: [123, 0] },
    { key: [1, 0xffffffff], counter: [0xfffffff0, 5] }, // the low word overflows within the tensor
    { key: [3, 4], counter: [0xffffffff, 0xffffffff] }, // and so does the high one
  ];

  test("uniform: the upper 24 bits of each word", () => {
    for (const state of states) {
      const y = Rng.from(state).uniform([40_001]).data; // three chunks
      for (let i = 0; i < y.length; i += i < 200 ? 1 : 97)
        expect(y[i], `${JSON.stringify(state)} at ${i}`).toBe((wordAt(state, i) >>> 8) / 2 ** 24);
    }
  });

  test("normal: Box–Muller of the words", () => {
    for (const state of states) {
      const y = Rng.from(state).normal([40_001]).data;
      for (let i = 0; i < y.length; i += i < 200 ? 1 : 97) {
        const radius = Math.sqrt(-2 * Math.log((wordAt(state, i & ~1) + 1) / 2 ** 32));
        const angle = (2 * Math.PI * wordAt(state, i | 1)) / 2 ** 32;
        expect(Math.abs(y[i] - radius * (i & 1 ? Math.sin(angle) : Math.cos(angle)))).toBeLessThan(2e-6);
      }
    }
  });

  test("mask: 1/keep where the uniform number is below keep", () => {
    for (const keep of [0.1, 0.5, 0.8, 1]) {
      const u = new Rng(5).uniform([1000]).toArray();
      const mask = new Rng(5).mask([1000], keep).toArray();
      u.forEach((v, i) => expect(mask[i]).toBe(v < Math.fround(keep) ? Math.fround(1 / keep) : 0));
    }
  });
});

/** √n · sup |F_n − F|: above 1.95 once in a thousand samples. */
function kolmogorovSmirnov(sample: Float32Array | Float64Array, cdf: (x: number) => number): number {
  const sorted = sample.slice().sort();
  const n = sorted.length;
  let worst = 0;
  sorted.forEach((x, i) => {
    const f = cdf(x);
    worst = Math.max(worst, f - i / n, (i + 1) / n - f);
  });
  return worst * Math.sqrt(n);
}

/** Φ by Simpson's rule on the density. */
function normalCdf(x: number): number {
  const steps = 200;
  const h = Math.min(Math.abs(x), 8) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 ? 4 : 2;
    sum += weight * Math.exp(-0.5 * (i * h) ** 2);
  }
  const half = (sum * h) / 3 / Math.sqrt(2 * Math.PI);
  return x < 0 ? 0.5 - half : 0.5 + half;
}

/** Mean, variance, skewness and excess kurtosis. */
function moments(x: ArrayLike<number>): number[] {
  const n = x.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += x[i] / n;
  const [m2, m3, m4] = [2, 3, 4].map((p) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (x[i] - mean) ** p;
    return sum / n;
  });
  return [mean, m2, m3 / m2 ** 1.5, m4 / m2 ** 2 - 3];
}

/** Σ (seen − expected)²/expected. */
const chiSquare = (seen: ArrayLike<number>, expected: (k: number) => number): number =>
  Array.from(seen).reduce((sum, count, k) => sum + (count - expected(k)) ** 2 / expected(k), 0);

function correlation(x: ArrayLike<number>, y: ArrayLike<number>, n: number): number {
  const [mx, vx] = moments(Array.from({ length: n }, (_, i) => x[i]));
  const [my, vy] = moments(Array.from({ length: n }, (_, i) => y[i]));
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (x[i] - mx) * (y[i] - my);
  return sum / n / Math.sqrt(vx * vy);
}

describe("distributions", () => {
  const n = 1_000_000;

  test("uniform: moments, Kolmogorov–Smirnov, no correlation with its successors", () => {
    const x = new Rng(7).uniform([n]).toArray();
    const [mean, variance, skew, kurtosis] = moments(x);
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / n));
    expect(Math.abs(skew)).toBeLessThan(0.01);
    expect(Math.abs(kurtosis + 1.2)).toBeLessThan(0.01);
    expect(x.every((v) => v >= 0 && v < 1)).toBe(true);
    expect(kolmogorovSmirnov(x.slice(0, 100_000), (v) => v)).toBeLessThan(1.95);
    for (const lag of [1, 2, 3, 4, 16])
      expect(Math.abs(correlation(x, x.subarray(lag), 100_000))).toBeLessThan(4 / Math.sqrt(100_000));
  });

  test("normal: moments, Kolmogorov–Smirnov, no correlation with its successors", () => {
    const x = new Rng(8).normal([n]).toArray();
    const [mean, variance, skew, kurtosis] = moments(x);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(skew)).toBeLessThan(4 * Math.sqrt(6 / n));
    expect(Math.abs(kurtosis)).toBeLessThan(4 * Math.sqrt(24 / n));
    expect(x.every((v) => Math.abs(v) < 6.67)).toBe(true);
    expect(kolmogorovSmirnov(x.slice(0, 20_000), normalCdf)).toBeLessThan(1.95);
    for (const lag of [1, 2, 3, 4, 16])
      expect(Math.abs(correlation(x, x.subarray(lag), 100_000))).toBeLessThan(4 / Math.sqrt(100_000));
  });

  test("limits, mean and spread are what was asked for", () => {
    const u = new Rng(9).uniform([100_000], -3, 5).toArray();
    expect(u.every((v) => v >= -3 && v <= 5)).toBe(true);
    expect(Math.abs(moments(u)[0] - 1)).toBeLessThan(0.03);
    const [mean, variance] = moments(new Rng(9).normal([100_000], 2, 0.5).data);
    expect(Math.abs(mean - 2)).toBeLessThan(0.007);
    expect(Math.abs(variance - 0.25)).toBeLessThan(0.005);
  });

  test("random(): 53 bits in [0, 1)", () => {
    const rng = new Rng(10);
    const x = Float64Array.from({ length: 50_000 }, () => rng.random());
    expect(kolmogorovSmirnov(x, (v) => v)).toBeLessThan(1.95);
    const low = x.map((v) => (v * 2 ** 53) % 2 ** 26);
    expect(kolmogorovSmirnov(low, (v) => (v + 1) / 2 ** 26)).toBeLessThan(1.95);
  });

  test("mask keeps its share and the mean", () => {
    const mask = new Rng(11).mask([n], 0.8).data;
    expect(Math.abs(moments(mask)[0] - 1)).toBeLessThan(4 * Math.sqrt(0.25 / n));
  });
});

describe("whole numbers", () => {
  test("integer: every remainder and every third is as frequent as the others, where a plain modulo is not", () => {
    const rng = new Rng(12);
    const range = 3 * 2 ** 30;
    const [remainder, third] = [new Int32Array(3), new Int32Array(3)];
    for (let i = 0; i < 30_000; i++) {
      const k = rng.integer(range);
      remainder[k % 3]++;
      third[Math.floor(k / 2 ** 30)]++;
    }
    expect(chiSquare(remainder, () => 10_000)).toBeLessThan(18.4); // p = 10⁻⁴, 2 degrees of freedom
    expect(chiSquare(third, () => 10_000)).toBeLessThan(18.4);
    const small = new Int32Array(7);
    for (let i = 0; i < 14_000; i++) small[rng.integer(7)]++;
    expect(chiSquare(small, () => 2_000)).toBeLessThan(27.9); // p = 10⁻⁴, 6 degrees of freedom
  });

  test("integer: limits", () => {
    const rng = new Rng(13);
    expect(rng.integer(1)).toBe(0);
    expect(rng.integer(2 ** 32)).toBeGreaterThan(0);
    for (const bad of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN])
      expect(() => rng.integer(bad)).toThrow(`Rng.integer: n must be 1 … 2^32, not ${bad}.`);
  });

  test("permutation: each order of four as often as the others", () => {
    const rng = new Rng(14);
    const seen = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = rng.permutation(4).join("");
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    expect(chiSquare([...seen.values()], () => 1000)).toBeLessThan(56.5); // p = 10⁻⁴, 23 degrees of freedom
  });

  test("permutation: every number once; of 0 and 1 numbers too", () => {
    const rng = new Rng(15);
    expect([...rng.permutation(0)]).toEqual([]);
    expect([...rng.permutation(1)]).toEqual([0]);
    const order = rng.permutation(10_000);
    expect([...order.slice().sort((a, b) => a - b)]).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
    expect(Math.abs(correlation(order, Array.from(order.keys()), order.length))).toBeLessThan(0.04);
  });

  test("categorical: shares as weighted, never a weight of 0", () => {
    const weights = [0, 3, 0, 1, 4, 0];
    const seen = new Int32Array(6);
    for (const k of new Rng(16).categorical(weights, 40_000)) seen[k]++;
    expect([seen[0], seen[2], seen[5]]).toEqual([0, 0, 0]);
    expect(chiSquare([seen[1], seen[3], seen[4]], (k) => [15_000, 5_000, 20_000][k])).toBeLessThan(18.4);
    expect([...new Rng(1).categorical([2], 3)]).toEqual([0, 0, 0]);
    expect(() => new Rng(1).categorical([1, -1], 1)).toThrow("weight 1 is -1; weights are finite and ≥ 0.");
    expect(() => new Rng(1).categorical([Number.NaN], 1)).toThrow("weight 0 is NaN");
    expect(() => new Rng(1).categorical([0, 0], 1)).toThrow("all weights are 0");
  });
});

describe("state", () => {
  /** One draw of every kind, in some order. */
  const draws = (rng: Rng): unknown[] => [
    rng.random(),
    [...rng.uniform([7]).data],
    rng.integer(1000),
    [...rng.normal([2, 3], 1, 2).data],
    [...rng.permutation(5)],
    [...rng.mask([9], 0.5).data],
    [...rng.categorical([1, 2, 3], 4)],
    rng.fork(3).random(),
  ];

  test("the same seed, the same numbers; another seed, others", () => {
    expect(draws(new Rng(1))).toEqual(draws(new Rng(1)));
    const first = [0, 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER].map((seed) => new Rng(seed).random());
    expect(new Set(first).size).toBe(5);
    for (const bad of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => new Rng(bad)).toThrow("whole number from 0 to 2^53");
  });

  test("written as JSON in the midst of the draws, it goes on with the same numbers", () => {
    const rng = new Rng(2);
    draws(rng);
    const saved = JSON.stringify(rng.state);
    const next = draws(rng);
    expect(draws(Rng.from(JSON.parse(saved)))).toEqual(next);
    rng.state = JSON.parse(saved);
    expect(draws(rng)).toEqual(next);
  });

  test("the state handed out is a copy", () => {
    const rng = new Rng(3);
    const { state } = rng;
    state.counter[0] = 99;
    expect(rng.random()).toBe(new Rng(3).random());
  });

  test("draws do not overlap: tensors of any size use up whole blocks of four", () => {
    const rng = new Rng(4);
    const parts = [5, 8, 1, 16].flatMap((n) => [...rng.uniform([n]).data]);
    expect(new Set(parts).size).toBe(parts.length);
    expect(rng.state.counter).toEqual([2 + 2 + 1 + 4, 0]);
  });
});

describe("fork", () => {
  test("a function of seed, position and stream alone", () => {
    const rng = new Rng(5);
    const child = rng.fork(1);
    const other = new Rng(5);
    const same = other.fork(1);
    other.uniform([1000]);
    expect([...child.uniform([50]).data]).toEqual([...same.uniform([50]).data]);
    expect(rng.state.counter).toEqual([1, 0]);
  });

  test("parent and children are uncorrelated, and so are siblings", () => {
    const n = 20_000;
    const rng = new Rng(6);
    const children = [rng.fork(), rng.fork(), new Rng(6).fork(1), new Rng(6).fork(2)];
    const streams = [rng, ...children].map((r) => r.uniform([n]).toArray());
    for (let a = 0; a < streams.length; a++)
      for (let b = 0; b < a; b++)
        expect(Math.abs(correlation(streams[a], streams[b], n)), `${a}, ${b}`).toBeLessThan(4 / Math.sqrt(n));
  });
});
