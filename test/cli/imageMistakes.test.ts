import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completeConfig, type Fields } from "../../src/cli/config.ts";
import { imageFeaturiser } from "../../src/cli/images.ts";
import { prepareParts } from "../../src/cli/prepare.ts";
import { setUp } from "../../src/cli/trainOne.ts";
import { UserError } from "../../src/core/errors.ts";
import { init } from "../../src/core/parallel.ts";
import { Rng } from "../../src/core/random.ts";
import { encodePng } from "../../src/data/imageCodec.ts";
import { encodeSafetensors } from "../../src/io/safetensors.ts";
import { CLASSES, classFolders, picture, write } from "./helpers/pictures.ts";
import { folder } from "./helpers/spinel.ts";

/** What can go wrong with the images of a run comes to light before it has a folder: in these steps of it. */
const { path, remove } = folder();
const at = (name: string): string => join(path, name);

beforeAll(async () => {
  await init({ threads: 1 });
  write(at("pics"), classFolders(CLASSES, 2));
  write(at("sizes"), { ...classFolders(["rows"], 2), "dots/a.png": encodePng(picture("dots", 1, 20)) });
  write(at("one"), classFolders(["rows"], 2));
  write(at("bad"), { ...classFolders(CLASSES, 2), "dots/z.png": encodePng(picture("dots", 1)).subarray(0, 60) });
  write(at("flat"), { "a.png": encodePng(picture("rows", 1)), "b.png": encodePng(picture("rows", 2)) });
  write(at("flat2"), { "a.png": encodePng(picture("rows", 1)), "list.csv": "file,kind\na.png,rows\n" });
  write(at("other"), classFolders(["rows", "waves"], 2));
  write(path, {
    "named.csv": "file,kind,p\nflat/a.png,rows,1\nflat/b.png,dots,2\n",
    "table.csv": "id,a,y\nr1,1,2\nr2,2,3\nr3,3,5\n",
    "colour.safetensors": encodeSafetensors({
      "features.0.weight": { shape: [64, 3, 3, 3], data: new Float32Array(1728) },
    }),
    "other.safetensors": encodeSafetensors({
      "conv_1_1.weight": { shape: [10, 3, 3, 3], data: new Float32Array(270) },
    }),
  });
});
afterAll(remove);

const MISTAKES: [name: string, fields: Fields, says: RegExp][] = [
  ["a table for a net of images", { data: "table.csv" }, /^tinyvgg learns from images, and .*table\.csv: 2 columns/],
  [
    "images for a model of formulas",
    { model: "elemnet", target: "class" },
    /pics holds images; elemnet learns from form/,
  ],
  ["images for a model of structures", { model: "cgcnn", target: "class" }, /pics holds images; cgcnn learns from str/],
  [
    "an image's option with a table",
    { model: "mlp", data: "table.csv", target: "y", augment: "flip" },
    /--augment is for images; .*table\.csv holds none/,
  ],
  ["a table without a target", { model: "mlp", data: "table.csv" }, /train needs --target COLUMN/],
  [
    "images of different sizes",
    { data: "sizes" },
    /different sizes: .* 16 × 16, .* 20 × 20|different sizes: .* 20 × 20, .* 16 × 16/,
  ],
  ["images too small for VGG", { model: "vgg11" }, /16 × 16 are too small.*\n.*32 × 32 at least/],
  ["pictures for a net of signals", { model: "cnn1d" }, /images of height 16, not signals/],
  ["one class", { data: "one" }, /one: all images are of one class, "rows"/],
  ["no labels", { data: "flat" }, /flat: the images have no labels to learn from/],
  [
    "labels in a column that is not named",
    { data: "named.csv" },
    /no labels.*\n.*--target COLUMN\. It has "kind", "p"/,
  ],
  [
    "labels in a table among the pictures",
    { data: "flat2" },
    /no labels.*\n.*--data .*flat2.list\.csv --target COLUMN/,
  ],
  [
    "dropout of hidden layers that are not there",
    { model: "mlp", hidden: [], dropout: 0.5 },
    /--dropout is for hidden layers; --hidden none leaves none/,
  ],
  ["a broken picture", { data: "bad" }, /dots.z\.png: the PNG is cut short/],
  ["an unknown class", { val: "other" }, /other.*: column "class" holds "waves", which is none of the classes/],
  ["an unknown way to augment", { augment: "flop" }, /--augment "flop": there is no "flop"\.\n.*Did you mean flip/],
  [
    "a frozen name that is not there",
    { freeze: ["features.*"] },
    /--freeze: no parameter is called "features\.\*"\.\n.*conv_1_1\.weight, /,
  ],
  ["all frozen", { freeze: ["*"] }, /all parameters are frozen/],
  [
    "weights of another net",
    { init: "other.safetensors" },
    /other\.safetensors do not fit the model: missing: conv_1_1\.bias, .*mis-shaped: conv_1_1\.weight is \[10, 3, 3, 3\], the model has \[10, 1, 3, 3\]/,
  ],
  ["a head where there is none", { head: "cifar" }, /--head is for vgg; the model is tinyvgg/],
  [
    "options of generated data",
    { data: "embedded:microstructures?siz=48" },
    /no option "siz"\.\n.*Did you mean "size"/,
  ],
  ["formulas for a net of images", { data: "embedded:ionic" }, /embedded:ionic are no images; tinyvgg needs some/],
];

test("weights for colour images make grey ones colour", async () => {
  const config = completeConfig({ model: "vgg11", data: at("pics"), init: at("colour.safetensors") });
  const [{ train }] = await prepareParts(config, new Rng(0), () => {});
  expect((await imageFeaturiser(config, train)).shape).toEqual([3, 16, 16]);
});

describe("mistakes with images", () => {
  test.each(MISTAKES)("%s", async (_name, fields, says) => {
    const inFolder = (value: unknown): unknown =>
      typeof value === "string" && existsSync(at(value)) ? at(value) : value;
    const given = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, inFolder(value)]));
    const error = await (async () => {
      const config = completeConfig({ model: "tinyvgg", data: at("pics"), threads: 1, ...given });
      const [parts] = await prepareParts(config, new Rng(0), () => {});
      await setUp(config, parts, new Rng(1));
    })().catch((caught) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(says);
  });
});
