/**
 * How good predictions are. Pure functions of (predictions, truth), both [n]; sums run once, in f64, whatever the arrays hold.
 * Definitions and edge cases are scikit-learn's, except that a figure which does not exist (no samples, one class) is NaN
 * instead of an error, so that a table of many folds can still be written.
 */

import { UserError } from "../core/errors.ts";

/** Float32Array, Float64Array, number[] … */
export type Values = ArrayLike<number>;

/** Σ term(prediction, target) / n; NaN for n = 0. */
function mean(name: string, pred: Values, target: Values, term: (p: number, t: number) => number): number {
  const n = sameLength(name, pred, target);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += term(pred[i], target[i]);
  return sum / n;
}

function sameLength(name: string, pred: Values, target: Values): number {
  if (pred.length !== target.length)
    throw new UserError(`${name}: ${pred.length} predictions for ${target.length} targets.`);
  return target.length;
}

/** Mean absolute error, in the target's unit. */
export function mae(pred: Values, target: Values): number {
  return mean("mae", pred, target, (p, t) => Math.abs(p - t));
}

/** Root mean square error, in the target's unit. */
export function rmse(pred: Values, target: Values): number {
  return Math.sqrt(mean("rmse", pred, target, (p, t) => (p - t) ** 2));
}

/** Largest absolute error, in the target's unit. */
export function maxError(pred: Values, target: Values): number {
  const n = sameLength("maxError", pred, target);
  let worst = n > 0 ? 0 : Number.NaN;
  for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs(pred[i] - target[i]));
  return worst;
}

/**
 * Mean absolute error relative to the target, 0.1 meaning 10 %. Targets with |t| ≤ 10⁻⁵ are left out, as Matbench does: relative
 * to nothing every error is infinite. NaN when none is left.
 */
export function mape(pred: Values, target: Values): number {
  const n = sameLength("mape", pred, target);
  let [counted, total] = [0, 0];
  for (let i = 0; i < n; i++) {
    if (Math.abs(target[i]) <= 1e-5) continue;
    counted++;
    total += Math.abs((pred[i] - target[i]) / target[i]);
  }
  return total / counted;
}

/** R² = 1 − Σ(t − p)² / Σ(t − t̄)²: 1 is perfect, 0 as good as the mean. Constant targets: 1 if all are hit, else 0. n < 2: NaN. */
export function r2(pred: Values, target: Values): number {
  const n = sameLength("r2", pred, target);
  if (n < 2) return Number.NaN;
  // Welford's update: the sum of squares about the mean in one pass, without the cancellation of Σt² − n·t̄².
  let [residual, total, center] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    residual += (target[i] - pred[i]) ** 2;
    const step = target[i] - center;
    center += step / (i + 1);
    total += step * (target[i] - center);
  }
  if (total === 0) return residual === 0 ? 1 : 0;
  return 1 - residual / total;
}

