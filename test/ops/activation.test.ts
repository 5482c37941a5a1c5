import { beforeAll, describe, expect, test } from "vitest";
import * as ops from "../../src/index.ts";
import { grad, init, type Tensor, tensor } from "../../src/index.ts";
import { normalCdf, normalDensity, sigmoid, softplus } from "../reference/functions.ts";

/** PyTorch 1.13's values and derivatives in f64 at these points, rounded to six places. */
const POINTS = [-3, -1, -0.5, 0, 0.5, 1, 3];

interface Row {
  run(x: Tensor): Tensor;
  value: string;
  slope: string;
  /** The derivative in f64. */
  derivative(x: number): number;
  /** Points where the derivative jumps, and the side (−1: below) whose second derivative counts there. */
  kinks?: Record<number, 1 | -1>;
}

const RAMP = "0 0 0 0 1 1 1";
const SIGMOID = ".047426 .268941 .377541 .5 .622459 .731059 .952574";
const belowZero = { 0: -1 } as const;
const cubic = (x: number): number => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const mishGate = (x: number): number => Math.tanh(softplus(x));
const swishSlope = (x: number, beta: number): number =>
  sigmoid(beta * x) + x * beta * sigmoid(beta * x) * sigmoid(-beta * x);
const inside = (x: number, edge: number): boolean => Math.abs(x) <= edge;

const TABLE: Record<string, Row> = {
  relu: {
    run: ops.relu,
    value: "0 0 0 0 .5 1 3",
    slope: RAMP,
    derivative: (x) => Number(x > 0),
    kinks: belowZero,
  },
  leakyRelu: {
    run: (x) => ops.leakyRelu(x),
    value: "-.03 -.01 -.005 0 .5 1 3",
    slope: ".01 .01 .01 .01 1 1 1",
    derivative: (x) => (x > 0 ? 1 : 0.01),
    kinks: belowZero,
  },
  prelu: {
    run: (x) => ops.prelu(x, tensor(0.25)),
    value: "-.75 -.25 -.125 0 .5 1 3",
    slope: ".25 .25 .25 .25 1 1 1",
    derivative: (x) => (x > 0 ? 1 : 0.25),
    kinks: belowZero,
  },
  sigmoid: {
    run: ops.sigmoid,
    value: SIGMOID,
    slope: ".045177 .196612 .235004 .25 .235004 .196612 .045177",
    derivative: (x) => sigmoid(x) * sigmoid(-x),
  },
  tanh: {
    run: ops.tanh,
    value: "-.995055 -.761594 -.462117 0 .462117 .761594 .995055",
    slope: ".009866 .419974 .786448 1 .786448 .419974 .009866",
    derivative: (x) => 1 - Math.tanh(x) ** 2,
  },
  softplus: {
    run: ops.softplus,
    value: ".048587 .313262 .474077 .693147 .974077 1.313262 3.048587",
    slope: SIGMOID,
    derivative: sigmoid,
  },
  ssp: {
    run: ops.ssp,
    value: "-.644560 -.379885 -.219070 0 .280930 .620115 2.355440",
    slope: SIGMOID,
    derivative: sigmoid,
  },
  elu: {
    run: (x) => ops.elu(x),
    value: "-.950213 -.632121 -.393469 0 .5 1 3",
    slope: ".049787 .367879 .606531 1 1 1 1",
    derivative: (x) => (x > 0 ? 1 : Math.exp(x)),
    kinks: belowZero,
  },
  selu: {
    run: ops.selu,
    value: "-1.670569 -1.111331 -.691758 0 .525350 1.050701 3.152103",
    slope: ".087531 .646769 1.066341 1.758099 1.050701 1.050701 1.050701",
    derivative: (x) => 1.0507009873554805 * (x > 0 ? 1 : 1.6732632423543772 * Math.exp(x)),
    kinks: belowZero,
  },
  gelu: {
    run: ops.gelu,
    value: "-.004050 -.158655 -.154269 0 .345731 .841345 2.995950",
    slope: "-.011946 -.083315 .132505 .5 .867495 1.083315 1.011946",
    derivative: (x) => normalCdf(x) + x * normalDensity(x),
  },
  geluTanh: {
    run: ops.geluTanh,
    value: "-.003637 -.158808 -.154286 0 .345714 .841192 2.996363",
    slope: "-.011584 -.082964 .132630 .5 .867370 1.082964 1.011584",
    derivative(x) {
      const t = Math.tanh(cubic(x));
      return (1 + t) / 2 + (x / 2) * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
    },
  },
  silu: {
    run: ops.silu,
    value: "-.142278 -.268941 -.188770 0 .311230 .731059 2.857722",
    slope: "-.088104 .072329 .260039 .5 .739961 .927671 1.088104",
    derivative: (x) => swishSlope(x, 1),
  },
  swish: {
    run: (x) => ops.swish(x),
    value: "-.142278 -.268941 -.188770 0 .311230 .731059 2.857722",
    slope: "-.088104 .072329 .260039 .5 .739961 .927671 1.088104",
    derivative: (x) => swishSlope(x, 1),
  },
  mish: {
    run: ops.mish,
    value: "-.145647 -.303401 -.220744 0 .375245 .865098 2.986535",
    slope: "-.093393 .059217 .289511 .6 .886424 1.049036 1.021107",
    derivative: (x) => mishGate(x) + x * (1 - mishGate(x) ** 2) * sigmoid(x),
  },
  hardSwish: {
    run: ops.hardSwish,
    value: "0 -.333333 -.208333 0 .291667 .666667 3",
    slope: "-.5 .166667 .333333 .5 .666667 .833333 1.5",
    derivative: (x) => (inside(x, 3) ? (2 * x + 3) / 6 : Number(x > 0)),
    kinks: { [-3]: 1, 3: -1 },
  },
  hardSigmoid: {
    run: ops.hardSigmoid,
    value: "0 .3 .4 .5 .6 .7 1",
    slope: "0 .2 .2 .2 .2 .2 0",
    derivative: (x) => (inside(x, 2.5) ? 0.2 : 0),
  },
  lecunTanh: {
    run: ops.lecunTanh,
    value: "-1.654175 -.999997 -.551684 0 .551684 .999997 1.654175",
    slope: ".080820 .755412 1.025684 1.143933 1.025684 .755412 .080820",
    derivative: (x) => 1.7159 * (2 / 3) * (1 - Math.tanh((2 * x) / 3) ** 2),
  },
  logSigmoid: {
    run: ops.logSigmoid,
    value: "-3.048587 -1.313262 -.974077 -.693147 -.474077 -.313262 -.048587",
    slope: ".952574 .731059 .622459 .5 .377541 .268941 .047426",
    derivative: (x) => sigmoid(-x),
  },
};

