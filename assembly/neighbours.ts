import { distanceAt, move, RECORD, selectNearest, sortByDistance, sortTies, TIE } from "./records";

/**
 * Which atoms, in which images of the cell, are how far from each atom. Everything is f64 and scalar order is fixed, so that the
 * same pairs are found on any engine and any number of threads.
 */

/**
 * The problem, as src/data/neighbourCell.ts writes it, in this order. The cell is turned so that its reduced vectors are the rows of
 * a lower triangular matrix t: then one of them moves x alone, and the bins along x are runs of neighbouring atoms.
 */
@unmanaged
class Cell {
  /** Å. Wrapped coordinates are exact to `slack`. */
  cutoff: f64;
  slack: f64;
  t11: f64;
  t21: f64;
  t22: f64;
  t31: f64;
  t32: f64;
  t33: f64;
  /** Lattice vectors a, b, c: Å. */
  ax: f64;
  ay: f64;
  az: f64;
  bx: f64;
  by: f64;
  bz: f64;
  cx: f64;
  cy: f64;
  cz: f64;
  bins1: i32;
  bins2: i32;
  bins3: i32;
  /** Directions it repeats in: the first so many. */
  dimensions: i32;
  /** The reduced vectors in whole numbers of a, b, c. */
  m11: i32;
  m12: i32;
  m13: i32;
  m21: i32;
  m22: i32;
  m23: i32;
  m31: i32;
  m32: i32;
  m33: i32;
  /** Bits of a key below its atom, below its image along a, below that along b. */
  belowAtom: i32;
  belowA: i32;
  belowB: i32;
  /** Turned and wrapped coordinates in the order of the bins: x, y, z f64 [atoms + 1] each. */
  x: usize;
  y: usize;
  z: usize;
  /** First place of each bin i32 [bins + 1]; the atom at each place i32 [atoms]. */
  start: usize;
  atom: usize;
  /** As given: f64 [atoms, 3], Å. */
  positions: usize;
  /** How many cells each atom was moved by when it was wrapped: i32 [atoms, 3]. */
  wraps: usize;
}

// @ts-ignore: decorator
@inline
function at(base: usize, i: i32): i32 {
  return load<i32>(base + (<usize>i << 2));
}

/** ⌊a / b⌋ for b > 0. */
// @ts-ignore: decorator
@inline
function floorDiv(a: i32, b: i32): i32 {
  const q = a / b;
  return a - q * b < 0 ? q - 1 : q;
}

/** What one step along a reduced vector adds to a key, [atom | image a | image b | image c] with images in excess code. */
// @ts-ignore: decorator
@inline
function keyStep(cell: Cell, a: i32, b: i32, c: i32): i64 {
  return (<i64>a << <i64>cell.belowA) + (<i64>b << <i64>cell.belowB) + <i64>c;
}

/** The key's image along one axis, less the excess: `bits` wide above `low`. */
// @ts-ignore: decorator
@inline
function imageOf(key: i64, low: i64, high: i64): i32 {
  const bits = high - low;
  return <i32>(((key >> low) & ((<i64>1 << bits) - 1)) - (<i64>1 << (bits - 1)));
}

/**
 * Vector and distance from atom i to the candidate `key`, as r_j − r_i + image·lattice: written to [vector f64 · 3], [image i32 · 3]
 * unless those are 0. The same sums with opposite signs for the pair seen from its other end: distances are symmetric to the bit.
 */
function measure(cell: Cell, i: i32, key: i64, vector: usize, image: usize): f64 {
  const belowAtom = <i64>cell.belowAtom, belowA = <i64>cell.belowA, belowB = <i64>cell.belowB;
  const j = <i32>(key >> belowAtom);
  const from = cell.positions + <usize>i * 24;
  const to = cell.positions + <usize>j * 24;
  const a = imageOf(key, belowA, belowAtom) + at(cell.wraps, 3 * i) - at(cell.wraps, 3 * j);
  const b = imageOf(key, belowB, belowA) + at(cell.wraps, 3 * i + 1) - at(cell.wraps, 3 * j + 1);
  const c = imageOf(key, 0, belowB) + at(cell.wraps, 3 * i + 2) - at(cell.wraps, 3 * j + 2);
  const dx = load<f64>(to) - load<f64>(from) + (<f64>a * cell.ax + <f64>b * cell.bx + <f64>c * cell.cx);
  const dy = load<f64>(to, 8) - load<f64>(from, 8) + (<f64>a * cell.ay + <f64>b * cell.by + <f64>c * cell.cy);
  const dz = load<f64>(to, 16) - load<f64>(from, 16) + (<f64>a * cell.az + <f64>b * cell.bz + <f64>c * cell.cz);
  if (vector) {
    store<f64>(vector, dx);
    store<f64>(vector, dy, 8);
    store<f64>(vector, dz, 16);
    store<i32>(image, a);
    store<i32>(image, b, 4);
    store<i32>(image, c, 8);
  }
  return Math.sqrt(dx * dx + dy * dy + dz * dz);
}

