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
import { init } from "../core/parallel.ts";
import { CrystalGraphFeaturiser } from "../data/crystalGraph.ts";
import { readCrystalRows } from "../data/crystals.ts";
import type { Featuriser } from "../data/featuriser.ts";
import { isStructureFile } from "../data/structureFiles.ts";
import { readRows, type Table } from "../data/table.ts";
import { csvLine } from "../io/csv.ts";
import { fileError, readBytes } from "../io/files.ts";
import { buildModel } from "../models/index.ts";
import { Predictor } from "../train/predictor.ts";
import { usable } from "./features.ts";
import { natural } from "./options.ts";
import { predictionCells, predictionColumns } from "./predictions.ts";
import { formulasAreOfStructures, tellDropped } from "./rows.ts";
import { modelFile } from "./runFolder.ts";
import { isSafetensors } from "./tableInfo.ts";

interface Flags {
  output?: string;
  id?: string;
  formula?: string;
  dropMissing?: boolean;
  skipBad?: boolean;
  delimiter?: string;
  threads?: number;
  json?: boolean;
}

type ReadFlags = Pick<Flags, "id" | "formula" | "dropMissing" | "delimiter" | "skipBad">;

export function predictCommand(): Command {
  return new Command("predict")
    .summary("predict with a trained model")
    .description(
      "Predicts for every row of the files, which need no target column; they are streamed: any number and any length will do. A crystal model takes structures (CIF, POSCAR, extended xyz, JSON, JSON lines, folders, zips); for a model of formulas they are formulas.",
    )
    .argument("<model>", "model.safetensors of a run, or the run's folder")
    .argument("<files...>", "tables: CSV or JSON lines, .gz too; structure files; - is standard input")
    .option("-o, --output <file>", "CSV to write (default: standard output)")
    .option("--id <column>", "column that names rows")
    .option("--formula <column>", "column of chemical formulas (default: as in training)")
    .option("--drop-missing", "leave out rows with missing values")
    .option("--skip-bad", "leave out structures that cannot be read or used, and say so")
    .option("--delimiter <character>", "of CSV, where it is not obvious")
    .option("--threads <n>", "compute threads", natural)
    .option("--json", "JSON lines instead of CSV")
    .addHelpText(
      "after",
      "\nExamples:\n  spinel predict runs/cgcnn-energy *.cif\n  spinel predict runs/elemnet-energy/model.safetensors new.csv -o predictions.csv",
    )
    .action(predict);
}

async function predict(
  model: string,
  files: string[],
  { output, json = false, threads, ...flags }: Flags,
): Promise<void> {
  const path = modelFile(model);
  if (!(await isSafetensors(path)))
    throw new UserError(`${path} is not a model.`, "Give the model.safetensors of a run first, then the tables.");
  await init({ threads });
  const predictor = Predictor.load(await readBytes(path), buildModel, path);
  const out = output === undefined ? standardOutput() : fileOutput(output, files);
  let rows = 0;
  try {
    for (const name of files) {
      for await (const table of tables(name, predictor, flags)) {
        tellDropped(table);
        const text = lines(predictor, table, { json, header: rows === 0 });
        rows += table.length;
        await out.put(text);
      }
    }
    if (rows === 0) throw new UserError("Every row was left out: there is nothing to predict.");
    out.finish();
  } catch (error) {
    out.abandon();
    throw error;
  }
  if (output !== undefined) process.stderr.write(`${rows} ${rows === 1 ? "prediction" : "predictions"} in ${output}\n`);
}

/** The rows of a file, in pieces, as the model needs them. */
async function* tables(name: string, { featuriser, card }: Predictor, flags: ReadFlags): AsyncGenerator<Table> {
  const [source, file] = name === "-" ? [process.stdin, "standard input"] : [name, name];
  const { skipBad, ...own } = flags;
  if (featuriser instanceof CrystalGraphFeaturiser) {
    for await (const table of skippable(readCrystalRows(source, { ...own, file, skipBad }), skipBad))
      yield usable(table, featuriser, skipBad);
    return;
  }
  const { formula: features, numeric, categorical } = (featuriser as Featuriser).spec;
  const { formula = card.formula } = flags;
  const options = { ...own, file, numeric, categorical };
  const structures = name !== "-" && !formula && (features !== undefined || isStructureFile(name));
  if (structures && (await formulasAreOfStructures(name)))
    yield* skippable(readCrystalRows(source, { ...options, skipBad }), skipBad);
  else yield* readRows(source, { ...options, formula, batch: 4096 });
}

/** With `skipBad`, a file that cannot be read ends the tables and not the program. */
async function* skippable(tables: AsyncIterable<Table>, skipBad = false): AsyncGenerator<Table> {
  try {
    yield* tables;
  } catch (error) {
    if (!(skipBad && error instanceof UserError)) throw error;
    process.stderr.write(`left out: ${error.message.split("\n")[0]}\n`);
  }
}

/** One line for each row: what names it, then the model's prediction. */
function lines(predictor: Predictor, table: Table, { json, header }: { json: boolean; header: boolean }): string {
  if (table.length === 0) return "";
  const { card } = predictor;
  const formulas = table.structures || (predictor.featuriser as Featuriser).spec.formula ? table.formulas : undefined;
  const columns = ["id", ...(formulas ? ["formula"] : []), ...predictionColumns(card)];
  const values = predictor.predict(table);
  const width = values.length / table.length;
  const rows = table.ids.map((id, i) => [
    id,
    ...(formulas ? [formulas[i]] : []),
    ...predictionCells(card, values.subarray(i * width, (i + 1) * width)),
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
