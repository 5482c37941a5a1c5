import { regressionMetrics } from "../metrics.ts";
import type { Bars } from "./charts.ts";
import { crystalColumns, groupSections, structureFigures } from "./crystals.ts";
import type { RegressionResults, RegressionRow, ReportData, Split } from "./data.ts";
import { html, type Markup, number, table, whole } from "./html.ts";
import { imageFigures } from "./images.ts";
import { parityFigure } from "./parity.ts";
import {
  type Body,
  capital,
  card,
  chart,
  idColumns,
  judged,
  metricsSection,
  SPLIT_NAMES,
  SPLITS,
  type Tile,
} from "./sections.ts";
import { histogram, quantile } from "./statistics.ts";
import { uncertaintySections } from "./uncertainty.ts";

/** As many rows are listed as worst. */
const WORST = 20;

const errorOf = ({ target, predicted }: RegressionRow) => predicted - target;

export function regressionPage(data: ReportData, results: RegressionResults): Body {
  const { predictions } = results;
  const { unit } = data.dataset;
  const [split, rows] = judged(predictions);
  const own: Parameters<typeof metricsSection>[1] = {};
  for (const name of SPLITS) {
    const list = predictions[name];
    if (list?.length) {
      const [predicted, target] = [list.map((row) => row.predicted), list.map((row) => row.target)];
      own[name] = { rows: list.length, metrics: regressionMetrics(predicted, target) };
    }
  }
  if (rows.length === 0) return { tiles: [], metrics: html``, figures: html``, charts: {}, structures: [] };
  const withUnit = (x: number) => number(x) + (unit ? ` ${unit}` : "");
  const worst = worstSection(rows, split, unit);
  const parity = parityFigure(predictions, { target: data.dataset.target, unit });
  const bars = histogramFigure(data, rows);
  const certainty = uncertaintySections(results, split, rows, unit);
  return {
    tiles: tiles(data, split, own[split]?.metrics ?? {}),
    metrics: metricsSection(data, own),
    figures: html`${parity.markup}
${errorSection(rows, split, bars, withUnit)}
${certainty.markup}
${groupSections(rows, split, {
  error: (row) => Math.abs(errorOf(row)),
  name: "MAE",
  words: "Mean absolute error of",
  format: withUnit,
})}
${worst.markup}`,
    charts: { parity: parity.figure, histogram: bars.figure, lines: certainty.lines },
    structures: worst.structures,
  };
}

function tiles(data: ReportData, split: Split, metrics: Record<string, number>): Tile[] {
  const title = capital(SPLIT_NAMES[split]);
  const { unit } = data.dataset;
  const mean = data.baselines?.map(({ name, metrics }) => ({ name, mae: metrics[split]?.mae })).find(({ mae }) => mae);
  const ratio = mean?.mae ? mean.mae / metrics.mae : undefined;
  return [
    {
      name: `${title} MAE`,
      value: number(metrics.mae),
      unit,
      note: ratio && mean && Number.isFinite(ratio) ? `${ratio.toPrecision(3)} × smaller than ${mean.name}` : undefined,
    },
    { name: `${title} RMSE`, value: number(metrics.rmse), unit },
    { name: `${title} R²`, value: number(metrics.r2) },
  ];
}

function histogramFigure(data: ReportData, rows: readonly RegressionRow[]) {
  const bins = histogram(rows.map(errorOf));
  const unit = data.dataset.unit ? ` (${data.dataset.unit})` : "";
  const { start, width, counts } = bins;
  const figure: Bars = { id: "histogram", axis: `predicted − true${unit}`, color: "test", start, width, counts };
  return { figure, bins };
}

function errorSection(
  rows: readonly RegressionRow[],
  split: Split,
  { figure, bins }: ReturnType<typeof histogramFigure>,
  withUnit: (x: number) => string,
): Markup {
  const sizes = Float64Array.from(rows, (row) => Math.abs(errorOf(row))).sort();
  const bias = rows.reduce((sum, row) => sum + errorOf(row), 0) / rows.length;
  const facts = [
    ["mean error", bias],
    ["median of |error|", quantile(sizes, 0.5)],
    ["90 % below", quantile(sizes, 0.9)],
    ["99 % below", quantile(sizes, 0.99)],
  ] as const;
  const sub = `Of the ${SPLIT_NAMES[split]} rows${bins.beyond > 0 ? `, ${whole(bins.beyond)} of them outside the range` : ""}.`;
  const list = figure.counts.map((count, i) => ({ count, from: bins.start + i * bins.width }));
  const values = table(
    [
      { title: "from", cell: ({ from }) => number(Number(from.toPrecision(9))), numeric: true },
      { title: "to", cell: ({ from }) => number(Number((from + bins.width).toPrecision(9))), numeric: true },
      { title: "rows", cell: ({ count }) => whole(count), numeric: true },
    ],
    list,
    { caption: "Histogram of the errors" },
  );
  return card(
    "Errors",
    sub,
    html`${chart("histogram", "Histogram of the errors; the counts are in the table below", "fill")}
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${withUnit(value)}</dd></div>\n`)}</dl>
<details><summary>Data as a table</summary>${values}</details>`,
  );
}

function worstSection(rows: readonly RegressionRow[], split: Split, unit: string | undefined) {
  const size = (row: RegressionRow) => (Number.isNaN(errorOf(row)) ? Number.POSITIVE_INFINITY : Math.abs(errorOf(row)));
  const worst = [...rows].sort((a, b) => size(b) - size(a)).slice(0, WORST);
  const content = table(
    [
      ...idColumns(worst),
      ...crystalColumns(worst),
      { title: "true", cell: ({ target }) => number(target), numeric: true },
      { title: "predicted", cell: ({ predicted }) => number(predicted), numeric: true },
      { title: "error", cell: (row) => number(errorOf(row)), numeric: true },
    ],
    worst,
    { caption: "Rows with the largest errors" },
  );
  const facts = (row: RegressionRow): [string, string][] => [
    ["true", number(row.target)],
    ["predicted", number(row.predicted)],
    ["error", number(errorOf(row))],
  ];
  const { markup, structures } = structureFigures(worst, facts);
  const sub = `The ${worst.length} ${SPLIT_NAMES[split]} rows with the largest errors${unit ? `; values in ${unit}` : ""}.`;
  return {
    structures,
    markup: card("Worst cases", sub, html`${markup}${imageFigures(worst, facts)}${content}`, { wide: true }),
  };
}
