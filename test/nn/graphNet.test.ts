import { beforeAll, describe, expect, test } from "vitest";
import { Csr } from "../../src/core/csr.ts";
import { Graph, type GraphData, graphData } from "../../src/data/graph.ts";
import { concat, grad, init, Rng, scope, type Tensor, take, tensor } from "../../src/index.ts";
import {
  AGGREGATIONS,
  type Arrow,
  AttentionAggregation,
  aggregate,
  attend,
  EdgeLinear,
  edgeOwners,
  GraphNet,
  Linear,
  neighboursOf,
  Sequential,
  stateDict,
  withSelfLoops,
} from "../../src/nn/index.ts";
import { relu } from "../../src/ops/index.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

const rng = new Rng(8);

describe("aggregate", () => {
  // Rows receive messages 0 1 2, none, 3, and again 1 2.
  const adj = () => Csr.fromPairs([0, 0, 0, 2, 3, 3], [0, 1, 2, 3, 1, 2], 4, 4);
  const messages = () =>
    tensor([
      [1, -3],
      [2, -3],
      [6, -3],
      [5, 7],
    ]);

  test.each([
    ["sum", [9, -9, 0, 0, 5, 7, 8, -6]],
    ["mean", [3, -3, 0, 0, 5, 7, 4, -3]],
    ["max", [6, -3, 0, 0, 5, 7, 6, -3]],
    ["min", [1, -3, 0, 0, 5, 7, 2, -3]],
    ["std", [Math.sqrt(14 / 3), 0, 0, 0, 0, 0, 2, 0]],
  ] as const)("%s; a row without messages gets 0", (kind, expected) => {
    scope(() => {
      const y = aggregate(messages(), adj(), kind);
      expect(y.shape).toEqual([4, 2]);
      y.toArray().forEach((v, i) => expect(v).toBeCloseTo(expected[i], 6));
    });
  });

  test("std is exact where values are large and close, and its gradient is finite where they are equal", () => {
    scope(() => {
      const close = tensor([10000, 10001, 10002], [3, 1]);
      const one = Csr.segments([0, 0, 0], 1);
      expect(aggregate(close, one, "std").item()).toBeCloseTo(Math.sqrt(2 / 3), 6);
      const equal = tensor([4, 4, 4], [3, 1]);
      const [g] = grad(aggregate(equal, one, "std").sum(), [equal]);
      expect([...g.data]).toEqual([0, 0, 0]);
      const [slope] = grad(aggregate(close, one, "std").sum(), [close]);
      // ∂σ/∂x = (x − x̄)/(nσ).
      const expected = [-1, 0, 1].map((d) => d / (3 * Math.sqrt(2 / 3)));
      slope.toArray().forEach((v, i) => expect(v).toBeCloseTo(expected[i], 5));
    });
  });

  test("attention: weights by the softmax of the scores, for each head", () => {
    scope(() => {
      const one = Csr.segments([1, 0, 1], 3);
      const y = attend(tensor([1, 10, 2, 20, 3, 30], [3, 2, 1]), tensor([0, 0, 5, 5, Math.log(3), 0], [3, 2]), one);
      expect(y.shape).toEqual([3, 2, 1]);
      [2, 20, 2.5, 20, 0, 0].forEach((v, i) => expect(y.data[i]).toBeCloseTo(v, 5));
      expect(() => attend(y, tensor([1, 2]), one)).toThrow(/attend|segmentSoftmax/);
      expect(() => attend(tensor([[1], [2]]), tensor([1, 2]), Csr.fromPairs([0, 1], [0, 0], 2, 2))).toThrow(
        /each message must go to exactly one row/,
      );
      expect(() => aggregate(y, one, "median" as never)).toThrow(/no aggregation "median"/);
    });
  });
});

