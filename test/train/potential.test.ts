import { beforeAll, describe, expect, test } from "vitest";
import { dynamics } from "../../src/atoms/index.ts";
import { memoryUse } from "../../src/core/memory.ts";
import { CrystalGraphFeaturiser } from "../../src/data/crystalGraph.ts";
import { PotentialFeaturiser } from "../../src/data/potentialFeaturiser.ts";
import { Structure } from "../../src/data/structure.ts";
import { init, noGrad, Rng } from "../../src/index.ts";
import { buildModel, SchNet } from "../../src/models/index.ts";
import { Potential } from "../../src/train/potential.ts";
import { PotentialTask } from "../../src/train/potentialTask.ts";
import { Predictor } from "../../src/train/predictor.ts";
import { Regression } from "../../src/train/task.ts";
import { CUTOFF, TinyPotential, tinyEnergy } from "../nn/tinyPotential.ts";
import { tinyFrames } from "./tinyFrames.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const TASK = new PotentialTask({
  ...{ kind: "potential", loss: "mse", scale: 1, forces: true, stress: false },
  weights: { energy: 1, forces: 1, stress: 0 },
});
const REFERENCES = new Map([
  [1, -13.6],
  [6, -1030.25],
  [8, -2041.5],
  [14, -7870.125],
]);
const featuriser = (): PotentialFeaturiser => new PotentialFeaturiser({ cutoff: CUTOFF, forces: "forces" }, REFERENCES);
const FACTS = { architecture: {}, target: { name: "energy", unit: "eV" } };
const tiny = (): Potential => Potential.of(Predictor.of(new TinyPotential(), featuriser(), TASK, FACTS));

describe("Potential", () => {
  test.each([false, true])("gives energy, forces and stress of the frames it was made of (crystal: %s)", (crystal) => {
    const [structure] = tinyFrames(1, { crystal }).structures!;
    const { energy, forces, energies, stress } = tiny().evaluate(structure);
    const free = [...structure.numbers].reduce((sum, z) => sum + REFERENCES.get(z)!, 0);
    // Thousands of eV deep, and right to a hundredth of a meV.
    expect(energy - free).toBeCloseTo(tinyEnergy(structure), 5);
    expect(energies!.reduce((sum, x) => sum + x, 0)).toBeCloseTo(energy, 9);
    structure.arrays.forces.forEach((f, k) => {
      expect(forces[k]).toBeCloseTo(f, 4);
    });
    if (!crystal) expect(stress).toBeUndefined();
    else {
      const wanted = String(structure.properties.stress).split(" ").map(Number);
      stress!.flat().forEach((s, k) => {
        expect(s).toBeCloseTo(wanted[k], 5);
      });
    }
  });

  test("reads a model file; its energies are the predictor's, its calls leave no memory", async () => {
    const net = new SchNet(1, new Rng(5), { nAtomBasis: 8, nInteractions: 1, nRbf: 5, cutoff: CUTOFF });
    const architecture = {
      model: "schnet" as const,
      outputs: 1,
      nAtomBasis: 8,
      nInteractions: 1,
      nRbf: 5,
      cutoff: CUTOFF,
    };
    const predictor = Predictor.of(net, featuriser(), TASK, { ...FACTS, architecture });
    const pieces = [...predictor.toSafetensors()].map((piece) => Buffer.from(piece));
    const potential = await Potential.load(new Uint8Array(Buffer.concat(pieces)), buildModel);
    expect([potential.elements, potential.cutoff]).toEqual([["H", "C", "O", "Si"], CUTOFF]);
    const frames = tinyFrames(2).structures!;
    const [record] = [predictor.predict(tinyFrames(1))];
    const first = potential.evaluate(frames[0]);
    expect(first.energy).toBeCloseTo(record[2] + featuriser().reference(frames[0]), 4);
    first.forces.forEach((f, k) => {
      expect(f).toBeCloseTo(record[3 + k], 5);
    });
    const before = memoryUse().live;
    for (let i = 0; i < 3; i++) noGrad(() => potential.evaluate(frames[1]));
    expect(memoryUse().live).toBe(before);
    expect(potential.evaluate(frames[0])).toEqual(first);
  });

  test("conserves energy in molecular dynamics, where neighbours come and go", () => {
    const [structure] = tinyFrames(1).structures!;
    const totals: number[] = [];
    const settings = { steps: 200, dt: 0.25, temperature: 300, seed: 2 };
    for (const { total } of dynamics(structure, tiny().evaluate, settings)) totals.push(total);
    expect(Math.max(...totals) - Math.min(...totals)).toBeLessThan(2e-3);
  });

  test("an atom without neighbours has its own energy and no force", () => {
    const { energy, forces } = tiny().evaluate(new Structure({ numbers: [8], positions: [1, 2, 3] }));
    expect(energy).toBeCloseTo(-2041.5, 6);
    expect([...forces].map(Math.abs)).toEqual([0, 0, 0]);
  });

  test("what it cannot answer it says", () => {
    const at = (numbers: number[], x: number): Structure =>
      new Structure({ numbers, positions: [0, 0, 0, x, 0, 0], source: "x.xyz:5" });
    expect(() => tiny().evaluate(at([1, 26], 2))).toThrow(
      /x\.xyz:5: atom 2 is Fe; the potential has learned H, C, O, Si/,
    );
    expect(() => tiny().evaluate(at([1, 1], 0.01))).toThrow(/x\.xyz:5: atoms 1 and 2 are 0\.010 Å apart/);
    const other = new Regression({ kind: "regression", loss: "l1", mean: [0], std: [1] });
    const graphs = new CrystalGraphFeaturiser({ atoms: "numbers" });
    const predictor = Predictor.of(new TinyPotential(), graphs, other, { ...FACTS, target: { name: "gap" } });
    expect(() => Potential.of(predictor)).toThrow(/predicts gap; it is no interatomic potential/);
  });
});
