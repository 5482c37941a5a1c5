import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadKernels, targets } from "./load.ts";
import { bits, ulpError } from "./ulp.ts";

/** erf in f64 by its series of positive terms, e^(−x²)·2x/√π·Σ (2x²)ⁿ/(2n+1)!!, which cannot cancel. */
function erf(x: number): number {
  if (!(Math.abs(x) < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const { exp, expm1, log, log1p, tanh, sin, cos } = Math;
const sigmoid = (x: number) => (x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)));
const softplus = (x: number) => Math.max(x, 0) + log1p(exp(-Math.abs(x)));
const unary: Record<string, (x: number) => number> = {
  exp,
  expm1,
  log,
  log1p,
  tanh,
  sigmoid,
  softplus,
  erf,
  sin,
  cos,
};

/** "Error ≤ a ulp, relaxed ≤ b" of each function's docstring: the errors stated there are the ones tested here. */
function statedErrors(): Record<string, Record<string, number>> {
  const stated: Record<string, Record<string, number>> = { simd: {}, relaxed: {} };
  for (const file of ["math", "trig", "pow"]) {
    const source = readFileSync(new URL(`../../assembly/${file}.ts`, import.meta.url), "utf8");
    const pattern =
      /Error ≤ ([\d.]+) ulp, relaxed ≤ ([\d.]+)\. \*\/\n\/\/ @ts-ignore: decorator\n@inline\nexport function (\w+)4\(/g;
    for (const [, plain, relaxed, name] of source.matchAll(pattern)) {
      stated.simd[name] = Number(plain);
      stated.relaxed[name] = Number(relaxed);
    }
  }
  return stated;
}

const MAX = 3.4028234663852886e38;
const MIN_NORMAL = 2 ** -126;
const MIN = 2 ** -149;
const SPECIAL = [
  0,
  1,
  0.5,
  2,
  3,
  4,
  5,
  7.5,
  1 + 2 ** -23,
  1 - 2 ** -24,
  88.72283,
  88.72284,
  87.33654,
  103.97207,
  103.97208,
];
SPECIAL.push(Number.POSITIVE_INFINITY, MAX, MIN_NORMAL, MIN, 2 ** -24, 2 ** 23, 2 ** 24 + 2, 104, 150, 1e10, 1e30);
for (const x of [...SPECIAL]) SPECIAL.push(-x);
SPECIAL.push(Number.NaN);

const N = 1 << 20;

/** Three sweeps of 2²⁰ points: all bit patterns at random, then [−8, 8], then [−128, 128], with the special values. */
function fill(x: Float32Array, sweep: number): void {
  const next = bits(sweep);
  const pattern = new Uint32Array(x.buffer, x.byteOffset, x.length);
  for (let i = 0; i < x.length; i++) {
    if (sweep === 0) pattern[i] = next();
    else x[i] = (next() / 2 ** 32 - 0.5) * (sweep === 1 ? 16 : 256);
  }
  x.set(SPECIAL);
}

function worstError(got: Float32Array, exact: (i: number) => number): { error: number; at: number } {
  let worst = { error: 0, at: 0 };
  for (let i = 0; i < got.length; i++) {
    const error = ulpError(got[i], exact(i));
    if (error > worst.error) worst = { error, at: i };
  }
  return worst;
}

describe.each(targets)("%s build", (target) => {
  const stated = statedErrors()[target];
  const kernels = loadKernels(target, 4 * N);
  const x = kernels.floats(N);
  const y = kernels.floats(N);
  const z = kernels.floats(N);

  test.each(Object.keys(unary))("%s is as accurate as its docstring says", (name) => {
    for (let sweep = 0; sweep < 3; sweep++) {
      fill(x, sweep);
      kernels.run(name, 0, N, y, x);
      const { error, at } = worstError(y, (i) => unary[name](x[i]));
      expect(error, `${name}(${x[at]}) gave ${y[at]} (sweep ${sweep})`).toBeLessThanOrEqual(stated[name]);
    }
  });

  test.each(["sin", "cos"])("%s near multiples of π/2", (name) => {
    const next = bits(7);
    for (let i = 0; i < N; i++) x[i] = ((next() & 0x3fffff) * Math.PI) / 2;
    // The f32 nearest to a multiple of π/2, relative to its own size.
    x[0] = 16367173 * 2 ** 72;
    kernels.run(name, 0, N, y, x);
    const { error, at } = worstError(y, (i) => unary[name](x[i]));
    expect(error, `${name}(${x[at]}) gave ${y[at]}`).toBeLessThanOrEqual(stated[name]);
  });

  test("pow is as accurate as its docstring says, and follows Math.pow in every special case", () => {
    for (let sweep = 0; sweep < 4; sweep++) {
      const next = bits(sweep);
      const pattern = [x, y].map((block) => new Uint32Array(block.buffer, block.byteOffset, N));
      const unit = () => next() / 2 ** 32;
      for (let i = 0; i < N; i++) {
        if (sweep === 0) for (const block of pattern) block[i] = next();
        else if (sweep === 1) [x[i], y[i]] = [10 * unit(), 80 * (unit() - 0.5)];
        else if (sweep === 2) [x[i], y[i]] = [1 + 1e-3 * (unit() - 0.5), 2e5 * (unit() - 0.5)];
        else [x[i], y[i]] = [SPECIAL[i % SPECIAL.length], SPECIAL[Math.floor(i / SPECIAL.length) % SPECIAL.length]];
      }
      kernels.run("pow", 0, N, z, x, y);
      const { error, at } = worstError(z, (i) => x[i] ** y[i]);
      expect(error, `${x[at]}^${y[at]} gave ${z[at]} (sweep ${sweep})`).toBeLessThanOrEqual(stated.pow);
    }
  });
});
