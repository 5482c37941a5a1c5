import type { Rng } from "../core/random.ts";
import type { ArrayDataset } from "../data/dataset.ts";
import { ELEMENTS } from "../data/elements.ts";
import { Featuriser } from "../data/featuriser.ts";
import { parseFormula } from "../data/formula.ts";
import type { Table } from "../data/table.ts";
import { toDataset } from "../data/tabular.ts";
import { type Architecture, buildModel } from "../models/index.ts";
import { type Module, parameterCount } from "../nn/index.ts";
import { linearRegression, meanPredictor } from "../train/baselines.ts";
import { type EpochRecord, fit, type Monitor, type Run } from "../train/fit.ts";
import { type Optimizer, optimizers } from "../train/optim.ts";
import { Predictor } from "../train/predictor.ts";
import { Progress } from "../train/progress.ts";
import type { ClassificationRow, RegressionRow, Split } from "../train/report.ts";
import type { ScheduleConfig } from "../train/schedule.ts";
import { normaliserOf, type Task, type TaskConfig, taskFrom } from "../train/task.ts";
import { EventWriter } from "../train/tfevents.ts";
import type { RunConfig } from "./config.ts";
import { featureSpec, type Parts } from "./prepare.ts";
import type { RunFolder } from "./runFolder.ts";

export interface Outcome {
  run: Run;
  predictor: Predictor;
  parameters: number;
  rows: Partial<Record<Split, RegressionRow[] | ClassificationRow[]>>;
  figures: Partial<Record<Split, Record<string, number>>>;
  baselines: { name: string; metrics: Partial<Record<Split, Record<string, number>>> }[];
}

export interface TrainOneOptions {
  config: RunConfig;
  parts: Parts;
  rng: Rng;
  folder: RunFolder;
  resume: boolean;
  quiet: boolean;
  signal: AbortSignal;
}