/** Spearman's ρ: the correlation of the ranks, ties sharing their average rank. NaN when either side is constant or n < 2. */
export function spearman(pred: Values, target: Values): number {
  const n = sameLength("spearman", pred, target);
  const [a, b] = [ranks(pred), ranks(target)];
  const middle = (n + 1) / 2;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    ab += (a[i] - middle) * (b[i] - middle);
    aa += (a[i] - middle) ** 2;
    bb += (b[i] - middle) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Ranks 1 … n of x [n], equal values sharing the average of theirs; all NaN where x has a NaN, which has no rank. */
function ranks(x: Values): Float64Array {
  const n = x.length;
  const order = Int32Array.from({ length: n }, (_, i) => i).sort((i, j) => x[i] - x[j]);
  const rank = new Float64Array(n);
  for (let start = 0, end = 0; start < n; start = end) {
    while (end < n && x[order[end]] === x[order[start]]) end++;
    if (end === start) return rank.fill(Number.NaN);
    for (let i = start; i < end; i++) rank[order[i]] = (start + 1 + end) / 2;
  }
  return rank;
}

/** Counts [classes][classes]: row = true class, column = predicted class. Classes are 0, 1, …; `classes` sets how many there are. */
export function confusionMatrix(pred: Values, labels: Values, { classes }: { classes?: number } = {}): number[][] {
  const n = sameLength("confusionMatrix", pred, labels);
  let seen = 0;
  for (const side of [pred, labels])
    for (let i = 0; i < n; i++) {
      if (!Number.isInteger(side[i]) || side[i] < 0 || side[i] >= (classes ?? Number.POSITIVE_INFINITY))
        throw new UserError(
          `confusionMatrix: ${side === pred ? "prediction" : "label"} ${i} is ${side[i]}, not a class 0 … ${classes === undefined ? "" : classes - 1}`,
          "Classes are whole numbers from 0; turn scores into classes before counting them.",
        );
      seen = Math.max(seen, side[i] + 1);
    }
  const counts = Array.from({ length: classes ?? seen }, () => new Array<number>(classes ?? seen).fill(0));
  for (let i = 0; i < n; i++) counts[labels[i]][pred[i]]++;
  return counts;
}

/** Share of right classes. */
export function accuracy(pred: Values, labels: Values): number {
  return mean("accuracy", pred, labels, (p, t) => (p === t ? 1 : 0));
}

/** Mean over the classes that occur of the share of right ones among their samples. */
export function balancedAccuracy(pred: Values, labels: Values): number {
  const recalls = confusionMatrix(pred, labels)
    .map((row, c) => row[c] / sum(row))
    .filter((recall) => !Number.isNaN(recall));
  return sum(recalls) / recalls.length;
}

/**
 * F1 = 2·TP / (2·TP + FP + FN). "binary": of class 1; "macro": the plain mean over all classes that occur or are predicted.
 * 0 where a class neither occurs nor is predicted, NaN for no samples.
 */
export function f1(
  pred: Values,
  labels: Values,
  { average = "binary" }: { average?: "binary" | "macro" } = {},
): number {
  const counts = confusionMatrix(pred, labels);
  if (labels.length === 0) return Number.NaN;
  if (average === "binary" && counts.length > 2)
    throw new UserError(
      `f1: ${counts.length} classes; "binary" is for the classes 0 and 1.`,
      'Use { average: "macro" }.',
    );
  const members = counts.map((row, c) => sum(row) + sum(counts.map((other) => other[c])));
  const score = (c: number) => (members[c] > 0 ? (2 * counts[c][c]) / members[c] : 0);
  if (average === "binary") return counts.length < 2 ? 0 : score(1);
  const present = members.flatMap((m, c) => (m > 0 ? [c] : []));
  return sum(present.map(score)) / present.length;
}

/** Matthews' correlation of prediction and truth, −1 … 1, for any number of classes. 0 when either side is constant. */
export function matthews(pred: Values, labels: Values): number {
  const counts = confusionMatrix(pred, labels);
  const n = labels.length;
  const truth = counts.map(sum);
  const predicted = counts.map((_, c) => sum(counts.map((row) => row[c])));
  const dot = (a: number[], b: number[]) => sum(a.map((x, c) => x * b[c]));
  const covariance = n * sum(counts.map((row, c) => row[c])) - dot(truth, predicted);
  const variances = (n * n - dot(truth, truth)) * (n * n - dot(predicted, predicted));
  if (n === 0) return Number.NaN;
  return variances === 0 ? 0 : covariance / Math.sqrt(variances);
}

/**
 * Area under the receiver operating characteristic: the chance that a sample of class 1 scores higher than one of class 0, ties
 * counting half. `labels` are 0 or 1, `scores` any number that grows with the belief in class 1. NaN if only one class occurs.
 */
export function rocAuc(scores: Values, labels: Values): number {
  const n = sameLength("rocAuc", scores, labels);
  const rank = ranks(scores);
  let [positives, rankSum] = [0, 0];
  for (let i = 0; i < n; i++) {
    if (labels[i] !== 0 && labels[i] !== 1)
      throw new UserError(`rocAuc: label ${i} is ${labels[i]}; it is defined for the classes 0 and 1.`);
    positives += labels[i];
    rankSum += labels[i] * rank[i];
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (n - positives));
}

function sum(x: number[]): number {
  return x.reduce((a, b) => a + b, 0);
}

/** The figures of a regression's row in a table. `mape` is a share, the others but `r2` and `spearman` have the target's unit. */
export function regressionMetrics(pred: Values, target: Values) {
  return {
    mae: mae(pred, target),
    rmse: rmse(pred, target),
    maxError: maxError(pred, target),
    mape: mape(pred, target),
    r2: r2(pred, target),
    spearman: spearman(pred, target),
  };
}

/**
 * The figures of a classification's row in a table.
 *
 * @param probabilities  [n, k] row by row, or [n] for two classes: the probability of class 1
 * @param labels         classes 0 … k−1 [n]
 * @returns  of the likeliest classes (the lower one on a tie): accuracy, balanced accuracy, F1 (binary for two classes, else
 *           macro), Matthews; of the probabilities: ROC-AUC (more than two classes: the mean over one against the rest)
 */
export function classificationMetrics(probabilities: Values, labels: Values) {
  const n = labels.length;
  if (n > 0 && (probabilities.length % n !== 0 || probabilities.length === 0))
    throw new UserError(`classificationMetrics: ${probabilities.length} probabilities for ${n} labels are not [n, k].`);
  const k = n > 0 ? probabilities.length / n : 2;
  const column = (c: number) => Float64Array.from(labels, (_, i) => probabilities[i * k + c]);
  const pred = Int32Array.from(labels, (_, i) => {
    if (k === 1) return probabilities[i] > 0.5 ? 1 : 0;
    let best = 0;
    for (let c = 1; c < k; c++) if (probabilities[i * k + c] > probabilities[i * k + best]) best = c;
    return best;
  });
  confusionMatrix(pred, labels, { classes: Math.max(k, 2) }); // refuses a label that has no column
  const against = (c: number) =>
    rocAuc(
      column(c),
      Int32Array.from(labels, (label) => (label === c ? 1 : 0)),
    );
  return {
    accuracy: accuracy(pred, labels),
    balancedAccuracy: balancedAccuracy(pred, labels),
    f1: f1(pred, labels, { average: k > 2 ? "macro" : "binary" }),
    matthews: matthews(pred, labels),
    rocAuc: k > 2 ? sum(Array.from({ length: k }, (_, c) => against(c))) / k : rocAuc(column(k - 1), labels),
  };
}
