import { edgesOf, type NodeGraph } from "./nodeGraph.ts";

/** The members with a higher number whom each of the 34 knows, from 1: 78 friendships. */
const KNOWS: Readonly<Record<number, readonly number[]>> = {
  1: [2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 18, 20, 22, 32],
  2: [3, 4, 8, 14, 18, 20, 22, 31],
  3: [4, 8, 9, 10, 14, 28, 29, 33],
  4: [8, 13, 14],
  5: [7, 11],
  6: [7, 11, 17],
  7: [17],
  9: [31, 33, 34],
  10: [34],
  14: [34],
  15: [33, 34],
  16: [33, 34],
  19: [33, 34],
  20: [34],
  21: [33, 34],
  23: [33, 34],
  24: [26, 28, 30, 33, 34],
  25: [26, 28, 32],
  26: [32],
  27: [30, 34],
  28: [34],
  29: [32, 34],
  30: [33, 34],
  31: [33, 34],
  32: [33, 34],
  33: [34],
};

/** Who stayed with the instructor, member 1; the others went with the president, member 34. */
const INSTRUCTOR = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 17, 18, 20, 22]);

/**
 * The karate club that W. W. Zachary watched until it split in two (J. Anthropol. Res. 33, 452, 1977): 34 members, 78 friendships.
 * To learn from: the two leaders; to choose by: four members; the other 28 are the test.
 */
export function karate(): NodeGraph {
  const pairs = Object.entries(KNOWS).flatMap(([from, others]) =>
    others.map((to): [number, number] => [Number(from) - 1, to - 1]),
  );
  const ids = Array.from({ length: 34 }, (_, i) => String(i + 1));
  const numbers = (members: readonly number[]): Int32Array => Int32Array.from(members, (id) => id - 1);
  const chosen = [2, 3, 24, 33];
  const rest = ids.map(Number).filter((id) => id !== 1 && id !== 34 && !chosen.includes(id));
  return {
    file: "embedded:karate",
    ids,
    graph: edgesOf(34, pairs),
    target: "faction",
    classes: ["instructor", "president"],
    labels: Int32Array.from(ids, (id) => (INSTRUCTOR.has(Number(id)) ? 0 : 1)),
    split: { train: numbers([1, 34]), validation: numbers(chosen), test: numbers(rest) },
  };
}
