import { readFileSync } from "node:fs";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { image } from "../../src/data/image.ts";
import { encodePng } from "../../src/data/imageCodec.ts";
import { microstructure } from "../../src/data/microstructures.ts";
import { init, memoryUse } from "../../src/index.ts";
import { readState } from "../../src/lab/kit/state.ts";
import { FIELDS, sameNetwork, trainingConfig } from "../../src/lab/vision/config.ts";
import { Learner } from "../../src/lab/vision/learner.ts";
import { fitted, learningImages, rowOf } from "../../src/lab/vision/pictures.ts";
import { buildModel } from "../../src/models/index.ts";
import { Predictor } from "../../src/train/predictor.ts";
import { launchChrome } from "../browser/chrome.ts";
import { serveBuilt } from "./built.ts";

const SIZE = 32;
const CLASSES = ["grains", "fibres", "porous", "pearlite"];
const ADDRESS = `size=${SIZE}&images=200&epochs=8&classes=${CLASSES.join(",")}`;

let browser: Browser;
let server: Awaited<ReturnType<typeof serveBuilt>>;
/** All tests go on with the same page. */
let page: Page;
const errors: string[] = [];

beforeAll(async () => {
  server = await serveBuilt();
  browser = await launchChrome();
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(10_000);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${server.address}#vision?${ADDRESS}`);
  await says(/^Computed in a Worker on this machine: simd/);
}, 600_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

afterEach(() => expect(errors).toEqual([]));

const says = (text: RegExp): Promise<void> =>
  page.locator("#status").filter({ hasText: text }).waitFor({ timeout: 60_000 });
const has = (selector: string, text: string | RegExp): Promise<void> =>
  page.locator(selector).filter({ hasText: text }).first().waitFor();
const press = (name: string): Promise<void> => page.getByRole("button", { name, exact: true }).click();
const list = (label: string): Locator => page.getByRole("combobox", { name: label, exact: true });
const choose = async (label: string, option: string): Promise<void> => {
  await list(label).selectOption(option);
};
const slide = (name: string, value: number): Promise<void> =>
  page.getByRole("slider", { name: new RegExp(`^${name}`) }).fill(String(value));
const output = (): Locator => page.getByRole("application", { name: /^Output of/ });

/** What a canvas shows: [side], red, green and blue of each pixel. */
const pixelsOf = (canvas: Locator): Promise<{ side: number; red: number[]; sum: number }> =>
  canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
    context.drawImage(element as HTMLCanvasElement, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const red = Array.from({ length: width * height }, (_, i) => data[4 * i]);
    return { side: width, red, sum: data.reduce((sum, byte, i) => (sum * 31 + byte * (i + 1)) % 1_000_003, 0) };
  });
const picture = async (): Promise<number[]> => (await pixelsOf(page.locator(".pad canvas"))).red;

const numbers = async (grid: string): Promise<number[]> =>
  (await page.locator(`.numbers:has-text("${grid}") td`).allTextContents()).map((t) => Number(t.replace("−", "-")));

/** Where on the output the window is said to be, and the sum there. */
async function sum(): Promise<{ value: number; row: number; column: number }> {
  const text = (await page.locator(".sums .sum").textContent())!;
  const [, value, row, column] = /= (−?[\d.]+) → output, row (\d+), column (\d+)/.exec(text)!;
  return { value: Number(value.replace("−", "-")), row: Number(row), column: Number(column) };
}

