import { readFileSync } from "node:fs";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { readCrystals } from "../../src/data/crystals.ts";
import { init } from "../../src/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { Predictor } from "../../src/train/predictor.ts";
import { launchChrome } from "../browser/chrome.ts";
import { serveBuilt } from "./built.ts";
import { BROKEN, CSCL, file, folder, KCL, MIXED, type TestFile } from "./crystalFiles.ts";

let browser: Browser;
let server: Awaited<ReturnType<typeof serveBuilt>>;
const errors: string[] = [];
/** What the page asked the network for after it stood. */
const requests: string[] = [];

beforeAll(async () => {
  server = await serveBuilt();
  browser = await launchChrome({ webgl: "software" });
}, 600_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  expect({ errors, requests }).toEqual({ errors: [], requests: [] });
});

async function open(state = "", options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage(options);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${server.address}#crystals${state && `?${state}`}`);
  await says(page, /^Computed in a Worker on this machine: simd/);
  page.context().on("request", (request) => {
    // Chromium itself asks for the icon again when the address changes; what is downloaded is the page's own.
    if (!/^blob:|\/icon-\w+\.svg$/.test(request.url())) requests.push(request.url());
  });
  return page;
}

const says = (page: Page, text: RegExp): Promise<void> =>
  page.locator("#status").filter({ hasText: text }).waitFor({ timeout: 60_000 });
const press = (page: Page, name: string): Promise<void> => page.getByRole("button", { name, exact: true }).click();
const step = (page: Page): Promise<void> => page.getByRole("button", { name: /^Step/ }).click();
const reset = (page: Page): Promise<void> => page.getByRole("button", { name: /^Reset/ }).click();
const slider = (page: Page, name: string) => page.getByRole("slider", { name: new RegExp(`^${name}`) });
const list = (page: Page) => page.getByLabel("Structures");
const choose = async (page: Page, title: string): Promise<void> => {
  await list(page).selectOption({ label: title });
  await page.getByRole("heading", { name: title, exact: true }).waitFor();
};
const counts = (page: Page, text: string): Promise<void> => page.locator(".counts").filter({ hasText: text }).waitFor();
const epoch = (page: Page, n: number): Promise<void> =>
  page
    .locator(".epoch output")
    .filter({ hasText: new RegExp(`^${n}$`) })
    .waitFor({ timeout: 60_000 });
const figure = async (page: Page, name: string): Promise<number> =>
  Number(await page.locator(`.figures .${name} + dd`).textContent());

/** Drops files on the page, as a person does with the mouse. */
async function drop(page: Page, files: readonly TestFile[]): Promise<void> {
  const given = files.map(({ name, buffer }) => ({ name, text: buffer.toString("latin1") }));
  const dataTransfer = await page.evaluateHandle((given) => {
    const transfer = new DataTransfer();
    for (const { name, text } of given)
      transfer.items.add(new File([Uint8Array.from(text, (c) => c.charCodeAt(0))], name));
    return transfer;
  }, given);
  await page.locator(".drop").dispatchEvent("dragover", { dataTransfer });
  await page.locator(".drop").dispatchEvent("drop", { dataTransfer });
  await says(page, / read\./);
}

