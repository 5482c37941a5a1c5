import { ELEMENTS } from "../../data/elements.ts";
import { pca } from "../pca.ts";
import { attentionFigure } from "./attention.ts";
import type { Understanding } from "./data.ts";
import { elementsTable } from "./elementsTable.ts";
import { html, type Markup } from "./html.ts";
import { card, percent } from "./sections.ts";

const symbolOf = (z: number): string => ELEMENTS[z - 1].symbol;
const digits = (x: number): string => String(Number(x.toPrecision(3))).replace("-", "−");

/** What a model has learned of the elements, and how it uses it. */
export function understandingSections(
  { embeddings, contributions, attention = [] }: Understanding,
  unit: string | undefined,
): Markup {
  const inUnit = (x: number): string => digits(x) + (unit ? ` ${unit}` : "");
  return html`${embeddings && embeddings.elements.length > 2 && embeddingSections(embeddings)}
${
  contributions &&
  contributions.values.length > 0 &&
  card(
    "What elements contribute",
    `The mean of what ${contributions.what === "an atom" ? "an atom of an element" : "an element"} ${contributions.readout === "sum" ? `adds${contributions.beside ? " to the free atom's energy" : ""}` : "says; a prediction is the mean of these"}, over ${contributions.rows}. Only the whole is learned: how it is shared is the model's choice.`,
    elementsTable(
      contributions.values.map(({ element, mean, count }) => ({ key: symbolOf(element), mean, count })),
      "contribution",
      inUnit,
      {
        hint: "Point at an element to see what it contributes.",
        rows: contributions.what === "an atom" ? "atoms" : "rows",
      },
    ),
    { wide: true },
  )
}
${
  attention.length > 0 &&
  card(
    "Attention",
    "How much each element (row) looks at each (column), by layer and head: the darker, the more; a row adds up to 1.",
    html`<div class="attentions">${attention.map(attentionFigure)}</div>`,
    { wide: true },
  )
}`;
}

/** The elements on the plane of the first two principal components of their vectors, and the first on the periodic table. */
function embeddingSections({ elements, vectors }: NonNullable<Understanding["embeddings"]>): Markup {
  const { scores, explained } = pca(vectors, 2);
  const sub = `The vectors of ${vectors[0].length} numbers that the model has learned for ${elements.length} elements`;
  const table = elementsTable(
    elements.map((z, i) => ({ key: symbolOf(z), mean: scores[i][0], count: Number.POSITIVE_INFINITY })),
    "first component",
    digits,
    { hint: "Point at an element to see its first component." },
  );
  return html`${card(
    "Map of the elements",
    `${sub}, along their first principal component (${percent(explained[0])} of the variance): alike where they are coloured alike.`,
    table,
    { wide: true },
  )}
${card(
  "Elements by likeness",
  `The same vectors on the plane of the first two components (${percent(explained[0])} and ${percent(explained[1])} of the variance); lines join each element to the next of its group.`,
  elementPlane(elements, scores),
  { wide: true },
)}`;
}

const [WIDTH, HEIGHT, MARGIN] = [1000, 560, 30];

/** Symbols where the scores are; each element is joined to the next heavier one of its group. */
function elementPlane(elements: readonly number[], scores: readonly Float64Array[]): Markup {
  const span = (k: number, size: number): ((score: Float64Array) => number) => {
    const values = scores.map((score) => score[k]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (score) =>
      MARGIN + ((size - 2 * MARGIN) * (high > low ? score[k] - low : 0.5)) / (high > low ? high - low : 1);
  };
  const [x, y] = [span(0, WIDTH), span(1, HEIGHT)];
  const place = scores.map((score) => [x(score).toFixed(1), (HEIGHT - y(score)).toFixed(1)]);
  const lines = elements.flatMap((z, i) => {
    const { group } = ELEMENTS[z - 1];
    const next = elements.findIndex((other, j) => j !== i && other > z && ELEMENTS[other - 1].group === group);
    if (next < 0) return [];
    const [[x1, y1], [x2, y2]] = [place[i], place[next]];
    return [html`<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`];
  });
  const names = elements.map((z, i) => {
    const { symbol, name, group } = ELEMENTS[z - 1];
    return html`<text x="${place[i][0]}" y="${place[i][1]}" class="${blockOf(group, z)}">${symbol}<title>${name}</title></text>`;
  });
  const label = "Elements on the plane of the first two principal components of their vectors";
  return html`<svg class="plane" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${lines}${names}</svg>
<p class="key"><b class="s">s</b> <b class="p">p</b> <b class="d">d</b> <b class="f">f</b> block</p>`;
}

function blockOf(group: number, z: number): string {
  if (Number.isNaN(group)) return "f";
  return group <= 2 || z === 2 ? "s" : group <= 12 ? "d" : "p";
}
