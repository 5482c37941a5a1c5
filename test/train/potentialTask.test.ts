import { beforeAll, describe, expect, test } from "vitest";
import { memoryUse } from "../../src/core/memory.ts";
import { type PotentialDataset, writeRecord } from "../../src/data/potentialDataset.ts";
import { PotentialFeaturiser } from "../../src/data/potentialFeaturiser.ts";
import type { Table } from "../../src/data/table.ts";
import { grad, init, Rng, scope, tensor } from "../../src/index.ts";
import { SchNet } from "../../src/models/index.ts";
import { parameters, stateDict } from "../../src/nn/index.ts";
import { evaluate, predictBatches } from "../../src/train/batches.ts";
import { fit } from "../../src/train/fit.ts";
import { Adam } from "../../src/train/optim.ts";
import { type PotentialConfig, PotentialTask, potentialScale } from "../../src/train/potentialTask.ts";
import { taskFrom } from "../../src/train/task.ts";
import { CUTOFF, TinyPotential } from "../nn/tinyPotential.ts";
import { tinyFrames } from "./tinyFrames.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const CONFIG: PotentialConfig = {
  ...{ kind: "potential", loss: "mse", scale: 2, forces: true, stress: false },
  weights: { energy: 3, forces: 5, stress: 7 },
};
const SPEC = { cutoff: CUTOFF, forces: "forces" };

describe("the task", () => {
  let rows: Table;
  let data: PotentialDataset;
  beforeAll(() => {
    rows = tinyFrames(3);
    data = PotentialFeaturiser.fit(SPEC, rows).dataset(rows);
  });
  const all = Int32Array.of(0, 1, 2);

  test.each(["mse", "l1", "huber"] as const)("the loss by %s of a batch is the loss among the metrics", (loss) => {
    const task = new PotentialTask({ ...CONFIG, loss, delta: 0.1 });
    const model = new TinyPotential();
    const { inputs, targets } = data.batch(all);
    const value = task.loss(model.forward(inputs[0] as never), targets, inputs).item();
    const figures = evaluate(model, task, data);
    expect(value / figures.loss).toBeCloseTo(1, 5);
    expect(figures.loss).toBeGreaterThan(0.01);
  });

  test("weighs energies per atom and force components in units of the scale", () => {
    // Two structures of one atom, and of two; predictions are off by 1 eV, 4 eV and, in one component of nine, 6 eV/Å.
    const record = (atoms: number, energy: number, force: number): Float32Array =>
      writeRecord({ atoms, volume: 0, energy, forces: [force, ...new Array(3 * atoms - 1).fill(0)], virial: [] });
    const join = (...parts: Float32Array[]): Float32Array => Float32Array.from(parts.flatMap((p) => [...p]));
    const wanted = join(record(1, 0, 0), record(2, 0, 0));
    const found = join(record(1, 1, 0), record(2, 4, 6));
    const figures = new PotentialTask(CONFIG).metrics(found, wanted);
    expect(figures.loss).toBeCloseTo((3 * (0.5 ** 2 + 1 ** 2)) / 2 + (5 * 3 ** 2) / 9, 6);
    expect(figures.energyMae).toBeCloseTo(1500, 3);
    expect(figures.energyMaeStructure).toBeCloseTo(2500, 3);
    expect(figures.forceMae).toBeCloseTo(6000 / 9, 3);
    expect(figures.forceRmse).toBeCloseTo(2000, 3);
    expect(new PotentialTask(CONFIG).monitor).toEqual({ metric: "forceMae", mode: "min" });
  });

  test("learns from stresses of crystals, in GPa", () => {
    const crystals = tinyFrames(2, { crystal: true });
    const stresses = PotentialFeaturiser.fit({ ...SPEC, stress: "stress" }, crystals).dataset(crystals);
    const task = new PotentialTask({ ...CONFIG, scale: 1, stress: true });
    const model = new TinyPotential();
    const exact = evaluate(model, task, stresses);
    // The frames are this model's own in f64.
    expect(exact.stressMae).toBeLessThan(1e-3);
    expect(exact.forceMae).toBeLessThan(1e-2);
    model.depth.set([1.5]);
    const off = evaluate(model, task, stresses);
    expect(off.stressMae).toBeGreaterThan(0.1);
    const { inputs, targets } = stresses.batch(Int32Array.of(0, 1));
    const loss = task.loss(model.forward(inputs[0] as never), targets, inputs);
    expect(loss.item() / off.loss).toBeCloseTo(1, 4);
    // Towards the depth that the frames were made with, 1.
    expect(grad(loss, [model.depth])[0].item()).toBeGreaterThan(0);
  });

  test("without forces needs no tape, and chooses by the energy", () => {
    const energies = PotentialFeaturiser.fit({ cutoff: CUTOFF }, rows).dataset(rows);
    const task = new PotentialTask({ ...CONFIG, forces: false });
    expect([task.recorded, task.monitor.metric]).toEqual([false, "energyMae"]);
    const figures = evaluate(new TinyPotential(), task, energies);
    expect(Object.keys(figures)).toEqual(["loss", "energyMae", "energyMaeStructure"]);
  });

  test("comes back from its JSON, and from no scale", () => {
    expect(taskFrom(JSON.parse(JSON.stringify(new PotentialTask(CONFIG).toJSON())))).toEqual(new PotentialTask(CONFIG));
    expect(() => new PotentialTask({ ...CONFIG, scale: 0 })).toThrow(/scale must be above 0/);
  });

  test("the scale is the forces' root mean square, or that of energies per atom", () => {
    const records = [writeRecord({ atoms: 2, volume: 0, energy: 6, forces: [1, 1, 1, 3, 3, 3], virial: [] })];
    expect(potentialScale(records[0], { forces: true, stress: false })).toBeCloseTo(Math.sqrt(5), 6);
    const bare = writeRecord({ atoms: 2, volume: 0, energy: 6, forces: [], virial: [] });
    expect(potentialScale(bare, { forces: false, stress: false })).toBe(3);
    const atRest = writeRecord({ atoms: 2, volume: 0, energy: 6, forces: new Array(6).fill(0), virial: [] });
    expect(potentialScale(atRest, { forces: true, stress: false })).toBe(3);
    const zero = writeRecord({ atoms: 1, volume: 0, energy: 0, forces: [0, 0, 0], virial: [] });
    expect(potentialScale(zero, { forces: true, stress: false })).toBe(1);
  });

  test("predictions keep no memory, inside noGrad's batches or out", () => {
    const task = new PotentialTask(CONFIG);
    const model = new TinyPotential();
    const live = (): number => {
      predictBatches(model, task, data, undefined, 2);
      return memoryUse().live;
    };
    const before = live();
    for (let i = 0; i < 5; i++) expect(live()).toBe(before);
  });
});

