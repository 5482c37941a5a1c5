import { UserError } from "../core/errors.ts";
import { element } from "./elements.ts";
import { Lattice, type Matrix3, times, type Vector3 } from "./lattice.ts";
import { Structure } from "./structure.ts";

/** A kind of crystal: what is the same in NaCl, MgO and all others of the rocksalt structure. */
export interface Prototype {
  readonly spaceGroup: number;
  /** Vectors of the primitive cell and of the conventional one that `sites` are fractions of, in units of a. */
  readonly primitive: Matrix3;
  readonly conventional: Matrix3;
  /** Of each species, one site for each of its atoms in a primitive cell: A, B, C are cations, X, Y anions. */
  readonly sites: Readonly<Record<string, readonly Vector3[]>>;
}

type Centring = "P" | "F" | "I" | "R";

/** Vectors of the primitive cell as fractions of those of the conventional cell. */
const CENTRINGS: Readonly<Record<Centring, Matrix3>> = {
  P: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  F: [
    [0, 0.5, 0.5],
    [0.5, 0, 0.5],
    [0.5, 0.5, 0],
  ],
  I: [
    [-0.5, 0.5, 0.5],
    [0.5, -0.5, 0.5],
    [0.5, 0.5, -0.5],
  ],
  R: [
    [2 / 3, 1 / 3, 1 / 3],
    [-1 / 3, 1 / 3, 1 / 3],
    [-1 / 3, -2 / 3, 1 / 3],
  ],
};

function define(conventional: Matrix3, centring: Centring, spaceGroup: number, sites: Prototype["sites"]): Prototype {
  const [u, v, w] = CENTRINGS[centring];
  const primitive: Matrix3 = [times(u, conventional), times(v, conventional), times(w, conventional)];
  return { spaceGroup, primitive, conventional, sites };
}

/** Tetragonal with c/a, cubic without. */
const square = (ratio = 1): Matrix3 => [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, ratio],
];

const hexagonal = (ratio: number): Matrix3 => [
  [1, 0, 0],
  [-0.5, Math.sqrt(3) / 2, 0],
  [0, 0, ratio],
];

/** c/a where spheres are packed closely. */
const IDEAL = Math.sqrt(8 / 3);
const THIRD = 1 / 3;
const TWO_THIRDS = 2 / 3;
const ORIGIN: Vector3 = [0, 0, 0];
const CENTRE: Vector3 = [0.5, 0.5, 0.5];
const FACES: readonly Vector3[] = [
  [0, 0.5, 0.5],
  [0.5, 0, 0.5],
  [0.5, 0.5, 0],
];
const EDGES: readonly Vector3[] = [
  [0.5, 0, 0],
  [0, 0.5, 0],
  [0, 0, 0.5],
];

/** Each and its inverse through the origin. */
const inverted = (...sites: readonly Vector3[]): Vector3[] =>
  sites.flatMap(([x, y, z]): Vector3[] => [
    [x, y, z],
    [-x, -y, -z],
  ]);

/** (x, y, z) turned by 0, 120 and 240° about the hexagonal c. */
const turned = (x: number, y: number, z: number): Vector3[] => [
  [x, y, z],
  [-y, x - y, z],
  [y - x, -x, z],
];

const octahedron = (u: number): Vector3[] => inverted([u, 0, 0], [0, u, 0], [0, 0, u]);
const TETRAHEDRAL = inverted([0.25, 0.25, 0.25]);

/** ±(x, y, z) of the spinel's anions that a primitive cell holds; its inversion centres are at the B. */
const spinelAnions = (u: number): Vector3[] =>
  inverted([u, u, u], [0.75 - u, 0.25 - u, 0.5 + u], [0.25 - u, 0.5 + u, 0.75 - u], [0.5 + u, 0.75 - u, 0.25 - u]);

