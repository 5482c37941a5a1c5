import { mismatch } from "../core/errors.ts";
import { parallel } from "../core/parallel.ts";
import { empty, ones, type Tensor, zeros } from "../core/tensor.ts";
import { type BatchNormAttrs, batchNorm, layerNorm } from "../ops/index.ts";
import { buffer, type Module, type Training } from "./module.ts";

/**
 * Each feature brought to mean 0, variance 1 over the batch, then ·weight + bias: x [rows, features]. Ioffe & Szegedy 2015.
 * Inference uses running statistics: exponential averages with PyTorch's momentum, of the unbiased variance.
 */
export class BatchNorm1d implements Module {
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

  forward(x: Tensor, training?: Training): Tensor {
    if (x.rank !== 2 || x.shape[1] !== this.features)
      throw mismatch("BatchNorm1d", [x.shape], `the input must be [rows, ${this.features}].`);
    return this.within((weight, bias, attrs) => batchNorm(x, weight, bias, attrs), x.shape[0], training);
  }

  /**
   * Lets `op` normalise as this layer does, in a pass of its own: hands it weight, bias and statistics, and tracks those of the
   * batch of so many rows.
   */
  within(
    op: (weight: Tensor, bias: Tensor, attrs: BatchNormAttrs) => Tensor,
    rows: number,
    training?: Training,
  ): Tensor {
    const { weight, bias, running_mean, running_var, eps, features } = this;
    if (!training) return op(weight, bias, { eps, mean: running_mean, variance: running_var, training: false });
    if (rows < 2)
      throw mismatch(
        "BatchNorm1d",
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
