import type { Image } from "../../data/image.ts";
import type { ViewedStructure } from "../../viewer/structure.ts";

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
}

export interface ClassificationRow extends Row {
  /** Index of the true class. */
  target: number;
  /** Probability of each class. */
  probabilities: readonly number[];
}

export interface RegressionResults {
  task: "regression";
  predictions: Partial<Record<Split, readonly RegressionRow[]>>;
}

export interface ClassificationResults {
  task: "classification";
  /** Names of the classes; with two, the second is the positive one. */
  classes: readonly string[];
  predictions: Partial<Record<Split, readonly ClassificationRow[]>>;
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
  results: RegressionResults | ClassificationResults;
  /** What simple predictors reach: the mean, linear regression … */
  baselines?: readonly { name: string; metrics: Partial<Record<Split, Metrics>> }[];
  views?: ImageViews;
  /** Test metrics of each fold. */
  folds?: readonly Metrics[];
}
