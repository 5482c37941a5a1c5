import { readFileSync } from "node:fs";
import * as v from "valibot";
import { UserError } from "../core/errors.ts";
import { unknownName } from "../data/open.ts";
import { fileError } from "../io/files.ts";
import { type ActivationName, activations } from "../nn/index.ts";
import { MATBENCH_TASKS } from "../train/matbenchTasks.ts";
import { type ScheduleConfig, schedule } from "../train/schedule.ts";
import { knowsTarget } from "./embedded.ts";
import { choicesOf } from "./grid.ts";
import {
  comesWithModel,
  defaultsOf,
  familyOf,
  finetuneDefaults,
  MODEL_LIST,
  MODELS,
  needsImages,
  needsNodes,
  needsStructures,
  ownersOf,
} from "./models.ts";
import { checkMotion, isMotion } from "./motion.ts";
import { checkPotential, takeEnergy } from "./potentialConfig.ts";

const one = <const T extends string>(...names: T[]) =>
  v.message(v.picklist(names), `must be one of ${names.join(", ")}`);
const text = v.message(v.pipe(v.string(), v.nonEmpty()), "must be a text");
const texts = v.message(v.array(v.string()), "must be a list of names");
const flag = v.message(v.boolean(), "must be true or false");
const count = v.message(
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1)),
  "must be a whole number ≥ 1",
);
const countOrNone = v.message(v.pipe(v.number(), v.integer(), v.minValue(0)), "must be a whole number ≥ 0");
const rate = v.message(v.pipe(v.number(), v.finite(), v.minValue(0)), "must be a number ≥ 0");
const above0 = v.message(v.pipe(v.number(), v.finite(), v.gtValue(0)), "must be a number above 0");
const share = v.message(v.pipe(v.number(), v.gtValue(0), v.ltValue(1)), "must be between 0 and 1");
const below1 = v.message(v.pipe(v.number(), v.minValue(0), v.ltValue(1)), "must be at least 0 and below 1");

/** config.json of a run: everything that its result depends on. Flags of `spinel train` and `--config FILE` fill the same fields. */
export const runConfig = v.strictObject({
  model: one(...MODELS),
  data: text,
  target: v.optional(text),
  unit: v.optional(text),
  energy: v.optional(text),
  forces: v.optional(text),
  stress: v.optional(text),
  references: v.optional(text),
  energyWeight: v.optional(rate),
  forcesWeight: v.optional(rate),
  stressWeight: v.optional(rate),
  val: v.optional(text),
  valFraction: v.optional(share),
  test: v.optional(text),
  testFraction: v.optional(share),
  folds: v.optional(
    v.message(
      v.union([v.pipe(v.number(), v.integer(), v.minValue(2)), v.literal("matbench")]),
      'must be a whole number ≥ 2 or "matbench"',
    ),
  ),
  task: v.optional(one("regression", "classification")),
  id: v.optional(text),
  formula: v.optional(text),
  numeric: v.optional(texts, []),
  categorical: v.optional(texts, []),
  ignore: v.optional(texts, []),
  features: v.optional(one("fractions", "allFractions", "magpie", "magpie+fractions", "cgcnn", "none")),
  dropMissing: v.optional(flag, false),
  delimiter: v.optional(text),
  skipBad: v.optional(flag, false),
  radius: v.optional(above0),
  maxNeighbours: v.optional(count),
  shells: v.optional(one("cut", "whole")),
  pads: v.optional(one("mask", "paper")),
  atomVectors: v.optional(text),
  elementVectors: v.optional(text),
  dropUnary: v.optional(flag),
  gamma: v.optional(above0),
  imageSize: v.optional(v.message(v.tuple([count, count]), "must be [height, width]")),
  channels: v.optional(v.message(v.picklist([1, 3]), "must be 1 or 3")),
  fit: v.optional(one("crop", "stretch")),
  augment: v.optional(text),
  atomFeaLen: v.optional(
    v.message(v.pipe(v.number(), v.integer(), v.minValue(4), v.multipleOf(4)), "must be a multiple of 4"),
  ),
  nConv: v.optional(count),
  hFeaLen: v.optional(count),
  nH: v.optional(count),
  nAtomBasis: v.optional(count),
  nInteractions: v.optional(count),
  nRbf: v.optional(count),
  embedding: v.optional(count),
  nBlocks: v.optional(count),
  alignnLayers: v.optional(countOrNone),
  gcnLayers: v.optional(countOrNone),
  hiddenFeatures: v.optional(count),
  readout: v.optional(one("sum", "mean", "pooled")),
  points: v.optional(count),
  featureTransform: v.optional(flag),
  hidden: v.optional(v.message(v.array(count), "must be whole numbers ≥ 1")),
  heads: v.optional(count),
  aggregator: v.optional(one("mean", "max")),
  head: v.optional(one("imagenet", "cifar")),
  init: v.optional(text),
  freeze: v.optional(texts),
  /** A model file: the run's network, features and first weights are that model's. */
  from: v.optional(text),
  freshHead: v.optional(flag),
  /** A task of Matbench v0.1 that the run is measured by, and those of its folds, from 0, that are run. */
  matbench: v.optional(one(...MATBENCH_TASKS.map((name) => `matbench_${name}`))),
  onlyFolds: v.optional(
    v.message(v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(4))), "must be some of 0, 1, 2, 3, 4"),
  ),
  /** Values to try of fields of this configuration; the best on the validation rows are kept. */
  tune: v.optional(v.message(v.record(v.string(), v.array(v.unknown())), "must be lists of values by field")),
  activation: v.optional(one(...(Object.keys(activations) as ActivationName[]))),
  width: v.optional(count),
  dropout: v.optional(below1),
  norm: v.optional(one("batch", "layer", "none")),
  residual: v.optional(flag),
  epochs: v.optional(count),
  batchSize: v.optional(count),
  lr: v.optional(rate),
  optimizer: v.optional(one("sgd", "adam", "adamw", "rmsprop", "adagrad", "lamb")),
  lookahead: v.optional(flag),
  momentum: v.optional(below1),
  weightDecay: v.optional(rate),
  l1: v.optional(rate),
  schedule: v.optional(
    v.message(v.union([v.string(), v.looseObject({ name: v.string() })]), 'must be a name or { "name": … }'),
  ),
  loss: v.optional(one("mse", "l1", "huber", "robustL1")),
  labelSmoothing: v.optional(below1),
  patience: v.optional(count),
  ensemble: v.optional(
    v.message(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(1000)), "must be a whole number ≥ 2"),
  ),
  clipNorm: v.optional(above0),
  clipValue: v.optional(above0),
  ema: v.optional(share),
  swa: v.optional(below1),
  seed: v.optional(
    v.message(
      v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER)),
      "must be a whole number from 0 to 2^53 − 1",
    ),
    0,
  ),
  threads: v.optional(count),
  deterministic: v.optional(flag, false),
  checkpointSeconds: v.optional(rate),
  /** `WRITTEN`: what the run was made with, and the SHA-256 of its data, which must not change under it. */
  spinel: v.optional(v.string()),
  kernels: v.optional(v.string()),
  sha256: v.optional(v.record(v.string(), v.string())),
});

