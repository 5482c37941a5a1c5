import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CRYSTAL_SYSTEMS, crystalSystem, spaceGroupMarkup } from "../../src/train/report/spaceGroups.ts";
import { type ReportData, renderReport, reportPage } from "../../src/train/report.ts";
import type { ViewedStructure } from "../../src/viewer/structure.ts";
import { launchChrome } from "../browser/chrome.ts";
import { buildIfStale } from "../cli/helpers/build.ts";
import { crystalRows } from "./crystalRows.ts";

const CRYSTALS = crystalRows(60);

function report(results: ReportData["results"]): ReportData {
  return {
    title: "CGCNN on crystals",
    model: { name: "CGCNN", parameters: 80833 },
    dataset: { name: "crystals.jsonl", target: "energy", unit: "eV/atom" },
    seed: 42,
    command: "npx spinel train cgcnn --data crystals.jsonl --target energy",
    versions: { spinel: "0.1.0" },
    duration: 60,
    history: [1, 2, 3].map((epoch) => ({ epoch, loss: 1 / epoch })),
    metric: "MAE",
    results,
  };
}
const regression = (rows = CRYSTALS) =>
  report({ task: "regression", predictions: { train: crystalRows(300), validation: rows } });
/** Every third row is wrong. */
const classification = report({
  task: "classification",
  classes: ["insulator", "metal"],
  predictions: {
    test: CRYSTALS.map(({ predicted: _, ...row }, i) => ({
      ...row,
      target: i % 2,
      probabilities: (i % 2 === 0) === i % 3 > 0 ? [0.7, 0.3] : [0.2, 0.8],
    })),
  },
});

