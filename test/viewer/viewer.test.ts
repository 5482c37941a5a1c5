import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import type { ViteDevServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChrome } from "../browser/chrome.ts";
import { addressOf, serveFolder } from "../browser/server.ts";
import { CESIUM_CHLORIDE, CESIUM_CHLORIDE_GRAPH, METHANE, ROCKSALT } from "./structures.ts";

/** As strict as a page may be: no style elements, no inline scripts, no eval. */
const HEADERS = { "Content-Security-Policy": "default-src 'self'; img-src data:; connect-src *" };

let server: ViteDevServer;
beforeAll(async () => {
  server = await serveFolder(fileURLToPath(new URL("page", import.meta.url)), HEADERS);
});
afterAll(() => server?.close());

/** Counts, in the page: WebGL contexts, buffers on the GPU that are alive, frames asked for. */
const COUNT = `
  window.counts = { contexts: 0, buffers: 0, frames: 0 };
  const { prototype } = HTMLCanvasElement;
  const { getContext } = prototype;
  prototype.getContext = function (kind, options) {
    const context = getContext.call(this, kind, options);
    if (kind === "webgl2" && context) counts.contexts++;
    return context;
  };
  for (const [name, change] of [["createBuffer", 1], ["deleteBuffer", -1]]) {
    const original = WebGL2RenderingContext.prototype[name];
    WebGL2RenderingContext.prototype[name] = function (...args) {
      counts.buffers += change;
      return original.apply(this, args);
    };
  }
  const ask = requestAnimationFrame;
  window.requestAnimationFrame = (f) => (counts.frames++, ask(f));
`;

