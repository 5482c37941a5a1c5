/**
 * The Mersenne Twister MT19937 as NumPy's legacy `RandomState` and Python's `random` drive it, so that published splits can be
 * drawn again to the last index. Everything else in spinel draws from `Rng`; this file exists for folds made by others.
 *
 * @see Matsumoto & Nishimura, "Mersenne Twister", ACM TOMACS 8, 3 (1998), and their init of 2002
 */

import { UserError } from "./errors.ts";

const N = 624;
const M = 397;

/** 32-bit words with period 2¹⁹⁹³⁷ − 1. */
class Mt19937 {
  private readonly state = new Uint32Array(N);
  private next = N;

  /** The reference `init_genrand`: one 32-bit seed. */
  seed(seed: number): this {
    const s = this.state;
    s[0] = seed;
    for (let i = 1; i < N; i++) s[i] = Math.imul(1812433253, s[i - 1] ^ (s[i - 1] >>> 30)) + i;
    this.next = N;
    return this;
  }

  /** The reference `init_by_array`: any number of 32-bit words. */
  seedByArray(key: ArrayLike<number>): this {
    const s = this.seed(19650218).state;
    let i = 1;
    const advance = () => {
      if (++i < N) return;
      s[0] = s[N - 1];
      i = 1;
    };
    for (let k = Math.max(N, key.length), j = 0; k > 0; k--, j = (j + 1) % key.length) {
      s[i] = (s[i] ^ Math.imul(s[i - 1] ^ (s[i - 1] >>> 30), 1664525)) + key[j] + j;
      advance();
    }
    for (let k = N - 1; k > 0; k--) {
      s[i] = (s[i] ^ Math.imul(s[i - 1] ^ (s[i - 1] >>> 30), 1566083941)) - i;
      advance();
    }
    s[0] = 0x80000000;
    return this;
  }

  /** Uniform in [0, 2³²). */
  uint32(): number {
    if (this.next === N) this.twist();
    let y = this.state[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private twist(): void {
    const s = this.state;
    for (let i = 0; i < N; i++) {
      const y = (s[i] & 0x80000000) | (s[(i + 1) % N] & 0x7fffffff);
      s[i] = s[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }
}

/** Anything with numbered places whose items can be exchanged. */
type Shuffled = { readonly length: number; [index: number]: unknown };

/** Fisher–Yates from the end, in place; `below(n)` is uniform in [0, n). Both libraries share it and differ in `below`. */
function shuffle(x: Shuffled, below: (n: number) => number): void {
  for (let i = x.length - 1; i > 0; i--) {
    const j = below(i + 1);
    const held = x[i];
    x[i] = x[j];
    x[j] = held;
  }
}

/** NumPy's `numpy.random.RandomState(seed)`, which scikit-learn uses for every `random_state`. */
export class RandomState {
  private readonly mt: Mt19937;

  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
      throw new UserError(`RandomState(${seed}): the seed must be a whole number from 0 to 2^32 - 1.`);
    this.mt = new Mt19937().seed(seed);
  }

  uint32(): number {
    return this.mt.uint32();
  }

  /** `RandomState.shuffle(x)`, in place. Masks each draw to the bits of the largest index and rejects what is above it. */
  shuffle(x: Shuffled): void {
    shuffle(x, (n) => {
      const mask = 0xffffffff >>> Math.clz32(n - 1);
      let draw: number;
      do draw = (this.mt.uint32() & mask) >>> 0;
      while (draw >= n);
      return draw;
    });
  }

  /** `RandomState.permutation(n)`: 0 … n−1 shuffled. */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    this.shuffle(order);
    return order;
  }
}

/** Python's `random.Random(seed)` for an integer seed, as in `random.seed(123); random.shuffle(x)`. */
export class PythonRandom {
  private readonly mt: Mt19937;

  constructor(seed: number | bigint) {
    if (typeof seed === "number" && !Number.isSafeInteger(seed))
      throw new UserError(
        `PythonRandom(${seed}): the seed must be a whole number.`,
        "Above 2^53 - 1, give it as a bigint: 12345678901234567890n.",
      );
    const key: number[] = [];
    for (let rest = BigInt(seed) < 0n ? -BigInt(seed) : BigInt(seed); rest > 0n; rest >>= 32n)
      key.push(Number(rest & 0xffffffffn));
    this.mt = new Mt19937().seedByArray(key.length > 0 ? key : [0]);
  }

  uint32(): number {
    return this.mt.uint32();
  }

  /** `random.shuffle(x)`, in place. Takes the upper bits of each draw, as many as n has, and rejects what is not below n. */
  shuffle(x: Shuffled): void {
    shuffle(x, (n) => {
      let draw: number;
      do draw = this.mt.uint32() >>> Math.clz32(n);
      while (draw >= n);
      return draw;
    });
  }
}
