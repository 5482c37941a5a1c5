import { describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import {
  constant,
  cosineAnnealingLr,
  cyclicLr,
  exponentialLr,
  linearLr,
  multiStepLr,
  oneCycleLr,
  oneCycleMomentum,
  polynomialLr,
  ReduceLrOnPlateau,
  type Schedule,
  schedule,
  stepLr,
  warmUp,
} from "../../src/train/schedule.ts";
import torch from "../fixtures/schedules.json" with { type: "json" };

const lr = 0.1;
const values = (s: Schedule, count: number) => Array.from({ length: count }, (_, i) => s(i));

function same(actual: number[], expected: number[]) {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]), `step ${i}: ${value}, torch ${expected[i]}`).toBeLessThan(1e-14);
  });
}

/** Published values, index → rate, each to the digits given. */
const GOLDEN: [string, Schedule, Record<number, string>][] = [
  ["stepLr", stepLr({ lr, stepSize: 4, gamma: 0.5 }), { 0: "0.1", 3: "0.1", 5: "0.05", 8: "0.025" }],
  ["multiStepLr", multiStepLr({ lr, milestones: [3, 8] }), { 2: "0.1", 3: "0.01", 8: "0.001" }],
  [
    "cosineAnnealingLr",
    cosineAnnealingLr({ lr, tMax: 10 }),
    { 1: "0.0975528", 2: "0.0904508", 3: "0.0793893", 5: "0.05", 8: "0.00954915", 10: "0" },
  ],
  [
    "oneCycleLr",
    oneCycleLr({ maxLr: lr, totalSteps: 12 }),
    {
      0: "0.004",
      1: "0.034979",
      2: "0.0879285",
      3: "0.0994415",
      5: "0.0811746",
      8: "0.0283061",
      10: "0.0034567",
      11: "0.0000004",
    },
  ],
  [
    "cyclicLr",
    cyclicLr({ baseLr: 0.001, maxLr: lr, stepSizeUp: 3 }),
    { 0: "0.001", 1: "0.034", 2: "0.067", 3: "0.1", 5: "0.034", 8: "0.067" },
  ],
  ["exponentialLr", exponentialLr({ lr, gamma: 0.9 }), { 2: "0.081", 5: "0.059049", 11: "0.0313811" }],
];

describe("golden values", () => {
  for (const [name, s, points] of GOLDEN) {
    test(name, () => {
      for (const [i, digits] of Object.entries(points)) {
        const decimals = digits.split(".")[1]?.length ?? 12;
        expect(s(Number(i)).toFixed(decimals), `index ${i}`).toBe(Number(digits).toFixed(decimals));
      }
    });
  }
});

describe("equals PyTorch at every step", () => {
  const oneCycleLate = { maxLr: 0.3, totalSteps: 20, pctStart: 0.45, divFactor: 10, finalDivFactor: 50 };
  const cases: [keyof typeof torch & string, Schedule][] = [
    ["step", stepLr({ lr, stepSize: 4, gamma: 0.5 })],
    ["multiStep", multiStepLr({ lr, milestones: [3, 8] })],
    ["exponential", exponentialLr({ lr, gamma: 0.9 })],
    ["cosineAnnealing", cosineAnnealingLr({ lr, tMax: 10, etaMin: 0.001 })],
    ["oneCycle", oneCycleLr({ maxLr: lr, totalSteps: 12 })],
    ["oneCycleLate", oneCycleLr(oneCycleLate)],
    ["cyclic", cyclicLr({ baseLr: 0.001, maxLr: lr, stepSizeUp: 3 })],
    ["cyclicSkewed", cyclicLr({ baseLr: 0.001, maxLr: lr, stepSizeUp: 3, stepSizeDown: 5 })],
    ["linear", linearLr({ lr, startFactor: 0.25, endFactor: 0.75, totalIters: 8 })],
    ["polynomial", polynomialLr({ lr, totalIters: 8, power: 2 })],
  ];
  test.each(cases)("%s", (name, s) => {
    const expected = (torch[name] as { lr: number[] }).lr;
    same(values(s, expected.length), expected);
  });

  test("momentum of one cycle", () => {
    same(values(oneCycleMomentum({ totalSteps: 12 }), 12), torch.oneCycle.momentum);
    same(values(oneCycleMomentum({ totalSteps: 20, pctStart: 0.45 }), 20), torch.oneCycleLate.momentum);
  });

  const metrics = torch.plateauMetrics.map((m) => m ?? Number.NaN);
  const plateau = (p: ReduceLrOnPlateau) => [p.lr, ...metrics.slice(0, -1).map((m) => p.step(m))];
  const minOptions = { lr, factor: 0.5, patience: 2, cooldown: 2, minLr: 0.01 };

  test("reduce on plateau", () => {
    same(plateau(new ReduceLrOnPlateau(minOptions)), torch.plateau.lr);
    same(plateau(new ReduceLrOnPlateau({ lr, mode: "max", patience: 1 })), torch.plateauMax.lr);
  });

  test("reduce on plateau resumes from its JSON to the bit, from any epoch", () => {
    for (let cut = 0; cut < metrics.length; cut++) {
      let p = new ReduceLrOnPlateau(minOptions);
      const rates = [p.lr];
      metrics.slice(0, -1).forEach((m, i) => {
        if (i === cut) {
          const saved = JSON.parse(JSON.stringify(p));
          p = new ReduceLrOnPlateau(minOptions);
          p.load(saved);
        }
        rates.push(p.step(m));
      });
      expect(rates).toEqual(plateau(new ReduceLrOnPlateau(minOptions)));
    }
  });
});

