import { UserError } from "../core/errors.ts";
import type { NamedFile } from "./fileSet.ts";
import { type Idx, idxImages, idxName, labelFiles, parseIdx } from "./idx.ts";
import {
  bytesOf,
  type ImageCells,
  type ImageOptions,
  imageRow,
  type OpenImages,
  oneTarget,
  openImageRows,
  withoutTarget,
} from "./imageRows.ts";
import { quote, unknownName } from "./open.ts";

/**
 * The images of an IDX file, their labels in PREFIX-TARGET-idx1-ubyte beside PREFIX-KIND-idxN-ubyte, the classes' names in the lines
 * of classes.txt, ids in those of PREFIX-ids.txt or PREFIX-files.txt (each also with .gz).
 *
 * @throws UserError for several files of labels where none is named, and for files that do not fit each other
 */
export async function openIdx(
  main: NamedFile,
  beside: readonly NamedFile[],
  options: ImageOptions,
  targets: boolean,
): Promise<OpenImages> {
  const file = main.label;
  const images = idxImages(parseIdx(await bytesOf(main), { file }), { file });
  const find = (name: string) => beside.find((each) => each.name === name || each.name === `${name}.gz`);
  const prefix = idxName(main.name)?.prefix;
  const target = targets ? findTarget(main, beside, options) : undefined;
  const labels = target && (await readLabels(target.file, images.length, file));
  const classes = labels && target && (await readClasses(find("classes.txt"), labels, target));
  const ids = prefix && (find(`${prefix}-ids.txt`) ?? find(`${prefix}-files.txt`));
  const names = ids ? await readLines(ids) : undefined;
  if (ids && names && names.length !== images.length)
    throw new UserError(`${ids.label} has ${names.length} lines for the ${images.length} images of ${file}.`);
  async function* rows(): AsyncGenerator<ImageCells> {
    yield { line: 0, cells: [...(names ? ["id"] : []), ...(target ? [target.name] : [])] };
    const { transform = (picture) => picture } = options;
    for (const [i, picture] of images.entries()) {
      const label = labels && String(classes?.[labels.data[i]] ?? labels.data[i]);
      const cells = [...(names ? [names[i]] : []), ...(label === undefined ? [] : [label])];
      yield imageRow({ line: i + 1, cells }, () => transform(picture));
    }
  }
  const labelled = options.task ?? (labels?.data instanceof Uint8Array ? "classification" : undefined);
  return openImageRows(file, rows(), {
    ...(targets ? options : withoutTarget(options)),
    ...(target && { target: target.name, task: labelled }),
    ...(target && labelled !== "regression" && { classes: options.classes ?? classes }),
  });
}

/** The file of labels, and what it is the target of. */
function findTarget(
  main: NamedFile,
  beside: readonly NamedFile[],
  options: ImageOptions,
): { name: string; file: NamedFile; only: boolean } | undefined {
  const byName = new Map(beside.map((each) => [each.name, each]));
  const found = labelFiles(main.name, [...byName.keys()]);
  const kinds = [...found.keys()];
  const name = oneTarget(options) ?? (kinds.length === 1 ? kinds[0] : undefined);
  if (name === undefined && kinds.length > 1)
    throw new UserError(
      `${main.label}: there are several files of labels beside it: ${kinds.join(", ")}.`,
      `Choose one: --target ${kinds[0]} (target).`,
    );
  if (name === undefined) return undefined;
  const file = byName.get(found.get(name) ?? "");
  if (file) return { name, file, only: kinds.length === 1 };
  if (kinds.length > 0) throw unknownName(`${main.label} has beside it no file of labels for the target`, name, kinds);
  const { prefix } = idxName(main.name) ?? {};
  throw new UserError(
    `${main.label}: there is no file of labels beside it.`,
    `Expected ${prefix ? `${prefix}-` : ""}${name}-idx1-ubyte or the same with .gz.`,
  );
}

async function readLabels(file: NamedFile, count: number, images: string): Promise<Idx> {
  const labels = parseIdx(await bytesOf(file), { file: file.label });
  if (labels.shape.length === 1 && labels.shape[0] === count) return labels;
  throw new UserError(
    `${file.label} has ${labels.shape.join(" × ")} labels for the ${count} images of ${images}.`,
    "The two files do not belong together.",
  );
}

/** The names of classes 0, 1, …; with several files of labels, classes.txt may be of another one. */
async function readClasses(
  file: NamedFile | undefined,
  { data }: Idx,
  { only }: { only: boolean },
): Promise<string[] | undefined> {
  if (!file) return undefined;
  const names = await readLines(file);
  const row = data.findIndex((value) => names[value] === undefined);
  if (row >= 0 && !only) return undefined;
  if (row >= 0)
    throw new UserError(
      `${file.label} names ${names.length} classes, 0 … ${names.length - 1}, but row ${row + 1} has the label ${data[row]}.`,
    );
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UserError(`${file.label} names ${quote(twice)} twice.`);
  return names;
}

/** The lines of a text file without empty ones at its end. */
async function readLines(file: NamedFile): Promise<string[]> {
  const text = new TextDecoder().decode(await bytesOf(file));
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim());
  while (lines.at(-1) === "") lines.pop();
  return lines;
}
