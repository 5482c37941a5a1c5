import { UserError } from "../core/errors.ts";
import { exp } from "../core/portable.ts";
import { log } from "../core/portableLog.ts";
import type { Rng } from "../core/random.ts";
import { sha256 } from "../core/sha256.ts";
import { emit } from "../core/tensor.ts";
import { Augmenter, type AugmentSpec } from "./augment.ts";
import { type Batch, type DatasetRows, type LabelledDataset, type RowFeaturiser, targetsOf } from "./dataset.ts";
import type { Image } from "./image.ts";
import { fitTo, type ImageFit, type ImageSize, toGrey, toRgb } from "./imageTransform.ts";
import type { Table } from "./table.ts";

/** How pictures or signals become inputs of one shape. */
export interface ImageSpec {
  /** [height, width]; default: that of all training images. */
  readonly size?: ImageSize;
  /** Default: 1 if all training images are grey, else 3; signals keep theirs. */
  readonly channels?: number;
  /** Of pictures of another size; default: "stretch". */
  readonly fit?: ImageFit;
  /**
   * What brightness, 0 … 1, is raised to before anything else (1). Below 1 it spreads what is dark: 0.5 lets weak peaks of a
   * diffraction pattern count.
   */
  readonly gamma?: number;
  /** Of each channel (or one for all), bytes being 0 … 1; default: of the training images. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** What is done to images while training; not stored. */
  readonly augment?: AugmentSpec;
}

export interface ImageFeaturiserJson {
  readonly version: 1;
  readonly kind: "images";
  readonly spec: Required<Omit<ImageSpec, "augment" | "gamma">> & {
    /** Where it is not 1. */
    readonly gamma?: number;
    /** Whether numbers are bytes, and are divided by 255 before anything else. */
    readonly bytes: boolean;
  };
}

/** Of the photographs that published weights were learned from, for `mean` and `std`. */
export const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** Turns images into inputs [C, H, W] with mean 0 and standard deviation 1, always in the same way. */
export class ImageFeaturiser implements RowFeaturiser {
  readonly shape: [channels: number, height: number, width: number];
  private readonly json: ImageFeaturiserJson;

  /** @param sized  images in their final size: they are needed to learn from, and again in every data set */
  private constructor(
    spec: ImageFeaturiserJson["spec"],
    private readonly augment?: AugmentSpec,
    private readonly sized = new WeakMap<Image, Image["data"]>(),
  ) {
    this.json = { version: 1, kind: "images", spec };
    this.shape = [spec.channels, ...spec.size];
    if (augment) new Augmenter(augment, this.shape);
  }

  /**
   * Settles size and channels and learns mean and standard deviation from the training images.
   *
   * @throws UserError naming two images of different sizes where none is given, and as `dataset`
   */
  static fit(
    { size, channels, fit = "stretch", gamma = 1, mean, std, augment }: ImageSpec,
    table: Table,
  ): ImageFeaturiser {
    const images = imagesOf(table);
    if (size !== undefined && !(Array.isArray(size) && size.length === 2))
      throw new UserError(`The size of images is [height, width], not ${JSON.stringify(size)}.`);
    if (images.length === 0) throw new UserError(`${table.file} has no images to learn from.`);
    const settled = {
      ...{ size: size ?? commonSize(table), channels: channels ?? commonChannels(images), fit },
      bytes: images.every(({ data }) => data instanceof Uint8Array),
      ...(gamma === 1 ? {} : { gamma }),
    };
    if (!(gamma > 0 && Number.isFinite(gamma))) throw new UserError(`gamma must be a number above 0, not ${gamma}.`);
    if (gamma !== 1 && !settled.bytes)
      throw new UserError(`gamma ${gamma} is for brightness in bytes; ${table.file} holds other numbers.`);
    for (const side of [...settled.size, settled.channels])
      if (!(Number.isInteger(side) && side > 0))
        throw new UserError(`Images cannot be ${settled.size.join(" × ")} pixels of ${settled.channels} channels.`);
    const plain = new ImageFeaturiser({ ...settled, mean: [], std: [] }, augment);
    const learned = mean && std ? undefined : plain.moments(table);
    const spec = {
      ...settled,
      mean: each("mean", mean ?? learned!.mean, settled.channels),
      std: each("std", std ?? learned!.std, settled.channels),
    };
    if (!spec.std.every((value) => value > 0)) throw new UserError(`std must be above 0, not ${spec.std.join(", ")}.`);
    return new ImageFeaturiser(spec, augment, plain.sized);
  }

  get spec(): ImageFeaturiserJson["spec"] {
    return this.json.spec;
  }

  /** Numbers of an image: channels × height × width. */
  get width(): number {
    const [channels, height, width] = this.shape;
    return channels * height * width;
  }

