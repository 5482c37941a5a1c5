import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, test } from "vitest";
import { allocate, type Block, f32View, i32View, release } from "../../src/core/memory.ts";
import { theEngine } from "../../src/core/wasm.ts";
import { full, indices, init, memoryUse, ones, Rng, scope, Tensor, tensor, zeros } from "../../src/index.ts";
import { heapAfter } from "../fuzz/heap.ts";

// One thread: memory that is not shared renews its buffer at every growth, the harder case for views.
beforeAll(async () => {
  await init({ threads: 1 });
});

const live = (): number => memoryUse().live;

describe("size classes", () => {
  test("at most 12.5 % more than asked for, in whole lines of 64 bytes", () => {
    const rng = new Rng(1);
    const sizes = [...Array.from({ length: 40 }, (_, i) => 64 * (i + 1)), 1, 63, 65, 127];
    for (let i = 0; i < 300; i++) sizes.push(Math.floor(2 ** (6 + 14 * rng.random())));
    for (const bytes of sizes) {
      const before = live();
      const block = allocate(bytes);
      const taken = live() - before;
      const lines = Math.ceil(bytes / 64) * 64;
      expect(taken, `${bytes} bytes`).toBeGreaterThanOrEqual(lines);
      expect(taken / lines, `${bytes} bytes`).toBeLessThanOrEqual(1.125);
      expect(block.ptr % 64).toBe(0);
    }
  });

  test("20,000 blocks of all sizes, in any order: none overlaps another", () => {
    const rng = new Rng(2);
    const held: { block: Block; words: number; id: number }[] = [];
    const before = live();
    const give = (at: number): void => {
      const { block, words, id } = held[at];
      const view = i32View(block.ptr, words);
      expect([view[0], view[words >> 1], view[words - 1]]).toEqual([id, id, id]);
      held[at] = held[held.length - 1];
      held.pop();
      release(block);
    };
    for (let id = 1; id <= 20_000; id++) {
      const words = Math.floor(2 ** (16 * rng.random()));
      const block = allocate(words * 4);
      i32View(block.ptr, words).fill(id);
      held.push({ block, words, id });
      while (held.length > 100 || (held.length > 0 && rng.random() < 0.4)) give(rng.integer(held.length));
    }
    while (held.length > 0) give(0);
    expect(live()).toBe(before);
  });

  test("a freed block is taken again; above 64 KiB also for less", () => {
    const small = allocate(5000);
    const { ptr } = small;
    release(small);
    expect(allocate(5000).ptr).toBe(ptr);
    const large = allocate(50_000_000);
    const at = large.ptr;
    release(large);
    const { heap } = memoryUse();
    const smaller = allocate(30_000_000);
    expect(smaller.ptr).toBe(at);
    expect(memoryUse().heap).toBe(heap);
    release(smaller);
    const again = allocate(50_000_000);
    expect(again.ptr, "it comes back whole").toBe(at);
    release(again);
  });

  test("freed twice is freed once", () => {
    const before = live();
    const block = allocate(100);
    release(block);
    release(block);
    expect(live()).toBe(before);
    expect(allocate(100).ptr).not.toBe(allocate(100).ptr);
  });
});

describe("scopes", () => {
  test("what the body returns lives on, in arrays, objects, maps and sets too", () => {
    const before = live();
    const kept = scope(() => {
      zeros([10_000]);
      const named = {
        a: ones([2]),
        list: [full([3], 3)],
        map: new Map([["m", full([4], 4)]]),
        set: new Set([ones([5])]),
      };
      return { ...named, rows: indices([7, 8]) };
    });
    expect([...kept.a.data]).toEqual([1, 1]);
    expect(kept.list[0].data[2]).toBe(3);
    expect(kept.map.get("m")!.data[3]).toBe(4);
    expect([...kept.set][0].data[4]).toBe(1);
    expect([...kept.rows.data]).toEqual([7, 8]);
    expect(live() - before).toBe(5 * 64);
  });

  test("nested: what the inner one returns dies with the outer one", () => {
    const before = live();
    let fromInner: Tensor | undefined;
    const result = scope(() => {
      fromInner = scope(() => {
        zeros([100]);
        return ones([8]);
      }, "inner");
      expect(live() - before).toBe(64);
      expect(fromInner.data[7]).toBe(1);
      return fromInner.add(1);
    }, "outer");
    expect(result.data[0]).toBe(2);
    expect(() => fromInner!.data).toThrow(/was freed when scope "outer" ended/);
    expect(live() - before).toBe(64);
  });

  test("a reshaped tensor keeps the block of the one it came from", () => {
    const y = scope(() => full([2, 3], 5).reshape(6));
    expect([...y.data]).toEqual([5, 5, 5, 5, 5, 5]);
  });

  test("a thrown error frees everything and passes through", () => {
    const before = live();
    const body = (): void =>
      scope(() => {
        zeros([1000]);
        scope(() => {
          zeros([1000]);
          throw new RangeError("inside");
        });
      });
    expect(body).toThrow(RangeError);
    expect(live()).toBe(before);
    expect(scope(() => zeros([4])).data.length, "the scopes are closed").toBe(4);
  });

  test("an asynchronous body is an error, and the only one", async () => {
    const before = live();
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): number => unhandled.push(reason);
    process.on("unhandledRejection", listen);
    const body = async (): Promise<number> => {
      const x = ones([10]);
      await null;
      return x.data[0];
    };
    expect(() => scope(body)).toThrow(/the body is asynchronous[\s\S]*Await first/);
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off("unhandledRejection", listen);
    expect(unhandled).toEqual([]);
    expect(live()).toBe(before);
  });

  test("a dead tensor says what ended it", () => {
    const disposed = zeros([3, 4]);
    disposed.dispose();
    disposed.dispose();
    expect(() => disposed.data).toThrow("This tensor of shape [3, 4] was freed by dispose().");
    let lost: Tensor | undefined;
    scope(() => {
      lost = zeros([2]);
    }, "step 7");
    expect(() => lost!.add(1)).toThrow(
      /shape \[2\] was freed when scope "step 7" ended[\s\S]*Return it from the scope/,
    );
    {
      using block = zeros([5]);
      lost = block;
    }
    expect(() => lost!.toArray()).toThrow(/dispose/);
    let early: Tensor | undefined;
    scope(() => {
      early = zeros([2]);
      early.dispose();
      expect(() => early!.data).toThrow(/by dispose/);
    });
    expect(() => early!.data).toThrow(/by dispose/);
  });
});

