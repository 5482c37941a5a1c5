const minus = (text: string): string => text.replace("-", "−");

/** A number of a window: whole where it is, else with three digits or so. */
export function short(exact: number): string {
  // Sums of whole numbers are off by f32's last digits.
  const whole = Math.round(exact);
  const value = Math.abs(exact - whole) < 1e-3 ? whole : exact;
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 100_000) return minus(String(value));
  if (size >= 100_000) return minus(value.toExponential(1));
  return minus(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2));
}

export const percent = (share: number): string => `${Math.round(100 * share)} %`;

export const many = (n: number): string => n.toLocaleString("en");

/** The index of the largest, the first of equals. */
export function likeliest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
