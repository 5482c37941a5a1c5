import { beforeAll, describe, expect, test } from "vitest";
import { crossEntropy, grad, indices, init, mseLoss, Rng, scope, type Tensor, tensor } from "../../src/index.ts";
import { Mlp, type MlpOptions } from "../../src/models/index.ts";
import { type ActivationName, activations, parameterCount, parameters, stateDict } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

/** Loss on one batch of 16 rows before and after training on it. */
function overfit(options: MlpOptions, steps: number): [first: number, last: number] {
  const rng = new Rng(1);
  const model = new Mlp([6, 32, 32, 2], rng, options);
  const optimizer = new Adam(model, { lr: 1e-2 });
  const x = rng.normal([16, 6]);
  const y = rng.normal([16, 2]);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++)
    scope(() => {
      const loss = mseLoss(model.forward(x, { rng }), y);
      losses.push(loss.item());
      optimizer.step(grad(loss, optimizer.parameters));
    });
  return [losses[0], losses[steps - 1]];
}

describe("overfits one batch", () => {
  const smooth = (Object.keys(activations) as ActivationName[]).filter((name) => name !== "identity");
  test.each(smooth)("with %s", (activation) => {
    const [first, last] = overfit({ activation }, 300);
    expect(last).toBeLessThan(first * 0.02);
  });

  test.each<[string, MlpOptions]>([
    ["batch norm", { norm: "batch" }],
    ["layer norm", { norm: "layer" }],
    ["residual connections", { residual: true, activation: "silu" }],
    ["everything", { residual: true, activation: "gelu", norm: "layer", dropout: [0, 0.02] }],
  ])("with %s", (_name, options) => {
    const [first, last] = overfit(options, 300);
    expect(last).toBeLessThan(first * 0.05);
  });

  test("as a classifier", () => {
    const rng = new Rng(2);
    const model = new Mlp([4, 32, 3], rng);
    const optimizer = new Adam(model, { lr: 2e-2 });
    const x = rng.normal([12, 4]);
    const labels = indices(Array.from({ length: 12 }, () => rng.integer(3)));
    const step = (): number =>
      scope(() => {
        const loss = crossEntropy(model.forward(x, { rng }), labels);
        optimizer.step(grad(loss, optimizer.parameters));
        return loss.item();
      });
    for (let i = 0; i < 150; i++) step();
    expect(step()).toBeLessThan(0.02);
    expect([...model.forward(x).argmax().data]).toEqual([...labels.data]);
  });
});

describe("the layers", () => {
  test("linear, norm, activation, dropout; names as of PyTorch lists", () => {
    const model = new Mlp([2, 3, 4, 1], new Rng(1), { norm: "batch" });
    expect([...parameters(model)].map(([name, t]) => `${name} ${t.shape}`)).toEqual([
      "layers.0.weight 3,2",
      "layers.0.bias 3",
      "layers.1.weight 4,3",
      "layers.1.bias 4",
      "layers.2.weight 1,4",
      "layers.2.bias 1",
      "norms.0.weight 3",
      "norms.0.bias 3",
      "norms.1.weight 4",
      "norms.1.bias 4",
    ]);
    expect(stateDict(model).size).toBe(14);
    expect(parameterCount(new Mlp([784, 512, 256, 10], new Rng(1)))).toBe(784 * 512 + 512 + 512 * 256 + 256 + 2570);
  });

  test("counts of the lecture: shallow 3D + 1, deep 3D + 1 + (K − 1)·D(D + 1)", () => {
    expect(parameterCount(new Mlp([1, 5, 1], new Rng(1)))).toBe(16);
    expect(parameterCount(new Mlp([1, 5, 5, 1], new Rng(1)))).toBe(46);
  });

  test("forward is what it says, with the rectifier fused and apart", () => {
    const rng = new Rng(3);
    const x = rng.normal([7, 3]);
    for (const activation of ["relu", "tanh"] as const) {
      const model = new Mlp([3, 5, 5, 2], rng, { activation, residual: true });
      const [a, b, c] = model.layers.map((layer) => (t: Tensor) => layer.forward(t));
      const f = activations[activation];
      const h = f(a(x));
      const expected = c(f(b(h)).add(h));
      const y = model.forward(x);
      y.toArray().forEach((v, i) => expect(v).toBeCloseTo(expected.data[i], 5));
    }
    const normed = new Mlp([3, 4, 1], rng, { norm: "layer" });
    const [first, last] = normed.layers;
    const expected = last.forward(normed.norms[0].forward(first.forward(x)).relu());
    normed
      .forward(x)
      .toArray()
      .forEach((v, i) => expect(v).toBeCloseTo(expected.data[i], 5));
  });

  test("residual only where the sizes agree", () => {
    const model = new Mlp([4, 4, 6, 1], new Rng(4), { residual: true });
    for (const { weight, bias } of model.layers.slice(0, 2)) {
      weight.set(new Float32Array(weight.size));
      bias!.set(new Float32Array(bias!.size));
    }
    model.layers[2].weight.set([1, 1, 1, 1, 1, 1]);
    model.layers[2].bias!.set([5]);
    expect(model.forward(tensor([[1, 2, 3, 4]])).item()).toBe(5);
    expect(() => new Mlp([4, 4, 1], new Rng(4), { residual: true }).forward(tensor([[1, 2, 3]]))).toThrow(
      "Linear(4 → 4)([1, 3]): the input has 3 features, not 4.",
    );
  });

  test("without hidden layers it is a linear model", () => {
    const model = new Mlp([2, 1], new Rng(5), { norm: "batch", dropout: 0.5 });
    const x = tensor([[1, 2]]);
    expect(model.forward(x).item()).toBe(model.layers[0].forward(x).item());
  });

  test("dropout: one rate or one for each hidden layer, only while training", () => {
    const rng = new Rng(6);
    const model = new Mlp([3, 20, 20, 1], rng, { dropout: [0, 0.5] });
    expect(model.dropouts.map((d) => d.p)).toEqual([0, 0.5]);
    const x = rng.normal([4, 3]);
    expect(model.forward(x).toArray()).toEqual(model.forward(x).toArray());
    expect(model.forward(x, { rng }).toArray()).not.toEqual(model.forward(x).toArray());
  });
});

test("mistakes are refused when the model is made", () => {
  const rng = new Rng(1);
  for (const sizes of [[3], [3, 0, 1], [3, 1.5, 1]])
    expect(() => new Mlp(sizes, rng)).toThrow(
      `Mlp: sizes must be at least two whole numbers > 0, not [${sizes.join(", ")}].`,
    );
  expect(() => new Mlp([3, 4, 1], rng, { dropout: [0.1, 0.2] })).toThrow("Mlp: 2 dropout rates for 1 hidden layers.");
  expect(() => new Mlp([3, 4, 1], rng, { dropout: 1 })).toThrow("Dropout: p must be in [0, 1), not 1.");
  expect(() => new Mlp([3, 4, 1], rng, { activation: "swoosh" as ActivationName })).toThrow(
    'There is no activation "swoosh".',
  );
});
