import { mismatch } from "../core/errors.ts";
import type { Activation } from "../core/gemm.ts";
import type { Rng } from "../core/random.ts";
import type { Indices, Tensor } from "../core/tensor.ts";
import { linear, matmul, reshape, take } from "../ops/index.ts";
import { init } from "./init.ts";
import type { Module } from "./module.ts";

/** y = x·Wᵀ + b, x [… in] → [… out]; weight [out, in] and bias [out] start as U(±1/√in), PyTorch's default. */
export class Linear implements Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;

  constructor(inFeatures: number, outFeatures: number, rng: Rng, { bias = true }: { bias?: boolean } = {}) {
    this.weight = init.fanInUniform([outFeatures, inFeatures], rng);
    if (bias) this.bias = init.fanInUniform([outFeatures], rng, inFeatures);
  }

  forward(x: Tensor): Tensor {
    return this.apply(x, "none");
  }

  /** Forward with a rectifier in the same pass, where asked for. */
  apply(x: Tensor, activation: Activation): Tensor {
    const [out, features] = this.weight.shape;
    if (x.shape.at(-1) !== features)
      throw mismatch(
        `Linear(${features} → ${out})`,
        [x.shape],
        `the input has ${x.shape.at(-1)} features, not ${features}.`,
      );
    if (this.bias) return linear(x, this.weight, this.bias, { activation });
    const rows = reshape(x, { shape: [x.size / features, features] });
    const y = reshape(matmul(rows, this.weight, { transposeB: true }), { shape: [...x.shape.slice(0, -1), out] });
    return activation === "relu" ? y.relu() : y;
  }
}

/** A learned vector for each of `count` kinds: index [n] → [n, width]; weight [count, width] starts as N(0, 1). */
export class Embedding {
  readonly weight: Tensor;

  constructor(count: number, width: number, rng: Rng) {
    this.weight = init.normal([count, width], rng);
  }

  forward(index: Indices): Tensor {
    return take(this.weight, { index });
  }
}
