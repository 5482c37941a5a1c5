import type { Image } from "../../data/image.ts";
import type { ViewedStructure } from "../../viewer/structure.ts";
import type { ErrorDistribution } from "../calibration.ts";

/** What a report is made from: filled by the training command, read by the pages. */

export type Split = "train" | "validation" | "test";

/** What one row shares with those of the other task. */
export interface Row {
  id: string;
  formula?: string;
  /** Symbols of the elements in the row's material, for the errors by element. */
  elements?: readonly string[];
  /** The atoms, e.g. a `Structure`. Only those of the worst rows become part of the page. */
  structure?: ViewedStructure;
  /** The picture or signal. Only those of the worst rows become part of the page. */
  image?: Image;
  /** International number, 1 … 230. */
  spaceGroup?: number;
  /** In the cell; by default those of `structure`. */
  atoms?: number;
}

export interface RegressionRow extends Row {
  target: number;
  predicted: number;
  /** The standard deviation that the model expects of its prediction, where it does. */
  deviation?: number;
}

export interface ClassificationRow extends Row {
  /** Index of the true class. */
  target: number;
  /** Probability of each class. */
  probabilities: readonly number[];
}

export interface RegressionResults {
  task: "regression";
  /** That the deviations belong to; a normal one unless given. */
  distribution?: ErrorDistribution;
  predictions: Partial<Record<Split, readonly RegressionRow[]>>;
}

export interface ClassificationResults {
  task: "classification";
  /** Names of the classes; with two, the second is the positive one. */
  classes: readonly string[];
  predictions: Partial<Record<Split, readonly ClassificationRow[]>>;
}

/** A structure whose energy, forces and stress are learned: eV, eV/Å, eV/Å³. */
export interface PotentialRow extends Row {
  structure: ViewedStructure;
  atoms: number;
  /** Of the whole structure. */
  energy: number;
  predictedEnergy: number;
  /** [3 · atoms] */
  forces?: ArrayLike<number>;
  predictedForces?: ArrayLike<number>;
  /** In Voigt's order [6]. */
  stress?: ArrayLike<number>;
  predictedStress?: ArrayLike<number>;
}

export interface PotentialResults {
  task: "potential";
  predictions: Partial<Record<Split, readonly PotentialRow[]>>;
  /** As the task measures them. */
  metrics: Partial<Record<Split, Metrics>>;
}

/** Figures as `regressionMetrics` or `classificationMetrics` gives them. */
export type Metrics = Record<string, number>;

/** An epoch of the learning curves. */
export interface CurvePoint {
  epoch: number;
  loss: number;
  validationLoss?: number;
  /** The metric that chooses the best epoch, on the training and on the validation set. */
  metric?: number;
  validationMetric?: number;
  /** A second metric to be drawn, on the validation set. */
  otherMetric?: number;
}

/** What there is to see of a net of images. */
export interface ImageViews {
  /** The weights of its first layer, an image for each output. */
  filters?: { title: string; images: readonly Image[] };
  /** Images as the net sees them, and coloured by what its answer depends on. */
  attributions?: readonly {
    id: string;
    image: Image;
    overlay: Image;
    facts: readonly (readonly [name: string, value: string])[];
  }[];
}

/** How one composition's elements look at each other. */
export interface AttentionExample {
  id: string;
  formula: string;
  /** Atomic numbers. */
  elements: readonly number[];
  /** weights[layer][head][i · n + j]: the share of its attention that element i of n gives to element j. */
  weights: readonly (readonly ArrayLike<number>[])[];
  facts?: readonly (readonly [name: string, value: string])[];
}

/** What there is to see of a model of crystals or compositions. */
export interface Understanding {
  /** The vectors that it has learned for elements, by atomic number. */
  embeddings?: { elements: readonly number[]; vectors: readonly ArrayLike<number>[] };
  /** What the elements add to predictions, on average. */
  contributions?: {
    what: "an atom" | "an element";
    /** Whether a prediction is the contributions' sum or mean. */
    readout: "sum" | "mean";
    /** Whether the free atoms' energies come to it. */
    beside?: boolean;
    /** Where: "the test rows". */
    rows: string;
    values: readonly { element: number; mean: number; count: number }[];
  };
  attention?: readonly AttentionExample[];
}

/** The run among published results of a benchmark, best first. */
export interface Leaderboard {
  /** "matbench_phonons" */
  name: string;
  /** What is compared, "MAE", and its unit. */
  score: string;
  unit?: string;
  entries: readonly { algorithm: string; value: number; std: number; own?: boolean }[];
  note?: string;
}

/** All that a report shows. Metrics and statistics of the model are computed from the predictions, over every row. */
export interface ReportData {
  /** e.g. "ElemNet on steels" */
  title: string;
  model: { name: string; parameters: number; description?: string };
  dataset: { name: string; target: string; unit?: string };
  seed: number;
  /** What to type to repeat the run. */
  command: string;
  /** e.g. { spinel: "0.1.0", node: "20.20.2", kernels: "relaxed, 2 threads" } */
  versions: Record<string, string>;
  /** Seconds of training. */
  duration: number;
  /** Further facts for the foot of the page: optimizer, learning rate, batch size … */
  settings?: Record<string, string | number>;
  history: readonly CurvePoint[];
  bestEpoch?: number;
  /** Name of the history's metric, e.g. "MAE". */
  metric: string;
  /** Name of the history's other metric. */
  otherMetric?: string;
  results: RegressionResults | ClassificationResults | PotentialResults;
  /** What simple predictors reach: the mean, linear regression … */
  baselines?: readonly { name: string; metrics: Partial<Record<Split, Metrics>> }[];
  views?: ImageViews;
  understanding?: Understanding;
  /** Test metrics of each fold. */
  folds?: readonly Metrics[];
  benchmark?: Leaderboard;
}
