import { beforeAll, describe, expect, test } from "vitest";
import { powInt } from "../../src/core/portable.ts";
import { init, memoryUse, Rng, scope, type Tensor, tensor, zeros } from "../../src/index.ts";
import { Linear, parameters, Sequential } from "../../src/nn/index.ts";
import {
  Adagrad,
  Adam,
  type AdamOptions,
  AdamW,
  clipGradientNorm,
  clipGradientValue,
  Ema,
  gradientNorm,
  type Optimizer,
  Rmsprop,
  Sgd,
} from "../../src/train/optim.ts";
import torch from "../fixtures/optim.json" with { type: "json" };

// Plain SIMD: with fused multiply-add the last digits differ from one rounding per operation.
beforeAll(async () => {
  await init({ threads: 2, deterministic: true });
});

/** What every operation's result goes through: f32's rounding, or none. */
type Round = (x: number) => number;
/** An update of one number, in the kernel's order of operations; t = 1, 2, … */
type Update = (f: Round, p: number, g: number, state: Record<string, number>, t: number) => number;
type Options = Record<string, number>;

const sgd =
  ({ lr, momentum = 0, dampening = 0, nesterov = 0, weightDecay = 0 }: Options): Update =>
  (f, p, g, s, t) => {
    const mu = f(momentum);
    let d = f(g + f(f(weightDecay) * p));
    if (momentum > 0) {
      s.v = t === 1 ? d : f(f(mu * s.v) + f(f(1 - dampening) * d));
      d = nesterov ? f(d + f(mu * s.v)) : s.v;
    }
    return f(p - f(f(lr) * d));
  };

const adam =
  ({ lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, amsgrad = 0, weightDecay = 0, decoupled = 0 }: Options): Update =>
  (f, p, g, s, t) => {
    const d = f(f(f(decoupled ? 0 : weightDecay) * p) + g);
    s.m = f(f(f(1 - beta1) * d) + f(f(beta1) * (s.m ?? 0)));
    s.v = f(f(f(f(1 - beta2) * d) * d) + f(f(beta2) * (s.v ?? 0)));
    s.top = amsgrad ? Math.max(s.top ?? 0, s.v) : s.v;
    const root = f(1 / Math.sqrt(1 - powInt(beta2, t)));
    const step = f(lr / (1 - powInt(beta1, t)));
    const shrink = f(decoupled ? lr * weightDecay : 0);
    return f(f(p - f(shrink * p)) - f(f(step * s.m) / f(f(f(Math.sqrt(s.top)) * root) + f(eps))));
  };

const rmsprop =
  ({ lr, alpha = 0.99, eps = 1e-8, momentum = 0, weightDecay = 0 }: Options): Update =>
  (f, p, g, s) => {
    const d = f(g + f(f(weightDecay) * p));
    s.v = f(f(f(alpha) * (s.v ?? 0)) + f(f(f(1 - alpha) * d) * d));
    let u = f(d / f(f(Math.sqrt(s.v)) + f(eps)));
    if (momentum > 0) u = s.b = f(f(f(momentum) * (s.b ?? 0)) + u);
    return f(p - f(f(lr) * u));
  };

const adagrad =
  ({ lr, lrDecay = 0, eps = 1e-10, weightDecay = 0 }: Options): Update =>
  (f, p, g, s, t) => {
    const d = f(g + f(f(weightDecay) * p));
    s.v = f((s.v ?? 0) + f(d * d));
    return f(p - f(f(lr / (1 + (t - 1) * lrDecay)) * f(d / f(f(Math.sqrt(s.v)) + f(eps)))));
  };

interface Case {
  make: (parameters: ReadonlyMap<string, Tensor>) => Optimizer;
  update: Update;
  /** Rosenbrock's function from (−1.2, 1): where the trajectory is after 1, 2, 10 and 100 steps, in f64. */
  golden: number[][];
}

const sgdCase = (options: Options, golden: number[][]): Case => ({
  make: (p) => new Sgd(p, { ...options, nesterov: options.nesterov === 1 }),
  update: sgd(options),
  golden,
});
const adamCase = (options: Options, golden: number[][]): Case => ({
  make(p) {
    const { beta1 = 0.9, beta2 = 0.999, amsgrad, decoupled, ...rest } = options;
    const all: AdamOptions = { ...rest, betas: [beta1, beta2], amsgrad: amsgrad === 1 };
    return decoupled ? new AdamW(p, all) : new Adam(p, all);
  },
  update: adam(options),
  golden,
});
const rmspropCase = (options: Options, golden: number[][]): Case => ({
  make: (p) => new Rmsprop(p, options),
  update: rmsprop(options),
  golden,
});
const adagradCase = (options: Options, golden: number[][]): Case => ({
  make: (p) => new Adagrad(p, options),
  update: adagrad(options),
  golden,
});

