import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { CrystalGraphFeaturiser } from "../../src/data/crystalGraph.ts";
import { Graph, type GraphData, graphData } from "../../src/data/graph.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import {
  grad,
  init,
  mseLoss,
  noGrad,
  Rng,
  scope,
  segmentSum,
  square,
  sub,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { SchNet } from "../../src/models/index.ts";
import { loadStateDict, parameterCount, parameters } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";

interface Plain {
  shape: number[];
  data: number[];
}

type Variant = "schnetpack" | "original";

interface Fixture
  extends Record<
    Variant,
    { weights: Record<string, Plain>; energy: Plain; forces: Plain; gradients: Record<string, Plain> }
  > {
  counts: number[];
  numbers: number[];
  positions: Plain;
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("../fixtures/schnet.json", import.meta.url), "utf8"));
const OPTIONS = { nAtomBasis: 8, nRbf: 6, nInteractions: 2, cutoff: 4, maxZ: 10 };

beforeAll(async () => {
  await init({ threads: 2 });
});

describe("parameters", () => {
  test.each([
    [{ nAtomBasis: 64, nRbf: 300 }, 116_033],
    [{ nAtomBasis: 64, nInteractions: 6, nRbf: 25 }, 117_953],
    [{}, 226_945],
    [{ nAtomBasis: 64, nInteractions: 6, nRbf: 300 }, 223_553],
    [{ nInteractions: 6, nRbf: 50 }, 455_809],
  ])("%j: %d", (options, count) => {
    expect(parameterCount(new SchNet(1, new Rng(1), options))).toBe(count);
  });

  test("the original has a Gaussian every 0.1 Å and starts at 0", () => {
    const model = new SchNet(1, new Rng(1), { variant: "original", cutoff: 4 });
    expect(model.interactions[0].filter_network[0].weight.shape).toEqual([128, 40]);
    scope(() => expect([...model.forward(Graph.batch(molecules())).data]).toEqual([0, 0]));
  });
});

/** The molecules of the fixture, each at a place of its own. */
function molecules(cutoff = 4): GraphData[] {
  const { counts, numbers, positions } = fixture;
  const featuriser = new CrystalGraphFeaturiser({ radius: cutoff, maxNeighbours: undefined, atoms: "numbers" });
  let first = 0;
  return counts.map((count) => {
    const own = {
      numbers: numbers.slice(first, first + count),
      positions: positions.data.slice(3 * first, 3 * (first + count)),
    };
    first += count;
    return featuriser.graph(new Structure(own));
  });
}

const expectClose = (actual: Tensor, { data, shape }: Plain, tolerance: number, what: string): void => {
  expect([...actual.shape], what).toEqual(shape);
  const scale = Math.max(1e-3, ...data.map(Math.abs));
  actual.toArray().forEach((v, i) => expect(Math.abs(v - data[i]) / scale, `${what}[${i}]`).toBeLessThan(tolerance));
};

/** −∂E/∂r, on the tape. */
function forcesOf(energy: Tensor, graph: Graph): Tensor {
  const [g] = grad(energy.sum(), [graph.vector!], { differentiable: true });
  return sub(segmentSum(g, { adj: graph.receivers }), segmentSum(g, { adj: graph.senders }));
}

test.each<Variant>(["schnetpack", "original"])(
  "%s: energies, forces and gradients of both are PyTorch's",
  (variant) => {
    const known = fixture[variant];
    const model = new SchNet(1, new Rng(1), { ...OPTIONS, variant });
    loadStateDict(model, new Map(Object.entries(known.weights)));
    scope(() => {
      const graph = Graph.batch(molecules());
      const energy = model.forward(graph);
      expectClose(energy, known.energy, 2e-6, "energy");
      const forces = forcesOf(energy, graph);
      expectClose(forces, known.forces, 5e-6, "forces");
      const named = parameters(model);
      const gradients = grad(square(energy).mean().add(square(forces).mean()), [...named.values()]);
      [...named.keys()].forEach((name, i) => expectClose(gradients[i], known.gradients[name], 2e-5, name));
    });
  },
);

/** A cell with self-images. */
const salt = (shift = [0, 0, 0], numbers = [11, 17]): Structure =>
  new Structure({
    lattice: new Lattice([
      [0, 2.9, 2.8],
      [2.8, 0, 2.8],
      [2.7, 2.8, 0],
    ]),
    numbers,
    fractional: (numbers[0] === 11 ? [0, 0, 0, 0.5, 0.5, 0.45] : [0.5, 0.5, 0.45, 0, 0, 0]).map(
      (x, k) => x + shift[k % 3],
    ),
  });

const featuriser = new CrystalGraphFeaturiser({ radius: 5, maxNeighbours: undefined, atoms: "numbers" });

test("pairs share filters: the energy is that of edges by themselves, in crystals whose atoms see their own images", () => {
  const model = new SchNet(1, new Rng(2), { nAtomBasis: 16, nInteractions: 2 });
  scope(() => {
    const data = featuriser.graph(salt());
    expect(Math.max(...data.pair!) + 1).toBe(data.edges / 2);
    const [shared, alone] = [data, { ...data, pair: undefined }].map((g) => model.forward(Graph.batch([g])).item());
    expect(shared).toBeCloseTo(alone, 5);
  });
});

test("does not change as a crystal moves or its atoms change places", () => {
  const model = new SchNet(2, new Rng(3), { nAtomBasis: 16, nInteractions: 2, readout: "mean" });
  noGrad(() =>
    scope(() => {
      const [a, b, c] = [salt(), salt([0.3, 0.21, 0.7]), salt([0, 0, 0], [17, 11])].map((s) =>
        model.forward(Graph.batch([featuriser.graph(s)])),
      );
      for (const other of [b, c]) other.data.forEach((y, i) => expect(Math.abs(y - a.data[i])).toBeLessThan(1e-5));
    }),
  );
});

test("is smooth where a neighbour crosses the cutoff", () => {
  const model = new SchNet(1, new Rng(4), { nAtomBasis: 16, nInteractions: 1 });
  const energy = (d: number): number =>
    noGrad(() =>
      scope(() =>
        model
          .forward(Graph.batch([featuriser.graph(new Structure({ numbers: [8, 1], positions: [0, 0, 0, d, 0, 0] }))]))
          .item(),
      ),
    );
  expect(Math.abs(energy(4.9999) - energy(5.0001))).toBeLessThan(1e-6);
  expect(Math.abs(energy(4) - energy(4.2))).toBeGreaterThan(1e-5);
});

test("isolated atoms have an energy", () => {
  const model = new SchNet(1, new Rng(4), { nAtomBasis: 16 });
  scope(() => {
    const lonely = Graph.batch([graphData(1, [], [], { numbers: Int32Array.of(6), vector: new Float32Array(0) })]);
    const energy = model.forward(lonely);
    expect(Number.isFinite(energy.item())).toBe(true);
    expect([...forcesOf(energy, lonely).data]).toEqual([0, 0, 0]);
  });
});

test("overfits a batch", () => {
  const rng = new Rng(5);
  const model = new SchNet(1, rng, { nAtomBasis: 16, nInteractions: 2 });
  const optimizer = new Adam(model, { lr: 1e-2 });
  const graph = Graph.batch([...molecules(5), featuriser.graph(salt())]);
  const y = tensor([0.5, -1, 2], [3, 1]);
  let loss = 0;
  for (let step = 0; step < 150; step++)
    scope(() => {
      const l = mseLoss(model.forward(graph), y);
      loss = l.item();
      optimizer.step(grad(l, optimizer.parameters));
    });
  expect(loss).toBeLessThan(1e-4);
});
