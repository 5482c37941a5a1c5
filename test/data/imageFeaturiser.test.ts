import { beforeAll, expect, test } from "vitest";
import { type Image, image } from "../../src/data/image.ts";
import { ImageFeaturiser, type ImageSpec } from "../../src/data/imageFeaturiser.ts";
import { imageTable } from "../../src/data/imageTable.ts";
import { fitTo, toGrey } from "../../src/data/imageTransform.ts";
import { featuriserFromJSON } from "../../src/data/rowFeaturiser.ts";
import { Table } from "../../src/data/table.ts";
import { init, Rng, type Tensor } from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const bytes = (height: number, width: number, channels = 1, seed = 1): Image =>
  image(
    width,
    height,
    channels,
    Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37 * seed + 11) % 256),
  );
const floats = (width: number, ...values: number[]): Image =>
  image(width, 1, values.length / width, Float32Array.from(values));

function table(images: readonly Image[] | undefined, targets?: number[]): Table {
  const ids = (images ?? [0]).map((_, i) => `p${i}.png`);
  const none = { names: [], values: new Float64Array(0) };
  return new Table({
    ...{ file: "pictures", ids, formulas: undefined, lines: Int32Array.from(ids, (_, i) => i + 1) },
    ...{ images, numeric: none, categorical: { names: [], values: [] }, unused: [], dropped: [] },
    targets: targets && { names: ["y"], values: Float64Array.from(targets) },
  });
}
const batch = (featuriser: ImageFeaturiser, images: Image[], rng?: Rng): Tensor =>
  featuriser.dataset(table(images)).batch(
    Int32Array.from(images, (_, i) => i),
    rng,
  ).inputs[0] as Tensor;
const fit = (spec: ImageSpec, ...images: Image[]) => ImageFeaturiser.fit(spec, table(images));

test("bytes have mean 0 and deviation 1 in every channel, and rows come as asked, with their targets", () => {
  const images = [bytes(4, 5, 3, 1), bytes(4, 5, 3, 5), bytes(4, 5, 3, 7)];
  const featuriser = ImageFeaturiser.fit({}, table(images));
  expect([featuriser.shape, featuriser.width, featuriser.spec.bytes]).toEqual([[3, 4, 5], 60, true]);
  const x = batch(featuriser, images);
  expect(x.shape).toEqual([3, 3, 4, 5]);
  for (let c = 0; c < 3; c++) {
    const values = [...x.toArray()].filter((_, i) => Math.floor(i / 20) % 3 === c);
    const mean = values.reduce((sum, value) => sum + value) / values.length;
    expect(mean).toBeCloseTo(0, 5);
    expect(values.reduce((sum, value) => sum + value ** 2, 0) / values.length).toBeCloseTo(1, 4);
  }
  const data = featuriser.dataset(table(images, [5, 6, 7]));
  const { inputs, targets } = data.batch(Int32Array.of(2, 0));
  expect([...targets]).toEqual([7, 5]);
  expect((inputs[0] as Tensor).toArray().subarray(0, 60)).toEqual(x.toArray().subarray(120));
  expect([data.length, data.outputs, data.inferenceBatch]).toEqual([3, 1, 1024]);
});

test("a given mean and deviation are those of bytes as 0 … 1; one value is for all channels", () => {
  const picture = bytes(2, 2, 3);
  const x = batch(fit({ mean: [0.5], std: [0.5, 0.25, 0.125] }, picture), [picture]).toArray();
  picture.data.forEach((value, i) =>
    expect(x[i]).toBeCloseTo((value / 255 - 0.5) / [0.5, 0.25, 0.125][Math.floor(i / 4)], 5),
  );
});

test("gamma spreads what is dark, before mean and deviation are learned, and is stored", () => {
  const picture = image(4, 1, 1, Uint8Array.of(0, 1, 64, 255));
  const featuriser = fit({ gamma: 0.5 }, picture);
  const roots = [0, 1, 64, 255].map((value) => Math.sqrt(value / 255));
  const mean = roots.reduce((sum, value) => sum + value) / 4;
  const deviation = Math.sqrt(roots.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4);
  const expected = roots.map((value) => (value - mean) / deviation);
  const found = batch(featuriser, [picture]).toArray();
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
  const again = featuriserFromJSON(JSON.parse(JSON.stringify(featuriser)));
  expect(again.hash).toBe(featuriser.hash);
  expect(again.hash).not.toBe(fit({}, picture).hash);
  expect(() => fit({ gamma: 0 }, picture)).toThrow(/gamma must be a number above 0, not 0/);
  expect(() => fit({ gamma: 0.5 }, floats(2, 1, 2))).toThrow(/gamma 0.5 is for brightness in bytes/);
});

test("floats are in a unit of their own, of which bytes beside them are, too", () => {
  const signals = [floats(3, 0.5, 1.5, 2.5), image(3, 1, 1, Uint8Array.of(1, 2, 3))];
  const featuriser = fit({}, ...signals);
  expect([featuriser.shape, featuriser.spec.bytes]).toEqual([[1, 1, 3], false]);
  expect(featuriser.spec.mean[0]).toBeCloseTo(1.75, 6);
  expect([...batch(featuriser, signals).toArray()].reduce((sum, value) => sum + value)).toBeCloseTo(0, 5);
  const constant = fit({}, floats(2, 4, 4));
  expect([...batch(constant, [floats(2, 4, 5)]).toArray()]).toEqual([0, 1]);
});

