import * as ops from "../../src/ops/index.ts";
import { relu } from "../reference/functions.ts";
import * as matrix from "../reference/matrix.ts";
import { map, type Nd } from "../reference/nd.ts";
import { type Case, type Draw, toTensor } from "./draw.ts";

/** Batch axes of two operands: none, equal, or broadcasting. */
const batches = (d: Draw): number[][] => {
  const whole = d.large ? [d.int(1, 3)] : d.pick([[], [], [d.size({ most: 4 })], [2, d.size({ most: 3 })]]);
  if (d.chance(0.5)) return [whole, whole];
  return [0, 1].map(() => whole.map((n) => (d.chance(0.4) ? 1 : n)).slice(d.chance(0.3) ? 1 : 0));
};

/** 3 × 3 matrices with determinants well away from 0: a permutation's, stretched, with noise. */
function matrices(d: Draw): Nd {
  const shape = d.shape(0, 2, { per: 9 });
  const core = [0, 2, 0, 0, 0, 1.5, 1, 0, 0];
  const noise = d.values([...shape, 3, 3], { low: -0.3, high: 0.3 });
  return { shape: noise.shape, data: noise.data.map((v, i) => Math.fround(v + core[i % 9])) };
}

export const MATRIX = {
  matmul: [
    {
      linear: "in each",
      draw(d) {
        const most = d.large ? 120 : 33;
        const [m, k, n] = [d.size({ most }), d.size({ most }), d.size({ most })];
        const [batchA, batchB] = batches(d);
        const attrs = d.pick([
          undefined,
          { transposeA: true },
          { transposeB: true },
          { transposeA: true, transposeB: true },
        ]);
        const { transposeA = false, transposeB = false } = attrs ?? {};
        const flip = (x: Nd, swap: boolean): Nd => (swap ? matrix.transposed(x) : x);
        return {
          attrs,
          inputs: [
            d.values([...batchA, ...(transposeA ? [k, m] : [m, k])]),
            d.values([...batchB, ...(transposeB ? [n, k] : [k, n])]),
          ],
          run: ([a, b]) => ops.matmul(a, b, attrs),
          reference: ([a, b]) => matrix.matmul(flip(a, transposeA), flip(b, transposeB)),
        };
      },
    },
  ],
  linear: [
    {
      draw(d) {
        const most = d.large ? 120 : 33;
        const [inner, out] = [d.size({ most }), d.size({ most })];
        const x = d.large ? [500, inner] : [...d.shape(0, 2), inner];
        return {
          inputs: [d.values(x), d.values([out, inner]), d.values([out])],
          run: ([x, w, b]) => ops.linear(x, w, b),
          reference: ([x, w, b]) => matrix.linear(x, w, b),
        };
      },
    },
    {
      // With a ReLU: weights on a grid and biases between its points keep sums away from the kink.
      draw(d) {
        const [inner, out] = [d.size(), d.size()];
        const whole = (v: number): number => Math.round(v);
        const x = map(d.values([d.size(), inner]), whole);
        const w = map(d.values([out, inner]), whole);
        const b = map(d.values([out]), (v) => Math.round(v) + 0.5);
        return {
          attrs: { activation: "relu" },
          inputs: [x, w, b],
          run: ([x, w, b]) => ops.linear(x, w, b, { activation: "relu" }),
          reference: ([x, w, b]) => map(matrix.linear(x, w, b), relu),
        };
      },
    },
  ],
  outer: [
    {
      linear: "in each",
      draw(d) {
        const most = d.large ? 300 : 33;
        return {
          inputs: [d.values([d.size({ most })]), d.values([d.size({ most })])],
          run: ([a, b]) => ops.outer(a, b),
          reference: ([a, b]) => matrix.outer(a, b),
        };
      },
    },
  ],
  det3: [
    {
      draw: (d) => ({ inputs: [matrices(d)], run: ([a]) => ops.det3(a), reference: ([a]) => matrix.det3(a) }),
    },
  ],
  inverse3: [
    {
      draw: (d) => ({ inputs: [matrices(d)], run: ([a]) => ops.inverse3(a), reference: ([a]) => matrix.inverse3(a) }),
    },
  ],
  cross: [
    {
      linear: "in each",
      draw(d) {
        const [a, b] = d.broadcast(2);
        return {
          inputs: [d.values([...a, 3]), d.values([...b, 3])],
          run: ([a, b]) => ops.cross(a, b),
          reference: ([a, b]) => matrix.cross(a, b),
        };
      },
    },
  ],
  attention: [
    {
      draw(d) {
        const lead = d.pick([[], [d.size({ most: 3 })], [2, d.size({ most: 2 })]]);
        const most = d.large ? 100 : 9;
        const [m, n] = [d.size({ most }), d.size({ empty: false, most })];
        const [width, e] = [d.size({ empty: false, most: 9 }), d.size({ most: 9 })];
        // A mask over the keys, the first of which is always seen.
        const mask = d.chance(0.5) ? d.mask([1, n]) : undefined;
        mask?.data.fill(1, 0, 1);
        return {
          attrs: { mask: mask && [...mask.data].join("") },
          inputs: [d.values([...lead, m, width]), d.values([...lead, n, width]), d.values([...lead, n, e])],
          run: ([q, k, v]) => ops.attention(q, k, v, { mask: mask && toTensor(mask) }),
          reference: ([q, k, v]) => matrix.attention(q, k, v, mask),
        };
      },
    },
  ],
} satisfies Record<string, Case[]>;
