import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dependencies } from "../../package.json";
import config from "../../src/lab/vite.config.ts";

// `npm run lab` serves dependencies as they are, and a browser loads ES modules only. The built page is bundled and would not tell.
test.each(Object.keys(dependencies))("%s is an ES module, or made one for the lab", (name) => {
  const about = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const native = about.type === "module" || about.module || JSON.stringify(about.exports ?? {}).includes('"import"');
  expect(Boolean(native) || config.optimizeDeps?.include?.includes(name)).toBe(true);
});