test("a crystal is drawn, and the sliders change its neighbours as the crystal says", async () => {
  const page = await open();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await counts(page, "48 edges: 6 neighbours of each atom");
  const picture = page.getByRole("img", { name: /^Crystal structure of NaCl, 8 atoms/ });
  const colours = await picture.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
    context.drawImage(element as HTMLCanvasElement, 0, 0);
    return new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size;
  });
  expect(colours).toBeGreaterThan(200);

  await slider(page, "Neighbours").fill("7");
  await counts(page, "144 edges: 18 neighbours of each atom");
  await page.getByLabel("Whole shells").uncheck();
  await counts(page, "56 edges: 7 neighbours of each atom");
  await slider(page, "Cutoff").fill("2.8");
  await counts(page, "0 edges: 0 neighbours");
  await page.getByText("8 atoms have no neighbour: raise the cutoff.").waitFor();
  await slider(page, "Cutoff").fill("2.9");
  await counts(page, "48 edges: 6 neighbours");
  expect(await page.locator(".graph tbody tr").count()).toBe(6);
  expect(await page.locator(".graph tbody tr").first().textContent()).toMatch(/^Cl \d2\.820/);
  await page.getByRole("radio", { name: /^Neighbour 4: Cl \d, 2\.820 Å/ }).check();
  await page.getByRole("combobox", { name: /^Atom/ }).selectOption("5 Cl");
  await page.getByRole("radio", { name: /^Neighbour 1: Na \d, 2\.820 Å/ }).waitFor();
  await page.getByRole("img", { name: "Gaussian expansion of 2.820 Å" }).waitFor();

  await slider(page, "Cutoff").fill("6");
  await page.getByLabel("Whole shells").check();
  for (const [title, text] of [
    ["CsCl, cesium chloride", "16 edges: 8 neighbours of each atom"],
    ["C, diamond", "128 edges: 16 neighbours of each atom"],
  ]) {
    await choose(page, title);
    await counts(page, text);
  }
  await slider(page, "Neighbours").fill("4");
  await counts(page, "32 edges: 4 neighbours of each atom");
  await page.getByText("F d −3 m (227)").waitFor();
  expect(page.url()).toContain("structure=C&cutoff=6&neighbours=4&shells=whole");

  const again = await open(new URL(page.url()).hash.split("?")[1]);
  await counts(again, "32 edges: 4 neighbours of each atom");
});

test("files are read where they are dropped; what is wrong is listed with its reason", async () => {
  const page = await open("neighbours=1");
  await drop(page, [
    ...[file("KCl.cif", KCL), file("broken.cif", BROKEN), file("POSCAR", CSCL), file("mixed.cif", MIXED)],
    file("notes.docx", "Dear all, this is no crystal."),
  ]);
  await says(page, /^3 structures read\. Not read: 2, see the list\.$/);
  const problems = await page.locator(".problems li").allTextContents();
  expect(problems.find((text) => text.startsWith("broken.cif"))).toMatch(/_cell_length_c/);
  expect(problems.find((text) => text.startsWith("notes.docx"))).toMatch(/no structure file.*Dear all/);
  await page.getByRole("heading", { name: "KCl", exact: true }).waitFor();
  await counts(page, "12 edges: 6 neighbours of each atom");
  await choose(page, "POSCAR · CsCl");
  await counts(page, "16 edges: 8 neighbours of each atom");
  await choose(page, "mixed · K0.5Na0.5Cl");
  await page.getByText("1 of them on shared sites").waitFor();

  await page.getByRole("combobox", { name: /^Data/ }).selectOption("your files");
  await page.getByRole("button", { name: "Play" }).click();
  await says(page, /hold no numbers to learn\.\s+Give the structure files together with id_prop\.csv/);

  await press(page, "Remove all files");
  await page.getByRole("heading", { name: "NaCl, rocksalt" }).waitFor();
  expect(await page.locator(".problems").isVisible()).toBe(false);
});

test("a network trains on the embedded crystals, always in the same way, and beats the mean", async () => {
  const page = await open("crystals=100&epochs=12&width=16");
  await step(page);
  await epoch(page, 1);
  const first = await figure(page, "validation");
  await reset(page);
  await epoch(page, 0);
  await step(page);
  await epoch(page, 1);
  expect(await figure(page, "validation")).toBe(first);
  await page.getByLabel("Width").selectOption("8");
  await page.getByText("Controls have changed, and this network keeps its own").waitFor();
  await page.getByLabel("Width").selectOption("16");
  await page.getByRole("button", { name: "Play" }).click();
  await says(page, /^Trained for 12 epochs\./);
  const [mae, mean] = [await figure(page, "validation"), await figure(page, "mean")];
  expect(mae).toBeLessThan(0.8 * mean);
  expect(await page.locator(".chart .dot").count()).toBe(20);
  await page.getByText(/eV\/atom predicted energy_per_atom, epoch 12$/).waitFor();
  const worst = page.locator(".worst tbody tr").first();
  const [name, , , error] = await worst.locator("td").allTextContents();
  await worst.getByRole("button").click();
  await page.getByRole("heading", { name, exact: true }).waitFor();
  await page
    .locator(".prediction")
    .filter({ hasText: `error ${error}` })
    .waitFor();
});

