import { UserError } from "../core/errors.ts";
import { noGrad } from "../core/op.ts";
import type { Rng } from "../core/random.ts";
import { scope, type Tensor } from "../core/tensor.ts";
import { type AnyModel, intercept, modules, run } from "./capture.ts";
import { Linear } from "./linear.ts";
import { stateDict } from "./module.ts";
import { Sequential } from "./sequential.ts";

/** The last linear layer in the order of the properties, and its name. */
function headOf(call: string, model: object): [name: string, head: Linear] {
  const linear = [...modules(model)].filter((entry): entry is [string, Linear] => entry[1] instanceof Linear);
  const last = linear.at(-1);
  if (!last) throw new UserError(`${call}: the model has no linear layer.`);
  return last;
}

/**
 * Puts a fresh linear layer of so many outputs in the place of the last one, and returns its name: "fc_out" of CGCNN, "outnet.1" of
 * SchNet and PaiNN, "fc" of ALIGNN, "classifier.6" of VGG. A model file then needs an architecture with that number of outputs.
 *
 * @throws UserError where more than that layer depends on the number of outputs: CrabNet's gates, a last graph convolution's own
 *   bias. Such a model is made anew, by `withOutputs` of spinel/models, and given all weights but its head's (`headOf`).
 */
export function replaceHead(model: object, outputs: number, rng: Rng): string {
  const [name, head] = headOf("replaceHead", model);
  const other = alsoOfOutputs(model, name, head.weight.shape[0]);
  if (other !== undefined)
    throw new UserError(
      `replaceHead: the last linear layer is ${name}, but ${other} goes with the number of outputs, too.`,
      "Build the model with the outputs it shall have, and load all weights but its head's (withOutputs, headOf).",
    );
  const path = name.split(".");
  const key = path.pop()!;
  const holder = path.reduce((at, part) => (at as Record<string, object>)[part], model) as Record<string, object>;
  holder[key] = new Linear(head.weight.shape[1], outputs, rng, { bias: head.bias !== undefined });
  return name;
}

/** What beside its last linear layer a model has for each of so many outputs: a number that it keeps, or a weight of the layer around. */
function alsoOfOutputs(model: object, head: string, outputs: number): string | undefined {
  if (typeof (model as { outputs?: unknown }).outputs === "number") return "outputs";
  const around = [...modules(model)].filter(([name]) => head.startsWith(`${name}.`)).at(-1);
  if (!around || around[1] instanceof Sequential) return undefined;
  const [layer, own] = around;
  const others = [...stateDict(own)].map(([name, { shape }]) => [`${layer}.${name}`, shape] as const);
  return others.find(([name, shape]) => !name.startsWith(`${head}.`) && shape.includes(outputs))?.[0];
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