test("the window's numbers are the convolution's, whatever stride, padding and dilation", async () => {
  await press("Clear");
  expect(new Set(await picture())).toEqual(new Set([255]));
  const box = (await page.locator(".pad .map").boundingBox())!;
  await page.mouse.move(box.x + 0.2 * box.width, box.y + 0.2 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.8 * box.width, box.y + 0.6 * box.height, { steps: 5 });
  await page.mouse.up();
  await choose("Brush", "grey");
  await page.locator(".pad .map").focus();
  for (const key of ["ArrowUp", "ArrowUp", "ArrowUp", " "]) await page.keyboard.press(key);
  const pixels = await picture();
  expect(new Set(pixels)).toEqual(new Set([0, 128, 255]));

  await choose("Kernel", "Sharpen");
  const kernel = [0, -1, 0, -1, 5, -1, 0, -1, 0];
  for (const [stride, padding, dilation] of [
    [1, 0, 1],
    [2, 1, 2],
    [3, 1, 1],
  ]) {
    await slide("Stride", stride);
    await slide("Padding", padding);
    await slide("Dilation", dilation);
    const side = Math.floor((SIZE + 2 * padding - 2 * dilation - 1) / stride) + 1;
    await has(".stage .note", `/ ${stride}⌋ + 1 = ${side}`);
    await page.getByRole("application", { name: `Output of ${side} × ${side}` }).waitFor();
    for (const [row, column] of [
      [0, 0],
      [Math.floor(side / 2), Math.floor(side / 3)],
      [side - 1, side - 1],
    ]) {
      await slide("Position of the window", row * side + column);
      const patch = kernel.map((_, i) => {
        const y = row * stride + Math.floor(i / 3) * dilation - padding;
        const x = column * stride + (i % 3) * dilation - padding;
        return Math.min(x, y) < 0 || Math.max(x, y) >= SIZE ? 0 : pixels[y * SIZE + x];
      });
      expect(await numbers("Input under")).toEqual(patch);
      const products = patch.map((value, i) => value * kernel[i] + 0);
      expect((await numbers("Products")).map((n) => n + 0)).toEqual(products);
      const value = products.reduce((a, b) => a + b);
      expect(await sum()).toEqual({ value, row: row + 1, column: column + 1 });
    }
  }
  await slide("Stride", 1);
  await page.getByRole("application", { name: "Output of 32 × 32" }).waitFor();
});

test("pointer, keyboard and play move the window; pooling and one's own numbers follow", async () => {
  const box = (await output().boundingBox())!;
  await page.mouse.move(box.x + (10.5 / 32) * box.width, box.y + (20.5 / 32) * box.height);
  expect(await sum()).toMatchObject({ row: 21, column: 11 });
  await output().focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowUp");
  expect(await sum()).toMatchObject({ row: 20, column: 12 });

  const window = await numbers("Pooling window");
  expect(window).toHaveLength(4);
  expect(window).toContain((await sum()).value);
  await has(".pooling .sum", `Largest = ${String(Math.max(...window)).replace("-", "−")} → row 10, column 6`);
  await choose("Pooling", "average");
  await has(".pooling .sum", /^Mean = /);
  const mean = window.reduce((a, b) => a + b) / 4;
  const shown = (await page.locator(".pooling .sum").textContent())!.split(" ")[2].replace("−", "-");
  expect(Math.abs(Number(shown) - mean)).toBeLessThan(0.51);

  const patch = await numbers("Input under");
  const before = (await sum()).value;
  const middle = page.getByLabel("Kernel, row 2, column 2");
  await middle.fill("7");
  await middle.press("Enter");
  await page.waitForFunction(() => location.hash.includes("weights=0,-1,0,-1,7,-1,0,-1,0"));
  await expect.poll(async () => (await sum()).value).toBe(before + 2 * patch[4]);
  expect(await list("Kernel").inputValue()).toBe("Your own numbers");

  await press("Move the window");
  await expect.poll(async () => (await sum()).column).toBeGreaterThan(13);
  await press("Hold the window");
  const held = await sum();
  await press("Next position of the window");
  expect((await sum()).column).toBe(held.column + 1);
});

test("a network learns the classes here, and shows its inside", async () => {
  await choose("Generated", "pearlite");
  await has(".pad .note", "Simulated: pearlite, seed 3.");
  await choose("Kernel", "Learned by the network");
  await has(".remark", /no network yet/);
  await page.getByRole("button", { name: "Play" }).click();
  await says(/^Trained for 8 epochs\./);
  const accuracy = Number((await page.locator(".outcome h3 output").nth(1).textContent())!.replace(" %", ""));
  expect(accuracy).toBeGreaterThan(45);
  const counts = (await page.locator(".confusion td").allTextContents()).map((text) => Number(text) || 0);
  expect(counts.reduce((a, b) => a + b)).toBe(50);
  expect(await page.locator(".gallery button").count()).toBe(8);
  await has(".convolution .remark", "Filter 1 of 10, epoch 8");
  await has(".sums .sum", /^Sum \+ bias/);

  const maps = page.locator(".maps canvas");
  const first = await Promise.all([0, 3].map((i) => pixelsOf(maps.nth(i))));
  expect(first.map(({ side }) => side)).toEqual([30, 30]);
  expect(first[0].sum).not.toBe(first[1].sum);
  await page.getByRole("radio", { name: "conv_2_2" }).check();
  await has(".inside h3", "Feature maps of conv_2_2, 10 × 10");
  const row = page.locator(".layers tr", { hasText: "conv_2_2" });
  expect(await row.locator("td").allTextContents()).toEqual(["conv_2_2", "10 × 10 × 10", "910", "90,000", "14 × 14"]);

  const explained = async (name: RegExp): Promise<number> => {
    const map = page.getByRole("img", { name });
    await map.waitFor();
    return (await pixelsOf(map.locator("canvas"))).sum;
  };
  const seen = [await explained(/^Grad-CAM for pearlite/)];
  await choose("Class", "grains");
  seen.push(await explained(/^Grad-CAM for grains/));
  await choose("Method", "Occlusion");
  seen.push(await explained(/^Occlusion for grains/));
  expect(new Set(seen).size).toBe(3);
  await page.locator(".gallery button").nth(1).click();
  await has(".pad .note", "Validation image fibres-");
});

