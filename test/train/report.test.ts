import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rocAuc } from "../../src/train/metrics.ts";
import { formulaMarkup, html, number, whole } from "../../src/train/report/html.ts";
import { errorByGroup, histogram, quantile, rocCurve, thin, thinScatter } from "../../src/train/report/statistics.ts";
import { type ClassificationRow, type RegressionRow, type ReportData, renderReport } from "../../src/train/report.ts";
import { launchChrome } from "../browser/chrome.ts";

/** Repeatable noise in [−1, 1). */
const noise = (i: number) => (((i * 2654435761) >>> 8) % 20001) / 10000.5 - 1;

function regressionRows(count: number, spread: number): RegressionRow[] {
  const materials = [
    ["Fe2O3", ["Fe", "O"]],
    ["NaCl", ["Na", "Cl"]],
    ["CaTiO3", ["Ca", "Ti", "O"]],
    ["UO2", ["U", "O"]],
  ] as const;
  return Array.from({ length: count }, (_, i) => {
    const [formula, elements] = materials[i % 4];
    const target = 3 * noise(i + 7);
    return { id: `row-${i}`, formula, elements, target, predicted: target + spread * noise(3 * i) };
  });
}

const history = Array.from({ length: 30 }, (_, i) => ({
  epoch: i + 1,
  loss: 1 / (i + 1),
  validationLoss: 1.1 / (i + 1) + 0.01,
  metric: 0.5 / (i + 1),
  validationMetric: 0.6 / (i + 1),
}));

function regression(more: Partial<ReportData> = {}): ReportData {
  return {
    title: "MLP on oxides",
    model: { name: "MLP", parameters: 4631361, description: "2 → 8 → 1" },
    dataset: { name: "oxides.csv", target: "energy", unit: "eV" },
    seed: 42,
    command: "npx spinel train mlp --data oxides.csv --target energy",
    versions: { spinel: "0.1.0", kernels: "simd" },
    duration: 125,
    settings: { optimizer: "Adam" },
    history,
    bestEpoch: 22,
    metric: "MAE",
    results: {
      task: "regression",
      predictions: {
        train: regressionRows(200, 0.1),
        validation: regressionRows(40, 0.2),
        test: [
          { id: "a", formula: "Fe2O3", elements: ["Fe", "O"], target: 1, predicted: 1.5 },
          { id: "b", formula: "FeO", elements: ["Fe", "O", "O"], target: 2, predicted: 1.75 },
          { id: "c", formula: "NaCl", elements: ["Na", "Cl"], target: -1, predicted: -1 },
        ],
      },
    },
    baselines: [{ name: "mean prediction", metrics: { test: { mae: 2.5, rmse: 3, r2: 0 } } }],
    folds: [
      { mae: 0.2, rmse: 0.3 },
      { mae: 0.4, rmse: 0.5 },
    ],
    ...more,
  };
}

function classification(classes: string[]): ReportData {
  const rows = Array.from({ length: 60 }, (_, i): ClassificationRow => {
    const target = i % classes.length;
    const scores = classes.map((_, k) => Math.exp(1.5 * noise(i * 5 + k) + (k === target ? 1 : 0)));
    const total = scores.reduce((a, b) => a + b);
    return { id: `m${i}`, elements: ["Si", "O"], target, probabilities: scores.map((s) => s / total) };
  });
  return regression({
    dataset: { name: "metals.csv", target: "is_metal" },
    metric: "accuracy",
    results: { task: "classification", classes, predictions: { validation: rows } },
    baselines: [],
    folds: undefined,
  });
}

/** What a user's table may contain, in every place where text of the user's goes. */
const EVIL = `</script><script>hacked=1</script><img src=x onerror="hacked=1">'"&amp;<!--`;
const evil: ReportData = {
  ...regression(),
  title: EVIL,
  model: { name: EVIL, parameters: 1, description: EVIL },
  dataset: { name: EVIL, target: EVIL, unit: EVIL },
  command: EVIL,
  versions: { [EVIL]: EVIL },
  settings: { [EVIL]: EVIL },
  metric: EVIL,
  baselines: [{ name: EVIL, metrics: { test: { [EVIL]: 1 } } }],
  folds: [{ [EVIL]: 1 }],
  results: {
    task: "regression",
    predictions: { test: [{ id: EVIL, formula: EVIL, elements: [EVIL, "Fe"], target: 1, predicted: 2 }] },
  },
};
const evilClasses: ReportData = {
  ...evil,
  results: {
    task: "classification",
    classes: [EVIL, `${EVIL}2`],
    predictions: {
      test: [
        { id: EVIL, formula: EVIL, target: 0, probabilities: [0.2, 0.8] },
        { id: EVIL, formula: EVIL, target: 1, probabilities: [0.3, 0.7] },
      ],
    },
  },
};

