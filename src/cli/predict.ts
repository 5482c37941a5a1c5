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
import type { Featuriser } from "../data/featuriser.ts";
import type { Table } from "../data/table.ts";
import { csvLine } from "../io/csv.ts";
import { fileError } from "../io/files.ts";
import type { Predictor } from "../train/predictor.ts";
import { loadPredictor, type ReadFlags, tables } from "./inputs.ts";
import { natural } from "./options.ts";
import { predictionCells, predictionColumns } from "./predictions.ts";
import { tellDropped } from "./rows.ts";

interface Flags extends ReadFlags {
  output?: string;
  top?: number;
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
    .option("-o, --output <file>", "CSV to write (default: standard output)")
    .option("--top <k>", "of classes, the k likeliest with their probabilities, instead of all", natural)
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
  { output, json = false, threads, top, ...flags }: Flags,
): Promise<void> {
  const predictor = await loadPredictor(model, threads);
  if (top !== undefined && predictor.card.task.kind !== "classification")
    throw new UserError("--top is for classes; this model predicts numbers.", "Leave it out.");
  const out = output === undefined ? standardOutput() : fileOutput(output, files);
  let rows = 0;
  try {
    for await (const table of tables(files, predictor, flags)) {
      tellDropped(table);
      const text = lines(predictor, table, { json, top, header: rows === 0 });
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

/** One line for each row: what names it, then the model's prediction. */
function lines(
  predictor: Predictor,
  table: Table,
  { json, header, top }: { json: boolean; header: boolean; top?: number },
): string {
  if (table.length === 0) return "";
  const { card } = predictor;
  const formulas = table.structures || (predictor.featuriser as Featuriser).spec.formula ? table.formulas : undefined;
  const columns = ["id", ...(formulas ? ["formula"] : []), ...predictionColumns(card, top)];
  const values = predictor.predict(table);
  const width = values.length / table.length;
  const rows = table.ids.map((id, i) => [
    id,
    ...(formulas ? [formulas[i]] : []),
    ...predictionCells(card, values.subarray(i * width, (i + 1) * width), top),
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
