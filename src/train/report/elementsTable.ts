import { ELEMENTS } from "../../data/elements.ts";
import { html, type Markup, number, table, whole } from "./html.ts";
import type { GroupError } from "./statistics.ts";

/** Fewer rows than this say little about an element: its cell gets a dashed border and does not stretch the colour scale. */
const FEW = 5;
const STEPS = 7;

/**
 * The periodic table, every element coloured by the mean error of the rows that contain it, with a scale, and the same as a plain
 * table. `what` names the figure ("MAE"), `format` writes its values.
 */
export function elementsTable(
  errors: GroupError<string>[],
  what: string,
  format: (x: number) => string,
  { hint = "Point at an element to see its error.", rows = "rows" }: { hint?: string; rows?: string } = {},
): Markup {
  const bySymbol = new Map(errors.map((entry) => [entry.key, entry]));
  const finite = errors.filter(({ mean }) => Number.isFinite(mean));
  const counted = finite.some(({ count }) => Number.isFinite(count));
  const sure = finite.filter(({ count }) => count >= FEW);
  const means = (sure.length > 0 ? sure : finite).map(({ mean }) => mean);
  const low = Math.min(...means);
  const high = Math.max(...means);
  const step = (mean: number) => {
    if (!Number.isFinite(mean)) return STEPS;
    const share = high > low ? (mean - low) / (high - low) : 0.5;
    return Math.max(1, Math.min(STEPS, 1 + Math.floor(share * STEPS)));
  };

  const cells = ELEMENTS.map(({ symbol, name, number: z, group, period }) => {
    // La … Yb and Ac … No have no group and stand below the table, from the third column on.
    const series = Number.isNaN(group);
    const column = series ? 3 + z - (period === 6 ? 57 : 89) : group;
    const place = `--column: ${column}; --row: ${period + (series ? 3 : 0)}`;
    const entry = bySymbol.get(symbol);
    if (!entry) return html`<div class="el none" style="${place}"><b>${symbol}</b><span>&nbsp;</span></div>\n`;
    const over = Number.isFinite(entry.count) ? ` over ${whole(entry.count)} ${rows}` : "";
    const title = `${symbol}, ${name}: ${what} ${format(entry.mean)}${over}`;
    const kind = `el q${step(entry.mean)}${entry.count < FEW ? " few" : ""}`;
    return html`<div class="${kind}" style="${place}" title="${title}"><b>${symbol}</b><span>${short(entry.mean)}</span></div>\n`;
  });

  const steps = Array.from({ length: STEPS }, (_, i) => html`<i class="q${i + 1}"></i>`);
  return html`<div class="elements">
<div class="legend"><p class="readout">${hint}${counted && ` Dashed: fewer than ${FEW} ${rows}.`}</p>
<div class="scale">${steps}<span>${format(low)}</span><span>${format(high)}</span></div></div>
<div class="gap"></div>
${cells}</div>
<details><summary>Data as a table</summary>${table(
    [
      { title: "element", cell: ({ key }) => key },
      ...(counted ? [{ title: rows, cell: ({ count }: GroupError<string>) => whole(count), numeric: true }] : []),
      { title: what, cell: ({ mean }) => number(mean), numeric: true },
    ],
    [...errors].sort((a, b) => b.mean - a.mean),
    { caption: `${what} by element, largest first` },
  )}</details>`;
}

/** At most four characters, to fit a cell. */
function short(x: number): string {
  if (!Number.isFinite(x)) return "∞";
  if (x === 0) return "0";
  if (x < 0) return `−${short(-x)}`;
  if (x >= 1e6) return x.toExponential(0).replace("+", "");
  if (x >= 1000) return x >= 1e4 ? `${(x / 1000).toFixed(0)}k` : `${(x / 1000).toFixed(1)}k`;
  const text = x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2);
  return x < 0.005 ? x.toExponential(0).replace("e-", "e−") : text.replace(/^0\./, ".");
}
