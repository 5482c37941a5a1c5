import { UserError } from "../core/errors.ts";
import { dot, type Lattice, type Matrix3, type Vector3 } from "./lattice.ts";
import { quote } from "./open.ts";

/** x ↦ rotation · x + translation, of a column x of fractional coordinates; the translation is meant modulo 1. */
export interface Operation {
  readonly rotation: Matrix3;
  readonly translation: Vector3;
}

export const IDENTITY: Operation = {
  rotation: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  translation: [0, 0, 0],
};

/** f moved by whole cells to [0, 1); a hair below 1 becomes a hair below 0. */
export function wrap(f: number): number {
  const inside = f - Math.floor(f);
  return inside > 1 - 1e-9 ? inside - 1 : inside;
}

/** Not wrapped into the cell. */
export function apply({ rotation: [a, b, c], translation: t }: Operation, x: Vector3): Vector3 {
  return [dot(a, x) + t[0], dot(b, x) + t[1], dot(c, x) + t[2]];
}

/** First `second`, then `first`. */
export function compose(first: Operation, second: Operation): Operation {
  const { rotation: m } = second;
  const row = (r: Vector3): Vector3 => [
    r[0] * m[0][0] + r[1] * m[1][0] + r[2] * m[2][0],
    r[0] * m[0][1] + r[1] * m[1][1] + r[2] * m[2][1],
    r[0] * m[0][2] + r[1] * m[1][2] + r[2] * m[2][2],
  ];
  const [x, y, z] = apply(first, second.translation);
  const [a, b, c] = first.rotation;
  return { rotation: [row(a), row(b), row(c)], translation: [wrap(x), wrap(y), wrap(z)] };
}

/** Operations with translations equal to 0.002, found by their rotation. */
export class OperationSet {
  readonly list: Operation[] = [];
  private readonly translations = new Map<string, Vector3[]>();

  constructor(operations: Iterable<Operation> = []) {
    for (const operation of operations) this.add(operation);
  }

  has({ rotation, translation: t }: Operation): boolean {
    const same = (u: Vector3) => u.every((value, i) => Math.abs(value - t[i] - Math.round(value - t[i])) < 0.002);
    return this.translations.get(rotation.join())?.some(same) ?? false;
  }

  /** Whether it was not there yet. */
  add(operation: Operation): boolean {
    if (this.has(operation)) return false;
    const key = operation.rotation.join();
    const known = this.translations.get(key);
    if (known) known.push(operation.translation);
    else this.translations.set(key, [operation.translation]);
    this.list.push(operation);
    return true;
  }
}

/** The group that `operations` generate, the identity first; only `limit` + 1 elements of it when it has more than `limit`. */
export function generateGroup(operations: Iterable<Operation>, limit: number): Operation[] {
  const group = new OperationSet([IDENTITY]);
  const generators: Operation[] = [];
  for (const operation of operations) {
    if (group.has(operation)) continue;
    generators.push(operation);
    for (let i = 0; i < group.list.length; i++)
      for (const generator of generators)
        if (group.add(compose(group.list[i], generator)) && group.list.length > limit) return group.list;
  }
  return group.list;
}

/**
 * Whether the operations turn the lattice into itself: Wᵀ·G·W = G for the metric G. Edges may differ by 1 %, angles by 1°, for
 * measured cells are not exact.
 */
export function keepsLattice(operations: readonly Operation[], { matrix }: Lattice): boolean {
  const metric = matrix.map((u) => matrix.map((v) => dot(u, v)));
  const form = (u: Vector3, v: Vector3) => dot(u, [0, 1, 2].map((i) => dot(metric[i] as never, v)) as never);
  return operations.every(({ rotation }) => {
    const columns = [0, 1, 2].map((j): Vector3 => [rotation[0][j], rotation[1][j], rotation[2][j]]);
    return columns.every((u, i) =>
      columns.every((v, j) => Math.abs(form(u, v) - metric[i][j]) <= 0.02 * Math.sqrt(metric[i][i] * metric[j][j])),
    );
  });
}

/**
 * From a coordinate triplet: "-x+1/2, y, -z", "0.5+X,x-y,1/3". Decimals within 0.0035 of a 24th are that (0.33 is 1/3).
 *
 * @throws UserError for what is no triplet, or one that does not keep the volume
 */
export function parseOperation(text: string): Operation {
  const parts = text.toLowerCase().replace(/\s+/g, "").split(",");
  const rows = parts.map(parseCoordinate);
  const bad = rows.indexOf(undefined);
  if (parts.length !== 3)
    throw new UserError(`${quote(text)} is not a symmetry operation: it has ${parts.length} of 3 parts.`);
  if (bad >= 0)
    throw new UserError(`${quote(text)} is not a symmetry operation: ${quote(parts[bad])} is not like -x+1/2.`);
  const [a, b, c] = rows as [Row, Row, Row];
  const rotation: Matrix3 = [a.factors, b.factors, c.factors];
  const determinant = volume(rotation);
  if (Math.abs(determinant) !== 1)
    throw new UserError(`${quote(text)} is not a symmetry operation: it multiplies volumes by ${determinant}.`);
  return { rotation, translation: [wrap(a.shift), wrap(b.shift), wrap(c.shift)] };
}

interface Row {
  factors: Vector3;
  shift: number;
}

/** "1/2-x" → factors [-1, 0, 0], shift ½. */
function parseCoordinate(text: string): Row | undefined {
  const factors: [number, number, number] = [0, 0, 0];
  let shift = 0;
  if (text === "" || text.length > 100) return undefined;
  const term = /([+-]?)(?:(\d+\.?\d*|\.\d+)(?:\/(\d+))?)?\*?([xyz]?)/y;
  while (term.lastIndex < text.length) {
    const begin = term.lastIndex;
    const [all, sign, number, divisor, letter] = term.exec(text)!;
    if (all === sign || all.endsWith("*") || (begin > 0 && sign === "")) return undefined;
    const size = Number(number ?? 1) / Number(divisor ?? 1);
    const value = sign === "-" ? -size : size;
    if (!Number.isFinite(value)) return undefined;
    if (letter) factors["xyz".indexOf(letter)] += value;
    else shift += divisor === undefined ? snap(value) : value;
  }
  return { factors, shift };
}

function snap(value: number): number {
  const near = Math.round(value * 24) / 24;
  return Math.abs(value - near) < 0.0035 ? near : value;
}

const volume = ([a, b, c]: Matrix3): number =>
  a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);

/** "-x+1/2,y,-z". */
export function formatOperation({ rotation, translation }: Operation): string {
  return rotation
    .map((row, i) => {
      const terms = row.flatMap((factor, j) => {
        if (factor === 0) return [];
        const size = Math.abs(factor) === 1 ? "" : String(Math.abs(factor));
        return [`${factor < 0 ? "-" : "+"}${size}${"xyz"[j]}`];
      });
      const shift = wrap(translation[i]);
      if (Math.abs(shift) > 1e-6) terms.push(`+${formatFraction(shift)}`);
      return terms.join("").replace(/^\+/, "");
    })
    .join(",");
}

function formatFraction(value: number): string {
  const divisor = [2, 3, 4, 6, 8, 12, 24].find((n) => Math.abs(value * n - Math.round(value * n)) < 1e-6);
  return divisor ? `${Math.round(value * divisor)}/${divisor}` : String(Number(value.toFixed(6)));
}