/**
 * Finds the atoms within reach of the one at `place`, itself included. Their squared distances and keys go to `out`, one record of
 * no meaning after them, and their number is returned. There is no branch on a distance: it would be mispredicted every third time.
 * Where `out` is 0 no distance is computed, and what is returned is the number of atoms to look at.
 */
function scan(cell: Cell, place: i32, out: usize): i32 {
  const xs = cell.x, ys = cell.y, zs = cell.z;
  const starts = cell.start, atoms = cell.atom;
  const me = <usize>place << 3;
  const px = load<f64>(xs + me), py = load<f64>(ys + me), pz = load<f64>(zs + me);
  const reach = cell.cutoff + cell.slack;
  const outer = f64x2.splat(reach * reach);
  const bins1 = cell.bins1, bins2 = cell.bins2, bins3 = cell.bins3;
  const t11 = cell.t11, t21 = cell.t21, t22 = cell.t22, t31 = cell.t31, t32 = cell.t32, t33 = cell.t33;
  const w2 = t22 / <f64>bins2, w3 = t33 / <f64>bins3;
  const perX = <f64>bins1 / t11, perY = <f64>bins2 / t22, perZ = <f64>bins3 / t33;
  // How far the upper edges of a bin lean over its lower ones.
  const lean21 = t21 / <f64>bins2, lean31 = t31 / <f64>bins3, lean32 = t32 / <f64>bins3;
  const wide1 = Math.abs(lean21) + Math.abs(lean31), wide2 = Math.abs(lean32);
  const step1 = keyStep(cell, cell.m11, cell.m12, cell.m13);
  const step2 = keyStep(cell, cell.m21, cell.m22, cell.m23);
  const step3 = keyStep(cell, cell.m31, cell.m32, cell.m33);
  const belowAtom = <i64>cell.belowAtom;
  const origin = originOf(cell);
  const dimensions = cell.dimensions;
  let found = 0;

  let low3 = <i32>Math.floor((pz - reach) * perZ), high3 = <i32>Math.floor((pz + reach) * perZ);
  if (dimensions < 3) {
    low3 = max(low3, 0);
    high3 = min(high3, bins3 - 1);
  }
  for (let b3 = low3; b3 <= high3; b3++) {
    const n3 = floorDiv(b3, bins3);
    const z0 = <f64>b3 * w3;
    const dz = max(0, max(z0 - pz, pz - z0 - w3));
    const left3 = reach * reach - dz * dz;
    if (left3 < 0) continue;
    const y3 = <f64>b3 * lean32 + min(0, lean32);
    const x3 = <f64>b3 * lean31 + min(0, lean31) + min(0, lean21);
    const half2 = Math.sqrt(left3);
    let low2 = <i32>Math.floor((py - half2 - y3 - wide2) * perY);
    let high2 = <i32>Math.floor((py + half2 - y3) * perY);
    if (dimensions < 2) {
      low2 = max(low2, 0);
      high2 = min(high2, bins2 - 1);
    }
    for (let b2 = low2; b2 <= high2; b2++) {
      const y0 = <f64>b2 * w2 + y3;
      const dy = max(0, max(y0 - py, py - y0 - w2 - wide2));
      const left2 = left3 - dy * dy;
      if (left2 < 0) continue;
      const x2 = <f64>b2 * lean21 + x3;
      const half1 = Math.sqrt(left2);
      let b1 = <i32>Math.floor((px - half1 - x2 - wide1) * perX);
      let high1 = <i32>Math.floor((px + half1 - x2) * perX);
      if (dimensions < 1) {
        b1 = max(b1, 0);
        high1 = min(high1, bins1 - 1);
      }
      const n2 = floorDiv(b2, bins2);
      const row = ((b3 - n3 * bins3) * bins2 + b2 - n2 * bins2) * bins1;
      while (b1 <= high1) {
        // The bins of this row that lie in one image: a run of atoms in memory.
        const n1 = floorDiv(b1, bins1);
        const first = b1 - n1 * bins1;
        const last = min(bins1 - 1, first + high1 - b1);
        b1 += last - first + 1;
        const begin = at(starts, row + first);
        const end = at(starts, row + last + 1);
        if (!out) {
          found += end - begin;
          continue;
        }
        const image = origin + <i64>n1 * step1 + <i64>n2 * step2 + <i64>n3 * step3;
        const sx = f64x2.splat(px - (<f64>n1 * t11 + <f64>n2 * t21 + <f64>n3 * t31));
        const sy = f64x2.splat(py - (<f64>n2 * t22 + <f64>n3 * t32));
        const sz = f64x2.splat(pz - <f64>n3 * t33);
        for (let k = begin; k < end; k += 2) {
          const o = <usize>k << 3;
          const dx = f64x2.sub(v128.load(xs + o), sx);
          const dy = f64x2.sub(v128.load(ys + o), sy);
          const dz = f64x2.sub(v128.load(zs + o), sz);
          const d = f64x2.add(f64x2.add(f64x2.mul(dx, dx), f64x2.mul(dy, dy)), f64x2.mul(dz, dz));
          const near = i64x2.bitmask(f64x2.lt(d, outer)) & (3 >> i32(k + 1 == end));
          const atom = atoms + (<usize>k << 2);
          const to = out + <usize>found * RECORD;
          v128.store64_lane(to, d, 0);
          store<i64>(to, (<i64>load<i32>(atom) << belowAtom) + image, 8);
          const next = to + <usize>(near & 1) * RECORD;
          v128.store64_lane(next, d, 1);
          store<i64>(next, (<i64>load<i32>(atom, 4) << belowAtom) + image, 8);
          found += (near & 1) + (near >> 1);
        }
      }
    }
  }
  return found;
}

