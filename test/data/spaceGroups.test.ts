import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { operationsFromHall } from "../../src/data/hall.ts";
import { Lattice } from "../../src/data/lattice.ts";
import {
  numberFromHall,
  SPACE_GROUP_SETTINGS,
  spaceGroupOperations,
  spaceGroupSettings,
} from "../../src/data/spaceGroups.ts";
import {
  formatOperation,
  generateGroup,
  keepsLattice,
  type Operation,
  OperationSet,
  parseOperation,
} from "../../src/data/symmetry.ts";

const fixture = JSON.parse(readFileSync(new URL("../fixtures/cif.json", import.meta.url), "utf8"));
const GOLDEN = (fixture.settings as string[]).map((line) => {
  const [number, hall, symbol, count, digest] = line.split("|");
  return { number: Number(number), hall, symbol, count: Number(count), digest };
});

/** As cif.py does it: nine factors and the translation in 24ths, sorted. */
function digest(operations: readonly Operation[]): string {
  const keys = operations.map(({ rotation, translation }) =>
    [...rotation.flat().map((f) => f + 0), ...translation.map((t) => ((Math.round(t * 24) % 24) + 24) % 24)].join(","),
  );
  return createHash("sha256").update(keys.sort().join("|")).digest("hex").slice(0, 8);
}

const names = (which: number | string) => spaceGroupSettings(which).map(({ symbol }) => symbol);

describe("all 530 settings", () => {
  test("have spglib's operations", () => {
    expect(GOLDEN.length).toBe(530);
    for (const { hall, count, digest: golden } of GOLDEN) {
      const operations = operationsFromHall(hall);
      expect([hall, operations.length, digest(operations)]).toEqual([hall, count, golden]);
    }
  });

  test("are those of spglib's table", () => {
    const key = ({ number, hall }: { number: number; hall: string }) => `${number}|${hall}`;
    expect(SPACE_GROUP_SETTINGS.map(key).sort()).toEqual(GOLDEN.map(key).sort());
    expect(new Set(SPACE_GROUP_SETTINGS.map(({ number }) => number)).size).toBe(230);
  });

  test("are found by spglib's symbol, and a symbol means one group only", () => {
    for (const { symbol, hall, number } of GOLDEN) {
      const found = spaceGroupSettings(symbol);
      expect(
        found.map((setting) => setting.hall),
        symbol,
      ).toContain(hall);
      expect(new Set(found.map((setting) => setting.number)), symbol).toEqual(new Set([number]));
      expect(numberFromHall(hall)).toBe(number);
    }
  });

  test("are closed groups", () => {
    for (const hall of ["P 1", "-P 2ybc", "-F 4vw 2vw 3", "-I 4bd 2c 3", '-R 3 2"c', "P 61 2 (0 0 -1)"]) {
      const operations = operationsFromHall(hall);
      expect(generateGroup(operations, 192).length).toBe(operations.length);
      expect(formatOperation(operations[0])).toBe("x,y,z");
    }
  });
});

describe("Hermann–Mauguin symbols", () => {
  test.each([
    ["P21/c", "P 1 21/c 1"],
    ["P 2_1/c", "P 1 21/c 1"],
    ["p2(1)/C", "P 1 21/c 1"],
    ["P 1 1 21/b", "P 1 1 21/b"],
    ["Fm-3m", "F m -3 m"],
    ["F m 3 m", "F m -3 m"],
    ["Fd3mZ", "F d -3 m:2"],
    ["F d -3 m S", "F d -3 m:1"],
    ["F d -3 m :1", "F d -3 m:1"],
    ["R-3mH", "R -3 m:H"],
    ["R -3 m :r", "R -3 m:R"],
    ["R 3 2", "R 3 2:H"],
    ["P 3 2 1", "P 3 2 1"],
    ["P32", "P 32"],
    ["A e m 2", "A b m 2"],
    ["Cmce", "C m c a"],
    ["C m m e", "C m m a"],
    ["I 41/a m d", "I 41/a m d:1"],
  ])("%s is %s", (symbol, first) => expect(names(symbol)[0]).toBe(first));

  test.each(["", "P", "P 5", "X m m", "F m -3 m:3", "Fm-3m:1", "toString"])("%s is none", (symbol) =>
    expect(names(symbol)).toEqual([]),
  );

  test("the unique axis and the axes of R follow from the cell", () => {
    const operations = (symbol: string, lattice: Lattice) => spaceGroupOperations(symbol, lattice).map(formatOperation);
    expect(operations("P 2", Lattice.fromParameters(5, 6, 7, 90, 100, 90))).toEqual(["x,y,z", "-x,y,-z"]);
    expect(operations("P 2", Lattice.fromParameters(5, 6, 7, 90, 90, 100))).toEqual(["x,y,z", "-x,-y,z"]);
    expect(operations("P 2", Lattice.fromParameters(5, 6, 7, 100, 90, 90))).toEqual(["x,y,z", "x,-y,-z"]);
    expect(operations("P 2", Lattice.cubic(5))).toEqual(["x,y,z", "-x,y,-z"]);
    expect(operations("R 3", Lattice.fromParameters(5, 5, 9, 90, 90, 120)).length).toBe(9);
    expect(operations("R 3", Lattice.fromParameters(5, 5, 5, 80, 80, 80))).toEqual(["x,y,z", "z,x,y", "y,z,x"]);
  });

  test("a symbol that leaves two origins is refused, as is a cell without the symmetry", () => {
    expect(() => spaceGroupOperations("F d -3 m", Lattice.cubic(5))).toThrow(
      'Space group "F d -3 m" has two choices of origin, and nothing says which.\n  Give the symbol as "F d -3 m:1" or "F d -3 m:2"',
    );
    expect(() => spaceGroupOperations(227, Lattice.cubic(5))).toThrow(
      "Space group number 227 has two choices of origin",
    );
    expect(() => spaceGroupOperations(225, Lattice.fromParameters(5, 5, 6, 90, 90, 90))).toThrow(
      "The cell with edges 5, 5, 6 Å and angles 90, 90, 90° has not the symmetry of space group number 225.",
    );
    expect(() => spaceGroupOperations("Q 1", Lattice.cubic(5))).toThrow('There is no space group "Q 1".');
    expect(() => spaceGroupOperations(231, Lattice.cubic(5))).toThrow("There is no space group number 231.");
  });
});

