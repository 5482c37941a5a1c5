import { UserError } from "../core/errors.ts";
import { parseNumber } from "./csv.ts";
import { quote, unknownName } from "./open.ts";
import type { Structure } from "./structure.ts";

/** xx yy zz yz xz xy: Voigt's order, as ASE has it. */
export const VOIGT: readonly (readonly [row: number, column: number])[] = [
  [0, 0],
  [1, 1],
  [2, 2],
  [1, 2],
  [0, 2],
  [0, 1],
];

/** The forces on a structure's atoms [atoms · 3], eV/Å. @throws UserError naming the frame where they are not there */
export function forcesIn(structure: Structure, key: string): Float64Array {
  const { arrays, source, length } = structure;
  const forces = arrays[key];
  if (forces === undefined) {
    const names = Object.keys(arrays);
    const { message, hint } = unknownName(`${source}: this frame has no column of forces`, key, names);
    const alone = "To learn from energies alone, leave the forces out (--forces).";
    throw new UserError(message.split("\n")[0], names.length > 0 ? `${hint} ${alone}` : alone);
  }
  if (forces.length !== 3 * length)
    throw new UserError(
      `${source}: the column ${quote(key)} has ${forces.length / length} numbers for each atom; a force has three.`,
    );
  finite(forces, `${source}: the force ${quote(key)} of atom`, 3);
  return forces;
}

/**
 * The stress of a crystal times its volume, ∂E/∂ε in eV, in Voigt's order [6]: from nine numbers or six, eV/Å³, positive under
 * tension. A property that is named as a virial is in eV and has the opposite sign, as is the custom.
 *
 * @throws UserError naming the frame where it is not there, and where nothing repeats in three directions
 */
export function virialIn(structure: Structure, key: string): Float64Array {
  const { properties, source, lattice } = structure;
  if (!lattice || !structure.periodic.every(Boolean))
    throw new UserError(
      `${source}: a stress needs a crystal; this structure does not repeat in three directions.`,
      "Leave the stress out (--stress), or leave the frame out.",
    );
  const value = properties[key];
  if (value === undefined) {
    const { message, hint } = unknownName(
      `${source}: this frame has no stress`,
      key,
      Object.keys(properties).filter((name) => name !== "energy"),
    );
    throw new UserError(message.split("\n")[0], hint);
  }
  const numbers = String(value)
    .replace(/[[\],]/g, " ")
    .trim()
    .split(/\s+/)
    .map((word) => parseNumber(word) ?? Number.NaN);
  if (numbers.length !== 9 && numbers.length !== 6)
    throw new UserError(
      `${source}: ${quote(key)} is ${quote(String(value))}, not nine numbers or six (xx yy zz yz xz xy).`,
    );
  finite(numbers, `${source}: number`, 1, ` of ${quote(key)}`);
  const factor = /virial/i.test(key) ? -1 : lattice.volume;
  const voigt = numbers.length === 6 ? numbers : VOIGT.map(([i, j]) => 0.5 * (numbers[3 * i + j] + numbers[3 * j + i]));
  return Float64Array.from(voigt, (x) => factor * x);
}

function finite(values: ArrayLike<number>, what: string, width: number, of = ""): void {
  for (let k = 0; k < values.length; k++)
    if (!Number.isFinite(Math.fround(values[k])))
      throw new UserError(
        `${what} ${Math.floor(k / width) + 1}${of} is ${values[k]}, not a finite number.`,
        "Correct the file, or leave the frame out.",
      );
}
