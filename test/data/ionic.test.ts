import { expect, test } from "vitest";
import { elementFractions, magpieStatistics } from "../../src/data/composition.ts";
import { atomicNumber, element } from "../../src/data/elements.ts";
import { Featuriser } from "../../src/data/featuriser.ts";
import { parseFormula } from "../../src/data/formula.ts";
import { ionicCompounds, ionicTable, latticeEnergy } from "../../src/data/ionic.ts";

const compounds = ionicCompounds();
const energyOf = new Map(compounds.map(({ formula, energy }) => [formula, energy]));

test.each([
  // Σnz² · 120200 / r · (1 − 34.5/r), worked out by hand.
  ["NaCl", 2, 102 + 181, 745.91],
  ["MgO", 8, 72 + 140, 3797.7],
  ["CaF2", 6, 100 + 133, 2636.97],
  ["Al2O3", 30, 53.5 + 140, 15313.02],
  ["(NH4)2SO4", 6, 136 + 218, 1838.74],
  ["MgAl2O4", 38, (72 + 2 * 53.5) / 3 + 140, 18923.41],
  ["KAl(SO4)2", 18, (138 + 53.5) / 2 + 218, 6137.66],
  ["BaFCl", 6, 135 + (133 + 181) / 2, 2178.05],
  ["CsPbI3", 8, (167 + 119) / 2 + 220, 2397.27],
])("the lattice energy of %s follows from Σnz² = %i and r = %f pm", (formula, strength, r, byHand) => {
  expect(energyOf.get(formula)).toBeCloseTo(byHand, 1);
  expect(energyOf.get(formula)).toBeCloseTo(((120200 * strength) / r) * (1 - 34.5 / r), 6);
});

test.each([
  ["NaCl", 787],
  ["KBr", 682],
  ["CsI", 600],
  ["MgO", 3791],
  ["CaF2", 2630],
])("the energy of %s is within 8 %% of the Born–Haber cycle's %i kJ/mol", (formula, measured) => {
  expect(Math.abs(energyOf.get(formula)! / measured - 1)).toBeLessThan(0.08);
});

test("thousands of compounds, each composition once, in the same order every time", () => {
  expect(compounds.length).toBe(5844);
  const compositions = new Set(compounds.map(({ formula }) => parseFormula(formula).reduced()));
  expect(compositions.size).toBe(compounds.length);
  expect(compounds.slice(0, 4).map(({ formula }) => formula)).toEqual(["LiF", "LiCl", "LiBr", "LiI"]);
  expect(compounds.at(-1)!.formula).toBe("BiOI");
  expect(ionicCompounds()).toEqual(compounds);
});

test("binary salts of monatomic ions are neutral, with the energy of their charges and radii", () => {
  const charges: Record<string, number> = { F: 1, Cl: 1, Br: 1, I: 1, O: 2, S: 2, Se: 2, Te: 2, N: 3, P: 3, As: 3 };
  let found = 0;
  for (const { formula, energy } of compounds) {
    const [, cation, p, anion, q] = /^([A-Z][a-z]?)(\d*)([A-Z][a-z]?)(\d*)$/.exec(formula) ?? [];
    if (!(anion in charges) || /[^2]N3$/.test(formula)) continue; // azides
    const [n, m] = [Number(p || 1), Number(q || 1)];
    const charge = (m * charges[anion]) / n;
    const r = element(cation).ionicRadii.get(charge)! + element(anion).ionicRadii.get(-charges[anion])!;
    expect(energy, formula).toBeCloseTo(((120200 * (n + m)) / r) * charge * charges[anion] * (1 - 34.5 / r), 6);
    found++;
  }
  expect(found).toBeGreaterThan(600);
});

test("every formula has features of every kind, with no element outside ElemNet's", () => {
  for (const { formula, energy } of compounds) {
    const composition = parseFormula(formula);
    expect(energy).toBeGreaterThan(500);
    expect(energy).toBeLessThan(45000);
    expect(elementFractions(composition).filter((f) => f > 0).length).toBe(composition.elements.length);
  }
  expect(magpieStatistics(parseFormula(compounds[1234].formula)).every(Number.isFinite)).toBe(true);
});

test("charges that do not cancel are refused", () => {
  const [na, cl] = [
    { charge: 1, radius: 102 },
    { charge: -1, radius: 181 },
  ];
  expect(
    latticeEnergy([
      [1, na],
      [1, cl],
    ]),
  ).toBeCloseTo(745.91, 1);
  expect(
    latticeEnergy([
      [2, na],
      [2, cl],
    ]),
  ).toBeCloseTo(2 * 745.9127, 3);
  expect(() =>
    latticeEnergy([
      [1, na],
      [2, cl],
    ]),
  ).toThrow("the charges add up to -1");
  expect(() => latticeEnergy([])).toThrow("not to a neutral salt");
});

test("the table has the same compounds, and features are made of it as of any other", () => {
  const table = ionicTable();
  expect(table.length).toBe(compounds.length);
  expect(table.formulas![5]).toBe(compounds[5].formula);
  expect(table.targets!.names).toEqual(["lattice energy"]);
  expect(table.targets!.values[5]).toBe(compounds[5].energy);
  expect(new Set(table.ids).size).toBe(table.length);
  const some = table.rows([7, 3]);
  const fractions = Featuriser.fit({ formula: "fractions", standardise: false }, some).transform(some);
  const lithium = 1; // H, Li, …
  expect([fractions[lithium], fractions[86 + lithium]]).toEqual(
    [7, 3].map((row) => 1 / parseFormula(compounds[row].formula).total).map(Math.fround),
  );
  expect(atomicNumber("Li")).toBe(3);
});
