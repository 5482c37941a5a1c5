import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { CrystalGraphFeaturiser } from "../../src/data/crystalGraph.ts";
import { Graph, type GraphData, graphData } from "../../src/data/graph.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import {
  gaussianBasis,
  grad,
  init,
  mseLoss,
  noGrad,
  Rng,
  scope,
  square,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { MEGNET_KERAS, MEGNET_MATGL, Megnet } from "../../src/models/index.ts";
import { loadStateDict, parameterCount, parameters } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";
import { ideal, structures, tableOf, ways } from "./crystals.ts";

interface Plain {
  shape: number[];
  data: number[];
}

type Weights = Record<string, Plain>;

interface Fixture {
  atomCounts: number[];
  elements: number[];
  numbers: number[];
  sender: number[];
  receiver: number[];
  distance: Plain;
  state: Plain;
  variants: Record<"keras" | "matgl", { weights: Weights; output: Plain; gradients: Weights }>;
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("../fixtures/megnet.json", import.meta.url), "utf8"));
const presets = { keras: MEGNET_KERAS, matgl: MEGNET_MATGL };

beforeAll(async () => {
  await init({ threads: 2 });
});

test.each([
  ["keras", 167_761],
  ["matgl", 189_521],
] as const)("the %s network has %d parameters", (name, count) => {
  expect(parameterCount(new Megnet(1, new Rng(1), presets[name]))).toBe(count);
});

test.each([
  ["keras", [0.81333551, 0.88250816, 0.9382217, 0.97730466, 0.99745249, 0.99745249]],
  ["matgl", [0.9745042, 0.98449801, 0.99206056, 0.99713451, 0.99968121, 0.99968121]],
] as const)("the %s network's Gaussians at 2.5 Å", (name, values) => {
  const all = gaussianBasis(tensor([2.5]), presets[name].basis).toArray();
  values.forEach((value, k) => expect(all[45 + k]).toBeCloseTo(value, 6));
});

/** The three crystals of the fixture, the second with an atom without bonds. */
function crystals(): GraphData[] {
  let first = 0;
  return fixture.atomCounts.map((count, g) => {
    const start = first;
    first += count;
    const edges = [...fixture.receiver.keys()].filter((e) => {
      const atom = fixture.receiver[e] - start;
      return atom >= 0 && atom < count;
    });
    return graphData(
      count,
      edges.map((e) => fixture.sender[e] - start),
      edges.map((e) => fixture.receiver[e] - start),
      {
        distance: Float32Array.from(edges, (e) => fixture.distance.data[e]),
        numbers: Int32Array.from(fixture.numbers.slice(start, first)),
        u: Float32Array.from(fixture.state.data.slice(2 * g, 2 * g + 2)),
      },
    );
  });
}

const expectClose = (actual: Tensor, { data, shape }: Plain, tolerance: number, what: string): void => {
  expect([...actual.shape], what).toEqual(shape);
  const scale = Math.max(1e-3, ...data.map(Math.abs));
  actual.toArray().forEach((v, i) => expect(Math.abs(v - data[i]) / scale, `${what}[${i}]`).toBeLessThan(tolerance));
};

test.each(["keras", "matgl"] as const)("the %s network gives the reference's outputs and gradients", (name) => {
  const { weights, output, gradients } = fixture.variants[name];
  const { basis, set2set } = presets[name];
  const model = new Megnet(1, new Rng(1), {
    ...{ elements: fixture.elements, embedding: 3, blocks: 2, dense: [6, 4], conv: [6, 5, 4], head: [5, 3] },
    basis: { ...basis, step: 5 / 8, count: 9 },
    set2set: "hidden" in set2set ? { ...set2set, hidden: 3 } : set2set,
  });
  loadStateDict(model, new Map(Object.entries(weights)));
  scope(() => {
    const y = model.forward(Graph.batch(crystals()));
    expectClose(y, output, 1e-5, "output");
    const named = parameters(model);
    const found = grad(square(y).mean(), [...named.values()]);
    [...named.keys()].forEach((key, i) => {
      expectClose(found[i], gradients[key], 5e-5, key);
    });
  });
});

const small = {
  ...{ elements: 95, embedding: 8, basis: { start: 0, step: 0.2, count: 25, gamma: 3.125 }, blocks: 2 },
  ...{ dense: [16, 8], conv: [16, 8], head: [8] },
};
const featuriser = new CrystalGraphFeaturiser({ radius: 4, maxNeighbours: undefined, atoms: "numbers" });

const predict = (model: Megnet, list: readonly Structure[]): number[] =>
  noGrad(() => scope(() => [...model.forward(Graph.batch(list.map((s) => featuriser.graph(s)))).toArray()]));

test("learns one batch by heart", () => {
  const rng = new Rng(3);
  const data = featuriser.dataset(tableOf(structures(8, rng)));
  const model = new Megnet(1, rng, small);
  const optimizer = new Adam(model, { lr: 1e-2 });
  const targets = rng.normal([8, 1]);
  const rows = Int32Array.from({ length: 8 }, (_, i) => i);
  let last = Infinity;
  for (let step = 0; step < 150 && last > 1e-2; step++)
    scope(() => {
      const { inputs } = data.batch(rows);
      const loss = mseLoss(model.forward(...(inputs as [Graph]), { rng }), targets);
      last = loss.item();
      optimizer.step(grad(loss, optimizer.parameters));
    });
  expect(last).toBeLessThan(1e-2);
});

describe("a crystal's prediction does not depend on how it is written down", () => {
  const rng = new Rng(11);
  test.each(ways)("%s", (_, change) => {
    const model = new Megnet(1, rng, small);
    const list = [...structures(3, rng), ideal];
    const before = predict(model, list);
    predict(model, list.map(change)).forEach((y, i) => {
      expect(Math.abs(y - before[i]), `crystal ${i}`).toBeLessThan(1e-5);
    });
  });
});

test("atoms without bonds, and crystals of them alone, have a value of their own", () => {
  const lonely = new Structure({ lattice: Lattice.cubic(20), numbers: [18], fractional: [0, 0, 0] });
  const model = new Megnet(1, new Rng(2), small);
  const [alone] = predict(model, [lonely]);
  expect(Number.isFinite(alone)).toBe(true);
  const [beside, other] = predict(model, [lonely, ideal]);
  expect(beside).toBeCloseTo(alone, 6);
  expect(other).toBeCloseTo(predict(model, [ideal])[0], 5);
});

test("a state tells crystals of one structure apart; dropout acts in training alone", () => {
  const model = new Megnet(1, new Rng(2), { ...small, state: 1, dropout: 0.5 });
  const graph = featuriser.graph(ideal);
  scope(() => {
    const warm = Graph.batch([0, 300].map((t) => ({ ...graph, u: Float32Array.of(t / 300) })));
    const [cold, hot] = model.forward(warm).toArray();
    expect(cold).not.toBeCloseTo(hot, 4);
    expect([...model.forward(warm).toArray()]).toEqual([cold, hot]);
    expect([...model.forward(warm, { rng: new Rng(1) }).toArray()]).not.toEqual([cold, hot]);
  });
});

test("says which element has no vector, and which widths do not fit", () => {
  const polonium = new Structure({ lattice: Lattice.cubic(3.35), numbers: [84], fractional: [0, 0, 0] });
  const matgl = new Megnet(1, new Rng(1), { ...small, elements: MEGNET_MATGL.elements });
  expect(() => predict(matgl, [polonium])).toThrow("MEGNet: this network knows no Po.");
  expect(() => new Megnet(1, new Rng(1), { dense: [64, 32], conv: [64, 16] })).toThrow("32 numbers, not 16");
});
