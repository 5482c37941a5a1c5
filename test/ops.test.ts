import { beforeAll, describe, expect, test } from "vitest";
import { grad, init, type Shape, scope, type Tensor } from "../src/index.ts";
import { type Case, toTensor } from "./samples/draw.ts";
import {
  computed,
  curvature,
  dot,
  expected,
  largest,
  lossOf,
  scaleOf,
  slope,
  type Trial,
  trials,
  weighted,
} from "./samples/trial.ts";
import { SAMPLES } from "./samples.ts";

/**
 * Every op against its f64 reference, on some 60 random calls each: empty, single, odd, long, broadcasting. Errors are relative to
 * the largest number in a call (for a derivative of the loss, times Σ |w|); cases that need more say so.
 */
const TOLERANCE = { value: 4e-7, gradient: 4e-7, second: 1e-6 };

beforeAll(async () => {
  await init({ threads: 2 });
});

type Body = (trial: Trial, xs: Tensor[], tolerance: typeof TOLERANCE) => void;

function each(name: string, cases: readonly Case[], body: Body, integers = false): void {
  for (const trial of trials(name, cases, integers))
    scope(() => {
      try {
        body(trial, trial.sample.inputs.map(toTensor), { ...TOLERANCE, ...trial.known.tolerance });
      } catch (error) {
        throw new Error(`${trial.text}: ${(error as Error).message}`, { cause: error });
      }
    }, name);
}

/** All elements are those expected, to `allowed`. */
function same(y: Tensor, { shape, data }: { shape: Shape; data: ArrayLike<number> }, allowed: number): void {
  expect(y.shape).toEqual(shape);
  y.toArray().forEach((v, i) => {
    const close = Math.abs(v - data[i]) <= allowed || v === data[i] || (Number.isNaN(v) && Number.isNaN(data[i]));
    if (!close) expect.fail(`element ${i} is ${v}, not ${data[i]} ± ${allowed}`);
  });
}

function near(what: string, actual: number, known: number, allowed: number): void {
  if (!(Math.abs(actual - known) <= allowed)) expect.fail(`${what} is ${actual}, not ${known} ± ${allowed}`);
}

/** The size of L's terms, and of their change over a unit of x. */
function lossScale({ sample, w }: Trial): number {
  const ones = w.map((x) => x.data.map(() => 1));
  return Math.max(1, largest([...sample.inputs, ...expected(sample)])) * scaleOf(ones, w);
}

/** Whether the call has a value (the mean of nothing has none). */
const hasValue = ({ sample }: Trial): boolean => expected(sample).every((y) => y.data.every(Number.isFinite));

describe.each(Object.entries<Case[]>(SAMPLES))("%s", (name, cases) => {
  test("value", () => {
    each(name, cases, ({ sample }, xs, { value }) => {
      const ys = expected(sample);
      const scale = largest([...sample.inputs, ...ys]);
      const found = computed(sample, xs);
      expect(found.length).toBe(ys.length);
      for (const [k, y] of ys.entries()) same(found[k], y, value * scale);
    });
  });

  test("gradient: vᵀ∇L against differences of the reference", () => {
    each(name, cases, (trial, xs, { gradient }) => {
      if (!hasValue(trial)) return;
      const loss = lossOf(computed(trial.sample, xs), trial);
      const gs = grad(loss, xs).map((g) => g.toArray());
      const known = trial.known.constant ? 0 : slope(trial);
      near("vᵀ∇L", dot(gs, trial.v), known, gradient * (scaleOf(gs, trial.v) + lossScale(trial)));
      // Asked for alone, an input gets the same gradient.
      if (xs.length > 1) for (const [k, x] of xs.entries()) expect(grad(loss, [x])[0].toArray()).toEqual(gs[k]);
    });
  });

  test("second order: uᵀHv against differences of the reference", () => {
    each(name, cases, (trial, xs, { second }) => {
      if (!hasValue(trial) || xs.length === 0) return;
      const gs = grad(lossOf(computed(trial.sample, xs), trial), xs, { differentiable: true });
      const hs = grad(weighted(gs, trial.u), xs).map((h) => h.toArray());
      const known = trial.known.constant ? 0 : curvature(trial);
      near("uᵀHv", dot(hs, trial.v), known, second * (scaleOf(hs, trial.v) + lossScale(trial)));
    });
  });

  const linear = cases.filter((known) => known.linear);
  if (linear.length > 0)
    test("its gradient is its adjoint: ⟨f(x), w⟩ = ⟨x, ∇L⟩, exactly", () => {
      const body: Body = (trial, xs) => {
        const ys = computed(trial.sample, xs);
        const left = dot(
          ys.map((y) => y.toArray()),
          trial.w,
        );
        const gs = grad(lossOf(ys, trial), xs).map((g) => g.toArray());
        const right = gs.map((g, k) => dot([g], [trial.sample.inputs[k]]));
        if (trial.known.linear === "jointly") expect(right.reduce((a, b) => a + b)).toBe(left);
        else expect(right).toEqual(right.map(() => left));
      };
      each(name, linear, body, true);
    });
});

/** The tensors with an expansion that y was computed from, y included. */
function fusedIn(ys: readonly Tensor[]): Tensor[] {
  const seen = new Set(ys);
  for (const t of seen) for (const x of t.node?.inputs ?? []) seen.add(x);
  return [...seen].filter((t) => t.node?.rule.expand);
}

describe("fused ops", () => {
  const NAMES =
    "batchNorm conv2d elu gatedSum gaussianEdgeSum gaussianLinear gelu geluTanh layerNorm leakyRelu linear logSoftmax logSumExp mish relu sigmoid silu softmax softplus tanh";
  const FUSED = NAMES.split(" ") as (keyof typeof SAMPLES)[];

  test("are those of this list", () => {
    const found = new Set<string>();
    for (const [name, cases] of Object.entries<Case[]>(SAMPLES))
      each(name, cases, ({ sample }, xs) => {
        for (const t of fusedIn(computed(sample, xs))) found.add(t.node!.rule.name);
      });
    expect([...found].sort()).toEqual(FUSED);
  });

  test.each(FUSED)("%s: the value is the expansion's", (name) => {
    each(name, SAMPLES[name], (trial, xs, { value }) => {
      const scale = largest([...trial.sample.inputs, ...expected(trial.sample)]);
      for (const t of fusedIn(computed(trial.sample, xs))) {
        const { rule, inputs, attrs } = t.node!;
        same(t, { shape: t.shape, data: rule.expand!(inputs, attrs).toArray() }, value * scale);
      }
    });
  });

  test.each(FUSED)("%s: the gradient by kernels is the expansion's", (name) => {
    each(name, SAMPLES[name], (trial, xs, { gradient }) => {
      const loss = lossOf(computed(trial.sample, xs), trial);
      const kernels = grad(loss, xs);
      grad(loss, xs, { differentiable: true }).forEach((g, k) => {
        const known = { shape: g.shape, data: Float64Array.from(g.data) };
        same(kernels[k], known, gradient * (largest([known]) + lossScale(trial)));
      });
    });
  });
});
