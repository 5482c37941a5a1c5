/** Crystals to try models on, and the ways of writing one down that must not change its value. */
import type { Rng } from "../../src/core/random.ts";
import { Lattice, type Matrix3, times } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";

/** Perovskite-like cells of random elements, shaken. */
export function structures(count: number, rng: Rng): Structure[] {
  const sites = [0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0.5];
  return Array.from(
    { length: count },
    () =>
      new Structure({
        lattice: Lattice.cubic(3.8 + 0.6 * rng.random()),
        numbers: [38, 22, 8, 8, 8].map((z) => z + rng.integer(3)),
        fractional: sites.map((x) => x + 0.03 * (rng.random() - 0.5)),
      }),
  );
}

/** Structures as the rows of a table. */
export const tableOf = (crystals: readonly Structure[]) => ({
  file: "test",
  length: crystals.length,
  structures: crystals,
  formulas: undefined,
  lines: Int32Array.from(crystals, (_, i) => i + 1),
  numeric: { names: [], values: new Float64Array(0) },
  categorical: { names: [], values: [] },
});

const rotation: Matrix3 = [
  [0.36, 0.48, -0.8],
  [-0.8, 0.6, 0],
  [0.48, 0.64, 0.6],
];
export const ways: [name: string, change: (s: Structure) => Structure][] = [
  ["moved", (s) => s.with({ positions: s.positions.map((x, i) => x + [0.7, -5.3, 11.1][i % 3]) })],
  [
    "turned",
    (s) =>
      s.with({
        lattice: new Lattice(s.lattice!.matrix.map((v) => times(v, rotation)) as unknown as Matrix3),
        positions: [...s.numbers.keys()].flatMap((i) => [...times(s.position(i), rotation)]),
      }),
  ],
  [
    "its atoms in another order",
    (s) => {
      const order = [3, 0, 4, 2, 1];
      return s.with({
        numbers: order.map((i) => s.numbers[i]),
        positions: order.flatMap((i) => [...s.position(i)]),
      });
    },
  ],
  ["in another cell of the same lattice", (s) => s.with({ lattice: sheared(s.lattice!) })],
  ["as a supercell", supercell],
];

export const ideal = new Structure({
  lattice: Lattice.cubic(3.905),
  numbers: [38, 22, 8, 8, 8],
  fractional: [0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0.5],
});

const sheared = ({ matrix: [a, b, c] }: Lattice): Lattice =>
  new Lattice([a, [b[0] + 2 * a[0], b[1] + 2 * a[1], b[2] + 2 * a[2]], [c[0] - b[0], c[1] - b[1], c[2] - b[2]]]);

function supercell(s: Structure): Structure {
  const [a, b, c] = s.lattice!.matrix;
  const copies = [0, 1].map((k) => Float64Array.from(s.positions, (x, i) => x + k * b[i % 3]));
  return s.with({
    lattice: new Lattice([a, [2 * b[0], 2 * b[1], 2 * b[2]], c]),
    numbers: [...s.numbers, ...s.numbers],
    positions: [...copies[0], ...copies[1]],
  });
}
