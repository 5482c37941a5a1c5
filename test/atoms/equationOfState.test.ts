import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { birchMurnaghan, energyVolumeCurve, fitEquationOfState, scaled } from "../../src/atoms/index.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { init } from "../../src/index.ts";
import { lennardJones } from "./lennardJones.ts";

interface Case {
  volumes: number[];
  energies: number[];
  ase: { volume: number; energy: number; bulkModulus: number };
  scipy: { volume: number; energy: number; bulkModulus: number; derivative: number };
}
const cases: Case[] = JSON.parse(readFileSync(new URL("../fixtures/eos.json", import.meta.url), "utf8"));

beforeAll(async () => {
  await init({ threads: 1 });
});

describe("the fit", () => {
  test.each(cases)("agrees with ASE and with scipy's least squares (case %#)", ({ volumes, energies, ase, scipy }) => {
    const { volume, energy, bulkModulus, derivative } = fitEquationOfState(volumes, energies);
    expect(volume / scipy.volume).toBeCloseTo(1, 5);
    expect(energy).toBeCloseTo(scipy.energy, 6);
    expect(bulkModulus / scipy.bulkModulus).toBeCloseTo(1, 4);
    expect(derivative / scipy.derivative).toBeCloseTo(1, 3);
    expect(volume / ase.volume).toBeCloseTo(1, 4);
    expect(energy).toBeCloseTo(ase.energy, 4);
    expect(bulkModulus / ase.bulkModulus).toBeCloseTo(1, 3);
  });

  test("gives back the curve that energies were made of, thousands of eV deep", () => {
    const eos = { volume: 40.9, energy: -4209.25, bulkModulus: 88.4, derivative: 4.3 };
    const volumes = Array.from({ length: 7 }, (_, k) => 38 + k);
    const found = fitEquationOfState(
      volumes,
      volumes.map((v) => birchMurnaghan(v, eos)),
    );
    expect(found.volume).toBeCloseTo(eos.volume, 6);
    expect(found.energy).toBeCloseTo(eos.energy, 8);
    expect(found.bulkModulus).toBeCloseTo(eos.bulkModulus, 4);
    expect(found.derivative).toBeCloseTo(eos.derivative, 3);
    expect(found.residual).toBeLessThan(1e-9);
    expect(birchMurnaghan(eos.volume, eos)).toBe(eos.energy);
  });

  test("mistakes are named", () => {
    expect(() => fitEquationOfState([1, 2, 3], [1, 0, 1])).toThrow(/at least four volumes, not 3/);
    expect(() => fitEquationOfState([1, 2, 3, 3], [1, 0, 1, 1])).toThrow(/at least four volumes, not 3/);
    expect(() => fitEquationOfState([1, 2, 3, 4], [1, 0, 1])).toThrow(/4 volumes for 3 energies/);
    expect(() => fitEquationOfState([1, 2, 3, -4], [1, 0, 1, 2])).toThrow(/above 0 Å³, not -4/);
    expect(() => fitEquationOfState([10, 11, 12, 13, 14], [4, 3, 2, 1, 0])).toThrow(/no minimum/);
    expect(() => fitEquationOfState([10, 11, 12, 13, 14], [0, 3, 4, 3, 0])).toThrow(/no minimum/);
  });
});

describe("the curve of a crystal", () => {
  const argon = (a: number): Structure =>
    new Structure({
      numbers: [18, 18, 18, 18],
      fractional: [0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0],
      lattice: Lattice.cubic(a),
    });

  test("has its minimum where the stress vanishes, and B₀ is the stress's slope", () => {
    const { volumes, energies } = energyVolumeCurve(argon(5.3), lennardJones, { range: 0.06, count: 9 });
    expect([volumes.length, volumes[0] / 5.3 ** 3, volumes[8] / 5.3 ** 3].map((x) => x.toFixed(9))).toEqual([
      "9.000000000",
      "0.940000000",
      "1.060000000",
    ]);
    const eos = fitEquationOfState(volumes, energies);
    const pressure = (v: number): number => -160.21766208 * lennardJones(argon(Math.cbrt(v))).stress![0][0];
    expect(Math.abs(pressure(eos.volume))).toBeLessThan(0.01);
    const h = 0.01 * eos.volume;
    const slope = (pressure(eos.volume + h) - pressure(eos.volume - h)) / (2 * h);
    expect(-eos.volume * slope).toBeCloseTo(eos.bulkModulus, 1);
  });

  test("keeps fractional coordinates", () => {
    const big = scaled(argon(5), 1.331);
    expect(big.lattice!.volume).toBeCloseTo(1.331 * 125, 9);
    big.fractional.forEach((x, k) => {
      expect(x).toBeCloseTo(argon(5).fractional[k], 12);
    });
    expect(() => scaled(new Structure({ numbers: [1], positions: [0, 0, 0], source: "h.xyz:1" }), 2)).toThrow(
      /h\.xyz:1: its volume cannot change/,
    );
  });

  test("takes sensible options only", () => {
    expect(() => energyVolumeCurve(argon(5), lennardJones, { range: 1 })).toThrow(/between 0 and 1/);
    expect(() => energyVolumeCurve(argon(5), lennardJones, { count: 3 })).toThrow(/at least 4 volumes/);
  });
});
