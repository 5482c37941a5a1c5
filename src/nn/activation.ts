import { UserError } from "../core/errors.ts";
import { full, type Tensor } from "../core/tensor.ts";
import * as ops from "../ops/index.ts";
import type { Module } from "./module.ts";

/** Activations by the names that options and command lines use. */
export const activations = {
  relu: ops.relu,
  leakyRelu: (x: Tensor): Tensor => ops.leakyRelu(x),
  elu: (x: Tensor): Tensor => ops.elu(x),
  selu: ops.selu,
  sigmoid: ops.sigmoid,
  tanh: ops.tanh,
  softplus: ops.softplus,
  ssp: ops.ssp,
  gelu: ops.gelu,
  geluTanh: ops.geluTanh,
  silu: ops.silu,
  mish: ops.mish,
  hardSwish: ops.hardSwish,
  hardSigmoid: ops.hardSigmoid,
  lecunTanh: ops.lecunTanh,
  identity: (x: Tensor): Tensor => x,
} satisfies Record<string, (x: Tensor) => Tensor>;

export type ActivationName = keyof typeof activations;

/** The activation of that name. */
export function activation(name: string): (x: Tensor) => Tensor {
  const f = (activations as Record<string, (x: Tensor) => Tensor>)[name];
  if (!f)
    throw new UserError(`There is no activation "${name}".`, `Choose one of ${Object.keys(activations).join(", ")}.`);
  return f;
}

/** x above 0, a·x elsewhere, the slope a learned: one, or one for each feature (last axis). He et al. 2015. */
export class PReLU implements Module {
  readonly weight: Tensor;

  constructor({ features = 1, slope = 0.25 }: { features?: number; slope?: number } = {}) {
    this.weight = full([features], slope);
  }

  forward(x: Tensor): Tensor {
    return ops.prelu(x, this.weight);
  }
}
