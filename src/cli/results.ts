import { capabilities } from "../core/parallel.ts";
import { csvLine, shortest } from "../io/csv.ts";
import type { ClassificationRow, PotentialRow, RegressionRow, ReportData, Split } from "../train/report.ts";
import { renderReport } from "../train/report.ts";
import { type Benchmark, benchmarkLines, benchmarkOf, leaderboard } from "./benchmark.ts";
import type { RunConfig } from "./config.ts";
import { describeFeatures } from "./featurisers.ts";
import { needsNodes, titleOf } from "./models.ts";
import { label, unitOf } from "./monitors.ts";
import { isMotion } from "./motion.ts";
import { describeNet } from "./nodeModels.ts";
import { isPotential } from "./potentialConfig.ts";
import { predictionsXyz } from "./potentials.ts";
import { type Predicted, predictionCells, predictionColumns } from "./predictions.ts";
import type { RunFolder } from "./runFolder.ts";
import { PROGRAM, quoted } from "./shell.ts";
import type { Outcome } from "./trainOne.ts";
import { version } from "./version.ts";

type Figures = Record<string, number>;

/** results.json: what programs read of a run. */
export interface Results {
  folder: string;
  model: string;
  task: "regression" | "classification" | "potential";
  target: string;
  unit?: string;
  classes?: string[];
  parameters: number;
  /** Of training, interruptions left out; of all folds. */
  seconds: number;
  /** Epochs trained, and the one whose weights were kept; with folds, the first one's. */
  epochs: number;
  epoch: number;
  /** By split; with folds, the mean over their test sets. */
  figures: Partial<Record<Split, Figures>>;
  baselines: Outcome["baselines"];
  folds?: { test: Figures[]; mean: Figures; std: Figures };
  /** Of a run on one of Matbench's tasks. */
  benchmark?: Benchmark;
}

