import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { ArrayDataset, type LabelledDataset, type RowFeaturiser } from "../data/dataset.ts";
import { ELEMENTS } from "../data/elements.ts";
import { Featuriser } from "../data/featuriser.ts";
import { parseFormula } from "../data/formula.ts";
import type { ImageFeaturiser } from "../data/imageFeaturiser.ts";
import type { Table } from "../data/table.ts";
import { type Architecture, buildModel, CGCNN_BASIS } from "../models/index.ts";
import type { ActivationName, Model } from "../nn/index.ts";
import { linearRegression, meanPredictor } from "../train/baselines.ts";
import { fit, type Run } from "../train/fit.ts";
import { type Optimizer, optimizers } from "../train/optim.ts";
import { Predictor } from "../train/predictor.ts";
import type { ClassificationRow, ImageViews, RegressionRow, Split } from "../train/report.ts";
import type { ScheduleConfig } from "../train/schedule.ts";
import { normaliserOf, type Task, taskFrom } from "../train/task.ts";
import type { RunConfig } from "./config.ts";
import { featuriserOf } from "./featurisers.ts";
import { imageViews } from "./imageViews.ts";
import { imageNet, needsImages } from "./models.ts";
import { fileMonitor, progressMonitor } from "./monitors.ts";
import type { Parts } from "./prepare.ts";
import type { RunFolder } from "./runFolder.ts";
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

export interface Outcome {
  run: Run;
  predictor: Predictor;
  parameters: number;
  rows: Partial<Record<Split, RegressionRow[] | ClassificationRow[]>>;
  /** Of a net of images. */
  views?: ImageViews;
  figures: Partial<Record<Split, Record<string, number>>>;
  baselines: { name: string; metrics: Partial<Record<Split, Record<string, number>>> }[];
}

/** Features, task, model and optimizer for one set of parts. */
export async function setUp(config: RunConfig, parts: Parts, rng: Rng): Promise<Setup> {
  const { train, validation, test } = parts;
  const featuriser = await featuriserOf(config, parts);
  const data: Setup["data"] = { train: featuriser.dataset(train), validation: featuriser.dataset(validation) };
  if (test) data.test = featuriser.dataset(test);
  const task = taskOf(config, parts, data.train);
  const architecture = architectureOf(config, featuriser, task.outputs);
  const model = buildModel(architecture, rng.fork(1));
  const fresh = config.init === undefined ? [] : await initialise(model, config.init);
  if (config.freeze) freezeByName(model, config.freeze);
  return { parts, featuriser, data, task, architecture, model, fresh, optimizer: optimizerOf(config, model) };
}

/** Trains one model, with everything that a run folder holds of it. Undefined if it was interrupted. */
export async function trainOne(
  { parts, featuriser, data, task, architecture, model, optimizer }: Setup,
  options: { config: RunConfig; rng: Rng; folder: RunFolder; resume: boolean; quiet: boolean; signal: AbortSignal },
): Promise<Outcome | undefined> {
  const { config, folder, quiet } = options;
  const checkpoint = options.resume ? await folder.loadCheckpoint() : undefined;
  const history = checkpoint?.state.history ?? [];
  await folder.startMetrics(history);
  const files = await fileMonitor(folder, history.at(-1)?.step);
  const { epochs, batchSize, patience, clipNorm, clipValue, ema, checkpointSeconds } = config;
  const run = await fit(model, data.train, {
    ...{ task, optimizer, epochs, batchSize, patience, clipNorm, clipValue, ema, checkpointSeconds },
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
  const notes = {
    epoch: run.best.epoch,
    [`validation ${metric}`]: run.best[metric],
    rows: parts.train.length,
    seed: config.seed,
  };
  const target = { name: config.target, unit: config.unit };
  const predictor = Predictor.of(model, featuriser, task, { architecture, target, formula: config.formula, notes });
  await folder.write("model.safetensors", predictor.toSafetensors());
  const outcome: Outcome = { run, predictor, parameters: sizeOf(model), rows: {}, figures: {}, baselines: [] };
  for (const [split, dataset] of Object.entries(data) as [Split, LabelledDataset][]) {
    const predictions = run.predict(dataset);
    outcome.figures[split] = task.metrics(predictions, dataset.y);
    outcome.rows[split] = reportRows(task, parts[split]!, predictions, dataset.y);
  }
  outcome.views = imageViews(predictor, parts.test ?? parts.validation);
  if (task.toJSON().kind === "regression" && !parts.train.images) outcome.baselines = baselinesOf(parts, data, task);
  return outcome;
}

function taskOf(config: RunConfig, { train, validation }: Parts, { y, outputs }: LabelledDataset): Task {
  const { loss, labelSmoothing } = config;
  if (!train.classes) {
    if (labelSmoothing !== undefined)
      throw new UserError("--label-smoothing is for classification; this is a regression.");
    return taskFrom({ kind: "regression", loss: loss ?? "l1", ...normaliserOf(y, outputs) });
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

function architectureOf(config: RunConfig, featuriser: RowFeaturiser, outputs: number): Architecture {
  const { hidden = [], dropout, norm, residual } = config;
  const inputs = featuriser.width;
  if (needsImages(config.model)) return imageNet(config.model, config, (featuriser as ImageFeaturiser).shape, outputs);
  if (config.model === "cgcnn") {
    const { atomFeaLen, nConv, hFeaLen, nH } = config;
    // The authors' classifier drops half of the crystal's vector.
    const rate = dropout ?? (outputs > 1 ? 0.5 : 0);
    return { model: "cgcnn", inputs, outputs, atomFeaLen, nConv, hFeaLen, nH, basis: CGCNN_BASIS, dropout: rate };
  }
  if (config.model === "elemnet") return { model: "elemnet", inputs, outputs, dropout: dropout !== 0 };
  const activation = config.activation as ActivationName | undefined;
  return { model: "mlp", sizes: [inputs, ...hidden, outputs], activation, dropout, norm, residual };
}

function optimizerOf({ optimizer = "adam", lr, momentum, weightDecay, l1 }: RunConfig, model: Model): Optimizer {
  return new optimizers[optimizer](model, { lr, weightDecay, l1, ...(momentum === undefined ? {} : { momentum }) });
}

function reportRows(
  task: Task,
  table: Table,
  predictions: Float32Array,
  targets: Float32Array,
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
  return table.ids.map((_, i) => ({ ...common(i), predicted: predictions[i] }));
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
