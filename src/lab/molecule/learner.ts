import type { EnergyModel } from "../../atoms/index.ts";
import { UserError } from "../../core/errors.ts";
import { grad } from "../../core/grad.ts";
import { Rng } from "../../core/random.ts";
import { scope } from "../../core/tensor.ts";
import type { DatasetRows } from "../../data/dataset.ts";
import type { PotentialDataset } from "../../data/potentialDataset.ts";
import { PotentialFeaturiser } from "../../data/potentialFeaturiser.ts";
import { SchNet } from "../../models/schnet.ts";
import { loadStateDict, parameterCount, stateDict } from "../../nn/index.ts";
import { batchRows, countBatches, evaluate } from "../../train/batches.ts";
import { Adam } from "../../train/optim.ts";
import { Potential } from "../../train/potential.ts";
import { POTENTIAL_WEIGHTS, PotentialTask, potentialScale } from "../../train/potentialTask.ts";
import { Predictor } from "../../train/predictor.ts";
import { cosineAnnealingLr } from "../../train/schedule.ts";
import type { PotentialConfig } from "./config.ts";
import { FORCES } from "./reference.ts";

/** Å: more than any of the molecules is long, so that all atoms see each other. */
const CUTOFF = 6;
const INTERACTIONS = 2;
const BATCH = 10;
/** Hydrogen to oxygen. */
const MAX_Z = 9;

/** Errors of an epoch: of the training frames as it went on, and of the validation frames at its end, meV/Å and meV. */
interface Figures {
  trainLoss: number;
  force: number;
  energy: number;
}

/** By epoch. The network as it begins is epoch 0. */
export type Curves = { epochs: Float64Array } & Record<keyof Figures, Float64Array>;

/** SchNet learning a molecule's energies and forces: squared errors, Adam, a rate that falls along half a cosine. */
export class PotentialLearner {
  epoch = 0;
  readonly parameters: number;
  /** The force of no network at all: the mean absolute component of the validation forces, meV/Å. */
  readonly meanForce: number;
  private readonly model: SchNet;
  private readonly featuriser: PotentialFeaturiser;
  private readonly task: PotentialTask;
  private readonly data: { train: PotentialDataset; validation: PotentialDataset };
  private readonly optimizer: Adam;
  private readonly sampler: Rng;
  private readonly steps: number;
  private step = 0;
  private order = new Int32Array(0);
  private lossSum = 0;
  private readonly figures: Figures[] = [];

  constructor(
    frames: { train: DatasetRows; validation: DatasetRows },
    private config: PotentialConfig,
  ) {
    const { potentialSeed, rate } = config;
    const rng = new Rng(potentialSeed);
    this.featuriser = PotentialFeaturiser.fit({ cutoff: CUTOFF, forces: FORCES }, frames.train);
    const [train, validation] = [frames.train, frames.validation].map((rows) => this.featuriser.dataset(rows));
    this.data = { train, validation };
    const parts = { forces: true, stress: false };
    const scale = potentialScale(train.y, parts);
    this.task = new PotentialTask({ kind: "potential", loss: "mse", weights: POTENTIAL_WEIGHTS, scale, ...parts });
    // What is needed only while weights are drawn dies at once.
    this.model = scope(() => new SchNet(1, rng.fork(2), this.options), "model");
    this.parameters = parameterCount(this.model);
    this.optimizer = new Adam(this.model, { lr: rate });
    this.sampler = rng.fork(3);
    this.steps = countBatches(train.length, BATCH);
    const forces = frames.validation.structures!.flatMap(({ arrays }) => Array.from(arrays[FORCES], Math.abs));
    this.meanForce = (1000 * forces.reduce((sum, f) => sum + f, 0)) / forces.length;
    this.record(Number.NaN);
  }

  private get options() {
    return { nAtomBasis: this.config.basis, nInteractions: INTERACTIONS, cutoff: CUTOFF, maxZ: MAX_Z };
  }

  /** Changes what may change while training goes on. */
  tune(config: PotentialConfig): void {
    this.config = config;
  }

  get done(): boolean {
    return this.epoch >= this.config.rounds;
  }

  get begun(): boolean {
    return this.epoch > 0 || this.step > 0;
  }

  /** One minibatch; true at the end of an epoch. @throws UserError where the numbers overflow */
  advance(): boolean {
    const { config, model, optimizer, task, steps } = this;
    const { train } = this.data;
    if (this.step === 0) this.order = this.sampler.permutation(train.length);
    const rows = batchRows(this.order, this.step, BATCH, steps);
    const plan = cosineAnnealingLr({ lr: config.rate, tMax: config.rounds * steps, etaMin: config.rate / 100 });
    optimizer.lr = plan(this.epoch * steps + this.step);
    scope(() => {
      const { inputs, targets } = train.batch(rows);
      const loss = task.loss(model.forward(inputs[0] as never), targets, inputs);
      this.lossSum += loss.item() * rows.length;
      optimizer.step(grad(loss, optimizer.parameters));
    }, "step");
    if (!Number.isFinite(this.lossSum))
      throw new UserError(
        `The numbers overflowed in epoch ${this.epoch + 1}.`,
        "Choose a lower learning rate, then reset.",
      );
    if (++this.step < steps) return false;
    const loss = this.lossSum / train.length;
    this.epoch++;
    this.step = this.lossSum = 0;
    this.record(loss);
    return true;
  }

  private record(trainLoss: number): void {
    const { forceMae, energyMaeStructure } = evaluate(this.model, this.task, this.data.validation);
    this.figures.push({ trainLoss, force: forceMae, energy: energyMaeStructure });
  }

  get curves(): Curves {
    const along = (key: keyof Figures) => Float64Array.from(this.figures, (each) => each[key]);
    const [trainLoss, force, energy] = [along("trainLoss"), along("force"), along("energy")];
    return { epochs: Float64Array.from(this.figures, (_, i) => i), trainLoss, force, energy };
  }

  /** The network as it is now, with all that a model file holds. It shares the weights, or has a copy of them. */
  predictor({ copy = false } = {}): Predictor {
    const { config, epoch, featuriser, task, options } = this;
    let { model } = this;
    if (copy) {
      model = scope(() => new SchNet(1, new Rng(0), options), "model");
      loadStateDict(model, stateDict(this.model));
    }
    const { force } = this.figures.at(-1)!;
    const notes = { epoch, molecule: config.molecule, "validation force mae, meV/Å": force };
    const architecture = { model: "schnet", outputs: 1, ...options };
    return Predictor.of(model, featuriser, task, { architecture, target: { name: "energy", unit: "eV" }, notes });
  }

  /** Gives the memory back. */
  dispose(): void {
    release(this.model);
    for (const t of this.optimizer.stateDict().tensors.values()) t.dispose();
  }
}

/** The potential of a network as a function, with weights of its own that `end` gives back. */
export function frozen(learner: PotentialLearner): { evaluate: EnergyModel; end(): void } {
  const predictor = learner.predictor({ copy: true });
  return { evaluate: Potential.of(predictor).evaluate, end: () => release(predictor.model) };
}

function release(model: object): void {
  for (const t of stateDict(model).values()) t.dispose();
}
