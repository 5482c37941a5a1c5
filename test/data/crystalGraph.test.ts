import { beforeAll, describe, expect, test } from "vitest";
import { CrystalGraphFeaturiser } from "../../src/data/crystalGraph.ts";
import type { Graph } from "../../src/data/graph.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { featuriserFromJSON, type RowFeaturiserJson } from "../../src/data/rowFeaturiser.ts";
import { Structure, type StructureInit } from "../../src/data/structure.ts";
import { init, scope, type Tensor } from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const rocksalt = (changes: Partial<StructureInit> = {}): Structure =>
  new Structure({
    lattice: Lattice.cubic(5.6402),
    numbers: [11, 11, 11, 11, 17, 17, 17, 17],
    fractional: [0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0, 0.5, 0, 0, 0, 0.5, 0, 0, 0, 0.5, 0.5, 0.5, 0.5],
    source: "NaCl.cif",
    ...changes,
  });

const rows = (structures: readonly Structure[], targets?: number[]) => ({
  file: "test",
  length: structures.length,
  structures,
  formulas: undefined,
  lines: Int32Array.from(structures, (_, i) => i + 1),
  numeric: { names: [], values: new Float64Array(0) },
  categorical: { names: [], values: [] },
  targets: targets && { names: ["y"], values: Float64Array.from(targets) },
});

test("twelve neighbours in rocksalt: six near, six of the next twelve, or all of these", () => {
  const cut = new CrystalGraphFeaturiser().graph(rocksalt());
  expect([cut.nodes, cut.edges]).toEqual([8, 96]);
  expect([...cut.distance!.subarray(0, 12)].map((d) => Number(d.toFixed(3)))).toEqual([
    ...new Array(6).fill(2.82),
    ...new Array(6).fill(3.988),
  ]);
  expect(new CrystalGraphFeaturiser({ shells: "whole" }).graph(rocksalt()).edges).toBe(8 * 18);
  expect(new CrystalGraphFeaturiser({ maxNeighbours: undefined, radius: 3 }).graph(rocksalt()).edges).toBe(8 * 6);
});

test("vectors point from receiver to sender, and are as long as the distance says", () => {
  const { ptr, sender, vector, distance, numbers } = new CrystalGraphFeaturiser().graph(rocksalt());
  const structure = rocksalt();
  for (let i = 0; i < 8; i++)
    for (let e = ptr[i]; e < ptr[i + 1]; e++) {
      const v = vector!.subarray(3 * e, 3 * e + 3);
      expect(Math.hypot(...v)).toBeCloseTo(distance![e], 5);
      const [from, to] = [structure.position(i), structure.position(sender[e])];
      // What remains after going there is a lattice translation.
      for (let c = 0; c < 3; c++) {
        const cells = (from[c] + v[c] - to[c]) / 5.6402;
        expect(Math.abs(cells - Math.round(cells))).toBeLessThan(1e-5);
      }
      expect(e - ptr[i] < 6).toBe(numbers![i] !== numbers![sender[e]]);
    }
});

test("equal structures share a graph, changed ones do not", () => {
  const featuriser = new CrystalGraphFeaturiser();
  const graph = featuriser.graph(rocksalt());
  expect(featuriser.graph(rocksalt({ source: "the same in another file" }))).toBe(graph);
  expect(new CrystalGraphFeaturiser({ atoms: "onehot" }).graph(rocksalt())).toBe(graph);
  expect(featuriser.graph(rocksalt({ lattice: Lattice.cubic(5.7) }))).not.toBe(graph);
  expect(new CrystalGraphFeaturiser({ maxNeighbours: 6 }).graph(rocksalt())).not.toBe(graph);
});

