import { decode } from "fast-png";
import { unzlibSync, zlibSync } from "fflate";
import { UserError } from "../core/errors.ts";
import { type Image, image } from "./image.ts";

/** Pixels of a picture that is read; what claims more is a mistake, or means harm. */
export const MAX_PIXELS = 100e6;

export const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

interface Header {
  width: number;
  height: number;
  /** Bits of a sample: 1, 2, 4, 8 or 16. */
  depth: number;
  colour: keyof typeof SAMPLES;
  interlaced: boolean;
}

/** Samples of a pixel, by colour type: grey, RGB, palette, grey and alpha, RGB and alpha. */
const SAMPLES = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/**
 * A PNG of any kind: grey becomes one channel, all else three. 16-bit samples become bytes by rounding v/257; what is transparent
 * is laid over white. Only what the pixels need is looked at: broken colour profiles and texts do no harm.
 *
 * @throws UserError naming the file for one that is cut short, damaged, empty or above 100 million pixels
 */
export function decodePng(bytes: Uint8Array, { file }: { file: string }): Image {
  const damaged = (why: string) =>
    new UserError(`${file}: the PNG is cut short or damaged (${why}).`, "Copy or export it again.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: { type: string; whole: Uint8Array; body: Uint8Array }[] = [];
  for (let at = 8; chunks.at(-1)?.type !== "IEND"; ) {
    if (at + 12 > bytes.length) throw damaged("it ends early");
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) throw damaged(`it ends in a chunk ${type}`);
    const whole = bytes.subarray(at, at + 12 + length);
    if (["IHDR", "PLTE", "tRNS", "IDAT", "IEND"].includes(type))
      chunks.push({ type, whole, body: whole.subarray(8, 8 + length) });
    at += whole.length;
  }
  const header = readHeader(chunks[0], file, damaged);
  const data = chunks.filter(({ type }) => type === "IDAT");
  const packed = data.reduce((sum, { body }) => sum + body.length, 0);
  if (packed > 1.1 * rawSize(header) + 65536) throw damaged("it has more data than pixels");
  let samples: Uint8Array | Uint16Array;
  try {
    samples =
      header.interlaced && header.depth < 8
        ? decodePasses(header, concat(data.map(({ body }) => body)))
        : unpack(decodeBytes([chunks[0], ...data, chunks.at(-1)!].map(({ whole }) => whole)), header);
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    throw damaged((cause?.message ?? message).replace(/\.$/, ""));
  }
  const body = (type: string) => chunks.find((chunk) => chunk.type === type)?.body;
  if (header.colour === 3) return fromPalette(samples, header, body("PLTE"), body("tRNS"), damaged);
  return fromSamples(samples, header, header.colour < 3 ? body("tRNS") : undefined);
}

function readHeader(
  chunk: { type: string; body: Uint8Array },
  file: string,
  damaged: (why: string) => UserError,
): Header {
  const { type, body } = chunk;
  if (type !== "IHDR" || body.length !== 13) throw damaged("it has no header");
  const view = new DataView(body.buffer, body.byteOffset, 13);
  const [width, height, depth, colour] = [view.getUint32(0), view.getUint32(4), body[8], body[9]];
  if (width === 0 || height === 0)
    throw new UserError(`${file}: the PNG is ${width} × ${height} pixels: it is empty.`, "Export it again.");
  if (width * height > MAX_PIXELS)
    throw new UserError(
      `${file}: the PNG is ${width} × ${height} pixels; more than 100 million are not read.`,
      "Make it smaller, or cut it into pieces.",
    );
  if (!DEPTHS[colour]?.includes(depth)) throw damaged(`colour type ${colour} of ${depth} bits`);
  return { width, height, depth, colour: colour as Header["colour"], interlaced: body[12] === 1 };
}

/** Bytes before compression, filters included; at most, where it is interlaced. */
function rawSize({ width, height, depth, colour }: Header): number {
  return 2 * height + Math.ceil((width * depth * SAMPLES[colour]) / 8 + 8) * height;
}

const decodeBytes = (chunks: readonly Uint8Array[]) =>
  decode(concat([Uint8Array.from(PNG_SIGNATURE), ...chunks]), { checkCrc: true }).data as Uint8Array | Uint16Array;

