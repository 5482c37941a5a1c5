import { expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { type Fold, kFold, matbenchFolds, stratifiedKFold } from "../../src/train/folds.ts";
import fixture from "../fixtures/folds.json";

const quiet = { warn: () => {} };

/** One digit per sample, the fold that tests it, after checking that each fold is a partition in ascending order. */
function digits(folds: Fold[], n: number): string {
  const foldOf = new Array<number>(n).fill(-1);
  folds.forEach(({ train, test }, fold) => {
    for (const side of [train, test]) expect(side).toEqual(side.slice().sort());
    expect(Int32Array.of(...train, ...test).sort()).toEqual(Int32Array.from({ length: n }, (_, i) => i));
    for (const i of test) foldOf[i] = fold;
  });
  return foldOf.join("");
}

test("every case of the fixture equals scikit-learn's KFold or StratifiedKFold", () => {
  for (const { n, labels, rule, k, seed, folds } of fixture.cases) {
    const shuffle = seed === null ? undefined : { seed: seed as number };
    const classes = rule ? Array.from({ length: rule[0] }, (_, i) => (i * i * rule[1]) % rule[2]) : labels;
    const made = classes ? stratifiedKFold(classes, k, { shuffle, ...quiet }) : kFold(n!, k, { shuffle });
    expect(digits(made, folds.length), JSON.stringify({ n, labels, rule, k, seed })).toBe(folds);
  }
});

test.each([
  { n: 10, fold: 0, first: [1, 9] },
  { n: 10, fold: 1, first: [2, 3] },
  { n: 312, fold: 0, first: [2, 4, 19, 25, 26, 31, 34, 40] }, // steels
  { n: 4604, fold: 0, first: [7, 9, 18, 29, 30, 35, 37, 39] }, // expt_gap
  { n: 4604, fold: 1, first: [2, 22, 24, 44, 53, 58, 60, 63] },
  { n: 18928, fold: 0, first: [5, 10, 20, 33, 37, 60, 61, 69] }, // perovskites
])("Matbench's official fold $fold of $n rows begins as published", ({ n, fold, first }) => {
  const { test } = matbenchFolds(new Float32Array(n), "regression")[fold];
  expect([...test.subarray(0, first.length)]).toEqual(first);
});

test("a Matbench classification task is stratified with the same seed", () => {
  const labels = Array.from({ length: 101 }, (_, i) => i % 3 === 0);
  expect(matbenchFolds(labels, "classification")).toEqual(stratifiedKFold(labels, 5, { shuffle: { seed: 18012019 } }));
});

test("a class smaller than k is reported by its name and its size", () => {
  const said: string[] = [];
  stratifiedKFold(["metal", "glass", "metal", "metal"], 3, { warn: (message) => said.push(message) });
  expect(said).toEqual([expect.stringContaining('class "glass" has 1 members, fewer than the 3 folds')]);
  stratifiedKFold(["metal", "glass", "metal", "glass"], 2, { warn: (message) => said.push(message) });
  expect(said).toHaveLength(1);
});

test.each<[string, () => unknown, RegExp]>([
  ["more folds than samples", () => kFold(3, 5), /5 folds of 3 samples[\s\S]*at most 3 folds/],
  ["more folds than samples, stratified", () => stratifiedKFold([0, 1], 3), /3 folds of 2 samples/],
  ["one fold", () => kFold(3, 1), /at least 2/],
  ["half a fold", () => kFold(10, 2.5), /2\.5 folds/],
  ["half a sample", () => kFold(2.5, 2), /number of samples is 2\.5/],
  ["no samples", () => kFold(0, 2), /2 folds of 0 samples/],
  [
    "no class with k members",
    () => stratifiedKFold([1, 1, 2, 2, 3], 4),
    /no class has 4 members \(the largest has 2 of 5\)/,
  ],
  [
    "the targets of a regression",
    () =>
      stratifiedKFold(
        Float64Array.from({ length: 2e5 }, (_, i) => i),
        5,
      ),
    /use kFold/,
  ],
])("%s is a UserError", (_, call, message) => {
  expect(call).toThrow(UserError);
  expect(call).toThrow(message);
});
