import { UserError } from "../core/errors.ts";
import { FORMULA_NAMES, type OpenTable, type TableOptions } from "./columns.ts";
import { FrameCutter, parseFrame } from "./extxyz.ts";
import { content, fileId, type NamedFile } from "./fileSet.ts";
import type { JsonCells } from "./jsonl.ts";
import { decodeText } from "./open.ts";
import type { Structure } from "./structure.ts";
import { readStructures } from "./structureFiles.ts";
import type { Table } from "./table.ts";

export interface CrystalOptions extends TableOptions {
  /**
   * Leave out rows with a mistake (a structure file that is missing or cannot be read, a target that is no number, a missing value)
   * and list them in `dropped`. What makes the table itself doubtful, such as an id that comes twice, stays an error.
   */
  skipBad?: boolean;
}

/** The error about one structure of several, which says that one can do without it. */
function dispensable(error: unknown): UserError {
  if (!(error instanceof UserError)) throw error;
  const [message] = error.message.split("\n");
  return new UserError(
    message,
    error.hint ? `${error.hint} Or leave it out (skipBad).` : "Correct it, or leave it out (skipBad).",
  );
}

/** A table of structures whose columns have their roles. */
export interface Crystals {
  table: OpenTable;
  /** What remains to be said when all rows are read. */
  finish: (table: Table) => Table;
}

/** A structure as a file has it, or why there is none. */
export interface StructureItem {
  line: number;
  id?: string;
  structure?: Structure;
  error?: UserError;
}

/** A row for each structure: its properties, those of the first one; where it has an id of its own, that and no formula. */
export async function* structureRows(items: AsyncIterable<StructureItem>): AsyncGenerator<JsonCells> {
  const early: StructureItem[] = [];
  let names: string[] | undefined;
  const row = ({ line, id, structure, error }: StructureItem): JsonCells => ({
    ...{ line, structure, error },
    cells: names!.map((name, i) => (i === 0 && id !== undefined ? id : structure?.properties[name])),
  });
  for await (const item of items) {
    if (names) yield row(item);
    else if (!item.structure) early.push(item);
    else {
      const keys = Object.keys(item.structure.properties);
      names = item.id === undefined ? keys : ["id", ...keys.filter((key) => !["id", ...FORMULA_NAMES].includes(key))];
      yield { line: item.line, cells: names };
      for (const before of [...early, item]) yield row(before);
    }
  }
  if (!names && early.length > 0) throw early[0].error;
}

/** The frames of an xyz file, from a stream. */
export async function* readFrames(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<StructureItem> {
  const cutter = new FrameCutter(file);
  for await (const text of decodeText(chunks, { file }))
    for (const frame of cutter.push(text)) yield { line: frame.line, ...attempt(() => parseFrame(frame, file)) };
  for (const frame of cutter.end()) yield { line: frame.line, ...attempt(() => parseFrame(frame, file)) };
}

/** Lines count structures. Where a file has several, their ids are name#1, name#2, … */
export async function* readFiles(files: readonly NamedFile[]): AsyncGenerator<StructureItem> {
  let line = 0;
  for (const file of files) {
    try {
      const structures = await readStructures(content(file), { file: file.label });
      const id = fileId(file.name);
      for (const [i, structure] of structures.entries())
        yield { line: ++line, id: structures.length > 1 ? `${id}#${i + 1}` : id, structure };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      yield { line: ++line, error: files.length > 1 ? dispensable(error) : error };
    }
  }
}

function attempt(make: () => Structure): { structure?: Structure; error?: UserError } {
  try {
    return { structure: make() };
  } catch (error) {
    return { error: dispensable(error) };
  }
}

/** `rows`, of which the first was taken already. */
export async function* withFirst(first: JsonCells, rows: AsyncGenerator<JsonCells>): AsyncGenerator<JsonCells> {
  try {
    yield first;
    yield* rows;
  } finally {
    await rows.return(undefined);
  }
}

/** Each row with its structure, or with what is wrong with it. */
export async function* withStructures(
  rows: AsyncIterable<JsonCells>,
  structure: (row: JsonCells) => Promise<Structure>,
): AsyncGenerator<JsonCells> {
  for await (const row of rows) {
    if (row.error) yield row;
    else
      try {
        yield { ...row, structure: await structure(row) };
      } catch (error) {
        yield { ...row, error: dispensable(error) };
      }
  }
}
