import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { NumpyRandom } from "../../src/core/numpyRandom.ts";
import { Graph, type GraphData, graphData } from "../../src/data/graph.ts";
import { type NBodySystem, nBodyGraph, nBodySystem } from "../../src/data/nbody.ts";
import { grad, init, mseLoss, noGrad, Rng, scope, square, type Tensor, tensor } from "../../src/index.ts";
import { EGcl, Egnn, type EgnnOptions } from "../../src/models/egnn.ts";
import { EgnnVel, NBodyGnn } from "../../src/models/nbody.ts";
import { forcesOf } from "../../src/nn/forces.ts";
import { loadStateDict, parameterCount, parameters, stateDict } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";
import { type Cluster, clusterGraph, permuted, randomCluster, randomRotation, turned } from "./molecules.ts";

interface Plain {
  shape: number[];
  data: number[];
}
interface Case {
  weights: Record<string, Plain>;
  output: Plain;
  gradients: Record<string, Plain>;
}
interface Fixture {
  positions: Plain;
  velocities: Plain;
  charges: Plain;
  motion: Case;
  energy: Case & { forces: Plain };
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("../fixtures/egnn.json", import.meta.url), "utf8"));
const QM9: EgnnOptions = { hidden: 128, layers: 7, inputs: 15, attention: true, pooledHead: true };

beforeAll(async () => {
  await init({ threads: 1 });
});

test("parameters: the authors' counts", () => {
  const rng = new Rng(1);
  expect(parameterCount(new EgnnVel(rng))).toBe(134_020);
  expect(parameterCount(new NBodyGnn(rng))).toBe(104_387);
  expect(parameterCount(new Egnn(1, rng, QM9))).toBe(745_224);
});

test("positions move by a thousandth of the usual at first", () => {
  const { weight } = (new EGcl(64, new Rng(1)).coord_mlp as unknown as Record<number, { weight: Tensor }>)[2];
  const bound = 0.001 * Math.sqrt(6 / 65);
  const most = Math.max(...weight.data.map(Math.abs));
  expect(most).toBeLessThanOrEqual(bound);
  expect(most).toBeGreaterThan(0.8 * bound);
});

const expectClose = (actual: Tensor, { data, shape }: Plain, tolerance: number, what: string): void => {
  expect([...actual.shape], what).toEqual(shape);
  const scale = Math.max(1e-3, ...data.map(Math.abs));
  actual.toArray().forEach((v, i) => expect(Math.abs(v - data[i]) / scale, `${what}[${i}]`).toBeLessThan(tolerance));
};

/** The systems of the fixture, each particle with these numbers as graph.v. */
function systems(v: (position: number[], velocity: number[]) => number[]): GraphData[] {
  const row = ({ data }: Plain, k: number): number[] => data.slice(3 * k, 3 * k + 3);
  return [0, 3].map((first) => {
    const [sender, receiver] = [1, 2, 0, 2, 0, 1]
      .map((j, e) => [j, e >> 1])
      .reduce<number[][]>(
        ([s, r], [j, i]) => [
          [...s, j],
          [...r, i],
        ],
        [[], []],
      );
    const at = (k: number): number[] => row(fixture.positions, first + k);
    const charge = (k: number): number => fixture.charges.data[first + k];
    return graphData(3, sender, receiver, {
      v: Float32Array.from([0, 1, 2].flatMap((k) => v(at(k), row(fixture.velocities, first + k)))),
      e: Float32Array.from(sender, (j, e) => charge(j) * charge(receiver[e])),
      vector: Float32Array.from(sender.flatMap((j, e) => at(j).map((x, c) => x - at(receiver[e])[c]))),
    });
  });
}

const expectGradients = (model: object, y: Tensor, { gradients }: Case): void => {
  const named = parameters(model);
  const found = grad(square(y).mean(), [...named.values()]);
  [...named.keys()].forEach((name, i) => expectClose(found[i], gradients[name], 5e-5, name));
};

