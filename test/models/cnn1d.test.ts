import { beforeAll, describe, expect, test } from "vitest";
import { init, Rng, zeros } from "../../src/index.ts";
import { buildModel, Cnn1d, type Cnn1dOptions } from "../../src/models/index.ts";
import { parameterCount, stateDict } from "../../src/nn/index.ts";
import { agreesWithTorch, overfit } from "./cnn.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

test("the net of MNIST-1D: 5,210 parameters, PyTorch's names, shapes and outputs", () => {
  const model = new Cnn1d([1, 1, 40], 10, new Rng(1));
  expect(parameterCount(model)).toBe(5210);
  agreesWithTorch("cnn1d", model);
});

test("long signals: five blocks with batch norm, halved by each", () => {
  const model = new Cnn1d([1, 1, 700], 7, new Rng(1));
  expect(model.output.weight.shape).toEqual([7, 64 * 21]);
  expect([...stateDict(model).keys()]).toContain("norms.4.running_var");
  expect(model.dropout.p).toBe(0.5);
  const x = new Rng(2).normal([2, 1, 700]);
  expect(model.forward(x.reshape(2, 1, 1, 700)).toArray()).toEqual(model.forward(x).toArray());
  expect(() => model.forward(zeros([2, 700]))).toThrow(/the input must be \[N, channels, length\]/);
});

test("averages over the positions make the length free", () => {
  const model = new Cnn1d([2, 1, 64], 3, new Rng(1), { channels: [8], kernelSize: 5, head: "average" });
  expect(model.output.weight.shape).toEqual([3, 8]);
  expect(model.forward(zeros([2, 2, 90])).shape).toEqual([2, 3]);
});

describe("overfits one batch", () => {
  test.each<[string, number, Cnn1dOptions]>([
    ["the short net", 40, {}],
    ["the long net", 128, { dropout: 0 }],
    ["averages", 60, { head: "average", pool: 2, stride: 1, batchNorm: true }],
  ])("%s", (_name, length, options) => {
    const model = buildModel({ model: "cnn1d", inputs: [1, 1, length], outputs: 3, ...options }, new Rng(3)) as Cnn1d;
    const [first, last] = overfit(model, [9, 1, 1, length], { classes: 3, steps: 40, lr: 5e-3 });
    expect(last).toBeLessThan(first * 0.1);
  });
});

test("mistakes", () => {
  const make = (length: number, options: Cnn1dOptions) => () => new Cnn1d([1, 1, length], 2, new Rng(1), options);
  expect(() => new Cnn1d([1, 28, 28], 2, new Rng(1))).toThrow("the inputs are images of height 28, not signals.");
  expect(make(40, { channels: [4, 4] })).toThrow("Cnn1d: kernelSize has 3 numbers for 2 convolutions.");
  expect(make(2, {})).toThrow("signals of 2 positions are too short: nothing is left after convolution 1.");
});
