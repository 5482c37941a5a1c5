import { UserError } from "./errors.ts";
import * as job from "./job.js";
import {
  type Capabilities,
  checkThreads,
  type InitOptions,
  isInitialised,
  type KernelName,
  startEngine,
  theEngine,
} from "./wasm.ts";

type Kernel = (...args: number[]) => void;

/** What `parallel` needs at hand; filled by `init`. */
let kernels: Record<string, Kernel> = {};
let kernelList: Kernel[] = [];
let kernelIndex: Record<string, number> = {};
let control = new Int32Array(0);
let args = new Float64Array(0);
let buffer: ArrayBufferLike = new ArrayBuffer(0);
let threads = 1;
let workers = 0;
let canSleep = false;
let epoch = 0;
/** Calls of `init` one after the other: two at a time must not make two engines. */
let initialising: Promise<unknown> = Promise.resolve();

/**
 * Prepares the engine: picks the best build of the kernels that this runtime supports and starts the compute threads.
 * Call it once, before anything else; a second call with the same wishes is free and may change the number of threads.
 */
export function init(options: InitOptions = {}): Promise<Capabilities> {
  const done = initialising.then(() => initialise(options));
  initialising = done.catch(() => undefined);
  return done;
}

async function initialise(options: InitOptions): Promise<Capabilities> {
  checkThreads(options);
  if (isInitialised()) {
    const { variant } = theEngine();
    if (options.deterministic && variant.startsWith("relaxed"))
      throw new UserError(
        "init({ deterministic: true }) came after an init without it.",
        "Ask for it in the first call.",
      );
    if (options.threads !== undefined) await setThreads(options.threads);
    return capabilities();
  }
  const engine = await startEngine(options);
  kernels = engine.kernels as unknown as Record<string, Kernel>;
  kernelList = engine.names.map((name) => kernels[name]);
  kernelIndex = Object.fromEntries(engine.names.map((name, i) => [name, i]));
  buffer = engine.memory.buffer;
  if (engine.threads > 1) {
    control = new Int32Array(buffer, job.CONTROL, 64);
    args = new Float64Array(buffer, job.ARGUMENTS, job.MAX_ARGUMENTS);
    canSleep = typeof (globalThis as { document?: unknown }).document === "undefined";
    await setThreads(engine.threads);
  }
  return capabilities();
}

/** Which build of the kernels runs, on how many threads, and in one line why not more. */
export function capabilities(): Capabilities {
  const { variant, reason } = theEngine();
  return { variant, threads, reason };
}

async function setThreads(count: number): Promise<void> {
  if (count > 1 && !theEngine().variant.endsWith("threads"))
    throw new UserError(`init: ${count} threads asked for after an init that chose one.`, "Ask in the first call.");
  const started: Promise<void>[] = [];
  while (workers < count - 1) started.push(startWorker(++workers));
  await Promise.all(started);
  threads = count;
  if (control.length) Atomics.store(control, job.ACTIVE, count);
}

/** Variables, so that bundlers for browsers leave Node's branch alone; they do find the literals of the other branch. */
const nodeThreads = "node:worker_threads";
const threadFile = "./thread.js";

async function startWorker(index: number): Promise<void> {
  const { module, memory, names } = theEngine();
  const start = { module, memory, index, names };
  if (typeof Worker === "undefined") {
    const { Worker } = (await import(/* @vite-ignore */ nodeThreads)) as typeof import("node:worker_threads");
    const worker = new Worker(new URL(/* @vite-ignore */ threadFile, import.meta.url));
    await new Promise<void>((resolve, reject) => {
      worker.once("message", () => resolve());
      worker.once("error", reject);
      worker.postMessage(start);
    });
    worker.unref();
  } else {
    const worker = new Worker(new URL("./thread.js", import.meta.url), { type: "module" });
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = (event) => reject(new Error(`A compute thread did not start: ${event.message}`));
      worker.postMessage(start);
    });
  }
}

/**
 * Runs `kernel(begin, end, ...rest)` over [0, n) in chunks of a multiple of `grain`, on all threads. Chunk borders depend on
 * `n` and `grain` only and each output is written by one chunk, so the result does not depend on the number of threads.
 */
export function parallel(kernel: KernelName, n: number, grain: number, ...rest: number[]): void {
  if (threads === 1 || n <= grain) {
    if (n > 0) kernels[kernel](0, n, ...rest);
    return;
  }
  let chunk = grain;
  if (n > grain * job.MAX_CHUNKS) chunk = grain * Math.ceil(n / (grain * job.MAX_CHUNKS));
  const count = Math.ceil(n / chunk);
  control[job.KERNEL] = kernelIndex[kernel];
  control[job.SIZE] = n;
  control[job.CHUNK] = chunk;
  control[job.COUNT] = rest.length;
  control[job.DONE] = 0;
  args.set(rest);
  epoch = (epoch + 1) & 4095;
  Atomics.store(control, job.TICKET, (epoch << 20) | count);
  if (Atomics.load(control, job.SLEEPERS) > 0) Atomics.notify(control, job.TICKET);
  job.takeChunks(buffer, control, kernelList);
  for (let spins = 0; ; spins++) {
    const done = Atomics.load(control, job.DONE);
    if (done >= count) break;
    if (canSleep && spins > job.SPINS) Atomics.wait(control, job.DONE, done, 1);
  }
  if (Atomics.exchange(control, job.FAILED, 0)) throw new Error(`kernel ${kernel} trapped on a compute thread`);
}
