import { UserError } from "../core/errors.ts";
import { grad } from "../core/grad.ts";
import type { Rng, RngState } from "../core/random.ts";
import { scope, type Tensor } from "../core/tensor.ts";
import type { Dataset } from "../data/dataset.ts";
import { loadStateDict, type Model, stateDict, type Training } from "../nn/index.ts";
import { averageOf, type WeightAverage } from "./average.ts";
import { batchRows, countBatches, evaluate, forward, predictBatches } from "./batches.ts";
import { firstNonFinite } from "./diagnose.ts";
import { clipGradientNorm, clipGradientValue, gradientNorm, type Optimizer } from "./optim.ts";
import { type LearningPlan, type ScheduleConfig, schedule } from "./schedule.ts";
import { defaultTask, type Task } from "./task.ts";

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
  /** Decay of an exponential moving average of the weights; validation and the final model use the average … */
  ema?: number;
  /** … or the mean of the weights after each epoch beyond this share of them. */
  swa?: number;
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

/** A gradient whose square is no longer finite in f32: Adam's second moment would be infinite and the weights stand still for ever. */
const EXPLODED = 1e19;

class Trainer {
  private readonly task: Task;
  private readonly batchSize: number;
  private readonly epochs: number;
  private readonly stepsPerEpoch: number;
  private readonly plan: LearningPlan;
  private readonly average: WeightAverage | undefined;
  private readonly noise: Rng;
  private readonly sampler: Rng;
  private readonly best = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  private state: FitState;
  /** There is a checkpoint to go back to. */
  private saved: boolean;
  private startedAt = performance.now();
  private savedAt = performance.now();
  private restedAt = performance.now();

