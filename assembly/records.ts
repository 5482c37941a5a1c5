/** Records of neighbours: which are nearest, and sorting them by distance. */

/** Distances that differ by less are one distance: ties are broken by the key. Å. */
export const TIE: f64 = 1e-8;

/** Bytes of a record: a distance f64 and a key u64 that tells neighbours apart. */
export const RECORD: usize = 16;

// @ts-ignore: decorator
@inline
export function distanceAt(list: usize, e: i32): f64 {
  return load<f64>(list + <usize>e * RECORD);
}

// @ts-ignore: decorator
@inline
function swap(list: usize, a: i32, b: i32): void {
  const p = list + <usize>a * RECORD;
  const q = list + <usize>b * RECORD;
  const kept = v128.load(p);
  v128.store(p, v128.load(q));
  v128.store(q, kept);
}

/** Moves to the front, unsorted, all records at most `slack` beyond the k-th nearest of n > k; returns their number. Hoare's selection. */
export function selectNearest(list: usize, n: i32, k: i32, slack: f64): i32 {
  let low = 0;
  let high = n - 1;
  while (low < high) {
    const a = distanceAt(list, low), b = distanceAt(list, (low + high) >> 1), c = distanceAt(list, high);
    const pivot = max(min(a, b), min(max(a, b), c));
    let i = low;
    let j = high;
    while (i <= j) {
      while (distanceAt(list, i) < pivot) i++;
      while (distanceAt(list, j) > pivot) j--;
      if (i <= j) swap(list, i++, j--);
    }
    if (k - 1 <= j) high = j;
    else if (k - 1 >= i) low = i;
    else break;
  }
  const limit = distanceAt(list, k - 1) + slack;
  let chosen = k;
  for (let e = k; e < n; e++) if (distanceAt(list, e) <= limit) swap(list, e, chosen++);
  return chosen;
}

/** Runs of this many are sorted by insertion, then merged. */
const RUN: i32 = 12;

/** Sorts n records by distance; `spare` is as long. Merging keeps to n·log n, however many an atom has. */
export function sortByDistance(list: usize, spare: usize, n: i32): void {
  for (let first = 0; first < n; first += RUN) {
    const last = min(first + RUN, n);
    for (let e = first + 1; e < last; e++) {
      const d = distanceAt(list, e);
      const record = v128.load(list + <usize>e * RECORD);
      let hole = e;
      for (; hole > first && distanceAt(list, hole - 1) > d; hole--) move(list, hole, list, hole - 1);
      v128.store(list + <usize>hole * RECORD, record);
    }
  }
  let from = list;
  let to = spare;
  for (let width = RUN; width < n; width <<= 1) {
    for (let first = 0; first < n; first += width << 1) {
      const middle = min(first + width, n);
      const last = min(middle + width, n);
      let a = first;
      let b = middle;
      for (let e = first; e < last; e++) {
        const left = b >= last || (a < middle && distanceAt(from, a) <= distanceAt(from, b));
        move(to, e, from, left ? a++ : b++);
      }
    }
    const other = from;
    from = to;
    to = other;
  }
  if (from != list) for (let e = 0; e < n; e++) move(list, e, from, e);
}

// @ts-ignore: decorator
@inline
export function move(to: usize, a: i32, from: usize, b: i32): void {
  v128.store(to + <usize>a * RECORD, v128.load(from + <usize>b * RECORD));
}

/** Sorts by key wherever sorted distances follow each other within rounding. */
export function sortTies(list: usize, n: i32): void {
  let before: f64 = -1;
  for (let e = 0, first = 0; e < n; e++) {
    const d = distanceAt(list, e);
    if (d - before > TIE) first = e;
    before = d;
    const key = load<i64>(list + <usize>e * RECORD, 8);
    const record = v128.load(list + <usize>e * RECORD);
    let hole = e;
    for (; hole > first && load<i64>(list + <usize>(hole - 1) * RECORD, 8) > key; hole--) move(list, hole, list, hole - 1);
    v128.store(list + <usize>hole * RECORD, record);
  }
}
