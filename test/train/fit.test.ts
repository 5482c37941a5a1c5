import { beforeAll, describe, expect, test } from "vitest";
import type { ArrayDataset, Batch, Dataset } from "../../src/data/dataset.ts";
import { grad, init, memoryUse, Rng, scope, type Tensor } from "../../src/index.ts";
import { Mlp, type MlpOptions } from "../../src/models/index.ts";
import { parameters } from "../../src/nn/index.ts";
import { Ema } from "../../src/train/average.ts";
import { fit, type Monitor } from "../../src/train/fit.ts";
import { Adam, clipGradientNorm, clipGradientValue, type Optimizer, Sgd } from "../../src/train/optim.ts";
import { schedule } from "../../src/train/schedule.ts";
import { Classification, normaliserOf, Regression, type Task } from "../../src/train/task.ts";
import { circle, figures, run, type Setup, scripted, table, weights } from "./runs.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

describe("learns", () => {
  test("a regression, to a fraction of the targets' spread and in their units", async () => {
    const validation = table(200, 2);
    const lines = [0, 0, 0];
    const { history, best, predict, stopped } = await run({
      data: table(400),
      validation,
      sizes: [3, 32, 32, 1],
      mlp: { activation: "silu" },
      epochs: 40,
      batchSize: 32,
      monitors: [{ epoch: ({ loss }) => void lines.push(loss) }],
    });
    const { std } = normaliserOf(validation.y, 1);
    expect(stopped).toBe("epochs");
    expect(best.mae).toBeLessThan(0.25 * std[0]);
    expect(history.length).toBe(40);
    expect(history.at(-1)!.loss).toBeLessThan(0.1 * history[0].loss);
    const predictions = predict(validation);
    const mae = predictions.reduce((sum, p, i) => sum + Math.abs(p - validation.y[i]), 0) / validation.length;
    expect(mae, "the model that remains is the best one").toBeCloseTo(best.mae, 4);
    expect(best.mae).toBe(Math.min(...history.map((r) => r.validation!.mae)));
    expect(history.filter((r) => r.best).at(-1)!.epoch).toBe(best.epoch);
  });

  test("a classification, chosen by accuracy", async () => {
    const validation = circle(300, 2);
    const task = new Classification({ kind: "classification", classes: ["out", "in"], monitor: "accuracy" });
    const { best, predict, history } = await run({
      data: circle(400),
      validation,
      task,
      sizes: [2, 24, 2],
      mlp: { activation: "tanh" },
      optimize: (m) => new Adam(m, { lr: 0.03 }),
      epochs: 40,
      batchSize: 32,
    });
    expect(best.accuracy).toBeGreaterThan(0.93);
    expect(best.accuracy).toBe(Math.max(...history.map((r) => r.validation!.accuracy)));
    const p = predict(validation);
    expect(p.length).toBe(600);
    let right = 0;
    validation.y.forEach((label, i) => {
      expect(p[2 * i] + p[2 * i + 1]).toBeCloseTo(1, 5);
      if (p[2 * i + 1] > 0.5 === (label === 1)) right++;
    });
    expect(right / 300).toBeCloseTo(best.accuracy, 6);
  });

  test("the validation loss is the mean over rows, whatever the batches", async () => {
    const validation = table(2500, 3); // three batches of prediction, the last one short
    const task = new Regression({ kind: "regression", loss: "mse", mean: [50], std: [10] });
    const { history, model } = await run({ validation, task, epochs: 1 });
    const output = model.forward(validation.batch(Int32Array.from({ length: 2500 }, (_, i) => i)).inputs[0] as Tensor);
    expect(history[0].validation!.loss).toBeCloseTo(task.loss(output, validation.y).item(), 5);
  });
});

