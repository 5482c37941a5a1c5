import { beforeAll, expect, test } from "vitest";
import { init, Rng, zeros } from "../../src/index.ts";
import { buildModel, TinyVgg } from "../../src/models/index.ts";
import { parameterCount } from "../../src/nn/index.ts";
import { agreesWithTorch, overfit } from "./cnn.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

test("19,920 parameters, PyTorch's names, shapes and outputs", () => {
  const model = new TinyVgg([3, 64, 64], 10, new Rng(1));
  expect(parameterCount(model)).toBe(19_920);
  agreesWithTorch("tinyvgg", model);
});

test("any image from 16 × 16 on", () => {
  const model = new TinyVgg([1, 16, 21], 3, new Rng(1));
  expect(model.output.weight.shape).toEqual([3, 10 * 1 * 2]);
  expect(model.forward(zeros([2, 1, 16, 21])).shape).toEqual([2, 3]);
  expect(() => new TinyVgg([1, 15, 16], 3, new Rng(1))).toThrow("TinyVGG: images of 15 × 16 are too small.");
});

test("overfits one batch", () => {
  const model = buildModel({ model: "tinyvgg", inputs: [3, 24, 24], outputs: 3 }, new Rng(3)) as TinyVgg;
  const [first, last] = overfit(model, [6, 3, 24, 24], { classes: 3, steps: 60, lr: 5e-3 });
  expect(last).toBeLessThan(first * 0.02);
});