/** The fields that the run itself writes. */
export const WRITTEN = ["spinel", "kernels", "sha256"];

/** Where the data are images and no target is given, it is "" until they are read: they know their own. */
export type RunConfig = v.InferOutput<typeof runConfig> & { target: string };
export type Fields = Record<string, unknown>;

/** Of each pair only one can be given; a flag wins over the file's other one. */
const EITHER_OR = [
  ["val", "valFraction"],
  ["test", "testFraction"],
  ["folds", "val"],
  ["folds", "test"],
  ["folds", "testFraction"],
  ["ema", "swa"],
  ["from", "init"],
  ["tune", "ensemble"],
] as const;

/** A field as it is given on the command line: batchSize → --batch-size. */
export const flagOf = (field: string): string =>
  field === "model" ? "MODEL" : `--${field.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;

/** Checks the fields of flags, which win, and of a file, and fills in the model's defaults. */
export function completeConfig(
  flags: Fields,
  base: { file: string; fields: Fields } = { file: "", fields: {} },
): RunConfig {
  const nameOf = (field: string): string =>
    field in base.fields && !(field in flags) ? `${base.file}: ${field}` : flagOf(field);
  const fields = { ...base.fields, ...flags };
  for (const [a, b] of [...EITHER_OR, ...EITHER_OR.map(([a, b]) => [b, a] as const)])
    if (a in flags && !(b in flags)) delete fields[b];
  if (fields.sha256)
    fields.sha256 = Object.fromEntries(Object.entries(fields.sha256).filter(([role]) => !(role in flags)));
  const { success, output, issues } = v.safeParse(runConfig, fields);
  if (!success) throw wrongField(issues[0], nameOf, base.file);
  if (output.energy !== undefined) takeEnergy(output, nameOf);
  const { model, data } = output;
  if (output.target === undefined && model !== "mlp" && !needsImages(model) && !needsNodes(model) && !knowsTarget(data))
    throw missing("target");
  const potential = output.energy !== undefined;
  const defaults = (output.from === undefined ? defaultsOf : finetuneDefaults)(model, {
    ...{ potential, motion: isMotion(output) },
  });
  const config: RunConfig = { ...defaults, target: "", ...output };
  if (output.swa !== undefined) config.ema = output.ema;
  checkTogether(config, nameOf);
  const { tune, ...rest } = config;
  for (const choice of choicesOf(tune ?? {}))
    if (tune) completeConfig({}, { file: "--tune", fields: { ...rest, ...choice } });
  // Of 5000 moving systems 2000 choose the best epoch, as in EGNN's paper.
  if (!config.val) config.valFraction ??= isMotion(config) ? 0.4 : 0.1;
  return inOrder(config);
}

/** Whether fields that are right by themselves go together. */
function checkTogether(config: RunConfig, nameOf: (field: string) => string): void {
  const { model, optimizer, lr = 0, epochs = 1 } = config;
  const given = (name: string): boolean => (config as Fields)[name] !== undefined;
  for (const [a, b] of EITHER_OR)
    if (given(a) && given(b)) throw new UserError(`${nameOf(a)} and ${nameOf(b)} exclude each other: leave one out.`);
  for (const field of Object.keys(config)) {
    const owners = ownersOf(field);
    if (given(field) && owners && !owners.includes(familyOf(model)))
      throw new UserError(
        `${nameOf(field)} is for ${owners.join(", ").replace(/, (?=\w+$)/, " and ")}; the model is ${model}.`,
        "Leave it out.",
      );
  }
  if (config.from === undefined && config.freshHead !== undefined)
    throw new UserError(`${nameOf("freshHead")} is for runs that start from a model.`, "Use spinel finetune.");
  const travels = Object.keys(config).find(
    (field) =>
      given(field) &&
      (comesWithModel(field) || /^(numeric|categorical)$/.test(field)) &&
      String((config as Fields)[field]) !== "",
  );
  if (config.from !== undefined && travels)
    throw new UserError(`${nameOf(travels)} comes with the model of ${config.from}.`, "Leave it out.");
  checkMotion(config, nameOf);
  if (model === "elemnet" && config.dropout)
    throw new UserError(
      `${nameOf("dropout")}: ElemNet has its own dropout rates.`,
      "Only 0, no dropout, can be chosen.",
    );
  if (config.readout === "pooled" && model !== "schnet")
    throw new UserError(`${nameOf("readout")} pooled is for schnet; the model is ${model}.`, "Use sum or mean.");
  const { hidden, dropout, norm = "none", residual } = config;
  const idle =
    model === "mlp" &&
    hidden?.length === 0 &&
    ((dropout && "dropout") || (norm !== "none" && "norm") || (residual && "residual"));
  if (idle) throw new UserError(`${nameOf(idle)} is for hidden layers; --hidden none leaves none.`, "Leave it out.");
  const alone = needsStructures(model)
    ? "structures"
    : needsImages(model)
      ? "images"
      : model === "crabnet" && "formulas";
  const column = alone && (["numeric", "categorical"] as const).find((name) => config[name].length > 0);
  if (column)
    throw new UserError(`${nameOf(column)} is for mlp; ${model} learns from ${alone} alone.`, "Leave it out.");
  checkPotential(config, nameOf);
  if (given("ensemble") && config.energy !== undefined)
    throw new UserError(
      `${nameOf("ensemble")} is for numbers and classes, not for potentials.`,
      "Leave it out; train several with other seeds.",
    );
  if (given("momentum") && optimizer !== "sgd" && optimizer !== "rmsprop")
    throw new UserError(`${nameOf("momentum")} is for sgd and rmsprop; the optimizer is ${optimizer}.`);
  schedule((config.schedule as ScheduleConfig | undefined) ?? "constant", { lr, epochs, stepsPerEpoch: 1 });
}

function wrongField(issue: v.InferIssue<typeof runConfig>, nameOf: (field: string) => string, file: string): UserError {
  const field = String(issue.path?.[0].key ?? "");
  const known = Object.keys(runConfig.entries);
  if (issue.path && !known.includes(field)) return unknownName(`${file}: there is no field`, field, known);
  const got = JSON.stringify(issue.input);
  if (got === undefined) return missing(field);
  if (field === "model") return new UserError(`There is no model ${got}.`, `There are ${MODEL_LIST}.`);
  return new UserError(`${nameOf(field)} ${issue.message}, not ${got}.`);
}

export function missing(field: string): UserError {
  const what: Record<string, string> = {
    model: `a MODEL: one of ${MODEL_LIST}`,
    data: "--data FILE",
    target: "--target COLUMN",
  };
  return new UserError(
    `train needs ${what[field]}.`,
    "For example: spinel train mlp --data alloys.csv --target strength, spinel train cgcnn --data my-cifs --target energy, spinel train tinyvgg --data my-images",
  );
}

/** The fields in the schema's order, so that config.json reads from the model to the details. */
export function inOrder(config: RunConfig): RunConfig {
  const fields = config as Fields;
  const names = Object.keys(runConfig.entries).filter((name) => fields[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, fields[name]])) as RunConfig;
}

/** The fields of a config.json, not checked yet. */
export function readConfig(file: string): Fields {
  let fields: unknown;
  try {
    fields = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw fileError(file, error);
    throw new UserError(`${file} is not JSON: ${error.message}.`);
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields))
    throw new UserError(`${file} is not a configuration: it must be an object, { "model": … }.`);
  return fields as Fields;
}