describe("Hall symbols", () => {
  test("are written in several ways", () => {
    const fm3m = digest(operationsFromHall("-F 4 2 3"));
    for (const symbol of ["-f_4_2_3", " -F  4 2 3 ", "-F 4z 2x 3*"])
      expect(digest(operationsFromHall(symbol))).toBe(fm3m);
    expect(digest(operationsFromHall("P 62"))).toBe(GOLDEN.find(({ symbol }) => symbol === "P 62")!.digest);
  });

  test.each([
    "",
    "4",
    "F",
    "Q 2",
    "P 5",
    "P 2 2 2 2 2",
    "P 4 6x",
    "P 2y9",
    "P 33",
    "P 3 2 (0 0)",
    "P 3 2 (0 0 x)",
    "P 2* ",
  ])("%s is none", (symbol) => expect(() => operationsFromHall(symbol)).toThrow(/ is not a Hall symbol: .*\.$/));
});

describe("operations", () => {
  test.each([
    ["x,y,z", "x,y,z"],
    ["X, -Y ,Z", "x,-y,z"],
    ["1/2-x, y+1/2, -z", "-x+1/2,y+1/2,-z"],
    ["0.5+x,.25-y,z-.75", "x+1/2,-y+1/4,z+1/4"],
    ["x-y,+x,z+0.3333", "x-y,x,z+1/3"],
    ["-x+y, -x, 0.67+z", "-x+y,-x,z+2/3"],
    ["y,x,-z+7/3", "y,x,-z+1/3"],
    ["1*x,-1*y,z+1/5", "x,-y,z+0.2"],
  ])("%s is %s", (text, written) => expect(formatOperation(parseOperation(text))).toBe(written));

  test.each([
    ["x,y", "it has 2 of 3 parts"],
    ["x,y,z,+1", "it has 4 of 3 parts"],
    ["x,y,", '"" is not like -x+1/2'],
    ["x,y,z+", '"z+" is not like -x+1/2'],
    ["x,y,zz", '"zz" is not like -x+1/2'],
    ["x,y,w", '"w" is not like -x+1/2'],
    ["x,y,z+1/0", '"z+1/0" is not like -x+1/2'],
    ["x,y,2*", '"2*" is not like -x+1/2'],
    ["x,x,z", "it multiplies volumes by 0"],
    ["2x,y,z", "it multiplies volumes by 2"],
  ])("%s is none", (text, why) =>
    expect(() => parseOperation(text)).toThrow(`${JSON.stringify(text)} is not a symmetry operation: ${why}.`),
  );

  test("are written so that they are read again", () => {
    for (const { hall } of GOLDEN.filter((_, i) => i % 10 === 0)) {
      const operations = operationsFromHall(hall);
      const again = new OperationSet(operations.map((operation) => parseOperation(formatOperation(operation))));
      expect(again.list.length).toBe(operations.length);
      expect(operations.every((operation) => again.has(operation))).toBe(true);
    }
  });

  test("a lattice keeps them to 1 %", () => {
    const fourfold = [parseOperation("-y,x,z")];
    expect(keepsLattice(fourfold, Lattice.fromParameters(5, 5.02, 7, 90, 90, 90.5))).toBe(true);
    expect(keepsLattice(fourfold, Lattice.fromParameters(5, 5.2, 7, 90, 90, 90))).toBe(false);
    expect(keepsLattice(fourfold, Lattice.fromParameters(5, 5, 7, 90, 90, 93))).toBe(false);
  });
});
