import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { init } from "../core/parallel.ts";
import { readRows, type Table } from "../data/table.ts";
import { readBytes } from "../io/files.ts";
import { buildModel } from "../models/index.ts";
import { Predictor } from "../train/predictor.ts";
import { natural } from "./options.ts";
import { csvCell } from "./results.ts";

interface Flags {
  output?: string;
  id?: string;
  formula?: string;
  dropMissing?: boolean;
  delimiter?: string;
  threads?: number;
  json?: boolean;
}

export function predictCommand(): Command {
  return new Command("predict")
    .summary("predict with a trained model")
    .description(
      "Predicts for every row of the files, which need no target column. Files are streamed: any length will do.",
    )
    .argument("<model>", "model.safetensors of a run")
    .argument("<files...>", "tables: CSV or JSON lines, .gz too")
    .option("-o, --output <file>", "CSV to write (default: standard output)")
    .option("--id <column>", "column that names rows")
    .option("--formula <column>", "column of chemical formulas")
    .option("--drop-missing", "leave out rows with missing values")
    .option("--delimiter <character>", "of CSV, where it is not obvious")
    .option("--threads <n>", "compute threads", natural)
    .option("--json", "JSON lines instead of CSV")
    .addHelpText(
      "after",
      "\nExample:\n  spinel predict runs/elemnet-energy/model.safetensors new.csv -o predictions.csv",
    )
    .action(predict);
}

async function predict(modelFile: string, files: string[], flags: Flags): Promise<void> {
  await init({ threads: flags.threads });
  const predictor = Predictor.load(await readBytes(modelFile), buildModel, modelFile);
  const { task, target } = predictor.card;
  const { spec } = predictor.featuriser;
  const columns =
    task.kind === "classification" ? task.classes.map((c) => `probability ${c}`) : [`predicted ${target.name}`];
  const header = [
    "id",
    ...(spec.formula ? ["formula"] : []),
    ...(task.kind === "classification" ? [`predicted ${target.name}`] : []),
    ...columns,
  ];
  const temporary = flags.output && `${flags.output}.${process.pid}.tmp`;
  const out = temporary ? createWriteStream(temporary) : process.stdout;
  let failure: Error | undefined;
  out.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    failure = new UserError(`${flags.output ?? "standard output"} cannot be written: ${error.message}.`);
  });
  const put = async (text: string): Promise<void> => {
    if (failure) throw failure;
    if (!out.write(text)) await Promise.race([once(out, "drain"), once(out, "close")]);
  };
  let rows = 0;
  try {
    if (!flags.json) await put(`${header.map(csvCell).join(",")}\n`);
    for (const file of files) {
      const options = {
        id: flags.id,
        formula: flags.formula,
        dropMissing: flags.dropMissing,
        delimiter: flags.delimiter,
      };
      for await (const table of readRows(file, {
        ...options,
        numeric: spec.numeric,
        categorical: spec.categorical,
        batch: 4096,
      })) {
        for (const { line, reason } of table.dropped) process.stderr.write(`${file}:${line}: left out: ${reason}\n`);
        rows += table.length;
        await put(lines(predictor, table, header, flags.json === true));
      }
    }
    if (temporary) {
      out.end();
      await once(out, "close");
      if (failure) throw failure;
      await rename(temporary, flags.output!);
      process.stderr.write(`${rows} predictions in ${flags.output}\n`);
    }
  } catch (error) {
    if (temporary) await rm(temporary, { force: true });
    throw error;
  }
}

/** One line for each row: what names it, then the prediction, or the likeliest class and the probabilities of all. */
function lines(predictor: Predictor, table: Table, header: readonly string[], json: boolean): string {
  if (table.length === 0) return "";
  const { task } = predictor.card;
  const values = predictor.predict(table);
  const width = values.length / table.length;
  return table.ids
    .map((id, i) => {
      const row = [...values.subarray(i * width, (i + 1) * width)];
      const cells: (string | number)[] = [id];
      if (predictor.featuriser.spec.formula) cells.push(table.formulas![i]);
      if (task.kind === "classification") cells.push(task.classes[row.indexOf(Math.max(...row))]);
      cells.push(...row);
      if (json) return `${JSON.stringify(Object.fromEntries(header.map((name, c) => [name, cells[c]])))}\n`;
      return `${cells.map((cell) => csvCell(String(cell))).join(",")}\n`;
    })
    .join("");
}
