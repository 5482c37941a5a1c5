import { classificationMetrics, confusionMatrix, rocAuc } from "../metrics.ts";
import type { Lines } from "./charts.ts";
import { crystalColumns, groupSections, structureFigures } from "./crystals.ts";
import type { ClassificationResults, ClassificationRow, ReportData, Split } from "./data.ts";
import { html, type Markup, number, table, whole } from "./html.ts";
import { imageFigures, verdict } from "./images.ts";
import {
  type Body,
  capital,
  card,
  chart,
  idColumns,
  judged,
  metricsSection,
  percent,
  SPLIT_NAMES,
  SPLITS,
  type Tile,
} from "./sections.ts";
import { rocCurve, thin } from "./statistics.ts";
import { reliabilitySection } from "./uncertainty.ts";

const WORST = 24;
const CURVE_POINTS = 500;

/** The likeliest class, the first on a tie. */
const predictedOf = ({ probabilities }: ClassificationRow) =>
  probabilities.reduce((best, p, k) => (p > probabilities[best] ? k : best), 0);

export function classificationPage(data: ReportData, { classes, predictions }: ClassificationResults): Body {
  const [split, rows] = judged(predictions);
  const own: Parameters<typeof metricsSection>[1] = {};
  for (const name of SPLITS) {
    const list = predictions[name];
    if (list?.length) {
      const metrics = classificationMetrics(
        list.flatMap((row) => row.probabilities),
        list.map((row) => row.target),
      );
      own[name] = { rows: list.length, metrics };
    }
  }
  if (rows.length === 0) return { tiles: [], metrics: html``, figures: html``, charts: {}, structures: [] };
  const worst = worstSection(rows, classes, split);
  const roc = rocFigure(rows, classes, split);
  const reliable = reliabilitySection(rows, split);
  return {
    tiles: tiles(split, own[split]?.metrics ?? {}, classes.length),
    metrics: metricsSection(data, own),
    figures: html`${matrixSections(rows, classes, split, roc.markup)}
${reliable.markup}
${groupSections(rows, split, {
  error: (row) => (predictedOf(row) === row.target ? 0 : 1),
  name: "wrong",
  words: "Share of wrong classes among",
  format: percent,
})}
${worst.markup}`,
    charts: { lines: [roc.figure, ...reliable.lines] },
    structures: worst.structures,
  };
}

function tiles(split: Split, metrics: Record<string, number>, classes: number): Tile[] {
  const title = capital(SPLIT_NAMES[split]);
  const accuracy = { name: `${title} accuracy`, value: percent(metrics.accuracy) };
  const area = { name: `${title} ROC-AUC`, value: number(metrics.rocAuc) };
  return [...(classes > 2 ? [accuracy, area] : [area, accuracy]), { name: `${title} F1`, value: number(metrics.f1) }];
}

/** More classes than this need the page's whole width. */
const NARROW = 4;

function matrixSections(
  rows: readonly ClassificationRow[],
  classes: readonly string[],
  split: Split,
  roc: Markup,
): Markup {
  const counts = confusionMatrix(
    rows.map(predictedOf),
    rows.map(({ target }) => target),
    { classes: classes.length },
  );
  const matrix = matrixTable(counts, classes);
  const perClass = classTable(counts, classes);
  const sub = `Counts of the ${SPLIT_NAMES[split]} rows, and shares of each true class.`;
  if (classes.length <= NARROW) return html`${card("Confusion matrix", sub, html`${matrix}${perClass}`)}${roc}`;
  const details = card("Classes", `Of the ${SPLIT_NAMES[split]} rows.`, perClass);
  return html`${card("Confusion matrix", sub, matrix, { wide: true })}${roc}${details}`;
}

const sum = (list: number[]) => list.reduce((total, n) => total + n, 0);

