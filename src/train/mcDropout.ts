import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { DatasetRows } from "../data/dataset.ts";
import { Dropout, Dropout2d, type Model, modules, type Training } from "../nn/index.ts";
import { forward, predictWithDeviations } from "./batches.ts";
import { type Mixed, Mixture } from "./mixture.ts";
import type { Predictor } from "./predictor.ts";

/** Whether a model drops anything while it is trained. */
export const hasDropout = (model: object): boolean =>
  [...modules(model).values()].some((layer) => (layer instanceof Dropout || layer instanceof Dropout2d) && layer.p > 0);

/**
 * Monte Carlo dropout: the mean of `samples` passes with dropout on, batch norm by its running statistics, and the standard deviation
 * of each number over the passes. Gal & Ghahramani, ICML 2016.
 *
 * @throws UserError for a model without dropout
 */
export function mcDropout(
  predictor: Predictor,
  rows: DatasetRows,
  { samples = 30, rng }: { samples?: number; rng: Rng },
): Mixed {
  const { model, task } = predictor;
  if (!(Number.isInteger(samples) && samples >= 2))
    throw new UserError(`mcDropout: a deviation needs at least 2 samples, not ${samples}.`);
  if (!hasDropout(model))
    throw new UserError(
      "Monte Carlo dropout: the model has no dropout, so all passes would be the same.",
      "Train it with dropout (--dropout 0.1), or train an ensemble (--ensemble 5).",
    );
  const training: Training = { rng, running: true };
  const dropping: Model = { forward: (...inputs) => forward(model, ...inputs, training) };
  const data = predictor.dataset(rows);
  const mixture = new Mixture();
  for (let sample = 0; sample < samples; sample++) mixture.add(predictWithDeviations(dropping, task, data));
  return mixture.result;
}