test("moves particles as PyTorch does", () => {
  const model = new EgnnVel(new Rng(1), { hidden: 4, layers: 2 });
  loadStateDict(model, new Map(Object.entries(fixture.motion.weights)));
  scope(() => {
    const y = model.forward(Graph.batch(systems((x, v) => [...x, ...v])));
    expectClose(y, fixture.motion.output, 1e-5, "positions");
    expectGradients(model, y, fixture.motion);
  });
});

test("gives PyTorch's energies and forces with attention, tanh, normalised differences and moving positions", () => {
  const options = { hidden: 4, layers: 2, inputs: 3, attention: true, coordinates: true, tanh: true, normalize: true };
  const model = new Egnn(1, new Rng(1), options);
  loadStateDict(model, new Map(Object.entries(fixture.energy.weights)));
  scope(() => {
    const graph = Graph.batch(systems((_, v) => v));
    const y = model.forward(graph);
    expectClose(y, fixture.energy.output, 1e-5, "energies");
    expectClose(forcesOf(y, graph).forces, fixture.energy.forces, 2e-5, "forces");
    expectGradients(model, y, fixture.energy);
  });
});

/** A net whose positions really move. */
const lively = <M extends object>(model: M): M => {
  for (const [name, t] of stateDict(model)) if (name.endsWith("coord_mlp.2.weight")) t.set(t.data.map((w) => 500 * w));
  return model;
};

const run = (model: { forward(graph: Graph): Tensor }, ...graphs: GraphData[]): number[] =>
  noGrad(() => scope(() => [...model.forward(Graph.batch(graphs)).toArray()]));

const largest = (x: readonly number[]): number => Math.max(...x.map(Math.abs));
const off = (a: readonly number[], b: readonly number[]): number => largest(a.map((x, k) => x - b[k])) / largest(b);

describe("symmetries", () => {
  const system = nBodySystem(new NumpyRandom(3));
  const moved = (r: number[][], shift: number[]): NBodySystem => ({
    ...system,
    positions: Float64Array.from(turned(system.positions, r, shift)),
    velocities: Float64Array.from(turned(system.velocities, r)),
  });

  test.each([false, true])("EGNN's particles turn, shift and mirror with the system: mirrored %s", (mirror) => {
    const rng = new Rng(8);
    const model = lively(new EgnnVel(rng));
    const r = randomRotation(rng, { mirror });
    const shift = [1, -2, 0.5];
    const before = run(model, nBodyGraph(system));
    expect(off(before, [...system.positions])).toBeGreaterThan(0.01);
    expect(off(run(model, nBodyGraph(moved(r, shift))), turned(before, r, shift))).toBeLessThan(1e-4);
  });

  test("the net it is compared with has no such symmetry", () => {
    const rng = new Rng(8);
    const model = new NBodyGnn(rng);
    const r = randomRotation(rng);
    const before = run(model, nBodyGraph(system));
    expect(off(run(model, nBodyGraph(moved(r, [0, 0, 0]))), turned(before, r))).toBeGreaterThan(0.05);
  });

  test("the order of the particles does not matter", () => {
    const rng = new Rng(8);
    const order = rng.permutation(5);
    const reordered: NBodySystem = {
      ...system,
      charges: Float64Array.from(permuted(system.charges, order, 1)),
      positions: Float64Array.from(permuted(system.positions, order, 3)),
      velocities: Float64Array.from(permuted(system.velocities, order, 3)),
    };
    for (const model of [lively(new EgnnVel(rng)), new NBodyGnn(rng)]) {
      const before = run(model, nBodyGraph(system));
      expect(off(run(model, nBodyGraph(reordered)), permuted(before, order, 3))).toBeLessThan(1e-5);
    }
  });

  test.each<EgnnOptions>([{}, { coordinates: true, cutoff: 3 }])("energies stay where atoms turn: %j", (options) => {
    const rng = new Rng(2);
    const model = lively(new Egnn(1, rng, { hidden: 16, layers: 3, ...options }));
    const cluster = randomCluster(7, rng);
    const of = (c: Cluster): number[] => run(model, clusterGraph(c, 3));
    const before = of(cluster);
    for (const mirror of [false, true]) {
      const positions = turned(cluster.positions, randomRotation(rng, { mirror }), [2, 0, -1]);
      expect(off(of({ ...cluster, positions }), before)).toBeLessThan(1e-4);
    }
    const order = rng.permutation(7);
    const reordered = {
      numbers: permuted(cluster.numbers, order, 1),
      positions: permuted(cluster.positions, order, 3),
    };
    expect(off(of(reordered), before)).toBeLessThan(1e-5);
  });
});

