import type { Rng } from "../../core/random.ts";
import { type GraphData, graphData } from "../../data/graph.ts";
import { type AtomSymbol, type Drawing, SYMBOLS } from "./drawing.ts";
import type { Task } from "./options.ts";
import { hopsOf } from "./passing.ts";

/** A small molecule without hydrogens: what there is to classify. */
export interface Molecule {
  readonly symbols: readonly AtomSymbol[];
  /** i < j */
  readonly edges: readonly (readonly [i: number, j: number])[];
  /** 0 or 1: the class. */
  readonly label: number;
}

const LEAST = 7;
const MOST = 12;
const MOST_BONDS = 4;

/** Each node after the first is bonded to an earlier one, more often to a late one: chains with branches. */
function tree(n: number, rng: Rng): [number, number][] {
  const bonds = new Int32Array(n);
  const edges: [number, number][] = [];
  for (let j = 1; j < n; j++) {
    let i: number;
    do i = rng.random() < 0.5 ? j - 1 : rng.integer(j);
    while (bonds[i] >= MOST_BONDS);
    bonds[i]++;
    bonds[j]++;
    edges.push([i, j]);
  }
  return edges;
}

const drawingOf = (n: number, edges: readonly (readonly [number, number])[]): Drawing => ({
  nodes: Array.from({ length: n }, () => ({ x: 0, y: 0, symbol: "C", value: 0 })),
  edges,
});

/** Pairs of nodes i < j that so many bonds separate. */
function pairsAt(n: number, edges: readonly (readonly [number, number])[], wanted: (bonds: number) => boolean) {
  const hops = hopsOf(drawingOf(n, edges));
  const pairs: [number, number][] = [];
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) if (wanted(hops[i * n + j])) pairs.push([i, j]);
  return pairs;
}

function molecule(task: Task, label: number, rng: Rng): Molecule {
  for (;;) {
    const n = LEAST + rng.integer(MOST - LEAST + 1);
    const edges = tree(n, rng);
    const ends = (wanted: (bonds: number) => boolean) => {
      const pairs = pairsAt(n, edges, wanted);
      return pairs.length === 0 ? undefined : pairs[rng.integer(pairs.length)];
    };
    if (task === "ring") {
      // Two nodes of a tree that are two to five bonds apart: a bond between them closes a ring of three to six.
      const closing = label === 1 ? ends((bonds) => bonds >= 2 && bonds <= 5) : undefined;
      if (label === 1 && !closing) continue;
      const symbols = Array.from({ length: n }, () => SYMBOLS[[0, 0, 0, 1, 2][rng.integer(5)]]);
      return { symbols, edges: closing ? [...edges, closing] : edges, label };
    }
    const pair =
      task === "bond"
        ? ends((bonds) => (label === 1 ? bonds === 1 : bonds > 1))
        : ends((bonds) => (label === 1 ? bonds === 3 : bonds > 3));
    if (!pair) continue;
    const [nitrogen, oxygen] = rng.random() < 0.5 ? pair : [pair[1], pair[0]];
    const symbols = Array.from({ length: n }, (_, i) => (i === nitrogen ? "N" : i === oxygen ? "O" : "C"));
    return { symbols, edges, label };
  }
}

/** Molecules of both classes by turns. */
export const molecules = (task: Task, count: number, rng: Rng): Molecule[] =>
  Array.from({ length: count }, (_, i) => molecule(task, i % 2, rng));

/** What a network sees: which of the elements each node is [nodes · 3], and the bonds, both ways. */
export function featurise({ symbols, edges }: Pick<Molecule, "symbols" | "edges">): GraphData {
  const v = Float32Array.from(symbols.flatMap((symbol) => SYMBOLS.map((each) => Number(each === symbol))));
  const [from, to] = [0, 1].map((end) => edges.map((edge) => edge[end]));
  return graphData(symbols.length, [...from, ...to], [...to, ...from], { v });
}
