import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { build, createServer, type PreviewServer, preview, type ViteDevServer } from "vite";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { launchChrome } from "../browser/chrome.ts";

const root = fileURLToPath(new URL("../../src/lab", import.meta.url));
const outDir = mkdtempSync(join(tmpdir(), "spinel-lab-"));
const CSP = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

let browser: Browser;
/** The built page with the strict policy, cross-origin isolated by vite.config.ts; and without isolation. */
let isolated: PreviewServer;
let plain: PreviewServer;
let development: ViteDevServer | undefined;
let errors: string[] = [];

beforeAll(async () => {
  const common = { root, configFile: join(root, "vite.config.ts"), logLevel: "error" as const };
  await build({ ...common, build: { outDir } });
  const serve = (headers?: Record<string, string>): Promise<PreviewServer> =>
    preview({
      ...common,
      ...(headers ? { configFile: false as const } : {}),
      build: { outDir },
      preview: { port: 0, host: "127.0.0.1", headers },
    });
  isolated = await serve();
  plain = await serve({ "Content-Security-Policy": CSP });
  browser = await launchChrome();
}, 600_000);

afterAll(async () => {
  await browser?.close();
  await Promise.all([isolated?.close(), plain?.close(), development?.close()]);
  rmSync(outDir, { recursive: true });
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  expect(errors).toEqual([]);
});

type Server = Pick<PreviewServer, "resolvedUrls">;

async function open(hash = "", server: Server = isolated, options: BrowserContextOptions = {}): Promise<Page> {
  errors = [];
  const page = await browser.newPage(options);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(server.resolvedUrls!.local[0] + hash);
  await page.getByRole("button", { name: "Play" }).waitFor();
  return page;
}

const press = (page: Page, name: string): Promise<void> => page.getByRole("button", { name }).click();
const epoch = async (page: Page): Promise<number> =>
  Number((await page.locator(".epoch output").textContent())!.replace(",", ""));
const loss = async (page: Page, which: "train" | "test" = "train"): Promise<number> =>
  Number(await page.locator(`output.${which}`).textContent());
const status = (page: Page): Promise<string | null> => page.locator("#status").textContent();

/** Waits until the page shows this epoch or a later one. */
const reach = (page: Page, n: number): Promise<unknown> =>
  page.waitForFunction((n) => Number(document.querySelector(".epoch output")!.textContent!.replace(",", "")) >= n, n);
const showsEpoch = (page: Page, n: number): Promise<unknown> =>
  page.waitForFunction((n) => document.querySelector(".epoch output")!.textContent === String(n), n);

test("the built page trains under a strict content security policy", async () => {
  const page = await open();
  const response = await page.request.get(isolated.resolvedUrls!.local[0]);
  expect(response.headers()["content-security-policy"]).toBe(CSP);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  expect(await status(page)).toMatch(/^Computed in a Worker on this machine: simd/);
  expect(await status(page)).not.toContain("not cross-origin isolated");
  const before = { train: await loss(page), test: await loss(page, "test") };
  await press(page, "Play");
  await reach(page, 150);
  await press(page, "Pause");
  expect(await loss(page)).toBeLessThan(before.train / 4);
  expect(await loss(page, "test")).toBeLessThan(before.test / 3);
});

test("without cross-origin isolation it trains on one thread and says why", async () => {
  const page = await open("#playground?dataset=gauss", plain);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  const cores = await page.evaluate(() => navigator.hardwareConcurrency);
  expect(await status(page)).toMatch(
    cores > 1 ? /: simd; .*1 thread, because .*not cross-origin isolated/ : /1 thread/,
  );
  const before = await loss(page);
  await press(page, "Play");
  await reach(page, 10);
  expect(await loss(page)).toBeLessThan(before / 2);
});

