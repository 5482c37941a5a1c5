import { beforeAll, expect, test } from "vitest";
import { init, Rng, zeros } from "../../src/index.ts";
import { buildModel, LeNet5 } from "../../src/models/index.ts";
import { parameterCount } from "../../src/nn/index.ts";
import { agreesWithTorch, overfit } from "./cnn.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

test("62,902 parameters, the outputs of a net that is written out with the printed table", () => {
  const model = new LeNet5([1, 28, 28], 10, new Rng(1));
  expect(parameterCount(model)).toBe(62_902);
  agreesWithTorch("lenet", model);
});

test("32 × 32 is taken as it is, and has as many parameters", () => {
  const model = new LeNet5([1, 32, 32], 10, new Rng(1));
  expect(parameterCount(model)).toBe(62_902);
  expect(model.forward(zeros([3, 1, 32, 32])).shape).toEqual([3, 10]);
  expect(() => new LeNet5([1, 11, 28], 10, new Rng(1))).toThrow("LeNet-5: images of 11 × 28 are too small.");
});

test("overfits one batch, as far as outputs within ±1.7159 can", () => {
  const model = buildModel({ model: "lenet", inputs: [1, 28, 28], outputs: 4 }, new Rng(3)) as LeNet5;
  const [first, last] = overfit(model, [8, 1, 28, 28], { classes: 4, steps: 60, lr: 3e-3 });
  const least = Math.log(1 + 3 * Math.exp(-2 * 1.7159));
  expect(first).toBeGreaterThan(1);
  expect(last).toBeLessThan(least + 0.02);
});