test("a picture that is dropped is classified as the saved model says; another file is named", async () => {
  const drop = async (name: string, bytes: Uint8Array): Promise<void> => {
    const dataTransfer = await page.evaluateHandle(
      ([name, bytes]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(bytes)], name));
        return transfer;
      },
      [name, Array.from(bytes)] as const,
    );
    await page.locator(".pad").dispatchEvent("drop", { dataTransfer });
  };
  const { data } = microstructure("porous", { size: 80, seed: 5 });
  const wide = image(80, 60, 1, data.slice(0, 80 * 60));
  await drop("pores.png", encodePng(wide));
  await says(/^pores\.png is read: its middle, grey, 32 × 32 pixels\.$/);
  const pixels = fitted(wide, SIZE);
  expect(await picture()).toEqual([...pixels]);

  const [saved] = await Promise.all([page.waitForEvent("download"), press("Save model")]);
  await init({ threads: 1, deterministic: true });
  const predictor = await Predictor.load(new Uint8Array(readFileSync(await saved.path())), buildModel);
  const expected = [...predictor.predict(rowOf(pixels, SIZE))].map((share) => `${Math.round(100 * share)} %`);
  await expect.poll(() => page.locator(".explained dd").allTextContents()).toEqual(expected);
  expect(await page.locator(".explained dt").allTextContents()).toEqual(CLASSES);

  await drop("notes.txt", new TextEncoder().encode("Dear all, this is no picture."));
  await says(/^notes\.txt is no picture: it begins with .*Dear all/);
  expect(await picture()).toEqual([...pixels]);

  await choose("Image size", "48 × 48");
  await has(".schooling .remark", /^Controls have changed/);
  await has(".explained .note", /another size than this network's images/);

  await page.setViewportSize({ width: 360, height: 700 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});

test("a network gives its memory back, the same seed makes the same one, and overflows end in advice", async () => {
  await init({ threads: 1, deterministic: true });
  const { state } = readState(FIELDS, "size=32&images=100&classes=fibres,pearlite&epochs=1&batchSize=64");
  const config = trainingConfig(state);
  const images = (await learningImages(config, async () => true))!;
  expect(await learningImages(config, async () => false)).toBeUndefined();
  const train = (): number[] => {
    const learner = new Learner(images, config);
    while (!learner.done) learner.advance();
    learner.dispose();
    return [...learner.probabilities];
  };
  const first = train();
  const { live } = memoryUse();
  expect(train()).toEqual(first);
  expect(memoryUse().live).toBe(live);

  const wild = new Learner(images, config);
  wild.tune({ ...config, learningRate: 1e20 as never, epochs: 200 });
  const run = () => {
    while (!wild.done) wild.advance();
  };
  expect(run).toThrow(/overflowed in epoch \d+\.\n {2}Choose a lower learning rate/);
  wild.dispose();
});

test("rate and epochs may change in training, the rest is another network", () => {
  const { state } = readState(FIELDS, ADDRESS);
  const config = trainingConfig(state);
  expect(sameNetwork(config, { ...config, learningRate: 0.1, epochs: 3 })).toBe(true);
  expect(sameNetwork(config, { ...config, classes: ["grains", "fibres"] })).toBe(false);
  expect(readState(FIELDS, "weights=1,2,3").rejected).toEqual(["weights"]);
  expect(readState(FIELDS, "weights=1,-2.5,3,0,0,0,0,0,9999").state.weights[1]).toBe(-2.5);
});
