/** With a real minus sign. */
export const fixed = (value: number): string => value.toFixed(3).replace("-", "−");

/** The number with the fewest digits that is x in f32: 7.2, not 7.199999809265137. */
export function shortest(x: number): number {
  for (let digits = 6; digits < 9; digits++)
    if (Math.fround(Number(x.toPrecision(digits))) === Math.fround(x)) return Number(x.toPrecision(digits));
  return Number(x.toPrecision(9));
}
