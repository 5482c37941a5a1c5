import { existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { hasStructures } from "../data/crystals.ts";
import { hasImages } from "../data/images.ts";
import { isMatbench } from "../data/matbench.ts";
import type { RowFeaturiserJson } from "../data/rowFeaturiser.ts";
import { structureFields } from "../data/structureRecord.ts";
import { openSafetensors } from "../io/safetensors.ts";
import { parseCard } from "../train/predictor.ts";
import { formatCount } from "../train/progress.ts";
import type { TaskConfig } from "../train/task.ts";
import { imageInfo } from "./imageInfo.ts";
import { layersInfo, shownLayers } from "./layers.ts";
import { isImageModel } from "./models.ts";
import { imageShape } from "./options.ts";
import { isFolder } from "./rows.ts";
import { modelFile } from "./runFolder.ts";
import { structureInfo } from "./structureInfo.ts";
import { isSafetensors, tableInfo } from "./tableInfo.ts";

export function infoCommand(): Command {
  return new Command("info")
    .summary("what is in a file")
    .description(
      "Shows what a model, a checkpoint, a table, a set of structures or of images holds. With --layers: the layers of a model or of a net by its name (vgg16, lenet …), what each puts out, its parameters and multiply-adds, and the pixels that a number of it sees.",
    )
    .argument(
      "<file>",
      "model.safetensors, checkpoint.safetensors, a run's folder; a table; structures: a folder, CIF, JSON lines, …; images: a folder, IDX; with --layers a net's name",
    )
    .option("--layers", "the layers of a model")
    .option("--input <CxHxW>", "--layers: for images of this shape (vgg: 3x224x224)", imageShape)
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  spinel info runs/elemnet-energy/model.safetensors\n  spinel info alloys.csv\n  spinel info my-crystals\n  spinel info my-images\n  spinel info vgg16 --layers --input 3x64x64",
    )
    .action(info);
}

async function info(
  path: string,
  { json, layers, input }: { json?: boolean; layers?: boolean; input?: [number, number, number] },
): Promise<void> {
  if (input && !layers) throw new UserError("--input is for --layers.", "Add --layers, or leave it out.");
  if (layers) {
    const table = await layersInfo(path, input);
    process.stdout.write(json ? `${JSON.stringify(table)}\n` : shownLayers(table));
    return;
  }
  if (isImageModel(path) && !existsSync(path))
    throw new UserError(`There is no file ${path}.`, `Of the net of that name: spinel info ${path} --layers.`);
  const file = modelFile(path);
  const facts = await infoOf(file);
  process.stdout.write(json ? `${JSON.stringify(facts)}\n` : shown(facts));
}

async function infoOf(file: string): Promise<Record<string, unknown>> {
  if (await hasImages(file)) return imageInfo(file);
  if (isFolder(file)) return structureInfo(file);
  if (await isSafetensors(file)) return weightsInfo(file);
  return jsonInfo(file) ?? ((await hasStructures(file)) ? structureInfo(file) : tableInfo(file));
}

/** One fact a line; lists below their name. */
function shown(facts: Record<string, unknown>): string {
  const inLine = (x: unknown): string => {
    if (typeof x === "number") return String(Number(x.toPrecision(6)));
    return typeof x === "object" ? JSON.stringify(x) : String(x);
  };
  let out = "";
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    if (Array.isArray(value)) {
      out += `${name}:\n`;
      for (const item of value)
        out += `  ${typeof item === "object" ? Object.values(item).map(inLine).join("  ").trimEnd() : item}\n`;
    } else if (typeof value === "object" && value !== null)
      out += `${name}: ${Object.entries(value)
        .map(([k, x]) => `${k} ${inLine(x)}`)
        .join(", ")}\n`;
    else out += `${name}: ${inLine(value)}\n`;
  }
  return out;
}

/** A single object, such as a run's config.json or results.json; undefined for tables. */
function jsonInfo(file: string): Record<string, unknown> | undefined {
  if (!file.endsWith(".json")) return undefined;
  try {
    const text = readFileSync(file);
    const value = JSON.parse(text.toString());
    const other = Array.isArray(value) || structureFields(Object.keys(value)) || isMatbench(text);
    return other ? undefined : { file, kind: "JSON", ...value };
  } catch {
    return undefined;
  }
}

