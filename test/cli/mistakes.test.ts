import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "./helpers/build.ts";
import { folder, spinel } from "./helpers/spinel.ts";
import { csv, QUICK, writeTables } from "./helpers/tables.ts";

/** What a newcomer does wrong gets one or two clear lines, no stack, a status that is not 0, and leaves nothing behind. */
const { path, remove } = folder();

const ALLOYS = ["id", "formula", "strength"] as const;
const FILES: Record<string, string | Uint8Array> = {
  "empty.csv": "",
  "header.csv": "id,formula,strength\n",
  "one.csv": csv(ALLOYS, { rows: 1 }),
  "text.csv": csv(ALLOYS, { change: { 28: { strength: "strong" } } }),
  "nan.csv": csv(ALLOYS, { change: { 28: { strength: "NaN" } } }),
  "gaps.csv": csv(ALLOYS, { change: { 28: { strength: "" }, 40: { formula: "" } } }),
  "element.csv": csv(ALLOYS, { change: { 28: { formula: "Xx2O" } } }),
  "twice.csv": csv(ALLOYS, { change: { 28: { id: "s1" } } }),
  "huge.csv": csv(ALLOYS, { change: { 28: { strength: 1e300 } } }),
  "vast.csv": csv(["a", "b", "strength"], { change: { 28: { a: 1e300 } } }),
  "ragged.csv": `${csv(ALLOYS)}s99,NaCl,1,2\n`,
  "named.csv": csv(ALLOYS, { rename: { formula: "substance" } }),
  "density.csv": csv(ALLOYS, { rename: { strength: "density" } }),
  "third.csv": csv(["id", "formula", "metal"], { change: { 2: { metal: 2 } } }),
  "binary.csv": Uint8Array.from({ length: 64 }, (_, i) => (i * 97) % 256),
  "sheet.xlsx": new Uint8Array([0x50, 0x4b, 3, 4, 20, 0, 6, 0, 8, 0]),
  "broken.json": '{ "model": "mlp", ',
  "list.json": "[1, 2]",
  "typo.json": '{ "model": "mlp", "data": "alloys.csv", "target": "strength", "epoch": 3 }',
  "wrong.json": '{ "model": "mlp", "data": "alloys.csv", "target": "strength", "lr": "fast" }',
};

beforeAll(async () => {
  await buildIfStale();
  writeTables(path);
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(path, name), content);
  mkdirSync(join(path, "full"));
  writeFileSync(join(path, "full", "notes.txt"), "mine");
}, 300_000);
afterAll(remove);

const train = (data: string, ...rest: string[]): string[] => [
  "train",
  "mlp",
  "--data",
  data,
  "--target",
  "strength",
  ...rest,
];
const good = (...rest: string[]): string[] => train("alloys.csv", ...rest);

