import { UserError } from "../core/errors.ts";

/** How far predictions were off on rows that the model has not learned from: plain data, kept in the model's card. */
export interface ConformalConfig {
  /** "normalised": errors are divided by the deviation that the model expects, so that intervals are wide where it is unsure. */
  kind: "absolute" | "normalised";
  /** Rows that it was calibrated on. */
  rows: number;
  /** |error|, or |error|/deviation, ascending; of many rows a thousand that give no narrower intervals. */
  scores: number[];
  /** The least deviation that an error is divided by. */
  floor?: number;
}

/** As many scores are kept. */
const KEPT = 1000;

/**
 * Split-conformal calibration on held-out rows: intervals of a share p then hold at least a share p of new rows like these, on average
 * over calibration sets, whatever the model. Vovk, Gammerman & Shafer 2005; Lei et al., JASA 113, 1094 (2018).
 *
 * @param deviations  the standard deviation that the model expects of each prediction, where it does
 */
export function calibrate(
  targets: ArrayLike<number>,
  predictions: ArrayLike<number>,
  deviations?: ArrayLike<number>,
): ConformalConfig {
  const rows = targets.length;
  if (rows === 0 || predictions.length !== rows || (deviations && deviations.length !== rows))
    throw new UserError(`Intervals need a prediction for each target: ${predictions.length} for ${rows}.`);
  const mean = deviations ? Array.from(deviations).reduce((sum, s) => sum + s, 0) / rows : 0;
  // A row of which all members of an ensemble say the same must not have an interval of no width, nor an infinite score.
  const floor = mean > 0 ? mean / 100 : undefined;
  const scores = Float64Array.from(targets, (target, i) => {
    return Math.abs(target - predictions[i]) / (floor === undefined ? 1 : Math.max(floor, deviations![i]));
  });
  if (!scores.every(Number.isFinite))
    throw new UserError("Intervals need finite predictions; some of the calibration rows' are not.");
  scores.sort();
  const kept =
    rows <= KEPT ? [...scores] : Array.from({ length: KEPT }, (_, j) => scores[rankOf((j + 1) / (KEPT + 1), rows) - 1]);
  return {
    kind: floor === undefined ? "absolute" : "normalised",
    rows,
    scores: kept,
    ...(floor !== undefined && { floor }),
  };
}

/** ⌈(n + 1)·level⌉, for a level that floating point has rounded a little up, too. */
const rankOf = (level: number, n: number): number => Math.ceil((n + 1) * level - 1e-9);

/**
 * Half the width of intervals that hold a share `level` of new rows, in the target's unit or, normalised, in deviations: the
 * ⌈(n + 1)·level⌉-th smallest of n scores.
 *
 * @throws UserError for a level that so few rows cannot vouch for
 */
export function conformalRadius({ scores }: ConformalConfig, level: number): number {
  if (!(level > 0 && level < 1)) throw new UserError(`An interval holds a share between 0 and 1, not ${level}.`);
  const rank = rankOf(level, scores.length);
  if (rank > scores.length)
    throw new UserError(
      `Intervals that hold ${level} of all rows need at least ${Math.ceil(level / (1 - level) - 1e-9)} calibration rows; there were ${scores.length}.`,
      "Ask for a smaller share, or hold out more rows for validation.",
    );
  return scores[rank - 1];
}

/** Intervals that hold a share `level` of rows like those of the calibration, [rows] each. @throws UserError as `conformalRadius` */
export function conformalIntervals(
  config: ConformalConfig,
  level: number,
  { predictions, deviations }: { predictions: Float32Array; deviations?: Float32Array },
): { lower: Float32Array; upper: Float32Array } {
  const radius = conformalRadius(config, level);
  const { kind, floor = 0 } = config;
  if (kind === "normalised" && !deviations)
    throw new UserError("These intervals are as wide as the model is unsure, and no deviations are given.");
  const half = (i: number): number => (kind === "absolute" ? radius : radius * Math.max(floor, deviations![i]));
  return { lower: predictions.map((p, i) => p - half(i)), upper: predictions.map((p, i) => p + half(i)) };
}
