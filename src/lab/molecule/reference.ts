import { dynamics, type EnergyModel, relax } from "../../atoms/index.ts";
import type { DatasetRows } from "../../data/dataset.ts";
import { Structure } from "../../data/structure.ts";
import { forceField } from "./forceField.ts";
import { MOLECULES, type MoleculeName } from "./molecules.ts";

/** What frames are called in which forces stand. */
export const FORCES = "forces";

/** K: hotter than what is simulated later, so that the network has seen more than it will meet. */
const HOT = 900;
/** fs */
const STEP = 0.5;
/** 1/fs */
const FRICTION = 0.02;
/** Steps before the first frame, and from each frame to the next. */
const WARM = 400;
const APART = 40;

/** A molecule at rest, and its reference. */
export function rested(name: MoleculeName): { structure: Structure; reference: EnergyModel } {
  const spec = MOLECULES[name];
  const reference = forceField(spec);
  let structure = new Structure({ numbers: spec.numbers, positions: spec.positions.flat(), source: name });
  for (const step of relax(structure, reference, { fmax: 0.005, maxSteps: 500 })) structure = step.structure;
  return { structure, reference };
}

/**
 * Frames of a molecule in a hot heat bath, with the reference's energies and forces: what a potential learns from. They are made one
 * by one; `made` is asked after each whether to go on.
 */
export async function referenceFrames(
  name: MoleculeName,
  { count, seed }: { count: number; seed: number },
  made: () => Promise<boolean>,
): Promise<DatasetRows | undefined> {
  const { structure, reference } = rested(name);
  const structures: Structure[] = [];
  const energies: number[] = [];
  const options = { steps: WARM + APART * count, dt: STEP, temperature: HOT, friction: FRICTION, seed };
  for (const { step, structure: now, evaluation } of dynamics(structure, reference, options)) {
    if (step <= WARM || (step - WARM) % APART !== 0) continue;
    structures.push(now.with({ arrays: { [FORCES]: evaluation.forces }, source: `frame ${structures.length + 1}` }));
    energies.push(evaluation.energy);
    if (!(await made())) return undefined;
  }
  return framesOf(name, structures, energies);
}

/** Structures of one molecule and their energies, as rows of a data set. */
export const framesOf = (file: string, structures: readonly Structure[], energies: readonly number[]): DatasetRows => ({
  ...{ file, length: structures.length, formulas: undefined, structures },
  lines: Int32Array.from(structures, (_, i) => i + 1),
  numeric: { names: [], values: new Float64Array(0) },
  categorical: { names: [], values: [] },
  targets: { names: ["energy"], values: Float64Array.from(energies) },
});
