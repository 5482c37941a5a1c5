import { Lattice, type Vector3 } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { Draw } from "../samples/draw.ts";

interface Kind {
  edges: [number, number];
  atoms: [number, number];
  cutoffs: [number, number];
  shear: number;
}

/** Tiny, usual, flat, skewed and huge cells. */
const KINDS: Kind[] = [
  { edges: [0.9, 2.5], atoms: [1, 3], cutoffs: [1, 4], shear: 0.3 },
  { edges: [3, 8], atoms: [1, 12], cutoffs: [2, 7], shear: 0.3 },
  { edges: [4, 9], atoms: [1, 6], cutoffs: [2, 5], shear: 0.3 },
  { edges: [2.5, 6], atoms: [1, 8], cutoffs: [2, 6], shear: 4 },
  { edges: [15, 40], atoms: [2, 25], cutoffs: [3, 9], shear: 0.5 },
];

/** Hydrogen in any kind of cell and periodicity, inside and outside of it: bit for bit the cells of fixtures/neighbours.py. */
export function randomCell(number: number): { structure: Structure; cutoff: number } {
  const d = new Draw(number, 3);
  const between = (low: number, high: number): number => low + (high - low) * d.random();
  const { edges, atoms, cutoffs, shear } = KINDS[number % 5];
  const lengths = [0, 0, 0].map(() => between(...edges));
  if (number % 5 === 2) {
    const axis = Math.floor(between(0, 3));
    lengths[axis] = between(0.4, 1.2);
  }
  const m = [0, 0, 0].map(() => [0, 0, 0]);
  const turn = Math.floor(between(0, 3));
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < row; column++) m[row][(column + turn) % 3] = shear * lengths[column] * between(-1, 1);
    m[row][(row + turn) % 3] = lengths[row] * (between(0, 1) < 0.8 ? 1 : -1);
  }
  const periodic = [0, 0, 0].map(() => between(0, 1) < 0.75) as [boolean, boolean, boolean];
  const cutoff = between(...cutoffs);
  const positions: number[] = [];
  for (let left = Math.floor(between(atoms[0], atoms[1] + 1)); left > 0; left--) {
    const f = [0, 0, 0].map(() => between(-1.5, 2.5));
    for (let c = 0; c < 3; c++) positions.push(f[0] * m[0][c] + f[1] * m[1][c] + f[2] * m[2][c]);
  }
  const [a, b, c] = m as unknown as Vector3[];
  const lattice = periodic.some(Boolean) || number % 2 === 0 ? new Lattice([a, b, c]) : undefined;
  const numbers = new Array<number>(positions.length / 3).fill(1);
  return { structure: new Structure({ numbers, positions, lattice, periodic, source: `cell ${number}` }), cutoff };
}
