import type { MicrostructureKind } from "../../data/microstructures.ts";
import type { OptimizerName } from "../kit/optimizers.ts";
import { choice, type Field, flag, list, type State, whole } from "../kit/state.ts";
import { KERNELS, PRESETS } from "./kernels.ts";

export const KINDS = [
  "grains",
  "spinodal",
  "dendrites",
  "fibres",
  "porous",
  "pearlite",
] as const satisfies readonly MicrostructureKind[];

/** TinyVGG's layers that put out maps. */
export const LAYERS = ["conv_1_1", "conv_1_2", "max_pool_1", "conv_2_1", "conv_2_2", "max_pool_2"] as const;
/** Filters of its first layer. */
export const FILTERS = 10;
export const METHODS = ["gradCam", "saliency", "occlusion"] as const;
export type Method = (typeof METHODS)[number];

export const SIZES = [32, 48] as const;
export const STRIDE = { least: 1, most: 3 };
export const PADDING = { least: 0, most: 1 };
export const DILATION = { least: 1, most: 2 };
export const IMAGES = [100, 200, 400, 800] as const;
export const BATCH_SIZES = [8, 16, 32, 64] as const;
export const LEARNING_RATES = [0.0001, 0.0003, 0.001, 0.002, 0.003, 0.005, 0.01, 0.03, 0.1] as const;
export const OPTIMIZERS = ["adam", "adamw", "rmsprop", "momentum", "sgd"] as const satisfies readonly OptimizerName[];
export const EPOCHS = { least: 1, most: 200 };
export const LAST_SEED = 999_999;

/** A number of a kernel that somebody typed. */
const weight: Field<number> = {
  initial: 0,
  read: (text) => (/^-?\d{1,4}(\.\d{1,4})?$/.test(text) ? Number(text) : undefined),
  write: String,
};

/** What the page's controls set, with its limits: what the address holds. Pictures of one's own are not in it. */
export const FIELDS = {
  /** What the generated picture shows. */
  picture: choice(KINDS, "pearlite"),
  pictureSeed: whole(0, LAST_SEED, 3),
  /** Pixels on each side, of the picture and of all that the network sees. */
  size: choice(SIZES, 48),
  kernel: choice(KERNELS, "edgeX"),
  /** The numbers of the "custom" kernel. */
  weights: list(weight, { least: 9, most: 9 }, PRESETS.edgeX),
  /** Which filter of the network is the "learned" kernel, from 1. */
  filter: whole(1, FILTERS, 1),
  stride: whole(STRIDE.least, STRIDE.most, 1),
  padding: whole(PADDING.least, PADDING.most, 0),
  dilation: whole(DILATION.least, DILATION.most, 1),
  pool: choice(["max", "average"], "max"),
  poolSize: choice([2, 3], 2),
  classes: list(choice(KINDS, "grains"), { least: 2, most: KINDS.length, distinct: true }, [
    "grains",
    "spinodal",
    "dendrites",
    "fibres",
    "pearlite",
  ]),
  /** Images to learn from; a quarter as many more validate. */
  images: choice(IMAGES, 400),
  augment: flag(true),
  optimizer: choice(OPTIMIZERS, "adam"),
  learningRate: choice(LEARNING_RATES, 0.003),
  batchSize: choice(BATCH_SIZES, 16),
  epochs: whole(EPOCHS.least, EPOCHS.most, 20),
  seed: whole(0, LAST_SEED, 1),
  /** Whose feature maps are shown. */
  layer: choice(LAYERS, "conv_1_1"),
  method: choice(METHODS, "gradCam"),
  /** The class that is explained. */
  explain: choice(["predicted", ...KINDS], "predicted"),
};

export type VisionState = State<typeof FIELDS>;

const TRAINING = [
  ...(["size", "classes", "images", "augment", "optimizer", "learningRate", "batchSize", "epochs", "seed"] as const),
];

/** What one training depends on. */
export type TrainingConfig = Pick<VisionState, (typeof TRAINING)[number]>;

/** Controls that act on a network in training; the others wait for a new one. */
const LIVE: readonly (keyof TrainingConfig)[] = ["learningRate", "epochs"];

export const trainingConfig = (state: VisionState): TrainingConfig =>
  Object.fromEntries(TRAINING.map((key) => [key, state[key]])) as TrainingConfig;

const same = (keys: readonly (keyof TrainingConfig)[]) => (a: TrainingConfig, b: TrainingConfig) =>
  keys.every((key) => String(a[key]) === String(b[key]));

/** Whether a network of one configuration is also one of the other. */
export const sameNetwork = same(TRAINING.filter((key) => !LIVE.includes(key)));

/** Whether both learn from the same images. */
export const sameImages = same(["size", "classes", "images", "seed"]);