/** The middle of each excess code: the image (0, 0, 0). */
// @ts-ignore: decorator
@inline
function originOf(cell: Cell): i64 {
  return (<i64>1 << (<i64>cell.belowAtom - 1)) + (<i64>1 << (<i64>cell.belowA - 1)) + (<i64>1 << (<i64>cell.belowB - 1));
}

/** Of n records from `scan` keeps those nearer than the cutoff, without the atom itself, and takes the roots. Returns their number. */
function keepNear(cell: Cell, i: i32, list: usize, n: i32): i32 {
  const self = (<i64>i << <i64>cell.belowAtom) + originOf(cell);
  const inside = max(0, cell.cutoff - cell.slack);
  const certain = inside * inside;
  let kept = 0;
  for (let e = 0; e < n; e++) {
    const square = distanceAt(list, e);
    const key = load<i64>(list + <usize>e * RECORD, 8);
    if (key == self) continue;
    // Within rounding of the cutoff the distance that is reported decides.
    if (square > certain && !(measure(cell, i, key, 0, 0) < cell.cutoff)) continue;
    store<f64>(list + <usize>kept * RECORD, Math.sqrt(square));
    store<i64>(list + <usize>kept * RECORD, key, 8);
    kept++;
  }
  return kept;
}

/**
 * rooms[p] = how many records `neighbourFind` may need for the atom at place p. `begin`, `end` count p. Here and below work goes by
 * places, not by atoms: what one atom has read, the next one needs, and finds in the cache.
 */
export function neighbourRoom(begin: i32, end: i32, problem: usize, rooms: usize): void {
  const cell = changetype<Cell>(problem);
  for (let p = begin; p < end; p++) store<i32>(rooms + (<usize>p << 2), scan(cell, p, 0) + 1);
}

/**
 * Records of the atoms near that at place first + k, nearest first, at records + 16·offset[k], `kept[k]` of them. `begin`, `end` count
 * k; `spare` is as large as `records`. With `most` > 0 only the nearest `most` are kept, or, with `shell` > 0, all that are at most
 * `shell` Å farther than the last of these.
 */
export function neighbourFind(
  begin: i32,
  end: i32,
  problem: usize,
  first: i32,
  offset: usize,
  kept: usize,
  records: usize,
  spare: usize,
  most: i32,
  shell: f64,
): void {
  const cell = changetype<Cell>(problem);
  for (let k = begin; k < end; k++) {
    const skip = <usize>load<i32>(offset + (<usize>k << 2)) * RECORD;
    const list = records + skip;
    let n = keepNear(cell, at(cell.atom, first + k), list, scan(cell, first + k, list));
    const some = most > 0 && n > most;
    // Where the shell is cut, what ties with the last that is kept takes part in the sorting that decides.
    if (some) n = selectNearest(list, n, most, shell > 0 ? shell : 100 * TIE);
    sortByDistance(list, spare + skip, n);
    sortTies(list, n);
    store<i32>(kept + (<usize>k << 2), some && shell == 0 ? most : n);
  }
}

/** Moves the records of place k from offset[k] to ptr[k] of `packed`. `begin`, `end` count k. */
export function neighbourPack(begin: i32, end: i32, packed: usize, ptr: usize, records: usize, offset: usize): void {
  for (let k = begin; k < end; k++) {
    const n = at(ptr, k + 1) - at(ptr, k);
    for (let e = 0; e < n; e++) move(packed, at(ptr, k) + e, records, at(offset, k) + e);
  }
}

/**
 * The edges of atoms, from first on: those of atom first + k are ptr[k] … ptr[k + 1] − 1, and their records are at list[k].
 * `begin`, `end` count k. index i32, image i32 · 3, vector f64 · 3 (Å), distance f64 (Å).
 */
export function neighbourWrite(
  begin: i32,
  end: i32,
  problem: usize,
  first: i32,
  ptr: usize,
  list: usize,
  index: usize,
  image: usize,
  vector: usize,
  distance: usize,
): void {
  const cell = changetype<Cell>(problem);
  const belowAtom = <i64>cell.belowAtom;
  for (let k = begin; k < end; k++) {
    let record = <usize>at(list, k);
    const last = <usize>at(ptr, k + 1);
    for (let e = <usize>at(ptr, k); e < last; e++, record += RECORD) {
      const key = load<i64>(record, 8);
      store<i32>(index + (e << 2), <i32>(key >> belowAtom));
      store<f64>(distance + (e << 3), measure(cell, first + k, key, vector + 24 * e, image + 12 * e));
    }
  }
}
