import type { Parity } from "./charts.ts";
import type { Split } from "./data.ts";
import { type Markup, whole } from "./html.ts";
import { card, chart, SPLIT_NAMES, SPLITS } from "./sections.ts";
import { thinScatter } from "./statistics.ts";

/** A point of a parity plot and what it is called. */
export interface ParityPoint {
  target: number;
  predicted: number;
  id: string;
  formula?: string;
}

/** As many points are drawn. */
const POINTS = 5000;

/** Predicted against true values, of all splits in one plot; `rows`: what the points are called where they are counted. */
export function parityFigure(
  predictions: Partial<Record<Split, readonly ParityPoint[]>>,
  {
    id = "parity",
    title = "Predicted and true",
    target,
    unit,
    rows = "rows",
  }: { id?: string; title?: string; target: string; unit: string | undefined; rows?: string },
): { figure: Parity; markup: Markup } {
  const shown = SPLITS.filter((split) => predictions[split]?.length);
  const total = shown.reduce((sum, split) => sum + (predictions[split]?.length ?? 0), 0);
  const series = [...shown].reverse().map((split) => {
    const own = predictions[split] ?? [];
    const drawn = thinScatter(
      own.filter(isDrawable),
      errorOf,
      Math.max(1, Math.floor((POINTS * own.length) / Math.max(total, POINTS))),
    );
    const points = drawn.map(({ target, predicted, id, formula }) => ({
      x: target,
      y: predicted,
      name: formula === undefined || formula === id ? id : `${id}  ${formula}`,
    }));
    return { name: SPLIT_NAMES[split], color: split as string, points };
  });
  const points = series.flatMap((one) => one.points);
  const low = points.reduce((least, { x, y }) => Math.min(least, x, y), Number.POSITIVE_INFINITY);
  const high = points.reduce((most, { x, y }) => Math.max(most, x, y), Number.NEGATIVE_INFINITY);
  const margin = 0.04 * (high - low) || 1;
  const range: [number, number] = points.length > 0 ? [low - margin, high + margin] : [0, 1];
  const inUnit = unit ? ` (${unit})` : "";
  const figure: Parity = { id, xAxis: `${target}${inUnit}`, yAxis: `predicted${inUnit}`, range, series };
  const sub =
    points.length < total
      ? `${whole(points.length)} of ${whole(total)} ${rows} drawn, the worst among them; metrics count all.`
      : `All ${whole(total)} ${rows}; on the dashed line a prediction is exact.`;
  const label = `Scatter plot of predicted against true ${target}; the metrics are in the table above`;
  return { figure, markup: card(title, sub, chart(id, label, "square")) };
}

const errorOf = ({ target, predicted }: ParityPoint) => predicted - target;
const isDrawable = ({ target, predicted }: ParityPoint) => Number.isFinite(target) && Number.isFinite(predicted);
