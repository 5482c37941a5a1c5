import { beforeAll, expect, test } from "vitest";
import * as s from "../../src/index.ts";
import { Dropout2d } from "../../src/nn/index.ts";
import {
  CONFIGURATIONS,
  COTANGENT,
  type Configuration,
  compare,
  DIRECTION,
  draw,
  type Quantity,
} from "./visionFixture.ts";

/**
 * The vision ops against PyTorch 1.13 in f64: 56 configurations or more each, the edges among them (1 × 1 images, kernel = image, stride >
 * kernel, odd channel counts, empty batches, sizes that take the fast algorithms). Compared are the value, the gradient of Σ v·y for
 * every input, and the gradient of Σ u·∂L/∂θ with L = ½ Σ v·y²: second derivatives. Errors are relative to an array's largest element.
 */
const TOLERANCE = { value: 1e-5, gradient: 1e-4, second: 1e-4 };

/** `v`: random numbers of the inputs' shapes; `statistics`: where batch norm leaves mean and variance. */
type Run = (xs: readonly s.Tensor[], attrs: never, v: readonly s.Tensor[], statistics: readonly s.Tensor[]) => s.Tensor;

const pads: Run = ([x], { pads }: { pads: Parameters<typeof s.pad>[1][] }) => pads.reduce((y, p) => s.pad(y, p), x);
const upsample: Run = ([x], attrs) => s.upsample(x, attrs);

const RUN: Record<string, Run> = {
  conv1d: ([x, w, b], attrs) => (b ? s.conv1d(x, w, b, attrs) : s.conv1d(x, w, attrs)),
  conv2d: ([x, w, b], attrs) => (b ? s.conv2d(x, w, b, attrs) : s.conv2d(x, w, attrs)),
  convTranspose2d: ([x, w, b], attrs) => (b ? s.convTranspose2d(x, w, b, attrs) : s.convTranspose2d(x, w, attrs)),
  maxPool1d: ([x], attrs) => s.maxPool1d(x, attrs),
  maxPool2d: ([x], attrs) => s.maxPool2d(x, attrs),
  avgPool1d: ([x], attrs) => s.avgPool1d(x, attrs),
  avgPool2d: ([x], attrs) => s.avgPool2d(x, attrs),
  adaptiveAvgPool1d: ([x], attrs) => s.adaptiveAvgPool1d(x, attrs),
  adaptiveAvgPool2d: ([x], attrs) => s.adaptiveAvgPool2d(x, attrs),
  globalAvgPool: ([x]) => s.globalAvgPool(x),
  globalMaxPool: ([x]) => s.globalMaxPool(x),
  "upsample, nearest": upsample,
  "upsample, bilinear": upsample,
  "pad, constant": pads,
  "pad, reflect": pads,
  "batchNorm, training": ([x, w, b], attrs: object, _v, [mean, variance]) =>
    s.batchNorm(x, w, b, { ...attrs, mean, variance }),
  "batchNorm, inference": ([x, w, b], attrs: object, [, mean, spread]) =>
    s.batchNorm(x, w, b, { ...attrs, training: false, mean, variance: s.abs(spread).add(0.25) }),
  groupNorm: ([x, w, b], attrs) => s.groupNorm(x, w, b, attrs),
};

const INPUTS = ["x", "weight", "bias"];

