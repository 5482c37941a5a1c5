import { beforeAll, describe, expect, test } from "vitest";
import { Graph, graphData } from "../../src/data/graph.ts";
import { karate } from "../../src/data/karate.ts";
import { NodeFeaturiser } from "../../src/data/nodeFeaturiser.ts";
import { type NodeGraph, nodeTable, parseNodeGraph } from "../../src/data/nodeGraph.ts";
import { crossEntropy, grad, indices, init, noGrad, Rng, scope, type Tensor, tensor } from "../../src/index.ts";
import { buildModel, Gcn, NODE_NETS, NodeNet } from "../../src/models/index.ts";
import { parameterCount, parameters } from "../../src/nn/index.ts";
import { fit } from "../../src/train/fit.ts";
import { Adam } from "../../src/train/optim.ts";
import { taskFrom } from "../../src/train/task.ts";
import { sparse } from "../graphs.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

type NodeModel = Gcn | NodeNet;
const KINDS = ["gcn", ...NODE_NETS] as const;
const make = (kind: (typeof KINDS)[number], inputs: number, outputs: number, rng: Rng, dropout = 0): NodeModel =>
  kind === "gcn"
    ? new Gcn(inputs, outputs, rng, { dropout })
    : new NodeNet(kind, inputs, outputs, rng, { dropout, hidden: [8] });

test.each([
  [() => new Gcn(1433, 7, new Rng(1)), 23_040],
  [() => new Gcn(1433, 7, new Rng(1), { bias: true }), 23_063],
  [() => new Gcn(1433, 7, new Rng(1), { hidden: [16, 16, 16] }), 23_040 + 512],
  [() => new NodeNet("gat", 1433, 7, new Rng(1)), 1433 * 64 + 3 * 64 + 64 * 7 + 3 * 7],
  [() => new NodeNet("sage", 1433, 7, new Rng(1)), 2 * 1433 * 64 + 64 + 2 * 64 * 7 + 7],
  [() => new NodeNet("gin", 1433, 7, new Rng(1)), 1 + 1433 * 64 + 64 + 128 + 64 * 64 + 64 + 1 + 64 * 7 + 7],
])("parameters of the nets on Cora's sizes: %#", (make, count) => {
  expect(parameterCount(make())).toBe(count);
});

test("names are PyTorch Geometric's", () => {
  const names = (model: object): string[] => [...parameters(model).keys()].filter((name) => name.startsWith("convs.0"));
  expect(names(new Gcn(3, 2, new Rng(1), { bias: true }))).toEqual(["convs.0.lin.weight", "convs.0.bias"]);
  expect(names(new NodeNet("sage", 3, 2, new Rng(1), { aggregator: "max" }))).toEqual(
    ["lin.weight", "lin.bias", "lin_l.weight", "lin_l.bias", "lin_r.weight"].map((name) => `convs.0.${name}`),
  );
});

/** Data and targets of a graph's labelled nodes. */
const dataOf = (g: NodeGraph) => {
  const featuriser = NodeFeaturiser.fit(g);
  const part = (role: "train" | "validation" | "test") => featuriser.dataset(nodeTable(g, g.split![role]));
  return { width: featuriser.width, all: featuriser.dataset(nodeTable(g)), part };
};

describe("each net", () => {
  test.each(KINDS)("%s learns all labels of the karate club by heart", (kind) => {
    const { all, width } = dataOf(karate());
    const rng = new Rng(2);
    const model = make(kind, width, 2, rng);
    const optimizer = new Adam(model, { lr: 0.03 });
    const rows = Int32Array.from({ length: 34 }, (_, i) => i);
    let last = Infinity;
    for (let step = 0; step < 60; step++)
      scope(() => {
        const { inputs, targets } = all.batch(rows);
        const logits = model.forward(...(inputs as [Tensor, Graph, never]), { rng });
        const loss = crossEntropy(logits, indices(targets));
        last = loss.item();
        optimizer.step(grad(loss, optimizer.parameters));
      });
    expect(last).toBeLessThan(0.05);
  });

  test.each(KINDS)("%s: nodes in another order, some of them asked for, and one without edges", (kind) => {
    const rng = new Rng(3);
    const model = make(kind, 4, 3, rng);
    const [senders, receivers] = [
      [0, 1, 1, 2, 3, 0],
      [1, 0, 2, 1, 0, 3],
    ];
    const order = [2, 4, 0, 3, 1];
    const place = order.map((_, i) => order.indexOf(i));
    const run = (x: Tensor, from: number[], to: number[], nodes?: number[]): Float32Array =>
      noGrad(() => model.forward(x, Graph.batch([graphData(5, from, to)]), nodes && indices(nodes)).toArray());
    scope(() => {
      const x = rng.normal([5, 4]);
      const turned = tensor(order.map((i) => [...x.data.subarray(4 * i, 4 * i + 4)]));
      const before = run(x, senders, receivers);
      expect(before.every(Number.isFinite)).toBe(true);
      const after = run(
        turned,
        senders.map((j) => place[j]),
        receivers.map((i) => place[i]),
      );
      order.forEach((i, k) => {
        for (let c = 0; c < 3; c++) expect(Math.abs(after[3 * k + c] - before[3 * i + c])).toBeLessThan(1e-5);
      });
      expect([...run(x, senders, receivers, [4, 1])]).toEqual([...before.subarray(12, 15), ...before.subarray(3, 6)]);
    });
  });

  test.each(KINDS)("%s drops words, not the zeros between them", (kind) => {
    const rng = new Rng(4);
    const model = make(kind, 6, 3, rng, 0.5);
    const graph = Graph.batch([graphData(3, [0, 1], [1, 0])]);
    scope(() => {
      const x = sparse([[0, 1], [2, 3, 5], [4]], 6);
      const once = model.forward(x, graph, undefined, { rng: new Rng(7) }).toArray();
      const again = model.forward(x, graph, undefined, { rng: new Rng(7) }).toArray();
      const without = model.forward(x, graph).toArray();
      expect([...again]).toEqual([...once]);
      expect([...once]).not.toEqual([...without]);
    });
  });
});

