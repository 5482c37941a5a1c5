import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { buildIfStale } from "./helpers/build.ts";
import { folder, type Result, spinel } from "./helpers/spinel.ts";
import { csv, QUICK, ROWS, row, writeTables } from "./helpers/tables.ts";

const { path, remove } = folder();
beforeAll(async () => {
  await buildIfStale();
  writeTables(path);
}, 300_000);
afterAll(remove);

/** Trains into the folder `out`; what it prints is left to the caller. */
async function train(out: string, data: string, target: string, ...rest: string[]): Promise<Result> {
  const result = await spinel(path, [
    "train",
    "mlp",
    "--data",
    data,
    "--target",
    target,
    "--out",
    out,
    ...QUICK,
    ...rest,
  ]);
  expect(result.stderr).not.toContain("spinel:");
  expect(result.code).toBe(0);
  return result;
}

const bytes = (...names: string[]): Buffer => readFileSync(join(path, ...names));
const text = (...names: string[]): string => bytes(...names).toString();
const json = (...names: string[]) => JSON.parse(text(...names));
const lines = (...names: string[]): string[] =>
  text(...names)
    .trimEnd()
    .split("\n");
const card = (run: string) => {
  const { tensors, metadata } = decodeSafetensors(bytes(run, "model.safetensors"));
  return { names: [...tensors.keys()], ...JSON.parse(metadata.spinel) };
};

