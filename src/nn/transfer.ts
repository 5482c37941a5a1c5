import { UserError } from "../core/errors.ts";
import { noGrad } from "../core/op.ts";
import type { Rng } from "../core/random.ts";
import { scope, type Tensor } from "../core/tensor.ts";
import { type AnyModel, intercept, modules, run } from "./capture.ts";
import { Linear } from "./linear.ts";

/** The last linear layer in the order of the properties, and its name. */
function headOf(call: string, model: object): [name: string, head: Linear] {
  const linear = [...modules(model)].filter((entry): entry is [string, Linear] => entry[1] instanceof Linear);
  const last = linear.at(-1);
  if (!last) throw new UserError(`${call}: the model has no linear layer.`);
  return last;
}

/**
 * Puts a fresh linear layer of so many outputs in the place of the last one, and returns its name. A model file then needs an
 * architecture with that number of outputs.
 */
export function replaceHead(model: object, outputs: number, rng: Rng): string {
  const [name, head] = headOf("replaceHead", model);
  const path = name.split(".");
  const key = path.pop()!;
  const holder = path.reduce((at, part) => (at as Record<string, object>)[part], model) as Record<string, object>;
  holder[key] = new Linear(head.weight.shape[1], outputs, rng, { bias: head.bias !== undefined });
  return name;
}

/** What the last linear layer sees of `inputs`, the arguments of `forward`: a trained net's features [N, …], for other learners. */
export function features(model: AnyModel, inputs: readonly unknown[]): Tensor {
  const [, head] = headOf("features", model);
  return scope(() => {
    let seen: Tensor | undefined;
    const around = ({ module, input }: { module: object; input: Tensor }, compute: () => Tensor): Tensor => {
      if (module === head) seen = input;
      return compute();
    };
    noGrad(() => intercept(model, around, () => run(model, inputs)));
    if (!seen) throw new UserError("features: the model's last linear layer was not called.");
    return seen;
  }, "features");
}
