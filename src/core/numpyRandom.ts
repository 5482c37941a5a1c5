import { UserError } from "./errors.ts";
import { RandomState } from "./mt19937.ts";
import { log } from "./portableLog.ts";

/** The draws of NumPy's legacy `RandomState` beyond shuffling, from the same stream: published data sets can be drawn again. */
export class NumpyRandom extends RandomState {
  /** The second normal deviate of a pair, kept for the next call whatever is drawn between. */
  private kept: number | undefined;

  /** `random_sample()`: uniform in [0, 1) with 53 bits. */
  random(): number {
    const high = this.uint32() >>> 5;
    return (high * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /** `randint(n)`, and `choice(n)`: a whole number in [0, n), n ≤ 2³². For n = 1 nothing is drawn. */
  integer(n: number): number {
    if (!(Number.isInteger(n) && n > 0 && n <= 2 ** 32))
      throw new UserError(`NumpyRandom.integer: n must be 1 … 2^32, not ${n}.`);
    if (n === 1) return 0;
    const mask = 0xffffffff >>> Math.clz32(n - 1);
    let draw: number;
    do draw = (this.uint32() & mask) >>> 0;
    while (draw >= n);
    return draw;
  }

  /**
   * `standard_normal()` by Marsaglia's polar method, SIAM Review 6, 260 (1964). Its logarithm is ours, the same on every engine;
   * NumPy's may differ in the last bit.
   */
  normal(): number {
    if (this.kept !== undefined) {
      const value = this.kept;
      this.kept = undefined;
      return value;
    }
    let x: number;
    let y: number;
    let square: number;
    do {
      x = 2 * this.random() - 1;
      y = 2 * this.random() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt((-2 * log(square)) / square);
    this.kept = factor * x;
    return factor * y;
  }
}