/** All that is compared, in the order of the fixture. */
function quantities(name: string, configuration: Configuration): Quantity[] {
  const { inputs, output, attrs = {} } = configuration;
  const drawn = (slot: number, shape: s.Shape): s.Tensor => s.tensor(draw(configuration, slot, shape), shape);
  const xs = inputs.map((shape, k) => drawn(k, shape));
  const us = inputs.map((shape, k) => drawn(DIRECTION + k, shape));
  const statistics = name === "batchNorm, training" ? [1, 2].map(() => s.zeros(inputs[1])) : [];
  const y = RUN[name](xs, attrs as never, us, statistics);
  expect(y.shape).toEqual(output);
  const v = drawn(COTANGENT, output);
  const first = s.grad(y, xs, { gradOutput: v });
  const bent = s.grad(s.mul(s.square(y), v).sum().mul(0.5), xs, { differentiable: true });
  const second = s.grad(
    bent.map((g, k) => s.mul(g, us[k]).sum()).reduce((a, b) => s.add(a, b)),
    xs,
  );
  const named = (what: string, tolerance: number) => (t: s.Tensor, k: number) => ({
    what: what.replace("θ", INPUTS[k]),
    data: t.toArray(),
    tolerance,
  });
  return [
    named("y", TOLERANCE.value)(y, 0),
    ...statistics.map(named("statistics of θ", TOLERANCE.value)),
    ...first.map(named("∂(Σ v·y)/∂θ", TOLERANCE.gradient)),
    ...second.map(named("∂(Σ u·∂L)/∂θ", TOLERANCE.second)),
  ];
}

const textOf = (name: string, { number, inputs, attrs = {} }: Configuration): string =>
  `${name}(${inputs.map((shape) => `[${shape.join(", ")}]`).join(", ")}) ${JSON.stringify(attrs)}, number ${number}`;

/** The first thing that is wrong with a configuration. */
function problemOf(name: string, configuration: Configuration): string[] {
  const text = textOf(name, configuration);
  return s.scope(() => {
    try {
      return compare(configuration, quantities(name, configuration))
        .slice(0, 1)
        .map((problem) => `${text}: ${problem}`);
    } catch (error) {
      return [`${text}: ${(error as Error).message}`];
    }
  }, text);
}

beforeAll(async () => {
  await s.init({ threads: 2 });
});

test("the configurations are those of the ops, ≥ 50 each", () => {
  expect(Object.keys(CONFIGURATIONS)).toEqual(Object.keys(RUN));
  for (const configurations of Object.values(CONFIGURATIONS)) expect(configurations.length).toBeGreaterThanOrEqual(50);
});

test.each(Object.entries(CONFIGURATIONS))("%s is PyTorch's", (name, configurations) => {
  expect(configurations.flatMap((c) => problemOf(name, c))).toEqual([]);
});

test("max pooling: of equal elements the first gets the gradient, and NaN is the largest", () => {
  const x = s.ones([1, 1, 3, 5]);
  const pooled = s.maxPool2d(x, { kernelSize: 3, stride: 1, padding: 1 });
  expect([...s.grad(pooled.sum(), [x])[0].data]).toEqual([4, 2, 2, 2, 0, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
  const [first] = s.grad(s.globalMaxPool(x).sum(), [x]);
  expect(first.data.indexOf(1)).toBe(0);
  expect(first.sum().item()).toBe(1);
  x.data[7] = Number.NaN;
  expect([...s.maxPool2d(x, { kernelSize: [3, 2], stride: 1 }).data]).toEqual([1, Number.NaN, Number.NaN, 1]);
  expect([...s.globalMaxPool(x).data]).toEqual([Number.NaN]);
});

test("Dropout2d drops whole channels of single images, and scales the others by 1/(1 − p)", () => {
  const x = new s.Rng(1).normal([40, 25, 3, 2]);
  const y = new Dropout2d(0.3).forward(x, { rng: new s.Rng(2) });
  const scales = y.data.map((v, i) => v / x.data[i]);
  let dropped = 0;
  for (let plane = 0; plane < 1000; plane++) {
    const [first, ...others] = scales.subarray(6 * plane, 6 * plane + 6);
    if (first === 0) dropped++;
    else expect(first).toBeCloseTo(1 / 0.7, 6);
    for (const v of others) expect(v).toBeCloseTo(first, 6);
  }
  // 1000 · 0.3 ± 4 standard deviations.
  expect(Math.abs(dropped - 300)).toBeLessThan(58);
  const [g] = s.grad(y.sum(), [x]);
  expect([...g.data.map((v, i) => v - scales[i])].every((v) => Math.abs(v) < 1e-6)).toBe(true);
  expect(new Dropout2d(0.3).forward(x)).toBe(x);
  expect(new Dropout2d(0).forward(x, { rng: new s.Rng(2) })).toBe(x);
});
