import { UserError } from "../core/errors.ts";
import { NumpyRandom } from "../core/numpyRandom.ts";
import { cosPi, sinPi } from "../core/portable.ts";
import { Structure } from "./structure.ts";
import { Table } from "./table.ts";

type Point = [x: number, y: number, z: number];

/** A point of a surface, evenly distributed on it; y is up. */
type Surface = (random: NumpyRandom) => Point;

const on = (t: number, radius: number): [number, number] => [radius * cosPi(2 * t), radius * sinPi(2 * t)];

export const SHAPES: Readonly<Record<string, Surface>> = {
  sphere(random) {
    const y = 2 * random.random() - 1;
    const [x, z] = on(random.random(), Math.sqrt(1 - y * y));
    return [x, y, z];
  },
  cube(random) {
    const face = random.integer(6);
    const point: Point = [2 * random.random() - 1, 2 * random.random() - 1, 2 * random.random() - 1];
    point[face >> 1] = face % 2 === 0 ? 1 : -1;
    return point;
  },
  /** Tube of radius 0.35 about a circle of radius 1; the outer half of the tube has more of the surface. */
  torus(random) {
    for (;;) {
      const [out, y] = on(random.random(), 0.35);
      if (1.35 * random.random() > 1 + out) continue;
      const [x, z] = on(random.random(), 1 + out);
      return [x, y, z];
    }
  },
  /** Of radius 1 and height 2, with its base: mantle and base are as √5 to 1. */
  cone(random) {
    const base = (1 + Math.sqrt(5)) * random.random() < 1;
    const radius = Math.sqrt(random.random());
    const [x, z] = on(random.random(), radius);
    return [x, base ? -1 : 1 - 2 * radius, z];
  },
  /** Of radius 1 and height 2, with its ends: mantle and ends are as 2 to 1. */
  cylinder(random) {
    const part = random.random();
    const end = part < 1 / 3;
    const [x, z] = on(random.random(), end ? Math.sqrt(random.random()) : 1);
    return [x, end ? (part < 1 / 6 ? -1 : 1) : 2 * random.random() - 1, z];
  },
};

/** Cells and the atoms in them, in units in which neighbours are one apart. */
interface Motif {
  readonly cell: readonly [Point, Point, Point];
  readonly atoms: readonly Point[];
}

/** A cube of edge a with atoms at these fractions of it. */
const cubic = (a: number, atoms: readonly Point[]): Motif => ({
  cell: [
    [a, 0, 0],
    [0, a, 0],
    [0, 0, a],
  ],
  atoms,
});

const FACES: readonly Point[] = [
  [0, 0, 0],
  [0, 0.5, 0.5],
  [0.5, 0, 0.5],
  [0.5, 0.5, 0],
];

export const MOTIFS: Readonly<Record<string, Motif>> = {
  fcc: cubic(Math.SQRT2, FACES),
  bcc: cubic(2 / Math.sqrt(3), [
    [0, 0, 0],
    [0.5, 0.5, 0.5],
  ]),
  hcp: {
    cell: [
      [1, 0, 0],
      [0, Math.sqrt(8 / 3), 0],
      [-0.5, 0, Math.sqrt(3) / 2],
    ],
    atoms: [
      [0, 0, 0],
      [2 / 3, 0.5, 1 / 3],
    ],
  },
  diamond: cubic(4 / Math.sqrt(3), [...FACES, ...FACES.map(([x, y, z]): Point => [x + 0.25, y + 0.25, z + 0.25])]),
};

/** The kinds, in the order of the classes of `pointClouds`: surfaces, then crystals. */
export const POINT_CLOUDS: readonly string[] = [...Object.keys(SHAPES), ...Object.keys(MOTIFS)];

