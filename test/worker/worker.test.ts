import { afterEach, expect, expectTypeOf, test } from "vitest";
import { scope, tensor, UserError } from "../../src/index.ts";
import { type Control, connect, type Session, serve } from "../../src/worker/index.ts";

/** Both ends in this process, joined by a MessageChannel instead of a Worker. */
const functions = {
  square: (x: number[]): number[] => scope(() => [...tensor(x).square().toArray()]),
  nothing: (): string => "done",
  async count(to: number, control: Control<number>): Promise<number> {
    let n = 0;
    while (n < to && (await control.proceed())) control.report(++n);
    return n;
  },
  async forever(_: undefined, control: Control<number>): Promise<number> {
    let n = 0;
    while (await control.proceed()) {
      busy(1);
      control.report(++n);
    }
    return n;
  },
  /** Makes a report only when the page waits for one. */
  async polite(steps: number, control: Control<number>): Promise<number> {
    let made = 0;
    for (let i = 0; i < steps && (await control.proceed()); i++) {
      busy(1);
      if (control.ready) control.report(++made);
    }
    return made;
  },
  async obeys(_: undefined, { signal }: Control): Promise<string> {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return "aborted";
  },
  mismatched: (): number => tensor([1, 2]).add(tensor([1, 2, 3])).size,
  broken: (): void => {
    throw new TypeError("a mistake of the function's own");
  },
  leaks: () => tensor([1]).square(),
  transfers: (n: number, control: Control<Float32Array>): number => {
    const values = new Float32Array(n).fill(2);
    control.report(values, { transfer: [values.buffer] });
    return values.length;
  },
};

function busy(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

let session: Session<typeof functions> | undefined;

async function open(): Promise<Session<typeof functions>> {
  const { port1, port2 } = new MessageChannel();
  serve(functions, port2);
  session = await connect<typeof functions>(port1, { threads: 1 });
  return session;
}

afterEach(() => session?.close());

test("calls are typed by the functions served", async () => {
  const s = await open();
  const squares = s.run("square", [1, 2, 3]);
  expectTypeOf(await squares).toEqualTypeOf<number[]>();
  expect(await squares).toEqual([1, 4, 9]);
  expect(await s.run("nothing")).toBe("done");
  expect(s.capabilities.threads).toBe(1);
  expect(s.capabilities.variant).toMatch(/^(simd|relaxed)$/);
  const counted = s.run("count", 3, { onProgress: (n) => expectTypeOf(n).toEqualTypeOf<number>() });
  expectTypeOf(await counted).toEqualTypeOf<number>();
  // @ts-expect-error: square takes numbers
  await s.run("square", "12").catch(() => {});
  // @ts-expect-error: count needs its argument
  const missing = s.run("count");
  expect(await missing).toBe(0);
});

test("the newest report is always delivered, the result after it", async () => {
  const s = await open();
  const seen: number[] = [];
  expect(await s.run("count", 5000, { onProgress: (n) => seen.push(n) })).toBe(5000);
  expect(seen.at(-1)).toBe(5000);
  expect(seen.length).toBeLessThan(5000);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
});

test("reports wait for a page that is busy with the last one", async () => {
  const s = await open();
  let handling = 0;
  let most = 0;
  let count = 0;
  const made = await s.run("polite", 60, {
    onProgress: async () => {
      count++;
      most = Math.max(most, ++handling);
      await pause(20);
      handling--;
    },
  });
  expect(most).toBe(1);
  expect(made).toBe(count);
  expect(made).toBeGreaterThan(1);
  expect(made).toBeLessThan(20);
});

test("pause holds a run and lets others in; resume goes on; stop returns what there is", async () => {
  const s = await open();
  let last = 0;
  const run = s.run("forever", undefined, {
    onProgress: (n) => {
      last = n;
    },
  });
  while (last === 0) await pause(5);
  run.pause();
  await s.run("nothing");
  await pause(20);
  const held = last;
  expect(await s.run("square", [5])).toEqual([25]);
  await pause(30);
  expect(last).toBe(held);
  run.resume();
  while (last === held) await pause(5);
  run.stop();
  expect(await run).toBeGreaterThanOrEqual(last);
});

test("a paused run can be stopped", async () => {
  const s = await open();
  const run = s.run("forever", undefined);
  run.pause();
  run.stop();
  expect(await run).toBeGreaterThanOrEqual(0);
});

test("a signal stops a run, before or after its start", async () => {
  const s = await open();
  const abort = new AbortController();
  const run = s.run("obeys", undefined, { signal: abort.signal });
  abort.abort();
  expect(await run).toBe("aborted");
  expect(await s.run("count", 1e9, { signal: AbortSignal.abort() })).toBeLessThan(1e9);
});

test("errors arrive as they were thrown", async () => {
  const s = await open();
  await expect(s.run("mismatched")).rejects.toMatchObject({ name: "ShapeError", message: /add\(\[2\], \[3\]\)/ });
  await expect(s.run("mismatched")).rejects.toBeInstanceOf(UserError);
  await expect(s.run("broken")).rejects.toMatchObject({
    name: "TypeError",
    message: "a mistake of the function's own",
    stack: expect.stringContaining("worker.test.ts"),
  });
  const unknown = s.run("sqare" as "square", [1]);
  await expect(unknown).rejects.toMatchObject({ message: /no function "sqare"/, hint: /square, nothing/ });
});

test("what cannot be sent is explained", async () => {
  const s = await open();
  await expect(s.run("leaks")).rejects.toMatchObject({ message: /^leaks: /, hint: /toArray/ });
  await expect(s.run("square", [(() => 1) as never])).rejects.toThrow(/could not be cloned/);
});

test("buffers are transferred", async () => {
  const s = await open();
  let received: Float32Array = new Float32Array(0);
  const left = await s.run("transfers", 4, {
    onProgress: (values) => {
      received = values;
    },
  });
  expect([...received]).toEqual([2, 2, 2, 2]);
  expect(left).toBe(0);
});

test("an error in onProgress stops the run and is the run's error", async () => {
  const s = await open();
  const run = s.run("forever", undefined, {
    onProgress: () => {
      throw new Error("the page's own");
    },
  });
  await expect(run).rejects.toThrow("the page's own");
});

test("closing rejects what is under way and what comes after", async () => {
  const s = await open();
  const run = s.run("forever", undefined);
  s.close();
  await expect(run).rejects.toThrow(/closed while this ran/);
  await expect(s.run("nothing")).rejects.toThrow(/was closed/);
});

test("init's refusal is connect's", async () => {
  const { port1, port2 } = new MessageChannel();
  serve(functions, port2);
  await expect(connect(port1, { threads: 4 })).rejects.toThrow(/threads asked for after an init that chose one/);
  port1.close();
});

test("a page that was there before the Worker listened is heard", async () => {
  const { port1, port2 } = new MessageChannel();
  port2.addEventListener("message", () => {}, { once: true });
  port2.start();
  const connected = connect<typeof functions>(port1, { threads: 1 });
  await pause(20);
  serve(functions, port2);
  session = await connected;
  expect(await session.run("nothing")).toBe("done");
});

test("serve outside a Worker says where it belongs", () => {
  expect(() => serve(functions)).toThrow(/not a Worker/);
});
