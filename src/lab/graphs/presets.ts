import { cosPi, sinPi } from "../../core/portable.ts";
import type { AtomSymbol, Drawing, DrawnNode } from "./drawing.ts";
import { FIELD } from "./drawing.ts";

const CENTRE = { x: FIELD.width / 2, y: FIELD.height / 2 };
const node = (x: number, y: number, value: number, symbol: AtomSymbol = "C"): DrawnNode => ({
  ...{ x: Math.round(x), y: Math.round(y), value, symbol },
});

/** Nodes around a point, the first at the top. */
const around = (
  values: readonly number[],
  radius: number,
  at = CENTRE,
  start = -0.5,
  symbols: readonly AtomSymbol[] = [],
): DrawnNode[] =>
  values.map((value, i) => {
    const angle = start + (2 * i) / values.length;
    return node(at.x + radius * cosPi(angle), at.y + radius * sinPi(angle), value, symbols[i]);
  });

const cycleOf = (n: number, first = 0): [number, number][] =>
  Array.from({ length: n }, (_, i) => (i + 1 < n ? [first + i, first + i + 1] : [first, first + i]));

/** Two nodes, each in the middle of its own neighbours: what can an aggregation tell of them? */
export function twoStars(left: readonly number[], right: readonly number[]): Drawing {
  const at = [FIELD.width * 0.26, FIELD.width * 0.74].map((x) => ({ x, y: CENTRE.y }));
  const [a, b] = [left, right].map((values, side) => around(values, 105, at[side]));
  const second = left.length + 1;
  return {
    nodes: [node(at[0].x, at[0].y, 0, "N"), ...a, node(at[1].x, at[1].y, 0, "N"), ...b],
    edges: [...left.map((_, i) => [0, i + 1] as const), ...right.map((_, i) => [second, second + i + 1] as const)],
  };
}

const star = around([1, 2, 3, 4, 5], 130);
const hexagon = around([0, 0, 0, 0, 0, 4], 125);
const triangles = [
  ...around([6, 6, 6], 85, { x: 170, y: CENTRE.y }, 0),
  ...around([0, 0, 0], 85, { x: 430, y: CENTRE.y }, 1),
];

/** Caffeine without its hydrogens: a ring of six and one of five with an edge in common. */
const caffeine: Drawing = (() => {
  const size = 80;
  const middle = { x: 265, y: CENTRE.y };
  const ring = around([2, 1, 2, 1, 1, 1], size, middle, 5 / 6, ["N", "C", "N", "C", "C", "C"]);
  // The edge in common is vertical; the rest of a regular pentagon lies to the right of it.
  const x = middle.x + 0.866 * size;
  const five = [
    node(x + 0.951 * size, middle.y - 0.809 * size, 2, "N"),
    node(x + 1.539 * size, middle.y, 1),
    node(x + 0.951 * size, middle.y + 0.809 * size, 2, "N"),
  ];
  const out = (i: number, value: number, symbol: AtomSymbol): DrawnNode =>
    node(2 * ring[i].x - middle.x, 2 * ring[i].y - middle.y, value, symbol);
  const methyl = node(five[2].x + 0.309 * size, five[2].y + 0.951 * size, 1);
  return {
    nodes: [...ring, ...five, out(0, 1, "C"), out(1, 3, "O"), out(2, 1, "C"), methyl, out(5, 3, "O")],
    edges: [...cycleOf(6), [3, 6], [6, 7], [7, 8], [4, 8], [0, 9], [1, 10], [2, 11], [8, 12], [5, 13]],
  };
})();

/** What one can begin with. */
export const PRESETS = {
  triangles: {
    text: "Two triangles, one bridge",
    drawing: { nodes: triangles, edges: [...cycleOf(3), ...cycleOf(3, 3), [0, 3]] },
  },
  path: {
    text: "Path",
    drawing: {
      nodes: [8, 0, 0, 0, 0].map((value, i) => node(80 + 110 * i, CENTRE.y, value)),
      edges: [0, 1, 2, 3].map((i) => [i, i + 1]),
    },
  },
  star: {
    text: "Star",
    drawing: { nodes: [node(CENTRE.x, CENTRE.y, 0), ...star], edges: star.map((_, i) => [0, i + 1]) },
  },
  cycle: { text: "Cycle", drawing: { nodes: hexagon, edges: cycleOf(6) } },
  molecule: { text: "Caffeine, without H", drawing: caffeine },
  meanFails: { text: "Two nodes that the mean confuses", drawing: twoStars([1, 3], [0, 2, 4]) },
  maxFails: { text: "Two nodes that the max confuses", drawing: twoStars([1, 4], [2, 4]) },
  sumFails: { text: "Two nodes that the sum confuses", drawing: twoStars([4], [2, 2]) },
} as const satisfies Record<string, { text: string; drawing: Drawing }>;

export type PresetName = keyof typeof PRESETS;
