/** spinel/train: optimizers, schedules, fit, metrics, folds. */

export type { Model } from "../nn/index.ts";
export { type Checkpoint, type EpochRecord, type FitOptions, fit, type Monitor, type Run } from "./fit.ts";
export { type Fold, kFold, matbenchFolds, stratifiedKFold } from "./folds.ts";
export * from "./metrics.ts";
export * from "./optim.ts";
export { type ModelCard, Predictor } from "./predictor.ts";
export * from "./schedule.ts";
export { Classification, normaliserOf, Regression, type Task, type TaskConfig, taskFrom } from "./task.ts";
export { loadSafetensors } from "./weights.ts";
