import type { NumpyRandom } from "../core/numpyRandom.ts";
import { cosPi, exp, sinPi } from "../core/portable.ts";
import { between } from "./field.ts";

/**
 * A photograph of a field [size, size]: out of focus, positive or negative (bright or dark field), with a contrast, a brightness, a gradient of the
 * illumination and noise of its own. All are drawn alike whatever the field, whose own mean and scale are removed first.
 *
 * @returns   [size, size] bytes
 */
export function micrograph(field: Float64Array, size: number, random: NumpyRandom): Uint8Array {
  const blurred = blur(field, size, between(random, 0.4, 0.9));
  const { mean, std } = moments(blurred);
  const contrast = between(random, 26, 44) * (random.integer(2) === 0 ? 1 : -1);
  const brightness = between(random, 105, 150);
  const direction = 2 * random.random();
  const slope = between(random, 0, 40) / size;
  const [gx, gy] = [slope * cosPi(direction), slope * sinPi(direction)];
  const noise = between(random, 2, 9);
  const middle = (size - 1) / 2;
  const bytes = new Uint8Array(size * size);
  for (let i = 0; i < bytes.length; i++) {
    const column = i % size;
    const row = (i - column) / size;
    const light = brightness + gx * (column - middle) + gy * (row - middle);
    const value = light + (contrast * (blurred[i] - mean)) / std + noise * random.normal();
    bytes[i] = Math.max(0, Math.min(255, Math.round(value)));
  }
  return bytes;
}

/** Convolution with a Gaussian of standard deviation sigma < 1, px, cut at 3 px; the edges repeat. */
function blur(x: Float64Array, size: number, sigma: number): Float64Array {
  const weights = Array.from({ length: 4 }, (_, k) => exp((-k * k) / (2 * sigma * sigma)));
  const total = weights[0] + 2 * (weights[1] + weights[2] + weights[3]);
  const [w0, w1, w2, w3] = weights.map((weight) => weight / total);
  let from = x;
  for (const [along, across] of [
    [1, size],
    [size, 1],
  ]) {
    const to = new Float64Array(x.length);
    const last = (size - 1) * along;
    for (let line = 0; line < size; line++)
      for (let at = 0, start = line * across; at <= last; at += along) {
        const pair = (k: number) =>
          from[start + Math.max(0, at - k * along)] + from[start + Math.min(last, at + k * along)];
        to[start + at] = w0 * from[start + at] + w1 * pair(1) + w2 * pair(2) + w3 * pair(3);
      }
    from = to;
  }
  return from;
}

function moments(x: Float64Array): { mean: number; std: number } {
  const mean = x.reduce((a, b) => a + b) / x.length;
  const squares = x.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, std: Math.sqrt(squares / x.length) };
}
