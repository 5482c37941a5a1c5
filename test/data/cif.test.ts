import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCif, writeCif } from "../../src/data/cif.ts";
import { ELEMENTS } from "../../src/data/elements.ts";
import { Lattice, type Vector3 } from "../../src/data/lattice.ts";
import { spaceGroupSettings } from "../../src/data/spaceGroups.ts";
import { type Occupant, Structure } from "../../src/data/structure.ts";
import { fuzzCif, SOUND_CIF } from "../fuzz/cif.ts";

interface Crystal {
  symbol: string;
  number: number;
  hall: string;
  /** Edges in Å, angles in degrees. */
  cell: number[];
  /** "Na 0.0000 0.3333 0.6667". */
  sites: string[];
  operations: string;
  /** Fractional coordinates, "0 0.5 0.5; 0.5 0 0.5", by element. */
  atoms: Record<string, string>;
}

const fixture = JSON.parse(readFileSync(new URL("../fixtures/cif.json", import.meta.url), "utf8"));
const CRYSTALS: Crystal[] = fixture.crystals;

function cif({ cell, sites }: Pick<Crystal, "cell" | "sites">, symmetry: string): string {
  const [a, b, c, alpha, beta, gamma] = cell;
  return `data_x
_cell_length_a ${a}
_cell_length_b ${b}
_cell_length_c ${c}
_cell_angle_alpha ${alpha}
_cell_angle_beta ${beta}
_cell_angle_gamma ${gamma}
${symmetry}
loop_
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
${sites.join("\n")}
`;
}

/** Each golden atom, with its four decimals, is one of the structure's within 3e-3 Å, and there are no others. */
function expectAtoms(structure: Structure, { cell, atoms }: Crystal): void {
  const { lattice, numbers, fractional } = { ...structure, fractional: structure.fractional };
  const [a, b, c, alpha, beta, gamma] = cell;
  const found = lattice!.parameters;
  for (const [name, value] of Object.entries({ a, b, c, alpha, beta, gamma }))
    expect(found[name as "a"]).toBeCloseTo(value, 9);
  const golden = Object.entries(atoms).flatMap(([symbol, places]) =>
    places.split("; ").map((place) => ({ symbol, x: place.split(" ").map(Number) })),
  );
  expect(structure.length).toBe(golden.length);
  const taken = new Set<number>();
  for (const { symbol, x } of golden) {
    const atom = structure.numbers.findIndex((_, i) => {
      const step = x.map((value, j) => value - fractional[3 * i + j]).map((s) => s - Math.round(s));
      return Math.hypot(...lattice!.toCartesian(step as never as Vector3)) < 3e-3;
    });
    expect(ELEMENTS[numbers[atom] - 1]?.symbol, `${symbol} at ${x}`).toBe(symbol);
    taken.add(atom);
  }
  expect(taken.size).toBe(golden.length);
}

describe("crystals in the space groups, as pymatgen reads them", () => {
  test("are of all systems and centrings and of more than 60 groups", () => {
    expect(new Set(CRYSTALS.map(({ number }) => number)).size).toBeGreaterThan(60);
    expect([...new Set(CRYSTALS.map(({ symbol }) => symbol[0]))].sort().join("")).toBe("ABCFIPR");
    const systems = [1, 3, 16, 75, 143, 168, 195, 231];
    systems.slice(1).forEach((end, i) => {
      expect(CRYSTALS.filter(({ number }) => number >= systems[i] && number < end).length).toBeGreaterThan(1);
    });
  });

  test.each(CRYSTALS.map((crystal) => [crystal.hall, crystal] as const))("%s", (_hall, crystal) => {
    const { number, symbol, hall, operations } = crystal;
    const list = operations.split("; ").map((operation) => `'${operation}'`);
    const listed = `_space_group_IT_number ${number}\nloop_\n_space_group_symop_operation_xyz\n${list.join("\n")}`;
    const ways = [listed, `_symmetry_space_group_name_H-M '${symbol}'`, `_space_group_name_Hall\n;${hall}\n;`];
    const standard = spaceGroupSettings(number);
    if (standard[0].hall === hall && !standard[1]?.symbol.endsWith("2"))
      ways.push(`_symmetry_Int_Tables_number ${number}`);
    for (const way of ways) {
      const [structure] = parseCif(cif(crystal, way));
      expectAtoms(structure, crystal);
      expect(structure.spaceGroup).toBe(number);
    }
  });

  test("a number is enough for most", () => {
    const enough = CRYSTALS.filter(({ number, hall }) => {
      const [first, second] = spaceGroupSettings(number);
      return first.hall === hall && !second?.symbol.endsWith("2");
    });
    expect(enough.length).toBeGreaterThan(60);
  });
});

