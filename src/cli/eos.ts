import { Command } from "commander";
import {
  type EnergyModel,
  type EquationOfState,
  energyVolumeCurve,
  fitEquationOfState,
  relax,
} from "../atoms/index.ts";
import { UserError } from "../core/errors.ts";
import { writeAtomic } from "../io/files.ts";
import { renderEquationOfState } from "../train/report.ts";
import { type AtomsFlags, digits, loadPotential, oneStructure } from "./atoms.ts";
import { natural, number } from "./options.ts";
import { checkOutput } from "./trajectory.ts";

interface Flags extends AtomsFlags {
  range: number;
  points: number;
  relax?: boolean;
  html?: string;
}

export function eosCommand(): Command {
  return new Command("eos")
    .summary("equation of state, by a potential")
    .description(
      "Computes a crystal's energy at volumes around its own and fits the third-order equation of state of Birch and Murnaghan: volume, energy, bulk modulus and its derivative at zero pressure.",
    )
    .argument("<run>", "a potential: the run's folder or its model.safetensors")
    .argument("<file>", "a crystal: CIF, POSCAR, extended xyz, JSON, …")
    .option("--range <share>", "volumes from (1 − share) to (1 + share) times the crystal's", number, 0.06)
    .option("--points <n>", "volumes", natural, 11)
    .option("--relax", "relax the atoms at each volume")
    .option("--html <file>", "draw the curve: a page that works offline")
    .option("--frame <n>", "the nth structure of the file", natural)
    .option("--threads <n>", "compute threads", natural)
    .option("--json", "print the results as one JSON line")
    .addHelpText(
      "after",
      "\nExamples:\n  spinel eos runs/schnet-energy Si.cif --html Si-eos.html\n  spinel relax runs/schnet-energy Si.cif --cell -o Si.xyz && spinel eos runs/schnet-energy Si.xyz --range 0.1",
    )
    .action(run);
}

async function run(model: string, file: string, flags: Flags): Promise<void> {
  const { range, points, html, json, threads, frame } = flags;
  if (!(range > 0 && range < 1)) throw new UserError(`--range must be between 0 and 1, not ${range}.`);
  if (points < 4) throw new UserError(`--points must be at least 4, not ${points}.`);
  if (html !== undefined) checkOutput(html, [file]);
  const potential = await loadPotential(model, threads);
  const { id, structure } = await oneStructure(file, frame);
  const energy = flags.relax ? relaxed(potential.evaluate) : potential.evaluate;
  const { volumes, energies } = energyVolumeCurve(structure, energy, { range, count: points });
  const eos = fitEquationOfState(volumes, energies);
  const outside = eos.volume < volumes[0] || eos.volume > volumes[volumes.length - 1];
  if (outside)
    process.stderr.write(
      `${id}: the minimum, ${digits(eos.volume, 5)} Å³, lies outside the volumes computed: the fit goes beyond them.\n  Relax the cell first (spinel relax --cell), or take a wider --range.\n`,
    );
  if (json) process.stdout.write(`${JSON.stringify({ id, atoms: structure.length, ...eos, volumes, energies })}\n`);
  else process.stdout.write(textOf(volumes, energies, eos, structure.length));
  if (html === undefined) return;
  const facts = { id, formula: structure.formula, atoms: structure.length };
  await writeAtomic(html, renderEquationOfState({ ...facts, volumes, energies, eos }));
  process.stderr.write(`The curve is drawn in ${html}\n`);
}

/** The energy once the atoms have relaxed in the cell as it is. */
function relaxed(model: EnergyModel): EnergyModel {
  return (structure) => {
    let last = model(structure);
    for (const { evaluation } of relax(structure, model)) last = evaluation;
    return last;
  };
}

function textOf(volumes: readonly number[], energies: readonly number[], eos: EquationOfState, atoms: number): string {
  const lines = [
    "   V (Å³)          E (eV)       E (eV/atom)",
    ...volumes.map(
      (v, i) =>
        `${v.toFixed(4).padStart(12)}  ${energies[i].toFixed(6).padStart(14)}  ${(energies[i] / atoms).toFixed(6).padStart(14)}`,
    ),
    `V0   ${eos.volume.toFixed(4)} Å³ (${digits(eos.volume / atoms, 6)} Å³/atom)`,
    `E0   ${eos.energy.toFixed(6)} eV (${(eos.energy / atoms).toFixed(6)} eV/atom)`,
    `B0   ${eos.bulkModulus.toFixed(2)} GPa`,
    `B0'  ${eos.derivative.toFixed(3)}`,
    `fit  ${digits((1000 * eos.residual) / atoms, 3)} meV/atom (root mean square)`,
  ];
  return `${lines.join("\n")}\n`;
}