async function weightsInfo(file: string): Promise<Record<string, unknown>> {
  const stored = await openSafetensors(file);
  try {
    const tensors = [...stored.entries].map(([name, { dtype, shape }]) => ({
      name,
      dtype,
      shape: `[${shape.join(", ")}]`,
    }));
    const numbers = [...stored.entries.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const { metadata } = stored;
    const { fit } = metadata;
    if (metadata.spinel || metadata.model === "cgcnn" || metadata.model?.startsWith("megnet"))
      return { file, kind: "model", ...modelInfo(metadata, file), numbers: formatCount(numbers), tensors };
    if (!fit) return { file, kind: "weights", numbers: formatCount(numbers), tensors };
    const { epoch, step, seconds, best } = JSON.parse(fit);
    const done = { "epochs done": epoch - 1, "steps of the next": step, "best epoch": best?.epoch };
    return { file, kind: "checkpoint", ...done, seconds: Math.round(seconds), numbers: formatCount(numbers), tensors };
  } finally {
    await stored.close();
  }
}

function modelInfo(metadata: Readonly<Record<string, string>>, file: string): Record<string, unknown> {
  const { architecture, target, task, featuriser, featuriserHash, notes } = parseCard(metadata, file);
  return {
    architecture,
    target: target.unit ? `${target.name} (${target.unit})` : target.name,
    task: taskInfo(task),
    features: featuresInfo(featuriser),
    "features' hash": featuriserHash.slice(0, 12),
    trained: notes,
  };
}

function taskInfo(task: TaskConfig): Record<string, unknown> {
  if (task.kind === "classification") return { classes: task.classes.join(" | ") };
  if (task.kind === "regression") return { regression: task.loss };
  const { loss, scale, weights, forces, stress } = task;
  const learned = ["energy", ...(forces ? ["forces"] : []), ...(stress ? ["stress"] : [])] as const;
  const weighed = learned.map((what) => `${weights[what as keyof typeof weights]} ${what}`);
  return {
    potential: `energy${forces ? ", forces" : ""}${stress ? ", stress" : ""}`,
    loss: `${loss} of ${weighed.join(" + ")}`,
    "scale (eV, eV/Å)": scale,
  };
}

function featuresInfo(featuriser: RowFeaturiserJson): Record<string, unknown> {
  if ("kind" in featuriser && featuriser.kind === "images") {
    const { size, channels, ...spec } = featuriser.spec;
    return { images: [channels, ...size].join(" × "), ...spec };
  }
  if ("kind" in featuriser && featuriser.kind === "nodes") {
    const { kind, ...spec } = featuriser.spec;
    return { "of a node": kind, ...("columns" in spec ? spec : { columns: spec.mean.length }) };
  }
  if ("kind" in featuriser && featuriser.kind === "elements") {
    const { vectors, width, elements, jitter } = featuriser;
    return { "vectors of elements": vectors, width, elements: elements.length, jitter };
  }
  if ("kind" in featuriser && featuriser.kind === "nbody") return { features: "moving particles" };
  if ("kind" in featuriser && featuriser.kind === "pointCloud") return { points: featuriser.spec.points };
  if ("kind" in featuriser && featuriser.kind === "potential") {
    const { spec, references } = featuriser;
    const energies = Object.entries(references).map(([symbol, energy]) => `${symbol} ${energy.toFixed(3)}`);
    return { "cutoff (Å)": spec.cutoff, "energies of elements (eV)": energies.join(" ") };
  }
  if ("kind" in featuriser) {
    const { atoms, ...spec } = featuriser.spec;
    return { ...spec, atoms: typeof atoms === "string" ? atoms : "own vectors" };
  }
  const { formula, numeric, categorical } = featuriser.spec;
  return {
    formula: formula ?? "none",
    numeric: numeric.join(" ") || "none",
    categorical: categorical.join(" ") || "none",
  };
}
