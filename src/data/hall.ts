import { UserError } from "../core/errors.ts";
import type { Matrix3, Vector3 } from "./lattice.ts";
import { quote } from "./open.ts";
import { compose, generateGroup, IDENTITY, type Operation } from "./symmetry.ts";

/** No space group has more operations in its conventional cell: 48 of a cube times 4 of F. */
const MOST = 192;

/** Translations of the centred cells. */
const CENTRINGS: Record<string, readonly Vector3[]> = {
  P: [],
  A: [[0, 1 / 2, 1 / 2]],
  B: [[1 / 2, 0, 1 / 2]],
  C: [[1 / 2, 1 / 2, 0]],
  I: [[1 / 2, 1 / 2, 1 / 2]],
  R: [[2 / 3, 1 / 3, 1 / 3]],
  S: [[1 / 3, 1 / 3, 2 / 3]],
  T: [[1 / 3, 2 / 3, 1 / 3]],
  H: [[2 / 3, 1 / 3, 0]],
  F: [
    [0, 1 / 2, 1 / 2],
    [1 / 2, 0, 1 / 2],
  ],
};

const TRANSLATIONS: Record<string, Vector3> = {
  a: [1 / 2, 0, 0],
  b: [0, 1 / 2, 0],
  c: [0, 0, 1 / 2],
  n: [1 / 2, 1 / 2, 1 / 2],
  u: [1 / 4, 0, 0],
  v: [0, 1 / 4, 0],
  w: [0, 0, 1 / 4],
  d: [1 / 4, 1 / 4, 1 / 4],
};

/** Rotations about c by order, and the twofold ones about a − b (') and a + b ("). */
const ABOUT_C: Record<string, Matrix3> = {
  1: IDENTITY.rotation,
  2: columns([-1, 0, 0], [0, -1, 0]),
  3: columns([0, 1, 0], [-1, -1, 0]),
  4: columns([0, 1, 0], [-1, 0, 0]),
  6: columns([1, 1, 0], [-1, 0, 0]),
  "'": columns([0, -1, 0], [-1, 0, 0], [0, 0, -1]),
  '"': columns([0, 1, 0], [1, 0, 0], [0, 0, -1]),
};

/** About a + b + c: x → y → z → x. */
const DIAGONAL: Matrix3 = columns([0, 1, 0], [0, 0, 1], [1, 0, 0]);

/**
 * The operations of a space group from its Hall symbol, such as "-P 2ybc", `-R 3 2"` or "P 31 2c (0 0 1)"; the identity first.
 * A change of origin in brackets is in twelfths; other changes of basis are not taken.
 *
 * @throws UserError for what is no Hall symbol
 * @see Hall, Acta Cryst. A37, 517 (1981); International Tables for Crystallography B (2010), section 1.4, appendix A1.4.2.3
 */
export function operationsFromHall(symbol: string): Operation[] {
  const fail = (why: string): never => {
    throw new UserError(`${quote(symbol)} is not a Hall symbol: ${why}.`);
  };
  const text = symbol.slice(0, 100).replaceAll("_", " ").trim().toLowerCase();
  const [, minus, letter, rest, shift] = /^(-?)\s*([a-z])((?:\s+[^\s()]+)*)\s*(?:\(([^()]*)\))?$/.exec(text) ?? [];
  const centring = CENTRINGS[letter?.toUpperCase()] as readonly Vector3[] | undefined;
  if (!centring)
    return fail("it begins with - where centred on an inversion, and a lattice P, A, B, C, I, R, S, T, H or F");
  const parts = rest.trim().split(/\s+/);
  if (parts[0] === "" || parts.length > 4) return fail("one to four rotations follow the lattice");
  const generators = centring.map((translation): Operation => ({ ...IDENTITY, translation }));
  if (minus) generators.push({ ...IDENTITY, rotation: negative(IDENTITY.rotation) });
  let before: Rotation | undefined;
  parts.forEach((part, i) => {
    before = readRotation(part, i, before) ?? fail(`${quote(part)} is no rotation`);
    generators.push(before.operation);
  });
  const group = generateGroup(generators.map(exact), MOST);
  if (group.length > MOST) return fail("its rotations generate no space group");
  const origin = readShift(shift) ?? fail("the change of origin is like (0 0 1), in twelfths");
  if (origin.every((x) => x === 0)) return group;
  const [to, from] = [1, -1].map((sign) => ({
    ...IDENTITY,
    translation: origin.map((x) => sign * x) as never as Vector3,
  }));
  return group.map((operation) => exact(compose(compose(to, operation), from)));
}