/** With the free parameters of a typical member, or the ideal ones where they are usual (wurtzite, NiAs, NaFeO2). */
export const PROTOTYPES = {
  rocksalt: define(square(), "F", 225, { A: [ORIGIN], X: [CENTRE] }),
  CsCl: define(square(), "P", 221, { A: [ORIGIN], X: [CENTRE] }),
  zincblende: define(square(), "F", 216, { A: [ORIGIN], X: [[0.25, 0.25, 0.25]] }),
  wurtzite: define(hexagonal(IDEAL), "P", 186, {
    A: [
      [THIRD, TWO_THIRDS, 0],
      [TWO_THIRDS, THIRD, 0.5],
    ],
    X: [
      [THIRD, TWO_THIRDS, 0.375],
      [TWO_THIRDS, THIRD, 0.875],
    ],
  }),
  NiAs: define(hexagonal(IDEAL), "P", 194, {
    A: [ORIGIN, [0, 0, 0.5]],
    X: [
      [THIRD, TWO_THIRDS, 0.25],
      [TWO_THIRDS, THIRD, 0.75],
    ],
  }),
  WC: define(hexagonal(1), "P", 187, { A: [ORIGIN], X: [[THIRD, TWO_THIRDS, 0.5]] }),
  litharge: define(square(1.264), "P", 129, {
    A: [
      [0, 0.5, 0.2385],
      [0.5, 0, -0.2385],
    ],
    X: [ORIGIN, [0.5, 0.5, 0]],
  }),
  fluorite: define(square(), "F", 225, { A: [ORIGIN], X: TETRAHEDRAL }),
  antifluorite: define(square(), "F", 225, { A: TETRAHEDRAL, X: [ORIGIN] }),
  rutile: define(square(0.644), "P", 136, {
    A: [ORIGIN, CENTRE],
    X: [...inverted([0.305, 0.305, 0]), [0.805, 0.195, 0.5], [0.195, 0.805, 0.5]],
  }),
  anatase: define(square(2.514), "I", 141, {
    A: [ORIGIN, [0, 0.5, 0.25]],
    X: [...inverted([0, 0, 0.2081]), [0, 0.5, 0.4581], [0, 0.5, 0.0419]],
  }),
  CdI2: define(hexagonal(1.6), "P", 164, { A: [ORIGIN], X: inverted([THIRD, TWO_THIRDS, 0.25]) }),
  CdCl2: define(hexagonal(4.548), "R", 166, { A: [ORIGIN], X: inverted([0, 0, 0.252]) }),
  antiCdCl2: define(hexagonal(4.548), "R", 166, { A: inverted([0, 0, 0.252]), X: [ORIGIN] }),
  cristobalite: define(square(), "F", 227, {
    A: inverted([0.125, 0.125, 0.125]),
    X: [ORIGIN, [0, 0.25, 0.25], [0.25, 0, 0.25], [0.25, 0.25, 0]],
  }),
  cuprite: define(square(), "P", 224, {
    A: [
      [0.25, 0.25, 0.25],
      [0.25, 0.75, 0.75],
      [0.75, 0.25, 0.75],
      [0.75, 0.75, 0.25],
    ],
    X: [ORIGIN, CENTRE],
  }),
  ReO3: define(square(), "P", 221, { A: [ORIGIN], X: EDGES }),
  BiF3: define(square(), "F", 225, { A: [ORIGIN], X: [CENTRE, ...TETRAHEDRAL] }),
  BiI3: define(hexagonal(2.75), "R", 148, {
    A: inverted([0, 0, THIRD]),
    X: inverted(...turned(0, THIRD, 0.2465)),
  }),
  corundum: define(hexagonal(2.73), "R", 167, {
    A: inverted([0, 0, 0.352], [0, 0, 0.148]),
    X: inverted(...turned(0.306, 0, 0.25)),
  }),
  La2O3: define(hexagonal(1.557), "P", 164, {
    A: inverted([THIRD, TWO_THIRDS, 0.2467]),
    X: [ORIGIN, ...inverted([THIRD, TWO_THIRDS, 0.6471])],
  }),
  perovskite: define(square(), "P", 221, { A: [ORIGIN], B: [CENTRE], X: FACES }),
  antiperovskite: define(square(), "P", 221, { A: FACES, X: [CENTRE], Y: [ORIGIN] }),
  hexagonalPerovskite: define(hexagonal(0.855), "P", 194, {
    A: inverted([THIRD, TWO_THIRDS, 0.75]),
    B: [ORIGIN, [0, 0, 0.5]],
    X: inverted(...turned(0.147, 0.294, 0.25)),
  }),
  ilmenite: define(hexagonal(2.76), "R", 148, {
    A: inverted([0, 0, 0.355]),
    B: inverted([0, 0, 0.147]),
    X: inverted(...turned(0.317, 0.023, 0.245)),
  }),
  NaFeO2: define(hexagonal(4.899), "R", 166, { A: [ORIGIN], B: [[0, 0, 0.5]], X: inverted([0, 0, 0.24]) }),
  delafossite: define(hexagonal(5.65), "R", 166, { A: [ORIGIN], B: [[0, 0, 0.5]], X: inverted([0, 0, 0.108]) }),
  chalcopyrite: define(square(1.97), "I", 122, {
    A: [ORIGIN, [0, 0.5, 0.25]],
    B: [
      [0, 0, 0.5],
      [0, 0.5, 0.75],
    ],
    X: [
      [0.2575, 0.25, 0.125],
      [-0.2575, 0.75, 0.125],
      [0.75, 0.2575, 0.875],
      [0.25, -0.2575, 0.875],
    ],
  }),
  matlockite: define(square(1.765), "P", 129, {
    A: inverted([0.25, 0.25, 0.2058]),
    X: inverted([0.75, 0.25, 0]),
    Y: inverted([0.25, 0.25, 0.6497]),
  }),
  spinel: define(square(), "F", 227, {
    A: inverted([0.125, 0.125, 0.125]),
    B: [CENTRE, [0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]],
    X: spinelAnions(0.2625),
  }),
  K2NiF4: define(square(3.25), "I", 139, {
    A: inverted([0, 0, 0.355]),
    B: [ORIGIN],
    X: [EDGES[0], EDGES[1], ...inverted([0, 0, 0.155])],
  }),
  K2PtCl6: define(square(), "F", 225, { A: TETRAHEDRAL, B: [ORIGIN], X: octahedron(0.24) }),
  elpasolite: define(square(), "F", 225, { A: TETRAHEDRAL, B: [CENTRE], C: [ORIGIN], X: octahedron(0.24) }),
} satisfies Record<string, Prototype>;

