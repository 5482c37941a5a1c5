import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import type { Csr } from "../../src/core/csr.ts";
import { memoryUse } from "../../src/core/memory.ts";
import { CrystalGraphFeaturiser } from "../../src/data/crystalGraph.ts";
import { Graph, type GraphData, graphData } from "../../src/data/graph.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { lineGraph } from "../../src/data/lineGraph.ts";
import { Structure } from "../../src/data/structure.ts";
import { init, Rng, scope } from "../../src/index.ts";

const alignn: { sender: number[]; receiver: number[]; line: [number[], number[]] } = JSON.parse(
  readFileSync(new URL("../fixtures/alignn.json", import.meta.url), "utf8"),
);

beforeAll(async () => {
  await init({ threads: 1 });
});

/** What each row of a structure holds. */
const rowsOf = ({ rows, ptr, index }: Csr): number[][] =>
  Array.from({ length: rows }, (_, i) => [...index.data.subarray(ptr.data[i], ptr.data[i + 1])]);

test("pairs of edges are those of the reference, by receiver", () => {
  scope(() => {
    const line = lineGraph(Graph.batch([graphData(8, alignn.sender, alignn.receiver)]));
    expect([...line.sender.data]).toEqual(alignn.line[0]);
    expect([...line.receiver.data]).toEqual(alignn.line[1]);
    expect(line.edges).toBe(alignn.line[0].length);
  });
});

test("a node without edges, edges without others before or after them, a graph without edges", () => {
  scope(() => {
    // 0 → 1 → 2, and 3 alone.
    const line = lineGraph(Graph.batch([graphData(4, [0, 1], [1, 2])]));
    expect([line.edges, [...line.sender.data], [...line.receiver.data]]).toEqual([1, [0], [1]]);
    expect(lineGraph(Graph.batch([graphData(2, [], [])])).edges).toBe(0);
  });
});

test("its rows are the definition's: every pair once by either end, also of several graphs", () => {
  const rng = new Rng(4);
  for (let trial = 0; trial < 20; trial++) {
    const graphs = Array.from({ length: 1 + rng.integer(3) }, (): GraphData => {
      const nodes = 1 + rng.integer(5);
      const ends = () => Array.from({ length: 12 }, () => rng.integer(nodes));
      return graphData(nodes, ends(), ends());
    });
    scope(() => {
      const graph = Graph.batch(graphs);
      const line = lineGraph(graph);
      const [sender, receiver] = [graph.sender.toArray(), graph.receiver.toArray()];
      const [from, to] = [line.sender.toArray(), line.receiver.toArray()];
      const pairs = new Set(from.map((e, k) => e * graph.edges + to[k]));
      let expected = 0;
      for (let e = 0; e < graph.edges; e++)
        for (let f = 0; f < graph.edges; f++)
          if (receiver[e] === sender[f]) expected += pairs.has(e * graph.edges + f) ? 1 : Number.NaN;
      expect(line.edges).toBe(expected);
      const by = (end: Int32Array) =>
        Array.from({ length: graph.edges }, (_, e) => [...end.keys()].filter((k) => end[k] === e));
      expect(rowsOf(line.receivers)).toEqual(by(to));
      expect(rowsOf(line.senders)).toEqual(by(from));
    });
  }
});

test("its memory is the scope's", () => {
  const graph = Graph.batch([graphData(8, alignn.sender, alignn.receiver)]);
  const before = memoryUse().live;
  scope(() => {
    lineGraph(graph);
    expect(memoryUse().live).toBeGreaterThan(before);
  });
  expect(memoryUse().live).toBe(before);
});

/** Perovskite-like, its atoms off their ideal places. */
function crystal(rng: Rng): Structure {
  const sites = [0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0.5];
  return new Structure({
    lattice: new Lattice([
      [3.9, 0, 0],
      [0.4, 4.1, 0],
      [0, -0.3, 5.2],
    ]),
    numbers: [38, 22, 8, 8, 8],
    fractional: sites.map((x) => x + 0.05 * (rng.random() - 0.5)),
  });
}

