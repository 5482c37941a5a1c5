import { expect, test } from "vitest";
import { ticks } from "../../src/lab/kit/chart.ts";
import { latest } from "../../src/lab/kit/latest.ts";
import { decimal } from "../../src/lab/kit/state.ts";

test("decimal numbers of an address", () => {
  const field = decimal(1, 8, 1, 6);
  for (const [text, value] of [
    ["2.8", 2.8],
    ["8", 8],
    ["8.1", undefined],
    ["0.9", undefined],
    ["2.85", undefined],
    ["1e0", undefined],
    ["-2", undefined],
    ["", undefined],
  ] as const)
    expect(field.read(text), text).toBe(value);
  expect(field.read(field.write(3.3))).toBe(3.3);
});

test("ticks are round and within", () => {
  expect(ticks([0, 6], 6)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(ticks([-10.6, -2.1], 5)).toEqual([-10, -8, -6, -4]);
  expect(ticks([0, 0.03], 3)).toEqual([0, 0.01, 0.02, 0.03]);
  expect(ticks([-0.5, 6.5], 6)).toEqual([0, 2, 4, 6]);
});

test("of requests that come during a task only the last is kept", async () => {
  const done: number[] = [];
  const ask = latest(async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    done.push(n);
  });
  await Promise.all([1, 2, 3, 4].map(ask));
  expect(done).toEqual([1, 4]);
  await ask(5);
  expect(done).toEqual([1, 4, 5]);
});
