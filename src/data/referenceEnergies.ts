import { UserError } from "../core/errors.ts";
import { ELEMENTS } from "./elements.ts";
import type { Structure } from "./structure.ts";

/** Energies of elements, eV, by atomic number: what is taken off a structure's energy before a network learns the rest. */
export type References = ReadonlyMap<number, number>;

/** Σ of the elements' energies over a structure's atoms, eV, in f64: thousands of eV, of which meV count. */
export function referenceEnergy(numbers: ArrayLike<number>, references: References): number {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += references.get(numbers[i]) ?? Number.NaN;
  return sum;
}

/**
 * Energies of the elements that leave as little as possible of the structures' energies: by least squares of energies per atom on
 * element fractions. What the compositions do not tell apart (C and H of which all structures have equally many) stays as near to
 * the mean energy per atom as can be. With the energies of `free` atoms they are these and, the same for all elements, the mean
 * energy of binding per atom.
 *
 * @param energies  eV [structures]
 * @throws UserError where `free` lacks an element
 */
export function fitReferences(
  structures: readonly Structure[],
  energies: ArrayLike<number>,
  free?: References,
): Map<number, number> {
  const elements = [...new Set(structures.flatMap(({ numbers }) => [...numbers]))].sort((a, b) => a - b);
  const missing = free && elements.filter((z) => !free.has(z));
  if (missing && missing.length > 0)
    throw new UserError(
      `There is no isolated atom of ${missing.map(symbolOf).join(", ")}; the structures hold ${elements.map(symbolOf).join(", ")}.`,
      "Give one of each element, or none: the energies of the elements are then fitted.",
    );
  const atoms = structures.reduce((sum, { length }) => sum + length, 0);
  const rest = structures.map(({ numbers }, i) => energies[i] - (free ? referenceEnergy(numbers, free) : 0));
  const mean = rest.reduce((sum, x) => sum + x, 0) / atoms;
  if (free) return new Map(elements.map((z) => [z, free.get(z)! + mean]));
  const n = elements.length;
  const place = new Map(elements.map((z, k) => [z, k]));
  const gram = Array.from({ length: n }, () => new Float64Array(n));
  const moment = new Float64Array(n);
  structures.forEach(({ numbers, length }, i) => {
    const share = new Float64Array(n);
    for (const z of numbers) share[place.get(z)!] += 1 / length;
    for (let a = 0; a < n; a++) {
      if (share[a] === 0) continue;
      moment[a] += share[a] * (rest[i] / length - mean);
      for (let b = 0; b < n; b++) gram[a][b] += share[a] * share[b];
    }
  });
  const ridge = 1e-9 * Math.max(...gram.map((row, a) => row[a]));
  for (let a = 0; a < n; a++) gram[a][a] += ridge;
  const more = solve(gram, moment);
  return new Map(elements.map((z, k) => [z, mean + more[k]]));
}

/** x of A·x = b by Gaussian elimination, for a positive definite A, which is used up. */
function solve(a: Float64Array[], b: Float64Array): Float64Array {
  const n = b.length;
  for (let k = 0; k < n; k++)
    for (let i = k + 1; i < n; i++) {
      const factor = a[i][k] / a[k][k];
      if (factor === 0) continue;
      for (let j = k; j < n; j++) a[i][j] -= factor * a[k][j];
      b[i] -= factor * b[k];
    }
  for (let k = n - 1; k >= 0; k--) {
    for (let j = k + 1; j < n; j++) b[k] -= a[k][j] * b[j];
    b[k] /= a[k][k];
  }
  return b;
}

const symbolOf = (z: number): string => ELEMENTS[z - 1]?.symbol ?? String(z);
