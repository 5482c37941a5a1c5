import { UserError } from "../core/errors.ts";
import { parseNumber } from "./csv.ts";
import { ELEMENTS } from "./elements.ts";
import { Lattice, type Matrix3, type Vector3 } from "./lattice.ts";
import { quote } from "./open.ts";
import { speciesNumber } from "./pymatgen.ts";
import { Structure } from "./structure.ts";

/**
 * VASP's POSCAR and CONTCAR, with the species line (VASP 5) or without (VASP 4: symbols at the ends of the coordinate lines, or
 * as many in the comment line as there are counts). One scale factor multiplies lattice and Cartesian coordinates, a negative one
 * is the volume in Å³, three multiply x, y and z. Selective dynamics, velocities and what else follows are left out.
 *
 * @see https://www.vasp.at/wiki/index.php/POSCAR
 * @throws UserError naming file and line
 */
export function parsePoscar(text: string, { file = "POSCAR" }: { file?: string } = {}): Structure {
  const lines = text.split(/\r\n|\r|\n/);
  function fail(at: number, what: string, hint?: string): never {
    throw new UserError(`${file}:${at + 1}: ${what}`, hint);
  }
  /** The words of a line, without a comment. */
  const words = (at: number) => (lines[at] ?? "").split(/[!#]/)[0].trim().split(/\s+/);
  const shown = (at: number) => (lines[at] === undefined ? "the end of the file" : quote(lines[at].trim()));
  function vector(at: number, what: string): Vector3 {
    const numbers = words(at).slice(0, 3).map(parseNumber);
    if (numbers.length < 3 || numbers.includes(undefined)) fail(at, `${what} is expected, not ${shown(at)}.`);
    return numbers as unknown as Vector3;
  }

  const [x, y, z] = words(1).map(parseNumber);
  if (x === undefined || x === 0 || (y !== undefined && !(x > 0 && y > 0 && z !== undefined && z > 0)))
    fail(1, `a scale factor (or three positive ones) is expected, not ${shown(1)}.`);
  const rows = [2, 3, 4].map((row) =>
    vector(row, `lattice vector ${"abc"[row - 2]}, three numbers,`),
  ) as unknown as Matrix3;
  const scale = onLine((): Vector3 => {
    if (y !== undefined) return [x, y, z!];
    const s = x > 0 ? x : Math.cbrt(-x / new Lattice(rows).volume);
    return [s, s, s];
  });
  const lattice = onLine(() => new Lattice(rows.map((row) => scaled(row, scale)) as unknown as Matrix3));

  let at = 5;
  const symbols = /^\d+$/.test(words(at)[0]) ? undefined : words(at++);
  const counts = words(at).map((word) => (/^\d{1,9}$/.test(word) ? Number(word) : fail(at, countsExpected())));
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (symbols && symbols.length !== counts.length)
    fail(at, `${counts.length} numbers of atoms for ${symbols.length} species (${symbols.join(" ")}).`);
  const countsAt = at++;
  const selective = /^s/i.test(words(at)[0]);
  if (selective) at++;
  const mode = words(at)[0][0]?.toLowerCase();
  if (!mode || !"dck".includes(mode))
    fail(
      at,
      `"Direct" or "Cartesian" is expected, not ${shown(at)}.`,
      `It follows the numbers of atoms in line ${countsAt + 1}.`,
    );
  const begin = at + 1;
  if (total > lines.length - begin)
    fail(lines.length - 1, `the file ends before the last of its ${total} atoms (${counts.join(" ")}).`);

  const coordinates = new Float64Array(3 * total);
  for (let i = 0; i < total; i++) {
    const r = vector(begin + i, `the position of atom ${i + 1}, three numbers,`);
    coordinates.set(mode === "d" ? r : scaled(r, scale), 3 * i);
  }
  const each = symbols ? symbols.map((symbol) => number(symbol, 5)) : undefined;
  const numbers = each ? repeat(each, counts) : withoutSpecies();
  return onLine(
    () => new Structure({ numbers, lattice, [mode === "d" ? "fractional" : "positions"]: coordinates, source: file }),
  );

  function onLine<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof UserError) || error.message.startsWith(file)) throw error;
      fail(2, error.message);
    }
  }
  function countsExpected(): string {
    return `numbers of atoms are expected, not ${shown(at)}.`;
  }
  function number(symbol: string, line: number): number {
    return potential(symbol) ?? fail(line, `${quote(symbol)} is no element.`);
  }
  /** VASP 4. A symbol at the end of each coordinate line is surer than the comment. */
  function withoutSpecies(): number[] {
    const column = selective ? 6 : 3;
    const ends = Array.from({ length: total }, (_, i) => words(begin + i)[column] ?? "");
    const fromEnds = ends.every((word) => potential(word) !== undefined)
      ? ends.map((word) => potential(word)!)
      : undefined;
    if (fromEnds) return fromEnds;
    const comment = lines[0].trim().split(/\s+/);
    const fits =
      comment.length === counts.length && comment.every((word, i) => numbered(word, counts[i]) !== undefined);
    if (fits)
      return repeat(
        comment.map((word, i) => numbered(word, counts[i])!),
        counts,
      );
    fail(
      5,
      `the species are not named: neither in a line before the numbers of atoms, nor in the comment ${quote(lines[0].trim(), 30)}.`,
      `Insert a line with ${counts.length === 1 ? "one symbol" : `${counts.length} symbols`} before it, e.g. Na Cl`,
    );
  }
}

/**
 * VASP 5's POSCAR in fractional coordinates, the atoms in their order.
 *
 * @throws UserError for a structure without lattice or with disorder
 */
export function writePoscar(structure: Structure, { comment }: { comment?: string } = {}): string {
  const { lattice, numbers, fractional, disorder, source } = structure;
  if (disorder.size > 0)
    throw new UserError(`${source}: POSCAR has no partial occupancies.`, "Write it as CIF or JSON.");
  const runs: { z: number; count: number }[] = [];
  for (const z of numbers) {
    const last = runs.at(-1);
    if (last?.z === z) last.count++;
    else runs.push({ z, count: 1 });
  }
  const row = (v: ArrayLike<number>) => Array.from(v, (x) => x.toFixed(16).padStart(20)).join(" ");
  const lines = [
    (comment ?? structure.formula).replace(/[\r\n]+/g, " "),
    "1.0",
    ...lattice!.matrix.map(row),
    runs.map(({ z }) => ELEMENTS[z - 1].symbol).join(" "),
    runs.map(({ count }) => count).join(" "),
    "Direct",
    ...Array.from(numbers, (_, i) => row(fractional.subarray(3 * i, 3 * i + 3))),
  ];
  return `${lines.join("\n")}\n`;
}

const scaled = (v: Vector3, s: Vector3): Vector3 => [v[0] * s[0], v[1] * s[1], v[2] * s[2]];

const repeat = (values: readonly number[], counts: readonly number[]): number[] =>
  values.flatMap((value, i) => Array<number>(counts[i]).fill(value));

/** The element of a POTCAR's title: Fe, Fe_pv, Fe/5f3a…, H1.25. */
function potential(title: string): number | undefined {
  return speciesNumber(/^([A-Z][a-z]?)(?:[_/.\d].*)?$/.exec(title)?.[1] ?? "");
}

/** Of a comment's word: a symbol, or a symbol with the right number, as in Na4 Cl4. */
function numbered(word: string, count: number): number | undefined {
  const [, symbol, n] = /^([A-Z][a-z]?)(\d*)$/.exec(word) ?? [];
  return symbol !== undefined && (n === "" || Number(n) === count) ? speciesNumber(symbol) : undefined;
}
