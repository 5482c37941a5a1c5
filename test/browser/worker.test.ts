import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import type { ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { init } from "../../src/index.ts";
import { launchChrome } from "./chrome.ts";
import { addressOf, ISOLATION, serveFolder } from "./server.ts";
import { functions, type Outcome } from "./training/functions.ts";

const STEPS = 100;
const root = fileURLToPath(new URL("training", import.meta.url));

let browser: Browser;
let expected: Outcome;
const servers: ViteDevServer[] = [];

async function open(headers: Record<string, string>): Promise<{ page: Page; errors: string[] }> {
  const server = await serveFolder(root, headers);
  servers.push(server);
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(addressOf(server));
  await page.waitForFunction(() => "train" in window);
  return { page, errors };
}

beforeAll(async () => {
  await init({ deterministic: true, threads: 1 });
  expected = await functions.train(STEPS);
  browser = await launchChrome();
}, 600_000);

afterAll(async () => {
  await browser?.close();
  await Promise.all(servers.map((server) => server.close()));
});

test("cross-origin isolated: two threads in the browser, the same bits as Node", async () => {
  const { page, errors } = await open(ISOLATION);
  const result = await page.evaluate((n) => window.train(n, { deterministic: true, threads: 2 }), STEPS);
  expect(result.capabilities).toMatchObject({ variant: "simd-threads", threads: 2 });
  expect(result.lastStep).toBe(STEPS);
  expect(result).toMatchObject(expected);
  expect(expected.loss).toBeLessThan(0.2);
  expect(errors).toEqual([]);
});

test("not isolated: one thread, said why, the same bits as Node", async () => {
  const { page, errors } = await open({});
  const result = await page.evaluate((n) => window.train(n, { deterministic: true, threads: 2 }), STEPS);
  expect(result.capabilities).toMatchObject({ variant: "simd", threads: 1 });
  expect(result.capabilities.reason).toContain("not cross-origin isolated");
  expect(result).toMatchObject(expected);
  expect(errors).toEqual([]);
});

test("the lab's data sets and training: the same bits as Node", async () => {
  const addresses = [
    "dataset=circle&noise=10",
    "dataset=xor&features=x1,x1x2,sinX1&optimizer=adam",
    "dataset=gauss&noise=50&activation=gelu&regularization=l1",
    "dataset=spiral&networkShape=8,8&activation=sigmoid&optimizer=rmsprop",
  ];
  const { page, errors } = await open(ISOLATION);
  expect(await page.evaluate((a) => window.playground(a), addresses)).toEqual(addresses.map(functions.playground));
  expect(errors).toEqual([]);
});

test("a Worker that cannot be loaded is reported", async () => {
  const { page } = await open({});
  expect(await page.evaluate(() => window.fail())).toMatch(/^The Worker did not start/);
});
