import type { EnergyModel } from "../atoms/index.ts";
import { UserError } from "../core/errors.ts";
import { init } from "../core/parallel.ts";
import { readCrystals } from "../data/crystals.ts";
import type { Structure } from "../data/structure.ts";
import { buildModel } from "../models/index.ts";
import { Potential } from "../train/potential.ts";
import { existingModel } from "./runFolder.ts";
import { isSafetensors } from "./tableInfo.ts";

/** Of relax, md and eos: what they compute with, and where it runs. */
export interface AtomsFlags {
  frame?: number;
  threads?: number;
  json?: boolean;
}

/** The potential of a run, by its file or the run's folder. */
export async function loadPotential(run: string, threads: number | undefined): Promise<Potential> {
  const path = existingModel(run);
  if (!(await isSafetensors(path)))
    throw new UserError(`${path} is not a model.`, "Give the run of a potential first, then the structure.");
  await init({ threads });
  return Potential.load(path, buildModel);
}

export interface Named {
  id: string;
  structure: Structure;
}

/** The structures of a file, or the one that `frame` counts to, from 1. */
export async function structuresOf(file: string, frame?: number): Promise<Named[]> {
  const { structures = [], ids } = await readCrystals(file);
  const all = structures.map((structure, i) => ({ id: ids[i], structure }));
  if (frame === undefined) return all;
  if (frame > all.length)
    throw new UserError(`${file} has ${all.length} ${all.length === 1 ? "structure" : "structures"}, no ${frame}th.`);
  return [all[frame - 1]];
}

/** The structure of a file that must hold one, or of which one is chosen. */
export async function oneStructure(file: string, frame: number | undefined): Promise<Named> {
  const found = await structuresOf(file, frame);
  if (found.length > 1)
    throw new UserError(`${file} holds ${found.length} structures; this takes one.`, "Choose one: --frame 1");
  return found[0];
}

/** A structure as the result of a computation, with energy, forces and stress as ASE names them, and nothing of its past. */
export function withEvaluation(
  structure: Structure,
  { energy, forces, stress }: ReturnType<EnergyModel>,
  more: Record<string, number | boolean> = {},
  arrays: Record<string, Float64Array> = {},
): Structure {
  return structure.with({
    properties: { energy, ...(stress && { stress: stress.flat().join(" ") }), ...more },
    arrays: { forces, ...arrays },
  });
}

/** Lets signals in every now and then: compute is synchronous. */
export class Rest {
  private last = performance.now();

  async now(): Promise<void> {
    if (performance.now() - this.last < 50) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.last = performance.now();
  }
}

/** Significant digits, as a person reads them. */
export const digits = (x: number, count = 4): string => String(Number(x.toPrecision(count)));
