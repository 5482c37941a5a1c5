import { once } from "node:events";
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import type { Featuriser } from "../data/featuriser.ts";
import type { Table } from "../data/table.ts";
import { csvLine } from "../io/csv.ts";
import { fileError } from "../io/files.ts";
import { conformalIntervals, conformalRadius } from "../train/conformal.ts";
import { mcDropout } from "../train/mcDropout.ts";
import { Predictor, type RowPredictor } from "../train/predictor.ts";
import { loadRowPredictor, type ReadFlags, tables } from "./inputs.ts";
import { natural, number } from "./options.ts";
import { potentialLines } from "./potentials.ts";
import { type Predicted, predictionCells, predictionColumns } from "./predictions.ts";
import { tellDropped } from "./rows.ts";

interface Flags extends ReadFlags {
  output?: string;
  top?: number;
  interval?: number;
  mcDropout?: number;
  seed?: number;
  threads?: number;
  json?: boolean;
}

export function predictCommand(): Command {
  return new Command("predict")
    .summary("predict with a trained model")
    .description(
      "Predicts for every row of the files, which need no target column; they are streamed: any number and any length will do. A crystal model takes structures (CIF, POSCAR, extended xyz, JSON, JSON lines, folders, zips); for a model of formulas they are formulas. A net of images takes PNG and JPEG files, folders of them, IDX and CSV of pixels.",
    )
    .argument("<model>", "model.safetensors of a run, or the run's folder")
    .argument("<files...>", "tables: CSV or JSON lines, .gz too; structure files; images; - is standard input (tables)")
    .option(
      "-o, --output <file>",
      "CSV to write (default: standard output); of a potential also extended xyz, with forces",
    )
    .option("--top <k>", "of classes, the k likeliest with their probabilities, instead of all", natural)
    .option("--interval <share>", "of numbers, also intervals that hold this share of new rows, e.g. 0.9", number)
    .option("--mc-dropout <n>", "mean and deviation of n passes with dropout on", natural)
    .option("--seed <n>", "of --mc-dropout (0)", number)
    .option("--id <column>", "column that names rows")
    .option("--formula <column>", "column of chemical formulas (default: as in training)")
    .option("--drop-missing", "leave out rows with missing values")
    .option("--skip-bad", "leave out structures and images that cannot be read or used, and say so")
    .option("--delimiter <character>", "of CSV, where it is not obvious")
    .option("--threads <n>", "compute threads", natural)
    .option("--json", "JSON lines instead of CSV")
    .addHelpText(
      "after",
      "\nExamples:\n  spinel predict runs/cgcnn-energy *.cif\n  spinel predict runs/elemnet-energy/model.safetensors new.csv -o predictions.csv\n  spinel predict runs/tinyvgg-class new/*.png --top 3",
    )
    .action(predict);
}

async function predict(
  model: string,
  files: string[],
  { output, json = false, threads, top, interval, mcDropout: samples, seed, ...flags }: Flags,
): Promise<void> {
  const predictor = await loadRowPredictor(model, threads);
  if (top !== undefined && predictor.card.task.kind !== "classification")
    throw new UserError("--top is for classes; this model predicts numbers.", "Leave it out.");
  const potential = predictor.card.task.kind === "potential";
  if (interval !== undefined) checkInterval(predictor, interval, samples);
  const answer = answerer(predictor, samples, seed);
  const out = output === undefined ? standardOutput() : fileOutput(output, files);
  let rows = 0;
  try {
    for await (const table of tables(files, predictor, flags)) {
      tellDropped(table);
      const how = { json, top, interval, header: rows === 0, xyz: /\.(?:ext)?xyz$/i.test(output ?? "") };
      const text = potential ? potentialLines(predictor, table, how) : lines(predictor, table, answer, how);
      rows += table.length;
      await out.put(text);
    }
    if (rows === 0) throw new UserError("Every row was left out: there is nothing to predict.");
    out.finish();
  } catch (error) {
    out.abandon();
    throw error;
  }
  if (output !== undefined) process.stderr.write(`${rows} ${rows === 1 ? "prediction" : "predictions"} in ${output}\n`);
}

