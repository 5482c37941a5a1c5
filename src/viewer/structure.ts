import type { Matrix3 } from "../data/lattice.ts";

/** What is drawn: plain JSON, or a `Structure` as it is. */
export interface ViewedStructure {
  /** Atomic numbers [atoms]; 0 for sites that several elements share. */
  readonly numbers: ArrayLike<number>;
  /** Cartesian, Å [atoms · 3]. */
  readonly positions: ArrayLike<number>;
  /** Rows a, b, c, Å. */
  readonly lattice?: Matrix3 | { readonly matrix: Matrix3 };
  /** Along which lattice vectors it repeats. */
  readonly periodic: readonly [boolean, boolean, boolean];
  /** The occupants of the shared sites, by atom. */
  readonly disorder?: Iterable<readonly [atom: number, occupants: readonly ViewedOccupant[]]>;
  /** Edges of a neighbour graph, drawn in place of bonds: from atom i to the image of atom j that lies n · lattice away. */
  readonly edges?: readonly (readonly [i: number, j: number, n1: number, n2: number, n3: number])[];
  /** What else to say of each atom [atoms]. */
  readonly labels?: readonly string[];
  /** #rrggbb of each atom, in place of its element's [atoms]. */
  readonly colors?: readonly string[];
}

export interface ViewedOccupant {
  readonly number: number;
  readonly occupancy: number;
}
