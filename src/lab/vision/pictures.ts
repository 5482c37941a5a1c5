import { Rng } from "../../core/random.ts";
import { type Image, image } from "../../data/image.ts";
import { decodeImage } from "../../data/imageCodec.ts";
import { centreCrop, resize, toGrey } from "../../data/imageTransform.ts";
import { type MicrostructureKind, microstructure, microstructureTable } from "../../data/microstructures.ts";
import type { Table } from "../../data/table.ts";
import type { TrainingConfig } from "./config.ts";

/** A picture's largest square in the middle, grey, at this size: bytes [size, size]. */
export function fitted(picture: Image, size: number): Uint8Array {
  const side = Math.min(picture.width, picture.height);
  return resize(toGrey(centreCrop(picture, [side, side])), [size, size]).data as Uint8Array;
}

/** A PNG or JPEG file as a network of one size sees it. @throws UserError for any other */
export async function readPicture(file: File, size: number): Promise<Uint8Array> {
  return fitted(decodeImage(new Uint8Array(await file.arrayBuffer()), { file: file.name }), size);
}

/** What a network learns from, and what it is tested with. */
export interface LearningImages {
  train: Table;
  validation: Table;
}

/** Simulated micrographs, the classes in turn, made one by one: `made` is asked after each whether to go on. */
export async function learningImages(
  { size, classes, images: count, seed }: TrainingConfig,
  made: (count: number, of: number) => Promise<boolean>,
): Promise<LearningImages | undefined> {
  const rng = new Rng(seed).fork(1);
  const total = count + count / 4;
  const images: Image[] = [];
  while (images.length < total) {
    const kind: MicrostructureKind = classes[images.length % classes.length];
    images.push(microstructure(kind, { size, seed: rng.integer(2 ** 32) }));
    if (!(await made(images.length, total))) return undefined;
  }
  const table = microstructureTable(images, classes);
  const rows = (from: number, to: number) => table.rows(Int32Array.from({ length: to - from }, (_, i) => from + i));
  return { train: rows(0, count), validation: rows(count, total) };
}

/** A single picture as rows of a data set. */
export const rowOf = (pixels: Uint8Array, size: number) => ({
  ...{ file: "picture", length: 1, formulas: undefined, lines: Int32Array.of(1) },
  numeric: { names: [], values: new Float64Array(0) },
  categorical: { names: [], values: [] },
  images: [image(size, size, 1, pixels)],
});