describe("minibatches", () => {
  /** Passes a data set on and remembers the rows of each batch. */
  class Recorder implements Dataset {
    readonly batches: number[][] = [];
    constructor(private readonly inner: ArrayDataset) {}
    get length(): number {
      return this.inner.length;
    }
    batch(rows: Int32Array): Batch {
      this.batches.push([...rows]);
      return this.inner.batch(rows);
    }
  }

  const task = new Regression({ kind: "regression", loss: "mse", mean: [50], std: [10] });

  test.each([
    [26, 8, [8, 8, 8, 2]],
    [33, 8, [8, 8, 8, 9]], // a single row joins the batch before
    [5, 2, [2, 3]],
    [24, 8, [8, 8, 8]],
    [3, 1, [1, 1, 1]],
    [1, 4, [1]],
    [5, 100, [5]],
  ])("%i rows in batches of %i: each row once in an epoch, in an order of its own", async (rows, batchSize, sizes) => {
    const data = new Recorder(table(rows));
    await run({ data, task, batchSize, epochs: 3 });
    expect(data.batches.map((b) => b.length)).toEqual([...sizes, ...sizes, ...sizes]);
    const orders = [0, 1, 2].map((e) => data.batches.slice(e * sizes.length, (e + 1) * sizes.length).flat());
    for (const order of orders) expect(order.slice().sort((a, b) => a - b)).toEqual(Array.from(Array(rows).keys()));
    if (rows > 5) expect(new Set(orders.map(String)).size).toBe(3);
  });

  test("a data set of one's own needs a task", async () => {
    await expect(run({ data: new Recorder(table(8)) })).rejects.toThrow("fit: this data set needs an explicit `task`.");
  });
});

describe("is this loop", () => {
  /** What `fit` does, written out. */
  function reference({
    mlp,
    optimize,
    seed = 7,
    data,
    ...options
  }: Required<Pick<Setup, "optimize" | "data">> & Setup) {
    const rng = new Rng(seed);
    const model = new Mlp([3, 8, 1], rng, mlp);
    const optimizer = optimize(model);
    const train = data as ArrayDataset;
    const task = new Regression({ kind: "regression", loss: "mse", ...normaliserOf(train.y, 1) });
    const steps = Math.ceil(train.length / 8);
    const plan = schedule(options.schedule ?? "constant", { lr: optimizer.lr, epochs: 4, stepsPerEpoch: steps });
    const ema = options.ema === undefined ? undefined : new Ema(model, options.ema);
    const sampler = rng.fork(1);
    const noise = rng.fork(2);
    for (let epoch = 0, done = 0; epoch < 4; epoch++) {
      const order = sampler.permutation(train.length);
      for (let step = 0; step < steps; step++, done++)
        scope(() => {
          optimizer.lr = plan.lr(done);
          if (plan.momentum) optimizer.setMomentum(plan.momentum(done));
          const { inputs, targets } = train.batch(order.slice(step * 8, (step + 1) * 8));
          const loss = task.loss(model.forward(inputs[0] as Tensor, { rng: noise }), targets);
          const gradients = grad(loss, optimizer.parameters);
          if (options.clipNorm) clipGradientNorm(gradients, options.clipNorm);
          if (options.clipValue) clipGradientValue(gradients, options.clipValue);
          optimizer.step(gradients);
          ema?.update();
        });
    }
    ema?.swap();
    return weights(model);
  }

  test.each<[string, Setup]>([
    ["plain", {}],
    ["dropout and batch norm", { mlp: { dropout: 0.3, norm: "batch" } }],
    ["clipping by norm and value", { clipNorm: 0.5, clipValue: 0.05 }],
    ["averaged weights", { ema: 0.9 }],
    ["one cycle of rate and momentum", { schedule: { name: "oneCycle", maxLr: 0.05, cycleMomentum: true } }],
    ["warm-up and cosine", { schedule: { name: "cosineAnnealing", warmUpSteps: 5 } }],
  ])("%s", async (_name, setup) => {
    const all = { optimize: (m: Mlp) => new Sgd(m, { lr: 0.05, momentum: 0.9 }), data: table(26), ...setup };
    expect((await run(all)).weights).toEqual(reference(all));
  });

  test("clipping bounds every step; history has the norm before it", async () => {
    const moves: number[] = [];
    const optimize = (m: Mlp): Optimizer => {
      const sgd = new Sgd(m, { lr: 1 });
      const step = sgd.step.bind(sgd);
      sgd.step = (gradients) => {
        const before = sgd.parameters.map((p) => p.toArray());
        step(gradients);
        let squares = 0;
        sgd.parameters.forEach((p, k) => p.toArray().forEach((v, i) => (squares += (v - before[k][i]) ** 2)));
        moves.push(Math.sqrt(squares));
      };
      return sgd;
    };
    const { history } = await run({ optimize, clipNorm: 1e-3 });
    expect(moves.length).toBe(16);
    for (const move of moves) expect(move).toBeLessThan(1.001e-3);
    for (const { gradientNorm } of history) expect(gradientNorm).toBeGreaterThan(0.01);
  });

  test("the rate of each epoch's last step is in its record", async () => {
    const { history } = await run({ schedule: { name: "step", stepSize: 2, gamma: 0.5 } });
    expect(history.map((r) => r.lr)).toEqual([0.01, 0.01, 0.005, 0.005]);
  });
});

