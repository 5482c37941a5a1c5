import { describe, expect, test } from "vitest";
import { COULOMB, ewaldEnergy } from "../../src/data/ewald.ts";
import { parseFormula } from "../../src/data/formula.ts";
import { ionicEnergy, relaxedVolume, scaled } from "../../src/data/ionicEnergy.ts";
import { Lattice, type Vector3 } from "../../src/data/lattice.ts";
import { PROTOTYPES, type PrototypeName, prototype } from "../../src/data/prototypes.ts";
import { Structure } from "../../src/data/structure.ts";

function crystal(name: PrototypeName, species: string[], ions: number[], a = 5) {
  const sites = Object.values<readonly Vector3[]>(PROTOTYPES[name].sites);
  return { structure: prototype(name, { species, a }), charges: sites.flatMap((s, i) => s.map(() => ions[i])) };
}

// Edge a of the conventional cell, Å, and lattice energy, eV per formula (Born–Haber cycles): CRC Handbook of Chemistry and Physics.
test.each<[string, PrototypeName, string[], number[], number, number]>([
  ["LiF", "rocksalt", ["Li", "F"], [1, -1], 4.026, 10.7],
  ["NaF", "rocksalt", ["Na", "F"], [1, -1], 4.632, 9.57],
  ["NaCl", "rocksalt", ["Na", "Cl"], [1, -1], 5.64, 8.15],
  ["KBr", "rocksalt", ["K", "Br"], [1, -1], 6.6, 7.07],
  ["RbI", "rocksalt", ["Rb", "I"], [1, -1], 7.342, 6.5],
  ["CsCl", "CsCl", ["Cs", "Cl"], [1, -1], 4.123, 6.83],
  ["CsI", "CsCl", ["Cs", "I"], [1, -1], 4.567, 6.26],
  ["MgO", "rocksalt", ["Mg", "O"], [2, -2], 4.212, 39.3],
  ["CaO", "rocksalt", ["Ca", "O"], [2, -2], 4.811, 35.4],
  ["SrS", "rocksalt", ["Sr", "S"], [2, -2], 6.024, 29.8],
  ["ZnO", "wurtzite", ["Zn", "O"], [2, -2], 3.25, 41.0],
  ["CaF2", "fluorite", ["Ca", "F"], [2, -1], 5.463, 27.3],
  ["BaF2", "fluorite", ["Ba", "F"], [2, -1], 6.2, 24.4],
  ["Li2O", "antifluorite", ["Li", "O"], [1, -2], 4.62, 29.2],
  ["K2S", "antifluorite", ["K", "S"], [1, -2], 7.39, 20.5],
  ["MgF2", "rutile", ["Mg", "F"], [2, -1], 4.621, 30.6],
  ["TiO2", "rutile", ["Ti", "O"], [4, -2], 4.594, 125.6],
  ["Al2O3", "corundum", ["Al", "O"], [3, -2], 4.759, 158],
])("%s: the cell's edge within 5 %%, the energy within 10 %%", (formula, name, species, ions, edge, energy) => {
  const { structure, charges } = crystal(name, species, ions);
  const { structure: relaxed, energy: least } = relaxedVolume(structure, charges);
  expect(least).toBeCloseTo(ionicEnergy(relaxed, charges).energy, 8);
  expect(relaxed.formula).toBe(formula);
  const formulas = relaxed.composition.total / parseFormula(formula).total;
  const stretch = Math.cbrt(relaxed.lattice!.volume / structure.lattice!.volume);
  expect(Math.abs((5 * stretch) / edge - 1)).toBeLessThan(0.052);
  expect(Math.abs(-least / formulas / energy - 1)).toBeLessThan(0.1);
});

test.each<[PrototypeName, string[], number[]]>([
  ["perovskite", ["K", "Mg", "F"], [1, 2, -1]],
  ["delafossite", ["Cs", "Al", "O"], [1, 3, -2]],
  ["spinel", ["Mg", "Al", "O"], [2, 3, -2]],
  ["cristobalite", ["Si", "O"], [4, -2]],
])("the volume of %s is that of least energy, from any start", (name, species, ions) => {
  const [small, large] = [1, 12].map((a) => {
    const { structure, charges } = crystal(name, species, ions, a);
    return relaxedVolume(structure, charges).structure;
  });
  expect(small.lattice!.volume / large.lattice!.volume).toBeCloseTo(1, 10);
  expect(small.spaceGroup).toBe(PROTOTYPES[name].spaceGroup);
  const { charges } = crystal(name, species, ions);
  const energy = (factor: number) => ionicEnergy(scaled(small, factor), charges).energy;
  const slope = (8 * (energy(1.001) - energy(0.999)) - energy(1.002) + energy(0.998)) / 0.012;
  expect(Math.abs(slope / energy(1))).toBeLessThan(1e-6);
  for (const factor of [0.9, 0.99, 1.01, 1.1, 1.5]) expect(energy(factor)).toBeGreaterThan(energy(1));
});