const MISTAKES: [name: string, args: string[], says: RegExp][] = [
  // The command itself
  ["an unknown command", ["trian"], /unknown command 'trian'\n {2}Did you mean train\?/],
  ["an unknown subcommand", ["data", "fetch"], /unknown command 'fetch'\n {2}Add --help/],
  ["an unknown option", good("--epoch", "3"), /unknown option '--epoch'\n {2}Did you mean --epochs\?/],
  ["a missing argument", ["predict"], /missing required argument 'model'\n {2}Add --help/],
  ["an argument too many", good("extra"), /too many arguments for 'train'/],
  [
    "no model",
    ["train", "--data", "alloys.csv"],
    /train needs a MODEL: one of mlp, elemnet, crabnet, cgcnn, schnet, .* and cnn1d\.\n {2}For example: spinel train/,
  ],
  ["no target", ["train", "mlp", "--data", "alloys.csv"], /train needs --target COLUMN/],
  [
    "an unknown model",
    ["train", "mpl", "--data", "alloys.csv", "--target", "y"],
    /no model "mpl"\.\n {2}There are mlp, elemnet, crabnet, cgcnn, schnet, /,
  ],
  // Values of options
  ["a word for a number", good("--epochs", "many"), /--epochs "many": a whole number ≥ 1 is needed/],
  ["no epochs", good("--epochs", "0"), /--epochs "0": a whole number ≥ 1/],
  ["an unknown choice", good("--optimizer", "sdg"), /--optimizer "sdg": allowed choices are sgd, adam/],
  ["a share of 2", good("--val-fraction", "2"), /--val-fraction must be between 0 and 1, not 2/],
  ["half a seed", good("--seed", "0.5"), /--seed must be a whole number from 0/],
  ["a single fold", good("--folds", "1"), /--folds must be a whole number ≥ 2 or "matbench", not 1/],
  ["a negative rate", good("--lr", "-1"), /--lr must be a number ≥ 0, not -1/],
  ["an unknown activation", good("--activation", "rleu"), /--activation must be one of relu, .*, not "rleu"/],
  ["an unknown schedule", good("--schedule", "cosine"), /no schedule "cosine"; the names are constant, step/],
  ["a schedule that lacks a field", good("--schedule", '{"name":"step"}'), /Schedule "step" needs stepSize/],
  ["no hidden layer between commas", good("--hidden", "8,,8"), /--hidden "8,,8": a whole number/],
  ["a delimiter of two letters", good("--delimiter", "::"), /delimiter "::": it must be one character/],
  // Options that do not go together
  [
    "two validation sets",
    good("--val", "alloys.csv", "--val-fraction", "0.2"),
    /--val and --val-fraction exclude each other/,
  ],
  ["folds and a test file", good("--folds", "3", "--test", "alloys.csv"), /--folds and --test exclude each other/],
  [
    "momentum without a place for it",
    good("--momentum", "0.9"),
    /--momentum is for sgd and rmsprop; the optimizer is adamw/,
  ],
  [
    "layers for ElemNet",
    ["train", "elemnet", "--data", "alloys.csv", "--target", "strength", "--hidden", "8"],
    /--hidden is for mlp, .*; the model is elemnet\.\n {2}Leave it out/,
  ],
  ["smoothing labels of numbers", good("--label-smoothing", "0.1"), /--label-smoothing is for classification/],
  [
    "a regression's loss for classes",
    ["train", "mlp", "--data", "metals.csv", "--target", "metal", "--loss", "l1"],
    /--loss is for regression/,
  ],
  // Files
  [
    "a file that is not there",
    train("alloy.csv"),
    /alloy\.csv: there is no such file\.\n {2}Did you mean alloys\.csv\?/,
  ],
  [
    "a folder without structures",
    train("full"),
    /full holds no structure files, only notes\.txt\.\n {2}If notes\.txt is/,
  ],
  ["an empty file", train("empty.csv"), /empty\.csv is empty/],
  ["a header alone", train("header.csv"), /header\.csv: there are no rows/],
  ["a single row", train("one.csv"), /one\.csv has too few rows \(1\)/],
  ["a file that is no text", train("binary.csv"), /binary\.csv:1: .*not/],
  ["an Excel workbook", train("sheet.xlsx"), /export the sheet as CSV/],
  ["a row of another width", train("ragged.csv"), /ragged\.csv:62: 4 cells where the header has 3/],
  // Columns and values
  [
    "a misspelt column",
    ["train", "mlp", "--data", "alloys.csv", "--target", "strenght"],
    /no target column "strenght"\.\n {2}Did you mean "strength"\? It has "id", "formula", "strength"/,
  ],
  [
    "text among numbers",
    train("text.csv"),
    /text\.csv:30: column "strength" holds "strong", which is not a finite number/,
  ],
  [
    "NaN in the target",
    train("nan.csv"),
    /values are missing in 1 of 60 rows: line 30 "strength"\.\n.*\(--drop-missing\)/,
  ],
  ["empty cells", train("gaps.csv"), /values are missing in 2 of 60 rows: line 30 "strength"; line 42 "formula"/],
  [
    "an element that is none",
    train("element.csv"),
    /element\.csv:30: formula "Xx2O", position 1: there is no element "Xx"/,
  ],
  ["an id that comes twice", train("twice.csv"), /lines 3 and 30 have the same id "s1".*\n.*\(--ignore\)/],
  ["a number beyond f32", train("huge.csv"), /huge\.csv:30: column "strength" is 1e\+300, too large/],
  ["a feature beyond f32", train("vast.csv"), /vast\.csv:30: the feature "a" is too large/],
  ["a table without features", train("named.csv"), /named\.csv has nothing to learn from.*\n.*--formula COLUMN/],
  [
    "ElemNet without formulas",
    ["train", "elemnet", "--data", "named.csv", "--target", "strength"],
    /no column "formula" or "composition" to make fractions of\.\n.*"substance"/,
  ],
  ["a column in two roles", good("--numeric", "strength"), /column "strength" cannot be both target and numeric/],
  [
    "a validation file without the target",
    good("--val", "density.csv"),
    /density\.csv has no target column "strength"/,
  ],
  ["a test file without the formula", good("--test", "named.csv"), /named\.csv has no formula column.*\n.*--formula/],
  [
    "a class that training does not know",
    ["train", "mlp", "--data", "metals.csv", "--target", "metal", "--val", "third.csv"],
    /third\.csv:4: column "metal" holds "2", which is none of the classes\.\n {2}They are "0", "1"/,
  ],
  ["a test file whose target is text", good("--test", "text.csv"), /text\.csv:30: column "strength" holds "strong"/],
  ["more folds than rows", good("--folds", "100"), /100 folds of 60 samples/],
  [
    "embedded data that do not exist",
    ["train", "mlp", "--data", "embedded:x", "--target", "y"],
    /no embedded data "embedded:x"/,
  ],
  // Configuration and folders
  [
    "a configuration that is not there",
    ["train", "--config", "none.json"],
    /Cannot read none\.json: there is no such file/,
  ],
  ["a configuration cut short", ["train", "--config", "broken.json"], /broken\.json is not JSON/],
  ["a configuration that is a list", ["train", "--config", "list.json"], /list\.json is not a configuration/],
  [
    "a misspelt field",
    ["train", "--config", "typo.json"],
    /typo\.json: there is no field "epoch"\.\n {2}Did you mean "epochs"\?/,
  ],
  [
    "a field of the wrong kind",
    ["train", "--config", "wrong.json"],
    /wrong\.json: lr must be a number ≥ 0, not "fast"/,
  ],
  ["a folder that holds something", good("--out", "full"), /full is not empty\.\n.*--resume.*--force/],
  ["a file for a folder", good("--out", "new.csv"), /Cannot write new\.csv: a part of the path is a file/],
  ["a folder below a file", good("--out", "new.csv/run"), /Cannot write new\.csv\/run/],
  ["a resumption of nothing named", ["train", "--resume"], /--resume needs --out FOLDER/],
  ["a resumption of nothing there", ["train", "--resume", "--out", "nowhere"], /There is no run in nowhere/],
  // Other commands
  [
    "a model that is not there",
    ["predict", "none.safetensors", "new.csv"],
    /Cannot read none\.safetensors: there is no such file/,
  ],
  ["a table for a model", ["predict", "new.csv", "alloys.csv"], /new\.csv is not a model\.\n/],
  ["info on nothing", ["info", "nothing"], /Cannot read nothing: there is no such file/],
  ["info on a folder of notes", ["info", "full"], /full holds no structure files, only notes\.txt/],
  ["info on an empty file", ["info", "empty.csv"], /empty\.csv is empty/],
  [
    "an unknown data set",
    ["data", "get", "expt_gap"],
    /no data set "expt_gap"\.\n {2}Did you mean matbench_expt_gap\?/,
  ],
  ["no threads", ["doctor", "--threads", "0"], /--threads "0": a whole number ≥ 1 is needed/],
];

describe.concurrent("a mistake gets one or two lines", () => {
  test.each(MISTAKES)("%s", async (_name, args, says) => {
    const { code, stdout, stderr } = await spinel(path, args[0] === "train" ? [...args, ...quick(args)] : args);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^spinel: .+\n(.+\n){0,1}$/);
    expect(stderr).not.toMatch(/\n\s+at |spinel: spinel/);
    expect([code, stdout]).toEqual([1, ""]);
  });
});

/** Options that a case does not set itself, so that one which wrongly succeeds does so soon. */
const quick = (args: readonly string[]): string[] =>
  args.some((a) => ["elemnet", "--config", "--epochs", "--hidden", "--resume"].includes(a)) ? [] : QUICK;

test("nothing was left behind", () => {
  expect(readdirSync(path)).not.toContain("runs");
  expect(readdirSync(path)).not.toContain("nowhere");
  expect(readdirSync(join(path, "full"))).toEqual(["notes.txt"]);
});
