import type { EnergyModel } from "../../src/atoms/index.ts";
import type { Matrix3 } from "../../src/data/lattice.ts";
import { neighbourList } from "../../src/data/neighbours.ts";

/** Argon: eV, Å. */
const [EPSILON, SIGMA, CUTOFF] = [0.0104, 3.4, 8];

/** 4ε((σ/r)¹² − (σ/r)⁶) and its slope. */
function pair(r: number): [energy: number, slope: number] {
  const s = (SIGMA / r) ** 6;
  return [4 * EPSILON * (s * s - s), (-24 * EPSILON * (2 * s * s - s)) / r];
}
const [AT_CUTOFF, SLOPE_AT_CUTOFF] = pair(CUTOFF);

/** The Lennard-Jones potential, shifted so that energy and force vanish at the cutoff; forces and stress by formula. */
export const lennardJones: EnergyModel = (structure) => {
  const { ptr, index, vector, distance } = neighbourList(structure, { cutoff: CUTOFF });
  const forces = new Float64Array(3 * structure.length);
  const strain = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  let energy = 0;
  for (let i = 0; i < structure.length; i++)
    for (let e = ptr[i]; e < ptr[i + 1]; e++) {
      const [value, slope] = pair(distance[e]);
      energy += 0.5 * (value - AT_CUTOFF - (distance[e] - CUTOFF) * SLOPE_AT_CUTOFF);
      const g = (0.5 * (slope - SLOPE_AT_CUTOFF)) / distance[e];
      for (let a = 0; a < 3; a++) {
        forces[3 * i + a] += g * vector[3 * e + a];
        forces[3 * index[e] + a] -= g * vector[3 * e + a];
        for (let b = 0; b < 3; b++) strain[3 * a + b] += g * vector[3 * e + a] * vector[3 * e + b];
      }
    }
  if (!structure.periodic.every(Boolean)) return { energy, forces };
  const s = strain.map((x) => x / structure.lattice!.volume);
  return { energy, forces, stress: [s.slice(0, 3), s.slice(3, 6), s.slice(6)] as unknown as Matrix3 };
};

/** Å: where two atoms' energy is least. */
export const BOND = 2 ** (1 / 6) * SIGMA;
