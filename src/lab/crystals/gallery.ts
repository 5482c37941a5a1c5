import { Lattice, type Vector3 } from "../../data/lattice.ts";
import { PROTOTYPES, type PrototypeName, prototype } from "../../data/prototypes.ts";
import { Structure } from "../../data/structure.ts";
import { GALLERY, type GalleryName } from "./config.ts";

interface Example {
  prototype: PrototypeName;
  /** What people call the kind, where that is not the prototype's name. */
  kind?: string;
  species: readonly string[];
  /** Å. */
  a: number;
  spaceGroup?: number;
}

/** Lattice constants at room temperature, rounded; the rest of the cell is in the prototype's proportions. */
const EXAMPLES: Readonly<Record<GalleryName, Example>> = {
  NaCl: { prototype: "rocksalt", species: ["Na", "Cl"], a: 5.64 },
  CsCl: { prototype: "CsCl", kind: "cesium chloride", species: ["Cs", "Cl"], a: 4.12 },
  ZnS: { prototype: "zincblende", species: ["Zn", "S"], a: 5.41 },
  ZnO: { prototype: "wurtzite", species: ["Zn", "O"], a: 3.25 },
  C: { prototype: "zincblende", kind: "diamond", species: ["C", "C"], a: 3.567, spaceGroup: 227 },
  CaF2: { prototype: "fluorite", species: ["Ca", "F"], a: 5.46 },
  TiO2: { prototype: "rutile", species: ["Ti", "O"], a: 4.594 },
  Al2O3: { prototype: "corundum", species: ["Al", "O"], a: 4.76 },
  ReO3: { prototype: "ReO3", kind: "rhenium trioxide", species: ["Re", "O"], a: 3.75 },
  SrTiO3: { prototype: "perovskite", species: ["Sr", "Ti", "O"], a: 3.905 },
  MgAl2O4: { prototype: "spinel", species: ["Mg", "Al", "O"], a: 8.08 },
  CdI2: { prototype: "CdI2", kind: "cadmium iodide", species: ["Cd", "I"], a: 4.24 },
};

export interface GalleryItem {
  name: GalleryName;
  /** "NaCl, rocksalt" */
  title: string;
  structure: Structure;
}

export const gallery = (): GalleryItem[] =>
  GALLERY.map((name) => {
    const example = EXAMPLES[name];
    const title = `${name}, ${example.kind ?? example.prototype}`;
    return { name, title, structure: conventionalCell(example).with({ source: title }) };
  });

/** The crystal in its conventional cell, which shows its symmetry: rocksalt is a cube. */
function conventionalCell({ prototype: name, species, a, spaceGroup }: Example): Structure {
  const cell = prototype(name, { species, a });
  const { conventional } = PROTOTYPES[name];
  const [x, y, z] = conventional.map((row): Vector3 => [a * row[0], a * row[1], a * row[2]]);
  const lattice = new Lattice([x, y, z]);
  const found = new Map<string, { number: number; site: Vector3 }>();
  for (let i = 0; i < cell.length; i++)
    for (const shift of SHIFTS) {
      const moved = cell.lattice!.toCartesian(shift).map((t, k) => t + cell.position(i)[k]) as unknown as Vector3;
      // A little below 0 is 0.
      const [u, v, w] = lattice.toFractional(moved).map((f) => f - Math.floor(f + 1e-6));
      found.set([i, u, v, w].map((f) => (f + 1e-9).toFixed(4)).join(), { number: cell.numbers[i], site: [u, v, w] });
    }
  const atoms = [...found.values()];
  return new Structure({
    numbers: atoms.map(({ number }) => number),
    fractional: atoms.flatMap(({ site }) => site),
    lattice,
    spaceGroup: spaceGroup ?? cell.spaceGroup,
  });
}

/** Translations of a primitive cell that reach all of a conventional one. */
const REACH = [-3, -2, -1, 0, 1, 2, 3];
const SHIFTS: readonly Vector3[] = REACH.flatMap((x) => REACH.flatMap((y) => REACH.map((z): Vector3 => [x, y, z])));
