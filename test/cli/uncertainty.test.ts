import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "./helpers/build.ts";
import { folder, spinel } from "./helpers/spinel.ts";
import { QUICK, writeTables } from "./helpers/tables.ts";

const { path, remove } = folder();
const run = (...args: string[]) => spinel(path, args);
const DATA = ["--data", "alloys.csv", "--target", "strength", "--unit", "MPa", "--val-fraction", "0.3"];
const ENSEMBLE = ["train", "mlp", ...DATA, ...QUICK, "--dropout", "0.2", "--ensemble", "2", "-q"];

beforeAll(async () => {
  await buildIfStale();
  writeTables(path);
  const trained = await run(...ENSEMBLE, "--test-fraction", "0.2", "--out", "both");
  expect([trained.code, trained.stderr]).toEqual([0, ""]);
  expect(trained.stdout).toMatch(
    /\(a member, on average\)\nmembers: {6}both\/member1 … member2\npredict with: .* predict both FILE\n/,
  );
}, 300_000);
afterAll(remove);

const read = (...names: string[]): string => readFileSync(join(path, ...names), "utf8");
const cells = (text: string): string[][] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));

describe("spinel train --ensemble", () => {
  test("members of their own, one report, and predictions that are their mean", async () => {
    expect(JSON.parse(read("both", "ensemble.json")).members).toEqual([
      "member1/model.safetensors",
      "member2/model.safetensors",
    ]);
    expect(read("both", "report.html")).toContain("<h2>Calibration</h2>");
    const [all, one, two] = await Promise.all(
      ["both", "both/member1", "both/member2"].map(async (model) =>
        cells((await run("predict", model, "new.csv")).stdout),
      ),
    );
    expect(all[0]).toEqual(["id", "formula", "predicted strength", "deviation strength"]);
    expect(one[0]).toEqual(["id", "formula", "predicted strength"]);
    for (const row of [1, 7, 30]) {
      const [a, b] = [one, two].map((rows) => Number(rows[row][2]));
      expect(a).not.toBe(b);
      expect(Number(all[row][2])).toBeCloseTo((a + b) / 2, 4);
      expect(Number(all[row][3])).toBeCloseTo(Math.abs(a - b) / 2, 4);
    }
    const reported = cells(read("both", "predictions.csv"));
    expect(reported[0].at(-1)).toBe("deviation strength");
    const same = all.find(([id]) => id === reported[1][0])!;
    expect(reported[1].slice(4)).toEqual(same.slice(2));
  });

  test("an interrupted one goes on with the member that was missing, to the same bits", async () => {
    const again = ["both/config.json", "both/member1/checkpoint.safetensors"];
    mkdirSync(join(path, "half", "member1"), { recursive: true });
    for (const file of again) copyFileSync(join(path, file), join(path, file.replace("both", "half")));
    expect((await run("predict", "half", "new.csv")).stderr).toContain("go on with train --resume");
    const { code, stderr } = await run("train", "--resume", "--out", "half", "-q");
    expect([code, stderr]).toEqual([0, ""]);
    expect(read("half", "predictions.csv")).toBe(read("both", "predictions.csv"));
    expect(readFileSync(join(path, "half/member2/model.safetensors"))).toEqual(
      readFileSync(join(path, "both/member2/model.safetensors")),
    );
  });

  test("with folds, each is an ensemble; --force clears members away", async () => {
    mkdirSync(join(path, "folds", "member9"), { recursive: true });
    writeFileSync(join(path, "folds", "config.json"), "{}");
    writeFileSync(join(path, "folds", "member9", "model.safetensors"), "old");
    const flags = ENSEMBLE.filter((flag, i) => flag !== "--val-fraction" && ENSEMBLE[i - 1] !== "--val-fraction");
    const { code, stdout } = await run(...flags, "--folds", "2", "--out", "folds", "--force");
    expect(code).toBe(0);
    expect(stdout).toContain("ensembles:");
    expect(existsSync(join(path, "folds", "member9"))).toBe(false);
    expect(cells((await run("predict", "folds/fold2", "new.csv")).stdout)[0]).toContain("deviation strength");
    rmSync(join(path, "folds"), { recursive: true });
  });

  test("classes: mean probabilities, and the deviation of the likeliest", async () => {
    const trained = await run(
      "train",
      "mlp",
      "--data",
      "phases.csv",
      "--target",
      "phase",
      ...QUICK,
      "--ensemble",
      "2",
      "-q",
      "--out",
      "phases",
    );
    expect(trained.code).toBe(0);
    const [header, first] = cells((await run("predict", "phases", "phases.csv", "--top", "1")).stdout);
    expect(header).toEqual(["id", "predicted phase", "probability", "deviation"]);
    expect(Number(first.at(-1))).toBeGreaterThan(0);
    expect(read("phases", "report.html")).toContain("<h2>Reliability</h2>");
  });
});

