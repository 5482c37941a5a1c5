import { describe, expect, test } from "vitest";
import { loadKernels, targets } from "./load.ts";
import { bits, ulp } from "./ulp.ts";

const { exp, log1p, tanh, abs, max, sqrt, PI } = Math;
const sigmoid = (x: number) => (x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)));
const softplus = (x: number) => max(x, 0) + log1p(exp(-abs(x)));

/** Φ in f64: a series of positive terms near 0, a continued fraction in the tails. */
function normalCdf(x: number): number {
  const a = abs(x);
  const density = exp((-x * x) / 2) / sqrt(2 * PI);
  let tail = 0;
  if (a < 3) {
    let sum = a;
    for (let term = a, n = 3; term > 1e-17 * sum; n += 2) sum += term *= (a * a) / n;
    tail = 0.5 - density * sum;
  } else {
    for (let k = 60; k >= 1; k--) tail = k / (a + tail);
    tail = density / (a + tail);
  }
  return x < 0 ? tail : 1 - tail;
}

const GELU = 2 * sqrt(2 / PI);
/** Value and derivative in f64. */
const activations: Record<string, [value: (x: number) => number, slope: (x: number) => number]> = {
  sigmoid: [sigmoid, (x) => sigmoid(x) * sigmoid(-x)],
  tanh: [tanh, (x) => 1 - tanh(x) ** 2],
  relu: [(x) => max(x, 0), (x) => (x > 0 ? 1 : 0)],
  softplus: [softplus, sigmoid],
  silu: [(x) => x * sigmoid(x), (x) => sigmoid(x) + x * sigmoid(x) * sigmoid(-x)],
  gelu: [(x) => x * normalCdf(x), (x) => normalCdf(x) + (x * exp((-x * x) / 2)) / sqrt(2 * PI)],
  geluTanh: [
    (x) => x * sigmoid(GELU * (x + 0.044715 * x ** 3)),
    (x) => {
      const u = GELU * (x + 0.044715 * x ** 3);
      return sigmoid(u) + x * sigmoid(u) * sigmoid(-u) * GELU * (1 + 0.134145 * x * x);
    },
  ],
  mish: [(x) => x * tanh(softplus(x)), (x) => tanh(softplus(x)) + x * (1 - tanh(softplus(x)) ** 2) * sigmoid(x)],
  elu: [(x) => (x > 0 ? x : 1.5 * Math.expm1(x)), (x) => (x > 0 ? 1 : 1.5 * exp(x))],
  leakyRelu: [(x) => (x > 0 ? x : Math.fround(0.01) * x), (x) => (x > 0 ? 1 : Math.fround(0.01))],
};
const PARAMETER: Record<string, number> = { elu: 1.5, leakyRelu: 0.01 };
const FROM_OUTPUT = ["sigmoid", "tanh", "relu"];

/** f(x) and f′(x) at −3, −1, −½, 0, ½, 1, 3, by PyTorch 1.13 in f64. */
const GOLDEN: Record<string, [values: number[], slopes: number[]]> = {
  sigmoid: [
    [0.047426, 0.268941, 0.377541, 0.5, 0.622459, 0.731059, 0.952574],
    [0.045177, 0.196612, 0.235004, 0.25, 0.235004, 0.196612, 0.045177],
  ],
  tanh: [
    [-0.995055, -0.761594, -0.462117, 0, 0.462117, 0.761594, 0.995055],
    [0.009866, 0.419974, 0.786448, 1, 0.786448, 0.419974, 0.009866],
  ],
  softplus: [
    [0.048587, 0.313262, 0.474077, Math.LN2, 0.974077, 1.313262, 3.048587],
    [0.047426, 0.268941, 0.377541, 0.5, 0.622459, 0.731059, 0.952574],
  ],
  gelu: [
    [-0.00405, -0.158655, -0.154269, 0, 0.345731, 0.841345, 2.99595],
    [-0.011946, -0.083315, 0.132505, 0.5, 0.867495, 1.083315, 1.011946],
  ],
  geluTanh: [
    [-0.003637, -0.158808, -0.154286, 0, 0.345714, 0.841192, 2.996363],
    [-0.011584, -0.082964, 0.13263, 0.5, 0.86737, 1.082964, 1.011584],
  ],
  silu: [
    [-0.142278, -0.268941, -0.18877, 0, 0.31123, 0.731059, 2.857722],
    [-0.088104, 0.072329, 0.260039, 0.5, 0.739961, 0.927671, 1.088104],
  ],
  mish: [
    [-0.145647, -0.303401, -0.220744, 0, 0.375245, 0.865098, 2.986535],
    [-0.093393, 0.059217, 0.289511, 0.6, 0.886424, 1.049036, 1.021107],
  ],
  relu: [
    [0, 0, 0, 0, 0.5, 1, 3],
    [0, 0, 0, 0, 1, 1, 1],
  ],
  leakyRelu: [
    [-0.03, -0.01, -0.005, 0, 0.5, 1, 3],
    [0.01, 0.01, 0.01, 0.01, 1, 1, 1],
  ],
};

