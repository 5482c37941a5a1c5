import { ShapeError, UserError } from "./errors.ts";
import { allocateOwned, type Block, closeScope, f32View, i32View, isMemory, openScope, release } from "./memory.ts";
import type { Node } from "./op.ts";
import { type Shape, sizeOf } from "./shape.ts";

/** Nested arrays of numbers, as people write small tensors down. */
export type NestedNumbers = number | readonly NestedNumbers[];

/**
 * A contiguous, row-major, 64-byte aligned block of f32 in the Wasm memory. Ops are methods (ops/index.ts adds them).
 * Inside `scope(body)` a tensor dies at the end unless `body` returns it; outside, it dies with its JavaScript object.
 */
export class Tensor {
  readonly size: number;
  /** How it was computed: what `grad` walks. Undefined for data, parameters and everything made under `noGrad`. */
  node: Node | undefined = undefined;

  constructor(
    readonly shape: Shape,
    readonly block: Block,
  ) {
    this.size = sizeOf(shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Address of the first element, for kernels. */
  get ptr(): number {
    const { ptr } = this.block;
    if (ptr === 0) throw dead(this.shape, this.block);
    return ptr;
  }

  /** The elements in place. The view is good until the next allocation; copy what must last (`toArray`). */
  get data(): Float32Array<ArrayBuffer> {
    return f32View(this.ptr, this.size);
  }

  /** A copy of the elements, row-major. */
  toArray(): Float32Array<ArrayBuffer> {
    return new Float32Array(this.data);
  }

  /** The one element of a tensor of size 1. */
  item(): number {
    if (this.size !== 1)
      throw new ShapeError(`item: a tensor of shape [${this.shape.join(", ")}] has ${this.size} elements.`);
    return this.data[0];
  }

  /** Overwrites the elements. */
  set(values: ArrayLike<number>): this {
    if (values.length !== this.size)
      throw new ShapeError(
        `set: ${values.length} values for shape [${this.shape.join(", ")}] (${this.size} elements).`,
      );
    this.data.set(values);
    return this;
  }

  /** The same elements without their history: a constant for `grad`. */
  detach(): Tensor {
    return new Tensor(this.shape, this.block);
  }

  /** Frees the memory now, ahead of the scope's end or of garbage collection. */
  dispose(): void {
    release(this.block);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return `Tensor [${this.shape.join(", ")}] ${format([...this.data], this.shape)}`;
  }
}

/** A block of i32: row numbers, class labels, graph structure. Indices are attributes of ops and never ask for a gradient. */
export class Indices {
  constructor(
    readonly length: number,
    readonly block: Block,
  ) {}

  get ptr(): number {
    const { ptr } = this.block;
    if (ptr === 0) throw dead([this.length], this.block);
    return ptr;
  }

  /** The elements in place; good until the next allocation. */
  get data(): Int32Array<ArrayBuffer> {
    return i32View(this.ptr, this.length);
  }

  toArray(): Int32Array<ArrayBuffer> {
    return new Int32Array(this.data);
  }

  dispose(): void {
    release(this.block);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function dead(shape: Shape, { scope }: Block): UserError {
  const what = `This tensor of shape [${shape.join(", ")}] was freed`;
  if (scope === undefined) return new UserError(`${what} by dispose().`);
  return new UserError(
    `${what} when scope "${scope.name}" ended.`,
    "Return it from the scope's body, or copy it with toArray() before it ends.",
  );
}

/** A tensor with undefined contents. */
export function empty(shape: Shape): Tensor {
  return new Tensor(shape, allocateOwned(sizeOf(shape) * 4));
}

/** A new tensor that `fill` writes. */
export function emit(shape: Shape, fill: (out: Tensor) => void): Tensor {
  const out = empty(shape);
  fill(out);
  return out;
}

export function full(shape: Shape, value: number): Tensor {
  checkShape(shape);
  return emit(shape, (t) => t.data.fill(value));
}

export const zeros = (shape: Shape): Tensor => full(shape, 0);
export const ones = (shape: Shape): Tensor => full(shape, 1);

/** A tensor from a tensor or a number. */
export const asTensor = (x: Tensor | number): Tensor => (x instanceof Tensor ? x : full([], x));

function checkShape(shape: Shape): void {
  for (const n of shape)
    if (!(Number.isInteger(n) && n >= 0))
      throw new ShapeError(`A shape holds whole numbers ≥ 0, not [${shape.join(", ")}].`);
}

/**
 * A tensor from nested arrays (the shape follows from the nesting), or from a flat array and a shape.
 * @example tensor([[1, 2], [3, 4]])   tensor(new Float32Array(6), [2, 3])
 */
export function tensor(values: NestedNumbers | ArrayLike<number>, shape?: Shape): Tensor {
  if (shape) {
    checkShape(shape);
    const flat = typeof values === "number" ? [values] : (values as ArrayLike<number>);
    if (flat.length !== sizeOf(shape))
      throw new ShapeError(`tensor: ${flat.length} values do not fill shape [${shape.join(", ")}] (${sizeOf(shape)}).`);
    // A view of the memory (`x.data`) may not survive the allocation of the result.
    const lasting =
      ArrayBuffer.isView(flat) && isMemory(flat.buffer) ? new Float32Array(flat as ArrayLike<number>) : flat;
    return emit(shape, (t) => t.data.set(lasting));
  }
  if (ArrayBuffer.isView(values))
    return tensor(values as unknown as ArrayLike<number>, [(values as Float32Array).length]);
  const inferred: number[] = [];
  for (let v: unknown = values; Array.isArray(v); v = v[0]) inferred.push(v.length);
  const flat: number[] = [];
  flatten(values as NestedNumbers, inferred, 0, flat);
  return emit(inferred, (t) => t.data.set(flat));
}

function flatten(values: NestedNumbers, shape: Shape, depth: number, out: number[]): void {
  if (typeof values === "number") {
    if (depth !== shape.length) throw ragged(shape);
    out.push(values);
    return;
  }
  if (values.length !== shape[depth]) throw ragged(shape);
  for (const v of values) flatten(v, shape, depth + 1, out);
}

const ragged = (shape: Shape): ShapeError =>
  new ShapeError(`tensor: the nested arrays are ragged; the first branch says [${shape.join(", ")}].`);

/** Whole numbers for ops that pick rows or classes. */
export function indices(values: ArrayLike<number>): Indices {
  const result = emptyIndices(values.length);
  const { data } = result;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isInteger(values[i])) throw new UserError(`indices: element ${i} is ${values[i]}, not a whole number.`);
    data[i] = values[i];
  }
  return result;
}

/** Indices with undefined contents, for kernels that write them; with a `sibling`, as long-lived as that. */
export const emptyIndices = (length: number, sibling?: Indices): Indices =>
  new Indices(length, allocateOwned(length * 4, sibling?.block));

/**
 * Runs `body` and frees every tensor made in it, except those it returns (also inside arrays and plain objects).
 * `body` is synchronous: memory of one step is not mixed with that of another.
 */
export function scope<T>(body: () => T, name = "scope"): T {
  const opened = openScope(name);
  let result: T;
  try {
    result = body();
  } catch (error) {
    closeScope(opened, new Set());
    throw error;
  }
  if (result instanceof Promise) {
    closeScope(opened, new Set());
    result.catch(() => undefined); // what is left of the body meets dead tensors: that is this same mistake
    throw new UserError("scope: the body is asynchronous.", "Await first, then compute inside a synchronous scope.");
  }
  const keep = new Set<Block>();
  collectBlocks(result, keep, new Set());
  closeScope(opened, keep);
  return result;
}

function collectBlocks(value: unknown, keep: Set<Block>, seen: Set<unknown>): void {
  if (value instanceof Tensor || value instanceof Indices) {
    keep.add(value.block);
    return;
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Map || value instanceof Set) for (const v of value.values()) collectBlocks(v, keep, seen);
  else for (const v of Object.values(value)) collectBlocks(v, keep, seen);
}

/** Elements as nested text, long axes shortened. */
function format(data: number[], shape: Shape): string {
  if (shape.length === 0) return String(+data[0].toPrecision(6));
  const step = data.length / (shape[0] || 1);
  const parts: string[] = [];
  for (let i = 0; i < shape[0]; i++) {
    if (shape[0] > 8 && i === 4) {
      parts.push("…");
      i = shape[0] - 3;
    }
    parts.push(format(data.slice(i * step, (i + 1) * step), shape.slice(1)));
  }
  return `[${parts.join(", ")}]`;
}
