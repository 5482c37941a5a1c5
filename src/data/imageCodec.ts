import { encode } from "fast-png";
import { UserError } from "../core/errors.ts";
import type { Image } from "./image.ts";
import { decodeJpeg } from "./jpeg.ts";
import { quote } from "./open.ts";
import { decodePng, PNG_SIGNATURE } from "./png.ts";

/** What tells other files: the text that they have at this byte. */
const OTHERS: readonly (readonly [at: number, text: string, what: string])[] = [
  [0, "GIF8", "a GIF"],
  [0, "BM", "a BMP"],
  [0, "II*\0", "a TIFF"],
  [0, "MM\0*", "a TIFF"],
  [0, "II+\0", "a TIFF"],
  [0, "MM\0+", "a TIFF"],
  [8, "WEBP", "a WebP picture"],
  [4, "ftypavif", "an AVIF picture"],
  [4, "ftyphei", "a HEIC picture"],
  [4, "ftypmif1", "a HEIC picture"],
  [4, "jP  ", "a JPEG 2000"],
  [4, "JXL ", "a JPEG XL"],
  [0, "%PDF", "a PDF"],
  [0, "PK\x03\x04", "a zip archive"],
  [0, "\x1f\x8b", "a gzip file"],
  [0, "<svg", "an SVG drawing"],
  [0, "<!DOCTYPE html", "a web page"],
  [0, "<html", "a web page"],
];

/**
 * The picture in the bytes of a PNG or JPEG file, known by how it begins, whatever it is called: bytes [channels, height, width],
 * 1 channel where it is grey and 3 else. 16-bit samples are rounded to bytes, transparency is laid over white, EXIF's orientation
 * is applied.
 *
 * @throws UserError naming the file and what it is: cut short, damaged, empty, above 100 million pixels, of another format
 */
export function decodeImage(bytes: Uint8Array, { file }: { file: string }): Image {
  if (bytes.length === 0) throw new UserError(`${file} is empty.`, "Copy or export it again.");
  if (PNG_SIGNATURE.every((byte, i) => bytes[i] === byte)) return decodePng(bytes, { file });
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return decodeJpeg(bytes, { file });
  const head = String.fromCharCode(...bytes.subarray(0, 256));
  const other = OTHERS.find(([at, text]) => head.startsWith(text, at))?.[2];
  if (other) throw new UserError(`${file} is ${other}; PNG and JPEG are read.`, "Convert it to PNG.");
  throw new UserError(`${file} is no picture: it begins with ${quote(head, 16)}.`, "PNG and JPEG are read.");
}

/** The picture as a PNG file. @throws UserError unless it has 1 or 3 channels of bytes */
export function encodePng({ width, height, channels, data }: Image): Uint8Array {
  if (!(data instanceof Uint8Array) || (channels !== 1 && channels !== 3))
    throw new UserError(
      `encodePng: a picture has 1 or 3 channels of bytes, not ${channels} of ${data instanceof Uint8Array ? "bytes" : "f32"}.`,
      "Scale it to 0 … 255 first.",
    );
  const pixels = width * height;
  const samples = new Uint8Array(data.length);
  for (let c = 0; c < channels; c++) for (let i = 0; i < pixels; i++) samples[i * channels + c] = data[c * pixels + i];
  return encode({ width, height, channels, depth: 8, data: samples });
}
