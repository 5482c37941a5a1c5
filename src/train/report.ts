import { benchmarkSection } from "./report/benchmark.ts";
import { drawFigures } from "./report/charts.ts";
import { classificationPage } from "./report/classification.ts";
import { drawStructures } from "./report/crystals.ts";
import type { ReportData, Row } from "./report/data.ts";
import { html, json, script } from "./report/html.ts";
import { viewSections } from "./report/images.ts";
import { page, viewerScript } from "./report/page.ts";
import { potentialPage } from "./report/potential.ts";
import { regressionPage } from "./report/regression.ts";
import { type Body, curveFigures, foldSection, headSection, repeatSection } from "./report/sections.ts";
import { understandingSections } from "./report/understanding.ts";

export type {
  AttentionExample,
  ClassificationResults,
  ClassificationRow,
  CurvePoint,
  ImageViews,
  Leaderboard,
  Metrics,
  PotentialResults,
  PotentialRow,
  RegressionResults,
  RegressionRow,
  ReportData,
  Split,
  Understanding,
} from "./report/data.ts";
export { type EquationOfStatePage, renderEquationOfState } from "./report/equationOfState.ts";
export { type Explanation, renderExplanations, verdict } from "./report/images.ts";
export { type ExplainedStructure, renderAttention, renderContributions } from "./report/materials.ts";
export { renderStructure, type StructurePage } from "./report/structurePage.ts";

/** Texts of the scripts that a page runs. */
export interface ReportScripts {
  /** Chart.js's UMD build. */
  chart: string;
  /** The viewer of structures, the package's dist/viewer.js; not needed where no row has a structure. */
  viewer?: string;
}

/**
 * One HTML page with everything inside: it works offline and makes no network request. Its scripts are read from the installed
 * packages, so this runs in Node; elsewhere, give their texts to `reportPage`.
 */
export async function renderReport(data: ReportData): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const { createRequire } = await import("node:module");
  const { dirname, join } = await import("node:path");
  const { resolve } = createRequire(import.meta.url);
  const chart = await readFile(join(dirname(resolve("chart.js")), "chart.umd.min.js"), "utf8");
  const rows: readonly Row[] = Object.values(data.results.predictions).flat();
  if (!rows.some(({ structure }) => structure)) return reportPage(data, { chart });
  return reportPage(data, { chart, viewer: await viewerScript() });
}

/** The page with its scripts' texts; without a viewer no structure is drawn. */
export function reportPage(data: ReportData, scripts: ReportScripts): string {
  const { results } = data;
  const body = bodyOf(data, results);
  const curves = curveFigures(data);
  const main = html`${headSection(data, body.tiles)}
<div class="cards">
${body.metrics}
${curves.markup}
${body.figures}
${data.views && viewSections(data.views)}
${data.understanding && understandingSections(data.understanding, data.dataset.unit)}
${data.benchmark && benchmarkSection(data.benchmark)}
${data.folds && foldSection(data, data.folds)}
${repeatSection(data)}
</div>`;
  const { chart, viewer } = scripts;
  const structures =
    viewer !== undefined &&
    body.structures.length > 0 &&
    html`${json("structures", body.structures)}
${script(viewer)}
${script(`(${drawStructures})(viewer, JSON.parse(document.getElementById("structures").textContent));`)}`;
  return page(data.title, main, [
    json("figures", { curves: curves.figures, ...body.charts }),
    script(chart.replace(/^\/\/# sourceMappingURL=.*$/m, "")),
    script(`(${drawFigures})(Chart, JSON.parse(document.getElementById("figures").textContent));`),
    structures,
  ]);
}

function bodyOf(data: ReportData, results: ReportData["results"]): Body {
  if (results.task === "potential") return potentialPage(data, results);
  return results.task === "regression" ? regressionPage(data, results) : classificationPage(data, results);
}
