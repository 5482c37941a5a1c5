import { afterEach, expect, test, vi } from "vitest";
import { sha256 } from "../../src/core/sha256.ts";
import {
  MICROSTRUCTURES,
  type Microstructure,
  type MicrostructureKind,
  microstructure,
  microstructures,
} from "../../src/data/microstructures.ts";
import type { Table } from "../../src/data/table.ts";

afterEach(() => void vi.restoreAllMocks());

const hash = ({ images }: Table) => sha256(JSON.stringify(images!.map(({ data }) => [...data])));
const mean = (x: ArrayLike<number>) => Array.from(x).reduce((a, b) => a + b) / x.length;
const deviation = (x: ArrayLike<number>) => {
  const middle = mean(x);
  return Math.sqrt(mean(Array.from(x, (v) => (v - middle) ** 2)));
};

const table = microstructures({ count: 12, size: 20, seed: 3 });
/** Of `table`; changes only with the data themselves. */
const GOLDEN = "e5fba69a0c7f64aa02b917bb5e17338cb286c7c22f4197d1917794bb6c7201d0";

test("a table of grey images whose classes take turns", () => {
  expect(MICROSTRUCTURES).toEqual(["grains", "spinodal", "dendrites", "fibres", "porous", "pearlite"]);
  expect(table.length).toBe(12);
  expect(table.classes).toEqual(MICROSTRUCTURES);
  expect(table.targets!.names).toEqual(["class"]);
  expect([...table.targets!.values]).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
  expect(table.ids.slice(4, 8)).toEqual(["porous-1", "pearlite-1", "grains-2", "spinodal-2"]);
  for (const { width, height, channels, data } of table.images!) {
    expect([width, height, channels]).toEqual([20, 20, 1]);
    expect(data).toBeInstanceOf(Uint8Array);
    expect(deviation(data)).toBeGreaterThan(10);
  }
});

test("each image knows its kind, its facts, and the seed that draws it again", () => {
  (table.images as readonly Microstructure[]).forEach((picture, row) => {
    expect(table.ids[row]).toBe(`${picture.kind}-${Math.floor(row / 6) + 1}`);
    expect(Object.values(picture.facts).every(Number.isFinite)).toBe(true);
    expect(microstructure(picture.kind, { size: 20, seed: picture.seed })).toEqual(picture);
  });
});

test("the same bits from one seed, others from another; the first rows do not depend on the count", () => {
  expect(hash(table)).toBe(GOLDEN);
  expect(hash(microstructures({ count: 7, size: 20, seed: 3 }))).toBe(hash(table.rows([0, 1, 2, 3, 4, 5, 6])));
  expect(hash(microstructures({ count: 12, size: 20, seed: 4 }))).not.toBe(GOLDEN);
});

test("the same bits whatever the engine's transcendentals are", () => {
  for (const name of ["exp", "log", "sin", "cos", "tan", "pow", "atan", "atan2", "tanh", "hypot", "cbrt"] as const)
    vi.spyOn(Math, name).mockImplementation(() => {
      throw new Error(`Math.${name} gives other bits on other engines`);
    });
  expect(hash(microstructures({ count: 12, size: 20, seed: 3 }))).toBe(GOLDEN);
});

test.each(MICROSTRUCTURES)("%s in any size from 16", (kind) => {
  for (const size of [16, 33]) {
    const { data, facts } = microstructure(kind, { size, seed: 11 });
    expect(data).toHaveLength(size * size);
    expect(new Set(data).size).toBeGreaterThan(20);
    expect(Object.keys(facts).length).toBeGreaterThan(1);
  }
});

test("neither brightness nor contrast tells a class from another", () => {
  const classes = ["grains", "fibres", "porous", "pearlite"] as const;
  const many = microstructures({ count: 320, size: 24, classes });
  const of = (kind: number, number: (x: ArrayLike<number>) => number) =>
    many.images!.filter((_, row) => row % 4 === kind).map(({ data }) => number(data));
  for (const number of [mean, deviation]) {
    const all = many.images!.map(({ data }) => number(data));
    // Within four standard errors of the mean of 80.
    for (const kind of classes.keys())
      expect(Math.abs(mean(of(kind, number)) - mean(all))).toBeLessThan((4 * deviation(all)) / Math.sqrt(80));
  }
});

test("classes can be chosen; what cannot be drawn is refused", () => {
  const two = microstructures({ count: 3, size: 16, classes: ["pearlite", "grains"] });
  expect(two.classes).toEqual(["pearlite", "grains"]);
  expect(two.ids).toEqual(["pearlite-1", "grains-1", "pearlite-2"]);
  expect(() => microstructure("bainite" as MicrostructureKind)).toThrow('there is no class "bainite"');
  expect(() => microstructures({ classes: ["grains"] })).toThrow("classes are grains; give two or more different ones");
  expect(() => microstructures({ classes: ["grains", "grains"] })).toThrow("two or more different ones");
  expect(() => microstructures({ count: 0 })).toThrow("count is 0, not 1, 2, …");
  expect(() => microstructure("grains", { size: 15 })).toThrow("size is 15, not 16, 17, …");
  expect(() => microstructure("grains", { seed: -1 })).toThrow("the seed must be a whole number");
});