describe("atom vectors", () => {
  const atomsOf = (featuriser: CrystalGraphFeaturiser, structure: Structure): number[][] =>
    scope(() => {
      const [atoms, graph] = featuriser.dataset(rows([structure])).batch(Int32Array.of(0)).inputs as [Tensor, Graph];
      const all = [...atoms.data];
      return Array.from({ length: graph.nodes }, (_, i) => all.slice(i * featuriser.width, (i + 1) * featuriser.width));
    });

  test("of CGCNN, one-hot, the user's own by symbol and by number", () => {
    const [na] = atomsOf(new CrystalGraphFeaturiser(), rocksalt());
    expect(na.length).toBe(92);
    expect(na.flatMap((bit, i) => (bit ? [i] : [])).slice(0, 2)).toEqual([1, 21]); // group 1, period 3
    const hot = atomsOf(new CrystalGraphFeaturiser({ atoms: "onehot" }), rocksalt());
    expect([hot[0].indexOf(1), hot[4].indexOf(1), hot[0].length]).toEqual([10, 16, 118]);
    const own = new CrystalGraphFeaturiser({ atoms: { Na: [1, 2], 17: [3, 4] } });
    expect([own.width, atomsOf(own, rocksalt())[7]]).toEqual([2, [3, 4]]);
  });

  test.each([
    [{ Na: [1, 2], Cl: [1] }, "Atom vectors: Cl has 1 numbers, other elements 2."],
    [{ Xx: [1] }, 'Atom vectors: "Xx" is neither a symbol nor an atomic number.'],
    [{ Na: [] }, "Atom vectors: that of Na is not a list of numbers."],
    [{}, "Atom vectors: there are none."],
  ])("mistake %#", (atoms, message) => {
    expect(() => new CrystalGraphFeaturiser({ atoms })).toThrow(message);
  });
});

test("what cannot be used is named", () => {
  const featuriser = new CrystalGraphFeaturiser();
  const numbers = [11, 11, 11, 11, 17, 17, 17, 0];
  const disorder = new Map([[7, [{ number: 17, occupancy: 0.5 }]]]);
  expect(() => featuriser.graph(rocksalt({ numbers, disorder }))).toThrow("NaCl.cif: site 8 is shared");
  expect(() => featuriser.graph(rocksalt({ numbers: [11, 11, 11, 11, 17, 17, 17, 103] }))).toThrow(
    /NaCl\.cif: .*Lawrencium/,
  );
  expect(() => new CrystalGraphFeaturiser({ atoms: { Na: [1] } }).graph(rocksalt())).toThrow(
    "NaCl.cif: the atom vectors have none for Cl.",
  );
  expect(() => featuriser.dataset({ ...rows([]), structures: undefined })).toThrow("test has no structures.");
  expect(() => new CrystalGraphFeaturiser({ radius: 0 })).toThrow("The radius must be above 0 Å, not 0.");
  expect(() => new CrystalGraphFeaturiser({ maxNeighbours: 0 })).toThrow("maxNeighbours must be a whole number ≥ 1");
});

test("is stored and restored by its JSON; the hash tells specifications apart", () => {
  const featuriser = new CrystalGraphFeaturiser({ radius: 6, atoms: { Na: [1, 2], Cl: [3, 4] } });
  const json: RowFeaturiserJson = JSON.parse(JSON.stringify(featuriser));
  expect(featuriserFromJSON(json).hash).toBe(featuriser.hash);
  expect(new CrystalGraphFeaturiser({ radius: 6 }).hash).not.toBe(featuriser.hash);
  const foreign = { ...new CrystalGraphFeaturiser().toJSON(), elements: "0".repeat(64) };
  expect(() => featuriserFromJSON(foreign)).toThrow("another table of the elements");
});

test("targets follow the rows; batches of inference are as large as the largest graph allows", () => {
  const data = new CrystalGraphFeaturiser().dataset(
    rows([rocksalt(), rocksalt({ lattice: Lattice.cubic(6) })], [1.5, 2.5]),
  );
  expect([...data.batch(Int32Array.of(1, 0, 1)).targets]).toEqual([2.5, 1.5, 2.5]);
  expect([data.length, data.outputs, data.isolated, data.inferenceBatch]).toEqual([2, 1, 0, 1024]);
});
