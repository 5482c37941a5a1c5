import { capabilities } from "../core/parallel.ts";
import type { ClassificationRow, RegressionRow, ReportData, Split } from "../train/report.ts";
import { renderReport } from "../train/report.ts";
import type { RunConfig } from "./config.ts";
import type { Parts } from "./prepare.ts";
import type { RunFolder } from "./runFolder.ts";
import type { Outcome } from "./trainOne.ts";
import { version } from "./version.ts";

type Figures = Record<string, number>;

/** results.json: what programs read of a run. */
export interface Results {
  folder: string;
  model: string;
  target: string;
  unit?: string;
  parameters: number;
  seconds: number;
  /** Epoch of the weights that were kept (the first fold's, with folds). */
  epoch: number;
  figures: Partial<Record<Split, Figures>>;
  baselines: Outcome["baselines"];
  folds?: { test: Figures[]; mean: Figures; std: Figures };
}

/** Writes predictions.csv, report.html and results.json, in this order: results.json says that the run is finished. */
export async function writeResults(
  folder: RunFolder,
  config: RunConfig,
  outcomes: readonly Outcome[],
  parts: readonly Parts[],
  seconds: number,
): Promise<Results> {
  const [first] = outcomes;
  const folds = parts[0].fold > 0 ? foldFigures(outcomes) : undefined;
  const results: Results = {
    folder: folder.path,
    model: config.model,
    target: config.target,
    unit: config.unit,
    parameters: first.parameters,
    seconds,
    epoch: first.run.best.epoch,
    figures: folds ? { test: folds.mean } : first.figures,
    baselines: folds ? [] : first.baselines,
    ...(folds ? { folds } : {}),
  };
  await folder.write("predictions.csv", predictionsCsv(outcomes, config));
  await folder.write("report.html", await renderReport(reportData(config, outcomes, results, seconds)));
  await folder.write("results.json", `${JSON.stringify(results, null, 2)}\n`);
  return results;
}

function foldFigures(outcomes: readonly Outcome[]): NonNullable<Results["folds"]> {
  const test = outcomes.map((o) => o.figures.test!);
  const names = Object.keys(test[0]);
  const mean = (name: string): number => test.reduce((sum, f) => sum + f[name], 0) / test.length;
  const std = (name: string): number =>
    Math.sqrt(test.reduce((sum, f) => sum + (f[name] - mean(name)) ** 2, 0) / test.length);
  return {
    test,
    mean: Object.fromEntries(names.map((n) => [n, mean(n)])),
    std: Object.fromEntries(names.map((n) => [n, std(n)])),
  };
}

const SPLITS = ["train", "validation", "test"] as const;

/** Rows of validation and test (of all folds): id, formula, split, target, prediction or probabilities. */
function predictionsCsv(outcomes: readonly Outcome[], { target }: RunConfig): string {
  const config = outcomes[0].predictor.card.task;
  const classes = config.kind === "classification" ? config.classes : undefined;
  const folds = outcomes.length > 1;
  const columns = classes ? classes.map((c) => `probability ${c}`) : [`predicted ${target}`];
  const lines = [["id", "formula", ...(folds ? ["fold"] : []), "split", target, ...columns]];
  outcomes.forEach((outcome, fold) => {
    for (const split of folds ? (["test"] as const) : (["validation", "test"] as const))
      for (const row of outcome.rows[split] ?? []) {
        const values = "probabilities" in row ? row.probabilities.map(String) : [String(row.predicted)];
        const truth = classes ? classes[row.target] : String(row.target);
        lines.push([row.id, row.formula ?? "", ...(folds ? [String(fold + 1)] : []), split, truth, ...values]);
      }
  });
  return lines.map((cells) => `${cells.map(csvCell).join(",")}\n`).join("");
}

