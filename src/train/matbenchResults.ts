/**
 * Results in the form of the Python package matbench, whose `MatbenchBenchmark.from_file` reads results.json.gz: predictions of
 * every test row by its official id, scores and parameters of each fold, and a hash of it all.
 */

import { UserError } from "../core/errors.ts";
import { sha256 } from "../core/sha256.ts";
import type { MatbenchTask } from "./matbenchTasks.ts";
import { accuracy, balancedAccuracy, f1, mae, mape, maxError, rmse, rocAuc } from "./metrics.ts";

/** What is free to be said of a fold: names with numbers, texts, truths, lists of them, or further such. */
export interface Parameters {
  readonly [name: string]: number | string | boolean | readonly (number | string)[] | Parameters;
}

/** One official fold's test rows. */
export interface MatbenchFold {
  /** 0 … 4. */
  readonly fold: number;
  /** Official ids of its test rows. */
  readonly ids: readonly string[];
  /** The targets; of a classification 1 is true. */
  readonly targets: ArrayLike<number>;
  /** Numbers; of a classification the probability of true. */
  readonly predictions: ArrayLike<number>;
  /** How this fold's model was made: what tuning found, for example. */
  readonly parameters?: Parameters;
}

/**
 * The scores that Matbench asks for. Those of classes are of probabilities above a half; the area under the curve is of the
 * probabilities.
 */
export function matbenchScores(
  { kind }: Pick<MatbenchTask, "kind">,
  predictions: ArrayLike<number>,
  targets: ArrayLike<number>,
): Record<string, number> {
  if (kind === "regression")
    return {
      mae: mae(predictions, targets),
      rmse: rmse(predictions, targets),
      mape: mape(predictions, targets),
      max_error: maxError(predictions, targets),
    };
  const classes = Array.from(predictions, (p) => (p > 0.5 ? 1 : 0));
  return {
    accuracy: accuracy(classes, targets),
    balanced_accuracy: balancedAccuracy(classes, targets),
    f1: f1(classes, targets),
    rocauc: rocAuc(predictions, targets),
  };
}

/** The score by which Matbench ranks, and whether more of it is better. */
export const rankedBy = ({ kind }: Pick<MatbenchTask, "kind">): { score: string; title: string; more: boolean } =>
  kind === "regression"
    ? { score: "mae", title: "MAE", more: false }
    : { score: "rocauc", title: "ROC-AUC", more: true };

/** Which of two classes is true: 1 of 0 and 1, true of false and true. @throws UserError for others */
export function trueClass(task: MatbenchTask, file: string, classes: readonly string[]): number {
  const index = classes.findIndex((name) => /^(?:1(?:\.0+)?|true)$/i.test(name));
  const other = classes[1 - index];
  if (classes.length !== 2 || index < 0 || !/^(?:0(?:\.0+)?|false)$/i.test(other))
    throw new UserError(
      `${file}: the classes are ${classes.slice(0, 8).join(", ")}; those of ${task.name} are false and true, or 0 and 1.`,
      "Give the column as it is in Matbench's file.",
    );
  return index;
}

/**
 * The text of results.json for one task. Folds that are not there are not in it either; the Python package reads complete files only.
 *
 * @param when      when the run was finished
 * @param metadata  free facts about the algorithm
 */
export function matbenchRecord(
  task: MatbenchTask,
  folds: readonly MatbenchFold[],
  { when, metadata = {} }: { when: Date; metadata?: Parameters },
): string {
  const results = folds.map((fold) => [`fold_${fold.fold}`, foldRecord(task, fold)]);
  const record: Tree = {
    "@module": "matbench.bench",
    "@class": "MatbenchBenchmark",
    version: "0.6",
    benchmark_name: "matbench_v0.1",
    datestamp: datestamp(when),
    user_metadata: metadata,
    tasks: {
      [task.name]: {
        "@module": "matbench.task",
        "@class": "MatbenchTask",
        benchmark_name: "matbench_v0.1",
        dataset_name: task.name,
        results: Object.fromEntries(results),
      },
    },
  };
  return pythonJson({ ...record, hash: sha256(pythonJson(record)) });
}

function foldRecord(task: MatbenchTask, { ids, targets, predictions, parameters = {} }: MatbenchFold): Tree {
  if (ids.length !== predictions.length || ids.length !== targets.length)
    throw new UserError(
      `matbenchRecord: ${predictions.length} predictions, ${targets.length} targets, ${ids.length} ids.`,
    );
  const wrong = ids.findIndex((_, i) => !Number.isFinite(predictions[i]));
  if (wrong >= 0) throw new UserError(`matbenchRecord: the prediction of ${ids[wrong]} is ${predictions[wrong]}.`);
  const scores = Object.entries(matbenchScores(task, predictions, targets));
  return {
    data: Object.fromEntries(ids.map((id, i) => [id, new Float(predictions[i])])),
    parameters,
    scores: Object.fromEntries(scores.map(([name, value]) => [name, new Float(value)])),
  };
}

/** "2026.01.31 23:59.59", universal time. */
function datestamp(when: Date): string {
  const [date, time] = when.toISOString().split("T");
  return `${date.replaceAll("-", ".")} ${time.slice(0, 5)}.${time.slice(6, 8)}`;
}

/** A number that Python must read as a float, whatever its value: 2 as 2.0. */
class Float {
  constructor(readonly value: number) {}
}

type Tree = Float | number | string | boolean | readonly (number | string)[] | { readonly [name: string]: Tree };

/**
 * JSON to the letter as Python's `json.dumps` writes it, names sorted: the hash that matbench computes when it reads the file is of
 * its own text.
 */
function pythonJson(value: Tree): string {
  if (value instanceof Float) return pythonFloat(value.value);
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : pythonFloat(value);
  if (typeof value === "string")
    return JSON.stringify(value).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  const entries = Object.entries(value as { readonly [name: string]: Tree }).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, each]) => `${pythonJson(name)}: ${pythonJson(each)}`).join(", ")}}`;
}

/** Python's repr: the shortest digits that give the number back, with an exponent below 10⁻⁴ and from 10¹⁶. NaN as json.dumps has it. */
function pythonFloat(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "Infinity" : "-Infinity";
  const [digits, power] = x.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16)
    return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  const sign = Object.is(x, -0) ? "-" : "";
  return sign + (Number.isInteger(x) ? `${x}.0` : String(x));
}