const symmetric = new CrystalGraphFeaturiser({ shells: "whole", symmetric: true });

/** An edge by its ends and its vector in hundredths of Å. */
const edgesOf = ({ nodes, ptr, sender, vector }: GraphData, sign = 1): string[] =>
  Array.from({ length: nodes }, (_, i) => i).flatMap((i) =>
    Array.from({ length: ptr[i + 1] - ptr[i] }, (_, k) => {
      const e = ptr[i] + k;
      const v = [...vector!.subarray(3 * e, 3 * e + 3)].map((x) => Math.round(100 * sign * x) + 0);
      return `${sign > 0 ? [i, sender[e]] : [sender[e], i]} ${v}`;
    }),
  );

test("symmetric graphs are the union of whole shells and their reverses", () => {
  const rng = new Rng(8);
  for (let trial = 0; trial < 3; trial++) {
    const structure = crystal(rng);
    const nearest = new CrystalGraphFeaturiser({ shells: "whole" }).graph(structure);
    const graph = symmetric.graph(structure);
    const union = new Set([...edgesOf(nearest), ...edgesOf(nearest, -1)]);
    expect(edgesOf(graph).sort()).toEqual([...union].sort());
    expect(graph.edges).toBeGreaterThan(nearest.edges);
    for (let e = 0; e < graph.edges; e++)
      expect(Math.hypot(...graph.vector!.subarray(3 * e, 3 * e + 3))).toBeCloseTo(graph.distance![e], 5);
  }
});

test("where neighbours are few they are looked for farther off; a molecule has only so many", () => {
  const sparse = new Structure({ lattice: Lattice.cubic(15), numbers: [18], fractional: [0, 0, 0] });
  const graph = symmetric.graph(sparse);
  // Six at 15 Å, twelve at 15·√2.
  expect([graph.edges, graph.distance![0], graph.distance![17].toFixed(3)]).toEqual([18, 15, "21.213"]);
  const water = new Structure({ numbers: [8, 1, 1], positions: [0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0] });
  expect(symmetric.graph(water).edges).toBe(6);
  expect(symmetric.graph(new Structure({ numbers: [2], positions: [0, 0, 0] })).edges).toBe(0);
});

test("prediction takes fewer crystals at once where there are pairs of bonds", () => {
  const structures = [crystal(new Rng(2))];
  const rows = {
    ...{ file: "test", length: 1, structures, formulas: undefined, lines: Int32Array.of(1) },
    ...{ numeric: { names: [], values: new Float64Array(0) }, categorical: { names: [], values: [] } },
  };
  // Of 5 atoms with 12 to 18 neighbours: some thousand pairs.
  const batch = symmetric.dataset(rows).inferenceBatch;
  expect(batch).toBeGreaterThan(10);
  expect(batch).toBeLessThan(50);
  expect(new CrystalGraphFeaturiser({ shells: "whole" }).dataset(rows).inferenceBatch).toBe(1024);
});

test("a featuriser that is not symmetric, and knows all elements, is described as before", () => {
  const { spec } = new CrystalGraphFeaturiser().toJSON();
  expect(Object.keys(spec)).toEqual(["radius", "maxNeighbours", "shells", "pads", "atoms"]);
  const all = new CrystalGraphFeaturiser({ maxNeighbours: undefined, atoms: "numbers" });
  const again = CrystalGraphFeaturiser.fromJSON(JSON.parse(JSON.stringify(all.toJSON())));
  expect([again.spec.maxNeighbours, again.hash]).toEqual([undefined, all.hash]);
  expect(() => new CrystalGraphFeaturiser({ symmetric: true })).toThrow("A symmetric graph keeps whole shells");
  const few = new CrystalGraphFeaturiser({ atoms: "numbers", known: [11, 17] });
  expect(() => few.check(crystal(new Rng(1)))).toThrow("the network has not learned Sr.");
});
