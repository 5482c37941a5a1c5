import * as v from "valibot";
import { UserError } from "../core/errors.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const rate = v.pipe(v.number(), v.finite(), v.minValue(0));
const share = v.pipe(v.number(), v.gtValue(0), v.ltValue(1));

/** config.json of a run: everything that its result depends on. Flags of `spinel train` and `--config FILE` fill the same fields. */
export const runConfig = v.strictObject({
  spinel: v.optional(v.string()),
  model: v.picklist(["mlp", "elemnet"]),
  data: v.string(),
  /** SHA-256 of each data file, written by the run: a resumed or repeated run must see the same data. */
  sha256: v.optional(v.record(v.string(), v.string())),
  val: v.optional(v.string()),
  test: v.optional(v.string()),
  target: v.string(),
  unit: v.optional(v.string()),
  task: v.optional(v.picklist(["regression", "classification"])),
  id: v.optional(v.string()),
  formula: v.optional(v.string()),
  numeric: v.optional(v.array(v.string()), []),
  categorical: v.optional(v.array(v.string()), []),
  dropMissing: v.optional(v.boolean(), false),
  delimiter: v.optional(v.string()),
  features: v.optional(v.picklist(["fractions", "allFractions", "magpie", "magpie+fractions", "cgcnn", "none"])),
  valFraction: v.optional(share, 0.1),
  testFraction: v.optional(share),
  folds: v.optional(v.union([v.pipe(v.number(), v.integer(), v.minValue(2)), v.literal("matbench")])),
  seed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER)), 0),
  threads: v.optional(count),
  deterministic: v.optional(v.boolean(), false),
  epochs: v.optional(count),
  batchSize: v.optional(count),
  patience: v.optional(count),
  optimizer: v.optional(v.picklist(["sgd", "adam", "adamw", "rmsprop", "adagrad"])),
  lr: v.optional(rate),
  momentum: v.optional(rate),
  weightDecay: v.optional(rate),
  l1: v.optional(rate),
  schedule: v.optional(v.union([v.string(), v.looseObject({ name: v.string() })])),
  loss: v.optional(v.picklist(["mse", "l1", "huber"])),
  labelSmoothing: v.optional(v.pipe(v.number(), v.minValue(0), v.ltValue(1))),
  clipNorm: v.optional(rate),
  clipValue: v.optional(rate),
  ema: v.optional(share),
  hidden: v.optional(v.array(count)),
  activation: v.optional(v.string()),
  dropout: v.optional(v.union([v.pipe(v.number(), v.minValue(0), v.ltValue(1)), v.boolean()])),
  norm: v.optional(v.picklist(["batch", "layer", "none"])),
  residual: v.optional(v.boolean()),
});

export type RunConfig = v.InferOutput<typeof runConfig>;

/** What a model is trained with where the user says nothing. ElemNet's are the authors'. */
const DEFAULTS: Record<RunConfig["model"], Partial<RunConfig>> = {
  mlp: {
    epochs: 100,
    batchSize: 64,
    optimizer: "adamw",
    lr: 1e-3,
    weightDecay: 1e-4,
    schedule: "cosineAnnealing",
    loss: "l1",
    hidden: [256, 256],
    activation: "silu",
    dropout: 0,
    norm: "none",
    residual: false,
  },
  elemnet: {
    features: "fractions",
    epochs: 200,
    batchSize: 32,
    optimizer: "adam",
    lr: 1e-4,
    schedule: "constant",
    loss: "l1",
    dropout: true,
  },
};

/** Checks the fields and fills in the model's defaults. `from` names their origin in errors. */
export function completeConfig(fields: Record<string, unknown>, from: string): RunConfig {
  const { success, output, issues } = v.safeParse(runConfig, fields);
  if (!success) {
    const [issue] = issues;
    const field = v.getDotPath(issue) ?? "the whole";
    const { message } = issue;
    const known =
      issue.type === "strict_object"
        ? `There is no such field; ${from} knows ${Object.keys(runConfig.entries).join(", ")}.`
        : undefined;
    throw new UserError(`${from}: ${field}: ${message.replace(/^Invalid (\w+): /, "wrong $1: ")}.`, known);
  }
  return { ...DEFAULTS[output.model], ...output };
}