test("pause, step and reset", async () => {
  const page = await open("#playground?dataset=xor&speed=full&learningRate=0.1");
  const start = await loss(page);
  await press(page, "Play");
  await reach(page, 5);
  await press(page, "Pause");
  await page.getByRole("button", { name: "Play" }).waitFor();
  await page.waitForTimeout(200);
  const held = await epoch(page);
  await page.waitForTimeout(300);
  expect(await epoch(page)).toBe(held);
  await press(page, "Step");
  await showsEpoch(page, held + 1);
  await press(page, "Reset");
  await showsEpoch(page, 0);
  expect(await loss(page)).toBe(start);
  const threeSteps = async (): Promise<number> => {
    for (let i = 1; i <= 3; i++) {
      await press(page, "Step");
      await showsEpoch(page, i);
    }
    return loss(page);
  };
  const first = await threeSteps();
  expect(first).not.toBe(start);
  await press(page, "Reset");
  await showsEpoch(page, 0);
  expect(await threeSteps()).toBe(first);
  await press(page, "Play");
  await reach(page, 10);
});

test("controls act on the training and are kept in the address", async () => {
  const page = await open();
  await press(page, "Play");
  await reach(page, 20);
  await page.getByLabel("Learning rate").selectOption("0.1");
  await page.waitForTimeout(300);
  expect(await epoch(page)).toBeGreaterThan(20);
  await press(page, "Pause");
  await page.getByLabel("Activation").selectOption("ReLU");
  await showsEpoch(page, 0);
  await press(page, "Add a hidden layer");
  await page.getByText("3 hidden layers").waitFor();
  await press(page, "Add a neuron to layer 3");
  await page.getByRole("button", { name: "Layer 3, neuron 3" }).waitFor();
  await press(page, "Remove a neuron from layer 1");
  await press(page, "Input x₁²");
  await page.getByLabel("Spiral").check();
  await page.getByLabel("Noise").fill("25");
  await page.getByLabel("Show test points").check();
  await press(page, "Next seed");
  await press(page, "Step");
  await showsEpoch(page, 1);
  const address = new URL(page.url()).hash;
  for (const part of [
    ...["dataset=spiral", "noise=25", "networkShape=3,2,3", "features=x1,x2,x1Squared"],
    ...["activation=relu", "learningRate=0.1", "showTestData=true", "seed=2"],
  ])
    expect(address).toContain(part);
  const [before, width] = [await loss(page), await page.locator(".node").count()];

  const again = await open(address);
  expect(await again.getByLabel("Activation").inputValue()).toBe("ReLU");
  expect(await again.getByLabel("Spiral").isChecked()).toBe(true);
  expect(await again.getByLabel("Noise").inputValue()).toBe("25");
  expect(await again.getByRole("button", { name: "Input x₁²" }).getAttribute("aria-pressed")).toBe("true");
  expect(await again.locator(".node").count()).toBe(width);
  await press(again, "Step");
  await showsEpoch(again, 1);
  expect(await loss(again)).toBe(before);
});

test("an address with mistakes opens with defaults and says so", async () => {
  const page = await open("#playground?dataset=moons&noise=15&networkShape=99");
  expect(await status(page)).toContain("no usable value for dataset, networkShape");
  expect(await page.getByLabel("Noise").inputValue()).toBe("15");
  expect(await page.getByLabel("Circle").isChecked()).toBe(true);
});

test("a new address opens that view, and the old Worker ends", async () => {
  const page = await open();
  await press(page, "Play");
  await reach(page, 3);
  await page.evaluate(() => {
    location.hash = "#playground?dataset=gauss&networkShape=";
  });
  await page.getByText("0 hidden layers").waitFor();
  await showsEpoch(page, 0);
  const most = await page.evaluate(() => Math.min(8, navigator.hardwareConcurrency));
  // Browsers give a busy Worker some seconds to end by itself.
  await expect.poll(() => page.workers().length, { timeout: 20_000 }).toBeLessThanOrEqual(most);
  await press(page, "Step");
  await showsEpoch(page, 1);
});

