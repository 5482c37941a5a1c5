import { beforeAll, describe, expect, test } from "vitest";
import { powInt } from "../../src/core/portable.ts";
import { init, Rng, type Tensor, tensor } from "../../src/index.ts";
import { Adagrad, Adam, type AdamOptions, AdamW, type Optimizer, Rmsprop, Sgd } from "../../src/train/optim.ts";
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
