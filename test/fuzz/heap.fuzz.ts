import { beforeAll, expect, test } from "vitest";
import { init } from "../../src/index.ts";
import { heapAfter } from "./heap.ts";

beforeAll(async () => {
  await init();
});

test("100,000 training steps on batches of any size: the heap stays as it is after 5,000", () => {
  const { heap, live } = heapAfter([5_000, 100_000], Number(process.env.SEED ?? 1));
  expect(heap[1]).toBe(heap[0]);
  expect(live[1]).toBe(live[0]);
});