describe("spinel predict", () => {
  test("--interval: bounds around the prediction, wider for a larger share", async () => {
    const widths = await Promise.all(
      ["0.5", "0.9"].map(async (share) => {
        const [header, row] = cells((await run("predict", "both/member1", "new.csv", "--interval", share)).stdout);
        expect(header.slice(2)).toEqual(["predicted strength", "lower strength", "upper strength"]);
        const [predicted, lower, upper] = row.slice(2).map(Number);
        expect((lower + upper) / 2).toBeCloseTo(predicted, 3);
        return upper - lower;
      }),
    );
    expect(widths[1]).toBeGreaterThan(widths[0]);
  });

  test("--mc-dropout: mean and deviation, by the seed", async () => {
    const sample = (...seed: string[]) => run("predict", "both/member1", "new.csv", "--mc-dropout", "5", ...seed);
    const [first, same, other] = await Promise.all([sample(), sample("--seed", "0"), sample("--seed", "1")]);
    expect(cells(first.stdout)[0]).toEqual(["id", "formula", "predicted strength", "deviation strength"]);
    expect(same.stdout).toBe(first.stdout);
    expect(other.stdout).not.toBe(first.stdout);
  });

  test.each<[string, string[], RegExp]>([
    [
      "an interval of too large a share",
      ["both/member1", "--interval", "0.99"],
      /need at least 99 calibration rows; there were \d+/,
    ],
    ["both ways", ["both/member1", "--interval", "0.5", "--mc-dropout", "5"], /calibrated without --mc-dropout/],
    ["dropout of an ensemble", ["both", "--mc-dropout", "5"], /for a single model/],
  ])("%s is refused", async (_name, args, message) => {
    const { code, stdout, stderr } = await run("predict", args[0], "new.csv", ...args.slice(1));
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("    at ");
  });
});

describe("spinel explain", () => {
  test("atoms of structures: text, JSON lines and a page", async () => {
    const data = ["--data", "embedded:crystals?count=40", "--target", "energy_per_atom"];
    const small = [
      "--n-atom-basis",
      "8",
      "--n-interactions",
      "1",
      "--radius",
      "3",
      "--readout",
      "mean",
      "--epochs",
      "1",
      "--threads",
      "1",
      "-q",
    ];
    const trained = await run("train", "schnet", ...data, ...small, "--out", "schnet");
    expect([trained.code, trained.stderr]).toEqual([0, ""]);
    for (const title of ["Map of the elements", "What elements contribute"])
      expect(read("schnet", "report.html")).toContain(`<h2>${title}</h2>`);
    writeFileSync(
      join(path, "nacl.xyz"),
      '2\nLattice="2.82 2.82 0 2.82 0 2.82 0 2.82 2.82" Properties=species:S:1:pos:R:3\nNa 0 0 0\nCl 2.82 0 0\n',
    );
    const predicted = Number(cells((await run("predict", "schnet", "nacl.xyz")).stdout)[1].at(-1));
    const { atoms } = JSON.parse((await run("explain", "schnet", "nacl.xyz", "--json")).stdout);
    expect(atoms.map((atom: { element: string }) => atom.element)).toEqual(["Na", "Cl"]);
    expect((atoms[0].contribution + atoms[1].contribution) / 2).toBeCloseTo(predicted, 4);
    expect((await run("explain", "schnet", "nacl.xyz")).stdout).toMatch(
      /NaCl {2}Predicted -?[\d.]+: the mean of what its atoms contribute\.\n +1 {2}Na/,
    );
    const page = await run("explain", "schnet", "nacl.xyz", "--out", "why");
    expect([page.code, page.stderr]).toEqual([0, "1 row explained: why/index.html\n"]);
    expect(read("why", "index.html")).toContain('"colors":["#');
  });

  test("formulas: which element looks at which", async () => {
    const small = ["--width", "16", "--hidden", "8", "--epochs", "1", "--threads", "1", "-q"];
    const trained = await run("train", "crabnet", ...DATA, ...small, "--out", "crab");
    expect([trained.code, trained.stderr]).toEqual([0, ""]);
    expect(read("crab", "report.html")).toContain("<h2>Attention</h2>");
    const { stdout } = await run("explain", "crab", "Fe2O3", "NaCl", "--json");
    const [iron] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(iron.elements).toEqual(["O", "Fe"]);
    for (const row of iron.attention.flat(2)) expect(row[0] + row[1]).toBeCloseTo(1, 5);
    expect((await run("explain", "crab", "Fe2O3")).stdout).toMatch(
      /Fe2O3: attention .*\n +O +Fe\n +O +0\.\d+ +0\.\d+ +O says \S+ MPa\n/,
    );
  });

  test("nodes: whom they attend to", async () => {
    const trained = await run(
      "train",
      "gat",
      "--data",
      "embedded:karate",
      "--epochs",
      "1",
      "--threads",
      "1",
      "-q",
      "--out",
      "gat",
    );
    expect([trained.code, trained.stderr]).toEqual([0, ""]);
    const { stdout } = await run("explain", "gat", "embedded:karate", "--limit", "2", "--json");
    const [first] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const layer of first.layers)
      expect(layer.reduce((sum: number, { weight }: { weight: number }) => sum + weight, 0)).toBeCloseTo(1, 5);
  });

  test.each<[string, string[], RegExp]>([
    ["an ensemble", ["both", "new.csv"], /Its members have one each: give both\/member1/],
    ["a model without parts", ["both/member1", "new.csv"], /not sums over atoms/],
  ])("%s is refused", async (_name, args, message) => {
    const { code, stderr } = await run("explain", ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});
