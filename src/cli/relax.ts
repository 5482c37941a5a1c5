import { Command } from "commander";
import { type RelaxStep, relax } from "../atoms/index.ts";
import { UserError } from "../core/errors.ts";
import { writeExtxyz } from "../data/extxyz.ts";
import type { Structure } from "../data/structure.ts";
import { writeAtomic } from "../io/files.ts";
import { type AtomsFlags, digits, loadPotential, type Named, Rest, structuresOf, withEvaluation } from "./atoms.ts";
import { interruptible } from "./execute.ts";
import { natural, number } from "./options.ts";
import { checkOutput, TrajectoryFile } from "./trajectory.ts";

interface Flags extends AtomsFlags {
  cell?: boolean;
  fmax: number;
  smax: number;
  steps: number;
  output?: string;
  trajectory?: string;
  quiet?: boolean;
}

export function relaxCommand(): Command {
  return new Command("relax")
    .summary("relax structures, by a potential")
    .description(
      "Moves the atoms of each structure, and with --cell the lattice, to where the potential's forces vanish (FIRE), and writes the result as extended xyz with energy, forces and stress.",
    )
    .argument("<run>", "a potential: the run's folder or its model.safetensors")
    .argument("<file>", "structures: extended xyz, CIF, POSCAR, JSON, …")
    .option("-o, --output <file>", "extended xyz to write (default: standard output)")
    .option("--cell", "relax the lattice, too")
    .option("--fmax <x>", "until no force is larger, eV/Å", number, 0.01)
    .option("--smax <x>", "and, with --cell, no component of the stress, GPa", number, 0.1)
    .option("--steps <n>", "at most so many", natural, 1000)
    .option("--trajectory <file>", "every step, as extended xyz")
    .option("--frame <n>", "only the nth structure of the file", natural)
    .option("--threads <n>", "compute threads", natural)
    .option("-q, --quiet", "no progress")
    .option("--json", "a JSON line for each structure on standard output")
    .addHelpText(
      "after",
      "\nExamples:\n  spinel relax runs/schnet-energy molecule.xyz -o relaxed.xyz\n  spinel relax runs/painn-energy Si.cif --cell --fmax 0.005 -o Si-relaxed.xyz",
    )
    .action(run);
}

async function run(model: string, file: string, flags: Flags): Promise<void> {
  const { output, trajectory, json, quiet, threads, frame } = flags;
  for (const [name, value] of Object.entries({ fmax: flags.fmax, smax: flags.smax }))
    if (!(value > 0)) throw new UserError(`--${name} must be above 0, not ${value}.`);
  if (output !== undefined) checkOutput(output, [file]);
  const potential = await loadPotential(model, threads);
  const named = await structuresOf(file, frame);
  const note = (text: string): void => void (quiet || process.stderr.write(`${text}\n`));
  const signal = interruptible(note);
  const path = trajectory === undefined ? undefined : new TrajectoryFile(trajectory, [file]);
  const relaxed: Structure[] = [];
  try {
    for (const each of named) {
      const last = await relaxOne(each, potential.evaluate, flags, { note, signal, path });
      const { structure, evaluation, converged, step, force } = last;
      const result = withEvaluation(structure, evaluation, { converged, steps: step });
      relaxed.push(result);
      if (json) process.stdout.write(`${JSON.stringify(jsonOf(each.id, last))}\n`);
      else if (output !== undefined)
        process.stdout.write(
          `${each.id}: ${structure.formula}, ${digits(evaluation.energy, 9)} eV, largest force ${digits(force)} eV/Å after ${step} steps${converged ? "" : ": NOT converged"}\n`,
        );
      if (signal.aborted) break;
    }
  } finally {
    path?.finish();
  }
  if (output !== undefined) await writeAtomic(output, writeExtxyz(relaxed));
  else if (!json) process.stdout.write(writeExtxyz(relaxed));
  if (signal.aborted) {
    note(`Interrupted: ${relaxed.length} of ${named.length} structures are written, the last one as far as it came.`);
    process.exitCode = signal.reason;
  }
}

async function relaxOne(
  { id, structure }: Named,
  model: Parameters<typeof relax>[1],
  { cell, fmax, smax, steps, quiet }: Flags,
  { note, signal, path }: { note: (text: string) => void; signal: AbortSignal; path?: TrajectoryFile },
): Promise<RelaxStep> {
  const rest = new Rest();
  let last: RelaxStep | undefined;
  for (const now of relax(structure, model, { cell, fmax, smax, maxSteps: steps })) {
    last = now;
    const { step, evaluation, force, stress, converged } = now;
    path?.add(withEvaluation(now.structure, evaluation, { step }));
    if (!quiet && (step % 10 === 0 || converged)) {
      const pressure = cell ? `   largest stress ${digits(stress!)} GPa` : "";
      note(
        `${id}  step ${step}   energy ${evaluation.energy.toFixed(6)} eV   largest force ${digits(force)} eV/Å${pressure}`,
      );
    }
    await rest.now();
    if (signal.aborted) break;
  }
  if (!last!.converged && !signal.aborted)
    process.stderr.write(
      `${id}: not converged after ${last!.step} steps: more of them (--steps), or a larger --fmax.\n`,
    );
  return last!;
}

function jsonOf(id: string, { structure, evaluation, step, force, stress, converged }: RelaxStep): object {
  const { energy, forces } = evaluation;
  return {
    ...{ id, formula: structure.formula, converged, steps: step, energy, largestForce: force },
    ...(stress !== undefined && { largestStress: stress, stress: evaluation.stress }),
    lattice: structure.lattice?.matrix,
    numbers: [...structure.numbers],
    positions: [...structure.positions],
    forces: [...forces],
  };
}
