import { beforeAll, describe, expect, test } from "vitest";
import { ArrayDataset } from "../../src/data/dataset.ts";
import { grad, init, tensor } from "../../src/index.ts";
import {
  Classification,
  defaultTask,
  normaliserOf,
  Regression,
  type TaskConfig,
  taskFrom,
} from "../../src/train/task.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

describe("normaliserOf", () => {
  test("mean and standard deviation (n − 1) of each column", () => {
    expect(normaliserOf(new Float32Array([1, 10, 3, 10, 5, 40]), 2)).toEqual({
      mean: [3, 20],
      std: [2, Math.sqrt(300)],
    });
  });

  test("a constant column and a single row are not divided by 0", () => {
    expect(normaliserOf(new Float32Array(1000).fill(0.1), 1)).toEqual({ mean: [Math.fround(0.1)], std: [1] });
    expect(normaliserOf(new Float32Array([7]), 1)).toEqual({ mean: [7], std: [1] });
  });

  test("large values with a small spread keep their digits", () => {
    const { mean, std } = normaliserOf(new Float32Array([1_000_000, 1_000_001, 1_000_002]), 1);
    expect([mean[0], std[0]]).toEqual([1_000_001, 1]);
  });
});

describe("Regression", () => {
  const config = { kind: "regression", mean: [10, -1], std: [2, 0.5] } as const;
  const task = (loss: "mse" | "l1" | "huber", delta?: number): Regression =>
    new Regression({ ...config, mean: [...config.mean], std: [...config.std], loss, delta });
  const targets = new Float32Array([12, -1, 6, -2]); // normalised: 1, 0, −2, −2
  const output = (): ReturnType<typeof tensor> =>
    tensor([
      [1.5, 0],
      [-2, 1],
    ]); // errors 0.5, 0, 0, 3

  test.each([
    ["mse", undefined, (0.25 + 9) / 4],
    ["l1", undefined, 3.5 / 4],
    ["huber", undefined, (0.125 + 2.5) / 4],
    ["huber", 2, (0.125 + 2 * (3 - 1)) / 4],
  ] as const)("%s (delta %s) of normalised targets", (loss, delta, expected) => {
    expect(task(loss, delta).loss(output(), targets).item()).toBeCloseTo(expected, 6);
  });

  test("predictions come back in the targets' units", () => {
    expect([
      ...task("mse").decode(
        tensor([
          [1, 0],
          [-2, -2],
        ]),
      ),
    ]).toEqual([12, -1, 6, -2]);
  });

  test("figures are in the targets' units, and choose by MAE", () => {
    const { metrics, monitor, outputs } = task("mse");
    expect(metrics(new Float32Array([1, 2]), new Float32Array([2, 4])).mae).toBe(1.5);
    expect([monitor.metric, monitor.mode, outputs]).toEqual(["mae", "min", 2]);
  });

  test("an output of another shape is an error, not a broadcast", () => {
    expect(() => task("mse").loss(tensor([1, 2, 3, 4]), targets)).toThrow(/mseLoss\(\[4\], \[2, 2\]\)/);
  });

  test("without a task, a table defines a regression on its own mean and spread", () => {
    const data = new ArrayDataset(new Float32Array(3), new Float32Array([1, 3, 5]), 3);
    expect(defaultTask(data).toJSON()).toEqual({ kind: "regression", loss: "mse", mean: [3], std: [2] });
  });
});

describe("Classification", () => {
  const classes = ["a", "b", "c"];
  const logits = (): ReturnType<typeof tensor> =>
    tensor([
      [2, 0, 0],
      [0, 0, 1],
    ]);
  const logp = (z: number[], k: number): number => z[k] - Math.log(z.reduce((s, v) => s + Math.exp(v), 0));

  test("cross-entropy, with and without smoothing", () => {
    const hard = -(logp([2, 0, 0], 0) + logp([0, 0, 1], 1)) / 2;
    const plain = new Classification({ kind: "classification", classes });
    expect(plain.loss(logits(), new Float32Array([0, 1])).item()).toBeCloseTo(hard, 6);
    const uniform =
      -[
        [2, 0, 0],
        [0, 0, 1],
      ]
        .flatMap((z) => z.map((_, k) => logp(z, k)))
        .reduce((s, v) => s + v, 0) / 6;
    const smooth = new Classification({ kind: "classification", classes, labelSmoothing: 0.1 });
    expect(smooth.loss(logits(), new Float32Array([0, 1])).item()).toBeCloseTo(0.9 * hard + 0.1 * uniform, 6);
  });

  test("decodes to probabilities", () => {
    const p = new Classification({ kind: "classification", classes }).decode(logits());
    expect(p[0]).toBeCloseTo(Math.exp(2) / (Math.exp(2) + 2), 6);
    expect(p[3] + p[4] + p[5]).toBeCloseTo(1, 6);
  });

  test("chooses by loss, or by the figure named, of which more is better", () => {
    const choose = (monitor?: string): object =>
      new Classification({ kind: "classification", classes, monitor }).monitor;
    expect(choose()).toEqual({ metric: "loss", mode: "min" });
    expect(choose("rocAuc")).toEqual({ metric: "rocAuc", mode: "max" });
  });

  test("one class is no choice; a label beyond the classes is an error", () => {
    expect(() => new Classification({ kind: "classification", classes: ["a"] })).toThrow(
      "Classification needs at least two classes; the data have a.",
    );
    expect(() => new Classification({ kind: "classification", classes: [] })).toThrow("the data have none.");
    const task = new Classification({ kind: "classification", classes });
    expect(() => task.loss(logits(), new Float32Array([0, 3]))).toThrow(/3/);
    expect(() => task.loss(logits(), new Float32Array([0, 0.5]))).toThrow("element 1 is 0.5, not a whole number");
  });
});

test.each<TaskConfig>([
  { kind: "regression", loss: "huber", mean: [1], std: [2], delta: 0.5 },
  { kind: "classification", classes: ["a", "b"], labelSmoothing: 0.1, monitor: "accuracy" },
])("$kind: written as JSON and read, the same task", (config) => {
  const task = taskFrom(config);
  const again = taskFrom(JSON.parse(JSON.stringify(task.toJSON())));
  expect(again).toEqual(task);
  const x = tensor(
    Array.from({ length: 3 * task.outputs }, (_, i) => i / 7),
    [3, task.outputs],
  );
  const targets = new Float32Array([1, 0, 1]);
  expect(again.loss(x, targets, [x]).item()).toBe(task.loss(x, targets, [x]).item());
  expect(grad(task.loss(x, targets, [x]), [x])[0].data.some((v) => v !== 0)).toBe(true);
});
