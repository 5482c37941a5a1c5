import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { sha256 } from "../../src/core/sha256.ts";
import { atomVector92 } from "../../src/data/atomVector.ts";
import {
  ALL_ELEMENTS,
  ELEMNET_ELEMENTS,
  elementFractions,
  magpieNames,
  magpieStatistics,
  oneHot,
} from "../../src/data/composition.ts";
import { ELEMENTS, element } from "../../src/data/elements.ts";
import { Composition, parseFormula } from "../../src/data/formula.ts";

const magpie = (formula: string) => {
  const values = magpieStatistics(parseFormula(formula));
  return (name: string) => {
    expect(magpieNames).toContain(name);
    return values[magpieNames.indexOf(name)];
  };
};

const composition = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 118 }), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 8 })
  .map((pairs) => new Composition(pairs));

test("CGCNN's vectors of the elements 1 … 100 are, to the bit, those of the authors' table", () => {
  const rows = Array.from({ length: 100 }, (_, i) => atomVector92(i + 1).join(""));
  expect(rows.every((row) => row.length === 92)).toBe(true);
  expect(sha256(rows.join("\n"))).toBe("ad7be0343e39072881c537e7246e0acabdb5f9eb7295d2a9b74eacbb657bece4");
});

test.each([
  ["H", "0100000000000000000 1000000 0000100000 1000000000 100000000000 0000001000 0000010000 1000 0000100000"],
  ["O", "0000000000000000100 0100000 0000000010 0100000000 000001000000 0000001000 0000001000 0100 0000100000"],
  ["Fe", "0000000010000000000 0001000 0001000000 0000100000 000000010000 0001000000 0000100000 0010 0100000000"],
  ["Xe", "0000000000000000001 0000100 0000001000 0000100000 000000010000 0000010000 0000100000 0100 0000000010"],
  ["Pm", "1000000000000000000 0000010 0000000000 0000001000 010000000000 0010000000 0000000000 0001 0000000000"],
])("CGCNN's vector of %s is %s", (symbol, bits) => {
  expect(atomVector92(element(symbol).number).join("")).toBe(bits.replaceAll(" ", ""));
});

test("CGCNN's table ends with fermium", () => {
  expect(() => atomVector92(101)).toThrow("CGCNN has no vector for Mendelevium");
  expect(() => atomVector92(0)).toThrow("There is no element 0");
});

test("ElemNet's elements are 86, in order, without the eight that it leaves out", () => {
  expect(ELEMNET_ELEMENTS).toHaveLength(86);
  const left = ALL_ELEMENTS.filter((z) => !ELEMNET_ELEMENTS.includes(z)).map((z) => ELEMENTS[z - 1].symbol);
  expect(left.join(" ")).toBe("He Ne Ar Po At Rn Fr Ra Am Cm Bk Cf Es Fm Md No Lr");
});

test("fractions stand in the places of their elements and add up to 1", () => {
  const fractions = elementFractions(parseFormula("Fe2O3"));
  expect(fractions).toHaveLength(86);
  expect(fractions[ELEMNET_ELEMENTS.indexOf(26)]).toBeCloseTo(0.4, 7);
  expect(fractions[ELEMNET_ELEMENTS.indexOf(8)]).toBeCloseTo(0.6, 7);
  expect(fractions.filter((f) => f > 0)).toHaveLength(2);
  expect(Array.from(elementFractions(parseFormula("OH2"), [8, 1]))).toEqual([1 / 3, 2 / 3].map(Math.fround));
  expect(elementFractions(parseFormula("HeAr"), ALL_ELEMENTS)[1]).toBe(0.5);
});

test("an element without a place is refused by name", () => {
  expect(() => elementFractions(parseFormula("NaHe2"))).toThrow(
    new UserError(
      "Helium in NaHe2 is not one of the 86 elements of this featuriser.",
      "ElemNet knows H … Pu without He, Ne, Ar, Po, At, Rn, Fr, Ra.",
    ),
  );
  expect(() => elementFractions(parseFormula("FeO"), [8])).toThrow("Iron in FeO is not one of the 1 elements");
  expect(() => oneHot(118)).toThrow("Oganesson is not one of the 103 elements");
});

test("one-hot vectors have a 1 in the place of the element", () => {
  expect(Array.from(oneHot(8, [1, 8, 26]))).toEqual([0, 1, 0]);
  expect(oneHot(103)[102]).toBe(1);
  expect(oneHot(103)).toHaveLength(103);
});

