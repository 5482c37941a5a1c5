import { UserError } from "../core/errors.ts";
import { Lattice, type Matrix3 } from "../data/lattice.ts";
import type { Structure } from "../data/structure.ts";
import { type EnergyModel, GPA, largestForce } from "./energyModel.ts";

/** E(V) near its minimum. */
export interface EquationOfState {
  /** Å³, where the pressure is 0. */
  volume: number;
  /** eV */
  energy: number;
  /** B₀ = V·d²E/dV², GPa. */
  bulkModulus: number;
  /** dB/dP at zero pressure. */
  derivative: number;
  /** Of the fit, eV: the root mean square of what is left. */
  residual: number;
}

/** E(V) of Birch and Murnaghan to third order, eV. */
export function birchMurnaghan(volume: number, eos: Omit<EquationOfState, "residual">): number {
  const x = (eos.volume / volume) ** (2 / 3);
  const prefactor = (9 * eos.volume * (eos.bulkModulus / GPA)) / 16;
  return eos.energy + prefactor * ((x - 1) ** 3 * eos.derivative + (x - 1) ** 2 * (6 - 4 * x));
}

/**
 * The third-order equation of state of Birch and Murnaghan through volumes (Å³) and energies (eV), by least squares. It is a
 * polynomial of third degree in V^(−2/3), so that the fit is linear and has one solution. Birch, Phys. Rev. 71, 809 (1947).
 *
 * @throws UserError for fewer than four volumes, and where the energies have no minimum
 */
export function fitEquationOfState(volumes: ArrayLike<number>, energies: ArrayLike<number>): EquationOfState {
  const n = volumes.length;
  if (energies.length !== n) throw new UserError(`${n} volumes for ${energies.length} energies.`);
  const wrong = Array.from(volumes).find((v) => !(v > 0 && Number.isFinite(v)));
  if (wrong !== undefined) throw new UserError(`A volume must be above 0 Å³, not ${wrong}.`);
  if (new Set(Array.from(volumes)).size < 4)
    throw new UserError(`An equation of state needs at least four volumes, not ${new Set(Array.from(volumes)).size}.`);
  // Centred and scaled, the normal equations keep their digits.
  const xs = Array.from(volumes, (v) => v ** (-2 / 3));
  const middle = xs.reduce((sum, x) => sum + x, 0) / n;
  const width = Math.max(...xs.map((x) => Math.abs(x - middle)));
  const base = Array.from(energies).reduce((sum, e) => sum + e, 0) / n;
  const u = xs.map((x) => (x - middle) / width);
  const c = polynomialFit(
    u,
    Array.from(energies, (e) => e - base),
    3,
  );
  // dE/du = c₁ + 2c₂u + 3c₃u² = 0 where the second derivative, 2√(c₂² − 3c₁c₃), is positive.
  const square = c[2] * c[2] - 3 * c[1] * c[3];
  const root = Math.sqrt(square);
  const u0 = -c[1] / (c[2] + root);
  const x0 = middle + width * u0;
  if (!(square > 0 && Number.isFinite(u0) && x0 > 0 && Math.abs(u0) < 1.5))
    throw new UserError(
      "The energies have no minimum near these volumes.",
      "Begin with a structure nearer to equilibrium (relax its cell), or take a wider range of volumes.",
    );
  const volume = x0 ** -1.5;
  // By x = V^(−2/3): derivatives of E, and of x by V.
  const second = (2 * c[2] + 6 * c[3] * u0) / width ** 2;
  const third = (6 * c[3]) / width ** 3;
  const slope = (-2 / 3) * volume ** (-5 / 3);
  const bend = (10 / 9) * volume ** (-8 / 3);
  const curvature = second * slope * slope;
  const more = third * slope ** 3 + 3 * second * slope * bend;
  const at = (t: number): number => base + c[0] + t * (c[1] + t * (c[2] + t * c[3]));
  const residual = Math.sqrt(u.reduce((sum, t, i) => sum + (at(t) - energies[i]) ** 2, 0) / n);
  return {
    ...{ volume, energy: at(u0), residual },
    bulkModulus: GPA * volume * curvature,
    derivative: -1 - (volume * more) / curvature,
  };
}

/** Coefficients of the polynomial Σ cₖuᵏ through points, by least squares. */
function polynomialFit(u: readonly number[], y: readonly number[], degree: number): number[] {
  const n = degree + 1;
  const rows = Array.from({ length: n }, (_, a) => [
    ...Array.from({ length: n }, (_, b) => u.reduce((sum, t) => sum + t ** (a + b), 0)),
    u.reduce((sum, t, i) => sum + t ** a * y[i], 0),
  ]);
  for (let k = 0; k < n; k++) {
    const pivot = rows.reduce((best, row, i) => (i >= k && Math.abs(row[k]) > Math.abs(rows[best][k]) ? i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j <= n; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return rows.map((row, k) => row[n] / row[k]);
}

/** A crystal blown up or shrunk in all directions alike, its fractional coordinates kept: `scale` times the volume. */
export function scaled(structure: Structure, scale: number): Structure {
  const { lattice, periodic, source } = structure;
  if (!lattice || !periodic.every(Boolean))
    throw new UserError(`${source}: its volume cannot change: it does not repeat in three directions.`);
  const factor = Math.cbrt(scale);
  const matrix = lattice.matrix.map((v) => v.map((x) => factor * x)) as unknown as Matrix3;
  return structure.with({ lattice: new Lattice(matrix), positions: structure.positions.map((x) => factor * x) });
}

/** Energies of a crystal at `count` volumes from (1 − range) to (1 + range) times its own. */
export function energyVolumeCurve(
  structure: Structure,
  model: EnergyModel,
  { range = 0.06, count = 11 }: { range?: number; count?: number } = {},
): { volumes: number[]; energies: number[] } {
  if (!(range > 0 && range < 1)) throw new UserError(`The range of volumes must be between 0 and 1, not ${range}.`);
  if (!(Number.isInteger(count) && count >= 4))
    throw new UserError(`The curve needs at least 4 volumes, not ${count}.`);
  const points = Array.from({ length: count }, (_, k) => {
    const scale = 1 - range + (2 * range * k) / (count - 1);
    const at = scaled(structure, scale);
    const evaluation = model(at);
    largestForce(evaluation, `${structure.source}, volume × ${scale.toFixed(3)}`);
    return { volume: at.lattice!.volume, energy: evaluation.energy };
  });
  return { volumes: points.map(({ volume }) => volume), energies: points.map(({ energy }) => energy) };
}
