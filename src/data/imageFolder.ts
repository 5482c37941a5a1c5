import { UserError } from "../core/errors.ts";
import type { FileSet, NamedFile } from "./fileSet.ts";
import { idxName } from "./idx.ts";
import {
  type ImageCells,
  type ImageOptions,
  imageRow,
  isPicture,
  type OpenImages,
  oneTarget,
  openImageRows,
  readPicture,
  withoutTarget,
} from "./imageRows.ts";
import { quote } from "./open.ts";
import { isHidden } from "./structureFiles.ts";

type Files = Pick<FileSet, "label" | "files">;

/**
 * The pictures of a folder, archive or list of files: with a folder for each class, class/a.png, their target is "class"; else they
 * have none.
 *
 * @param path      of the folder, where it is one: also folders without any file are then seen
 * @param explicit  every file was named by somebody, and so must be a picture
 * @param targets   false: pictures in folders of any depth, which are no classes
 */
export async function openFolder(
  set: Files,
  options: ImageOptions,
  { path, explicit = false, targets = true }: { path?: string; explicit?: boolean; targets?: boolean },
): Promise<OpenImages> {
  const pictures = set.files.filter(({ name }) => explicit || isPicture(name));
  if (pictures.length === 0) throw noPictures(set);
  const classed = targets && (await classFolders(set, pictures, path));
  const target = targets ? oneTarget(options) : undefined;
  if (!classed && target !== undefined)
    throw new UserError(
      `${set.label} has no ${quote(target)}: its pictures lie in one folder.`,
      "Sort them into a folder for each class, or give a table with a column file that names them.",
    );
  async function* rows(): AsyncGenerator<ImageCells> {
    yield { line: 0, cells: classed ? ["file", "class"] : ["file"] };
    for (const [i, file] of pictures.entries())
      yield imageRow({ line: i + 1, cells: classed ? [file.name, file.name.split("/")[0]] : [file.name] }, () =>
        readPicture(file, options),
      );
  }
  const used = new Set(pictures);
  return openImageRows(
    set.label,
    rows(),
    {
      ...(targets ? options : withoutTarget(options)),
      id: options.id ?? "file",
      ...(classed && { target: target ?? "class", task: options.task ?? "classification" }),
    },
    { unused: set.files.filter((file) => !used.has(file)).map(({ name }) => name) },
  );
}

/** Whether there is a folder for each class. @throws UserError for what may be meant otherwise, and for a class without pictures */
async function classFolders(set: Files, pictures: readonly NamedFile[], path: string | undefined): Promise<boolean> {
  const depth = ({ name }: NamedFile) => name.split("/").length;
  const deep = pictures.find((file) => depth(file) > 2);
  if (deep)
    throw new UserError(
      `${set.label}: ${deep.name} lies in a folder of a folder; class/picture is expected.`,
      `Give one of the folders in it, such as ${set.label}/${deep.name.split("/")[0]}.`,
    );
  const flat = pictures.find((file) => depth(file) === 1);
  const classed = pictures.find((file) => depth(file) === 2);
  if (!classed) return false;
  if (flat)
    throw new UserError(
      `${set.label}: ${flat.name} lies beside the class folder ${classed.name.split("/")[0]}: which class is it?`,
      "Move it into the folder of its class, or elsewhere.",
    );
  const names = new Set(set.files.filter((file) => depth(file) > 1).map(({ name }) => name.split("/")[0]));
  for (const name of path === undefined ? [] : await folders(path)) names.add(name);
  for (const { name } of pictures) names.delete(name.split("/")[0]);
  const [empty] = [...names].sort();
  if (empty !== undefined)
    throw new UserError(
      `${set.label}: the class folder ${quote(empty)} holds no pictures.`,
      "Add some, or remove the folder.",
    );
  return true;
}

async function folders(path: string): Promise<string[]> {
  const { readdir } = await import("node:fs/promises");
  const entries = await readdir(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && !isHidden(entry.name)).map(({ name }) => name);
}

function noPictures({ label, files }: Files): UserError {
  const some = files.slice(0, 5).map(({ name }) => name);
  const what = some.length > 0 ? `, only ${some.join(", ")}${files.length > 5 ? ", …" : ""}` : "; it is empty";
  const idx = files.filter(({ name }) => (idxName(name)?.rank ?? 0) > 1).map((file) => file.label);
  const table = files.find(({ name }) => /\.(?:csv|jsonl)(?:\.gz)?$/i.test(name));
  return new UserError(
    `${label} holds no pictures${what}.`,
    idx.length > 0
      ? `Give one of the IDX files: ${idx.join(", ")}.`
      : table
        ? `If ${table.name} is the table, give that file.`
        : "Expected a folder for each class with PNG or JPEG files in it, or such files.",
  );
}
