import { UserError } from "../core/errors.ts";
import { FORMULA_NAMES, ID_NAMES, settle } from "./columns.ts";
import { cellText, readCsvRows } from "./csv.ts";
import { FileSet, fromFolder, fromList, fromZip, isCsv, type NamedFile } from "./fileSet.ts";
import { type JsonCells, readJsonCells } from "./jsonl.ts";
import { ADD_TARGETS, FILE_NAMES, isIdProp, NoLink, openLinked } from "./linkedTable.ts";
import { isMatbench, readMatbenchCells } from "./matbench.ts";
import { isJson, openChunks, peek, quote, type Source, sourceName, unknownName } from "./open.ts";
import type { Structure } from "./structure.ts";
import { detectFormat, FORMATS, formatOf, HEAD, isStructureFile, readAll, readStructures } from "./structureFiles.ts";
import { only, structureFields, structureFromRecord } from "./structureRecord.ts";
import {
  type CrystalOptions,
  type Crystals,
  readFiles,
  readFrames,
  structureRows,
  withFirst,
  withStructures,
} from "./structureRows.ts";
import { collect, inBatches, type Table } from "./table.ts";
import { isZip } from "./zip.ts";

export type { CrystalOptions };

/** A folder's path, a file or archive of any kind below, or several files: paths, or what a browser's page was given. */
export type CrystalSource = Source | readonly (string | File)[];

/**
 * A table whose rows have structures; columns, ids, targets and missing values mean what they do in `readTable`, and formulas are
 * those of the structures unless there is a column of them. Sources:
 *
 * - a folder, zip archive or set of files with `id_prop.csv` (id,target without a header, as CGCNN has it; two columns take any
 *   name of a target; a header is recognised) and a structure file for each id, see `FileSet.find`; instead of id_prop.csv, the only
 *   CSV there, if one of its columns names the files. Structure files without a row are listed in `unused`.
 * - the same without a CSV: a row for each structure, its id the file's name
 * - JSON lines or JSON, one record for each structure: lattice, species and frac (or positions in Å), or `structure` (pymatgen), or
 *   `cif` (text); further fields are columns. Also Matbench's files, row by row.
 * - CSV with a column `cif` of CIF text, or `file` (filename, path, cif_file) of files beside it
 * - extended xyz: a row for each frame, its columns are the keys of the first frame, such as energy
 *
 * @throws UserError naming file, line, id, field and the offending text
 */
export async function readCrystals(source: CrystalSource, options: CrystalOptions = {}): Promise<Table> {
  const { table, finish } = await openCrystals(source, options);
  return finish(await collect(table, options));
}

/**
 * The same without targets, in tables of `batch` rows each (less the dropped ones): memory does not grow with the number of
 * structures. Ids may repeat.
 */
export async function* readCrystalRows(
  source: CrystalSource,
  { batch = 256, ...options }: CrystalOptions & { batch?: number } = {},
): AsyncGenerator<Table> {
  const { table } = await openCrystals(source, options);
  yield* inBatches(table, { ...options, batch });
}

/**
 * Whether `readCrystals` is the reader for it, rather than `readTable`: a folder, several files, an archive, a structure file, or
 * a table with a column of structures.
 */
export async function hasStructures(source: string | Blob | Uint8Array | readonly (string | File)[]): Promise<boolean> {
  if (Array.isArray(source) || (typeof source === "string" && (await fromFolder(source)))) return true;
  const file = sourceName(source as Source);
  const { kind, chunks } = await recognise(source as Source, file);
  if (kind === "zip" || kind === "frames" || kind === "structures") {
    await chunks.return(undefined);
    return true;
  }
  const rows = readRecords(kind, chunks, file, {});
  try {
    const names = ((await rows.next()).value as JsonCells | undefined)?.cells.map((name) => String(name).trim()) ?? [];
    const first = (await rows.next()).value as JsonCells | undefined;
    const link = names.findIndex((name) => FILE_NAMES.includes(name.toLowerCase()));
    const linked = link >= 0 && isStructureFile(cellText(first?.cells[link]) ?? "");
    return structureFields(names) !== undefined || linked || isIdProp(file);
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  } finally {
    await rows.return(undefined);
  }
}

