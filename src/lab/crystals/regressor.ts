import { UserError } from "../../core/errors.ts";
import { grad } from "../../core/grad.ts";
import { Rng } from "../../core/random.ts";
import { scope } from "../../core/tensor.ts";
import { CrystalGraphFeaturiser, type GraphDataset } from "../../data/crystalGraph.ts";
import { splitRows } from "../../data/dataset.ts";
import type { Table } from "../../data/table.ts";
import { type Architecture, buildModel, CGCNN_BASIS } from "../../models/index.ts";
import { type Model, parameterCount, stateDict } from "../../nn/index.ts";
import { meanPredictor } from "../../train/baselines.ts";
import { batchRows, countBatches, forward, predictBatches } from "../../train/batches.ts";
import { mae } from "../../train/metrics.ts";
import { AdamW } from "../../train/optim.ts";
import { Predictor } from "../../train/predictor.ts";
import { type LearningPlan, schedule } from "../../train/schedule.ts";
import { normaliserOf, type Task, taskFrom } from "../../train/task.ts";
import type { TrainingConfig } from "./config.ts";
import type { Problem } from "./reading.ts";

/** Figures by epoch. The network as it begins is epoch 0, of which there is no training error. */
export interface Curve {
  epochs: Float64Array;
  train: Float64Array;
  validation: Float64Array;
}

/** What is to be learned: rows with structures and one target. */
export interface LearningData {
  table: Table;
  target: { name: string; unit?: string };
}

/** Share of the crystals that is trained on. */
const TRAINED = 0.8;
const WEIGHT_DECAY = 1e-4;

/**
 * CGCNN on crystals, trained as `spinel train cgcnn` does: AdamW, one cycle of the learning rate over all epochs, mean absolute
 * error. A fifth of the rows is held out for validation.
 */
export class Regressor {
  epoch = 0;
  /** What the network of this epoch says of the validation rows. */
  predicted: Float32Array = new Float32Array(0);
  /** Rows that make no graph. */
  readonly left: Problem[] = [];
  readonly train: Table;
  readonly validation: Table;
  readonly target: LearningData["target"];
  /** MAE on the validation rows of the mean of the training targets: what a network must beat. */
  readonly meanMae: number;
  readonly parameters: number;
  readonly featuriser: CrystalGraphFeaturiser;
  private readonly data: { train: GraphDataset; validation: GraphDataset };
  private readonly task: Task;
  private readonly std: number;
  private readonly architecture: Architecture;
  private readonly model: Model;
  private readonly optimizer: AdamW;
  private readonly sampler: Rng;
  private readonly stepsPerEpoch: number;
  private plan: LearningPlan;
  private order = new Int32Array(0);
  /** Steps taken in the present epoch. */
  private step = 0;
  private lossSum = 0;
  private readonly curve: { train: number; validation: number }[] = [];

  /** @throws UserError where fewer than four crystals can be learned from */
  constructor(
    { table, target }: LearningData,
    private config: TrainingConfig,
  ) {
    const { cutoff, neighbours, shells, width, convolutions, learningRate, batchSize, seed } = config;
    const rng = new Rng(seed);
    this.target = target;
    this.featuriser = new CrystalGraphFeaturiser({ radius: cutoff, maxNeighbours: neighbours, shells });
    const usable = this.usable(table);
    if (usable.length < LEAST)
      throw new UserError(
        `${table.file}: ${usable.length} of ${table.length} crystals can be learned from; that is too few.`,
        this.left[0]?.message ?? `Give at least ${LEAST}.`,
      );
    const [trained, held] = splitRows(usable.length, TRAINED, rng.fork(1));
    this.train = table.rows(trained.map((i) => usable[i]));
    this.validation = table.rows(held.map((i) => usable[i]));
    this.data = { train: this.featuriser.dataset(this.train), validation: this.featuriser.dataset(this.validation) };
    const { y } = this.data.train;
    const normaliser = normaliserOf(y, 1);
    [this.std] = normaliser.std;
    this.task = taskFrom({ kind: "regression", loss: "l1", ...normaliser });
    const { validation } = this.data;
    this.meanMae = mae(meanPredictor(y, 1)(validation.length), validation.y);
    this.architecture = {
      ...{ model: "cgcnn", inputs: this.featuriser.width, outputs: 1, atomFeaLen: width, nConv: convolutions },
      ...{ hFeaLen: 2 * width, nH: 1, basis: CGCNN_BASIS },
    };
    this.model = buildModel(this.architecture, rng.fork(2));
    this.parameters = parameterCount(this.model);
    this.optimizer = new AdamW(this.model, { lr: learningRate, weightDecay: WEIGHT_DECAY });
    this.sampler = rng.fork(3);
    this.stepsPerEpoch = countBatches(this.train.length, batchSize);
    this.plan = this.newPlan();
    this.record(Number.NaN);
  }

