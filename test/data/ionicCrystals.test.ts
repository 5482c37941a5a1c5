import { afterEach, describe, expect, test, vi } from "vitest";
import { sha256 } from "../../src/core/sha256.ts";
import { ewaldEnergy } from "../../src/data/ewald.ts";
import { ionicCrystals, MADELUNG_TARGET, withMadelung } from "../../src/data/ionicCrystals.ts";
import { ionicEnergy } from "../../src/data/ionicEnergy.ts";
import type { Table } from "../../src/data/table.ts";

const table = ionicCrystals();
const energies = table.targets!.values;
const structures = table.structures!;

const hash = ({ targets, structures }: Table) =>
  sha256(JSON.stringify([[...targets!.values], structures!.map(({ positions }) => [...positions])]));

/** Of all energies and positions; changes only with the data themselves. */
const GOLDEN = "5c589ea6263fabfa8e4c47d227dedf46eb17169c86c685ad29dc240d0ca28176";

test("some thousand crystals with ids, formulas, charges and forces", () => {
  expect(table.length).toBe(3500);
  expect(table.targets!.names).toEqual(["energy_per_atom"]);
  expect(new Set(table.ids).size).toBe(3500);
  expect(table.ids).toContain("NaCl-rocksalt-1");
  structures.forEach((structure, row) => {
    const { name } = /^(?<formula>.+)-(?<name>\w+)-\d+$/.exec(table.ids[row])!.groups!;
    expect(structure.properties.prototype).toBe(name);
    expect(structure.formula).toBe(table.formulas![row]);
    expect(structure.source).toBe(table.ids[row]);
    expect(structure.spaceGroup).toBeUndefined();
    expect(structure.arrays.charges.reduce((a, b) => a + b)).toBe(0);
    expect(structure.length).toBeLessThanOrEqual(14);
  });
  expect(new Set(structures.map(({ properties }) => properties.prototype)).size).toBeGreaterThan(25);
  expect(new Set(structures.flatMap(({ numbers }) => [...numbers])).size).toBe(28);
});

test("targets and forces are those of ionicEnergy", () => {
  for (let row = 0; row < 3500; row += 250) {
    const { energy, forces } = ionicEnergy(structures[row], structures[row].arrays.charges);
    expect(energies[row]).toBe(energy / structures[row].length);
    expect(structures[row].arrays.forces).toEqual(forces);
  }
});

test("another target: the part of the energy that is due to the charges", () => {
  const few = table.rows([0, 700, 3000]);
  const { targets, structures } = withMadelung(few);
  expect(targets!.names).toEqual([MADELUNG_TARGET]);
  structures!.forEach((structure, row) => {
    expect(targets!.values[row]).toBe(ewaldEnergy(structure, structure.arrays.charges).energy / structure.length);
    expect(targets!.values[row]).toBeLessThan(few.targets!.values[row]);
  });
});

test("energies are those of salts, and no two atoms were pushed into each other", () => {
  expect(Math.min(...energies)).toBeGreaterThan(-11);
  expect(Math.max(...energies)).toBeLessThan(-2);
  const forces = structures.flatMap(({ arrays }) => [...arrays.forces]);
  expect(forces.reduce((most, force) => Math.max(most, Math.abs(force)), 0)).toBeLessThan(20);
});

test("composition alone leaves an error of more than 0.2 eV/atom: formulas repeat with other energies", () => {
  const groups = new Map<string, number[]>();
  table.formulas!.forEach((formula, row) => {
    groups.set(formula, [...(groups.get(formula) ?? []), energies[row]]);
  });
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  // No function of the formula has a smaller mean absolute error than the median.
  const errors = [...groups.values()].map((values) => {
    const median = [...values].sort((a, b) => a - b)[values.length >> 1];
    return sum(values.map((energy) => Math.abs(energy - median)));
  });
  expect(groups.size).toBeGreaterThan(300);
  expect(sum(errors) / table.length).toBeGreaterThan(0.2);
});

describe("the same bits", () => {
  afterEach(() => void vi.restoreAllMocks());

  const first = table.rows(Array.from({ length: 60 }, (_, row) => row));

  test("from one seed, others from another; the first rows do not depend on the count", () => {
    expect(hash(table)).toBe(GOLDEN);
    const few = ionicCrystals({ count: 60 });
    expect(few.ids).toEqual(first.ids);
    expect(hash(few)).toBe(hash(first));
    expect(hash(ionicCrystals({ count: 60, seed: 2 }))).not.toBe(hash(first));
  });

  test("whatever the engine's exponentials, sines and logarithms are", () => {
    for (const name of ["exp", "sin", "cos", "tan", "pow", "expm1", "sinh", "cosh", "tanh"] as const)
      vi.spyOn(Math, name).mockImplementation(() => {
        throw new Error(`Math.${name} gives other bits on other engines`);
      });
    const { log, cbrt } = Math;
    vi.spyOn(Math, "log").mockImplementation((x) => log(x) * (1 + 2 ** -52));
    vi.spyOn(Math, "cbrt").mockImplementation((x) => cbrt(x) * (1 - 2 ** -52));
    expect(hash(ionicCrystals({ count: 60 }))).toBe(hash(first));
  });
});

test("a count that is none is refused", () => {
  expect(() => ionicCrystals({ count: 0 })).toThrow("count is 0, not 1, 2, …");
});
