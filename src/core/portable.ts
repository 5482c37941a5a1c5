/**
 * Functions whose bits the language leaves to the engine (Math.cos, Math.pow), from additions and products alone, which it does not:
 * learning rates and generated data must be the same numbers everywhere, or runs are not.
 */

/** xⁿ for a whole n ≥ 0 by squaring. */
export function powInt(x: number, n: number): number {
  let result = 1;
  for (let base = x, rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= base;
    base *= base;
  }
  return result;
}

/** xᵖ; only powers that are not whole are left to the engine. */
export const pow = (x: number, p: number): number => (Number.isInteger(p) && p >= 0 ? powInt(x, p) : x ** p);

/** cos(πt), within 1e-15: reduced to |t| ≤ ¼ by symmetry, then the Taylor series of cos or sin. */
export function cosPi(t: number): number {
  let u = Math.abs(t) % 2;
  if (u > 1) u = 2 - u;
  const sign = u > 0.5 ? -1 : 1;
  if (u > 0.5) u = 1 - u;
  return sign * (u <= 0.25 ? series(Math.PI * u, 1, 0) : series(Math.PI * (0.5 - u), Math.PI * (0.5 - u), 1));
}

/** first − first·x²/((o + 1)(o + 2)) + …: cos for order o = 0 and first = 1, sin for o = 1 and first = x. */
function series(x: number, first: number, order: number): number {
  let sum = first;
  for (let k = order + 2, term = first; k < order + 24; k += 2) {
    term *= (-x * x) / (k * (k - 1));
    sum += term;
  }
  return sum;
}

/** sin(πt), within 1e-15. */
export const sinPi = (t: number): number => cosPi(t - 0.5);

/** 2ᵏ at k + 540. */
const POWERS_OF_TWO = Float64Array.from({ length: 1054 }, (_, i) =>
  i < 540 ? powInt(0.5, 540 - i) : powInt(2, i - 540),
);

/** ln 2 as a sum whose first part ends in 21 zero bits: its product with a whole number below 2²¹ is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** 1/n! for n = 0 … 13. */
const INVERSE_FACTORIALS = Array.from({ length: 14 }, (_, n) => {
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  return 1 / factorial;
});

/** eˣ, within 2.5e-16 of its value: x = k·ln 2 + y, |y| ≤ ½ ln 2, then the Taylor series. */
export function exp(x: number): number {
  if (!(x > -745.2)) return x <= -745.2 ? 0 : Number.NaN;
  if (x > 709.79) return Number.POSITIVE_INFINITY;
  const k = Math.round(x * Math.LOG2E);
  const y = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = INVERSE_FACTORIALS[13];
  for (let n = 12; n >= 0; n--) sum = sum * y + INVERSE_FACTORIALS[n];
  // 2ᵏ in two factors: alone it is too large or too small for a double where the result is not.
  const half = k >> 1;
  return sum * POWERS_OF_TWO[half + 540] * POWERS_OF_TWO[k - half + 540];
}

/** Chebyshev coefficients of (1 + 2x)·e^(x²)·erfc(x) in t = (x − 3.75)/(x + 3.75), computed with 40 digits. */
const ERFCX = [
  1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189, -0.026658668435305753,
  0.009074997670705265, -0.002413163540417608, 0.0004907758365258086, -6.916973302501207e-5, 4.13902798607301e-6,
  7.74038306619849e-7, -2.1886401049234397e-7, 1.076499946567091e-8, 4.521959811218287e-9, -7.754400208831351e-10,
  -6.318088340886684e-11, 2.86879501093067e-11, 1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14,
  3.3478119482868056e-14, -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17,
];

/** e^(x²)·erfc(x) for x ≥ 0, within 1e-15 of its value; e^(−x²) times it is the complementary error function. */
export function erfcx(x: number): number {
  const t = (2 * (x - 3.75)) / (x + 3.75);
  let b = 0;
  let last = 0;
  for (let j = ERFCX.length - 1; j > 0; j--) {
    const next = t * b - last + ERFCX[j];
    last = b;
    b = next;
  }
  return ((t / 2) * b - last + ERFCX[0]) / (1 + 2 * x);
}
