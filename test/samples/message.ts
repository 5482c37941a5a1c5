import { Csr, type Tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import { build, get, type Nd, nd, total, zip } from "../reference/nd.ts";
import { segments, slice, take } from "../reference/structure.ts";
import { type Case, type Draw, toIndices, toTensor } from "./draw.ts";

/** Nodes joined by edges that are sorted by receiver; some nodes have none. */
function graph(d: Draw, { empty = true } = {}) {
  const nodes = d.size({ empty: false, most: d.large ? 1000 : 17 });
  const edges = d.kind === 0 && empty ? 0 : d.int(empty ? 1 : 3, d.large ? 4000 : 60);
  const receiver = d.index(edges, nodes).sort((a, b) => a - b);
  const sender = d.index(edges, nodes);
  return { nodes, edges, receiver, sender, attrs: edges < 30 ? { receiver, sender } : { nodes, edges } };
}

const structure = ({ nodes, receiver, sender }: ReturnType<typeof graph>) => ({
  receiver: toIndices(receiver),
  sender: toIndices(sender),
  receivers: Csr.segments(receiver, nodes),
  senders: Csr.segments(sender, nodes),
});

/** Edges that share numbers with others: some of two, some alone. */
function paired(d: Draw, edges: number): { count: number; of: number[] } {
  const of: number[] = [];
  let count = 0;
  for (let e = 0; e < edges; e++) of.push(e > 0 && of[e - 1] === count - 1 && d.int(0, 1) === 1 ? count - 1 : count++);
  return { count, of };
}

const pairsFrom = (of: readonly number[], count: number): ops.Pairs => ({
  count,
  of: toIndices([...of]),
  first: toIndices(Array.from({ length: count }, (_, p) => of.indexOf(p))),
  edges: Csr.segments(of, count),
});

const basisOf = (d: Draw): ops.GaussianBasis =>
  d.pick([
    { start: 0, step: 0.2, count: 41, gamma: 25 },
    { start: -1, step: 2 / 39, count: 40, gamma: 19.5 },
    { start: 0.5, step: 0.3, count: d.int(1, 6), gamma: 3 },
  ]);

const gaussians = (x: Nd, { start, step, count, gamma }: ops.GaussianBasis): Nd =>
  build([x.shape[0], count], ([e, k]) => Math.exp(-gamma * (x.data[e] - start - k * step) ** 2));

/** x·wᵀ. */
const timesTransposed = (x: Nd, w: Nd): Nd =>
  build([x.shape[0], w.shape[0]], ([e, o]) =>
    total(Array.from({ length: x.shape[1] }, (_, k) => get(x, [e, k]) * get(w, [o, k]))),
  );

const distances = (d: Draw): Nd => d.values([d.size({ most: d.large ? 3000 : 33 })], { low: -1, high: 9.5 });

export const MESSAGE = {
  gaussianBasis: [
    {
      // Centres are f32 and γ multiplies their rounding.
      tolerance: { value: 1e-5, gradient: 1e-5, second: 2e-5 },
      draw(d) {
        const basis = basisOf(d);
        return {
          attrs: basis,
          inputs: [distances(d)],
          run: ([x]) => ops.gaussianBasis(x, basis),
          reference: ([x]) => gaussians(x, basis),
        };
      },
    },
  ],
  gaussianLinear: [
    {
      tolerance: { value: 1e-6, gradient: 1e-5, second: 2e-5 },
      draw(d) {
        const basis = basisOf(d);
        const width = d.pick([1, 3, 4, 20, 32, 37, 64, 128]);
        return {
          attrs: { ...basis, width },
          inputs: [distances(d), d.values([width, basis.count])],
          run: ([x, w]: readonly Tensor[]) => ops.gaussianLinear(x, w, basis),
          reference: ([x, w]) => timesTransposed(gaussians(x, basis), w),
        };
      },
    },
  ],
  edgeSum: [
    {
      linear: "jointly",
      draw(d) {
        const g = graph(d);
        const width = d.pick([1, 3, 4, 8, 13]);
        const nodes = [g.nodes, width];
        return {
          attrs: g.attrs,
          inputs: [d.values(nodes), d.values(nodes), d.values([g.edges, width])],
          run: ([p, q, u]) => ops.edgeSum(p, q, u, structure(g)),
          reference: ([p, q, u]) => zip((a, b, c) => a + b + c, take(p, g.receiver, 0), take(q, g.sender, 0), u),
        };
      },
    },
  ],
  gaussianEdgeSum: [
    {
      tolerance: { value: 1e-6, gradient: 1e-5, second: 2e-5 },
      draw(d) {
        const g = graph(d);
        const basis = basisOf(d);
        const width = d.pick([1, 3, 4, 8, 37]);
        const nodes = [g.nodes, width];
        const inputs = [d.values(nodes), d.values(nodes), d.values([g.edges], { low: -1, high: 9.5 })];
        return {
          attrs: g.attrs,
          inputs: [...inputs, d.values([width, basis.count])],
          run: ([p, q, x, w]) => ops.gaussianEdgeSum(p, q, x, w, { ...structure(g), basis }),
          reference: ([p, q, x, w]) =>
            zip(
              (a, b, c) => a + b + c,
              take(p, g.receiver, 0),
              take(q, g.sender, 0),
              timesTransposed(gaussians(x, basis), w),
            ),
        };
      },
    },
  ],
  filteredSum: [
    {
      draw(d) {
        const g = graph(d);
        const width = d.pick([1, 3, 4, 16, 20]);
        const { count, of } = paired(d, g.edges);
        return {
          attrs: g.attrs,
          inputs: [d.values([g.nodes, width]), d.values([count, width])],
          run: ([x, f]) => ops.filteredSum(x, f, { ...structure(g), pairs: pairsFrom(of, count) }),
          reference: ([x, f]) => {
            const messages = zip((a, b) => a * b, take(x, g.sender, 0), take(f, of, 0));
            return segments(messages, { rows: g.nodes, cols: g.edges, row: g.receiver, col: [...of.keys()] }, total);
          },
        };
      },
    },
  ],
  pairProduct: [
    {
      draw(d) {
        const g = graph(d);
        const width = d.pick([1, 3, 4, 16, 20]);
        const { count, of } = paired(d, g.edges);
        return {
          attrs: g.attrs,
          inputs: [d.values([g.nodes, width]), d.values([g.nodes, width])],
          run: ([a, b]) => ops.pairProduct(a, b, { ...structure(g), pairs: pairsFrom(of, count) }),
          reference: ([a, b]) => {
            const products = zip((x, y) => x * y, take(a, g.receiver, 0), take(b, g.sender, 0));
            return segments(products, { rows: count, cols: g.edges, row: of, col: [...of.keys()] }, total);
          },
        };
      },
    },
  ],
  gatedSum: [true, false].map((training) => ({
    tolerance: { value: 1e-6, gradient: 4e-6, second: 1e-5 },
    draw(d: Draw) {
      // No edges have no statistics.
      const g = graph(d, { empty: !training });
      const width = d.pick([4, 8, 12]);
      const pairs = { rows: g.nodes, cols: g.edges, row: g.receiver, col: [...g.receiver.keys()] };
      const columns = [2 * width];
      const given = { mean: d.values(columns), variance: d.values(columns, { low: 0.5, high: 2 }) };
      const eps = 0.1;
      return {
        attrs: { ...(g.attrs as object), training },
        inputs: [d.values([g.edges, 2 * width], { low: -4, high: 4 }), d.values(columns), d.values(columns)],
        run: ([z, w, b]: readonly Tensor[]) => {
          const attrs = training ? {} : { mean: toTensor(given.mean), variance: toTensor(given.variance), training };
          return ops.gatedSum(z, w, b, { ...structure(g), eps, ...attrs });
        },
        reference([z, w, b]: readonly Nd[]) {
          const n = g.edges;
          const column = (c: number): number[] => Array.from({ length: n }, (_, e) => get(z, [e, c]));
          const y = build([n, 2 * width], () => 0);
          for (let c = 0; c < 2 * width; c++) {
            const values = column(c);
            const mu = training ? total(values) / n : given.mean.data[c];
            const v = training ? total(values.map((x) => (x - mu) ** 2)) / n : given.variance.data[c];
            values.forEach((x, e) => {
              y.data[e * 2 * width + c] = ((x - mu) / Math.sqrt(v + eps)) * w.data[c] + b.data[c];
            });
          }
          const gate = slice(y, 1, 0, width).data.map((x) => 1 / (1 + Math.exp(-x)));
          const core = slice(y, 1, width, 2 * width).data.map((x) => Math.log1p(Math.exp(x)));
          return segments(
            nd(
              [n, width],
              gate.map((x, i) => x * core[i]),
            ),
            pairs,
            total,
          );
        },
      };
    },
  })),
} satisfies Record<string, Case[]>;