  constructor(
    private readonly model: Model,
    private readonly train: Dataset,
    private readonly options: FitOptions,
  ) {
    const { optimizer, rng, epochs = 100, batchSize = 32, patience, task, resume, validation } = options;
    for (const [name, value = 1] of Object.entries({ epochs, batchSize, patience }))
      if (!(Number.isInteger(value) && value >= 1))
        throw new UserError(`fit: ${name} must be a whole number ≥ 1, not ${value}.`);
    for (const [name, value = 1] of Object.entries({ clipNorm: options.clipNorm, clipValue: options.clipValue }))
      if (!(value > 0)) throw new UserError(`fit: ${name} must be above 0, not ${value}.`);
    if (patience !== undefined && !validation)
      throw new UserError("fit: patience needs validation data.", "Pass `validation`, or leave patience out.");
    this.task = task ?? defaultTask(train);
    this.epochs = epochs;
    this.batchSize = batchSize;
    this.stepsPerEpoch = countBatches(train.length, batchSize);
    this.plan = schedule(options.schedule ?? "constant", {
      lr: optimizer.lr,
      epochs,
      stepsPerEpoch: this.stepsPerEpoch,
      mode: validation ? this.task.monitor.mode : "min",
    });
    this.average = averageOf(model, options, { epochs, stepsPerEpoch: this.stepsPerEpoch });
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
    this.saved = resume !== undefined;
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
    try {
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
      return this.result(stopped);
    } finally {
      for (const m of monitors) await m.finish?.();
    }
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
        const { inputs, targets } = this.train.batch(rows, this.noise);
        const training = { rng: this.noise, penalties: [] as Tensor[] } satisfies Training;
        const own = this.task.loss(forward(this.model, ...inputs, training), targets, inputs);
        const loss = training.penalties.reduce((sum, penalty) => sum.add(penalty), own);
        const value = loss.item();
        if (!Number.isFinite(value)) throw this.diverged(`the loss is ${value}`, { loss });
        const gradients = grad(loss, optimizer.parameters);
        const norm = clipNorm === undefined ? gradientNorm(gradients) : clipGradientNorm(gradients, clipNorm);
        if (!Number.isFinite(norm)) {
          // What is not finite spreads from where it arises to all layers before.
          const bad = gradients.map((g) => g.data.every(Number.isFinite)).lastIndexOf(false);
          throw this.diverged(`the gradient of ${optimizer.names[bad]} is not finite (loss ${value})`);
        }
        if (norm > EXPLODED && clipNorm === undefined && clipValue === undefined) {
          const norms = gradients.map((g) => gradientNorm([g]));
          const worst = optimizer.names[norms.indexOf(Math.max(...norms))];
          throw this.diverged(`the gradients exploded to a norm of ${norm.toPrecision(3)}, most of it in ${worst}`);
        }
        if (clipValue !== undefined) clipGradientValue(gradients, clipValue);
        optimizer.step(gradients);
        this.average?.update();
        state.step++;
        state.lossSum += value * rows.length;
        state.normSum += norm;
        state.seen += rows.length;
        return value;
      },
      `step ${done + 1}`,
    );
  }

  private diverged(
    what: string,
    { loss, step = this.state.step + 1 }: { loss?: Tensor; step?: number } = {},
  ): UserError {
    const { epoch } = this.state;
    const { lr } = this.options.optimizer;
    const where = loss ? firstNonFinite(loss, this.model) : undefined;
    const kept = this.saved ? " The last good checkpoint is kept." : "";
    return new UserError(
      `Training stopped in epoch ${epoch}, step ${step}: ${what}${where ? `; the first value that is not finite is ${where}` : ""}.${kept}`,
      `Try a lower learning rate (now ${lr.toPrecision(3)}), clipNorm (for example 1), or look for extreme values in the inputs.`,
    );
  }

  private async endEpoch(): Promise<void> {
    const { state, options } = this;
    const { validation, optimizer, monitors = [] } = options;
    this.checkWeights();
    this.average?.swap();
    const figures = validation && evaluate(this.model, this.task, validation);
    const loss = state.lossSum / state.seen;
    const { metric, mode } = this.task.monitor;
    const value = figures ? figures[metric] : loss;
    if (value === undefined)
      throw new UserError(`fit: there is no metric "${metric}"; there are ${Object.keys(figures!).join(", ")}.`);
    const { value: best } = state.best ?? { value: mode === "min" || !figures ? Infinity : -Infinity };
    const better = mode === "min" || !figures ? value < best : value > best;
    if (better && validation) {
      state.best = { epoch: state.epoch, value };
      for (const [name, t] of stateDict(this.model)) this.best.set(name, { shape: t.shape, data: t.toArray() });
    } else if (better) state.best = { epoch: state.epoch, value };
    this.average?.swap();
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

  /** The weights to keep: the best ones, or the averaged ones. */
  private takeBest(): void {
    if (this.best.size > 0) for (const [name, t] of stateDict(this.model)) t.set(this.best.get(name)!.data);
    else this.average?.swap();
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

  /** The last update may have spoilt weights that no loss has been computed from yet. */
  private checkWeights(): void {
    for (const [name, t] of stateDict(this.model))
      if (!t.data.every(Number.isFinite))
        throw this.diverged(`${name} holds values that are not finite`, { step: this.state.step });
  }

  private async save(): Promise<void> {
    const { save, optimizer } = this.options;
    if (!save) return;
    this.checkWeights();
    const { tensors, ...optimizerState } = optimizer.stateDict();
    const all: Checkpoint["tensors"] = new Map();
    const put = (prefix: string, entries: Iterable<[string, Tensor]>): void => {
      for (const [name, t] of entries) all.set(`${prefix}.${name}`, { shape: t.shape, data: t.toArray() });
    };
    put("model", stateDict(this.model));
    put("optimizer", tensors);
    if (this.average) put("average", this.average.averages);
    for (const [name, t] of this.best) all.set(`best.${name}`, t);
    const state: FitState = {
      ...this.state,
      noise: this.noise.state,
      optimizer: optimizerState,
      plateau: this.plan.plateau?.toJSON(),
      seconds: this.state.seconds + this.elapsed(this.startedAt),
    };
    await save({ state: structuredClone(state), tensors: all });
    this.saved = true;
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
    loadStateDict(this.model, part("model"));
    const optimizerTensors = new Map([...part("optimizer")].map(([name, t]) => [name, t.data]));
    this.options.optimizer.loadStateDict({ ...state.optimizer, tensors: optimizerTensors });
    this.average?.load(part("average"), state.optimizer.steps);
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