describe("validation", () => {
  const validation = table(10, 5);

  test("patience: stops, and goes back to the best epoch's weights and statistics", async () => {
    const mlp: MlpOptions = { norm: "batch", dropout: 0.2 };
    const stopped = await run({ validation, task: scripted([5, 3, 4, 3, 6, 1]), patience: 3, epochs: 20, mlp });
    expect(stopped.stopped).toBe("patience");
    expect(stopped.history.map((r) => r.best)).toEqual([true, true, false, false, false]);
    expect(stopped.best).toEqual({ epoch: 2, score: 3, loss: expect.any(Number) });
    const short = await run({ validation, task: scripted([5, 3]), epochs: 2, mlp });
    expect(stopped.weights).toEqual(short.weights);
  });

  test("without patience, too, the best weights remain", async () => {
    const full = await run({ validation, task: scripted([4, 2, 3, 5]) });
    expect([full.stopped, full.best.epoch, full.history.length]).toEqual(["epochs", 2, 4]);
    expect(full.weights).toEqual((await run({ validation, task: scripted([4, 2]), epochs: 2 })).weights);
  });

  test("more is better where the task says so", async () => {
    const { best } = await run({ validation, task: scripted([1, 3, 2, 2], "max") });
    expect(best.epoch).toBe(2);
  });

  test("a figure that does not exist is never the best", async () => {
    const { best, history } = await run({ validation, task: scripted([Number.NaN, 2, Number.NaN, 3]) });
    expect(best.epoch).toBe(2);
    expect(history.map((r) => r.best)).toEqual([false, true, false, false]);
    const none = await run({
      validation,
      task: scripted([Number.NaN, Number.NaN, Number.NaN, Number.NaN]),
      patience: 2,
    });
    expect([none.best.epoch, none.stopped]).toEqual([0, "epochs"]);
  });

  test("reduceOnPlateau follows the validation figure, whichever way is better", async () => {
    const plateau = { name: "reduceOnPlateau", patience: 0, factor: 0.5 } as const;
    const rates = async (values: number[], mode: "min" | "max"): Promise<number[]> =>
      (await run({ validation, task: scripted(values, mode), schedule: plateau })).history.map((r) => r.lr);
    expect(await rates([4, 3, 3, 2], "min")).toEqual([0.01, 0.01, 0.01, 0.005]);
    expect(await rates([1, 2, 3, 4], "max")).toEqual([0.01, 0.01, 0.01, 0.01]);
    expect(await rates([4, 3, 2, 1], "max")).toEqual([0.01, 0.01, 0.005, 0.0025]);
  });

  test("averaged weights are what is validated and kept", async () => {
    const predictions: Float32Array[] = [];
    const task = scripted([3, 2, 1, 4]);
    const watched: Task = {
      ...task,
      metrics: (p, t) => {
        predictions.push(p);
        return task.metrics(p, t);
      },
    };
    const { predict, best } = await run({ validation, task: watched, ema: 0.8 });
    expect(best.epoch).toBe(3);
    expect(predict(validation)).toEqual(predictions[2]);
  });

  test("does not touch training: the last weights are those of a run without it", async () => {
    const mlp: MlpOptions = { dropout: 0.3, norm: "batch" };
    const task = scripted([4, 3, 2, 1]); // the last epoch is the best
    const other = new Regression({ kind: "regression", loss: "mse", mean: [50], std: [10] });
    expect((await run({ validation, task, mlp })).weights).toEqual((await run({ task: other, mlp })).weights);
  });
});