  /** Equal hashes make equal inputs of equal images. */
  get hash(): string {
    return sha256(JSON.stringify(this.json));
  }

  /**
   * The images in their final size with their targets.
   *
   * @throws UserError where the rows have no images, and naming the row of a signal of another length and of an image with other
   *   channels
   */
  dataset(rows: DatasetRows): ImageDataset {
    const images = imagesOf(rows).map((each, row) => this.take(each, rows, row));
    const { mean, std, bytes, gamma } = this.spec;
    const unit = bytes && gamma === undefined ? 1 / 255 : 1;
    const scale = std.map((value) => unit / value);
    const offset = mean.map((value, c) => -value / std[c]);
    const tones = gamma === undefined ? undefined : Float32Array.from({ length: 256 }, (_, x) => this.tone(x));
    return new ImageDataset(images, this.shape, { scale, offset, tones }, targetsOf(rows), this.augment);
  }

  /** A byte as a number 0 … 1. */
  private tone(byte: number): number {
    const { gamma } = this.spec;
    return gamma === undefined || byte === 0 ? byte / 255 : exp(gamma * log(byte / 255));
  }

  /** One image as a net sees it, but for mean and standard deviation: [C, H, W]. */
  private take(picture: Image, rows: DatasetRows, row: number): Image["data"] {
    const known = this.sized.get(picture);
    if (known) return known;
    const [channels, height, width] = this.shape;
    const place = `${rows.file}:${rows.lines[row]}`;
    const coloured = (c: number) => c === 1 || c === 3;
    if (picture.channels !== channels && !(coloured(picture.channels) && coloured(channels)))
      throw new UserError(`${place}: the image has ${picture.channels} channels where ${channels} are expected.`);
    if (height === 1 && (picture.height !== 1 || picture.width !== width))
      throw new UserError(
        `${place}: ${picture.height === 1 ? `the signal has ${picture.width} points` : `this is a picture of ${picture.height} × ${picture.width}`}; signals of ${width} points are expected.`,
        "Interpolate all signals to the same positions.",
      );
    const asked = channels === 1 ? toGrey(picture) : channels === 3 ? toRgb(picture) : picture;
    const { data } = fitTo(asked, [height, width], this.spec.fit);
    this.sized.set(picture, data);
    return data;
  }

  /** Mean and standard deviation (over n) of each channel; of bytes by counting them, without rounding. A constant channel has 1. */
  private moments(table: Table): { mean: number[]; std: number[] } {
    const [channels, height, width] = this.shape;
    const images = imagesOf(table).map((each, row) => this.take(each, table, row));
    const pixels = height * width;
    const n = images.length * pixels;
    const average = (c: number, value: (x: number) => number) => {
      let total = 0;
      for (const data of images) for (let i = c * pixels; i < (c + 1) * pixels; i++) total += value(data[i]);
      return total / n;
    };
    const averageOfBytes = (counts: Float64Array, value: (x: number) => number) =>
      counts.reduce((sum, count, x) => sum + count * value(this.tone(x)), 0) / n;
    const moments = Array.from({ length: channels }, (_, c) => {
      const counts = this.spec.bytes ? histogram(images, c * pixels, (c + 1) * pixels) : undefined;
      const of = (value: (x: number) => number) => (counts ? averageOfBytes(counts, value) : average(c, value));
      const mean = of((x) => x);
      const variance = of((x) => (x - mean) ** 2);
      return { mean, std: variance > 0 ? Math.sqrt(variance) : 1 };
    });
    return { mean: moments.map(({ mean }) => mean), std: moments.map(({ std }) => std) };
  }

  toJSON(): ImageFeaturiserJson {
    return this.json;
  }

  /** The featuriser that `toJSON` came from. @throws UserError for anything else */
  static fromJSON(json: unknown): ImageFeaturiser {
    const { version, kind, spec } = (json ?? {}) as Partial<ImageFeaturiserJson>;
    const numbers = (values: unknown, length: number) =>
      Array.isArray(values) && values.length === length && values.every(Number.isFinite);
    const whole =
      version === 1 && kind === "images" && spec && numbers(spec.size, 2) && Number.isInteger(spec.channels);
    const valid =
      whole &&
      (spec.fit === "crop" || spec.fit === "stretch") &&
      numbers(spec.mean, spec.channels) &&
      numbers(spec.std, spec.channels) &&
      (spec.gamma === undefined || (Number.isFinite(spec.gamma) && spec.gamma > 0)) &&
      typeof spec.bytes === "boolean";
    if (!valid) throw new UserError("This is not a featuriser of images, or one of a newer version of spinel.");
    return new ImageFeaturiser(spec);
  }
}