describe.concurrent("spinel train", () => {
  test("a regression from formulas: everything in the run's folder", async () => {
    const { stdout, stderr } = await train(
      "regression",
      "alloys.csv",
      "strength",
      "--unit",
      "MPa",
      "--test-fraction",
      "0.2",
    );
    expect(
      readdirSync(join(path, "regression"))
        .map((name) => name.replace(/^events\.out\.tfevents\..*/, "events"))
        .sort(),
    ).toEqual([
      "checkpoint.safetensors",
      "config.json",
      "events",
      "metrics.jsonl",
      "model.safetensors",
      "predictions.csv",
      "report.html",
      "results.json",
    ]);
    expect(stderr).toMatch(/^mlp on alloys.csv: 43 rows to learn from, 5 to validate with, 12 to test with\n/);
    expect(stderr).toMatch(/target {4}strength: regression\n {2}features {2}152: magpie of the formula\n/);
    expect(stderr).toMatch(/epoch 3\/3 {2}loss \d.* {2}MAE \d.* MPa/);
    expect(stdout).toMatch(/^validation: {3}MAE \S+ MPa {3}RMSE \S+ MPa {3}R² \S+\n/);
    expect(stdout).toMatch(
      /\ntest: {9}MAE .*\n {14}MAE \S+ MPa \(mean of the training set\)\n {14}MAE \S+ MPa \(linear regression\)\n/,
    );
    expect(stdout).toContain("predict with: spinel predict regression/model.safetensors FILE\n");

    const results = json("regression", "results.json");
    expect(results).toMatchObject({ model: "mlp", task: "regression", target: "strength", unit: "MPa", epochs: 3 });
    expect(Object.keys(results.figures)).toEqual(["train", "validation", "test"]);
    const [header, ...rows] = lines("regression", "predictions.csv").map((line) => line.split(","));
    expect(header).toEqual(["id", "formula", "split", "strength", "predicted strength"]);
    expect(rows.map((r) => r[2])).toEqual([...Array(5).fill("validation"), ...Array(12).fill("test")]);
    const off = rows
      .filter((r) => r[2] === "test")
      .map(([id, formula, , truth, predicted]) => {
        const own = row(Number(id.slice(1)));
        expect(formula).toBe(own.formula);
        expect(Number(truth)).toBeCloseTo(own.strength, 5);
        return Math.abs(Number(truth) - Number(predicted));
      });
    expect(off.reduce((a, b) => a + b) / off.length).toBeCloseTo(results.figures.test.mae, 5);
    const records = lines("regression", "metrics.jsonl").map((line) => JSON.parse(line));
    expect(records.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(records[2].validation_mae).toBeGreaterThan(0);
    const page = text("regression", "report.html");
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain("spinel train --config regression/config.json");
    expect(card("regression")).toMatchObject({
      target: { name: "strength", unit: "MPa" },
      names: expect.arrayContaining(["layers.0.weight"]),
    });
  });

  test("config.json repeats the run to the bit, from defaults and flags alike", async () => {
    await train(
      "first",
      "alloys.csv.gz",
      "strength",
      "--dropout",
      "0.2",
      "--norm",
      "batch",
      "--seed",
      "7",
      "--ema",
      "0.9",
    );
    const repeat = ["train", "--config", "first/config.json", "--out", "second", "--threads", "2", "-q"];
    expect(await spinel(path, repeat)).toMatchObject({ code: 0, stderr: "" });
    expect(bytes("second", "model.safetensors").equals(bytes("first", "model.safetensors"))).toBe(true);
    expect(text("second", "predictions.csv")).toBe(text("first", "predictions.csv"));
    expect(json("second", "config.json")).toEqual({ ...json("first", "config.json"), threads: 2 });
    expect(json("first", "config.json")).toMatchObject({
      ...{ model: "mlp", task: "regression", features: "magpie", loss: "l1", optimizer: "adamw", valFraction: 0.1 },
      ...{ dropout: 0.2, norm: "batch", seed: 7, ema: 0.9, hidden: [8], epochs: 3, kernels: expect.any(String) },
      sha256: { data: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    // A flag wins over the file, also over its other ways to say the same.
    const other = [
      "train",
      "--config",
      "first/config.json",
      "--out",
      "third",
      "--val",
      "alloys.csv",
      "--seed",
      "8",
      "-q",
    ];
    expect(await spinel(path, other)).toMatchObject({ code: 0, stderr: "" });
    expect(json("third", "config.json").valFraction).toBeUndefined();
    expect(json("third", "config.json")).toMatchObject({ val: "alloys.csv", seed: 8 });
  });

  test("repeating a run on data that have changed says so", async () => {
    writeFileSync(join(path, "moving.csv"), csv(["id", "formula", "strength"]));
    await train("before", "moving.csv", "strength");
    writeFileSync(join(path, "moving.csv"), csv(["id", "formula", "strength"], { change: { 3: { strength: 9 } } }));
    const { code, stderr } = await spinel(path, ["train", "--config", "before/config.json", "--out", "after"]);
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining("moving.csv has changed since the run of that configuration."),
    ]);
  });

  test("a classification of three classes, one of them with a comma in its name", async () => {
    const { stdout, stderr } = await train("phases", "phases.csv", "phase", "--epochs", "40", "--lr", "0.03");
    expect(stderr).toContain("target    phase: classification (beta | gamma, mixed | α)\n");
    expect(stderr).toMatch(/validation loss \d/);
    expect(stdout).toMatch(/^validation: {3}ROC-AUC \S+ {3}accuracy \S+ {3}balanced accuracy \S+ {3}F1 \S+\n/);
    const [header, ...rows] = lines("phases", "predictions.csv");
    expect(header).toBe(
      'id,formula,split,phase,predicted phase,probability beta,"probability gamma, mixed",probability α',
    );
    expect(rows.length).toBe(6);
    const results = json("phases", "results.json");
    expect(results).toMatchObject({ task: "classification", classes: ["beta", "gamma, mixed", "α"] });
    expect(results.figures.train.accuracy).toBeGreaterThan(0.8);
    expect(json("phases", "config.json").loss).toBeUndefined();
  });

  test("0 and 1 are two classes, unless they are said to be numbers", async () => {
    await train("metals", "metals.csv", "metal");
    expect(json("metals", "results.json").classes).toEqual(["0", "1"]);
    await train("numbers01", "metals.csv", "metal", "--task", "regression");
    expect(json("numbers01", "results.json").figures.validation.mae).toBeGreaterThan(0);
  });

  test("numeric and categorical columns; what is not used is named", async () => {
    const { stderr } = await train("mixed", "numbers.csv", "y", "--numeric", "a,b", "--categorical", "kind");
    expect(stderr).toContain("features  5: a, b, kind\n");
    expect(stderr).not.toContain("not used");
    // Without a word all numbers are features.
    expect((await train("all", "numbers.csv", "y")).stderr).toContain(
      "features  2: a, b\n  not used  kind (see --numeric, --categorical)\n",
    );
    expect((await train("ignoring", "numbers.csv", "y", "--ignore", "a,kind")).stderr).toMatch(
      /features {2}1: b\n {2}run/,
    );
  });

  test("--features none leaves the formula out", async () => {
    writeFileSync(join(path, "both.csv"), csv(["formula", "a", "b", "y"]));
    expect((await train("none", "both.csv", "y", "--features", "none")).stderr).toContain("features  2: a, b\n");
    expect((await train("with", "both.csv", "y", "--numeric", "*")).stderr).toContain(
      "features  154: magpie of the formula, a, b\n",
    );
    expect((await train("only", "both.csv", "y")).stderr).toContain("not used  a, b (see");
  });

  test("a category that only held-out rows have is no error", async () => {
    const change = Object.fromEntries(Array.from({ length: ROWS }, (_, i) => [i, { kind: `maker ${i}` }]));
    writeFileSync(join(path, "makers.csv"), csv(["a", "kind", "y"], { change }));
    expect((await train("makers", "makers.csv", "y", "--categorical", "kind")).stderr).toContain(
      "features  60: kind\n",
    );
  });

  test("k-fold cross-validation", async () => {
    const { stdout } = await train("folds", "metals.csv", "metal", "--folds", "3");
    expect(stdout).toMatch(/fold 1: .*\nfold 2: .*\nfold 3: .*\nmean ± std: {3}ROC-AUC \S+ ± \S+ /);
    const { folds, figures } = json("folds", "results.json");
    expect(folds.test.length).toBe(3);
    const mean = folds.test.reduce((sum: number, f: { f1: number }) => sum + f.f1, 0) / 3;
    expect(figures.test.f1).toBeCloseTo(mean, 12);
    const [header, ...rows] = lines("folds", "predictions.csv").map((line) => line.split(","));
    expect(header.slice(0, 6)).toEqual(["id", "formula", "fold", "split", "metal", "predicted metal"]);
    expect(rows.map((r) => r[0]).sort()).toEqual(Array.from({ length: ROWS }, (_, i) => `s${i}`).sort());
    expect(existsSync(join(path, "folds", "fold3", "model.safetensors"))).toBe(true);
  });

  test("files for validation and test; JSON lines and gzip are tables as well", async () => {
    const { stderr } = await train(
      "files",
      "alloys.jsonl",
      "strength",
      "--val",
      "alloys.csv.gz",
      "--test",
      "alloys.csv",
    );
    expect(stderr).toContain("60 rows to learn from, 60 to validate with, 60 to test with\n");
    const { validation, test: held } = json("files", "results.json").figures;
    expect(validation).toEqual(held);
  });

  test("--drop-missing says what it left out", async () => {
    writeFileSync(
      join(path, "gaps.csv"),
      csv(["id", "formula", "strength"], { change: { 4: { strength: "" }, 9: { formula: "" } } }),
    );
    const { stderr } = await train("gaps", "gaps.csv", "strength", "--drop-missing");
    expect(stderr).toMatch(
      /^gaps\.csv: 2 rows left out:\n {2}line 6: no value in "strength"\n {2}line 11: no value in "formula"\nmlp on gaps\.csv: 52 rows/,
    );
  });

  test("--json prints one line of JSON, --quiet no progress", async () => {
    const { stdout, stderr } = await train("json", "alloys.csv", "strength", "--json");
    expect([JSON.parse(stdout), stderr]).toEqual([json("json", "results.json"), ""]);
    expect(stdout.indexOf("\n")).toBe(stdout.length - 1);
    expect((await train("quiet", "alloys.csv", "strength", "--quiet")).stderr).toBe("");
  });

  test("targets that are all the same train without NaN", async () => {
    const change = Object.fromEntries(Array.from({ length: ROWS }, (_, i) => [i, { strength: 5 }]));
    writeFileSync(join(path, "same.csv"), csv(["id", "formula", "strength"], { change }));
    await train("same", "same.csv", "strength");
    expect(json("same", "results.json").figures.validation.mae).toBeLessThan(2);
  });

  test("a rate that is far too high: where, what to try, and the checkpoint stays", async () => {
    const rise = '{"name":"exponential","gamma":1000}';
    const args = [
      "--data",
      "alloys.csv",
      "--target",
      "strength",
      "--out",
      "diverged",
      "--hidden",
      "8",
      "--epochs",
      "50",
    ];
    const wild = ["--optimizer", "sgd", "--schedule", rise, "--checkpoint-seconds", "0", "--threads", "1"];
    const { code, stderr } = await spinel(path, ["train", "mlp", ...args, ...wild]);
    expect(stderr).toMatch(
      /\nspinel: Training stopped in epoch \d+, step \d+: .*layers\.\d\.weight.* The last good checkpoint is kept\.\n {2}Try a lower learning rate \(now .*\), --clip-norm/,
    );
    expect(code).toBe(1);
    const { tensors } = decodeSafetensors(bytes("diverged", "checkpoint.safetensors"));
    for (const { data } of tensors.values()) expect((data as Float32Array).every(Number.isFinite)).toBe(true);
  });

  test("runs without --out get folders of their own, also when they start together", async () => {
    const cwd = join(path, "together");
    mkdirSync(cwd);
    const args = ["train", "mlp", "--data", "../alloys.csv", "--target", "strength", ...QUICK, "--json"];
    const runs = await Promise.all([spinel(cwd, args), spinel(cwd, args)]);
    expect(runs.map(({ stdout }) => JSON.parse(stdout).folder).sort()).toEqual([
      "runs/mlp-strength",
      "runs/mlp-strength-2",
    ]);
    const [a, b] = ["mlp-strength", "mlp-strength-2"].map((run) => bytes("together", "runs", run, "model.safetensors"));
    expect(a.equals(b)).toBe(true);
  });

  test("--force replaces the run and nothing else", async () => {
    await train("forced", "metals.csv", "metal", "--folds", "2");
    const mine = ["report-2023.html", "models", "fold1/notes.txt"];
    mkdirSync(join(path, "forced", "models"));
    for (const name of [mine[0], mine[2]]) writeFileSync(join(path, "forced", name), "mine");
    await train("forced", "alloys.csv", "strength", "--force");
    const left = readdirSync(join(path, "forced"), { recursive: true, encoding: "utf8" });
    expect(left).toEqual(expect.arrayContaining(mine));
    expect(left.filter((name) => /^fold2|fold1.model/.test(name))).toEqual([]);
    expect(json("forced", "results.json").target).toBe("strength");
  });

  test("ids, columns and folders may be written in any script", async () => {
    const change = { 1: { id: "样品 1" }, 2: { id: '=cmd|" /C calc"' }, 3: { id: "é, ü" } };
    const table = csv(["id", "formula", "strength"], { change, rename: { strength: "Härte (HV)" } }).replace(
      /^=cmd.*?(?=,)/m,
      '"=cmd|"" /C calc"""',
    );
    writeFileSync(join(path, "härte.csv"), `\ufeff${table}`);
    const { stdout } = await train("läufe/mit leer's", "härte.csv", "Härte (HV)", "--test-fraction", "0.9");
    expect(stdout).toContain("spinel predict 'läufe/mit leer'\\''s/model.safetensors' FILE");
    const predictions = text("läufe", "mit leer's", "predictions.csv");
    for (const id of ["样品 1,", '"=cmd|"" /C calc""",', '"é, ü",']) expect(predictions).toContain(`\n${id}`);
  });

  test("ElemNet, with and without dropout", async () => {
    writeFileSync(join(path, "few.csv"), csv(["formula", "strength"], { rows: 6 }));
    const args = [
      "train",
      "elemnet",
      "--data",
      "few.csv",
      "--target",
      "strength",
      "--epochs",
      "1",
      "--json",
      "--out",
      "elemnet",
    ];
    expect(JSON.parse((await spinel(path, args)).stdout)).toMatchObject({ model: "elemnet", parameters: 4631361 });
    expect(card("elemnet").architecture).toMatchObject({ inputs: 86, dropout: true });
    await spinel(path, [...args, "--force", "--dropout", "0"]);
    expect(card("elemnet").architecture.dropout).toBe(false);
  });
});
