/** How a data set is cut into minibatches, and how a model is run over all of it. */
import { noGrad, withRecording } from "../core/op.ts";
import { scope, type Tensor } from "../core/tensor.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Model } from "../nn/index.ts";
import type { Task } from "./task.ts";

export const forward = (model: Model, ...args: unknown[]): Tensor => model.forward(...(args as never[]));

/** Batches in an epoch. A last batch of a single row joins the one before: batch norm could not use it. */
export function countBatches(n: number, batchSize: number): number {
  const count = Math.ceil(n / batchSize);
  return count > 1 && n % batchSize === 1 ? count - 1 : count;
}

/** The rows of one of `count` batches, in the epoch's order. */
export function batchRows(order: Int32Array, step: number, batchSize: number, count: number): Int32Array {
  return order.slice(step * batchSize, step === count - 1 ? order.length : (step + 1) * batchSize);
}

/** The model's predictions for a whole data set, in batches of bounded size. */
export function predictBatches(
  model: Model,
  task: Task,
  data: Dataset,
  each?: (output: Tensor, targets: Float32Array, inputs: readonly unknown[]) => void,
  batchSize = data.inferenceBatch ?? 1024,
): Float32Array {
  const parts: Float32Array[] = [];
  for (let first = 0; first < data.length; first += batchSize) {
    const rows = Int32Array.from({ length: Math.min(batchSize, data.length - first) }, (_, i) => first + i);
    noGrad(() =>
      scope(() => {
        const { inputs, targets } = data.batch(rows);
        const output = withRecording(task.recorded === true, () => forward(model, ...inputs));
        parts.push(task.decode(output, inputs));
        each?.(output, targets, inputs);
      }, "prediction"),
    );
  }
  return join(parts);
}

/** Predictions and, where the task knows them, the standard deviation of each, for a whole data set. */
export function predictWithDeviations(
  model: Model,
  task: Task,
  data: Dataset,
): { predictions: Float32Array; deviations?: Float32Array } {
  const parts: Float32Array[] = [];
  const predictions = predictBatches(model, task, data, (output) => {
    if (task.deviations) parts.push(task.deviations(output));
  });
  return { predictions, deviations: task.deviations && join(parts) };
}

/** The model's figures on a data set, its loss among them. */
export function evaluate(model: Model, task: Task, data: Dataset): Record<string, number> {
  let lossSum = 0;
  const targets: Float32Array[] = [];
  const predictions = predictBatches(model, task, data, (output, t, inputs) => {
    if (!task.recorded) lossSum += task.loss(output, t, inputs).item() * output.shape[0];
    targets.push(t);
  });
  return { loss: lossSum / data.length, ...task.metrics(predictions, join(targets)) };
}

function join(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((total, p) => total + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
