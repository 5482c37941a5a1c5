/** 32 pseudo-random bits per call: a counter through an integer mixer, the same sequence for the same seed. */
export function bits(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** The distance of neighbouring f32 at `value`, 2⁻¹⁴⁹ among the denormals. */
export function ulp(value: number): number {
  double[0] = value;
  const exponent = ((words[1] >>> 20) & 0x7ff) - 1023;
  return 2 ** (Math.min(Math.max(exponent, -126), 127) - 23);
}

/**
 * |got − exact| in ulp of `exact`, ∞ taken as 2¹²⁸. Infinity where one is NaN and the other is not, and where `exact` is a
 * zero or an infinity that `got` does not equal, sign included.
 */
export function ulpError(got: number, exact: number): number {
  if (Object.is(got, Math.fround(exact))) return 0;
  if (Number.isNaN(got) || Number.isNaN(exact) || exact === 0 || !Number.isFinite(exact))
    return Number.POSITIVE_INFINITY;
  const finite = Number.isFinite(got) ? got : Math.sign(got) * 2 ** 128;
  return Math.abs(finite - exact) / ulp(exact);
}