/** Three graphs: the second has a node alone, the last is nothing but that. */
function graphs(): GraphData[] {
  const draw = (n: number) => rng.normal([n]).toArray();
  return [
    graphData(4, [0, 1, 1, 2, 3, 0], [1, 0, 2, 1, 0, 3], { v: draw(12), e: draw(12), u: draw(2) }),
    graphData(3, [0, 1, 0], [1, 0, 0], { v: draw(9), e: draw(6), u: draw(2) }),
    graphData(1, [], [], { v: draw(3), e: new Float32Array(0), u: draw(2) }),
  ];
}

test("EdgeLinear is a Linear over the concatenation, in the order asked for", () => {
  scope(() => {
    const graph = Graph.batch(graphs());
    const ends = (v: Tensor) => [graph.receiver, graph.sender].map((index) => take(v, { index }));
    const [received, sent] = ends(graph.v!);
    const ofGraph = take(take(graph.u!, { index: graph.owner }), { index: graph.receiver });
    const cases = [
      { order: undefined, parts: [received, sent, graph.e!, ofGraph] },
      { order: ["v_s", "v_r", "e", "u"] as const, parts: [sent, received, graph.e!, ofGraph] },
    ];
    for (const { order, parts } of cases) {
      const layer = new EdgeLinear({ nodes: 3, edges: 2, globals: 2 }, 5, rng, { order });
      expect([...stateDict(layer).keys()]).toEqual(["weight", "bias"]);
      expect(layer.weight.shape).toEqual([5, 10]);
      const whole = concat(parts, { axis: 1 }).matmul(layer.weight, { transposeB: true }).add(layer.bias!);
      const cut = layer.forward({ v_r: graph.v, v_s: graph.v, e: graph.e, u: graph.u }, graph);
      whole.toArray().forEach((v, i) => expect(cut.data[i]).toBeCloseTo(v, 5));
    }
    const nodesOnly = new EdgeLinear({ nodes: 3 }, 5, rng, { bias: false });
    expect(nodesOnly.forward({ v_r: graph.v, v_s: graph.v }, graph).shape).toEqual([9, 5]);
    expect(() => nodesOnly.forward({ v_r: graph.v, v_s: graph.v, e: graph.e }, graph)).toThrow(/made without e/);
    expect(() => nodesOnly.forward({ v_r: graph.v }, graph)).toThrow(/v_s must be \[rows, 3\]/);
    expect(() => new EdgeLinear({}, 5, rng)).toThrow(/all widths are 0/);
  });
});

/** A block that updates all there is: 3, 2 and 2 numbers become 4, 5 and 6. */
function block(arrow: Arrow, width: (n: number) => Arrow = () => arrow): [cut: GraphNet, whole: GraphNet] {
  const first = new EdgeLinear({ nodes: 3, edges: 2, globals: 2 }, 4, rng);
  const same = new Linear(10, 4, rng);
  same.weight.set(first.weight.data);
  same.bias!.set(first.bias!.data);
  const rectify = new Sequential(relu);
  const nodes = new Sequential(new Linear(4 + 3 + 2, 5, rng), relu);
  const globals = new Linear(4 + 5 + 2, 6, rng);
  const arrows = { edgesToNodes: width(4), edgesToGlobals: width(4), nodesToGlobals: width(5) };
  return [
    new GraphNet({ edges: [first, rectify], nodes, globals }, arrows),
    new GraphNet({ edges: new Sequential(same, relu), nodes, globals }, arrows),
  ];
}

