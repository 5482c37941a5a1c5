import { UserError } from "../core/errors.ts";
import { grad } from "../core/grad.ts";
import { noGrad } from "../core/op.ts";
import type { Rng, RngState } from "../core/random.ts";
import { scope, type Tensor } from "../core/tensor.ts";
import { ArrayDataset, type Dataset } from "../data/dataset.ts";
import { stateDict, type Training } from "../nn/index.ts";
import { firstNonFinite } from "./diagnose.ts";
import { clipGradientNorm, clipGradientValue, Ema, gradientNorm, type Optimizer } from "./optim.ts";
import { type LearningPlan, type ScheduleConfig, schedule } from "./schedule.ts";
import { normaliserOf, Regression, type Task } from "./task.ts";

/** What `fit` trains: any object with such a `forward`. Called without the last argument, `training`, it must infer. */
export interface Model {
  forward(...args: never[]): Tensor;
}

const forward = (model: Model, ...args: unknown[]): Tensor => model.forward(...(args as never[]));

/** One line of the history: an epoch's figures. */
export interface EpochRecord {
  epoch: number;
  /** Optimizer steps taken by its end. */
  step: number;
  lr: number;
  /** Mean training loss over the epoch's samples. */
  loss: number;
  /** Mean norm of the gradient before clipping. */
  gradientNorm: number;
  /** Figures on the validation set, its loss among them. */
  validation?: Record<string, number>;
  best: boolean;
  /** Seconds of training since the start, interruptions left out. */
  seconds: number;
}

/** Watches a run: progress bars, event files, live charts. */
export interface Monitor {
  start?(info: { epochs: number; stepsPerEpoch: number; done: number; metric: string }): void;
  step?(info: { epoch: number; step: number; loss: number; samples: number }): void;
  epoch?(record: EpochRecord): void | Promise<void>;
  finish?(): void | Promise<void>;
}

/** All that a run needs to go on to the same bits: plain data and named tensors. */
export interface Checkpoint {
  state: FitState;
  tensors: Map<string, { shape: readonly number[]; data: Float32Array }>;
}

interface FitState {
  epoch: number;
  /** Steps done in this epoch. */
  step: number;
  /** The sampler as the epoch began: it gives the epoch's order again. */
  sampler: RngState;
  noise: RngState;
  lossSum: number;
  normSum: number;
  seen: number;
  optimizer: { steps: number; lr: number };
  plateau?: ReturnType<NonNullable<LearningPlan["plateau"]>["toJSON"]>;
  best?: { epoch: number; value: number };
  history: EpochRecord[];
  seconds: number;
}

export interface FitOptions {
  optimizer: Optimizer;
  rng: Rng;
  validation?: Dataset;
  /** Default: regression by squared error on normalised targets. */
  task?: Task;
  epochs?: number;
  batchSize?: number;
  /** Stop after this many epochs without a better validation figure, and go back to the best weights. */
  patience?: number;
  schedule?: ScheduleConfig | string;
  clipNorm?: number;
  clipValue?: number;
  /** Decay of an exponential moving average of the weights; validation and the final model use the average. */
  ema?: number;
  monitors?: readonly Monitor[];
  /** Receives checkpoints every `checkpointSeconds`, at the end, and when `signal` aborts. */
  save?: (checkpoint: Checkpoint) => Promise<void>;
  checkpointSeconds?: number;
  resume?: Checkpoint;
  /** Aborting finishes the step, saves a checkpoint and returns. */
  signal?: AbortSignal;
}

export interface Run {
  task: Task;
  history: EpochRecord[];
  /** Epoch and figures of the weights that the model now has: the best ones where there was validation, else the last. */
  best: { epoch: number } & Record<string, number>;
  stopped: "epochs" | "patience" | "interrupted";
  seconds: number;
  /** Predictions in the targets' units [rows, outputs], or class probabilities. */
  predict(data: Dataset): Float32Array;
}

/**
 * Trains a model in place by minibatches without replacement. The result is a function of the model, the data, the options
 * and `rng` alone: not of threads, interruptions or monitors.
 */
export async function fit(model: Model, train: Dataset, options: FitOptions): Promise<Run> {
  const trainer = new Trainer(model, train, options);
  return trainer.run();
}

