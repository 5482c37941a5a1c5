import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Csr } from "../../src/core/csr.ts";
import { Graph, graphData } from "../../src/data/graph.ts";
import { grad, init, noGrad, Rng, scope, type Tensor, tensor } from "../../src/index.ts";
import {
  GatConv,
  GcnConv,
  GinConv,
  GRUCell,
  Linear,
  LSTMCell,
  loadStateDict,
  SageConv,
  Set2Set,
  stateDict,
} from "../../src/nn/index.ts";
import { sparse } from "../graphs.ts";

interface Plain {
  shape: number[];
  data: number[];
}

interface Case {
  weights: Record<string, Plain>;
  inputs: Record<string, Plain>;
  outputs: Plain[];
  gradients: Record<string, Plain>;
}

const fixture: { nodes: number; edges: [number, number][]; owners: number[]; cases: Record<string, Case> } = JSON.parse(
  readFileSync(new URL("../fixtures/graphLayers.json", import.meta.url), "utf8"),
);

beforeAll(async () => {
  await init({ threads: 2 });
});

const rng = new Rng(5);
const graph = (): Graph => {
  const [senders, receivers] = [0, 1].map((end) => fixture.edges.map((edge) => edge[end]));
  return Graph.batch([graphData(fixture.nodes, senders, receivers)]);
};
const owners = (): Csr => Csr.segments(fixture.owners, 4);

type Run = (inputs: Record<string, Tensor>) => Tensor[];

/** Each layer as it is made, and what it makes of the fixture's inputs. */
const LAYERS: Record<string, () => [layer: object, run: Run]> = {
  LSTMCell() {
    const cell = new LSTMCell(5, 3, rng);
    return [
      cell,
      ({ x, h, c }) => {
        const next = cell.forward(x, { h, c });
        return [next.h, next.c];
      },
    ];
  },
  GRUCell() {
    const cell = new GRUCell(5, 3, rng);
    return [cell, ({ x, h }) => [cell.forward(x, h)]];
  },
  set2set() {
    const layer = new Set2Set(3, rng);
    return [layer, ({ x }) => [layer.forward(x, owners())]];
  },
  set2setLost() {
    const layer = new Set2Set(5, rng, { hidden: 3, cellState: "lost" });
    return [layer, ({ x }) => [layer.forward(x, owners())]];
  },
  gcn: () => onGraph(new GcnConv(5, 4, rng)),
  gat: () => onGraph(new GatConv(5, 4, rng, { heads: 3 })),
  gatMean: () => onGraph(new GatConv(5, 4, rng, { heads: 3, concat: false })),
  sage: () => onGraph(new SageConv(5, 4, rng)),
  sageMax: () => onGraph(new SageConv(5, 4, rng, { aggregator: "max" })),
  gin: () => onGraph(new GinConv([new Linear(5, 4, rng)])),
};

const onGraph = (layer: { forward(x: Tensor, graph: Graph): Tensor }): [object, Run] => [
  layer,
  ({ x }) => [layer.forward(x, graph())],
];

const expectClose = (actual: Tensor, { data, shape }: Plain, tolerance: number, what: string): void => {
  expect([...actual.shape], what).toEqual(shape);
  const scale = Math.max(1e-3, ...data.map(Math.abs));
  actual.toArray().forEach((v, i) => expect(Math.abs(v - data[i]) / scale, `${what}[${i}]`).toBeLessThan(tolerance));
};

describe("values and gradients are those of the formulas in PyTorch", () => {
  test.each(Object.keys(LAYERS))("%s", (name) => {
    const { weights, inputs, outputs, gradients } = fixture.cases[name];
    const [layer, run] = LAYERS[name]();
    loadStateDict(layer, new Map(Object.entries(weights)));
    scope(() => {
      const given = Object.fromEntries(
        Object.entries(inputs).map(([key, { data, shape }]) => [key, tensor(data, shape)]),
      );
      const results = run(given);
      results.forEach((y, i) => expectClose(y, outputs[i], 3e-6, `output ${i}`));
      const loss = results.map((y) => y.square().sum()).reduce((a, b) => a.add(b));
      const state = stateDict(layer);
      const names = Object.keys(gradients);
      const wanted = names.map((key) => state.get(key) ?? given[key.replace("input.", "")]);
      grad(loss, wanted).forEach((g, i) => expectClose(g, gradients[names[i]], 1e-5, names[i]));
    });
  });
});

