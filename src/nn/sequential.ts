import { UserError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { relu } from "../ops/index.ts";
import type { Module, Training } from "./module.ts";

/** A layer that can rectify its output in the same pass: linear, convolution, batch norm. */
interface Rectifying extends Module {
  apply(x: Tensor, activation: "relu", training?: Training): Tensor;
}

type Step = Module | ((x: Tensor) => Tensor);

/** Layers and functions one after the other; `forward` hands each the training context. */
export class Sequential implements Module {
  private readonly count: number;

  /** Layers are kept under their positions, as in PyTorch's names: "0.weight", "2.bias". */
  constructor(...layers: Step[]) {
    const wrong = layers.findIndex((layer) => typeof layer !== "function" && typeof layer?.forward !== "function");
    if (wrong >= 0)
      throw new UserError(
        `Sequential: argument ${wrong + 1} is no layer and no function.`,
        "Layers are arguments of their own: new Sequential(conv, relu, …).",
      );
    this.count = layers.length;
    Object.assign(this, layers);
  }

  /** A `relu` after a layer that can rectify is computed in that layer's pass. */
  forward(x: Tensor, training?: Training): Tensor {
    const layers = this as unknown as Record<number, Step>;
    let y = x;
    for (let i = 0; i < this.count; i++) {
      const layer = layers[i];
      if (typeof layer === "function") y = layer(y);
      else if (layers[i + 1] === relu && "apply" in layer) {
        y = (layer as Rectifying).apply(y, "relu", training);
        i++;
      } else y = layer.forward(y, training);
    }
    return y;
  }
}
