import type { NumpyRandom } from "../core/numpyRandom.ts";
import { powInt } from "../core/portable.ts";
import { Fft2, powerOfTwo } from "./fft.ts";
import { between, crop, type Field } from "./field.ts";

/**
 * A Gaussian random field [size, size] with the amplitudes (1 + ξ²k²)^(−order/2), that is, Matérn's covariance of smoothness
 * order − 1: rough boundaries at all lengths below ξ, no wavelength of its own.
 *
 * @param length   ξ, px
 * @see Matérn, Spatial Variation (1960)
 */
export function gaussianField(size: number, length: number, order: number, random: NumpyRandom): Float64Array {
  const fft = new Fft2(powerOfTwo(size));
  const re = Float64Array.from(fft.waves, () => random.normal());
  const im = new Float64Array(re.length);
  fft.forward(re, im);
  for (let i = 0; i < re.length; i++) {
    const amplitude = powInt(1 / Math.sqrt(1 + length * length * fft.waves[i]), order);
    re[i] *= amplitude;
    im[i] *= amplitude;
  }
  fft.inverse(re, im);
  return crop(re, fft.n, size);
}

/**
 * A porous solid: a Gaussian random field, pore where it lies below the level that gives the porosity drawn (to one pixel).
 *
 * @see Joshi, PhD thesis, Kansas (1974); Quiblier, J. Colloid Interface Sci. 98, 84 (1984); Teubner, Europhys. Lett. 14, 403 (1991)
 */
export function porous(size: number, random: NumpyRandom): Field {
  const porosity = between(random, 0.15, 0.55);
  const order = 2 + random.integer(3);
  const correlationLength = between(random, 1.5, 3.5) * (order === 2 ? 1.6 : 1);
  const field = gaussianField(size, correlationLength, order, random);
  const level = Float64Array.from(field).sort()[Math.round(porosity * field.length)];
  const values = field.map((x) => (x < level ? 0 : 1));
  return { values, facts: { porosity: 1 - values.reduce((a, b) => a + b) / values.length, correlationLength, order } };
}
