import { type NeighbourList, neighbourList } from "./neighbours.ts";
import type { Structure } from "./structure.ts";

/** What a graph needs of a list of neighbours. */
export type Neighbours = Pick<NeighbourList, "ptr" | "index" | "vector" | "distance">;

/**
 * The nearest `maxNeighbours` of each atom with the whole shell of the last one, and the reverse of each such edge: every edge i → j
 * has its j → i with the opposite vector, as in ALIGNN's graphs. Where an atom has fewer within `cutoff` Å, all are looked for farther
 * off: up to the longest lattice vector, then twice as far each time. Those that are there only as reverses come last.
 */
export function symmetricNeighbours(
  structure: Structure,
  { cutoff, maxNeighbours }: { cutoff: number; maxNeighbours: number },
): Neighbours {
  const { length, lattice, periodic } = structure;
  const enough = periodic.some(Boolean) ? maxNeighbours : Math.min(maxNeighbours, length - 1);
  const longest = lattice ? Math.max(...lattice.matrix.map((v) => Math.hypot(...v))) : 0;
  for (let reach = cutoff; ; reach = reach < longest ? longest : 2 * reach) {
    const list = neighbourList(structure, { cutoff: reach, maxNeighbours, shells: "whole" });
    let fewest = Infinity;
    for (let i = 0; i < length; i++) fewest = Math.min(fewest, list.ptr[i + 1] - list.ptr[i]);
    if (fewest >= enough) return withReverses(list);
  }
}

/** The edges of a list, and after each atom's those reverses that it lacks. */
function withReverses({ ptr, index, image, vector, distance }: NeighbourList): Neighbours {
  const atoms = ptr.length - 1;
  const missing: { i: number; e: number }[][] = Array.from({ length: atoms }, () => []);
  for (let i = 0; i < atoms; i++)
    for (let e = ptr[i]; e < ptr[i + 1]; e++) {
      const j = index[e];
      let r = ptr[j];
      while (r < ptr[j + 1] && !(index[r] === i && [0, 1, 2].every((c) => image[3 * r + c] === -image[3 * e + c]))) r++;
      if (r === ptr[j + 1]) missing[j].push({ i, e });
    }
  const starts = new Int32Array(atoms + 1);
  for (let i = 0; i < atoms; i++) starts[i + 1] = starts[i] + ptr[i + 1] - ptr[i] + missing[i].length;
  const edges = starts[atoms];
  const all = {
    ptr: starts,
    index: new Int32Array(edges),
    vector: new Float64Array(3 * edges),
    distance: new Float64Array(edges),
  };
  for (let i = 0; i < atoms; i++) {
    const [own, first] = [ptr[i + 1] - ptr[i], starts[i]];
    all.index.set(index.subarray(ptr[i], ptr[i + 1]), first);
    all.vector.set(vector.subarray(3 * ptr[i], 3 * ptr[i + 1]), 3 * first);
    all.distance.set(distance.subarray(ptr[i], ptr[i + 1]), first);
    missing[i].forEach(({ i: sender, e }, k) => {
      const to = first + own + k;
      all.index[to] = sender;
      for (let c = 0; c < 3; c++) all.vector[3 * to + c] = -vector[3 * e + c];
      all.distance[to] = distance[e];
    });
  }
  return all;
}
