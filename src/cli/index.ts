#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { UserError } from "../core/errors.ts";
import { dataCommand } from "./data.ts";
import { doctorCommand } from "./doctor.ts";
import { infoCommand } from "./info.ts";
import { predictCommand } from "./predict.ts";
import { startCommand } from "./start.ts";
import { trainCommand } from "./train.ts";
import { version } from "./version.ts";

const program = new Command("spinel")
  .description("Deep learning for materials: train, predict and look inside, with nothing to install but Node.")
  .version(version)
  .showHelpAfterError("(add --help for what there is)")
  .addHelpText(
    "after",
    "\nExamples:\n  spinel start\n  spinel train elemnet --data formation.csv --target energy --unit eV/atom\n  spinel predict runs/elemnet-energy/model.safetensors new.csv -o predictions.csv",
  );
for (const command of [startCommand(), trainCommand(), predictCommand(), infoCommand(), doctorCommand(), dataCommand()])
  program.addCommand(command);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else if (error instanceof UserError) {
    process.stderr.write(`spinel: ${error.message}\n`);
    process.exitCode = 1;
  } else {
    process.stderr.write(
      `spinel: this should not happen, and is a mistake in spinel: ${(error as Error).stack ?? error}\n`,
    );
    process.exitCode = 70;
  }
}