test("size, channels and fit are settled once, and apply to every picture after", () => {
  const wide = bytes(9, 14, 3);
  const grey = bytes(10, 8);
  const featuriser = fit({ size: [4, 4], fit: "crop" }, wide, grey);
  expect(featuriser.shape).toEqual([3, 4, 4]);
  const plain = fit({ size: [4, 4], fit: "crop", channels: 1, mean: [0], std: [1] }, wide);
  const expected = fitTo(toGrey(wide), [4, 4], "crop").data;
  batch(plain, [wide])
    .toArray()
    .forEach((value, i) => expect(value).toBeCloseTo(expected[i] / 255, 5));
  expect(fit({ size: [4, 4] }, grey).shape).toEqual([1, 4, 4]);
});

test("it is stored and restored, without what it does in training", () => {
  const images = [bytes(4, 4), bytes(4, 4, 1, 3)];
  const featuriser = fit({ augment: { flip: "both" } }, ...images);
  const stored = JSON.parse(JSON.stringify(featuriser));
  expect(stored).toMatchObject({ version: 1, kind: "images", spec: { size: [4, 4], channels: 1, fit: "stretch" } });
  expect(stored.spec.augment).toBeUndefined();
  const restored = featuriserFromJSON(stored) as ImageFeaturiser;
  expect(restored).toBeInstanceOf(ImageFeaturiser);
  expect(restored.hash).toBe(featuriser.hash);
  expect(fit({}, images[0]).hash).not.toBe(featuriser.hash);
  expect(batch(restored, images).toArray()).toEqual(batch(featuriser, images).toArray());
  for (const wrong of [{ version: 2 }, { kind: "x" }, { spec: { ...stored.spec, std: [] } }])
    expect(() => ImageFeaturiser.fromJSON({ ...stored, ...wrong })).toThrow(/not a featuriser of images/);
});

test("images change only in training, as the generator says, and noise has its deviation", () => {
  const images = [bytes(20, 20), bytes(20, 20, 1, 3)];
  const featuriser = fit({ augment: { flip: "both", shift: 2, noise: 0.5 } }, ...images);
  const plain = batch(featuriser, images).toArray();
  expect(batch(fit({}, ...images), images, new Rng(1)).toArray()).toEqual(plain);
  const seen = batch(featuriser, images, new Rng(1)).toArray();
  expect(batch(featuriser, images, new Rng(1)).toArray()).toEqual(seen);
  expect(batch(featuriser, images, new Rng(2)).toArray()).not.toEqual(seen);
  expect(seen).not.toEqual(plain);
  const noisy = fit({ augment: { noise: 0.5 } }, ...images);
  const noise = batch(noisy, images, new Rng(3)).toArray();
  const squares = noise.reduce((sum, value, i) => sum + (value - plain[i]) ** 2, 0);
  expect(Math.sqrt(squares / noise.length)).toBeCloseTo(0.5, 1);
});

test("inference takes as many rows as fit into bounded memory", () => {
  const rows = table([bytes(2, 2)]);
  const of = (size: [number, number]) => ImageFeaturiser.fit({ size, channels: 3 }, rows).dataset(rows).inferenceBatch;
  expect(of([224, 224])).toBe(6);
  expect(of([1000, 1000])).toBe(1);
});

test("images in memory become a table, or a message", () => {
  const images = [bytes(2, 2), bytes(2, 3)];
  const labelled = imageTable(images, { classes: ["a", "b"], labels: [1, 0] });
  expect([labelled.length, [...labelled.ids], [...labelled.targets!.values]]).toEqual([2, ["1", "2"], [1, 0]]);
  expect(imageTable(images).targets).toBeUndefined();
  expect(() => imageTable(images, { ids: ["x"] })).toThrow("2 images and 1 ids");
  expect(() => imageTable(images, { classes: ["a"], labels: [0] })).toThrow("2 images and 1 labels");
  expect(() => imageTable(images, { classes: ["a"], labels: [0, 1] })).toThrow(
    "image 2 has label 1; there are 1 classes",
  );
  expect(() => imageTable(images, { labels: [0, 1] })).toThrow("labels and classes go together");
});

test("every mistake has its message", () => {
  const [a, b, signal] = [bytes(4, 5), bytes(6, 7), floats(3, 1, 2, 3)];
  expect(() => fit({}, a, a, b)).toThrow(
    /^pictures: images have different sizes: p0\.png is 4 × 5, p2\.png is 6 × 7 \(height × width\)\.\n {2}.*--image-size/,
  );
  expect(() => ImageFeaturiser.fit({}, table(undefined))).toThrow(/^pictures has no images\.\n {2}A net of images/);
  expect(() => fit({}, a).dataset(table(undefined))).toThrow(/^pictures has no images/);
  expect(() => fit({})).toThrow(/no images to learn from/);
  expect(() => batch(fit({}, signal), [floats(2, 1, 2)])).toThrow(
    /^pictures:1: the signal has 2 points; signals of 3 points are expected\.\n {2}Interpolate/,
  );
  expect(() => batch(fit({}, signal), [a])).toThrow(/this is a picture of 4 × 5; signals of 3/);
  expect(() => batch(fit({}, a), [bytes(4, 5, 2)])).toThrow(/has 2 channels where 1 are expected/);
  expect(() => batch(fit({}, bytes(4, 5, 2)), [a])).toThrow(/has 1 channels where 2 are expected/);
  expect(() => fit({ mean: [1, 2] }, a)).toThrow(/mean has 2 values, not one for each of 1 channels/);
  expect(() => fit({ std: [0] }, a)).toThrow(/std must be above 0, not 0/);
  expect(() => fit({ size: [0, 4] }, a)).toThrow(/cannot be 0 × 4 pixels/);
  expect(() => fit({ augment: { quarterTurns: true } }, a)).toThrow(/needs squares; these images are 4 × 5/);
});
