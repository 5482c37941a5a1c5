import { open } from "node:fs/promises";
import { isMissing, parseNumber, readCsvRows } from "../data/csv.ts";
import { readJsonCells } from "../data/jsonl.ts";
import { isJson, openChunks, peek } from "../data/open.ts";
import { fileError } from "../io/files.ts";

/** Whether the file begins as a safetensors file: a header length, then JSON. */
export async function isSafetensors(file: string): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(9), 0, 9, 0);
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
  let names: string[] | undefined;
  let count = 0;
  let columns: { missing: number; numbers: number; min: number; max: number; values: Set<string> }[] = [];
  for await (const { cells } of rows) {
    if (!names) {
      names = cells.map(String);
      columns = names.map(() => ({ missing: 0, numbers: 0, min: Infinity, max: -Infinity, values: new Set<string>() }));
      continue;
    }
    count++;
    cells.forEach((cell, i) => {
      const column = columns[i];
      const text = cell === null || cell === undefined ? "" : String(cell);
      const value = parseNumber(text);
      if (isMissing(text, "categories")) column.missing++;
      else if (value !== undefined) {
        column.numbers++;
        column.min = Math.min(column.min, value);
        column.max = Math.max(column.max, value);
      }
      if (column.values.size < 5) column.values.add(text);
    });
  }
  return {
    file,
    kind: "table",
    rows: count,
    columns: (names ?? []).map((name, i) => {
      const { missing, numbers, min, max, values } = columns[i];
      const content =
        numbers > 0 && numbers + missing === count
          ? `numbers ${min} … ${max}`
          : `text, e.g. ${[...values].slice(0, 3).join(" | ")}`;
      return { name, content, missing: missing ? `${missing} missing` : "" };
    }),
  };
}
