import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { FrameCutter, parseExtxyz, writeExtxyz } from "../../src/data/extxyz.ts";
import { Structure } from "../../src/data/structure.ts";
import fixtures from "../fixtures/structures.json" with { type: "json" };
import { anyStructure, expectClose } from "./anyStructure.ts";

const one = (comment: string, ...atoms: string[]) => `${atoms.length}\n${comment}\n${atoms.join("\n")}\n`;
const parse = (text: string) => parseExtxyz(text, { file: "x.xyz" });

describe("as ASE reads it", () => {
  test.each(fixtures.xyz)("$name", (golden) => {
    const [structure, ...more] = parse(golden.text);
    expect(more).toEqual([]);
    expect([...structure.numbers]).toEqual(golden.numbers);
    expect(structure.periodic).toEqual(golden.periodic);
    expectClose(structure.positions, golden.positions);
    const rows = structure.lattice?.matrix ?? [];
    expect(rows.length > 0).toBe(golden.lattice !== null);
    // ASE keeps vectors of zeros; here they stand at right angles to the others.
    rows.forEach((row, i) => {
      if (golden.lattice![i].some((x) => x !== 0)) expectClose(row, golden.lattice![i]);
      else for (const k of [0, 1, 2]) if (k !== i) expect(Math.abs(dot(row, rows[k]))).toBeLessThan(1e-12);
    });
    if (golden.properties) expect(structure.properties).toMatchObject(golden.properties);
    for (const [name, values] of Object.entries(golden.arrays ?? {})) expectClose(structure.arrays[name], values);
  });
});
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);

describe("keys and columns", () => {
  test("values are numbers, true and false, or text", () => {
    const [{ properties }] = parse(
      one(
        `Properties=species:S:1:pos:R:3 e=-1.5e2 n=7 yes=T no=False flag name="a \\"b\\" c" 'two words'='x y' m=[[1, 2], [3, 4]] v={1 2 3} nan=nan`,
        "H 0 0 0",
      ),
    );
    expect(properties).toEqual({
      ...{ e: -150, n: 7, yes: true, no: false, flag: true, name: 'a "b" c', "two words": "x y" },
      ...{ m: "[[1, 2], [3, 4]]", v: "1 2 3", nan: "nan" },
    });
  });
  test("columns in any order; text columns are left out, logical ones are 0 and 1", () => {
    const [{ numbers, positions, arrays }] = parse(
      one("Properties=tag:S:1:pos:R:3:fixed:L:1:species:S:1:f:R:2", "x 1 2 3 T Fe 4 5", "y 6 7 8 F O 9 10"),
    );
    expect([...numbers]).toEqual([26, 8]);
    expect([...positions]).toEqual([1, 2, 3, 6, 7, 8]);
    expect(arrays).toEqual({ fixed: Float64Array.of(1, 0), f: Float64Array.of(4, 5, 9, 10) });
  });
  test("atomic numbers instead of symbols", () => {
    expect([...parse(one("Properties=Z:I:1:pos:R:3", "26 0 0 0"))[0].numbers]).toEqual([26]);
    expect([...parse(one("", "8 0 0 0", "D 1 0 0"))[0].numbers]).toEqual([8, 1]);
  });
  test("periodicity: all of a lattice unless pbc says otherwise, and none without", () => {
    const lattice = 'Lattice="3 0 0 0 3 0 0 0 3"';
    expect(parse(one(lattice, "H 0 0 0"))[0].periodic).toEqual([true, true, true]);
    expect(parse(one(`${lattice} pbc=[True, False, 1]`, "H 0 0 0"))[0].periodic).toEqual([true, false, true]);
    expect(parse(one("a comment, lattice = none", "H 0 0 0 1.5"))[0].periodic).toEqual([false, false, false]);
    expect(parse(one('Lattice="0 0 0 0 0 0 0 0 0" pbc="F F F"', "H 0 0 0"))[0].lattice).toBeUndefined();
  });
  test("the comment of plain xyz is not looked at", () => {
    expect(parse(one('energy=1 "open', "H 0 0 0"))[0].properties).toEqual({});
  });
});

test("frames in pieces, with any line ends, are the frames of the whole", () => {
  const text = `\n${one("Properties=species:S:1:pos:R:3 i=1", "H 0 0 0", "O 1 1 1")}\n\n${one("", "Fe 0 0 0")}  \n`;
  const whole = parse(text);
  expect(whole.map(({ source }) => source)).toEqual(["x.xyz:2", "x.xyz:8"]);
  for (const end of ["\n", "\r\n", "\r"])
    for (const size of [1, 2, 5, 1000]) {
      const cutter = new FrameCutter("x");
      const all = text.replaceAll("\n", end);
      const frames = [];
      for (let i = 0; i < all.length; i += size) frames.push(...cutter.push(all.slice(i, i + size)));
      frames.push(...cutter.end());
      expect(frames.map(({ line, lines }) => [line, lines.length])).toEqual([
        [2, 3],
        [8, 2],
      ]);
    }
});

