import { cross, dot, type Lattice, type Vector3 } from "./lattice.ts";

export type Periodicity = readonly [boolean, boolean, boolean];

/** Whole numbers of the lattice vectors a, b, c. */
export type Image = readonly [a: number, b: number, c: number];

/** Up to three vectors that span the same lattice as those they came from, as short and as square as can be. */
export interface ReducedBasis {
  /** Shortest first, Å. */
  readonly vectors: readonly Vector3[];
  /** Each of them in whole numbers of the lattice's a, b, c. */
  readonly images: readonly Image[];
}

/** The lattice vectors along which it repeats, Minkowski-reduced: what a search over images needs to be short and complete. */
export function reducedBasis(lattice: Lattice | undefined, periodic: Periodicity): ReducedBasis {
  const { matrix } = lattice ?? { matrix: [] };
  let images = UNITS.filter((_, axis) => matrix.length > 0 && periodic[axis]);
  const vector = (image: Image): Vector3 => combine(image, matrix);
  for (;;) {
    const square = (image: Image): number => dot(vector(image), vector(image));
    images = images.sort((p, q) => square(p) - square(q));
    // A vector that the shorter ones shorten takes its new place among them; when there is none, the basis is reduced.
    const shorter = images.map((image, k) => {
      const near = nearest(vector(image), images.slice(0, k).map(vector));
      return near.reduce((sum, n, m) => minus(sum, images[m], n), image);
    });
    const at = images.findIndex((image, k) => square(shorter[k]) < square(image) * (1 - 1e-12));
    if (at < 0) return { vectors: images.map(vector), images };
    images[at] = shorter[at];
  }
}

/**
 * The shortest of the vectors that differ from `vector` by lattice translations, Å. Exact for any cell: in a reduced basis the
 * nearest lattice point is at most one step from rounded coordinates (Nguyen, Stehlé, ACM Trans. Algorithms 5, 46 (2009)).
 */
export function minimumImage(vector: Vector3, lattice: Lattice, periodic: Periodicity = [true, true, true]): Vector3 {
  const { vectors } = reducedBasis(lattice, periodic);
  const near = nearest(vector, vectors);
  return vectors.reduce((rest, v, k) => minus(rest, v, near[k]), vector);
}

const UNITS: readonly Image[] = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

const minus = (u: Vector3, v: Vector3, n: number): Vector3 => [u[0] - n * v[0], u[1] - n * v[1], u[2] - n * v[2]];

const combine = (n: readonly number[], vectors: readonly Vector3[]): Vector3 =>
  vectors.reduce<Vector3>((sum, v, k) => minus(sum, v, -n[k]), [0, 0, 0]);

/** Coefficients of the lattice point nearest to v, for a reduced basis of 0 … 3 vectors. */
function nearest(v: Vector3, basis: readonly Vector3[]): number[] {
  const rounded = coordinates(v, basis).map(Math.round);
  const rest = basis.reduce((u, b, k) => minus(u, b, rounded[k]), v);
  let best = basis.map(() => 0);
  let least = dot(rest, rest);
  for (const steps of STEPS[basis.length]) {
    const u = basis.reduce((w, b, k) => minus(w, b, steps[k]), rest);
    const square = dot(u, u);
    // Of points as near as each other within rounding, the first: noise must not choose.
    if (square < least * (1 - 1e-12)) [best, least] = [steps, square];
  }
  return rounded.map((n, k) => n + best[k]);
}

/** All steps of −1, 0, 1 in 0 … 3 directions. */
const STEPS: readonly number[][][] = [0, 1, 2, 3].map((d) =>
  Array.from({ length: 3 ** d }, (_, code) => Array.from({ length: d }, (_, k) => (Math.floor(code / 3 ** k) % 3) - 1)),
);

/** Of the projection of v on the basis, in its vectors. */
function coordinates(v: Vector3, basis: readonly Vector3[]): number[] {
  if (basis.length === 1) return [dot(v, basis[0]) / dot(basis[0], basis[0])];
  if (basis.length === 0) return [];
  const [a, b] = basis;
  const c = basis[2] ?? cross(a, b);
  const volume = dot(a, cross(b, c));
  const f = [dot(v, cross(b, c)) / volume, dot(v, cross(c, a)) / volume, dot(v, cross(a, b)) / volume];
  return f.slice(0, basis.length);
}
