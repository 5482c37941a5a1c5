/** ln 2 as a sum whose first part ends in 21 zero bits: its product with an exponent is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

const float = new Float64Array(1);
/** The double's two words, low first: WebAssembly runs on little-endian machines only, and so does spinel. */
const words = new Uint32Array(float.buffer);

/** 2/(2k + 1) for k = 0 … 10: the series of ln((1 + s)/(1 − s)) in s², without its s. */
const SERIES = Float64Array.from({ length: 11 }, (_, k) => 2 / (2 * k + 1));

/**
 * ln x by additions, products and a quotient alone, because Math.log has other bits on other engines: x = 2ᵏ·m with √½ ≤ m < √2,
 * then ln m = 2 artanh((m − 1)/(m + 1)) by its series. Within 2e-16 of its value, relatively.
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  let k = 0;
  float[0] = x;
  if (x < 2 ** -1022) {
    float[0] = x * 2 ** 54;
    k = -54;
  }
  k += (words[1] >>> 20) - 1023;
  words[1] = (words[1] & 0xfffff) | 0x3ff00000;
  let m = float[0];
  if (m >= Math.SQRT2) {
    m /= 2;
    k++;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  let sum = SERIES[10];
  for (let n = 9; n > 0; n--) sum = sum * z + SERIES[n];
  // 2s = f − sf exactly: written so, the leading term f carries no rounding.
  return k * LN2_HIGH + (f - (s * (f - z * sum) - k * LN2_LOW));
}
