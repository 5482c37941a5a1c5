import { ELEMENTS } from "../../src/data/elements.ts";
import { Lattice, type Vector3 } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import type { RegressionRow } from "../../src/train/report.ts";

interface Prototype {
  spaceGroup: number;
  /** Edge of the cubic cell, Å. */
  edge: number;
  /** The sites that each of the elements takes, fractional. */
  sites: Vector3[][];
  name: (symbols: string[]) => string;
}

const FACES: Vector3[] = [
  [0, 0, 0],
  [0.5, 0.5, 0],
  [0.5, 0, 0.5],
  [0, 0.5, 0.5],
];
const moved = (by: number): Vector3[] => FACES.map(([x, y, z]) => [(x + by) % 1, (y + by) % 1, (z + by) % 1]);

const PROTOTYPES: Prototype[] = [
  { spaceGroup: 225, edge: 5.2, sites: [FACES, moved(0.5)], name: (s) => s.join("") },
  { spaceGroup: 216, edge: 5.6, sites: [FACES, moved(0.25)], name: (s) => s.join("") },
  { spaceGroup: 225, edge: 5.5, sites: [FACES, [...moved(0.25), ...moved(0.75)]], name: (s) => `${s[0]}${s[1]}2` },
  {
    spaceGroup: 221,
    edge: 3.9,
    sites: [[[0, 0, 0]], [[0.5, 0.5, 0.5]], FACES.slice(1)],
    name: (s) => `${s[0]}${s[1]}${s[2]}3`,
  },
  {
    spaceGroup: 99,
    edge: 4,
    sites: [[[0, 0, 0]], [[0.5, 0.5, 0.53]], FACES.slice(1)],
    name: (s) => `${s[0]}${s[1]}${s[2]}3`,
  },
];
const ELEMENT_SETS = [
  ["Na", "Cl"],
  ["Mg", "O"],
  ["K", "Br"],
  ["Zn", "S"],
  ["Ga", "As"],
  ["Ca", "F"],
  ["Zr", "O"],
  ["Sr", "Ti", "O"],
  ["Ba", "Ti", "O"],
  ["La", "Al", "O"],
];

/** Repeatable noise in [−1, 1). */
const noise = (i: number): number => (((i * 2654435761) >>> 8) % 20001) / 10000.5 - 1;

/** Made-up crystals of five prototypes with made-up energies: rows of a report. */
export function crystalRows(count: number): RegressionRow[] {
  return Array.from({ length: count }, (_, i) => {
    const fitting = (n: number) => ELEMENT_SETS.filter((set) => set.length === n);
    const { spaceGroup, edge, sites, name } = PROTOTYPES[i % PROTOTYPES.length];
    const symbols = fitting(sites.length)[i % fitting(sites.length).length];
    const numbers = sites.flatMap((list, k) =>
      list.map(() => ELEMENTS.findIndex(({ symbol }) => symbol === symbols[k]) + 1),
    );
    const lattice = Lattice.cubic(edge + 0.3 * noise(i));
    const structure = new Structure({ numbers, fractional: sites.flat(2), lattice, spaceGroup });
    const target = 2 * noise(i + 7);
    return {
      ...{ id: `mp-${1000 + i}`, formula: name(symbols), elements: symbols, structure, spaceGroup },
      ...{ target, predicted: target + 0.2 * noise(3 * i) ** 3 },
    };
  });
}
