import { decode } from "jpeg-js";
import { UserError } from "../core/errors.ts";
import { type Image, image } from "./image.ts";
import { exifOrientation, orient } from "./orientation.ts";
import { MAX_PIXELS } from "./png.ts";

/** What stands before the pixels. */
interface Header {
  width: number;
  height: number;
  components: readonly { id: number; h: number; v: number }[];
  /** Whether three components are brightness and two of colour, not red, green and blue. */
  yCbCr: boolean;
  /** 1 … 8, of EXIF. */
  orientation: number;
  /** The bytes of Adobe's marker, from where to where. */
  adobe: readonly [number, number] | undefined;
}

/**
 * A JPEG, baseline or progressive, upright (its EXIF orientation is applied): grey becomes one channel; YCbCr, RGB and, over
 * Adobe's inverted inks, CMYK and YCCK become three. Colour of half the resolution is interpolated as libjpeg does, with weights ¾
 * and ¼, so that pixels agree with other programs' within 3 levels.
 *
 * @throws UserError naming the file for one that is cut short, damaged, empty, above 100 million pixels, or of a kind that hardly
 *   any program writes: lossless, arithmetic coding, 12 bits
 */
export function decodeJpeg(bytes: Uint8Array, { file }: { file: string }): Image {
  const damaged = (why: string) =>
    new UserError(`${file}: the JPEG is cut short or damaged (${why}).`, "Copy or export it again.");
  const header = readHeader(bytes, file, damaged);
  const { width, height, components, yCbCr, adobe } = header;
  let raw: Uint8Array;
  try {
    const source = components.length === 3 && adobe ? without(bytes, adobe) : bytes;
    raw = decode(components.length === 4 && !adobe ? withAdobe(bytes) : source, {
      useTArray: true,
      formatAsRGBA: false,
      // Three components come as they are stored: the colours below half resolution are interpolated first.
      colorTransform: components.length === 3 ? false : undefined,
      tolerantDecoding: false,
      maxResolutionInMP: MAX_PIXELS / 1e6,
      maxMemoryUsageInMB: 8192,
    }).data;
  } catch (error) {
    throw damaged((error as Error).message.replace(/\.$/, ""));
  }
  const pixels = width * height;
  const channels = components.length === 1 ? 1 : 3;
  const planes = new Uint8Array(channels * pixels);
  for (let c = 0; c < channels; c++) for (let i = 0; i < pixels; i++) planes[c * pixels + i] = raw[3 * i + c];
  if (yCbCr) {
    const [h, v] = [Math.max(...components.map((each) => each.h)), Math.max(...components.map((each) => each.v))];
    for (const c of [1, 2]) {
      const plane = planes.subarray(c * pixels, (c + 1) * pixels);
      smooth(plane, width, height, h / components[c].h === 2, v / components[c].v === 2);
    }
    toRgb(planes, pixels);
  }
  return orient(image(width, height, channels, planes), header.orientation);
}

function readHeader(bytes: Uint8Array, file: string, damaged: (why: string) => UserError): Header {
  const u16 = (at: number) => (bytes[at] << 8) | bytes[at + 1];
  const text = (at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length));
  let frame: Pick<Header, "width" | "height" | "components"> | undefined;
  let adobe: [number, number] | undefined;
  let jfif = false;
  let orientation = 1;
  for (let at = 2; at + 4 <= bytes.length; ) {
    const marker = bytes[at + 1];
    const filler = bytes[at] !== 0xff || marker === 0xff || marker === 0 || (marker >= 0xd0 && marker <= 0xd8);
    if (filler) {
      at++;
      continue;
    }
    if (marker === 0xda || marker === 0xd9) break;
    const end = at + 2 + u16(at + 2);
    if (end > bytes.length) break;
    if (marker === 0xe0 && text(at + 4, 5) === "JFIF\0") jfif = true;
    if (marker === 0xe1 && text(at + 4, 4) === "Exif") orientation = exifOrientation(bytes.subarray(at + 10, end));
    if (marker === 0xee && text(at + 4, 5) === "Adobe" && end - at >= 16) adobe = [at, end];
    if (!frame && marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [precision, height, width, count] = [bytes[at + 4], u16(at + 5), u16(at + 7), bytes[at + 9]];
      const components = Array.from({ length: count }, (_, i) => {
        const [id, sampling] = [bytes[at + 10 + 3 * i], bytes[at + 11 + 3 * i]];
        return { id, h: sampling >> 4, v: sampling & 15 };
      });
      frame = { width, height, components };
      checkFrame(frame, marker, precision, bytes.length, file);
      if (components.some(({ h, v }) => !(h >= 1 && v >= 1))) throw damaged("its sampling factors are wrong");
    }
    at = end;
  }
  if (!frame) throw damaged("it ends before its pixels");
  // As libjpeg decides: JFIF has one meaning only, Adobe says it, and else the components' names do.
  const rgb = adobe ? bytes[adobe[0] + 15] === 0 : frame.components.map(({ id }) => id).join() === "82,71,66";
  return { ...frame, yCbCr: frame.components.length === 3 && (jfif || !rgb), adobe, orientation };
}

