import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { ArrayDataset, type LabelledDataset, type RowFeaturiser } from "../data/dataset.ts";
import { type ElementSetFeaturiser, groupFormulas } from "../data/elementSet.ts";
import { ELEMENTS } from "../data/elements.ts";
import { Featuriser } from "../data/featuriser.ts";
import { parseFormula } from "../data/formula.ts";
import type { ImageFeaturiser } from "../data/imageFeaturiser.ts";
import type { Table } from "../data/table.ts";
import { type Architecture, buildModel, CrabNet } from "../models/index.ts";
import type { ActivationName, Model } from "../nn/index.ts";
import { linearRegression, meanPredictor } from "../train/baselines.ts";
import { predictWithDeviations } from "../train/batches.ts";
import { type ConformalConfig, calibrate } from "../train/conformal.ts";
import { fit, type Run } from "../train/fit.ts";
import { Lookahead } from "../train/lookahead.ts";
import type { Optimizer } from "../train/optim.ts";
import { optimizers } from "../train/optimizers.ts";
import { Predictor, type RowPredictor } from "../train/predictor.ts";
import type {
  ClassificationRow,
  ImageViews,
  PotentialRow,
  RegressionRow,
  Split,
  Understanding,
} from "../train/report.ts";
import type { ScheduleConfig } from "../train/schedule.ts";
import { normaliserOf, type Task, taskFrom } from "../train/task.ts";
import type { RunConfig } from "./config.ts";
import { featuriserOf } from "./featurisers.ts";
import type { Choice } from "./grid.ts";
import { imageViews } from "./imageViews.ts";
import { imageNet, needsImages, needsNodes, needsStructures, structureNet } from "./models.ts";
import { fileMonitor, progressMonitor } from "./monitors.ts";
import { isMotion, motionNet, motionTask, straightLine } from "./motion.ts";
import { nodeNet } from "./nodeModels.ts";
import { decayingFirst } from "./nodes.ts";
import { adapted, headFor, readOrigin, scaledAs } from "./origin.ts";
import { isPotential } from "./potentialConfig.ts";
import { elementsAlone, potentialConfig, potentialRows } from "./potentials.ts";
import type { Parts } from "./prepare.ts";
import type { RunFolder } from "./runFolder.ts";
import { elementsIn, understandingOf } from "./understanding.ts";
import { freezeByName, initialise, sizeOf } from "./weights.ts";

/** All that one training needs, made and checked. */
export interface Setup {
  parts: Parts;
  featuriser: RowFeaturiser;
  data: Partial<Record<Split, LabelledDataset>> & { train: LabelledDataset };
  task: Task;
  architecture: Architecture;
  model: Model;
  /** Where weights are given to start from: those that are not among them. */
  fresh: readonly string[];
  optimizer: Optimizer;
}

/** Predictions for each part and, where the model knows them, the deviations that it expects. */
export type Answers = Partial<Record<Split, { predictions: Float32Array; deviations?: Float32Array }>>;

export interface Outcome {
  run: Run;
  predictor: RowPredictor;
  parameters: number;
  answers: Answers;
  rows: Partial<Record<Split, RegressionRow[] | ClassificationRow[] | PotentialRow[]>>;
  /** Of a net of images. */
  views?: ImageViews;
  /** Of a model of crystals or compositions. */
  understanding?: Understanding;
  /** What tuning found best. */
  chosen?: Choice;
  figures: Partial<Record<Split, Record<string, number>>>;
  baselines: { name: string; metrics: Partial<Record<Split, Record<string, number>>> }[];
}

export interface TrainingOptions {
  config: RunConfig;
  rng: Rng;
  folder: RunFolder;
  resume: boolean;
  quiet: boolean;
  signal: AbortSignal;
}

/** Features, task, model and optimizer for one set of parts. */
export async function setUp(config: RunConfig, parts: Parts, rng: Rng): Promise<Setup> {
  if (config.model === "crabnet") parts = { ...parts, train: groupFormulas(parts.train, { pure: !config.dropUnary }) };
  const { train, validation, test } = parts;
  const featuriser = await featuriserOf(config, parts);
  const data: Setup["data"] = { train: featuriser.dataset(train), validation: featuriser.dataset(validation) };
  if (test) data.test = featuriser.dataset(test);
  const origin = config.from === undefined ? undefined : await readOrigin(config.from);
  const own = taskOf(config, parts, data.train);
  const head = origin && headFor(origin, config, own);
  const task = origin && head === "keep" ? scaledAs(own, origin.card.task) : own;
  const architecture = origin
    ? adapted(origin, config, featuriser.width, task)
    : architectureOf(config, featuriser, task);
  const model = buildModel(architecture, rng.fork(1));
  const file = config.from ?? config.init;
  const fresh = file === undefined ? [] : await initialise(model, architecture, { file, head });
  // Weights to start from may have come with other vectors; the run's own are those that its rows are checked by.
  if (model instanceof CrabNet && !origin) model.useVectors((featuriser as ElementSetFeaturiser).vectors!);
  if (config.freeze) freezeByName(model, architecture, config.freeze);
  return { parts, featuriser, data, task, architecture, model, fresh, optimizer: optimizerOf(config, model) };
}

