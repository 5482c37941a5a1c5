import { beforeAll, describe, expect, test } from "vitest";
import { Lattice, type Vector3 } from "../../src/data/lattice.ts";
import { type NeighbourOptions, neighbourList } from "../../src/data/neighbours.ts";
import { Structure } from "../../src/data/structure.ts";
import { init } from "../../src/index.ts";
import { Draw } from "../samples/draw.ts";
import { rocksalt } from "./naiveNeighbours.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

/** Rutile, whose shells are near each other; and a random glass in a skewed cell. */
const rutile = new Structure({
  numbers: [22, 22, 8, 8, 8, 8],
  lattice: Lattice.fromParameters(4.594, 4.594, 2.959, 90, 90, 90),
  fractional: [
    ...[0, 0, 0, 0.5, 0.5, 0.5],
    ...[0.305, 0.305, 0, 0.695, 0.695, 0, 0.195, 0.805, 0.5, 0.805, 0.195, 0.5],
  ],
});
const d = new Draw(11, 3);
const glass = new Structure({
  numbers: new Array<number>(9).fill(14),
  lattice: Lattice.fromParameters(5, 6, 7, 55, 70, 100),
  fractional: Array.from({ length: 27 }, () => d.random()),
});
const STRUCTURES: [string, Structure][] = [
  ["rocksalt", rocksalt(1)],
  ["rutile", rutile],
  ["a glass", glass],
  ["a slab of it", glass.with({ periodic: [true, false, true] })],
  ["a chain of it", glass.with({ periodic: [false, false, true] })],
];
const OPTIONS: NeighbourOptions[] = [
  { cutoff: 6.1 },
  { cutoff: 8, maxNeighbours: 12, shells: "whole" },
  { cutoff: 8, maxNeighbours: 5, shells: "cut" },
];

/** For each atom its neighbours' atomic numbers (but where equals are cut) and distances to 1e-9 Å, in order. */
function environments(structure: Structure, options: NeighbourOptions): string[][] {
  const { ptr, index, distance } = neighbourList(structure, options);
  return Array.from({ length: structure.length }, (_, i) =>
    Array.from(distance.slice(ptr[i], ptr[i + 1]), (r, k) => {
      const z = options.shells === "cut" ? "" : structure.numbers[index[ptr[i] + k]];
      return `${(r + 1e-10).toFixed(8)} ${z}`;
    }).sort(),
  );
}

describe.each(STRUCTURES)("the environments in %s are those of", (_name, structure) => {
  const lattice = structure.lattice!;
  const rows = lattice.matrix;
  const sum = (u: Vector3, v: Vector3, n = 1): Vector3 => [u[0] + n * v[0], u[1] + n * v[1], u[2] + n * v[2]];
  const positions = (f: (r: Vector3, i: number) => Vector3): number[] =>
    Array.from({ length: structure.length }, (_, i) => f(structure.position(i), i)).flat();

  test.each(OPTIONS)("the same atoms elsewhere: %o", (options) => {
    const known = environments(structure, options);
    expect(known.flat().length).toBeGreaterThan(20);
    const moved = positions((r) => sum(r, [17.3, -0.77, 123.4]));
    expect(environments(structure.with({ positions: moved }), options)).toEqual(known);
    // Along the periodic directions, each by another number of cells.
    const wrapped = positions((r, i) =>
      rows.reduce((p, v, axis) => (structure.periodic[axis] ? sum(p, v, ((7 * i + axis) % 9) - 4) : p), r),
    );
    expect(environments(structure.with({ positions: wrapped }), options)).toEqual(known);
  });

  test.each(OPTIONS)("the same atoms turned: %o", (options) => {
    const [c, s] = [Math.cos(1.1), Math.sin(1.1)];
    const turn = ([x, y, z]: Vector3): Vector3 => {
      const [p, q] = [c * x - s * y, s * x + c * y];
      return [c * p + s * z, q, -s * p + c * z];
    };
    const turned = new Lattice([turn(rows[0]), turn(rows[1]), turn(rows[2])]);
    const other = structure.with({ positions: positions(turn), lattice: turned });
    expect(environments(other, options)).toEqual(environments(structure, options));
  });

  test.each(OPTIONS)("the same atoms in another order: %o", (options) => {
    const order = d.permutation(structure.length);
    const numbers = order.map((i) => structure.numbers[i]);
    const other = structure.with({ numbers, positions: order.flatMap((i) => structure.position(i)) });
    const known = environments(structure, options);
    expect(environments(other, options)).toEqual(order.map((i) => known[i]));
  });

  const { periodic } = structure;
  test.each(OPTIONS)("the same crystal in another cell: %o", (options) => {
    const known = environments(structure, options);
    if (periodic.every(Boolean)) {
      const skewed = new Lattice([rows[0], sum(rows[1], rows[0], 3), sum(sum(rows[2], rows[1], -2), rows[0])]);
      expect(environments(structure.with({ lattice: skewed }), options)).toEqual(known);
      const left = new Lattice([rows[1], rows[0], rows[2]]);
      expect(environments(structure.with({ lattice: left }), options)).toEqual(known);
    }
    const axis = periodic.indexOf(true);
    const double = rows.map((v, k) => (k === axis ? sum(v, v) : v)) as unknown as [Vector3, Vector3, Vector3];
    const other = structure.with({
      lattice: new Lattice(double),
      numbers: [...structure.numbers, ...structure.numbers],
      positions: [...structure.positions, ...positions((r) => sum(r, rows[axis]))],
    });
    expect(environments(other, options)).toEqual([...known, ...known]);
  });
});
