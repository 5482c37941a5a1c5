import { UserError } from "../core/errors.ts";
import { CrystalGraphFeaturiser } from "../data/crystalGraph.ts";
import type { RowFeaturiser } from "../data/dataset.ts";
import { ElementSetFeaturiser } from "../data/elementSet.ts";
import { Featuriser } from "../data/featuriser.ts";
import { ImageFeaturiser } from "../data/imageFeaturiser.ts";
import { PointCloudFeaturiser } from "../data/pointCloudFeaturiser.ts";
import { PotentialFeaturiser } from "../data/potentialFeaturiser.ts";
import { type Architecture, withOutputs } from "../models/index.ts";
import { type ModelCard, readCard } from "../train/predictor.ts";
import { type Task, taskFrom } from "../train/task.ts";
import { type RunConfig, runConfig } from "./config.ts";
import { comesWithModel, MODELS, type ModelName } from "./models.ts";
import { isPotential } from "./potentialConfig.ts";
import type { Head } from "./weights.ts";

/** What a model that a run starts from says of itself. */
export interface Origin {
  file: string;
  card: ModelCard<Architecture>;
  featuriser: RowFeaturiser;
}

/** Reads all of a model file but its weights. */
export const readOrigin = async (file: string): Promise<Origin> => ({ file, ...(await readCard<Architecture>(file)) });

/** The name on the command line of the model that an architecture describes. */
export function modelNamed({ file, card: { architecture } }: Origin): ModelName {
  const { model } = architecture;
  const name = architecture.model === "vgg" ? `vgg${architecture.depth}${architecture.batchNorm ? "_bn" : ""}` : model;
  const known = MODELS.find((one) => one === (name === "egnn_vel" ? "egnn" : name));
  if (!known) throw new UserError(`${file}: there is no model ${JSON.stringify(name)} to train.`);
  return known;
}

/** The run's configuration with all that it has from the model it starts from: what to read of its data, what to say of it. */
export function withOrigin(config: RunConfig, { card, featuriser }: Origin): RunConfig {
  const { architecture } = card;
  const ofNetwork = Object.entries(architecture).filter(([name]) => name in runConfig.entries && comesWithModel(name));
  const own: Partial<RunConfig> = {
    ...Object.fromEntries(ofNetwork),
    ...(architecture.model === "mlp" ? { hidden: architecture.sizes.slice(1, -1) } : {}),
    ...(architecture.model === "megnet" ? { nBlocks: architecture.blocks, nRbf: architecture.basis?.count } : {}),
    ...ofFeatures(featuriser),
  };
  return { ...config, ...own, formula: config.formula ?? card.formula, unit: config.unit ?? unitOf(card, config) };
}

const unitOf = ({ target }: ModelCard, config: RunConfig): string | undefined =>
  target.name === config.target ? target.unit : undefined;

function ofFeatures(featuriser: RowFeaturiser): Partial<RunConfig> {
  if (featuriser instanceof CrystalGraphFeaturiser) {
    const { radius, maxNeighbours, shells, pads, atoms } = featuriser.spec;
    return { radius, maxNeighbours, shells, pads, atomVectors: typeof atoms === "string" ? atoms : undefined };
  }
  if (featuriser instanceof PotentialFeaturiser) return { radius: featuriser.spec.cutoff };
  if (featuriser instanceof PointCloudFeaturiser) return { points: featuriser.spec.points };
  if (featuriser instanceof ElementSetFeaturiser) return { elementVectors: featuriser.spec.vectors };
  if (featuriser instanceof ImageFeaturiser) {
    const { size, channels, fit, gamma } = featuriser.spec;
    return { imageSize: [...size] as [number, number], channels: channels as 1 | 3, fit, gamma };
  }
  if (!(featuriser instanceof Featuriser)) return {};
  const { formula = "none", numeric = [], categorical = [] } = featuriser.spec;
  return { features: formula, numeric: [...numeric], categorical: [...categorical] };
}

/**
 * Whether the last layer is kept, and with it the scale of its numbers: by default where the run learns more of the same, the same
 * target by the same number of outputs and the same classes.
 *
 * @throws UserError where it is to be kept and does not fit
 */
export function headFor(
  { file, card }: Origin,
  { target, freshHead }: RunConfig,
  task: Task,
): Exclude<Head, "where it fits"> {
  const before = taskFrom(card.task).toJSON();
  const now = task.toJSON();
  const fits =
    before.kind === now.kind &&
    taskFrom(before).outputs === task.outputs &&
    (before.kind !== "classification" || String(before.classes) === String((now as typeof before).classes));
  if (freshHead === false && !fits)
    throw new UserError(
      `--head keep: the model of ${file} has learned ${described(card.target.name, before)}; this run learns ${described(target, now)}.`,
      "Leave it out: the last layer is made anew.",
    );
  const keep = freshHead === undefined ? fits && card.target.name === target : !freshHead;
  return keep ? "keep" : "fresh";
}

const described = (target: string, task: ReturnType<Task["toJSON"]>): string =>
  `${target}, a ${task.kind}${task.kind === "classification" ? ` (${task.classes.slice(0, 8).join(" | ")})` : ""}`;

/** The task with the scale of another one's numbers: outputs of a kept layer mean what they meant. */
export function scaledAs(task: Task, before: ModelCard["task"]): Task {
  const now = task.toJSON();
  if (now.kind === "regression" && before.kind === "regression")
    return taskFrom({ ...now, mean: before.mean, std: before.std });
  if (now.kind === "potential" && before.kind === "potential") return taskFrom({ ...now, scale: before.scale });
  return task;
}

/**
 * The model's architecture with as many outputs as the run needs. A potential adds its atoms up, whatever the model did.
 *
 * @throws UserError where the run's data have other features
 */
export function adapted({ file, card }: Origin, config: RunConfig, features: number, task: Task): Architecture {
  const architecture = withOutputs(card.architecture, task.outputs);
  if ("inputs" in architecture && typeof architecture.inputs === "number" && architecture.inputs !== features)
    throw new UserError(
      `The model of ${file} takes ${architecture.inputs} features; ${config.data} has ${features}.`,
      "A model can go on learning from data with the same features only.",
    );
  if (architecture.model === "crabnet")
    return { ...architecture, gates: task.deviations ? task.outputs / 2 : task.outputs };
  const readout = isPotential(config) ? "sum" : config.readout;
  if (readout === undefined || !("readout" in architecture) || architecture.readout === readout) return architecture;
  if (architecture.readout === "pooled" || readout === "pooled")
    throw new UserError(
      `The model of ${file} has the readout ${architecture.readout}; this run asks for ${readout}, which has other layers.`,
      "Train a model with --readout sum or mean to start from: the two can take each other's place.",
    );
  return { ...architecture, readout };
}