/** The rows of a source, not read yet. */
export async function openCrystals(source: CrystalSource, options: CrystalOptions): Promise<Crystals> {
  const several = Array.isArray(source) && source.length !== 1;
  if (several) return openSet(fromList(source as readonly (string | File)[]), options);
  const one = (Array.isArray(source) ? source[0] : source) as Source;
  const folder = typeof one === "string" ? await fromFolder(one) : undefined;
  if (folder) return openSet(folder, options);
  const { file = sourceName(one) } = options;
  if (typeof one === "string" && isIdProp(one)) {
    const { dirname, basename } = await import("node:path");
    const beside = await fromFolder(dirname(one));
    const csv = beside?.files.find(({ name }) => name === basename(one));
    if (beside && csv) return openLinked(beside, csv, options);
  }
  const { kind, chunks } = await recognise(one, file);
  if (kind === "zip") return openSet(fromZip(await readAll(chunks, file), file), options);
  if (kind === "frames")
    return openRows(
      file,
      structureRows(readFrames(chunks, file)),
      options,
      "Write it into the frames' second lines, e.g. energy=-3.5",
    );
  if (kind === "structures") {
    const set = new FileSet(
      file,
      [{ name: ownName(file), label: file, source: (await readAll(chunks, file)) as Uint8Array }],
      "",
      () => true,
    );
    return openRows(file, structureRows(readFiles(set.structures)), options);
  }
  return openRecords(kind, chunks, one, options);
}

type Kind = "zip" | "frames" | "structures" | "matbench" | "json" | "csv";

async function recognise(source: Source, file: string): Promise<{ kind: Kind; chunks: AsyncGenerator<Uint8Array> }> {
  const { head, chunks } = await peek(openChunks(source, { file }), HEAD);
  const text = new TextDecoder().decode(head.subarray(0, HEAD));
  const named = formatOf(file);
  const format = named === undefined || named === "json" || named === "zip" ? detectFormat(text) : named;
  const kind = (): Kind => {
    if (isZip(head)) return "zip";
    if (format === "xyz") return "frames";
    if (format === "cif" || format === "poscar") return "structures";
    if (isMatbench(head)) return "matbench";
    if (!isJson(file, head)) return "csv";
    return named === "json" && isWholeObject(text) ? "structures" : "json";
  };
  return { kind: kind(), chunks };
}

/** Whether JSON text is one object over several lines, not lines of objects. */
function isWholeObject(text: string): boolean {
  const [first, ...rest] = text.trimStart().split("\n");
  if (!first.startsWith("{") || rest.length === 0) return false;
  try {
    JSON.parse(first);
    return false;
  } catch {
    return true;
  }
}

function readRecords(
  kind: Kind,
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  { delimiter, numeric, skipBad }: CrystalOptions,
): AsyncGenerator<JsonCells> {
  if (kind === "matbench") return readMatbenchCells(chunks, { file, structures: true });
  if (kind === "json") return readJsonCells(chunks, { file, skipBad, closed: numeric?.includes("*") });
  return readCsvRows(chunks, { file, delimiter });
}

/** What a lone file is called: a for x/a.cif and for x/a/POSCAR. */
function ownName(path: string): string {
  const parts = path.split(/[\\/]/);
  return /^(?:POSCAR|CONTCAR)(?:\.gz)?$/i.test(parts.at(-1)!) ? parts.slice(-2).join("/") : parts.at(-1)!;
}

