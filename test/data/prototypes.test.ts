import { describe, expect, test } from "vitest";
import { ewaldEnergy } from "../../src/data/ewald.ts";
import { visitPairs } from "../../src/data/pairs.ts";
import { PROTOTYPES, type Prototype, type PrototypeName, prototype } from "../../src/data/prototypes.ts";
import pymatgen from "../fixtures/prototypes.json" with { type: "json" };

const NAMES = Object.keys(PROTOTYPES) as PrototypeName[];
const SPECIES: Record<string, string> = { A: "Na", B: "Mg", C: "Al", X: "F", Y: "O" };
const CHARGES: Record<string, number> = { A: 1, B: 2, C: 3 };

const build = (name: PrototypeName, a = 5) => {
  const { sites }: Prototype = PROTOTYPES[name];
  const letters = Object.keys(sites).flatMap((letter) => sites[letter].map(() => letter));
  const species = Object.keys(sites).map((letter) => SPECIES[letter]);
  return { letters, structure: prototype(name, { species, a }) };
};

/** Distances to all neighbours of each atom within `cutoff`, ascending. */
function distances(name: PrototypeName, cutoff: number): number[][] {
  const { structure } = build(name);
  const found: number[][] = Array.from({ length: structure.length }, () => []);
  visitPairs(structure, cutoff, (i, j, _x, _y, _z, r) => {
    found[i].push(r);
    found[j].push(r);
  });
  return found.map((row) => row.sort((a, b) => a - b));
}

describe("pymatgen builds the same crystals from their space groups and Wyckoff positions", () => {
  test("all of them, and no others", () => {
    expect(Object.keys(pymatgen)).toEqual(NAMES);
    expect(NAMES.length).toBeGreaterThan(30);
  });

  test.each(NAMES)("%s", (name) => {
    const expected = pymatgen[name];
    const { structure, letters } = build(name);
    expect(structure.spaceGroup).toBe(expected.spaceGroup);
    expect(structure.length).toBe(expected.atoms);
    expect(structure.lattice!.volume).toBeCloseTo(expected.volume, 5);
    const near = distances(name, 15);
    for (const [letter, rows] of Object.entries<number[][]>(expected.distances)) {
      // Atoms at equivalent sites have the same neighbours, and pymatgen lists each kind once.
      const own = near.filter((_, i) => letters[i] === letter).map((row) => row.slice(0, 24));
      for (const row of own)
        expect(rows.some((other) => other.every((d, k) => Math.abs(d - row[k]) < 2e-6))).toBe(true);
      for (const other of rows)
        expect(own.some((row) => other.every((d, k) => Math.abs(d - row[k]) < 2e-6))).toBe(true);
    }
    const plus = letters.reduce((sum, letter) => sum + (CHARGES[letter] ?? 0), 0);
    const anions = letters.filter((letter) => letter >= "X").length;
    const charges = letters.map((letter) => CHARGES[letter] ?? -plus / anions);
    expect(Math.abs(ewaldEnergy(structure, charges).energy / expected.energy - 1)).toBeLessThan(1e-6);
  });
});

/** Neighbours of the other sign within a quarter of the closest's distance more. */
function coordination(name: PrototypeName): string {
  const { structure, letters } = build(name);
  const bonds: number[][] = letters.map(() => []);
  visitPairs(structure, 12, (i, j, _x, _y, _z, r) => {
    if (letters[i] >= "X" === letters[j] >= "X") return;
    bonds[i].push(r);
    bonds[j].push(r);
  });
  const count = (row: number[]) => row.filter((r) => r < 1.25 * Math.min(...row)).length;
  return Object.keys(PROTOTYPES[name].sites)
    .map((letter) => `${letter}${[...new Set(bonds.filter((_, i) => letters[i] === letter).map(count))].join("/")}`)
    .join(" ");
}

test.each<[PrototypeName, string]>([
  ["rocksalt", "A6 X6"],
  ["CsCl", "A8 X8"],
  ["zincblende", "A4 X4"],
  ["wurtzite", "A4 X4"],
  ["NiAs", "A6 X6"],
  ["WC", "A6 X6"],
  ["litharge", "A4 X4"],
  ["fluorite", "A8 X4"],
  ["antifluorite", "A4 X8"],
  ["rutile", "A6 X3"],
  ["anatase", "A6 X3"],
  ["CdI2", "A6 X3"],
  ["CdCl2", "A6 X3"],
  ["antiCdCl2", "A3 X6"],
  ["cristobalite", "A4 X2"],
  ["cuprite", "A2 X4"],
  ["ReO3", "A6 X2"],
  ["BiI3", "A6 X2"],
  ["corundum", "A6 X4"],
  ["perovskite", "A12 B6 X2"],
  ["antiperovskite", "A2 X6 Y12"],
  ["hexagonalPerovskite", "A12 B6 X2"],
  ["ilmenite", "A6 B6 X4"],
  ["NaFeO2", "A6 B6 X6"],
  ["delafossite", "A2 B6 X4"],
  ["chalcopyrite", "A4 B4 X4"],
  ["spinel", "A4 B6 X4"],
  ["K2NiF4", "A9 B6 X2/1"],
  ["K2PtCl6", "A12 B6 X1"],
])("in %s, cations and anions have the coordination numbers %s", (name, expected) => {
  expect(coordination(name)).toBe(expected);
});

test("species, edge and source are as given", () => {
  const salt = prototype("perovskite", { species: ["Sr", "Ti", "O"], a: 3.905 });
  expect(salt.formula).toBe("SrTiO3");
  expect([...salt.numbers]).toEqual([38, 22, 8, 8, 8]);
  expect(salt.lattice!.parameters.a).toBeCloseTo(3.905, 12);
  expect(salt.source).toBe("SrTiO-perovskite");
  const [small, large] = [build("ilmenite", 4).structure, build("ilmenite", 6).structure];
  expect([...large.positions].every((x, k) => Math.abs(x - 1.5 * small.positions[k]) < 1e-12)).toBe(true);
});

test("what cannot be built is refused", () => {
  expect(() => prototype("diamond" as PrototypeName, { species: ["C"], a: 3.6 })).toThrow('no prototype "diamond"');
  expect(() => prototype("toString" as PrototypeName, { species: ["C"], a: 3.6 })).toThrow("There are rocksalt, CsCl");
  expect(() => prototype("rocksalt", { species: ["Na"], a: 5 })).toThrow("rocksalt has 2 species (A, X), not 1");
  expect(() => prototype("rocksalt", { species: ["Na", "Cl"], a: 0 })).toThrow("a positive length in Å, not 0");
  expect(() => prototype("rocksalt", { species: ["Na", "Xx"], a: 5 })).toThrow("Xx");
});