describe.each(targets)("%s build", (target) => {
  const N = 1 << 14;
  const kernels = loadKernels(target, 20 * N);
  const x = kernels.floats(N);
  const y = kernels.floats(N);
  const g = kernels.floats(N);
  const d = kernels.floats(N);
  const parameters = (name: string) => (name in PARAMETER ? [PARAMETER[name]] : []);

  const sweep = (range: number, seed = 3): void => {
    const next = bits(seed);
    for (let i = 0; i < N; i++) x[i] = (next() / 2 ** 32 - 0.5) * 2 * range;
    for (let i = 0; i < N; i++) g[i] = (next() / 2 ** 32 - 0.5) * 4;
  };

  test.each(Object.keys(GOLDEN))("%s and its gradient at the points of the PyTorch table", (name) => {
    const points = [-3, -1, -0.5, 0, 0.5, 1, 3];
    x.set(points);
    g.fill(1);
    kernels.run(name, 0, 16, y, x, ...parameters(name));
    kernels.run(`${name}Grad`, 0, 16, d, g, FROM_OUTPUT.includes(name) ? y : x, ...parameters(name));
    points.forEach((point, i) => {
      expect(y[i], `${name}(${point})`).toBeCloseTo(GOLDEN[name][0][i], 5.9);
      expect(d[i], `${name}′(${point})`).toBeCloseTo(GOLDEN[name][1][i], 5.9);
    });
  });

  test.each(Object.keys(activations))(
    "%s and its gradient: the errors stated in activation.ts in activation.ts",
    (name) => {
      const [value, slope] = activations[name];
      for (const range of [1, 8, 120]) {
        sweep(range);
        kernels.run(name, 0, N, y, x, ...parameters(name));
        g.fill(1);
        kernels.run(`${name}Grad`, 0, N, d, g, FROM_OUTPUT.includes(name) ? y : x, ...parameters(name));
        let worst = { error: 0, at: 0 };
        let worstSlope = { error: 0, at: 0 };
        for (let i = 0; i < N; i++) {
          const exact = value(x[i]);
          const error = abs(y[i] - exact) / ulp(max(abs(exact), 2 ** -5));
          if (!(error <= worst.error)) worst = { error, at: x[i] };
          const slopeError = abs(d[i] - slope(x[i])) / ulp(1);
          if (!(slopeError <= worstSlope.error)) worstSlope = { error: slopeError, at: x[i] };
        }
        expect(worst.error, `${name}(${worst.at})`).toBeLessThanOrEqual(6);
        expect(worstSlope.error, `${name}′(${worstSlope.at})`).toBeLessThanOrEqual(4);
      }
    },
  );

  test.each(Object.keys(activations))("%sGrad multiplies the incoming gradient", (name) => {
    sweep(4);
    kernels.run(name, 0, N, y, x, ...parameters(name));
    const source = FROM_OUTPUT.includes(name) ? y : x;
    kernels.run(`${name}Grad`, 0, N, d, g, source, ...parameters(name));
    const product = Array.from(g);
    const slopes = kernels.floats(new Array(N).fill(1));
    kernels.run(`${name}Grad`, 0, N, slopes, slopes, source, ...parameters(name));
    let worst = 0;
    for (let i = 0; i < N; i++) worst = max(worst, abs(d[i] - product[i] * slopes[i]));
    expect(worst).toBeLessThanOrEqual(4 * ulp(1));
  });

  test.each(Object.keys(activations))("%s takes its limits at ±∞ and keeps NaN", (name) => {
    const [value] = activations[name];
    x.fill(1);
    x.set([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN, -1e30, 1e30, -3e38, 3e38, 0]);
    g.fill(2);
    kernels.run(name, 0, 16, y, x, ...parameters(name));
    kernels.run(`${name}Grad`, 0, 16, d, g, FROM_OUTPUT.includes(name) ? y : x, ...parameters(name));
    const low = name === "leakyRelu" ? Number.NEGATIVE_INFINITY : value(-1000);
    const high = ["sigmoid", "tanh"].includes(name) ? 1 : Number.POSITIVE_INFINITY;
    expect([y[0] + 0, y[1]]).toEqual([low + 0, high]);
    expect(y[2]).toBeNaN();
    expect(Array.from(d.subarray(0, 7), Number.isFinite).filter((ok) => ok).length).toBeGreaterThanOrEqual(6);
    const end = activations[name][1](1000);
    expect([d[1], d[4], d[6]]).toEqual([2 * end, 2 * end, 2 * end]);
    expect(d[7]).toBeCloseTo(2 * activations[name][1](0), 6);
  });

  const round = Math.fround;
  const exact: Record<string, [args: number[], f: (x: number) => number]> = {
    sqrt: [[], (v) => sqrt(v)],
    recip: [[], (v) => 1 / v],
    rsqrt: [[], (v) => 1 / round(sqrt(v))],
    abs: [[], abs],
    sign: [[], Math.sign],
    floor: [[], Math.floor],
    square: [[], (v) => v * v],
    clamp: [[-0.75, 0.5], (v) => (Number.isNaN(v) ? v : Math.min(max(v, -0.75), 0.5))],
    leakyRelu: [[0.25], (v) => (v > 0 ? v : 0.25 * v)],
  };
  test.each(Object.keys(exact))("%s is rounded once, special values included", (name) => {
    sweep(3);
    x.set([
      0,
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      2 ** -149,
      -(2 ** -149),
      3e38,
      -3e38,
    ]);
    const [args, f] = exact[name];
    kernels.run(name, 0, N, y, x, ...args);
    expect(Array.from(y)).toEqual(Array.from(x, (v) => round(f(v))));
  });

  test("affine and addScaled: one or two roundings", () => {
    sweep(3);
    kernels.run("affine", 0, N, y, x, 1.1, -0.3);
    d.set(g);
    kernels.run("addScaled", 0, N, d, x, 1.1);
    const scale = round(1.1);
    for (let i = 0; i < N; i++) {
      expect([round(scale * x[i] + round(-0.3)), round(round(scale * x[i]) + round(-0.3))]).toContain(y[i]);
      expect([round(scale * x[i] + g[i]), round(round(scale * x[i]) + g[i])]).toContain(d[i]);
    }
  });

  test("powScalar is pow with one exponent", () => {
    sweep(3);
    for (const p of [2, 0.5, -1, 3, -6, 0, 1.7, Number.NaN]) {
      g.fill(p);
      kernels.run("powScalar", 0, N, y, x, p);
      kernels.run("pow", 0, N, d, x, g);
      expect(Array.from(y)).toEqual(Array.from(d));
    }
  });

  test("in place, and only from begin to the end of the last vector", () => {
    sweep(3);
    const before = Array.from(x);
    kernels.run("square", 16, 30, x, x);
    expect(Array.from(x)).toEqual(before.map((v, i) => (i >= 16 && i < 32 ? round(v * v) : v)));
    kernels.run("square", 48, 48, x, x);
    kernels.run("addScaled", 48, 48, x, x, 1);
    kernels.run("reluGrad", 48, 48, x, x, x);
    expect(x[48]).toBe(before[48]);
  });
});