describe("monitors", () => {
  test("are told in order, and waited for", async () => {
    const log: string[] = [];
    const monitor = (name: string): Monitor => ({
      start: ({ epochs, stepsPerEpoch, done, metric }) =>
        log.push(`${name} start ${epochs} × ${stepsPerEpoch}, ${done} done, ${metric}`),
      step: ({ epoch, step, samples, loss }) => log.push(`${name} step ${epoch}.${step} of ${samples}, ${loss > 0}`),
      epoch: async ({ epoch, step, best }) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        log.push(`${name} epoch ${epoch} at ${step}, ${best}`);
      },
      finish: async () => {
        await null;
        log.push(`${name} finish`);
      },
    });
    await run({ epochs: 2, batchSize: 13, validation: table(9, 2), monitors: [monitor("a"), {}, monitor("b")] });
    const both = (line: string): string[] => [`a ${line}`, `b ${line}`];
    expect(log.map((line) => line.replace(/, (true|false)$/, ""))).toEqual(
      [
        "start 2 × 2, 0 done, mae",
        ...[1, 2].flatMap((e) => [`step ${e}.1 of 13`, `step ${e}.2 of 13`, `epoch ${e} at ${2 * e}`]),
        "finish",
      ].flatMap(both),
    );
  });

  test("are told to finish when training fails", async () => {
    let finished = 0;
    const monitors: Monitor[] = [{ finish: () => void finished++ }];
    const data = table(26);
    data.x[5] = Number.NaN;
    await expect(run({ data, monitors })).rejects.toThrow(/Training stopped/);
    expect(finished).toBe(1);
  });
});

test("the result depends on neither threads nor monitors nor pauses", async () => {
  const setup: Setup = {
    data: table(300),
    validation: table(150, 2),
    sizes: [3, 128, 128, 1],
    batchSize: 150, // 128 × 128 × 150 multiplications are shared out
    mlp: { dropout: 0.1, norm: "batch" },
  };
  const results: object[] = [];
  for (const threads of [2, 1, 4]) {
    await init({ threads });
    const pause: Monitor = { epoch: () => new Promise((resolve) => setTimeout(resolve, 5)), step: () => undefined };
    const { weights, history } = await run({ ...setup, monitors: threads === 1 ? [] : [pause] });
    results.push({ weights, history: figures(history) });
  }
  await init({ threads: 2 });
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

test("nothing is left in memory but the weights", async () => {
  const options: Setup = { validation: table(10, 2), ema: 0.9, patience: 3 };
  const model = new Mlp([3, 8, 1], new Rng(1));
  const optimizer = new Adam(model);
  const before = memoryUse().live;
  await fit(model, table(26), { epochs: 3, ...options, optimizer, rng: new Rng(2) });
  const averages = [...parameters(model).values()].reduce((bytes, t) => bytes + Math.ceil(t.size / 16) * 64, 0);
  expect(memoryUse().live - before).toBe(averages);
});

test("options that make no sense are refused by name", async () => {
  for (const [options, message] of [
    [{ epochs: 0 }, "fit: epochs must be a whole number ≥ 1, not 0."],
    [{ batchSize: 1.5 }, "fit: batchSize must be a whole number ≥ 1, not 1.5."],
    [{ patience: 0, validation: table(5) }, "fit: patience must be a whole number ≥ 1, not 0."],
    [{ patience: 3 }, "fit: patience needs validation data."],
    [{ clipNorm: 0 }, "fit: clipNorm must be above 0, not 0."],
    [{ clipValue: Number.NaN }, "fit: clipValue must be above 0, not NaN."],
    [{ ema: 1 }, "fit: ema must be in [0, 1), not 1."],
    [{ schedule: "sawtooth" }, 'There is no schedule "sawtooth"'],
    [{ schedule: { name: "oneCycle", cycleMomentum: true }, optimize: (m) => new Sgd(m) }, "Sgd has no momentum"],
    [
      { validation: table(5), task: { ...scripted([]), metrics: () => ({ mae: 1 }) } },
      'fit: there is no metric "score"; there are loss, mae.',
    ],
  ] as [Setup, string][])
    await expect(run(options)).rejects.toThrow(message);
});
