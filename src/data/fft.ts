import { cosPi, sinPi } from "../core/portable.ts";

/** The least power of two that is not below `size`. */
export function powerOfTwo(size: number): number {
  let n = 1;
  while (n < size) n *= 2;
  return n;
}

/**
 * The discrete Fourier transform of periodic fields [n, n], n a power of two, in f64 with the same bits on every engine.
 *
 * Spectra keep the order that the butterflies leave (bit-reversed and transposed), which saves two reorderings of each; `waves`
 * has it, too.
 */
export class Fft2 {
  /** |k|² at each place of a spectrum, for pixels of length 1: k = 2πf/n with −n/2 ≤ f < n/2. */
  readonly waves: Float64Array;
  private readonly cos: Float64Array;
  private readonly sin: Float64Array;

  constructor(readonly n: number) {
    this.cos = Float64Array.from({ length: n / 2 }, (_, i) => cosPi((2 * i) / n));
    this.sin = Float64Array.from({ length: n / 2 }, (_, i) => sinPi((2 * i) / n));
    const k = Float64Array.from({ length: n }, (_, place) => {
      let frequency = 0;
      for (let bit = 1, rest = place; bit < n; bit *= 2, rest >>= 1) frequency = 2 * frequency + (rest & 1);
      return (2 * Math.PI * (frequency < n / 2 ? frequency : frequency - n)) / n;
    });
    this.waves = Float64Array.from({ length: n * n }, (_, i) => {
      const [a, b] = [k[Math.floor(i / n)], k[i % n]];
      return a * a + b * b;
    });
  }

  /** X = Σ x·exp(−ik·r), in place. */
  forward(re: Float64Array, im: Float64Array): void {
    for (let axis = 0; axis < 2; axis++) {
      if (axis === 1) this.transpose(re, im);
      for (let half = this.n / 2; half >= 1; half /= 2) this.stage(re, im, half, false);
    }
  }

  /** The inverse of `forward`, in place. */
  inverse(re: Float64Array, im: Float64Array): void {
    for (let axis = 0; axis < 2; axis++) {
      if (axis === 1) this.transpose(re, im);
      for (let half = 1; half < this.n; half *= 2) this.stage(re, im, half, true);
    }
    const scale = 1 / (this.n * this.n);
    for (let i = 0; i < re.length; i++) {
      re[i] *= scale;
      im[i] *= scale;
    }
  }

  /** Butterflies between rows `half` apart, all columns at once: by decimation in frequency, or the inverse undoing them in time. */
  private stage(re: Float64Array, im: Float64Array, half: number, inverse: boolean): void {
    const { n, cos, sin } = this;
    for (let first = 0; first < n; first += 2 * half)
      for (let j = 0; j < half; j++) {
        const c = cos[(j * n) / (2 * half)];
        const s = sin[(j * n) / (2 * half)];
        const end = (first + j + 1) * n;
        for (let p = end - n, q = p + half * n; p < end; p++, q++) {
          const a = re[p];
          const b = im[p];
          if (inverse) {
            const x = re[q] * c - im[q] * s;
            const y = im[q] * c + re[q] * s;
            re[p] = a + x;
            im[p] = b + y;
            re[q] = a - x;
            im[q] = b - y;
          } else {
            const x = a - re[q];
            const y = b - im[q];
            re[p] = a + re[q];
            im[p] = b + im[q];
            re[q] = x * c + y * s;
            im[q] = y * c - x * s;
          }
        }
      }
  }

  private transpose(re: Float64Array, im: Float64Array): void {
    const { n } = this;
    for (let row = 0; row < n; row++)
      for (let column = row + 1; column < n; column++) {
        const p = row * n + column;
        const q = column * n + row;
        const a = re[p];
        const b = im[p];
        re[p] = re[q];
        im[p] = im[q];
        re[q] = a;
        im[q] = b;
      }
  }
}
