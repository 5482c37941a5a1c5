import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "./helpers/build.ts";
import { killAndResume, numbers, remains, undisturbed, unreadable, VICTIMS } from "./helpers/kill.ts";
import { folder, spinel, start } from "./helpers/spinel.ts";
import { csv, writeTables } from "./helpers/tables.ts";

const { path, remove } = folder();
beforeAll(async () => {
  await buildIfStale();
  writeTables(path);
}, 300_000);
afterAll(remove);

/** A run that takes long enough to be stopped in the middle; it says so once. */
const LONG = [
  "train",
  "mlp",
  "--data",
  "alloys.csv",
  "--target",
  "strength",
  "--hidden",
  "8",
  "--threads",
  "1",
  "--dropout",
  "0.1",
];
const EPOCHS = 800;
const long = (out: string, ...rest: string[]): string[] => [...LONG, "--epochs", String(EPOCHS), "--out", out, ...rest];
const resume = (out: string, ...rest: string[]) => spinel(path, ["train", "--resume", "--out", out, ...rest]);

describe.concurrent("signals", () => {
  test("Ctrl-C saves, says how to go on, and the run ends with the same bits", async () => {
    const whole = spinel(path, long("whole"));
    const { child, done, says } = start(path, long("stopped"));
    await says(/\nepoch /);
    child.kill("SIGINT");
    child.kill("SIGINT"); // npm passes on what the terminal has sent already: this is the same Ctrl-C
    const { code, stdout, stderr } = await done;
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toMatch(/\nStopping after this step … \(again: at once\)\n/);
    expect(stderr).toMatch(
      /\nInterrupted; everything up to here is saved\. Go on with:\n {2}spinel train --resume --out stopped\n$/,
    );
    expect(existsSync(join(path, "stopped", "model.safetensors"))).toBe(false);
    const epochs = readFileSync(join(path, "stopped", "metrics.jsonl"), "utf8").split("\n").length - 1;
    expect(epochs).toBeLessThan(EPOCHS);
    expect(await resume("stopped", "--threads", "2")).toMatchObject({ code: 0 });
    expect(await whole).toMatchObject({ code: 0 });
    expect(remains(join(path, "stopped"))).toEqual(remains(join(path, "whole")));
    // Once more: there is nothing left to do.
    const again = await resume("stopped");
    expect([again.code, again.stderr]).toEqual([0, "The run in stopped is finished: stopped/report.html\n"]);
    expect(JSON.parse((await resume("stopped", "--json")).stdout)).toMatchObject({ folder: "stopped", epochs: EPOCHS });
  });

  test("a request to end is obeyed in the same way", async () => {
    for (const [signal, status] of [
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const) {
      const { child, done } = start(path, long(signal, "-q"));
      while (!existsSync(join(path, signal, "metrics.jsonl"))) await setTimeout(20);
      child.kill(signal);
      const { code, stderr } = await done;
      expect([code, stderr]).toEqual([status, expect.stringMatching(/^\nInterrupted; /)]);
      expect(unreadable(join(path, signal))).toEqual([]);
      expect(existsSync(join(path, signal, "checkpoint.safetensors"))).toBe(true);
    }
  });
});

describe.concurrent("resuming", () => {
  test("keeps the settings, and says which differ", async () => {
    mkdirSync(join(path, "settings"));
    const { child, done, says } = start(path, long("settings", "--checkpoint-seconds", "0"));
    await says(/\nepoch /);
    child.kill("SIGKILL");
    await done;
    const { code, stderr } = await resume("settings", "--lr", "0.1");
    expect([code, stderr]).toEqual([
      1,
      "spinel: --resume: --lr is 0.1 now but 0.001 in settings/config.json.\n  A resumed run keeps its settings: leave the flag out, or start a new run.\n",
    ]);
    expect((await spinel(path, ["train", "elemnet", "--resume", "--out", "settings"])).stderr).toMatch(
      /: MODEL is "elemnet" now but "mlp"/,
    );
    // Without --resume it is in the way.
    expect((await spinel(path, long("settings"))).stderr).toMatch(/^spinel: settings is not empty\.\n.*--resume/);
  });

  test("wants the data that the run began with, wherever they are now", async () => {
    const data = join(path, "data.csv");
    writeFileSync(data, csv(["id", "formula", "strength"]));
    const args = ["train", "mlp", "--data", "data.csv", "--target", "strength", "--out", "moved", "--threads", "1"];
    const { child, done, says } = start(path, [...args, "--epochs", String(EPOCHS), "--hidden", "8"]);
    await says(/\nepoch /);
    child.kill("SIGINT");
    expect((await done).code).toBe(130);
    writeFileSync(data, csv(["id", "formula", "strength"], { change: { 0: { strength: 8 } } }));
    expect((await resume("moved")).stderr).toMatch(
      /^spinel: data\.csv has changed since the run in moved began\.\n {2}Restore/,
    );
    writeFileSync(data, csv(["id", "formula", "strength"]));
    renameSync(data, join(path, "elsewhere.csv"));
    expect((await resume("moved")).stderr).toMatch(/^spinel: data\.csv: there is no such file/);
    expect(await resume("moved", "--data", "elsewhere.csv", "-q")).toMatchObject({ code: 0, stderr: "" });
  });

  test("a folder with nothing but what a killed process was writing is free", async () => {
    mkdirSync(join(path, "early"));
    writeFileSync(join(path, "early", ".config.json.99999999.tmp"), "{");
    const { code, stderr } = await spinel(path, [...LONG, "--epochs", "2", "--out", "early", "-q"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(readdirSync(join(path, "early")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

describe("kill -9 at random moments", () => {
  test.each(Object.keys(VICTIMS))("%s: resumed to the same bits, no file half-written", async (name) => {
    const victim = await undisturbed(path, VICTIMS[name]);
    expect([...victim.reference.keys()]).toEqual(
      expect.arrayContaining(
        ["model.safetensors", "metrics.jsonl", "results.json"].map((f) =>
          name === "three folds" && !f.startsWith("results") ? `fold3/${f}` : f,
        ),
      ),
    );
    expect(await killAndResume(path, victim, 3, numbers(name.length))).toEqual({
      kills: expect.any(Number),
      unreadable: [],
      different: [],
    });
  });
});
