import { Command } from "commander";
import { ionicTable } from "../data/ionic.ts";
import { completeConfig } from "./config.ts";
import { execute } from "./execute.ts";
import { RunFolder } from "./runFolder.ts";
import { PROGRAM } from "./shell.ts";

export function startCommand(): Command {
  return new Command("start")
    .summary("train on embedded data and show the result")
    .description(
      "Trains a network on generated data in less than a minute: the lattice energies of some thousand ionic compounds from their formulas alone. Nothing is downloaded.",
    )
    .option("-q, --quiet", "no progress")
    .option("--json", "print the results as one JSON line")
    .addHelpText("after", "\nExample:\n  spinel start")
    .action(start);
}

async function start(flags: { quiet?: boolean; json?: boolean }): Promise<void> {
  const [target] = ionicTable().targets!.names;
  const config = completeConfig({
    model: "mlp",
    data: "embedded:ionic",
    target,
    unit: "kJ/mol",
    features: "magpie+fractions",
    testFraction: 0.1,
    hidden: [256, 256],
    epochs: 60,
    batchSize: 32,
    seed: 1,
  });
  const results = await execute({ config, folder: RunFolder.fresh("start"), resume: false }, flags);
  if (results && !flags.json)
    process.stdout.write(
      `next:         your own table, e.g.\n  ${PROGRAM} train mlp --data alloys.csv --target strength --unit MPa\n`,
    );
}
