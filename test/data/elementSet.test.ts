import { beforeAll, describe, expect, test } from "vitest";
import { type ElementSetDataset, ElementSetFeaturiser, ElementSets, groupFormulas } from "../../src/data/elementSet.ts";
import { elementVectors, readElementVectors } from "../../src/data/elementVectors.ts";
import { readTable, type Table } from "../../src/data/index.ts";
import { featuriserFromJSON } from "../../src/data/rowFeaturiser.ts";
import { init, Rng } from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const table = (lines: string, target = "y"): Promise<Table> => readTable(bytes(lines), { file: "a.csv", target });

test("formulas become elements and fractions, the most frequent first", async () => {
  const rows = await table("formula,y\nFe2O3,1\nSrTiO3,2\nNaN,3\nSi,4\n");
  const { sets } = ElementSetFeaturiser.of("onehot").dataset(rows);
  expect(sets.map(({ numbers }) => numbers)).toEqual([[8, 26], [8, 22, 38], [7, 11], [14]]);
  expect(sets[0].fractions[0]).toBeCloseTo(0.6, 12);
  expect(sets[1].fractions.map((f) => Math.round(f * 1e6))).toEqual([600_000, 200_000, 200_000]);
});

test("a batch holds the elements' own rows, no padding", async () => {
  const data = ElementSetFeaturiser.of("onehot").dataset(await table("formula,y\nFe2O3,1\nSrTiO3,2\nSi,3\n"));
  const { inputs, targets } = data.batch(Int32Array.of(1, 2));
  const sets = inputs[0] as ElementSets;
  expect([sets.count, sets.tokens, [...sets.sizes]]).toEqual([2, 4, [3, 1]]);
  expect([...sets.numbers.data]).toEqual([8, 22, 38, 14]);
  expect([...sets.owner.data]).toEqual([0, 0, 0, 1]);
  expect([...sets.owners.ptr.data]).toEqual([0, 3, 4]);
  expect([...targets]).toEqual([2, 3]);
});

describe("jitter", () => {
  const set = { numbers: [8, 26, 12], fractions: [0.5, 0.3, 0.2] };
  const many = Array.from({ length: 400 }, () => set);

  test("varies fractions by its share while training, and they still add up to 1", () => {
    const { fractions } = ElementSets.batch(many, { rng: new Rng(1), jitter: 0.02 });
    const ratios: number[] = [];
    for (let s = 0; s < many.length; s++) {
      const [a, b, c] = fractions.subarray(3 * s, 3 * s + 3);
      expect(a + b + c).toBeCloseTo(1, 6);
      // The common factor of the new sum drops out.
      ratios.push(Math.log(a / b / (0.5 / 0.3)));
    }
    const deviation = Math.sqrt(ratios.reduce((sum, r) => sum + r * r, 0) / ratios.length);
    expect(deviation).toBeGreaterThan(0.02 * Math.SQRT2 * 0.85);
    expect(deviation).toBeLessThan(0.02 * Math.SQRT2 * 1.15);
  });

  test("only then, and by the generator alone", async () => {
    const data = ElementSetFeaturiser.of("onehot").dataset(await table("formula,y\nFe2O3,1\n"));
    const fractions = (rng?: Rng): number[] => [
      ...(data.batch(Int32Array.of(0), rng).inputs[0] as ElementSets).fractions,
    ];
    expect(fractions()).toEqual([0.6, 0.4].map(Math.fround));
    expect(fractions(new Rng(2))).toEqual(fractions(new Rng(2)));
    expect(fractions(new Rng(2))).not.toEqual(fractions());
  });
});

