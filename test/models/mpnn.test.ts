import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Graph, type GraphData, graphData } from "../../src/data/graph.ts";
import { grad, init, mseLoss, noGrad, Rng, scope, type Tensor, tensor } from "../../src/index.ts";
import { Mpnn } from "../../src/models/index.ts";
import { loadStateDict, parameterCount, parameters } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";

interface Plain {
  shape: number[];
  data: number[];
}

const fixture: {
  edges: [number, number][];
  cases: {
    mpnn: {
      weights: Record<string, Plain>;
      inputs: { vector: Plain };
      outputs: Plain[];
      gradients: Record<string, Plain>;
    };
  };
} = JSON.parse(readFileSync(new URL("../fixtures/graphLayers.json", import.meta.url), "utf8"));

beforeAll(async () => {
  await init({ threads: 2 });
});

const NUMBERS = [1, 6, 8, 1, 3, 6, 2];
const small = { dim: 4, hidden: 6, maxZ: 9, basis: { start: 0, step: 0.5, count: 5, gamma: 2 } };

test("parameters", () => {
  // Embedding, edge network, GRU, LSTM, and two layers after the readout.
  const edges = 26 * 128 + 128 + 128 * 4096 + 4096;
  const recurrent = 2 * (3 * 64 * 64 + 3 * 64) + 4 * 64 * (128 + 64 + 2);
  expect(parameterCount(new Mpnn(1, new Rng(1)))).toBe(119 * 64 + edges + recurrent + (128 * 64 + 64) + 65);
});

test("outputs and gradients are those of the formulas in PyTorch", () => {
  const { weights, inputs, outputs, gradients } = fixture.cases.mpnn;
  const model = new Mpnn(2, new Rng(1), small);
  loadStateDict(model, new Map(Object.entries(weights)));
  const [senders, receivers] = [0, 1].map((end) => fixture.edges.map((edge) => edge[end]));
  scope(() => {
    const graph = Graph.batch([
      graphData(7, senders, receivers, {
        numbers: Int32Array.from(NUMBERS),
        vector: Float32Array.from(inputs.vector.data),
      }),
    ]);
    const y = model.forward(graph);
    outputs[0].data.forEach((v, i) => expect(y.data[i]).toBeCloseTo(v, 5));
    const named = parameters(model);
    const found = grad(y.square().sum(), [...named.values()]);
    [...named.keys()].forEach((name, i) => {
      const scale = Math.max(1e-3, ...gradients[name].data.map(Math.abs));
      found[i]
        .toArray()
        .forEach((g, k) => expect(Math.abs(g - gradients[name].data[k]) / scale, name).toBeLessThan(3e-5));
    });
  });
});

/** Random molecules, each atom a neighbour of those within 2.5 Å. */
function molecule(rng: Rng, atoms: number): { numbers: number[]; positions: number[] } {
  return {
    numbers: Array.from({ length: atoms }, () => 1 + rng.integer(8)),
    positions: Array.from({ length: 3 * atoms }, () => 3 * rng.random()),
  };
}

function graphOf({ numbers, positions }: { numbers: number[]; positions: number[] }): GraphData {
  const [senders, receivers, vector]: [number[], number[], number[]] = [[], [], []];
  numbers.forEach((_, i) =>
    numbers.forEach((_, j) => {
      const d = [0, 1, 2].map((c) => positions[3 * j + c] - positions[3 * i + c]);
      if (i === j || Math.hypot(...d) > 2.5) return;
      senders.push(j);
      receivers.push(i);
      vector.push(...d);
    }),
  );
  const n = numbers.length;
  return graphData(n, senders, receivers, { numbers: Int32Array.from(numbers), vector: Float32Array.from(vector) });
}

const predict = (model: Mpnn, graphs: GraphData[]): Float32Array =>
  noGrad(() => scope(() => model.forward(Graph.batch(graphs)).toArray()));

describe("a molecule's prediction does not depend on how it is written down", () => {
  const rng = new Rng(4);
  const one = molecule(rng, 6);
  const order = [3, 5, 0, 2, 4, 1];
  const ways = {
    "its atoms in another order": {
      numbers: order.map((i) => one.numbers[i]),
      positions: order.flatMap((i) => one.positions.slice(3 * i, 3 * i + 3)),
    },
    moved: { ...one, positions: one.positions.map((x, k) => x + [4, -2, 9][k % 3]) },
    turned: {
      ...one,
      positions: one.positions.map((_, k) => {
        const [x, y, z] = one.positions.slice(k - (k % 3), k - (k % 3) + 3);
        return [0.36 * x + 0.48 * y - 0.8 * z, -0.8 * x + 0.6 * y, 0.48 * x + 0.64 * y + 0.6 * z][k % 3];
      }),
    },
  };
  test.each(Object.entries(ways))("%s", (_, other) => {
    const model = new Mpnn(2, new Rng(2), { ...small, dim: 8 });
    const [a, b] = [one, other].map((m) => predict(model, [graphOf(m)]));
    a.forEach((y, i) => expect(Math.abs(y - b[i])).toBeLessThan(1e-5));
  });
});

test("an atom without neighbours, alone and beside others", () => {
  const model = new Mpnn(1, new Rng(3), small);
  const alone = { numbers: [2], positions: [0, 0, 0] };
  const [value] = predict(model, [graphOf(alone)]);
  expect(Number.isFinite(value)).toBe(true);
  expect(predict(model, [graphOf(molecule(new Rng(1), 4)), graphOf(alone)])[1]).toBeCloseTo(value, 6);
});

test("learns one batch by heart", () => {
  const rng = new Rng(6);
  const model = new Mpnn(1, rng, { dim: 8, hidden: 8, maxZ: 9 });
  const optimizer = new Adam(model, { lr: 1e-2 });
  const graphs = Array.from({ length: 6 }, () => graphOf(molecule(rng, 5)));
  const targets: Tensor = tensor([0.5, -1, 1.5, 0, -0.5, 1], [6, 1]);
  let last = Infinity;
  for (let step = 0; step < 120; step++)
    scope(() => {
      const loss = mseLoss(model.forward(Graph.batch(graphs)), targets);
      last = loss.item();
      optimizer.step(grad(loss, optimizer.parameters));
    });
  expect(last).toBeLessThan(1e-3);
});