/** Trains one model, with everything that a run folder holds of it. Undefined if it was interrupted. */
export async function trainOne(
  setup: Setup,
  options: TrainingOptions,
): Promise<(Outcome & { predictor: Predictor }) | undefined> {
  const { parts, featuriser, data, task, architecture, model, optimizer } = setup;
  const { config, folder, quiet } = options;
  const checkpoint = options.resume ? await folder.loadCheckpoint() : undefined;
  const history = checkpoint?.state.history ?? [];
  await folder.startMetrics(history);
  const files = await fileMonitor(folder, history.at(-1)?.step);
  const { epochs, batchSize = data.train.length, patience, clipNorm, clipValue, ema, swa, checkpointSeconds } = config;
  const run = await fit(model, data.train, {
    ...{ task, optimizer, epochs, batchSize, patience, clipNorm, clipValue, ema, swa, checkpointSeconds },
    schedule: config.schedule as ScheduleConfig | string | undefined,
    rng: options.rng.fork(2),
    validation: data.validation,
    monitors: quiet ? [files] : [files, progressMonitor(config.unit)],
    save: (state) => folder.saveCheckpoint(state),
    resume: checkpoint,
    signal: options.signal,
  });
  if (run.stopped === "interrupted") return undefined;

  const { metric } = task.monitor;
  const material = parts.train.structures || config.model === "crabnet";
  const elements = material ? elementsIn(parts.train) : undefined;
  const notes = {
    epoch: run.best.epoch,
    [`validation ${metric}`]: run.best[metric],
    rows: parts.train.length,
    seed: config.seed,
    ...(elements && { elements: elements.map((z) => ELEMENTS[z - 1].symbol).join(" ") }),
  };
  const target = { name: config.target, unit: config.unit };
  const answers: Answers = {};
  for (const [split, dataset] of Object.entries(data) as [Split, LabelledDataset][])
    answers[split] = predictWithDeviations(model, task, dataset);
  const { conformal, ...judged } = judge(setup, answers);
  const facts = { architecture, target, formula: config.formula, conformal, notes };
  const predictor = Predictor.of(model, featuriser, task, facts);
  await folder.write("model.safetensors", predictor.toSafetensors());
  const outcome = {
    run,
    predictor,
    parameters: sizeOf(model),
    answers,
    ...judged,
    baselines: [] as Outcome["baselines"],
  };
  if (isMotion(config)) outcome.baselines = [straightLine(parts, data, task)];
  if (isPotential(config)) outcome.baselines = [elementsAlone(data, task)];
  if (task.toJSON().kind === "regression" && !parts.train.images && !isMotion(config))
    outcome.baselines = baselinesOf(parts, data, task);
  const [rows, named] = parts.test ? [parts.test, "test rows"] : [parts.validation, "validation rows"];
  return {
    ...outcome,
    views: imageViews(predictor, rows),
    understanding: elements && understandingOf(predictor, rows, { elements, rows: named }),
  };
}

/** What predictions for the parts come to: figures, the rows of a report and, of numbers, how wide intervals must be. */
export function judge(
  { parts, featuriser, data, task }: Pick<Setup, "parts" | "featuriser" | "data" | "task">,
  answers: Answers,
): Pick<Outcome, "rows" | "figures"> & { conformal?: ConformalConfig } {
  const [rows, figures]: [Outcome["rows"], Outcome["figures"]] = [{}, {}];
  const own = task.toJSON();
  for (const [split, { predictions, deviations }] of Object.entries(answers) as [Split, Required<Answers>[Split]][]) {
    const { y } = data[split]!;
    figures[split] = task.metrics(predictions, y);
    rows[split] =
      own.kind === "potential"
        ? potentialRows(own, featuriser, parts[split]!, predictions, y)
        : reportRows(task, parts[split]!, predictions, y, deviations);
  }
  const { predictions, deviations } = answers.validation!;
  const one = own.kind === "regression" && predictions.length === parts.validation.length;
  const held = one && predictions.every(Number.isFinite);
  return { rows, figures, conformal: held ? calibrate(data.validation!.y, predictions, deviations) : undefined };
}

