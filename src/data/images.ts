import { UserError } from "../core/errors.ts";
import { readCsvRows } from "./csv.ts";
import { type FileSet, fromFolder, fromList, fromZip, type NamedFile } from "./fileSet.ts";
import { idxName } from "./idx.ts";
import { openIdx } from "./idxTable.ts";
import { openFolder } from "./imageFolder.ts";
import { type ImageOptions, isPicture, type OpenImages, withImages } from "./imageRows.ts";
import { type JsonCells, readJsonCells } from "./jsonl.ts";
import { isIdProp } from "./linkedTable.ts";
import { isJson, openChunks, peek, quote, type Source, sourceName } from "./open.ts";
import { linkColumn, openImageTable } from "./pixelTable.ts";
import { formatOf, isHidden, readAll } from "./structureFiles.ts";
import { collect, inBatches, type Table } from "./table.ts";
import { isZip } from "./zip.ts";

export type { ImageOptions };

/** A folder's path, a file of any kind below, or several files: paths, or what a browser's page was given. */
export type ImageSource = Source | readonly (string | File)[];

/**
 * A table whose rows have images; targets, classes, ids and missing values mean what they do in `readTable`. Sources:
 *
 * - a folder, zip archive or set of files with a folder for each class, `class/a.png`: the target is "class", the classes are sorted
 *   and ids are the files' names. Hidden files are passed over, others are listed in `unused`.
 * - the same without such folders, or one picture: rows without a target
 * - IDX, gzipped or not: images [n, h, w] or [n, c, h, w], signals [n, length]; labels beside it, see `openIdx`; the target is called
 *   as the file of labels is
 * - CSV of pixels: a column for each pixel, row by row, with or without a header, and a target, if it is not named then the column
 *   label (labels, class, …), or the first one where the others make a square; whole numbers 0 … 255 are bytes, others f32
 * - CSV, JSON lines or JSON with a column image (picture, file, …) of PNG or JPEG files, relative to the table
 *
 * Targets of folders, of IDX files of bytes and of columns called label are classes even where they are numbers.
 *
 * @throws UserError naming file, line and what is wrong
 */
export async function readImages(source: ImageSource, options: ImageOptions = {}): Promise<Table> {
  const open = await openImages(source, options, true);
  return withImages(await collect(open.table, open.options), open);
}

/**
 * The same without targets, in tables of `batch` rows each (less the dropped ones): memory does not grow with the number of pictures.
 * Pictures in folders of any depth are read, and ids may repeat.
 */
export async function* readImageRows(
  source: ImageSource,
  { batch = 256, ...options }: ImageOptions & { batch?: number } = {},
): AsyncGenerator<Table> {
  const open = await openImages(source, options, false);
  for await (const table of inBatches(open.table, { ...open.options, batch })) yield withImages(table, open);
}

/**
 * Whether `readImages` is the reader for a path, at a glance: a picture, an IDX file, a folder of these or of folders of pictures
 * (unless structure files lie in it), or a CSV with a column of pictures. A CSV of pixels cannot be told from other tables.
 */
export async function hasImages(path: string): Promise<boolean> {
  const { readdir, stat } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const info = await stat(path).catch(() => undefined);
  if (!info) return false;
  if (!info.isDirectory()) return isPicture(path) || isIdx(path) || (await isLinked(path));
  const entries = (await readdir(path, { withFileTypes: true })).filter(({ name }) => !isHidden(name));
  const names = entries.map(({ name }) => name);
  if (names.some((name) => isIdProp(name) || ["cif", "poscar", "xyz"].includes(formatOf(name) ?? ""))) return false;
  if (names.some((name) => isPicture(name) || isIdx(name))) return true;
  for (const entry of entries)
    if (entry.isDirectory() && (await readdir(join(path, entry.name))).some(isPicture)) return true;
  return false;
}

const isIdx = (path: string) =>
  idxName(path.split(/[\\/]/).at(-1)!) !== undefined || /(?:\.idx\d?|-ubyte)(?:\.gz)?$/i.test(path);

async function isLinked(path: string): Promise<boolean> {
  if (!/\.(?:csv|tsv|jsonl|ndjson)(?:\.gz)?$/i.test(path)) return false;
  const rows = readTableRows(openChunks(path), path, new Uint8Array(0), {});
  try {
    const header = (await rows.next()).value as JsonCells | undefined;
    const first = (await rows.next()).value as JsonCells | undefined;
    if (!header || !first) return false;
    return (
      linkColumn(
        header.cells.map((cell) => String(cell).trim()),
        first,
      ) !== undefined
    );
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  } finally {
    await rows.return(undefined);
  }
}

