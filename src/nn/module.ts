import { UserError } from "../core/errors.ts";
import { Block } from "../core/memory.ts";
import type { Rng } from "../core/random.ts";
import { sameShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";

/** Handed to `forward` while training; left out, a model infers: dropout off, batch norm by its running statistics. */
export interface Training {
  rng: Rng;
}

/** Anything with tensors in it is a model; this is what `Sequential` and `fit` call. */
export interface Module<I extends unknown[] = [x: Tensor]> {
  forward(...args: [...I, training?: Training]): Tensor;
}

/** A module whatever its inputs are: what builders return and `fit` trains. Called without `training`, it must infer. */
export interface Model {
  forward(...args: never[]): Tensor;
}

/** Tensors that belong to a model's state but are not trained: running statistics. */
const buffers = new WeakSet<Tensor>();

/** Marks a tensor as state that optimizers leave alone. */
export function buffer(tensor: Tensor): Tensor {
  buffers.add(tensor);
  return tensor;
}

/**
 * Every tensor of a model with its dotted name, in the order of the properties ("layers.0.weight"): PyTorch's state dict.
 * Walks own properties, arrays and plain objects; an object met twice counts once, under its first name.
 */
export function stateDict(model: object): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const seen = new Set<unknown>();
  const walk = (value: unknown, name: string): void => {
    if (typeof value !== "object" || value === null || seen.has(value) || ArrayBuffer.isView(value)) return;
    seen.add(value);
    if (value instanceof Tensor) found.set(name, value);
    else if (!(value instanceof Block))
      for (const [key, child] of Object.entries(value)) walk(child, name ? `${name}.${key}` : key);
  };
  walk(model, "");
  return found;
}

/** The trained tensors of a model with their dotted names: the optimizers' keys and the names in errors. */
export function parameters(model: object): Map<string, Tensor> {
  return new Map([...stateDict(model)].filter(([, tensor]) => !buffers.has(tensor)));
}

/** How many numbers are trained. */
export const parameterCount = (model: object): number =>
  [...parameters(model).values()].reduce((count, tensor) => count + tensor.size, 0);

/**
 * Copies values into a model's tensors by name. What does not fit is listed whole: missing, unexpected and mis-shaped names.
 * PyTorch's counters (`num_batches_tracked`) are skipped.
 */
export function loadStateDict(
  model: object,
  values: ReadonlyMap<string, { shape: readonly number[]; data: ArrayLike<number> }>,
): void {
  const own = stateDict(model);
  const missing = [...own.keys()].filter((name) => !values.has(name));
  const unexpected = [...values.keys()].filter((name) => !own.has(name) && !name.endsWith("num_batches_tracked"));
  const misshaped = [...own].flatMap(([name, tensor]) => {
    const value = values.get(name);
    return value && !sameShape(value.shape, tensor.shape)
      ? [`${name} is [${value.shape.join(", ")}], the model has [${tensor.shape.join(", ")}]`]
      : [];
  });
  const problems = [
    ["missing", missing],
    ["unexpected", unexpected],
    ["mis-shaped", misshaped],
  ].flatMap(([kind, names]) => (names.length ? [`${kind}: ${summary(names as string[])}`] : []));
  if (problems.length > 0)
    throw new UserError(
      `These weights do not fit the model: ${problems.join("; ")}.`,
      "They were saved from another architecture, or with other sizes.",
    );
  for (const [name, tensor] of own) tensor.set(values.get(name)!.data);
}

const summary = (names: string[]): string =>
  names.length > 12 ? `${names.slice(0, 12).join(", ")}, … (${names.length} in all)` : names.join(", ");

/** Layers and functions one after the other; `forward` hands each the training context. */
export class Sequential implements Module {
  private readonly count: number;

  /** Layers are kept under their positions, as in PyTorch's names: "0.weight", "2.bias". */
  constructor(...layers: (Module | ((x: Tensor) => Tensor))[]) {
    this.count = layers.length;
    Object.assign(this, layers);
  }

  forward(x: Tensor, training?: Training): Tensor {
    const layers = this as unknown as Record<number, Module | ((x: Tensor) => Tensor)>;
    let y = x;
    for (let i = 0; i < this.count; i++) {
      const layer = layers[i];
      y = typeof layer === "function" ? layer(y) : layer.forward(y, training);
    }
    return y;
  }
}
