import { UserError } from "../core/errors.ts";
import { ID_NAMES } from "./columns.ts";
import { cellText, numberHint, parseNumber } from "./csv.ts";
import type { NamedFile } from "./fileSet.ts";
import { type Image, image } from "./image.ts";
import {
  type ImageCells,
  type ImageOptions,
  imageRow,
  isPicture,
  LABEL_NAMES,
  type OpenImages,
  openImageRows,
  readPicture,
  withoutTarget,
} from "./imageRows.ts";
import type { ImageSize } from "./imageTransform.ts";
import type { JsonCells } from "./jsonl.ts";
import { FILE_NAMES } from "./linkedTable.ts";
import { quote } from "./open.ts";

/**
 * A table with a column that names picture files, or of a column for each pixel beside the target.
 *
 * @param rows  the first of which are the columns' names, or already numbers
 * @param find  the file that a row names
 */
export async function openImageTable(
  file: string,
  rows: AsyncGenerator<JsonCells>,
  options: ImageOptions,
  { find, targets }: { find: (name: string, where: string) => Promise<NamedFile>; targets: boolean },
): Promise<OpenImages> {
  const header = await rows.next();
  const first = header.done ? header : await rows.next();
  if (header.done || (first.done && !isNumbers(header.value)))
    throw new UserError(`${file} is empty.`, header.done ? undefined : "It has a header, but no rows.");
  async function* all(): AsyncGenerator<JsonCells> {
    try {
      yield header.value;
      if (!first.done) yield first.value;
      yield* rows;
    } finally {
      await rows.return(undefined);
    }
  }
  const names = header.value.cells.map((cell: unknown) => String(cell).trim());
  const link = first.done ? undefined : linkColumn(names, first.value);
  return link === undefined
    ? openPixels(file, all(), header.value, options, targets)
    : openLinks(file, all(), names, link, targets ? options : withoutTarget(options), targets, find);
}

const isNumbers = ({ cells }: JsonCells) => cells.every((cell) => parseNumber(String(cell).trim()) !== undefined);

/** The column whose first value is the name of a picture. */
export function linkColumn(names: readonly string[], { cells }: JsonCells): number | undefined {
  const wanted = ["image", "image_file", "picture", ...FILE_NAMES];
  const column = names.findIndex(
    (name, i) => wanted.includes(name.toLowerCase()) && isPicture(cellText(cells[i]) ?? ""),
  );
  return column < 0 ? undefined : column;
}

const labelColumn = (names: readonly string[]) => names.find((name) => LABEL_NAMES.includes(name.toLowerCase()));

async function openLinks(
  file: string,
  rows: AsyncIterable<JsonCells>,
  names: readonly string[],
  link: number,
  options: ImageOptions,
  targets: boolean,
  find: (name: string, where: string) => Promise<NamedFile>,
): Promise<OpenImages> {
  const known = targets && options.target === undefined ? labelColumn(names) : undefined;
  const id = options.id ?? names.find((name) => ID_NAMES.includes(name.toLowerCase())) ?? names[link];
  async function* pictures(): AsyncGenerator<ImageCells> {
    let isHeader = true;
    for await (const row of rows) {
      if (isHeader || row.error) yield row;
      else {
        const where = `${file}:${row.line}`;
        yield imageRow(row, async () => readPicture(await find(cellText(row.cells[link]) ?? "", where), options));
      }
      isHeader = false;
    }
  }
  const role = id === names[link] ? [] : [names[link]];
  return openImageRows(file, pictures(), { ...options, id, ...labelled(known, options) }, { role });
}

/** A column that is called label holds classes, also where these are numbers. */
const labelled = (name: string | undefined, { task }: ImageOptions): Partial<ImageOptions> =>
  name === undefined ? {} : { target: name, task: task ?? "classification" };

