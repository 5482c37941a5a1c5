import { UserError } from "../core/errors.ts";
import { parseCif, writeCif } from "./cif.ts";
import { parseExtxyz, writeExtxyz } from "./extxyz.ts";
import { parseJson } from "./jsonl.ts";
import { decodeText, openChunks, peek, quote, type Source, sourceName } from "./open.ts";
import { parsePoscar, writePoscar } from "./poscar.ts";
import { toPymatgen } from "./pymatgen.ts";
import type { Structure } from "./structure.ts";
import { structuresFromJson } from "./structureRecord.ts";
import { isZip, readZip } from "./zip.ts";

export type StructureFormat = "cif" | "poscar" | "xyz" | "json";

const ENDINGS: readonly (readonly [RegExp, StructureFormat | "zip" | "table"])[] = [
  [/\.m?cif$/, "cif"],
  [/\.(?:vasp|poscar|contcar)$/, "poscar"],
  [/\.(?:ext)?xyz$/, "xyz"],
  [/\.json$/, "json"],
  [/\.zip$/, "zip"],
  [/\.(?:csv|tsv|jsonl|ndjson|txt|dat)$/, "table"],
  [/(?:^|[/\\])(?:poscar|contcar)[^/\\]*$/, "poscar"],
];

/** What the name of a file says of its contents; .gz does not count. */
export function formatOf(name: string): StructureFormat | "zip" | "table" | undefined {
  const plain = name.toLowerCase().replace(/\.gz$/, "");
  return ENDINGS.find(([ending]) => ending.test(plain))?.[1];
}

/** What the first kilobytes of a file are the beginning of. */
export function detectFormat(head: string): StructureFormat | undefined {
  const lines = head.split(/\r\n|\r|\n/);
  const numbers = (line: string | undefined) =>
    line !== undefined && /^\s*([+-]?[\d.]+(e[+-]?\d+)?\s*){3}([!#].*)?$/i.test(line);
  if (/^\s*[{[]/.test(head)) return "json";
  if (/^\s*data_\S*\s*$/im.test(head) && /^\s*(?:_\w|loop_)/m.test(head)) return "cif";
  if ([2, 3, 4].every((i) => numbers(lines[i]))) return "poscar";
  const first = lines.findIndex((line) => line.trim() !== "");
  if (/^\s*\d+\s*$/.test(lines[first] ?? "") && /^\s*\w{1,3}(\s+[+-]?\d[\d.eE+-]*){3}/.test(lines[first + 2] ?? ""))
    return "xyz";
  return undefined;
}

export const FORMATS =
  "Structure files are *.cif, *.mcif, POSCAR*, CONTCAR*, *.vasp, *.poscar, *.xyz, *.extxyz and *.json (pymatgen), all also with .gz, and *.zip with such files.";

/**
 * The structures in the text of a file, by its name or, where that says nothing, by its beginning.
 *
 * @throws UserError naming file and line
 */
export function parseStructures(text: string, { file }: { file: string }): Structure[] {
  const named = formatOf(file);
  const format =
    named === undefined || named === "table" || named === "zip" ? detectFormat(text.slice(0, HEAD)) : named;
  if (format === "cif") return parseCif(text, { file });
  if (format === "poscar") return [parsePoscar(text, { file })];
  if (format === "xyz") return parseExtxyz(text, { file });
  if (format === "json") return structuresFromJson(parseJson(text, { file }), { where: file });
  throw new UserError(`${file} is no structure file: it begins with ${quote(text.slice(0, 200).trim(), 40)}.`, FORMATS);
}

/**
 * All structures of a file: CIF (one for each block), POSCAR, xyz (one for each frame), JSON with pymatgen's structures; gzipped or
 * not; and of a zip archive of such files, in the order of their names.
 *
 * @throws UserError naming file, line and the offending text, and for a file that holds none
 */
export async function readStructures(
  source: Source,
  { file = sourceName(source) }: { file?: string } = {},
): Promise<Structure[]> {
  const { head, chunks } = await peek(openChunks(source, { file }), 4);
  const structures: Structure[] = [];
  if (!isZip(head)) structures.push(...parseStructures(await readText(chunks, file), { file }));
  else
    for (const { name, bytes } of sorted(readZip(await readAll(chunks, file), { file })))
      if (isStructureFile(name)) structures.push(...(await readStructures(bytes(), { file: `${file}/${name}` })));
  if (structures.length === 0) throw new UserError(`${file} holds no structures.`, FORMATS);
  return structures;
}

/** The structure as text in the format that the name tells: CIF, POSCAR, extended xyz or pymatgen's JSON. */
export function writeStructure(structure: Structure, name: string): string {
  const format = formatOf(name);
  const stem = /([^/\\]*?)(?:\.[^./\\]*)?$/.exec(name)?.[1];
  if (format === "cif") return writeCif(structure, { name: stem });
  if (format === "poscar") return writePoscar(structure);
  if (format === "xyz") return writeExtxyz([structure]);
  if (format === "json") return `${JSON.stringify(toPymatgen(structure))}\n`;
  throw new UserError(`${quote(name)}: its ending tells no format.`, "Call it *.cif, *.vasp, *.xyz or *.json.");
}

/** Whether a file of a folder or archive is taken for a structure: not hidden, and not the atom vectors of CGCNN. */
export function isStructureFile(path: string): boolean {
  const format = formatOf(path);
  const other = format === undefined || format === "zip" || format === "table";
  return !other && !isHidden(path) && !/(?:^|\/)atom_init\.json$/.test(path);
}

export const isHidden = (path: string): boolean =>
  path.split("/").some((part) => /^\.[^.]/.test(part) || part === "__MACOSX");

/** By name, as text. */
export const sorted = <T extends { readonly name: string }>(files: Iterable<T>): T[] =>
  [...files].sort((a, b) => (a.name < b.name ? -1 : 1));

/** Characters looked at to tell a format. */
export const HEAD = 4096;
/** Bytes of a file that is read as a whole: a JavaScript string holds no more than 512 MB. */
const MOST = 2 ** 28;
const MOST_ZIP = 2 ** 31;

export async function readText(chunks: AsyncIterable<Uint8Array>, file: string): Promise<string> {
  const parts: string[] = [];
  let size = 0;
  for await (const text of decodeText(chunks, { file })) {
    if ((size += text.length) > MOST) throw tooLarge(file, MOST);
    parts.push(text);
  }
  return parts.join("");
}

export async function readAll(chunks: AsyncIterable<Uint8Array>, file: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    if ((size += chunk.length) > MOST_ZIP) throw tooLarge(file, MOST_ZIP);
    parts.push(chunk);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function tooLarge(file: string, limit: number): UserError {
  return new UserError(`${file} is larger than ${limit / 2 ** 20} MB.`, "Cut it into several files.");
}
