import { mismatch, UserError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { type Image, image } from "./image.ts";
import { resize, toRgb } from "./imageTransform.ts";

/** Numbers as pictures: heat maps, heat maps over photographs, sheets of feature maps and filters; for `encodePng`. */

/** Colours from the lowest value to the highest. "coolwarm" is for signed values: blue below 0, grey at 0, red above. */
const COLOURS = {
  viridis: "440154 482576 414487 35608d 2a788e 21908c 22a884 43bf71 7ad151 bbdf27 fde725",
  inferno: "000004 1b0c41 4a0c6b 781c6d a52c60 cf4446 ed6925 fb9b06 f7d13d fcffa4",
  coolwarm: "3b4cc0 6788ee 9abbff c9d7f0 dddddd f2cbb7 f7a889 e26952 b40426",
  grey: "000000 ffffff",
};

export type ColourMap = keyof typeof COLOURS;

/** A colour map's 256 colours, [red, green, blue] each. */
function palette(name: ColourMap): readonly (readonly number[])[] {
  const text = COLOURS[name];
  if (!text)
    throw new UserError(`There is no colour map "${name}".`, `Choose one of ${Object.keys(COLOURS).join(", ")}.`);
  const anchors = text.split(" ").map((hex) => [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
  return Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (anchors.length - 1);
    const low = Math.min(Math.floor(place), anchors.length - 2);
    return anchors[low].map((from, c) => Math.round(from + (place - low) * (anchors[low + 1][c] - from)));
  });
}

/** The values that stand for the lowest and the highest colour. */
export type Range = readonly [low: number, high: number];

export interface HeatmapOptions {
  colours?: ColourMap;
  /** Left out: from the smallest to the largest value; for "coolwarm" as far below 0 as above. */
  range?: Range;
}

/** Smallest and largest finite value of some images. */
export function rangeOf(images: readonly Pick<Image, "data">[]): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const { data } of images)
    for (const value of data)
      if (Number.isFinite(value)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
  return low <= high ? [low, high] : [0, 0];
}

/** 0 … 255 within the range; what is no number counts as low. */
function toByte(value: number, [low, high]: Range): number {
  const share = high > low ? (value - low) / (high - low) : 0;
  return share > 0 ? Math.round(255 * Math.min(1, share)) : 0;
}

function rangeFor(map: Image, colours: ColourMap): Range {
  const [low, high] = rangeOf([map]);
  const reach = Math.max(-low, high);
  return colours === "coolwarm" ? [-reach, reach] : [low, high];
}

function checkMap(call: string, { channels }: Image): void {
  if (channels !== 1) throw new UserError(`${call}: a map has one channel, not ${channels}.`);
}

/** A map of one channel in colours: bytes [3, height, width]. */
export function heatmap(map: Image, { colours = "viridis", range }: HeatmapOptions = {}): Image {
  checkMap("heatmap", map);
  const table = palette(colours);
  const limits = range ?? rangeFor(map, colours);
  const pixels = map.width * map.height;
  const data = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const colour = table[toByte(map.data[i], limits)];
    for (let c = 0; c < 3; c++) data[c * pixels + i] = colour[c];
  }
  return image(map.width, map.height, 3, data);
}

/**
 * A map of any size over a picture of bytes, 1 or 3 channels: the higher the value, the more of its colour, up to the opacity; where
 * the map is low, the picture shows.
 */
export function overlay(
  picture: Image,
  map: Image,
  { colours = "inferno", range, opacity = 0.7 }: HeatmapOptions & { opacity?: number } = {},
): Image {
  checkMap("overlay", map);
  const below = toRgb(picture);
  if (!(below.data instanceof Uint8Array))
    throw new UserError("overlay: the picture must be of bytes.", "Use toBytes.");
  const limits = range ?? rangeFor(map, colours);
  const fitted = resize(
    image(
      map.width,
      map.height,
      1,
      Float32Array.from(map.data, (value) => toByte(value, limits)),
    ),
    [picture.height, picture.width],
  );
  const table = palette(colours);
  const pixels = picture.width * picture.height;
  const data = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const level = fitted.data[i];
    const share = (opacity * level) / 255;
    const colour = table[Math.round(level)];
    for (let c = 0; c < 3; c++)
      data[c * pixels + i] = Math.round((1 - share) * below.data[c * pixels + i] + share * colour[c]);
  }
  return image(picture.width, picture.height, 3, data);
}

/** A tensor's pictures: [height, width] is one of one channel, [n, height, width] n of them, [n, channels, height, width] n. */
export function imagesOf(x: Tensor): Image[] {
  if (x.rank < 2 || x.rank > 4)
    throw mismatch(
      "imagesOf",
      [x.shape],
      "pictures are [height, width], [n, height, width] or [n, channels, height, width].",
    );
  const [height, width] = x.shape.slice(-2);
  const channels = x.rank === 4 ? x.shape[1] : 1;
  const count = x.rank === 2 ? 1 : x.shape[0];
  const size = channels * height * width;
  const all = x.toArray();
  return Array.from({ length: count }, (_, i) => image(width, height, channels, all.slice(i * size, (i + 1) * size)));
}

/** The image as bytes, its range (from the smallest to the largest value where left out) spread over 0 … 255. */
export function toBytes(picture: Image, range: Range = rangeOf([picture])): Image {
  const data = Uint8Array.from(picture.data, (value) => toByte(value, range));
  return image(picture.width, picture.height, picture.channels, data);
}

export interface MontageOptions {
  /** Pictures in a row; left out, about as many as rows. */
  columns?: number;
  /** Pixels between them. */
  gap?: number;
  /** Each pixel becomes so many in height and width: filters are small. */
  scale?: number;
  /** Grey of the gaps, 0 … 255. */
  background?: number;
}

/** Pictures of one size, of bytes, 1 or 3 channels, as one: row by row. */
export function montage(images: readonly Image[], options: MontageOptions = {}): Image {
  const { gap = 1, scale = 1, background = 255 } = options;
  if (images.length === 0) throw new UserError("montage: there are no pictures.");
  const columns = options.columns ?? Math.ceil(Math.sqrt(images.length));
  for (const [name, n, least] of [
    ["columns", columns, 1],
    ["scale", scale, 1],
    ["gap", gap, 0],
  ] as const)
    if (!(Number.isInteger(n) && n >= least))
      throw new UserError(`montage: ${name} must be a whole number ≥ ${least}, not ${n}.`);
  const [{ width, height }] = images;
  const other = images.find((picture) => picture.width !== width || picture.height !== height);
  if (other)
    throw new UserError(
      `montage: pictures of ${width} × ${height} and of ${other.width} × ${other.height}.`,
      "Resize them.",
    );
  const grey = images.every(({ channels }) => channels === 1);
  const channels = grey ? 1 : 3;
  const rows = Math.ceil(images.length / columns);
  const [stepX, stepY] = [width * scale + gap, height * scale + gap];
  const [wide, high] = [Math.min(columns, images.length) * stepX - gap, rows * stepY - gap];
  const data = new Uint8Array(channels * wide * high).fill(background);
  images.forEach((picture, i) => {
    const from = (grey ? picture : toRgb(picture)).data;
    if (!(from instanceof Uint8Array)) throw new UserError("montage: the pictures must be of bytes.", "Use toBytes.");
    const [left, top] = [(i % columns) * stepX, Math.floor(i / columns) * stepY];
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height * scale; y++)
        for (let x = 0; x < width * scale; x++)
          data[(c * high + top + y) * wide + left + x] =
            from[(c * height + Math.floor(y / scale)) * width + Math.floor(x / scale)];
  });
  return image(wide, high, channels, data);
}
