import { drawFigures } from "./report/charts.ts";
import { classificationPage } from "./report/classification.ts";
import type { ReportData } from "./report/data.ts";
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

/**
 * One HTML page with everything inside: it works offline and makes no network request. The charts' library is read from the
 * installed chart.js, so this runs in Node; elsewhere, give its UMD build's text to `reportPage`.
 */
export async function renderReport(data: ReportData): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const { createRequire } = await import("node:module");
  const { dirname, join } = await import("node:path");
  const folder = dirname(createRequire(import.meta.url).resolve("chart.js"));
  return reportPage(data, await readFile(join(folder, "chart.umd.min.js"), "utf8"));
}

/** The page, with the text of Chart.js's UMD build. */
export function reportPage(data: ReportData, chartJs: string): string {
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
${script(chartJs.replace(/^\/\/# sourceMappingURL=.*$/m, ""))}
${script(`(${drawFigures})(Chart, JSON.parse(document.getElementById("figures").textContent));`)}
</body>
</html>
`;
  return page.text;
}
