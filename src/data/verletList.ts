import { type GraphData, pairsOf, sortByEnd } from "./graph.ts";
import { type NeighbourList, neighbourList } from "./neighbours.ts";
import type { Structure } from "./structure.ts";

/** Å beyond the cutoff: the list serves until an atom has moved by half of it. */
const SKIN = 0.5;

/**
 * Graphs of one structure whose atoms move: the neighbours within the cutoff and a skin are found once and serve until an atom has
 * moved by half the skin, or the lattice changes. Verlet, Phys. Rev. 159, 98 (1967). The graphs are those of a fresh search, edges
 * nearest first as of the last one.
 */
export class VerletList {
  private known: { structure: Structure; list: NeighbourList; shift: Float64Array; pair: Int32Array } | undefined;
  /** Searches so far. */
  searches = 0;

  /** `cutoff`: Å */
  constructor(private readonly cutoff: number) {}

  graph(structure: Structure): GraphData {
    const known = this.known && this.serves(structure) ? this.known : this.search(structure);
    const { list, shift, pair: all } = known;
    const { positions: r, numbers, length: nodes } = structure;
    const most = list.index.length;
    const [ptr, sender, pair] = [new Int32Array(nodes + 1), new Int32Array(most), new Int32Array(most)];
    const [vector, distance] = [new Float32Array(3 * most), new Float32Array(most)];
    // An edge and its reverse are kept or left out together: the first of them decides.
    const number = new Int32Array(most).fill(UNSEEN);
    let [edges, pairs] = [0, 0];
    for (let i = 0; i < nodes; i++) {
      for (let e = list.ptr[i]; e < list.ptr[i + 1]; e++) {
        const j = list.index[e];
        const x = r[3 * j] + shift[3 * e] - r[3 * i];
        const y = r[3 * j + 1] + shift[3 * e + 1] - r[3 * i + 1];
        const z = r[3 * j + 2] + shift[3 * e + 2] - r[3 * i + 2];
        const d = Math.sqrt(x * x + y * y + z * z);
        if (number[all[e]] === UNSEEN) number[all[e]] = d < this.cutoff ? pairs++ : LEFT_OUT;
        if (number[all[e]] === LEFT_OUT) continue;
        pair[edges] = number[all[e]];
        sender[edges] = j;
        distance[edges] = d;
        vector[3 * edges] = x;
        vector[3 * edges + 1] = y;
        vector[3 * edges + 2] = z;
        edges++;
      }
      ptr[i + 1] = edges;
    }
    const kept = sender.slice(0, edges);
    const { ptr: sentPtr, order: sent } = sortByEnd(kept, nodes);
    return {
      ...{ nodes, edges, ptr, sender: kept, sentPtr, sent, numbers, pair: pair.slice(0, edges) },
      ...{ vector: vector.slice(0, 3 * edges), distance: distance.slice(0, edges) },
    };
  }

  private serves({ numbers, positions, lattice, periodic }: Structure): boolean {
    const { structure: before } = this.known!;
    if (numbers.length !== before.length || !numbers.every((z, i) => z === before.numbers[i])) return false;
    if (!periodic.every((yes, k) => yes === before.periodic[k])) return false;
    if (lattice !== before.lattice && !sameCell(lattice?.matrix.flat(), before.lattice?.matrix.flat())) return false;
    const limit = (SKIN / 2) ** 2;
    for (let k = 0; k < positions.length; k += 3) {
      const x = positions[k] - before.positions[k];
      const y = positions[k + 1] - before.positions[k + 1];
      const z = positions[k + 2] - before.positions[k + 2];
      if (!(x * x + y * y + z * z < limit)) return false;
    }
    return true;
  }

  private search(structure: Structure) {
    this.searches++;
    const list = neighbourList(structure, { cutoff: this.cutoff + SKIN });
    const { lattice, length: nodes } = structure;
    const edges = list.index.length;
    const shift = new Float64Array(3 * edges);
    if (lattice)
      for (let e = 0; e < edges; e++)
        shift.set(lattice.toCartesian([list.image[3 * e], list.image[3 * e + 1], list.image[3 * e + 2]]), 3 * e);
    const none = new Int32Array();
    const whole = { nodes, edges, ptr: list.ptr, sender: list.index, sentPtr: none, sent: none };
    const pair = pairsOf({ ...whole, vector: Float32Array.from(list.vector) });
    this.known = { structure, list, shift, pair };
    return this.known;
  }
}

const UNSEEN = -1;
const LEFT_OUT = -2;

const sameCell = (a: readonly number[] = [], b: readonly number[] = []): boolean =>
  a.length === b.length && a.every((x, k) => x === b[k]);
