import { beforeAll, expect, test } from "vitest";
import { init, memoryUse, Rng } from "../../src/index.ts";
import { FIELDS, sameNetwork, trainingConfig } from "../../src/lab/graphs/config.ts";
import { layout } from "../../src/lab/graphs/layout.ts";
import { Learner } from "../../src/lab/graphs/learner.ts";
import { molecules } from "../../src/lab/graphs/molecules.ts";
import { principalPlane } from "../../src/lab/graphs/plane.ts";
import { readState, writeState } from "../../src/lab/kit/state.ts";
import { potentialConfig, samePotential, simulationConfig } from "../../src/lab/molecule/config.ts";
import { PotentialLearner } from "../../src/lab/molecule/learner.ts";
import { MOLECULES, type MoleculeName } from "../../src/lab/molecule/molecules.ts";
import { referenceFrames, rested } from "../../src/lab/molecule/reference.ts";
import { Simulation } from "../../src/lab/molecule/simulation.ts";

beforeAll(() => init({ threads: 1, deterministic: true }));

test.each(Object.keys(MOLECULES) as MoleculeName[])(
  "the reference forces of %s are its energy's derivatives",
  (name) => {
    const { structure, reference } = rested(name);
    expect(Math.max(...reference(structure).forces.map(Math.abs))).toBeLessThan(0.005);
    const bent = structure.positions.map((x, k) => x + 0.1 * Math.sin(7 * k + 1));
    const energy = (k: number, by: number): number =>
      reference(structure.with({ positions: bent.map((x, i) => (i === k ? x + by : x)) })).energy;
    const { forces } = reference(structure.with({ positions: bent }));
    forces.forEach((f, k) => expect(f).toBeCloseTo((energy(k, -1e-5) - energy(k, 1e-5)) / 2e-5, 6));
    for (const c of [0, 1, 2]) expect(forces.filter((_, k) => k % 3 === c).reduce((a, b) => a + b)).toBeCloseTo(0, 10);
  },
);

test("a simulation goes on when its temperature is changed, and conserves its energy", () => {
  const { structure, reference } = rested("ammonia");
  const config = simulationConfig(readState(FIELDS, "temperature=200&timeStep=0.5").state);
  const run = new Simulation(structure, reference, config);
  for (let i = 0; i < 400; i++) run.advance();
  const before = run.frame;
  expect(before.time).toBe(200);
  expect(before.drift).toBeLessThan(0.5);
  const { potential, kinetic, total } = before.trace;
  expect(potential[0]).toBe(0);
  total.forEach((e, i) => expect(e).toBeCloseTo(potential[i] + kinetic[i], 10));
  run.tune({ ...config, temperature: 500 });
  expect(run.frame.temperature).toBeCloseTo(500, 6);
  expect(run.frame.positions).toEqual(before.positions);
  expect(run.frame.time).toBe(200);
  for (let i = 0; i < 1500; i++) run.advance();
  expect(run.frame.time).toBe(950);
  expect(run.frame.trace.time.length).toBeLessThanOrEqual(600);
  run.tune({ ...config, bath: true });
  expect(run.frame.drift).toBeUndefined();
});

test("potentials of one seed are one potential, learn, and give their memory back", async () => {
  const { state } = readState(FIELDS, "molecule=water&frames=50&basis=16&rounds=2");
  const config = potentialConfig(state);
  const frames = async (count: number, seed: number) =>
    (await referenceFrames("water", { count, seed }, async () => true))!;
  const data = { train: await frames(20, 1), validation: await frames(10, 2) };
  expect(await referenceFrames("water", { count: 5, seed: 1 }, async () => false)).toBeUndefined();
  const train = (): number[] => {
    const learner = new PotentialLearner(data, config);
    while (!learner.done) learner.advance();
    learner.dispose();
    return [...learner.curves.force];
  };
  const first = train();
  expect(first[2]).toBeLessThan(first[0]);
  const { live } = memoryUse();
  expect(train()).toEqual(first);
  expect(memoryUse().live).toBe(live);
  const wild = new PotentialLearner(data, { ...config, rate: 1e20 as never, rounds: 200 });
  expect(() => {
    while (!wild.done) wild.advance();
  }).toThrow(/overflowed in epoch \d+\.\n {2}Choose a lower learning rate/);
  wild.dispose();
  expect(samePotential(config, { ...config, rate: 0.001, rounds: 9 })).toBe(true);
  expect(samePotential(config, { ...config, frames: 100 })).toBe(false);
});