  /** The rows that make a graph; the others are listed in `left`. */
  private usable({ structures, ids, length }: Table): Int32Array {
    const rows = Int32Array.from({ length }, (_, i) => i);
    return rows.filter((i) => {
      try {
        this.featuriser.check(structures![i]);
        return true;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        this.left.push({ file: ids[i], message: error.message.split("\n")[0] });
        return false;
      }
    });
  }

  /** Changes what may change while training goes on. */
  tune(config: TrainingConfig): void {
    this.config = config;
    this.plan = this.newPlan();
  }

  private newPlan(): LearningPlan {
    const { learningRate: lr, epochs } = this.config;
    return schedule("oneCycle", { lr, epochs, stepsPerEpoch: this.stepsPerEpoch, mode: "min" });
  }

  get done(): boolean {
    return this.epoch >= this.config.epochs;
  }

  /** Of graphs and atoms that it learns from. */
  get edges(): number {
    return this.data.train.graphs.reduce((sum, graph) => sum + graph.edges, 0);
  }

  get isolated(): number {
    return this.data.train.isolated + this.data.validation.isolated;
  }

  /** One minibatch; true at the end of an epoch. @throws UserError where the numbers overflow */
  advance(): boolean {
    const { config, model, optimizer, plan, task, stepsPerEpoch } = this;
    if (this.step === 0) this.order = this.sampler.permutation(this.train.length);
    const rows = batchRows(this.order, this.step, config.batchSize, stepsPerEpoch);
    const done = this.epoch * stepsPerEpoch + this.step;
    optimizer.lr = plan.lr(done);
    if (plan.momentum) optimizer.setMomentum(plan.momentum(done));
    this.lossSum +=
      scope(() => {
        const { inputs, targets } = this.data.train.batch(rows);
        const loss = task.loss(forward(model, ...inputs, { rng: this.sampler }), targets, inputs);
        optimizer.step(grad(loss, optimizer.parameters));
        return loss.item();
      }, "step") * rows.length;
    if (!Number.isFinite(this.lossSum))
      throw new UserError(
        `The numbers overflowed in epoch ${this.epoch + 1}.`,
        "Choose a lower learning rate, then reset.",
      );
    if (++this.step < stepsPerEpoch) return false;
    const train = (this.std * this.lossSum) / this.train.length;
    this.epoch++;
    this.step = this.lossSum = 0;
    this.record(train);
    return true;
  }

  private record(train: number): void {
    const { validation } = this.data;
    this.predicted = predictBatches(this.model, this.task, validation);
    this.curve.push({ train, validation: mae(this.predicted, validation.y) });
  }

  /** Of each epoch: the mean error over its batches as it went on, and the validation error at its end. eV/atom or the target's unit. */
  get curves(): Curve {
    return {
      epochs: Float64Array.from(this.curve, (_, i) => i),
      train: Float64Array.from(this.curve, ({ train }) => train),
      validation: Float64Array.from(this.curve, ({ validation }) => validation),
    };
  }

  /** The network as it is now, with all that a model file holds. It shares the weights. */
  predictor(): Predictor {
    const { config, epoch, train, target } = this;
    const notes = { epoch, "validation mae": this.curve.at(-1)!.validation, rows: train.length, seed: config.seed };
    return Predictor.of(this.model, this.featuriser, this.task, { architecture: this.architecture, target, notes });
  }

  /** Gives the memory back. */
  dispose(): void {
    for (const t of [...stateDict(this.model).values(), ...this.optimizer.stateDict().tensors.values()]) t.dispose();
  }
}

const LEAST = 4;
