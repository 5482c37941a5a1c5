import { beforeAll, describe, expect, test } from "vitest";
import { Graph, graphData } from "../../src/data/graph.ts";
import { init, memoryUse, Rng, scope, segmentMean, segmentSum, take, tensor } from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

/** A path 0 → 1 → 2 with an edge back, given in no order, and a node that nobody knows. */
const path = () =>
  graphData(4, [1, 0, 1], [2, 1, 0], {
    v: Float32Array.of(1, 2, 3, 4),
    e: Float32Array.of(12, 12.5, 1, 1.5, 10, 10.5),
    u: Float32Array.of(7, 8, 9),
    distance: Float32Array.of(12, 1, 10),
  });

/** One node that is its own neighbour, twice. */
const loop = () =>
  graphData(1, [0, 0], [0, 0], {
    v: Float32Array.of(5),
    e: Float32Array.of(3, 4, 5, 6),
    u: Float32Array.of(0, 0, 1),
    distance: Float32Array.of(3, 4),
  });

test("edges are sorted by receiver, and their attributes with them", () => {
  const g = path();
  expect([...g.ptr]).toEqual([0, 1, 2, 3, 3]);
  expect([...g.sender]).toEqual([1, 0, 1]);
  expect([...g.distance!]).toEqual([10, 1, 12]);
  expect([...g.e!]).toEqual([10, 10.5, 1, 1.5, 12, 12.5]);
  expect([...g.sentPtr]).toEqual([0, 1, 3, 3, 3]);
  expect([...g.sent]).toEqual([1, 0, 2]);
});

describe("Graph.batch", () => {
  test("puts graphs side by side", () => {
    const graph = Graph.batch([path(), loop(), path()]);
    expect([graph.count, graph.nodes, graph.edges]).toEqual([3, 9, 8]);
    expect([...graph.receiver.data]).toEqual([0, 1, 2, 4, 4, 5, 6, 7]);
    expect([...graph.sender.data]).toEqual([1, 0, 1, 4, 4, 6, 5, 6]);
    expect([...graph.owner.data]).toEqual([0, 0, 0, 0, 1, 2, 2, 2, 2]);
    expect([...graph.v!.data]).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4]);
    expect(graph.e!.shape).toEqual([8, 2]);
    expect(graph.u!.shape).toEqual([3, 3]);
    expect([...graph.u!.data]).toEqual([7, 8, 9, 0, 0, 1, 7, 8, 9]);
    expect(graph.distance!.shape).toEqual([8]);
    expect(graph.vector).toBeUndefined();
  });

  test("aggregation to receivers, to senders and to graphs", () => {
    const graph = Graph.batch([path(), loop()]);
    const edges = tensor([10, 1, 12, 3, 4], [5, 1]);
    expect([...segmentSum(edges, { adj: graph.receivers }).data]).toEqual([10, 1, 12, 0, 7]);
    expect([...segmentSum(edges, { adj: graph.senders }).data]).toEqual([1, 22, 0, 0, 7]);
    expect([...segmentMean(graph.v!, { adj: graph.owners }).data]).toEqual([2.5, 5]);
    // The adjoint of gathering the senders is the sum over what each sends.
    const x = tensor([1, 2, 3, 4, 5], [5, 1]);
    const there = take(x, { index: graph.sender }).mul(edges).sum().item();
    expect(
      x
        .mul(segmentSum(edges, { adj: graph.senders }))
        .sum()
        .item(),
    ).toBe(there);
  });

  test("graphs without edges, and no graphs", () => {
    const empty = graphData(2, [], [], { v: Float32Array.of(1, 2), distance: new Float32Array(0) });
    const graph = Graph.batch([empty, empty]);
    expect([graph.nodes, graph.edges, graph.distance!.size]).toEqual([4, 0, 0]);
    expect([...segmentSum(tensor([], [0, 3]), { adj: graph.receivers }).data]).toEqual(new Array(12).fill(0));
    expect(Graph.batch([]).nodes).toBe(0);
  });

  test.each([
    [() => graphData(2, [0, 2], [1, 1]), "Edge 1 of a graph ends at node 2; there are the nodes 0 … 1."],
    [() => graphData(2, [0], [1, 1]), "1 senders, 2 receivers"],
    [() => graphData(2, [0], [1], { v: new Float32Array(3) }), "3 numbers do not divide among a graph's 2 nodes."],
    [() => Graph.batch([path(), graphData(1, [], [])]), 'Only 1 of 2 graphs have "v": all or none must.'],
    [
      () =>
        Graph.batch([
          graphData(1, [], [], { v: new Float32Array(2) }),
          graphData(1, [], [], { v: new Float32Array(3) }),
        ]),
      '"v" has 2 and 3 numbers in graphs of one batch: it must be one width.',
    ],
  ])("mistake %#", (make, message) => {
    expect(make).toThrow(message);
  });

  test("batches of ever different sizes leave the heap as it is", () => {
    const rng = new Rng(4);
    const graphs = Array.from({ length: 60 }, () => {
      const nodes = 1 + rng.integer(30);
      const ends = () => Array.from({ length: 12 * nodes }, () => rng.integer(nodes));
      const sender = ends();
      return graphData(nodes, sender, ends().slice(0, sender.length), { distance: new Float32Array(sender.length) });
    });
    const step = () =>
      scope(() => {
        const some = Array.from({ length: 1 + rng.integer(20) }, () => graphs[rng.integer(60)]);
        const graph = Graph.batch(some);
        segmentSum(graph.distance!, { adj: graph.receivers });
      });
    for (let i = 0; i < 300; i++) step();
    const before = memoryUse();
    for (let i = 0; i < 1000; i++) step();
    expect(memoryUse().live).toBe(before.live);
    expect(memoryUse().heap).toBeLessThanOrEqual(1.05 * before.heap);
  });
});