/** Trains one model on one set of parts, with everything that a run folder holds of it. Undefined if it was interrupted. */
export async function trainOne(options: TrainOneOptions): Promise<Outcome | undefined> {
  const { config, parts, rng, folder } = options;
  const featuriser = Featuriser.fit(featureSpec(config, parts.train), parts.train);
  const data = mapParts(parts, (table) => toDataset(featuriser, table));
  const task = taskFor(config, parts.train, data.train!);
  const architecture = architectureFor(config, featuriser.width, task.outputs);
  const model = buildModel(architecture, rng.fork(1));
  const optimizer = makeOptimizer(config, model);
  const checkpoint = options.resume && folder.has("checkpoint.safetensors") ? await folder.loadCheckpoint() : undefined;
  await folder.startMetrics(checkpoint?.state.history ?? []);
  const run = await fit(model, data.train!, {
    task,
    optimizer,
    rng: rng.fork(2),
    validation: data.validation,
    epochs: config.epochs,
    batchSize: config.batchSize,
    patience: config.patience,
    schedule: config.schedule as ScheduleConfig | string | undefined,
    clipNorm: config.clipNorm,
    clipValue: config.clipValue,
    ema: config.ema,
    monitors: await monitorsFor(options, checkpoint?.state.history.at(-1)?.step),
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
  const predictor = Predictor.of(model, featuriser, task, { architecture, target, notes });
  await folder.write("model.safetensors", predictor.toSafetensors());
  const outcome: Outcome = { run, predictor, parameters: parameterCount(model), rows: {}, figures: {}, baselines: [] };
  for (const [split, table] of entries(parts)) {
    const predictions = run.predict(data[split]!);
    outcome.figures[split] = task.metrics(predictions, data[split]!.y);
    outcome.rows[split] = reportRows(task, table, predictions, data[split]!.y);
  }
  if (task.toJSON().kind === "regression") outcome.baselines = baselinesOf(data as Record<Split, ArrayDataset>, task);
  return outcome;
}

const SPLITS = ["train", "validation", "test"] as const;
const entries = (parts: Parts): [Split, Table][] =>
  SPLITS.flatMap((s) => (parts[s] ? [[s, parts[s]] as [Split, Table]] : []));

function mapParts<T>(parts: Parts, f: (table: Table) => T): Partial<Record<Split, T>> {
  return Object.fromEntries(entries(parts).map(([split, table]) => [split, f(table)]));
}

function taskFor(config: RunConfig, table: Table, train: ArrayDataset): Task {
  const { loss = "mse", labelSmoothing } = config;
  const described: TaskConfig = table.classes
    ? {
        kind: "classification",
        classes: [...table.classes],
        labelSmoothing,
        monitor: table.classes.length === 2 ? "rocAuc" : "loss",
      }
    : { kind: "regression", loss, ...normaliserOf(train.y, train.outputs) };
  return taskFrom(described);
}

function architectureFor(config: RunConfig, inputs: number, outputs: number): Architecture {
  if (config.model === "elemnet") return { model: "elemnet", inputs, outputs, dropout: config.dropout !== false };
  const { hidden = [], activation, dropout = 0, norm, residual } = config;
  const share = typeof dropout === "number" ? dropout : 0;
  return {
    model: "mlp",
    sizes: [inputs, ...hidden, outputs],
    ...{
      activation: activation as Extract<Architecture, { model: "mlp" }>["activation"],
      dropout: share,
      norm,
      residual,
    },
  };
}

function makeOptimizer({ optimizer = "adam", lr, momentum, weightDecay, l1 }: RunConfig, model: Module): Optimizer {
  const options = { lr, weightDecay, l1, ...(optimizer === "sgd" || optimizer === "rmsprop" ? { momentum } : {}) };
  return new optimizers[optimizer](model, options);
}

async function monitorsFor({ config, folder, quiet }: TrainOneOptions, resumeStep?: number): Promise<Monitor[]> {
  const events = await EventWriter.open(folder.path, { resumeStep });
  const files: Monitor = {
    async epoch(record: EpochRecord) {
      await folder.addMetrics(record);
      const { step, loss, lr, gradientNorm, validation = {} } = record;
      for (const [tag, value] of Object.entries({ "loss/train": loss, lr, gradientNorm }))
        events.scalar(tag, value, step);
      for (const [name, value] of Object.entries(validation)) events.scalar(`${name}/validation`, value, step);
      events.flush();
    },
  };
  return quiet ? [files] : [files, progressMonitor(config.unit)];
}

/** The progress bar as a monitor. */
export function progressMonitor(unit?: string): Monitor {
  let progress: Progress;
  let metric: string;
  return {
    start({ epochs, stepsPerEpoch, done, metric: name }) {
      metric = name;
      const shown = name === "mae" ? "MAE" : name;
      progress = new Progress({
        epochs,
        stepsPerEpoch,
        done,
        metric: shown,
        unit: name === "mae" ? unit : undefined,
        stream: process.stderr,
      });
    },
    step: (info) => progress.step({ ...info, step: info.step }),
    epoch: ({ epoch, loss, validation, best }) => progress.epoch({ epoch, loss, metric: validation?.[metric], best }),
    finish: () => progress.finish(),
  };
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
  });
  if (task.toJSON().kind === "classification")
    return table.ids.map((_, i) => ({
      ...common(i),
      probabilities: [...predictions.subarray(i * width, (i + 1) * width)],
    }));
  return table.ids.map((_, i) => ({ ...common(i), predicted: predictions[i] }));
}

/** The mean and linear regression, learned from the training rows, on all parts. */
function baselinesOf(
  data: Partial<Record<Split, ArrayDataset>> & { train: ArrayDataset },
  task: Task,
): Outcome["baselines"] {
  const { x, y, length, outputs } = data.train;
  const mean = meanPredictor(y, outputs);
  const linear = linearRegression(x, y, length);
  const figures = (predict: (d: ArrayDataset) => Float32Array) =>
    Object.fromEntries(Object.entries(data).map(([split, d]) => [split, task.metrics(predict(d), d.y)]));
  return [
    { name: "mean of the training set", metrics: figures((d) => mean(d.length)) },
    { name: "linear regression", metrics: figures((d) => linear(d.x, d.length)) },
  ];
}
