import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import {
  type ActivationName,
  activation,
  BatchNorm1d,
  Dropout,
  LayerNorm,
  Linear,
  type Module,
  type Training,
} from "../nn/index.ts";
import { add, flatten } from "../ops/index.ts";

export interface MlpOptions {
  activation?: ActivationName;
  /** Share of each hidden layer's outputs dropped while training: one for all layers, or one for each. */
  dropout?: number | readonly number[];
  norm?: "batch" | "layer" | "none";
  /** Add a hidden layer's input to its output wherever the sizes agree (He et al. 2016). */
  residual?: boolean;
}

/** A multilayer perceptron: sizes [in, hidden…, out]; every hidden layer is linear, norm, activation, dropout. */
export class Mlp implements Module {
  readonly layers: Linear[];
  readonly norms: (BatchNorm1d | LayerNorm)[];
  readonly dropouts: Dropout[];
  readonly activation: ActivationName;
  readonly residual: boolean;

  constructor(
    sizes: readonly number[],
    rng: Rng,
    { activation: name = "relu", dropout = 0, norm = "none", residual = false }: MlpOptions = {},
  ) {
    if (sizes.length < 2 || sizes.some((n) => !(Number.isInteger(n) && n > 0)))
      throw new UserError(`Mlp: sizes must be at least two whole numbers > 0, not [${sizes.join(", ")}].`);
    const hidden = sizes.slice(1, -1);
    if (typeof dropout !== "number" && dropout.length !== hidden.length)
      throw new UserError(`Mlp: ${dropout.length} dropout rates for ${hidden.length} hidden layers.`);
    this.layers = sizes.slice(1).map((n, i) => new Linear(sizes[i], n, rng));
    this.norms = norm === "none" ? [] : hidden.map((n) => (norm === "batch" ? new BatchNorm1d(n) : new LayerNorm(n)));
    this.dropouts = hidden.map((_, i) => new Dropout(typeof dropout === "number" ? dropout : dropout[i]));
    activation(name); // a wrong name is an error here, not at the first step
    this.activation = name;
    this.residual = residual;
  }

  /** x [batch, in], or [batch, …] of as many numbers, such as images → [batch, out]. */
  forward(x: Tensor, training?: Training): Tensor {
    const f = activation(this.activation);
    const fuse = this.activation === "relu" && this.norms.length === 0;
    let h = x.rank > 2 ? flatten(x, { start: 1 }) : x;
    this.layers.slice(0, -1).forEach((layer, i) => {
      let y = layer.apply(h, fuse ? "relu" : "none");
      if (!fuse) y = f(this.norms[i]?.forward(y, training) ?? y);
      y = this.dropouts[i].forward(y, training);
      h = this.residual && y.shape.at(-1) === h.shape.at(-1) ? add(h, y) : y;
    });
    return this.layers[this.layers.length - 1].forward(h);
  }
}
