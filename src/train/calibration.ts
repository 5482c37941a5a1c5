/** Whether what a model says of its own certainty is true. */
import { UserError } from "../core/errors.ts";
import { erfcx, exp } from "../core/portable.ts";

/** The distribution that a deviation belongs to: a normal one, or that of the loss "robustL1". */
export type ErrorDistribution = "normal" | "laplace";

/** Values whose errors and deviations are compared, side by side. */
export interface Uncertain {
  targets: ArrayLike<number>;
  predictions: ArrayLike<number>;
  deviations: ArrayLike<number>;
}

/** The share of a distribution of deviation 1 that lies within ±z. */
export function centralShare(z: number, distribution: ErrorDistribution = "normal"): number {
  const size = Math.abs(z);
  if (distribution === "laplace") return 1 - exp(-Math.SQRT2 * size);
  const x = size * Math.SQRT1_2;
  return 1 - exp(-x * x) * erfcx(x);
}

export interface CoveragePoint {
  /** The share that central intervals of the expected distributions should hold … */
  expected: number;
  /** … and the share of the rows that they do hold. */
  observed: number;
}

/** Expected and observed coverage at 0, 1/steps … 1: Kuleshov, Fenner & Ermon, ICML 2018. On the diagonal the deviations are right. */
export function coverageCurve(
  { targets, predictions, deviations }: Uncertain,
  { steps = 20, distribution = "normal" }: { steps?: number; distribution?: ErrorDistribution } = {},
): CoveragePoint[] {
  check("coverageCurve", targets.length, predictions.length, deviations.length);
  const shares = Float64Array.from(targets, (target, i) => {
    const error = Math.abs(target - predictions[i]);
    return error === 0 ? 0 : centralShare(error / deviations[i], distribution);
  });
  return Array.from({ length: steps + 1 }, (_, k) => {
    const expected = k / steps;
    return { expected, observed: shares.filter((share) => share <= expected).length / shares.length };
  });
}

/** The mean distance of the curve from the diagonal: 0 is right, ½ the worst. */
export const miscalibration = (curve: readonly CoveragePoint[]): number =>
  curve.reduce((sum, { expected, observed }) => sum + Math.abs(observed - expected), 0) / curve.length;

export interface DeviationBin {
  rows: number;
  /** Root mean square of the deviations that the model expects. */
  expected: number;
  /** Root mean square of the errors. */
  rmse: number;
}

/** Rows in up to `bins` equally large groups, the surest first: Levi et al., Sensors 22, 5540 (2022). Errors should grow with deviations. */
export function errorByDeviation(
  { targets, predictions, deviations }: Uncertain,
  { bins = 10 }: { bins?: number } = {},
): DeviationBin[] {
  const rows = targets.length;
  check("errorByDeviation", rows, predictions.length, deviations.length);
  const order = Array.from({ length: rows }, (_, i) => i).sort((a, b) => deviations[a] - deviations[b] || a - b);
  const count = Math.min(bins, rows);
  const rms = (values: readonly number[]): number =>
    Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  return Array.from({ length: count }, (_, b) => {
    const own = order.slice(Math.floor((b * rows) / count), Math.floor(((b + 1) * rows) / count));
    return {
      rows: own.length,
      expected: rms(own.map((i) => deviations[i])),
      rmse: rms(own.map((i) => targets[i] - predictions[i])),
    };
  });
}

export interface ReliabilityBin {
  rows: number;
  /** Mean probability of the likeliest class; NaN without rows. */
  confidence: number;
  /** The share of rows whose likeliest class is the true one. */
  accuracy: number;
}

export interface Reliability {
  /** Equally wide, from 0 to 1. */
  bins: ReliabilityBin[];
  /** Expected calibration error: Σ share of rows · |accuracy − confidence|. */
  ece: number;
}

/** Confidence and accuracy by confidence, (k/bins, (k + 1)/bins]: Guo et al., ICML 2017. `probabilities` are [rows, classes]. */
export function reliability(
  probabilities: ArrayLike<number>,
  targets: ArrayLike<number>,
  { bins: count = 10 }: { bins?: number } = {},
): Reliability {
  const classes = probabilities.length / targets.length;
  if (!(Number.isInteger(classes) && classes > 1))
    throw new UserError(`reliability: ${probabilities.length} probabilities for ${targets.length} rows.`);
  const bins = Array.from({ length: count }, () => ({ rows: 0, confidence: 0, accuracy: 0 }));
  for (let row = 0; row < targets.length; row++) {
    let best = 0;
    for (let k = 1; k < classes; k++)
      if (probabilities[row * classes + k] > probabilities[row * classes + best]) best = k;
    const confidence = probabilities[row * classes + best];
    const bin = bins[Math.min(count - 1, Math.max(0, Math.ceil(confidence * count) - 1))];
    bin.rows++;
    bin.confidence += confidence;
    if (best === targets[row]) bin.accuracy++;
  }
  let ece = 0;
  for (const bin of bins) {
    ece += Math.abs(bin.accuracy - bin.confidence) / targets.length;
    bin.confidence /= bin.rows;
    bin.accuracy /= bin.rows;
  }
  return { bins, ece };
}

function check(call: string, targets: number, predictions: number, deviations: number): void {
  if (targets === 0 || predictions !== targets || deviations !== targets)
    throw new UserError(`${call}: ${targets} targets, ${predictions} predictions and ${deviations} deviations.`);
}
