import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test, vi } from "vitest";
import { benchMatbenchCommand } from "../../src/cli/benchMatbench.ts";
import type { Results } from "../../src/cli/results.ts";
import { matbenchFolds } from "../../src/train/folds.ts";
import { matbenchId, matbenchTask } from "../../src/train/matbenchTasks.ts";

vi.mock("../../src/cli/version.ts", () => ({ version: "0.0.0" }));

const folder = mkdtempSync(join(tmpdir(), "spinel-matbench-"));
const at = (...names: string[]): string => join(folder, ...names);
const steels = matbenchTask("steels");

/** As many alloys as the task has, and a strength that follows from them. */
const ROWS = Array.from({ length: steels.rows }, (_, i) => [
  `Fe${90 - (i % 40)}Ni${5 + (i % 7)}`,
  1000 + 20 * (i % 40) + (i % 7),
]);
const csv = (header: string, rows: readonly (readonly unknown[])[]): string =>
  [header, ...rows.map((row) => row.join(","))].join("\n");
mkdirSync(at("data"));
writeFileSync(at("data", "matbench_steels.csv"), csv("composition,yield strength", ROWS));
writeFileSync(at("few.csv"), csv("composition,yield strength", ROWS.slice(1)));
writeFileSync(at("other.csv"), csv("composition,strength", ROWS));

/** What the command prints, and its results. */
async function bench(...args: string[]): Promise<{ out: string; results: Results }> {
  let out = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += text;
    return true;
  });
  try {
    await benchMatbenchCommand().exitOverride().parseAsync(args, { from: "user" });
  } finally {
    write.mockRestore();
  }
  const results = args[args.indexOf("--out") + 1];
  return { out, results: JSON.parse(readFileSync(join(results, "results.json"), "utf8")) };
}

const MLP = ["steels", "mlp", "--hidden", "none", "--features", "fractions", "--epochs", "2", "--threads", "1", "-q"];
const record = (run: string) => JSON.parse(gunzipSync(readFileSync(at(run, "results.json.gz"))).toString());

test("five official folds: figures beside the leaderboard, Matbench's record, a resumed run", async () => {
  const args = [...MLP, "--data", at("data"), "--out", at("all")];
  const { out, results } = await bench(...args);
  expect(out).toMatch(/fold_0: +MAE [\d.]+ MPa +RMSE .*MAPE [\d.]+ % +max\. error/);
  expect(out).toMatch(/mean ± std: +MAE [\d.]+ ± [\d.]+ MPa/);
  expect(out).toMatch(/matbench_steels, MAE in MPa:\n {2}79\.95 ± 13\.59 {2}TPOT-Mat\n/);
  expect(out).toMatch(/\n→ .*MLP, this run\n/);
  const { benchmark } = results;
  expect(benchmark!.folds.map(({ fold }) => fold)).toEqual([0, 1, 2, 3, 4]);
  expect(benchmark!.table.length).toBe(steels.published.length + 1);
  expect(benchmark!.mean.mae).toBeCloseTo(results.folds!.mean.mae, 3);

  const { tasks, ...head } = record("all");
  expect(head).toMatchObject({ "@class": "MatbenchBenchmark", benchmark_name: "matbench_v0.1", version: "0.6" });
  expect(head.hash).toMatch(/^[0-9a-f]{64}$/);
  const folds = tasks.matbench_steels.results;
  const official = matbenchFolds(new Float64Array(steels.rows), "regression");
  official.forEach(({ test }, i) => {
    const { data, parameters, scores } = folds[`fold_${i}`];
    expect(Object.keys(data)).toEqual(Array.from(test, (row) => matbenchId(steels, row)));
    expect(Object.keys(scores).sort()).toEqual(["mae", "mape", "max_error", "rmse"]);
    expect(scores.mae).toBe(benchmark!.folds[i].scores.mae);
    expect(parameters.epoch).toBeGreaterThan(0);
  });
  expect(readFileSync(at("all", "report.html"), "utf8")).toContain("mean test MAE over the official folds, best first");

  // As an interruption in the fourth fold leaves it.
  for (const name of ["results.json", "results.json.gz", "fold5"]) rmSync(at("all", name), { recursive: true });
  rmSync(at("all", "fold4", "checkpoint.safetensors"));
  const again = await bench(...args, "--resume");
  expect(again.results.benchmark).toEqual(benchmark);
  expect(record("all").tasks).toEqual(tasks);
});

