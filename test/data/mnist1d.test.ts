import { afterEach, expect, test, vi } from "vitest";
import { sha256 } from "../../src/core/sha256.ts";
import { mnist1d } from "../../src/data/mnist1d.ts";
import type { Table } from "../../src/data/table.ts";
import fixture from "../fixtures/mnist1d.json";

afterEach(() => void vi.restoreAllMocks());

type Split = ReturnType<typeof mnist1d>;
const rows = ({ train, test }: Split) => [...train.images!, ...test.images!].map(({ data }) => data as Float32Array);
const labels = ({ targets, classes }: Table) => Array.from(targets!.values, (i) => classes![i]);
const hash = (split: Split) => sha256(JSON.stringify(rows(split).map((row) => [...row])));

const standard = mnist1d();

test("5000 signals of 40 numbers, 4000 of them for training", () => {
  const { train, test } = standard;
  expect([train.length, test.length]).toEqual([4000, 1000]);
  expect([...train.ids, ...test.ids]).toEqual(Array.from({ length: 5000 }, (_, i) => `mnist1d-${i + 1}`));
  expect(train.classes).toEqual([..."0123456789"]);
  expect(train.targets!.names).toEqual(["class"]);
  for (const { width, height, channels, data } of train.images!) {
    expect([width, height, channels]).toEqual([40, 1, 1]);
    expect(data).toBeInstanceOf(Float32Array);
  }
  const all = [...labels(train), ...labels(test)];
  for (const digit of train.classes!) expect(all.filter((name) => name === digit)).toHaveLength(500);
});

test("the published numbers of seed 42", () => {
  const [first] = rows(standard);
  [-0.332006, -0.47191, -0.778697, -1.009741, -0.882353].forEach((x, i) => void expect(first[i]).toBeCloseTo(x, 6));
  expect(labels(standard.train).slice(0, 10).join("")).toBe("2645666031");
});

test.each(fixture.mnist1d)(
  "NumPy's numbers: $samples samples, seed $seed, shuffleSequence $shuffleSequence",
  (numpy) => {
    const split = numpy.samples === 5000 ? standard : mnist1d(numpy);
    expect([...labels(split.train), ...labels(split.test)].join("")).toBe(numpy.labels);
    const ours = rows(split);
    for (const { row, values } of numpy.rows)
      values.forEach((x, i) => void expect(Math.abs(ours[row][i] - x), `row ${row}, ${i}`).toBeLessThan(3e-7));
    const step = Math.max(1, numpy.samples / 100);
    numpy.rowSums.forEach((sum, i) => void expect(ours[i * step].reduce((a, b) => a + b)).toBeCloseTo(sum, 4));
  },
);

test("the same bits whatever the engine's transcendentals are; others from another seed", () => {
  const golden = hash(mnist1d({ samples: 50 }));
  for (const name of ["exp", "log", "sin", "cos", "tan", "pow", "hypot", "cbrt"] as const)
    vi.spyOn(Math, name).mockImplementation(() => {
      throw new Error(`Math.${name} gives other bits on other engines`);
    });
  expect(hash(mnist1d({ samples: 50 }))).toBe(golden);
  expect(golden).toBe("21b9a1bee5c70c7df968fb9621252c914038393d9adff0deed896ea1051762e4");
  expect(hash(mnist1d({ samples: 50, seed: 1 }))).not.toBe(golden);
});

test("samples that cannot be shared equally among the digits are refused", () => {
  for (const samples of [0, 15, -10, 2.5])
    expect(() => mnist1d({ samples })).toThrow(`samples is ${samples}, not 10, 20, …`);
});
