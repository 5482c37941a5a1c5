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

/** Candidates that are sorted at once: 20 MiB of workspace, whatever the size of the structure. */
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

/** Room that each atom's candidates need (neighbourCount). A list beyond all bounds is noticed after a small part of it. */
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
      if (sum > MOST_EDGES) throw tooMany(`the first ${last} of its ${length} atoms have ${sum} neighbours`);
    }
  } finally {
    release(block);
  }
  return counts;
}

/** The list, by blocks of atoms: their candidates, of these their neighbours, and then a copy of those. */
function collect(problem: Problem, counts: Int32Array, most: number, whole: boolean): NeighbourList {
  const n = counts.length;
  // Of the candidates one is the atom itself, and one is spare room. Whole shells may need more: then the arrays grow.
  let edges = emptyEdges(counts.reduce((sum, count) => sum + Math.min(count - 2, most || count), 0));
  const ptr = new Int32Array(n + 1);
  for (let first = 0, last = 0; first < n; first = last) {
    let candidates = counts[last++];
    while (last < n && candidates + counts[last] <= BLOCK) candidates += counts[last++];
    const atoms = last - first;
    // Offsets, numbers kept, local ptr; records; spare records, and over them edges of up to 48 bytes.
    const head = Math.ceil((3 * atoms + 1) / 16) * 64;
    const room = Math.ceil(candidates / 4) * 64;
    const work = allocate(head + 4 * room);
    try {
      const offset = work.ptr;
      const kept = offset + 4 * atoms;
      const local = kept + 4 * atoms;
      const records = offset + head;
      const vector = records + room;
      const offsets = i32View(offset, atoms);
      for (let k = 0, sum = 0; k < atoms; sum += counts[first + k++]) offsets[k] = sum;
      const shell = whole ? SHELL : 0;
      parallel("neighbourFind", atoms, GRAIN, problem.cell, first, offset, kept, records, vector, most, shell);

      const [keeps, starts] = [i32View(kept, atoms), i32View(local, atoms + 1)];
      starts[0] = 0;
      for (let k = 0; k < atoms; k++) starts[k + 1] = starts[k] + keeps[k];
      const found = starts[atoms];
      const at = ptr[first];
      for (let k = 1; k <= atoms; k++) ptr[first + k] = at + starts[k];

      const distance = vector + 24 * found;
      const image = distance + 8 * found;
      const index = image + 12 * found;
      const out = [index, image, vector, distance];
      parallel("neighbourWrite", atoms, GRAIN, problem.cell, first, offset, records, local, ...out);
      const needed = at + found;
      if (needed > edges.index.length) edges = resized(edges, last === n ? needed : Math.ceil(1.5 * needed));
      edges.index.set(i32View(index, found), at);
      edges.image.set(i32View(image, 3 * found), 3 * at);
      edges.vector.set(f64View(vector, 3 * found), 3 * at);
      edges.distance.set(f64View(distance, found), at);
    } finally {
      release(work);
    }
  }
  return { ptr, ...(edges.index.length === ptr[n] ? edges : resized(edges, ptr[n])) };
}

type Edges = Omit<NeighbourList, "ptr">;

const emptyEdges = (count: number): Edges => ({
  index: new Int32Array(count),
  image: new Int32Array(3 * count),
  vector: new Float64Array(3 * count),
  distance: new Float64Array(count),
});

function resized(old: Edges, count: number): Edges {
  const edges = emptyEdges(count);
  const kept = Math.min(count, old.index.length);
  edges.index.set(old.index.subarray(0, kept));
  edges.image.set(old.image.subarray(0, 3 * kept));
  edges.vector.set(old.vector.subarray(0, 3 * kept));
  edges.distance.set(old.distance.subarray(0, kept));
  return edges;
}
