import { UserError } from "../core/errors.ts";
import { exp } from "../core/portable.ts";
import { indices, type Tensor, tensor } from "../core/tensor.ts";
import { ArrayDataset, type Dataset } from "../data/dataset.ts";
import { crossEntropy, huberLoss, l1Loss, mseLoss, robustL1Loss, slice, softmax } from "../ops/index.ts";
import { classificationMetrics, regressionMetrics } from "./metrics.ts";
import { type PotentialConfig, PotentialTask } from "./potentialTask.ts";

/** With "robustL1" the model gives a second number for each target: the logarithm of the deviation that it expects. */
export type RegressionLoss = "mse" | "l1" | "huber" | "robustL1";

/** How outputs become a loss, predictions and figures. Plain data about it is saved with the model (`toJSON`). */
export interface Task {
  /** Numbers that the model must give for a row. */
  readonly outputs: number;
  /** The figure that chooses the best epoch, and which way is better. */
  readonly monitor: { metric: string; mode: "min" | "max" };
  /**
   * It differentiates the output by the inputs: predictions are then computed on the tape, too, and the loss on a whole data set
   * is among the metrics.
   */
  readonly recorded?: boolean;
  /** `inputs` are those of the batch, what the model was given. */
  loss(output: Tensor, targets: Float32Array, inputs: readonly unknown[]): Tensor;
  /** Predictions in the targets' own units [rows, outputs], or class probabilities [rows, classes]. */
  decode(output: Tensor, inputs: readonly unknown[]): Float32Array;
  /** Where the model says how sure it is: the standard deviation of each prediction, in the targets' own units [rows, outputs]. */
  deviations?(output: Tensor): Float32Array;
  metrics(predictions: Float32Array, targets: Float32Array): Record<string, number>;
  toJSON(): TaskConfig;
}

export type TaskConfig =
  | { kind: "regression"; loss: RegressionLoss; mean: number[]; std: number[]; delta?: number; monitor?: "mse" }
  | { kind: "classification"; classes: string[]; labelSmoothing?: number; monitor?: string }
  | PotentialConfig;

/** The task that a configuration describes. */
export function taskFrom(config: TaskConfig): Task {
  if (config.kind === "potential") return new PotentialTask(config);
  if (config.kind === "classification") return new Classification(config);
  return config.monitor === "mse" ? new SquaredRegression(config) : new Regression(config);
}

/** Mean and standard deviation of each target column; a constant column gets 1, so that nothing is divided by 0. */
export function normaliserOf(targets: Float32Array, outputs: number): { mean: number[]; std: number[] } {
  const rows = targets.length / outputs;
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < outputs; c++) {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += targets[r * outputs + c];
    const m = sum / rows;
    let squares = 0;
    for (let r = 0; r < rows; r++) squares += (targets[r * outputs + c] - m) ** 2;
    const s = rows > 1 ? Math.sqrt(squares / (rows - 1)) : 0;
    mean.push(m);
    std.push(s > 0 ? s : 1);
  }
  return { mean, std };
}

/** Regression by squared error on normalised targets, which the data themselves define. */
export function defaultTask(train: Dataset): Task {
  if (!(train instanceof ArrayDataset)) throw new UserError("fit: this data set needs an explicit `task`.");
  return new Regression({ kind: "regression", loss: "mse", ...normaliserOf(train.y, train.outputs) });
}

/** Values predicted as numbers; the loss works on targets brought to mean 0 and variance 1. */
export class Regression implements Task {
  readonly outputs: number;
  readonly monitor: Task["monitor"] = { metric: "mae", mode: "min" };
  readonly deviations?: (output: Tensor) => Float32Array;
  /** Numbers predicted for a row. */
  private readonly width: number;

  constructor(private readonly config: TaskConfig & { kind: "regression" }) {
    const { mean, std, loss } = config;
    this.width = mean.length;
    this.outputs = this.width;
    if (loss !== "robustL1") return;
    this.outputs = 2 * this.width;
    // A Laplace distribution whose loss is √2·|error|·e^(−s) + s has the standard deviation eˢ.
    this.deviations = (output) => this.part(output, 1).map((s, i) => exp(s) * std[i % this.width]);
  }

  loss(output: Tensor, targets: Float32Array): Tensor {
    const { mean, std, loss, delta } = this.config;
    const n = this.width;
    const normalised = targets.map((t, i) => (t - mean[i % n]) / std[i % n]);
    const t = tensor(normalised, [targets.length / n, n]);
    if (loss === "robustL1") {
      const [predicted, logScale] = [0, 1].map((i) => slice(output, { axis: 1, start: i * n, end: (i + 1) * n }));
      return robustL1Loss(predicted, logScale, t);
    }
    if (loss === "huber") return huberLoss(output, t, { delta });
    return loss === "l1" ? l1Loss(output, t) : mseLoss(output, t);
  }

  decode(output: Tensor): Float32Array {
    const { mean, std } = this.config;
    return this.part(output, 0).map((v, i) => v * std[i % this.width] + mean[i % this.width]);
  }

  /** The first numbers of each row, which are the predictions, or the second ones. */
  private part(output: Tensor, which: 0 | 1): Float32Array<ArrayBuffer> {
    const { width, outputs } = this;
    const values = output.toArray();
    if (width === outputs) return values;
    return Float32Array.from({ length: values.length / 2 }, (_, i) => {
      return values[Math.floor(i / width) * outputs + which * width + (i % width)];
    });
  }

  metrics(predictions: Float32Array, targets: Float32Array): Record<string, number> {
    return regressionMetrics(predictions, targets);
  }

  toJSON(): TaskConfig {
    return this.config;
  }
}

/** A regression whose best epoch has the smallest squared error. */
class SquaredRegression extends Regression {
  override readonly monitor: Task["monitor"] = { metric: "mse", mode: "min" };

  override metrics(predictions: Float32Array, targets: Float32Array): Record<string, number> {
    const figures = regressionMetrics(predictions, targets);
    return { mse: figures.rmse ** 2, ...figures };
  }
}

/** One of several classes, by cross-entropy of as many logits. */
export class Classification implements Task {
  readonly outputs: number;
  readonly monitor: { metric: string; mode: "min" | "max" };

  constructor(private readonly config: TaskConfig & { kind: "classification" }) {
    if (config.classes.length < 2)
      throw new UserError(
        `Classification needs at least two classes; the data have ${config.classes.join(", ") || "none"}.`,
      );
    this.outputs = config.classes.length;
    const metric = config.monitor ?? "loss";
    this.monitor = { metric, mode: metric === "loss" ? "min" : "max" };
  }

  loss(output: Tensor, targets: Float32Array): Tensor {
    return crossEntropy(output, indices(targets), { labelSmoothing: this.config.labelSmoothing });
  }

  decode(output: Tensor): Float32Array {
    return softmax(output).toArray();
  }

  metrics(predictions: Float32Array, targets: Float32Array): Record<string, number> {
    return classificationMetrics(predictions, targets);
  }

  toJSON(): TaskConfig {
    return this.config;
  }
}
