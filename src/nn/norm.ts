import { mismatch, UserError } from "../core/errors.ts";
import type { Activation } from "../core/gemm.ts";
import { parallel } from "../core/parallel.ts";
import { empty, ones, type Tensor, zeros } from "../core/tensor.ts";
import { type BatchNormAttrs, batchNorm, groupNorm, layerNorm } from "../ops/index.ts";
import { buffer, isFrozen, type Module, type Training } from "./module.ts";

/**
 * Each feature (axis 1) brought to mean 0, variance 1 over the batch and all further axes, then ·weight + bias. Ioffe & Szegedy 2015.
 * Inference uses running statistics: exponential averages with PyTorch's momentum, of the unbiased variance.
 */
abstract class BatchNorm implements Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly running_mean: Tensor;
  readonly running_var: Tensor;
  readonly eps: number;
  readonly momentum: number;

  constructor(
    readonly features: number,
    { eps = 1e-5, momentum = 0.1 }: { eps?: number; momentum?: number } = {},
  ) {
    this.weight = ones([features]);
    this.bias = zeros([features]);
    this.running_mean = buffer(zeros([features]));
    this.running_var = buffer(ones([features]));
    this.eps = eps;
    this.momentum = momentum;
  }

  /** The layer's name in messages. */
  protected abstract get name(): string;
  /** @throws ShapeError for an input that is not this layer's */
  protected abstract check(x: Tensor): void;

  forward(x: Tensor, training?: Training): Tensor {
    return this.apply(x, "none", training);
  }

  /** Forward with a rectifier in the same pass, where asked for. */
  apply(x: Tensor, activation: Activation, training?: Training): Tensor {
    this.check(x);
    const op = (weight: Tensor, bias: Tensor, attrs: BatchNormAttrs): Tensor =>
      batchNorm(x, weight, bias, { ...attrs, activation });
    return this.within(op, this.features === 0 ? 0 : x.size / this.features, training);
  }

  /**
   * Lets `op` normalise as this layer does, in a pass of its own: hands it weight, bias and statistics, and tracks those of the
   * batch of so many values for each feature.
   */
  within(
    op: (weight: Tensor, bias: Tensor, attrs: BatchNormAttrs) => Tensor,
    rows: number,
    training?: Training,
  ): Tensor {
    const { weight, bias, running_mean, running_var, eps, features } = this;
    if (!training || training.running || isFrozen(weight))
      return op(weight, bias, { eps, mean: running_mean, variance: running_var, training: false });
    if (rows < 2)
      throw mismatch(
        this.name,
        [[rows, features]],
        "a batch of one row has no variance.",
        "Use a batch size ≥ 2 (or drop the last batch).",
      );
    const [mean, variance] = [empty([features]), empty([features])];
    const y = op(weight, bias, { eps, mean, variance });
    this.track(running_mean, mean, 1);
    this.track(running_var, variance, rows / (rows - 1));
    return y;
  }

  /** running ← (1 − momentum)·running + momentum·scale·batch, outside the tape. */
  private track(running: Tensor, batch: Tensor, scale: number): void {
    parallel("affine", batch.size, batch.size, batch.ptr, batch.ptr, scale, 0);
    parallel("lerp", batch.size, batch.size, running.ptr, batch.ptr, this.momentum);
  }
}

/** Batch norm of rows or signals: x [rows, features] or [N, features, L]. */
export class BatchNorm1d extends BatchNorm {
  protected override get name(): string {
    return "BatchNorm1d";
  }

  protected override check(x: Tensor): void {
    if ((x.rank !== 2 && x.rank !== 3) || x.shape[1] !== this.features)
      throw mismatch(
        this.name,
        [x.shape],
        `the input must be [rows, ${this.features}] or [N, ${this.features}, length].`,
      );
  }
}

/** Batch norm of images: x [N, features, H, W]. */
export class BatchNorm2d extends BatchNorm {
  protected override get name(): string {
    return "BatchNorm2d";
  }

  protected override check(x: Tensor): void {
    if (x.rank !== 4 || x.shape[1] !== this.features)
      throw mismatch(this.name, [x.shape], `the input must be [N, ${this.features}, height, width].`);
  }
}

/** Each row brought to mean 0, variance 1 over its features, then ·weight + bias: x [… features]. Ba, Kiros & Hinton 2016. */
export class LayerNorm implements Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly eps: number;

  constructor(features: number, { eps = 1e-5 }: { eps?: number } = {}) {
    this.weight = ones([features]);
    this.bias = zeros([features]);
    this.eps = eps;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, { eps: this.eps });
  }
}

/**
 * Each group of channels of each item brought to mean 0, variance 1, then ·weight + bias by channel: x [N, channels, …]. The same for
 * any size of batch. Wu & He 2018.
 */
export class GroupNorm implements Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly eps: number;

  constructor(
    readonly groups: number,
    channels: number,
    { eps = 1e-5 }: { eps?: number } = {},
  ) {
    if (!(Number.isInteger(groups) && groups > 0 && channels % groups === 0))
      throw new UserError(`GroupNorm: ${groups} groups do not divide ${channels} channels.`);
    this.weight = ones([channels]);
    this.bias = zeros([channels]);
    this.eps = eps;
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.weight, this.bias, { groups: this.groups, eps: this.eps });
  }
}
