import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type ElementSet, ElementSets } from "../../src/data/elementSet.ts";
import { elementVectors } from "../../src/data/elementVectors.ts";
import { grad, init, mseLoss, Rng, scope, square, sum, tensor } from "../../src/index.ts";
import {
  attentionMaps,
  CrabNet,
  type CrabNetOptions,
  elementContributions,
  fractionEncoding,
  fractionPlace,
  logFraction,
} from "../../src/models/crabnet.ts";
import { loadStateDict, parameterCount, parameters, stateDict } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";

interface Plain {
  shape: number[];
  data: number[];
}

const { crabnet: fixture } = JSON.parse(
  readFileSync(new URL("../fixtures/transformer.json", import.meta.url), "utf8"),
) as {
  crabnet: {
    compositions: [z: number, fraction: number][][];
    weights: Record<string, Plain>;
    output: Plain;
    contributions: Plain[];
    gradients: Record<string, Plain>;
    fractions: number[];
    places: number[];
    logPlaces: number[];
    encodings: Record<string, Plain>;
  };
};

const setOf = (pairs: readonly (readonly [number, number])[]): ElementSet => ({
  numbers: pairs.map(([z]) => z),
  fractions: pairs.map(([, f]) => f),
});
const sets = fixture.compositions.map(setOf);
const SMALL: CrabNetOptions = { gates: 1, width: 8, layers: 2, heads: 2, feedForward: 12, hidden: [6, 6], dropout: 0 };

beforeAll(async () => {
  await init({ threads: 2 });
});

function loaded(): CrabNet {
  const model = new CrabNet(5, 2, new Rng(1), SMALL);
  loadStateDict(model, new Map(Object.entries(fixture.weights)));
  return model;
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[], tolerance = 2e-5): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  expected.forEach((e, i) => expect(Math.abs(actual[i] - e)).toBeLessThan(tolerance * scale));
}

describe("parameters", () => {
  test("12,011,006, of which 11,987,206 are trained; with the simple head 9,888,518", () => {
    const model = new CrabNet(200, 2, new Rng(1), { gates: 1 });
    expect([...stateDict(model).values()].reduce((count, { size }) => count + size, 0)).toBe(12_011_006);
    expect(parameterCount(model)).toBe(11_987_206);
    expect(parameterCount(model.output_nn)).toBe(2_427_139);
    expect(parameterCount(new CrabNet(200, 2, new Rng(1), { gates: 1, hidden: [256, 128] }))).toBe(9_888_518);
  });

  test("are named as the authors name them", () => {
    const names = [...stateDict(loaded()).keys()];
    expect(names.sort()).toEqual(Object.keys(fixture.weights).sort());
    expect([...parameters(loaded()).keys()]).not.toContain("encoder.embed.cbfv.weight");
  });
});

describe("fractions", () => {
  test("have the places of PyTorch's f32", () => {
    expect(fixture.fractions.map(fractionPlace)).toEqual(fixture.places);
    expect(fixture.fractions.map((f) => fractionPlace(logFraction(f)))).toEqual(fixture.logPlaces);
    expect([1 / 5000, 1e-9, 0, 1].map(fractionPlace)).toEqual([0, 0, 0, 4999]);
    expect(logFraction(0)).toBe(1);
  });

  test("are encoded by sines and cosines", () => {
    for (const [place, { data }] of Object.entries(fixture.encodings)) {
      const code = fractionEncoding(Number(place), 256);
      expectClose(
        [0, 1, 2, 3, 128, 129, 254, 255].map((c) => code[c]),
        data,
        1e-6,
      );
    }
  });
});

describe("against the authors' formulas in PyTorch", () => {
  test("outputs and gradients of compositions of different lengths", () => {
    const model = loaded();
    const y = model.forward(ElementSets.batch(sets));
    expect(y.shape).toEqual([4, 2]);
    expectClose(y.data, fixture.output.data);
    const trained = parameters(model);
    const gradients = grad(sum(square(y)), [...trained.values()]);
    const scale = Math.max(...Object.values(fixture.gradients).flatMap(({ data }) => data.map(Math.abs)));
    [...trained.keys()].forEach((name, i) => {
      fixture.gradients[name].data.forEach((g, k) => {
        expect(Math.abs(gradients[i].data[k] - g)).toBeLessThan(1e-5 * scale);
      });
    });
  });

  test("the contributions of the elements, whose mean is the prediction", () => {
    const found = elementContributions(loaded(), sets);
    found.forEach(({ elements, fractions, values }, i) => {
      expect(elements).toEqual(sets[i].numbers);
      expect(fractions).toEqual(sets[i].fractions);
      expectClose(values, fixture.contributions[i].data);
    });
    const scaled = elementContributions(loaded(), sets, { mean: 3, std: 2 });
    scaled.forEach(({ values }, i) => {
      const mean = values.reduce((total, v) => total + v, 0) / values.length;
      expect(mean).toBeCloseTo(3 + 2 * fixture.output.data[2 * i], 4);
    });
  });
});

test("a composition's prediction depends neither on its company nor on the order of its elements", () => {
  const model = loaded();
  const predict = (some: readonly ElementSet[]): number[] => [...model.forward(ElementSets.batch(some)).data];
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => predict([sets[i]]));
  expectClose(predict(sets), [...a, ...b, ...c, ...d], 1e-5);
  const turned = fixture.compositions.map((pairs) => setOf([...pairs].reverse()));
  expectClose(predict(turned), [...a, ...b, ...c, ...d], 1e-5);
});

test("attention maps: heads × layers, each element's attention adds up to 1", () => {
  const maps = attentionMaps(loaded(), sets);
  expect(maps.map(({ elements }) => elements.length)).toEqual([2, 3, 1, 2]);
  for (const { elements, weights } of maps) {
    const n = elements.length;
    expect(weights.map((heads) => heads.map((w) => w.length))).toEqual([
      [n * n, n * n],
      [n * n, n * n],
    ]);
    for (const w of weights.flat())
      for (let i = 0; i < n; i++)
        expect(w.subarray(i * n, (i + 1) * n).reduce((total, x) => total + x, 0)).toBeCloseTo(1, 5);
  }
  // Alone a composition has no padding: its map must be the same.
  expectClose(attentionMaps(loaded(), [sets[0]])[0].weights[1][0], [...maps[0].weights[1][0]], 1e-5);
});

test("learns a batch by heart", () => {
  const vectors = elementVectors("onehot");
  const model = new CrabNet(vectors.width, 1, new Rng(2), { ...SMALL, width: 16 }).useVectors(vectors);
  const optimizer = new Adam(model, { lr: 1e-2 });
  const target = tensor([0.5, -1, 1, 0], [4, 1]);
  const step = (): number =>
    scope(() => {
      const loss = mseLoss(model.forward(ElementSets.batch(sets), { rng: new Rng(1) }), target);
      optimizer.step(grad(loss, optimizer.parameters));
      return loss.item();
    });
  const first = step();
  let last = first;
  for (let i = 0; i < 60; i++) last = step();
  expect(last).toBeLessThan(0.02 * first);
});

test("says what does not fit", () => {
  expect(() => new CrabNet(5, 1, new Rng(1), SMALL).useVectors(elementVectors("onehot"))).toThrow(
    /onehot have 118 numbers, the model takes 5/,
  );
  expect(() => new CrabNet(5, 1, new Rng(1), { width: 9 })).toThrow(/width must be even, not 9/);
  expect(() => new CrabNet(5, 1, new Rng(1), { gates: 2 })).toThrow(/2 gates for 1 outputs/);
});
