import type { ActivationName } from "../../nn/index.ts";
import { choice, flag, list, type State, whole } from "../kit/state.ts";

export const DATASETS = ["circle", "xor", "gauss", "spiral"] as const;
export type DatasetName = (typeof DATASETS)[number];

export const FEATURES = ["x1", "x2", "x1Squared", "x2Squared", "x1x2", "sinX1", "sinX2"] as const;
export type FeatureName = (typeof FEATURES)[number];

export const ACTIVATIONS = [
  "relu",
  "tanh",
  "sigmoid",
  "identity",
  "leakyRelu",
  "elu",
  "softplus",
  "silu",
  "gelu",
  "mish",
] as const satisfies readonly ActivationName[];

export const OPTIMIZERS = ["sgd", "momentum", "nesterov", "adam", "rmsprop", "adagrad"] as const;
export const REGULARIZATIONS = ["none", "l1", "l2"] as const;
export const LEARNING_RATES = [0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10] as const;
export const REGULARIZATION_RATES = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10] as const;
export const SPEEDS = ["slow", "normal", "full"] as const;

/** The plane is drawn from −6 to 6, its maps on a grid of GRID × GRID. */
export const DOMAIN = 6;
export const GRID = 100;

export const MOST_LAYERS = 6;
export const MOST_NEURONS = 8;
export const LAST_SEED = 999_999;

/** Everything that the page's controls set, with its limits: what the address holds. The names follow TensorFlow Playground's. */
export const FIELDS = {
  dataset: choice(DATASETS, "circle"),
  /** Percent. */
  noise: whole(0, 50, 0),
  /** Percent of the points that are trained on. */
  percTrainData: whole(10, 90, 50),
  features: list(choice(FEATURES, "x1"), { least: 1, most: FEATURES.length, distinct: true }, ["x1", "x2"]),
  networkShape: list(whole(1, MOST_NEURONS, 1), { least: 0, most: MOST_LAYERS }, [4, 2]),
  activation: choice(ACTIVATIONS, "tanh"),
  optimizer: choice(OPTIMIZERS, "sgd"),
  learningRate: choice(LEARNING_RATES, 0.03),
  batchSize: whole(1, 30, 10),
  regularization: choice(REGULARIZATIONS, "none"),
  regularizationRate: choice(REGULARIZATION_RATES, 0.003),
  seed: whole(0, LAST_SEED, 1),
  speed: choice(SPEEDS, "normal"),
  showTestData: flag(false),
  discretize: flag(false),
};

export type PlaygroundState = State<typeof FIELDS>;

/** What the Worker needs to know. */
export type Config = Omit<PlaygroundState, "showTestData" | "discretize">;

/** Controls that act on a network in training; the others start a new one. */
export const LIVE: readonly (keyof Config)[] = [
  "learningRate",
  "batchSize",
  "regularization",
  "regularizationRate",
  "speed",
];
