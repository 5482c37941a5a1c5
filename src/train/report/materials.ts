import { ELEMENTS } from "../../data/elements.ts";
import type { ViewedStructure } from "../../viewer/structure.ts";
import { attentionFigure } from "./attention.ts";
import { drawStructures, viewedJson } from "./crystals.ts";
import type { AttentionExample } from "./data.ts";
import { html, json, type Markup, number, script, table } from "./html.ts";
import { page, viewerScript } from "./page.ts";
import { card } from "./sections.ts";

/** A structure with what each of its atoms adds to its prediction. */
export interface ExplainedStructure {
  id: string;
  formula: string;
  structure: ViewedStructure;
  /** What comes of it, in words: "−3.2 eV/atom, the mean of its atoms' numbers". */
  verdict: string;
  values: ArrayLike<number>;
}

/** Blue below the middle of the range, red above it: #rrggbb of each value. */
export function divergingColors(values: ArrayLike<number>): string[] {
  const all = Array.from(values);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const ends = { low: [59, 94, 192], middle: [222, 222, 222], high: [192, 52, 48] };
  return all.map((value) => {
    const t = high > low ? (2 * (value - low)) / (high - low) - 1 : 0;
    const end = t < 0 ? ends.low : ends.high;
    const channel = (k: number): string =>
      Math.round(ends.middle[k] + Math.abs(t) * (end[k] - ends.middle[k]))
        .toString(16)
        .padStart(2, "0");
    return `#${channel(0)}${channel(1)}${channel(2)}`;
  });
}

/** A page of structures whose atoms have the colour of what they contribute; in Node. */
export async function renderContributions(
  title: string,
  unit: string | undefined,
  explained: readonly ExplainedStructure[],
): Promise<string> {
  const inUnit = unit ? ` (${unit})` : "";
  const cards = explained.map(({ id, formula, structure, verdict, values }, i) => {
    const atoms = Array.from(values, (value, k) => ({ value, k, symbol: ELEMENTS[structure.numbers[k] - 1].symbol }));
    const list = table(
      [
        { title: "atom", cell: ({ k }) => k + 1, numeric: true },
        { title: "element", cell: ({ symbol }) => symbol },
        { title: `contribution${inUnit}`, cell: ({ value }) => number(value), numeric: true },
      ],
      atoms,
      { caption: `Contributions of the atoms of ${formula}` },
    );
    const view = html`<div class="structure" data-structure="${i}" data-label="Structure of ${formula}, its atoms coloured by contribution"></div>`;
    const name = formula === id ? id : `${formula}, ${id}`;
    return card(name, verdict, html`${view}<details open><summary>Atoms</summary>${list}</details>`, {
      wide: explained.length === 1,
    });
  });
  const body = html`<header><h1>${title}</h1><p class="sub">Atoms from blue, the least, over grey to red, the most. Point at an atom to see its number. Only the whole is learned: how it is shared among atoms is the model's choice.</p></header>
<div class="cards">${cards}</div>`;
  const structures = explained.map(({ structure, values }) =>
    viewedJson({
      ...{ numbers: structure.numbers, positions: structure.positions, lattice: structure.lattice },
      periodic: structure.periodic,
      colors: divergingColors(values),
      labels: Array.from(values, (value) => `${number(value)}${unit ? ` ${unit}` : ""}`),
    }),
  );
  const draw = script(`(${drawStructures})(viewer, JSON.parse(document.getElementById("structures").textContent));`);
  return page(title, body, [json("structures", structures), script(await viewerScript()), draw]);
}

/** A page of attention maps. */
export function renderAttention(title: string, examples: readonly AttentionExample[]): string {
  const body: Markup = html`<header><h1>${title}</h1><p class="sub">How much each element (row) looks at each (column), by layer and head: the darker, the more; a row adds up to 1.</p></header>
<div class="attentions">${examples.map(attentionFigure)}</div>`;
  return page(title, body, []);
}
