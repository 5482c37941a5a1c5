import { Lattice, type Vector3 } from "../data/lattice.ts";
import { bondsOf } from "./bonds.ts";
import { IS_METAL, LOOKS } from "./palette.ts";
import type { ViewedOccupant, ViewedStructure } from "./structure.ts";

/** What one atom of the data looks like, in all its images. */
export interface Site {
  /** "Na", or "Fe0.5Ni0.5" where elements share the site. */
  name: string;
  color: string;
  /** Covalent radius, Å. */
  radius: number;
  metal: boolean;
}

/** An atom or one of its images. */
export interface Ball {
  /** Index in the data. */
  atom: number;
  position: Vector3;
  /** Lattice vectors between the data's position and this one. */
  shift: Vector3;
  /** Outside the cell, at the end of an edge. */
  ghost: boolean;
}

/** A bond or an edge; of balls by their indices. */
export interface Stick {
  from: number;
  to: number;
  ghost: boolean;
}

/** Geometry to draw, in Å, before any camera: computed once for each structure. */
export interface Scene {
  sites: readonly Site[];
  balls: readonly Ball[];
  sticks: readonly Stick[];
  /** Whether the sticks are edges of a graph, not bonds. */
  graph: boolean;
  lattice?: Lattice;
  /** Where the camera looks, and the radius around it that holds the cell and its atoms; `reach` holds the ghosts, too. */
  center: Vector3;
  radius: number;
  reach: number;
}

/** Atoms nearer than this to a face of the cell are repeated on the opposite one: rocksalt is a cube. Å. */
const NEAR_FACE = 0.25;

/** A single atom need not fill the view. Å. */
const LEAST_REACH = 2.5;

/** As drawn: smaller than the covalent radius, and less different, so that no atom hides the bonds. Å. */
export const ballRadius = ({ radius }: Site): number => 0.22 + 0.25 * radius;

export function sceneOf(data: ViewedStructure): Scene {
  const lattice = data.lattice && new Lattice("matrix" in data.lattice ? data.lattice.matrix : data.lattice);
  const shared = new Map(data.disorder);
  const sites = Array.from(data.numbers, (number, i) => {
    const site = siteOf(shared.get(i) ?? [{ number, occupancy: 1 }]);
    return { ...site, color: data.colors?.[i] ?? site.color };
  });
  const balls: Ball[] = sites.flatMap((_, atom) => images(data, atom, lattice));
  const corners = lattice ? CORNERS.map((corner) => lattice.toCartesian(corner)) : [];
  const points = [...balls.map(({ position }) => position), ...corners];
  const center = [0, 1, 2].map((k) => {
    const values = points.map((point) => point[k]);
    return (values.reduce((a, b) => Math.min(a, b)) + values.reduce((a, b) => Math.max(a, b))) / 2;
  }) as unknown as Vector3;
  const extent = (ball: Ball): number => distance(ball.position, center) + ballRadius(sites[ball.atom]);
  const radius = [...balls.map(extent), ...corners.map((corner) => distance(corner, center))].reduce(larger);
  const sticks = data.edges ? edgesOf(data, data.edges, balls, lattice) : bondsOf(sites, balls);
  const reach = balls.map(extent).reduce(larger, Math.max(radius, LEAST_REACH));
  return { sites, balls, sticks, graph: data.edges !== undefined, lattice, center, radius, reach };
}

/** An atom moved into the cell along the periodic directions, and its copies on the opposite faces. */
function images(data: ViewedStructure, atom: number, lattice?: Lattice): Ball[] {
  const original = positionOf(data, atom);
  if (!lattice) return [{ atom, position: original, shift: [0, 0, 0], ghost: false }];
  const shifts = lattice.toFractional(original).map((fraction, k) => {
    if (!data.periodic[k]) return [0];
    // The cell is 1/|column k of the inverse| high along k.
    const near = Math.min(0.1, NEAR_FACE * Math.hypot(...lattice.inverse.map((row) => row[k])));
    const home = 0 - Math.floor(fraction + near);
    return fraction + home < near ? [home, home + 1] : [home];
  });
  return shifts[0].flatMap((x) =>
    shifts[1].flatMap((y) =>
      shifts[2].map((z): Ball => {
        const shift: Vector3 = [x, y, z];
        return { atom, position: add(original, lattice.toCartesian(shift)), shift, ghost: false };
      }),
    ),
  );
}

