import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { image } from "../../src/data/image.ts";
import { centreCrop, fitTo, resize, resizeShorter, toGrey, toRgb } from "../../src/data/imageTransform.ts";

const fixture = JSON.parse(readFileSync(new URL("../fixtures/images.json", import.meta.url), "utf8")).resize as {
  width: number;
  height: number;
  pixels: string;
  to: { size: [number, number]; pixels: string }[];
  grey: string;
};
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));
const picture = image(fixture.width, fixture.height, 3, bytes(fixture.pixels));
/** Pixel numbers of a grey picture of this size, row by row. */
const numbered = (height: number, width: number) =>
  image(
    width,
    height,
    1,
    Float32Array.from({ length: width * height }, (_, i) => i),
  );

describe("resize is Pillow's", () => {
  test.each(fixture.to.map((each) => [each.size.join(" × "), each] as const))("%s", (_, { size, pixels }) => {
    const small = resize(picture, size);
    expect([small.height, small.width, small.channels]).toEqual([...size, 3]);
    expect(small.data).toEqual(bytes(pixels));
    const floats = resize(image(picture.width, picture.height, 3, Float32Array.from(picture.data)), size);
    const differences = floats.data.map((value, i) => Math.abs(value - small.data[i]));
    expect(Math.max(...differences)).toBeLessThan(1.1);
    expect(floats.data).toBeInstanceOf(Float32Array);
  });

  test("a picture of that size stays as it is; sizes that cannot be are refused", () => {
    expect(resize(picture, [13, 17])).toBe(picture);
    expect(() => resize(picture, [0, 3])).toThrow(/cannot be 0 × 3 pixels/);
  });
});

test("the middle is cut out, odd rests shared out as Python rounds", () => {
  expect([...centreCrop(numbered(4, 4), [2, 2]).data]).toEqual([5, 6, 9, 10]);
  // Rests 1 and 3: halves 0.5 → 0 and 1.5 → 2.
  expect([...centreCrop(numbered(2, 5), [1, 2]).data]).toEqual([2, 3]);
  expect(() => centreCrop(numbered(2, 2), [3, 1])).toThrow(/3 × 1 cannot be cut out of a picture of 2 × 2/);
  expect(centreCrop(picture, [13, 17])).toBe(picture);
});

test("the shorter side decides, the longer is rounded down", () => {
  const size = ({ height, width }: { height: number; width: number }) => [height, width];
  expect(size(resizeShorter(numbered(10, 15), 4))).toEqual([4, 6]);
  expect(size(resizeShorter(numbered(15, 10), 7))).toEqual([10, 7]);
  expect(size(resizeShorter(numbered(5, 5), 7))).toEqual([7, 7]);
});

test("fit: VGG's crop, or stretched", () => {
  expect(fitTo(picture, [7, 7], "crop")).toEqual(centreCrop(resizeShorter(picture, 8), [7, 7]));
  expect(fitTo(picture, [7, 5], "stretch")).toEqual(resize(picture, [7, 5]));
  const wide = fitTo(picture, [7, 14], "crop");
  expect([wide.height, wide.width]).toEqual([7, 14]);
  expect(fitTo(picture, [13, 17], "crop")).toBe(picture);
});

test("grey and colour", () => {
  expect(toGrey(picture).data).toEqual(bytes(fixture.grey));
  const floats = toGrey(image(picture.width, picture.height, 3, Float32Array.from(picture.data)));
  expect(Math.max(...floats.data.map((value, i) => Math.abs(value - bytes(fixture.grey)[i])))).toBeLessThan(0.51);
  const grey = image(2, 1, 1, Uint8Array.of(3, 4));
  expect([toGrey(grey), toRgb(picture)]).toEqual([grey, picture]);
  expect([...toRgb(grey).data]).toEqual([3, 4, 3, 4, 3, 4]);
  const two = image(1, 1, 2, new Uint8Array(2));
  expect(() => toGrey(two)).toThrow(/1 or 3 channels, not 2/);
  expect(() => toRgb(two)).toThrow(/1 or 3 channels, not 2/);
});
