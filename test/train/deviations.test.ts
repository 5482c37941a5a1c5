import { beforeAll, expect, test } from "vitest";
import { ElementSetFeaturiser } from "../../src/data/elementSet.ts";
import { readTable } from "../../src/data/index.ts";
import { init, Rng, tensor } from "../../src/index.ts";
import { buildModel, CrabNet } from "../../src/models/index.ts";
import { Predictor } from "../../src/train/predictor.ts";
import { Regression, taskFrom } from "../../src/train/task.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const config = { kind: "regression", loss: "robustL1", mean: [10, 100], std: [2, 50] } as const;
const regression = () => new Regression({ ...config, mean: [...config.mean], std: [...config.std] });

test("robustL1: two numbers for a target, a prediction and the logarithm of its deviation", () => {
  const task = regression();
  expect(task.outputs).toBe(4);
  const rows = [
    [0.5, -1, 0, Math.log(2)],
    [0, 0.2, Math.log(0.25), 0],
  ];
  const output = tensor(rows);
  expect([...task.decode(output)]).toEqual([11, 50, 10, 110]);
  [2, 100, 0.5, 50].forEach((sigma, i) => expect(task.deviations!(output)[i]).toBeCloseTo(sigma, 4));
  const targets = Float32Array.of(12, 100, 9, 160);
  const normalised = [1, 0, -0.5, 1.2];
  const expected = rows.flatMap(([a, b, s, t], r) => [
    Math.SQRT2 * Math.abs(a - normalised[2 * r]) * Math.exp(-s) + s,
    Math.SQRT2 * Math.abs(b - normalised[2 * r + 1]) * Math.exp(-t) + t,
  ]);
  expect(task.loss(output, targets).item()).toBeCloseTo(expected.reduce((sum, x) => sum + x, 0) / 4, 5);
  expect(taskFrom(task.toJSON()).deviations).toBeDefined();
});

test("other losses know no deviation", () => {
  const task = taskFrom({ kind: "regression", loss: "l1", mean: [0], std: [1] });
  expect([task.outputs, task.deviations]).toEqual([1, undefined]);
});

test("a CrabNet's file has its vectors, predictions and deviations", async () => {
  const text = "formula,y\nFe2O3,1\nNaCl,2\n";
  const rows = await readTable(new TextEncoder().encode(text), { file: "a.csv", target: "y" });
  const featuriser = ElementSetFeaturiser.of("descriptors");
  const task = new Regression({ kind: "regression", loss: "robustL1", mean: [1], std: [3] });
  const small = { width: 8, layers: 1, heads: 2, feedForward: 8, hidden: [4] };
  const architecture = { model: "crabnet", inputs: featuriser.width, outputs: 2, gates: 1, ...small } as const;
  const model = buildModel(architecture, new Rng(3)) as CrabNet;
  expect(model).toBeInstanceOf(CrabNet);
  model.useVectors(featuriser.vectors!);
  const predictor = Predictor.of(model, featuriser, task, { architecture, target: { name: "y" } });
  const bytes = Buffer.concat([...predictor.toSafetensors()].map((piece) => Buffer.from(piece)));
  const again = await Predictor.load(new Uint8Array(bytes), buildModel);
  const [made, read] = [predictor, again].map((p) => p.predictWithDeviations(rows));
  expect([...read.predictions]).toEqual([...made.predictions]);
  expect([...read.deviations!]).toEqual([...made.deviations!]);
  expect([...again.predict(rows)]).toEqual([...made.predictions]);
  expect(made.deviations!.every((sigma) => sigma > 0)).toBe(true);
});
