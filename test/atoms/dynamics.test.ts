import { beforeAll, describe, expect, test } from "vitest";
import { ACCELERATION, BOLTZMANN, massesOf } from "../../src/atoms/energyModel.ts";
import { DriftMeter, type DynamicsStep, dynamics, type EnergyModel, thermalVelocities } from "../../src/atoms/index.ts";
import { Structure } from "../../src/data/structure.ts";
import { init, Rng } from "../../src/index.ts";
import { BOND, lennardJones } from "./lennardJones.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const cluster = (): Structure => {
  const h = (BOND * Math.sqrt(3)) / 2;
  return new Structure({
    numbers: [18, 18, 18, 10],
    positions: [0, 0, 0, BOND, 0, 0, BOND / 2, h, 0, BOND / 2, h / 3, BOND * Math.sqrt(2 / 3)],
    source: "cluster.xyz:1",
  });
};

/** Springs of 1 eV/Å² to where the atoms are. */
const springs =
  ({ positions: rest }: Structure): EnergyModel =>
  ({ positions }) => {
    const forces = positions.map((x, k) => rest[k] - x);
    return { energy: 0.5 * forces.reduce((sum, f) => sum + f * f, 0), forces };
  };

describe("at constant energy", () => {
  test("the energy is conserved, better by four with half the time step; momentum, too", () => {
    const largest = (dt: number): number => {
      const meter = new DriftMeter(4);
      let end: DynamicsStep | undefined;
      for (const step of dynamics(cluster(), lennardJones, {
        steps: Math.round(2000 / dt),
        dt,
        temperature: 30,
        seed: 1,
      })) {
        meter.add(step);
        end = step;
      }
      const masses = massesOf(cluster());
      for (let c = 0; c < 3; c++)
        expect(Math.abs(masses.reduce((sum, m, i) => sum + m * end!.velocities[3 * i + c], 0))).toBeLessThan(1e-9);
      expect(Math.abs(meter.drift.slope)).toBeLessThan(0.5);
      return meter.drift.largest;
    };
    const [coarse, fine] = [largest(10), largest(5)];
    expect(coarse).toBeLessThan(0.5);
    expect(coarse / fine).toBeGreaterThan(2.5);
    expect(coarse / fine).toBeLessThan(6);
  });

  test("an atom on a spring swings with the period 2π√(m/k)", () => {
    const start = new Structure({ numbers: [1], positions: [0, 0, 0] });
    const mass = massesOf(start)[0];
    const period = 2 * Math.PI * Math.sqrt(mass / ACCELERATION);
    const velocities = [0.01, 0, 0];
    const steps = [...dynamics(start, springs(start), { steps: 400, dt: period / 400, temperature: 0, velocities })];
    const { structure, velocities: v, time } = steps.at(-1)!;
    expect(time).toBeCloseTo(period, 9);
    expect(structure.positions[0]).toBeCloseTo(0, 4);
    expect(v[0]).toBeCloseTo(0.01, 5);
    // A quarter of the period: ½mv² = ½kx².
    expect(steps[100].structure.positions[0]).toBeCloseTo(0.01 * Math.sqrt(mass / ACCELERATION), 5);
    expect(steps[0].kinetic).toBeCloseTo((0.5 * mass * 1e-4) / ACCELERATION, 12);
  });
});

describe("Langevin dynamics", () => {
  test("gives atoms on springs the bath's temperature and spread ⟨x²⟩ = kT/k", () => {
    const start = new Structure({ numbers: [8, 8, 8, 8], positions: [0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9] });
    const options = { steps: 8000, dt: 4, temperature: 300, friction: 0.02, seed: 3 };
    let [count, heat, spread] = [0, 0, 0];
    for (const { step, structure, temperature } of dynamics(start, springs(start), options)) {
      if (step < 200) continue;
      count++;
      heat += temperature;
      spread += structure.positions.reduce((sum, x, k) => sum + (x - start.positions[k]) ** 2, 0) / 12;
    }
    expect(Math.abs(heat / count / 300 - 1)).toBeLessThan(0.1);
    expect(Math.abs(spread / count / (BOLTZMANN * 300) - 1)).toBeLessThan(0.1);
  });

  test("a seed gives one trajectory, another seed another", () => {
    const end = (seed: number): number[] => {
      const options = { steps: 20, dt: 2, temperature: 50, friction: 0.01, seed };
      return [...[...dynamics(cluster(), lennardJones, options)].at(-1)!.structure.positions];
    };
    expect(end(1)).toEqual(end(1));
    expect(end(1)).not.toEqual(end(2));
  });
});

test("thermal velocities have the temperature asked for and no drift", () => {
  const structure = cluster();
  const velocity = thermalVelocities(structure, 300, new Rng(7));
  const masses = massesOf(structure);
  const kinetic = velocity.reduce((sum, v, k) => sum + (0.5 * masses[Math.floor(k / 3)] * v * v) / ACCELERATION, 0);
  expect((2 * kinetic) / (9 * BOLTZMANN)).toBeCloseTo(300, 6);
  for (let c = 0; c < 3; c++) expect(masses.reduce((sum, m, i) => sum + m * velocity[3 * i + c], 0)).toBeCloseTo(0, 9);
  expect([...thermalVelocities(structure, 0, new Rng(7))].every((v) => v === 0)).toBe(true);
});

test("the drift is the slope of the total energy", () => {
  const meter = new DriftMeter(2);
  for (let i = 0; i <= 10; i++) meter.add({ time: 100 * i, total: -5 + 0.004 * i + (i % 2 ? 0.001 : -0.001) });
  // 4 meV in 0.1 ps, over two atoms.
  expect(meter.drift.slope).toBeCloseTo(20, 0);
  expect(meter.drift.largest).toBeCloseTo(20, 5);
});

describe("what goes wrong says so", () => {
  test("a simulation that explodes", () => {
    const run = (): unknown => [...dynamics(cluster(), lennardJones, { steps: 50, dt: 200, temperature: 3000 })];
    expect(run).toThrow(/cluster\.xyz:1: molecular dynamics, step \d+: the simulation exploded/);
    const hot = new Float64Array(12).fill(50);
    expect(() => [...dynamics(cluster(), lennardJones, { steps: 1, dt: 1, temperature: 0, velocities: hot })]).toThrow(
      /step 0: the simulation exploded: the temperature is/,
    );
  });

  test("forces that are not finite, and options without sense", () => {
    const broken: EnergyModel = ({ length }) => ({ energy: 0, forces: new Float64Array(3 * length).fill(Number.NaN) });
    const options = { steps: 1, dt: 1, temperature: 10 };
    expect(() => [...dynamics(cluster(), broken, options)]).toThrow(/step 0: the force on atom 1 is NaN/);
    for (const [wrong, message] of [
      [{ steps: 0 }, /steps must be/],
      [{ dt: 0 }, /dt must be/],
      [{ temperature: -1 }, /temperature must be/],
      [{ friction: 0 }, /friction must be/],
      [{ velocities: [1] }, /4 atoms need 12 velocities/],
    ] as const)
      expect(() => [...dynamics(cluster(), lennardJones, { ...options, ...wrong })]).toThrow(message);
  });
});
