import { UserError } from "./errors.ts";
import { parallel } from "./parallel.ts";
import type { Shape } from "./shape.ts";
import { emit, type Tensor } from "./tensor.ts";

/** Everything a generator is: write it into a checkpoint, and `Rng.from` continues with the same numbers. */
export interface RngState {
  key: [number, number];
  /** 64-bit count of Philox blocks used, low word first. */
  counter: [number, number];
}

/**
 * Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * Number i is a function of (seed, i) only: tensors are filled by any number of threads with the same bits, and state is a counter.
 */
export class Rng {
  private key: [number, number];
  private counter: [number, number] = [0, 0];

  /** `seed` is any whole number in 0 … 2⁵³ − 1. */
  constructor(seed: number) {
    if (!(Number.isSafeInteger(seed) && seed >= 0))
      throw new UserError(`Rng: the seed must be a whole number from 0 to 2^53 − 1, not ${seed}.`);
    this.key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  }

  static from(state: RngState): Rng {
    const rng = new Rng(0);
    rng.state = state;
    return rng;
  }

  get state(): RngState {
    return { key: [...this.key], counter: [...this.counter] };
  }

  set state({ key, counter }: RngState) {
    this.key = [...key];
    this.counter = [...counter];
  }

  /** An independent generator, a function of this one's seed and position and of `stream`. This one moves on by one block. */
  fork(stream = 0): Rng {
    const [a, b] = this.block(stream);
    return Rng.from({ key: [a, b], counter: [0, 0] });
  }

  /** f32 in [low, high), uniform; rounding may give `high` itself where low ≠ 0. */
  uniform(shape: Shape, low = 0, high = 1): Tensor {
    const out = this.fill("uniform", shape);
    if (low !== 0 || high !== 1) parallel("affine", out.size, 16384, out.ptr, out.ptr, high - low, low);
    return out;
  }

  /** Normal deviates by Box–Muller. */
  normal(shape: Shape, mean = 0, std = 1): Tensor {
    const out = this.fill("normal", shape);
    if (mean !== 0 || std !== 1) parallel("affine", out.size, 16384, out.ptr, out.ptr, std, mean);
    return out;
  }

  /** 1/keep with probability `keep`, else 0: dropout's mask. */
  mask(shape: Shape, keep: number): Tensor {
    return this.fill("bernoulliMask", shape, keep, 1 / keep);
  }

  private fill(kernel: "uniform" | "normal" | "bernoulliMask", shape: Shape, ...rest: number[]): Tensor {
    const { key, counter } = this;
    return emit(shape, (out) => {
      parallel(kernel, out.size, 16384, out.ptr, key[0] | 0, key[1] | 0, counter[0] | 0, counter[1] | 0, ...rest);
      this.skip(Math.ceil(out.size / 4));
    });
  }

  /** One number in [0, 1) with 53 bits. */
  random(): number {
    const [a, b] = this.block(0);
    return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
  }

  /** A whole number in [0, n), without bias: the 64-bit product's high word, rejecting the uneven rest (Lemire 2019). */
  integer(n: number): number {
    if (!(Number.isInteger(n) && n > 0 && n <= 2 ** 32))
      throw new UserError(`Rng.integer: n must be 1 … 2^32, not ${n}.`);
    const threshold = (2 ** 32 - n) % n;
    for (;;) {
      const product = BigInt(this.block(0)[0]) * BigInt(n);
      if (Number(product & 0xffffffffn) >= threshold) return Number(product >> 32n);
    }
  }

  /** The numbers 0 … n − 1 in random order (Fisher–Yates). */
  permutation(n: number): Int32Array<ArrayBuffer> {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(this.random() * (i + 1));
      const t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
    return order;
  }

  /** `count` draws of a category with the given weights (they need not add up to 1). */
  categorical(weights: ArrayLike<number>, count: number): Int32Array<ArrayBuffer> {
    const sums = new Float64Array(weights.length);
    let total = 0;
    for (let i = 0; i < weights.length; i++) {
      if (!(weights[i] >= 0 && weights[i] < Infinity))
        throw new UserError(`Rng.categorical: weight ${i} is ${weights[i]}; weights are finite and ≥ 0.`);
      sums[i] = total += weights[i];
    }
    if (!(total > 0)) throw new UserError("Rng.categorical: all weights are 0.");
    return Int32Array.from({ length: count }, () => {
      const u = this.random() * total;
      let low = 0;
      let high = sums.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (sums[middle] > u) high = middle;
        else low = middle + 1;
      }
      return low;
    });
  }

  /** Four words at the present counter; moves on by one. `stream` fills the counter's third word: 0 for ordinary draws. */
  private block(stream: number): [number, number, number, number] {
    const words = philox(this.key, [this.counter[0], this.counter[1], stream, 0]);
    this.skip(1);
    return words;
  }

  private skip(blocks: number): void {
    const low = this.counter[0] + blocks;
    this.counter = [low % 2 ** 32, (this.counter[1] + Math.floor(low / 2 ** 32)) % 2 ** 32];
  }
}

/** Ten rounds of Philox on a 128-bit counter. The kernels compute the same function (assembly/random.ts). */
export function philox(
  [k0, k1]: readonly [number, number],
  [c0, c1, c2, c3]: readonly [number, number, number, number],
): [number, number, number, number] {
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(0xd2511f53, c0);
    const [high1, low1] = multiply(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** High and low word of a 32 × 32-bit product. */
function multiply(a: number, b: number): [number, number] {
  const low = Math.imul(a, b) >>> 0;
  const ah = a >>> 16;
  const al = a & 0xffff;
  const bh = b >>> 16;
  const bl = b & 0xffff;
  const middle = ah * bl + ((al * bl) >>> 16);
  const middle2 = al * bh + (middle & 0xffff);
  return [(ah * bh + Math.floor(middle / 65536) + Math.floor(middle2 / 65536)) >>> 0, low];
}
