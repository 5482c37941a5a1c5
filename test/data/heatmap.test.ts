import { beforeAll, describe, expect, test } from "vitest";
import { heatmap, imagesOf, montage, overlay, toBytes } from "../../src/data/heatmap.ts";
import { image } from "../../src/data/image.ts";
import { decodeImage, encodePng } from "../../src/data/imageCodec.ts";
import { init, tensor } from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const map = (width: number, height: number, values: number[]) => image(width, height, 1, Float32Array.from(values));
/** The colour of pixel i. */
const colour = ({ data, width, height }: ReturnType<typeof image>, i: number) =>
  [0, 1, 2].map((c) => data[c * width * height + i]);

describe("heatmap", () => {
  test("lowest and highest value have the ends' colours", () => {
    const picture = heatmap(map(3, 1, [-1, 0, 3]), { colours: "grey" });
    expect([colour(picture, 0), colour(picture, 1), colour(picture, 2)]).toEqual([
      [0, 0, 0],
      [64, 64, 64],
      [255, 255, 255],
    ]);
    const viridis = heatmap(map(2, 1, [0, 1]));
    expect([colour(viridis, 0), colour(viridis, 1)]).toEqual([
      [0x44, 0x01, 0x54],
      [0xfd, 0xe7, 0x25],
    ]);
  });

  test("signed values: 0 is in the middle", () => {
    const picture = heatmap(map(3, 1, [-1, 0, 4]), { colours: "coolwarm" });
    const [r, g, b] = colour(picture, 1);
    expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThan(4);
    expect(colour(picture, 2)).toEqual([0xb4, 0x04, 0x26]);
  });

  test("a range cuts off; a constant map and what is no number are low", () => {
    const grey = (values: number[], range?: [number, number]) =>
      [...heatmap(map(values.length, 1, values), { colours: "grey", range }).data].slice(0, values.length);
    expect(grey([-5, 0.5, 9], [0, 1])).toEqual([0, 128, 255]);
    expect(grey([2, 2])).toEqual([0, 0]);
    expect(grey([Number.NaN, 0, 1, Infinity])).toEqual([0, 0, 255, 255]);
  });

  test("is a PNG's picture", () => {
    const picture = heatmap(map(2, 2, [0, 1, 2, 3]));
    expect(decodeImage(encodePng(picture), { file: "map.png" })).toEqual(picture);
  });
});

test("overlay: the picture where the map is low, its colour where it is high; the map is enlarged", () => {
  const picture = image(4, 2, 1, new Uint8Array(8).fill(100));
  const laid = overlay(picture, map(2, 1, [0, 1]), { colours: "grey", opacity: 0.5 });
  expect([laid.width, laid.height, laid.channels]).toEqual([4, 2, 3]);
  expect(colour(laid, 0)).toEqual([100, 100, 100]);
  expect(colour(laid, 3)).toEqual([178, 178, 178]);
  expect(() => overlay(map(1, 1, [0]), map(1, 1, [0]))).toThrow("overlay: the picture must be of bytes.");
});

test("montage: row by row, with gaps, enlarged", () => {
  const tiles = [1, 2, 3].map((value) => image(1, 1, 1, Uint8Array.of(value)));
  const sheet = montage(tiles, { columns: 2, gap: 1, scale: 2, background: 9 });
  expect([sheet.width, sheet.height, sheet.channels]).toEqual([5, 5, 1]);
  expect([...sheet.data]).toEqual([1, 1, 9, 2, 2, 1, 1, 9, 2, 2, 9, 9, 9, 9, 9, 3, 3, 9, 9, 9, 3, 3, 9, 9, 9]);
  const mixed = montage([tiles[0], image(1, 1, 3, Uint8Array.of(7, 8, 9))], { gap: 0 });
  expect([mixed.width, mixed.channels, ...mixed.data]).toEqual([2, 3, 1, 7, 1, 8, 1, 9]);
  expect(() => montage([])).toThrow("montage: there are no pictures.");
  expect(() => montage([tiles[0], map(2, 1, [0, 0])])).toThrow("pictures of 1 × 1 and of 2 × 1");
  expect(() => montage([map(1, 1, [0])])).toThrow("the pictures must be of bytes");
  expect(() => montage(tiles, { columns: 0 })).toThrow("montage: columns must be a whole number ≥ 1, not 0.");
});

test("imagesOf: a tensor's pictures; toBytes spreads their range", () => {
  const x = tensor([0, 1, 2, 3, 4, 5, 6, 7], [2, 1, 2, 2]);
  const [first, second] = imagesOf(x);
  expect(second).toEqual(image(2, 2, 1, Float32Array.of(4, 5, 6, 7)));
  expect([...toBytes(first).data]).toEqual([0, 85, 170, 255]);
  expect([...toBytes(first, [0, 6]).data]).toEqual([0, 43, 85, 128]);
  expect(imagesOf(x.reshape(2, 4)).length).toBe(1);
  expect(imagesOf(x.reshape(4, 1, 2)).map(({ channels }) => channels)).toEqual([1, 1, 1, 1]);
  expect(() => imagesOf(x.reshape(8))).toThrow("imagesOf([8]): pictures are [height, width]");
});
