import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Graph, type GraphData, graphData } from "../../src/data/graph.ts";
import { add, grad, init, mseLoss, noGrad, Rng, scope, square, type Tensor } from "../../src/index.ts";
import { PaiNN } from "../../src/models/painn.ts";
import { forcesOf } from "../../src/nn/forces.ts";
import { loadStateDict, parameterCount, parameters } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";
import { type Cluster, clusterGraph, permuted, randomCluster, randomRotation, turned } from "./molecules.ts";

interface Plain {
  shape: number[];
  data: number[];
}

interface Fixture {
  counts: number[];
  numbers: number[];
  positions: Plain;
  receiver: number[];
  sender: number[];
  weights: Record<string, Plain>;
  cases: Record<
    "gaussian" | "bessel",
    { atoms: Plain; vectors: Plain; energy: Plain; forces: Plain; gradients: Record<string, Plain> }
  >;
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("../fixtures/painn.json", import.meta.url), "utf8"));

beforeAll(async () => {
  await init({ threads: 1 });
});

test("parameters: 589,057 with the defaults", () => {
  expect(parameterCount(new PaiNN(1, new Rng(1)))).toBe(589_057);
});

/** The molecules of the fixture. */
function molecules(): GraphData[] {
  let first = 0;
  return fixture.counts.map((count) => {
    const own = (atom: number): boolean => atom >= first && atom < first + count;
    const edges = fixture.receiver.flatMap((i, e) => (own(i) ? [e] : []));
    const at = (atom: number, c: number): number => fixture.positions.data[3 * atom + c];
    const start = first;
    first += count;
    return graphData(
      count,
      edges.map((e) => fixture.sender[e] - start),
      edges.map((e) => fixture.receiver[e] - start),
      {
        numbers: Int32Array.from(fixture.numbers.slice(start, start + count)),
        vector: Float32Array.from(
          edges.flatMap((e) => [0, 1, 2].map((c) => at(fixture.sender[e], c) - at(fixture.receiver[e], c))),
        ),
      },
    );
  });
}

const expectClose = (actual: Tensor, { data, shape }: Plain, tolerance: number, what: string): void => {
  expect([...actual.shape], what).toEqual(shape);
  const scale = Math.max(1e-3, ...data.map(Math.abs));
  actual.toArray().forEach((v, i) => expect(Math.abs(v - data[i]) / scale, `${what}[${i}]`).toBeLessThan(tolerance));
};

test.each(["gaussian", "bessel"] as const)(
  "%s: PyTorch's energies, forces, and gradients of a loss on both",
  (basis) => {
    const model = new PaiNN(1, new Rng(1), { nAtomBasis: 4, nInteractions: 2, nRbf: 5, cutoff: 3, maxZ: 9, basis });
    loadStateDict(model, new Map(Object.entries(fixture.weights)));
    const { atoms, vectors, energy, forces, gradients } = fixture.cases[basis];
    scope(() => {
      const graph = Graph.batch(molecules());
      expectClose(model.atomwise(graph), atoms, 5e-6, "atoms");
      expectClose(model.features(graph).vectors, vectors, 5e-6, "vectors");
      const e = model.forward(graph);
      expectClose(e, energy, 5e-6, "energy");
      const f = forcesOf(e, graph, { differentiable: true }).forces;
      expectClose(f, forces, 2e-5, "forces");
      const named = parameters(model);
      const loss = add(square(e).mean(), square(f).mean());
      const found = grad(loss, [...named.values()]);
      [...named.keys()].forEach((name, i) => expectClose(found[i], gradients[name], 5e-5, name));
    });
  },
);

const model = () => new PaiNN(1, new Rng(5), { nAtomBasis: 16, nInteractions: 2, nRbf: 8 });

interface Result {
  energy: number;
  forces: number[];
  vectors: number[];
}

const compute = (net: PaiNN, cluster: Cluster): Result =>
  scope(() => {
    const graph = Graph.batch([clusterGraph(cluster)]);
    const energy = net.forward(graph);
    const { forces } = forcesOf(energy, graph);
    return {
      energy: energy.item(),
      forces: [...forces.toArray()],
      vectors: [...net.features(graph).vectors.toArray()],
    };
  });

const largest = (x: readonly number[]): number => Math.max(...x.map(Math.abs));
const expectNear = (a: readonly number[], b: readonly number[], tolerance: number): void =>
  expect(largest(a.map((x, k) => x - b[k])) / largest(b)).toBeLessThan(tolerance);

