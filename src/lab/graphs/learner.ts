import { UserError } from "../../core/errors.ts";
import { grad } from "../../core/grad.ts";
import { noGrad } from "../../core/op.ts";
import { Rng } from "../../core/random.ts";
import { indices, scope } from "../../core/tensor.ts";
import { Graph, type GraphData } from "../../data/graph.ts";
import { parameterCount, stateDict } from "../../nn/index.ts";
import { argmax, crossEntropy, softmax } from "../../ops/index.ts";
import { batchRows, countBatches } from "../../train/batches.ts";
import { Adam } from "../../train/optim.ts";
import { GraphClassifier } from "./classifier.ts";
import type { TrainingConfig } from "./config.ts";
import { featurise, type Molecule, molecules } from "./molecules.ts";
import { TASKS } from "./options.ts";
import { type Plane, principalPlane } from "./plane.ts";

/** Figures of an epoch: means over its batches as it went on, and of the validation molecules at its end. */
interface Figures {
  trainLoss: number;
  trainAccuracy: number;
  loss: number;
  accuracy: number;
}

/** By epoch. The network as it begins is epoch 0, of which there are no training figures. */
export type Curves = { epochs: Float64Array } & Record<keyof Figures, Float64Array>;

/** The validation molecules as the network of one epoch sees them. */
export interface Cloud {
  epoch: number;
  /** Places of their embeddings in the plane of the largest variance [molecules · 2]. */
  points: Float32Array;
  /** Shares of the variance along its axes. */
  explained: readonly [number, number];
  /** Of the second class [molecules]. */
  probability: Float32Array;
}

/** A graph network on small molecules: cross-entropy, Adam at a constant rate. */
export class Learner {
  epoch = 0;
  readonly train: readonly Molecule[];
  readonly validation: readonly Molecule[];
  readonly parameters: number;
  /** Of epochs 0, 1, … */
  readonly clouds: Cloud[] = [];
  private readonly model: GraphClassifier;
  private readonly graphs: { train: GraphData[]; validation: GraphData[] };
  private readonly optimizer: Adam;
  private readonly sampler: Rng;
  private readonly steps: number;
  private step = 0;
  private order = new Int32Array(0);
  private lossSum = 0;
  private right = 0;
  private axes: Plane["axes"] | undefined;
  private readonly figures: Figures[] = [];

  constructor(private config: TrainingConfig) {
    const { task, count, layer, readout, depth, width, learningRate, batchSize, seed } = config;
    const rng = new Rng(seed);
    const made = molecules(task, count + count / 4, rng.fork(1));
    this.train = made.slice(0, count);
    this.validation = made.slice(count);
    this.graphs = { train: this.train.map(featurise), validation: this.validation.map(featurise) };
    const classes = TASKS[task].classes.length;
    const options = { layer, aggregation: readout, depth, width };
    // What is needed only while weights are drawn dies at once.
    this.model = scope(() => new GraphClassifier(3, classes, rng.fork(2), options), "model");
    this.parameters = parameterCount(this.model);
    this.optimizer = new Adam(this.model, { lr: learningRate });
    this.sampler = rng.fork(3);
    this.steps = countBatches(count, batchSize);
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

  get begun(): boolean {
    return this.epoch > 0 || this.step > 0;
  }

  /** One minibatch; true at the end of an epoch. @throws UserError where the numbers overflow */
  advance(): boolean {
    const { config, model, optimizer, steps, sampler, train } = this;
    if (this.step === 0) this.order = sampler.permutation(train.length);
    const rows = batchRows(this.order, this.step, config.batchSize, steps);
    scope(() => {
      const graph = Graph.batch(Array.from(rows, (row) => this.graphs.train[row]));
      const labels = Array.from(rows, (row) => train[row].label);
      const logits = model.forward(graph, { rng: sampler });
      const loss = crossEntropy(logits, indices(labels));
      this.right += argmax(logits).data.reduce((sum, found, i) => sum + Number(found === labels[i]), 0);
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
    const { validation, model, epoch } = this;
    const labels = validation.map(({ label }) => label);
    const { loss, probability, plane } = noGrad(() =>
      scope(() => {
        const embeddings = model.embed(Graph.batch(this.graphs.validation));
        const logits = model.head.forward(embeddings);
        const shares = softmax(logits).toArray();
        return {
          loss: crossEntropy(logits, indices(labels)).item(),
          probability: Float32Array.from(labels, (_, i) => shares[2 * i + 1]),
          plane: principalPlane(embeddings.toArray(), embeddings.shape[1], this.axes),
        };
      }, "validation"),
    );
    this.axes = plane.axes;
    this.clouds.push({ epoch, points: plane.points, explained: plane.explained, probability });
    const right = labels.filter((label, i) => Number(probability[i] > 0.5) === label).length;
    this.figures.push({ trainLoss, trainAccuracy, loss, accuracy: right / labels.length });
  }

  /** The share of the second class for any molecule. */
  predict(molecule: Pick<Molecule, "symbols" | "edges">): number {
    return noGrad(() => scope(() => softmax(this.model.forward(Graph.batch([featurise(molecule)]))).toArray()[1]));
  }

  get curves(): Curves {
    const along = (key: keyof Figures) => Float64Array.from(this.figures, (each) => each[key]);
    return {
      epochs: Float64Array.from(this.figures, (_, i) => i),
      ...{ trainLoss: along("trainLoss"), trainAccuracy: along("trainAccuracy") },
      ...{ loss: along("loss"), accuracy: along("accuracy") },
    };
  }

  /** Gives the memory back. */
  dispose(): void {
    for (const t of [...stateDict(this.model).values(), ...this.optimizer.stateDict().tensors.values()]) t.dispose();
  }
}
