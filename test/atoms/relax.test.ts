import { beforeAll, describe, expect, test } from "vitest";
import { type EnergyModel, type RelaxStep, relax } from "../../src/atoms/index.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { init } from "../../src/index.ts";
import { BOND, lennardJones } from "./lennardJones.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const last = (steps: Iterable<RelaxStep>): RelaxStep => [...steps].at(-1)!;
const distance = ({ positions: r }: Structure, i: number, j: number): number =>
  Math.hypot(r[3 * i] - r[3 * j], r[3 * i + 1] - r[3 * j + 1], r[3 * i + 2] - r[3 * j + 2]);

/** Argon's face-centred cubic cell, stretched, sheared and with an atom off its place. */
const argon = (): Structure =>
  new Structure({
    numbers: [18, 18, 18, 18],
    positions: [0.2, 0.1, 0, 0, 2.8, 2.8, 2.8, 0, 2.8, 2.8, 2.8, 0],
    lattice: new Lattice([
      [5.6, 0.2, 0],
      [0, 5.4, 0.1],
      [0, 0, 5.7],
    ]),
  });

describe("relax", () => {
  test("brings three atoms to the corners of a triangle, and keeps their centre", () => {
    const start = new Structure({ numbers: [18, 18, 18], positions: [0, 0, 0, 4.6, 0, 0, 1, 3.1, 0.4] });
    const steps = [...relax(start, lennardJones, { fmax: 1e-5 })];
    const { structure, converged, evaluation, force } = steps.at(-1)!;
    expect(converged).toBe(true);
    expect(force).toBeLessThan(1e-5);
    // The shift at the cutoff makes the bond a little longer or shorter.
    for (const [i, j] of [
      [0, 1],
      [1, 2],
      [0, 2],
    ])
      expect(distance(structure, i, j)).toBeCloseTo(BOND, 2);
    expect(evaluation.energy).toBeLessThan(steps[0].evaluation.energy);
    for (let c = 0; c < 3; c++) {
      const centre = ({ positions: r }: Structure): number => r[c] + r[3 + c] + r[6 + c];
      expect(centre(structure)).toBeCloseTo(centre(start), 9);
    }
    expect(steps[0].structure.positions).toEqual(start.positions);
    expect(steps.map(({ step }) => step)).toEqual(steps.map((_, i) => i));
  });

  test("a free cell ends cubic and without stress; a fixed one keeps its lattice", () => {
    const fixed = last(relax(argon(), lennardJones, { fmax: 1e-3 }));
    expect(fixed.converged).toBe(true);
    expect(fixed.structure.lattice!.matrix).toEqual(argon().lattice!.matrix);
    expect(fixed.stress!).toBeGreaterThan(0.01);

    const free = last(relax(argon(), lennardJones, { cell: true, fmax: 1e-4, smax: 1e-3 }));
    expect(free.converged).toBe(true);
    expect(free.stress!).toBeLessThan(1e-3);
    const { a, b, c, alpha, beta, gamma } = free.structure.lattice!.parameters;
    for (const edge of [b, c]) expect(edge).toBeCloseTo(a, 2);
    for (const angle of [alpha, beta, gamma]) expect(Math.abs(angle - 90)).toBeLessThan(0.2);
    expect(free.evaluation.energy).toBeLessThan(fixed.evaluation.energy);
    // Argon with this potential: 5.2 to 5.4 Å.
    expect(a).toBeGreaterThan(5.1);
    expect(a).toBeLessThan(5.5);
  });

  test("stops after maxSteps and says so", () => {
    const { step, converged } = last(relax(argon(), lennardJones, { fmax: 1e-9, maxSteps: 3 }));
    expect([step, converged]).toEqual([3, false]);
  });

  test("a structure at rest takes no step", () => {
    const steps = [...relax(new Structure({ numbers: [18], positions: [0, 0, 0] }), lennardJones)];
    expect(steps.map(({ step, converged }) => [step, converged])).toEqual([[0, true]]);
  });

  test("mistakes are named", () => {
    const molecule = new Structure({ numbers: [18], positions: [0, 0, 0], source: "a.xyz:1" });
    expect(() => [...relax(molecule, lennardJones, { cell: true })]).toThrow(/a\.xyz:1: its cell cannot relax/);
    const broken: EnergyModel = () => ({ energy: -1, forces: new Float64Array([0, Number.NaN, 0]) });
    expect(() => [...relax(molecule, broken)]).toThrow(/a\.xyz:1: relaxation, step 0: the force on atom 1 is NaN/);
    const withoutStress: EnergyModel = (s) => ({ ...lennardJones(s), stress: undefined });
    expect(() => [...relax(argon(), withoutStress, { cell: true })]).toThrow(/needs a potential that gives the stress/);
  });
});
