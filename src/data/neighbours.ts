import { UserError } from "../core/errors.ts";
import { allocate, type Block, i32View, release } from "../core/memory.ts";
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

/** Candidates that are sorted at once: 16 MiB of workspace, 12 when they are written, whatever the size of the structure. */
const BLOCK = 1 << 19;

/** Atoms that a thread takes at a time. */
const GRAIN = 64;

/** Edges (6 GiB), and pairs to look at, that only a lattice in wrong units asks for. */
const MOST_EDGES = 2 ** 27;
const MOST_PAIRS = 2 ** 30;

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
    const parts = find(structure, problem, options);
    try {
      return write(problem, parts);
    } finally {
      for (const { records } of parts) release(records);
    }
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

/** The neighbours of some places after each other, as records of the kernels. */
interface Part {
  first: number;
  /** Where the records of each place begin, from 0 [places + 1]. */
  starts: Int32Array;
  /** 16 bytes for each edge. */
  records: Block;
}

/** Finds the neighbours by blocks of places, in a workspace of the size of one block; only their records are kept. */
function find({ length, source }: Structure, { cell, repeats }: Problem, options: NeighbourOptions): Part[] {
  const { cutoff, maxNeighbours: most = 0, shells } = options;
  const tooMany = (what: string): UserError =>
    new UserError(
      `${source}: ${what} within ${cutoff} Å.`,
      "Choose a smaller cutoff, and check that the lattice is in Å.",
    );
  if (length * repeats > MOST_EDGES) throw tooMany(`its cell repeats ${repeats.toPrecision(2)} times`);
  const rooms = withBlock(4 * length, (ptr) => {
    parallel("neighbourRoom", length, GRAIN, cell, ptr);
    return i32View(ptr, length).slice();
  });
  const pairs = rooms.reduce((sum, room) => sum + room, 0);
  if (pairs > MOST_PAIRS) throw tooMany(`its ${length} atoms make up to ${pairs} pairs`);
  const shell = most > 0 && shells === "whole" ? SHELL : 0;
  const parts: Part[] = [];
  let edges = 0;
  try {
    for (let first = 0, last = 0; first < length; first = last) {
      let room = rooms[last++];
      while (last < length && room + rooms[last] <= BLOCK) room += rooms[last++];
      const n = last - first;
      const head = 64 * Math.ceil((3 * n + 1) / 16);
      withBlock(head + 32 * room, (offset) => {
        const [kept, ptr, records] = [offset + 4 * n, offset + 8 * n, offset + head];
        const offsets = i32View(offset, n);
        for (let k = 0, sum = 0; k < n; sum += rooms[first + k++]) offsets[k] = sum;
        parallel("neighbourFind", n, GRAIN, cell, first, offset, kept, records, records + 16 * room, most, shell);
        const starts = new Int32Array(n + 1);
        i32View(kept, n).forEach((count, k) => {
          starts[k + 1] = starts[k] + count;
        });
        edges += starts[n];
        if (edges > MOST_EDGES) throw tooMany(`${last} of its ${length} atoms have ${edges} neighbours`);
        parts.push({ first, starts, records: allocate(16 * starts[n]) });
        i32View(ptr, n + 1).set(starts);
        parallel("neighbourPack", n, GRAIN, parts[parts.length - 1].records.ptr, ptr, records, offset);
      });
    }
  } catch (error) {
    for (const { records } of parts) release(records);
    throw error;
  }
  return parts;
}

/** The edges of the records, in the order of the atoms, by blocks of these. */
function write({ cell, order }: Problem, parts: readonly Part[]): NeighbourList {
  const n = order.length;
  const ptr = new Int32Array(n + 1);
  const lists = new Int32Array(n);
  for (const { first, starts, records } of parts)
    for (let k = 0; k + 1 < starts.length; k++) {
      ptr[order[first + k] + 1] = starts[k + 1] - starts[k];
      lists[order[first + k]] = records.ptr + 16 * starts[k];
    }
  for (let i = 0; i < n; i++) ptr[i + 1] += ptr[i];
  const edges = emptyEdges(ptr[n]);
  for (let first = 0, last = 0; first < n; first = last) {
    while (last < n && (last === first || ptr[last + 1] - ptr[first] <= BLOCK / 2)) last++;
    const [atoms, count] = [last - first, ptr[last] - ptr[first]];
    const head = 64 * Math.ceil((2 * atoms + 1) / 16);
    withBlock(head + 48 * count, (list) => {
      const starts = list + 4 * atoms;
      const vector = list + head;
      const distance = vector + 24 * count;
      const image = distance + 8 * count;
      const index = image + 12 * count;
      i32View(list, atoms).set(lists.subarray(first, last));
      i32View(starts, atoms + 1).set(ptr.subarray(first, last + 1).map((p) => p - ptr[first]));
      parallel("neighbourWrite", atoms, GRAIN, cell, first, starts, list, index, image, vector, distance);
      edges.index.set(i32View(index, count), ptr[first]);
      edges.image.set(i32View(image, 3 * count), 3 * ptr[first]);
      edges.vector.set(f64View(vector, 3 * count), 3 * ptr[first]);
      edges.distance.set(f64View(distance, count), ptr[first]);
    });
  }
  return { ptr, ...edges };
}

/** Memory of so many bytes for the time of `body`. */
function withBlock<T>(bytes: number, body: (ptr: number) => T): T {
  const block = allocate(bytes);
  try {
    return body(block.ptr);
  } finally {
    release(block);
  }
}

const emptyEdges = (count: number): Omit<NeighbourList, "ptr"> => ({
  index: new Int32Array(count),
  image: new Int32Array(3 * count),
  vector: new Float64Array(3 * count),
  distance: new Float64Array(count),
});
