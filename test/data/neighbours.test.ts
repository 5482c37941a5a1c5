import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { Lattice } from "../../src/data/lattice.ts";
import { closestPair, type NeighbourList, neighbourList } from "../../src/data/neighbours.ts";
import { Structure } from "../../src/data/structure.ts";
import { init, memoryUse, UserError } from "../../src/index.ts";
import { type Edge, edgesOf, naive, nearest, rocksalt } from "./naiveNeighbours.ts";
import { randomCell } from "./randomCell.ts";

interface Fixture {
  counts: number[];
  sums: number[];
  hashes: number[];
  lists: Record<string, { i: number[]; j: number[]; d: number[]; D: number[][]; S: number[][] }>;
}
const ASE = JSON.parse(readFileSync(new URL("../fixtures/neighbours.json", import.meta.url), "utf8")) as Fixture;

beforeAll(async () => {
  await init({ threads: 2 });
});

function hashed(numbers: readonly number[]): number {
  let h = 0;
  for (const n of numbers) {
    h = Math.imul(h ^ n, 0x9e3779b1);
    h ^= h >>> 15;
  }
  return h >>> 0;
}

describe("ASE's neighbor_list", () => {
  test.each(["tiny", "usual", "flat", "skewed", "huge"])("finds the same edges in 200 %s cells", (kind) => {
    for (let number = ["tiny", "usual", "flat", "skewed", "huge"].indexOf(kind); number < 1000; number += 5) {
      const { structure, cutoff } = randomCell(number);
      const edges = edgesOf(neighbourList(structure, { cutoff }));
      expect(edges.length, structure.source).toBe(ASE.counts[number]);
      const hash = edges.reduce((sum, { i, j, image }) => sum + hashed([i, j, ...image]), 0);
      expect(hash % 2 ** 32, structure.source).toBe(ASE.hashes[number]);
      const sum = edges.map(({ distance }) => distance).sort((a, b) => a - b);
      const total = sum.reduce((a, b) => a + b, 0);
      expect(Math.abs(total - ASE.sums[number]), structure.source).toBeLessThan(1e-12 * (1 + total));
    }
  });

  test("gives the same lists", () => {
    expect(Object.keys(ASE.lists).length).toBe(20);
    for (const [number, { i, j, d, D, S }] of Object.entries(ASE.lists)) {
      const { structure, cutoff } = randomCell(Number(number));
      const byPair = (a: Edge, b: Edge): number =>
        a.i - b.i || a.j - b.j || a.image[0] - b.image[0] || a.image[1] - b.image[1] || a.image[2] - b.image[2];
      const found = edgesOf(neighbourList(structure, { cutoff })).sort(byPair);
      const known = i
        .map((_, e) => ({ i: i[e], j: j[e], image: S[e], vector: D[e], distance: d[e] }) as unknown as Edge)
        .sort(byPair);
      found.forEach((edge, e) => {
        expect([edge.i, edge.j, ...edge.image]).toEqual([known[e].i, known[e].j, ...known[e].image]);
        for (let c = 0; c < 3; c++) expect(edge.vector[c]).toBeCloseTo(known[e].vector[c], 12);
        expect(edge.distance).toBeCloseTo(known[e].distance, 12);
      });
    }
  });
});

