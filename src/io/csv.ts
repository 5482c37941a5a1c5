/** A line of CSV (RFC 4180); what is missing is an empty cell. */
export const csvLine = (cells: readonly (string | number | undefined)[]): string =>
  `${cells.map((cell) => csvCell(String(cell ?? ""))).join(",")}\n`;

const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The number with the fewest digits that is x in f32: 7.2, not 7.199999809265137. */
export function shortest(x: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === Math.fround(x)) return short;
  }
  return Number.isFinite(x) ? Number(x.toPrecision(9)) : x;
}
