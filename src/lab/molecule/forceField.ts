import type { EnergyModel } from "../../atoms/index.ts";
import { exp } from "../../core/portable.ts";
import type { MoleculeSpec } from "./molecules.ts";

/** Of a bond: depth of the well, eV; its narrowness, 1/Å; its length at rest, Å. */
interface Morse {
  depth: number;
  alpha: number;
  rest: number;
}

/** By the two symbols' atomic numbers, the smaller one first. Rounded from usual tables; what matters is that they are known exactly. */
const MORSE: Record<string, Morse> = {
  "1-6": { depth: 4.5, alpha: 1.9, rest: 1.09 },
  "1-7": { depth: 4.0, alpha: 2.1, rest: 1.012 },
  "1-8": { depth: 4.8, alpha: 2.25, rest: 0.957 },
  "6-6": { depth: 3.7, alpha: 1.95, rest: 1.52 },
  "6-8": { depth: 3.8, alpha: 2.05, rest: 1.42 },
};
/** Of an angle, by its middle atom: stiffness, eV, and cosine at rest. */
const ANGLE: Record<number, { stiffness: number; cosine: number }> = {
  6: { stiffness: 3.6, cosine: -1 / 3 },
  7: { stiffness: 3.6, cosine: -0.2957 },
  8: { stiffness: 3.6, cosine: -0.2504 },
};
/** Of atoms at least three bonds apart: B·exp(−r/ρ), eV and Å. It keeps a methyl group's hydrogens staggered. */
const REPULSION = { strength: 60, range: 0.3 };

/**
 * A molecule's reference: Σ D(1 − e^(−α(r − r₀)))² over bonds (Morse) + Σ ½k(cos θ − cos θ₀)² / sin² θ₀ over angles (harmonic near θ₀) +
 * Σ B·e^(−r/ρ) over pairs three bonds apart and more. Energies in eV above separate atoms' wells, forces by hand.
 */
export function forceField({ numbers, bonds }: MoleculeSpec): EnergyModel {
  const n = numbers.length;
  const bonded: number[][] = numbers.map(() => []);
  for (const [i, j] of bonds) {
    bonded[i].push(j);
    bonded[j].push(i);
  }
  const morse = bonds.map(([i, j]) => {
    const pair = [numbers[i], numbers[j]].sort((a, b) => a - b);
    return { i, j, ...MORSE[pair.join("-")] };
  });
  const angles = bonded.flatMap((ends, middle) =>
    ends.flatMap((i, k) => ends.slice(k + 1).map((j) => ({ i, middle, j, ...ANGLE[numbers[middle]] }))),
  );
  const near = (i: number, j: number): boolean => bonded[i].includes(j) || bonded[i].some((k) => bonded[k].includes(j));
  const far = numbers.flatMap((_, i) => numbers.map((_, j) => [i, j])).filter(([i, j]) => i < j && !near(i, j));

  return ({ positions: r }) => {
    const forces = new Float64Array(3 * n);
    let energy = 0;
    const between = (i: number, j: number): { d: number[]; length: number } => {
      const d = [0, 1, 2].map((c) => r[3 * j + c] - r[3 * i + c]);
      return { d, length: Math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) };
    };
    /** A pair's energy changes by `slope` per Å. */
    const pull = (i: number, j: number, d: readonly number[], length: number, slope: number): void => {
      for (let c = 0; c < 3; c++) {
        const f = (slope * d[c]) / length;
        forces[3 * i + c] += f;
        forces[3 * j + c] -= f;
      }
    };
    for (const { i, j, depth, alpha, rest } of morse) {
      const { d, length } = between(i, j);
      const decay = exp(-alpha * (length - rest));
      energy += depth * (1 - decay) ** 2;
      pull(i, j, d, length, 2 * depth * alpha * decay * (1 - decay));
    }
    for (const { i, middle, j, stiffness, cosine } of angles) {
      const [a, b] = [between(middle, i), between(middle, j)];
      const dot = a.d[0] * b.d[0] + a.d[1] * b.d[1] + a.d[2] * b.d[2];
      const cos = dot / (a.length * b.length);
      const k = stiffness / (1 - cosine * cosine);
      energy += 0.5 * k * (cos - cosine) ** 2;
      const slope = k * (cos - cosine);
      for (let c = 0; c < 3; c++) {
        const onI = slope * (b.d[c] / (a.length * b.length) - (cos * a.d[c]) / (a.length * a.length));
        const onJ = slope * (a.d[c] / (a.length * b.length) - (cos * b.d[c]) / (b.length * b.length));
        forces[3 * i + c] -= onI;
        forces[3 * j + c] -= onJ;
        forces[3 * middle + c] += onI + onJ;
      }
    }
    for (const [i, j] of far) {
      const { d, length } = between(i, j);
      const e = REPULSION.strength * exp(-length / REPULSION.range);
      energy += e;
      pull(i, j, d, length, -e / REPULSION.range);
    }
    return { energy, forces };
  };
}
