import type { ViewedStructure } from "../../viewer/structure.ts";
import { formatDuration } from "../progress.ts";
import type { Curves, Figures } from "./charts.ts";
import type { CurvePoint, Metrics, ReportData, Split } from "./data.ts";
import { type Column, formulaMarkup, html, type Markup, number, table, whole } from "./html.ts";
import { thin } from "./statistics.ts";

export const SPLITS: readonly Split[] = ["test", "validation", "train"];
export const SPLIT_NAMES: Record<Split, string> = { train: "training", validation: "validation", test: "test" };

/** A figure of the row of tiles under the title. */
export interface Tile {
  name: string;
  value: string;
  unit?: string;
  note?: string;
}

/** What the two tasks give to the page. */
export interface Body {
  tiles: Tile[];
  metrics: Markup;
  figures: Markup;
  charts: Omit<Figures, "curves">;
  /** What the viewer draws in the elements with `data-structure`, by their index. */
  structures: readonly ViewedStructure[];
}

/** The split by which a model is to be judged: test rows where there are some, else validation, else training. */
export function judged<Row>(predictions: Partial<Record<Split, readonly Row[]>>): [Split, readonly Row[]] {
  const split = SPLITS.find((name) => (predictions[name]?.length ?? 0) > 0) ?? "train";
  return [split, predictions[split] ?? []];
}

export function card(
  title: string,
  sub: Markup | string,
  content: Markup,
  { wide = false, button = html`` } = {},
): Markup {
  return html`<section class="card${wide && " wide"}">
<div class="head"><h2>${title}</h2>${button}</div>
<p class="sub">${sub}</p>
${content}
</section>`;
}

/** A canvas for a chart; `label` says to those who do not see it what it shows. */
export function chart(id: string, label: string, shape: "square" | "fill" | "" = ""): Markup {
  return html`<div class="chart ${shape}"><canvas id="${id}" role="img" aria-label="${label}">${label}</canvas></div>`;
}

/** What a row is called: its id, its formula, or both where they differ. */
export function idColumns<Row extends { id: string; formula?: string }>(rows: readonly Row[]): Column<Row>[] {
  const id: Column<Row> = { title: "id", cell: (row) => row.id };
  const formula: Column<Row> = { title: "formula", cell: (row) => formulaMarkup(row.formula ?? "") };
  if (rows.every((row) => row.formula === undefined)) return [id];
  return rows.every((row) => row.formula === row.id) ? [formula] : [id, formula];
}

/** "test" → "Test" */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

export function headSection(data: ReportData, tiles: Tile[]): Markup {
  const { model, dataset, bestEpoch, history } = data;
  const last = history[history.length - 1]?.epoch;
  const all: Tile[] = [
    ...tiles,
    { name: "Parameters", value: whole(model.parameters) },
    {
      name: "Training",
      value: formatDuration(data.duration),
      note:
        last === undefined
          ? undefined
          : `${whole(last)} ${last === 1 ? "epoch" : "epochs"}${bestEpoch ? `, best ${bestEpoch}` : ""}`,
    },
  ];
  return html`<header>
<h1>${data.title}</h1>
<p class="lead">${model.name}${model.description && ` (${model.description})`}, predicting ${dataset.target}${
    dataset.unit && ` in ${dataset.unit}`
  } of ${dataset.name}; seed ${data.seed}</p>
<dl class="tiles">
${all.map(
  ({ name, value, unit, note }) =>
    html`<div class="tile"><dt>${name}</dt><dd>${value}${unit && html` <small>${unit}</small>`}</dd>${
      note && html`<dd class="note">${note}</dd>`
    }</div>\n`,
)}</dl>
</header>`;
}