/** A structure whose atoms are on a grid of 0.02 and more than 0.05 Å apart, some of their sites shared. */
const structures: fc.Arbitrary<Structure> = fc
  .record({
    edges: fc.array(fc.double({ min: 4, max: 30, noNaN: true }), { minLength: 3, maxLength: 3 }),
    angles: fc.array(fc.double({ min: 62, max: 118, noNaN: true }), { minLength: 3, maxLength: 3 }),
    left: fc.boolean(),
    places: fc.uniqueArray(fc.tuple(fc.nat(49), fc.nat(49), fc.nat(49)), {
      minLength: 1,
      maxLength: 30,
      selector: (place) => place.join(),
    }),
    shift: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -2, max: 2, noNaN: true }))),
    species: fc.array(
      fc.uniqueArray(fc.record({ number: fc.integer({ min: 1, max: 118 }), share: fc.integer({ min: 1, max: 100 }) }), {
        minLength: 1,
        maxLength: 3,
        selector: ({ number }) => number,
      }),
      { minLength: 30, maxLength: 30 },
    ),
  })
  .filter(({ angles: [alpha, beta, gamma] }) => alpha + beta + gamma < 340)
  .map(({ edges: [a, b, c], angles: [alpha, beta, gamma], left, places, shift, species }) => {
    const [u, v, w] = Lattice.fromParameters(a, b, c, alpha, beta, gamma).matrix;
    const disorder = new Map<number, Occupant[]>();
    const numbers = places.map((_, i) => {
      if (species[i].length === 1) return species[i][0].number;
      disorder.set(
        i,
        species[i].map(({ number, share }) => ({ number, occupancy: share / 300 })),
      );
      return 0;
    });
    return new Structure({
      numbers,
      disorder,
      lattice: new Lattice(left ? [v, u, w] : [u, v, w]),
      fractional: places.flatMap((place) => place.map((x, i) => x / 50 + shift[i])),
    });
  });

/** Distances of all pairs, Å: those of the atoms, and those of the lattice vectors' sums and differences. */
function distances(structure: Structure): number[] {
  const r = Array.from({ length: structure.length }, (_, i) => structure.position(i));
  const [a, b, c] = structure.lattice!.matrix;
  const ends = [[0, 0, 0] as const, a, b, c];
  return [r, ends].flatMap((points) =>
    points.flatMap((p) => points.map((q) => Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]))),
  );
}

describe("writing", () => {
  test("what is written reads as the same structure to 1e-6 Å", () => {
    fc.assert(
      fc.property(structures, (structure) => {
        const [again, ...others] = parseCif(writeCif(structure, { name: "a b" }));
        expect(others).toEqual([]);
        expect(again.numbers).toEqual(structure.numbers);
        expect(again.properties.id).toBe("a_b");
        expect([...again.disorder.keys()]).toEqual([...structure.disorder.keys()]);
        for (const [i, occupants] of structure.disorder)
          again.disorder.get(i)!.forEach(({ number, occupancy }, j) => {
            expect(number).toBe(occupants[j].number);
            expect(occupancy).toBeCloseTo(occupants[j].occupancy, 9);
          });
        const [found, wanted] = [distances(again), distances(structure)];
        expect(found.length).toBe(wanted.length);
        expect(Math.max(...found.map((x, i) => Math.abs(x - wanted[i])))).toBeLessThan(1e-6);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test("handedness is kept", () => {
    const lattice = new Lattice([
      [0, 5, 0],
      [4, 0, 0],
      [0, 0, 6],
    ]);
    const positions = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    const chiral = new Structure({ numbers: [6, 1, 9, 17], positions, lattice });
    const triple = (structure: Structure) => {
      const [p, q, r] = [1, 2, 3].map((i) => structure.position(i).map((x, j) => x - structure.position(0)[j]));
      return (
        p[0] * (q[1] * r[2] - q[2] * r[1]) + p[1] * (q[2] * r[0] - q[0] * r[2]) + p[2] * (q[0] * r[1] - q[1] * r[0])
      );
    };
    expect(triple(chiral)).toBeCloseTo(6, 12);
    expect(triple(parseCif(writeCif(chiral))[0])).toBeCloseTo(6, 8);
  });

  test("it looks so", () => {
    const lattice = Lattice.cubic(5.64);
    const disorder = new Map([
      [
        1,
        [
          { number: 17, occupancy: 0.75 },
          { number: 35, occupancy: 0.25 },
        ],
      ],
    ]);
    const structure = new Structure({ numbers: [11, 0], fractional: [0, 0, 0, 0.5, 0.5, -1e-17], lattice, disorder });
    const text = writeCif(structure);
    expect(text.split("\n")[0]).toBe(`data_${structure.formula}`);
    expect(text).toContain("_chemical_formula_sum 'Na1 Cl0.75 Br0.25'\n_cell_length_a 5.64\n");
    expect(text).toContain("Na1 Na 0 0 0 1\nCl1 Cl 0.5 0.5 0 0.75\nBr1 Br 0.5 0.5 0 0.25\n");
  });

  test("what is no crystal is refused", () => {
    const molecule = new Structure({ numbers: [1], positions: [0, 0, 0], source: "h.xyz" });
    expect(() => writeCif(molecule)).toThrow("h.xyz does not repeat along three vectors: CIF holds crystals only.");
  });
});

test("the files to be damaged are sound", () => {
  const formulas = SOUND_CIF.map((text) =>
    parseCif(text)
      .map(({ length, formula }) => `${length} ${formula}`)
      .join(", "),
  );
  expect(formulas).toEqual(["8 NaCl", "4 ZnS", "8 SrCaO2", "1 Fe, 6 Bi"]);
});

test("damaged files: a structure or a clear message", () => {
  const refused = fuzzCif(1500, 1);
  expect(refused).toBeGreaterThan(300);
  expect(refused).toBeLessThan(1400);
});