/** Reads the page tag by tag as a browser would, and fails where an element is not closed in its order. */
function elementsOf(page: string): Map<string, number> {
  const counts = new Map<string, number>();
  const open: string[] = [];
  const bare = page.replace(/(<(script|style)\b[^>]*>).*?(<\/\2>)/gs, "$1$3");
  for (const [, close, name] of bare.matchAll(/<(\/?)([a-z][a-z0-9]*)(?:"[^"]*"|[^>"])*>/g)) {
    if (close) expect(open.pop()).toBe(name);
    else {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (!["meta", "link", "br", "img"].includes(name)) open.push(name);
    }
  }
  expect(open).toEqual([]);
  return counts;
}

const textOf = (page: string) =>
  page
    .replace(/<(script|style)\b.*?<\/\1>/gs, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

describe("the page", () => {
  test("regression: well-formed, with every figure and the right numbers", async () => {
    const page = await renderReport(regression());
    const counts = elementsOf(page);
    expect(counts.get("canvas")).toBe(4);
    expect(counts.get("h1")).toBe(1);
    expect(page.match(/class="el /g)?.length).toBe(118);
    const text = textOf(page);
    expect(text).toContain("MLP (2 → 8 → 1), predicting energy in eV of oxides.csv; seed 42");
    expect(text).toContain("Test MAE 0.2500 eV 10.0 × smaller than mean prediction");
    expect(text).toContain("Parameters 4,631,361 Training 2:05 30 epochs, best 22");
    expect(text).toContain("Test set, 3 rows MLP 0.2500 0.3227 0.5000");
    expect(text).toContain("Validation set, 40 rows MLP");
    expect(text).toContain("Training set, 200 rows MLP");
    expect(page).toContain('title="Fe, Iron: MAE 0.3750 eV over 2 rows"');
    expect(page).toContain("<td>a</td><td>Fe<sub>2</sub>O<sub>3</sub></td>");
    expect(text.indexOf("a Fe 2 O 3")).toBeLessThan(text.indexOf("b FeO"));
    expect(text).toContain("mean 0.3000 0.4000 standard deviation 0.1000 0.1000");
    expect(text).toContain("npx spinel train mlp --data oxides.csv --target energy");
    expect(text).toContain("kernels simd");
  });

  test("classification: confusion matrix, ROC curve, precision and recall", async () => {
    const results = classification(["insulator", "metal"]).results;
    const predictions = {
      test: [
        { id: "a", target: 0, probabilities: [0.9, 0.1] },
        { id: "b", target: 0, probabilities: [0.4, 0.6] },
        { id: "c", target: 1, probabilities: [0.3, 0.7] },
        { id: "d", target: 1, probabilities: [0.1, 0.9] },
      ],
    };
    const data = classification(["insulator", "metal"]);
    const page = await renderReport({ ...data, results: { ...results, predictions } as ReportData["results"] });
    expect(elementsOf(page).get("canvas")).toBe(4);
    const text = textOf(page);
    expect(text).toContain("Test ROC-AUC 1.000");
    expect(text).toContain("insulator 1 50.0 % 1 50.0 % metal 0 0.00 % 2 100.0 %");
    expect(text).toContain("insulator 2 100.0 % 50.0 % metal 2 66.7 % 100.0 %");
    expect(text).toContain("b insulator metal 60.0 % 40.0 %");
    expect(page).toContain("metal: AUC 1.000");
  });

  test("100,000 rows: the page stays small, the figures count all, the worst rows are drawn", async () => {
    const rows = regressionRows(100_000, 0.5);
    rows[77_777] = { ...rows[77_777], id: "the outlier", predicted: 99 };
    const page = await renderReport(regression({ results: { task: "regression", predictions: { test: rows } } }));
    expect(page.length).toBeLessThan(900_000);
    const figures = JSON.parse(/id="figures">(.*?)<\/script>/.exec(page)?.[1] ?? "");
    const points: { y: number; name: string }[] = figures.parity.series[0].points;
    expect(points.length).toBe(5000);
    expect(points.find(({ name }) => name.startsWith("the outlier"))?.y).toBe(99);
    const mae = rows.reduce((sum, { target, predicted }) => sum + Math.abs(predicted - target), 0) / rows.length;
    expect(textOf(page)).toContain(`Test MAE ${mae.toPrecision(4)} eV`);
  });

  test("whatever is missing or not a number, there is a page", async () => {
    const row = { id: "x", target: Number.NaN, predicted: Infinity, elements: ["Fe"] };
    for (const data of [
      regression({ history: [], bestEpoch: undefined, baselines: undefined, folds: undefined, settings: undefined }),
      regression({ results: { task: "regression", predictions: {} } }),
      regression({ results: { task: "regression", predictions: { train: [row] } } }),
      regression({ results: { task: "classification", classes: ["a", "b"], predictions: {} } }),
      regression({ history: [{ epoch: 1, loss: Number.NaN }], bestEpoch: 1 }),
    ]) {
      const page = await renderReport(data);
      elementsOf(page);
      expect(textOf(page)).not.toMatch(/undefined|NaN|\[object/);
    }
  });

  test("foreign text never becomes markup", async () => {
    for (const data of [evil, evilClasses]) {
      const page = await renderReport(data);
      expect(elementsOf(page).get("img")).toBeUndefined();
      expect(page.match(/<script/g)?.length).toBe(3);
      expect(page).not.toContain("sourceMappingURL");
    }
  });
});

describe("in a browser", () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = fs.mkdtempSync(join(os.tmpdir(), "spinel-report-"));
    browser = await launchChrome();
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    fs.rmSync(folder, { recursive: true });
  });

  /** Opens a report as a user does, from a file, and lists what a clean page does not have. */
  async function open(data: ReportData, options = {}): Promise<{ page: Page; complaints: string[] }> {
    const file = join(folder, "report.html");
    fs.writeFileSync(file, await renderReport(data));
    const page = await browser.newPage(options);
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(`error: ${error}`));
    const url = pathToFileURL(file).href;
    page.on("request", (request) => request.url() !== url && complaints.push(`request: ${request.url()}`));
    await page.goto(url, { waitUntil: "networkidle" });
    return { page, complaints };
  }

  /** Ids of the canvases on which something is drawn. */
  const drawn = (page: Page) =>
    page.$$eval("canvas", (all) =>
      all
        .filter((c) =>
          c
            .getContext("2d")
            ?.getImageData(0, 0, c.width, c.height)
            .data.some((byte) => byte > 0),
        )
        .map((c) => c.id),
    );

  test.each<[string, ReportData, string[]]>([
    ["regression", regression(), ["loss", "metric", "parity", "histogram"]],
    ["classification", classification(["insulator", "metal"]), ["loss", "metric", "roc", "reliability"]],
    ["five classes", classification(["a", "b", "c", "d", "e"]), ["loss", "metric", "roc", "reliability"]],
    ["hostile text", evil, ["loss", "metric", "parity", "histogram"]],
    ["hostile classes", evilClasses, ["loss", "metric", "roc", "reliability"]],
    ["nothing predicted", regression({ results: { task: "regression", predictions: {} } }), ["loss", "metric"]],
  ])("%s: every chart is drawn, no complaint, no request", async (_name, data, ids) => {
    const { page, complaints } = await open(data);
    expect(await drawn(page)).toEqual(ids);
    expect(complaints).toEqual([]);
    expect(await page.evaluate("typeof hacked")).toBe("undefined");
    expect(await page.title()).toBe(data.title);
    await page.close();
  });

  test("works: log scale, elements, dark colours, paper, a telephone's width", async () => {
    const { page, complaints } = await open(regression(), { viewport: { width: 390, height: 800 } });
    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    expect(await page.evaluate(overflow)).toBe(0);

    const picture = () => page.$eval("#loss", (canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const before = await picture();
    const button = page.locator("button[data-log=loss]");
    const pressed = await button.getAttribute("aria-pressed");
    await button.click();
    expect(await button.getAttribute("aria-pressed")).not.toBe(pressed);
    expect(await picture()).not.toBe(before);

    await page.hover('.el[title^="Fe,"]');
    expect(await page.textContent(".readout")).toBe("Fe, Iron: MAE 0.3750 eV over 2 rows");

    const light = await picture();
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(picture, { timeout: 10_000 }).not.toBe(light);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--card"))).toBe(
      "#ffffff",
    );
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe("statistics", () => {
  test("thin keeps both ends and the order", () => {
    expect(thin([1, 2, 3], 5)).toEqual([1, 2, 3]);
    const some = thin(
      Array.from({ length: 1001 }, (_, i) => i),
      11,
    );
    expect(some).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
  });

  test("thinScatter keeps the worst", () => {
    const errors = Array.from({ length: 1000 }, (_, i) => (i % 100 === 50 ? -5 - i : noise(i)));
    const kept = thinScatter(errors, (e) => e, 100);
    expect(kept.length).toBe(100);
    expect(new Set(kept).size).toBe(100);
    expect(kept.filter((e) => e < -5).length).toBe(10);
    expect(kept.map((e) => errors.indexOf(e))).toEqual(kept.map((e) => errors.indexOf(e)).sort((a, b) => a - b));
  });

  test("quantile", () => {
    expect([0, 0.25, 0.5, 1].map((q) => quantile([1, 2, 3, 4, 9], q))).toEqual([1, 2, 3, 9]);
    expect(quantile([1, 2], 0.5)).toBe(1.5);
    expect(quantile([], 0.5)).toBeNaN();
  });

  test("histogram: every value is in one bin or beyond, 0 on a border", () => {
    for (const values of [
      Array.from({ length: 1000 }, (_, i) => noise(i)),
      [...Array.from({ length: 1000 }, (_, i) => 1e-9 * noise(i)), 1e6, Number.NaN, Infinity],
      [0, 0, 0],
      [5],
      [-1, 1],
      [0.1, 0.1000001, 0.1000002],
      [-3, -2.9, -2.95],
    ]) {
      const { start, width, counts, beyond } = histogram(values);
      expect(counts.reduce((a, b) => a + b, 0) + beyond).toBe(values.length);
      expect(counts.length).toBeLessThanOrEqual(75);
      expect(Math.abs(start / width - Math.round(start / width))).toBeLessThan(1e-9);
    }
    expect(histogram([...Array(1000).fill(0.1), 1e6]).beyond).toBe(1);
    expect(histogram([]).counts).toEqual([]);
  });

  test("errorByGroup counts a row once for each of its groups", () => {
    const rows = [{ elements: ["Fe", "O", "O"], error: 1 }, { elements: ["Fe"], error: 3 }, { error: 100 }];
    const groups = errorByGroup(
      rows,
      ({ error }) => error,
      ({ elements = [] }) => elements,
    );
    expect(groups).toEqual([
      { key: "Fe", count: 2, mean: 2 },
      { key: "O", count: 1, mean: 1 },
    ]);
  });

  test("the area under rocCurve is rocAuc, ties included", () => {
    const scores = Array.from({ length: 200 }, (_, i) => Math.round(4 * noise(i)) / 4);
    const positive = scores.map((score, i) => score + noise(7 * i + 3) > 0);
    const points = rocCurve(scores, positive);
    let area = 0;
    for (let i = 1; i < points.length; i++) {
      area += ((points[i].x - points[i - 1].x) * (points[i].y + points[i - 1].y)) / 2;
    }
    expect(area).toBeCloseTo(rocAuc(scores, positive.map(Number)), 12);
    expect(points[0]).toEqual({ x: 0, y: 0 });
    expect(points.at(-1)).toEqual({ x: 1, y: 1 });
  });
});

test("text of the page", () => {
  expect([0, -0.12345, 1234.5, 12345678, 1.5e-7, Number.NaN, -Infinity, undefined].map(number)).toEqual([
    "0",
    "−0.1235",
    "1,235",
    "1.235 × 10⁷",
    "1.500 × 10⁻⁷",
    "–",
    "−∞",
    "–",
  ]);
  expect([0, 999, 1000, 4631361].map(whole)).toEqual(["0", "999", "1,000", "4,631,361"]);
  expect(formulaMarkup("Ca(OH)2·2.5H2O & Li0.5CoO2").text).toBe(
    "Ca(OH)<sub>2</sub>·2.5H<sub>2</sub>O &amp; Li<sub>0.5</sub>CoO<sub>2</sub>",
  );
  expect(html`<b title="${'"<'}">${["a", html`<i>${"'"}</i>`, undefined, false, 3]}</b>`.text).toBe(
    '<b title="&quot;&lt;">a<i>&#39;</i>3</b>',
  );
});
