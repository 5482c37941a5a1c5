import { beforeAll, describe, expect, test } from "vitest";
import { init, memoryUse, Rng, scope, type Tensor, tensor, zeros } from "../../src/index.ts";
import { Linear, parameters, Sequential } from "../../src/nn/index.ts";
import { Ema } from "../../src/train/average.ts";
import {
  Adagrad,
  Adam,
  AdamW,
  clipGradientNorm,
  clipGradientValue,
  gradientNorm,
  limitRowNorms,
  Rmsprop,
  Sgd,
} from "../../src/train/optim.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

describe("momentum", () => {
  test("dampening = momentum is the average of the lecture: a constant gradient moves by lr·g each step", () => {
    const p = tensor([0]);
    const optimizer = new Sgd(new Map([["p", p]]), { lr: 0.5, momentum: 0.75, dampening: 0.75 });
    for (let t = 1; t <= 4; t++) {
      optimizer.step([tensor([1])]);
      expect(p.item()).toBe(-0.5 * t);
    }
    // m ← βm + (1 − β)g
    optimizer.step([tensor([-3])]);
    expect(p.item()).toBe(-2 - 0.5 * (0.75 * 1 + 0.25 * -3));
  });

  test("a schedule may cycle it where there is some", () => {
    const p = (): Map<string, Tensor> => new Map([["p", tensor([0])]]);
    const sgd = new Sgd(p(), { lr: 1, momentum: 0.5 });
    sgd.step([tensor([1])]);
    sgd.setMomentum(0.25);
    sgd.step([tensor([1])]);
    expect(sgd.parameters[0].item()).toBe(-1 - 1.25);
    const adam = new Adam(p());
    adam.setMomentum(0.8);
    adam.step([tensor([1])]);
    expect(adam.stateDict().tensors.get("p.exp_avg")!.item()).toBeCloseTo(0.2, 7);
    for (const still of [new Sgd(p()), new Rmsprop(p()), new Adagrad(p())])
      expect(() => still.setMomentum(0.9)).toThrow(/has no momentum for the schedule to cycle/);
  });
});

describe("penalties", () => {
  test("l1 adds its sign, l2 the weight", () => {
    const p = tensor([2, -2, 0]);
    const optimizer = new Sgd(new Map([["p", p]]), { lr: 1, l1: 0.25, weightDecay: 0.5 });
    optimizer.step([zeros([3])]);
    expect([...p.data]).toEqual([2 - 0.25 - 1, -2 + 0.25 + 1, 0]);
  });

  test("adamw decays apart from the gradient: with none, p shrinks by 1 − lr·wd", () => {
    const p = tensor([1]);
    new AdamW(new Map([["p", p]]), { lr: 0.5, weightDecay: 0.5 }).step([tensor([0])]);
    expect(p.item()).toBe(0.75);
  });
});

describe("groups", () => {
  const model = (): { a: Linear; b: Linear } => ({
    a: new Linear(1, 1, new Rng(1), { bias: false }),
    b: new Linear(1, 1, new Rng(2), { bias: false }),
  });

  test("each with its own rate and penalties; a schedule scales all rates", () => {
    const { a, b } = model();
    for (const { weight } of [a, b]) weight.set([1]);
    const optimizer = new Sgd([{ parameters: a, lr: 0.25, weightDecay: 1 }, { parameters: b }], { lr: 0.5 });
    optimizer.step([tensor([[1]]), tensor([[1]])]);
    expect([a.weight.item(), b.weight.item()]).toEqual([1 - 0.25 * 2, 1 - 0.5]);
    optimizer.lr = 0.25;
    optimizer.step([tensor([[0]]), tensor([[1]])]);
    expect([a.weight.item(), b.weight.item()]).toEqual([0.5 - 0.125 * 0.5, 0.5 - 0.25]);
  });

  test("parts whose parameters have the same names keep their states apart", () => {
    const { a, b } = model();
    const optimizer = new Adam([{ parameters: a }, { parameters: b }]);
    optimizer.step([tensor([[1]]), tensor([[2]])]);
    const { tensors } = optimizer.stateDict();
    expect([...tensors.keys()]).toEqual([
      "weight.exp_avg",
      "weight.exp_avg_sq",
      "group1.weight.exp_avg",
      "group1.weight.exp_avg_sq",
    ]);
    expect(tensors.get("weight.exp_avg")!.item()).toBeCloseTo(0.1, 6);
    expect(tensors.get("group1.weight.exp_avg")!.item()).toBeCloseTo(0.2, 6);
    expect(optimizer.names).toEqual(["weight", "group1.weight"]);
  });

  test("a parameter in two groups, none at all", () => {
    const { a } = model();
    expect(() => new Adam([{ parameters: a }, { parameters: { a } }])).toThrow("Adam: a.weight is in two groups.");
    expect(() => new Sgd({})).toThrow("Sgd: the model has no parameters.");
    expect(() => new Sgd([{ parameters: a, lr: 1 }], { lr: 0 })).toThrow("group 0 has its own lr");
  });
});

