import { UserError } from "../core/errors.ts";
import { cosPi, sinPi } from "../core/portable.ts";
import type { Rng } from "../core/random.ts";
import { nearest, quote } from "./open.ts";

/** What is done to an image at random each time it is seen in training. Amounts of light are in standard deviations of all pixels. */
export interface AugmentSpec {
  /** Mirrored, each time with probability ½ (of "both" for each direction). */
  readonly flip?: "horizontal" | "vertical" | "both";
  /** Turned by up to so many degrees either way. */
  readonly rotate?: number;
  /** Turned by 0, 90, 180 or 270 degrees; squares only. */
  readonly quarterTurns?: boolean;
  /** Moved by up to so many whole pixels along each axis; below 1, that share of the side. */
  readonly shift?: number;
  /** Magnified about its middle by a factor between these two; a signal is stretched along x. */
  readonly zoom?: readonly [lowest: number, highest: number];
  /** What is added to all pixels, up to so much either way. */
  readonly brightness?: number;
  /** Differences from the image's mean times 1 − contrast … 1 + contrast. */
  readonly contrast?: number;
  /** Standard deviation of normal noise, of each pixel on its own. */
  readonly noise?: number;
  /** With this probability a rectangle of 2 … 33 % of the area is blotted out, to the mean (random erasing, Zhong et al. 2017). */
  readonly erase?: number;
  /** What lies beyond the border: its mirror image (the default), its outermost pixels, or the mean. */
  readonly fill?: "reflect" | "edge" | "mean";
}

/** Sets that suit kinds of images, by name. */
export const AUGMENT_PRESETS = {
  /** Written characters: which way is up matters. */
  digits: { rotate: 10, shift: 2, zoom: [0.9, 1.1], fill: "edge" },
  /** Micrographs and surfaces: there is no up, and light varies. */
  texture: { flip: "both", quarterTurns: true, shift: 0.1, brightness: 0.2, contrast: 0.2 },
  /** Photographs of things. */
  photo: { flip: "horizontal", rotate: 10, shift: 0.1, zoom: [0.9, 1.1], brightness: 0.2, contrast: 0.2 },
  /** Diffraction patterns and spectra. */
  signal: { shift: 0.005, zoom: [0.99, 1.01], contrast: 0.1, noise: 0.05, fill: "edge" },
} as const satisfies Record<string, AugmentSpec>;

/** Moves every pixel of images of one shape, and its light: the same function of image and generator everywhere. */
export class Augmenter {
  /** Standard deviation of the noise that is still to be added; it is drawn for a whole batch at once. */
  readonly noise: number;
  private readonly moves: boolean;

  /** @throws UserError for an amount that makes no sense, and for what images of this shape [C, H, W] cannot have done to them */
  constructor(
    private readonly spec: AugmentSpec,
    private readonly shape: readonly [channels: number, height: number, width: number],
  ) {
    checkAugment(spec);
    const [, height, width] = shape;
    const { flip, rotate, quarterTurns, shift, zoom, noise = 0 } = spec;
    const signal = height === 1 && width > 1;
    for (const [name, wanted] of [
      ["rotate", rotate],
      ["quarterTurns", quarterTurns],
      ["flip", flip && flip !== "horizontal"],
    ] as const)
      if (signal && wanted)
        throw new UserError(
          `augment: ${name} is for pictures; these are signals.`,
          "Use shift, zoom, noise, contrast.",
        );
    if (quarterTurns && height !== width)
      throw new UserError(`augment: quarterTurns needs squares; these images are ${height} × ${width}.`);
    this.noise = noise;
    this.moves = Boolean(flip || rotate || quarterTurns || shift || zoom);
  }

  /** One image [C, H, W] of numbers that are standardised → `out`, the same one seen anew, but for its noise. */
  apply(out: Float32Array, source: Float32Array, rng: Rng): void {
    if (this.moves) this.move(out, source, rng);
    else out.set(source);
    this.light(out, rng);
    const { erase = 0 } = this.spec;
    if (erase > 0 && rng.random() < erase) this.erase(out, rng);
  }

