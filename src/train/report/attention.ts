import { ELEMENTS } from "../../data/elements.ts";
import type { AttentionExample } from "./data.ts";
import { formulaMarkup, html, type Markup, number } from "./html.ts";

/** A grid of heat maps, a row for each layer and a column for each head: how much element i looks at element j. */
export function attentionFigure({ id, formula, elements, weights, facts = [] }: AttentionExample): Markup {
  const symbols = elements.map((z) => ELEMENTS[z - 1].symbol);
  const heads = weights[0]?.length ?? 0;
  const head = html`<tr><td></td>${symbols.map((symbol) => html`<th scope="col">${symbol}</th>`)}</tr>`;
  const grid = (values: ArrayLike<number>, layer: number, h: number): Markup => {
    const rows = symbols.map((from, i) => {
      const cells = symbols.map((to, j) => {
        const weight = values[i * symbols.length + j];
        const title = `Layer ${layer + 1}, head ${h + 1}: ${from} looks at ${to} with ${number(weight)}`;
        return html`<td style="--share: ${weight.toFixed(3)}" title="${title}">${weight.toFixed(2).replace(/^0/, "")}</td>`;
      });
      return html`<tr><th scope="row">${from}</th>${cells}</tr>`;
    });
    return html`<table><caption>Layer ${layer + 1}, head ${h + 1}</caption>${head}${rows}</table>`;
  };
  const named = id !== formula;
  return html`<figure><figcaption><p class="name"><b>${formulaMarkup(formula)}</b></p>${named && html`<p class="id">${id}</p>`}
<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></figcaption>
<div class="scroll"><div class="heads" style="--heads: ${heads}">${weights.map((layer, l) => layer.map((values, h) => grid(values, l, h)))}</div></div></figure>\n`;
}
