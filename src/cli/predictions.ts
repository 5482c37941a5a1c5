import { shortest } from "../io/csv.ts";
import type { ModelCard } from "../train/predictor.ts";

/**
 * What a table of predictions has of a model: the number, or the likeliest class and the probabilities of all; with `top`, as many
 * classes, the likeliest first, each with its probability.
 */
export function predictionColumns({ task, target }: ModelCard, top?: number): string[] {
  const predicted = `predicted ${target.name}`;
  if (task.kind === "regression") return [predicted];
  if (top === undefined) return [predicted, ...task.classes.map((c) => `probability ${c}`)];
  const places = Array.from({ length: Math.min(top, task.classes.length) }, (_, i) => i + 1);
  return places.flatMap((place) =>
    place === 1 ? [predicted, "probability"] : [`class ${place}`, `probability ${place}`],
  );
}

/** One row's cells in these columns, from the model's outputs for it. */
export function predictionCells({ task }: ModelCard, outputs: ArrayLike<number>, top?: number): (string | number)[] {
  const values = Array.from(outputs, shortest);
  if (task.kind === "regression") return values;
  const { classes } = task;
  if (top === undefined) return [classes[values.indexOf(Math.max(...values))], ...values];
  const order = classes.map((_, k) => k).sort((a, b) => values[b] - values[a] || a - b);
  return order.slice(0, top).flatMap((k) => [classes[k], values[k]]);
}
