import { expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import {
  accuracy,
  balancedAccuracy,
  classificationMetrics,
  confusionMatrix,
  f1,
  mae,
  mape,
  matthews,
  maxError,
  r2,
  regressionMetrics,
  rmse,
  rocAuc,
  spearman,
} from "../../src/train/metrics.ts";
import fixture from "../fixtures/metrics.json";

/** The same names, and each number equal to 10 digits; the fixture's null is NaN. */
function expectFigures(figures: Record<string, number>, expected: Record<string, number | null>): void {
  expect(Object.keys(figures).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) {
    if (value === null) expect(figures[name], name).toBeNaN();
    else
      expect(Math.abs(figures[name] - value), `${name}: ${figures[name]}, not ${value}`).toBeLessThanOrEqual(
        1e-10 * Math.max(1, Math.abs(value)),
      );
  }
}

test.each(fixture.regressions)("regression equals scikit-learn: $name", ({ pred, target, expected }) => {
  expectFigures(regressionMetrics(pred, target), expected);
  expectFigures(regressionMetrics(Float64Array.from(pred), Float64Array.from(target)), expected);
});

test.each(fixture.classifications)(
  "classification equals scikit-learn: $name",
  ({ probabilities, labels, pred, confusion, macroF1, expected }) => {
    expectFigures(classificationMetrics(probabilities, labels), expected);
    expectFigures(classificationMetrics(Float64Array.from(probabilities), Uint8Array.from(labels)), expected);
    expect(confusionMatrix(pred, labels, { classes: confusion.length })).toEqual(confusion);
    expectFigures({ macroF1: f1(pred, labels, { average: "macro" }) }, { macroF1 });
  },
);

test("a figure by hand: two of three right, one miss by 3", () => {
  const [pred, target] = [Float32Array.of(1, 2, 6), Float32Array.of(1, 2, 3)];
  expectFigures(regressionMetrics(pred, target), {
    mae: 1,
    rmse: Math.sqrt(3),
    maxError: 3,
    mape: 1 / 3,
    r2: 1 - 9 / 2,
    spearman: 1,
  });
});

test("f32 arrays are summed in f64", () => {
  // In f32, 2²⁴ + 1 = 2²⁴: a sum of 2²⁵ ones would stop half-way. 10⁶ times 0.1 drifts by 1 % instead.
  const tenth = new Float32Array(1_000_000).fill(0.1);
  expect(mae(tenth, new Float32Array(1_000_000))).toBeCloseTo(Math.fround(0.1), 9);
});

test("no samples: every figure is NaN", () => {
  for (const value of Object.values({ ...regressionMetrics([], []), ...classificationMetrics([], []) }))
    expect(value).toBeNaN();
  expect(confusionMatrix([], [])).toEqual([]);
});

test("a NaN among the predictions shows in every figure of a regression", () => {
  for (const value of Object.values(regressionMetrics([1, Number.NaN, 3], [1, 2, 3]))) expect(value).toBeNaN();
  expect(rocAuc([0.1, Number.NaN, 0.3], [0, 1, 0])).toBeNaN();
});

test("infinite scores rank like any others", () => {
  expect(rocAuc([Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], [0, 0, 1, 1])).toBe(
    1,
  );
});

test("confusion rows are the truth, columns the predictions", () => {
  expect(confusionMatrix([1, 1, 0], [0, 1, 2])).toEqual([
    [0, 1, 0],
    [0, 1, 0],
    [1, 0, 0],
  ]);
});

test.each([mae, rmse, maxError, mape, r2, spearman, accuracy, balancedAccuracy, f1, matthews, rocAuc])(
  "$name refuses arrays of different lengths",
  (metric) => {
    expect(() => metric([0, 1], [0, 1, 1])).toThrow(UserError);
    expect(() => metric([0, 1], [0, 1, 1])).toThrow(/2 predictions for 3 targets/);
  },
);

test.each<[string, () => unknown, RegExp]>([
  ["scores where classes belong", () => balancedAccuracy([0.3, 1], [0, 1]), /prediction 0 is 0\.3/],
  ["a negative label", () => matthews([0, 1], [0, -1]), /label 1 is -1/],
  [
    "a label beyond the columns",
    () => classificationMetrics([0.2, 0.8, 0.5, 0.5], [0, 2]),
    /label 1 is 2, not a class 0 … 1/,
  ],
  ["a third class in a binary F1", () => f1([0, 1, 2], [0, 1, 2]), /3 classes[\s\S]*macro/],
  ["a third class in a ROC curve", () => rocAuc([0.1, 0.2, 0.3], [0, 1, 2]), /label 2 is 2/],
  [
    "probabilities that are no matrix",
    () => classificationMetrics([0.1, 0.2, 0.3], [0, 1]),
    /3 probabilities for 2 labels/,
  ],
  ["no probabilities", () => classificationMetrics([], [0, 1]), /0 probabilities for 2 labels/],
])("%s is a UserError", (_, call, message) => {
  expect(call).toThrow(UserError);
  expect(call).toThrow(message);
});
