import { Command } from "commander";
import { IONIC_TARGET } from "../data/ionicCrystals.ts";
import { completeConfig } from "./config.ts";
import { execute } from "./execute.ts";
import { RunFolder } from "./runFolder.ts";
import { PROGRAM } from "./shell.ts";

export function startCommand(): Command {
  return new Command("start")
    .summary("train on embedded data and show the result")
    .description(
      "Trains a crystal graph network on generated data in less than a minute: the energies of strained ionic crystals from their structures. Nothing is downloaded.",
    )
    .option("-q, --quiet", "no progress")
    .option("--json", "print the results as one JSON line")
    .addHelpText("after", "\nExample:\n  spinel start")
    .action(start);
}

async function start(flags: { quiet?: boolean; json?: boolean }): Promise<void> {
  const config = completeConfig({
    model: "cgcnn",
    data: "embedded:crystals",
    target: IONIC_TARGET,
    unit: "eV/atom",
    testFraction: 0.1,
    epochs: 20,
    batchSize: 64,
    ema: 0.99,
    seed: 1,
  });
  const results = await execute({ config, folder: RunFolder.fresh("start"), resume: false }, flags);
  if (results && !flags.json)
    process.stdout.write(
      `next:         your own crystals, a folder of CIF files with an id_prop.csv (id,value), or a table of formulas\n  ${PROGRAM} train cgcnn --data my-crystals --target energy --unit eV/atom\n  ${PROGRAM} train mlp --data alloys.csv --target strength --unit MPa\n`,
    );
}
