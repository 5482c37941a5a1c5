import * as ops from "../../src/ops/index.ts";
import * as f from "../reference/functions.ts";
import { map, zip } from "../reference/nd.ts";
import { type Case, type Draw, toTensor, unary } from "./draw.ts";

type Ranges = readonly [Parameters<Draw["values"]>[1]?, Parameters<Draw["values"]>[1]?];

/** An op of two operands that broadcast. */
const binary = (run: typeof ops.add, g: (a: number, b: number) => number, ranges: Ranges, known = {}): Case => ({
  ...known,
  draw(d) {
    const [a, b] = d.broadcast(2);
    return {
      inputs: [d.values(a, ranges[0]), d.values(b, ranges[1])],
      run: ([x, y]) => run(x, y),
      reference: ([x, y]) => zip(g, x, y),
    };
  },
});

/** Operands without near ties: a among the even, b among the odd eighths. */
const apart = (run: typeof ops.add, g: (a: number, b: number) => number): Case => ({
  draw(d) {
    const [a, b] = d.broadcast(2);
    const grid = (odd: number): ((v: number) => number) => {
      return (v) => (Math.round(v * 4) * 2 + odd) / 8;
    };
    return {
      inputs: [map(d.values(a), grid(0)), map(d.values(b), grid(1))],
      run: ([x, y]) => run(x, y),
      reference: ([x, y]) => zip(g, x, y),
    };
  },
});

/** Operands from −1, 0, 1, so that equality is common. */
const comparison = (run: typeof ops.add, g: (a: number, b: number) => boolean): Case => ({
  constant: true,
  draw(d) {
    const [a, b] = d.broadcast(2);
    return {
      inputs: [map(d.values(a), Math.round), map(d.values(b), Math.round)],
      run: ([x, y]) => run(x, y),
      reference: ([x, y]) => zip((u, v) => Number(g(u, v)), x, y),
    };
  },
});

const nonzero = { away: [0], low: -2, high: 2 };
const positive = { low: 0.4, high: 3 };
const pole = { low: 0.5, high: 2.5 };

export const ELEMENTWISE = {
  add: [binary(ops.add, (a, b) => a + b, [])],
  sub: [binary(ops.sub, (a, b) => a - b, [])],
  mul: [binary(ops.mul, (a, b) => a * b, [])],
  div: [
    binary(ops.div, (a, b) => a / b, [undefined, pole]),
    binary(ops.div, (a, b) => a / b, [undefined, { low: -2.5, high: -0.5 }]),
  ],
  pow: [binary(ops.pow, (a, b) => a ** b, [positive, { low: -2, high: 3 }])],
  maximum: [apart(ops.maximum, Math.max)],
  minimum: [apart(ops.minimum, Math.min)],
  eq: [comparison(ops.eq, (a, b) => a === b)],
  ne: [comparison(ops.ne, (a, b) => a !== b)],
  lt: [comparison(ops.lt, (a, b) => a < b)],
  le: [comparison(ops.le, (a, b) => a <= b)],
  gt: [comparison(ops.gt, (a, b) => a > b)],
  ge: [comparison(ops.ge, (a, b) => a >= b)],
  where: [
    {
      linear: "jointly",
      draw(d) {
        const [c, a, b] = d.broadcast(3);
        const mask = d.mask(c);
        return {
          inputs: [d.values(a), d.values(b)],
          run: ([x, y]) => ops.where(toTensor(mask), x, y),
          reference: ([x, y]) => zip((m, u, v) => (m ? u : v), mask, x, y),
        };
      },
    },
  ],
  affine: [
    {
      draw(d) {
        const attrs = { scale: d.pick([2, -0.5, 0, 1]), shift: d.pick([0, 1.5, -3]) };
        return {
          attrs,
          inputs: [d.values(d.shape(0, 4))],
          run: ([x]) => ops.affine(x, attrs),
          reference: ([x]) => map(x, (v) => attrs.scale * v + attrs.shift),
        };
      },
    },
  ],
  neg: [unary(ops.neg, (v) => -v, { linear: "jointly" })],
  powScalar: [
    {
      draw(d) {
        const p = d.pick([0, 1, 2, 3, -1, -2, 0.5, 1.5, -0.7]);
        const range = Number.isInteger(p) && p >= 0 ? nonzero : positive;
        return {
          attrs: { p },
          inputs: [d.values(d.shape(0, 4), range)],
          run: ([x]) => ops.powScalar(x, { p }),
          reference: ([x]) => map(x, (v) => v ** p),
        };
      },
    },
  ],
  clamp: [
    {
      draw(d) {
        const attrs = d.pick([{ min: -1, max: 0.5 }, { min: 0.25 }, { max: 0.25 }, {}]);
        const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = attrs;
        return {
          attrs,
          inputs: [d.values(d.shape(0, 4), { away: [min, max] })],
          run: ([x]) => ops.clamp(x, attrs),
          reference: ([x]) => map(x, (v) => Math.min(Math.max(v, min), max)),
        };
      },
    },
  ],
  abs: [unary(ops.abs, Math.abs, { range: nonzero })],
  sign: [unary(ops.sign, Math.sign, { constant: true })],
  floor: [unary(ops.floor, Math.floor, { constant: true })],
  square: [unary(ops.square, (v) => v * v)],
  sqrt: [unary(ops.sqrt, Math.sqrt, { range: positive })],
  recip: [
    unary(ops.recip, (v) => 1 / v, { range: pole }),
    unary(ops.recip, (v) => 1 / v, { range: { low: -3, high: -0.5 } }),
  ],
  rsqrt: [unary(ops.rsqrt, (v) => 1 / Math.sqrt(v), { range: pole })],
  exp: [unary(ops.exp, Math.exp)],
  expm1: [unary(ops.expm1, Math.expm1)],
  log: [unary(ops.log, Math.log, { range: positive })],
  log1p: [unary(ops.log1p, Math.log1p, { range: { low: -0.5, high: 3 } })],
  log2: [unary(ops.log2, Math.log2, { range: positive })],
  sin: [unary(ops.sin, Math.sin, { range: { low: -8, high: 8 } })],
  cos: [unary(ops.cos, Math.cos, { range: { low: -8, high: 8 } })],
  tanh: [unary(ops.tanh, Math.tanh)],
  erf: [unary(ops.erf, f.erf)],
  sinc: [
    unary(ops.sinc, f.sinc, { range: { low: -9, high: 9 } }),
    unary(ops.sinc, f.sinc, { range: { low: -1.2, high: 1.2 } }),
  ],
  heaviside: [
    {
      constant: true,
      draw(d) {
        const attrs = d.pick([{}, { atZero: 0 }, { atZero: 1 }]);
        return {
          attrs,
          inputs: [map(d.values(d.shape(0, 3)), Math.round)],
          run: ([x]) => ops.heaviside(x, attrs),
          reference: ([x]) => map(x, (v) => (v === 0 ? (attrs.atZero ?? 0.5) : Number(v > 0))),
        };
      },
    },
  ],
  maskedFill: [
    {
      draw(d) {
        const [x, m] = d.broadcast(2);
        const mask = d.mask(m);
        const value = d.pick([-100, 0, 2.5]);
        return {
          attrs: { value },
          inputs: [d.values(x)],
          run: ([x]) => ops.maskedFill(x, toTensor(mask), { value }),
          reference: ([x]) => zip((v, hidden) => (hidden ? value : v), x, mask),
        };
      },
    },
  ],
} satisfies Record<string, Case[]>;