describe("fit", () => {
  test("finds the potential again that energies and forces were made with", async () => {
    const rows = tinyFrames(8);
    const featuriser = PotentialFeaturiser.fit(SPEC, rows);
    const data = featuriser.dataset(rows);
    const model = new TinyPotential();
    model.depth.set([0.5]);
    const scale = potentialScale(data.y, { forces: true, stress: false });
    const weights = { energy: 0, forces: 1, stress: 0 };
    const task = new PotentialTask({ ...CONFIG, scale, weights });
    // The model's output is in units of the scale.
    const truth = 1 / scale;
    const options = { task, epochs: 30, batchSize: 4, optimizer: new Adam({ depth: model.depth }, { lr: 0.5 }) };
    const run = await fit(model, data, { ...options, schedule: "cosineAnnealing", rng: new Rng(1) });
    expect(Math.abs(model.depth.item() / truth - 1)).toBeLessThan(0.02);
    expect(run.history.at(-1)!.loss).toBeLessThan(1e-3);
  });

  test("a network learns a batch, in flat memory, to the same bits again", async () => {
    const rows = tinyFrames(6);
    const data = PotentialFeaturiser.fit(SPEC, rows).dataset(rows);
    const scale = potentialScale(data.y, { forces: true, stress: false });
    const train = async () => {
      const net = new SchNet(1, new Rng(2), { nAtomBasis: 16, nInteractions: 2, nRbf: 10, cutoff: CUTOFF });
      const uses: number[] = [];
      const run = await fit(net, data, {
        ...{ epochs: 20, batchSize: 6, optimizer: new Adam(net, { lr: 5e-3 }), rng: new Rng(3), validation: data },
        task: new PotentialTask({ ...CONFIG, scale, weights: { energy: 1, forces: 1, stress: 0 } }),
        monitors: [{ epoch: () => void uses.push(memoryUse().live) }],
      });
      return { run, net, uses };
    };
    const { run, net, uses } = await train();
    const first = run.history[0].validation!;
    expect(run.best.forceMae).toBeLessThan(0.6 * first.forceMae);
    expect(new Set(uses.slice(2)).size).toBe(1);
    const again = await train();
    for (const [name, t] of stateDict(net)) expect(stateDict(again.net).get(name)!.toArray()).toEqual(t.toArray());
    for (const [name, t] of parameters(net)) expect(t.data.every(Number.isFinite), name).toBe(true);
  });

  test("a gradient of forces agrees with the loss's central difference along a direction", () => {
    const rows = tinyFrames(2);
    const data = PotentialFeaturiser.fit(SPEC, rows).dataset(rows);
    const net = new SchNet(1, new Rng(4), { nAtomBasis: 8, nInteractions: 1, nRbf: 6, cutoff: CUTOFF });
    const task = new PotentialTask({ ...CONFIG, scale: 1 });
    const { inputs, targets } = data.batch(Int32Array.of(0, 1));
    const loss = () => task.loss(net.forward(inputs[0] as never), targets, inputs);
    const list = [...parameters(net)].map(([, t]) => t);
    const along = list.map((t, k) => Float32Array.from({ length: t.size }, (_, i) => Math.sin(7 * i + k)));
    const slope = grad(loss(), list).reduce((sum, g, k) => sum + g.data.reduce((s, x, i) => s + x * along[k][i], 0), 0);
    const start = list.map((t) => t.toArray());
    const at = (h: number): number => {
      for (const [k, t] of list.entries()) t.set(start[k].map((x, i) => x + h * along[k][i]));
      return scope(() => loss().item());
    };
    const difference = (h: number): number => (at(h) - at(-h)) / (2 * h);
    const best = (4 * difference(5e-3) - difference(1e-2)) / 3;
    expect(Math.abs(slope - best)).toBeLessThan(5e-3 * Math.abs(best));
    expect(tensor([best]).data[0]).not.toBe(0);
  });
});
