import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { parsePoscar, writePoscar } from "../../src/data/poscar.ts";
import { Structure } from "../../src/data/structure.ts";
import fixtures from "../fixtures/structures.json" with { type: "json" };
import { anyStructure, expectClose } from "./anyStructure.ts";

const NACL = `Na Cl
1.0
4 0 0
0 4 0
0 0 4
Na Cl
1 1
Direct
0 0 0
0.5 0.5 0.5
`;
/** NACL with some of its lines replaced, counted from 1. */
const edited = (changes: Record<number, string | undefined>) =>
  NACL.split("\n")
    .flatMap((line, i) => (i + 1 in changes ? (changes[i + 1] ?? []) : line))
    .join("\n");

test.each(fixtures.poscar)("$name, as ASE reads it", ({ text, numbers, positions, lattice }) => {
  const structure = parsePoscar(text, { file: "POSCAR" });
  expect([...structure.numbers]).toEqual(numbers);
  expectClose(structure.positions, positions);
  expectClose(structure.lattice!.matrix.flat(), lattice.flat());
  expect(structure.periodic).toEqual([true, true, true]);
  expect(structure.source).toBe("POSCAR");
});

describe("what VASP and its users write", () => {
  test("names of potentials are elements", () => {
    expect([...parsePoscar(edited({ 6: "Na_pv Cl_h" })).numbers]).toEqual([11, 17]);
    expect([...parsePoscar(edited({ 6: "Fe_sv_GW H1.25" })).numbers]).toEqual([26, 1]);
    expect([...parsePoscar(edited({ 6: "Cu/8f2e41 O/a1" })).numbers]).toEqual([29, 8]);
  });
  test("VASP 4: symbols behind the coordinates, or in the comment", () => {
    expect([...parsePoscar(edited({ 1: "K Br", 6: undefined })).numbers]).toEqual([19, 35]);
    expect([...parsePoscar(edited({ 1: "K1 Br1", 6: undefined })).numbers]).toEqual([19, 35]);
    expect([...parsePoscar(edited({ 1: "x", 6: undefined, 9: "0 0 0 K", 10: ".5 .5 .5 F" })).numbers]).toEqual([19, 9]);
    const selective = edited({ 6: undefined, 8: "Selective\nDirect", 9: "0 0 0 T T F K", 10: ".5 .5 .5 F F F F" });
    expect([...parsePoscar(selective).numbers]).toEqual([19, 9]);
  });
  test("flags, velocities, comments and other line ends", () => {
    const text = edited({
      7: "1 1 ! atoms",
      8: "selective dynamics\nCartesian",
      9: "1 0 0 T F T",
      10: "2 2 2 F F F\n\n1 2 3",
    });
    expect([...parsePoscar(text.replaceAll("\n", "\r\n")).positions]).toEqual([1, 0, 0, 2, 2, 2]);
    expect([...parsePoscar(text.replaceAll("\n", "\r")).positions]).toEqual([1, 0, 0, 2, 2, 2]);
  });
  test("three scale factors stretch x, y and z, of Cartesian coordinates too", () => {
    const structure = parsePoscar(edited({ 2: "1 2 3", 3: "1 1 1", 8: "K", 10: "1 1 1" }));
    expect(structure.lattice!.matrix).toEqual([
      [1, 2, 3],
      [0, 8, 0],
      [0, 0, 12],
    ]);
    expect([...structure.positions.subarray(3)]).toEqual([1, 2, 3]);
  });
  test("a negative factor is the volume", () => {
    expect(parsePoscar(edited({ 2: "-27" })).lattice!.volume).toBeCloseTo(27, 12);
  });
});

test.each<[string, string, RegExp]>([
  ["nothing", "", /p:2: a scale factor .* not the end of the file/],
  ["no scale", edited({ 2: "one" }), /p:2: a scale factor \(or three positive ones\) is expected, not "one"/],
  ["scale 0", edited({ 2: "0" }), /p:2: a scale factor/],
  ["two factors", edited({ 2: "1 2" }), /p:2: a scale factor/],
  ["a negative one of three", edited({ 2: "1 -1 1" }), /p:2: a scale factor/],
  ["a short vector", edited({ 4: "0 4" }), /p:4: lattice vector b, three numbers, is expected, not "0 4"/],
  ["a flat cell", edited({ 5: "4 4 0" }), /p:3: The lattice vectors .* lie in a plane/],
  ["a flat cell with a volume", edited({ 2: "-5", 5: "4 4 0" }), /p:3: The lattice vectors .* lie in a plane/],
  ["no element", edited({ 6: "Na Xx" }), /p:6: "Xx" is no element/],
  ["three species", edited({ 6: "Na Cl K" }), /p:7: 2 numbers of atoms for 3 species \(Na Cl K\)/],
  ["counts that are none", edited({ 7: "1 x" }), /p:7: numbers of atoms are expected, not "1 x"/],
  [
    "no species at all",
    edited({ 1: "salt", 6: undefined }),
    /p:6: the species are not named.*"salt"\.\n {2}Insert a line with 2 symbols/,
  ],
  ["a comment that does not fit", edited({ 1: "Na2 Cl", 6: undefined }), /p:6: the species are not named/],
  ["no mode", edited({ 8: undefined }), /p:8: "Direct" or "Cartesian" is expected, not "0 0 0"/],
  ["more atoms than lines", edited({ 7: "999999999 1" }), /the file ends before the last of its 1000000000 atoms/],
  [
    "a cut coordinate",
    edited({ 10: "0.5 0.5" }),
    /p:10: the position of atom 2, three numbers, is expected, not "0.5 0.5"/,
  ],
  ["a coordinate that is none", edited({ 10: "0.5 0.5 nan" }), /p:10: the position of atom 2/],
  ["no atoms", edited({ 7: "0 0" }), /p: there are no atoms/],
])("%s: file, line and text", (_, text, message) => {
  expect(() => parsePoscar(text, { file: "p" })).toThrow(UserError);
  expect(() => parsePoscar(text, { file: "p" })).toThrow(message);
});

test("what is written is read back, atom by atom", () => {
  fc.assert(
    fc.property(anyStructure({ crystal: true }), (structure) => {
      const again = parsePoscar(writePoscar(structure));
      expect(again.numbers).toEqual(structure.numbers);
      expectClose(again.positions, structure.positions);
      expectClose(again.lattice!.matrix.flat(), structure.lattice!.matrix.flat());
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("the comment stays one line; what the format cannot hold is refused", () => {
  const structure = parsePoscar(NACL, { file: "a" });
  expect(writePoscar(structure, { comment: "two\nlines" }).split("\n")[0]).toBe("two lines");
  expect(writePoscar(structure).split("\n")[0]).toBe("NaCl");
  const half = new Map([[0, [{ number: 11, occupancy: 0.5 }]]]);
  expect(() => writePoscar(structure.with({ numbers: [0, 17], disorder: half }))).toThrow(
    /a: POSCAR has no partial occ/,
  );
  expect(() => writePoscar(new Structure({ numbers: [1], positions: [0, 0, 0], source: "m" }))).toThrow(
    /m has no lattice/,
  );
  expect(Lattice.cubic(4).matrix).toEqual(structure.lattice!.matrix);
});
