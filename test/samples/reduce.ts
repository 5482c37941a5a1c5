import { sizeOf } from "../../src/core/shape.ts";
import type { Tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import {
  along,
  axisOf,
  build,
  get,
  type Nd,
  nd,
  offset,
  reduce,
  reshape,
  rows,
  stretched,
  total,
} from "../reference/nd.ts";
import { logSoftmax, logSumExp, softmax, varianceOf } from "../reference/rows.ts";
import { type Case, type Draw, positions } from "./draw.ts";

/** All axes, one, or a list. */
function someAxes(d: Draw, shape: readonly number[]): { axes?: number | number[]; keepDim?: boolean } {
  const keepDim = d.pick([undefined, true, false]);
  if (shape.length === 0 || d.chance(0.3)) return { keepDim };
  return { axes: d.chance(0.5) ? d.axis(shape) : d.axes(shape), keepDim };
}
const listed = (axes?: number | number[]): number[] | undefined => (typeof axes === "number" ? [axes] : axes);

/** A reduction over any axes; `empty: false` where it has no value over none. */
const reduction = (
  run: (x: Tensor, options: ops.Axes) => Tensor,
  f: (values: number[]) => number,
  { away, gap, ...known }: Omit<Case, "draw"> & { away?: number[]; gap?: number } = {},
): Case => ({
  ...known,
  draw(d) {
    const x = d.values(d.shape(0, 4), { away, gap });
    const attrs = someAxes(d, x.shape);
    return {
      attrs,
      inputs: [x],
      run: ([x]) => run(x, attrs),
      reference: ([x]) => reduce(x, listed(attrs.axes), attrs.keepDim ?? false, f),
    };
  },
});

/** Along one axis that is not empty; values have no near ties. */
function oneAxis(d: Draw) {
  const shape = d.shape(1, 4);
  const axis = d.chance(0.3) ? undefined : d.axis(shape);
  const at = axisOf(shape, axis ?? -1);
  if (shape[at] === 0) shape[at] = 3;
  return { x: d.distinct(shape), axis, at };
}

const extreme = (run: typeof ops.max, f: (...values: number[]) => number): Case => ({
  draw(d) {
    const { x, axis, at } = oneAxis(d);
    const attrs = { axis, keepDim: d.pick([undefined, true, false]) };
    return {
      attrs,
      inputs: [x],
      run: ([x]) => run(x, attrs),
      reference: ([x]) => reduce(x, [at], attrs.keepDim ?? false, (values) => f(...values)),
    };
  },
});

const arg = (run: typeof ops.argmax, f: (...values: number[]) => number): Case => ({
  constant: true,
  draw(d) {
    const { x, axis, at } = oneAxis(d);
    const shape = x.shape.filter((_, i) => i !== at);
    // Ties are common among whole numbers: the first of them counts.
    const inputs = d.chance(0.5) ? [x] : [nd(x.shape, x.data.map((v) => Math.round(v) % 3))]; // biome-ignore format: one line
    return {
      attrs: { axis },
      inputs,
      run: ([x]) => positions(run(x, { axis }), shape),
      reference: ([x]) => reduce(x, [at], false, (values) => values.indexOf(f(...values))),
    };
  },
});

/** Rows of an axis, for the softmax family. */
const rowwise = (run: typeof ops.softmax, f: (x: Nd) => Nd): Case => ({
  draw(d) {
    const shape = d.shape(1, 4, { empty: d.chance(0.5) });
    const axis = d.chance(0.5) ? undefined : d.axis(shape);
    const x = d.values(shape, { low: -4, high: 4 });
    return {
      attrs: { axis },
      inputs: [x],
      run: ([x]) => run(x, { axis }),
      reference: ([x]) => along(x, axis ?? -1, f),
    };
  },
});

/** Positions in a row by value; ties keep their order. */
const order = (row: Float64Array, descending: boolean): number[] =>
  [...row.keys()].sort((a, b) => (descending ? row[b] - row[a] : row[a] - row[b]) || a - b);

/** Sums of up to 1500 terms. */
const LONG = { value: 2e-6 };

export const REDUCE = {
  sum: [reduction(ops.sum, total, { linear: "jointly", tolerance: LONG })],
  mean: [reduction(ops.mean, (values) => total(values) / values.length)],
  variance: [
    reduction(ops.variance, (values) => varianceOf(values, 1)),
    reduction(
      (x, attrs) => ops.variance(x, { ...attrs, correction: 0 }),
      (values) => varianceOf(values, 0),
    ),
  ],
  norm: [reduction(ops.norm, (values) => Math.hypot(...values), { away: [0], gap: 0.3 })],
  norm1: [reduction(ops.norm1, (values) => total(values.map(Math.abs)), { away: [0], tolerance: LONG })],
  expand: [
    {
      linear: "jointly",
      draw(d) {
        const shape = d.shape(0, 4);
        const from = shape.slice(d.int(0, shape.length)).map((n) => (d.chance(0.4) ? 1 : n));
        return {
          attrs: { shape },
          inputs: [d.values(from)],
          run: ([x]) => ops.expand(x, { shape }),
          reference: ([x]) => build(shape, (index) => stretched(x, index)),
        };
      },
    },
  ],
  sumTo: [
    {
      tolerance: LONG,
      linear: "jointly",
      draw(d) {
        const from = d.shape(0, 4);
        const shape = from.slice(d.int(0, from.length)).map((n) => (d.chance(0.4) ? 1 : n));
        return {
          attrs: { shape },
          inputs: [d.values(from)],
          run: ([x]) => ops.sumTo(x, { shape }),
          reference([x]) {
            const y = new Float64Array(sizeOf(shape));
            build(x.shape, (index) => {
              const to = index.slice(from.length - shape.length).map((i, k) => (shape[k] === 1 ? 0 : i));
              return (y[offset(shape, to)] += get(x, index));
            });
            return nd(shape, y);
          },
        };
      },
    },
  ],
  max: [extreme(ops.max, Math.max)],
  min: [extreme(ops.min, Math.min)],
  argmax: [arg(ops.argmax, Math.max)],
  argmin: [arg(ops.argmin, Math.min)],
  argsort: [
    {
      constant: true,
      draw(d) {
        const attrs = d.pick([{}, { descending: true }, { descending: false }]);
        const x = d.values(d.shape(1, 3));
        return {
          attrs,
          inputs: [nd(x.shape, d.chance(0.5) ? x.data : x.data.map(Math.round))],
          run: ([x]) => positions(ops.argsort(x, attrs), x.shape),
          reference: ([x]) => rows(x, (row) => order(row, attrs.descending ?? false)),
        };
      },
    },
  ],
  topk: [
    {
      draw(d) {
        const x = d.distinct(d.shape(1, 3));
        const n = x.shape[x.shape.length - 1];
        const attrs = { k: d.int(0, n), largest: d.pick([undefined, true, false]) };
        const shape = [...x.shape.slice(0, -1), attrs.k];
        const best = (row: Float64Array): number[] => order(row, attrs.largest ?? true).slice(0, attrs.k);
        return {
          attrs,
          inputs: [x],
          run([x]) {
            const { values, index } = ops.topk(x, attrs);
            return [values, positions(index, shape)];
          },
          reference: ([x]) => [
            reshape(
              rows(x, (row) => best(row).map((i) => row[i])),
              shape,
            ),
            reshape(rows(x, best), shape),
          ],
        };
      },
    },
  ],
  logSumExp: [rowwise(ops.logSumExp, logSumExp)],
  softmax: [rowwise(ops.softmax, softmax)],
  logSoftmax: [rowwise(ops.logSoftmax, logSoftmax)],
} satisfies Record<string, Case[]>;
