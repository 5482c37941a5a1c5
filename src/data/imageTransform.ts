import { UserError } from "../core/errors.ts";
import { type Image, image } from "./image.ts";

/** [height, width] in pixels. */
export type ImageSize = readonly [height: number, width: number];

/** How a picture is brought to a size: its middle cut out as VGG's authors do, or stretched. */
export type ImageFit = "crop" | "stretch";

/**
 * The picture in another size by bilinear interpolation whose triangle widens where it shrinks (antialias): bytes are exactly those of
 * Pillow's BILINEAR and torchvision's resize, rounded after the rows and after the columns; floats are not rounded.
 */
export function resize(picture: Image, [height, width]: ImageSize): Image {
  checkSize([height, width]);
  const { width: w, height: h, channels } = picture;
  let data = picture.data;
  if (width !== w) data = resample(data, channels * h, w, width, true);
  if (height !== h) {
    const planes = make(data, channels * height * width);
    for (let c = 0; c < channels; c++) {
      const plane = data.subarray(c * h * width, (c + 1) * h * width);
      planes.set(resample(plane, width, h, height, false), c * height * width);
    }
    data = planes;
  }
  return data === picture.data ? picture : image(width, height, channels, data);
}

/** The shorter side → `size`, the longer one in proportion, rounded down (torchvision's `Resize(size)`). */
export function resizeShorter(picture: Image, size: number): Image {
  const { width, height } = picture;
  return width <= height
    ? resize(picture, [Math.max(size, Math.floor((size * height) / width)), size])
    : resize(picture, [size, Math.max(size, Math.floor((size * width) / height))]);
}

/** The middle of the picture; an odd rest is shared out as torchvision does. @throws UserError where the picture is smaller */
export function centreCrop(picture: Image, [height, width]: ImageSize): Image {
  checkSize([height, width]);
  const { width: w, height: h, channels, data } = picture;
  if (height > h || width > w)
    throw new UserError(`centreCrop: ${height} × ${width} cannot be cut out of a picture of ${h} × ${w}.`);
  if (height === h && width === w) return picture;
  const [top, left] = [half(h - height), half(w - width)];
  const out = make(data, channels * height * width);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++) {
      const from = (c * h + top + y) * w + left;
      out.set(data.subarray(from, from + width), (c * height + y) * width);
    }
  return image(width, height, channels, out);
}

/**
 * The picture in this size. "crop": its shorter side → 256/224 of the size's, then the middle, which for 224 × 224 is how VGG's
 * authors and torchvision look at a picture; "stretch": both sides as they come. A picture of this size stays as it is.
 */
export function fitTo(picture: Image, size: ImageSize, fit: ImageFit): Image {
  const { width: w, height: h } = picture;
  const [height, width] = size;
  if (height === h && width === w) return picture;
  if (fit === "stretch") return resize(picture, size);
  if (height === width) return centreCrop(resizeShorter(picture, Math.round((height * 256) / 224)), size);
  const scale = Math.max(height / h, width / w) * (256 / 224);
  return centreCrop(resize(picture, [Math.ceil(h * scale - 1e-9), Math.ceil(w * scale - 1e-9)]), size);
}

/** Brightness: 0.299 R + 0.587 G + 0.114 B (ITU-R 601), for bytes with Pillow's rounding. @throws UserError unless 1 or 3 channels */
export function toGrey(picture: Image): Image {
  const { width, height, channels, data } = picture;
  if (channels === 1) return picture;
  if (channels !== 3) throw new UserError(`toGrey: a picture has 1 or 3 channels, not ${channels}.`);
  const pixels = width * height;
  const out = make(data, pixels);
  const [green, blue] = [pixels, 2 * pixels];
  if (data instanceof Uint8Array)
    for (let i = 0; i < pixels; i++)
      out[i] = (data[i] * 19595 + data[green + i] * 38470 + data[blue + i] * 7471 + 0x8000) >> 16;
  else for (let i = 0; i < pixels; i++) out[i] = 0.299 * data[i] + 0.587 * data[green + i] + 0.114 * data[blue + i];
  return image(width, height, 1, out);
}

/** Red, green and blue, equal ones where the picture is grey. @throws UserError unless it has 1 or 3 channels */
export function toRgb(picture: Image): Image {
  const { width, height, channels, data } = picture;
  if (channels === 3) return picture;
  if (channels !== 1) throw new UserError(`toRgb: a picture has 1 or 3 channels, not ${channels}.`);
  const out = make(data, 3 * data.length);
  for (let c = 0; c < 3; c++) out.set(data, c * data.length);
  return image(width, height, 3, out);
}

function checkSize([height, width]: ImageSize): void {
  for (const side of [height, width])
    if (!(Number.isInteger(side) && side > 0 && side <= 65536))
      throw new UserError(
        `An image cannot be ${height} × ${width} pixels.`,
        "Sizes are whole numbers from 1 to 65536.",
      );
}

const make = (like: Uint8Array | Float32Array, length: number) =>
  like instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);

/** Half of n; of an odd n the even neighbour, as Python rounds. */
const half = (n: number) => (n % 2 === 0 ? n / 2 : (n - 1) / 2 + (((n - 1) / 2) % 2));

/** Bits behind the point of Pillow's weights. */
const BITS = 22;

/**
 * One axis of `lines` lines from `from` to `to` samples: lines lie one after the other (`along`), or side by side as columns do.
 */
function resample(data: Uint8Array | Float32Array, lines: number, from: number, to: number, along: boolean) {
  const bytes = data instanceof Uint8Array;
  const out = make(data, lines * to);
  const scale = from / to;
  const support = Math.max(scale, 1);
  const [next, line] = along ? [1, from] : [lines, 1];
  const [nextOut, lineOut] = along ? [1, to] : [lines, 1];
  const weights = new Float64Array(Math.ceil(support) * 2 + 1);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(from, Math.trunc(centre + support + 0.5)) - begin;
    let sum = 0;
    for (let k = 0; k < count; k++) sum += weights[k] = Math.max(0, 1 - Math.abs((begin + k - centre + 0.5) / support));
    for (let k = 0; k < count; k++) {
      weights[k] /= sum;
      if (bytes) weights[k] = Math.trunc(weights[k] * 2 ** BITS + 0.5);
    }
    for (let j = 0; j < lines; j++) {
      const first = j * line + begin * next;
      let value = bytes ? 2 ** (BITS - 1) : 0;
      for (let k = 0; k < count; k++) value += weights[k] * data[first + k * next];
      out[j * lineOut + i * nextOut] = bytes ? Math.min(255, value >> BITS) : value;
    }
  }
  return out;
}