test("options that make no sense are refused by name", () => {
  const p = new Map([["p", tensor([0])]]);
  expect(() => new Sgd(p, { lr: -1 })).toThrow("Sgd: lr must be ≥ 0, not -1.");
  expect(() => new Sgd(p, { momentum: -0.9 })).toThrow("Sgd: momentum must be ≥ 0, not -0.9.");
  expect(() => new Sgd(p, { nesterov: true })).toThrow("nesterov needs momentum > 0 and dampening 0");
  expect(() => new Sgd([{ parameters: p, weightDecay: -1 }])).toThrow("Sgd: weightDecay must be ≥ 0, not -1.");
  expect(() => new AdamW(p, { lr: Number.NaN })).toThrow("AdamW: lr must be ≥ 0, not NaN.");
  expect(() => new Adam(p, { betas: [0.9, 1] })).toThrow("Adam: betas must be in [0, 1), not 1.");
  expect(() => new Adam(p, { eps: -1 })).toThrow("Adam: eps must be ≥ 0");
  expect(() => new Rmsprop(p, { alpha: Number.NaN })).toThrow("Rmsprop: alpha must be ≥ 0");
  expect(() => new Adagrad(p, { lrDecay: -1 })).toThrow("Adagrad: lrDecay must be ≥ 0");
  expect(() => new Adam(p).step([])).toThrow("Optimizer.step: 0 gradients for 1 parameters.");
  const { tensors } = new Sgd(p, { momentum: 0.5 }).stateDict();
  const state = { steps: 1, lr: 1, tensors: new Map([...tensors].map(([name, t]) => [name, t.data])) };
  expect(() => new Adam(p).loadStateDict(state)).toThrow("The checkpoint has no optimizer state for p.exp_avg.");
});

describe("clipping", () => {
  test("the norm of all gradients together, in f64, whatever their sizes", () => {
    const rng = new Rng(3);
    for (const n of [0, 1, 3, 7, 8, 9, 4095, 4096, 4097, 50_001]) {
      const gs = [rng.normal([n]), rng.normal([n, 3])];
      const exact = Math.sqrt(gs.flatMap((g) => [...g.data]).reduce((sum, v) => sum + v * v, 0));
      expect(Math.abs(gradientNorm(gs) - exact)).toBeLessThanOrEqual(1e-12 * exact);
    }
    expect(gradientNorm([tensor([3e30]), tensor([4e30])]) / 5e30, "no overflow").toBeCloseTo(1, 6);
    expect(gradientNorm([tensor([1, Number.NaN])])).toBeNaN();
    expect(gradientNorm([tensor([1, -Infinity])])).toBe(Infinity);
  });

  test("the norm has the same bits on any number of threads and leaves nothing behind", async () => {
    const g = new Rng(4).normal([300_000]);
    const { live } = memoryUse();
    const two = gradientNorm([g]);
    await init({ threads: 1 });
    expect(gradientNorm([g])).toBe(two);
    await init({ threads: 2 });
    expect(memoryUse().live).toBe(live);
  });

  test("by norm: all scaled alike, only where it is above the limit", () => {
    const gs = [tensor([3, 0]), tensor([[0, 4]])];
    expect(clipGradientNorm(gs, 6)).toBe(5);
    expect([...gs[0].data, ...gs[1].data]).toEqual([3, 0, 0, 4]);
    expect(clipGradientNorm(gs, 1)).toBe(5);
    [0.6, 0, 0, 0.8].forEach((v, i) => expect([...gs[0].data, ...gs[1].data][i]).toBeCloseTo(v, 6));
    expect(clipGradientNorm([tensor([Number.NaN])], 1)).toBeNaN();
  });

  test("by value", () => {
    const g = tensor([-3, -0.5, 0.5, 3]);
    clipGradientValue([g], 1);
    expect([...g.data]).toEqual([-1, -0.5, 0.5, 1]);
  });
});

describe("Ema", () => {
  test("average ← decay·average + (1 − decay)·weights, less of it at first, swapped in and back", () => {
    const model = new Sequential(new Linear(2, 1, new Rng(5)));
    const weights = [...parameters(model).values()];
    const first = weights.map((w) => w.toArray());
    const ema = new Ema(model, 0.125);
    for (const w of weights) w.set(w.data.map((v) => v + 4));
    const second = weights.map((w) => w.toArray());
    ema.update();
    ema.update();
    ema.swap();
    weights.forEach((w, k) => {
      w.toArray().forEach((v, i) => expect(v).toBeCloseTo(first[k][i] * 0.0125 + second[k][i] * 0.9875, 6));
    });
    ema.swap();
    weights.forEach((w, k) => expect(w.toArray()).toEqual(second[k]));
  });

  test("steps leave nothing behind", () => {
    const model = new Linear(30, 20, new Rng(6));
    const ema = new Ema(model);
    const optimizer = new Adam(model, { l1: 1e-3 });
    const before = memoryUse().live;
    for (let t = 0; t < 5; t++)
      scope(() => {
        const gs = optimizer.parameters.map((p) => zeros(p.shape).add(1));
        clipGradientNorm(gs, 0.5);
        optimizer.step(gs);
        ema.update();
      });
    expect(memoryUse().live).toBe(before);
  });
});

test("limitRowNorms shortens the rows that are too long and leaves the others", () => {
  const weight = tensor([
    [3, 4],
    [0.3, 0.4],
    [0, 0],
  ]);
  limitRowNorms(weight, 2);
  [1.2, 1.6, 0.3, 0.4, 0, 0].forEach((w, i) => expect(weight.data[i]).toBeCloseTo(w, 6));
  expect(() => limitRowNorms(weight, 0)).toThrow(/above 0/);
});