class Trainer {
  private readonly task: Task;
  private readonly batchSize: number;
  private readonly epochs: number;
  private readonly stepsPerEpoch: number;
  private readonly plan: LearningPlan;
  private readonly ema: Ema | undefined;
  private readonly noise: Rng;
  private readonly sampler: Rng;
  private readonly best = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  private state: FitState;
  private startedAt = performance.now();
  private savedAt = performance.now();
  private restedAt = performance.now();

  constructor(
    private readonly model: Model,
    private readonly train: Dataset,
    private readonly options: FitOptions,
  ) {
    const { optimizer, rng, epochs = 100, batchSize = 32, task, resume, validation } = options;
    for (const [name, value] of Object.entries({ epochs, batchSize }))
      if (!(Number.isInteger(value) && value >= 1))
        throw new UserError(`fit: ${name} must be a whole number ≥ 1, not ${value}.`);
    if (options.patience !== undefined && !validation)
      throw new UserError("fit: patience needs validation data.", "Pass `validation`, or leave patience out.");
    this.task = task ?? defaultTask(train);
    this.epochs = epochs;
    this.batchSize = batchSize;
    this.stepsPerEpoch = countBatches(train.length, batchSize);
    this.plan = schedule(options.schedule ?? "constant", {
      lr: optimizer.lr,
      epochs,
      stepsPerEpoch: this.stepsPerEpoch,
    });
    this.ema = options.ema === undefined ? undefined : new Ema(model, options.ema);
    this.sampler = rng.fork(1);
    this.noise = rng.fork(2);
    this.state = {
      epoch: 1,
      step: 0,
      sampler: this.sampler.state,
      noise: this.noise.state,
      lossSum: 0,
      normSum: 0,
      seen: 0,
      optimizer: { steps: 0, lr: optimizer.lr },
      history: [],
      seconds: 0,
    };
    if (resume) this.restore(resume);
  }

  async run(): Promise<Run> {
    const { monitors = [], signal } = this.options;
    for (const m of monitors)
      m.start?.({
        epochs: this.epochs,
        stepsPerEpoch: this.stepsPerEpoch,
        done: this.state.epoch - 1,
        metric: this.metricName,
      });
    let stopped: Run["stopped"] = this.outOfPatience() ? "patience" : "epochs";
    while (stopped === "epochs" && this.state.epoch <= this.epochs) {
      if (!(await this.runEpoch())) stopped = "interrupted";
      else if (this.outOfPatience()) stopped = "patience";
      else if (signal?.aborted && this.state.epoch <= this.epochs) {
        await this.save();
        stopped = "interrupted";
      }
    }
    if (stopped !== "interrupted") {
      await this.save();
      this.takeBest();
    }
    for (const m of monitors) await m.finish?.();
    return this.result(stopped);
  }

  private get metricName(): string {
    return this.options.validation ? this.task.monitor.metric : "loss";
  }

  /** One epoch from where the state stands; false if it was interrupted (the checkpoint is saved). */
  private async runEpoch(): Promise<boolean> {
    const { state } = this;
    const { signal, monitors = [], checkpointSeconds = 10 } = this.options;
    this.sampler.state = state.sampler;
    const order = this.sampler.permutation(this.train.length);
    while (state.step < this.stepsPerEpoch) {
      if (signal?.aborted) {
        await this.save();
        return false;
      }
      const rows = batchRows(order, state.step, this.batchSize, this.stepsPerEpoch);
      const loss = this.takeStep(rows);
      for (const m of monitors) m.step?.({ epoch: state.epoch, step: state.step, loss, samples: rows.length });
      await this.rest();
      if (this.elapsed(this.savedAt) >= checkpointSeconds && state.step < this.stepsPerEpoch) await this.save();
    }
    await this.endEpoch();
    if (this.elapsed(this.savedAt) >= checkpointSeconds) await this.save();
    return true;
  }

