import { UserError } from "../core/errors.ts";
import { type OpenTable, settle, type TableOptions } from "./columns.ts";
import { content, type NamedFile } from "./fileSet.ts";
import type { Image } from "./image.ts";
import { decodeImage } from "./imageCodec.ts";
import type { ImageSize } from "./imageTransform.ts";
import type { JsonCells } from "./jsonl.ts";
import { openChunks } from "./open.ts";
import { readAll } from "./structureFiles.ts";
import { Table } from "./table.ts";

export interface ImageOptions extends TableOptions {
  /** [height, width] of the rows of a CSV of pixels, [1, length] of signals; default, also for pictures of another size: a square. */
  imageSize?: ImageSize;
  /** What becomes of each picture as it is read, so that large photographs need not all be held: `(p) => fitTo(p, [64, 64], "crop")`. */
  transform?: (picture: Image) => Image;
  /**
   * Leave out rows with a mistake (a picture that cannot be read, a label that is none of `classes`) and list them in `dropped`. What
   * makes the data themselves doubtful, such as a class without pictures, stays an error.
   */
  skipBad?: boolean;
}

/** A row of a table, and its image. */
export interface ImageCells extends JsonCells {
  image?: Image;
}

/** A table of images whose columns have their roles. */
export interface OpenImages {
  table: OpenTable;
  options: ImageOptions;
  /** The images of the rows read so far, by line. */
  images: Map<number, Image>;
  /** Files that no row names. */
  unused: readonly string[];
}

/** Bytes of pixels that are held; a folder of photographs soon has more. */
const MOST = 2 ** 32;

/**
 * Settles the columns of `rows`, of which the first are the columns' names, and keeps their images.
 *
 * @param role  names of columns that name the images, and so have no other role
 */
export async function openImageRows(
  file: string,
  rows: AsyncIterable<ImageCells>,
  options: ImageOptions,
  { role = [], unused = [] }: { role?: readonly string[]; unused?: readonly string[] } = {},
): Promise<OpenImages> {
  const images = new Map<number, Image>();
  let held = 0;
  async function* kept(): AsyncGenerator<JsonCells> {
    for await (const { image, ...row } of rows) {
      if (images.size === 0) held = 0;
      if (image) {
        if (images.has(row.line))
          throw new UserError(`${file}:${row.line}: two records begin on this line.`, "Write JSON lines: one on each.");
        images.set(row.line, image);
        if ((held += image.data.byteLength) > MOST)
          throw new UserError(
            `${file}: ${images.size} images take more than ${MOST / 2 ** 30} GB.`,
            "Make them smaller as they are read: --image-size HEIGHTxWIDTH (transform).",
          );
      }
      yield row;
    }
  }
  return { table: await settle(file, kept(), options, role), options, images, unused };
}

/** The table with the images of its rows, which are no longer kept elsewhere. */
export function withImages(table: Table, { images, unused }: OpenImages): Table {
  const own = Array.from(table.lines, (line) => images.get(line)!);
  for (const line of table.lines) images.delete(line);
  for (const { line } of table.dropped) images.delete(line);
  return new Table({ ...table, images: own, unused: [...table.unused, ...unused] });
}

/** The picture in a file. */
export async function readPicture(file: NamedFile, { transform }: ImageOptions): Promise<Image> {
  const picture = decodeImage(await bytesOf(file), { file: file.label });
  return transform ? transform(picture) : picture;
}

/** All bytes of a file, unpacked if it is gzipped. */
export async function bytesOf(file: NamedFile): Promise<Uint8Array> {
  const source = content(file);
  // Tens of thousands of small files: a stream for each takes ten times as long. What goes wrong is explained below.
  if (typeof source === "string" && globalThis.process?.versions?.node && !/\.gz$/i.test(source)) {
    const { readFile } = await import("node:fs/promises");
    const bytes = await readFile(source).catch(() => undefined);
    if (bytes) return bytes;
  }
  return readAll(openChunks(source, { file: file.label }), file.label);
}

/** A row whose image is read by `read`, or what is wrong with it. */
export async function imageRow(row: JsonCells, read: () => Image | Promise<Image>): Promise<ImageCells> {
  try {
    return { ...row, image: await read() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [message] = error.message.split("\n");
    const out = "leave it out (--skip-bad; skipBad).";
    return { ...row, error: new UserError(message, error.hint ? `${error.hint} Or ${out}` : `Correct it, or ${out}`) };
  }
}

/** One target's name, if it is given. @throws UserError for several */
export function oneTarget({ target }: TableOptions): string | undefined {
  if (target === undefined || typeof target === "string") return target;
  if (target.length > 1) throw new UserError(`Images of folders and IDX files have one target, not ${target.length}.`);
  return target[0];
}

/** The same for rows whose targets are not read. */
export const withoutTarget = (options: ImageOptions): ImageOptions => ({
  ...options,
  ...{ target: undefined, task: undefined, classes: undefined },
});

/** What a column of labels is called where nobody says so. */
export const LABEL_NAMES = ["label", "labels", "class", "classes", "target"];

/** Files that are taken for pictures; those that cannot be read are named when it is tried. */
export const isPicture = (name: string): boolean => /\.(?:png|jpe?g|jfif|gif|bmp|tiff?|webp|avif|heic)$/i.test(name);
