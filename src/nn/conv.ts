import { mismatch, UserError } from "../core/errors.ts";
import type { Activation } from "../core/gemm.ts";
import type { Rng } from "../core/random.ts";
import { sizeOf } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { pair } from "../ops/convGeometry.ts";
import { type ConvOptions, conv1d, conv2d, convTranspose2d, type Pair } from "../ops/index.ts";
import { init } from "./init.ts";
import type { Module } from "./module.ts";

export interface ConvLayerOptions<P> extends ConvOptions<P> {
  bias?: boolean;
}

/** Whole sizes above 0 and channels that groups divide, or an error with the layer's name. */
function checkSizes(layer: string, [inChannels, outChannels, ...kernel]: readonly number[], groups: number): void {
  if (![inChannels, outChannels, ...kernel].every((n) => Number.isInteger(n) && n > 0))
    throw new UserError(`${layer}: channels and the kernel's size must be whole numbers > 0.`);
  for (const [what, channels] of [
    ["input", inChannels],
    ["output", outChannels],
  ] as const)
    if (!(groups >= 1) || channels % groups !== 0)
      throw new UserError(`${layer}: ${groups} groups do not divide ${channels} ${what} channels.`);
}

function checkChannels(layer: string, x: Tensor, rank: number, channels: number): void {
  const form = rank === 4 ? `[N, ${channels}, height, width]` : `[N, ${channels}, length]`;
  if (x.rank !== rank) throw mismatch(layer, [x.shape], `the input must be ${form}.`);
  if (x.shape[1] !== channels)
    throw mismatch(layer, [x.shape], `the input has ${x.shape[1]} channels, not ${channels}: it must be ${form}.`);
}

/** U(±1/√fan-in) as PyTorch has it, by the fan-in of the weight as it is stored, also where that is transposed. */
const biasOf = (outChannels: number, weight: readonly number[], rng: Rng): Tensor =>
  init.fanInUniform([outChannels], rng, sizeOf(weight.slice(1)));

/**
 * Convolution of images: x [N, in, H, W] → [N, out, H′, W′]. weight [out, in / groups, kh, kw] and bias [out] start as
 * U(±1/√fan-in), PyTorch's default.
 */
export class Conv2d implements Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly kernelSize: readonly [number, number];

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Pair,
    rng: Rng,
    readonly options: ConvLayerOptions<Pair> = {},
  ) {
    const { groups = 1, bias = true } = options;
    this.kernelSize = pair(kernelSize);
    checkSizes(this.name, [inChannels, outChannels, ...this.kernelSize], groups);
    const shape = [outChannels, inChannels / groups, ...this.kernelSize];
    this.weight = init.fanInUniform(shape, rng);
    if (bias) this.bias = biasOf(outChannels, shape, rng);
  }

  forward(x: Tensor): Tensor {
    return this.apply(x, "none");
  }

  /** Forward with a rectifier in the same pass, where asked for. */
  apply(x: Tensor, activation: Activation): Tensor {
    checkChannels(this.name, x, 4, this.inChannels);
    const attrs = { ...this.options, activation };
    return this.bias ? conv2d(x, this.weight, this.bias, attrs) : conv2d(x, this.weight, attrs);
  }

  private get name(): string {
    return `Conv2d(${this.inChannels} → ${this.outChannels}, ${this.kernelSize.join("×")})`;
  }
}

/** Convolution of signals: x [N, in, L] → [N, out, L′]; weight [out, in / groups, k], bias [out]. */
export class Conv1d implements Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: number,
    rng: Rng,
    readonly options: ConvLayerOptions<number> = {},
  ) {
    const { groups = 1, bias = true } = options;
    checkSizes(this.name, [inChannels, outChannels, kernelSize], groups);
    const shape = [outChannels, inChannels / groups, kernelSize];
    this.weight = init.fanInUniform(shape, rng);
    if (bias) this.bias = biasOf(outChannels, shape, rng);
  }

  forward(x: Tensor): Tensor {
    return this.apply(x, "none");
  }

  /** Forward with a rectifier in the same pass, where asked for. */
  apply(x: Tensor, activation: Activation): Tensor {
    checkChannels(this.name, x, 3, this.inChannels);
    const attrs = { ...this.options, activation };
    return this.bias ? conv1d(x, this.weight, this.bias, attrs) : conv1d(x, this.weight, attrs);
  }

  private get name(): string {
    return `Conv1d(${this.inChannels} → ${this.outChannels}, ${this.kernelSize})`;
  }
}

/** Transposed convolution, which enlarges images: x [N, in, H, W] → [N, out, …]; weight [in, out / groups, kh, kw], bias [out]. */
export class ConvTranspose2d implements Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly kernelSize: readonly [number, number];

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Pair,
    rng: Rng,
    readonly options: Omit<ConvLayerOptions<Pair>, "padding"> & { padding?: Pair; outputPadding?: Pair } = {},
  ) {
    const { groups = 1, bias = true } = options;
    this.kernelSize = pair(kernelSize);
    checkSizes(this.name, [inChannels, outChannels, ...this.kernelSize], groups);
    const shape = [inChannels, outChannels / groups, ...this.kernelSize];
    this.weight = init.fanInUniform(shape, rng);
    if (bias) this.bias = biasOf(outChannels, shape, rng);
  }

  forward(x: Tensor): Tensor {
    checkChannels(this.name, x, 4, this.inChannels);
    const { weight, bias, options } = this;
    return bias ? convTranspose2d(x, weight, bias, options) : convTranspose2d(x, weight, options);
  }

  private get name(): string {
    return `ConvTranspose2d(${this.inChannels} → ${this.outChannels}, ${this.kernelSize.join("×")})`;
  }
}