const P = "Properties=species:S:1:pos:R:3";
test.each<[string, string, RegExp]>([
  ["no count", "two\n\nH 0 0 0\n", /x\.xyz:1: the number of atoms is expected, not "two"/],
  ["no atoms", "0\n\n", /x\.xyz:1: the number of atoms/],
  ["too few atoms", "3\n\nH 0 0 0\n", /x\.xyz:3: the file ends after 1 of the 3 atoms that line 1 announces/],
  ["too many atoms", "1\n\nH 0 0 0\nH 1 1 1\n", /x\.xyz:4: the number of atoms is expected, not "H 1 1 1"/],
  ["an endless line", `1\n${"x".repeat(2 ** 21)}`, /x\.xyz:2: a line longer than 1 MB/],
  ["no element", one(P, "Xx 0 0 0"), /x\.xyz:3: "Xx" is no element/],
  ["element 119", one(P, "119 0 0 0"), /x\.xyz:3: "119" is no element/],
  ["a position that is no number", one(P, "H 0 0 0", "H 0 nan 0"), /x\.xyz:4: "nan" of "pos" is not a finite number/],
  ["a logical that is none", one(`${P}:l:L:1`, "H 0 0 0 2"), /x\.xyz:3: "2" of "l" is not T or F/],
  [
    "too few columns",
    one(`${P}:f:R:3`, "H 0 0 0 1"),
    /x\.xyz:3: "H 0 0 0 1" has 5 values where 7 are expected \(species, pos, f\)/,
  ],
  ["too many columns", one(P, "H 0 0 0 1"), /has 5 values where 4 are expected/],
  ["too few in plain xyz", one("", "H 0 0"), /has 3 values where 4 are expected/],
  ["no positions", one("Properties=species:S:1", "H"), /x\.xyz:2: Properties .* have no column of pos:R:3/],
  ["no species", one("Properties=pos:R:3", "0 0 0"), /have no column of species/],
  [
    "a broken description",
    one("Properties=species:S:1:pos:Q:3", "H 0 0 0"),
    /x\.xyz:2: Properties .* are not name:type:columns/,
  ],
  ["a column twice", one(`${P}:pos:R:3`, "H 0 0 0 1 1 1"), /name "pos" twice/],
  ["no value", one(`${P} a=`, "H 0 0 0"), /x\.xyz:2: "a=" is not key=value/],
  ["an open quote", one(`${P} a="x`, "H 0 0 0"), /x\.xyz:2: .* is not key=value/],
  ["a key twice", one(`${P} e=1 e=2`, "H 0 0 0"), /x\.xyz:2: "e" comes twice/],
  [
    "eight numbers",
    one('Lattice="1 0 0 0 1 0 0 0"', "H 0 0 0"),
    /x\.xyz:2: Lattice "1 0 0 0 1 0 0 0" is not nine numbers/,
  ],
  ["a flat cell", one('Lattice="1 0 0 0 1 0 1 1 0"', "H 0 0 0"), /x\.xyz:2: The lattice vectors .* lie in a plane/],
  ["a zero vector that repeats", one('Lattice="1 0 0 0 1 0 0 0 0"', "H 0 0 0"), /lie in a plane/],
  ["two parallel vectors and zeros", one('Lattice="1 0 0 2 0 0 0 0 0" pbc="T T F"', "H 0 0 0"), /lie in a plane/],
  ["pbc", one(`${P} pbc="T T"`, "H 0 0 0"), /x\.xyz:2: pbc "T T" is not three of T and F/],
  ["periodic without lattice", one(`${P} pbc="T T T"`, "H 0 0 0"), /x\.xyz:1: it is periodic but has no lattice/],
])("%s: file, line and text", (_, text, message) => {
  expect(() => parse(text)).toThrow(UserError);
  expect(() => parse(text)).toThrow(message);
});

test("what is written is read back, to the last bit", () => {
  const looksLikeValue = (value: unknown) =>
    typeof value === "string" && /^([+-]?[\d.]+(e[+-]?\d+)?|t|f|true|false)$/i.test(value);
  fc.assert(
    fc.property(fc.array(anyStructure(), { minLength: 1, maxLength: 3 }), (structures) => {
      const again = parseExtxyz(writeExtxyz(structures));
      expect(again).toHaveLength(structures.length);
      again.forEach((structure, i) => {
        const expected = structures[i];
        expect(structure.lattice?.matrix).toEqual(expected.lattice?.matrix);
        expect(structure.periodic).toEqual(expected.periodic);
        expect(structure.numbers).toEqual(expected.numbers);
        expect(structure.positions).toEqual(expected.positions);
        expect(structure.arrays).toEqual(expected.arrays);
        const kept = Object.entries(expected.properties).filter(([, value]) => !looksLikeValue(value));
        expect(structure.properties).toMatchObject(Object.fromEntries(kept));
      });
    }),
    { seed: 2, numRuns: 200 },
  );
});

test("what xyz cannot hold is refused", () => {
  const atom = new Structure({ numbers: [1], positions: [0, 0, 0], source: "a" });
  expect(() => writeExtxyz([atom.with({ arrays: { "a:b": Float64Array.of(1) } })])).toThrow(/a: the array "a:b"/);
  expect(() => writeExtxyz([atom.with({ arrays: { f: Float64Array.of() } })])).toThrow(/"f" \(0 numbers for 1 atoms\)/);
  const disorder = new Map([[0, [{ number: 1, occupancy: 0.5 }]]]);
  expect(() => writeExtxyz([atom.with({ numbers: [0], disorder })])).toThrow(/a: xyz has no partial occupancies/);
});
