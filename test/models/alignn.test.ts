import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { CrystalGraphFeaturiser } from "../../src/data/crystalGraph.ts";
import { Graph, type GraphData, graphData } from "../../src/data/graph.ts";
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
import { Alignn } from "../../src/models/index.ts";
import { loadStateDict, parameterCount, parameters, stateDict } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";
import { ideal, structures, tableOf, ways } from "./crystals.ts";

interface Plain {
  shape: number[];
  data: number[];
}

interface Fixture {
  atomCounts: number[];
  sender: number[];
  receiver: number[];
  vector: Plain;
  atoms: Plain;
  weights: Record<string, Plain>;
  training: Plain;
  gradients: Record<string, Plain>;
  runningAfter: Record<string, Plain>;
  inference: Plain;
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("../fixtures/alignn.json", import.meta.url), "utf8"));

beforeAll(async () => {
  await init({ threads: 2 });
});

test.each([
  [{}, 4_026_753],
  [{ alignnLayers: 2, gcnLayers: 2, hiddenFeatures: 64 }, 149_121],
])("%j: %d parameters", (options, count) => {
  expect(parameterCount(new Alignn(92, 1, new Rng(1), options))).toBe(count);
});

test("its Gaussians have the coefficient 1/step", () => {
  const bonds = gaussianBasis(tensor([2.5]), { start: 0, step: 8 / 79, count: 80, gamma: 79 / 8 }).toArray();
  [0.48123083, 0.74948404, 0.95326349, 0.9901595, 0.83992204, 0.58185453].forEach((value, k) =>
    expect(bonds[22 + k]).toBeCloseTo(value, 5),
  );
  const angles = gaussianBasis(tensor([0.3]), { start: -1, step: 2 / 39, count: 40, gamma: 19.5 }).toArray();
  [0.75336524, 0.91077305, 0.99373764, 0.97856637, 0.86969267].forEach((value, k) =>
    expect(angles[23 + k]).toBeCloseTo(value, 5),
  );
});

/** The three crystals of the fixture, the second with an atom without bonds. */
function crystals(): GraphData[] {
  let first = 0;
  return fixture.atomCounts.map((count) => {
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
      { vector: Float32Array.from(edges.flatMap((e) => fixture.vector.data.slice(3 * e, 3 * e + 3))) },
    );
  });
}

const expectClose = (actual: Tensor, { data, shape }: Plain, tolerance: number, what: string): void => {
  expect([...actual.shape], what).toEqual(shape);
  const scale = Math.max(1e-3, ...data.map(Math.abs));
  actual.toArray().forEach((v, i) => expect(Math.abs(v - data[i]) / scale, `${what}[${i}]`).toBeLessThan(tolerance));
};

/** Of the edges that nothing asks for any more, which are not computed. */
const idle = /^(alignn_layers\.1\.edge_update|gcn_layers\.1)\.bn_edges/;

test("gives the authors' outputs, gradients and running statistics", () => {
  const model = new Alignn(5, 1, new Rng(1), {
    ...{ alignnLayers: 2, gcnLayers: 2, hiddenFeatures: 8, embeddingFeatures: 4 },
    ...{ edgeInputFeatures: 7, tripletInputFeatures: 6 },
  });
  loadStateDict(model, new Map(Object.entries(fixture.weights)));
  scope(() => {
    const graph = Graph.batch(crystals());
    const atoms = tensor(fixture.atoms.data, fixture.atoms.shape);
    const y = model.forward(atoms, graph, { rng: new Rng(1) });
    expectClose(y, fixture.training, 1e-5, "training");
    const named = parameters(model);
    const found = grad(square(y).mean(), [...named.values()]);
    const scale = Math.max(...found.flatMap((g) => [...g.data].map(Math.abs)));
    [...named.keys()].forEach((name, i) => {
      const small = Math.max(...found[i].data.map(Math.abs)) / scale;
      if (idle.test(name)) expect(small, name).toBe(0);
      // Batch norm takes a constant away again: the exact gradient of the biases before it is 0.
      else if (Math.max(...fixture.gradients[name].data.map(Math.abs)) < 1e-9 * scale)
        expect(small, name).toBeLessThan(1e-5);
      else expectClose(found[i], fixture.gradients[name], 1e-3, name);
    });
    expect([...named.keys()].filter((name) => idle.test(name))).toHaveLength(4);
    const state = stateDict(model);
    for (const [name, after] of Object.entries(fixture.runningAfter))
      if (!idle.test(name)) expectClose(state.get(name)!, after, 1e-5, name);
    expectClose(model.forward(atoms, graph), fixture.inference, 1e-5, "inference");
  });
});

