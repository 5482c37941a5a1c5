import { Csr, type Tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import { axisOf, map, nd, reshape, total, zip } from "../reference/nd.ts";
import { pick } from "../reference/rows.ts";
import { type Pairs, put, segments, take } from "../reference/structure.ts";
import { type Case, type Draw, toIndices } from "./draw.ts";

const csr = ({ row, col, rows, cols }: Pairs): Csr => Csr.fromPairs(row, col, rows, cols);

/** x [cols, …] and a sparse matrix [rows, cols]. */
function graph(d: Draw) {
  const shape = d.shape(1, 3);
  const pairs = d.pairs(d.size({ most: d.large ? 1000 : 33 }), shape[0]);
  return { shape, pairs, attrs: pairs.row.length < 40 ? pairs : `${pairs.row.length} pairs` };
}

/** An op that reduces each receiver's neighbours. */
const receivers = (
  run: (x: Tensor, attrs: { adj: Csr }) => Tensor,
  f: (values: number[]) => number,
  { distinct = false, ...known }: Omit<Case, "draw"> & { distinct?: boolean } = {},
): Case => ({
  ...known,
  draw(d) {
    const { shape, pairs, attrs } = graph(d);
    return {
      attrs,
      inputs: [distinct ? d.distinct(shape) : d.values(shape)],
      run: ([x]) => run(x, { adj: csr(pairs) }),
      reference: ([x]) => segments(x, pairs, f),
    };
  },
});

/** 0 where there is nothing to choose from. */
const extreme =
  (choose: (...values: number[]) => number) =>
  (values: number[]): number =>
    values.length === 0 ? 0 : choose(...values);

export const GATHER = {
  take: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(1, 4));
        const axis = d.chance(0.3) ? undefined : d.axis(x.shape);
        const n = x.shape[axisOf(x.shape, axis ?? 0)];
        const index = d.index(d.int(0, d.large ? 2 * n : 20), n, -1);
        return {
          attrs: { axis, index: index.slice(0, 20) },
          inputs: [x],
          run: ([x]) => ops.take(x, { index: toIndices(index), axis }),
          reference: ([x]) => take(x, index, axis ?? 0),
        };
      },
    },
  ],
  put: [
    {
      linear: "jointly",
      tolerance: { value: 2e-6 }, // up to 1500 terms, one after the other
      draw(d) {
        const x = d.values(d.shape(1, 4));
        const axis = d.chance(0.3) ? undefined : d.axis(x.shape);
        const n = x.shape[axisOf(x.shape, axis ?? 0)];
        const size = d.int(1, 20);
        const index = d.index(n, size, -1);
        return {
          attrs: { axis, size, index: index.slice(0, 20) },
          inputs: [x],
          run: ([x]) => ops.put(x, { index: toIndices(index), axis, size }),
          reference: ([x]) => put(x, index, axis ?? 0, size),
        };
      },
    },
  ],
  repeatInterleave: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(1, 3));
        const counts = Array.from({ length: x.shape[0] }, () => d.int(0, 3));
        const index = counts.flatMap((count, i) => new Array<number>(count).fill(i));
        return {
          attrs: { counts: counts.slice(0, 20) },
          inputs: [x],
          run: ([x]) => ops.repeatInterleave(x, { counts }),
          reference: ([x]) => take(x, index, 0),
        };
      },
    },
  ],
  pick: [
    {
      linear: "jointly",
      draw(d) {
        const shape = [...d.shape(0, 3, { per: 80 }), d.size({ empty: false })];
        const x = d.values(shape);
        const index = d.index(x.data.length / shape[shape.length - 1], shape[shape.length - 1]);
        return {
          attrs: { index: index.slice(0, 20) },
          inputs: [x],
          run: ([x]) => ops.pick(x, { index: toIndices(index) }),
          reference: ([x]) => pick(x, index),
        };
      },
    },
  ],
  segmentSum: [receivers(ops.segmentSum, total, { linear: "jointly" })],
  segmentMean: [receivers(ops.segmentMean, (values) => total(values) / Math.max(values.length, 1))],
  segmentMax: [receivers(ops.segmentMax, extreme(Math.max), { distinct: true })],
  segmentMin: [receivers(ops.segmentMin, extreme(Math.min), { distinct: true })],
  segmentCount: [
    {
      constant: true,
      draw(d) {
        const { pairs, attrs } = graph(d);
        const rank = d.int(1, 3);
        return {
          attrs,
          inputs: [],
          run: () => ops.segmentCount({ adj: csr(pairs), rank }),
          reference: () =>
            reshape(segments(nd([pairs.cols], new Array(pairs.cols).fill(1)), pairs, total), [
              pairs.rows,
              ...new Array(rank - 1).fill(1),
            ]),
        };
      },
    },
  ],
  segmentSoftmax: [
    {
      draw(d) {
        const shape = d.shape(1, 3);
        const count = d.int(1, 12);
        const ids = d.index(shape[0], count);
        const pairs = { rows: count, cols: shape[0], row: ids, col: [...ids.keys()] };
        return {
          attrs: { ids: ids.slice(0, 20), count },
          inputs: [d.values(shape)],
          run: ([x]) => ops.segmentSoftmax(x, { ids: toIndices(ids), count }),
          reference([x]) {
            const e = map(x, Math.exp);
            return zip((a, b) => a / b, e, take(segments(e, pairs, total), ids, 0));
          },
        };
      },
    },
  ],
  spmm: [
    {
      linear: "in each",
      draw(d) {
        const { shape, pairs, attrs } = graph(d);
        // Storage order: by rows, entries of a row in the order given.
        const order = [...pairs.row.keys()].sort((a, b) => pairs.row[a] - pairs.row[b] || a - b);
        const [row, col] = [order.map((e) => pairs.row[e]), order.map((e) => pairs.col[e])];
        return {
          attrs,
          inputs: [d.values([row.length]), d.values(shape)],
          run: ([values, x]) => ops.spmm(values, x, { adj: csr(pairs) }),
          reference([values, x]) {
            const weight = reshape(values, [row.length, ...shape.slice(1).map(() => 1)]);
            const messages = zip((v, w) => v * w, take(x, col, 0), weight);
            return put(messages, row, 0, pairs.rows);
          },
        };
      },
    },
  ],
} satisfies Record<string, Case[]>;