/** How metrics are titled and written; those not named here appear as they are. */
const METRICS: Record<string, { title: string; format?: (x: number) => string }> = {
  mae: { title: "MAE" },
  rmse: { title: "RMSE" },
  maxError: { title: "max. error" },
  mape: { title: "MAPE", format: percent },
  // Predicting the mean gives 0 but for rounding.
  r2: { title: "R²", format: (x) => number(Math.abs(x) < 1e-9 ? 0 : x) },
  spearman: { title: "Spearman ρ" },
  accuracy: { title: "accuracy", format: percent },
  balancedAccuracy: { title: "balanced accuracy", format: percent },
  f1: { title: "F1" },
  matthews: { title: "Matthews" },
  rocAuc: { title: "ROC-AUC" },
  energyMae: { title: "energy MAE (meV/atom)" },
  energyMaeStructure: { title: "energy MAE (meV)" },
  forceMae: { title: "force MAE (meV/Å)" },
  forceRmse: { title: "force RMSE (meV/Å)" },
  stressMae: { title: "stress MAE (GPa)" },
};

export function percent(x: number): string {
  return Number.isNaN(x) ? "–" : `${(100 * x).toFixed(Math.abs(x) < 0.0995 ? 2 : 1)} %`;
}

function metricColumns<Row>(metrics: readonly Metrics[], of: (row: Row) => Metrics): Column<Row>[] {
  const names = [...new Set(metrics.flatMap(Object.keys))];
  const known = names.filter((name) => metrics.some((m) => m[name] !== undefined && !Number.isNaN(m[name])));
  return known.map((name) => {
    const { title, format = number } = METRICS[name] ?? { title: name };
    return {
      title,
      cell: (row) => (of(row)[name] === undefined ? "–" : format(of(row)[name])),
      numeric: true,
    };
  });
}

/** The model's metrics on every split, each followed by those of the baselines. */
export function metricsSection(
  data: ReportData,
  own: Partial<Record<Split, { rows: number; metrics: Metrics }>>,
): Markup {
  const lines = SPLITS.flatMap((split) => {
    const found = own[split];
    if (!found) return [];
    const group = `${capital(SPLIT_NAMES[split])} set, ${whole(found.rows)} rows`;
    const others = (data.baselines ?? []).flatMap(({ name, metrics }) => {
      const values = metrics[split];
      return values ? [{ group, predictor: name, own: false, metrics: values }] : [];
    });
    return [{ group, predictor: data.model.name, own: true, metrics: found.metrics }, ...others];
  });
  const columns: Column<(typeof lines)[number]>[] = [
    { title: "predictor", cell: ({ predictor }) => predictor },
    ...metricColumns(
      lines.map(({ metrics }) => metrics),
      (line: (typeof lines)[number]) => line.metrics,
    ),
  ];
  const content = table(columns, lines, {
    caption: "Metrics of the model and of simple predictors",
    group: ({ group }) => group,
    rowClass: (line) => (line.own ? "own" : ""),
  });
  const beside = data.baselines?.length ? "The model beside simple predictors" : "Over all rows";
  return card("Metrics", `${beside}${errorUnit(data)}.`, content, { wide: true });
}

/** MAE, RMSE and the largest error have the target's unit. */
function errorUnit({ dataset, results }: ReportData): string {
  return dataset.unit && results.task === "regression" ? `; errors in ${dataset.unit}` : "";
}

export function foldSection(data: ReportData, folds: readonly Metrics[]): Markup {
  const names = Object.keys(folds[0] ?? {});
  const over = (f: (values: number[]) => number): Metrics =>
    Object.fromEntries(names.map((name) => [name, f(folds.map((fold) => fold[name]))]));
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const deviation = (values: number[]) =>
    Math.sqrt(values.reduce((sum, x) => sum + (x - mean(values)) ** 2, 0) / values.length);
  const lines = [
    ...folds.map((metrics, i) => ({ name: String(i + 1), metrics, total: false })),
    { name: "mean", metrics: over(mean), total: true },
    { name: "standard deviation", metrics: over(deviation), total: false },
  ];
  const columns: Column<(typeof lines)[number]>[] = [
    { title: "fold", cell: ({ name }) => name },
    ...metricColumns(folds, (line: (typeof lines)[number]) => line.metrics),
  ];
  const content = table(columns, lines, {
    caption: "Test metrics of each fold",
    rowClass: ({ total }) => (total ? "total" : ""),
  });
  return card("Folds", `Test metrics of each fold${errorUnit(data)}.`, content, { wide: true });
}

