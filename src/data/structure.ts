import { UserError } from "../core/errors.ts";
import { ELEMENTS } from "./elements.ts";
import { Composition } from "./formula.ts";
import type { Lattice, Vector3 } from "./lattice.ts";

/** One of several elements (or a vacancy's remainder) that share a site: occupancies at a site sum to at most 1. */
export interface Occupant {
  /** Atomic number. */
  readonly number: number;
  readonly occupancy: number;
}

export type Property = number | string | boolean;

export interface StructureInit {
  /** Atomic numbers [atoms], 1 … 118; 0 at the sites of `disorder`. */
  numbers: ArrayLike<number>;
  /** Cartesian, Å [atoms · 3]; or give `fractional` and a lattice. */
  positions?: ArrayLike<number>;
  /** In units of the lattice vectors [atoms · 3]. */
  fractional?: ArrayLike<number>;
  lattice?: Lattice;
  /** Along which lattice vectors it repeats. Default: all, or none without a lattice. */
  periodic?: readonly [boolean, boolean, boolean];
  disorder?: ReadonlyMap<number, readonly Occupant[]>;
  spaceGroup?: number;
  /** What else a file says of the whole structure, by name: energies, labels. */
  properties?: Readonly<Record<string, Property>>;
  /** What else it says of each atom: forces [atoms · 3], charges [atoms]. */
  arrays?: Readonly<Record<string, Float64Array>>;
  /** Where it was read: "a.cif", "b.jsonl:12". Begins the messages about it. */
  source?: string;
}

/** Atoms and, for a crystal, slab or chain, the lattice they repeat by. Immutable. */
export class Structure {
  readonly numbers: Int32Array;
  /** Cartesian, Å [atoms · 3]. */
  readonly positions: Float64Array;
  readonly lattice: Lattice | undefined;
  readonly periodic: readonly [boolean, boolean, boolean];
  /** Sites with several elements or a share of vacancies; their entry in `numbers` is 0. */
  readonly disorder: ReadonlyMap<number, readonly Occupant[]>;
  /** As the file has it: 1 … 230. */
  readonly spaceGroup: number | undefined;
  readonly properties: Readonly<Record<string, Property>>;
  readonly arrays: Readonly<Record<string, Float64Array>>;
  readonly source: string;

  constructor(init: StructureInit) {
    const { numbers, lattice, disorder = new Map(), properties = {}, arrays = {}, source = "structure" } = init;
    this.numbers = Int32Array.from(numbers);
    this.lattice = lattice;
    this.periodic = init.periodic ?? [lattice !== undefined, lattice !== undefined, lattice !== undefined];
    this.disorder = disorder;
    this.spaceGroup = init.spaceGroup;
    this.properties = properties;
    this.arrays = arrays;
    this.source = source;
    this.positions = init.positions ? Float64Array.from(init.positions) : cartesian(init);
    this.check();
  }

  /** Number of atoms (sites). */
  get length(): number {
    return this.numbers.length;
  }

  /** Cartesian, Å. */
  position(i: number): Vector3 {
    const { positions: r } = this;
    return [r[3 * i], r[3 * i + 1], r[3 * i + 2]];
  }

  /** In units of the lattice vectors [atoms · 3], not wrapped into the cell. */
  get fractional(): Float64Array {
    const { lattice, length } = this;
    if (!lattice) throw new UserError(`${this.source} has no lattice, so there are no fractional coordinates.`);
    const out = new Float64Array(3 * length);
    for (let i = 0; i < length; i++) out.set(lattice.toFractional(this.position(i)), 3 * i);
    return out;
  }

  /** Of all atoms of the cell; disordered sites count by occupancy. */
  get composition(): Composition {
    const pairs: [number, number][] = [];
    this.numbers.forEach((z, i) => {
      if (z > 0) pairs.push([z, 1]);
      else for (const { number, occupancy } of this.disorder.get(i)!) pairs.push([number, occupancy]);
    });
    return new Composition(pairs);
  }

  /** Smallest whole amounts, the least electronegative element first: NaCl. */
  get formula(): string {
    return this.composition.reduced();
  }

  /** The same with other facts, e.g. `structure.with({ source })`. */
  with(changes: Partial<StructureInit>): Structure {
    return new Structure({ ...this, ...(changes.fractional ? { positions: undefined } : {}), ...changes });
  }

  private check(): void {
    const { numbers, positions, lattice, periodic, disorder, spaceGroup, source } = this;
    const fail = (what: string): never => {
      throw new UserError(`${source}: ${what}`);
    };
    if (numbers.length === 0) fail("there are no atoms.");
    if (positions.length !== 3 * numbers.length)
      fail(`${numbers.length} atoms need ${3 * numbers.length} coordinates, not ${positions.length}.`);
    numbers.forEach((z, i) => {
      if (!(ELEMENTS[z - 1] || (z === 0 && disorder.has(i)))) fail(`atom ${i + 1} has the atomic number ${z}.`);
    });
    const bad = positions.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) fail(`a coordinate of atom ${Math.floor(bad / 3) + 1} is ${positions[bad]}.`);
    if (!lattice && periodic.some(Boolean)) fail("it is periodic but has no lattice.");
    if (spaceGroup !== undefined && !(Number.isInteger(spaceGroup) && spaceGroup >= 1 && spaceGroup <= 230))
      fail(`there is no space group ${spaceGroup}: they are 1 … 230.`);
  }
}

function cartesian({ fractional, lattice, source = "structure" }: StructureInit): Float64Array {
  if (!fractional || !lattice)
    throw new UserError(`${source}: give positions, or fractional coordinates with a lattice.`);
  const out = new Float64Array(fractional.length);
  for (let i = 0; i + 3 <= fractional.length; i += 3)
    out.set(lattice.toCartesian([fractional[i], fractional[i + 1], fractional[i + 2]]), i);
  return out;
}