const textOf = (page: string) =>
  page
    .replace(/<(script|style)\b.*?<\/\1>/gs, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

const structuresOf = (page: string): ViewedStructure[] =>
  JSON.parse(/id="structures">(.*?)<\/script>/.exec(page)?.[1] ?? "[]");

beforeAll(buildIfStale, 600_000);

describe("the page", () => {
  test("errors by crystal system, space group and number of atoms", async () => {
    const page = await renderReport(regression());
    const text = textOf(page);
    const mean = (rows: typeof CRYSTALS) => {
      const errors = rows.map(({ target, predicted }) => Math.abs(predicted - target));
      return (errors.reduce((a, b) => a + b) / errors.length).toPrecision(4);
    };
    const cubic = CRYSTALS.filter(({ spaceGroup }) => spaceGroup !== 99);
    const tetragonal = CRYSTALS.filter(({ spaceGroup }) => spaceGroup === 99);
    expect(text).toContain("Error by crystal system Mean absolute error of the validation rows.");
    expect(text).toContain(`tetragonal ${mean(tetragonal)} eV/atom 12 cubic ${mean(cubic)} eV/atom 48`);
    expect(text).toContain(`Fm 3 m (225) 24 ${mean(CRYSTALS.filter(({ spaceGroup }) => spaceGroup === 225))}`);
    const small = CRYSTALS.filter(({ structure }) => structure!.numbers.length <= 8);
    const large = CRYSTALS.filter(({ structure }) => structure!.numbers.length === 12);
    expect(text).toContain(`5–8 ${mean(small)} eV/atom ${small.length} 9–16 ${mean(large)} eV/atom 12`);
  });

  test("the six worst structures, and only those, are within", async () => {
    const page = await renderReport(regression());
    const worst = [...CRYSTALS]
      .sort((a, b) => Math.abs(b.predicted - b.target) - Math.abs(a.predicted - a.target))
      .slice(0, 6);
    const structures = structuresOf(page);
    expect(structures.map(({ numbers }) => numbers)).toEqual(
      worst.map(({ structure }) => [...(structure!.numbers as Int32Array)]),
    );
    expect(structures[0].periodic).toEqual([true, true, true]);
    for (const x of structures.flatMap(({ positions }) => [...(positions as number[])]))
      expect(String(x)).toMatch(/^-?\d+(\.\d{1,4})?$/);
    const ids = [...page.matchAll(/data-label="Structure of [\w]+, ([\w-]+)"/g)].map(([, id]) => id);
    expect(ids).toEqual(worst.map(({ id }) => id));
    expect(page.length).toBeLessThan(950_000);
  });

  test("a row that knows less is left out where it must be, and the page says so", async () => {
    const some = CRYSTALS.map(({ structure, spaceGroup, ...row }, i) =>
      i % 4 === 0 ? { ...row, atoms: 3 } : { ...row, structure, spaceGroup },
    );
    const text = textOf(await renderReport(regression(some)));
    expect(text).toContain("Mean absolute error of the validation rows where it is known, 45 of 60.");
    expect(text).toContain("Mean absolute error of the validation rows, by atoms in the cell. ");
    expect(text).toMatch(/3–4 [\d.]+ eV\/atom 15 5–8 /);
  });

  test("without structures there is no viewer, and without what is known no section", async () => {
    const bare = CRYSTALS.map(({ id, target, predicted }) => ({ id, target, predicted }));
    const data = report({ task: "regression", predictions: { validation: bare } });
    const page = await renderReport(data);
    expect(page.length).toBeLessThan(300_000);
    expect(page).not.toContain("data-structure");
    expect(textOf(page)).not.toMatch(/crystal system|number of atoms|space group/);
    expect(reportPage(regression(), { chart: "" })).not.toContain('id="structures"');
  });

  test("classification: shares of wrong classes, the surest of the wrong ones drawn", async () => {
    const page = await renderReport(classification);
    const text = textOf(page);
    expect(text).toContain("Share of wrong classes among the test rows, by atoms in the cell.");
    expect(text).toMatch(/tetragonal [\d.]+ % 12 cubic [\d.]+ % 48/);
    expect(structuresOf(page).length).toBe(6);
    expect(text).toMatch(/true insulator predicted metal probability 80\.0 %/);
  });
});

describe("in a browser", { timeout: 180_000 }, () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = fs.mkdtempSync(join(os.tmpdir(), "spinel-crystals-"));
    browser = await launchChrome({ webgl: "software" });
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    fs.rmSync(folder, { recursive: true });
  });

  /** Opens a report as a user does, from a file, and lists what a clean page does not have. */
  async function open(from: Browser, data: ReportData, options = {}): Promise<{ page: Page; complaints: string[] }> {
    const file = join(folder, "report.html");
    fs.writeFileSync(file, await renderReport(data));
    const page = await from.newPage(options);
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(`error: ${error}`));
    const url = pathToFileURL(file).href;
    page.on("request", (request) => request.url() !== url && complaints.push(`request: ${request.url()}`));
    await page.goto(url, { waitUntil: "networkidle" });
    await page.waitForLoadState("load");
    return { page, complaints };
  }

  const pictures = (page: Page) =>
    page.locator(".structure canvas").evaluateAll((all) => (all as HTMLCanvasElement[]).map((c) => c.toDataURL()));

  test.each<[string, ReportData]>([
    ["regression", regression()],
    ["classification", classification],
  ])("%s: six structures are drawn, no complaint, no request", async (_name, data) => {
    const { page, complaints } = await open(browser, data);
    const drawn = await pictures(page);
    expect(drawn.length).toBe(6);
    const blank = await page
      .locator(".structure canvas")
      .first()
      .evaluate((c: HTMLCanvasElement) => {
        const { width, height } = c;
        return Object.assign(document.createElement("canvas"), { width, height }).toDataURL();
      });
    for (const picture of drawn) expect(picture.length).toBeGreaterThan(3 * blank.length);
    expect(await page.locator(".structure canvas").first().getAttribute("aria-label")).toMatch(
      /^Structure of \w+, mp-\d+\./,
    );
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("a telephone's width, dark colours and paper", async () => {
    const { page, complaints } = await open(browser, regression(), {
      viewport: { width: 320, height: 700 },
      colorScheme: "dark",
    });
    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    expect(await page.evaluate(overflow)).toBe(0);
    const dark = await pictures(page);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    const paper = await pictures(page);
    expect(paper.length).toBe(6);
    paper.forEach((picture, i) => expect(picture).not.toBe(dark[i]));
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    expect(await pictures(page)).toEqual(dark);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("without WebGL the structures are drawn flat", async () => {
    const plain = await launchChrome({ webgl: "none" });
    try {
      const { page, complaints } = await open(plain, regression());
      expect(await page.locator(".structure svg").count()).toBe(6);
      expect(await page.locator(".structure circle").count()).toBeGreaterThan(6 * 10);
      expect(complaints).toEqual([]);
    } finally {
      await plain.close();
    }
  });
});

test("space groups: systems and symbols", () => {
  const counts = new Map<string | undefined, number>();
  for (let n = 1; n <= 230; n++) counts.set(crystalSystem(n), (counts.get(crystalSystem(n)) ?? 0) + 1);
  expect([...counts]).toEqual(CRYSTAL_SYSTEMS.map((name, k) => [name, [2, 13, 59, 68, 25, 27, 36][k]]));
  expect([0, 231, 1.5].map(crystalSystem)).toEqual([undefined, undefined, undefined]);
  const symbol = (n: number) =>
    spaceGroupMarkup(n)
      .text.replace(/<sub>/g, "_")
      .replace(/<span class="over">/g, "-")
      .replace(/<[^>]*>/g, "");
  expect([1, 2, 14, 62, 136, 148, 166, 194, 205, 225, 227, 230].map(symbol)).toEqual([
    ..."P1 (1)|P-1 (2)|P2_1/c (14)|Pnma (62)|P4_2/mnm (136)|R-3 (148)|R-3m (166)|P6_3/mmc (194)".split("|"),
    ..."Pa-3 (205)|Fm-3m (225)|Fd-3m (227)|Ia-3d (230)".split("|"),
  ]);
  expect(symbol(300)).toBe("300");
});
