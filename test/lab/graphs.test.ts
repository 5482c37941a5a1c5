import { readFileSync } from "node:fs";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { init } from "../../src/index.ts";
import { FIELDS, trainingConfig } from "../../src/lab/graphs/config.ts";
import { Learner } from "../../src/lab/graphs/learner.ts";
import { short } from "../../src/lab/graphs/numbers.ts";
import { KINDS } from "../../src/lab/graphs/options.ts";
import { readState } from "../../src/lab/kit/state.ts";
import { rested } from "../../src/lab/molecule/reference.ts";
import { buildModel } from "../../src/models/index.ts";
import { Potential } from "../../src/train/potential.ts";
import { launchChrome } from "../browser/chrome.ts";
import { serveBuilt } from "./built.ts";

/** A triangle with a tail: values, and who is joined to whom. */
const VALUES = [3, -1, 0.5, 2];
const EDGES = [
  [0, 1],
  [1, 2],
  [0, 2],
  [2, 3],
];
const GRAPH = "C150_120_3,C150_300_-1,N320_210_0.5,O500_210_2~0_1,1_2,0_2,2_3";
const TRAINING = "count=100&epochs=6&width=8&depth=2&seed=3";
const MOLECULE = "molecule=water&frames=50&basis=16&rounds=6";
const ADDRESS = `graph=${GRAPH}&aggregation=mean&update=average&phase=3&${TRAINING}&${MOLECULE}`;

let browser: Browser;
let server: Awaited<ReturnType<typeof serveBuilt>>;
/** All tests go on with the same page. */
let page: Page;
const errors: string[] = [];

beforeAll(async () => {
  server = await serveBuilt();
  browser = await launchChrome();
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${server.address}#graphs?${ADDRESS}`);
  await says(/^Computed in a Worker on this machine: simd[^.]*\.$/);
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
const choose = async (label: string, option: string): Promise<void> => {
  await page.getByRole("combobox", { name: label, exact: true }).selectOption(option);
};
const slider = (name: string): Locator => page.getByRole("slider", { name: new RegExp(`^${name}`) });
const node = (n: number): Locator => page.locator(`.field .node[data-node="${n - 1}"]`);
/** Numbers on the nodes. */
const drawn = (): Promise<string[]> => page.locator(".field .node .value").allTextContents();
const number = (text: string | null): number => Number(text!.replace("−", "-").replace(",", ""));
const hash = (): string => new URL(page.url()).hash;
const edges = (): Promise<number> => page.locator(".field .edge").count();
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 20_000 });
/** The middle of a node on the screen. */
const middle = async (n: number): Promise<[number, number]> => {
  const box = (await node(n).locator(".disc").boundingBox())!;
  return [box.x + box.width / 2, box.y + box.height / 2];
};

/** Message passing by hand. */
function aggregated(values: readonly number[], kind: string): number[] {
  return values.map((_, i) => {
    const received = EDGES.filter((edge) => edge.includes(i)).map(([a, b]) => values[a === i ? b : a]);
    const sum = received.reduce((a, b) => a + b, 0);
    const mean = sum / received.length;
    const squares = received.map((x) => (x - mean) ** 2).reduce((a, b) => a + b, 0);
    const results: Record<string, number> = {
      ...{ sum, mean, max: Math.max(...received), min: Math.min(...received) },
      std: Math.sqrt(squares / received.length),
    };
    return results[kind];
  });
}

test("the numbers on nodes and edges are those of message passing, for every aggregation", async () => {
  const names = ["sum", "mean", "maximum", "minimum", "standard deviation"];
  for (const [k, kind] of KINDS.entries()) {
    await choose("Aggregation a", names[k]);
    let values = VALUES;
    for (let step = 1; step <= 4; step++) {
      const received = aggregated(values, kind);
      values = values.map((v, i) => (v + received[i]) / 2);
      if (step === 2 || step === 3) continue;
      await slider("Phase").fill(String(3 * step));
      await eventually(drawn).toEqual(values.map(short));
      expect(await page.locator(".passing tbody td:nth-child(4)").allTextContents()).toEqual(received.map(short));
    }
  }
  await choose("Aggregation a", "sum");
  await slider("Phase").fill("1");
  await eventually(drawn).toEqual(VALUES.map(short));
  expect((await page.locator(".field .message text").allTextContents()).sort()).toEqual(
    EDGES.flatMap(([a, b]) => [short(VALUES[a]), short(VALUES[b])]).sort(),
  );
  await press("Next");
  await eventually(() => page.locator(".field .node .note").allTextContents()).toEqual(
    aggregated(VALUES, "sum").map(short),
  );
  await page.getByRole("button", { name: /^Node 2, carbon, value −1, sum 3\.5, neighbours 1, 3$/ }).waitFor();
  expect(await page.locator(".passing tbody tr").nth(2).locator("td").allTextContents()).toEqual([
    "3",
    "0.5",
    "3, −1, 2",
    "4",
    "",
  ]);
  await choose("Update of a value v", "v ← a");
  await press("Next");
  await eventually(drawn).toEqual(aggregated(VALUES, "sum").map(short));

  await node(4).hover();
  await has(".reach", "After 1 step, node 4 has heard of nodes 3.");
  expect(await page.locator(".field .node.near").count()).toBe(2);
  await slider("Phase").fill("6");
  await node(4).hover();
  await has(".reach", "After 2 steps, node 4 has heard of nodes 1, 2, 3.");
});