beforeAll(async () => {
  await init({ threads: 1 });
});

/** Six places as printed, and f32's rounding. */
function agree(y: Tensor, row: string): void {
  row.split(" ").forEach((text, i) => {
    const v = y.data[i];
    if (!(Math.abs(v - Number(text)) <= 1e-6)) expect.fail(`at ${POINTS[i]}: ${v}, not ${text}`);
  });
}

/** f′ at x by differences of second order in f64: central, or towards `side` of a kink. */
function difference(f: (x: number) => number, x: number, side: 1 | -1 | undefined): number {
  const h = 1e-5;
  if (side === undefined) return (f(x + h) - f(x - h)) / (2 * h);
  const s = side * h;
  return (4 * f(x + s) - 3 * f(x) - f(x + 2 * s)) / (2 * s);
}

describe.each(Object.entries(TABLE))("%s", (_name, { run, value, slope, derivative, kinks = {} }) => {
  test("value and first derivative", () => {
    const x = tensor(POINTS);
    const y = run(x);
    agree(y, value);
    agree(grad(y.sum(), [x])[0], slope);
    agree(grad(y.sum(), [x], { differentiable: true })[0], slope);
  });

  test("second derivative", () => {
    const x = tensor(POINTS);
    const [first] = grad(run(x).sum(), [x], { differentiable: true });
    const [second] = grad(first.sum(), [x]);
    POINTS.forEach((at, i) => {
      const known = difference(derivative, at, kinks[at]);
      if (!(Math.abs(second.data[i] - known) <= 2e-6)) expect.fail(`at ${at}: ${second.data[i]}, not ${known}`);
    });
  });
});

test("PReLU's slope is learned: ∂f/∂a = x below 0", () => {
  const [x, a] = [tensor(POINTS), tensor([0.25])];
  expect(grad(ops.prelu(x, a).sum(), [a])[0].item()).toBe(-4.5);
});

test("Swish-β at other β", () => {
  const x = tensor(POINTS);
  const y = ops.swish(x, { beta: 1.7 });
  const [slope] = grad(y.sum(), [x]);
  POINTS.forEach((at, i) => {
    expect(y.data[i]).toBeCloseTo(at * sigmoid(1.7 * at), 6);
    expect(slope.data[i]).toBeCloseTo(swishSlope(at, 1.7), 6);
  });
});

test("parameters of ELU and leaky ReLU, also at the kink", () => {
  const x = tensor([-1, 0, 1]);
  expect(grad(ops.elu(x, { alpha: 0.5 }).sum(), [x])[0].data[1]).toBe(0.5);
  expect([...ops.leakyRelu(x, { slope: 0.25 }).data]).toEqual([-0.25, 0, 1]);
  expect([...grad(ops.leakyRelu(x, { slope: 0.25 }).sum(), [x])[0].data]).toEqual([0.25, 0.25, 1]);
});