test("statistics of Fe2O3, by hand", () => {
  const f = magpie("Fe2O3");
  expect(f("minimum electronegativity")).toBeCloseTo(1.83, 6);
  expect(f("maximum electronegativity")).toBeCloseTo(3.44, 6);
  expect(f("range electronegativity")).toBeCloseTo(1.61, 6);
  expect(f("mean electronegativity")).toBeCloseTo(0.4 * 1.83 + 0.6 * 3.44, 6); // 2.796
  expect(f("mean deviation electronegativity")).toBeCloseTo(0.4 * 0.966 + 0.6 * 0.644, 6);
  expect(f("mode electronegativity")).toBeCloseTo(3.44, 6);
  expect(f("mean atomic number")).toBeCloseTo(15.2, 5);
  expect(f("mean atomic weight")).toBeCloseTo(159.687 / 5, 4);
  expect(f("maximum column")).toBe(16);
  expect(f("minimum row")).toBe(2);
  expect(f("number of elements")).toBe(2);
  expect(f("2-norm of fractions")).toBeCloseTo(Math.sqrt(0.52), 6);
  expect(f("10-norm of fractions")).toBeCloseTo((0.4 ** 10 + 0.6 ** 10) ** 0.1, 6);
  // Valence electrons: Fe 4s²3d⁶, O 2s²2p⁴; together 0.4·8 + 0.6·6 = 6.8 per atom.
  expect(f("share of s valence")).toBeCloseTo(2 / 6.8, 6);
  expect(f("share of p valence")).toBeCloseTo(2.4 / 6.8, 6);
  expect(f("share of d valence")).toBeCloseTo(2.4 / 6.8, 6);
  expect(f("share of f valence")).toBe(0);
  const character = 1 - Math.exp(-(1.61 ** 2) / 4);
  expect(f("maximum ionic character")).toBeCloseTo(character, 6);
  expect(f("mean ionic character")).toBeCloseTo(0.24 * character, 6);
  expect(f("lowest mean charge")).toBeCloseTo(0.4 * 2 - 0.6 * 2, 6);
  expect(f("highest mean charge")).toBe(0); // 0.4·3 − 0.6·2, without the rounding error
});

test("the mode of equally frequent elements is the least value, and lanthanides stand in column 3", () => {
  expect(magpie("NaCl")("mode atomic number")).toBe(11);
  expect(magpie("NaCl")("mode electronegativity")).toBeCloseTo(0.93, 6);
  expect(magpie("Li0.3333333Na0.3333334Cs0.3333333")("mode atomic number")).toBe(3);
  expect(magpie("CeN2")("minimum column")).toBe(3);
});

test("gaps in the table are filled between neighbours; an atom without a stable anion has affinity 0", () => {
  const [nd, sm] = [element("Nd").atomisationEnthalpy, element("Sm").atomisationEnthalpy];
  expect(magpie("Pm")("mean atomisation enthalpy")).toBeCloseTo((nd + sm) / 2, 3);
  expect(magpie("Ne")("mean electronegativity")).toBeCloseTo((3.98 + 0.93) / 2, 5);
  expect(magpie("Mg")("mean electron affinity")).toBe(0);
  expect(magpie("Og")("mean electronegativity")).toBeCloseTo(element("Lr").electronegativity, 6);
});

test("statistics depend on fractions only, are finite and lie between those of the elements", () => {
  fc.assert(
    fc.property(composition, fc.integer({ min: 2, max: 9 }), (c, factor) => {
      const values = magpieStatistics(c);
      const multiple = magpieStatistics(new Composition(c.elements.map((z, i) => [z, c.amounts[i] * factor])));
      values.forEach((value, i) => {
        expect(Number.isFinite(value), magpieNames[i]).toBe(true);
        expect(Math.abs(multiple[i] - value), magpieNames[i]).toBeLessThanOrEqual(1e-5 * Math.abs(value) + 1e-6);
      });
      for (let i = 0; i < 23 * 6; i += 6) {
        const [least, most, range, mean, deviation, mode] = values.subarray(i, i + 6);
        const slack = 1e-5 * (Math.abs(least) + Math.abs(most));
        for (const inside of [mean, mode]) {
          expect(inside).toBeGreaterThanOrEqual(least - slack);
          expect(inside).toBeLessThanOrEqual(most + slack);
        }
        expect(Math.abs(range - (most - least))).toBeLessThanOrEqual(slack);
        expect(deviation).toBeLessThanOrEqual(range / 2 + slack);
        if (range === 0) expect(deviation).toBe(0);
      }
    }),
    { seed: 4 },
  );
});

test("names are as many as statistics, and no two are alike", () => {
  expect(magpieNames).toHaveLength(152);
  expect(new Set(magpieNames).size).toBe(152);
  expect(magpieStatistics(parseFormula("NaCl"))).toHaveLength(152);
});
