import { beforeAll, describe, expect, test } from "vitest";
import { Csr } from "../../src/core/csr.ts";
import type { Indices } from "../../src/core/tensor.ts";
import { tensor } from "../../src/core/tensor.ts";
import type { Graph } from "../../src/data/graph.ts";
import { karate } from "../../src/data/karate.ts";
import { NodeFeaturiser } from "../../src/data/nodeFeaturiser.ts";
import { nodeTable, parseNodeGraph } from "../../src/data/nodeGraph.ts";
import { readNodeGraph } from "../../src/data/nodeGraphFiles.ts";
import type { SparseRows } from "../../src/data/sparseRows.ts";
import { init, Tensor } from "../../src/index.ts";
import { linearRows } from "../../src/nn/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a graph as JSON", () => {
  const words = {
    num_nodes: 4,
    num_features: 3,
    features: [[0, 2], [], [1], [0, 1, 2]],
    edges: [
      [0, 1],
      [1, 0],
      [2, 1],
      [3, 3],
    ],
    labels: [2, 0, -1, 10],
    train: [0, 1],
    test: [3],
  };

  test("undirected edges go both ways, once; −1 is unknown; numbers are sorted as numbers", () => {
    const g = parseNodeGraph(words, "g.json");
    expect(g.graph.edges).toBe(5);
    expect([...g.graph.ptr]).toEqual([0, 1, 3, 4, 5]);
    expect(g.classes).toEqual(["0", "2", "10"]);
    expect([...g.labels]).toEqual([1, 0, -1, 2]);
    expect([g.split!.train, g.split!.validation, g.split!.test].map((s) => s && [...s])).toEqual([
      [0, 1],
      undefined,
      [3],
    ]);
    expect(parseNodeGraph({ ...words, directed: true }).graph.edges).toBe(4);
  });

  test("names, texts as classes, dense features", () => {
    const g = parseNodeGraph({
      ids: ["Fe", "Ni", "O"],
      edges: [["Fe", "O"]],
      labels: ["metal", null, "gas"],
      features: [
        [1, 2],
        [3, 4],
        [5, 9],
      ],
    });
    expect(g.classes).toEqual(["gas", "metal"]);
    expect([...g.labels]).toEqual([1, -1, 0]);
    expect(g.features).toEqual({ columns: 2, dense: Float32Array.of(1, 2, 3, 4, 5, 9) });
    expect(g.split).toBeUndefined();
  });

  test.each([
    [{ nodes: [] }, /there are no "edges"/],
    [{ ...words, edges: [[0, 4]] }, /"edges"\[0\] names the node "4", which there is not/],
    [
      {
        ...words,
        edges: [
          [0, 1],
          [1, 2, 3],
        ],
      },
      /"edges"\[1\] is not a pair/,
    ],
    [{ ...words, labels: [1, 2] }, /"labels" has 2 entries for 4 nodes/],
    [{ ...words, features: [[0], [3], [], []] }, /"features"\[1\] has the column 3; there are 0 … 2/],
    [{ ...words, num_features: undefined }, /"features"\[1\] has 0 numbers, the first node 2/],
    [{ ...words, features: [[0], ["a"], [], []] }, /"features"\[1\] is not a list of numbers/],
    [{ ...words, train: [2] }, /"train" has the node "2", which has no label/],
    [{ ...words, test: [1] }, /"1" is a node of "train" and of "test"/],
    [{ ...words, num_nodes: 2.5 }, /"num_nodes" is "2.5", not a whole number/],
    [{ ...words, ids: ["a", "a", "b", "c"] }, /"ids" are not all different/],
    [{ edges: [] }, /say nothing of how many nodes/],
    [[1, 2], /there are no "edges"/],
  ])("%j is an error", (json, message) => {
    expect(() => parseNodeGraph(json, "g.json")).toThrow(message);
  });

  test("text that is no JSON, and a table in its place", async () => {
    await expect(readNodeGraph(bytes('{ "edges": [[0, 1],, }'))).rejects.toThrow(/input:1:20: not JSON/);
    await expect(readNodeGraph("graph.csv")).rejects.toThrow(/graph.csv is a table; a graph needs two/);
  });
});

