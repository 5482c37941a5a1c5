import type { CifBlock } from "./cifBlock.ts";
import { OCCUPANCY_TOLERANCE, type Site } from "./cifSites.ts";
import { cross, dot, type Lattice, type Vector3 } from "./lattice.ts";
import type { Occupant } from "./structure.ts";
import { apply, type Operation, wrap } from "./symmetry.ts";

/** Two places nearer than this are one, Å: far below every bond, far above the 0.333 of a third in the longest cell. */
const SAME_PLACE = 0.05;

/** Width of the boxes in which places are looked up, Å. */
const BOX = 0.25;

const MOST_ATOMS = 1_000_000;

/** All atoms of a cell, as a Structure takes them. */
export interface CellContents {
  numbers: number[];
  fractional: number[];
  disorder: Map<number, Occupant[]>;
}

/**
 * Sites and their images under a group of operations, the identity first: each site as it is written, then its images in the cell.
 *
 * Images within 0.05 Å of each other are one atom, at their mean: 0.3333, 0.6667 on a threefold axis becomes ⅓, ⅔. Sites within
 * 0.05 Å of each other share the place of the first.
 *
 * @throws UserError where occupancies add up to more than 1, and above a million atoms
 */
export function expandSites(
  block: CifBlock,
  sites: readonly Site[],
  operations: readonly Operation[],
  lattice: Lattice,
): CellContents {
  const places = new Places(lattice);
  const orbits: { sites: Site[]; begin: number; end: number }[] = [];
  const orbitOf: number[] = [];
  for (const site of sites) {
    const there = places.find(site.fractional);
    if (there >= 0) {
      orbits[orbitOf[there]].sites.push(site);
      continue;
    }
    const begin = places.length;
    const place = meanImage(site.fractional, operations, lattice);
    places.add(place);
    for (const operation of operations.slice(1)) {
      const [x, y, z] = apply(operation, place);
      const image: Vector3 = [wrap(x), wrap(y), wrap(z)];
      if (places.find(image, begin) < 0) places.add(image);
    }
    while (orbitOf.length < places.length) orbitOf.push(orbits.length);
    orbits.push({ sites: [site], begin, end: places.length });
    if (places.length > MOST_ATOMS) block.fail(site.line, "the cell has more than a million atoms.");
  }
  const contents: CellContents = { numbers: [], fractional: places.fractional, disorder: new Map() };
  for (const orbit of orbits) {
    const occupants = occupantsOf(block, orbit.sites);
    const whole = occupants.length === 1 && occupants[0].occupancy > 1 - 1e-6;
    for (let atom = orbit.begin; atom < orbit.end; atom++) {
      contents.numbers.push(whole ? occupants[0].number : 0);
      if (!whole) contents.disorder.set(atom, occupants);
    }
  }
  return contents;
}

/** The elements at one place; what passes 1 by rounding is scaled to 1. */
function occupantsOf(block: CifBlock, sites: readonly Site[]): Occupant[] {
  const shares = new Map<number, number>();
  for (const { number, occupancy } of sites) shares.set(number, (shares.get(number) ?? 0) + occupancy);
  const sum = [...shares.values()].reduce((total, share) => total + share, 0);
  if (sum > 1 + OCCUPANCY_TOLERANCE) {
    const list = sites.map(({ label, occupancy }) => `${label} ${occupancy}`);
    const shown = list.length > 6 ? [...list.slice(0, 6), "…"] : list;
    block.fail(
      sites[sites.length - 1].line,
      `the occupancies at the site of ${sites[0].label} (${shown.join(", ")}) add up to ${Number(sum.toFixed(4))}.`,
      "Each atom is listed once: its images follow from the symmetry operations.",
    );
  }
  const scale = sum > 1 ? 1 / sum : 1;
  return Array.from(shares, ([number, share]) => ({ number, occupancy: share * scale }));
}

