import { beforeAll, expect, test } from "vitest";
import { completeConfig } from "../../src/cli/config.ts";
import { embedded, embeddedRows, targetName } from "../../src/cli/embedded.ts";
import { featuriserOf } from "../../src/cli/featurisers.ts";
import { structureNet } from "../../src/cli/models.ts";
import { motionNet, motionTask, straightLine } from "../../src/cli/motion.ts";
import { init, Rng } from "../../src/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { parameterCount } from "../../src/nn/index.ts";
import { predictBatches } from "../../src/train/batches.ts";
import { taskFrom } from "../../src/train/task.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const NBODY = "embedded:nbody?count=50";

/** What `spinel train` makes of embedded rows before it trains. */
async function planned(fields: Record<string, unknown>) {
  const config = completeConfig(fields);
  const all = embeddedRows(config);
  const half = all.length >> 1;
  const rows = Int32Array.from({ length: all.length }, (_, i) => i);
  const [train, validation] = [all.rows(rows.subarray(0, half)), all.rows(rows.subarray(half))];
  const parts = { train, validation, test: embedded(config.data).test, all, fold: 0 };
  const featuriser = await featuriserOf(config, parts);
  const data = { train: featuriser.dataset(train), validation: featuriser.dataset(validation) };
  return { config, parts, featuriser, data };
}

const task = taskFrom(motionTask());

test.each([
  ["egnn", 134_020],
  ["gnn", 104_387],
])("%s on moving particles: the paper's net, its split, squared errors of all positions", async (name, count) => {
  const { config, parts, data } = await planned({ model: name, data: NBODY });
  expect([parts.train.length, parts.test!.length]).toEqual([25, 50]);
  expect(targetName(parts.train)).toBe("x1 … z5");
  expect(config).toMatchObject({ batchSize: 100, valFraction: 0.4, nAtomBasis: 64 });
  const model = buildModel(motionNet(config), new Rng(1));
  expect(parameterCount(model)).toBe(count);
  expect([task.outputs, data.train.outputs]).toEqual([15, 15]);
  expect(task.monitor).toEqual({ metric: "mse", mode: "min" });
  const { mse, rmse } = task.metrics(predictBatches(model, task, data.validation), data.validation.y);
  expect(mse).toBeCloseTo(rmse ** 2, 9);
});

test("a straight line is what nets of particles are measured by", async () => {
  const { parts, data } = await planned({ model: "egnn", data: NBODY });
  const { name, metrics } = straightLine(parts, data, task);
  expect(name).toMatch(/^a straight line, x \+ 0\.\d\d·v$/);
  expect(Object.keys(metrics)).toEqual(["train", "validation"]);
  expect(metrics.train!.mse).toBeGreaterThan(0.02);
  expect(metrics.train!.mse).toBeLessThan(0.2);
});

test("what means nothing to particles is refused", () => {
  const complete = (fields: Record<string, unknown>) => () => completeConfig(fields);
  expect(complete({ model: "egnn", data: NBODY, radius: 4 })).toThrow("--radius is for structures");
  expect(complete({ model: "gnn", data: NBODY, loss: "l1" })).toThrow("--loss of moving particles is mse alone");
  expect(complete({ model: "gnn", data: "a.csv", target: "y" })).toThrow("gnn learns from moving particles");
  expect(complete({ model: "egnn", data: "a.xyz" })).toThrow("--target");
  const rows = (model: string) => () =>
    embeddedRows({ ...completeConfig({ model: "egnn", data: NBODY }), model } as never);
  expect(rows("mlp")).toThrow("mlp does not learn from them");
  expect(() => embedded("embedded:nbody?bodies=3")).toThrow("bodies");
});

test("pointnet on clouds of points: one of nine classes, two T-nets where asked for", async () => {
  const data = "embedded:pointclouds?count=36&points=20";
  const { config, parts, featuriser } = await planned({ model: "pointnet", data, points: 20 });
  expect([parts.all.length, parts.train.classes!.length]).toEqual([36, 9]);
  expect(featuriser.toJSON()).toMatchObject({ spec: { points: 20, augment: "up" } });
  const count = (own: object): number =>
    parameterCount(buildModel(structureNet("pointnet", { ...config, ...own }, 3, 9), new Rng(1)));
  expect(count({})).toBe(1_606_162);
  expect(count({ featureTransform: true })).toBe(1_606_162 + 1_857_344);
  await expect(planned({ model: "pointnet", data, augment: "flip" })).rejects.toThrow("--augment of pointnet is up");
  await expect(planned({ model: "schnet", data })).rejects.toThrow("points and no atoms");
});

test.each([
  ["painn", 589_057],
  ["egnn", 425_733],
] as const)("%s of structures and potentials", (model, count) => {
  const config = completeConfig({ model, data: "a.xyz", energy: "energy", forces: "forces" });
  expect(config).toMatchObject({ readout: "sum", radius: 5 });
  const net = structureNet(model, config, 1, 1);
  expect(net).toMatchObject({ model, cutoff: 5, readout: "sum" });
  expect(parameterCount(buildModel(net, new Rng(1)))).toBe(count);
  expect(completeConfig({ model, data: "a.csv", target: "y" })).toMatchObject({ readout: "mean" });
});