/** A grid of two halves with noisy words: a few labels, spread along the edges, tell the rest. */
function halves(rng: Rng): NodeGraph {
  const [rows, columns] = [8, 12];
  const [edges, labels, features]: [number[][], number[], number[][]] = [[], [], []];
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const node = r * columns + c;
      const half = c < columns / 2 ? 0 : 1;
      labels.push(half);
      features.push(Array.from({ length: 3 }, () => rng.integer(10) + 5 * (rng.random() < 0.35 ? 1 - half : half)));
      if (r > 0) edges.push([node, node - columns]);
      if (c > 0 && c !== columns / 2) edges.push([node, node - 1]);
    }
  const nodes = labels.map((_, i) => i);
  const sets = { train: nodes.filter((i) => i % 16 === 3), val: nodes.filter((i) => i % 16 === 9) };
  const test = nodes.filter((i) => ![3, 9].includes(i % 16));
  const unique = features.map((row) => [...new Set(row)].sort((a, b) => a - b));
  return parseNodeGraph({ edges, labels, features: unique, num_features: 15, ...sets, test });
}

describe("training on a few nodes", () => {
  const g = halves(new Rng(5));
  const train = async (model: NodeModel, epochs: number) => {
    const { part } = dataOf(g);
    const task = taskFrom({ kind: "classification", classes: [...g.classes] });
    const optimizer = new Adam(model, { lr: 0.02 });
    const run = await fit(model, part("train"), {
      ...{ optimizer, task, epochs, batchSize: 96, rng: new Rng(6), validation: part("validation") },
    });
    const test = part("test");
    return { run, accuracy: task.metrics(run.predict(test), test.y).accuracy };
  };

  test("fit takes all labelled nodes as one batch; neighbours beat words alone", async () => {
    const { run, accuracy } = await train(new Gcn(15, 2, new Rng(1)), 80);
    expect(run.history.at(-1)!.step).toBe(80);
    const alone = { ...g, graph: graphData(g.ids.length, [], []) };
    const { part } = dataOf(alone);
    const words = new Gcn(15, 2, new Rng(1));
    const task = taskFrom({ kind: "classification", classes: [...g.classes] });
    const blind = await fit(words, part("train"), {
      ...{ optimizer: new Adam(words, { lr: 0.02 }), task, epochs: 80, batchSize: 96, rng: new Rng(6) },
    });
    const without = task.metrics(blind.predict(part("test")), part("test").y).accuracy;
    expect(accuracy).toBeGreaterThan(0.8);
    expect(accuracy).toBeGreaterThan(without + 0.05);
  });
});

test("over-smoothing: the deeper an untrained GCN, the more alike its nodes", () => {
  const { all, width } = dataOf(karate());
  const { inputs } = all.batch(Int32Array.of(0));
  const [x, graph] = inputs as [Tensor, Graph];
  // Of unit vectors along the nodes' embeddings, the mean squared distance from their mean.
  const spread = (h: Tensor): number => {
    const [nodes, features] = h.shape;
    const rows = Array.from({ length: nodes }, (_, i) => {
      const row = [...h.data.subarray(i * features, (i + 1) * features)];
      const length = Math.hypot(...row) || 1;
      return row.map((v) => v / length);
    });
    const mean = rows[0].map((_, c) => rows.reduce((sum, row) => sum + row[c] / nodes, 0));
    return rows.reduce((sum, row) => sum + row.reduce((s, v, c) => s + (v - mean[c]) ** 2, 0), 0) / nodes;
  };
  scope(() => {
    const model = new Gcn(width, 16, new Rng(9), { hidden: new Array(31).fill(16) });
    const layers = noGrad(() => model.layers(x, graph));
    const at = [1, 2, 4, 8, 16, 32].map((depth) => spread(layers[depth - 1]));
    at.slice(1, 5).forEach((value, i) => expect(value).toBeLessThan(at[i]));
    expect(at[4]).toBeLessThan(0.1 * at[0]);
  });
});

test("every net can be made from plain data", () => {
  const sizes = { inputs: 5, outputs: 3 };
  expect(buildModel({ model: "gcn", ...sizes, hidden: [4] }, new Rng(1))).toBeInstanceOf(Gcn);
  for (const model of NODE_NETS) expect(buildModel({ model, ...sizes }, new Rng(1))).toBeInstanceOf(NodeNet);
});
