import { beforeAll, describe, expect, test } from "vitest";
import { CrystalGraphFeaturiser } from "../../src/data/crystalGraph.ts";
import { Graph } from "../../src/data/graph.ts";
import { Lattice, type Matrix3, times, type Vector3 } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { grad, init, noGrad, Rng, scope, square, sum, tensor } from "../../src/index.ts";
import { SchNet } from "../../src/models/index.ts";
import { forcesOf, parameters } from "../../src/nn/index.ts";
import { Draw } from "../samples/draw.ts";
import { CUTOFF, TinyPotential, tinyEnergy } from "./tinyPotential.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const graphs = new CrystalGraphFeaturiser({ radius: CUTOFF, maxNeighbours: undefined, atoms: "numbers" });
const batch = (...structures: Structure[]): Graph => Graph.batch(structures.map((s) => graphs.graph(s)));

const molecule = (): Structure =>
  new Structure({
    numbers: [6, 8, 1, 1, 1],
    positions: [0, 0, 0, 1.3, 0.2, -0.1, -0.6, 0.9, 0.1, -0.5, -0.7, 0.8, 1.8, 0.9, 0.4],
  });
/** One atom more than a primitive cell: both are neighbours of their own images. */
const crystal = (): Structure =>
  new Structure({
    numbers: [14, 6],
    positions: [0.1, 0, 0, 1.1, 1.2, 0.9],
    lattice: new Lattice([
      [2.1, 0, 0.2],
      [0.3, 2.4, 0],
      [0, -0.2, 2.2],
    ]),
  });
const slab = (): Structure => crystal().with({ periodic: [true, true, false] });

const moved = (s: Structure, along: ArrayLike<number>, by: number): Structure =>
  s.with({ positions: s.positions.map((x, k) => x + by * along[k]) });

/** r → (1 + h·ε)·r, with the lattice. */
function strained(s: Structure, strain: Matrix3, h: number): Structure {
  const f = strain.map((row, a) => row.map((x, b) => (a === b ? 1 : 0) + h * x)) as unknown as Matrix3;
  // Rows times the transpose; the strain is symmetric.
  const positions = Array.from({ length: s.length }, (_, i) => times(s.position(i), f)).flat();
  return s.with({ positions, lattice: new Lattice(s.lattice!.matrix.map((v) => times(v, f)) as unknown as Matrix3) });
}

describe("forces", () => {
  test.each([
    ["a molecule", molecule()],
    ["a crystal with self-images", crystal()],
    ["a slab", slab()],
  ])("of %s are central differences of the energy in f64", (_, structure) => {
    const graph = batch(structure);
    const energy = new TinyPotential().forward(graph);
    expect(energy.item()).toBeCloseTo(tinyEnergy(structure), 4);
    const forces = forcesOf(energy, graph).forces.toArray();
    for (let seed = 0; seed < 5; seed++) {
      const draw = new Draw(seed, 7);
      const along = Array.from(structure.positions, () => draw.random() - 0.5);
      const h = 1e-4;
      const slope = (tinyEnergy(moved(structure, along, h)) - tinyEnergy(moved(structure, along, -h))) / (2 * h);
      const found = -along.reduce((total, x, k) => total + x * forces[k], 0);
      expect(found).toBeCloseTo(slope, 5);
    }
  });

  test("sum to zero, and turn no molecule", () => {
    const structure = molecule();
    const graph = batch(structure, crystal());
    const forces = forcesOf(new TinyPotential().forward(graph), graph).forces.toArray();
    const [total, torque] = [new Float64Array(3), new Float64Array(3)];
    for (let i = 0; i < structure.length; i++) {
      const [f, r] = [forces.subarray(3 * i, 3 * i + 3), structure.position(i)];
      for (let c = 0; c < 3; c++) {
        const [d, e] = [(c + 1) % 3, (c + 2) % 3];
        total[c] += f[c];
        torque[c] += r[d] * f[e] - r[e] * f[d];
      }
    }
    for (const x of [...total, ...torque]) expect(Math.abs(x)).toBeLessThan(2e-6);
    expect(Math.max(...forces.map(Math.abs))).toBeGreaterThan(0.1);
  });

  test("of structures in one batch are those of each alone", () => {
    const model = new TinyPotential();
    const both = batch(molecule(), crystal());
    const forces = [...forcesOf(model.forward(both), both).forces.data];
    const alone = [molecule(), crystal()].flatMap((s) => {
      const graph = batch(s);
      return [...forcesOf(model.forward(graph), graph).forces.data];
    });
    expect(forces).toEqual(alone);
  });

  test("are smooth at the cutoff", () => {
    const force = (r: number): number => {
      const graph = batch(new Structure({ numbers: [6, 6], positions: [0, 0, 0, r, 0, 0] }));
      return forcesOf(new TinyPotential().forward(graph), graph).forces.data[0];
    };
    expect(Math.abs(force(CUTOFF - 1e-3))).toBeLessThan(1e-3);
    expect(Math.abs(force(CUTOFF - 0.1))).toBeGreaterThan(1e-3);
    expect(force(CUTOFF + 1e-3)).toBe(0);
  });

  test("of an atom without neighbours are zero", () => {
    const graph = batch(new Structure({ numbers: [6], positions: [0, 0, 0] }));
    const { forces, virial } = forcesOf(new TinyPotential().forward(graph), graph, { stress: true });
    expect([...forces.data, ...virial!.data]).toEqual(new Array(12).fill(0));
  });

  test("of SchNet with images of itself are central differences, too", () => {
    const net = new SchNet(1, new Rng(3), { nAtomBasis: 16, nInteractions: 2, cutoff: CUTOFF, nRbf: 8 });
    const energy = (s: Structure): number => noGrad(() => scope(() => net.forward(batch(s)).item()));
    const structure = crystal();
    const graph = batch(structure);
    const forces = forcesOf(net.forward(graph), graph).forces.toArray();
    const along = Array.from(structure.positions, (_, k) => Math.sin(3 * k + 1));
    const found = -along.reduce((total, x, k) => total + x * forces[k], 0);
    const slope = (h: number): number =>
      (energy(moved(structure, along, h)) - energy(moved(structure, along, -h))) / (2 * h);
    // Richardson's step takes the error of order h² out.
    expect(found).toBeCloseTo((4 * slope(0.01) - slope(0.02)) / 3, 3.7);
    expect(Math.abs(found)).toBeGreaterThan(0.01);
  });
});