describe("a reference that tries every image", () => {
  const anyCell = fc.integer({ min: 1000, max: 2 ** 31 }).map(randomCell);

  test("has the same edges, to the bit, in the same order", () => {
    fc.assert(
      fc.property(anyCell, ({ structure, cutoff }) => {
        expect(edgesOf(neighbourList(structure, { cutoff }))).toEqual(naive(structure, cutoff));
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test("has the same nearest neighbours, in shells cut and whole", () => {
    const choice = fc.record({ maxNeighbours: fc.integer({ min: 1, max: 30 }), whole: fc.boolean() });
    fc.assert(
      fc.property(anyCell, choice, ({ structure, cutoff }, { maxNeighbours, whole }) => {
        const found = neighbourList(structure, { cutoff, maxNeighbours, shells: whole ? "whole" : "cut" });
        expect(edgesOf(found)).toEqual(nearest(naive(structure, cutoff), maxNeighbours, whole ? 0.01 : undefined));
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  test("agrees where all is degenerate: rocksalt and its supercells, atoms moved by whole cells", () => {
    for (const [repeat, cutoff] of [
      [1, 9],
      [2, 6.5],
      [3, 5.64],
    ]) {
      const structure = rocksalt(repeat, { moved: true });
      const known = naive(structure, cutoff);
      expect(edgesOf(neighbourList(structure, { cutoff }))).toEqual(known);
      for (const maxNeighbours of [1, 6, 7, 18, 25])
        for (const shells of ["cut", "whole"] as const)
          expect(edgesOf(neighbourList(structure, { cutoff, maxNeighbours, shells }))).toEqual(
            nearest(known, maxNeighbours, shells === "whole" ? 0.01 : undefined),
          );
    }
  });
});

test("a pair seen from its other end has the opposite vector and the same distance, to the bit", () => {
  for (let number = 0; number < 100; number++) {
    const { structure, cutoff } = randomCell(number);
    const edges = edgesOf(neighbourList(structure, { cutoff }));
    const name = ({ i, j, image }: Edge): string => `${i} ${j} ${image.map((n) => n + 0)}`;
    const all = new Map(edges.map((edge) => [name(edge), edge]));
    expect(all.size).toBe(edges.length);
    for (const { i, j, image, vector, distance } of edges) {
      const back = all.get(name({ i: j, j: i, image: image.map((n) => -n), vector, distance }))!;
      expect(back.distance).toBe(distance);
      expect(back.vector.map((x) => 0 - x)).toEqual(vector.map((x) => x + 0));
      expect(distance).toBeLessThan(cutoff);
    }
  }
});

describe("what the list is", () => {
  const lone = new Structure({ numbers: [1], positions: [5, -3, 1e3] });
  const empty = (list: NeighbourList): number[] => [...list.ptr, list.index.length, list.image.length];

  test("an isolated atom has no edges, whether it is alone or its cell is wide", () => {
    expect(empty(neighbourList(lone, { cutoff: 8 }))).toEqual([0, 0, 0, 0]);
    expect(empty(neighbourList(lone.with({ lattice: Lattice.cubic(8), periodic: undefined }), { cutoff: 8 }))).toEqual([
      0, 0, 0, 0,
    ]);
    expect(closestPair(neighbourList(lone, { cutoff: 8 }))).toBeUndefined();
  });

  test("one atom in a cubic cell sees its own images, at less than the cutoff", () => {
    const one = lone.with({ lattice: Lattice.cubic(2), periodic: [true, true, true] });
    expect(neighbourList(one, { cutoff: 2 }).index.length).toBe(0);
    const list = neighbourList(one, { cutoff: 2.0001 });
    expect([...list.index]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...list.distance]).toEqual([2, 2, 2, 2, 2, 2]);
    const images = [-1, 0, 0, 0, -1, 0, 0, 0, -1, 0, 0, 1, 0, 1, 0, 1, 0, 0];
    expect([...list.image]).toEqual(images);
    expect([...list.vector].map((x) => x + 0)).toEqual(images.map((n) => 2 * n));
    const chain = neighbourList(one.with({ periodic: [false, true, false] }), { cutoff: 5 });
    expect([...chain.distance]).toEqual([2, 2, 4, 4]);
    expect(neighbourList(one.with({ periodic: [true, false, true] }), { cutoff: 2.5 }).index.length).toBe(4);
  });

  test("atoms that lie on top of each other are neighbours at 0, and closestPair names them", () => {
    const positions = [0, 0, 0, 3, 0, 0, 0.5, 0, 0, 3, 0, 0];
    const list = neighbourList(new Structure({ numbers: [1, 2, 3, 4], positions }), { cutoff: 1 });
    expect([...list.ptr]).toEqual([0, 1, 2, 3, 4]);
    expect([...list.index]).toEqual([2, 3, 0, 1]);
    expect([...list.distance]).toEqual([0.5, 0, 0.5, 0]);
    expect(closestPair(list)).toEqual({ receiver: 1, sender: 3, distance: 0 });
  });

  test("whole shells: six neighbours are asked for, and twelve come, as many as are equal to 0.01 Å", () => {
    const fractional = [0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0.0005];
    const copper = new Structure({ numbers: [29, 29, 29, 29], fractional, lattice: Lattice.cubic(3.6) });
    const degrees = (shells: "cut" | "whole"): number[] => {
      const { ptr } = neighbourList(copper, { cutoff: 8, maxNeighbours: 6, shells });
      return [0, 1, 2, 3].map((i) => ptr[i + 1] - ptr[i]);
    };
    expect(degrees("whole")).toEqual([12, 12, 12, 12]);
    expect(degrees("cut")).toEqual([6, 6, 6, 6]);
    expect(neighbourList(copper, { cutoff: 2.6, maxNeighbours: 100 }).ptr[1]).toBe(12);
  });

  test("atoms with thousands of neighbours are sorted, too", () => {
    const { ptr, distance } = neighbourList(rocksalt(1), { cutoff: 30 });
    expect(ptr[1]).toBeGreaterThan(5000);
    for (let e = 1; e < ptr[1]; e++) if (distance[e] < distance[e - 1] - 1e-8) expect.fail(`edge ${e} is out of order`);
  });
});

describe("the bits do not depend on", () => {
  const many = rocksalt(12, { noise: 0.1 });

  test("the number of threads", async () => {
    const lists: NeighbourList[] = [];
    for (const threads of [1, 2, 4]) {
      await init({ threads });
      lists.push(neighbourList(many, { cutoff: 7 }));
      lists.push(neighbourList(many, { cutoff: 7, maxNeighbours: 12, shells: "whole" }));
    }
    expect(lists[0].index.length).toBeGreaterThan(2 ** 19); // several blocks of work
    expect(Math.max(...lists[1].ptr.slice(1).map((p, i) => p - lists[1].ptr[i]))).toBeGreaterThan(12);
    for (const [k, list] of lists.entries())
      for (const field of ["ptr", "index", "image", "vector", "distance"] as const)
        expect(Buffer.from(list[field].buffer).equals(Buffer.from(lists[k % 2][field].buffer)), `${k} ${field}`).toBe(
          true,
        );
  });

  test("what was computed before: no memory is kept", () => {
    const salt = rocksalt(2);
    const { live } = memoryUse();
    const first = neighbourList(salt, { cutoff: 3 });
    neighbourList(many, { cutoff: 3 });
    expect(memoryUse().live).toBe(live);
    expect(neighbourList(salt, { cutoff: 3 })).toEqual(first);
    expect(() => neighbourList(many, { cutoff: 2000 })).toThrow("its cell repeats");
    expect(memoryUse().live).toBe(live);
  });
});

describe("mistakes", () => {
  const salt = rocksalt(1).with({ source: "salt.cif" });
  const ROWS: [string, () => unknown, string][] = [
    ["no cutoff", () => neighbourList(salt, { cutoff: 0 }), "cutoff must be a number of Å > 0, not 0."],
    ["NaN", () => neighbourList(salt, { cutoff: Number.NaN }), "not NaN"],
    ["no neighbours", () => neighbourList(salt, { cutoff: 5, maxNeighbours: 0 }), "whole number ≥ 1, not 0"],
    ["half a neighbour", () => neighbourList(salt, { cutoff: 5, maxNeighbours: 1.5 }), "whole number ≥ 1, not 1.5"],
    ["shells", () => neighbourList(salt, { cutoff: 5, shells: "all" as "cut" }), '"cut" or "whole", not "all"'],
    [
      "a lattice in micrometres",
      () => neighbourList(salt.with({ lattice: Lattice.cubic(5.64e-4) }), { cutoff: 8 }),
      "salt.cif: its cell repeats",
    ],
    [
      "far too many pairs",
      () => neighbourList(rocksalt(12).with({ source: "big.cif" }), { cutoff: 150 }),
      "big.cif: its 13824 atoms make up to ",
    ],
    [
      "a coordinate out of this world",
      () => neighbourList(salt.with({ positions: [...salt.positions.slice(0, 23), 1e30] }), { cutoff: 5 }),
      "salt.cif: atom 8 lies",
    ],
  ];
  test.each(ROWS)("%s", (_name, body, text) => {
    expect(body).toThrow(UserError);
    expect(body).toThrow(text);
  });
});
