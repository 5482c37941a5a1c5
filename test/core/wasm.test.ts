import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type OutputOptions, rollup } from "rollup";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import config from "../../rollup.config.js";
import type * as Spinel from "../../src/index.ts";

/** The library as a fresh process finds it: each import has an engine of its own. */
async function fresh(): Promise<typeof Spinel> {
  vi.resetModules();
  return import("../../src/index.ts");
}

describe("init", () => {
  let spinel: typeof Spinel;
  beforeEach(async () => {
    spinel = await fresh();
  });

  test("nothing works before it, and the error says what to call", () => {
    const { capabilities, tensor, Rng } = spinel;
    for (const f of [() => tensor([1]), () => new Rng(1).normal([3]), capabilities])
      expect(f).toThrow("spinel is not initialised.\n  Call `await init()` once before making tensors.");
  });

  test.each([0, -1, 1.5, 65, Number.NaN, "2" as unknown as number])(
    "threads: %s is refused, first and later",
    async (threads) => {
      const message = `init: threads must be a whole number from 1 to 64, not ${threads}.`;
      await expect(spinel.init({ threads })).rejects.toThrow(message);
      await spinel.init({ threads: 2 });
      await expect(spinel.init({ threads })).rejects.toThrow(message);
      expect(spinel.capabilities().threads).toBe(2);
    },
  );

  test("deterministic is plain SIMD, with or without threads, and says so", async () => {
    const { variant, threads, reason } = await spinel.init({ threads: 2, deterministic: true });
    expect({ variant, threads }).toEqual({ variant: "simd-threads", threads: 2 });
    expect(reason).toBe("plain SIMD, because deterministic was asked for");
    spinel = await fresh();
    const single = await spinel.init({ threads: 1, deterministic: true });
    expect(single).toEqual({ variant: "simd", threads: 1, reason: `${reason}; 1 thread, as asked` });
  });

  test("called again: same engine, other number of threads", async () => {
    const { init, ones, capabilities } = spinel;
    await init({ threads: 2 });
    const x = ones([4]);
    expect((await init()).threads).toBe(2);
    expect((await init({ threads: 3 })).threads).toBe(3);
    expect((await init({ threads: 1 })).threads).toBe(1);
    expect(capabilities().threads).toBe(1);
    expect(x.sum().item()).toBe(4);
  });

  test("called twice at once: one engine", async () => {
    const { init, ones } = spinel;
    const first = init({ threads: 2 });
    const second = init({ threads: 1 });
    const x = first.then(() => ones([4]));
    await Promise.all([first, second]);
    expect((await x).add(1).sum().item()).toBe(8);
    expect(spinel.capabilities().threads).toBe(1);
  });

  test("threads asked for too late", async () => {
    await spinel.init({ threads: 1 });
    await expect(spinel.init({ threads: 2 })).rejects.toThrow("2 threads asked for after an init that chose one.");
  });
});

describe("as a process of its own", () => {
  let folder: string;
  const run = promisify(execFile);

  /** Runs a script beside the built library; resolves with what it printed when the process has ended. */
  async function script(code: string, flags: string[] = []): Promise<string> {
    const path = join(folder, "script.mjs");
    await writeFile(path, code);
    return (await run(process.execPath, [...flags, path], { timeout: 30_000 })).stdout.trim();
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "spinel-"));
    await symlink(resolve("node_modules"), join(folder, "node_modules"), "junction");
    const [{ plugins, external, output }] = config;
    const bundle = await rollup({ input: { index: "src/index.ts", thread: "src/core/thread.js" }, plugins, external });
    await bundle.write({ ...output, dir: folder } as OutputOptions);
    await bundle.close();
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("it ends by itself although compute threads live, asleep or busy waiting", async () => {
    const code = `
      import { init, ones } from "./index.js";
      const { threads } = await init({ threads: 3 });
      console.log(threads, ones([100000]).add(1).sum().item());`;
    expect(await script(code)).toBe("3 200000");
    expect(await script(`${code} await new Promise((done) => setTimeout(done, 300)); console.log("done")`)).toBe(
      "3 200000\ndone",
    );
  });

  test("a trap on a thread is an ordinary error", async () => {
    const code = `
      import { init, tensor, Tensor } from "./index.js";
      await init({ threads: 2 });
      const x = tensor([1]);
      const beyond = new Tensor([1 << 16], { ptr: 2 ** 32 - 65536 });
      try { beyond.relu(); } catch (error) { console.log(error.message); }
      console.log(x.add(1).item());`;
    expect(await script(code)).toBe("kernel relu trapped on a compute thread\n2");
  });

  test("relaxed SIMD where the engine has it; deterministic is then a wish for the first init", async () => {
    const flags = Number(process.versions.node.split(".")[0]) < 21 ? ["--experimental-wasm-relaxed-simd"] : [];
    const code = `
      import { init, capabilities } from "./index.js";
      const { variant, reason } = await init({ threads: 2 });
      console.log(variant, JSON.stringify(reason));
      await init({ deterministic: true }).catch((error) => console.log(error.message));
      console.log(capabilities().variant);`;
    expect(await script(code, flags)).toBe(
      [
        'relaxed-threads ""',
        "init({ deterministic: true }) came after an init without it.\n  Ask for it in the first call.",
        "relaxed-threads",
      ].join("\n"),
    );
  });
});
