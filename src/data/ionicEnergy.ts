import { UserError } from "../core/errors.ts";
import { exp } from "../core/portable.ts";
import { element } from "./elements.ts";
import { COULOMB, ewaldEnergy } from "./ewald.ts";
import { Lattice, type Vector3 } from "./lattice.ts";
import { visitPairs } from "./pairs.ts";
import type { Structure } from "./structure.ts";

/** ρ, Å: how fast closed shells give way. Fumi & Tosi, J. Phys. Chem. Solids 25, 31 (1964), for NaCl. */
const SOFTNESS = 0.317;

/**
 * κ. Were nearest neighbours alone to repel each other, M/6 = 0.291 (M of rocksalt) would hold rocksalt at the sum of the radii,
 * which Shannon means for six neighbours. The next ones repel, too: 0.235 is best for the cells of 28 well-known salts.
 */
const STRENGTH = 0.235;

/** Beyond the sum of the radii by as many ρ, a pair no longer repels: e⁻²⁶ = 5e-12. */
const REACH = 26;

/** Å, of an ion of that charge (Shannon; Pauling's P³⁻ and As³⁻). */
function ionicRadius(number: number, charge: number): number {
  const { symbol, ionicRadii } = element(number);
  const radius = ionicRadii.get(charge);
  if (radius !== undefined) return radius / 100;
  const known = [...ionicRadii.keys()].map((z) => (z > 0 ? `+${z}` : `${z}`));
  throw new UserError(
    `ionicEnergy: there is no radius of ${symbol} with the charge ${charge}.`,
    known.length > 0 ? `${symbol} has radii with the charges ${known.join(", ")}.` : `${symbol} is known as no ion.`,
  );
}

/**
 * Born and Mayer's repulsion of two ions at distance r, B·exp((r₁ + r₂ − r)/ρ):
 *
 *   B = κ · (1 + z₁/8 + z₂/8) · |z₁z₂| · (e²/4πε₀) · ρ/(r₁ + r₂)²
 *
 * Pauling's factor makes anions softer than cations. The rest is κ of the charges' attraction at contact times ρ, so that one κ
 * serves salts of every charge.
 */
interface Repulsion {
  /** B of each pair of atoms, eV [atoms, atoms]. */
  readonly strengths: Float64Array;
  /** r₁ + r₂, Å [atoms, atoms]. */
  readonly contacts: Float64Array;
  /** Å; where the last pair ends. */
  readonly cutoff: number;
}

function repulsion({ length: n, numbers }: Structure, charges: ArrayLike<number>): Repulsion {
  const radii = Float64Array.from(numbers, (z, i) => ionicRadius(z, charges[i]));
  const [strengths, contacts] = [new Float64Array(n * n), new Float64Array(n * n)];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const contact = radii[i] + radii[j];
      const pauling = 1 + charges[i] / 8 + charges[j] / 8;
      const attraction = (COULOMB * Math.abs(charges[i] * charges[j])) / (contact * contact);
      strengths[i * n + j] = STRENGTH * pauling * attraction * SOFTNESS;
      contacts[i * n + j] = contact;
    }
  }
  return { strengths, contacts, cutoff: 2 * Math.max(...radii) + REACH * SOFTNESS };
}

/**
 * The energy of a crystal of ions: their charges' (Ewald's sum) and Born and Mayer's repulsion of closed shells, from charges and
 * Shannon's radii alone. Edges of common salts come out within some 5 %, their energies within 10 % of the measured ones; 0 is the
 * ions far apart. In f64, and the same bits on every engine.
 *
 * @param charges   of each atom, whole numbers that add up to 0 [atoms]
 * @returns         energy in eV per cell, and forces −∂energy/∂position in eV/Å [atoms · 3]
 * @throws UserError as `ewaldEnergy`, and for a charge that the table of the elements has no radius for
 * @see Born & Mayer, Z. Phys. 75, 1 (1932); Pauling, Z. Kristallogr. 67, 377 (1928)
 */