test("the graph is edited by pointer, keys and matrix, and kept in the address", async () => {
  const field = (await page.locator(".field").boundingBox())!;
  const at = (x: number, y: number): [number, number] => [
    field.x + (x / 600) * field.width,
    field.y + (y / 430) * field.height,
  ];
  await page.mouse.click(...at(420, 360));
  await eventually(() => page.locator(".field .node").count()).toBe(5);
  await page.mouse.move(...(await middle(5)));
  await page.mouse.down();
  await page.mouse.move(...(await middle(4)), { steps: 4 });
  await page.mouse.up();
  await eventually(edges).toBe(5);
  const pair = page.getByRole("button", { name: "Edge from node 4 to node 5" });
  expect(await pair.getAttribute("aria-pressed")).toBe("true");
  await page.mouse.move(...(await middle(5)));
  await page.mouse.down();
  await page.mouse.move(...at(520, 330), { steps: 4 });
  await page.mouse.up();
  await eventually(hash).toContain("C520_330_1~0_1,1_2,0_2,2_3,3_4");

  await node(5).focus();
  await page.keyboard.press("ArrowLeft");
  await eventually(hash).toContain("C508_330_1");
  await page.keyboard.press("e");
  await node(1).focus();
  await page.keyboard.press("e");
  await eventually(edges).toBe(6);
  await pair.click();
  await eventually(edges).toBe(5);
  await node(5).focus();
  const value = page.getByRole("spinbutton", { name: "Value" });
  await value.fill("-7.5");
  await value.press("Enter");
  await choose("Element", "oxygen");
  await eventually(hash).toContain("O508_330_-7.5");
  await page.getByRole("button", { name: /^Node 5, oxygen, value .*neighbours 1$/ }).waitFor();
  await node(5).focus();
  await page.keyboard.press("Delete");
  await eventually(() => page.locator(".field .node").count()).toBe(4);
  await press("Undo");
  await eventually(() => page.locator(".field .node").count()).toBe(5);
  for (let i = 0; i < 9; i++) if (await page.getByRole("button", { name: "Undo" }).isEnabled()) await press("Undo");
  await eventually(hash).toContain(`graph=${GRAPH}`);
});

test("each pair shows which aggregation is blind, also for one's own numbers", async () => {
  const rows = (card: number): Locator => page.locator(".trio > div").nth(card).locator("tbody tr");
  const blind = async (card: number): Promise<string[]> =>
    (await rows(card).allTextContents()).filter((row) => row.includes("the same")).map((row) => row.slice(0, 3));
  await has(".trio h3", "The mean cannot tell");
  expect(await blind(0)).toEqual(["mea"]);
  expect(await blind(1)).toEqual(["max"]);
  expect(await blind(2)).toEqual(["sum", "std"]);
  expect(await rows(0).nth(0).locator("td").allTextContents()).toEqual(["4", "6", "≠ different"]);
  const left = page.getByRole("textbox", { name: "Pair 1, left neighbours" });
  await left.fill("1; 2, 3");
  await left.press("Enter");
  await eventually(() => blind(0)).toEqual(["sum", "mea"]);
  await left.fill("2, 2, 2, 0");
  await left.press("Enter");
  await eventually(() => blind(0)).toEqual(["sum", "min"]);
  await left.fill("many");
  await left.press("Enter");
  expect(await left.inputValue()).toBe("2, 2, 2, 0");
  await page.getByRole("button", { name: "Draw pair 3" }).click();
  await eventually(() => page.locator(".field .node").count()).toBe(5);
  await press("Undo");
});

