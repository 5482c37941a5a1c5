import { coverageCurve, errorByDeviation, miscalibration, reliability, type Uncertain } from "../calibration.ts";
import { calibrate, conformalIntervals } from "../conformal.ts";
import type { Lines } from "./charts.ts";
import type { ClassificationRow, RegressionResults, RegressionRow, Split } from "./data.ts";
import { html, type Markup, number, table, whole } from "./html.ts";
import { card, chart, percent, SPLIT_NAMES } from "./sections.ts";

/** Sections and what is drawn in them. */
export interface Sections {
  markup: Markup;
  lines: Lines[];
}

/** The shares that intervals are judged by, as far as there are rows enough. */
const LEVELS = [0.5, 0.8, 0.9, 0.95, 0.99];

/** Rows of a group whose errors are compared with their deviations. */
const FEWEST = 10;

/** Whether the model knows how far it is off: its deviations, where it has some, and the intervals that its errors allow. */
export function uncertaintySections(
  { predictions, distribution }: RegressionResults,
  split: Split,
  rows: readonly RegressionRow[],
  unit: string | undefined,
): Sections {
  const finite = rows.filter(({ target, predicted }) => Number.isFinite(target) && Number.isFinite(predicted));
  const known = finite.every(({ deviation }) => deviation !== undefined) && finite.length > 0;
  const own = known ? deviationSections(valuesOf(finite), split, unit, distribution) : undefined;
  const held = predictions.validation?.filter(({ predicted }) => Number.isFinite(predicted)) ?? [];
  const intervals = split === "test" && held.length > 0 && finite.length > 0 && intervalSection(held, finite, unit);
  return { markup: html`${own?.markup}${intervals}`, lines: own?.lines ?? [] };
}

const valuesOf = (rows: readonly RegressionRow[]): Uncertain => ({
  targets: rows.map(({ target }) => target),
  predictions: rows.map(({ predicted }) => predicted),
  deviations: rows.map(({ deviation = 0 }) => deviation),
});

function deviationSections(
  values: Uncertain,
  split: Split,
  unit: string | undefined,
  distribution: RegressionResults["distribution"],
): Sections {
  const curve = coverageCurve(values, { distribution });
  const count = values.targets.length;
  const bins = errorByDeviation(values, { bins: Math.max(1, Math.min(10, Math.floor(count / FEWEST))) });
  const most = 1.05 * Math.max(...bins.flatMap(({ expected, rmse }) => [expected, rmse])) || 1;
  const inUnit = unit ? ` (${unit})` : "";
  const name = `${SPLIT_NAMES[split]} rows`;
  const calibration: Lines = {
    id: "calibration",
    ...{ xAxis: "share expected within", yAxis: "share found within", range: [0, 1], diagonal: true },
    series: [{ name, points: curve.map(({ expected, observed }) => ({ x: expected, y: observed })) }],
  };
  const errors: Lines = {
    id: "deviations",
    ...{ xAxis: `deviation expected${inUnit}`, yAxis: `RMSE${inUnit}`, range: [0, most], diagonal: true, marks: true },
    series: [{ name, points: bins.map(({ expected, rmse }) => ({ x: expected, y: rmse })) }],
  };
  const off = miscalibration(curve);
  const excess = curve.reduce((sum, { expected, observed }) => sum + observed - expected, 0);
  // Right deviations have a distance of some 0.3/√n by chance.
  const verdict = off < Math.max(0.03, 0.6 / Math.sqrt(count)) ? "about right" : excess < 0 ? "too small" : "too large";
  const curveTable = table(
    [
      { title: "expected", cell: ({ expected }) => percent(expected), numeric: true },
      { title: "found", cell: ({ observed }) => percent(observed), numeric: true },
    ],
    curve,
    { caption: "Coverage of central intervals" },
  );
  const binTable = table(
    [
      { title: "rows", cell: ({ rows }) => whole(rows), numeric: true },
      { title: "deviation", cell: ({ expected }) => number(expected), numeric: true },
      { title: "RMSE", cell: ({ rmse }) => number(rmse), numeric: true },
    ],
    bins,
    { caption: "Errors by deviation" },
  );
  const shape = distribution === "laplace" ? "Laplace" : "normal";
  return {
    markup: html`${card(
      "Calibration",
      `Of ${name}, how many lie within the ${shape} distribution's intervals around the prediction. Mean distance from the dashed line ${percent(off)}: the deviations are ${verdict}.`,
      html`${chart("calibration", "Expected and observed coverage; the values are in the table below", "square")}
<details><summary>Data as a table</summary>${curveTable}</details>`,
    )}
