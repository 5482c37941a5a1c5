import { UserError } from "../core/errors.ts";
import { ELEMENTS } from "../data/elements.ts";
import type { Matrix3 } from "../data/lattice.ts";
import type { Structure } from "../data/structure.ts";

/** What a potential says of a structure: energies in eV, lengths in Å. */
export interface Evaluation {
  /** eV */
  readonly energy: number;
  /** −∂E/∂r, eV/Å [atoms · 3]. */
  readonly forces: Float64Array;
  /** ∂E/∂ε / volume, eV/Å³, positive under tension; undefined where nothing repeats in three directions. */
  readonly stress?: Matrix3;
  /** Of each atom, eV [atoms]; their sum is the energy. */
  readonly energies?: Float64Array;
}

/** Any potential: a network, or a formula. */
export type EnergyModel = (structure: Structure) => Evaluation;

/** 1 eV/Å³ in GPa. */
export const GPA = 160.21766208;
/** eV/K. CODATA 2018. */
export const BOLTZMANN = 8.617333262e-5;
/** Å/fs² of 1 eV/Å on 1 g/mol. */
export const ACCELERATION = 9.64853321e-3;

/** g/mol, the standard atomic weights [atoms]. */
export const massesOf = ({ numbers }: Structure): Float64Array =>
  Float64Array.from(numbers, (z) => ELEMENTS[z - 1].weight);

/** The largest force on an atom, eV/Å. @throws UserError for forces that are not finite */
export function largestForce({ forces, energy }: Evaluation, when: string): number {
  let most = 0;
  for (let i = 0; i < forces.length; i += 3) most = Math.max(most, Math.hypot(forces[i], forces[i + 1], forces[i + 2]));
  const bad = forces.findIndex((f) => !Number.isFinite(f));
  if (bad >= 0 || !Number.isFinite(energy))
    throw new UserError(
      bad >= 0
        ? `${when}: the force on atom ${Math.floor(bad / 3) + 1} is ${forces[bad]}.`
        : `${when}: the energy is ${energy}.`,
      "The structure is far from all that the potential has learned.",
    );
  return most;
}