/** K, Mg and three F, strained, with every atom off its place. */
const CHARGES = [1, 2, -1, -1, -1];
const distorted = (positions?: ArrayLike<number>) =>
  new Structure({
    numbers: [19, 12, 9, 9, 9],
    lattice: new Lattice([
      [4.1, 0.1, -0.05],
      [0.2, 3.9, 0.1],
      [-0.1, 0.15, 4.3],
    ]),
    fractional: [0.03, 0.01, -0.02, 0.52, 0.48, 0.5, 0.01, 0.55, 0.46, 0.47, 0.02, 0.55, 0.53, 0.51, 0.03],
    positions,
  });

describe("a distorted perovskite", () => {
  const { energy, forces } = ionicEnergy(distorted(), CHARGES);

  test("forces are minus the energy's slope to 1e-6 eV/Å", () => {
    for (let k = 0; k < 15; k++) {
      const at = (h: number) => {
        const positions = distorted().positions.slice();
        positions[k] += h;
        return ionicEnergy(distorted(positions), CHARGES).energy;
      };
      const h = 1e-3;
      const slope = (8 * (at(h) - at(-h)) - at(2 * h) + at(-2 * h)) / (12 * h);
      expect(Math.abs(forces[k] + slope), `coordinate ${k}`).toBeLessThan(1e-6);
    }
    expect(Math.max(...forces.map(Math.abs))).toBeGreaterThan(0.5);
  });

  test("the energy is of the crystal, not of the cell that was chosen for it", () => {
    const one = distorted();
    const [a, b, c] = one.lattice!.matrix;
    const add = (u: Vector3, v: Vector3): Vector3 => [u[0] + v[0], u[1] + v[1], u[2] + v[2]];
    const skew = one.with({ lattice: new Lattice([a, add(b, add(a, a)), add(c, b)]) });
    expect(ionicEnergy(skew, CHARGES).energy).toBeCloseTo(energy, 8);
    const double = new Structure({
      numbers: [...one.numbers, ...one.numbers],
      positions: [...one.positions, ...one.positions.map((x, k) => x + b[k % 3])],
      lattice: new Lattice([a, add(b, b), c]),
    });
    const both = ionicEnergy(double, [...CHARGES, ...CHARGES]);
    expect(both.energy / 2).toBeCloseTo(energy, 8);
    both.forces.forEach((force, k) => void expect(force).toBeCloseTo(forces[k % 15], 8));
    const moved = one.positions.map((x, k) => x + [0.7, -5, 11.3][k % 3]);
    expect(ionicEnergy(distorted(moved), CHARGES).energy).toBeCloseTo(energy, 8);
    const turned = one.with({
      lattice: new Lattice([a, b, c].map(([x, y, z]): Vector3 => [y, z, x]) as [Vector3, Vector3, Vector3]),
      positions: one.positions.map((_, k) => one.positions[k - (k % 3) + ((k + 1) % 3)]),
    });
    expect(ionicEnergy(turned, CHARGES).energy).toBeCloseTo(energy, 8);
  });
});

test("two ions far from others repel as the formula says", () => {
  const salt = new Structure({ numbers: [11, 17], positions: [0, 0, 0, 2.5, 0, 0], lattice: Lattice.cubic(30) });
  const pair = ionicEnergy(salt, [1, -1]).energy - ewaldEnergy(salt, [1, -1]).energy;
  const contact = 1.02 + 1.81;
  expect(pair).toBeCloseTo(((0.235 * COULOMB * 0.317) / contact ** 2) * Math.exp((contact - 2.5) / 0.317), 10);
});

test("ions that nobody knows are refused", () => {
  const salt = prototype("rocksalt", { species: ["Na", "Cl"], a: 5.6 });
  expect(() => ionicEnergy(salt, [2, -2])).toThrow(
    "there is no radius of Na with the charge 2.\n  Na has radii with the charges +1.",
  );
  expect(() => ionicEnergy(prototype("rocksalt", { species: ["Na", "He"], a: 5 }), [1, -1])).toThrow(
    "He is known as no ion",
  );
  expect(() => relaxedVolume(salt, [0, 0])).toThrow("do not hold it together");
});