/** Images of one shape in the order of a table's rows; bytes stay bytes until a batch is made of them. */
export class ImageDataset implements LabelledDataset {
  private readonly augmenter: Augmenter | undefined;
  private readonly plain: Float32Array;

  constructor(
    private readonly images: readonly Image["data"][],
    /** [C, H, W] */
    readonly shape: readonly [channels: number, height: number, width: number],
    /** What bytes become, if not themselves; then of each channel: what numbers are multiplied by, and what is then added. */
    private readonly norm: {
      readonly tones?: Float32Array;
      readonly scale: readonly number[];
      readonly offset: readonly number[];
    },
    readonly y: Float32Array,
    augment?: AugmentSpec,
  ) {
    this.augmenter = augment && new Augmenter(augment, shape);
    this.plain = new Float32Array(augment ? shape[0] * shape[1] * shape[2] : 0);
  }

  get length(): number {
    return this.images.length;
  }

  get outputs(): number {
    return this.y.length / this.length;
  }

  /** As many as make 4 MB: what a net makes of them is a hundred times as much. */
  get inferenceBatch(): number {
    const [channels, height, width] = this.shape;
    return Math.min(1024, Math.max(1, Math.floor(INFERENCE_NUMBERS / (channels * height * width))));
  }

  /** inputs: [x [n, C, H, W]], changed at random where there is an `rng`. */
  batch(rows: Int32Array, rng?: Rng): Batch {
    const { shape, outputs, y } = this;
    const size = shape[0] * shape[1] * shape[2];
    const augmenter = rng && this.augmenter;
    const noise =
      augmenter && augmenter.noise > 0 ? rng.normal([rows.length, ...shape], 0, augmenter.noise) : undefined;
    const x = emit([rows.length, ...shape], ({ data }) => {
      rows.forEach((row, i) => {
        const out = data.subarray(i * size, (i + 1) * size);
        if (!augmenter) return this.normalise(out, row);
        this.normalise(this.plain, row);
        augmenter.apply(out, this.plain, rng);
      });
      if (!noise) return;
      const { data: added } = noise;
      for (let i = 0; i < data.length; i++) data[i] += added[i];
    });
    noise?.dispose();
    const targets = new Float32Array(rows.length * outputs);
    rows.forEach((row, i) => targets.set(y.subarray(row * outputs, (row + 1) * outputs), i * outputs));
    return { inputs: [x], targets };
  }

  private normalise(out: Float32Array, row: number): void {
    const { norm, shape } = this;
    const data = this.images[row];
    const pixels = shape[1] * shape[2];
    const { tones } = norm;
    for (let c = 0; c < shape[0]; c++) {
      const [scale, offset] = [norm.scale[c], norm.offset[c]];
      const [begin, end] = [c * pixels, (c + 1) * pixels];
      if (tones) for (let i = begin; i < end; i++) out[i] = tones[data[i]] * scale + offset;
      else for (let i = begin; i < end; i++) out[i] = data[i] * scale + offset;
    }
  }
}

/** Numbers of inputs at once where nothing is learned. */
const INFERENCE_NUMBERS = 1 << 20;

function imagesOf({ file, images }: Pick<DatasetRows, "file" | "images">): readonly Image[] {
  if (images) return images;
  throw new UserError(
    `${file} has no images.`,
    "A net of images learns from folders of PNG and JPEG files, one for each class, from IDX files, or from CSV files of pixels.",
  );
}

/** How often each byte occurs among elements begin … end − 1 of all images. */
function histogram(images: readonly Image["data"][], begin: number, end: number): Float64Array {
  const counts = new Float64Array(256);
  for (const data of images) for (let i = begin; i < end; i++) counts[data[i]]++;
  return counts;
}

/** [height, width] of all images. */
function commonSize(table: Table): ImageSize {
  const images = imagesOf(table);
  const [first] = images;
  const other = images.findIndex(({ height, width }) => height !== first.height || width !== first.width);
  if (other < 0) return [first.height, first.width];
  const shown = (row: number) => `${table.ids[row]} is ${images[row].height} × ${images[row].width}`;
  throw new UserError(
    `${table.file}: images have different sizes: ${shown(0)}, ${shown(other)} (height × width).`,
    "Choose one for all: --image-size HEIGHTxWIDTH (size).",
  );
}

/** Those of all images; colour where only some have it. */
function commonChannels([first, ...others]: readonly Image[]): number {
  return others.every(({ channels }) => channels === first.channels) ? first.channels : 3;
}

/** One value for each channel. */
function each(name: string, values: readonly number[], channels: number): number[] {
  if ((values.length !== 1 && values.length !== channels) || !values.every(Number.isFinite))
    throw new UserError(
      `${name} has ${values.length} ${values.length === 1 ? "value" : "values"}, not one for each of ${channels} channels.`,
    );
  return Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c]);
}