function checkFrame(
  { width, height, components }: Pick<Header, "width" | "height" | "components">,
  marker: number,
  precision: number,
  length: number,
  file: string,
): void {
  const kind =
    marker > 0xc2
      ? [0xc3, 0xc7, 0xcb, 0xcf].includes(marker)
        ? "lossless"
        : "arithmetic or hierarchical coding"
      : precision !== 8
        ? `${precision} bits`
        : ![1, 3, 4].includes(components.length)
          ? `${components.length} components`
          : undefined;
  if (kind)
    throw new UserError(
      `${file}: this kind of JPEG is not read (${kind}).`,
      "Save it again as an ordinary JPEG or as PNG.",
    );
  if (width === 0 || height === 0)
    throw new UserError(`${file}: the JPEG is ${width} × ${height} pixels: it is empty.`, "Export it again.");
  if (width * height > MAX_PIXELS)
    throw new UserError(
      `${file}: the JPEG is ${width} × ${height} pixels; more than 100 million are not read.`,
      "Make it smaller, or cut it into pieces.",
    );
  // A block of 8 × 8 pixels, 32 × 32 with colours of the least resolution, takes a bit or more.
  if (width * height > 8 * 1024 * length)
    throw new UserError(
      `${file}: the JPEG is cut short or damaged (${length} bytes cannot hold ${width} × ${height} pixels).`,
      "Copy or export it again.",
    );
}

const without = (bytes: Uint8Array, [begin, end]: readonly [number, number]) => {
  const out = new Uint8Array(bytes.length - (end - begin));
  out.set(bytes.subarray(0, begin));
  out.set(bytes.subarray(end), begin);
  return out;
};

/** Four components without Adobe's marker: everybody reads them as if they had one that says CMYK. */
function withAdobe(bytes: Uint8Array): Uint8Array {
  const marker = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0];
  const out = new Uint8Array(bytes.length + marker.length);
  out.set(bytes.subarray(0, 2));
  out.set(marker, 2);
  out.set(bytes.subarray(2), 2 + marker.length);
  return out;
}

/** A plane whose samples were doubled along x, y or both → linear interpolation between their centres, rounded as libjpeg does. */
function smooth(plane: Uint8Array, width: number, height: number, alongX: boolean, alongY: boolean): void {
  if (!alongX && !alongY) return;
  const columns = alongX ? Math.ceil(width / 2) : width;
  const rows = alongY ? Math.ceil(height / 2) : height;
  const [sx, sy] = [alongX ? 2 : 1, alongY ? 2 : 1];
  const small = new Uint8Array(columns * rows);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) small[y * columns + x] = plane[y * sy * width + x * sx];
  const line = new Int32Array(columns);
  for (let y = 0; y < height; y++) {
    const near = alongY ? y >> 1 : y;
    const far = alongY ? Math.min(rows - 1, Math.max(0, near + (y & 1 ? 1 : -1))) : near;
    const weight = alongY ? 3 : 1;
    for (let x = 0; x < columns; x++)
      line[x] = weight * small[near * columns + x] + (alongY ? small[far * columns + x] : 0);
    const out = plane.subarray(y * width, (y + 1) * width);
    if (!alongX) for (let x = 0; x < width; x++) out[x] = (line[x] + (y & 1 ? 2 : 1)) >> 2;
    else
      for (let x = 0; x < width; x++) {
        const center = x >> 1;
        const side = Math.min(columns - 1, Math.max(0, center + (x & 1 ? 1 : -1)));
        const sum = 3 * line[center] + line[side];
        out[x] = alongY ? (sum + (x & 1 ? 7 : 8)) >> 4 : (sum + (x & 1 ? 2 : 1)) >> 2;
      }
  }
}

/** Y, Cb, Cr → R, G, B in place (JFIF). */
function toRgb(planes: Uint8Array, pixels: number): void {
  const byte = (value: number) => (value < 0 ? 0 : value > 255 ? 255 : Math.floor(value + 0.5));
  for (let i = 0; i < pixels; i++) {
    const y = planes[i];
    const cb = planes[pixels + i] - 128;
    const cr = planes[2 * pixels + i] - 128;
    planes[i] = byte(y + 1.402 * cr);
    planes[pixels + i] = byte(y - 0.344136286 * cb - 0.714136286 * cr);
    planes[2 * pixels + i] = byte(y + 1.772 * cb);
  }
}
