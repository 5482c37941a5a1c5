import { UserError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import type { DatasetRows, LabelledDataset, RowFeaturiser } from "../data/dataset.ts";
import { featuriserFromJSON, type RowFeaturiserJson } from "../data/rowFeaturiser.ts";
import { openSafetensors, type SafetensorsFile, safetensorsPieces } from "../io/safetensors.ts";
import type { ByteSource } from "../io/source.ts";
import { type Model, stateDict } from "../nn/index.ts";
import { predictBatches, predictWithDeviations } from "./batches.ts";
import { cgcnnCard } from "./cgcnnCard.ts";
import type { ConformalConfig } from "./conformal.ts";
import { matglNames, megnetCard } from "./megnetCard.ts";
import { type Task, type TaskConfig, taskFrom } from "./task.ts";
import { fillFrom } from "./weights.ts";

/** What a model file says about itself, beside its weights. */
export interface ModelCard<A = unknown> {
  format: "spinel-model";
  version: 1;
  /** What `build` makes the model from. */
  architecture: A;
  featuriser: RowFeaturiserJson;
  /** Of the featuriser: checked when the file is read, so that a model never sees other features than it learned from. */
  featuriserHash: string;
  task: TaskConfig;
  target: { name: string; unit?: string };
  /** The column of formulas, where it is not called formula or composition. */
  formula?: string;
  /** Of a regression: how wide its intervals must be. */
  conformal?: ConformalConfig;
  /** Free facts: how it was trained, its figures. */
  notes: Record<string, string | number>;
}

/** What goes from the rows of a table to predictions: one trained model, or an ensemble of them. */
export type RowPredictor = Pick<
  Predictor,
  "card" | "featuriser" | "task" | "dataset" | "predict" | "predictWithDeviations"
>;

/** A trained model with all that it needs to go from the rows of a table to predictions. */
export class Predictor {
  private constructor(
    readonly card: ModelCard,
    readonly model: Model,
    readonly featuriser: RowFeaturiser,
    readonly task: Task,
  ) {}

  static of<A>(
    model: Model,
    featuriser: RowFeaturiser,
    task: Task,
    facts: Pick<ModelCard<A>, "architecture" | "target" | "formula" | "conformal"> & Partial<Pick<ModelCard, "notes">>,
  ): Predictor {
    const card: ModelCard<A> = {
      format: "spinel-model",
      version: 1,
      architecture: facts.architecture,
      featuriser: featuriser.toJSON() as RowFeaturiserJson,
      featuriserHash: featuriser.hash,
      task: task.toJSON(),
      target: facts.target,
      formula: facts.formula,
      conformal: facts.conformal,
      notes: facts.notes ?? {},
    };
    return new Predictor(card, model, featuriser, task);
  }

  /**
   * Reads a model file: a path in Node, a File in browsers, or bytes. `build` makes the model from its architecture (`buildModel` of
   * spinel/models); the weights go into it piece by piece. `name` is what messages call the file.
   */
  static async load<A>(
    source: ByteSource,
    build: (architecture: A, rng: Rng) => Model,
    name?: string,
  ): Promise<Predictor> {
    const file = name ?? (source instanceof Uint8Array ? "model.safetensors" : undefined);
    const stored = await openSafetensors(source, { file });
    try {
      const { card, featuriser } = cardOf<A>(stored);
      const model = build(card.architecture, new Rng(0));
      await fillFrom(stored, model, { names: matglNames(stored.metadata) });
      return new Predictor(card, model, featuriser, taskFrom(card.task));
    } finally {
      await stored.close();
    }
  }

  /** The model file, as pieces for `writeAtomic`: the tensors themselves, so write or copy each piece before any is changed. */
  toSafetensors(): Iterable<Uint8Array> {
    return safetensorsPieces(stateDict(this.model), { format: "pt", spinel: JSON.stringify(this.card) });
  }

  /** What the model sees of rows. No target column is needed. */
  dataset(rows: DatasetRows): LabelledDataset {
    return this.featuriser.dataset(withoutTargets(rows));
  }

  /** Predictions [rows, outputs] in the target's unit, or class probabilities [rows, classes]. No target column is needed. */
  predict(rows: DatasetRows): Float32Array {
    return predictBatches(this.model, this.task, this.dataset(rows));
  }

  /** Predictions and, of a model that was trained by the loss "robustL1", the standard deviation that it expects of each. */
  predictWithDeviations(rows: DatasetRows): { predictions: Float32Array; deviations?: Float32Array } {
    return predictWithDeviations(this.model, this.task, this.dataset(rows));
  }
}

/** What a model file (a path in Node, a File in browsers, or bytes) says of itself; its weights are left unread. */
export async function readCard<A>(source: ByteSource): Promise<{ card: ModelCard<A>; featuriser: RowFeaturiser }> {
  const stored = await openSafetensors(source);
  try {
    return cardOf<A>(stored);
  } finally {
    await stored.close();
  }
}

function cardOf<A>({ metadata, name }: SafetensorsFile): { card: ModelCard<A>; featuriser: RowFeaturiser } {
  const card = parseCard(metadata, name) as ModelCard<A>;
  const featuriser = featuriserFromJSON(card.featuriser);
  if (featuriser.hash !== card.featuriserHash)
    throw new UserError(
      `${name}: its features were computed by another version of spinel (${card.featuriserHash.slice(0, 12)} then, ${featuriser.hash.slice(0, 12)} now).`,
      "Predictions would be silently wrong. Use the version that trained it, or train again.",
    );
  return { card, featuriser };
}

/** `length` of a table is not a property of its own. */
const withoutTargets = (rows: DatasetRows): DatasetRows => ({ ...rows, length: rows.length, targets: undefined });

/** The card in a file's metadata, or an error that says why there is none. */
export function parseCard(metadata: Readonly<Record<string, string>>, file: string): ModelCard {
  const { spinel: text } = metadata;
  if (text === undefined) {
    const foreign = cgcnnCard(metadata) ?? megnetCard(metadata);
    if (foreign) return foreign;
    throw new UserError(`${file} holds weights but no spinel model.`, "Give the model.safetensors of a run folder.");
  }
  let card: ModelCard;
  try {
    card = JSON.parse(text);
  } catch {
    throw new UserError(`${file}: its description of the model is not JSON.`, "The file is damaged.");
  }
  if (card.format !== "spinel-model" || card.version !== 1)
    throw new UserError(`${file} was written by a newer spinel (model format ${card.version}).`, "Update spinel.");
  return card;
}
