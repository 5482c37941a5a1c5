import { UserError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import type { DatasetRows, RowFeaturiser } from "../data/dataset.ts";
import { featuriserFromJSON, type RowFeaturiserJson } from "../data/rowFeaturiser.ts";
import { decodeSafetensors, safetensorsPieces, toFloat32 } from "../io/safetensors.ts";
import { loadStateDict, type Model, stateDict } from "../nn/index.ts";
import { cgcnnCard } from "./cgcnnCard.ts";
import { predictBatches } from "./fit.ts";
import { type Task, type TaskConfig, taskFrom } from "./task.ts";

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
  /** Free facts: how it was trained, its figures. */
  notes: Record<string, string | number>;
}

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
    facts: Pick<ModelCard<A>, "architecture" | "target" | "formula"> & Partial<Pick<ModelCard, "notes">>,
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
      notes: facts.notes ?? {},
    };
    return new Predictor(card, model, featuriser, task);
  }

  /** Reads a model file. `build` makes the model from its architecture (`buildModel` of spinel/models). */
  static load<A>(
    bytes: Uint8Array,
    build: (architecture: A, rng: Rng) => Model,
    file = "model.safetensors",
  ): Predictor {
    const { tensors, metadata } = decodeSafetensors(bytes, { file });
    const card = parseCard(metadata, file) as ModelCard<A>;
    const featuriser = featuriserFromJSON(card.featuriser);
    if (featuriser.hash !== card.featuriserHash)
      throw new UserError(
        `${file}: its features were computed by another version of spinel (${card.featuriserHash.slice(0, 12)} then, ${featuriser.hash.slice(0, 12)} now).`,
        "Predictions would be silently wrong. Use the version that trained it, or train again.",
      );
    const model = build(card.architecture, new Rng(0));
    loadStateDict(model, new Map([...tensors].map(([name, t]) => [name, { shape: t.shape, data: toFloat32(t) }])));
    return new Predictor(card, model, featuriser, taskFrom(card.task));
  }

  /** The model file, as pieces for `writeAtomic`. */
  toSafetensors(): Uint8Array[] {
    const tensors = new Map(
      [...stateDict(this.model)].map(([name, t]) => [name, { shape: t.shape, data: t.toArray() }]),
    );
    return safetensorsPieces(tensors, { format: "pt", spinel: JSON.stringify(this.card) });
  }

  /** Predictions [rows, outputs] in the target's unit, or class probabilities [rows, classes]. No target column is needed. */
  predict(rows: DatasetRows): Float32Array {
    return predictBatches(this.model, this.task, this.featuriser.dataset(withoutTargets(rows)));
  }
}

/** `length` of a table is not a property of its own. */
const withoutTargets = (rows: DatasetRows): DatasetRows => ({ ...rows, length: rows.length, targets: undefined });

/** The card in a file's metadata, or an error that says why there is none. */
export function parseCard(metadata: Readonly<Record<string, string>>, file: string): ModelCard {
  const { spinel: text } = metadata;
  if (text === undefined) {
    const foreign = cgcnnCard(metadata);
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
