import { expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { atomicNumber, ELEMENTS, type Element, element } from "../../src/data/elements.ts";

const symbols = (elements: readonly Element[]) => elements.map(({ symbol }) => symbol).join(" ");

test("there are 118 elements, each with its own symbol and name, in the order of atomic numbers", () => {
  expect(ELEMENTS.map(({ number }) => number)).toEqual(Array.from({ length: 118 }, (_, i) => i + 1));
  expect(new Set(ELEMENTS.map(({ symbol }) => symbol)).size).toBe(118);
  expect(new Set(ELEMENTS.map(({ name }) => name)).size).toBe(118);
  for (const { number, symbol } of ELEMENTS) expect(atomicNumber(symbol)).toBe(number);
});

test.each([
  [1, "H Li Na K Rb Cs Fr"],
  [2, "Be Mg Ca Sr Ba Ra"],
  [3, "Sc Y Lu Lr"],
  [8, "Fe Ru Os Hs"],
  [13, "B Al Ga In Tl Nh"],
  [17, "F Cl Br I At Ts"],
  [18, "He Ne Ar Kr Xe Rn Og"],
])("group %i is %s", (group, members) => {
  expect(symbols(ELEMENTS.filter((e) => e.group === group))).toBe(members);
});

test("every group has its elements, lanthanides and actinides have none, and blocks have the widths of their shells", () => {
  expect(ELEMENTS.filter((e) => Number.isNaN(e.group)).every((e) => e.block === "f")).toBe(true);
  for (let group = 4; group <= 12; group++) expect(ELEMENTS.filter((e) => e.group === group)).toHaveLength(4);
  for (let period = 1; period <= 7; period++) {
    expect(ELEMENTS.filter((e) => e.period === period)).toHaveLength([2, 8, 8, 18, 18, 32, 32][period - 1]);
  }
  const widths = { s: 14, p: 36, d: 40, f: 28 };
  for (const [block, width] of Object.entries(widths))
    expect(ELEMENTS.filter((e) => e.block === block)).toHaveLength(width);
});

test("electrons outside the core number as many as the element is beyond the last noble gas, and orbitals hold them", () => {
  const cores = [0, 2, 10, 18, 36, 54, 86];
  const room = { s: 2, p: 6, d: 10, f: 14 } as const;
  for (const { symbol, number, period, valence, unfilled } of ELEMENTS) {
    expect(valence.s + valence.p + valence.d + valence.f, symbol).toBe(number - cores[period - 1]);
    for (const orbital of ["s", "p", "d", "f"] as const) {
      expect(valence[orbital] + unfilled[orbital], `${orbital} of ${symbol}`).toBe(
        valence[orbital] ? room[orbital] : 0,
      );
    }
  }
});

test.each([
  ["H", 1],
  ["He", 2],
  ["C", 4],
  ["Cl", 7],
  ["Cr", 6],
  ["Fe", 8],
  ["Pd", 10],
  ["Zn", 12],
  ["Ga", 3],
  ["La", 2],
  ["U", 2],
  ["Hf", 4],
  ["Pb", 4],
])("%s has %i valence electrons", (symbol, count) => {
  expect(element(symbol).valenceElectrons).toBe(count);
});

test("iron's facts are those of the handbooks", () => {
  expect(element(26)).toEqual({
    number: 26,
    symbol: "Fe",
    name: "Iron",
    weight: 55.845,
    group: 8,
    period: 4,
    block: "d",
    valence: { s: 2, p: 0, d: 6, f: 0 },
    unfilled: { s: 0, p: 0, d: 4, f: 0 },
    valenceElectrons: 8,
    electronegativity: 1.83,
    covalentRadius: 132,
    singleBondRadius: 116,
    atomicRadius: 140,
    vanDerWaalsRadius: 204,
    ionisationEnergy: 7.90247,
    electronAffinity: 0.153236,
    polarizability: 62,
    mendeleevNumber: 61,
    oxidationStates: [2, 3],
    meltingPoint: 1811,
    boilingPoint: 3134,
    density: 7874,
    molarVolume: 7.09,
    atomisationEnthalpy: 416.3,
    ionicRadii: new Map([
      [2, 78],
      [3, 64.5],
      [4, 58.5],
      [6, 25],
    ]),
  });
});

test("what is unknown among H … Cm is NaN, and only that", () => {
  const unknown = {
    weight: "",
    electronegativity: "He Ne Ar",
    covalentRadius: "",
    singleBondRadius: "",
    atomicRadius: "He Ne Kr Xe At Rn Fr Cm",
    vanDerWaalsRadius: "",
    ionisationEnergy: "",
    electronAffinity: "He Be N Ne Mg Ar Mn Zn Kr Cd Xe Yb Hg Rn Pu",
    polarizability: "",
    mendeleevNumber: "",
    meltingPoint: "",
    boilingPoint: "",
    density: "At Fr",
    molarVolume: "At Fr",
    atomisationEnthalpy: "Pm At",
  } as const;
  for (const [property, expected] of Object.entries(unknown)) {
    const missing = ELEMENTS.slice(0, 96).filter((e) => Number.isNaN(e[property as keyof typeof unknown]));
    expect(symbols(missing), property).toBe(expected);
  }
});

test("density × molar volume is the atomic weight, within 10 %, for all that is solid at room temperature", () => {
  const dense = ELEMENTS.filter((e) => e.meltingPoint > 298 && e.density > 0 && e.molarVolume > 0);
  expect(dense.length).toBeGreaterThan(80);
  for (const { symbol, density, molarVolume, weight } of dense) {
    expect(Math.abs((density * molarVolume) / 1000 / weight - 1), symbol).toBeLessThan(0.1);
  }
});

test("facts follow the periodic law", () => {
  for (const gas of [2, 10, 18, 36, 54, 86]) {
    expect(element(gas).ionisationEnergy).toBeGreaterThan(element(gas - 1).ionisationEnergy);
    expect(element(gas).ionisationEnergy).toBeGreaterThan(2 * element(gas + 1).ionisationEnergy);
    expect(element(gas + 1).covalentRadius).toBeGreaterThan(element(gas - 1).covalentRadius);
    expect(element(gas + 1).polarizability).toBeGreaterThan(5 * element(gas).polarizability);
    expect(element(gas).atomisationEnthalpy).toBe(0);
  }
  for (const { symbol, meltingPoint, boilingPoint } of ELEMENTS.slice(0, 96)) {
    if (symbol !== "As") expect(boilingPoint, symbol).toBeGreaterThan(meltingPoint); // arsenic sublimes
  }
  const chemicalOrder = ELEMENTS.slice(0, 103).map(({ mendeleevNumber }) => mendeleevNumber);
  expect(chemicalOrder.sort((a, b) => a - b)).toEqual(Array.from({ length: 103 }, (_, i) => i + 1));
});

test("ionic radii are Shannon's for six neighbours", () => {
  const radius = (symbol: string, charge: number) => element(symbol).ionicRadii.get(charge);
  expect([radius("Na", 1), radius("Cl", -1), radius("O", -2), radius("Al", 3), radius("Fe", 2)]).toEqual([
    102, 181, 140, 53.5, 78,
  ]);
  expect(radius("Na", 2)).toBeUndefined();
});

test("an element that does not exist is refused with a hint where one letter's case is wrong", () => {
  expect(() => element("fe")).toThrow(new UserError('There is no element "fe".', "Did you mean Fe?"));
  expect(() => element("Xy")).toThrow(new UserError('There is no element "Xy".'));
  for (const number of [0, 119, 1.5, Number.NaN]) expect(() => element(number)).toThrow("atomic numbers are 1 … 118");
  expect(atomicNumber("NA")).toBeUndefined();
});
