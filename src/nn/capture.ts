import { UserError } from "../core/errors.ts";
import { Block } from "../core/memory.ts";
import { noGrad } from "../core/op.ts";
import { scope, Tensor } from "../core/tensor.ts";

type Method = (...args: unknown[]) => Tensor;

/** Every part of a model that has a `forward`, with its dotted name, in the order of the properties. The model itself is not among them. */
export function modules(model: object): Map<string, object> {
  const found = new Map<string, object>();
  const seen = new Set<unknown>();
  const walk = (value: unknown, name: string): void => {
    if (typeof value !== "object" || value === null || seen.has(value) || ArrayBuffer.isView(value)) return;
    seen.add(value);
    if (value instanceof Tensor || value instanceof Block) return;
    if (name && typeof (value as { forward?: unknown }).forward === "function") found.set(name, value);
    for (const [key, child] of Object.entries(value)) walk(child, name ? `${name}.${key}` : key);
  };
  walk(model, "");
  return found;
}

/** One call of a module's `forward`, or of its `apply`, which rectifies in the same pass. */
export interface Call {
  name: string;
  module: object;
  /** The first argument. */
  input: Tensor;
  /** "relu" where the module's output is rectified. */
  activation: unknown;
}

/**
 * Runs `body` with every call of a module of the model handed to `around`, which computes with `run` or answers itself.
 * The modules are as before when it ends, also by an error.
 */
export function intercept<T>(model: object, around: (call: Call, run: () => Tensor) => Tensor, body: () => T): T {
  const undo: (() => void)[] = [];
  try {
    for (const [name, module] of modules(model)) {
      let inside = false; // forward may call apply: one call all the same
      for (const method of ["forward", "apply"] as const) {
        const original = (module as Record<string, unknown>)[method] as Method;
        if (typeof original !== "function") continue;
        const own = Object.getOwnPropertyDescriptor(module, method);
        const value: Method = (...args) => {
          if (inside) return original.apply(module, args);
          inside = true;
          try {
            const activation = method === "apply" ? args[1] : undefined;
            return around({ name, module, input: args[0] as Tensor, activation }, () => original.apply(module, args));
          } finally {
            inside = false;
          }
        };
        Object.defineProperty(module, method, { value, configurable: true, enumerable: false, writable: true });
        undo.push(() =>
          own ? Object.defineProperty(module, method, own) : delete (module as Record<string, unknown>)[method],
        );
      }
    }
    return body();
  } finally {
    for (const restore of undo) restore();
  }
}

/** Any model: what `forward` takes is the caller's to know. */
export interface AnyModel {
  forward(...args: never[]): Tensor;
}

export const run = (model: AnyModel, inputs: readonly unknown[]): Tensor => model.forward(...(inputs as never[]));

/**
 * What the named modules (all, where none is named) put out for `inputs`, the arguments of `forward`; of a module that is called
 * again, the last. A layer whose rectifier runs in the same pass (`apply(x, "relu")`) gives the rectified values.
 *
 * @example layerOutputs(net, [x], ["conv_1_1"]).get("conv_1_1")   // [N, 10, 62, 62]
 */
export function layerOutputs(
  model: AnyModel,
  inputs: readonly unknown[],
  names?: readonly string[],
): Map<string, Tensor> {
  const wanted = checkNames("layerOutputs", model, names);
  return scope(() => {
    const found = new Map<string, Tensor>();
    const keep = ({ name }: Call, compute: () => Tensor): Tensor => {
      const y = compute();
      if (wanted.has(name)) found.set(name, y);
      return y;
    };
    noGrad(() => intercept(model, keep, () => run(model, inputs)));
    return found;
  }, "layerOutputs");
}

/** The names as a set, all where none is given. @throws UserError for one that no module has */
export function checkNames(call: string, model: object, names?: readonly string[]): Set<string> {
  const all = modules(model);
  const unknown = names?.find((name) => !all.has(name));
  if (unknown !== undefined)
    throw new UserError(`${call}: the model has no layer "${unknown}".`, `It has ${[...all.keys()].join(", ")}.`);
  return new Set(names ?? all.keys());
}
