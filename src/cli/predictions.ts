import { shortest } from "../io/csv.ts";
import type { ModelCard } from "../train/predictor.ts";

/** What is asked for, and known, beside the prediction itself. */
export interface Shown {
  /** Of classes, so many. */
  top?: number;
  /** How sure the model is. */
  deviation?: boolean;
  interval?: boolean;
}

/**
 * What a table of predictions has of a model: the number, with its deviation and interval, or the likeliest class, the probabilities of
 * all and the deviation of its own; with `top`, as many classes, the likeliest first, each with its probability.
 */
export function predictionColumns({ task, target }: ModelCard, { top, deviation, interval }: Shown): string[] {
  const { name } = target;
  const predicted = `predicted ${name}`;
  if (task.kind !== "classification")
    return [
      predicted,
      ...(deviation ? [`deviation ${name}`] : []),
      ...(interval ? [`lower ${name}`, `upper ${name}`] : []),
    ];
  const own = deviation ? ["deviation"] : [];
  if (top === undefined) return [predicted, ...task.classes.map((c) => `probability ${c}`), ...own];
  const places = Array.from({ length: Math.min(top, task.classes.length) }, (_, i) => i + 1);
  const named = places.flatMap((place) =>
    place === 1 ? [predicted, "probability"] : [`class ${place}`, `probability ${place}`],
  );
  return [...named, ...own];
}

/** A row's prediction, or probabilities, and what else is known of it. */
export interface Predicted {
  outputs: ArrayLike<number>;
  /** Of each output. */
  deviations?: ArrayLike<number>;
  interval?: readonly [lower: number, upper: number];
}

/** One row's cells in these columns. */
export function predictionCells(
  { task }: ModelCard,
  { outputs, deviations = [], interval = [] as never }: Predicted,
  top?: number,
): (string | number)[] {
  const values = Array.from(outputs, shortest);
  if (task.kind !== "classification")
    return [...values, ...Array.from(deviations, shortest), ...interval.map(shortest)];
  const { classes } = task;
  const order = classes.map((_, k) => k).sort((a, b) => values[b] - values[a] || a - b);
  const own = deviations.length > 0 ? [shortest(deviations[order[0]])] : [];
  if (top === undefined) return [classes[order[0]], ...values, ...own];
  return [...order.slice(0, top).flatMap((k) => [classes[k], values[k]]), ...own];
}