const plain = [-1.17844, 1.0088];
const unit = [-1.19, 1.01];
const adamRows = [unit, [-1.180031963, 1.019971112], [-1.104955542, 1.095334617]];
const CASES: Record<string, Case> = {
  // The published table.
  "sgd 1e-4": sgdCase({ lr: 1e-4 }, [
    plain,
    [-1.160095756, 1.016398417],
    [-1.07924538, 1.050826172],
    [-1.025107582, 1.058818701],
  ]),
  "momentum .9": sgdCase({ lr: 1e-4, momentum: 0.9 }, [
    plain,
    [-1.140691756, 1.024318417],
    [-0.915216563, 1.105194143],
    [-0.928760688, 0.86842038],
  ]),
  "nesterov .9": sgdCase({ lr: 1e-4, momentum: 0.9, nesterov: 1 }, [
    [-1.159036, 1.01672],
    [-1.111978923, 1.036260489],
    [-0.965303797, 1.083747607],
    [-0.94423032, 0.899584706],
  ]),
  "sgd, wd .1": sgdCase({ lr: 1e-4, weightDecay: 0.1 }, [
    [-1.178428, 1.00879],
    [-1.160073018, 1.016377963],
    [-1.079157303, 1.050713656],
    [-1.024451768, 1.057575246],
  ]),
  "adam 1e-2": adamCase({ lr: 1e-2 }, [...adamRows, [-1.043575602, 1.093882663]]),
  "amsgrad 1e-2": adamCase({ lr: 1e-2, amsgrad: 1 }, [...adamRows, [-1.04381129, 1.094275421]]),
  "adam, wd .1": adamCase({ lr: 1e-2, weightDecay: 0.1 }, [
    unit,
    [-1.180031941, 1.019971063],
    [-1.104951209, 1.09532424],
    [-1.042023883, 1.090602832],
  ]),
  "adamw, wd .1": adamCase({ lr: 1e-2, weightDecay: 0.1, decoupled: 1 }, [
    [-1.1888, 1.009],
    [-1.177645801, 1.017959985],
    [-1.093886992, 1.084544819],
    [-0.9719331, 0.952625906],
  ]),
  "rmsprop 1e-2": rmspropCase({ lr: 1e-2 }, [
    [-1.1, 1.1],
    [-1.076185508, 1.124368509],
    [-1.058616535, 1.12694674],
    [-0.978863138, 0.964367886],
  ]),
  "adagrad 1e-1": adagradCase({ lr: 1e-1 }, [
    [-1.1, 1.1],
    [-1.076298158, 1.124253563],
    [-1.058767182, 1.127260889],
    [-0.998940358, 1.004098505],
  ]),
  // What the table leaves out, by PyTorch.
  "sgd, momentum .9, dampening .9": sgdCase(
    { lr: 1e-4, momentum: 0.9, dampening: 0.9 },
    torch["sgd, momentum .9, dampening .9"],
  ),
  "sgd, momentum .9, dampening .5, wd .1": sgdCase(
    { lr: 1e-4, momentum: 0.9, dampening: 0.5, weightDecay: 0.1 },
    torch["sgd, momentum .9, dampening .5, wd .1"],
  ),
  "sgd, nesterov .5, wd .1": sgdCase(
    { lr: 1e-4, momentum: 0.5, nesterov: 1, weightDecay: 0.1 },
    torch["sgd, nesterov .5, wd .1"],
  ),
  "adam, betas .5 .9, eps 1e-3": adamCase(
    { lr: 1e-2, beta1: 0.5, beta2: 0.9, eps: 1e-3 },
    torch["adam, betas .5 .9, eps 1e-3"],
  ),
  "amsgrad, wd .1": adamCase({ lr: 1e-2, amsgrad: 1, weightDecay: 0.1 }, torch["amsgrad, wd .1"]),
  "adamw, amsgrad": adamCase({ lr: 1e-2, amsgrad: 1, weightDecay: 0.1, decoupled: 1 }, torch["adamw, amsgrad"]),
  "rmsprop, momentum .5, wd .1": rmspropCase(
    { lr: 1e-3, alpha: 0.9, momentum: 0.5, weightDecay: 0.1 },
    torch["rmsprop, momentum .5, wd .1"],
  ),
  "adagrad, lrDecay .1, wd .1": adagradCase(
    { lr: 1e-1, lrDecay: 0.1, weightDecay: 0.1 },
    torch["adagrad, lrDecay .1, wd .1"],
  ),
};