  /** The matrix that leads from a pixel of the result to its place in the source, both from the middle. */
  private draw(rng: Rng): [xx: number, xy: number, yx: number, yy: number, x0: number, y0: number] {
    const { flip, rotate = 0, quarterTurns, shift = 0, zoom } = this.spec;
    const [, height, width] = this.shape;
    const signal = height === 1;
    const coin = () => (rng.random() < 0.5 ? -1 : 1);
    const mirrorX = flip === "horizontal" || flip === "both" ? coin() : 1;
    const mirrorY = flip === "vertical" || flip === "both" ? coin() : 1;
    const turns = (rotate ? (2 * rng.random() - 1) * (rotate / 180) : 0) + (quarterTurns ? rng.integer(4) / 2 : 0);
    const scale = zoom ? 1 / (zoom[0] + rng.random() * (zoom[1] - zoom[0])) : 1;
    const whole = (side: number) => {
      const most = Math.min(side - 1, Math.round(shift < 1 ? shift * side : shift));
      return most > 0 ? rng.integer(2 * most + 1) - most : 0;
    };
    const [cos, sin] = turns === 0 ? [1, 0] : [cosPi(turns), sinPi(turns)];
    const [dx, dy] = [whole(width), whole(height)];
    const [xx, xy] = [scale * cos * mirrorX, scale * sin * mirrorX];
    const [yx, yy] = [-scale * sin * mirrorY, signal ? 1 : scale * cos * mirrorY];
    return [xx, xy, yx, yy, -xx * dx - xy * dy, -yx * dx - yy * dy];
  }

  /** Bilinear interpolation at the places that `draw` leads to; where all are pixels, those. */
  private move(out: Float32Array, source: Float32Array, rng: Rng): void {
    const [channels, height, width] = this.shape;
    const [xx, xy, yx, yy, x0, y0] = this.draw(rng);
    const { fill = "reflect" } = this.spec;
    const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
    const pixels = width * height;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const u = near(xx * (x - middleX) + xy * (y - middleY) + x0 + middleX);
        const v = near(yx * (x - middleX) + yy * (y - middleY) + y0 + middleY);
        const left = Math.floor(u);
        const top = Math.floor(v);
        const p = u - left;
        const q = v - top;
        let at = y * width + x;
        if (left >= 0 && top >= 0 && left + 1 < width && top + 1 < height) {
          for (let c = 0, i = top * width + left; c < channels; c++, i += pixels, at += pixels)
            out[at] =
              (1 - q) * ((1 - p) * source[i] + p * source[i + 1]) +
              q * ((1 - p) * source[i + width] + p * source[i + width + 1]);
          continue;
        }
        const a = inside(left, width, fill);
        const b = inside(left + 1, width, fill);
        const r = inside(top, height, fill);
        const s = inside(top + 1, height, fill);
        for (let c = 0, plane = 0; c < channels; c++, plane += pixels, at += pixels)
          out[at] =
            (1 - q) * ((1 - p) * pixel(source, plane, r, a, width) + p * pixel(source, plane, r, b, width)) +
            q * ((1 - p) * pixel(source, plane, s, a, width) + p * pixel(source, plane, s, b, width));
      }
  }

  private light(out: Float32Array, rng: Rng): void {
    const { brightness = 0, contrast = 0 } = this.spec;
    if (brightness === 0 && contrast === 0) return;
    const factor = 1 + contrast * (2 * rng.random() - 1);
    let mean = 0;
    for (let i = 0; i < out.length; i++) mean += out[i];
    mean /= out.length;
    const offset = mean * (1 - factor) + brightness * (2 * rng.random() - 1);
    for (let i = 0; i < out.length; i++) out[i] = out[i] * factor + offset;
  }

  private erase(out: Float32Array, rng: Rng): void {
    const [channels, height, width] = this.shape;
    const share = 0.02 + 0.31 * rng.random();
    // Sides in proportions from 3:10 to 10:3.
    const ratio = height === 1 ? 1 : 0.3 + rng.random() * 0.7;
    const upright = rng.random() < 0.5;
    const side = (factor: number, full: number) =>
      Math.max(1, Math.min(full, Math.round(Math.sqrt(share * factor) * full)));
    const h = height === 1 ? 1 : side(upright ? 1 / ratio : ratio, height);
    const w = height === 1 ? Math.max(1, Math.round(share * width)) : side(upright ? ratio : 1 / ratio, width);
    const [top, left] = [rng.integer(height - h + 1), rng.integer(width - w + 1)];
    for (let c = 0; c < channels; c++)
      for (let y = top; y < top + h; y++) {
        const begin = (c * height + y) * width + left;
        out.fill(0, begin, begin + w);
      }
  }
}

/** The whole number that x is but for rounding, so that quarter turns and mirrors interpolate nothing. */
const near = (x: number) => {
  const whole = Math.floor(x + 0.5);
  return Math.abs(x - whole) < 1e-9 ? whole : x;
};

/** The pixel that stands for i beyond the border of n; −1 for none. */
function inside(i: number, n: number, fill: "reflect" | "edge" | "mean"): number {
  if (i >= 0 && i < n) return i;
  if (fill === "mean") return -1;
  if (fill === "edge" || n === 1) return i < 0 ? 0 : n - 1;
  const period = 2 * n - 2;
  const j = ((i % period) + period) % period;
  return j < n ? j : period - j;
}

