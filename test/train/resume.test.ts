import { beforeAll, describe, expect, test } from "vitest";
import { init } from "../../src/index.ts";
import type { Mlp } from "../../src/models/index.ts";
import type { Checkpoint } from "../../src/train/fit.ts";
import { Lamb } from "../../src/train/lamb.ts";
import { Lookahead } from "../../src/train/lookahead.ts";
import { Adam, AdamW, Rmsprop, Sgd } from "../../src/train/optim.ts";
import { Classification } from "../../src/train/task.ts";
import { circle, figures, run, type Setup, scripted, table } from "./runs.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

/** What a file keeps of a checkpoint: JSON and copies of the numbers. */
function stored({ state, tensors }: Checkpoint): Checkpoint {
  const copies = [...tensors].map(
    ([name, { shape, data }]) => [name, { shape: [...shape], data: data.slice() }] as const,
  );
  return { state: JSON.parse(JSON.stringify(state)), tensors: new Map(copies) };
}

/** Every checkpoint that a run can leave behind, one after each step. */
async function recorded(setup: Setup) {
  const checkpoints: Checkpoint[] = [];
  const save = async (checkpoint: Checkpoint): Promise<void> => void checkpoints.push(stored(checkpoint));
  const result = await run({ ...setup, save, checkpointSeconds: 0 });
  return { checkpoints, result };
}

/** Optimizers' tensors, weights, best weights and averages, without times. */
function comparable({ state, tensors }: Checkpoint): object {
  const { seconds: _, history, ...rest } = state;
  return { rest, history: figures(history), tensors };
}

const scores = [9, 7, 8, 7.5, 7.2, 3, 2, 1];
/** Options of a run of which so many epochs are done: scripted scores go on where they stopped. */
const RUNS: [string, (done: number) => Setup][] = [
  ["dropout, Adam", () => ({ mlp: { dropout: 0.4 }, epochs: 3 })],
  [
    "batch norm, momentum, plateau, validation",
    () => ({
      mlp: { norm: "batch" },
      optimize: (m: Mlp) => new Sgd(m, { lr: 0.05, momentum: 0.9, nesterov: true }),
      schedule: { name: "reduceOnPlateau", patience: 0, factor: 0.5, cooldown: 1 },
      validation: table(12, 3),
      epochs: 5,
    }),
  ],
  [
    "averages, one cycle with momentum, clipping, validation",
    () => ({
      ema: 0.8,
      clipNorm: 0.7,
      mlp: { dropout: 0.2, norm: "layer", activation: "silu" },
      optimize: (m: Mlp) => new AdamW(m, { amsgrad: true }),
      schedule: { name: "oneCycle", maxLr: 0.02, cycleMomentum: true },
      validation: table(12, 3),
      epochs: 4,
    }),
  ],
  [
    "early stopping, averages, RMSprop",
    (done) => ({
      task: scripted(scores.slice(done)),
      ema: 0.5,
      mlp: { dropout: [0.3] },
      optimize: (m: Mlp) => new Rmsprop(m, { lr: 1e-3, momentum: 0.5 }),
      schedule: { name: "cosineAnnealing", warmUpSteps: 3 },
      validation: table(12, 3),
      patience: 3,
      epochs: 8,
    }),
  ],
  [
    "LAMB with lookahead, weights averaged from the second epoch on",
    () => ({
      swa: 0.25,
      mlp: { dropout: 0.2 },
      optimize: (m: Mlp) => new Lookahead(new Lamb(m, { lr: 0.02, weightDecay: 0.1 }), { k: 3 }),
      validation: table(12, 3),
      epochs: 4,
    }),
  ],
  [
    "classification, a last batch that takes in a single row",
    () => ({
      data: circle(17),
      task: new Classification({ kind: "classification", classes: ["out", "in"] }),
      sizes: [2, 8, 2],
      optimize: (m: Mlp) => new Adam(m, { lr: 0.02, l1: 1e-4 }),
      epochs: 7,
    }),
  ],
];