test("molecules have the answers that they are labelled with, and are laid out apart", () => {
  const rng = new Rng(5);
  for (const { label, edges, symbols } of molecules("ring", 20, rng)) {
    expect(edges.length - symbols.length).toBe(label === 1 ? 0 : -1);
    const places = layout(symbols.length, edges);
    for (const [i, a] of places.entries())
      for (const b of places.slice(i + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(12);
  }
  for (const task of ["bond", "distance"] as const)
    for (const { label, edges, symbols } of molecules(task, 20, rng)) {
      // Bonds from N to O, counted outwards.
      let [reached, bonds] = [new Set([symbols.indexOf("N")]), 0];
      while (!reached.has(symbols.indexOf("O"))) {
        reached = new Set([...reached, ...edges.filter((e) => e.some((end) => reached.has(end))).flat()]);
        bonds++;
      }
      expect(bonds === (task === "bond" ? 1 : 3)).toBe(label === 1);
    }
});

test("axes do not flip from epoch to epoch", () => {
  const rows = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i * i) * [3, 1, 0.2][i % 3]);
  const plane = principalPlane(rows, 3);
  const turned = principalPlane(
    rows,
    3,
    plane.axes.map((axis) => axis.map((x) => -x)),
  );
  turned.points.forEach((x, i) => expect(x).toBeCloseTo(-plane.points[i], 6));
  expect(plane.explained[0]).toBeGreaterThan(plane.explained[1]);
});

test("every layer trains, gives its memory back, and rate and epochs may change", () => {
  for (const layer of ["gin", "message", "gcn", "sage", "gat"] as const) {
    const { state, rejected } = readState(FIELDS, `layer=${layer}&count=100&epochs=1&depth=2&width=8&readout=max`);
    expect(rejected).toEqual([]);
    const { live } = memoryUse();
    const learner = new Learner(trainingConfig(state));
    while (!learner.done) learner.advance();
    expect(learner.clouds).toHaveLength(2);
    expect(learner.curves.trainLoss[1]).toBeLessThan(2);
    learner.dispose();
    expect(memoryUse().live).toBe(live);
  }
  const config = trainingConfig(readState(FIELDS, "").state);
  expect(sameNetwork(config, { ...config, learningRate: 0.03, epochs: 3 })).toBe(true);
  expect(sameNetwork(config, { ...config, depth: 1 })).toBe(false);
});

test("an address holds a drawing; one with mistakes is refused", () => {
  const { state } = readState(FIELDS, "graph=C100_100_1,O200_100_-2.5~0_1&pairs=1_2,3,4,5,6_-7.5,8");
  expect(state.graph.nodes[1]).toEqual({ symbol: "O", x: 200, y: 100, value: -2.5 });
  expect(state.graph.edges).toEqual([[0, 1]]);
  expect(state.pairs[4]).toEqual([6, -7.5]);
  expect(readState(FIELDS, writeState(FIELDS, state)).state).toEqual(state);
  for (const graph of ["C100_100_1~0_1", "C1_1_1,C9_9_9~1_0", "X1_1_1~", "C1_1_1,C9_9_9~0_1,0_1", "~0_0"])
    expect(readState(FIELDS, `graph=${graph}`).rejected).toEqual(["graph"]);
  expect(readState(FIELDS, "graph=~").state.graph).toEqual({ nodes: [], edges: [] });
});
