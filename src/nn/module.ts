import { UserError } from "../core/errors.ts";
import { Block } from "../core/memory.ts";
import type { Rng } from "../core/random.ts";
import { sameShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";

/** Handed to `forward` while training; left out, a model infers: dropout off, batch norm by its running statistics. */
export interface Training {
  rng: Rng;
  /** What a model wants added to the loss (regularisers of what it computes on its way), each of one element. `fit` adds them. */
  penalties?: Tensor[];
  /** Batch norm by its running statistics all the same, so that dropout alone is on: Monte Carlo dropout. */
  running?: boolean;
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

/** Parameters that training leaves as they are. */
const frozen = new WeakSet<Tensor>();

/** The trained tensors of a model with their dotted names: the optimizers' keys and the names in errors. Frozen ones only where asked for. */
export function parameters(model: object, { frozen: all = false }: { frozen?: boolean } = {}): Map<string, Tensor> {
  return new Map([...stateDict(model)].filter(([, tensor]) => !buffers.has(tensor) && (all || !frozen.has(tensor))));
}

/** How many numbers are trained. */
export const parameterCount = (model: object): number =>
  [...parameters(model).values()].reduce((count, tensor) => count + tensor.size, 0);

/** The parameters whose names match, or an error that shows what there is. */
function matching(call: string, model: object, pattern: RegExp): [name: string, parameter: Tensor][] {
  const all = [...parameters(model, { frozen: true })];
  const found = all.filter(([name]) => name.search(pattern) >= 0);
  if (found.length === 0)
    throw new UserError(
      `${call}: no parameter's name matches ${pattern}.`,
      `There are ${summary(all.map(([n]) => n))}.`,
    );
  return found;
}

/**
 * Keeps the parameters whose names match (all, where no pattern is given) as they are: optimizers made after this skip them.
 * A batch norm with a frozen weight normalises by its running statistics, which stay, while training, too: fine-tuning on a few
 * images must not replace the statistics of many. Returns the names.
 */
export function freeze(model: object, pattern = /^/): string[] {
  return matching("freeze", model, pattern).map(([name, parameter]) => {
    frozen.add(parameter);
    return name;
  });
}

/** Undoes `freeze`. */
export function unfreeze(model: object, pattern = /^/): string[] {
  return matching("unfreeze", model, pattern).map(([name, parameter]) => {
    frozen.delete(parameter);
    return name;
  });
}

export const isFrozen = (parameter: Tensor): boolean => frozen.has(parameter);

export interface LoadOptions {
  /** Names that stay as they are, whatever the weights have under them: a head of another size keeps its fresh weights. */
  except?: RegExp;
}

/**
 * The tensors of a model that weights of these names and shapes fill. What does not fit is listed whole: missing, unexpected and
 * mis-shaped names. PyTorch's counters (`num_batches_tracked`) are skipped.
 */
export function matchStateDict(
  model: object,
  values: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  { except }: LoadOptions = {},
): Map<string, Tensor> {
  const counts = (name: string): boolean => except === undefined || name.search(except) < 0;
  const own = new Map([...stateDict(model)].filter(([name]) => counts(name)));
  const missing = [...own.keys()].filter((name) => !values.has(name));
  const unexpected = [...values.keys()].filter(
    (name) => counts(name) && !own.has(name) && !name.endsWith("num_batches_tracked"),
  );
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
  return own;
}

/** Copies values into a model's tensors by name, all or, with an error that lists what does not fit, none. */
export function loadStateDict(
  model: object,
  values: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>,
  options?: LoadOptions,
): void {
  for (const [name, tensor] of matchStateDict(model, values, options)) tensor.set(values.get(name)!.data);
}

const summary = (names: string[]): string =>
  names.length > 12 ? `${names.slice(0, 12).join(", ")}, … (${names.length} in all)` : names.join(", ");
