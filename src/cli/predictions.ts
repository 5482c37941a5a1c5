import { shortest } from "../io/csv.ts";
import type { ModelCard } from "../train/predictor.ts";

/** What a table of predictions has of a model: the number, or the likeliest class and the probabilities of all. */
export function predictionColumns({ task, target }: ModelCard): string[] {
  const predicted = `predicted ${target.name}`;
  return task.kind === "classification" ? [predicted, ...task.classes.map((c) => `probability ${c}`)] : [predicted];
}

/** One row's cells in these columns, from the model's outputs for it. */
export function predictionCells({ task }: ModelCard, outputs: ArrayLike<number>): (string | number)[] {
  const values = Array.from(outputs, shortest);
  if (task.kind === "regression") return values;
  return [task.classes[values.indexOf(Math.max(...values))], ...values];
}