export type PrototypeName = keyof typeof PROTOTYPES;

/**
 * A crystal of a known kind: `prototype("perovskite", { species: ["Sr", "Ti", "O"], a: 3.9 })`, in its primitive cell.
 *
 * @param species   symbols of the elements, in the order of the prototype's sites: cations, then anions
 * @param a         edge of the conventional cell, Å; the rest of the cell follows in the prototype's proportions
 * @throws UserError for names that are not in PROTOTYPES, another number of species than it has, and symbols of no element
 */
export function prototype(name: PrototypeName, { species, a }: { species: readonly string[]; a: number }): Structure {
  const found: Prototype | undefined = Object.hasOwn(PROTOTYPES, name) ? PROTOTYPES[name] : undefined;
  if (!found)
    throw new UserError(
      `There is no prototype ${JSON.stringify(name)}.`,
      `There are ${Object.keys(PROTOTYPES).join(", ")}.`,
    );
  const { primitive, conventional, sites, spaceGroup } = found;
  const letters = Object.keys(sites);
  if (species.length !== letters.length)
    throw new UserError(
      `The prototype ${name} has ${letters.length} species (${letters.join(", ")}), not ${species.length}.`,
    );
  if (!(a > 0 && a < Infinity)) throw new UserError(`The edge of a cell is a positive length in Å, not ${a}.`);
  const each = letters.flatMap((letter, i) =>
    sites[letter].map((site) => ({ number: element(species[i]).number, site })),
  );
  return new Structure({
    numbers: each.map(({ number }) => number),
    positions: each.flatMap(({ site }) => times(site, conventional).map((x) => a * x)),
    lattice: new Lattice(scaled(primitive, a)),
    spaceGroup,
    source: `${species.join("")}-${name}`,
  });
}

function scaled(m: Matrix3, factor: number): Matrix3 {
  const row = (v: Vector3): Vector3 => [v[0] * factor, v[1] * factor, v[2] * factor];
  return [row(m[0]), row(m[1]), row(m[2])];
}
