/** spinel/train: optimizers, schedules, fit, metrics, folds, potentials and what is done with them. */

export * from "../atoms/index.ts";
export type { Model } from "../nn/index.ts";
export { Ema, Swa } from "./average.ts";
export {
  type CoveragePoint,
  coverageCurve,
  type DeviationBin,
  type ErrorDistribution,
  errorByDeviation,
  miscalibration,
  type Reliability,
  reliability,
  type Uncertain,
} from "./calibration.ts";
export { type ConformalConfig, calibrate, conformalIntervals, conformalRadius } from "./conformal.ts";
export { type AtomContributions, atomContributions, contributionsByElement } from "./contributions.ts";
export { type ElementEmbeddings, elementEmbeddings } from "./embeddings.ts";
export { Ensemble } from "./ensemble.ts";
export { type Checkpoint, type EpochRecord, type FitOptions, fit, type Monitor, type Run } from "./fit.ts";
export { type Fold, kFold, matbenchFolds, stratifiedKFold } from "./folds.ts";
export { Lamb, type LambOptions } from "./lamb.ts";
export { Lookahead } from "./lookahead.ts";
export {
  type MatbenchFold,
  matbenchRecord,
  matbenchScores,
  type Parameters as MatbenchParameters,
} from "./matbenchResults.ts";
export { MATBENCH_TASKS, type MatbenchTask, matbenchId, matbenchTask } from "./matbenchTasks.ts";
export { mcDropout } from "./mcDropout.ts";
export * from "./metrics.ts";
export type { Mixed } from "./mixture.ts";
export * from "./optim.ts";
export * from "./optimizers.ts";
export { type Pca, pca, symmetricEigen } from "./pca.ts";
export { type AtomwiseModel, Potential } from "./potential.ts";
export {
  POTENTIAL_WEIGHTS,
  type PotentialConfig,
  PotentialTask,
  type PotentialWeights,
  potentialScale,
} from "./potentialTask.ts";
export { type ModelCard, Predictor, type RowPredictor } from "./predictor.ts";
export * from "./schedule.ts";
export { Classification, normaliserOf, Regression, type Task, type TaskConfig, taskFrom } from "./task.ts";
export { loadSafetensors } from "./weights.ts";
