import { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { scope } from "../core/tensor.ts";
import type { Table } from "../data/table.ts";
import { csvLine } from "../io/csv.ts";
import { writeAtomic } from "../io/files.ts";
import { encodeNpy } from "../io/npy.ts";
import { type AnyModel, features } from "../nn/index.ts";
import { globalAvgPool } from "../ops/index.ts";
import type { Predictor } from "../train/predictor.ts";
import { loadPredictor, type ReadFlags, tables } from "./inputs.ts";
import { layerOutput } from "./layers.ts";
import { natural } from "./options.ts";
import { tellDropped } from "./rows.ts";

interface Flags extends ReadFlags {
  out: string;
  layer?: string;
  flatten?: boolean;
  threads?: number;
}

export function featuresCommand(): Command {
  return new Command("features")
    .summary("what a net makes of data, as .npy")
    .description(
      "Writes what the last layer of a trained model sees of every row, or what another layer puts out, as a NumPy array [rows, width], and the rows' ids as a CSV beside it. A support vector machine or nearest neighbours then need few labels.",
    )
    .argument("<model>", "model.safetensors of a run, or the run's folder")
    .argument("<data...>", "images, tables or structures, as for predict")
    .requiredOption("--out <file>", "array to write, e.g. features.npy")
    .option("--layer <name>", "a layer's outputs instead; see spinel info MODEL --layers")
    .option("--flatten", "of maps all places, instead of the mean of each map")
    .option("--id <column>", "column that names rows")
    .option("--formula <column>", "column of chemical formulas (default: as in training)")
    .option("--drop-missing", "leave out rows with missing values")
    .option("--skip-bad", "leave out images and structures that cannot be read, and say so")
    .option("--delimiter <character>", "of CSV, where it is not obvious")
    .option("--threads <n>", "compute threads", natural)
    .addHelpText(
      "after",
      "\nExamples:\n  spinel features runs/vgg16-class micrographs --out features.npy\n  spinel features runs/tinyvgg-class new/*.png --out maps.npy --layer conv_2_2",
    )
    .action(writeFeatures);
}

async function writeFeatures(
  model: string,
  files: string[],
  { out, layer, flatten = false, threads, ...flags }: Flags,
): Promise<void> {
  const names = out.replace(/\.npy$/i, "");
  if (names === out) throw new UserError(`--out ${out}: features are written as .npy.`, `For example ${out}.npy.`);
  const predictor = await loadPredictor(model, threads);
  const parts: Float32Array[] = [];
  const ids: string[] = [];
  for await (const table of tables(files, predictor, flags)) {
    tellDropped(table);
    ids.push(...table.ids);
    if (table.length > 0) parts.push(...featuresOf(predictor, table, { layer, flatten }));
  }
  if (ids.length === 0) throw new UserError("Every row was left out: there is nothing to compute features of.");
  const data = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  const width = data.length / ids.length;
  await writeAtomic(out, encodeNpy({ shape: [ids.length, width], data }));
  await writeAtomic(`${names}.csv`, [["id"], ...ids.map((id) => [id])].map(csvLine).join(""));
  process.stderr.write(`${ids.length} × ${width} features in ${out}, the rows' ids in ${names}.csv\n`);
}

/** The features of a table's rows [rows, width], batch by batch. */
function featuresOf(
  predictor: Predictor,
  table: Table,
  { layer, flatten }: { layer?: string; flatten: boolean },
): Float32Array[] {
  const data = predictor.dataset(table);
  const model = predictor.model as AnyModel;
  const parts: Float32Array[] = [];
  const size = Math.min(64, data.inferenceBatch ?? 64);
  for (let first = 0; first < data.length; first += size) {
    const rows = Int32Array.from({ length: Math.min(size, data.length - first) }, (_, i) => first + i);
    scope(() => {
      const { inputs } = data.batch(rows);
      const y = layer === undefined ? features(model, inputs) : layerOutput(model, inputs, layer);
      parts.push((y.rank > 2 && !flatten ? globalAvgPool(y) : y).toArray());
    }, "features");
  }
  return parts;
}
