import fc from "fast-check";
import { expect } from "vitest";
import { Lattice, type Vector3 } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";

/** To 1e-8, absolutely for small and relatively for large numbers. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++)
    if (!(Math.abs(actual[i] - expected[i]) <= 1e-8 * Math.max(1, Math.abs(expected[i]))))
      expect.fail(`[${i}] is ${actual[i]}, not ${expected[i]}`);
}

const number = (most: number) => fc.double({ min: -most, max: most, noNaN: true }).map((x) => x + 0); // no -0
const vector = fc.tuple(number(5), number(5), number(5));

/** A lattice that is not flat: near a cube of 8 Å, of either handedness. */
const lattice = fc
  .tuple(fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 9, maxLength: 9 }), fc.boolean())
  .map(([shift, left]) => {
    const rows = [0, 1, 2].map((i) => [0, 1, 2].map((k) => (i === k ? 8 : 0) + shift[3 * i + k]) as unknown as Vector3);
    return new Lattice([rows[0], rows[left ? 2 : 1], rows[left ? 1 : 2]]);
  });

const text = fc.string({ unit: "grapheme", maxLength: 12 }).filter((value) => !/^\s*$|[\0\r]/.test(value));

/** Up to six atoms, with arrays and properties; a crystal, or with or without a lattice. */
export function anyStructure({ crystal = false } = {}): fc.Arbitrary<Structure> {
  const atoms = fc.array(fc.tuple(fc.integer({ min: 1, max: 118 }), vector, vector), { minLength: 1, maxLength: 6 });
  const property = fc.oneof(number(1e6), fc.boolean(), text);
  const key = fc
    .stringMatching(/^[A-Za-z_][A-Za-z_0-9]{0,8}$/)
    .filter((name) => !["Lattice", "Properties", "pbc"].includes(name));
  const properties = fc.dictionary(key, property, { maxKeys: 3, noNullPrototype: true });
  const pbc = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
  return fc
    .tuple(atoms, crystal ? lattice : fc.option(lattice, { nil: undefined }), properties, pbc)
    .map(([sites, cell, facts, periodic]) => {
      return new Structure({
        numbers: sites.map(([z]) => z),
        positions: sites.flatMap(([, position]) => position),
        lattice: cell,
        periodic: crystal ? undefined : cell && periodic,
        properties: facts,
        arrays: { forces: Float64Array.from(sites.flatMap(([, , force]) => force)) },
      });
    });
}
