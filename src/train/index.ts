/** spinel/train: optimizers, schedules, fit, metrics, folds. */

export { type Checkpoint, type EpochRecord, type FitOptions, fit, type Model, type Monitor, type Run } from "./fit.ts";
export { type Fold, kFold, matbenchFolds, stratifiedKFold } from "./folds.ts";
export * from "./metrics.ts";
export * from "./optim.ts";
export * from "./schedule.ts";
export { Classification, normaliserOf, Regression, type Task, type TaskConfig, taskFrom } from "./task.ts";
