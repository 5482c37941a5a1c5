/** Small data sets and small runs of `fit`, made from fresh objects each time. */

import { ArrayDataset, type Dataset } from "../../src/data/dataset.ts";
import { Rng } from "../../src/index.ts";
import { Mlp, type MlpOptions } from "../../src/models/index.ts";
import { stateDict } from "../../src/nn/index.ts";
import { type FitOptions, fit } from "../../src/train/fit.ts";
import { Adam, type Optimizer } from "../../src/train/optim.ts";
import { Regression, type Task } from "../../src/train/task.ts";

/** y = 50 + 10·(x₀·x₁ + sin 2x₂): far from mean 0 and variance 1. */
export function table(rows: number, seed = 1): ArrayDataset {
  const rng = new Rng(seed);
  const x = Float32Array.from({ length: 3 * rows }, () => 3 * rng.random() - 1.5);
  const y = Float32Array.from({ length: rows }, (_, i) => {
    const [a, b, c] = x.subarray(3 * i);
    return 50 + 10 * (a * b + Math.sin(2 * c));
  });
  return new ArrayDataset(x, y, rows);
}

/** Two classes: inside a circle and outside. */
export function circle(rows: number, seed = 1): ArrayDataset {
  const rng = new Rng(seed);
  const x = Float32Array.from({ length: 2 * rows }, () => 2 * rng.random() - 1);
  const y = Float32Array.from({ length: rows }, (_, i) => (Math.hypot(x[2 * i], x[2 * i + 1]) < 0.75 ? 1 : 0));
  return new ArrayDataset(x, y, rows);
}

export const weights = (model: object): Map<string, Float32Array> =>
  new Map([...stateDict(model)].map(([name, t]) => [name, t.toArray()]));

export interface Setup extends Omit<FitOptions, "optimizer" | "rng"> {
  mlp?: MlpOptions;
  sizes?: number[];
  optimize?: (model: Mlp) => Optimizer;
  seed?: number;
  data?: Dataset;
}

/** A small run from fresh objects. */
export async function run({
  mlp,
  sizes = [3, 8, 1],
  optimize = (m) => new Adam(m, { lr: 0.01 }),
  seed = 7,
  data = table(26),
  ...options
}: Setup) {
  const rng = new Rng(seed);
  const model = new Mlp(sizes, rng, mlp);
  const optimizer = optimize(model);
  const result = await fit(model, data, { epochs: 4, batchSize: 8, ...options, optimizer, rng });
  return { ...result, model, optimizer, weights: weights(model) };
}

/** History without its times. */
export const figures = (history: readonly { seconds: number }[]): object[] =>
  history.map(({ seconds: _, ...rest }) => rest);

/** A regression whose validation figure is what the script says, epoch by epoch. */
export function scripted(values: readonly number[], mode: "min" | "max" = "min"): Task {
  const base = new Regression({ kind: "regression", loss: "mse", mean: [50], std: [10] });
  let epoch = 0;
  return {
    outputs: 1,
    monitor: { metric: "score", mode },
    loss: (output, targets) => base.loss(output, targets),
    decode: (output) => base.decode(output),
    metrics: () => ({ score: values[epoch++] }),
    toJSON: () => base.toJSON(),
  };
}