describe.each(RUNS)("%s", (_name, options) => {
  test("killed after any step, it ends with the same bits", async () => {
    const { checkpoints, result } = await recorded(options(0));
    const finished = result.history.length;
    const stepsPerEpoch = result.history[0].step;
    // After every step but an epoch's last one, after every epoch, and at the end.
    expect(checkpoints.length).toBe(finished * stepsPerEpoch + 1);
    for (const [at, checkpoint] of checkpoints.entries()) {
      const saved: Checkpoint[] = [];
      const again = await run({
        ...options(checkpoint.state.epoch - 1),
        resume: checkpoint,
        save: async (c) => void saved.push(stored(c)),
        checkpointSeconds: 0,
      });
      const { epoch, step } = checkpoint.state;
      const what = `resumed in epoch ${epoch} after step ${step}`;
      expect(again.weights, what).toEqual(result.weights);
      expect(figures(again.history), what).toEqual(figures(result.history));
      expect([again.best, again.stopped], what).toEqual([result.best, result.stopped]);
      expect(again.optimizer.steps, what).toBe(result.optimizer.steps);
      // The rest of the checkpoints are the same, down to optimizer, generator and schedule.
      const rest = checkpoints.slice(at + 1).map(comparable);
      expect(saved.map(comparable).slice(-Math.max(1, rest.length)), what).toEqual(
        rest.length > 0 ? rest : [comparable(checkpoint)],
      );
    }
  });

  test("interrupted again and again, it ends with the same bits", async () => {
    const { result } = await recorded(options(0));
    let resume: Checkpoint | undefined;
    let interruptions = 0;
    for (let attempt = 0; attempt < 100; attempt++) {
      const controller = new AbortController();
      const before = resume;
      let taken = 0;
      const again = await run({
        ...options((before?.state.epoch ?? 1) - 1),
        resume,
        signal: controller.signal,
        save: async (c) => {
          resume = stored(c);
        },
        monitors: [{ step: () => void (++taken === 3 && controller.abort()) }],
      });
      if (again.stopped !== "interrupted") {
        expect(again.weights).toEqual(result.weights);
        expect(figures(again.history)).toEqual(figures(result.history));
        expect(interruptions).toBeGreaterThan(2);
        return;
      }
      interruptions++;
      expect(resume).not.toBe(before);
    }
    expect.fail("the run never ended");
  });
});

describe("interruption", () => {
  test("finishes the step, saves, and says so", async () => {
    const controller = new AbortController();
    const saved: Checkpoint[] = [];
    let steps = 0;
    const { stopped, optimizer, history } = await run({
      signal: controller.signal,
      save: async (c) => void saved.push(c),
      monitors: [
        {
          step: () => {
            if (++steps === 6) controller.abort();
          },
        },
      ],
    });
    expect([stopped, steps, optimizer.steps, history.length, saved.length]).toEqual(["interrupted", 6, 6, 1, 1]);
    expect([saved[0].state.epoch, saved[0].state.step]).toEqual([2, 2]);
  });

  test("at the end of an epoch, before the first step, and after the last", async () => {
    for (const [at, epoch, step, stopped] of [
      [4, 2, 0, "interrupted"],
      [0, 1, 0, "interrupted"],
      [16, 5, 0, "epochs"],
    ] as const) {
      const controller = new AbortController();
      const saved: Checkpoint[] = [];
      let steps = 0;
      const abort = (): void => {
        if (steps === at) controller.abort();
      };
      abort();
      const result = await run({
        signal: controller.signal,
        save: async (c) => void saved.push(c),
        monitors: [
          {
            step: () => {
              steps++;
              abort();
            },
          },
        ],
      });
      expect([result.stopped, saved.at(-1)!.state.epoch, saved.at(-1)!.state.step]).toEqual([stopped, epoch, step]);
    }
  });

  test("a signal that arrives by a timer is seen while training computes", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const { stopped } = await run({ signal: controller.signal, epochs: 1_000_000 });
    expect(stopped).toBe("interrupted");
  });
});

describe("checkpoints", () => {
  test("come every so many seconds, not at every step", async () => {
    const saved: Checkpoint[] = [];
    await run({ save: async (c) => void saved.push(c), checkpointSeconds: 1000 });
    expect(saved.map(({ state }) => state.epoch)).toEqual([5]);
  });

  test("are not changed by the training that goes on", async () => {
    const { checkpoints } = await recorded({ validation: table(5, 2), ema: 0.9 });
    const live: Checkpoint[] = [];
    await run({ validation: table(5, 2), ema: 0.9, save: async (c) => void live.push(c), checkpointSeconds: 0 });
    expect(live.map(comparable)).toEqual(checkpoints.map(comparable));
  });

  test("of another model are refused with a list of what does not fit", async () => {
    const { checkpoints } = await recorded({ epochs: 1 });
    await expect(run({ sizes: [3, 9, 1], resume: checkpoints[0] })).rejects.toThrow(
      /weights do not fit the model: mis-shaped: layers\.0\.weight is \[8, 3\], the model has \[9, 3\]/,
    );
    await expect(run({ mlp: { norm: "layer" }, resume: checkpoints[0] })).rejects.toThrow(/missing: norms\.0\.weight/);
    await expect(run({ optimize: (m) => new Rmsprop(m), resume: checkpoints[0] })).rejects.toThrow(
      "The checkpoint has no optimizer state for layers.0.weight.square_avg.",
    );
  });

  test("time already spent is counted on", async () => {
    const { checkpoints } = await recorded({ epochs: 2 });
    const half = { ...checkpoints[3], state: { ...checkpoints[3].state, seconds: 1000 } };
    const before = structuredClone(half.state);
    await run({ epochs: 2, resume: half });
    expect(half.state, "and the checkpoint is as it was").toEqual(before);
    const { seconds, history } = await run({ epochs: 2, resume: half });
    expect(seconds).toBeGreaterThan(1000);
    expect(history.at(-1)!.seconds).toBeGreaterThan(1000);
  });
});
