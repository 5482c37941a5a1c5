import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { init, memoryUse, Rng, scope, type Tensor, tensor, zeros } from "../../src/index.ts";
import { Linear, parameters, Sequential } from "../../src/nn/index.ts";
import { averageOf, Swa } from "../../src/train/average.ts";
import { Lamb } from "../../src/train/lamb.ts";
import { Lookahead } from "../../src/train/lookahead.ts";
import { Adam, type Optimizer, Sgd } from "../../src/train/optim.ts";
import { run } from "./runs.ts";

const fixture: Record<string, Record<string, number[]>> = JSON.parse(
  readFileSync(new URL("../fixtures/lamb.json", import.meta.url), "utf8"),
);

beforeAll(async () => {
  await init({ threads: 2 });
});

const start = (): Map<string, Tensor> =>
  new Map([
    ["a", tensor([1.5, -0.5, 20])],
    ["b", zeros([2, 2])],
  ]);
const SCALE: Record<string, number> = { a: 2, b: 0.5 };
const SHIFT: Record<string, number> = { a: 1, b: -0.25 };

const CASES: Record<string, (p: Map<string, Tensor>) => Optimizer> = {
  lamb: (p) => new Lamb(p, { lr: 0.02 }),
  "lamb, wd .1": (p) => new Lamb(p, { lr: 0.02, weightDecay: 0.1 }),
  "lookahead(sgd)": (p) => new Lookahead(new Sgd(p, { lr: 0.05, momentum: 0.9 })),
  "lookahead(lamb)": (p) => new Lookahead(new Lamb(p, { lr: 0.02, weightDecay: 0.1 })),
};

/** Steps `from` … `to` along the fixture's gradient; what the parameters are after each. */
function go(p: Map<string, Tensor>, optimizer: Optimizer, from: number, to: number): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (let t = from; t <= to; t++) {
    const gradients = [...p].map(([name, x]) =>
      tensor(
        x.toArray().map((v) => SCALE[name] * v - SHIFT[name] + 0.3 * Math.sin(t)),
        x.shape,
      ),
    );
    optimizer.step(gradients);
    rows.set(
      t,
      [...p.values()].flatMap((x) => [...x.data]),
    );
  }
  return rows;
}

describe("golden trajectories", () => {
  test.each(Object.keys(CASES))("%s", (name) => {
    const p = start();
    const rows = go(p, CASES[name](p), 1, 40);
    for (const [t, expected] of Object.entries(fixture[name]))
      expected.forEach((x, i) => {
        expect(Math.abs(rows.get(Number(t))![i] - x)).toBeLessThan(2e-5 * Math.max(1, Math.abs(x)));
      });
  });
});

test.each(Object.keys(CASES))("%s goes on from its state to the same bits", (name) => {
  const whole = start();
  const expected = go(whole, CASES[name](whole), 1, 20).get(20);
  const p = start();
  const first = CASES[name](p);
  go(p, first, 1, 8);
  const { tensors, ...rest } = first.stateDict();
  const saved = { ...rest, tensors: new Map([...tensors].map(([key, t]) => [key, t.toArray()])) };
  const second = CASES[name](p);
  second.loadStateDict(saved);
  expect(go(p, second, 9, 20).get(20)).toEqual(expected);
});

test("steps leave nothing behind", () => {
  const model = new Linear(30, 20, new Rng(6));
  const optimizer = new Lookahead(new Lamb(model, { weightDecay: 0.1 }), { k: 2 });
  const before = memoryUse().live;
  for (let t = 0; t < 5; t++) scope(() => optimizer.step(optimizer.parameters.map((p) => zeros(p.shape).add(1))));
  expect(memoryUse().live).toBe(before);
});

test("Lookahead hands rate and momentum on, and keeps groups' rates", () => {
  const [a, b] = [tensor([0]), tensor([0])];
  const groups = [{ parameters: new Map([["a", a]]) }, { parameters: new Map([["b", b]]), lr: 0.01 }];
  const optimizer = new Lookahead(new Sgd(groups, { lr: 0.1, momentum: 0.5 }), { k: 100 });
  optimizer.lr = 0.2;
  optimizer.setMomentum(0);
  optimizer.step([tensor([1]), tensor([1])]);
  expect(a.item()).toBeCloseTo(-0.2, 6);
  expect(b.item()).toBeCloseTo(-0.02, 6);
});

test("options are checked", () => {
  const p = start();
  expect(() => new Lamb(p, { betas: [1, 0.9] })).toThrow(/betas must be in \[0, 1\), not 1/);
  expect(() => new Lookahead(new Adam(p), { alpha: 0 })).toThrow(/alpha must be in \(0, 1\], not 0/);
  expect(() => new Lookahead(new Adam(p), { k: 1.5 })).toThrow(/k must be a whole number ≥ 1, not 1.5/);
  expect(() => averageOf({}, { ema: 0.9, swa: 0.5 }, { epochs: 1, stepsPerEpoch: 1 })).toThrow(/exclude each other/);
  expect(() => averageOf({}, { swa: 1 }, { epochs: 1, stepsPerEpoch: 1 })).toThrow(/swa must be in \[0, 1\), not 1/);
});

describe("Swa", () => {
  test("is the mean of the weights after the epochs that count, and the weights themselves before", () => {
    const model = new Sequential(new Linear(2, 1, new Rng(5)));
    const [weight] = parameters(model).values();
    const swa = new Swa(model, 3, 1);
    const averageNow = (): number => {
      swa.swap();
      const value = weight.data[0];
      swa.swap();
      return value;
    };
    const seen: number[] = [];
    for (let step = 1; step <= 12; step++) {
      weight.data.fill(step);
      swa.update();
      if (step % 3 === 0) seen.push(averageNow());
    }
    // Epochs end with 3, 6, 9, 12; the first does not count.
    expect(seen).toEqual([3, 6, 7.5, 9]);
    expect(weight.data[0]).toBe(12);
  });

  test("fit ends with the averaged weights", async () => {
    const ends: number[][] = [];
    const setup = { epochs: 5, seed: 3 };
    const { model } = await run({ ...setup, swa: 0.4, save: async () => {} });
    for (const epochs of [3, 4, 5]) {
      // A constant rate makes the first epochs of a longer run those of a shorter one.
      const shorter = await run({ ...setup, epochs });
      ends.push([...[...shorter.weights.values()][0]]);
    }
    const [weight] = parameters(model).values();
    weight.data.forEach((w, i) => expect(w).toBeCloseTo((ends[0][i] + ends[1][i] + ends[2][i]) / 3, 5));
  });
});
