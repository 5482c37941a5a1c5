/** Small molecules with what a classical force field needs: who is bonded to whom, at which lengths and angles. */
export interface MoleculeSpec {
  readonly text: string;
  /** Atomic numbers. */
  readonly numbers: readonly number[];
  /** Å, near the minimum [atoms][3]. */
  readonly positions: readonly (readonly [number, number, number])[];
  readonly bonds: readonly (readonly [i: number, j: number])[];
}

/** Three hydrogens (or what else) around an atom whose fourth bond points from it along −z: a tetrahedron's three other corners. */
const tripod = (bond: number, z: number, up: 1 | -1, turn: number): [number, number, number][] =>
  [0, 1, 2].map((k) => {
    const angle = ((turn + 120 * k) * Math.PI) / 180;
    return [0.9428 * bond * Math.cos(angle), 0.9428 * bond * Math.sin(angle), z + (up * bond) / 3];
  });

const [upper, lower] = [tripod(1.09, 0.76, 1, 60), tripod(1.09, -0.76, -1, 0)];
/** The carbon's third corner is the oxygen's: C–O is longer than C–H. */
const oxygen = ([x, y, z]: readonly number[]): [number, number, number] => {
  const stretch = 1.42 / 1.09;
  return [x * stretch, y * stretch, 0.76 + (z - 0.76) * stretch];
};
const o = oxygen(upper[0]);

export const MOLECULES = {
  water: {
    text: "Water, H₂O",
    numbers: [8, 1, 1],
    positions: [
      [0, 0, 0.12],
      [0, 0.757, -0.467],
      [0, -0.757, -0.467],
    ],
    bonds: [
      [0, 1],
      [0, 2],
    ],
  },
  ammonia: {
    text: "Ammonia, NH₃",
    numbers: [7, 1, 1, 1],
    positions: [
      [0, 0, 0.12],
      [0.938, 0, -0.27],
      [-0.469, 0.812, -0.27],
      [-0.469, -0.812, -0.27],
    ],
    bonds: [
      [0, 1],
      [0, 2],
      [0, 3],
    ],
  },
  methane: {
    text: "Methane, CH₄",
    numbers: [6, 1, 1, 1, 1],
    positions: [[0, 0, 0], [0, 0, 1.09], ...tripod(1.09, 0, -1, 0)],
    bonds: [
      [0, 1],
      [0, 2],
      [0, 3],
      [0, 4],
    ],
  },
  ethanol: {
    text: "Ethanol, C₂H₅OH",
    numbers: [6, 6, 8, 1, 1, 1, 1, 1, 1],
    positions: [[0, 0, -0.76], [0, 0, 0.76], o, ...lower, upper[1], upper[2], [o[0] + 0.91, o[1], o[2] - 0.3]],
    bonds: [
      [0, 1],
      [1, 2],
      [0, 3],
      [0, 4],
      [0, 5],
      [1, 6],
      [1, 7],
      [2, 8],
    ],
  },
} as const satisfies Record<string, MoleculeSpec>;

export type MoleculeName = keyof typeof MOLECULES;
