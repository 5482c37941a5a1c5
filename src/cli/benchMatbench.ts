import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { UserError } from "../core/errors.ts";
import { fileError } from "../io/files.ts";
import { MATBENCH_TASKS, type MatbenchTask, matbenchTask } from "../train/matbenchTasks.ts";
import { completeConfig, type Fields } from "./config.ts";
import type { Grid } from "./grid.ts";
import { MODEL_LIST, MODELS, type ModelName, needsImages, needsNodes, needsStructures } from "./models.ts";
import { isFolder } from "./rows.ts";
import { type RunFlags, run, trainOptions } from "./train.ts";

interface Flags extends RunFlags {
  data?: string;
  target?: string;
  folds?: number[];
  tune?: string;
}

/** Options of `train` that the task settles. */
const SETTLED = [
  ...["data", "target", "energy", "forces", "stress", "references", "energyWeight", "forcesWeight", "stressWeight"],
  ...["unit", "val", "test", "testFraction", "folds", "task", "id", "dropMissing", "skipBad", "config"],
];

export function benchMatbenchCommand(): Command {
  const command = new Command("bench-matbench")
    .summary("the official folds of a Matbench task")
    .description(
      "Runs a task of Matbench v0.1 on its five official folds: a model for each, which sees the test rows once, at the end. Early stopping, the choice of the epoch and tuning use a share of the training rows (--val-fraction). Prints mean ± standard deviation in the published leaderboard and writes a run folder with, beside the usual files, results.json.gz in the form of the Python package matbench.",
    )
    .argument("<task>", MATBENCH_TASKS.join(", "))
    .argument("<model>", MODEL_LIST)
    .optionsGroup("Data:")
    .option(
      "--data <file|folder>",
      "Matbench's file (matbench_phonons.json.gz), or CSV or JSON lines with its rows in the official order, or a folder with such a file",
    )
    .option("--target <column>", "column to predict, where the file does not call it as Matbench does")
    .option("--folds <list>", "only these of the official folds 0 … 4, e.g. 0,1", foldList)
    .option(
      "--tune <grid>",
      `try values and keep the best on the validation rows of each fold: JSON, e.g. '{"lr": [0.001, 0.003]}', a file with it, or lr (a third, the same and three times the usual learning rate)`,
    );
  for (const option of trainOptions((field) => !SETTLED.includes(field))) command.addOption(option);
  return command
    .addHelpText(
      "after",
      '\nExamples:\n  spinel bench-matbench steels mlp --data matbench_steels.json.gz --out runs/steels\n  spinel bench-matbench phonons megnet --data my-matbench --folds 0 --patience 50\n  spinel bench-matbench expt_gap crabnet --data my-matbench --tune \'{"lr": [0.0003, 0.001], "dropout": [0, 0.1]}\'\n  spinel bench-matbench steels mlp --data matbench_steels.json.gz --out runs/steels --resume',
    )
    .action(bench);
}

/** "0,1" → [0, 1], in order. */
function foldList(text: string): number[] {
  const folds = text.split(",").map((part) => part.trim());
  if (!folds.every((fold) => /^[0-4]$/.test(fold))) throw new InvalidArgumentError("folds are 0, 1, 2, 3 and 4.");
  return [...new Set(folds.map(Number))].sort();
}

async function bench(name: string, model: string, { data, target, folds, tune, ...flags }: Flags): Promise<void> {
  const task = matbenchTask(name);
  checkModel(model, task);
  if (data === undefined)
    throw new UserError(
      `bench-matbench needs --data: ${task.name}.json.gz, or a folder with it.`,
      "Matbench's files: https://matbench.materialsproject.org",
    );
  const own: Fields = {
    ...{ model, data: located(data, task), target: target ?? task.target, unit: task.unit, task: task.kind },
    ...{ folds: "matbench", matbench: task.name },
    ...(folds === undefined ? {} : { onlyFolds: folds }),
  };
  const { config: _file, out: _out, resume: _resume, force: _force, quiet: _quiet, json: _json, ...fields } = flags;
  await run({ ...flags, ...own, ...(tune === undefined ? {} : { tune: gridOf(tune, { ...fields, ...own }) }) });
}

/** Whether a task is of a model's kind: those that see formulas alone are tested on structures, too. */
function checkModel(model: string, task: MatbenchTask): void {
  if (!(MODELS as readonly string[]).includes(model))
    throw new UserError(`There is no model ${JSON.stringify(model)}.`, `There are ${MODEL_LIST}.`);
  const name = model as ModelName;
  const alien = needsImages(name) ? "images" : needsNodes(name) ? "the nodes of one graph" : "";
  if (alien)
    throw new UserError(`${task.name} is of materials; ${model} learns from ${alien}.`, "Take mlp, cgcnn, megnet, …");
  if (needsStructures(name) && task.inputs === "composition")
    throw new UserError(
      `${task.name} has compositions and no structures, which ${model} needs.`,
      "Take mlp, elemnet or crabnet.",
    );
}

const ENDINGS = [".json.gz", ".json", ".jsonl.gz", ".jsonl", ".csv.gz", ".csv"];

/** The file of a task, or the one in a folder. */
function located(data: string, { name }: MatbenchTask): string {
  if (!isFolder(data)) return data;
  const found = ENDINGS.map((ending) => join(data, name + ending)).find(existsSync);
  if (found) return found;
  throw new UserError(
    `${data} has no file of ${name}.`,
    `It would be called ${name}${ENDINGS[0]} (or ${ENDINGS.slice(1).join(", ")}).`,
  );
}

/** The grid that --tune names. */
function gridOf(text: string, fields: Fields): Grid {
  if (text === "lr") {
    const { lr = 1e-3 } = completeConfig(fields);
    return { lr: [lr / 3, lr, 3 * lr].map((rate) => Number(rate.toPrecision(3))) };
  }
  const inline = text.trimStart().startsWith("{");
  const from = inline ? "--tune" : text;
  let grid: unknown;
  try {
    grid = JSON.parse(inline ? text : readFileSync(text, "utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw fileError(text, error);
    throw new UserError(`${from} is not JSON: ${error.message}.`, EXAMPLE);
  }
  const isGrid = typeof grid === "object" && grid !== null && Object.values(grid).every(Array.isArray);
  if (!isGrid || Array.isArray(grid)) throw new UserError(`${from} is no grid: lists of values by field.`, EXAMPLE);
  return grid as Grid;
}

const EXAMPLE = 'For example --tune \'{"lr": [0.001, 0.003], "weightDecay": [0, 0.01]}\', or --tune lr.';
