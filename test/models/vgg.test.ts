import { beforeAll, describe, expect, test } from "vitest";
import { init, Rng, UserError, zeros } from "../../src/index.ts";
import { buildModel, Vgg, vggParameterCount } from "../../src/models/index.ts";
import { parameterCount, stateDict } from "../../src/nn/index.ts";
import { agreesWithTorch, overfit } from "./cnn.ts";

let vgg: Vgg;
beforeAll(async () => {
  await init({ threads: 2 });
  vgg = new Vgg([3, 32, 32], 10, new Rng(1), { depth: 11, batchNorm: true, head: "cifar" });
});

describe("parameters", () => {
  test("those of torchvision, counted from the plan", () => {
    const counts = ([11, 13, 16, 19] as const).map((depth) => vggParameterCount(3, 1000, { depth }));
    expect(counts).toEqual([132_863_336, 133_047_848, 138_357_544, 143_667_240]);
    expect(vggParameterCount(3, 1000, { batchNorm: true })).toBe(138_365_992);
    expect(vggParameterCount(3, 10, { head: "cifar" })).toBe(14_719_818);
    expect(vggParameterCount(3, 10, { head: "cifar", batchNorm: true })).toBe(14_728_266);
  });

  test("the plan is what is built", () => {
    const options = { depth: 11, batchNorm: true, head: "cifar" } as const;
    expect(parameterCount(vgg)).toBe(vggParameterCount(3, 10, options));
  });

  test("start as torchvision's: He et al.'s normal deviates by fan-out, zero biases, N(0, 0.01²) in the head", () => {
    const state = stateDict(vgg);
    const spread = (name: string): number => {
      const { data } = state.get(name)!;
      return Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length);
    };
    expect(spread("features.25.weight") / Math.sqrt(2 / (9 * 512))).toBeCloseTo(1, 2);
    expect(spread("features.0.weight") / Math.sqrt(2 / (9 * 64))).toBeCloseTo(1, 1);
    expect(spread("classifier.weight") / 0.01).toBeCloseTo(1, 1);
    for (const name of ["features.0.bias", "classifier.bias"]) expect(spread(name)).toBe(0);
  });
});

test("any image from 32 × 32 on, any number of channels", () => {
  const grey = new Vgg([1, 40, 33], 3, new Rng(2), { depth: 11, head: "cifar" });
  expect(grey.forward(zeros([1, 1, 40, 33])).shape).toEqual([1, 3]);
});

test("mistakes", () => {
  const make =
    (...args: [number, object]) =>
    () =>
      new Vgg([3, args[0], args[0]], 2, new Rng(1), args[1]);
  expect(make(31, {})).toThrow("VGG: images of 31 × 31 are too small: it halves them five times.");
  expect(make(32, { depth: 12 })).toThrow("VGG: the depth must be 11, 13, 16 or 19, not 12.");
  expect(make(32, { head: "both" })).toThrow(UserError);
  expect(() => vgg.forward(zeros([1, 1, 32, 32]))).toThrow(/Conv2d\(3 → 64, 3×3\).*the input has 1 channels, not 3/);
});

test("an architecture as data builds it", () => {
  const model = buildModel(
    { model: "vgg", depth: 11, inputs: [3, 32, 32], outputs: 4, head: "cifar" },
    new Rng(1),
  ) as Vgg;
  expect([...stateDict(model).keys()].slice(-2)).toEqual(["classifier.weight", "classifier.bias"]);
});

test("overfits one batch", () => {
  const [first, last] = overfit(vgg, [4, 3, 32, 32], { steps: 8 });
  expect(last).toBeLessThan(first * 0.2);
});

test("names, shapes and outputs are PyTorch's", () => agreesWithTorch("vgg11_bn", vgg));
