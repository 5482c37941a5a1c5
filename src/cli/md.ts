import { Command } from "commander";
import { DriftMeter, type DynamicsStep, dynamics } from "../atoms/index.ts";
import { UserError } from "../core/errors.ts";
import { type AtomsFlags, digits, loadPotential, oneStructure, Rest, withEvaluation } from "./atoms.ts";
import { interruptible } from "./execute.ts";
import { natural, number } from "./options.ts";
import { TrajectoryFile } from "./trajectory.ts";

interface Flags extends AtomsFlags {
  steps: number;
  dt: number;
  temperature: number;
  langevin?: boolean;
  friction?: number;
  every: number;
  seed: number;
  output: string;
  quiet?: boolean;
}

export function mdCommand(): Command {
  return new Command("md")
    .summary("molecular dynamics, by a potential")
    .description(
      "Moves the atoms of a structure by the potential's forces: at constant energy (velocity Verlet, which reports the energy's drift), or with --langevin at constant temperature (BAOAB). The trajectory is extended xyz with energy, forces and velocities (Å/fs).",
    )
    .argument("<run>", "a potential: the run's folder or its model.safetensors")
    .argument("<file>", "a structure: extended xyz, CIF, POSCAR, JSON, …")
    .requiredOption("-o, --output <file>", "trajectory to write, extended xyz")
    .requiredOption("--steps <n>", "time steps", natural)
    .option("--dt <fs>", "time step, fs", number, 0.5)
    .option("--temperature <K>", "of the first velocities; with --langevin, of the heat bath", number, 300)
    .option("--langevin", "constant temperature instead of constant energy")
    .option("--friction <x>", "of the heat bath, 1/fs (0.01)", number)
    .option("--every <n>", "write every nth step", natural, 10)
    .option("--seed <n>", "of velocities and heat bath", seedOf, 0)
    .option("--frame <n>", "the nth structure of the file", natural)
    .option("--threads <n>", "compute threads", natural)
    .option("-q, --quiet", "no progress")
    .option("--json", "print the results as one JSON line")
    .addHelpText(
      "after",
      "\nExamples:\n  spinel md runs/schnet-energy molecule.xyz --steps 2000 --dt 0.5 --temperature 300 -o traj.xyz\n  spinel md runs/painn-energy Si.cif --steps 5000 --dt 2 --temperature 600 --langevin --every 50 -o traj.xyz",
    )
    .action(run);
}

const seedOf = (text: string): number => (text === "0" ? 0 : natural(text));

async function run(model: string, file: string, flags: Flags): Promise<void> {
  const { steps, dt, temperature, langevin, every, seed, output, quiet, json, threads, frame } = flags;
  if (flags.friction !== undefined && !langevin)
    throw new UserError("--friction is the heat bath's: it needs --langevin.", "Add it, or leave --friction out.");
  const friction = langevin ? (flags.friction ?? 0.01) : undefined;
  const potential = await loadPotential(model, threads);
  const { id, structure } = await oneStructure(file, frame);
  const note = (text: string): void => void (quiet || process.stderr.write(`${text}\n`));
  const signal = interruptible(note);
  const simulation = dynamics(structure, potential.evaluate, { steps, dt, temperature, friction, seed });
  // Whatever is wrong with the structure comes to light before there is a file.
  const first = simulation.next().value as DynamicsStep;
  const path = new TrajectoryFile(output, [file]);
  const meter = new DriftMeter(structure.length);
  const rest = new Rest();
  const [began, shown] = [performance.now(), Math.max(1, Math.round(steps / 20))];
  let [last, temperatures] = [first, 0];
  let broken: unknown;
  try {
    for (let now = first; ; ) {
      last = now;
      meter.add(now);
      if (now.step > 0) temperatures += now.temperature;
      if (now.step % every === 0) path.add(frameOf(now));
      if (now.step % shown === 0) note(lineOf(now));
      await rest.now();
      if (signal.aborted) break;
      const next = simulation.next();
      if (next.done) break;
      now = next.value;
    }
  } catch (error) {
    broken = error;
  }
  if (last.step % every !== 0) path.add(frameOf(last));
  path.finish();
  const { slope, largest } = meter.drift;
  const mean = last.step > 0 ? temperatures / last.step : last.temperature;
  const speed = last.step / ((performance.now() - began) / 1000);
  const results = {
    ...{ id, steps: last.step, time: last.time, frames: path.frames, trajectory: output },
    meanTemperature: mean,
    energy: last.evaluation.energy,
    ...(friction === undefined && { drift: slope, largestDeviation: largest }),
  };
  if (broken !== undefined) {
    note(`The ${path.frames} frames until then are in ${output}.`);
    throw broken;
  }
  if (json) process.stdout.write(`${JSON.stringify(results)}\n`);
  else {
    const conserved = `energy drift ${digits(slope, 3)} meV/atom/ps, largest deviation ${digits(largest, 3)} meV/atom`;
    process.stdout.write(
      `${id}: ${last.step} steps, ${digits(last.time)} fs; mean temperature ${digits(mean)} K${friction === undefined ? `; ${conserved}` : ""}\n${path.frames} frames in ${output} (${digits(speed, 3)} steps/s)\n`,
    );
  }
  if (!signal.aborted) return;
  note(`Interrupted after ${last.step} of ${steps} steps: the trajectory until then is kept.`);
  process.exitCode = signal.reason;
}

const frameOf = ({ structure, evaluation, velocities, step, time, temperature, kinetic }: DynamicsStep) =>
  withEvaluation(structure, evaluation, { step, time_fs: time, temperature, kinetic_energy: kinetic }, { velocities });

const lineOf = ({ step, time, temperature, total, evaluation }: DynamicsStep): string =>
  `step ${step}   ${time.toFixed(1)} fs   ${temperature.toFixed(0)} K   total ${total.toFixed(6)} eV   potential ${evaluation.energy.toFixed(6)} eV`;
