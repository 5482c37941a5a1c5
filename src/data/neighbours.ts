import { UserError } from "../core/errors.ts";
import { allocate, i32View, release } from "../core/memory.ts";
import { parallel } from "../core/parallel.ts";
import { f64View, type Problem, prepare } from "./neighbourCell.ts";
import type { Structure } from "./structure.ts";

export interface NeighbourOptions {
  /** Neighbours are nearer than this, Å. */
  cutoff: number;
  /** Only the nearest so many. */
  maxNeighbours?: number;
  /**
   * What becomes of a shell of equally distant neighbours that `maxNeighbours` would cut through. "cut": exactly that many, and
   * which of the equals depends on the order of the atoms. "whole": all of it, so that the list depends on the crystal alone.
   */
  shells?: "cut" | "whole";
}

/**
 * The neighbours of each atom, nearest first: those of atom i, the receiver, are the edges ptr[i] … ptr[i + 1] − 1. Equal
 * distances (within 1e-8 Å) are in the order of index, then image: the order is the same on any number of threads.
 */
export interface NeighbourList {
  /** [atoms + 1] */
  readonly ptr: Int32Array;
  /** The neighbour j [edges]. An atom is its own neighbour in other images, never in its own. */
  readonly index: Int32Array;
  /** Lattice translations of j from its position as given [edges · 3]. */
  readonly image: Int32Array;
  /** From receiver to neighbour, r_j + image · lattice − r_i, Å [edges · 3]. */
  readonly vector: Float64Array;
  /** Å [edges]; 0 for atoms that lie on top of each other (see `closestPair`). */
  readonly distance: Float64Array;
}

/**
 * Distances in a shell that is kept whole lie within this many Å of the nearest that is needed. Coordinates with four decimals in
 * a cell with edges of 50 Å are off by up to 0.0044 Å, distances by twice that; f64's rounding is nothing beside it.
 */
const SHELL = 0.01;

/** Candidates that are sorted at once: 16 MiB of workspace, whatever the size of the structure. */
const BLOCK = 1 << 18;

/** Atoms that a thread takes at a time. */
const GRAIN = 64;

/** Edges that only a lattice in wrong units asks for: 6 GiB. */
const MOST_EDGES = 2 ** 27;

/**
 * All pairs of atoms nearer than `cutoff` (distance < cutoff, as ASE has it) under the structure's periodicity, each from both
 * ends; or the nearest `maxNeighbours` of each atom among these. Cells may be skewed, flat or much smaller than the cutoff, and
 * atoms may lie outside. f64 in WebAssembly on all threads; time and memory grow linearly with the number of edges.
 *
 * @throws UserError for options without sense, and where a cell is so small that the list would not fit into memory
 */
export function neighbourList(structure: Structure, options: NeighbourOptions): NeighbourList {
  const { cutoff, maxNeighbours, shells = "cut" } = options;
  if (!(cutoff > 0 && cutoff < Infinity))
    throw new UserError(`neighbourList: cutoff must be a number of Å > 0, not ${cutoff}.`);
  if (
    maxNeighbours !== undefined &&
    !(Number.isInteger(maxNeighbours) && maxNeighbours >= 1 && maxNeighbours < 2 ** 31)
  )
    throw new UserError(`neighbourList: maxNeighbours must be a whole number ≥ 1, not ${maxNeighbours}.`);
  if (shells !== "cut" && shells !== "whole")
    throw new UserError(`neighbourList: shells must be "cut" or "whole", not ${JSON.stringify(shells)}.`);
  const problem = prepare(structure, cutoff);
  try {
    const counts = countCandidates(structure, problem, cutoff);
    return collect(problem, counts, maxNeighbours ?? 0, maxNeighbours !== undefined && shells === "whole");
  } finally {
    release(problem.block);
  }
}

/** The edge between the two nearest atoms of a list, each pair once, lower receiver first; undefined where there are no edges. */
export function closestPair(list: NeighbourList): { receiver: number; sender: number; distance: number } | undefined {
  let receiver = -1;
  let distance = Infinity;
  for (let i = 0; i + 1 < list.ptr.length; i++)
    if (list.ptr[i] < list.ptr[i + 1] && list.distance[list.ptr[i]] < distance)
      [receiver, distance] = [i, list.distance[list.ptr[i]]];
  return receiver < 0 ? undefined : { receiver, sender: list.index[list.ptr[receiver]], distance };
}

/** Room that the candidates of each place need (neighbourCount). A list beyond all bounds is noticed after a small part of it. */
function countCandidates({ length, source }: Structure, { cell, repeats }: Problem, cutoff: number): Int32Array {
  const tooMany = (what: string): UserError =>
    new UserError(
      `${source}: ${what} within ${cutoff} Å.`,
      "Choose a smaller cutoff, and check that the lattice is in Å.",
    );
  if (length * repeats > MOST_EDGES) throw tooMany(`its cell repeats ${repeats.toPrecision(2)} times`);
  const counts = new Int32Array(length);
  const block = allocate(4 * length);
  try {
    let sum = 0;
    for (let first = 0, last = 1; first < length; first = last, last = Math.min(length, 2 * last)) {
      parallel("neighbourCount", last - first, GRAIN, cell, first, block.ptr);
      counts.set(i32View(block.ptr, last - first), first);
      for (let i = first; i < last; i++) sum += counts[i];
      if (sum > MOST_EDGES) throw tooMany(`${last} of its ${length} atoms have ${sum} neighbours`);
    }
  } finally {
    release(block);
  }
  return counts;
}