describe("stress", () => {
  const STRAINS: Matrix3[] = [
    [
      [1, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ],
    [
      [0, 0.5, 0],
      [0.5, 0, 0],
      [0, 0, 0],
    ],
    [
      [0.3, -0.2, 0.4],
      [-0.2, -0.5, 0.1],
      [0.4, 0.1, 0.7],
    ],
  ];
  test.each(STRAINS)("is the central difference of the energy under strain: %j, …", (...rows: Vector3[]) => {
    const strain = rows as unknown as Matrix3;
    const structure = crystal();
    const graph = batch(structure);
    const { virial } = forcesOf(new TinyPotential().forward(graph), graph, { stress: true });
    const h = 1e-4;
    const slope = (tinyEnergy(strained(structure, strain, h)) - tinyEnergy(strained(structure, strain, -h))) / (2 * h);
    const found = strain.flat().reduce((total, x, k) => total + x * virial!.data[k], 0);
    expect(found).toBeCloseTo(slope, 4);
  });

  test("is of each structure of a batch", () => {
    const model = new TinyPotential();
    const graph = batch(molecule(), crystal());
    const { virial } = forcesOf(model.forward(graph), graph, { stress: true });
    const alone = batch(crystal());
    expect([...virial!.data.subarray(9)]).toEqual([
      ...forcesOf(model.forward(alone), alone, { stress: true }).virial!.data,
    ]);
    expect(virial!.shape).toEqual([2, 3, 3]);
  });
});

test("differentiable forces carry a loss to the weights, to second order", () => {
  const model = new TinyPotential();
  const graph = batch(molecule());
  const loss = (): number =>
    scope(() => {
      const { forces } = forcesOf(model.forward(graph), graph);
      return sum(square(forces)).item();
    });
  const { forces } = forcesOf(model.forward(graph), graph, { differentiable: true });
  const [byCharge, byDepth] = grad(
    sum(square(forces)),
    [...parameters(model)].map(([, t]) => t),
  );
  // The forces are proportional to the depth: their square has twice the slope.
  expect(byDepth.item()).toBeCloseTo(2 * loss(), 4);
  const h = 1e-2;
  const before = model.charge.toArray();
  const at = (by: number): number => {
    model.charge.set(before.map((q, z) => q + (z === 8 ? by : 0)));
    return loss();
  };
  const slope = (at(h) - at(-h)) / (2 * h);
  expect(byCharge.data[8]).toBeCloseTo(slope, 4);
  expect(Math.abs(slope)).toBeGreaterThan(0.01);
});

test("what cannot be differentiated says so", () => {
  const graph = batch(molecule());
  const energy = noGrad(() => new TinyPotential().forward(graph));
  expect(() => forcesOf(energy, graph)).toThrow(/without recording/);
  expect(() => forcesOf(tensor([[1]]), { ...graph, vector: undefined } as Graph)).toThrow(/no vectors/);
});
