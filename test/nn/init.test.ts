import { beforeAll, describe, expect, test } from "vitest";
import { Rng, init as start, type Tensor } from "../../src/index.ts";
import { Embedding, init, Linear } from "../../src/nn/index.ts";

beforeAll(async () => {
  await start({ threads: 2 });
});

const SHAPE = [300, 200] as const; // fan-out 300, fan-in 200
const KERNEL = [64, 32, 3, 3] as const; // a convolution: fan-out 576, fan-in 288
const rng = (): Rng => new Rng(11);

function spread(t: Tensor): { mean: number; std: number; kurtosis: number; low: number; high: number } {
  const x = t.toArray();
  const mean = x.reduce((s, v) => s + v, 0) / x.length;
  const m2 = x.reduce((s, v) => s + (v - mean) ** 2, 0) / x.length;
  const m4 = x.reduce((s, v) => s + (v - mean) ** 4, 0) / x.length;
  return {
    mean,
    std: Math.sqrt(m2),
    kurtosis: m4 / m2 ** 2,
    low: x.reduce((a, b) => Math.min(a, b)),
    high: x.reduce((a, b) => Math.max(a, b)),
  };
}

/** Uniform on ±bound: its limits are reached, and not passed. */
function uniform(t: Tensor, bound: number): void {
  const { mean, std, kurtosis, low, high } = spread(t);
  expect(high).toBeLessThanOrEqual(Math.fround(bound));
  expect(low).toBeGreaterThanOrEqual(-Math.fround(bound));
  expect(Math.min(high, -low) / bound).toBeGreaterThan(0.995);
  expect(Math.abs(mean) / bound).toBeLessThan(4 / Math.sqrt(3 * t.size));
  expect(Math.abs((std * Math.sqrt(3)) / bound - 1)).toBeLessThan(4 / Math.sqrt(t.size));
  expect(kurtosis).toBeCloseTo(1.8, 1);
}

function normal(t: Tensor, expected: number): void {
  const { mean, std, kurtosis } = spread(t);
  expect(Math.abs(mean) / expected).toBeLessThan(4 / Math.sqrt(t.size));
  expect(Math.abs(std / expected - 1)).toBeLessThan(4 / Math.sqrt(2 * t.size));
  expect(kurtosis).toBeCloseTo(3, 0);
}

describe("spread as published", () => {
  test("uniform", () => {
    uniform(init.xavierUniform(SHAPE, rng()), Math.sqrt(6 / 500));
    uniform(init.xavierUniform(KERNEL, rng(), 2), 2 * Math.sqrt(6 / 864));
    uniform(init.kaimingUniform(SHAPE, rng()), Math.sqrt(6 / 200));
    uniform(init.kaimingUniform(SHAPE, rng(), { mode: "fanOut", nonlinearity: "linear" }), Math.sqrt(3 / 300));
    uniform(init.kaimingUniform(KERNEL, rng(), { nonlinearity: "tanh" }), (5 / 3) * Math.sqrt(3 / 288));
    uniform(init.fanInUniform(SHAPE, rng()), 1 / Math.sqrt(200));
    uniform(init.fanInUniform([50_000], rng(), 16), 1 / 4);
    uniform(init.uniform(SHAPE, rng(), -2, 2), 2);
  });

  test("normal", () => {
    normal(init.xavierNormal(SHAPE, rng()), Math.sqrt(2 / 500));
    normal(init.kaimingNormal(SHAPE, rng()), Math.sqrt(2 / 200));
    normal(init.kaimingNormal(KERNEL, rng(), { mode: "fanOut", nonlinearity: "selu" }), 0.75 / Math.sqrt(576));
    normal(init.normal(SHAPE, rng()), 1);
    const { mean, std } = spread(init.normal(SHAPE, rng(), 3, 0.1));
    expect(mean).toBeCloseTo(3, 2);
    expect(std).toBeCloseTo(0.1, 2);
  });

  test("constants and the identity", () => {
    expect([...init.zeros([3]).data, ...init.constant([2], 7).data]).toEqual([0, 0, 0, 7, 7]);
    expect([...init.identity([2, 3]).data]).toEqual([1, 0, 0, 0, 1, 0]);
    expect([...init.identity([3, 2]).data]).toEqual([1, 0, 0, 1, 0, 0]);
  });
});

describe("orthogonal", () => {
  test.each([
    [[8, 8], 1],
    [[5, 12], 2],
    [[12, 5], 0.5],
    [[6, 2, 3, 3], 1],
    [[1, 4], 1],
  ] as const)("%j: the fewer of rows and columns are orthogonal, of length %d", (shape, gain) => {
    const t = init.orthogonal(shape, rng(), gain);
    const rows = shape[0];
    const columns = t.size / rows;
    const at = (i: number, k: number): number => (rows <= columns ? t.data[i * columns + k] : t.data[k * columns + i]);
    const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
    expect([...t.shape]).toEqual([...shape]);
    for (let i = 0; i < count; i++)
      for (let j = 0; j <= i; j++) {
        let dot = 0;
        for (let k = 0; k < length; k++) dot += at(i, k) * at(j, k);
        expect(dot).toBeCloseTo(i === j ? gain * gain : 0, 6);
      }
  });
});

test("layers start as PyTorch's do", () => {
  const layer = new Linear(200, 300, rng());
  uniform(layer.weight, 1 / Math.sqrt(200));
  expect([...layer.weight.shape, ...layer.bias!.shape]).toEqual([300, 200, 300]);
  const { low, high } = spread(layer.bias!);
  expect(Math.max(high, -low)).toBeLessThanOrEqual(1 / Math.sqrt(200));
  expect(Math.max(high, -low)).toBeGreaterThan(0.9 / Math.sqrt(200));
  expect(new Linear(2, 3, rng(), { bias: false }).bias).toBeUndefined();
  normal(new Embedding(500, 64, rng()).weight, 1);
});

test("the same generator, the same weights; drawn anew, others", () => {
  const source = rng();
  const first = init.xavierUniform(SHAPE, source).toArray();
  expect(init.xavierUniform(SHAPE, source).toArray()).not.toEqual(first);
  expect(init.xavierUniform(SHAPE, rng()).toArray()).toEqual(first);
});
