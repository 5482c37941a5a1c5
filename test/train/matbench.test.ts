import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { matbenchRecord, matbenchScores, trueClass } from "../../src/train/matbenchResults.ts";
import { checkMatbenchRows, MATBENCH_TASKS, matbenchId, matbenchTask } from "../../src/train/matbenchTasks.ts";

const fixture = JSON.parse(readFileSync(new URL("../fixtures/matbench.json", import.meta.url), "utf8"));
const ids = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => matbenchId(matbenchTask(name), i));

test("the thirteen tasks, their columns and the leaderboard", () => {
  expect(MATBENCH_TASKS.length).toBe(13);
  const phonons = matbenchTask("phonons");
  expect(phonons).toEqual(matbenchTask("matbench_phonons"));
  expect(phonons).toMatchObject({
    ...{ name: "matbench_phonons", rows: 1265, inputs: "structure", target: "last phdos peak", kind: "regression" },
    unit: "cm⁻¹",
  });
  expect(phonons.published[0]).toEqual({ algorithm: "MegNet (kgcnn v2.1.0)", value: 28.7606, std: 2.5767 });
  expect(phonons.published.at(-1)).toEqual({ algorithm: "Dummy", value: 323.9822, std: 17.7269 });
  for (const name of MATBENCH_TASKS) {
    const { published, kind } = matbenchTask(name);
    const values = published.map(({ value }) => value);
    expect(published.every(({ value, std }) => value > 0 && std > 0)).toBe(true);
    expect(values).toEqual([...values].sort((a, b) => (kind === "regression" ? a - b : b - a)));
  }
  expect(() => matbenchTask("phonon")).toThrow('Matbench v0.1 has no task "phonon".\n  Did you mean "phonons"?');
});

test("official ids, and rows that are not the task's", () => {
  const steels = matbenchTask("steels");
  expect([matbenchId(steels, 0), matbenchId(steels, 311)]).toEqual(["mb-steels-001", "mb-steels-312"]);
  expect(matbenchId(matbenchTask("mp_is_metal"), 4)).toBe("mb-mp-is-metal-000005");
  const right = ids("steels", 312);
  checkMatbenchRows(steels, "a.csv", right);
  checkMatbenchRows(
    steels,
    "a.csv",
    right.map((_, i) => `row ${i}`),
  );
  expect(() => checkMatbenchRows(steels, "a.csv", right.slice(1))).toThrow(
    "a.csv has 311 rows; matbench_steels has 312",
  );
  expect(() => checkMatbenchRows(steels, "a.csv", [...right].reverse())).toThrow(
    "a.csv, row 1: its id is mb-steels-312; in matbench_steels it is mb-steels-001.",
  );
});

test("which class is true", () => {
  const glass = matbenchTask("glass");
  expect(
    [
      ["0", "1"],
      ["False", "True"],
      ["1.0", "0.0"],
    ].map((names) => trueClass(glass, "g", names)),
  ).toEqual([1, 1, 0]);
  expect(() => trueClass(glass, "g.csv", ["glass", "crystal"])).toThrow("g.csv: the classes are glass, crystal;");
});

test("scores are those of scikit-learn, and classes those of probabilities above a half", () => {
  const { probabilities, labels, classification } = fixture;
  const own = matbenchScores({ kind: "classification" }, probabilities, labels);
  expect(Object.keys(own)).toEqual(Object.keys(classification));
  for (const [name, value] of Object.entries(classification)) expect(own[name]).toBeCloseTo(value as number, 12);
});

test("a record is to the letter what Python writes, and so is its hash", () => {
  const { predictions, targets, text } = fixture;
  const record = matbenchRecord(
    matbenchTask("steels"),
    [{ fold: 3, ids: ids("steels", 10), predictions, targets, parameters: { lr: 0.001, epoch: 7 } }],
    {
      when: new Date("2026-01-31T23:59:58.9Z"),
      metadata: { algorithm: 'é → 中 \x7f\n"', layers: [64, 0.5, "a"], nested: { b: true, a: 1e-7 } },
    },
  );
  expect(record).toBe(text);
});

test("a prediction that is no number, and lists that do not go together, are refused", () => {
  const fold = { fold: 0, ids: ids("steels", 2), targets: [1, 2], predictions: [1, Number.NaN] };
  const write = (change: object) =>
    matbenchRecord(matbenchTask("steels"), [{ ...fold, ...change }], { when: new Date(0) });
  expect(() => write({})).toThrow("the prediction of mb-steels-002 is NaN");
  expect(() => write({ predictions: [1] })).toThrow("1 predictions, 2 targets, 2 ids");
});