/** Rows are true classes, columns predicted ones; a cell's colour is its share of the row. */
function matrixTable(counts: number[][], classes: readonly string[]): Markup {
  const cell = (count: number, total: number, right: boolean) => {
    const share = count / (total || 1);
    const kind = right ? "right" : "wrong";
    return html`<td class="${kind}" style="--share: ${share.toFixed(3)}"><b>${whole(count)}</b><span>${percent(share)}</span></td>`;
  };
  const line = (list: number[], truth: number) =>
    html`<tr><th scope="row">${classes[truth]}</th>${list.map((count, k) => cell(count, sum(list), k === truth))}</tr>\n`;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Confusion matrix"><table class="matrix${classes.length < NARROW && " large"}">
<caption>Confusion matrix: rows are true classes, columns predicted ones</caption>
<thead><tr><th scope="col">true ↓ predicted →</th>${classes.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${counts.map(line)}</tbody></table></div>`;
}

/** Precision: right among those predicted to be of the class. Recall: found among those that are. */
function classTable(counts: number[][], classes: readonly string[]): Markup {
  const lines = classes.map((name, k) => {
    const [truth, predicted] = [sum(counts[k]), sum(counts.map((line) => line[k]))];
    return { name, truth, precision: counts[k][k] / predicted, recall: counts[k][k] / truth };
  });
  return table(
    [
      { title: "class", cell: ({ name }) => name },
      { title: "rows", cell: ({ truth }) => whole(truth), numeric: true },
      { title: "precision", cell: ({ precision }) => percent(precision), numeric: true },
      { title: "recall", cell: ({ recall }) => percent(recall), numeric: true },
    ],
    lines,
    { caption: "Precision and recall of each class" },
  );
}

function rocFigure(rows: readonly ClassificationRow[], classes: readonly string[], split: Split) {
  // With two classes the curve of one is that of the other, mirrored.
  const shown = classes.length === 2 ? [1] : classes.map((_, k) => k);
  const curves = shown.flatMap((k) => {
    const scores = rows.map(({ probabilities }) => probabilities[k]);
    const positive = rows.map(({ target }) => target === k);
    if (positive.every(Boolean) || !positive.some(Boolean)) return [];
    const auc = rocAuc(scores, positive.map(Number));
    return [{ name: `${classes[k]}: AUC ${number(auc)}`, points: rocCurve(scores, positive) }];
  });
  const figure: Lines = {
    id: "roc",
    ...{ xAxis: "false positive rate", yAxis: "true positive rate", range: [0, 1], diagonal: true },
    series: curves.map(({ name, points }) => ({ name, points: thin(points, CURVE_POINTS) })),
  };
  const label = `Receiver operating characteristic of the ${SPLIT_NAMES[split]} rows. ${curves.map(({ name }) => name).join("; ")}`;
  const sub = classes.length === 2 ? `Positive class: ${classes[1]}.` : "Each class against the others.";
  const values = curves.map(({ name, points }) =>
    table(
      [
        { title: "false positives", cell: ({ x }) => percent(x), numeric: true },
        { title: "true positives", cell: ({ y }) => percent(y), numeric: true },
      ],
      thin(points, 20),
      { caption: name },
    ),
  );
  const content = html`${chart("roc", label, "square")}
<details><summary>Data as a table</summary>${values}</details>`;
  return { figure, markup: card("ROC curve", sub, content) };
}

/** Wrong rows, the surest first. */
function worstSection(rows: readonly ClassificationRow[], classes: readonly string[], split: Split) {
  const surety = (row: ClassificationRow) => row.probabilities[predictedOf(row)];
  const wrong = rows.filter((row) => predictedOf(row) !== row.target).sort((a, b) => surety(b) - surety(a));
  const worst = wrong.slice(0, WORST);
  const content = table(
    [
      ...idColumns(worst),
      ...crystalColumns(worst),
      { title: "true", cell: ({ target }) => classes[target] },
      { title: "predicted", cell: (row) => classes[predictedOf(row)] },
      { title: "probability", cell: (row) => percent(surety(row)), numeric: true },
      { title: "of the true class", cell: (row) => percent(row.probabilities[row.target]), numeric: true },
    ],
    worst,
    { caption: "Wrong predictions, the surest first" },
  );
  const sub =
    wrong.length > worst.length
      ? `The ${worst.length} surest of ${whole(wrong.length)} wrong predictions for ${SPLIT_NAMES[split]} rows.`
      : wrong.length > 1
        ? `All ${wrong.length} wrong predictions for ${SPLIT_NAMES[split]} rows, the surest first.`
        : `${wrong.length === 0 ? "No" : "The only"} wrong prediction for ${SPLIT_NAMES[split]} rows.`;
  const facts = (row: ClassificationRow) => verdict(classes[row.target], classes[predictedOf(row)], surety(row));
  const { markup, structures } = structureFigures(worst, facts);
  const pictures = imageFigures(wrong, facts);
  const list = pictures ? html`<details><summary>As a table</summary>${content}</details>` : content;
  return { structures, markup: card("Worst cases", sub, html`${markup}${pictures}${list}`, { wide: true }) };
}
