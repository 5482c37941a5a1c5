import { beforeAll, describe, expect, test } from "vitest";
import { grad, init, scope, type Tensor } from "../src/index.ts";
import { SAMPLES } from "./samples.ts";
import type { Case } from "./samples/draw.ts";
import { toTensor } from "./samples/draw.ts";
import { computed, curvature, dot, expected, lossOf, scaleOf, slope, type Trial, trials } from "./samples/trial.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

/** Errors allowed where a case names no others, relative to the scale of what is compared. */
const TOLERANCE = { value: 1e-6, gradient: 2e-6, second: 1e-5 };
const STATS: Record<string, number[]> = {};

/** All elements of y are those of `reference` to `tolerance` times the largest. */
function compare(y: Tensor, reference: { shape: readonly number[]; data: ArrayLike<number> }, tolerance: number, text: string, scale: number): void {
  expect(y.shape, text).toEqual(reference.shape);
  const values = y.toArray();
  for (let i = 0; i < values.length; i++) {
    const r = reference.data[i];
    if (Object.is(values[i], r) || values[i] === r || Number.isNaN(r) && Number.isNaN(values[i])) continue;
    const error = Math.abs(values[i] - r)/scale;
    note(text, "value", error);
    if (!(error <= tolerance)) expect.fail(`${text}: element ${i} is ${values[i]}, not ${r} (${error / tolerance} × the tolerance)`);
  }
}
const largest = (xs: readonly { data: Float64Array }[]): number => xs.reduce((m, x) => x.data.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, Math.abs(b)) : a), m), 0);
function note(text: string, kind: string, error: number) {
  const key = `${text.slice(0, text.indexOf("("))} ${kind}`;
  (STATS[key] ??= []).push(error);
}
import { afterAll } from "vitest";
import { writeFileSync } from "node:fs";
afterAll(() => { writeFileSync("/tmp/ops-stats.json", JSON.stringify(Object.fromEntries(Object.entries(STATS).map(([k, v]) => [k, Math.max(...v)])), null, 1)); });

const size = (t: Trial) => scaleOf(expected(t.sample).map((y) => y.data), t.w);
function near(kind: string, actual: number, reference: number, scale: number, tolerance: number, text: string): void {
  if (!Number.isFinite(reference)) return;
  const error = Math.abs(actual - reference);
  note(text, kind, error / scale || 0);
  if (!(error <= tolerance * scale)) expect.fail(`${text}: ${kind} ${actual}, not ${reference} (${error / tolerance / scale} x the tolerance)`);
}

describe.each(Object.entries<Case[]>(SAMPLES))("%s", (name, cases) => {
  const each = (body: (trial: Trial, xs: Tensor[], tolerance: typeof TOLERANCE) => void): void => {
    for (const trial of trials(name, cases))
      scope(() => {
        try {
        body(trial, trial.sample.inputs.map(toTensor), { ...TOLERANCE, ...trial.known.tolerance });
        } catch (e) { (e as Error).message += " | " + trial.text; throw e; }
      }, name);
  };

  test("value", () => {
    each((trial, xs, { value }) => {
      const ys = computed(trial.sample, xs);
      expected(trial.sample).forEach((y, k) => compare(ys[k], y, value, trial.text, largest([...trial.sample.inputs, y])));
    });
  });

  test("gradient", () => {
    each((trial, xs, { gradient }) => {
      const gs = grad(lossOf(computed(trial.sample, xs), trial.w), xs).map((g) => g.toArray());
      const reference = trial.known.constant ? 0 : slope(trial);
      near("vᵀ∇L", dot(gs, trial.v), reference, scaleOf(gs, trial.v) + size(trial), gradient, trial.text);
    });
  });

  test("second derivative", () => {
    each((trial, xs, { second }) => {
      const gs = grad(lossOf(computed(trial.sample, xs), trial.w), xs, { differentiable: true });
      if (gs.length === 0) return;
      const hs = grad(lossOf(gs, trial.u), xs).map((h) => h.toArray());
      const reference = trial.known.constant ? 0 : curvature(trial);
      const scale = scaleOf(hs, trial.v) + scaleOf(gs.map((g) => g.toArray()), trial.v) + size(trial);
      near("uᵀHv", dot(hs, trial.v), reference, scale, second, trial.text);
    });
  });
});
