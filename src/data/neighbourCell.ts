import { UserError } from "../core/errors.ts";
import { allocate, type Block, i32View } from "../core/memory.ts";
import { theEngine } from "../core/wasm.ts";
import { type ReducedBasis, reducedBasis } from "./geometry.ts";
import { cross, dot, type Vector3 } from "./lattice.ts";
import type { Structure } from "./structure.ts";

/** What the kernels of assembly/neighbours.ts read. */
export interface Problem {
  /** To be released in the end. */
  block: Block;
  /** Address of the `Cell`. */
  cell: number;
  /** The atoms in the order in which the kernels work, by bins [atoms]: those near each other after each other. */
  order: Int32Array;
  /** How many images of an atom lie within the cutoff, at most. */
  repeats: number;
}

export const f64View = (ptr: number, length: number): Float64Array<ArrayBuffer> =>
  new Float64Array(theEngine().memory.buffer as ArrayBuffer, ptr, length);

/** The atoms in a cell that is turned so that its vectors are the rows of a lower triangular matrix. */
interface Turned {
  /** Å; in directions without a vector, the extent of the atoms. */
  t: number[][];
  /** Wrapped coordinates, Å, by axis [3][atoms], and the same in units of the vectors: 0 … 1. */
  x: Float64Array[];
  share: Float64Array[];
  /** Lattice translations that were taken off [atoms · 3]. */
  wraps: Int32Array;
}

function turn({ length: n, positions, source }: Structure, { vectors, images }: ReducedBasis): Turned {
  const d = vectors.length;
  const axes = frame(vectors);
  const t = [0, 1, 2].map((k) => axes.map((axis) => (k < d ? dot(vectors[k], axis) : 0)));
  const x = axes.map(([u, v, w]) => {
    const along = new Float64Array(n);
    for (let i = 0; i < n; i++) along[i] = positions[3 * i] * u + positions[3 * i + 1] * v + positions[3 * i + 2] * w;
    return along;
  });
  const share = [x[0], x[1], x[2]];
  const wraps = new Int32Array(3 * n);
  for (let k = d - 1; k >= 0; k--) {
    const mine = x[k].slice();
    share[k] = mine;
    for (let m = k + 1; m < d; m++) subtract(mine, share[m], t[m][k]);
    const cells = mine.map((along) => Math.floor(along / t[k][k]));
    const most = 2 ** 28 / Math.max(...images[k].map(Math.abs));
    const lost = cells.findIndex((count) => !(Math.abs(count) < most));
    if (lost >= 0)
      throw new UserError(`${source}: atom ${lost + 1} lies ${Math.abs(cells[lost])} cells away from the origin.`);
    for (let i = 0; i < n; i++) mine[i] = mine[i] / t[k][k] - cells[i];
    for (let c = 0; c <= k; c++) subtract(x[c], cells, t[k][c]);
    for (let c = 0; c < 3; c++)
      if (images[k][c] !== 0) for (let i = 0; i < n; i++) wraps[3 * i + c] += cells[i] * images[k][c];
  }
  for (let k = d; k < 3; k++) {
    const low = x[k].reduce((least, along) => Math.min(least, along), Infinity);
    const high = x[k].reduce((most, along) => Math.max(most, along), -Infinity);
    t[k][k] = high - low + 1;
    for (let i = 0; i < n; i++) x[k][i] -= low;
    share[k] = x[k].map((along) => along / t[k][k]);
  }
  return { t, x, share, wraps };
}