test("numbers that overflow stop the training with advice", async () => {
  const page = await open("#playground?learningRate=10&regularization=l2&regularizationRate=10&speed=full");
  await press(page, "Play");
  await page.getByText(/overflowed in epoch \d+\. Choose a lower/).waitFor();
  await page.getByRole("button", { name: "Play" }).waitFor();
  await page.getByLabel("Learning rate").selectOption("0.001");
  await press(page, "Reset");
  await showsEpoch(page, 0);
  await press(page, "Step");
  await showsEpoch(page, 1);
  expect(await loss(page)).toBeLessThan(2);
});

test("the page stays free while the largest network trains at full speed", async () => {
  const page = await open("#playground?dataset=spiral&networkShape=8,8,8,8,8,8&speed=full&optimizer=adam");
  await press(page, "Play");
  await reach(page, 3);
  const { delays, seconds } = await page.evaluate(async () => {
    const delays: number[] = [];
    const start = performance.now();
    while (performance.now() - start < 4000) {
      const asked = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 10));
      delays.push(performance.now() - asked - 10);
    }
    return { delays, seconds: (performance.now() - start) / 1000 };
  });
  delays.sort((a, b) => a - b);
  // A page that computed by itself would be late by whole epochs. Other programs on the machine may hold it up now and then.
  expect(delays[Math.floor(delays.length / 2)]).toBeLessThan(50);
  expect(delays.filter((delay) => delay > 100).reduce((sum, delay) => sum + delay, 0) / 1000).toBeLessThan(seconds / 4);
  expect(await epoch(page)).toBeGreaterThan(3);
});

test("the keyboard reaches neurons and inputs", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Layer 1, neuron 2" }).focus();
  await page.getByRole("heading", { name: /^Layer 1, neuron 2 \(bias 0\.10\)/ }).waitFor();
  await page.getByRole("button", { name: "Input sin x₁" }).focus();
  await page.getByRole("heading", { name: "Input sin x₁" }).waitFor();
  await page.keyboard.press("Space");
  await page.locator('[aria-label="Input sin x₁"][aria-pressed="true"]').waitFor();
  await page.getByLabel("Circle").focus();
  await page.keyboard.press("ArrowRight");
  expect(await page.getByLabel("XOR").isChecked()).toBe(true);
  await page.getByRole("heading", { name: "Output of the network" }).waitFor();
});

test("on a phone nothing is wider than the screen; the dark scheme recolours the maps", async () => {
  const page = await open("#playground?networkShape=8,8,8", isolated, { viewport: { width: 360, height: 740 } });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  const colour = (): Promise<number[]> =>
    page
      .locator(".plane canvas")
      .first()
      .evaluate((canvas) => {
        const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;
        copy.drawImage(canvas as HTMLCanvasElement, -50, -50);
        return [...copy.getImageData(0, 0, 1, 1).data];
      });
  const light = await colour();
  await page.emulateMedia({ colorScheme: "dark" });
  await expect
    .poll(async () => Math.max(...(await colour()).map((v, i) => Math.abs(v - light[i]))), { timeout: 10_000 })
    .toBeGreaterThan(60);
});

test("with reduced motion the pictures change about once a second", async () => {
  const page = await open("#playground?speed=full", isolated, { reducedMotion: "reduce" });
  await press(page, "Play");
  await reach(page, 1);
  const shown = await page.evaluate(async () => {
    const counter = document.querySelector(".epoch output")!;
    let changes = 0;
    new MutationObserver(() => changes++).observe(counter, { childList: true, characterData: true, subtree: true });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    return changes;
  });
  expect(shown).toBeGreaterThan(0);
  expect(shown).toBeLessThanOrEqual(3);
});

test("npm run lab: the development server isolates the page and trains", async () => {
  development = await createServer({
    root,
    configFile: join(root, "vite.config.ts"),
    logLevel: "error",
    server: { port: 0, host: "127.0.0.1", watch: null },
  });
  await development.listen();
  const page = await open("", development);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await press(page, "Play");
  await reach(page, 5);
});
