import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { atomicNumber, ELEMENTS } from "../../src/data/elements.ts";
import { Composition, parseFormula } from "../../src/data/formula.ts";
import golden from "../fixtures/formulas.json";
import { fuzzFormulas } from "../fuzz/formula.ts";

const symbols = ({ elements, amounts }: Composition) =>
  Object.fromEntries(elements.map((z, i) => [ELEMENTS[z - 1].symbol, amounts[i]]));

test("every formula of the fixture has the amounts that pymatgen finds", () => {
  for (const [formula, amounts] of Object.entries(golden as Record<string, Record<string, number>>)) {
    const found = symbols(parseFormula(formula));
    expect(Object.keys(found).sort(), formula).toEqual(Object.keys(amounts).sort());
    for (const [symbol, amount] of Object.entries(amounts)) {
      expect(Math.abs(found[symbol] / amount - 1), `${symbol} in ${formula}`).toBeLessThan(1e-12);
    }
  }
});

test("a composition counts, adds up repeated elements and prints itself", () => {
  const acid = parseFormula("CH3COOH");
  expect(acid.elements).toEqual([1, 6, 8]);
  expect(acid.amounts).toEqual([4, 2, 2]);
  expect(acid.total).toBe(8);
  expect(acid.fractions).toEqual([0.5, 0.25, 0.25]);
  expect([acid.get(6), acid.get(7)]).toEqual([2, 0]);
  expect(String(acid)).toBe("H4C2O2");
  expect(acid.reduced()).toBe("H2CO");
  expect(() => (acid.amounts as number[]).push(1)).toThrow(TypeError);
});

test.each([
  ["Fe4O6", "Fe2O3"],
  ["Fe2O3", "Fe2O3"],
  ["O2", "O"],
  ["Li0.5CoO2", "Li0.5CoO2"],
  ["Ca(OH)2", "CaH2O2"],
  ["ClNa", "NaCl"],
  ["NaN", "NaN"],
])("%s is %s in smallest whole amounts", (formula, reduced) => {
  expect(parseFormula(formula).reduced()).toBe(reduced);
});

const composition = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 118 }), fc.double({ min: 1e-9, max: 1e9, noNaN: true })), {
    minLength: 1,
    maxLength: 12,
    selector: ([z]) => z,
  })
  .map((pairs) => new Composition(pairs));

test("parsing what a composition prints gives the composition", () => {
  fc.assert(
    fc.property(composition, (c) => void expect(parseFormula(String(c))).toEqual(c)),
    { seed: 1 },
  );
});

test("small whole and half amounts, water among them, print and parse alike", () => {
  const amount = fc.constantFrom(1, 2, 0.5, 1.5, 4.5);
  const element = fc.constantFrom(1, 8, 11, 29);
  fc.assert(
    fc.property(fc.array(fc.tuple(element, amount), { minLength: 1, maxLength: 4 }), (pairs) => {
      const c = new Composition(pairs);
      expect(parseFormula(String(c))).toEqual(c);
      const again = parseFormula(c.reduced());
      expect(again.reduced()).toBe(c.reduced());
      again.fractions.forEach((f, i) => void expect(f).toBeCloseTo(c.fractions[i], 14));
    }),
    { seed: 2 },
  );
});

test("brackets, order, spaces and the kind of separator do not matter", () => {
  const part = fc.tuple(fc.constantFrom("Fe", "O", "Si", "N", "Co", "C"), fc.integer({ min: 1, max: 9 }));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 9 }), (parts, factor) => {
      const expected = new Composition(parts.map(([symbol, amount]) => [atomicNumber(symbol)!, amount * factor]));
      const text = parts.map(([symbol, amount]) => symbol + amount);
      const variants = [
        `(${text.join("")})${factor}`,
        `[${text.reverse().join(" ")}]${factor}`,
        `${factor}{${text.join("")}}1`,
      ];
      for (const one of ["·", "*", " • "]) variants.push(text.map((each) => `${factor}${each}`).join(one));
      for (const variant of variants) expect(parseFormula(variant), variant).toEqual(expected);
    }),
    { seed: 3 },
  );
});