test("warm-up rises linearly, never from 0, then leaves the schedule alone", () => {
  const s = warmUp(constant({ lr }), { steps: 4 });
  same(values(s, 6), [0.02, 0.04, 0.06, 0.08, 0.1, 0.1]);
});

test("borders: one step, no rise, only a rise, past the end", () => {
  for (const pctStart of [0, 0.3, 1]) {
    for (const totalSteps of [1, 2, 10]) {
      const s = oneCycleLr({ maxLr: lr, totalSteps, pctStart });
      for (const value of values(s, totalSteps + 3)) {
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThanOrEqual(lr);
      }
      expect(s(totalSteps + 3)).toBeCloseTo(4e-7, 15);
    }
  }
});

describe("schedule, from configuration", () => {
  const run = { lr, epochs: 6, stepsPerEpoch: 2 };

  test("epochs are turned into optimizer steps", () => {
    const { lr: rate } = schedule({ name: "step", stepSize: 2, gamma: 0.5 }, run);
    expect(values(rate, 6)).toEqual([0.1, 0.1, 0.1, 0.1, 0.05, 0.05]);
    const perStep = schedule({ name: "step", stepSize: 2, gamma: 0.5, unit: "step" }, run);
    expect(values(perStep.lr, 4)).toEqual([0.1, 0.1, 0.05, 0.05]);
  });

  test("a bare name takes rate and length from the run", () => {
    expect(schedule("cosineAnnealing", run).lr(10)).toBeCloseTo(cosineAnnealingLr({ lr, tMax: 6 })(5), 15);
    same(values(schedule("oneCycle", run).lr, 12), torch.oneCycle.lr);
    expect(schedule("polynomial", run).lr(6)).toBeCloseTo(0.05, 15);
    expect(schedule("constant", run).lr(1e6)).toBe(lr);
  });

  test("JSON text, warm-up and momentum", () => {
    const plan = schedule('{"name": "oneCycle", "cycleMomentum": true, "maxLr": 0.1, "warmUpSteps": 1}', run);
    expect(plan.lr(0)).toBeCloseTo(0.002, 15);
    expect(plan.lr(1)).toBeCloseTo(torch.oneCycle.lr[1], 14);
    same(values(plan.momentum as Schedule, 12), torch.oneCycle.momentum);
    expect(schedule("oneCycle", run).momentum).toBeUndefined();
  });

  test("the plateau drives the rate", () => {
    const { lr: rate, plateau } = schedule({ name: "reduceOnPlateau", patience: 0, factor: 0.5 }, run);
    plateau?.step(1);
    expect(rate(2)).toBe(0.1);
    plateau?.step(1);
    expect(rate(4)).toBe(0.05);
  });

  test.each([
    ["cosinus", /There is no schedule "cosinus"; the names are constant, step/],
    ['{"name": "step"', /not valid JSON/],
    ["[1]", /There is no schedule "\[1\]"/],
    ["{}", /has no name/],
    ['{"name": "constructor"}', /no schedule "constructor"/],
    ['{"name": "step"}', /"step" needs stepSize: a whole number of at least 1/],
    ['{"name": "step", "stepsize": 3}', /no field "stepsize"; it has unit, warmUpSteps, lr, stepSize, gamma/],
    ['{"name": "step", "stepSize": 0}', /stepSize must be a whole number of at least 1, not 0/],
    ['{"name": "multiStep", "milestones": [3, "x"]}', /milestones must be a list of whole numbers/],
    ['{"name": "oneCycle", "pctStart": 1.5}', /pctStart must be a number from 0 to 1, not 1.5/],
    ['{"name": "cyclic"}', /needs baseLr/],
    ['{"name": "linear", "cycleMomentum": true}', /no field "cycleMomentum"/],
    ['{"name": "constant", "unit": "hour"}', /unit must be "step" or "epoch", not "hour"/],
    ['{"name": "constant", "warmUpSteps": -1}', /warmUpSteps must be a whole number/],
    ['{"name": "reduceOnPlateau", "mode": "down"}', /mode must be "min" or "max", not "down"/],
  ])("%s", (text, message) => {
    expect(() => schedule(text, run)).toThrow(UserError);
    expect(() => schedule(text, run)).toThrow(message);
  });

  test("builders check what they are given", () => {
    expect(() => stepLr({ lr, stepSize: 0 })).toThrow(/stepSize must be a whole number of at least 1, not 0/);
    expect(() => constant({ lr: Number.NaN })).toThrow(/lr must be a number of at least 0/);
  });
});