/** How rows are answered: by the model, by an ensemble, or by so many passes with dropout on. */
function answerer(predictor: RowPredictor, samples: number | undefined, seed: number | undefined): Answer {
  if (samples === undefined) {
    if (seed !== undefined) throw new UserError("--seed is for --mc-dropout.", "Leave it out.");
    return (table) => predictor.predictWithDeviations(table);
  }
  if (!(predictor instanceof Predictor))
    throw new UserError("--mc-dropout is for a single model; this is an ensemble.", "Give one of its members.");
  if (predictor.card.task.kind === "potential")
    throw new UserError("--mc-dropout is for numbers and classes; this model is a potential.", "Leave it out.");
  const rng = new Rng(seed ?? 0);
  return (table) => mcDropout(predictor, table, { samples, rng });
}

type Answer = (table: Table) => ReturnType<RowPredictor["predictWithDeviations"]>;

function checkInterval({ card }: RowPredictor, interval: number, samples: number | undefined): void {
  const fail = (why: string, hint: string): never => {
    throw new UserError(`--interval: ${why}`, hint);
  };
  if (card.task.kind !== "regression")
    fail(
      card.task.kind === "classification" ? "this model tells classes apart." : "this model is a potential.",
      "Leave it out.",
    );
  if (samples !== undefined) fail("intervals were calibrated without --mc-dropout.", "Leave one of the two out.");
  if (!card.conformal)
    fail("the model knows no errors of rows that it was held back from.", "Train it again with this version.");
  conformalRadius(card.conformal!, interval);
}

/** One line for each row: what names it, then the model's prediction. */
function lines(
  predictor: RowPredictor,
  table: Table,
  answer: Answer,
  { json, header, top, interval }: { json: boolean; header: boolean; top?: number; interval?: number },
): string {
  if (table.length === 0) return "";
  const { card } = predictor;
  const formulas = table.structures || (predictor.featuriser as Featuriser).spec.formula ? table.formulas : undefined;
  const answered = answer(table);
  const { predictions, deviations } = answered;
  const bounds = interval === undefined ? undefined : conformalIntervals(card.conformal!, interval, answered);
  const shown = { top, deviation: deviations !== undefined, interval: bounds !== undefined };
  const columns = ["id", ...(formulas ? ["formula"] : []), ...predictionColumns(card, shown)];
  const width = predictions.length / table.length;
  const predicted = (i: number): Predicted => ({
    outputs: predictions.subarray(i * width, (i + 1) * width),
    deviations: deviations?.subarray(i * width, (i + 1) * width),
    interval: bounds && [bounds.lower[i], bounds.upper[i]],
  });
  const rows = table.ids.map((id, i) => [
    id,
    ...(formulas ? [formulas[i]] : []),
    ...predictionCells(card, predicted(i), top),
  ]);
  if (json)
    return rows.map((row) => `${JSON.stringify(Object.fromEntries(columns.map((c, i) => [c, row[i]])))}\n`).join("");
  return (header ? [columns, ...rows] : rows).map(csvLine).join("");
}

/** Where predictions go. */
interface Output {
  put(text: string): Promise<void>;
  finish(): void;
  abandon(): void;
}

/** As fast as it is read. What goes wrong with it is settled for all commands in one place. */
function standardOutput(): Output {
  const { stdout } = process;
  return {
    async put(text) {
      if (!stdout.write(text)) await once(stdout, "drain");
    },
    finish() {},
    abandon() {},
  };
}

/** A file that takes its name when it is complete; devices and pipes are written to as they are. */
function fileOutput(path: string, inputs: readonly string[]): Output {
  try {
    const old = statSync(path, { throwIfNoEntry: false });
    const target = old ? realpathSync(path) : path;
    const isInput = (file: string): boolean => file !== "-" && existsSync(file) && realpathSync(file) === target;
    if (old?.isFile() && inputs.some(isInput))
      throw new UserError(`${path} is one of the files to predict from.`, "Choose another name for the predictions.");
    const direct = old !== undefined && !old.isFile();
    const name = direct ? target : join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
    const file = openSync(name, "w");
    const guard = <T>(action: () => T): T => {
      try {
        return action();
      } catch (error) {
        throw fileError(path, error, "write");
      }
    };
    const abandon = (): void => {
      if (!direct) rmSync(name, { force: true });
    };
    for (const [signal, status] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const)
      process.once(signal, () => {
        abandon();
        process.exit(status);
      });
    return {
      put: async (text) => guard(() => writeFileSync(file, text)),
      finish: () =>
        guard(() => {
          if (!direct) fsyncSync(file);
          closeSync(file);
          if (!direct) renameSync(name, target);
        }),
      abandon,
    };
  } catch (error) {
    throw fileError(path, error, "write");
  }
}