/** A chain of atoms one apart along x with period `n`, each with its two neighbours, one of them an image at the border. */
function ring(n: number): GraphData {
  const senders = Array.from({ length: n }, (_, i) => [(i + n - 1) % n, (i + 1) % n]).flat();
  return graphData(
    n,
    senders,
    Array.from(senders, (_, e) => e >> 1),
    {
      numbers: new Int32Array(n).fill(6),
      vector: Float32Array.from({ length: 6 * n }, (_, k) => [-1, 0, 0, 1, 0.2, 0][k % 6]),
    },
  );
}

test("images move with their atoms: a doubled cell has twice the energy", () => {
  const model = lively(new Egnn(1, new Rng(6), { hidden: 8, layers: 3, coordinates: true }));
  const [one] = run(model, ring(1));
  const still = lively(new Egnn(1, new Rng(6), { hidden: 8, layers: 3 }));
  expect(Math.abs(one - run(still, ring(1))[0])).toBeGreaterThan(0);
  for (const n of [2, 3]) expect(run(model, ring(n))[0] / n).toBeCloseTo(one, 5);
});

test("with a cutoff energies and moves are smooth where a neighbour crosses it", () => {
  const model = lively(new Egnn(1, new Rng(2), { hidden: 8, layers: 2, coordinates: true, cutoff: 3 }));
  const at = (d: number): number =>
    run(model, clusterGraph({ numbers: [8, 6, 6], positions: [0, 0, 0, d, 0, 0, 0, 2, 0] }, 3))[0];
  const apart = at(3.0005);
  expect(Math.abs(at(2) - apart)).toBeGreaterThan(1e-4);
  expect(Math.abs(at(2.9995) - apart)).toBeLessThan(0.01 * Math.abs(at(2) - apart));
});

test("an atom alone has a finite energy and no force", () => {
  const model = new Egnn(2, new Rng(2), { hidden: 8, coordinates: true, cutoff: 3, readout: "mean" });
  scope(() => {
    const graph = Graph.batch([clusterGraph({ numbers: [8], positions: [0, 0, 0] })]);
    const y = model.forward(graph);
    expect(y.toArray().every(Number.isFinite)).toBe(true);
    expect(model.atomwise(graph).toArray()).toEqual(y.toArray());
    const { forces } = forcesOf(y.slice({ axis: 1, start: 0, end: 1 }), graph);
    expect(forces.toArray().map(Math.abs)).toEqual(new Float32Array(3));
  });
});

test("a pooled head has no contributions of atoms", () => {
  const model = new Egnn(1, new Rng(2), { hidden: 8, pooledHead: true });
  const graph = Graph.batch([clusterGraph({ numbers: [8], positions: [0, 0, 0] })]);
  expect(() => model.atomwise(graph)).toThrow("pooled head");
});

test("learns where a few systems go by heart", () => {
  const random = new NumpyRandom(1);
  const few = Array.from({ length: 4 }, () => nBodySystem(random));
  const model = new EgnnVel(new Rng(1), { hidden: 16, layers: 3 });
  const optimizer = new Adam(model, { lr: 2e-2 });
  const future = tensor(
    few.flatMap((s) => [...s.future]),
    [4, 15],
  );
  const losses = Array.from({ length: 60 }, () =>
    scope(() => {
      const loss = mseLoss(model.forward(Graph.batch(few.map(nBodyGraph))), future);
      optimizer.step(grad(loss, optimizer.parameters));
      return loss.item();
    }),
  );
  expect(losses.at(-1)).toBeLessThan(0.05 * losses[0]);
});
