import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { datasets } from "../../src/data/datasets.ts";
import { buildIfStale } from "./helpers/build.ts";
import { folder, shell, spinel, start } from "./helpers/spinel.ts";
import { csv, QUICK, writeTables } from "./helpers/tables.ts";

const { path, remove } = folder();
beforeAll(async () => {
  await buildIfStale();
  writeTables(path);
  const { code } = await spinel(path, [
    "train",
    "mlp",
    "--data",
    "alloys.csv",
    "--target",
    "strength",
    "--out",
    "run",
    ...QUICK,
  ]);
  expect(code).toBe(0);
}, 300_000);
afterAll(remove);

const run = (...args: string[]) => spinel(path, args);

describe.concurrent("help", () => {
  test.each([
    [],
    ["start"],
    ["train"],
    ["predict"],
    ["explain"],
    ["features"],
    ["graph"],
    ["info"],
    ["doctor"],
    ["data"],
    ["data", "list"],
    ["data", "get"],
  ])("spinel %s %s --help has an example", async (...command) => {
    const { code, stdout, stderr } = await run(...command, "--help");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^Usage: ${["spinel", ...command].join(" ")}`));
    expect(stdout).toMatch(new RegExp(`\nExamples?:\n {2}${["spinel", ...command].join(" ")} ?`));
    // The terminal's width is kept, but for examples that are to be copied.
    for (const line of stdout.split(/\nExamples?:\n/)[0].split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("without a command there is help, and a status that is not 0", async () => {
    const { code, stdout, stderr } = await run();
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toBe((await run("--help")).stdout);
  });
});

describe.concurrent("spinel info", () => {
  test("a model, by its file or its folder", async () => {
    const { code, stdout } = await run("info", "run");
    expect(code).toBe(0);
    for (const line of ["kind: model", "target: strength", "numbers: 1.23k", "  layers.1.weight  F32  [1, 8]"])
      expect(stdout).toContain(`\n${line}\n`);
    expect(stdout).toBe((await run("info", "run/model.safetensors")).stdout);
    const facts = JSON.parse((await run("info", "run", "--json")).stdout);
    expect(facts).toMatchObject({ kind: "model", architecture: { model: "mlp", sizes: [152, 8, 1] } });
  });

  test("a checkpoint, a configuration, results", async () => {
    expect((await run("info", "run/checkpoint.safetensors")).stdout).toMatch(/kind: checkpoint\nepochs done: 3\n/);
    expect((await run("info", "run/config.json")).stdout).toMatch(
      /\nmodel: mlp\ndata: alloys\.csv\ntarget: strength\n/,
    );
    expect((await run("info", "run/results.json")).stdout).toMatch(/\nfigures: train \{"mae":/);
  });

  test("tables: rows, and of each column what it holds", async () => {
    writeFileSync(
      join(path, "gaps.csv"),
      csv(["id", "a", "kind"], { rows: 9, change: { 2: { a: "" }, 5: { kind: "NA" } } }),
    );
    expect((await run("info", "gaps.csv")).stdout).toBe(
      "file: gaps.csv\nkind: table\nrows: 9\ncolumns:\n  id  text, e.g. s0 | s1 | s2\n" +
        "  a  numbers 0 … 0.9333333333333333  1 missing\n  kind  text, e.g. red | green | blue, light  1 missing\n",
    );
    const { rows, columns } = JSON.parse((await run("info", "alloys.jsonl", "--json")).stdout);
    expect([rows, columns.map((c: { name: string }) => c.name)]).toEqual([60, ["id", "formula", "strength"]]);
    writeFileSync(join(path, "header.csv"), "a,b\n");
    expect((await run("info", "header.csv")).stdout).toContain("rows: 0\ncolumns:\n  a  empty\n  b  empty\n");
  });

  if (process.platform !== "win32")
    test("a reader that has enough ends it quietly", async () => {
      const columns = Array.from({ length: 30_000 }, (_, i) => `column ${i}`).join(",");
      writeFileSync(join(path, "wide.csv"), `${columns}\n`);
      const { stdout, stderr } = await shell(
        path,
        '{ "$NODE" "$CLI" info wide.csv; echo "status $?" >&2; } | head -n 1',
      );
      expect([stdout, stderr]).toEqual(["file: wide.csv\n", "status 0\n"]);
    });
});

describe.concurrent("the other commands", () => {
  test("doctor measures", async () => {
    const { code, stdout } = await run("doctor", "--json", "--threads", "1");
    const facts = JSON.parse(stdout);
    expect([code, facts.threads, facts.node]).toEqual([0, 1, process.versions.node]);
    expect(facts.peakGflops).toBeGreaterThan(0.5);
    expect(facts.gemmGflops).toBeGreaterThan(0.5);
    expect((await run("doctor", "--threads", "2")).stdout).toMatch(
      /^spinel \S+ on Node .*\nmachine .*\nkernels .*2 threads\n(.*\n)?peak .*\ngemm .*\n$/,
    );
  });

  test("data list names every data set", async () => {
    const { code, stdout } = await run("data", "list");
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.slice(2).split(" ")[0]),
    ).toEqual(datasets.map(({ name }) => name));
    expect(JSON.parse((await run("data", "list", "--json")).stdout)[0]).toMatchObject({
      name: datasets[0].name,
      sha256: datasets[0].sha256,
    });
  });

  test("data get prints where a file is, or that it is not the right one", async () => {
    const name = datasets[0].name;
    writeFileSync(join(path, datasets[0].file), "something else");
    const { code, stdout, stderr } = await run("data", "get", name, "--dir", path);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(new RegExp(`^spinel: .* is not ${name} as published: .*\n {2}`));
  });

  test("start trains at once; stopped by Ctrl-C, it says how to go on", async () => {
    const { child, done, says } = start(path, ["start"]);
    await says(/\nepoch /);
    child.kill("SIGINT");
    const { code, stderr } = await done;
    expect(stderr).toMatch(/^cgcnn on embedded:crystals: \d+ rows to learn from/);
    expect([code, stderr]).toEqual([
      130,
      expect.stringMatching(/Interrupted.*\n {2}spinel train --resume --out runs\/start\n$/),
    ]);
  });
});
