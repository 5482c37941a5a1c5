/**
 * Functions whose bits the language leaves to the engine (Math.cos, Math.pow), from additions and products alone, which it does not:
 * learning rates must be the same numbers everywhere, or runs are not.
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
