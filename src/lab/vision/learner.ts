import { UserError } from "../../core/errors.ts";
import { grad } from "../../core/grad.ts";
import { Rng } from "../../core/random.ts";
import { scope } from "../../core/tensor.ts";
import { AUGMENT_PRESETS } from "../../data/augment.ts";
import { type ImageDataset, ImageFeaturiser } from "../../data/imageFeaturiser.ts";
import { TinyVgg } from "../../models/tinyVgg.ts";
import { stateDict } from "../../nn/index.ts";
import { argmax } from "../../ops/index.ts";
import { batchRows, countBatches, predictBatches } from "../../train/batches.ts";
import { confusionMatrix } from "../../train/metrics.ts";
import type { Optimizer } from "../../train/optim.ts";
import { Predictor } from "../../train/predictor.ts";
import { type Task, taskFrom } from "../../train/task.ts";
import { makeOptimizer } from "../kit/makeOptimizer.ts";
import type { TrainingConfig } from "./config.ts";
import type { LearningImages } from "./pictures.ts";

/** Figures of an epoch: means over its batches as it went on, and of the validation images at its end. */
interface Figures {
  trainLoss: number;
  trainAccuracy: number;
  loss: number;
  accuracy: number;
}

/** By epoch. The network as it begins is epoch 0, of which there are no training figures. */
export type Curves = { epochs: Float64Array } & Record<keyof Figures, Float64Array>;

/** TinyVGG on simulated micrographs: cross-entropy at a constant learning rate, the classes in random order. */
export class Learner {
  epoch = 0;
  readonly model: TinyVgg;
  readonly featuriser: ImageFeaturiser;
  readonly task: Task;
  /** Of the validation images [rows, classes], at the end of the last epoch. */
  probabilities: Float32Array = new Float32Array(0);
  /** Counts [true class][predicted class] of the same. */
  confusion: number[][] = [];
  /** Batches of an epoch. */
  readonly steps: number;
  /** Batches done in the present epoch. */
  step = 0;
  private readonly data: { train: ImageDataset; validation: ImageDataset };
  private readonly optimizer: Optimizer;
  private readonly sampler: Rng;
  private order = new Int32Array(0);
  private lossSum = 0;
  private right = 0;
  private readonly figures: Figures[] = [];

  constructor(
    { train, validation }: LearningImages,
    private config: TrainingConfig,
  ) {
    const { classes, size, augment, optimizer, learningRate, batchSize, seed } = config;
    const rng = new Rng(seed);
    this.featuriser = ImageFeaturiser.fit(augment ? { augment: AUGMENT_PRESETS.texture } : {}, train);
    this.data = { train: this.featuriser.dataset(train), validation: this.featuriser.dataset(validation) };
    this.task = taskFrom({ kind: "classification", classes: [...classes] });
    this.model = new TinyVgg([1, size, size], classes.length, rng.fork(2));
    this.optimizer = makeOptimizer[optimizer](this.model, learningRate);
    this.sampler = rng.fork(3);
    this.steps = countBatches(train.length, batchSize);
    this.record(Number.NaN, Number.NaN);
  }

  /** Changes what may change while training goes on. */
  tune(config: TrainingConfig): void {
    this.config = config;
    this.optimizer.lr = config.learningRate;
  }

  get done(): boolean {
    return this.epoch >= this.config.epochs;
  }

  /** One minibatch; true at the end of an epoch. @throws UserError where the numbers overflow */
  advance(): boolean {
    const { config, model, optimizer, task, steps, sampler } = this;
    const { train } = this.data;
    if (this.step === 0) this.order = sampler.permutation(train.length);
    const rows = batchRows(this.order, this.step, config.batchSize, steps);
    scope(() => {
      const { inputs, targets } = train.batch(rows, sampler);
      const output = model.forward(inputs[0] as never);
      const loss = task.loss(output, targets, inputs);
      this.right += argmax(output).data.reduce((sum, found, i) => sum + Number(found === targets[i]), 0);
      this.lossSum += loss.item() * rows.length;
      optimizer.step(grad(loss, optimizer.parameters));
    }, "step");
    if (!Number.isFinite(this.lossSum))
      throw new UserError(
        `The numbers overflowed in epoch ${this.epoch + 1}.`,
        "Choose a lower learning rate, then reset.",
      );
    if (++this.step < steps) return false;
    const [loss, accuracy] = [this.lossSum / train.length, this.right / train.length];
    this.epoch++;
    this.step = this.lossSum = this.right = 0;
    this.record(loss, accuracy);
    return true;
  }

  private record(trainLoss: number, trainAccuracy: number): void {
    const { validation } = this.data;
    const classes = this.task.outputs;
    let lossSum = 0;
    const predicted: number[] = [];
    this.probabilities = predictBatches(this.model, this.task, validation, (output, targets, inputs) => {
      lossSum += this.task.loss(output, targets, inputs).item() * targets.length;
      predicted.push(...argmax(output).data);
    });
    this.confusion = confusionMatrix(predicted, validation.y, { classes });
    const right = this.confusion.reduce((sum, row, c) => sum + row[c], 0);
    const n = validation.length;
    this.figures.push({ trainLoss, trainAccuracy, loss: lossSum / n, accuracy: right / n });
  }

  get curves(): Curves {
    const along = (key: keyof Figures) => Float64Array.from(this.figures, (each) => each[key]);
    return {
      epochs: Float64Array.from(this.figures, (_, i) => i),
      ...{ trainLoss: along("trainLoss"), trainAccuracy: along("trainAccuracy") },
      ...{ loss: along("loss"), accuracy: along("accuracy") },
    };
  }

  /** The network as it is now, with all that a model file holds. It shares the weights. */
  predictor(): Predictor {
    const { config, epoch, featuriser, task, model } = this;
    const { size, classes, images, seed } = config;
    const accuracy = this.figures.at(-1)!.accuracy;
    const notes = { epoch, "validation accuracy": accuracy, rows: images, seed };
    const architecture = { model: "tinyvgg", inputs: [1, size, size], outputs: classes.length };
    return Predictor.of(model, featuriser, task, { architecture, target: { name: "class" }, notes });
  }

  /** Gives the memory back. */
  dispose(): void {
    for (const t of [...stateDict(this.model).values(), ...this.optimizer.stateDict().tensors.values()]) t.dispose();
  }
}
