import { beforeAll, expect, test } from "vitest";
import { ArrayDataset, splitRows } from "../../src/data/dataset.ts";
import { readCsv, TabularData } from "../../src/data/tabular.ts";
import { init, Rng } from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

test("a batch holds the asked rows in order", () => {
  const data = new ArrayDataset(Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(10, 20, 30), 3);
  const { inputs, targets } = data.batch(Int32Array.of(2, 0));
  expect([...(inputs[0] as { data: Float32Array }).data]).toEqual([5, 6, 1, 2]);
  expect([...targets]).toEqual([30, 10]);
  expect([data.width, data.outputs, data.rows([1]).length]).toEqual([2, 1, 1]);
  expect(() => new ArrayDataset(new Float32Array(5), new Float32Array(2), 2)).toThrow(/do not make 2 rows/);
});

test("a split is disjoint, complete, seeded, and never empty on a side", () => {
  for (const [n, fraction] of [
    [2, 0.99],
    [3, 0.01],
    [100, 0.8],
    [101, 0.5],
  ]) {
    const [a, b] = splitRows(n, fraction, new Rng(n));
    expect([...a, ...b].sort((x, y) => x - y)).toEqual(Array.from({ length: n }, (_, i) => i));
    expect(a.length).toBeGreaterThan(0);
    expect(b.length).toBeGreaterThan(0);
    expect(splitRows(n, fraction, new Rng(n))[0]).toEqual(a);
  }
  const labels = Int32Array.from({ length: 100 }, (_, i) => (i < 60 ? 0 : i < 90 ? 1 : 2));
  const [most, few] = splitRows(100, 0.9, new Rng(1), labels);
  const counts = (rows: Int32Array) => [0, 1, 2].map((label) => rows.filter((row) => labels[row] === label).length);
  expect([counts(most), counts(few)]).toEqual([
    [54, 27, 9],
    [6, 3, 1],
  ]);
  expect([...most, ...few].sort((x, y) => x - y)).toEqual([...labels.keys()]);
  expect(splitRows(2, 0.9, new Rng(0), [0, 1]).map((rows) => rows.length)).toEqual([1, 1]);
  expect(() => splitRows(1, 0.5, new Rng(0))).toThrow(/cannot be split/);
  expect(() => splitRows(10, 1, new Rng(0))).toThrow(/between 0 and 1/);
});

const csv = (text: string): Uint8Array => new TextEncoder().encode(text);

test("readCsv takes the formula's elements, or else every numeric column; scaling is learned from the training rows alone", async () => {
  const formulas = await readCsv(csv("formula,x,y\nNaCl,1,2\nKBr,2,3\nMgO,3,5\n"), { target: "y", file: "a.csv" });
  expect(formulas.width).toBeGreaterThan(100);
  const numbers = await readCsv(csv("a,b,y\n1,10,1\n2,20,2\n3,30,3\n100,40,4\n"), { target: "y", file: "b.csv" });
  expect(numbers).toBeInstanceOf(TabularData);
  expect(numbers.width).toBe(2);
  const { train, validation, featuriser } = numbers.split(0.75, new Rng(1));
  expect([train.length, validation.length, featuriser.names]).toEqual([3, 1, ["a", "b"]]);
  for (let c = 0; c < 2; c++) {
    const column = [0, 1, 2].map((r) => train.x[r * 2 + c]);
    expect(column.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 5);
  }
});
