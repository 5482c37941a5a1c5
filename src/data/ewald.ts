import { UserError } from "../core/errors.ts";
import { cosPi, erfcx, exp, sinPi } from "../core/portable.ts";
import { fullLattice, visitPairs } from "./pairs.ts";
import type { Structure } from "./structure.ts";

/** e²/4πε₀, eV·Å (CODATA 2022). */
export const COULOMB = 14.3996454687;

export interface Ewald {
  /** eV per cell. */
  readonly energy: number;
  /** −∂energy/∂position, eV/Å [atoms · 3]. */
  readonly forces: Float64Array;
  /** That all other charges make at each atom, V [atoms]: energy = ½ Σ charge · potential. */
  readonly potentials: Float64Array;
}

/**
 * The electrostatic energy of point charges in a crystal by Ewald's sum, with η chosen by the cell: a sum over pairs that falls off
 * as erfc(ηr)/r and one over reciprocal vectors that falls off as exp(−G²/4η²)/G². Outside is a conductor: a dipole of the cell
 * costs nothing. In f64, and the same bits on every engine.
 *
 * @param charges     of each atom, in units of e [atoms]
 * @param tolerance   where both sums end, as a share of their first terms
 * @throws UserError for charges that are not one finite number per atom or do not cancel, for a structure that does not repeat
 *   along three vectors, and for two atoms at one place
 * @see Ewald, Ann. Phys. 369, 253 (1921)
 */
export function ewaldEnergy(
  structure: Structure,
  charges: ArrayLike<number>,
  { tolerance = 1e-12 }: { tolerance?: number } = {},
): Ewald {
  const { volume } = fullLattice(structure, "ewaldEnergy");
  const q = checkCharges(structure, charges);
  if (!(tolerance >= 1e-16 && tolerance < 0.1))
    throw new UserError(`ewaldEnergy: the tolerance is ${tolerance}, not 1e-16 … 0.1.`);
  const n = structure.length;
  // Rounded: the last bit of an engine's logarithm and root must not show in the energy.
  const reach = Math.fround(Math.sqrt(-Math.log(tolerance)));
  // As much work in one sum as in the other.
  const eta = Math.fround(Math.sqrt(Math.PI * Math.cbrt((RATIO * n) / (volume * volume))));
  const field = { q, potentials: new Float64Array(n), forces: new Float64Array(3 * n) };
  addPairs(structure, field, eta, reach / eta);
  addWaves(structure, field, eta, 2 * eta * reach);
  let energy = 0;
  for (let i = 0; i < n; i++) {
    const potential = COULOMB * (field.potentials[i] - (2 * eta * q[i]) / Math.sqrt(Math.PI));
    field.potentials[i] = potential;
    energy += 0.5 * q[i] * potential;
  }
  for (let k = 0; k < 3 * n; k++) field.forces[k] *= COULOMB;
  return { energy, forces: field.forces, potentials: field.potentials };
}

/** What a pair costs, measured in phases. */
const RATIO = 4;

function checkCharges({ length, source }: Structure, charges: ArrayLike<number>): Float64Array {
  const q = Float64Array.from(charges);
  if (q.length !== length || !q.every(Number.isFinite))
    throw new UserError(
      `ewaldEnergy: ${source} needs ${length} finite charges, one for each atom, not [${q.join(", ")}].`,
    );
  const sum = q.reduce((a, b) => a + b, 0);
  if (Math.abs(sum) > 1e-9 * (1 + Math.max(...q.map(Math.abs))))
    throw new UserError(
      `ewaldEnergy: the charges of ${source} add up to ${Number(sum.toPrecision(6))}, not to 0.`,
      "A crystal that is not neutral has no finite energy: check the charges.",
    );
  return q;
}

/** In units without e²/4πε₀. */
interface Field {
  readonly q: Float64Array;
  readonly potentials: Float64Array;
  readonly forces: Float64Array;
}

/** The short-ranged part: erfc(ηr)/r. */
function addPairs(structure: Structure, { q, potentials, forces }: Field, eta: number, cutoff: number): void {
  const slope = (2 * eta) / Math.sqrt(Math.PI);
  visitPairs(structure, cutoff, (i, j, x, y, z, r) => {
    const gauss = exp(-eta * eta * r * r);
    const potential = (gauss * erfcx(eta * r)) / r;
    potentials[i] += q[j] * potential;
    potentials[j] += q[i] * potential;
    const pull = (q[i] * q[j] * (potential + slope * gauss)) / (r * r);
    forces[3 * i] -= pull * x;
    forces[3 * i + 1] -= pull * y;
    forces[3 * i + 2] -= pull * z;
    forces[3 * j] += pull * x;
    forces[3 * j + 1] += pull * y;
    forces[3 * j + 2] += pull * z;
  });
}

