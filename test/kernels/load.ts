import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";

const binary = (target: string): Buffer<ArrayBuffer> =>
  readFileSync(new URL(`../../build/${target}.wasm`, import.meta.url)) as Buffer<ArrayBuffer>;

/** The single-threaded builds that this engine can run; relaxed SIMD needs Node ≥ 21. */
export const targets: string[] = ["simd", "relaxed"].filter((target) => WebAssembly.validate(binary(target)));

/** A build of the kernels in a memory of its own; blocks are 64-byte aligned and padded, as the library lays them out. */
export interface Kernels {
  memory: WebAssembly.Memory;
  run(kernel: string, ...args: (number | Float32Array | Int32Array)[]): void;
  floats(values: number | ArrayLike<number>): Float32Array;
  ints(values: ArrayLike<number>): Int32Array;
}

/** Instantiates a build with room for `capacity` 4-byte elements. A typed array as an argument stands for its address. */
export function loadKernels(target: string, capacity: number): Kernels {
  const memory = new WebAssembly.Memory({ initial: Math.max(16, Math.ceil(capacity / 16384) + 2) });
  const { exports } = instantiateSync(binary(target), { env: { memory } });
  const functions = exports as unknown as Record<string, (...args: number[]) => void>;
  let free = 1024;
  const block = (length: number): number => {
    const at = free;
    free += Math.ceil(length / 16) * 64;
    if (free > memory.buffer.byteLength) throw new Error(`${length} elements do not fit: raise the capacity`);
    return at;
  };
  return {
    memory,
    run(kernel, ...args) {
      functions[kernel](...args.map((arg) => (typeof arg === "number" ? arg : arg.byteOffset)));
    },
    floats(values) {
      const length = typeof values === "number" ? values : values.length;
      const view = new Float32Array(memory.buffer, block(length), length);
      if (typeof values !== "number") view.set(values);
      return view;
    },
    ints(values) {
      const view = new Int32Array(memory.buffer, block(values.length), values.length);
      view.set(values);
      return view;
    },
  };
}