async function openPixels(
  file: string,
  rows: AsyncIterable<JsonCells>,
  header: JsonCells,
  options: ImageOptions,
  targets: boolean,
): Promise<OpenImages> {
  const bare = isNumbers(header);
  const width = header.cells.length;
  const names = bare ? namesFor(file, width, options) : header.cells.map((cell) => String(cell).trim());
  const { target, id, foldColumn, ignore = [] } = options;
  const guessed = target === undefined ? (labelColumn(names) ?? firstOfSquare(names, options)) : undefined;
  const others = new Set([target ?? [], guessed ?? [], id ?? [], foldColumn ?? [], ignore].flat());
  const isOther = (name: string) => others.has(name) || (id === undefined && ID_NAMES.includes(name.toLowerCase()));
  const kept = [...names.keys()].filter((i) => isOther(names[i]));
  const pixels = [...names.keys()].filter((i) => !isOther(names[i]));
  const size = sizeOf(file, pixels.length, options);
  async function* images(): AsyncGenerator<ImageCells> {
    yield { line: 0, cells: kept.map((i) => names[i]) };
    let isHeader = !bare;
    for await (const { line, cells, error } of rows) {
      if (!isHeader)
        yield error
          ? { line, cells: [], error }
          : imageRow({ line, cells: kept.map((i) => cells[i]) }, () => readRow(cells, `${file}:${line}`));
      isHeader = false;
    }
    function readRow(cells: readonly unknown[], place: string): Image {
      const values = new Float32Array(pixels.length);
      let bytes = true;
      for (let i = 0; i < pixels.length; i++) {
        const value = (values[i] = readNumber(cells[pixels[i]], place, names[pixels[i]]));
        bytes &&= value >= 0 && value <= 255 && Number.isInteger(value);
      }
      const picture = image(size[1], size[0], 1, bytes ? new Uint8Array(values) : values);
      return options.transform ? options.transform(picture) : picture;
    }
  }
  const named = names.filter((name) => name === guessed || [target ?? []].flat().includes(name));
  return openImageRows(
    file,
    images(),
    targets
      ? { ...options, ...labelled(guessed, options) }
      : { ...withoutTarget(options), ignore: [...ignore, ...named] },
  );
}

function readNumber(cell: unknown, place: string, column: string): number {
  const text = cellText(cell) ?? "";
  const value = /^\d{1,3}$/.test(text) ? Number(text) : parseNumber(text);
  if (value !== undefined) return value;
  throw new UserError(
    `${place}: column ${quote(column)} holds ${quote(text)}, which is not a finite number.`,
    numberHint(text),
  );
}

/** Names of the columns of a table without a header. */
function namesFor(file: string, width: number, options: ImageOptions): string[] {
  const pixels = Array.from({ length: width }, (_, i) => `pixel ${i}`);
  if (isSize(width, options)) return pixels;
  if (isSize(width - 1, options)) return ["label", ...pixels.slice(0, -1)];
  throw notSquare(file, width, options);
}

/** The first column, where the others alone make a picture. */
const firstOfSquare = (names: readonly string[], options: ImageOptions) =>
  !isSize(names.length, options) && isSize(names.length - 1, options) ? names[0] : undefined;

/** Whether so many pixels are of the size that is given or, unless signals are, a square. */
const isSize = (count: number, { imageSize: [height, width] = [0, 0] }: ImageOptions) =>
  count > 0 && (count === height * width || (height !== 1 && Number.isInteger(Math.sqrt(count))));

function sizeOf(file: string, count: number, options: ImageOptions): ImageSize {
  if (!isSize(count, options)) throw notSquare(file, count, options);
  const { imageSize } = options;
  const side = Math.sqrt(count);
  return imageSize && count === imageSize[0] * imageSize[1] ? imageSize : [side, side];
}

function notSquare(file: string, count: number, { imageSize }: ImageOptions): UserError {
  return imageSize
    ? new UserError(
        `${file}: ${count} columns of pixels are not ${imageSize.join(" × ")} = ${imageSize[0] * imageSize[1]}.`,
        "Name the columns that are no pixels: --target, --id, --ignore.",
      )
    : new UserError(
        `${file}: ${count} columns of pixels make no square.`,
        "Give their size: --image-size HEIGHTxWIDTH (imageSize), 1xLENGTH for signals, or name the columns that are no pixels (target, id, ignore).",
      );
}
