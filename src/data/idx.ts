import { UserError } from "../core/errors.ts";
import { type Image, image } from "./image.ts";

/** An array as an IDX file has it. */
export interface Idx {
  readonly shape: readonly number[];
  /** Bytes, or f32 for all other types; row-major. */
  readonly data: Uint8Array | Float32Array;
}

/** By the third byte: bytes of a number, and how it is read. */
const TYPES: Readonly<Record<number, readonly [size: number, read: (view: DataView, at: number) => number]>> = {
  8: [1, (view, at) => view.getUint8(at)],
  9: [1, (view, at) => view.getInt8(at)],
  11: [2, (view, at) => view.getInt16(at)],
  12: [4, (view, at) => view.getInt32(at)],
  13: [4, (view, at) => view.getFloat32(at)],
  14: [8, (view, at) => view.getFloat64(at)],
};

/**
 * The array in an IDX file (LeCun's format of MNIST): 0, 0, type, rank, then the shape and the numbers, big-endian.
 *
 * @throws UserError naming the file for another format and for one that is too short or too long
 */
export function parseIdx(bytes: Uint8Array, { file }: { file: string }): Idx {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = TYPES[bytes[2]];
  const rank = bytes[3];
  if (bytes.length < 8 || bytes[0] !== 0 || bytes[1] !== 0 || !type || !(rank >= 1 && rank <= 8))
    throw new UserError(
      `${file} is no IDX file: it does not begin as one.`,
      "Such files begin 00 00 08 and their rank.",
    );
  if (bytes.length < 4 + 4 * rank) throw new UserError(`${file} is cut short: its shape is incomplete.`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const begin = 4 + 4 * rank;
  const count = shape.reduce((product, size) => product * size, 1);
  const [size, read] = type;
  if (bytes.length - begin !== count * size)
    throw new UserError(
      `${file} has ${bytes.length - begin} bytes for an array of ${shape.join(" × ")}, which takes ${count * size}.`,
      bytes.length - begin < count * size ? "It is cut short: copy it again." : undefined,
    );
  if (bytes[2] === 8) return { shape, data: bytes.subarray(begin) };
  return { shape, data: Float32Array.from({ length: count }, (_, i) => read(view, begin + i * size)) };
}

/** The images of an array [n, height, width] or [n, channels, height, width], or signals [n, length]; they share its memory. */
export function idxImages({ shape, data }: Idx, { file }: { file: string }): Image[] {
  const [count, ...rest] = shape;
  if (rest.length < 1 || rest.length > 3)
    throw new UserError(
      `${file} holds ${rest.length === 0 ? "labels" : `an array of rank ${shape.length}`}, not images.`,
      "Give the file of images, such as train-images-idx3-ubyte; the labels beside it are found.",
    );
  if (shape.includes(0)) throw new UserError(`${file} is empty: its shape is ${shape.join(" × ")}.`);
  const [channels, height, width] = [1, 1, ...rest].slice(-3);
  const size = channels * height * width;
  return Array.from({ length: count }, (_, i) =>
    image(width, height, channels, data.subarray(i * size, (i + 1) * size)),
  );
}

const NAME = /^(?:(.*)-)?([^-]+?)[-.]idx(\d)-(?:u?byte|short|int|float|double)(?:\.gz)?$/i;

/** What the name of an IDX file says: train, images and 3 for train-images-idx3-ubyte.gz. */
export function idxName(name: string): { prefix: string; kind: string; rank: number } | undefined {
  const found = NAME.exec(name);
  return found ? { prefix: found[1] ?? "", kind: found[2], rank: Number(found[3]) } : undefined;
}

/** Of the files beside it, those of labels: their kinds and names, sorted. */
export function labelFiles(name: string, beside: readonly string[]): Map<string, string> {
  const own = idxName(name);
  const found = new Map<string, string>();
  for (const each of [...beside].sort()) {
    const { prefix, kind, rank } = idxName(each) ?? {};
    if (own && prefix === own.prefix && rank === 1 && kind !== undefined && !found.has(kind)) found.set(kind, each);
  }
  return found;
}