test("some folds, tuned on the validation rows of each", async () => {
  const grid = '{"lr": [0, 0.1], "weightDecay": [0, 0.01]}';
  const { out, results } = await bench(
    ...MLP,
    "--data",
    at("data"),
    "--folds",
    "3,1",
    "--tune",
    grid,
    "--out",
    at("tuned"),
  );
  expect(results.benchmark!.folds.map(({ fold, chosen }) => [fold, chosen?.lr])).toEqual([
    [1, 0.1],
    [3, 0.1],
  ]);
  expect(readdirSync(at("tuned", "fold2")).sort()).toEqual([
    "choice1",
    "choice2",
    "choice3",
    "choice4",
    "model.safetensors",
  ]);
  expect(out).toContain("this run: 2 of the five folds");
  const { fold_1, fold_3, ...rest } = record("tuned").tasks.matbench_steels.results;
  expect(rest).toEqual({});
  expect([fold_1.parameters.lr, fold_3.parameters.lr]).toEqual([0.1, 0.1]);
});

const MISTAKES: [string, string[], RegExp][] = [
  ["an unknown task", ["steel", "mlp"], /Matbench v0\.1 has no task "steel"\.\n {2}Did you mean "steels"/],
  ["an unknown model", ["steels", "mpl"], /There is no model "mpl"/],
  [
    "structures where there are none",
    ["steels", "cgcnn"],
    /matbench_steels has compositions and no structures, which cgcnn/,
  ],
  ["a net of images", ["steels", "tinyvgg"], /matbench_steels is of materials; tinyvgg learns from images/],
  ["no data", ["steels", "mlp"], /bench-matbench needs --data: matbench_steels\.json\.gz/],
  [
    "a folder without the task",
    ["glass", "mlp", "--data", at("data")],
    /has no file of matbench_glass\.\n.*matbench_glass\.json\.gz/,
  ],
  [
    "rows that are missing",
    ["steels", "mlp", "--data", at("few.csv")],
    /few\.csv has 311 rows; matbench_steels has 312/,
  ],
  [
    "another column",
    ["steels", "mlp", "--data", at("other.csv")],
    /has no target column "yield strength"\.\n.*"strength"/,
  ],
  [
    "a task of another size",
    ["jdft2d", "mlp", "--data", at("other.csv"), "--target", "strength"],
    /matbench_jdft2d has 636/,
  ],
  [
    "numbers for classes",
    ["glass", "mlp", "--data", at("other.csv"), "--target", "strength"],
    /has 312 rows; matbench_glass has/,
  ],
  [
    "a rate that is none",
    [...MLP, "--data", at("data"), "--tune", '{"lr": [-1]}'],
    /--tune: lr must be a number ≥ 0, not -1/,
  ],
  [
    "a field that is not tuned",
    [...MLP, "--data", at("data"), "--tune", '{"seed": [1]}'],
    /--tune: "seed" is not to be tuned/,
  ],
  ["nothing to try", [...MLP, "--data", at("data"), "--tune", '{"lr": []}'], /there are no values of lr to try/],
  ["a grid that is none", [...MLP, "--data", at("data"), "--tune", "{lr}"], /--tune is not JSON: .*\n {2}For example/],
];

test.each(MISTAKES)("%s", async (_name, args, says) => {
  await expect(bench(...args, "--out", at("wrong"))).rejects.toThrow(says);
});