test.each<[formula: string, message: string, hint: string | undefined]>([
  ["", 'formula "": it is empty.', undefined],
  ["   ", 'formula "   ": it is empty.', undefined],
  ["NACL", 'formula "NACL", position 2: there is no element "A".', 'Did you mean "NaCl"?'],
  ["nacl", 'formula "nacl", position 1: "n" has no place in a formula.', 'Did you mean "NaCl"?'],
  ["fe2o3", 'formula "fe2o3", position 1: "f" has no place in a formula.', 'Did you mean "Fe2O3"?'],
  ["Fe2Xy3", 'formula "Fe2Xy3", position 4: there is no element "Xy".', undefined],
  ["D2O", 'formula "D2O", position 1: there is no element "D".', "Isotopes are not told apart: write H."],
  ["Fe0O", 'formula "Fe0O", position 3: the amount is 0.', undefined],
  ["Fe1e99", 'formula "Fe1e99", position 3: the amount "1e99" is not in 1e-9 … 1e9.', undefined],
  ["((Fe1e9)1e9)2", 'formula "((Fe1e9)1e9)2": The amount of Fe, 2000000000000000000, is not in 1e-9 … 1e9.', undefined],
  ["Ca(OH", 'formula "Ca(OH", position 3: "(" is not closed.', undefined],
  ["Ca(OH))2", 'formula "Ca(OH))2", position 7: ")" closes nothing.', undefined],
  ["Ca(OH]2", 'formula "Ca(OH]2", position 6: "]" cannot close the "(" at position 3.', undefined],
  ["Ca()2", 'formula "Ca()2", position 3: the brackets are empty.', undefined],
  ["Ca(O·H)2", 'formula "Ca(O·H)2", position 5: "·" cannot stand inside brackets.', undefined],
  ["·H2O", 'formula "·H2O", position 1: an element should stand here.', undefined],
  ["CuSO4·", 'formula "CuSO4·", position 7: the formula ends too early.', undefined],
  ["12", 'formula "12", position 3: the formula ends too early.', undefined],
  [
    "NO3-",
    'formula "NO3-", position 4: "-" has no place in a formula.',
    "Leave out charges and bonds, and write amounts as numbers.",
  ],
  [
    "Li 2",
    'formula "Li 2", position 4: this number stands behind no element.',
    "Amounts follow their element at once: Fe2O3.",
  ],
  [
    "CuSO4.5H2O",
    'formula "CuSO4.5H2O", position 6: this full stop may be a decimal point or join two parts.',
    'Write "CuSO4·5H2O" or, for the decimal, "CuSO4.5(H2O)".',
  ],
  [
    "CaSO4.0.5H2O",
    'formula "CaSO4.0.5H2O", position 6: this full stop may be a decimal point or join two parts.',
    'Write "CaSO4·0.5H2O".',
  ],
  [
    "Li.5Fe",
    'formula "Li.5Fe", position 3: this full stop may be a decimal point or join two parts.',
    'Write "Li·5Fe" for two parts or "Li0.5Fe" for a decimal.',
  ],
])("%j is refused with a clear message", (formula, message, hint) => {
  let error: unknown;
  try {
    parseFormula(formula);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message.split("\n")[0]).toBe(message);
  expect((error as UserError).hint).toBe(hint);
});

test("a full stop that can only mean one thing is read", () => {
  expect(String(parseFormula("Na0.5H2O"))).toBe("Na0.5H2O");
  expect(String(parseFormula("Na4.5(H2O)"))).toBe("Na4.5H2O1");
  expect(parseFormula("Na4.5H2O1").get(11)).toBe(4.5);
  expect(parseFormula("CaSO4.H2O").get(8)).toBe(5);
});

test("very long and very deep formulas are read or refused in linear time", () => {
  expect(String(parseFormula(`${"(".repeat(1e5)}Fe${")".repeat(1e5)}2`))).toBe("Fe2");
  expect(parseFormula(`O${".2H2O".repeat(1e5)}`).get(1)).toBe(4e5);
  expect(() => parseFormula("(".repeat(1e6))).toThrow("is not closed");
  expect(() => parseFormula("Fe2.5".repeat(1e5).concat(".5"))).toThrow("full stop");
  expect(() => parseFormula("x".repeat(1e6))).toThrow('"x" has no place');
});

test("a composition needs known elements in sensible amounts", () => {
  expect(() => new Composition([])).toThrow("at least one element");
  expect(() => new Composition([[119, 1]])).toThrow("There is no element 119");
  for (const amount of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new Composition([[26, amount]])).toThrow(`The amount of Fe, ${amount}`);
  }
});

test("damaged formulas are refused by a message or read soundly", () => {
  const refused = fuzzFormulas(3000, 1);
  expect(refused).toBeGreaterThan(900);
  expect(refused).toBeLessThan(2700);
});