function taskOf(config: RunConfig, { train, validation }: Parts, data: LabelledDataset): Task {
  const { loss, labelSmoothing } = config;
  const { y, outputs } = data;
  if (isPotential(config)) return taskFrom(potentialConfig(config, data));
  if (isMotion(config)) return taskFrom(motionTask());
  if (!train.classes) {
    if (labelSmoothing !== undefined)
      throw new UserError("--label-smoothing is for classification; this is a regression.");
    return taskFrom({
      kind: "regression",
      loss: loss ?? (config.model === "crabnet" ? "robustL1" : "l1"),
      ...normaliserOf(y, outputs),
    });
  }
  if (loss) throw new UserError("--loss is for regression; this is a classification, by cross-entropy.");
  // A picture's class is right or wrong; a few dozen pictures say too little of that, and the loss more.
  if (train.images && validation.length >= 100)
    return taskFrom({ kind: "classification", classes: [...train.classes], labelSmoothing, monitor: "accuracy" });
  // Two classes are told apart by the ROC curve, where there are rows enough that not many epochs have the same area under it.
  const [negative, positive] = [0, 1].map((c) => validation.targets!.values.filter((value) => value === c).length);
  const monitor = train.classes.length === 2 && Math.min(negative, positive) >= 20 ? "rocAuc" : "loss";
  return taskFrom({ kind: "classification", classes: [...train.classes], labelSmoothing, monitor });
}

function architectureOf(config: RunConfig, featuriser: RowFeaturiser, task: Task): Architecture {
  const { outputs } = task;
  const { hidden = [], dropout, norm, residual } = config;
  const inputs = featuriser.width;
  if (needsImages(config.model)) return imageNet(config.model, config, (featuriser as ImageFeaturiser).shape, outputs);
  if (needsNodes(config.model)) return nodeNet(config.model, config, inputs, outputs);
  if (isMotion(config)) return motionNet(config);
  if (needsStructures(config.model)) return structureNet(config.model, config, inputs, outputs);
  if (config.model === "crabnet") {
    // All class logits have a gate; of a number and the logarithm of its deviation, the number.
    const gates = task.deviations ? outputs / 2 : outputs;
    const { width = 512 } = config;
    return { model: "crabnet", inputs, outputs, gates, width, feedForward: 4 * width, hidden: config.hidden, dropout };
  }
  if (config.model === "elemnet") return { model: "elemnet", inputs, outputs, dropout: dropout !== 0 };
  const activation = config.activation as ActivationName | undefined;
  return { model: "mlp", sizes: [inputs, ...hidden, outputs], activation, dropout, norm, residual };
}

function optimizerOf(config: RunConfig, model: Model): Optimizer {
  const { optimizer = "adam", lookahead, lr, momentum, weightDecay, l1 } = config;
  const made = new optimizers[optimizer](config.model === "gcn" ? decayingFirst(model) : model, {
    lr,
    weightDecay,
    l1,
    ...(momentum === undefined ? {} : { momentum }),
  });
  return lookahead ? new Lookahead(made) : made;
}

function reportRows(
  task: Task,
  table: Table,
  predictions: Float32Array,
  targets: Float32Array,
  deviations?: Float32Array,
): RegressionRow[] | ClassificationRow[] {
  const width = task.outputs;
  const common = (i: number) => ({
    id: table.ids[i],
    formula: table.formulas?.[i],
    elements: table.formulas && parseFormula(table.formulas[i]).elements.map((z) => ELEMENTS[z - 1].symbol),
    target: targets[i],
    structure: table.structures?.[i],
    image: table.images?.[i],
    spaceGroup: table.structures?.[i].spaceGroup,
  });
  if (task.toJSON().kind === "classification")
    return table.ids.map((_, i) => ({
      ...common(i),
      probabilities: [...predictions.subarray(i * width, (i + 1) * width)],
    }));
  const { names } = table.targets!;
  if (names.length > 1)
    return Array.from(targets, (target, k) => {
      const id = `${table.ids[Math.floor(k / names.length)]} ${names[k % names.length]}`;
      return { id, target, predicted: predictions[k] };
    });
  return table.ids.map((_, i) => ({ ...common(i), predicted: predictions[i], deviation: deviations?.[i] }));
}

/** The mean and linear regression, learned from the training rows, on all parts. */
function baselinesOf(parts: Parts, data: Setup["data"], task: Task): Outcome["baselines"] {
  const rows = data.train instanceof ArrayDataset ? (data as Partial<Record<Split, ArrayDataset>>) : byFormula(parts);
  const { x, y, length, outputs } = rows.train!;
  const mean = meanPredictor(y, outputs);
  const linear = linearRegression(x, y, length);
  const figures = (predict: (d: ArrayDataset) => Float32Array) =>
    Object.fromEntries(Object.entries(rows).map(([split, d]) => [split, task.metrics(predict(d), d.y)]));
  return [
    { name: "mean of the training set", metrics: figures((d) => mean(d.length)) },
    {
      name: `linear regression${data.train instanceof ArrayDataset ? "" : " on the formula"}`,
      metrics: figures((d) => linear(d.x, d.length)),
    },
  ];
}

/** What a structure's formula alone says: the measure of what a model learns from the structure. */
function byFormula({ train, validation, test }: Parts): Partial<Record<Split, ArrayDataset>> {
  const featuriser = Featuriser.fit({ formula: "magpie" }, train);
  const [learned, chosen] = [featuriser.dataset(train), featuriser.dataset(validation)];
  return { train: learned, validation: chosen, ...(test ? { test: featuriser.dataset(test) } : {}) };
}
