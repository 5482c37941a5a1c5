import { instantiate } from "@assemblyscript/loader";
import { relaxedSimd, simd, threads as threadsSupported } from "wasm-feature-detect";
import { UserError } from "./errors.ts";
import { RESERVED } from "./job.js";

/** The kernels' signatures, as the AssemblyScript compiler wrote them. */
export type Kernels = Omit<
  Awaited<ReturnType<typeof import("../../build/simd.js")["instantiate"]>>,
  "memory" | `__${string}`
>;
export type KernelName = keyof Kernels & string;

export type Variant = "simd" | "relaxed" | "simd-threads" | "relaxed-threads";

export interface InitOptions {
  /** Compute threads, the caller's included. Default: one for each core, at most 8. Results do not depend on it. */
  threads?: number;
  /** Plain SIMD even where fused multiply-add is at hand: the same bits on every engine and machine. */
  deterministic?: boolean;
}

/** What `init` found; every field is for people as much as for programs. */
export interface Capabilities {
  variant: Variant;
  threads: number;
  /** Why not more: in one line, "" when nothing is left to gain. */
  reason: string;
}

/** The one engine of this realm: its instance, its memory and what it can do. */
export interface Engine extends Capabilities {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  kernels: Kernels;
  /** Kernel names in a fixed order: a job names its kernel by the index. */
  names: KernelName[];
}

let engine: Engine | undefined;

/** The engine, or an error that says how to get one. */
export function theEngine(): Engine {
  if (engine) return engine;
  throw new UserError("spinel is not initialised.", "Call `await init()` once before making tensors.");
}

export const isInitialised = (): boolean => engine !== undefined;

const isNode = typeof process !== "undefined" && !!process.versions?.node;

/** A variable, so that bundlers for browsers leave the import to Node. */
const nodeOs = "node:os";

async function availableCores(): Promise<number> {
  if (isNode) return ((await import(/* @vite-ignore */ nodeOs)) as typeof import("node:os")).availableParallelism();
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Each variant is a module of its own that carries its bytes: bundlers need no path, no URL and no loader for it. */
const load: Record<Variant, () => Promise<{ default: string }>> = {
  simd: () => import("../../build/bytes/simd.js"),
  relaxed: () => import("../../build/bytes/relaxed.js"),
  "simd-threads": () => import("../../build/bytes/simd-threads.js"),
  "relaxed-threads": () => import("../../build/bytes/relaxed-threads.js"),
};

export function checkThreads({ threads }: InitOptions): void {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 64))
    throw new UserError(`init: threads must be a whole number from 1 to 64, not ${threads}.`);
}

/** Picks the variant and compiles it. Threads are started by the caller (parallel.ts). */
export async function startEngine({ threads, deterministic = false }: InitOptions): Promise<Engine> {
  if (!(await simd()))
    throw new UserError(
      "This engine has no WebAssembly SIMD.",
      "Use Node ≥ 20, Chrome ≥ 91, Firefox ≥ 89 or Safari ≥ 16.4.",
    );
  const cores = await availableCores();
  const wanted = threads ?? Math.min(cores, 8);
  const reasons: string[] = [];
  const relaxed = !deterministic && (await relaxedSimd());
  if (deterministic) reasons.push("plain SIMD, because deterministic was asked for");
  else if (!relaxed)
    reasons.push(`plain SIMD, because this engine has no relaxed SIMD${isNode ? " (Node ≥ 21 has it)" : ""}`);
  const shared = wanted > 1 && (await threadsSupported()) && (isNode || globalThis.crossOriginIsolated === true);
  if (wanted > 1 && !shared)
    reasons.push(
      globalThis.crossOriginIsolated === false
        ? "1 thread, because the page is not cross-origin isolated (send COOP: same-origin and COEP: require-corp)"
        : "1 thread, because this engine has no shared WebAssembly memory",
    );
  else if (wanted === 1)
    reasons.push(threads === 1 ? "1 thread, as asked" : "1 thread, because this machine has one core");
  const variant: Variant = `${relaxed ? "relaxed" : "simd"}${shared ? "-threads" : ""}`;

  const text = atob((await load[variant]()).default);
  const module = await WebAssembly.compile(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  const memory = shared ? sharedMemory() : new WebAssembly.Memory({ initial: 16 });
  const { exports } = await instantiate(module, { env: { memory } });
  const kernels = exports as unknown as Kernels;
  const names = WebAssembly.Module.exports(module)
    .filter((e) => e.kind === "function")
    .map((e) => e.name as KernelName);
  engine = { variant, threads: shared ? wanted : 1, reason: reasons.join("; "), module, memory, kernels, names };
  return engine;
}

/** Shared memory must name its maximum and some systems reserve it at once, so ask for less until one is granted. */
function sharedMemory(): WebAssembly.Memory {
  for (const maximum of [65536, 32768, 16384, 8192]) {
    try {
      return new WebAssembly.Memory({ initial: 16, maximum, shared: true });
    } catch (error) {
      if (maximum === 8192) throw error;
    }
  }
  throw new Error("unreachable");
}

/** First byte that the allocator may hand out. */
export const HEAP_BASE = RESERVED;