export const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function reportData(config: RunConfig, outcomes: readonly Outcome[], results: Results, seconds: number): ReportData {
  const [{ run, predictor, parameters }] = outcomes;
  const { variant, threads } = capabilities();
  const { metric } = run.task.monitor;
  const task = predictor.card.task;
  const rows = Object.fromEntries(
    (results.folds ? (["test"] as const) : SPLITS).map((split) => [
      split,
      outcomes.flatMap((o): (RegressionRow | ClassificationRow)[] => o.rows[split] ?? []),
    ]),
  );
  const { epochs = 0, batchSize = 0, optimizer = "", lr = 0, features, loss } = config;
  return {
    title: `${config.model === "elemnet" ? "ElemNet" : "MLP"}: ${config.target}`,
    model: { name: config.model === "elemnet" ? "ElemNet" : "MLP", parameters, description: describe(config) },
    dataset: { name: config.data, target: config.target, unit: config.unit },
    seed: config.seed,
    command: `spinel train --config ${results.folder}/config.json`,
    versions: {
      spinel: version,
      node: process.versions.node,
      kernels: `${variant}, ${threads} thread${threads > 1 ? "s" : ""}`,
    },
    duration: seconds,
    settings: {
      epochs,
      "batch size": batchSize,
      optimizer,
      "learning rate": lr,
      loss: loss ?? "",
      features: features ?? "magpie",
    },
    history: run.history.map(({ epoch, loss: trainLoss, validation }) => ({
      epoch,
      loss: trainLoss,
      validationLoss: validation?.loss,
      validationMetric: metric === "loss" ? undefined : validation?.[metric],
    })),
    bestEpoch: run.best.epoch,
    metric: label(metric),
    results:
      task.kind === "classification"
        ? { task: "classification", classes: task.classes, predictions: rows as never }
        : { task: "regression", predictions: rows as never },
    baselines: results.baselines,
    folds: results.folds?.test,
  };
}

const describe = ({ model, hidden = [], activation = "relu" }: RunConfig): string =>
  model === "elemnet"
    ? "17 fully connected layers on element fractions"
    : `${hidden.join(", ")} hidden units, ${activation}`;

const LABELS: Record<string, string> = {
  mae: "MAE",
  rmse: "RMSE",
  r2: "R²",
  rocAuc: "ROC-AUC",
  f1: "F1",
  balancedAccuracy: "balanced accuracy",
};
const label = (metric: string): string => LABELS[metric] ?? metric;

/** The figures as a person wants them at the end of a run. */
export function printFigures(results: Results, folder: RunFolder, config: RunConfig): void {
  const unit = config.unit ? ` ${config.unit}` : "";
  const regression = "mae" in (results.figures.test ?? results.figures.validation ?? {});
  const metrics = regression ? ["mae", "rmse", "r2"] : ["rocAuc", "accuracy", "balancedAccuracy", "f1"];
  const shown = (f: Figures): string =>
    metrics.map((m) => `${label(m)} ${format(f[m])}${regression && m !== "r2" ? unit : ""}`).join("   ");
  const lines: string[] = [];
  if (results.folds) {
    results.folds.test.forEach((f, i) => lines.push(`fold ${i + 1}:       ${shown(f)}`));
    lines.push(
      `mean ± std:   ${metrics.map((m) => `${label(m)} ${format(results.folds!.mean[m])} ± ${format(results.folds!.std[m])}`).join("   ")}`,
    );
  } else
    for (const split of ["validation", "test"] as const) {
      const figures = results.figures[split];
      if (figures) lines.push(`${`${split}:`.padEnd(13)} ${shown(figures)}`);
      for (const { name, metrics: m } of results.baselines)
        if (figures && m[split]) lines.push(`  beside ${name}: MAE ${format(m[split]!.mae)}${unit}`);
    }
  lines.push(`report:       ${folder.file("report.html")}`);
  if (!results.folds) lines.push(`predict with: spinel predict ${folder.file("model.safetensors")} FILE`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

const format = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(4))) : "–");