/** ∇ of Rosenbrock's (1 − x)² + 100(y − x²)². */
const gradient = ([x, y]: Iterable<number>): number[] => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)];

/** The trajectory [step][x, y] by the formula, every operation rounded by `f`. */
function formula(update: Update, f: Round): number[][] {
  let p = [-1.2, 1].map(f);
  const states: Record<string, number>[] = [{}, {}];
  return Array.from({ length: 100 }, (_, i) => {
    const g = gradient(p).map(f);
    p = p.map((v, k) => update(f, v, g[k], states[k], i + 1));
    return p;
  });
}

describe.each(Object.entries(CASES))("%s", (_name, { make, update, golden }) => {
  test("the formula is the published one, the kernel is the formula in f32, to the bit", () => {
    const exact = formula(update, (x) => x);
    const rounded = formula(update, Math.fround);
    const p = tensor([-1.2, 1]);
    const optimizer = make(new Map([["p", p]]));
    for (let t = 1; t <= 100; t++) {
      optimizer.step([tensor(gradient(p.data))]);
      expect([...p.data], `step ${t}`).toEqual(rounded[t - 1]);
    }
    [1, 2, 10, 100].forEach((t, row) => {
      for (const k of [0, 1]) {
        expect(Math.abs(exact[t - 1][k] - golden[row][k]), `step ${t}, f64`).toBeLessThan(1e-9);
        expect(Math.abs(rounded[t - 1][k] - golden[row][k]), `step ${t}, f32`).toBeLessThan(1e-6);
      }
    });
  });

  test("every element of a large tensor, on two threads", () => {
    const n = 20_003;
    const rng = new Rng(1);
    const p = rng.normal([n]);
    const optimizer = make(new Map([["p", p]]));
    const expected = p.toArray();
    const states = Array.from({ length: n }, () => ({}));
    for (let t = 1; t <= 2; t++) {
      const g = rng.normal([n]).toArray();
      for (let i = 0; i < n; i++) expected[i] = update(Math.fround, expected[i], g[i], states[i], t);
      optimizer.step([tensor(g)]);
    }
    expect(p.toArray()).toEqual(expected);
  });

  test("stateDict: another optimizer goes on to the same bits", () => {
    const rng = new Rng(2);
    const p = rng.normal([20]);
    const optimizer = make(new Map([["p", p]]));
    const gradients = Array.from({ length: 6 }, () => rng.normal([20]).toArray());
    for (const g of gradients.slice(0, 3)) optimizer.step([tensor(g)]);
    const q = tensor(p.toArray());
    const { tensors, ...rest } = optimizer.stateDict();
    const saved = JSON.parse(
      JSON.stringify({ ...rest, tensors: [...tensors].map(([name, t]) => [name, [...t.data]]) }),
    );
    const other = make(new Map([["p", q]]));
    other.loadStateDict({ ...saved, tensors: new Map(saved.tensors) });
    for (const g of gradients.slice(3)) {
      optimizer.step([tensor(g)]);
      other.step([tensor(g)]);
    }
    expect(q.toArray()).toEqual(p.toArray());
    expect(other.steps).toBe(6);
  });
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
  test("average ← decay·average + (1 − decay)·weights, swapped in and back", () => {
    const model = new Sequential(new Linear(2, 1, new Rng(5)));
    const weights = [...parameters(model).values()];
    const first = weights.map((w) => w.toArray());
    const ema = new Ema(model, 0.75);
    for (const w of weights) w.set(w.data.map((v) => v + 4));
    const second = weights.map((w) => w.toArray());
    ema.update();
    ema.update();
    ema.swap();
    weights.forEach((w, k) => {
      w.toArray().forEach((v, i) => expect(v).toBeCloseTo(first[k][i] * 0.5625 + second[k][i] * 0.4375, 6));
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
