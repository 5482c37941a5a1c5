import { gzipSync } from "node:zlib";
import { Table } from "../data/table.ts";
import {
  type MatbenchFold,
  matbenchRecord,
  matbenchScores,
  type Parameters,
  rankedBy,
  trueClass,
} from "../train/matbenchResults.ts";
import { checkMatbenchRows, type MatbenchTask, matbenchId, matbenchTask } from "../train/matbenchTasks.ts";
import type { ClassificationRow, Leaderboard, RegressionRow } from "../train/report.ts";
import type { RunConfig } from "./config.ts";
import { titleOf } from "./models.ts";
import { PROGRAM } from "./shell.ts";
import type { Outcome } from "./trainOne.ts";

type Scores = Record<string, number>;

/** What results.json says of a run on one of Matbench's tasks. */
export interface Benchmark {
  task: string;
  unit?: string;
  /** Scores of the official folds, which are counted from 0, and what tuning chose in each. */
  folds: { fold: number; scores: Scores; chosen?: Parameters }[];
  mean: Scores;
  std: Scores;
  /** The score that counts, of this run and of the leaderboard, best first. */
  score: string;
  table: { algorithm: string; value: number; std: number; own?: true }[];
}

/** A task's rows by their official ids. @throws UserError where they are not that task's */
export function asMatbench(table: Table, name: string): Table {
  const task = matbenchTask(name);
  checkMatbenchRows(task, table.file, table.ids);
  if (table.classes) trueClass(task, table.file, table.classes);
  return new Table({ ...table, ids: table.ids.map((_, i) => matbenchId(task, i)) });
}

/** The test rows of each fold as Matbench's record has them. */
function foldsOf(task: MatbenchTask, { onlyFolds, data }: RunConfig, outcomes: readonly Outcome[]): MatbenchFold[] {
  return outcomes.map(({ rows, predictor, chosen, run }, i) => {
    const test = (rows.test ?? []) as (RegressionRow | ClassificationRow)[];
    const { card } = predictor;
    const own = card.task.kind === "classification" ? trueClass(task, data, card.task.classes) : 0;
    return {
      fold: onlyFolds?.[i] ?? i,
      ids: test.map(({ id }) => id),
      targets: test.map((row) => ("probabilities" in row ? Number(row.target === own) : row.target)),
      predictions: test.map((row) => ("probabilities" in row ? row.probabilities[own] : row.predicted)),
      parameters: { ...(chosen as Parameters), epoch: run.best.epoch },
    };
  });
}

/** The run beside the leaderboard, and results.json.gz in the form of the package matbench. `version` is this program's. */
export function benchmarkOf(
  taskName: string,
  config: RunConfig,
  outcomes: readonly Outcome[],
  version: string,
): { benchmark: Benchmark; file: Uint8Array } {
  const task = matbenchTask(taskName);
  const folds = foldsOf(task, config, outcomes);
  const scores = folds.map(({ predictions, targets }) => matbenchScores(task, predictions, targets));
  const over = (f: (values: number[]) => number): Scores =>
    Object.fromEntries(Object.keys(scores[0]).map((score) => [score, f(scores.map((fold) => fold[score]))]));
  const average = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const mean = over(average);
  const std = over((values) => Math.sqrt(average(values.map((x) => (x - average(values)) ** 2))));
  const { score, more } = rankedBy(task);
  const name = `${titleOf(config.model)}, this run`;
  // Most leaderboards of classes are of classes given without probabilities: only the balanced accuracy compares with those.
  const own: [algorithm: string, score: string][] =
    task.kind === "regression"
      ? [[name, score]]
      : [
          [name, score],
          [`${name}: balanced accuracy`, "balanced_accuracy"],
        ];
  const table: Benchmark["table"] = [
    ...task.published,
    ...own.map(([algorithm, s]) => ({ algorithm, value: mean[s], std: std[s], own: true as const })),
  ];
  table.sort((a, b) => (more ? b.value - a.value : a.value - b.value));
  const benchmark: Benchmark = {
    task: task.name,
    unit: task.unit,
    folds: folds.map(({ fold }, i) => ({
      ...{ fold, scores: scores[i] },
      ...(outcomes[i].chosen ? { chosen: outcomes[i].chosen as Parameters } : {}),
    })),
    ...{ mean, std, score, table },
  };
  const { epochs = 0, batchSize = 0, lr = 0, optimizer = "", seed } = config;
  const metadata = {
    algorithm: `${PROGRAM} ${version} ${config.model}`,
    ...{ epochs, batch_size: batchSize, learning_rate: lr, optimizer, seed },
  };
  return { benchmark, file: gzipSync(matbenchRecord(task, folds, { when: new Date(), metadata })) };
}

/** The same for the report. */
export const leaderboard = ({ task, unit, score, table, folds }: Benchmark): Leaderboard => ({
  ...{ name: task, score: TITLES[score], unit, entries: table },
  note: [
    ...(folds.length < 5 ? [`This run is of ${folds.length} of the five folds.`] : []),
    ...(score === "rocauc" ? [LABELS] : []),
  ].join(" "),
});

const TITLES: Record<string, string> = {
  ...{ mae: "MAE", rmse: "RMSE", mape: "MAPE", max_error: "max. error" },
  ...{ rocauc: "ROC-AUC", f1: "F1", balanced_accuracy: "balanced accuracy", accuracy: "accuracy" },
};

/** The scores of the folds, and the leaderboard with the run in its place. */
export function benchmarkLines({ task, unit = "", folds, mean, std, score, table }: Benchmark): string[] {
  const shown = ["mae", "rmse", "mape", "max_error", "rocauc", "f1", "balanced_accuracy"].filter((s) => s in mean);
  const text = (s: string, format: (scale: number) => string): string => {
    const share = s === "mape";
    const own = share ? "%" : /^(mae|rmse|max_error)$/.test(s) ? unit : "";
    return `${TITLES[s]} ${format(share ? 100 : 1)}${own && ` ${own}`}`;
  };
  const line = (name: string, format: (s: string, scale: number) => string): string =>
    `${`${name}:`.padEnd(13)} ${shown.map((s) => text(s, (scale) => format(s, scale))).join("   ")}`;
  const values = table.map((row) => `${digits(row.value)} ± ${digits(row.std)}`);
  const width = Math.max(...values.map((value) => value.length));
  return [
    ...folds.map(({ fold, scores }) => line(`fold_${fold}`, (s, scale) => digits(scale * scores[s]))),
    line("mean ± std", (s, scale) => `${digits(scale * mean[s])} ± ${digits(scale * std[s])}`),
    "",
    `${task}, ${TITLES[score]}${unit && ` in ${unit}`}${folds.length < 5 ? `; this run: ${folds.length} of the five folds` : ""}:`,
    ...table.map((row, i) => `${row.own ? "→" : " "} ${values[i].padStart(width)}  ${row.algorithm}`),
    ...(score === "rocauc" ? [`  ${LABELS}`] : []),
  ];
}

const LABELS =
  "Where an algorithm gave classes and no probabilities, its figure is its balanced accuracy: compare ours with that.";

const digits = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(4))) : "–");