/** The mean of those images of x that fall on x. */
function meanImage(x: Vector3, operations: readonly Operation[], lattice: Lattice): Vector3 {
  const sum = [0, 0, 0];
  let count = 0;
  for (const operation of operations) {
    const step = nearest(apply(operation, x), x);
    if (!isShort(step, lattice)) continue;
    step.forEach((s, i) => (sum[i] += s));
    count++;
  }
  return [x[0] + sum[0] / count, x[1] + sum[1] / count, x[2] + sum[2] / count];
}

/** From b to the image of a that is near it; right for places that are near each other. */
function nearest(a: Vector3, b: Vector3): Vector3 {
  const step = (i: number) => a[i] - b[i] - Math.round(a[i] - b[i]);
  return [step(0), step(1), step(2)];
}

/** Whether a step in fractional coordinates leads to the same place. */
function isShort(step: Vector3, lattice: Lattice): boolean {
  const r = lattice.toCartesian(step);
  return dot(r, r) < SAME_PLACE ** 2;
}

/** Places in a cell, found by the box they lie in: as many steps for the millionth as for the first. */
class Places {
  readonly fractional: number[] = [];
  /** The last place in each box, and from each place the one before it in its box. */
  private readonly last = new Map<number, number>();
  private readonly before: number[] = [];
  private readonly boxes: Vector3;
  /** SAME_PLACE along each axis, in fractional coordinates. */
  private readonly reach: Vector3;

  constructor(private readonly lattice: Lattice) {
    const [a, b, c] = lattice.matrix;
    const height = (u: Vector3, v: Vector3) => lattice.volume / Math.hypot(...cross(u, v));
    const heights: Vector3 = [height(b, c), height(c, a), height(a, b)];
    const count = (h: number) => Math.min(Math.max(Math.floor(h / BOX), 1), 2 ** 16);
    this.boxes = [count(heights[0]), count(heights[1]), count(heights[2])];
    this.reach = [SAME_PLACE / heights[0], SAME_PLACE / heights[1], SAME_PLACE / heights[2]];
  }

  get length(): number {
    return this.before.length;
  }

  add(x: Vector3): void {
    const box = this.key(this.box(x[0], 0), this.box(x[1], 1), this.box(x[2], 2));
    this.before.push(this.last.get(box) ?? -1);
    this.last.set(box, this.length - 1);
    this.fractional.push(...x);
  }

  /** A place at x with an index ≥ `from`, or −1. */
  find(x: Vector3, from = 0): number {
    const { reach } = this;
    const first = (i: number) => this.box(x[i] - reach[i], i);
    const [u, v, w] = [first(0), first(1), first(2)];
    const [nu, nv, nw] = [this.reached(x, 0), this.reached(x, 1), this.reached(x, 2)];
    for (let i = 0; i < nu; i++)
      for (let j = 0; j < nv; j++)
        for (let k = 0; k < nw; k++) {
          const found = this.findIn(this.key(u + i, v + j, w + k), x, from);
          if (found >= 0) return found;
        }
    return -1;
  }

  /** The number of boxes along an axis that lie in reach of x. */
  private reached(x: Vector3, axis: number): number {
    const [count, reach] = [this.boxes[axis], this.reach[axis]];
    return Math.min(Math.floor((x[axis] + reach) * count) - Math.floor((x[axis] - reach) * count) + 1, count);
  }

  private findIn(box: number, x: Vector3, from: number): number {
    const { fractional: f, before, lattice } = this;
    for (let atom = this.last.get(box) ?? -1; atom >= from; atom = before[atom]) {
      if (isShort(nearest([f[3 * atom], f[3 * atom + 1], f[3 * atom + 2]], x), lattice)) return atom;
    }
    return -1;
  }

  private box(x: number, axis: number): number {
    return Math.floor(wrapped(x) * this.boxes[axis]);
  }

  private key(i: number, j: number, k: number): number {
    const [nx, ny, nz] = this.boxes;
    return ((i % nx) * ny + (j % ny)) * nz + (k % nz);
  }
}

/** In [0, 1): rounding may give 1. */
const wrapped = (x: number): number => (x - Math.floor(x)) % 1;