describe("symmetries", () => {
  const rng = new Rng(3);
  const cluster = randomCluster(7, rng);

  test.each([false, true])("energies stay and forces and vectors turn with the atoms; mirrored: %s", (mirror) => {
    const net = model();
    const r = randomRotation(rng, { mirror });
    const before = compute(net, cluster);
    const after = compute(net, { ...cluster, positions: turned(cluster.positions, r, [3, -2, 1]) });
    expectNear([after.energy], [before.energy], 1e-4);
    expectNear(after.forces, turned(before.forces, r), 1e-4);
    // [atoms, 3, 16]: the 16 vectors of an atom turn alike.
    const swap = (x: readonly number[]): number[] =>
      x.map((_, k) => x[48 * Math.floor(k / 48) + 16 * (k % 3) + (Math.floor(k / 3) % 16)]);
    expect(largest(before.vectors)).toBeGreaterThan(1e-3);
    expectNear(swap(after.vectors), turned(swap(before.vectors), r), 1e-4);
  });

  test("the order of the atoms does not matter", () => {
    const net = model();
    const order = rng.permutation(7);
    const before = compute(net, cluster);
    const after = compute(net, {
      numbers: permuted(cluster.numbers, order, 1),
      positions: permuted(cluster.positions, order, 3),
    });
    expectNear([after.energy], [before.energy], 1e-5);
    expectNear(after.forces, permuted(before.forces, order, 3), 1e-5);
  });
});

test("forces are what central differences of the energy give, and add up to nothing", () => {
  const net = model();
  const rng = new Rng(9);
  const cluster = randomCluster(6, rng);
  const { forces } = compute(net, cluster);
  const direction = cluster.positions.map(() => 2 * rng.random() - 1);
  const h = 4e-3;
  const along = (t: number): number =>
    compute(net, { ...cluster, positions: cluster.positions.map((x, k) => x + t * direction[k]) }).energy;
  // Richardson's extrapolation takes the error of the step away.
  const slope = (4 * ((along(h) - along(-h)) / (2 * h)) - (along(2 * h) - along(-2 * h)) / (4 * h)) / 3;
  const exact = -forces.reduce((sum, f, k) => sum + f * direction[k], 0);
  expect(Math.abs(slope - exact)).toBeLessThan(2e-3 * largest(forces));
  for (let c = 0; c < 3; c++)
    expect(Math.abs(forces.filter((_, k) => k % 3 === c).reduce((s, f) => s + f, 0))).toBeLessThan(
      1e-5 * largest(forces),
    );
});

test("energies are smooth where a neighbour crosses the cutoff", () => {
  const net = new PaiNN(1, new Rng(2), { nAtomBasis: 8, nInteractions: 2, nRbf: 6, cutoff: 3 });
  const at = (d: number): number =>
    noGrad(() =>
      scope(() =>
        net.forward(Graph.batch([clusterGraph({ numbers: [8, 6], positions: [0, 0, 0, d, 0, 0] }, 3)])).item(),
      ),
    );
  const apart = at(3.5);
  expect(Math.abs(at(2.999) - apart)).toBeLessThan(1e-5);
  expect(Math.abs(at(2) - apart)).toBeGreaterThan(1e-3);
});

test("an atom alone and atoms on top of each other give finite energies and forces", () => {
  const net = model();
  const alone = compute(net, { numbers: [8], positions: [0, 0, 0] });
  expect(Number.isFinite(alone.energy)).toBe(true);
  expect(alone.forces.map(Math.abs)).toEqual([0, 0, 0]);
  const twice = compute(net, { numbers: [8, 8, 1], positions: [0, 0, 0, 0, 0, 0, 1, 0, 0] });
  expect([twice.energy, ...twice.forces].every(Number.isFinite)).toBe(true);
});

test("learns one batch by heart", () => {
  const rng = new Rng(4);
  const net = new PaiNN(1, rng, { nAtomBasis: 16, nInteractions: 2, nRbf: 8, cutoff: 4 });
  const clusters = Array.from({ length: 4 }, () => clusterGraph(randomCluster(4, rng), 4));
  const optimizer = new Adam(net, { lr: 1e-2 });
  const energies = rng.normal([4, 1]);
  let last = Infinity;
  for (let step = 0; step < 80; step++)
    scope(() => {
      const loss = mseLoss(net.forward(Graph.batch(clusters)), energies);
      last = loss.item();
      optimizer.step(grad(loss, optimizer.parameters));
    });
  expect(last).toBeLessThan(1e-3);
});