interface Rotation {
  operation: Operation;
  order: number;
  axis: string;
}

/** One of the symbol's parts, e.g. "-2yc", `2"`, "61": [-] order [axis] [translations]; axes left out follow from the part before. */
function readRotation(part: string, place: number, before: Rotation | undefined): Rotation | undefined {
  const [, minus, digit, given, letters] = /^(-?)([12346])([xyz'"*]?)([1-5abcnuvwd]*)$/.exec(part) ?? [];
  if (digit === undefined) return undefined;
  const order = Number(digit);
  const axis = given || implied(order, place, before);
  const matrix = rotationAbout(axis, order, before?.axis ?? "z");
  if (!matrix) return undefined;
  let translation: Vector3 = [0, 0, 0];
  for (const letter of letters) {
    const step = TRANSLATIONS[letter] ?? screw(axis, Number(letter) / order);
    if (!step || Number(letter) >= order) return undefined;
    translation = translation.map((x, i) => x + step[i]) as never as Vector3;
  }
  return { operation: { rotation: minus ? negative(matrix) : matrix, translation }, order, axis };
}

/** The first rotation is about c; then come 2 about a after 2 and 4, about a − b after 3 and 6, and 3 about a + b + c. */
function implied(order: number, place: number, before: Rotation | undefined): string {
  if (place === 0 || order === 1) return "z";
  if (order === 3) return "*";
  if (order !== 2 || !before) return "z";
  return before.order === 2 || before.order === 4 ? "x" : "'";
}

function rotationAbout(axis: string, order: number, before: string): Matrix3 | undefined {
  if (axis === "*") return order === 3 ? DIAGONAL : undefined;
  if (axis !== "'" && axis !== '"') return turned(ABOUT_C[order], axis);
  return order === 2 ? turned(ABOUT_C[axis], "xyz".includes(before) ? before : "z") : undefined;
}

/** A matrix about c, about another axis instead: a, b, c → b, c, a. */
function turned(matrix: Matrix3, axis: string): Matrix3 {
  const by = { x: 1, y: 2, z: 0 }[axis]!;
  const from = (i: number) => (i + 3 - by) % 3;
  const at = (i: number): Vector3 => [matrix[from(i)][from(0)], matrix[from(i)][from(1)], matrix[from(i)][from(2)]];
  return [at(0), at(1), at(2)];
}

function screw(axis: string, height: number): Vector3 | undefined {
  if (!"xyz".includes(axis)) return undefined;
  return [axis === "x" ? height : 0, axis === "y" ? height : 0, axis === "z" ? height : 0];
}

function readShift(text: string | undefined): Vector3 | undefined {
  if (text === undefined) return [0, 0, 0];
  const numbers = text.trim().split(/\s+/).map(Number);
  if (numbers.length !== 3 || !numbers.every(Number.isInteger)) return undefined;
  return [numbers[0] / 12, numbers[1] / 12, numbers[2] / 12];
}

/** With its translation at 24ths exactly: sums of thirds leave no rest. */
function exact({ rotation, translation }: Operation): Operation {
  const round = (x: number) => (((Math.round(x * 24) % 24) + 24) % 24) / 24;
  return { rotation, translation: [round(translation[0]), round(translation[1]), round(translation[2])] };
}

function columns(x: Vector3, y: Vector3, z: Vector3 = [0, 0, 1]): Matrix3 {
  return [
    [x[0], y[0], z[0]],
    [x[1], y[1], z[1]],
    [x[2], y[2], z[2]],
  ];
}

function negative([a, b, c]: Matrix3): Matrix3 {
  const minus = (v: Vector3): Vector3 => [0 - v[0], 0 - v[1], 0 - v[2]];
  return [minus(a), minus(b), minus(c)];
}
