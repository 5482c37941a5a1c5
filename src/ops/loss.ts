import { mismatch, UserError } from "../core/errors.ts";
import { resolveAxis, type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { asTensor, type Indices, type Tensor } from "../core/tensor.ts";
import { softplus } from "./activation.ts";
import { abs, add, affine, exp, le, mul, neg, square, sub, where } from "./elementwise.ts";
import { pick } from "./gather.ts";
import { logSoftmax, mean, sum } from "./reduce.ts";

export interface LossOptions {
  /** How the elements' losses become the result; the mean by default. */
  reduction?: "mean" | "sum" | "none";
}

function reduce(loss: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  return reduction === "none" ? loss : reduction === "sum" ? sum(loss) : mean(loss);
}

/** Losses never broadcast: [n] against [n, 1] would be an n × n table, the classic silent mistake. */
function checkSame(call: string, ...shapes: Shape[]): void {
  if (shapes.some((s) => !sameShape(s, shapes[0])))
    throw mismatch(
      call,
      shapes,
      "prediction and target must have one shape.",
      "Reshape one of them, for example with squeeze().",
    );
}

/** Mean of (prediction − target)². */
export function mseLoss(prediction: Tensor, target: Tensor, options?: LossOptions): Tensor {
  checkSame("mseLoss", prediction.shape, target.shape);
  return reduce(square(sub(prediction, target)), options);
}

/** Mean of |prediction − target|. */
export function l1Loss(prediction: Tensor, target: Tensor, options?: LossOptions): Tensor {
  checkSame("l1Loss", prediction.shape, target.shape);
  return reduce(abs(sub(prediction, target)), options);
}

/** ½d² for |d| ≤ δ, δ(|d| − ½δ) beyond, d = prediction − target. Huber 1964. */
export function huberLoss(
  prediction: Tensor,
  target: Tensor,
  { delta = 1, ...options }: LossOptions & { delta?: number } = {},
): Tensor {
  checkSame("huberLoss", prediction.shape, target.shape);
  if (!(delta > 0)) throw new UserError(`huberLoss: delta must be > 0, not ${delta}.`);
  const d = sub(prediction, target);
  const size = abs(d);
  const near = affine(square(d), { scale: 0.5, shift: 0 });
  const far = affine(size, { scale: delta, shift: -0.5 * delta * delta });
  return reduce(where(le(size, asTensor(delta)), near, far), options);
}

function checkLabels(call: string, shape: Shape, labels: Indices): void {
  const classes = shape[resolveAxis(call, shape, -1)];
  const rows = sizeOf(shape.slice(0, -1));
  if (labels.length !== rows) throw mismatch(call, [shape], `${labels.length} labels for ${rows} rows.`);
  const at = labels.data.findIndex((label) => label < 0 || label >= classes);
  if (at >= 0) throw mismatch(call, [shape], `label ${labels.data[at]} (row ${at}) is outside 0 … ${classes - 1}.`);
}

/** −log p[r, label[r]] from log-probabilities [rows, classes]. */
export function nllLoss(logProbabilities: Tensor, labels: Indices, options?: LossOptions): Tensor {
  checkLabels("nllLoss", logProbabilities.shape, labels);
  return reduce(neg(pick(logProbabilities, { index: labels })), options);
}

/** Cross-entropy of logits [rows, classes] against labels; `labelSmoothing` ε mixes in the uniform distribution. */
export function crossEntropy(
  logits: Tensor,
  labels: Indices,
  { labelSmoothing = 0, ...options }: LossOptions & { labelSmoothing?: number } = {},
): Tensor {
  checkLabels("crossEntropy", logits.shape, labels);
  const logp = logSoftmax(logits);
  const hard = neg(pick(logp, { index: labels }));
  if (labelSmoothing === 0) return reduce(hard, options);
  const uniform = neg(mean(logp, { axes: -1 }));
  return reduce(
    add(affine(hard, { scale: 1 - labelSmoothing, shift: 0 }), affine(uniform, { scale: labelSmoothing, shift: 0 })),
    options,
  );
}

/** Binary cross-entropy of logits against targets in [0, 1]: softplus(z) − t·z, which never overflows. */
export function bceWithLogits(logits: Tensor, target: Tensor, options?: LossOptions): Tensor {
  checkSame("bceWithLogits", logits.shape, target.shape);
  return reduce(sub(softplus(logits), mul(target, logits)), options);
}

/**
 * Robust L1: √2·|prediction − target|·e^(−s) + s, s the predicted logarithm of the error's scale (a Laplace likelihood).
 * All three [n]. Kendall & Gal 2017; CrabNet and Roost train on it.
 */
export function robustL1Loss(prediction: Tensor, logScale: Tensor, target: Tensor, options?: LossOptions): Tensor {
  checkSame("robustL1Loss", prediction.shape, logScale.shape, target.shape);
  const error = affine(abs(sub(prediction, target)), { scale: Math.SQRT2, shift: 0 });
  return reduce(add(mul(error, exp(neg(logScale))), logScale), options);
}
