import { beforeAll, describe, expect, test } from "vitest";
import { Graph } from "../../src/data/graph.ts";
import { PointCloudFeaturiser } from "../../src/data/pointCloudFeaturiser.ts";
import { POINT_CLOUDS, pointClouds } from "../../src/data/pointClouds.ts";
import { grad, init, noGrad, Rng, scope, type Tensor, tensor } from "../../src/index.ts";
import { Egnn } from "../../src/models/egnn.ts";
import { orthogonality, PointNet, PointNetSegmentation, TNet } from "../../src/models/pointNet.ts";
import { parameterCount, stateDict } from "../../src/nn/index.ts";
import { fit } from "../../src/train/fit.ts";
import { Adam } from "../../src/train/optim.ts";
import { taskFrom } from "../../src/train/task.ts";
import { clusterGraph, permuted, randomRotation, turned } from "./molecules.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

test("parameters: the port's counts", () => {
  const rng = new Rng(1);
  const both = (k: number): number[] =>
    [false, true].map((featureTransform) => parameterCount(new PointNet(k, rng, { featureTransform })));
  expect(both(40)).toEqual([1_614_129, 3_471_473]);
  expect(both(10)).toEqual([1_606_419, 3_463_763]);
  expect(both(16)[1]).toBe(3_465_305);
  expect(parameterCount(new TNet(3, rng))).toBe(803_081);
  expect(parameterCount(new TNet(64, rng))).toBe(1_857_344);
  expect(parameterCount(new PointNetSegmentation(50, rng, { featureTransform: true }))).toBe(3_533_563);
});

test("names and shapes are the port's", () => {
  const state = stateDict(new PointNet(4, new Rng(1), { featureTransform: true }));
  expect(state.get("feat.stn.conv3.weight")!.shape).toEqual([1024, 128, 1]);
  expect(state.get("feat.fstn.fc3.bias")!.shape).toEqual([4096]);
  expect(state.get("bn2.running_mean")!.shape).toEqual([256]);
});

/** Small enough for a test. */
const SMALL = { shared: [8, 16, 32], head: [16, 12], featureTransform: true } as const;
/** T-nets that do something. */
const lively = <M extends object>(model: M, rng: Rng): M => {
  for (const [name, t] of stateDict(model)) if (/stn\.fc3\.weight$/.test(name)) t.set(rng.normal(t.shape, 0, 0.1).data);
  return model;
};
const cloud = (rng: Rng, count: number): number[] => Array.from({ length: 3 * count }, () => 2 * rng.random() - 1);
const run = (model: { forward(x: Tensor): Tensor }, ...clouds: number[][]): number[] =>
  noGrad(() =>
    scope(() => [...model.forward(tensor(clouds.flat(), [clouds.length, clouds[0].length / 3, 3])).toArray()]),
  );
const largestDifference = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((x, k) => Math.abs(x - b[k])));

describe("symmetries", () => {
  test("the order of the points does not matter, and points that come twice change nothing", () => {
    const rng = new Rng(2);
    const model = lively(new PointNet(5, rng, SMALL), rng);
    const points = cloud(rng, 20);
    const before = run(model, points);
    expect(largestDifference(run(model, permuted(points, rng.permutation(20), 3)), before)).toBeLessThan(1e-5);
    expect(largestDifference(run(model, [...points, ...points.slice(0, 30)]), before)).toBeLessThan(1e-5);
  });

  test("segmentation follows the order of the points", () => {
    const rng = new Rng(2);
    const model = lively(new PointNetSegmentation(3, rng, SMALL), rng);
    const [points, order] = [cloud(rng, 20), rng.permutation(20)];
    const before = run(model, points);
    expect(before).toHaveLength(60);
    expect(largestDifference(run(model, permuted(points, order, 3)), permuted(before, order, 3))).toBeLessThan(1e-5);
  });

  test("how a cloud is turned does matter, unlike to an EGNN", () => {
    const rng = new Rng(2);
    const points = cloud(rng, 12);
    const round = turned(points, randomRotation(rng));
    const net = lively(new PointNet(5, rng, SMALL), rng);
    const before = run(net, points);
    expect(largestDifference(run(net, round), before)).toBeGreaterThan(0.01 * Math.max(...before.map(Math.abs)));
    const egnn = new Egnn(5, rng, { hidden: 16, layers: 2 });
    const graphOf = (positions: number[]): number[] =>
      noGrad(() =>
        scope(() => [
          ...egnn.forward(Graph.batch([clusterGraph({ numbers: new Array(12).fill(6), positions })])).toArray(),
        ]),
      );
    const energies = graphOf(points);
    expect(largestDifference(graphOf(round), energies)).toBeLessThan(1e-4 * Math.max(...energies.map(Math.abs)));
  });
});

