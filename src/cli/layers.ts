import { existsSync } from "node:fs";
import { UserError } from "../core/errors.ts";
import { init } from "../core/parallel.ts";
import { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import { CrystalGraphFeaturiser } from "../data/crystalGraph.ts";
import { ElementSetFeaturiser } from "../data/elementSet.ts";
import { ImageFeaturiser } from "../data/imageFeaturiser.ts";
import { NBodyFeaturiser } from "../data/nbody.ts";
import { unknownName } from "../data/open.ts";
import { PointCloudFeaturiser } from "../data/pointCloudFeaturiser.ts";
import { buildModel, type ImageShape } from "../models/index.ts";
import { type AnyModel, layerOutputs, layerTable, modules, receptiveField } from "../nn/index.ts";
import { formatCount } from "../train/progress.ts";
import { loadPredictor } from "./inputs.ts";
import { IMAGE_MODELS, imageNet, isImageModel } from "./models.ts";

/** What nets are described for where no input is given: the images of their papers. */
const INPUTS: Partial<Record<string, ImageShape>> = { lenet: [1, 28, 28], tinyvgg: [3, 64, 64], cnn1d: [1, 1, 40] };
const CLASSES: Partial<Record<string, number>> = { lenet: 10, tinyvgg: 10, cnn1d: 10 };

/** The layers of a model file or, by its name, of a net of images: output of each, parameters, products, receptive field. */
export async function layersInfo(model: string, input: ImageShape | undefined): Promise<Record<string, unknown>> {
  const [net, shape] = await netOf(model, input);
  const { rows, total } = layerTable(net, shape);
  const fields = new Map(receptiveField(net, shape).map(({ name, size }) => [name, size.join(" × ")]));
  return {
    model,
    input: shape.join(" × "),
    layers: rows.map(({ name, type, output, parameters, macs }) => ({
      ...{ name, type, output: output.join(" × "), parameters, macs, sees: fields.get(name) ?? "all" },
    })),
    total,
  };
}

async function netOf(model: string, input: ImageShape | undefined): Promise<[AnyModel, readonly number[]]> {
  if (isImageModel(model) && !existsSync(model)) {
    await init({ threads: 1 });
    const shape = input ?? INPUTS[model] ?? [3, 224, 224];
    const net = imageNet(model, {}, shape, CLASSES[model] ?? 1000);
    return [buildModel(net, new Rng(0)) as AnyModel, shape];
  }
  if (!existsSync(model))
    throw new UserError(`There is no file ${model}, and no net of that name.`, `Nets are ${IMAGE_MODELS.join(", ")}.`);
  const predictor = await loadPredictor(model, 1);
  const { featuriser } = predictor;
  if (featuriser instanceof ElementSetFeaturiser)
    throw new UserError(
      `${model} sees sets of elements: its layers' sizes depend on the formula.`,
      "Leave out --layers.",
    );
  if (featuriser instanceof CrystalGraphFeaturiser || featuriser instanceof NBodyFeaturiser)
    throw new UserError(`${model} is a net of graphs: its layers' sizes depend on the crystal.`, "Leave out --layers.");
  const cloud = featuriser instanceof PointCloudFeaturiser ? [featuriser.spec.points, 3] : undefined;
  const own = featuriser instanceof ImageFeaturiser ? featuriser.shape : (cloud ?? [featuriser.width]);
  return [predictor.model as AnyModel, input ?? own];
}

/** The layers as a table, numbers flush right. */
export function shownLayers({ model, input, layers, total }: Awaited<ReturnType<typeof layersInfo>>): string {
  const rows = layers as Record<string, string | number>[];
  const { parameters, trained, macs } = total as Record<"parameters" | "trained" | "macs", number>;
  const cells = [
    ["layer", "type", "output", "parameters", "MACs", "sees"],
    ...rows.map((row) => [row.name, row.type, row.output, grouped(row.parameters), grouped(row.macs), row.sees]),
    ["total", "", "", grouped(parameters), grouped(macs), ""],
  ].map((row) => row.map(String));
  const widths = cells[0].map((_, c) => Math.max(...cells.map((row) => row[c].length)));
  const lines = cells.map((row) =>
    row
      .map((cell, c) => (c === 3 || c === 4 ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join("  ")
      .trimEnd(),
  );
  const learned = trained < parameters ? `, ${formatCount(trained)} of them trained` : "";
  return `${model} for an input of ${input}\n${lines.join("\n")}\n${formatCount(parameters)} parameters${learned}, ${formatCount(macs)} multiply-adds for one input\n`;
}

const grouped = (x: string | number): string => (x === 0 ? "" : String(x).replace(/\B(?=(\d{3})+$)/g, ","));

/** What the layer that is named with --layer puts out for `inputs`. */
export function layerOutput(model: AnyModel, inputs: readonly unknown[], layer: string): Tensor {
  const names = [...modules(model).keys()];
  if (!names.includes(layer)) throw unknownName("--layer: the model has no layer", layer, names);
  const found = layerOutputs(model, inputs, [layer]).get(layer);
  if (!found) throw new UserError(`--layer: ${layer} puts nothing out; it is no step of the model's computation.`);
  return found;
}