describe("sparse features give what dense ones give", () => {
  const layers: Record<string, { forward(x: never, graph: Graph): Tensor }> = {};
  beforeAll(() => {
    layers.gcn = new GcnConv(6, 4, rng);
    layers.gat = new GatConv(6, 4, rng, { heads: 2 });
    layers.sage = new SageConv(6, 4, rng);
    layers.sageMax = new SageConv(6, 4, rng, { aggregator: "max" });
    layers.gin = new GinConv([new Linear(6, 4, rng)]);
  });
  const rows = [[0, 2], [1], [], [3, 4, 5], [2], [0, 5], [1, 3]];
  test.each(["gcn", "gat", "sage", "sageMax", "gin"])("%s", (name) => {
    noGrad(() =>
      scope(() => {
        const x = sparse(rows, 6);
        const dense = tensor(
          rows.map((row) => Array.from({ length: 6 }, (_, c) => (row.includes(c) ? 1 / row.length : 0))),
        );
        const g = graph();
        const [a, b] = [x, dense].map((input) => layers[name].forward(input as never, g));
        expect([...a.data].map((v) => v.toFixed(5))).toEqual([...b.data].map((v) => v.toFixed(5)));
      }),
    );
  });
});

describe("layers on nodes in another order give the same in that order", () => {
  const makers = {
    gcn: () => new GcnConv(5, 4, rng),
    gat: () => new GatConv(5, 2, rng, { heads: 2 }),
    sage: () => new SageConv(5, 4, rng),
    sageMax: () => new SageConv(5, 4, rng, { aggregator: "max" }),
    gin: () => new GinConv([new Linear(5, 4, rng)]),
  };
  test.each(Object.keys(makers) as (keyof typeof makers)[])("%s", (name) => {
    const order = [4, 2, 6, 0, 5, 3, 1];
    const place = order.map((_, i) => order.indexOf(i));
    const layer = makers[name]();
    scope(() => {
      const x = rng.normal([7, 5]).toArray();
      const senders = fixture.edges.map(([s]) => place[s]).reverse();
      const receivers = fixture.edges.map(([, r]) => place[r]).reverse();
      const turned = Float32Array.from(x, (_, k) => x[5 * order[Math.floor(k / 5)] + (k % 5)]);
      const before = layer.forward(tensor(x, [7, 5]), graph()).toArray();
      const after = layer.forward(tensor(turned, [7, 5]), Graph.batch([graphData(7, senders, receivers)])).toArray();
      after.forEach((y, k) => expect(Math.abs(y - before[4 * order[Math.floor(k / 4)] + (k % 4)])).toBeLessThan(1e-5));
    });
  });
});

test("attention coefficients: every node attends to itself and its neighbours, in all one", () => {
  const layer = new GatConv(5, 4, rng, { heads: 3 });
  scope(() => {
    const { weights, edges } = layer.attention(rng.normal([7, 5]), graph());
    // Eleven edges besides the loop that is there already, and seven loops.
    expect(weights.shape).toEqual([18, 3]);
    const sums = new Float64Array(21);
    edges.receiver.data.forEach((i, e) => {
      for (let k = 0; k < 3; k++) sums[3 * i + k] += weights.data[3 * e + k];
    });
    for (const sum of sums) expect(sum).toBeCloseTo(1, 6);
    expect(weights.data[3 * 17]).toBeCloseTo(1, 6);
  });
});

test("a set's vector does not depend on the order of its elements", () => {
  const layer = new Set2Set(3, rng, { steps: 2 });
  scope(() => {
    const x = rng.normal([4, 3]);
    const order = [2, 0, 3, 1];
    const shuffled = tensor(order.map((i) => [...x.data.subarray(3 * i, 3 * i + 3)]));
    const one = Csr.segments([0, 0, 0, 0], 1);
    const [a, b] = [x, shuffled].map((set) => layer.forward(set, one).toArray());
    a.forEach((v, i) => expect(Math.abs(v - b[i])).toBeLessThan(1e-6));
  });
});

test("sizes that do not fit are errors that say so", () => {
  scope(() => {
    expect(() => new GRUCell(5, 3, rng).forward(rng.normal([4, 6]))).toThrow(/GRUCell.*\[4, 6\].*\[batch, 5\]/);
    expect(() => new LSTMCell(5, 3, rng).forward(rng.normal([4, 4]))).toThrow(/LSTMCell/);
    expect(() => new GcnConv(5, 4, rng).forward(rng.normal([7, 6]), graph())).toThrow(
      /Linear\(5 → 4\).*6 features, not 5/,
    );
  });
});