/** The smooth part: over G = 2π(h, k, l)·inverseᵀ ≠ 0, |G| < cutoff, one of every two opposite ones. */
function addWaves(structure: Structure, { q, potentials, forces }: Field, eta: number, cutoff: number): void {
  const { length: n, fractional } = structure;
  const { matrix, inverse, volume } = structure.lattice!;
  const most = matrix.map(([x, y, z]) => Math.floor((cutoff * Math.sqrt(x * x + y * y + z * z)) / (2 * Math.PI)));
  const [u, v, w] = most.map((count, axis) => phasesAlong(axis, count, fractional));
  const [[ax, bx, cx], [ay, by, cy], [az, bz, cz]] = inverse.map((row) => row.map((x) => 2 * Math.PI * x));
  const cc = cx * cx + cy * cy + cz * cz;
  const limit = cutoff * cutoff;
  const [planeRe, planeIm, re, im] = Array.from({ length: 4 }, () => new Float64Array(n));
  for (let h = 0; h <= most[0]; h++) {
    for (let k = h === 0 ? 0 : -most[1]; k <= most[1]; k++) {
      const [x0, y0, z0] = [h * ax + k * bx, h * ay + k * by, h * az + k * bz];
      const [a, b] = [(h + most[0]) * n, (k + most[1]) * n];
      for (let i = 0; i < n; i++) {
        planeRe[i] = u.re[a + i] * v.re[b + i] - u.im[a + i] * v.im[b + i];
        planeIm[i] = u.re[a + i] * v.im[b + i] + u.im[a + i] * v.re[b + i];
      }
      // Where the line along the third vector is inside the sphere.
      const middle = -(x0 * cx + y0 * cy + z0 * cz) / cc;
      const half = Math.sqrt(Math.max(0, middle * middle + (limit - x0 * x0 - y0 * y0 - z0 * z0) / cc));
      const last = Math.min(most[2], Math.floor(middle + half + 1e-9));
      for (let l = h === 0 && k === 0 ? 1 : Math.max(-most[2], Math.ceil(middle - half - 1e-9)); l <= last; l++) {
        const x = x0 + l * cx;
        const y = y0 + l * cy;
        const z = z0 + l * cz;
        const square = x * x + y * y + z * z;
        if (square >= limit) continue;
        const c = (l + most[2]) * n;
        let sumRe = 0;
        let sumIm = 0;
        for (let i = 0; i < n; i++) {
          re[i] = planeRe[i] * w.re[c + i] - planeIm[i] * w.im[c + i];
          im[i] = planeRe[i] * w.im[c + i] + planeIm[i] * w.re[c + i];
          sumRe += q[i] * re[i];
          sumIm += q[i] * im[i];
        }
        const weight = ((8 * Math.PI) / volume) * (exp(-square / (4 * eta * eta)) / square);
        for (let i = 0; i < n; i++) {
          potentials[i] += weight * (re[i] * sumRe + im[i] * sumIm);
          const push = weight * q[i] * (im[i] * sumRe - re[i] * sumIm);
          forces[3 * i] += push * x;
          forces[3 * i + 1] += push * y;
          forces[3 * i + 2] += push * z;
        }
      }
    }
  }
}

/** e^(2πi·m·s) for m = −most … most and the fractional coordinate s of every atom along one axis, [2 · most + 1, atoms]. */
function phasesAlong(axis: number, most: number, fractional: Float64Array): { re: Float64Array; im: Float64Array } {
  const n = fractional.length / 3;
  const [re, im] = [new Float64Array((2 * most + 1) * n), new Float64Array((2 * most + 1) * n)];
  for (let i = 0; i < n; i++) {
    const s = fractional[3 * i + axis];
    const turn = 2 * (s - Math.floor(s));
    const [cos, sin] = [cosPi(turn), sinPi(turn)];
    for (let m = 0, c = 1, d = 0; m <= most; m++) {
      re[(most + m) * n + i] = re[(most - m) * n + i] = c;
      im[(most + m) * n + i] = d;
      im[(most - m) * n + i] = -d;
      [c, d] = [c * cos - d * sin, c * sin + d * cos];
    }
  }
  return { re, im };
}
