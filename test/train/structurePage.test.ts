import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { renderStructure } from "../../src/train/report.ts";
import { launchChrome } from "../browser/chrome.ts";
import { buildIfStale } from "../cli/helpers/build.ts";

beforeAll(buildIfStale, 600_000);

test("a structure and its graph: drawn, with its facts, offline", async () => {
  const structure = new Structure({
    lattice: Lattice.cubic(4.1437),
    numbers: [55, 17],
    fractional: [0, 0, 0, 0.5, 0.5, 0.5],
  });
  const text = await renderStructure({
    id: "CsCl <script>",
    formula: "CsCl",
    structure: { ...structure, edges: [[0, 1, 0, 0, 0]] },
    facts: [["degree", "12"]],
    atoms: ["1 Cs  8 Cl 3.589 Å"],
  });
  const folder = mkdtempSync(join(tmpdir(), "spinel-structure-"));
  const browser = await launchChrome({ webgl: "software" });
  try {
    const file = join(folder, "graph.html");
    writeFileSync(file, text);
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => void (request.url().startsWith("http") && complaints.push(request.url())));
    await page.goto(pathToFileURL(file).href);
    const canvas = page.locator(".structure canvas").first();
    await canvas.waitFor();
    const colours = () =>
      canvas.evaluate((c: HTMLCanvasElement) => {
        const pixels = c.getContext("2d")!.getImageData(0, 0, c.width, c.height).data;
        return new Set(Array.from({ length: pixels.length / 4 }, (_, i) => pixels.slice(4 * i, 4 * i + 3).join())).size;
      });
    await expect.poll(colours, { timeout: 10_000 }).toBeGreaterThan(50);
    expect(await page.locator("main").textContent()).toMatch(
      /CsCl <script>[\s\S]*degree\s*12[\s\S]*1 Cs {2}8 Cl 3\.589 Å/,
    );
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}, 60_000);
