import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const ELEMENTS = ["Fe", "O", "Na", "Cl", "Mg", "Si", "Al", "Ti", "Cu", "Zn"];
export const ROWS = 60;

/** Row i of tables that have something to learn: a formula, two numbers, a kind, and what follows from them. */
export function row(i: number) {
  const [p, q, n] = [(i * 7) % 10, (i * 3 + 1) % 10, 1 + (i % 4)];
  const formula = p === q ? ELEMENTS[p] : `${ELEMENTS[p]}${n}${ELEMENTS[q]}`;
  const [a, b] = [((i * 37) % 60) / 60, ((i * 53 + 11) % 60) / 60];
  const kind = ["red", "green", "blue, light"][i % 3];
  const strength = (p * n + q) / (n + 1);
  const phase = a > 0.6 ? "α" : b > 0.5 ? "beta" : "gamma, mixed";
  return { id: `s${i}`, formula, a, b, kind, strength, y: 2 * a - b + (i % 3), phase, metal: strength > 4.5 ? 1 : 0 };
}

export type Column = keyof ReturnType<typeof row>;

const cell = (value: string | number): string => (String(value).includes(",") ? `"${value}"` : String(value));

/** CSV of the given columns; `change` edits single rows, `rename` the header. */
export function csv(
  columns: readonly Column[],
  options: {
    rows?: number;
    change?: Record<number, Partial<Record<Column, string | number>>>;
    rename?: Partial<Record<Column, string>>;
  } = {},
): string {
  const { rows = ROWS, change = {}, rename = {} } = options;
  const lines = [columns.map((c) => rename[c] ?? c).join(",")];
  for (let i = 0; i < rows; i++) {
    const values = { ...row(i), ...change[i] };
    lines.push(columns.map((c) => cell(values[c] ?? "")).join(","));
  }
  return `${lines.join("\n")}\n`;
}

/** The tables that most tests use: alloys.csv(.gz, .jsonl), numbers.csv, phases.csv, metals.csv. */
export function writeTables(folder: string): void {
  const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content);
  const alloys = csv(["id", "formula", "strength"]);
  write("alloys.csv", alloys);
  write("alloys.csv.gz", gzipSync(alloys));
  const lines = Array.from({ length: ROWS }, (_, i) => {
    const { id, formula, strength } = row(i);
    return `${JSON.stringify({ id, formula, strength })}\n`;
  });
  write("alloys.jsonl", lines.join(""));
  write("new.csv", csv(["id", "formula"]));
  write("numbers.csv", csv(["id", "a", "b", "kind", "y"]));
  write("phases.csv", csv(["id", "a", "b", "phase"]));
  write("metals.csv", csv(["id", "formula", "metal"]));
}

/** A run of a second or less. */
export const QUICK = ["--epochs", "3", "--hidden", "8", "--threads", "1"];