async function open(browser: Browser, options = {}): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1000, height: 700 }, ...options });
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error}`));
  page.on("console", (message) => {
    if (!message.text().startsWith("[vite] connect")) complaints.push(`console: ${message.text()}`);
  });
  if (!("noCount" in options)) await page.addInitScript(COUNT);
  await page.goto(addressOf(server));
  await page.waitForFunction(() => "show" in window);
  return { page, complaints };
}

const count = (page: Page, name: string) => page.evaluate<number>(`counts.${name}`);
const picture = (page: Page, nth = 0) =>
  page
    .locator("canvas")
    .nth(nth)
    .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
/** The page has drawn what it was asked for. */
const settle = (page: Page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));

/** Of the pixels, the share that is not clear. */
const covered = (page: Page) =>
  page.locator("canvas").evaluateAll((all) =>
    (all as HTMLCanvasElement[]).map((canvas) => {
      const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
      const context = copy.getContext("2d", { willReadFrequently: true })!;
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, copy.width, copy.height);
      return data.filter((byte, i) => i % 4 === 3 && byte > 0).length / (data.length / 4);
    }),
  );

describe("with WebGL", { timeout: 180_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChrome({ webgl: "software" });
  }, 600_000);
  afterAll(() => browser?.close());

  test("twenty viewers: all drawn through one context, which ends with the last of them", async () => {
    const { page, complaints } = await open(browser);
    await page.evaluate(
      (all) => {
        for (let i = 0; i < 20; i++) window.show(all[i % all.length]);
      },
      [ROCKSALT, CESIUM_CHLORIDE_GRAPH, METHANE],
    );
    await settle(page);
    const shares = await covered(page);
    expect(shares.length).toBe(20);
    for (const share of shares) expect(share).toBeGreaterThan(0.05);
    expect(await count(page, "contexts")).toBe(1);
    await page.evaluate(() => window.viewers.forEach((viewer) => viewer.dispose()));
    expect(await page.locator("canvas").count()).toBe(0);
    await page.evaluate((data) => window.show(data), ROCKSALT);
    expect(await count(page, "contexts")).toBe(2);
    expect((await covered(page))[0]).toBeGreaterThan(0.05);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("keys, wheel and pointer turn, zoom, reset and ask; at rest nothing is drawn", async () => {
    const { page, complaints } = await open(browser);
    await page.evaluate((data) => window.show(data), ROCKSALT);
    await settle(page);
    const canvas = page.locator("canvas");
    expect(await canvas.getAttribute("role")).toBe("img");
    expect(await canvas.getAttribute("aria-label")).toMatch(/^Crystal structure of NaCl, 8 atoms\. Arrow keys/);
    const first = await picture(page);
    const changed = async (act: () => Promise<unknown>): Promise<boolean> => {
      const before = await picture(page);
      await act();
      await settle(page);
      return (await picture(page)) !== before;
    };
    await page.mouse.move(20, 290);
    expect(await changed(() => page.mouse.wheel(0, 200))).toBe(false);
    await page.keyboard.press("Tab");
    for (const key of ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"])
      expect(await changed(() => page.keyboard.press(key)), key).toBe(true);
    expect(await picture(page)).toBe(first);
    expect(await changed(() => page.keyboard.press("+"))).toBe(true);
    expect(await changed(() => page.mouse.wheel(0, 200))).toBe(true);
    await page.keyboard.press("Home");
    await settle(page);
    expect(await picture(page)).toBe(first);
    expect(await changed(() => drag(page, [20, 280], [90, 260]))).toBe(true);

    const frames = await count(page, "frames");
    await page.waitForTimeout(300);
    expect(await count(page, "frames")).toBe(frames);

    await page.keyboard.press("Home");
    const box = (await canvas.boundingBox())!;
    await page.mouse.move(box.x + 150, box.y + 150);
    const tip = page.locator(".tip");
    expect(await tip.textContent()).toMatch(/^(Na|Cl), atom \d\n[\d.,− ]+ Å\nfractional [\d.,− ]+$/);
    await page.mouse.move(box.x + 2, box.y + 150);
    expect(await tip.isVisible()).toBe(false);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("update and highlight draw anew and leave nothing on the GPU", async () => {
    const { page, complaints } = await open(browser);
    await page.evaluate((data) => window.show(data, { label: "Salt" }), CESIUM_CHLORIDE);
    await settle(page);
    expect(await page.locator("canvas").getAttribute("aria-label")).toMatch(/^Salt\./);
    const plain = await picture(page);
    await page.evaluate(() => window.viewers[0].highlight(1));
    await settle(page);
    expect(await picture(page)).not.toBe(plain);
    await page.evaluate(() => window.viewers[0].highlight());
    await settle(page);
    expect(await picture(page)).toBe(plain);
    const buffers = await count(page, "buffers");
    expect(buffers).toBeGreaterThan(0);
    for (const data of [CESIUM_CHLORIDE_GRAPH, METHANE, CESIUM_CHLORIDE]) {
      await page.evaluate((data) => window.viewers[0].update(data), data);
      await settle(page);
      if (data !== CESIUM_CHLORIDE) expect(await picture(page)).not.toBe(plain);
    }
    expect(await page.locator("li").allTextContents()).toEqual(["Cs", "Cl"]);
    expect(await count(page, "buffers")).toBe(buffers);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("follows its element's size, the screen's density and the page's colours", async () => {
    const { page, complaints } = await open(browser, { deviceScaleFactor: 2 });
    await page.evaluate((data) => window.show(data), CESIUM_CHLORIDE);
    const size = () => page.locator("canvas").evaluate((c: HTMLCanvasElement) => [c.width, c.height]);
    expect(await size()).toEqual([600, 600]);
    await page.locator(".place").evaluate((place) => Object.assign(place.style, { width: "500px", height: "200px" }));
    await expect.poll(size, { timeout: 10_000 }).toEqual([1000, 400]);
    expect((await covered(page))[0]).toBeGreaterThan(0.03);
    const light = await picture(page);
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(() => picture(page), { timeout: 10_000 }).not.toBe(light);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

test("without WebGL: a flat drawing that says so", async () => {
  const browser = await launchChrome({ webgl: "none" });
  try {
    const { page, complaints } = await open(browser, { noCount: true });
    await page.evaluate((data) => window.show(data), ROCKSALT);
    expect(await page.locator("circle").count()).toBe(27);
    expect(await page.locator("line").count()).toBe(54 + 12);
    expect(await page.locator("svg").getAttribute("aria-label")).toBe("Crystal structure of NaCl, 8 atoms");
    expect(await page.locator(".note").textContent()).toBe("A flat drawing: this browser has no WebGL.");
    expect(await page.locator("circle title").first().textContent()).toContain("Å");
    await page.evaluate((data) => window.viewers[0].update(data), METHANE);
    expect(await page.locator("circle").count()).toBe(5);
    await page.evaluate(() => {
      window.viewers[0].highlight(0);
      window.viewers[0].dispose();
    });
    expect(await page.locator("svg").count()).toBe(0);
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
});

async function drag(page: Page, from: [number, number], to: [number, number]): Promise<void> {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move(...to, { steps: 4 });
  await page.mouse.up();
}
