import type { ModelCard } from "../train/predictor.ts";

/** What a table of predictions has of a model: the number, or the likeliest class and the probabilities of all. */
export function predictionColumns({ task, target }: ModelCard): string[] {
  const predicted = `predicted ${target.name}`;
  return task.kind === "classification" ? [predicted, ...task.classes.map((c) => `probability ${c}`)] : [predicted];
}

/** One row's cells in these columns, from the model's outputs for it. */
export function predictionCells({ task }: ModelCard, outputs: ArrayLike<number>): (string | number)[] {
  const values = Array.from(outputs, shortest);
  if (task.kind === "regression") return values;
  return [task.classes[values.indexOf(Math.max(...values))], ...values];
}

/** The number with the fewest digits that is x in f32: 7.2, not 7.199999809265137. */
export function shortest(x: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === Math.fround(x)) return short;
  }
  return Number.isFinite(x) ? Number(x.toPrecision(9)) : x;
}

/** A line of CSV (RFC 4180). */
export const csvLine = (cells: readonly (string | number)[]): string =>
  `${cells.map((cell) => csvCell(String(cell))).join(",")}\n`;

const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