/** Places first … last − 1, whose candidates are sorted at once. */
interface Block {
  first: number;
  last: number;
  candidates: number;
}

function blocksOf(counts: Int32Array): Block[] {
  const blocks: Block[] = [];
  for (let first = 0, last = 0; first < counts.length; first = last) {
    let candidates = counts[last++];
    while (last < counts.length && candidates + counts[last] <= BLOCK) candidates += counts[last++];
    blocks.push({ first, last, candidates });
  }
  return blocks;
}

/** Finds the neighbours by blocks of places in a workspace of one block, and copies each row to where its atom's row begins. */
function collect({ cell, order }: Problem, counts: Int32Array, most: number, whole: boolean): NeighbourList {
  const blocks = blocksOf(counts);
  const atoms = blocks.reduce((n, { first, last }) => Math.max(n, last - first), 0);
  const room = blocks.reduce((n, { candidates }) => Math.max(n, candidates), 0);
  // Offsets, numbers kept, ptr of the block; records; spare records, and over them edges of up to 48 bytes.
  const head = Math.ceil((3 * atoms + 1) / 16) * 64;
  const records16 = Math.ceil(room / 4) * 64;
  const work = allocate(head + 4 * records16);
  const offset = work.ptr;
  const keeps = offset + 4 * atoms;
  const starts = keeps + 4 * atoms;
  const records = offset + head;
  const vector = records + records16;
  try {
    const find = ({ first, last }: Block): void => {
      const offsets = i32View(offset, last - first);
      for (let p = first, sum = 0; p < last; sum += counts[p++]) offsets[p - first] = sum;
      const shell = whole ? SHELL : 0;
      parallel("neighbourFind", last - first, GRAIN, cell, first, offset, keeps, records, vector, most, shell);
      kept.set(i32View(keeps, last - first), first);
    };
    // Of the candidates one is the atom itself and one is spare room. Only whole shells must be seen to be counted.
    const kept = counts.map((count) => Math.min(count - 2, most || count));
    if (whole) blocks.forEach(find);
    const ptr = rowsOf(kept, order);
    const edges = emptyEdges(ptr[ptr.length - 1]);
    for (const block of blocks) {
      const { first, last } = block;
      if (!whole || blocks.length > 1) find(block);
      const from = i32View(starts, last - first + 1);
      from[0] = 0;
      for (let p = first; p < last; p++) from[p - first + 1] = from[p - first] + kept[p];
      const found = from[last - first];
      const distance = vector + 24 * found;
      const image = distance + 8 * found;
      const index = image + 12 * found;
      const out = [index, image, vector, distance];
      parallel("neighbourWrite", last - first, GRAIN, cell, first, offset, records, starts, ...out);
      const to = order.subarray(first, last).map((atom) => ptr[atom]);
      copyRows(edges, to, edgesAt(index, image, vector, distance, found), from);
    }
    return tight(ptr, edges, kept, order);
  } finally {
    release(work);
  }
}

/** Where each atom's row begins, if the row of place p has kept[p] edges. */
function rowsOf(kept: Int32Array, order: Int32Array): Int32Array {
  const ptr = new Int32Array(kept.length + 1);
  for (let p = 0; p < kept.length; p++) ptr[order[p] + 1] = kept[p];
  for (let i = 0; i < kept.length; i++) ptr[i + 1] += ptr[i];
  return ptr;
}

/** The list without the gaps that are left where a candidate within rounding of the cutoff was none. */
function tight(ptr: Int32Array, edges: Edges, kept: Int32Array, order: Int32Array): NeighbourList {
  const rows = rowsOf(kept, order);
  const count = rows[kept.length];
  if (count === ptr[kept.length]) return { ptr, ...edges };
  const packed = emptyEdges(count);
  for (let i = 0; i < kept.length; i++) {
    const row = Int32Array.of(ptr[i], ptr[i] + rows[i + 1] - rows[i]);
    copyRows(packed, rows.subarray(i, i + 1), edges, row);
  }
  return { ptr: rows, ...packed };
}

type Edges = Omit<NeighbourList, "ptr">;

const emptyEdges = (count: number): Edges => ({
  index: new Int32Array(count),
  image: new Int32Array(3 * count),
  vector: new Float64Array(3 * count),
  distance: new Float64Array(count),
});

const edgesAt = (index: number, image: number, vector: number, distance: number, count: number): Edges => ({
  index: i32View(index, count),
  image: i32View(image, 3 * count),
  vector: f64View(vector, 3 * count),
  distance: f64View(distance, count),
});

/** Copies the edges starts[r] … starts[r + 1] − 1 to where row r begins. Rows are short: a loop is faster than copies of views. */
function copyRows(to: Edges, begin: Int32Array, from: Edges, starts: Int32Array): void {
  const { index, image, vector, distance } = to;
  const { index: index0, image: image0, vector: vector0, distance: distance0 } = from;
  for (let r = 0; r < begin.length; r++) {
    const last = starts[r + 1];
    for (let e = starts[r], k = begin[r]; e < last; e++, k++) {
      index[k] = index0[e];
      distance[k] = distance0[e];
    }
    for (let e = 3 * starts[r], k = 3 * begin[r]; e < 3 * last; e++, k++) {
      image[k] = image0[e];
      vector[k] = vector0[e];
    }
  }
}
