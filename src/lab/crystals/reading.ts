import { UserError } from "../../core/errors.ts";
import { readCrystals } from "../../data/crystals.ts";
import { content, type FileSet, fileId, fromList, fromZip, type NamedFile } from "../../data/fileSet.ts";
import type { Structure } from "../../data/structure.ts";
import { formatOf, isHidden, isStructureFile, readStructures } from "../../data/structureFiles.ts";
import type { Table } from "../../data/table.ts";

/** A file as the page was given it, and its path below the folder that was dropped. */
export interface GivenFile {
  file: File;
  path: string;
}

/** What could not be read, and why. */
export interface Problem {
  file: string;
  message: string;
}

export interface Reading {
  structures: { name: string; structure: Structure }[];
  problems: Problem[];
  /** Structures with numbers to learn, where there are any: `numeric` holds all columns of numbers. */
  data?: Table;
}

/** All structures of files and archives, each by itself: what is wrong with one does not keep back the others. */
export async function readFiles(given: readonly GivenFile[]): Promise<Reading> {
  const reading: Reading = { structures: [], problems: [] };
  const loose: File[] = [];
  for (const { file, path } of given) {
    // A clone of a file has lost its path.
    const named = Object.defineProperty(file, "webkitRelativePath", { value: path });
    if (isHidden(path)) continue;
    if (formatOf(path) !== "zip") loose.push(named);
    else
      await attempt(reading, path, async () => {
        const bytes = new Uint8Array(await file.arrayBuffer());
        await readSet(reading, fromZip(bytes, path), bytes, path);
      });
  }
  if (loose.length > 0) await readSet(reading, fromList(loose), loose, "");
  return reading;
}

const ATOM_VECTORS = /(?:^|\/)atom_init\.json$/;
const isTable = ({ name }: NamedFile) => /\.(?:csv|tsv)(?:\.gz)?$/i.test(name);
const UNUSED = "Not used: it has no numbers, or none of its columns names the structure files.";
const MANY = { numeric: ["*"], skipBad: true };

/** The files of one folder, selection or archive; `source` is the same for `readCrystals`. */
async function readSet(reading: Reading, set: FileSet, source: File[] | Uint8Array, file: string): Promise<void> {
  let rest = set.files.filter(({ name }) => !isHidden(name));
  const tables = rest.filter(isTable);
  rest = rest.filter((each) => !tables.includes(each));
  if (tables.length > 0)
    await attempt(reading, tables.map(({ label }) => label).join(", "), async () => {
      const table = await readCrystals(source, { ...MANY, ...(file ? { file } : {}) });
      takeTable(reading, table);
      const left = new Set(table.unused);
      // Structures that no row names are shown, too.
      rest = rest.filter(({ name }) => !isStructureFile(name) || [...endings(name)].some((end) => left.has(end)));
      if (table.numeric.names.length === 0) throw new UserError(UNUSED);
    });
  for (const each of rest) await attempt(reading, each.label, () => readOne(reading, each));
}

/** b/c.cif of a/b/c.cif, and so on. */
function* endings(path: string): Generator<string> {
  for (let at = 0; at >= 0; at = path.indexOf("/", at + 1)) yield path.slice(at === 0 ? 0 : at + 1);
}

async function readOne(reading: Reading, file: NamedFile): Promise<void> {
  const { name, label } = file;
  if (ATOM_VECTORS.test(name))
    throw new UserError("Not used: networks trained here take CGCNN's own vectors of the atoms.");
  const format = formatOf(name);
  if (format === "xyz" || format === "json" || format === "table")
    try {
      takeTable(reading, await readCrystals(content(file) as Uint8Array, { ...MANY, file: label }));
      return;
    } catch (error) {
      if (!(error instanceof UserError) || format === "table") throw error;
    }
  const structures = await readStructures(content(file), { file: label });
  const id = fileId(name);
  for (const [i, structure] of structures.entries())
    reading.structures.push({ name: structures.length > 1 ? `${id}#${i + 1}` : id, structure });
}

function takeTable(reading: Reading, table: Table): void {
  const { file, ids, structures = [], numeric, dropped } = table;
  structures.forEach((structure, i) => void reading.structures.push({ name: ids[i], structure }));
  for (const { line, reason } of dropped) reading.problems.push({ file: `${file}:${line}`, message: reason });
  if (numeric.names.length > 0 && table.length > (reading.data?.length ?? 0)) reading.data = table;
}

async function attempt(reading: Reading, file: string, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // The list names the file already.
    const named = [`${file}: `, `${file} `].find((start) => error.message.startsWith(start)) ?? "";
    const message = error.message.slice(named.length);
    reading.problems.push({ file, message });
  }
}