/** Edges between balls, once each; from the first image of an atom those, too, that leave the cell: they get a ghost, which joins `balls`. */
function edgesOf(
  data: ViewedStructure,
  edges: NonNullable<ViewedStructure["edges"]>,
  balls: Ball[],
  lattice?: Lattice,
): Stick[] {
  const key = (atom: number, shift: Vector3): string => `${atom}:${shift}`;
  const places = new Map(balls.map(({ atom, shift }, i) => [key(atom, shift), i]));
  const from = new Map<number, number[]>();
  balls.forEach(({ atom }, i) => from.set(atom, [...(from.get(atom) ?? []), i]));
  const sticks = new Map<string, Stick>();
  for (const [i, j, ...n] of edges) {
    for (const [copy, start] of (from.get(i) ?? []).entries()) {
      const shift = add(balls[start].shift, n);
      let end = places.get(key(j, shift));
      if (end === undefined || balls[end].ghost) {
        if (copy > 0) continue;
        if (end === undefined) {
          const position = add(positionOf(data, j), lattice?.toCartesian(shift) ?? [0, 0, 0]);
          end = balls.push({ atom: j, position, shift, ghost: true }) - 1;
          places.set(key(j, shift), end);
        }
      }
      const pair = start < end ? `${start},${end}` : `${end},${start}`;
      sticks.set(pair, { from: start, to: end, ghost: balls[end].ghost });
    }
  }
  return [...sticks.values()];
}

/** Of several elements the most frequent one gives the radius, and all mix the colour. */
function siteOf(occupants: readonly ViewedOccupant[]): Site {
  const most = occupants.reduce((a, b) => (b.occupancy > a.occupancy ? b : a));
  const look = LOOKS[most.number] ?? LOOKS[0];
  const total = occupants.reduce((sum, { occupancy }) => sum + occupancy, 0);
  const channel = (at: number): string =>
    Math.round(
      occupants.reduce(
        (sum, { number, occupancy }) =>
          sum + (occupancy / total) * Number.parseInt((LOOKS[number] ?? LOOKS[0]).color.slice(at, at + 2), 16),
        0,
      ),
    )
      .toString(16)
      .padStart(2, "0");
  const share = (x: number): string => (x === 1 ? "" : String(Number(x.toFixed(3))));
  return {
    name: occupants.map(({ number, occupancy }) => (LOOKS[number] ?? LOOKS[0]).symbol + share(occupancy)).join(""),
    color: `#${channel(1)}${channel(3)}${channel(5)}`,
    radius: look.radius,
    metal: IS_METAL[most.number] ?? false,
  };
}

/** Each kind of site once, with how many there are in the data: the legend. */
export function kindsOf({ sites }: Scene): { name: string; color: string; count: number }[] {
  const kinds = new Map<string, { name: string; color: string; count: number }>();
  for (const { name, color } of sites) {
    const kind = kinds.get(name) ?? { name, color, count: 0 };
    kind.count++;
    // Atoms of one kind that are coloured one by one.
    if (kind.color !== color) kind.color = "#888888";
    kinds.set(name, kind);
  }
  return [...kinds.values()];
}

/** Smallest whole amounts, in the order of the data: NaCl. */
export function formulaOf(scene: Scene): string {
  const kinds = kindsOf(scene);
  const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b));
  const divisor = kinds.map(({ count }) => count).reduce(common);
  return kinds.map(({ name, count }) => name + (count === divisor ? "" : count / divisor)).join("");
}

/** The twelve edges of the cell. */
export function cellEdges(lattice: Lattice): [Vector3, Vector3][] {
  return CORNERS.flatMap((corner) =>
    [0, 1, 2]
      .filter((k) => corner[k] === 0)
      .map((k): [Vector3, Vector3] => {
        const other = corner.map((x, i) => (i === k ? 1 : x)) as unknown as Vector3;
        return [lattice.toCartesian(corner), lattice.toCartesian(other)];
      }),
  );
}

/** What is said of a ball: its element, label and coordinates. */
export function describe({ sites, lattice }: Scene, { atom, position }: Ball, labels?: readonly string[]): string[] {
  const list = (v: Vector3, digits: number): string => v.map((x) => minus(x.toFixed(digits))).join(", ");
  return [
    `${sites[atom].name}, atom ${atom + 1}${labels?.[atom] ? `: ${labels[atom]}` : ""}`,
    `${list(position, 3)} Å`,
    ...(lattice ? [`fractional ${list(lattice.toFractional(position), 4)}`] : []),
  ];
}

/** A real minus sign, and none on zero. */
const minus = (text: string): string => (Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−"));

const CORNERS: readonly Vector3[] = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => [i & 1, (i >> 1) & 1, i >> 2]);

const larger = (a: number, b: number): number => Math.max(a, b);
const positionOf = ({ positions: r }: ViewedStructure, i: number): Vector3 => [r[3 * i], r[3 * i + 1], r[3 * i + 2]];
const add = (a: Vector3, b: readonly number[]): Vector3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const distance = (a: Vector3, b: Vector3): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
