import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import { Linear, type Module } from "../nn/index.ts";
import { add, leakyRelu } from "../ops/index.ts";

/** Layers y = activation(W·x + b) + R·x, then a linear one: the head of Roost and CrabNet. A layer that keeps its width has R = 1. */
export class ResidualNetwork implements Module {
  readonly fcs: Linear[];
  readonly res_fcs: (Linear | null)[];
  readonly fc_out: Linear;
  private readonly activation: "leakyRelu" | "relu";

  constructor(
    sizes: readonly number[],
    outputs: number,
    rng: Rng,
    { activation = "leakyRelu" }: { activation?: "leakyRelu" | "relu" } = {},
  ) {
    const pairs = sizes.slice(1).map((to, i) => [sizes[i], to] as const);
    this.fcs = pairs.map(([from, to]) => new Linear(from, to, rng));
    this.res_fcs = pairs.map(([from, to]) => (from === to ? null : new Linear(from, to, rng, { bias: false })));
    this.fc_out = new Linear(sizes.at(-1)!, outputs, rng);
    this.activation = activation;
  }

  /** x [rows, sizes[0]] → [rows, outputs]. */
  forward(x: Tensor): Tensor {
    const through = this.fcs.reduce((y, fc, i) => {
      const bent = this.activation === "relu" ? fc.apply(y, "relu") : leakyRelu(fc.forward(y));
      return add(bent, this.res_fcs[i]?.forward(y) ?? y);
    }, x);
    return this.fc_out.forward(through);
  }
}
