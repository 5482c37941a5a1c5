/** Rows as the text of a CSV file (RFC 4180); what is missing is an empty cell. */
export const csvText = (rows: readonly (readonly (string | number | undefined)[])[]): string =>
  rows.map((cells) => `${cells.map((cell) => csvCell(String(cell ?? ""))).join(",")}\n`).join("");

const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
