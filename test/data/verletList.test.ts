import { beforeAll, describe, expect, test } from "vitest";
import { CrystalGraphFeaturiser } from "../../src/data/crystalGraph.ts";
import type { GraphData } from "../../src/data/graph.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { VerletList } from "../../src/data/verletList.ts";
import { init } from "../../src/index.ts";
import { Draw } from "../samples/draw.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const CUTOFF = 4;
const fresh = new CrystalGraphFeaturiser({ radius: CUTOFF, maxNeighbours: undefined, atoms: "numbers" });

/** A graph's edges and pairs in an order of their own: [receiver, sender, vector, distance]. */
function edgesOf({ nodes, ptr, sender, vector, distance, pair }: GraphData) {
  const edges: { text: string; pair: number }[] = [];
  for (let i = 0; i < nodes; i++)
    for (let e = ptr[i]; e < ptr[i + 1]; e++)
      edges.push({
        text: [i, sender[e], ...vector!.subarray(3 * e, 3 * e + 3), distance![e]].map((x) => x.toFixed(5)).join(" "),
        pair: pair![e],
      });
  const partners = edges.map((edge) =>
    edges
      .filter((other) => other.pair === edge.pair)
      .map(({ text }) => text)
      .sort(),
  );
  return edges.map(({ text }, i) => `${text} | ${partners[i].join(" & ")}`.replaceAll("-0.00000", "0.00000")).sort();
}

describe.each([
  [
    "a crystal smaller than the cutoff",
    new Lattice([
      [3, 0, 0.4],
      [0.5, 3.2, 0],
      [0, 0.3, 2.9],
    ]),
    [true, true, true],
  ],
  [
    "a slab",
    new Lattice([
      [6, 0, 0],
      [0, 7, 0],
      [0, 0, 30],
    ]),
    [true, true, false],
  ],
  ["a molecule", undefined, [false, false, false]],
] as const)("%s", (_, lattice, periodic) => {
  const start = (): Structure => {
    const draw = new Draw(5, 7);
    const numbers = [14, 14, 8, 8, 1, 1];
    const positions = Array.from({ length: 3 * numbers.length }, () => 5 * draw.random());
    return new Structure({ numbers, positions, lattice, periodic });
  };

  test("the graphs of moving atoms are those of a fresh search, with few searches", () => {
    const list = new VerletList(CUTOFF);
    const draw = new Draw(9, 7);
    let structure = start();
    for (let step = 0; step < 16; step++) {
      const graph = list.graph(structure);
      expect(edgesOf(graph)).toEqual(edgesOf(fresh.graph(structure)));
      expect([...graph.sent].sort((a, b) => a - b)).toEqual(Array.from({ length: graph.edges }, (_, e) => e));
      structure = structure.with({ positions: structure.positions.map((x) => x + 0.15 * (draw.random() - 0.5)) });
    }
    expect(list.searches).toBeGreaterThan(1);
    expect(list.searches).toBeLessThan(10);
  });
});

test("another lattice, periodicity or composition is searched anew", () => {
  const list = new VerletList(CUTOFF);
  const first = new Structure({ numbers: [14, 14], positions: [0, 0, 0, 1.3, 1.3, 1.3], lattice: Lattice.cubic(5) });
  list.graph(first);
  list.graph(first.with({ lattice: Lattice.cubic(5) }));
  expect(list.searches).toBe(1);
  for (const [i, other] of [
    first.with({ lattice: Lattice.cubic(5.01) }),
    first.with({ lattice: Lattice.cubic(5.01), periodic: [true, true, false] }),
    first.with({ lattice: Lattice.cubic(5.01), periodic: [true, true, false], numbers: [14, 6] }),
    new Structure({ numbers: [14], positions: [0, 0, 0] }),
  ].entries()) {
    expect(edgesOf(list.graph(other))).toEqual(edgesOf(fresh.graph(other)));
    expect(list.searches).toBe(2 + i);
  }
});
