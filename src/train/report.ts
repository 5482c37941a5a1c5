import { drawFigures } from "./report/charts.ts";
import { classificationPage } from "./report/classification.ts";
import { drawStructures } from "./report/crystals.ts";
import type { ReportData, Row } from "./report/data.ts";
import { html, json, script, style } from "./report/html.ts";
import { regressionPage } from "./report/regression.ts";
import { curveFigures, foldSection, headSection, repeatSection } from "./report/sections.ts";
import { STYLE } from "./report/style.ts";

export type {
  ClassificationResults,
  ClassificationRow,
  CurvePoint,
  Metrics,
  RegressionResults,
  RegressionRow,
  ReportData,
  Split,
} from "./report/data.ts";

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
  const built = join(dirname(resolve("spinel/package.json")), "dist", "viewer.js");
  return reportPage(data, { chart, viewer: await readFile(built, "utf8") });
}

/** The page with its scripts' texts; without a viewer no structure is drawn. */
export function reportPage(data: ReportData, scripts: ReportScripts): string {
  const { results } = data;
  const body = results.task === "regression" ? regressionPage(data, results) : classificationPage(data, results);
  const curves = curveFigures(data);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${data.title}</title>
${style(STYLE)}
</head>
<body>
<main>
${headSection(data, body.tiles)}
<div class="cards">
${body.metrics}
${curves.markup}
${body.figures}
${data.folds && foldSection(data, data.folds)}
${repeatSection(data)}
</div>
</main>
${json("figures", { curves: curves.figures, ...body.charts })}
${script(scripts.chart.replace(/^\/\/# sourceMappingURL=.*$/m, ""))}
${script(`(${drawFigures})(Chart, JSON.parse(document.getElementById("figures").textContent));`)}
${
  scripts.viewer !== undefined &&
  body.structures.length > 0 &&
  html`${json("structures", body.structures)}
${script(scripts.viewer)}
${script(`(${drawStructures})(viewer, JSON.parse(document.getElementById("structures").textContent));`)}`
}
</body>
</html>
`;
  return page.text;
}