test("outside scopes the garbage collector frees", async () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  /** Collects until `done`, but not for ever. */
  const collect = async (done: () => boolean): Promise<void> => {
    for (let round = 0; round < 20 && !done(); round++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  let rounds = 0;
  await collect(() => rounds++ === 3); // what the tests before have left
  const before = live();
  const survivor = ones([16]);
  let held: Tensor[] | undefined = Array.from({ length: 1000 }, () => zeros([100]));
  held.push(scope(() => zeros([5000])));
  const sum = held.reduce((total, t) => total + t.size, 0);
  expect(live() - before).toBeGreaterThan(4 * sum);
  held[0].dispose();
  held = undefined;
  await collect(() => live() - before === 64);
  expect(live() - before).toBe(64);
  expect(survivor.data[15]).toBe(1);
});

describe("growth", () => {
  /** Takes what is left of the memory, so that the next allocation must grow it. */
  const exhaust = (): Block =>
    allocate(Math.floor(((theEngine().memory.buffer.byteLength - memoryUse().heap) * 8) / 9));

  test("tensors survive, views of them do not", () => {
    const x = tensor([1, 2, 3]);
    const view = x.data;
    const hold = [exhaust()];
    const { buffer } = theEngine().memory;
    while (theEngine().memory.buffer === buffer) hold.push(allocate(1 << 20));
    expect(view.length).toBe(0);
    expect([...x.data]).toEqual([1, 2, 3]);
    for (const block of hold) release(block);
  });

  test("a view may be what a tensor is made from", () => {
    const x = full([300_000], 2.5);
    const hold: Block[] = [];
    let grown = 0;
    for (let i = 0; i < 60; i++) {
      const { buffer } = theEngine().memory;
      const y = tensor(x.data, [300, 1000]);
      if (theEngine().memory.buffer !== buffer) grown++;
      expect(y.data[299_999]).toBe(2.5);
      hold.push(y.block);
    }
    expect(grown).toBeGreaterThan(0);
    for (const block of hold) release(block);
  });

  test("out of memory: an error that names sizes and remedies, and nothing is lost", () => {
    const before = memoryUse();
    const message =
      /Out of memory: 8192\.0 MiB more on top of [\d.]+ MiB[\s\S]*smaller batches[\s\S]*scope[\s\S]*checkpoint/;
    expect(() => zeros([2 ** 31])).toThrow(message);
    expect(() => zeros([1_000_000, 1_000_000]), "whose size in bytes passes 2³²").toThrow(/Out of memory/);
    expect(memoryUse()).toEqual(before);
    const most = allocate(2 ** 31); // pages that nobody touches cost nothing
    expect(() => allocate(2 ** 31)).toThrow(/Out of memory: 2048\.0 MiB more on top of (20[5-9]\d|21\d\d)\.\d MiB/);
    f32View(most.ptr + 2 ** 31 - 64, 16).fill(7);
    expect(f32View(most.ptr + 2 ** 31 - 64, 16)[15]).toBe(7);
    release(most);
    expect(live()).toBe(before.live);
    expect(ones([10]).sum().item()).toBe(10);
  });
});

test("memoryUse: bytes of live tensors, and the memory below them", () => {
  const before = memoryUse();
  const x = new Tensor([16], allocate(64));
  expect(memoryUse().live - before.live).toBe(64);
  expect(memoryUse().heap).toBeGreaterThanOrEqual(before.heap);
  x.dispose();
  expect(memoryUse().live).toBe(before.live);
});

test("10,000 training steps on batches of any size: the heap stays as it is after 2,000", () => {
  const { heap, live } = heapAfter([2_000, 10_000], 3);
  expect(heap[1]).toBe(heap[0]);
  expect(live[1]).toBe(live[0]);
});
