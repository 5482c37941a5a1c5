import { beforeAll, describe, expect, test } from "vitest";
import { ArrayDataset } from "../../src/data/dataset.ts";
import { checkpoint, init, Rng, type Tensor, tensor } from "../../src/index.ts";
import { Mlp } from "../../src/models/index.ts";
import type { Training } from "../../src/nn/index.ts";
import { firstNonFinite } from "../../src/train/diagnose.ts";
import { type Checkpoint, type FitOptions, fit } from "../../src/train/fit.ts";
import { Adam, Sgd } from "../../src/train/optim.ts";
import { Regression, type Task } from "../../src/train/task.ts";
import { run, table } from "./runs.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

describe("firstNonFinite", () => {
  const model = (): Mlp => new Mlp([2, 3, 1], new Rng(1), { activation: "tanh" });
  const x = (): Tensor => tensor([[1, 2]]);

  test("nothing is wrong", () => {
    const m = model();
    expect(firstNonFinite(m.forward(x()), m)).toBeUndefined();
  });

  test("weights, by name", () => {
    const m = model();
    m.layers[1].bias!.set([Number.POSITIVE_INFINITY]);
    expect(firstNonFinite(m.forward(x()), m)).toBe("in the weights layers.1.bias");
  });

  test("what came in", () => {
    const m = model();
    expect(firstNonFinite(m.forward(tensor([[1, Number.NaN]])), m)).toBe("in the input data or the targets");
  });

  test("the first op that makes it of finite numbers, with the weights it used", () => {
    const m = model();
    m.layers[0].weight.set(new Float32Array(6).fill(3e38));
    const y = m.forward(x()).square();
    expect(firstNonFinite(y, m)).toBe("the output of linear with layers.0.weight, layers.0.bias");
    expect(firstNonFinite(tensor([-1]).log().exp().add(1), m)).toBe("the output of log");
    expect(
      firstNonFinite(
        checkpoint((t) => t.log(), tensor([-1])),
        m,
      ),
    ).toBe("the output of checkpoint");
  });
});

/** y = log(w·x): the loss is finite for the smallest w, the gradient 1/w is not. */
class Steep {
  readonly scale = { w: tensor([1]) };
  constructor(
    w: number,
    readonly after: (x: Tensor) => Tensor = (y) => y,
  ) {
    this.scale.w.set([w]);
  }
  forward(x: Tensor, _training?: Training): Tensor {
    return this.after(x.mul(this.scale.w).log());
  }
}

const one = new ArrayDataset(new Float32Array([1, 1]), new Float32Array([0, 0]), 2);
const task: Task = new Regression({ kind: "regression", loss: "l1", mean: [0], std: [1] });

/** What a run of the steep model says, and how often it saved. */
async function steep(
  w: number,
  options: Partial<FitOptions> = {},
): Promise<{ message: string; saved: number; model: Steep }> {
  const model = new Steep(w);
  let saved = 0;
  const save = async (): Promise<void> => void saved++;
  const optimizer = options.optimizer ?? new Adam(model, { lr: 1e-3 });
  const result = await fit(model, one, {
    epochs: 2,
    task,
    save,
    checkpointSeconds: 0,
    rng: new Rng(1),
    ...options,
    optimizer,
  }).then(
    () => "trained",
    (error: Error) => error.message,
  );
  return { message: result, saved, model };
}

describe("training that diverges stops", () => {
  test("NaN in the data: epoch, step, where, what to try", async () => {
    const data = table(26);
    data.x[30] = Number.NaN;
    const error = await run({ data }).catch((e: Error) => e);
    expect((error as Error).message).toMatch(
      /^Training stopped in epoch 1, step [1-4]: the loss is NaN; the first value that is not finite is in the input data or the targets\.\n {2}Try a lower learning rate \(now 0\.0100\), clipNorm \(for example 1\), or look for extreme values in the inputs\.$/,
    );
  });

  test("a learning rate far too high: the layer that overflows is named, and nothing is saved after it", async () => {
    const saved: Checkpoint[] = [];
    const error = await run({
      optimize: (m) => new Sgd(m, { lr: 1e6 }),
      save: async (c) => void saved.push(c),
      checkpointSeconds: 0,
      sizes: [3, 8, 8, 1],
    }).catch((e: Error) => e);
    const { message } = error as Error;
    expect(message).toMatch(/^Training stopped in epoch \d, step \d: .*layers\.\d\.(weight|bias)/);
    expect(message).toContain("The last good checkpoint is kept.");
    expect(message).toContain("(now 1.00e+6)");
    expect(saved.length).toBeGreaterThan(0);
    for (const { tensors } of saved)
      for (const [name, t] of tensors) expect(t.data.every(Number.isFinite), name).toBe(true);
    const { epoch, step } = saved.at(-1)!.state;
    const [, atEpoch, atStep] = /epoch (\d), step (\d)/.exec(message)!.map(Number);
    expect((atEpoch - epoch) * 4 + atStep - step).toBeLessThanOrEqual(1);
  });

  test("a gradient that is not finite though the loss is: the parameter is named", async () => {
    const { message, saved, model } = await steep(1e-40);
    expect(message).toMatch(
      /^Training stopped in epoch 1, step 1: the gradient of scale\.w is not finite \(loss 92\.\d+\)\.\n/,
    );
    expect(saved, "no checkpoint is claimed where there is none").toBe(0);
    expect(model.scale.w.item(), "nor is anything updated").toBe(Math.fround(1e-40));
  });

  test("of several parameters the one nearest to the loss is named: from there it spreads", async () => {
    const first = tensor([1]);
    const last = new Steep(1e-40);
    const model = { first, last, forward: (x: Tensor) => last.forward(x.mul(first)) };
    const optimizer = new Sgd(model, { lr: 1 });
    const failing = fit(model, one, { task, optimizer, rng: new Rng(1) });
    await expect(failing).rejects.toThrow("the gradient of last.scale.w is not finite");
  });

  test("a finite gradient whose square is not: Adam would stand still for ever", async () => {
    expect((await steep(1e-25)).message).toMatch(
      /step 1: the gradients exploded to a norm of 1\.00e\+25, most of it in scale\.w\.\n/,
    );
    const clipped = await steep(1e-25, { clipNorm: 1 });
    expect(clipped.message, "clipping was asked for: it goes on").toBe("trained");
    expect(clipped.model.scale.w.item()).toBeGreaterThan(1e-5);
  });

  test("weights spoilt by the very last update are noticed", async () => {
    const model = new Steep(1);
    const optimizer = new Sgd(model, { lr: 1e38 });
    const twice: Task = {
      ...task,
      loss: (y) => y.add(1).mul(1e5).sum(),
      monitor: task.monitor,
      toJSON: () => task.toJSON(),
    };
    const failing = fit(model, one, { task: twice, optimizer, rng: new Rng(1), epochs: 1 });
    await expect(failing).rejects.toThrow(
      "Training stopped in epoch 1, step 1: scale.w holds values that are not finite.",
    );
  });
});