/** Turns, wraps and bins the atoms, and writes it all into the Wasm memory in the order of the kernels' `Cell`. */
export function prepare(structure: Structure, cutoff: number): Problem {
  const { length: n, positions, lattice } = structure;
  const basis = reducedBasis(lattice, structure.periodic);
  const { images } = basis;
  const d = images.length;
  const { t, x, share, wraps } = turn(structure, basis);
  const below = keyLayout(structure, basis, t, cutoff);
  const bins = binCounts(t, cutoff, n);
  const total = bins[0] * bins[1] * bins[2];
  const start = new Int32Array(total + 1);
  const bin = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    let at = 0;
    for (let k = 2; k >= 0; k--)
      at = at * bins[k] + Math.min(bins[k] - 1, Math.max(0, Math.floor(share[k][i] * bins[k])));
    bin[i] = at;
    start[at + 1]++;
  }
  for (let b = 0; b < total; b++) start[b + 1] += start[b];

  const f64s = CELL / 8 + 3 * (n + 1) + 3 * n;
  const i32s = 3 * n + n + (total + 1);
  const block = allocate(8 * f64s + 4 * i32s);
  const coordinates = block.ptr + CELL;
  const given = coordinates + 24 * (n + 1);
  const wrapped = given + 24 * n;
  const atom = wrapped + 12 * n;
  const starts = atom + 4 * n;
  const axis = [0, 1, 2].map((c) => coordinates + 8 * c * (n + 1));

  i32View(starts, total + 1).set(start);
  f64View(given, 3 * n).set(positions);
  i32View(wrapped, 3 * n).set(wraps);
  const order = new Int32Array(n);
  const sorted = axis.map((ptr) => f64View(ptr, n));
  for (let i = 0; i < n; i++) {
    const place = start[bin[i]]++;
    for (let c = 0; c < 3; c++) sorted[c][place] = x[c][i];
    order[place] = i;
  }
  i32View(atom, n).set(order);

  const farthest = positions.reduce((most, r) => Math.max(most, Math.abs(r)), 0);
  const slack = 1e-9 * (1 + cutoff) + 1e-14 * farthest;
  const size = [t[0][0], t[1][0], t[1][1], t[2][0], t[2][1], t[2][2]];
  const m = [0, 1, 2].flatMap((k) => images[k] ?? [0, 0, 0]);
  const vectors = lattice ? lattice.matrix.flat() : new Array<number>(9).fill(0);
  const lengths = [cutoff, slack, ...size, ...vectors];
  f64View(block.ptr, lengths.length).set(lengths);
  const integers = [...bins, d, ...m, ...below, ...axis, starts, atom, given, wrapped];
  i32View(block.ptr + 8 * lengths.length, integers.length).set(integers);
  return { block, cell: block.ptr, order, repeats: repeatsOf(t, d, cutoff) };
}

/** y −= s·x. */
function subtract(y: Float64Array, x: Float64Array, s: number): void {
  for (let i = 0; i < y.length; i++) y[i] -= s * x[i];
}

/** Bytes of the kernels' `Cell`: 17 f64, 23 i32, and a gap. */
const CELL = 256;

/** Three orthonormal axes, the first along the first vector, the second in the plane of the first two. */
function frame(vectors: readonly Vector3[]): Vector3[] {
  const axes: Vector3[] = [];
  const add = (v: Vector3): void => {
    let rest = v;
    // Twice: what the first subtraction leaves of the other axes is rounding, and the second removes it.
    for (let pass = 0; pass < 2; pass++)
      for (const e of axes) {
        const s = dot(rest, e);
        rest = [rest[0] - s * e[0], rest[1] - s * e[1], rest[2] - s * e[2]];
      }
    const length = Math.hypot(...rest);
    axes.push([rest[0] / length, rest[1] / length, rest[2] / length]);
  };
  vectors.forEach(add);
  if (axes.length === 0)
    return [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ];
  if (axes.length === 1) {
    const [e] = axes;
    const least = e.map(Math.abs).indexOf(Math.min(...e.map(Math.abs)));
    add([0, 1, 2].map((c) => (c === least ? 1 : 0)) as unknown as Vector3);
  }
  if (axes.length === 2) axes.push(cross(axes[0], axes[1]));
  return axes;
}

/** Where a key's fields begin: as many bits for each image as its range needs, and the atom above them. */
function keyLayout(
  { source, length }: Structure,
  { images, vectors }: ReducedBasis,
  t: number[][],
  cutoff: number,
): number[] {
  const d = vectors.length;
  const most = [0, 0, 0];
  for (let k = d - 1; k >= 0; k--) {
    let far = cutoff;
    for (let m = k + 1; m < d; m++) far += Math.abs(t[m][k]) * (most[m] + 1);
    most[k] = Math.floor(far / t[k][k]) + 2;
  }
  const bits = [0, 1, 2].map((axis) => {
    const farthest = images.reduce((sum, image, k) => sum + most[k] * Math.abs(image[axis]), 0);
    return Math.ceil(Math.log2(farthest + 1)) + 1;
  });
  const below = [bits[0] + bits[1] + bits[2], bits[1] + bits[2], bits[2]];
  if (Math.max(...bits) > 30 || below[0] + Math.ceil(Math.log2(length)) > 62)
    throw new UserError(`${source}: its cell is too skewed for ${length} atoms within ${cutoff} Å.`);
  return below;
}

/** Boxes of the cell that a cube around the sphere of the cutoff holds: how often an atom sees another's images, at most. */
const repeatsOf = (t: number[][], d: number, cutoff: number): number =>
  t.slice(0, d).reduce((product, row, k) => product * Math.max(1, (2 * cutoff) / row[k]), 1);

/** Bins of two thirds of the cutoff, where looking at bins and at atoms in vain cost least; but no more bins than atoms. */
function binCounts(t: number[][], cutoff: number, atoms: number): number[] {
  const bins = [0, 1, 2].map((k) => Math.max(1, Math.min(atoms, Math.floor((1.5 * t[k][k]) / cutoff))));
  while (bins[0] * bins[1] * bins[2] > atoms) {
    const widest = bins.indexOf(Math.max(...bins));
    bins[widest] = Math.ceil(bins[widest] / 2);
  }
  return bins;
}
