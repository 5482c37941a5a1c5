import { UserError } from "./errors.ts";
import { allocateOwned } from "./memory.ts";
import { type Shape, sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Gradients for the inputs in order; undefined where an input has none. */
export type Gradients = readonly (Tensor | undefined)[];

/** How an op is defined. `I` are its inputs, `A` its attributes (everything that is not a tensor, or asks for no gradient). */
export interface OpDefinition<I extends readonly Tensor[], A> {
  /** The output's shape, or an error that says what does not fit. */
  shape(shapes: Shapes<I>, attrs: A): Shape;
  /** Writes `out`: one `parallel(…)` call. */
  forward(out: Tensor, inputs: I, attrs: A): void;
  /**
   * Gradients by ops only, never kernels, on the live tensors: hence differentiable to any order. It sends; it never adds.
   * `needed[i]` says whether input i wants one: what costs a product of matrices is better not made for nobody.
   */
  vjp(g: Tensor, inputs: I, out: Tensor, attrs: A, needed: readonly boolean[]): Gradients;
}

/** An op with kernels of its own for speed. `expand` defines it; the kernels must agree with that. */
export interface FusedDefinition<I extends readonly Tensor[], A> {
  shape(shapes: Shapes<I>, attrs: A): Shape;
  /** The same value made of ops: replayed wherever gradients are themselves differentiated and there is no `vjp`. */
  expand(inputs: I, attrs: A): Tensor;
  /** Gradients by ops, as those of `op`: where they are less work than a replay of `expand`. */
  vjp?(g: Tensor, inputs: I, out: Tensor, attrs: A, needed: readonly boolean[]): Gradients;
  forward(out: Tensor, inputs: I, attrs: A): void;
  /** First-order gradients by kernels; `needed[i]` says whether input i wants one. */
  backward(g: Tensor, inputs: I, out: Tensor, attrs: A, needed: readonly boolean[]): Gradients;
}

type Shapes<I extends readonly Tensor[]> = { readonly [K in keyof I]: Shape };

/** A callable op: its inputs, then its attributes if it has any. */
export type Op<I extends readonly Tensor[], A = undefined> = undefined extends A
  ? (...args: [...I, attrs?: A]) => Tensor
  : (...args: [...I, attrs: A]) => Tensor;

/** What the tape knows of an op. */
export interface Rule {
  readonly name: string;
  vjp?(g: Tensor, inputs: readonly Tensor[], out: Tensor, attrs: unknown, needed: readonly boolean[]): Gradients;
  backward?(g: Tensor, inputs: readonly Tensor[], out: Tensor, attrs: unknown, needed: readonly boolean[]): Gradients;
  expand?(inputs: readonly Tensor[], attrs: unknown): Tensor;
  /** Its body may use tensors that are not among its inputs (checkpoint): always replayed. */
  readonly opaque?: boolean;
}

/** One record on the tape. Ids grow with time, so walking them downwards is the reverse order of computation. */
export interface Node {
  readonly rule: Rule;
  readonly inputs: readonly Tensor[];
  readonly attrs: unknown;
  readonly id: number;
}

let recording = true;
let lastId = 0;

/** Runs `body` without recording: what it computes is constant for `grad`, and holds nothing alive. */
export function noGrad<T>(body: () => T): T {
  return withRecording(false, body);
}

export function withRecording<T>(on: boolean, body: () => T): T {
  const before = recording;
  recording = on;
  try {
    return body();
  } finally {
    recording = before;
  }
}

export const isRecording = (): boolean => recording;

export function record(out: Tensor, rule: Rule, inputs: readonly Tensor[], attrs: unknown): Tensor {
  if (recording) out.node = { rule, inputs, attrs, id: ++lastId };
  return out;
}

/** Every op by name: feeds the tests, the bench and `spinel info`. */
export const registry = new Map<string, (...args: never[]) => Tensor>();

/** Declares an op: value, shape rule and gradient in one place. */
export function op<I extends readonly Tensor[], A = undefined>(name: string, def: OpDefinition<I, A>): Op<I, A> {
  return declare(name, { name, vjp: def.vjp as unknown as Rule["vjp"] }, def.shape, def.forward);
}

/** Declares an op that has kernels for value and first-order gradient besides its definition in ops. */
export function fused<I extends readonly Tensor[], A = undefined>(name: string, def: FusedDefinition<I, A>): Op<I, A> {
  const rule = {
    name,
    backward: def.backward as unknown as Rule["backward"],
    expand: def.expand as unknown as Rule["expand"],
    vjp: def.vjp as unknown as Rule["vjp"],
  };
  return declare(name, rule, def.shape, def.forward);
}

function declare<I extends readonly Tensor[], A>(
  name: string,
  rule: Rule,
  shapeOf: (shapes: Shapes<I>, attrs: A) => Shape,
  forward: (out: Tensor, inputs: I, attrs: A) => void,
): Op<I, A> {
  const call = (...args: unknown[]): Tensor => {
    const count = args.length > 0 && !(args[args.length - 1] instanceof Tensor) ? args.length - 1 : args.length;
    const attrs = args[count] as A;
    if (typeof attrs === "number")
      throw new UserError(
        `${name}: argument ${count + 1} is the number ${attrs}.`,
        "Use the method, x.add(1), or tensor(1).",
      );
    if (count < args.length) args.length = count;
    const inputs = args as unknown as I;
    const shapes = new Array<Shape>(count);
    for (let i = 0; i < count; i++) shapes[i] = inputs[i].shape;
    let shape: Shape;
    try {
      shape = shapeOf(shapes as unknown as Shapes<I>, attrs);
    } catch (error) {
      // Execution is eager, so the stack without our own frames is the path through the user's model.
      if (error instanceof Error) Error.captureStackTrace?.(error, call);
      throw error;
    }
    const out = new Tensor(shape, allocateOwned(sizeOf(shape) * 4));
    forward(out, inputs, attrs);
    return record(out, rule, inputs, attrs);
  };
  Object.defineProperty(call, "name", { value: name });
  registry.set(name, call as (...args: never[]) => Tensor);
  return call as unknown as Op<I, A>;
}
