import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import { init, type Module, type Training } from "../nn/index.ts";
import { Mlp } from "./mlp.ts";

/** Widths after each block of ElemNet; dropout follows the blocks of 1024, 512, 256 and 128. */
const HIDDEN = [1024, 1024, 1024, 1024, 512, 512, 512, 256, 256, 256, 128, 128, 128, 64, 64, 32];
const DROPOUT = new Map([
  [3, 0.2],
  [6, 0.1],
  [9, 0.3],
  [12, 0.2],
]);

/**
 * ElemNet: seventeen fully connected layers from 86 element fractions to one property.  Jha et al., Sci. Rep. 8, 17593 (2018).
 * Dropout is off at inference (the authors' code leaves it on). 4,631,361 parameters with 86 inputs and one output.
 */
export class ElemNet implements Module {
  readonly mlp: Mlp;

  constructor(inputs: number, outputs: number, rng: Rng, { dropout = true }: { dropout?: boolean } = {}) {
    const rates = HIDDEN.map((_, i) => (dropout ? (DROPOUT.get(i) ?? 0) : 0));
    this.mlp = new Mlp([inputs, ...HIDDEN, outputs], rng, { dropout: rates });
    // The authors use TF-slim's default: Xavier uniform weights, zero biases.
    for (const layer of this.mlp.layers) {
      layer.weight.set(init.xavierUniform(layer.weight.shape, rng).data);
      layer.bias!.set(new Float32Array(layer.bias!.size));
    }
  }

  /** x [batch, 86] fractions → [batch, outputs]. */
  forward(x: Tensor, training?: Training): Tensor {
    return this.mlp.forward(x, training);
  }
}
