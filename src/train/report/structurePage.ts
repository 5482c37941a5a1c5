import type { ViewedStructure } from "../../viewer/structure.ts";
import { drawStructures, viewedJson } from "./crystals.ts";
import { formulaMarkup, html, json, type Markup, script } from "./html.ts";
import { page, viewerScript } from "./page.ts";
import { card } from "./sections.ts";

export interface StructurePage {
  id: string;
  formula: string;
  structure: ViewedStructure;
  facts: readonly (readonly [name: string, value: string])[];
  /** A line for each atom: itself and its neighbours. */
  atoms: readonly string[];
}

/** One structure and its graph as a page with everything inside; in Node. */
export async function renderStructure({ id, formula, structure, facts, atoms }: StructurePage): Promise<string> {
  const list: Markup = html`<dl class="pairs">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
  const view = html`<div class="structure large" data-structure="0" data-label="Structure of ${formula} and its graph"></div>`;
  const body = html`<header><h1>${formulaMarkup(formula)}</h1><p class="sub">${id}</p></header>
<div class="cards">
${card("Structure and graph", "Drag or use the arrow keys to turn it, + and − to zoom.", view, { wide: true })}
${card("The graph", "What a crystal model sees of the structure.", list)}
${card("Neighbours", "Of each atom, nearest first.", html`<pre class="scroll">${atoms.join("\n")}</pre>`)}
</div>`;
  const draw = script(`(${drawStructures})(viewer, JSON.parse(document.getElementById("structures").textContent));`);
  const data = json("structures", [viewedJson(structure)]);
  return page(`${formula}: structure and graph`, body, [data, script(await viewerScript()), draw]);
}