describe("vectors", () => {
  test("onehot and descriptors", () => {
    const onehot = elementVectors("onehot");
    expect([onehot.width, onehot.elements.length]).toEqual([118, 118]);
    expect([...onehot.table.subarray(118, 121)]).toEqual([1, 0, 0]);
    const descriptors = elementVectors("descriptors");
    expect(descriptors.elements.at(-1)).toBe(103);
    const { table: values, width } = descriptors;
    for (let c = 0; c < width; c++) {
      const column = descriptors.elements.map((z) => values[z * width + c]);
      expect(column.reduce((sum, x) => sum + x, 0) / 103).toBeCloseTo(0, 5);
      expect(column.reduce((sum, x) => sum + x * x, 0) / 103).toBeCloseTo(1, 4);
    }
    expect(values.subarray(0, width).every((x) => x === 0)).toBe(true);
  });

  test("from a table; equal numbers have equal hashes", async () => {
    const text = "element,0,1\nH,0.5,-1\nO,1.5,2\n";
    const vectors = await readElementVectors(bytes(text), { file: "v.csv" });
    expect([vectors.name, vectors.width, vectors.elements]).toEqual(["v.csv", 2, [1, 8]]);
    expect([...vectors.table.subarray(16, 18)]).toEqual([1.5, 2]);
    expect((await readElementVectors(bytes(text.replace("element", "x")), { file: "w.csv" })).hash).toBe(vectors.hash);
    expect((await readElementVectors(bytes(text.replace("1.5", "1.6")))).hash).not.toBe(vectors.hash);
  });

  test.each([
    ["element,0\nXx,1\n", /v\.csv:2: "Xx" is neither a symbol nor an atomic number/],
    ["element,0\nH,1\nH,2\n", /v\.csv:3: H comes twice/],
    ["element,a\nH,one\n", /v\.csv:2: column "a" holds "one", not a number/],
    ["element,a\n", /v\.csv holds no element vectors/],
  ])("say what is wrong: %j", async (text, message) => {
    await expect(readElementVectors(bytes(text), { file: "v.csv" })).rejects.toThrow(message);
  });

  test("an element without one is named with its line", async () => {
    const vectors = await readElementVectors(bytes("element,0\nH,1\nO,2\n"), { file: "v.csv" });
    const rows = await table("formula,y\nH2O,1\nFeO,2\n");
    expect(() => ElementSetFeaturiser.of(vectors).dataset(rows)).toThrow(
      /a\.csv:3: Iron in "FeO" has no vector in v\.csv/,
    );
  });
});

test("goes through JSON: the same sets, the vectors are the model's", async () => {
  const made = ElementSetFeaturiser.of("descriptors");
  const again = featuriserFromJSON(JSON.parse(JSON.stringify(made))) as ElementSetFeaturiser;
  expect(again.hash).toBe(made.hash);
  expect(again.vectors).toBeUndefined();
  const rows = await table("formula,y\nFe2O3,1\nSrTiO3,2\n");
  expect((again.dataset(rows) as ElementSetDataset).sets).toEqual(made.dataset(rows).sets);
  expect(() => ElementSetFeaturiser.fromJSON({ kind: "elements" })).toThrow(/newer version/);
});

describe("grouping", () => {
  const text = "formula,y\nFe2O3,1\nSi,5\nFe4O6,2\nO3Fe2,6\nNaCl,4\n";

  test("averages equal compositions, where the first one stands", async () => {
    const grouped = groupFormulas(await table(text));
    expect([...grouped.formulas!]).toEqual(["Fe2O3", "Si", "NaCl"]);
    expect([...grouped.targets!.values]).toEqual([3, 5, 4]);
    expect([...grouped.lines]).toEqual([2, 3, 6]);
  });

  test("takes the most frequent class, and can leave pure elements out", async () => {
    const labels = await table("formula,y\nFe2O3,b\nSi,a\nFe4O6,a\nO3Fe2,a\n");
    const grouped = groupFormulas(labels, { pure: false });
    expect([...grouped.formulas!]).toEqual(["Fe2O3"]);
    expect(labels.classes![grouped.targets!.values[0]]).toBe("a");
    expect(() => groupFormulas(grouped.rows([]))).toThrow(/none is left/);
  });
});

test("a table without formulas is refused", async () => {
  const rows = await readTable(bytes("x,y\n1,2\n"), { file: "a.csv", target: "y", numeric: ["x"] });
  expect(() => ElementSetFeaturiser.of("onehot").dataset(rows)).toThrow(/a\.csv has no formula column/);
});
