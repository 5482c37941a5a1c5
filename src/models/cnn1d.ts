import { mismatch, UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import { BatchNorm1d, Conv1d, Dropout, init, Linear, MaxPool1d, type Module, type Training } from "../nn/index.ts";
import { flatten, globalAvgPool, reshape } from "../ops/index.ts";
import type { ImageShape } from "./vgg.ts";

export interface Cnn1dOptions {
  /** Of each convolution's output. */
  channels?: readonly number[];
  /** One for all convolutions, or one for each; the same goes for stride and padding. */
  kernelSize?: number | readonly number[];
  stride?: number | readonly number[];
  padding?: number | readonly number[];
  /** After every convolution; then the weights start after He et al. 2015. */
  batchNorm?: boolean;
  /** Positions of which the largest goes on, after every convolution. */
  pool?: number;
  /** The last layer sees every position, or each channel's average over them: then where a feature lies does not count. */
  head?: "flatten" | "average";
  /** Share of the last layer's inputs dropped while training. */
  dropout?: number;
}

/** The net of the MNIST-1D paper: Greydanus & Kobak, ICML 2024. 5,210 parameters for 40 positions and ten outputs. */
const SHORT: Required<Cnn1dOptions> = {
  channels: [25, 25, 25],
  kernelSize: [5, 3, 3],
  stride: 2,
  padding: 1,
  batchNorm: false,
  pool: 1,
  head: "flatten",
  dropout: 0,
};

/** For spectra and patterns of hundreds of positions: five blocks that halve. Peaks keep their places: these are what tells phases apart. */
const LONG: Required<Cnn1dOptions> = {
  channels: [32, 64, 64, 64, 64],
  kernelSize: [7, 5, 5, 5, 5],
  stride: 1,
  padding: [3, 2, 2, 2, 2],
  batchNorm: true,
  pool: 2,
  head: "flatten",
  dropout: 0.5,
};

/** Longest signal for which the net of MNIST-1D is the default. */
const SHORT_LENGTH = 100;

/** A convolutional net for signals: convolution, batch norm, rectifier and pooling in blocks, then one fully connected layer. */
export class Cnn1d implements Module {
  readonly convs: Conv1d[];
  readonly norms: BatchNorm1d[];
  readonly pools: MaxPool1d[];
  readonly dropout: Dropout;
  readonly output: Linear;
  private readonly averages: boolean;

  /** `inputs` is [channels, 1, length]. Options left out are those of the MNIST-1D net up to a length of 100, of a deeper one above. */
  constructor([channels, height, length]: ImageShape, outputs: number, rng: Rng, options: Cnn1dOptions = {}) {
    if (height !== 1)
      throw new UserError(
        `CNN of signals: the inputs are images of height ${height}, not signals.`,
        "Choose lenet, tinyvgg or a VGG for images.",
      );
    const preset = length > SHORT_LENGTH ? LONG : SHORT;
    const widths = options.channels ?? preset.channels;
    const perLayer = (name: "kernelSize" | "stride" | "padding"): readonly number[] => {
      const value = options[name] ?? preset[name];
      const values = typeof value === "number" ? widths.map(() => value) : value;
      if (values.length !== widths.length)
        throw new UserError(
          `Cnn1d: ${name} has ${values.length} numbers for ${widths.length} convolutions.`,
          "Give one number for all of them, or one for each.",
        );
      return values;
    };
    const [kernels, strides, paddings] = [perLayer("kernelSize"), perLayer("stride"), perLayer("padding")];
    const batchNorm = options.batchNorm ?? preset.batchNorm;
    const pool = options.pool ?? preset.pool;
    let positions = length;
    this.convs = widths.map((width, i) => {
      const [kernel, stride, padding] = [kernels[i], strides[i], paddings[i]];
      const conv = new Conv1d(widths[i - 1] ?? channels, width, kernel, rng, { stride, padding });
      if (batchNorm) heNormal(conv, rng);
      positions = Math.floor((Math.floor((positions + 2 * padding - kernel) / stride) + 1) / pool);
      if (!(positions >= 1))
        throw new UserError(
          `Cnn1d: signals of ${length} positions are too short: nothing is left after convolution ${i + 1}.`,
          "Use fewer convolutions, smaller strides, or less pooling.",
        );
      return conv;
    });
    this.norms = batchNorm ? widths.map((width) => new BatchNorm1d(width)) : [];
    this.pools = pool > 1 ? widths.map(() => new MaxPool1d(pool)) : [];
    this.averages = (options.head ?? preset.head) === "average";
    this.dropout = new Dropout(options.dropout ?? preset.dropout);
    const last = widths.at(-1) ?? channels;
    this.output = new Linear(this.averages ? last : last * positions, outputs, rng);
  }

  /** x [N, C, 1, L] or [N, C, L] → [N, outputs]. */
  forward(x: Tensor, training?: Training): Tensor {
    const [n, c, length] = [x.shape[0], x.shape[1], x.shape.at(-1)!];
    if (!(x.rank === 3 || (x.rank === 4 && x.shape[2] === 1)))
      throw mismatch("Cnn1d", [x.shape], "the input must be [N, channels, length] or [N, channels, 1, length].");
    let h = x.rank === 4 ? reshape(x, { shape: [n, c, length] }) : x;
    this.convs.forEach((conv, i) => {
      h = this.norms.length > 0 ? this.norms[i].apply(conv.forward(h), "relu", training) : conv.apply(h, "relu");
      h = this.pools[i]?.forward(h) ?? h;
    });
    const last = this.averages ? globalAvgPool(h) : flatten(h, { start: 1 });
    return this.output.forward(this.dropout.forward(last, training));
  }
}

function heNormal({ weight, bias }: Conv1d, rng: Rng): void {
  const draws = init.kaimingNormal(weight.shape, rng);
  weight.set(draws.data);
  bias?.data.fill(0);
  draws.dispose();
}
