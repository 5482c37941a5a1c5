import { beforeAll, describe, expect, test } from "vitest";
import { allocate, f32View, release } from "../../src/core/memory.ts";
import { parallel } from "../../src/core/parallel.ts";
import { theEngine } from "../../src/core/wasm.ts";
import { init, Rng, tensor, zeros } from "../../src/index.ts";

const MOST_THREADS = 4;

beforeAll(async () => {
  await init({ threads: MOST_THREADS });
});

/** Runs `body` on 1, 2 and 4 threads. */
async function onThreads<T>(body: () => T): Promise<T[]> {
  const results: T[] = [];
  for (const threads of [1, 2, MOST_THREADS]) {
    expect((await init({ threads })).threads).toBe(threads);
    results.push(body());
  }
  return results;
}

/** y ← y + 1 in place: an element that two chunks hold, or none, shows. */
const increment = (ptr: number, n: number, grain: number): void => parallel("affine", n, grain, ptr, ptr, 1, 1);

describe("chunks", () => {
  test("every element is computed once, whatever n and grain", async () => {
    const block = allocate(4 * 70_000);
    const rng = new Rng(1);
    const cases = [1, 15, 16, 17, 32, 1023 * 16, 1023 * 16 + 1, 1024 * 16, 65_536].map((n) => [n, 16]);
    for (let i = 0; i < 30; i++) cases.push([1 + rng.integer(65_536), 16 * (1 + rng.integer(64))]);
    await onThreads(() => {
      for (const [n, grain] of cases) {
        f32View(block.ptr, n + 16).fill(0);
        increment(block.ptr, n, grain);
        const y = f32View(block.ptr, n);
        expect(
          y.every((v) => v === 1),
          `n ${n}, grain ${grain}`,
        ).toBe(true);
      }
    });
    release(block);
  });

  test("nothing to do is nothing done", () => {
    expect(() => parallel("affine", 0, 16, 0, 0, 1, 1)).not.toThrow();
  });

  test("1, 2 and 4 threads: the same bits", async () => {
    const rng = new Rng(2);
    const a = rng.normal([300, 170]);
    const b = rng.normal([170, 130]);
    const [one, two, four] = await onThreads(() => {
      const y = a.matmul(b).tanh();
      const noise = new Rng(3).normal([100_003]);
      return [...y.toArray(), ...y.softmax().sum({ axes: 0 }).toArray(), noise.sum().item(), ...noise.toArray()];
    });
    expect(two).toEqual(one);
    expect(four).toEqual(one);
  });
});

describe("stress", () => {
  test("100,000 tiny jobs: none hangs, none is lost", async () => {
    await init({ threads: 2 });
    const block = allocate(4 * 128);
    f32View(block.ptr, 128).fill(0);
    for (let i = 0; i < 100_000; i++) increment(block.ptr, 32 + (i & 3) * 16, 16);
    const y = f32View(block.ptr, 80);
    expect(y.subarray(0, 32).every((v) => v === 100_000)).toBe(true);
    expect(y.subarray(32, 48).every((v) => v === 75_000)).toBe(true);
    expect(y.subarray(48, 64).every((v) => v === 50_000)).toBe(true);
    expect(y.subarray(64, 80).every((v) => v === 25_000)).toBe(true);
    release(block);
  });

  test("more threads than cores, jobs of changing kernel and size, threads that fell asleep between them", async () => {
    await init({ threads: MOST_THREADS });
    const rng = new Rng(4);
    const x = allocate(4 * 4096);
    const y = allocate(4 * 4096);
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 100; i++) {
        const n = 1 + rng.integer(4096);
        f32View(x.ptr, 4096).fill(i);
        increment(x.ptr, n, 16);
        parallel("relu", n, 16, y.ptr, x.ptr);
        const result = f32View(y.ptr, n);
        if (!result.every((v) => v === i + 1)) expect.fail(`round ${round}, job ${i}: ${result.join()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, round % 4));
    }
    release(x);
    release(y);
  });
});

describe("traps", () => {
  test("a kernel that leaves the memory is an error of the call, on whatever thread it happened", async () => {
    for (const threads of [2, MOST_THREADS]) {
      await init({ threads });
      const size = theEngine().memory.buffer.byteLength;
      for (let i = 0; i < 20; i++) {
        // Chunks far below the end of the memory are good, those beyond it trap.
        const from = size - 4 * 16 * (2 + i);
        expect(() => parallel("relu", 16 * 64, 16, from, from)).toThrow("kernel relu trapped on a compute thread");
        const x = tensor([-1, 2]);
        expect([...x.relu().data]).toEqual([0, 2]);
        x.dispose();
      }
    }
  });

  test("the next job does not inherit it", () => {
    const x = zeros([1 << 16]);
    increment(x.ptr, x.size, 16);
    expect(x.data.every((v) => v === 1)).toBe(true);
  });
});