test("the critical points say all that the net knows", () => {
  const rng = new Rng(7);
  const net = new PointNet(5, rng, { ...SMALL, featureTransform: false });
  const points = cloud(rng, 60);
  const [critical] = scope(() => net.criticalPoints(tensor(points, [1, 60, 3])));
  expect(critical.length).toBeLessThanOrEqual(32);
  expect(critical.length).toBeGreaterThan(3);
  expect(new Set(critical).size).toBe(critical.length);
  const kept = critical.flatMap((i) => points.slice(3 * i, 3 * i + 3));
  expect(run(net, kept)).toEqual(run(net, points));
});

test("T-nets begin as the identity", () => {
  const rng = new Rng(3);
  expect(run({ forward: (x) => new TNet(3, rng).forward(x.reshape(10, 3), 2) }, cloud(rng, 5), cloud(rng, 5))).toEqual(
    [0, 1].flatMap(() => [1, 0, 0, 0, 1, 0, 0, 0, 1]),
  );
});

describe("regulariser", () => {
  // I − AAᵀ of diag(1, 2) is diag(0, −3); of a rotation 0.
  const a = [1, 0, 0, 2, 0, 1, -1, 0];

  test.each([
    ["squared", 4.5],
    ["norm", 1.5],
  ] as const)("%s", (kind, value) => {
    expect(scope(() => orthogonality(tensor(a, [2, 2, 2]), { kind }).item())).toBeCloseTo(value, 5);
  });

  test("joins the loss while training, and has a gradient", () => {
    const rng = new Rng(3);
    const net = lively(new PointNet(2, rng, { ...SMALL, regularisation: 0.5 }), rng);
    scope(() => {
      const penalties: Tensor[] = [];
      const points = tensor(cloud(rng, 40), [4, 10, 3]);
      net.forward(points, { rng, penalties });
      expect(penalties).toHaveLength(1);
      const [g] = grad(penalties[0], [net.feat.fstn!.fc3.weight]);
      expect(Math.max(...g.data)).toBeGreaterThan(1e-3);
    });
  });

  test("fit minimises it", async () => {
    const rng = new Rng(3);
    const net = lively(new PointNet(2, rng, { ...SMALL, regularisation: 10 }), rng);
    const data = new PointCloudFeaturiser({ points: 10 }).dataset(pointClouds({ count: 8, points: 10 }));
    // No gradient but the penalty's: a loss of constants.
    const task = taskFrom({ kind: "classification", classes: POINT_CLOUDS.slice(0, 2) });
    const silent = { ...task, outputs: 2, monitor: task.monitor, loss: (y: Tensor) => y.mean().mul(0) } as typeof task;
    const run = await fit(net, data, {
      ...{ task: silent, rng, epochs: 30, batchSize: 8 },
      optimizer: new Adam(net, { lr: 3e-3 }),
    });
    expect(run.history[0].loss).toBeGreaterThan(1);
    expect(run.history.at(-1)!.loss).toBeLessThan(0.5 * run.history[0].loss);
  });
});

test("learns one batch by heart", () => {
  const rng = new Rng(4);
  const net = new PointNet(9, rng, { ...SMALL, dropout: 0 });
  const data = new PointCloudFeaturiser({ points: 48, augment: "none" }).dataset(
    pointClouds({ count: 18, points: 48 }),
  );
  const task = taskFrom({ kind: "classification", classes: [...POINT_CLOUDS] });
  const optimizer = new Adam(net, { lr: 1e-2 });
  let last = Infinity;
  for (let step = 0; step < 60; step++)
    scope(() => {
      const { inputs, targets } = data.batch(Int32Array.from({ length: 18 }, (_, i) => i));
      const loss = task.loss(net.forward(inputs[0] as Tensor, { rng }), targets, inputs);
      last = loss.item();
      optimizer.step(grad(loss, optimizer.parameters));
    });
  expect(last).toBeLessThan(0.1);
});