describe("a graph as two tables", () => {
  const nodes = "id,mass,kind,charge,split\na,1,x,0.5,train\nb,2,,-1,\nc,3,y,0,test\nd,4,x,2,val\n";
  const edges = "source,target\na,b\nc,b\na,b\n";
  const read = (n = nodes, e = edges) => readNodeGraph({ nodes: bytes(n), edges: bytes(e) }, { target: "kind" });

  test("numbers are features, an empty class is unknown, split gives the roles", async () => {
    const g = await read();
    expect(g.ids).toEqual(["a", "b", "c", "d"]);
    expect(g.features).toEqual({ columns: 2, dense: Float32Array.of(1, 0.5, 2, -1, 3, 0, 4, 2) });
    expect([g.classes, [...g.labels], g.target]).toEqual([["x", "y"], [0, -1, 1, 0], "kind"]);
    expect([g.split!.train, g.split!.validation, g.split!.test].map((s) => [...s!])).toEqual([[0], [3], [2]]);
    expect(g.graph.edges).toBe(4);
  });

  test.each([
    [nodes.replace("c,3", "a,3"), edges, /input:4: column "id" has "a" a second time/],
    [nodes.replace("2,,", "two,,"), edges, /input:3: column "mass" is "two", not a number/],
    [nodes.replace("val", "dev"), edges, /input:5: column "split" is "dev"/],
    [nodes.replace("id,", "name,"), edges, /no column of ids/],
    [nodes, "source,target\na,e\n", /input:2: column "target" is "e", which is no node of input/],
    [nodes, "one,two\na,b\n", /has no columns "source" and "target"/],
    ["id,mass,kind\n", edges, /has no rows/],
  ])("mistakes are named: %#", async (n, e, message) => {
    await expect(read(n, e)).rejects.toThrow(message);
  });
});

test("the karate club: 34 members, 78 friendships, two factions of 17", () => {
  const g = karate();
  expect([g.ids.length, g.graph.edges]).toEqual([34, 2 * 78]);
  expect([...g.labels].filter((c) => c === 0).length).toBe(17);
  const degree = (id: number): number => g.graph.ptr[id] - g.graph.ptr[id - 1];
  expect([1, 34, 33, 3, 2, 12].map(degree)).toEqual([16, 17, 12, 10, 9, 1]);
  const roles = [...g.split!.train!, ...g.split!.validation!, ...g.split!.test!];
  expect([...roles].sort((a, b) => a - b)).toEqual(g.ids.map((_, i) => i));
});

describe("NodeFeaturiser", () => {
  const dense = (x: Tensor | SparseRows, width: number): number[] => {
    if (x instanceof Tensor) return [...x.data];
    const eye = tensor(
      Array.from({ length: width }, (_, i) => Array.from({ length: width }, (_, k) => (i === k ? 1 : 0))),
    );
    return [...linearRows(x, eye).data];
  };
  const inputs = (
    json: object,
  ): { x: Tensor | SparseRows; graph: Graph; asked: Indices; targets: number[]; width: number } => {
    const g = parseNodeGraph(json);
    const featuriser = NodeFeaturiser.fit(g);
    const data = featuriser.dataset(nodeTable(g));
    const { inputs, targets } = data.batch(Int32Array.from({ length: data.length }, (_, i) => data.length - 1 - i));
    const [x, graph, asked] = inputs as [Tensor | SparseRows, Graph, Indices];
    return { x, graph, asked, targets: [...targets], width: featuriser.width };
  };
  const labels = ["a", null, "b"];

  test("words: rows add up to 1, none stays none; the whole graph with every batch, and which nodes it is about", () => {
    const { x, graph, asked, targets, width } = inputs({
      edges: [[0, 1]],
      labels,
      num_features: 2,
      features: [[0, 1], [], [1]],
    });
    expect(x).not.toBeInstanceOf(Tensor);
    expect((x as SparseRows).adj).toBeInstanceOf(Csr);
    expect(dense(x, width)).toEqual([0.5, 0.5, 0, 0, 0, 1]);
    expect([graph.nodes, [...asked.data], targets]).toEqual([3, [2, 0], [1, 0]]);
  });

  test("numbers: mean 0, variance 1; a column that is always the same", () => {
    const { x, width } = inputs({
      edges: [],
      labels,
      features: [
        [1, 7],
        [2, 7],
        [3, 7],
      ],
    });
    const s = Math.sqrt(1.5);
    dense(x, width).forEach((v, i) => expect(v).toBeCloseTo([-s, 0, 0, 0, s, 0][i], 6));
  });

  test("without features each node is itself", () => {
    const { x, width } = inputs({ edges: [[0, 1]], labels });
    expect(dense(x, width)).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });

  test("what was learned from others is refused; it comes back from JSON", () => {
    const g = parseNodeGraph(
      {
        edges: [[0, 1]],
        labels,
        features: [
          [1, 7],
          [2, 7],
          [3, 7],
        ],
      },
      "a.json",
    );
    const other = parseNodeGraph({ edges: [[0, 1]], labels, features: [[1], [2], [3]] }, "b.json");
    const featuriser = NodeFeaturiser.fit(g);
    expect(() => featuriser.dataset(nodeTable(other))).toThrow(
      /b.json: its nodes are described by 1 numbers, the model has learned from 2 numbers/,
    );
    const again = NodeFeaturiser.fromJSON(JSON.parse(JSON.stringify(featuriser)));
    expect(again.hash).toBe(featuriser.hash);
    expect(() => NodeFeaturiser.fromJSON({})).toThrow(/not a featuriser of a graph/);
  });
});