${card(
  "Error and deviation",
  `The ${name} in ${bins.length} groups by the deviation that the model expects; on the dashed line the errors are as large.`,
  html`${chart("deviations", "Errors by expected deviation; the values are in the table below", "square")}
<details><summary>Data as a table</summary>${binTable}</details>`,
)}`,
    lines: [calibration, errors],
  };
}

/** How many test rows the intervals hold that the validation rows' errors allow. */
function intervalSection(
  held: readonly RegressionRow[],
  rows: readonly RegressionRow[],
  unit: string | undefined,
): Markup | undefined {
  const known = [...held, ...rows].every(({ deviation }) => deviation !== undefined);
  const { targets, predictions, deviations } = valuesOf(held);
  const config = calibrate(targets, predictions, known ? deviations : undefined);
  const answered = {
    predictions: Float32Array.from(rows, ({ predicted }) => predicted),
    deviations: known ? Float32Array.from(rows, ({ deviation }) => deviation!) : undefined,
  };
  // Fewer rows can vouch for lower shares only.
  const levels = LEVELS.filter((level) => level <= config.scores.length / (config.scores.length + 1));
  if (levels.length === 0) return undefined;
  const lines = levels.map((level) => {
    const { lower, upper } = conformalIntervals(config, level, answered);
    const inside = rows.filter(({ target }, i) => lower[i] <= target && target <= upper[i]).length;
    const width = rows.reduce((sum, _, i) => sum + upper[i] - lower[i], 0) / rows.length;
    return { level, found: inside / rows.length, width };
  });
  const content = table(
    [
      { title: "promised", cell: ({ level }) => percent(level), numeric: true },
      { title: "test rows held", cell: ({ found }) => percent(found), numeric: true },
      { title: `mean width${unit ? ` (${unit})` : ""}`, cell: ({ width }) => number(width), numeric: true },
    ],
    lines,
    { caption: "Coverage of intervals" },
  );
  const how = config.kind === "normalised" ? ", as wide as the model is unsure" : ", equally wide for all rows";
  const sub = html`Split-conformal intervals${how}, from the errors of ${whole(config.rows)} validation rows, which chose the epoch, too: test rows tell what they hold. spinel predict gives them by <code>--interval 0.9</code>.`;
  return card("Intervals", sub, content, { wide: true });
}

/** Whether probabilities are true: of rows that a class is given 80 % for, it should be right for four in five. */
export function reliabilitySection(rows: readonly ClassificationRow[], split: Split): Sections {
  const { bins, ece } = reliability(
    rows.flatMap(({ probabilities }) => probabilities),
    rows.map(({ target }) => target),
  );
  const filled = bins.filter((bin) => bin.rows > 0);
  const name = `${SPLIT_NAMES[split]} rows`;
  const figure: Lines = {
    id: "reliability",
    ...{
      xAxis: "probability of the likeliest class",
      yAxis: "share right",
      range: [0, 1],
      diagonal: true,
      marks: true,
    },
    series: [{ name, points: filled.map(({ confidence, accuracy }) => ({ x: confidence, y: accuracy })) }],
  };
  const values = table(
    [
      { title: "rows", cell: (bin) => whole(bin.rows), numeric: true },
      { title: "probability", cell: ({ confidence }) => percent(confidence), numeric: true },
      { title: "right", cell: ({ accuracy }) => percent(accuracy), numeric: true },
    ],
    filled,
    { caption: "Accuracy by probability" },
  );
  const sub = `How often the likeliest class is right, by its probability; expected calibration error ${percent(ece)}. Below the dashed line the model is too sure.`;
  const content = html`<div class="beside">${chart("reliability", "Accuracy by probability; the values are in the table beside it", "square")}
${values}</div>`;
  return { markup: card("Reliability", sub, content, { wide: true }), lines: [figure] };
}