const small = { alignnLayers: 1, gcnLayers: 1, hiddenFeatures: 16, embeddingFeatures: 8 };
const featuriser = new CrystalGraphFeaturiser({ maxNeighbours: 6, shells: "whole", symmetric: true });

const predict = (model: Alignn, list: readonly Structure[]): number[] =>
  noGrad(() =>
    scope(() => {
      const { inputs } = featuriser.dataset(tableOf(list)).batch(Int32Array.from(list, (_, i) => i));
      return [...model.forward(...(inputs as [Tensor, Graph])).toArray()];
    }),
  );

test("learns one batch by heart", () => {
  const rng = new Rng(3);
  const data = featuriser.dataset(tableOf(structures(6, rng)));
  const model = new Alignn(92, 1, rng, small);
  const optimizer = new Adam(model, { lr: 1e-2 });
  const targets = rng.normal([6, 1]);
  const rows = Int32Array.from({ length: 6 }, (_, i) => i);
  let last = Infinity;
  for (let step = 0; step < 100 && last > 1e-2; step++)
    scope(() => {
      const { inputs } = data.batch(rows);
      const loss = mseLoss(model.forward(...(inputs as [Tensor, Graph]), { rng }), targets);
      last = loss.item();
      optimizer.step(grad(loss, optimizer.parameters));
    });
  expect(last).toBeLessThan(1e-2);
});

describe("a crystal's prediction does not depend on how it is written down", () => {
  const rng = new Rng(11);
  test.each(ways)("%s", (_, change) => {
    const model = new Alignn(92, 1, rng, small);
    const list = [...structures(2, rng), ideal];
    const before = predict(model, list);
    predict(model, list.map(change)).forEach((y, i) => {
      expect(Math.abs(y - before[i]), `crystal ${i}`).toBeLessThan(1e-5);
    });
  });
});

test("angles matter, unless there are no layers that see them", () => {
  /** Two bonds of 1.5 Å, at an angle. */
  const bent = (angle: number): GraphData => {
    const [a, b] = [
      [1.5, 0, 0],
      [1.5 * Math.cos(angle), 1.5 * Math.sin(angle), 0],
    ];
    const back = (v: number[]): number[] => v.map((x) => -x);
    const vector = Float32Array.from([...a, ...b, ...back(a), ...back(b)]);
    return graphData(3, [1, 2, 0, 0], [0, 0, 1, 2], { vector });
  };
  scope(() => {
    const atoms = new Rng(1).normal([6, 5]);
    atoms.set([...atoms.data.subarray(0, 15), ...atoms.data.subarray(0, 15)]);
    const graph = Graph.batch([bent(1.2), bent(2.4)]);
    const difference = (alignnLayers: number): number => {
      const model = new Alignn(5, 1, new Rng(1), { ...small, alignnLayers });
      // Fresh weights are so small that little of an angle comes through two gates.
      for (const t of parameters(model).values()) if (t.rank === 2) t.set(t.toArray().map((x) => 3 * x));
      const [x, y] = model.forward(atoms, graph).toArray();
      return Math.abs(x - y);
    };
    expect(difference(2)).toBeGreaterThan(1e-2);
    expect(difference(0)).toBeLessThan(1e-6);
  });
});

test("molecules of one atom, of two, and both at once are trained and predicted", () => {
  const one = new Structure({ numbers: [18], positions: [0, 0, 0] });
  const two = new Structure({ numbers: [1, 9], positions: [0, 0, 0, 0.92, 0, 0] });
  const model = new Alignn(92, 1, new Rng(2), small);
  const [alone] = predict(model, [one]);
  expect(Number.isFinite(alone)).toBe(true);
  expect(predict(model, [one, two])[0]).toBeCloseTo(alone, 5);
  scope(() => {
    const { inputs } = featuriser.dataset(tableOf([one, two])).batch(Int32Array.of(0, 1));
    const y = model.forward(...(inputs as [Tensor, Graph]), { rng: new Rng(1) });
    for (const g of grad(square(y).mean(), [...parameters(model).values()]))
      expect(g.data.every(Number.isFinite)).toBe(true);
  });
});
