/** A number on the drawing: with at most two decimals, and a real minus sign. */
export function short(exact: number): string {
  const size = Math.abs(exact);
  if (size >= 100_000) return exact.toExponential(1).replace("-", "−").replace("e+", "e");
  const text = exact.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : 2);
  return (text.includes(".") ? text.replace(/\.?0+$/, "") : text).replace(/^-0$/, "0").replace("-", "−");
}

export const percent = (share: number): string => `${Math.round(100 * share)} %`;

export const many = (n: number): string => n.toLocaleString("en");
