import { open } from "node:fs/promises";
import { UserError } from "../core/errors.ts";
import { isMissing, parseNumber, readCsvRows } from "../data/csv.ts";
import { readJsonCells } from "../data/jsonl.ts";
import { isJson, openChunks, peek } from "../data/open.ts";
import { fileError } from "../io/files.ts";

/** Whether the file is called or begins as a safetensors file: a header's length, then JSON. */
export async function isSafetensors(file: string): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(9), 0, 9, 0);
      if (file.endsWith(".safetensors")) return true;
      return bytesRead === 9 && buffer[7] === 0 && buffer[6] === 0 && buffer[8] === 0x7b;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(file, error);
  }
}

/** Rows and columns of a table: for each column whether it is numeric, its range or some values, and how much is missing. */
export async function tableInfo(file: string): Promise<Record<string, unknown>> {
  const { head, chunks } = await peek(openChunks(file), 64);
  const rows = isJson(file, head) ? readJsonCells(chunks, { file }) : readCsvRows(chunks, { file });
  let columns: Column[] = [];
  let count = -1; // the first is the header
  for await (const { cells } of rows) {
    if (++count === 0) columns = cells.map((name) => new Column(String(name).trim()));
    else for (let i = 0; i < columns.length; i++) columns[i].add(cells[i]);
  }
  if (count < 0) throw new UserError(`${file} is empty.`);
  return { file, kind: "table", rows: count, columns: columns.map((column) => column.summary) };
}

/** What is said of a column: added cell by cell. */
export class Column {
  private rows = 0;
  private missing = 0;
  private numbers = 0;
  private min = Infinity;
  private max = -Infinity;
  private readonly examples = new Set<string>();

  constructor(private readonly name: string) {}

  add(cell: unknown): void {
    this.rows++;
    const text = typeof cell === "object" && cell !== null ? JSON.stringify(cell) : String(cell ?? "").trim();
    if (isMissing(text, "categories")) {
      this.missing++;
      return;
    }
    const value = parseNumber(text);
    if (value !== undefined) {
      this.numbers++;
      this.min = Math.min(this.min, value);
      this.max = Math.max(this.max, value);
    }
    if (this.examples.size < 3) this.examples.add(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  }

  get summary(): { name: string; content: string; missing: string } {
    const { name, rows, missing, numbers, min, max, examples } = this;
    let content = `text, e.g. ${[...examples].join(" | ")}`;
    if (rows === missing) content = "empty";
    else if (numbers + missing === rows) content = min === max ? `numbers, all ${min}` : `numbers ${min} … ${max}`;
    return { name, content, missing: missing > 0 ? `${missing} missing` : "" };
  }
}
