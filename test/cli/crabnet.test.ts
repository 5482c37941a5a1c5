import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildIfStale } from "./helpers/build.ts";
import { folder, spinel } from "./helpers/spinel.ts";

const { path, remove } = folder();
const SYMBOLS = ["Li", "O", "Na", "Mg", "Al", "Si", "Cl", "Fe"];
const SMALL = ["--width", "16", "--hidden", "8", "--epochs", "3", "--batch-size", "8", "--threads", "1", "-q"];

beforeAll(async () => {
  await buildIfStale();
  const rows = Array.from({ length: 40 }, (_, i) => {
    const [a, b] = [SYMBOLS[i % 8], SYMBOLS[(i * 3 + 1 + Math.floor(i / 8)) % 8]];
    const y = i % 8;
    return a === b ? `${a},${y},pure` : `${a}${1 + (i % 3)}${b},${y},${y > 3 ? "high" : "low"}`;
  });
  writeFileSync(join(path, "data.csv"), `formula,y,kind\n${rows.join("\n")}\n`);
  writeFileSync(
    join(path, "vectors.csv"),
    `element,a,b\n${SYMBOLS.map((s, i) => `${s},${i / 4},${i % 3}`).join("\n")}\n`,
  );
}, 300_000);
afterAll(remove);

const text = (...names: string[]): string => readFileSync(join(path, ...names)).toString();
const train = (...rest: string[]) => spinel(path, ["train", "crabnet", "--data", "data.csv", ...rest]);

test("a table of element vectors travels with the model; predictions say how sure they are", async () => {
  const options = ["--target", "y", "--unit", "eV", "--element-vectors", "vectors.csv", "--drop-unary", "--out", "run"];
  const trained = await train(...options, ...SMALL);
  expect(trained.stderr).toBe("");
  expect(trained.code).toBe(0);
  const config = JSON.parse(text("run", "config.json"));
  expect(config).toMatchObject({ elementVectors: "vectors.csv", loss: "robustL1", dropUnary: true });
  expect(config.sha256.elementVectors).toMatch(/^[0-9a-f]{64}$/);
  const [header, ...rows] = text("run", "predictions.csv").trim().split("\n");
  expect(header).toBe("id,formula,split,y,predicted y,deviation y");
  expect(rows.every((row) => Number(row.split(",")[5]) > 0)).toBe(true);

  rmSync(join(path, "vectors.csv"));
  const predicted = await spinel(path, ["predict", "run", "data.csv"]);
  const lines = predicted.stdout.trim().split("\n");
  expect(lines[0]).toBe("id,formula,predicted y,deviation y");
  const again = new Map(lines.slice(1).map((line) => [line.split(",")[0], line.split(",").slice(2).map(Number)]));
  for (const row of rows) {
    const [id, , , , y, deviation] = row.split(",");
    const [value, sigma] = again.get(id)!;
    // Compositions of another batch, another order of summing.
    expect(value).toBeCloseTo(Number(y), 4);
    expect(sigma).toBeCloseTo(Number(deviation), 4);
  }
  writeFileSync(join(path, "other.csv"), "formula\nNaCl\nZnO\n");
  const unknown = await spinel(path, ["predict", "run", "other.csv"]);
  expect(unknown.stderr).toMatch(/other\.csv:3: Zinc in "ZnO" has no vector in vectors\.csv/);
  const info = await spinel(path, ["info", "run"]);
  expect(info.stdout).toMatch(/vectors of elements vectors\.csv, width 2, elements 8, jitter 0\.02/);
}, 60_000);

test("classes, by LAMB with lookahead and averaged weights", async () => {
  const options = ["--optimizer", "lamb", "--lookahead", "--swa", "0.3", "--lr", "0.006", "--out", "classes"];
  const trained = await train("--target", "kind", "--ignore", "y", ...options, ...SMALL);
  expect(trained.stderr).toBe("");
  expect(JSON.parse(text("classes", "config.json"))).toMatchObject({ lookahead: true, swa: 0.3, optimizer: "lamb" });
  expect(text("classes", "predictions.csv")).toMatch(/^id,formula,split,kind,predicted kind,probability high,/);
}, 60_000);

test.each([
  [["--numeric", "kind"], /--numeric is for mlp; crabnet learns from formulas alone/],
  [["--element-vectors", "none.csv"], /none\.csv: there is no such file/],
  [["--ema", "0.9", "--swa", "0.5"], /--ema and --swa exclude each other/],
  [["--formula", "kind"], /data\.csv:\d+: /],
  [["--n-conv", "2"], /--n-conv is for cgcnn.*; the model is crabnet/],
])("mistakes are told: %j", async (options, message) => {
  const result = await train("--target", "y", ...options, "--out", "wrong", ...SMALL);
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toMatch(/mistake in spinel|\n {4}at /);
});