  private takeStep(rows: Int32Array): number {
    const { optimizer, clipNorm, clipValue } = this.options;
    const { state } = this;
    const done = (state.epoch - 1) * this.stepsPerEpoch + state.step;
    optimizer.lr = this.plan.lr(done);
    if (this.plan.momentum) optimizer.setMomentum(this.plan.momentum(done));
    return scope(
      () => {
        const { inputs, targets } = this.train.batch(rows);
        const training: Training = { rng: this.noise };
        const loss = this.task.loss(forward(this.model, ...inputs, training), targets);
        const value = loss.item();
        if (!Number.isFinite(value)) throw this.diverged(`the loss is ${value}`, loss);
        const gradients = grad(loss, optimizer.parameters);
        const norm = clipNorm === undefined ? gradientNorm(gradients) : clipGradientNorm(gradients, clipNorm);
        if (!Number.isFinite(norm)) {
          const bad = gradients.findIndex((g) => !g.data.every(Number.isFinite));
          throw this.diverged(`the gradient of ${optimizer.names[bad]} is not finite (loss ${value})`);
        }
        if (clipValue !== undefined) clipGradientValue(gradients, clipValue);
        optimizer.step(gradients);
        this.ema?.update();
        state.step++;
        state.lossSum += value * rows.length;
        state.normSum += norm;
        state.seen += rows.length;
        return value;
      },
      `step ${done + 1}`,
    );
  }

  private diverged(what: string, loss?: Tensor): UserError {
    const { epoch, step } = this.state;
    const { lr } = this.options.optimizer;
    const where = loss ? firstNonFinite(loss, this.model) : undefined;
    const kept = this.options.save ? " The last good checkpoint is kept." : "";
    return new UserError(
      `Training stopped in epoch ${epoch}, step ${step + 1}: ${what}${where ? `; the first value that is not finite is ${where}` : ""}.${kept}`,
      `Try a lower learning rate (now ${lr.toPrecision(3)}), clipNorm (for example 1), or look for extreme values in the inputs.`,
    );
  }

  private async endEpoch(): Promise<void> {
    const { state, options } = this;
    const { validation, optimizer, monitors = [] } = options;
    this.ema?.swap();
    const figures = validation && this.evaluate(validation);
    const loss = state.lossSum / state.seen;
    const { metric, mode } = this.task.monitor;
    const value = figures ? figures[metric] : loss;
    const better =
      state.best === undefined || (mode === "min" || !figures ? value < state.best.value : value > state.best.value);
    if (better && validation) {
      state.best = { epoch: state.epoch, value };
      for (const [name, t] of stateDict(this.model)) this.best.set(name, { shape: t.shape, data: t.toArray() });
    } else if (better) state.best = { epoch: state.epoch, value };
    this.ema?.swap();
    this.plan.plateau?.step(value);
    const record: EpochRecord = {
      epoch: state.epoch,
      step: state.epoch * this.stepsPerEpoch,
      lr: optimizer.lr,
      loss,
      gradientNorm: state.normSum / this.stepsPerEpoch,
      ...(figures ? { validation: figures } : {}),
      best: better,
      seconds: state.seconds + this.elapsed(this.startedAt),
    };
    state.history.push(record);
    state.epoch++;
    state.step = 0;
    state.sampler = this.sampler.state;
    state.lossSum = state.normSum = state.seen = 0;
    for (const m of monitors) await m.epoch?.(record);
  }

  private outOfPatience(): boolean {
    const { best, epoch } = this.state;
    const { patience } = this.options;
    return patience !== undefined && best !== undefined && epoch - 1 - best.epoch >= patience;
  }

  /** The model's figures on a data set, its loss among them. */
  private evaluate(data: Dataset): Record<string, number> {
    let lossSum = 0;
    const targets: Float32Array[] = [];
    const predictions = predictBatches(this.model, this.task, data, (output, t) => {
      lossSum += this.task.loss(output, t).item() * (t.length / targetWidth(this.task));
      targets.push(t);
    });
    return { loss: lossSum / data.length, ...this.task.metrics(predictions, join(targets)) };
  }

  /** The weights to keep: the best ones, or the averaged ones. */
  private takeBest(): void {
    if (this.best.size > 0) for (const [name, t] of stateDict(this.model)) t.set(this.best.get(name)!.data);
    else this.ema?.swap();
  }

  /** Lets timers, signals and messages in every now and then: compute is synchronous. */
  private async rest(): Promise<void> {
    if (this.elapsed(this.restedAt) < 0.03) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.restedAt = performance.now();
  }

  private elapsed(since: number): number {
    return (performance.now() - since) / 1000;
  }