/** One byte for each sample of less than 8 bits, whose rows begin at whole bytes; others as they are. */
function unpack(data: Uint8Array | Uint16Array, { width, height, depth }: Header): Uint8Array | Uint16Array {
  if (depth >= 8) return data;
  const out = new Uint8Array(width * height);
  const stride = Math.ceil((width * depth) / 8);
  const mask = 2 ** depth - 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      out[y * width + x] = (data[y * stride + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
    }
  return out;
}

/** First column and row, and steps, of Adam7's passes. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** Interlaced samples of less than 8 bits, which fast-png takes for bytes: each pass is decoded as a picture of its own. */
function decodePasses(header: Header, packed: Uint8Array): Uint8Array {
  const { width, height, depth } = header;
  const raw = unzlibSync(packed, { out: new Uint8Array(rawSize(header)) });
  const out = new Uint8Array(width * height);
  let at = 0;
  for (const [x0, y0, dx, dy] of PASSES) {
    const size = { width: Math.ceil((width - x0) / dx), height: Math.ceil((height - y0) / dy) };
    if (size.width <= 0 || size.height <= 0) continue;
    const length = size.height * (1 + Math.ceil((size.width * depth) / 8));
    const pass = raw.subarray(at, (at += length));
    if (pass.length < length) throw new Error("it has too few pixels");
    const ihdr = new Uint8Array(13);
    const view = new DataView(ihdr.buffer);
    view.setUint32(0, size.width);
    view.setUint32(4, size.height);
    ihdr[8] = depth;
    const png = concat([
      Uint8Array.from(PNG_SIGNATURE),
      ...[chunk("IHDR", ihdr), chunk("IDAT", zlibSync(pass, { level: 0 })), chunk("IEND", new Uint8Array(0))],
    ]);
    const samples = unpack(decode(png).data as Uint8Array, { ...header, ...size });
    for (let i = 0; i < samples.length; i++) {
      const y = Math.floor(i / size.width);
      out[(y0 + y * dy) * width + x0 + (i - y * size.width) * dx] = samples[i];
    }
  }
  return out;
}

/** Without its check sum, which nobody looks at. */
function chunk(type: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 12);
  new DataView(bytes.buffer).setUint32(0, body.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(body, 8);
  return bytes;
}

/** Grey or RGB, perhaps with alpha or with one transparent colour → bytes in planes. */
function fromSamples(samples: Uint8Array | Uint16Array, header: Header, key: Uint8Array | undefined): Image {
  const { width, height, depth, colour } = header;
  const count = SAMPLES[colour];
  const channels = colour === 0 || colour === 4 ? 1 : 3;
  const pixels = width * height;
  const out = new Uint8Array(channels * pixels);
  const most = 2 ** depth - 1;
  const transparent =
    key && key.length === 2 * channels
      ? Array.from({ length: channels }, (_, c) => (key[2 * c] << 8) | key[2 * c + 1])
      : undefined;
  for (let i = 0; i < pixels; i++) {
    const at = i * count;
    let alpha = count > channels ? samples[at + channels] / most : 1;
    if (transparent?.every((value, c) => samples[at + c] === value)) alpha = 0;
    for (let c = 0; c < channels; c++) out[c * pixels + i] = overWhite((samples[at + c] * 255) / most, alpha);
  }
  return image(width, height, channels, out);
}

function fromPalette(
  samples: Uint8Array | Uint16Array,
  { width, height }: Header,
  palette: Uint8Array | undefined,
  alphas: Uint8Array | undefined,
  damaged: (why: string) => UserError,
): Image {
  if (!palette) throw damaged("it has no palette");
  const pixels = width * height;
  const colours = Uint8Array.from(palette, (value, i) => {
    const alpha = alphas?.[Math.floor(i / 3)] ?? 255;
    return overWhite(value, alpha / 255);
  });
  const out = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const at = 3 * samples[i];
    if (at + 2 >= colours.length) throw damaged(`its palette has no colour ${samples[i]}`);
    for (let c = 0; c < 3; c++) out[c * pixels + i] = colours[at + c];
  }
  return image(width, height, 3, out);
}

const overWhite = (value: number, alpha: number) => Math.floor(value * alpha + 255 * (1 - alpha) + 0.5);

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
