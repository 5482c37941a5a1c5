import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { DatasetRows, LabelledDataset, RowFeaturiser } from "../data/dataset.ts";
import type { ByteSource } from "../io/source.ts";
import type { Model } from "../nn/index.ts";
import { predictWithDeviations } from "./batches.ts";
import type { ConformalConfig } from "./conformal.ts";
import { type Mixed, Mixture } from "./mixture.ts";
import { type ModelCard, Predictor, type RowPredictor } from "./predictor.ts";
import type { Task } from "./task.ts";

/**
 * Several models that learned the same from different random starts. Their mean is better than one of them, and where they differ
 * they do not know: deep ensembles, Lakshminarayanan, Pritzel & Blundell, NeurIPS 2017.
 */
export class Ensemble implements RowPredictor {
  /** The first member's; its intervals are those of the ensemble. */
  readonly card: ModelCard;

  /** @throws UserError for fewer than two members, and for members that see or predict different things */
  constructor(
    readonly members: readonly Predictor[],
    { conformal }: { conformal?: ConformalConfig } = {},
  ) {
    if (members.length < 2) throw new UserError(`An ensemble needs at least two members, not ${members.length}.`);
    const [{ card }] = members;
    if (card.task.kind === "potential")
      throw new UserError("An ensemble averages numbers or classes; these members are potentials.");
    const facts = ({ featuriserHash, target, task }: ModelCard): string =>
      JSON.stringify([featuriserHash, target.name, task.kind, "classes" in task ? task.classes : []]);
    const other = members.findIndex((member) => facts(member.card) !== facts(card));
    if (other >= 0)
      throw new UserError(
        `Members 1 and ${other + 1} of the ensemble have other features, targets or classes.`,
        "The members of an ensemble are trained on the same data.",
      );
    this.card = { ...card, conformal };
  }

  /** Reads the members' model files; see `Predictor.load`. */
  static async load<A>(
    sources: readonly ByteSource[],
    build: (architecture: A, rng: Rng) => Model,
    options?: { conformal?: ConformalConfig },
  ): Promise<Ensemble> {
    const members: Predictor[] = [];
    for (const source of sources) members.push(await Predictor.load(source, build));
    return new Ensemble(members, options);
  }

  get featuriser(): RowFeaturiser {
    return this.members[0].featuriser;
  }

  get task(): Task {
    return this.members[0].task;
  }

  dataset(rows: DatasetRows): LabelledDataset {
    return this.members[0].dataset(rows);
  }

  /** The mean of the members' predictions, or of their class probabilities. */
  predict(rows: DatasetRows): Float32Array {
    return this.predictWithDeviations(rows).predictions;
  }

  /** With the standard deviation of each number: how far the members differ and, where they know it, what they expect themselves. */
  predictWithDeviations(rows: DatasetRows): Mixed {
    return this.mix(this.dataset(rows));
  }

  /** The same for rows that are a data set already. */
  mix(data: LabelledDataset): Mixed {
    const mixture = new Mixture();
    for (const { model, task } of this.members) mixture.add(predictWithDeviations(model, task, data));
    return mixture.result;
  }
}