/** A table with a column of structures, or of the names of files. */
async function openRecords(kind: Kind, chunks: AsyncIterable<Uint8Array>, source: Source, options: CrystalOptions) {
  const { file = sourceName(source) } = options;
  const rows = readRecords(kind, chunks, file, options);
  const header = await rows.next().catch((error: unknown) => {
    // What no name says to be a table was only taken for one for want of anything else.
    const table = kind !== "csv" || /\.[ct]sv(?:\.gz)?$/i.test(file);
    throw table || !(error instanceof UserError) ? error : new UserError(`${file} is no structure file.`, FORMATS);
  });
  if (header.done) throw new UserError(`${file} is empty.`);
  const names = header.value.cells.map((name) => String(name).trim());
  const fields = structureFields(names);
  const link = names.findIndex((name) => FILE_NAMES.includes(name.toLowerCase()));
  if (!fields && link < 0) {
    await rows.return(undefined);
    const alone = names.some((name) => FORMULA_NAMES.includes(name.toLowerCase()))
      ? "A formula does not say where the atoms are; models of compositions (mlp) learn from such tables. "
      : "";
    throw new UserError(
      `${file} holds no structures: its columns are ${names
        .slice(0, 12)
        .map((name) => quote(name, 40))
        .join(", ")}${names.length > 12 ? ", …" : ""}.`,
      `${alone}Expected lattice, species and frac; or structure; or cif; or file; or a folder with id_prop.csv. ${FORMATS}`,
    );
  }
  const used = fields ? Object.values(fields).filter((name) => name !== undefined) : [names[link]];
  const table = await settle(file, withFirst(header.value, rows), options, used);
  const at = (line: number, id: string) => (table.roles.id < 0 ? `${file}:${line}` : `${file}:${line} (${id})`);
  const structure = async ({ line, cells }: JsonCells): Promise<Structure> => {
    const where = at(line, cellText(cells[table.roles.id]) ?? "");
    if (fields)
      return structureFromRecord(Object.fromEntries(names.map((name, i) => [name, cells[i]])), fields, { where });
    const name = cellText(cells[link]) ?? "";
    const { path, label } = await besides(source, name, where);
    return only(await readStructures(path, { file: label }), label);
  };
  return { table: { ...table, rows: withStructures(table.rows, structure) }, finish: (done: Table) => done };
}

/** The path of a file that a table at `source` names. */
async function besides(source: Source, name: string, where: string): Promise<{ path: string; label: string }> {
  if (name === "") throw new UserError(`${where}: no file is named.`);
  if (typeof source !== "string")
    throw new UserError(
      `${where}: the table names the file ${quote(name)}.`,
      "Give the table and its structure files together.",
    );
  const { dirname, isAbsolute, join } = await import("node:path");
  const path = isAbsolute(name) ? name : join(dirname(source), name);
  return { path, label: path };
}

async function openRows(
  file: string,
  rows: AsyncGenerator<JsonCells>,
  options: CrystalOptions,
  add = ADD_TARGETS,
): Promise<Crystals> {
  const header = await rows.next();
  if (header.done) throw new UserError(`${file} is empty.`);
  const names = header.value.cells.map(String);
  const wanted = typeof options.target === "string" ? [options.target] : (options.target ?? []);
  const missing = wanted.find((name) => !names.includes(name));
  if (missing !== undefined) {
    await rows.return(undefined);
    const { message, hint } = unknownName(`${file} has no target column`, missing, names);
    throw new UserError(message.split("\n")[0], names.some((name) => name !== "id") ? hint : add);
  }
  const id =
    options.id ??
    (names.some((name) => ID_NAMES.includes(name.toLowerCase())) ? undefined : names.find((name) => name === "name"));
  const table = await settle(file, withFirst(header.value, rows), { ...options, id });
  return { table, finish: (done) => done };
}

async function openSet(set: FileSet, options: CrystalOptions): Promise<Crystals> {
  const tables = set.files.filter(({ name }) => isCsv(name));
  const depth = ({ name }: NamedFile) => name.split("/").length;
  const idProps = tables.filter(({ name }) => isIdProp(name)).sort((a, b) => depth(a) - depth(b));
  if (idProps.length > 1 && depth(idProps[0]) === depth(idProps[1]))
    throw new UserError(
      `${set.label}: there are ${idProps.map(({ label }) => label).join(" and ")}.`,
      "Give one of these folders.",
    );
  if (idProps.length > 0) return openLinked(set, idProps[0], options);
  if (set.structures.length === 0) {
    const some = set.files.slice(0, 5).map(({ name }) => name);
    const more = set.files.length > 5 ? ", …" : "";
    const tabular = set.files.find(({ name }) => formatOf(name) === "table");
    throw new UserError(
      `${set.label} holds no structure files${some.length > 0 ? `, only ${some.join(", ")}${more}` : "; it is empty"}.`,
      tabular
        ? `If ${tabular.name} is the table, give that file.`
        : `Expected structure files and id_prop.csv with their targets, id,value on each line. ${FORMATS}`,
    );
  }
  if (tables.length === 1) {
    const linked = await openLinked(set, tables[0], options).catch((error: unknown) => {
      if (error instanceof NoLink) return error;
      throw error;
    });
    if (!(linked instanceof NoLink)) return linked;
    if (options.target !== undefined) throw linked;
  }
  return openRows(set.label, structureRows(readFiles(set.structures)), options);
}