/** As many epochs are drawn. */
const DRAWN = 1000;

/** Loss and metric by epoch, each with its chart, where there is something to draw. */
export function curveFigures(data: ReportData): { markup: Markup; figures: Curves[] } {
  const { history, bestEpoch } = data;
  const best = history.filter(({ epoch }) => epoch === bestEpoch);
  const drawn = [...new Set([...thin(history, DRAWN), ...best])].sort((a, b) => a.epoch - b.epoch);
  const curve = (
    id: string,
    axis: string,
    train: keyof CurvePoint | undefined,
    validation: keyof CurvePoint,
  ): Curves => {
    const series = [
      { name: "training", color: "train", values: drawn.map((record) => finite(train && record[train])) },
      { name: "validation", color: "validation", values: drawn.map((record) => finite(record[validation])) },
    ].filter(({ values }) => values.some((value) => value !== null));
    const values = series.flatMap(({ values }) => values).filter((value) => value !== null);
    const low = Math.min(...values);
    const log = low > 0 ? Math.max(...values) / low > 30 : undefined;
    return { id, axis, epochs: drawn.map(({ epoch }) => epoch), series, best: bestEpoch, log };
  };
  const hasUnit = data.results.task === "regression" && /^(MAE|RMSE|max)/i.test(data.metric);
  const unit = hasUnit && data.dataset.unit ? ` (${data.dataset.unit})` : "";
  const figures = [
    curve("loss", "loss", "loss", "validationLoss"),
    curve("metric", `${data.metric}${unit}`, "metric", "validationMetric"),
    curve("otherMetric", data.otherMetric ?? "", undefined, "otherMetric"),
  ].filter(({ series }) => series.length > 0);
  const names: Record<string, string> = { loss: "Loss", metric: data.metric, otherMetric: data.otherMetric ?? "" };
  const markup = html`${figures.map((figure) => {
    const name = capital(names[figure.id]);
    const sub = `By epoch${history.length > drawn.length ? `; ${whole(drawn.length)} of ${whole(history.length)} drawn` : ""}.`;
    const label = `${name} by epoch, for ${figure.series.map((series) => series.name).join(" and ")}; the values are in the table below`;
    const button =
      figure.log !== undefined &&
      html`<button type="button" data-log="${figure.id}" aria-pressed="${String(figure.log)}">log scale</button>`;
    const rows = thin(
      figure.epochs.map((epoch, k) => ({ epoch, k })),
      40,
    );
    const values = table(
      [
        { title: "epoch", cell: ({ epoch }) => epoch, numeric: true },
        ...figure.series.map(({ name, values }) => ({
          title: name,
          cell: ({ k }: { k: number }) => number(values[k] ?? Number.NaN),
          numeric: true,
        })),
      ],
      rows,
      { caption: `${name} by epoch` },
    );
    const content = html`${chart(figure.id, label)}<details><summary>Data as a table</summary>${values}</details>`;
    return card(name, sub, content, { button: button || html`` });
  })}`;
  return { markup, figures };
}

/** JSON has no NaN, and a chart no place for infinity: both are gaps. */
function finite(x: number | undefined): number | null {
  return x !== undefined && Number.isFinite(x) ? x : null;
}

export function repeatSection(data: ReportData): Markup {
  const facts = { seed: data.seed, ...data.settings, ...data.versions };
  return card(
    "Repeat this run",
    "The same command, data and versions give the same figures.",
    html`<pre id="command">${data.command}</pre>
<dl class="facts">${Object.entries(facts).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`,
    { wide: true, button: html`<button type="button" data-copy="command">copy</button>` },
  );
}