/** Writes predictions.csv, report.html and results.json, in this order: results.json says that the run is finished. */
export async function writeResults(
  folder: RunFolder,
  config: RunConfig,
  outcomes: readonly Outcome[],
): Promise<Results> {
  const [first] = outcomes;
  const { kind, ...rest } = first.predictor.card.task;
  const folds = config.folds === undefined ? undefined : foldFigures(outcomes);
  const results: Results = {
    folder: folder.path,
    model: config.model,
    task: kind,
    target: config.target,
    unit: config.unit,
    classes: "classes" in rest ? rest.classes : undefined,
    parameters: first.parameters,
    seconds: outcomes.reduce((sum, { run }) => sum + run.seconds, 0),
    epochs: first.run.history.length,
    epoch: first.run.best.epoch,
    figures: folds ? { test: folds.mean } : first.figures,
    baselines: folds ? [] : first.baselines,
    ...(folds ? { folds } : {}),
  };
  if (kind === "potential") await folder.write("predictions.xyz", predictionsXyz(outcomes));
  else await folder.write("predictions.csv", predictionsCsv(outcomes, config));
  if (config.matbench !== undefined) {
    const { benchmark, file } = benchmarkOf(config.matbench, config, outcomes, version);
    results.benchmark = benchmark;
    await folder.write("results.json.gz", [file]);
  }
  await folder.write("report.html", await renderReport(reportData(config, outcomes, results)));
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

/** Rows of validation and test (with folds, of all test sets): id, formula, split, target and prediction. */
function predictionsCsv(outcomes: readonly Outcome[], { target, folds, onlyFolds }: RunConfig): string {
  const [{ predictor }] = outcomes;
  const { card } = predictor;
  const fold = folds === undefined ? [] : ["fold"];
  const deviation = outcomes.some(({ answers }) => answers.test?.deviations ?? answers.validation?.deviations);
  const numbers = card.task.kind === "regression";
  const columns = predictionColumns(card, { deviation: deviation && numbers });
  const lines = [csvLine(["id", "formula", ...fold, "split", target, ...columns])];
  for (const [i, { rows }] of outcomes.entries())
    for (const split of folds === undefined ? (["validation", "test"] as const) : (["test"] as const))
      for (const row of (rows[split] ?? []) as (RegressionRow | ClassificationRow)[]) {
        const truth = card.task.kind === "classification" ? card.task.classes[row.target] : shortest(row.target);
        const predicted = "probabilities" in row ? { outputs: row.probabilities } : numbersOf(row);
        const foldNumber = fold.map(() => (onlyFolds?.[i] ?? i) + 1);
        lines.push(
          csvLine([row.id, row.formula ?? "", ...foldNumber, split, truth, ...predictionCells(card, predicted)]),
        );
      }
  return lines.join("");
}

const numbersOf = ({ predicted, deviation }: RegressionRow): Predicted => ({
  outputs: [predicted],
  deviations: deviation === undefined ? undefined : [deviation],
});

function reportData(config: RunConfig, outcomes: readonly Outcome[], results: Results): ReportData {
  const [{ run, predictor, parameters }] = outcomes;
  const { variant, threads } = capabilities();
  const { metric } = run.task.monitor;
  const task = predictor.card.task;
  const rows = Object.fromEntries(
    (results.folds ? (["test"] as const) : SPLITS).map((split) => [
      split,
      outcomes.flatMap((o): (RegressionRow | ClassificationRow | PotentialRow)[] => o.rows[split] ?? []),
    ]),
  );
  const { epochs = 0, batchSize = "all", optimizer = "", lr = 0 } = config;
  const loss = "loss" in task ? task.loss : "cross-entropy";
  const name = titleOf(config.model);
  const other = metric === "forceMae" ? "energyMae" : undefined;
  const named = (metric: string): string => label(metric) + (unitOf(metric) ? ` (${unitOf(metric)})` : "");
  return {
    title: `${name}: ${config.target}`,
    model: { name, parameters, description: describe(config, task.kind) },
    dataset: { name: config.data, target: config.target, unit: config.unit },
    seed: config.seed,
    command: `${PROGRAM} train --config ${quoted(`${results.folder}/config.json`)}`,
    versions: {
      spinel: version,
      node: process.versions.node,
      kernels: `${variant}, ${threads} thread${threads > 1 ? "s" : ""}`,
    },
    duration: results.seconds,
    settings: {
      epochs,
      "batch size": batchSize,
      optimizer,
      "learning rate": lr,
      loss,
      features: describeFeatures(predictor.featuriser).join(", "),
    },
    history: run.history.map(({ epoch, loss: trainLoss, validation }) => ({
      epoch,
      loss: trainLoss,
      validationLoss: validation?.loss,
      validationMetric: metric === "loss" ? undefined : validation?.[metric],
      otherMetric: other && validation?.[other],
    })),
    bestEpoch: run.best.epoch,
    metric: named(metric),
    otherMetric: other && named(other),
    results:
      task.kind === "classification"
        ? { task: "classification", classes: task.classes, predictions: rows as never }
        : task.kind === "potential"
          ? { task: "potential", predictions: rows as never, metrics: results.figures }
          : {
              task: "regression",
              predictions: rows as never,
              distribution: loss === "robustL1" ? "laplace" : "normal",
            },
    baselines: results.baselines,
    views: outcomes[0].views,
    understanding: outcomes[0].understanding,
    folds: results.folds?.test,
    benchmark: results.benchmark && leaderboard(results.benchmark),
  };
}

function describe(config: RunConfig, task: Results["task"]): string | undefined {
  const { model, hidden = [], activation = "relu", nConv, atomFeaLen, nH, hFeaLen } = config;
  if (model === "elemnet") return "17 fully connected layers on element fractions";
  if (model === "mlp" && hidden.length === 0)
    return `no hidden layer: ${task === "regression" ? "linear" : "logistic"} regression`;
  if (model === "mlp") return `${hidden.join(", ")} hidden units, ${activation}`;
  if (model === "crabnet") return `a transformer over the elements, three layers of width ${config.width ?? 512}`;
  if (model === "schnet")
    return `${config.nInteractions} interaction blocks of width ${config.nAtomBasis}, ${config.nRbf} Gaussians`;
  if (model === "alignn")
    return `${config.alignnLayers} layers with angles and ${config.gcnLayers} without, width ${config.hiddenFeatures}`;
  if (model === "painn") return `${config.nInteractions} blocks of scalars and vectors of width ${config.nAtomBasis}`;
  if (model === "egnn" || model === "gnn") return `${config.nInteractions} layers of width ${config.nAtomBasis}`;
  if (model === "pointnet")
    return `${config.points} points, turned by a learned matrix${config.featureTransform ? ", as are their features" : ""}`;
  if (model === "mpnn")
    return `${config.nBlocks} rounds of messages between atoms of width ${config.embedding}, Set2Set`;
  if (needsNodes(model)) return describeNet(config);
  if (model === "megnet")
    return `${config.nBlocks} blocks, ${config.embedding} numbers for an element, ${config.nRbf} Gaussians`;
  if (model !== "cgcnn") return undefined;
  return `${nConv} crystal graph convolutions of width ${atomFeaLen}, ${nH} fully connected of width ${hFeaLen}`;
}

const PRINTED: Record<Results["task"], readonly string[]> = {
  regression: ["mse", "mae", "rmse", "r2"],
  classification: ["rocAuc", "accuracy", "balancedAccuracy", "f1"],
  potential: ["energyMae", "forceMae", "forceRmse", "stressMae"],
};

/** The figures as a person wants them at the end of a run. */
export function printFigures(results: Results, folder: RunFolder, config: RunConfig): void {
  const { unit, patience } = config;
  const metrics = PRINTED[results.task].filter((m) => Object.values(results.figures)[0][m] !== undefined);
  const named = (metric: string, value: string): string =>
    `${label(metric)} ${value}${unitOf(metric, unit) ? ` ${unitOf(metric, unit)}` : ""}`;
  const shown = (format: (metric: string) => string): string => metrics.map((m) => named(m, format(m))).join("   ");
  const least = isPotential(config)
    ? config.forces
      ? "forceMae"
      : "energyMae"
    : metrics.includes("mse")
      ? "mse"
      : "mae";
  const lines: [name: string, text: string][] = [];
  const { folds, figures, baselines, epoch, epochs, benchmark } = results;
  if (benchmark) {
    process.stdout.write(`${benchmarkLines(benchmark).join("\n")}\n\n`);
    const partial = benchmark.folds.length < 5 ? " (the package matbench reads all five folds only)" : "";
    lines.push(["for Matbench", folder.file("results.json.gz") + partial]);
  } else if (folds) {
    folds.test.forEach((f, i) => lines.push([`fold ${i + 1}`, shown((m) => digits(f[m]))]));
    lines.push(["mean ± std", shown((m) => `${digits(folds.mean[m])} ± ${digits(folds.std[m])}`)]);
    lines.push([
      config.ensemble === undefined ? "models" : "ensembles",
      folder.file(`fold1 … fold${folds.test.length}`),
    ]);
  } else {
    for (const split of ["validation", "test"] as const) {
      const own = figures[split];
      if (own) lines.push([split, shown((m) => digits(own[m]))]);
      for (const { name, metrics: m } of baselines)
        if (own && m[split]) lines.push(["", `${named(least, digits(m[split][least]))} (${name})`]);
    }
    if (patience !== undefined) lines.push(["weights", `of epoch ${epoch}, the best of ${epochs}`]);
    if (config.ensemble !== undefined) lines.push(["members", folder.file(`member1 … member${config.ensemble}`)]);
    const model = config.ensemble === undefined ? folder.file("model.safetensors") : folder.path;
    // No file holds moving particles.
    if (!isMotion(config)) lines.push(["predict with", `${PROGRAM} predict ${quoted(model)} FILE`]);
  }
  lines.push(["report", folder.file("report.html")]);
  const padded = lines.map(([name, text]) => `${(name && `${name}:`).padEnd(13)} ${text}\n`);
  process.stdout.write(padded.join(""));
}

const digits = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(4))) : "–");
