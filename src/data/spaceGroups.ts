import { UserError } from "../core/errors.ts";
import { operationsFromHall } from "./hall.ts";
import type { Lattice } from "./lattice.ts";
import { SETTINGS } from "./spaceGroupTable.ts";
import { keepsLattice, type Operation } from "./symmetry.ts";

/** A space group on one choice of axes and origin. */
export interface Setting {
  /** 1 … 230. */
  readonly number: number;
  /** Hermann–Mauguin, e.g. "P 1 21/c 1", "F d -3 m:2", "R -3 m:H". */
  readonly symbol: string;
  readonly hall: string;
}

/** All 530 of the International Tables, by number; the standard setting of a group (both its origins) comes first. */
export const SPACE_GROUP_SETTINGS: readonly Setting[] = rows().map(({ number, names, hall }) => ({
  number,
  symbol: names[0],
  hall,
}));

function rows(): { number: number; names: string[]; hall: string }[] {
  return SETTINGS.trim()
    .split("\n")
    .flatMap((line) => {
      const [, number, settings] = /^(\d+) (.*)$/.exec(line)!;
      return settings.split("; ").map((setting) => {
        const [names, hall] = setting.split("|");
        return { number: Number(number), names: names.split("="), hall };
      });
    });
}

/**
 * The settings that a number or a Hermann–Mauguin symbol may mean, the usual one first; none for what is not known.
 *
 * Spaces, underscores and case do not count: "P 21/c", "P2_1/c", "p2(1)/c". Short symbols of monoclinic groups mean every unique
 * axis they fit, "F m 3 m" is "F m -3 m", A b m 2 and A e m 2 are the same. Without :1, :2, :H, :R (or S, Z, H, R at the end, as ICSD
 * writes them) both settings are meant. A number means the standard axes.
 */
export function spaceGroupSettings(which: number | string): readonly Setting[] {
  if (typeof which === "number") {
    const all = SPACE_GROUP_SETTINGS.filter(({ number }) => number === which);
    return all.filter(({ symbol }) => base(symbol) === base(all[0].symbol));
  }
  return bySymbol().get(normal(which)) ?? [];
}

/** The space group of a Hall symbol of the tables: 1 … 230, or undefined. */
export function numberFromHall(hall: string): number | undefined {
  const key = hall
    .replace(/[\s_]+/g, " ")
    .trim()
    .toLowerCase();
  return SPACE_GROUP_SETTINGS.find((setting) => setting.hall.toLowerCase() === key)?.number;
}

/**
 * The operations of a space group given by number or Hermann–Mauguin symbol, on the axes that suit the lattice: the unique axis of
 * "P 21/c" and the hexagonal or rhombohedral axes of "R -3 m" follow from the cell, the origin of "F d -3 m" from nothing.
 *
 * @throws UserError for an unknown name, a lattice without the symmetry, and a choice of two origins
 */
export function spaceGroupOperations(which: number | string, lattice: Lattice): Operation[] {
  const name = typeof which === "number" ? `number ${which}` : JSON.stringify(which.slice(0, 40));
  const settings = spaceGroupSettings(which);
  if (settings.length === 0)
    throw new UserError(
      `There is no space group ${name}.`,
      "List the symmetry operations (_space_group_symop_operation_xyz).",
    );
  const fitting = settings
    .map(({ symbol, hall }) => ({ symbol, operations: operationsFromHall(hall) }))
    .filter(({ operations }) => keepsLattice(operations, lattice));
  if (fitting.length === 0) {
    const { a, b, c, alpha, beta, gamma } = lattice.parameters;
    const [edges, angles] = [
      [a, b, c],
      [alpha, beta, gamma],
    ].map((list) => list.map((x) => Number(x.toFixed(3))).join(", "));
    throw new UserError(
      `The cell with edges ${edges} Å and angles ${angles}° has not the symmetry of space group ${name}.`,
      "Are the axes in another order? Then list the symmetry operations (_space_group_symop_operation_xyz).",
    );
  }
  const same = fitting.filter(({ symbol }) => base(symbol) === base(fitting[0].symbol));
  if (same.length > 1)
    throw new UserError(
      `Space group ${name} has two choices of origin, and nothing says which.`,
      `Give the symbol as "${same[0].symbol}" or "${same[1].symbol}", or list the symmetry operations.`,
    );
  return fitting[0].operations;
}

const base = (symbol: string): string => symbol.replace(/:.$/, "");

/** "Fd-3mS" → "fd-3m:1". */
function normal(symbol: string): string {
  const text = symbol.toLowerCase().replace(/[\s_()]+/g, "");
  const choices: Record<string, string> = { 1: "1", 2: "2", s: "1", z: "2", h: "h", r: "r" };
  const [, plain, choice] = /^(.{2,}?):?((?<=:)[12]|[hrsz])$/.exec(text) ?? [];
  return choice ? `${plain}:${choices[choice]}` : text;
}

let symbols: Map<string, Setting[]> | undefined;

function bySymbol(): Map<string, Setting[]> {
  if (symbols) return symbols;
  symbols = new Map();
  rows().forEach(({ names }, i) => {
    const setting = SPACE_GROUP_SETTINGS[i];
    const keys = new Set(
      names.flatMap((name) => [name, ...shorter(name, setting.number)].flatMap((s) => [s, base(s)])).map(normal),
    );
    for (const key of keys) symbols!.set(key, [...(symbols!.get(key) ?? []), setting]);
  });
  return symbols;
}

function shorter(symbol: string, number: number): string[] {
  if (number >= 3 && number <= 15) return [symbol.replace(/ 1(?= |$)/g, "")];
  if ((number >= 200 && number <= 206) || number >= 221) return [symbol.replace("-3", "3")];
  return [];
}
