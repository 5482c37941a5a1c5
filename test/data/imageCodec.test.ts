import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { image } from "../../src/data/image.ts";
import { decodeImage, encodePng } from "../../src/data/imageCodec.ts";

interface Case {
  name: string;
  file: string;
  width: number;
  height: number;
  channels: number;
  /** Levels of 0 … 255 by which a pixel may differ from PIL's. */
  tolerance: number;
  pixels: string;
}
const { files } = JSON.parse(readFileSync(new URL("../fixtures/images.json", import.meta.url), "utf8")) as {
  files: Case[];
};
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));
const named = (name: string) => bytes(files.find((each) => each.name === name)!.file);
const file = "a.png";

/** The lines of what reading these bytes throws. */
function complaint(data: Uint8Array): string {
  try {
    decodeImage(data, { file });
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error("nothing was thrown");
}

describe("against PIL", () => {
  test.each(files.map((each) => [each.name, each] as const))("%s", (_, { tolerance, pixels, ...expected }) => {
    const { width, height, channels, data } = decodeImage(bytes(expected.file), { file });
    expect([width, height, channels]).toEqual([expected.width, expected.height, expected.channels]);
    const differences = bytes(pixels).map((value, i) => Math.abs(value - data[i]));
    expect(Math.max(...differences)).toBeLessThanOrEqual(tolerance);
  });
});

test("a picture that is written is read as it was", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(1, 3), (w, h, c) => {
      const data = Uint8Array.from({ length: w * h * c }, (_, i) => (i * 37 + w) % 256);
      expect(decodeImage(encodePng(image(w, h, c, data)), { file })).toEqual({
        width: w,
        height: h,
        channels: c,
        data,
      });
    }),
    { numRuns: 20 },
  );
  expect(() => encodePng(image(2, 1, 1, new Float32Array(2)))).toThrow(/1 or 3 channels of bytes, not 1 of f32/);
  expect(() => encodePng(image(1, 1, 2, new Uint8Array(2)))).toThrow(/not 2 of bytes/);
});

describe("mistakes are named", () => {
  test.each(["RGB 8 bits", "JPEG 4:2:0", "JPEG progressive 4:2:0", "grey 2 bits, interlaced"])(
    "%s cut short",
    (name) => {
      const whole = named(name);
      for (let length = 12; length < whole.length - 12; length += 13)
        expect(complaint(whole.subarray(0, length))).toMatch(
          /^a\.png: the (PNG|JPEG) is cut short or damaged \(.+\)\.\n/,
        );
    },
  );

  test("one byte of a PNG's pixels is wrong", () => {
    const data = named("RGB 8 bits");
    data[60] ^= 4;
    expect(complaint(data)).toMatch(/cut short or damaged/);
  });

  test("other formats, empty files and texts", () => {
    const text = (begin: string) => complaint(Uint8Array.from(begin, (char) => char.charCodeAt(0)));
    expect(text("")).toBe("a.png is empty.\n  Copy or export it again.");
    expect(text("GIF89a")).toBe("a.png is a GIF; PNG and JPEG are read.\n  Convert it to PNG.");
    expect(text("BM1234")).toMatch(/^a\.png is a BMP/);
    expect(text("II*\0abcd")).toMatch(/^a\.png is a TIFF/);
    expect(text("MM\0*abcd")).toMatch(/^a\.png is a TIFF/);
    expect(text("RIFF\x01\x02\x03\x04WEBPVP8 ")).toMatch(/^a\.png is a WebP/);
    expect(text("<!DOCTYPE html>")).toMatch(/^a\.png is a web page/);
    expect(text("id,label")).toMatch(/^a\.png is no picture: it begins with "id,label"\.\n/);
  });

  test("sizes that cannot be", () => {
    const png = named("RGB 8 bits");
    const sized = (width: number, height: number) => {
      const view = new DataView(png.slice().buffer);
      view.setUint32(16, width);
      view.setUint32(20, height);
      return complaint(new Uint8Array(view.buffer));
    };
    expect(sized(0, 3)).toMatch(/the PNG is 0 × 3 pixels: it is empty/);
    expect(sized(100_000, 2000)).toMatch(/100000 × 2000 pixels; more than 100 million are not read/);
    const jpeg = named("JPEG 4:2:0");
    const at = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
    const changed = (offset: number, ...values: number[]) => {
      const copy = jpeg.slice();
      copy.set(values, at + offset);
      return complaint(copy);
    };
    expect(changed(5, 0, 0)).toMatch(/the JPEG is 21 × 0 pixels: it is empty/);
    expect(changed(5, 255, 255, 255, 255)).toMatch(/65535 × 65535 pixels; more than 100 million/);
    expect(changed(5, 32, 0, 32, 0)).toMatch(/bytes cannot hold 8192 × 8192 pixels/);
    expect(changed(1, 0xc3)).toMatch(/this kind of JPEG is not read \(lossless\)/);
    expect(changed(4, 12)).toMatch(/not read \(12 bits\)/);
  });

  test("whatever is wrong inside, there is a picture or a UserError", () => {
    const sources = ["JPEG 4:2:0", "JPEG progressive 4:2:0", "RGBA 16 bits", "palette 2 bits, interlaced"].map(named);
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (source, changes) => {
          const data = source.slice();
          for (const [at, value] of changes) data[8 + (at % (data.length - 8))] = value;
          try {
            decodeImage(data, { file });
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
          }
        },
      ),
      { numRuns: 150, seed: 4 },
    );
  });
});
