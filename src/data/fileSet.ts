import { UserError } from "../core/errors.ts";
import { quote, type Source, sourceName } from "./open.ts";
import { isHidden, isStructureFile, sorted } from "./structureFiles.ts";
import { readZip } from "./zip.ts";

/** One of several files that belong together. */
export interface NamedFile {
  /** Relative to the folder or archive, with /. */
  readonly name: string;
  /** What it is called in messages. */
  readonly label: string;
  readonly source: Source | (() => Uint8Array);
}

export const isCsv = (name: string): boolean => /\.csv(?:\.gz)?$/i.test(name);

/** What is read of a file. */
export const content = ({ source }: NamedFile): Source => (typeof source === "function" ? source() : source);

/** The files of a folder, of an archive, or that were picked together, and how a table refers to them. */
export class FileSet {
  private readonly byId = new Map<string, NamedFile[]>();
  private readonly used = new Set<NamedFile>();

  /**
   * @param base     ids and names of files are relative to this folder; ends in / unless empty
   * @param accepts  whether a file is one of the structures, by its name
   */
  constructor(
    readonly label: string,
    readonly files: readonly NamedFile[],
    private readonly base = "",
    private readonly accepts = isStructureFile,
  ) {
    for (const file of this.structures)
      for (const id of idsOf(file.name.slice(base.length))) this.byId.set(id, [...(this.byId.get(id) ?? []), file]);
  }

  get structures(): NamedFile[] {
    return this.files.filter(({ name }) => name.startsWith(this.base) && this.accepts(name));
  }

  has(id: string): boolean {
    return this.byId.has(plain(id));
  }

  /**
   * The structure file with that name (a.cif, sub/a.cif) or that id: a.cif, a.vasp, POSCAR.a, a/POSCAR, in any folder below.
   *
   * @param where  begins the messages
   * @throws UserError where there is none, or several
   */
  find(id: string, where: string): NamedFile {
    const found = this.byId.get(plain(id)) ?? [];
    if (found.length === 0)
      throw new UserError(
        `${where}: there is no structure file for ${quote(id)}.`,
        `Expected ${id.includes(".") ? id : `${id}.cif, ${id}.vasp, ${id}.xyz, ${id}.json or ${id}/POSCAR`} in ${this.label}.`,
      );
    if (found.length > 1)
      throw new UserError(
        `${where}: ${quote(id)} may be ${found.map(({ label }) => label).join(" or ")}.`,
        "Keep one of them, or name it in full in the first column.",
      );
    this.used.add(found[0]);
    return found[0];
  }

  /** Structure files that `find` has not given. */
  get unused(): string[] {
    return this.structures.filter((file) => !this.used.has(file)).map(({ name }) => name.slice(this.base.length));
  }

  /** The same below the folder of one of its files. */
  around(file: NamedFile): FileSet {
    return new FileSet(this.label, this.files, file.name.slice(0, file.name.lastIndexOf("/") + 1), this.accepts);
  }
}

/** The name of a structure file without endings: a/b for a/b.cif.gz, a for a/POSCAR and POSCAR.a. */
export function fileId(name: string): string {
  const stem = name.replace(/\.gz$/i, "").replace(/\.(?:m?cif|vasp|poscar|contcar|(?:ext)?xyz|json)$/i, "");
  const id = stem.replace(/(^|\/)(?:POSCAR|CONTCAR)(?:[._-]|$)/i, "$1").replace(/\/$/, "");
  return id === "" ? name : id;
}

/** The names by which a table may refer to a file: all of its path, with and without endings, and the same without folders. */
function idsOf(name: string): Set<string> {
  const path = name.replace(/\.gz$/i, "");
  const id = fileId(name);
  const last = (text: string) => text.slice(text.lastIndexOf("/") + 1);
  return new Set([
    path,
    id,
    last(id),
    ...(last(path) === path || /^(?:POSCAR|CONTCAR)$/i.test(last(path)) ? [] : [last(path)]),
  ]);
}

const plain = (id: string) => id.replaceAll("\\", "/").replace(/^\.\//, "").replace(/\.gz$/i, "");

/** Files that were picked together: browser files, or paths. Their names begin below the folder that holds them all. */
export function fromList(list: readonly (string | File)[]): FileSet {
  const paths = list.map((each) =>
    (typeof each === "string" ? each : each.webkitRelativePath || each.name).replaceAll("\\", "/"),
  );
  const folders = paths.map((path) => path.slice(0, path.lastIndexOf("/") + 1));
  let common = folders[0] ?? "";
  for (const folder of folders)
    while (!folder.startsWith(common)) common = common.slice(0, common.lastIndexOf("/", common.length - 2) + 1);
  const files = list.map((source, i) => ({ name: paths[i].slice(common.length), label: sourceLabel(source), source }));
  // Paths were written out by somebody: what is no structure file is a mistake, and is not passed over.
  const explicit = list.every((each) => typeof each === "string");
  const label = common.replace(/\/$/, "") || `the ${list.length} files`;
  return new FileSet(label, sorted(files), "", explicit ? (name) => !isCsv(name) : isStructureFile);
}

const sourceLabel = (source: string | File) =>
  typeof source === "string" ? source : source.webkitRelativePath || sourceName(source);

/** The files of an archive; each is unpacked when it is read. */
export function fromZip(bytes: Uint8Array, file: string): FileSet {
  const entries = readZip(bytes, { file }).filter(({ name }) => !isHidden(name));
  return new FileSet(
    file,
    sorted(entries).map((entry) => ({ name: entry.name, label: `${file}/${entry.name}`, source: () => entry.bytes() })),
  );
}

/** The files of a folder and the folders in it (Node); undefined where `path` is no folder. */
export async function fromFolder(path: string): Promise<FileSet | undefined> {
  if (!globalThis.process?.versions?.node) return undefined;
  const { readdir, stat } = await import("node:fs/promises");
  const { join } = await import("node:path");
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return undefined;
  const files: NamedFile[] = [];
  async function walk(folder: string, prefix: string, depth: number): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (isHidden(entry.name)) continue;
      const [name, label] = [prefix + entry.name, join(folder, entry.name)];
      const kind = entry.isSymbolicLink() ? await stat(label).catch(() => undefined) : entry;
      if (kind?.isDirectory() && depth < DEPTH) await walk(label, `${name}/`, depth + 1);
      else if (kind?.isFile()) files.push({ name, label, source: label });
    }
  }
  await walk(path, "", 0);
  return new FileSet(path, sorted(files));
}

/** Folders in folders; also what ends a circle of links. */
const DEPTH = 8;
