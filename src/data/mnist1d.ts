import { UserError } from "../core/errors.ts";
import { NumpyRandom } from "../core/numpyRandom.ts";
import { exp } from "../core/portable.ts";
import { type Image, image } from "./image.ts";
import { imageTable } from "./imageTable.ts";
import type { Table } from "./table.ts";

/** Twelve heights of the pen for each digit. */
const DIGITS = [
  [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
  [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
  [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
  [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
  [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
  [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
  [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
  [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
  [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
  [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
];

/** Zeros appended to a template, both ends included. */
const PADDING = { low: 36, high: 60 };
/** Of a signal before its last resampling. */
const LENGTH = DIGITS[0].length + PADDING.high;
/** The largest part of the amplitude that is drawn, and the largest shift + 1. */
const SCALE = 0.4;
const SHIFTS = 48;
/** Standard deviations: of the background before its smoothing over SMOOTHING samples, and of the noise on all. */
const BACKGROUND = 0.25;
const SMOOTHING = 2;
const NOISE = 0.02;
const SHEAR = 0.75;
/** Samples of a finished signal. */
const WIDTH = 40;
const TRAINED = 0.8;

/**
 * MNIST-1D: ten digits as signals of 40 numbers, padded, stretched, scaled, shifted, sheared and noisy. Logistic regression reaches
 * 32 % of the test set, a multilayer perceptron 68 %, a convolutional network 94 %, people 96 %: where a feature lies is nuisance.
 *
 * The numbers are those of the authors' generator to f32's rounding, because they are drawn from NumPy's stream in its order.
 *
 * @param options.samples           of both tables together, a multiple of 10; the first 80 % in shuffled order are for training
 * @param options.shuffleSequence   the 40 places of all signals in one random order: the control without locality
 * @returns   tables of images [1, 1, 40] f32, mean 0 and standard deviation 1 over both, ids "mnist1d-1", … and the target "class"
 *            with the classes "0" … "9". The same bits on every engine.
 * @see Greydanus & Kobak, "Scaling down deep learning with MNIST-1D", ICML 2024 (arXiv:2011.14439)
 */
export function mnist1d({
  samples = 5000,
  seed = 42,
  shuffleSequence = false,
}: {
  samples?: number;
  seed?: number;
  shuffleSequence?: boolean;
} = {}): { train: Table; test: Table } {
  if (!(Number.isInteger(samples) && samples > 0 && samples % DIGITS.length === 0))
    throw new UserError(`mnist1d: samples is ${samples}, not 10, 20, …: every digit comes equally often.`);
  const random = new NumpyRandom(seed);
  const perClass = samples / DIGITS.length;
  const drawn = DIGITS.map(template).flatMap((digit) => Array.from({ length: perClass }, () => signal(digit, random)));
  const order = random.permutation(samples);
  const places = shuffleSequence ? random.permutation(WIDTH) : Int32Array.from({ length: WIDTH }, (_, i) => i);
  const { mean, std } = moments(drawn);
  const images = Array.from(order, (i) =>
    image(
      WIDTH,
      1,
      1,
      Float32Array.from(places, (place) => (drawn[i][place] - mean) / std),
    ),
  );
  const labels = Float64Array.from(order, (i) => Math.floor(i / perClass));
  const all = table(images, labels);
  const rows = Array.from({ length: samples }, (_, i) => i);
  const split = Math.floor(samples * TRAINED);
  return { train: all.rows(rows.slice(0, split)), test: all.rows(rows.slice(split)) };
}

const table = (images: Image[], labels: Float64Array): Table =>
  imageTable(images, {
    file: "MNIST-1D",
    ids: images.map((_, i) => `mnist1d-${i + 1}`),
    classes: DIGITS.map((_, digit) => String(digit)),
    labels,
  });

/** A digit's heights, standardised, from 0 on and a sixth as large. */
function template(heights: readonly number[]): number[] {
  const { mean, std } = moments([heights]);
  const z = heights.map((height) => (height - mean) / std);
  return z.map((value) => (value - z[0]) / 6);
}

/** One signal [WIDTH] f64. The order of the draws is the authors'. */
function signal(digit: readonly number[], random: NumpyRandom): Float64Array {
  const zeros = PADDING.low + Math.floor(random.random() * (PADDING.high - PADDING.low + 1));
  const padded = new Float64Array(digit.length + zeros);
  // Away from 0, because exact zeros are the background.
  digit.forEach((value, i) => void (padded[i] = value + 1e-8));
  const stretched = resample(padded, LENGTH);
  const scale = 1 + SCALE * (random.random() - 0.5);
  const shift = random.integer(SHIFTS);
  const noise = smooth(Float64Array.from({ length: LENGTH }, () => BACKGROUND * random.normal()));
  const x = noise.map((background, i) => {
    const value = stretched[(i - shift + LENGTH) % LENGTH] * scale;
    return value === 0 ? background : value;
  });
  for (let i = 0; i < LENGTH; i++) x[i] += NOISE * random.normal();
  const slope = SHEAR * (random.random() - 0.5);
  for (let i = 0; i < LENGTH; i++) x[i] -= slope * (i / (LENGTH - 1) - 0.5);
  return resample(x, WIDTH);
}

/** x [m] at n equal steps from its first to its last place, linearly between. */
function resample(x: Float64Array, n: number): Float64Array {
  const step = 1 / (x.length - 1);
  return Float64Array.from({ length: n }, (_, i) => {
    const t = i === n - 1 ? 1 : i * (1 / (n - 1));
    // The interval that ends at or after t, as a binary search finds it among the rounded places i·step.
    let high = Math.max(1, Math.floor(t * (x.length - 1)));
    while (high < x.length - 1 && high * step < t) high++;
    const low = high - 1;
    const slope = (x[high] - x[low]) / ((high === x.length - 1 ? 1 : high * step) - low * step);
    return slope * (t - low * step) + x[low];
  });
}

/** Convolution with a Gaussian cut at four standard deviations; beyond its ends x is mirrored, its last number twice. */
function smooth(x: Float64Array): Float64Array {
  const radius = 4 * SMOOTHING;
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, k) =>
    exp((-0.5 * (k - radius) * (k - radius)) / (SMOOTHING * SMOOTHING)),
  );
  const total = weights.reduce((a, b) => a + b);
  return x.map((_, i) => {
    let sum = 0;
    weights.forEach((weight, k) => {
      const place = i + k - radius;
      const inside = place < 0 ? -1 - place : place < x.length ? place : 2 * x.length - 1 - place;
      sum += (weight / total) * x[inside];
    });
    return sum;
  });
}

/** Of all numbers of all rows; the standard deviation is that of the whole population. */
function moments(rows: readonly ArrayLike<number>[]): { mean: number; std: number } {
  let count = 0;
  let sum = 0;
  for (const row of rows) for (let i = 0; i < row.length; i++) sum += row[i];
  for (const row of rows) count += row.length;
  const mean = sum / count;
  let squares = 0;
  for (const row of rows) for (let i = 0; i < row.length; i++) squares += (row[i] - mean) * (row[i] - mean);
  return { mean, std: Math.sqrt(squares / count) };
}
