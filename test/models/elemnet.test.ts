import { beforeAll, expect, test } from "vitest";
import { grad, init, l1Loss, Rng, scope } from "../../src/index.ts";
import { ElemNet } from "../../src/models/index.ts";
import { parameterCount, parameters } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

test("ElemNet: 4,631,361 parameters in seventeen layers", () => {
  const model = new ElemNet(86, 1, new Rng(1));
  expect(parameterCount(model)).toBe(4_631_361);
  expect(model.mlp.layers.map((layer) => layer.weight.shape[0])).toEqual([
    ...[1024, 1024, 1024, 1024, 512, 512, 512, 256, 256, 256, 128, 128, 128, 64, 64, 32, 1],
  ]);
  expect(model.mlp.dropouts.flatMap(({ p }, i) => (p ? [`${i}: ${p}`] : []))).toEqual([
    "3: 0.2",
    "6: 0.1",
    "9: 0.3",
    "12: 0.2",
  ]);
  expect([...parameters(model).keys()][2]).toBe("mlp.layers.1.weight");
});

test("starts with Xavier's uniform weights and zero biases", () => {
  const model = new ElemNet(86, 1, new Rng(2), { dropout: false });
  const { weight, bias } = model.mlp.layers[4];
  const bound = Math.sqrt(6 / (1024 + 512));
  const largest = weight.data.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  expect(largest).toBeLessThanOrEqual(Math.fround(bound));
  expect(largest).toBeGreaterThan(0.999 * bound);
  expect(bias!.data.every((v) => v === 0)).toBe(true);
  expect(model.mlp.dropouts.every(({ p }) => p === 0)).toBe(true);
});

test("overfits one batch", () => {
  const rng = new Rng(3);
  const model = new ElemNet(86, 1, rng, { dropout: false });
  const optimizer = new Adam(model, { lr: 3e-4 });
  const fractions = rng.uniform([8, 86]).pow(8);
  const x = fractions.div(fractions.sum({ axes: 1, keepDim: true }));
  const y = rng.normal([8, 1]);
  const step = (): number =>
    scope(() => {
      const loss = l1Loss(model.forward(x, { rng }), y);
      optimizer.step(grad(loss, optimizer.parameters));
      return loss.item();
    });
  const first = step();
  for (let i = 0; i < 60; i++) step();
  expect(step()).toBeLessThan(0.3 * first);
});
