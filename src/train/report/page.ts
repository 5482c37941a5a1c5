import { html, type Markup, style } from "./html.ts";
import { STYLE } from "./style.ts";

/** A whole page: no request leaves it, and no script runs in it but those it carries. */
export function page(title: string, body: Markup, scripts: readonly (Markup | false)[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${title}</title>
${style(STYLE)}
</head>
<body>
<main>
${body}
</main>
${scripts}
</body>
</html>
`.text;
}

/** The text of the viewer of structures, which the package holds built; in Node. */
export async function viewerScript(): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const { createRequire } = await import("node:module");
  const { dirname, join } = await import("node:path");
  const home = dirname(createRequire(import.meta.url).resolve("spinel/package.json"));
  return readFile(join(home, "dist", "viewer.js"), "utf8");
}
