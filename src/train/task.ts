import { UserError } from "../core/errors.ts";
import { indices, type Tensor, tensor } from "../core/tensor.ts";
import { ArrayDataset, type Dataset } from "../data/dataset.ts";
import { crossEntropy, huberLoss, l1Loss, mseLoss, softmax } from "../ops/index.ts";
import { classificationMetrics, regressionMetrics } from "./metrics.ts";

export type RegressionLoss = "mse" | "l1" | "huber";

/** How outputs become a loss, predictions and figures. Plain data about it is saved with the model (`toJSON`). */
export interface Task {
  /** Numbers that the model must give for a row. */
  readonly outputs: number;
  /** The figure that chooses the best epoch, and which way is better. */
  readonly monitor: { metric: string; mode: "min" | "max" };
  loss(output: Tensor, targets: Float32Array): Tensor;
  /** Predictions in the targets' own units [rows, outputs], or class probabilities [rows, classes]. */
  decode(output: Tensor): Float32Array;
  metrics(predictions: Float32Array, targets: Float32Array): Record<string, number>;
  toJSON(): TaskConfig;
}

export type TaskConfig =
  | { kind: "regression"; loss: RegressionLoss; mean: number[]; std: number[]; delta?: number }
  | { kind: "classification"; classes: string[]; labelSmoothing?: number; monitor?: string };

/** The task that a configuration describes. */
export function taskFrom(config: TaskConfig): Task {
  return config.kind === "regression" ? new Regression(config) : new Classification(config);
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
  readonly monitor = { metric: "mae", mode: "min" } as const;

  constructor(private readonly config: TaskConfig & { kind: "regression" }) {
    this.outputs = config.mean.length;
  }

  loss(output: Tensor, targets: Float32Array): Tensor {
    const { mean, std, loss, delta } = this.config;
    const n = this.outputs;
    const normalised = targets.map((t, i) => (t - mean[i % n]) / std[i % n]);
    const t = tensor(normalised, [targets.length / n, n]);
    if (loss === "huber") return huberLoss(output, t, { delta });
    return loss === "l1" ? l1Loss(output, t) : mseLoss(output, t);
  }

  decode(output: Tensor): Float32Array {
    const { mean, std } = this.config;
    return output.toArray().map((v, i) => v * std[i % this.outputs] + mean[i % this.outputs]);
  }

  metrics(predictions: Float32Array, targets: Float32Array): Record<string, number> {
    return regressionMetrics(predictions, targets);
  }

  toJSON(): TaskConfig {
    return this.config;
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