export function ionicEnergy(
  structure: Structure,
  charges: ArrayLike<number>,
): { readonly energy: number; readonly forces: Float64Array } {
  const coulomb = ewaldEnergy(structure, charges);
  const { strengths, contacts, cutoff } = repulsion(structure, charges);
  const n = structure.length;
  let energy = coulomb.energy;
  const forces = coulomb.forces.slice();
  visitPairs(structure, cutoff, (i, j, x, y, z, r) => {
    const pair = strengths[i * n + j] * exp((contacts[i * n + j] - r) / SOFTNESS);
    energy += pair;
    const push = pair / (SOFTNESS * r);
    forces[3 * i] -= push * x;
    forces[3 * i + 1] -= push * y;
    forces[3 * i + 2] -= push * z;
    forces[3 * j] += push * x;
    forces[3 * j + 1] += push * y;
    forces[3 * j + 2] += push * z;
  });
  return { energy, forces };
}

/** The same crystal with all lengths times `factor`. */
export function scaled(structure: Structure, factor: number): Structure {
  const row = ([x, y, z]: Vector3): Vector3 => [x * factor, y * factor, z * factor];
  const [a, b, c] = structure.lattice!.matrix;
  return structure.with({
    lattice: new Lattice([row(a), row(b), row(c)]),
    positions: structure.positions.map((x) => x * factor),
  });
}

/**
 * The crystal scaled to where `ionicEnergy` is least, its shape kept, and that energy, eV per cell.
 *
 * Charges attract as 1/λ: energy(λ) = C/λ + Σ B·exp((c − λr)/ρ), least where h(λ) = λ² Σ (Br/ρ)·exp((c − λr)/ρ) is −C. The root of
 * ln h − ln(−C), nearly a straight line, is found by Newton's method with ln x ≈ 2(x − 1)/(x + 1), whose steps are bounded.
 *
 * @throws UserError as `ionicEnergy`, and where like charges are so close that the charges do not attract at all
 */
export function relaxedVolume(
  structure: Structure,
  charges: ArrayLike<number>,
): { readonly structure: Structure; readonly energy: number } {
  const attraction = -ewaldEnergy(structure, charges).energy;
  if (!(attraction > 0))
    throw new UserError(`relaxedVolume: the charges of ${structure.source} do not hold it together.`);
  const { strengths, contacts, cutoff } = repulsion(structure, charges);
  let factor = touching(structure, charges, contacts);
  const pairs: number[] = [];
  const distances: number[] = [];
  visitPairs(structure, cutoff / factor, (i, j, _x, _y, _z, r) => {
    pairs.push(i * structure.length + j);
    distances.push(r);
  });
  const repelling = (k: number) => strengths[pairs[k]] * exp((contacts[pairs[k]] - factor * distances[k]) / SOFTNESS);
  for (let step = 0; step < 100; step++) {
    let [sum, slope] = [0, 0];
    for (let k = 0; k < pairs.length; k++) {
      const term = repelling(k) * distances[k];
      sum += term;
      slope -= (term * distances[k]) / SOFTNESS;
    }
    const ratio = (factor * factor * sum) / (SOFTNESS * attraction);
    const change = (2 * (ratio - 1)) / (ratio + 1) / (2 / factor + slope / sum);
    factor -= change;
    if (Math.abs(change) < 1e-10 * factor) break;
  }
  let energy = -attraction / factor;
  for (let k = 0; k < pairs.length; k++) energy += repelling(k);
  return { structure: scaled(structure, factor), energy };
}

/** The factor that puts the closest cation and anion, measured by their radii, in contact. */
function touching(structure: Structure, charges: ArrayLike<number>, contacts: Float64Array): number {
  let factor = 0;
  for (let cutoff = Math.cbrt(structure.lattice!.volume); factor === 0; cutoff *= 2) {
    visitPairs(structure, cutoff, (i, j, _x, _y, _z, r) => {
      if (charges[i] * charges[j] < 0) factor = Math.max(factor, contacts[i * structure.length + j] / r);
    });
  }
  return factor;
}