test("training goes on, is held, goes on by single epochs, and ends with its tab", async () => {
  const page = await open("crystals=100&epochs=500&width=8&convolutions=1");
  await page.getByRole("button", { name: "Play" }).click();
  await page.waitForFunction(() => Number(document.querySelector(".epoch output")!.textContent) > 2);
  // The crystal answers while the network trains.
  await slider(page, "Neighbours").fill("12");
  await counts(page, "144 edges: 18 neighbours of each atom");
  await press(page, "Pause");
  await page.waitForTimeout(300);
  const held = Number(await page.locator(".epoch output").textContent());
  expect(held).toBeLessThan(500);
  await page.waitForTimeout(300);
  await epoch(page, held);
  await step(page);
  await epoch(page, held + 1);
  await page.getByRole("button", { name: "Play" }).click();
  // What the other tab consists of is asked for now.
  const before = requests.length;
  await page.getByRole("link", { name: "Playground" }).click();
  await page.getByRole("heading", { name: "Output of the network" }).waitFor();
  await says(page, /^Computed in a Worker/);
  requests.length = before;
});

test("own files with id_prop.csv: train, predict, save, and load again", async () => {
  const page = await open("epochs=15&batchSize=8&width=8&convolutions=1&learningRate=0.02");
  const files = folder();
  await page.getByLabel("Choose files").setInputFiles([...files, file("broken.cif", BROKEN)]);
  await says(page, /^60 structures read\. 60 of them have numbers to learn: target\. Not read: 1/);
  await page.getByRole("button", { name: "Play" }).click();
  await says(page, /^Trained for 15 epochs\./);
  expect(await figure(page, "validation")).toBeLessThan(0.7 * (await figure(page, "mean")));

  await page.getByLabel("Choose files").setInputFiles([file("mixed.cif", MIXED)]);
  await says(page, /^1 structure read\./);
  await press(page, "Predict");
  await page.getByText("61 structures, by the network of epoch 15.").waitFor();
  await page
    .locator(".predict td.problem")
    .filter({ hasText: /site 1 is shared by several elements/ })
    .waitFor();
  const download = async (name: string): Promise<Buffer> => {
    const [saved] = await Promise.all([page.waitForEvent("download"), press(page, name)]);
    return readFileSync(await saved.path());
  };
  const csv = (await download("Download CSV")).toString().trimEnd().split("\n");
  expect(csv[0]).toBe("id,formula,atoms,predicted target,problem");
  expect(csv.length).toBe(62);
  const predicted = csv.slice(1, -1).map((line) => Number(line.split(",")[3]));
  const table = csv.slice(1, -1).map((line) => line.split(",")[0]);

  const model = await download("Save model");
  await init({ threads: 1, deterministic: true });
  const predictor = await Predictor.load(new Uint8Array(model), buildModel);
  const own = files.map(({ name, buffer }) => new File([new Uint8Array(buffer)], name));
  const crystals = await readCrystals(own, { numeric: ["*"] });
  const values = predictor.predict(crystals);
  crystals.ids.forEach((id, i) => {
    expect(predicted[table.indexOf(id)], id).toBeCloseTo(values[i], 5);
  });

  const other = await open();
  await other.getByLabel("Load model").setInputFiles([file("mine.safetensors", new Uint8Array(model))]);
  await other.getByText(/^mine\.safetensors predicts target \(epoch 15,/).waitFor();
  await press(other, "Predict");
  await other.getByText("12 structures, by the model file.").waitFor();
  await other.getByLabel("Load model").setInputFiles([file("KCl.cif", KCL)]);
  await says(other, /KCl\.cif/);
});

test("a phone's width holds everything; keys reach it; mistakes in the address are told", async () => {
  const page = await open("cutoff=9&structure=H2O", {
    viewport: { width: 360, height: 740 },
    colorScheme: "dark",
    reducedMotion: "reduce",
  });
  expect(await page.locator("#status").textContent()).toContain("no usable value for structure, cutoff");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await list(page).focus();
  await page.keyboard.press("ArrowDown");
  await page.getByRole("heading", { name: "CsCl, cesium chloride" }).waitFor();
  await slider(page, "Neighbours").focus();
  await page.keyboard.press("End");
  await counts(page, "26 neighbours of each atom");
});