test("a network learns here as it does anywhere; the slider replays, and a point is drawn and judged", async () => {
  const school = page.locator(".school");
  await school.getByRole("button", { name: "Play" }).click();
  await says(/^Trained for 6 epochs\./);
  await init({ threads: 1, deterministic: true });
  const learner = new Learner(trainingConfig(readState(FIELDS, ADDRESS).state));
  while (!learner.done) learner.advance();
  const { loss, accuracy } = learner.curves;
  expect(loss[6]).toBeLessThan(0.75 * loss[0]);
  const shown = await page.locator(".school h3 output").allTextContents();
  expect(shown).toEqual([loss[6].toFixed(3), `${Math.round(100 * accuracy[6])} %`]);

  const dots = (): Promise<number[]> =>
    page
      .locator(".school .chart .dot")
      .evaluateAll((all) => all.flatMap((dot) => ["cx", "cy"].map((key) => Number(dot.getAttribute(key)))));
  const last = await dots();
  expect(last).toHaveLength(50);
  await slider("Epoch shown").fill("0");
  await has(".school h3", "network of epoch 0");
  const first = await dots();
  expect(first).not.toEqual(last);
  // The places on the screen are those of the embeddings of that epoch, up to the axes' scales.
  const { points } = learner.clouds[0];
  const [a, b] = [0, 1].map((i) => (first[2 * i] - first[4]) / (points[2 * i] - points[4]));
  expect(a / b).toBeCloseTo(1, 3);
  await slider("Epoch shown").fill("6");
  await has(".school h3", "network of epoch 6");
  expect(await dots()).toEqual(last);

  await page.getByRole("spinbutton", { name: "Molecule" }).fill("4");
  await page.keyboard.press("Enter");
  const molecule = learner.validation[3];
  await eventually(() => page.locator(".field .node").count()).toBe(molecule.symbols.length);
  expect(await edges()).toBe(molecule.edges.length);
  const share = learner.clouds[6].probability[3];
  const answer = share > 0.5 ? `a ring, ${Math.round(100 * share)} %` : `no ring, ${Math.round(100 * (1 - share))} %`;
  await has(".verdict", `The network of epoch 6 says of this graph: ${answer}.`);
  const before = await page.locator(".verdict").textContent();
  await press("Clear");
  await eventually(() => page.locator(".verdict").textContent()).toBe("");
  await press("Add node");
  await has(".verdict", /says of this graph: (no|a) ring/);
  expect(await page.locator(".passing tbody tr").count()).toBe(1);
  await press("Undo");
  await press("Undo");
  await has(".verdict", `says of this graph: ${answer}.`);
  await page.locator(".adjacency td:not(.on):not(.own) button").first().click();
  await eventually(() => page.locator(".verdict").textContent()).not.toBe(before);
  learner.dispose();
});

test("a potential learns here, moves the molecule and conserves its energy; the saved one is spinel's", async () => {
  const part = page.locator(".molecule");
  await press("Start");
  await says(/^There is no potential yet\./);
  await part.getByRole("button", { name: "Play" }).click();
  await says(/^Trained for 6 epochs\./);
  const [force, , mean] = await part.locator(".learned output").allTextContents();
  expect(number(force)).toBeLessThan(0.6 * number(mean.replace(" meV/Å", "")));

  const figure = async (name: string): Promise<string> =>
    (await part.locator(`.figures dt:text-is("${name}") + dd`).textContent())!;
  const drift = async (): Promise<number> => Number((await figure("Largest drift of the total")).split(" ")[0]);
  await press("1,000 steps");
  await eventually(() => figure("Time")).toBe("500.0 fs");
  await has(".energies .note", "By the network's forces, epoch 6.");
  expect(await drift()).toBeGreaterThan(0);
  expect(await drift()).toBeLessThan(1);
  await choose("Forces of", "the reference");
  await has(".energies .note", "By reference forces.");
  await press("1,000 steps");
  await eventually(() => figure("Time")).toBe("500.0 fs");
  expect(await drift()).toBeLessThan(1);
  const energies = await part.locator(".energies .chart").getAttribute("aria-label");
  const [potential, kinetic, total] = [...energies!.matchAll(/(-?\d+) meV/g)].map(([, text]) => Number(text));
  expect(Math.abs(potential + kinetic - total)).toBeLessThanOrEqual(1.5);

  await press("Start");
  await eventually(() => figure("Time")).toMatch(/^(50[4-9]|5[1-9]\d|[6-9]\d\d)|ps$/);
  await slider("Temperature").fill("600");
  await page.getByRole("checkbox", { name: "Heat bath (Langevin)" }).check();
  await eventually(() => figure("Largest drift of the total")).toBe("the bath gives and takes");
  await press("Hold");
  const held = await figure("Time");
  await press("1,000 steps");
  await eventually(() => figure("Time")).not.toBe(held);
  expect(Number((await figure("Mean of it")).split(" ")[0])).toBeGreaterThan(250);

  const [saved] = await Promise.all([page.waitForEvent("download"), press("Save potential")]);
  const file = await Potential.load(new Uint8Array(readFileSync(await saved.path())), buildModel);
  expect(file.elements.sort()).toEqual(["H", "O"]);
  const { structure } = rested("water");
  expect(Math.abs(file.evaluate(structure).energy)).toBeLessThan(1);

  await choose("Molecule", "Ammonia, NH₃");
  await has(".molecule .remark", /^Controls have changed/);
  await choose("Forces of", "the network");
  await press("Start");
  await says(/^The network has learned water, not ammonia/);
});

test("on a phone nothing is wider than the screen", async () => {
  await page.setViewportSize({ width: 360, height: 700 });
  // Charts follow their places a moment later.
  await eventually(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});