describe("GraphNet", () => {
  test.each([...AGGREGATIONS, "attention"])("%s: with and without the concatenation, and a node alone", (kind) => {
    const [cut, whole] = block(kind as Arrow, (n) =>
      kind === "attention" ? new AttentionAggregation(n, rng) : (kind as Arrow),
    );
    scope(() => {
      const graph = Graph.batch(graphs());
      const state = { v: graph.v, e: graph.e, u: graph.u };
      const [a, b] = [cut, whole].map((net) => net.forward(state, graph));
      expect([a.v!.shape, a.e!.shape, a.u!.shape]).toEqual([
        [8, 5],
        [9, 4],
        [3, 6],
      ]);
      for (const key of ["v", "e", "u"] as const) {
        const [x, y] = [a[key]!.toArray(), b[key]!.toArray()];
        x.forEach((value, i) => expect(Math.abs(value - y[i])).toBeLessThan(1e-5));
      }
    });
  });

  test("graphs in another order, and their nodes and edges, give the same in that order", () => {
    const [net] = block("mean");
    const parts = graphs();
    const order = [2, 0, 3, 1];
    const place = order.map((_, i) => order.indexOf(i));
    // The first graph again, its nodes renamed and its edges in another order.
    const { sender, ptr, v, e, u } = parts[0];
    const receiver = [...sender.keys()].map((k) => ptr.findIndex((end, i) => i > 0 && k < end) - 1);
    const turn = [3, 0, 5, 1, 4, 2];
    const renamed = graphData(
      4,
      turn.map((k) => place[sender[k]]),
      turn.map((k) => place[receiver[k]]),
      {
        v: Float32Array.from(order.flatMap((i) => [...v!.subarray(3 * i, 3 * i + 3)])),
        e: Float32Array.from(turn.flatMap((k) => [...e!.subarray(2 * k, 2 * k + 2)])),
        u,
      },
    );
    scope(() => {
      const run = (list: GraphData[]) => {
        const graph = Graph.batch(list);
        return net.forward({ v: graph.v, e: graph.e, u: graph.u }, graph);
      };
      const before = run(parts);
      const after = run([parts[1], renamed]);
      const [u0, u1] = [before.u!.toArray(), after.u!.toArray()];
      for (let k = 0; k < 6; k++) expect(Math.abs(u1[6 + k] - u0[k])).toBeLessThan(1e-5);
      const [v0, v1] = [before.v!.toArray(), after.v!.toArray()];
      for (let i = 0; i < 4; i++)
        for (let k = 0; k < 5; k++) expect(Math.abs(v1[15 + 5 * i + k] - v0[5 * order[i] + k])).toBeLessThan(1e-5);
    });
  });

  test("what has no network or no attributes stays out of it", () => {
    scope(() => {
      const graph = Graph.batch([graphData(3, [0, 1], [1, 2], { v: Float32Array.of(1, 2, 3) })]);
      const nodes = new Linear(1, 2, rng);
      const { v, e, u } = new GraphNet({ nodes }).forward({ v: graph.v }, graph);
      expect([v!.shape, e, u]).toEqual([[3, 2], undefined, undefined]);
      const edges = new EdgeLinear({ nodes: 1 }, 2, rng);
      const next = new GraphNet({ edges: [edges] }).forward({ v: graph.v }, graph);
      expect([next.v, next.e!.shape]).toEqual([graph.v, [2, 2]]);
    });
  });
});

test("edges of each graph; neighbours with loops exactly once, as long-lived as the graph", () => {
  const graph = Graph.batch(graphs());
  const owners = edgeOwners(graph);
  expect([...owners.ptr.data]).toEqual([0, 6, 9, 9]);
  scope(() => withSelfLoops(graph).adjacency.transposed);
  scope(() => neighboursOf(graph));
  const { receiver, sender, receivers, senders, adjacency } = withSelfLoops(graph);
  // Nine edges, of which one is a loop already, and eight nodes.
  expect(receiver.length).toBe(16);
  const loops = [...sender.data].filter((j, e) => j === receiver.data[e]);
  expect(loops).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (let j = 0; j < 8; j++)
    for (const e of senders.index.data.subarray(senders.ptr.data[j], senders.ptr.data[j + 1]))
      expect(sender.data[e]).toBe(j);
  expect([...receivers.rowOfEntry()]).toEqual([...receiver.data]);
  expect(adjacency.transposed.entries).toBe(16);
  expect(withSelfLoops(graph).adjacency).toBe(adjacency);
});
