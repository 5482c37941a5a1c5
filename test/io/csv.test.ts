import { expect, test } from "vitest";
import { csvLine, shortest } from "../../src/io/csv.ts";

test("csv quotes what must be quoted", () => {
  const lines = [
    ["id", "x,y"],
    ['a "b"', undefined],
    ["c", -1.5],
  ].map(csvLine);
  expect(lines.join("")).toBe('id,"x,y"\n"a ""b""",\nc,-1.5\n');
});

test("numbers of f32 in as few digits as tell them apart", () => {
  expect([7.2, 0.1, 1e-7, 16777217, 3].map((x) => shortest(Math.fround(x)))).toEqual([7.2, 0.1, 1e-7, 16777216, 3]);
  for (const x of [1 / 3, Math.PI * 1e9, -2.5e-30]) expect(Math.fround(shortest(Math.fround(x)))).toBe(Math.fround(x));
  expect([NaN, Infinity].map(shortest)).toEqual([NaN, Infinity]);
});