  private async save(): Promise<void> {
    const { save, optimizer } = this.options;
    if (!save) return;
    const { tensors, ...optimizerState } = optimizer.stateDict();
    const all: Checkpoint["tensors"] = new Map();
    const put = (prefix: string, entries: Iterable<[string, Tensor]>): void => {
      for (const [name, t] of entries) all.set(`${prefix}.${name}`, { shape: t.shape, data: t.toArray() });
    };
    put("model", stateDict(this.model));
    put("optimizer", tensors);
    if (this.ema) put("ema", this.ema.averages);
    for (const [name, t] of this.best) all.set(`best.${name}`, t);
    for (const [name, t] of all)
      if (name.startsWith("model.") && !t.data.every(Number.isFinite))
        throw this.diverged(`${name.slice(6)} holds values that are not finite`);
    const state: FitState = {
      ...this.state,
      noise: this.noise.state,
      optimizer: optimizerState,
      plateau: this.plan.plateau?.toJSON(),
      seconds: this.state.seconds + this.elapsed(this.startedAt),
    };
    await save({ state: structuredClone(state), tensors: all });
    this.savedAt = performance.now();
  }

  private restore({ state, tensors }: Checkpoint): void {
    const part = (prefix: string): Map<string, { shape: readonly number[]; data: Float32Array }> =>
      new Map(
        [...tensors].flatMap(([name, t]) =>
          name.startsWith(`${prefix}.`) ? [[name.slice(prefix.length + 1), t]] : [],
        ),
      );
    this.state = structuredClone(state);
    const own = stateDict(this.model);
    for (const [name, t] of part("model")) own.get(name)?.set(t.data);
    const optimizerTensors = new Map([...part("optimizer")].map(([name, t]) => [name, t.data]));
    this.options.optimizer.loadStateDict({ ...state.optimizer, tensors: optimizerTensors });
    for (const [name, t] of part("ema")) this.ema?.averages.get(name)?.set(t.data);
    for (const [name, t] of part("best")) this.best.set(name, t);
    this.noise.state = state.noise;
    if (state.plateau) this.plan.plateau?.load(state.plateau);
  }

  private result(stopped: Run["stopped"]): Run {
    const { history, best } = this.state;
    const record = history.find((r) => r.epoch === (this.options.validation ? best?.epoch : history.length));
    const figures = record ? (record.validation ?? { loss: record.loss }) : {};
    return {
      task: this.task,
      history,
      best: { ...figures, epoch: record?.epoch ?? 0 },
      stopped,
      seconds: this.state.seconds + this.elapsed(this.startedAt),
      predict: (data) => predictBatches(this.model, this.task, data),
    };
  }
}

function defaultTask(train: Dataset): Task {
  if (!(train instanceof ArrayDataset)) throw new UserError("fit: this data set needs an explicit `task`.");
  return new Regression({ kind: "regression", loss: "mse", ...normaliserOf(train.y, train.outputs) });
}

/** Batches in an epoch. A last batch of a single row joins the one before: batch norm could not use it. */
function countBatches(n: number, batchSize: number): number {
  const count = Math.ceil(n / batchSize);
  return count > 1 && n % batchSize === 1 ? count - 1 : count;
}

function batchRows(order: Int32Array, step: number, batchSize: number, count: number): Int32Array {
  return order.slice(step * batchSize, step === count - 1 ? order.length : (step + 1) * batchSize);
}

const targetWidth = (task: Task): number => (task.toJSON().kind === "classification" ? 1 : task.outputs);

/** The model's predictions for a whole data set, in batches of bounded size. */
export function predictBatches(
  model: Model,
  task: Task,
  data: Dataset,
  each?: (output: Tensor, targets: Float32Array) => void,
  batchSize = 1024,
): Float32Array {
  const parts: Float32Array[] = [];
  for (let first = 0; first < data.length; first += batchSize) {
    const rows = Int32Array.from({ length: Math.min(batchSize, data.length - first) }, (_, i) => first + i);
    noGrad(() =>
      scope(() => {
        const { inputs, targets } = data.batch(rows);
        const output = forward(model, ...inputs);
        parts.push(task.decode(output));
        each?.(output, targets);
      }, "prediction"),
    );
  }
  return join(parts);
}

function join(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((total, p) => total + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