const pixel = (source: Float32Array, plane: number, row: number, column: number, width: number) =>
  row < 0 || column < 0 ? 0 : source[plane + row * width + column];

/** @throws UserError for an amount that makes no sense */
export function checkAugment(spec: AugmentSpec): void {
  const unknown = Object.keys(spec).find((name) => !NAMES.includes(name));
  if (unknown !== undefined)
    throw new UserError(`augment: there is no ${quote(unknown)}.`, `There are ${NAMES.join(", ")}.`);
  for (const name of ["flip", "fill"] as const)
    if (spec[name] !== undefined && !(CHOICES[name] as readonly string[]).includes(spec[name]))
      throw new UserError(`augment: ${name} is one of ${CHOICES[name].join(", ")}, not ${JSON.stringify(spec[name])}.`);
  const { rotate = 0, shift = 0, zoom, brightness = 0, contrast = 0, noise = 0, erase = 0 } = spec;
  const check = (name: string, value: number, most: number, unit: string) => {
    if (!(value >= 0 && value <= most))
      throw new UserError(`augment: ${name} is ${value}; it goes from 0 to ${most}${unit}.`);
  };
  check("rotate", rotate, 180, " degrees");
  check("shift", shift, 65536, " pixels, or below 1 a share of the side");
  check("brightness", brightness, 100, " standard deviations");
  check("contrast", contrast, 1, "");
  check("noise", noise, 100, " standard deviations");
  check("erase", erase, 1, "");
  if (zoom && !(zoom[0] > 0.01 && zoom[0] <= zoom[1] && zoom[1] <= 100))
    throw new UserError(
      `augment: zoom is ${zoom.join(" … ")}.`,
      "It is two factors, the smaller one first: zoom:0.9:1.1.",
    );
}

const CHOICES = {
  flip: ["horizontal", "vertical", "both"],
  fill: ["reflect", "edge", "mean"],
} as const;
const AMOUNTS = ["rotate", "shift", "brightness", "contrast", "noise", "erase"] as const;
const NAMES = [...Object.keys(CHOICES), ...AMOUNTS, "quarterTurns", "zoom"];

/**
 * "flip,rotate:10,shift:2,zoom:0.9:1.1,erase:0.5", or the name of a preset, which later words change: "texture,erase:0.5". flip alone
 * is horizontal; zoom:0.1 is 0.9 … 1.1; none is nothing.
 *
 * @throws UserError for a word that is not known and for an amount that makes no sense
 */
export function parseAugment(text: string): AugmentSpec {
  let spec: AugmentSpec = {};
  const words = text.split(",").map((word) => word.trim());
  if (text.trim() === "none") return spec;
  for (const word of words) {
    const [name, ...values] = word.split(":").map((part) => part.trim());
    if (Object.hasOwn(AUGMENT_PRESETS, name) && values.length === 0)
      spec = { ...spec, ...AUGMENT_PRESETS[name as keyof typeof AUGMENT_PRESETS] };
    else spec = { ...spec, ...parseWord(name, values, word) };
  }
  checkAugment(spec);
  return spec;
}

function parseWord(name: string, values: readonly string[], word: string): AugmentSpec {
  const numbers = values.map((value) => (value === "" ? Number.NaN : Number(value)));
  const wrong = (expected: string) => new UserError(`augment: ${quote(word)} is not ${expected}.`);
  if (name === "quarterTurns") {
    if (values.length > 0) throw wrong("quarterTurns, which has no amount");
    return { quarterTurns: true };
  }
  if (name === "flip" || name === "fill") {
    const [choice = name === "flip" ? "horizontal" : ""] = values;
    if (values.length > 1 || !(CHOICES[name] as readonly string[]).includes(choice))
      throw wrong(CHOICES[name].map((each) => `${name}:${each}`).join(", "));
    return { [name]: choice };
  }
  if (name === "zoom") {
    if (![1, 2].includes(numbers.length) || !numbers.every(Number.isFinite))
      throw wrong("like zoom:0.1 or zoom:0.9:1.1");
    const [low, high] = numbers;
    return { zoom: high === undefined ? [1 - low, 1 + low] : [low, high] };
  }
  if ((AMOUNTS as readonly string[]).includes(name)) {
    if (numbers.length !== 1 || !Number.isFinite(numbers[0]))
      throw wrong(`like ${name}:${name === "rotate" ? 10 : 0.2}`);
    return { [name]: numbers[0] };
  }
  const near = nearest(name, [...NAMES, ...Object.keys(AUGMENT_PRESETS)]);
  throw new UserError(
    `augment: there is no ${quote(name)}.`,
    `${near ? `Did you mean ${near}? ` : ""}There are ${NAMES.join(", ")}, and the presets ${Object.keys(AUGMENT_PRESETS).join(", ")}.`,
  );
}