async function openImages(source: ImageSource, options: ImageOptions, targets: boolean): Promise<OpenImages> {
  if (Array.isArray(source) && source.length !== 1) return openList(source, options, targets);
  const one = (Array.isArray(source) ? source[0] : source) as Source;
  const folder = typeof one === "string" ? await fromFolder(one) : undefined;
  if (folder) return openFolder(folder, options, { path: one as string, targets });
  const { file = sourceName(one) } = options;
  const { head, chunks } = await peek(openChunks(one, { file }), HEAD);
  if (isZip(head)) return openFolder(unwrapped(fromZip(await readAll(chunks, file), file)), options, { targets });
  const named = (bytes: Uint8Array): NamedFile => ({ name: file.split(/[\\/]/).at(-1)!, label: file, source: bytes });
  if (head.length >= 4 && head[0] === 0 && head[1] === 0 && head[3] > 0 && head[3] <= 8) {
    const beside = typeof one === "string" ? await neighbours(one) : [];
    return openIdx(named(await readAll(chunks, file)), beside, options, targets);
  }
  if (isTable(file, head)) {
    const rows = readTableRows(chunks, file, head, options);
    return openImageTable(file, rows, options, { find: (name, where) => besides(one, name, where), targets });
  }
  const picture = named(await readAll(chunks, file));
  return openFolder({ label: file, files: [picture] }, options, { explicit: true, targets });
}

/** An archive of a folder with the classes in it, folder/class/a.png, stands for the folder. */
function unwrapped({ label, files }: FileSet): Pick<FileSet, "label" | "files"> {
  const top = files[0]?.name.slice(0, files[0].name.indexOf("/") + 1);
  const deep = ({ name }: NamedFile) => name.startsWith(top) && (!isPicture(name) || name.split("/").length === 3);
  if (!top || !files.every(deep)) return { label, files };
  return { label, files: files.map((file) => ({ ...file, name: file.name.slice(top.length) })) };
}

/** Enough to tell a table from a picture. */
const HEAD = 64;

/** Text, by its name or because it has no control characters. */
const isTable = (file: string, head: Uint8Array) =>
  /\.(?:csv|tsv|txt|jsonl|ndjson|json)(?:\.gz)?$/i.test(file) ||
  (!isPicture(file) &&
    head.length > 0 &&
    head.subarray(0, HEAD).every((byte) => byte >= 32 || (byte >= 9 && byte <= 13)));

function readTableRows(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  head: Uint8Array,
  { delimiter, skipBad }: ImageOptions,
): AsyncGenerator<JsonCells> {
  return isJson(file, head) ? readJsonCells(chunks, { file, skipBad }) : readCsvRows(chunks, { file, delimiter });
}

/** Files that were picked together: IDX files, a table and its pictures, or pictures. */
async function openList(
  list: readonly (string | File)[],
  options: ImageOptions,
  targets: boolean,
): Promise<OpenImages> {
  const set = fromList(list);
  const idx = set.files.filter(({ name }) => (idxName(name)?.rank ?? 0) > 1);
  if (idx.length > 1)
    throw new UserError(
      `There are ${idx.length} IDX files of images: ${idx.map(({ name }) => name).join(", ")}.`,
      "Give one.",
    );
  if (idx.length === 1) return openIdx(idx[0], set.files, options, targets);
  const tables = set.files.filter(({ name }) => /\.(?:csv|tsv|jsonl|ndjson)(?:\.gz)?$/i.test(name));
  if (tables.length === 1) {
    const [{ label, source }] = tables;
    const rows = readTableRows(openChunks(source as Source, { file: label }), label, new Uint8Array(0), options);
    const last = (name: string) => name.slice(name.lastIndexOf("/") + 1);
    const find = async (name: string, where: string) => {
      const found =
        set.files.find((each) => each.name === name) ?? set.files.find((each) => last(each.name) === last(name));
      if (found) return found;
      throw new UserError(
        `${where}: ${quote(name)} is not among the files.`,
        "Give the table and its pictures together.",
      );
    };
    return openImageTable(label, rows, options, { find, targets });
  }
  return openFolder(set, options, { explicit: list.every((each) => typeof each === "string"), targets });
}

/** The files in the folder of one (Node). */
async function neighbours(path: string): Promise<NamedFile[]> {
  if (!globalThis.process?.versions?.node) return [];
  const { readdir } = await import("node:fs/promises");
  const { dirname, join } = await import("node:path");
  const names = await readdir(dirname(path));
  return names.map((name) => ({ name, label: join(dirname(path), name), source: join(dirname(path), name) }));
}

/** The picture that a table names. */
async function besides(source: Source, name: string, where: string): Promise<NamedFile> {
  if (name === "") throw new UserError(`${where}: no picture is named.`);
  if (typeof source !== "string")
    throw new UserError(`${where}: the table names ${quote(name)}.`, "Give the table and its pictures together.");
  const { dirname, isAbsolute, join } = await import("node:path");
  const path = isAbsolute(name) ? name : join(dirname(source), name);
  return { name, label: path, source: path };
}
