#!/usr/bin/env node
import { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { benchMatbenchCommand } from "./benchMatbench.ts";
import { flagOf, runConfig } from "./config.ts";
import { dataCommand } from "./data.ts";
import { doctorCommand } from "./doctor.ts";
import { eosCommand } from "./eos.ts";
import { explainCommand } from "./explain.ts";
import { featuresCommand } from "./features.ts";
import { finetuneCommand } from "./finetune.ts";
import { graphCommand } from "./graph.ts";
import { infoCommand } from "./info.ts";
import { mdCommand } from "./md.ts";
import { predictCommand } from "./predict.ts";
import { relaxCommand } from "./relax.ts";
import { startCommand } from "./start.ts";
import { trainCommand } from "./train.ts";
import { version } from "./version.ts";

const program = new Command("spinel")
  .description("Deep learning for materials: train, predict and look inside, with nothing to install but Node.")
  .version(version)
  // Every command has options; without the word, the list is narrow enough for a terminal.
  .configureHelp({ subcommandTerm: (command) => [command.name(), usageOf(command)].join(" ").trim() })
  .configureOutput({ outputError: (text, write) => write(`spinel: ${shortened(text)}`) })
  .addHelpText(
    "after",
    "\nExamples:\n  spinel start\n  spinel train cgcnn --data my-crystals --target energy --unit eV/atom\n  spinel predict runs/cgcnn-energy new/*.cif -o predictions.csv\n  spinel train elemnet --data formation.csv --target energy --unit eV/atom\n  spinel train tinyvgg --data embedded:microstructures",
  );
adopt(program, [
  startCommand(),
  trainCommand(),
  finetuneCommand(),
  benchMatbenchCommand(),
  predictCommand(),
  relaxCommand(),
  mdCommand(),
  eosCommand(),
  explainCommand(),
  featuresCommand(),
  graphCommand(),
  infoCommand(),
  doctorCommand(),
  dataCommand(),
]);

function adopt(parent: Command, commands: readonly Command[]): void {
  for (const command of commands) {
    if (command.parent !== parent) parent.addCommand(command);
    command.copyInheritedSettings(parent);
    adopt(command, command.commands);
  }
}

/** `<file>` of `graph <file>`. */
function usageOf(command: Command): string {
  return command.registeredArguments
    .map((argument) => {
      const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    })
    .join(" ");
}

/** commander's message: `option '--epochs <n>' argument 'x' is invalid. Why.` becomes `--epochs "x": why.` */
function shortened(message: string): string {
  return message
    .replace(/^error: /, "")
    .replace(/^option '(?:-\w, )?(--[\w-]+)[^']*' argument '(.*)' is invalid\. (.*)$/s, (_, option, value, why) => {
      return `${option} ${JSON.stringify(value)}: ${why[0].toLowerCase()}${why.slice(1)}`;
    })
    .replace(/\n\((Did you mean .*)\)/, "\n  $1")
    .replace(/^((missing required|too many|unknown command).*)\n$/, "$1\n  Add --help for what there is.\n");
}

/** The library's hints name options as its callers write them: dropMissing, (ignore). Here they are flags: --drop-missing. */
function withFlags(message: string): string {
  const [what, ...hint] = message.split("\n");
  const fields = Object.keys(runConfig.entries);
  const asFlags = hint.join("\n").replace(/"[^"]*"|\(\w+\)|\w+/g, (word) => {
    const name = word.replace(/[()]/g, "");
    return fields.includes(name) && (name !== word || /[A-Z]/.test(name)) ? word.replace(name, flagOf) : word;
  });
  // Some hints name the flag already, with the option behind it: once is enough.
  const once = asFlags
    .replace(/\((--[\w-]+); \1\)/g, "($1)")
    .replace(/(--[\w-]+(?: [^\s()]+)?) \((?:--)?[\w-]+\)/g, "$1");
  return hint.length > 0 ? `${what}\n${once}` : what;
}

// `spinel … | head` closes the pipe when it has enough: no fault of ours. Progress that nobody reads any more is no reason to stop.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`spinel: standard output cannot be written: ${error.message}.\n`);
  process.exit(1);
});
process.stderr.on("error", () => {});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof UserError) {
    process.stderr.write(`spinel: ${withFlags(error.message)}\n`);
    process.exitCode = 1;
  } else {
    process.stderr.write(
      `spinel: this should not happen, and is a mistake in spinel: ${(error as Error).stack ?? error}\n`,
    );
    process.exitCode = 70;
  }
}
