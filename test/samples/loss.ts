import type { Tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import { softplus } from "../reference/functions.ts";
import { map, type Nd } from "../reference/nd.ts";
import { crossEntropy, elementwiseLoss, pick, type Reduction, reduced } from "../reference/rows.ts";
import { type Case, type Draw, toIndices } from "./draw.ts";

/** For sums of up to 1500 terms. */
const SUM = { value: 4e-6 };

const reductionOf = (d: Draw): Reduction | undefined => d.pick([undefined, "mean", "sum", "none"] as const);

/** A loss of a prediction and a target, differentiated by both. */
const paired = (
  run: (xs: readonly Tensor[], options: { reduction?: Reduction }) => Tensor,
  f: (...values: number[]) => number,
  draw: (d: Draw, shape: number[]) => Nd[],
): Case => ({
  tolerance: SUM,
  draw(d) {
    const reduction = reductionOf(d);
    return {
      attrs: { reduction },
      inputs: draw(d, d.shape(0, 3)),
      run: (xs) => run(xs, { reduction }),
      reference: (xs) => elementwiseLoss(f, reduction ?? "mean")(...xs),
    };
  },
});

/** Predictions whose distance from the target is neither near 0 nor near δ = ½, 1: eighths off a grid of quarters. */
const apart = (d: Draw, shape: number[]): Nd[] => [
  map(d.values(shape), (v) => Math.round(v * 4) / 4 + 0.125),
  map(d.values(shape), (v) => Math.round(v * 4) / 4),
];

/** Logits [rows, classes], sometimes with more axes, and labels. */
function classes(d: Draw) {
  const shape = [...d.shape(1, 2, { per: 80 }), d.size({ empty: false })];
  const x = d.values(shape, { low: -4, high: 4 });
  return { x, labels: d.index(x.data.length / shape[shape.length - 1], shape[shape.length - 1]) };
}

const huber =
  (delta: number) =>
  (p: number, t: number): number => {
    const e = Math.abs(p - t);
    return e <= delta ? (e * e) / 2 : delta * (e - delta / 2);
  };

export const LOSS = {
  mseLoss: [
    paired(
      ([p, t], options) => ops.mseLoss(p, t, options),
      (p, t) => (p - t) ** 2,
      (d, shape) => [d.values(shape), d.values(shape)],
    ),
  ],
  l1Loss: [
    paired(
      ([p, t], options) => ops.l1Loss(p, t, options),
      (p, t) => Math.abs(p - t),
      apart,
    ),
  ],
  huberLoss: [
    paired(([p, t], options) => ops.huberLoss(p, t, options), huber(1), apart),
    paired(([p, t], options) => ops.huberLoss(p, t, { ...options, delta: 0.5 }), huber(0.5), apart),
  ],
  bceWithLogits: [
    paired(
      ([z, t], options) => ops.bceWithLogits(z, t, options),
      (z, t) => softplus(z) - t * z,
      (d, shape) => [d.values(shape, { low: -5, high: 5 }), d.values(shape, { low: 0, high: 1 })],
    ),
  ],
  robustL1Loss: [
    paired(
      ([p, s, t], options) => ops.robustL1Loss(p, s, t, options),
      (p, s, t) => Math.SQRT2 * Math.abs(p - t) * Math.exp(-s) + s,
      (d, shape) => {
        const [p, t] = apart(d, shape);
        return [p, d.values(shape, { low: -1, high: 1 }), t];
      },
    ),
  ],
  nllLoss: [
    {
      tolerance: SUM,
      draw(d) {
        const { x, labels } = classes(d);
        const reduction = reductionOf(d);
        return {
          attrs: { reduction, labels: labels.slice(0, 20) },
          inputs: [x],
          run: ([x]) => ops.nllLoss(x, toIndices(labels), { reduction }),
          reference: ([x]) =>
            reduced(
              map(pick(x, labels), (v) => -v),
              reduction ?? "mean",
            ),
        };
      },
    },
  ],
  crossEntropy: [
    {
      tolerance: SUM,
      draw(d) {
        const { x, labels } = classes(d);
        const reduction = reductionOf(d);
        const labelSmoothing = d.pick([0, 0, 0.1, 1]);
        return {
          attrs: { reduction, labelSmoothing, labels: labels.slice(0, 20) },
          inputs: [x],
          run: ([x]) => ops.crossEntropy(x, toIndices(labels), { reduction, labelSmoothing }),
          reference: ([x]) => reduced(crossEntropy(x, labels, labelSmoothing), reduction ?? "mean"),
        };
      },
    },
  ],
} satisfies Record<string, Case[]>;
