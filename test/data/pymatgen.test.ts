import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { ELEMENTS } from "../../src/data/elements.ts";
import { speciesNumber, structureFromPymatgen, toPymatgen } from "../../src/data/pymatgen.ts";
import type { Structure } from "../../src/data/structure.ts";
import fixtures from "../fixtures/structures.json" with { type: "json" };
import { anyStructure, expectClose } from "./anyStructure.ts";

/** Of each site, the elements with their occupancies. */
function occupancies({ numbers, disorder }: Structure): Record<string, number>[] {
  return Array.from(numbers, (z, i) => {
    const occupants = disorder.get(i) ?? [{ number: z, occupancy: 1 }];
    return Object.fromEntries(occupants.map((each) => [ELEMENTS[each.number - 1].symbol, each.occupancy]));
  });
}

test.each(fixtures.pymatgen)(
  "$name, as pymatgen has it",
  ({ name, record, positions, lattice, occupancies: golden }) => {
    const structure = structureFromPymatgen(record, { where: "a.json" });
    expectClose(structure.positions, positions);
    expect(structure.lattice?.matrix ?? null).toEqual(lattice);
    expect(occupancies(structure)).toEqual(golden);
    expect(structure.source).toBe("a.json");
    if (name === "ions") expect(structure.arrays.magmom).toEqual(Float64Array.of(0.5, -0.5, 0, 0));
  },
);

test("what is written is read back", () => {
  fc.assert(
    fc.property(anyStructure(), (structure) => {
      const again = structureFromPymatgen(JSON.parse(JSON.stringify(toPymatgen(structure))));
      expect(again.numbers).toEqual(structure.numbers);
      expectClose(again.positions, structure.positions);
      expect(again.lattice?.matrix).toEqual(structure.lattice?.matrix);
      expect(again.periodic).toEqual(structure.periodic);
      expect(again.properties).toEqual(structure.properties);
      expect(again.arrays).toEqual(structure.arrays);
    }),
    { seed: 3, numRuns: 200 },
  );
  const { record } = fixtures.pymatgen.find(({ name }) => name === "disorder")!;
  const disordered = structureFromPymatgen(record);
  expect(structureFromPymatgen(toPymatgen(disordered)).disorder).toEqual(disordered.disorder);
});

test("elements and ions", () => {
  const symbols = ["Fe", "Fe3+", "O2-", "Na+", "Fe2.5+", "D", "D+", "T"];
  expect(symbols.map(speciesNumber)).toEqual([26, 26, 8, 11, 26, 1, 1, 1]);
  for (const wrong of ["", "fe", "X", "Fe3", "Fe+3", "Xx2+", "Fe ", "__proto__"])
    expect(speciesNumber(wrong)).toBeUndefined();
});

const lattice = { matrix: [3, 0, 0, 0, 3, 0, 0, 0, 3] };
const site = { species: [{ element: "Fe", occu: 1 }], abc: [0, 0, 0] };

test("edges and angles stand for a matrix, xyz for abc, null for what is not said", () => {
  const parameters = { a: 2, b: 3, c: 4, alpha: 90, beta: 90, gamma: 120 };
  expect(structureFromPymatgen({ lattice: parameters, sites: [site] }).lattice!.parameters.gamma).toBeCloseTo(120, 10);
  const cartesian = { species: site.species, xyz: [1, 2, 3] };
  expect([...structureFromPymatgen({ lattice, sites: [cartesian] }).positions]).toEqual([1, 2, 3]);
  const flat = structureFromPymatgen({ lattice: { ...lattice, pbc: [true, true, false] }, sites: [site], charge: 1 });
  expect(flat.periodic).toEqual([true, true, false]);
  expect(flat.properties).toEqual({ charge: 1 });
  expect(structureFromPymatgen({ lattice: null, sites: [cartesian] }).periodic).toEqual([false, false, false]);
});

test("site properties that are no numbers, or not of all sites, are left out", () => {
  const sites = [
    { ...site, properties: { m: 1, f: [1, 2, 3], name: "a", part: 1, ragged: [1] } },
    { ...site, abc: [0.5, 0, 0], properties: { m: 2, f: [4, 5, 6], name: "b", ragged: [1, 2] } },
  ];
  expect(structureFromPymatgen({ lattice, sites }).arrays).toEqual({
    m: Float64Array.of(1, 2),
    f: Float64Array.of(1, 2, 3, 4, 5, 6),
  });
});

test.each<[string, unknown, RegExp]>([
  ["null", null, /^w: "null" is no structure: it has no list of "sites"/],
  ["a list", [site], /is no structure/],
  ["no sites", { lattice }, /is no structure/],
  ["empty sites", { lattice, sites: [] }, /^w: there are no atoms/],
  ["a site that is none", { lattice, sites: [3] }, /^w: site 1 is "3"/],
  [
    "no species",
    { lattice, sites: [{ abc: [0, 0, 0] }] },
    /^w: "species" of site 1 is nothing, not a list of elements/,
  ],
  [
    "no element",
    { lattice, sites: [{ ...site, species: [{ element: "Xx", occu: 1 }] }] },
    /^w: "species" of site 1 has "Xx", which is no element/,
  ],
  [
    "no occupancy",
    { lattice, sites: [{ ...site, species: [{ element: "Fe" }] }] },
    /has Fe with the occupancy nothing/,
  ],
  [
    "a negative occupancy",
    { lattice, sites: [{ ...site, species: [{ element: "Fe", occu: -1 }] }] },
    /with the occupancy "-1"/,
  ],
  [
    "too much",
    {
      lattice,
      sites: [
        {
          ...site,
          species: [
            { element: "Fe", occu: 0.7 },
            { element: "Ni", occu: 0.7 },
          ],
        },
      ],
    },
    /occupancies that add up to 1\.4/,
  ],
  [
    "two coordinates",
    { lattice, sites: [site, { ...site, abc: [0, 0] }] },
    /^w: "abc" of site 2 is "\[0,0\]", not three numbers/,
  ],
  ["no coordinates", { lattice, sites: [{ species: site.species }] }, /^w: "xyz" of site 1 is nothing/],
  [
    "a lattice of two rows",
    {
      lattice: {
        matrix: [
          [1, 0, 0],
          [0, 1, 0],
        ],
      },
      sites: [site],
    },
    /^w: the lattice .* is not three rows of three numbers/,
  ],
  [
    "a flat lattice",
    {
      lattice: {
        matrix: [
          [1, 0, 0],
          [0, 1, 0],
          [1, 1, 0],
        ],
      },
      sites: [site],
    },
    /^w: The lattice vectors .* lie in a plane/,
  ],
  ["half of the parameters", { lattice: { a: 1, b: 2 }, sites: [site] }, /^w: "c" of the lattice is nothing/],
  [
    "impossible angles",
    { lattice: { a: 1, b: 1, c: 1, alpha: 10, beta: 10, gamma: 90 }, sites: [site] },
    /^w: There is no cell/,
  ],
  ["pbc", { lattice: { ...lattice, pbc: "yes" }, sites: [site] }, /^w: "pbc" is "yes", not three times true or false/],
])("%s: the message names site and field", (_, value, message) => {
  expect(() => structureFromPymatgen(value, { where: "w" })).toThrow(UserError);
  expect(() => structureFromPymatgen(value, { where: "w" })).toThrow(message);
});
