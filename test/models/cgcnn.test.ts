import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { CrystalGraphFeaturiser } from "../../src/data/crystalGraph.ts";
import { Graph, type GraphData, graphData } from "../../src/data/graph.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { grad, init, mseLoss, noGrad, Rng, scope, square, type Tensor, tensor } from "../../src/index.ts";
import { Cgcnn } from "../../src/models/index.ts";
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
  neighbours: number;
  distance: Plain;
  atoms: Plain;
  weights: Record<string, Plain>;
  training: Plain;
  gradients: Record<string, Plain>;
  runningAfter: Record<string, Plain>;
  inference: Plain;
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("../fixtures/cgcnn.json", import.meta.url), "utf8"));

beforeAll(async () => {
  await init({ threads: 2 });
});

describe("parameters", () => {
  test.each([
    [{}, 1, 80_833],
    [{}, 2, 80_962],
    [{ nConv: 4, hFeaLen: 32 }, 1, 96_641],
    [{ nConv: 4 }, 1, 102_977],
  ])("%j with %d outputs: %d", (options, outputs, count) => {
    expect(parameterCount(new Cgcnn(92, outputs, new Rng(1), options))).toBe(count);
  });

  test("are named as the authors name them", () => {
    const names = [...stateDict(new Cgcnn(92, 1, new Rng(1), { nConv: 1, nH: 2 })).keys()];
    expect(names.filter((name) => !name.startsWith("convs.0.bn"))).toEqual([
      ...["embedding.weight", "embedding.bias", "convs.0.fc_full.weight", "convs.0.fc_full.bias"],
      ...["conv_to_fc.weight", "conv_to_fc.bias", "fcs.0.weight", "fcs.0.bias", "fc_out.weight", "fc_out.bias"],
    ]);
    expect(names).toContain("convs.0.bn1.running_var");
  });
});

/** The three crystals of the fixture. */
function crystals(): GraphData[] {
  let atom = 0;
  return fixture.atomCounts.map((count) => {
    const edges = Array.from({ length: count * fixture.neighbours }, (_, e) => e);
    const first = atom * fixture.neighbours;
    atom += count;
    return graphData(
      count,
      edges.map((e) => fixture.sender[first + e]),
      edges.map((e) => Math.floor(e / fixture.neighbours)),
      { distance: Float32Array.from(edges, (e) => fixture.distance.data[first + e]) },
    );
  });
}

const expectClose = (actual: Tensor, { data, shape }: Plain, tolerance: number, what = ""): void => {
  expect([...actual.shape], what).toEqual(shape);
  const scale = Math.max(1e-3, ...data.map(Math.abs));
  actual.toArray().forEach((v, i) => expect(Math.abs(v - data[i]) / scale, `${what}[${i}]`).toBeLessThan(tolerance));
};

test("gives the authors' outputs, gradients and running statistics", () => {
  const model = new Cgcnn(7, 1, new Rng(1), { atomFeaLen: 8, nConv: 2, hFeaLen: 6, nH: 2 });
  loadStateDict(model, new Map(Object.entries(fixture.weights)));
  scope(() => {
    const graph = Graph.batch(crystals());
    const atoms = tensor(fixture.atoms.data, fixture.atoms.shape);
    const y = model.forward(atoms, graph, { rng: new Rng(1) });
    expectClose(y, fixture.training, 2e-6, "training");
    const named = parameters(model);
    const gradients = grad(square(y).mean(), [...named.values()]);
    [...named.keys()].forEach((name, i) => {
      // Batch norm takes a shift away again: the exact gradient of that bias is 0.
      if (name.endsWith("fc_full.bias")) expect(Math.max(...gradients[i].data.map(Math.abs)), name).toBeLessThan(1e-6);
      else expectClose(gradients[i], fixture.gradients[name], 2e-5, name);
    });
    const state = stateDict(model);
    for (const [name, after] of Object.entries(fixture.runningAfter)) expectClose(state.get(name)!, after, 2e-6, name);
    expectClose(model.forward(atoms, graph), fixture.inference, 2e-6, "inference");
  });
});

const predict = (model: Cgcnn, featuriser: CrystalGraphFeaturiser, crystals: readonly Structure[]): number[] =>
  noGrad(() =>
    scope(() => {
      const data = featuriser.dataset(tableOf(crystals));
      const { inputs } = data.batch(Int32Array.from(crystals, (_, i) => i));
      return [...model.forward(...(inputs as [Tensor, Graph])).toArray()];
    }),
  );

test("learns one batch by heart", () => {
  const rng = new Rng(3);
  const featuriser = new CrystalGraphFeaturiser();
  const data = featuriser.dataset(tableOf(structures(8, rng)));
  const model = new Cgcnn(92, 1, rng, { atomFeaLen: 32, hFeaLen: 32 });
  const optimizer = new Adam(model, { lr: 5e-3 });
  const targets = rng.normal([8, 1]);
  const rows = Int32Array.from({ length: 8 }, (_, i) => i);
  let last = Infinity;
  for (let step = 0; step < 200; step++)
    scope(() => {
      const { inputs } = data.batch(rows);
      const loss = mseLoss(model.forward(...(inputs as [Tensor, Graph]), { rng }), targets);
      last = loss.item();
      optimizer.step(grad(loss, optimizer.parameters));
    });
  expect(last).toBeLessThan(1e-3);
});

describe("a crystal's prediction does not depend on how it is written down", () => {
  const rng = new Rng(11);
  test.each(ways)("%s", (_, change) => {
    const model = new Cgcnn(92, 1, rng, { nConv: 2 });
    const featuriser = new CrystalGraphFeaturiser({ shells: "whole" });
    // Ideal positions have shells of equal neighbours, which must not be cut.
    const crystals = [...structures(4, rng), ideal];
    const before = predict(model, featuriser, crystals);
    predict(model, featuriser, crystals.map(change)).forEach((y, i) =>
      expect(Math.abs(y - before[i]), `crystal ${i}`).toBeLessThan(1e-5),
    );
  });
});

test("missing neighbours: left out, or filled up as the authors do", () => {
  const far = new Structure({ lattice: Lattice.cubic(7.5), numbers: [10], fractional: [0, 0, 0] });
  const [mask, paper] = (["mask", "paper"] as const).map((pads) => new CrystalGraphFeaturiser({ pads }).graph(far));
  expect(mask.edges).toBe(6);
  expect(paper.edges).toBe(12);
  expect([...paper.distance!.subarray(5)].map((d) => Number(d.toFixed(4)))).toEqual([7.5, 9, 9, 9, 9, 9, 9]);
  expect([...paper.sender]).toEqual(new Array(12).fill(0));
});

test("atoms without neighbours are counted, and predicted", () => {
  const lonely = new Structure({ lattice: Lattice.cubic(20), numbers: [18], fractional: [0, 0, 0] });
  const featuriser = new CrystalGraphFeaturiser();
  expect(featuriser.dataset(tableOf([lonely, ideal])).isolated).toBe(1);
  const model = new Cgcnn(92, 1, new Rng(2));
  const [alone] = predict(model, featuriser, [lonely]);
  expect(Number.isFinite(alone)).toBe(true);
  const [beside] = predict(model, featuriser, [lonely, ideal]);
  expect(beside).toBeCloseTo(alone, 6);
});
