import { UserError } from "../core/errors.ts";
import { ID_NAMES, settle } from "./columns.ts";
import { cellText, isMissing, parseNumber, readCsvRows } from "./csv.ts";
import { content, type FileSet, type NamedFile } from "./fileSet.ts";
import type { JsonCells } from "./jsonl.ts";
import { openChunks } from "./open.ts";
import { readStructures } from "./structureFiles.ts";
import { only } from "./structureRecord.ts";
import { type CrystalOptions, type Crystals, withStructures } from "./structureRows.ts";
import { Table } from "./table.ts";

export const FILE_NAMES = ["file", "filename", "file_name", "path", "cif_file", "structure_file"];
export const isIdProp = (name: string) => /(?:^|[/\\])id_prop\.csv(?:\.gz)?$/i.test(name);
export const ADD_TARGETS = "Add id_prop.csv: a line id,value for each structure file, without a header.";

/** A CSV none of whose columns names structure files. */
export class NoLink extends UserError {}

/** Rows of a CSV, and for each the structure file that it names. */
export async function openLinked(all: FileSet, csv: NamedFile, options: CrystalOptions): Promise<Crystals> {
  const set = all.around(csv);
  const file = csv.label;
  const data = readCsvRows(openChunks(content(csv), { file }), { file, delimiter: options.delimiter });
  const first: JsonCells[] = [];
  for (let next = await data.next(); !next.done; next = await data.next()) if (first.push(next.value) > SAMPLE) break;
  if (first.length === 0) throw new UserError(`${file} is empty.`, ADD_TARGETS);
  const named = !isData(first, set, options);
  const names = named ? first[0].cells.map((name) => String(name).trim()) : namesFor(first[0].cells.length, options);
  const sample = named ? first.slice(1) : first;
  const link = linkColumn(names, sample, set, options);
  if (link < 0 && !isIdProp(csv.name)) {
    await data.return(undefined);
    throw new NoLink(`${file}: no column names structure files in ${set.label}.`, ADD_TARGETS);
  }
  const column = Math.max(link, 0);
  const isId = (name: string) => ID_NAMES.includes(name.toLowerCase());
  const id = options.id ?? (isId(names[column]) ? names[column] : (names.find(isId) ?? names[column]));
  async function* rows(): AsyncGenerator<JsonCells> {
    try {
      yield { line: first[0].line, cells: names };
      yield* sample;
      yield* data;
    } finally {
      await data.return(undefined);
    }
  }
  const table = await settle(file, rows(), { ...options, id }, names[column] === id ? [] : [names[column]]);
  const structure = async ({ line, cells }: JsonCells) => {
    const found = set.find(cellText(cells[column]) ?? "", `${file}:${line}`);
    return only(await readStructures(content(found), { file: found.label }), found.label);
  };
  return {
    table: { ...table, rows: withStructures(table.rows, structure) },
    finish: (done) => new Table({ ...done, unused: [...done.unused, ...set.unused] }),
  };
}

/** Rows of a CSV that are looked at to tell a header, and which column names files. */
const SAMPLE = 20;

/** Whether the first record is data already, as in CGCNN's files, and no header. */
function isData([first, second]: readonly JsonCells[], set: FileSet, { target, id }: CrystalOptions): boolean {
  const cells = first.cells.map((cell) => String(cell).trim());
  if (cells.some((cell) => set.has(cell))) return true;
  const known = new Set([...ID_NAMES, ...FILE_NAMES, "target", "targets", "name", ...[target ?? [], id ?? []].flat()]);
  if (cells.some((cell) => known.has(cell) || known.has(cell.toLowerCase()))) return false;
  const isNumber = (cell: unknown) =>
    isMissing(String(cell).trim(), "numbers") || parseNumber(String(cell).trim()) !== undefined;
  return !(cells.length > 1 && second && !isNumber(cells[1]) && isNumber(second.cells[1]));
}

/** id, target, column 3, …; a single column besides the id is called as it is asked for. */
function namesFor(width: number, { target }: CrystalOptions): string[] {
  const label = width === 2 && typeof target === "string" ? target : "target";
  return Array.from({ length: width }, (_, i) => ["id", label][i] ?? `column ${i + 1}`);
}

/** The column whose texts name files: one called so, the ids, or any; -1 where none does. */
function linkColumn(
  names: readonly string[],
  sample: readonly JsonCells[],
  set: FileSet,
  { id }: CrystalOptions,
): number {
  const rank = (name: string) => {
    if (FILE_NAMES.includes(name.toLowerCase())) return 0;
    return name === id ? 1 : ID_NAMES.includes(name.toLowerCase()) ? 2 : 3;
  };
  const order = [...names.keys()].sort((a, b) => rank(names[a]) - rank(names[b]) || a - b);
  return order.find((i) => sample.some(({ cells }) => set.has(String(cells[i]).trim()))) ?? -1;
}