/** A shape's points, stretched along each axis by up to a fifth, or a crystal's atoms nearest to a random place, shaken by heat. */
function draw(kind: string, count: number, random: NumpyRandom): Point[] {
  const surface = Object.hasOwn(SHAPES, kind) ? SHAPES[kind] : undefined;
  const points = surface
    ? Array.from({ length: count }, () => surface(random))
    : cluster(MOTIFS[kind], count, random.random(), random.random(), random.random());
  const stretch = surface ? [0, 1, 2].map(() => 0.8 + 0.4 * random.random()) : [1, 1, 1];
  // Of the distance between neighbours; a shape's surface is a little rough.
  const noise = surface ? 0.02 : 0.03 + 0.05 * random.random();
  const [cos, sin] = on(random.random(), 1);
  return points.map((point) => {
    const [x, y, z] = point.map((value, c) => value * stretch[c] + noise * random.normal());
    return [cos * x + sin * z, y, cos * z - sin * x];
  });
}

/** The `count` atoms of a crystal nearest to a place, given in fractions of the cell, about that place; neighbours are 1 apart. */
export function cluster({ cell, atoms }: Motif, count: number, ...place: Point): Point[] {
  const at = (f: readonly number[]): Point =>
    [0, 1, 2].map((c) => f[0] * cell[0][c] + f[1] * cell[1][c] + f[2] * cell[2][c]) as Point;
  const volume = cell[0][0] * cell[1][1] * cell[2][2];
  // A sphere of this radius holds as many atoms and those of another shell.
  let radius = 1;
  while ((4 * radius ** 3 * atoms.length) / volume < count) radius += 0.25;
  radius += 1;
  // A slanted cell needs more repeats than its height says.
  const reach = cell.map((_, c) => Math.ceil((1.6 * radius) / cell[c][c]) + 1);
  const found: { point: Point; square: number }[] = [];
  for (let i = -reach[0]; i <= reach[0]; i++)
    for (let j = -reach[1]; j <= reach[1]; j++)
      for (let k = -reach[2]; k <= reach[2]; k++)
        for (const [a, b, c] of atoms) {
          const point = at([a + i - place[0], b + j - place[1], c + k - place[2]]);
          const square = point[0] ** 2 + point[1] ** 2 + point[2] ** 2;
          if (square < radius ** 2) found.push({ point, square });
        }
  return found
    .sort((p, q) => p.square - q.square)
    .slice(0, count)
    .map(({ point }) => point);
}

/**
 * Clouds of points for classification: five surfaces (sphere, cube, torus, cone, cylinder) and pieces of four crystals (fcc, bcc,
 * hcp, diamond) with thermal noise, each standing upright and turned by any angle about y.
 *
 * @param options.points   of a cloud
 * @returns   a table of structures without a lattice, whose atoms (of carbon) are the points, with ids "sphere-1", … and the target
 *            "class". The classes take turns, so that any first rows have equally many of each (± 1) and do not depend on the count.
 *            The same bits on every engine.
 */
export function pointClouds({
  count = 1800,
  points = 128,
  seed = 0,
}: {
  count?: number;
  points?: number;
  seed?: number;
} = {}): Table {
  for (const [name, value] of Object.entries({ count, points }))
    if (!(Number.isInteger(value) && value >= 1)) throw new UserError(`pointClouds: ${name} is ${value}, not 1, 2, …`);
  const random = new NumpyRandom(seed);
  const kindOf = (row: number): string => POINT_CLOUDS[row % POINT_CLOUDS.length];
  const ids = Array.from({ length: count }, (_, row) => `${kindOf(row)}-${Math.floor(row / POINT_CLOUDS.length) + 1}`);
  const structures = ids.map((source, row) => {
    const positions = draw(kindOf(row), points, random).flat();
    return new Structure({ numbers: new Int32Array(points).fill(6), positions, source });
  });
  return new Table({
    ...{ file: "pointclouds", ids, formulas: undefined, structures },
    lines: Int32Array.from(ids, (_, row) => row + 1),
    numeric: { names: [], values: new Float64Array(0) },
    categorical: { names: [], values: [] },
    targets: { names: ["class"], values: Float64Array.from(ids, (_, row) => row % POINT_CLOUDS.length) },
    classes: POINT_CLOUDS,
    ...{ unused: [], dropped: [] },
  });
}
