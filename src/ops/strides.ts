import { allocate, i32View, release } from "../core/memory.ts";
import { parallel } from "../core/parallel.ts";
import { sameShape, sizeOf } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { KernelName } from "../core/wasm.ts";

/** Puts a kernel's list of sizes and strides into the Wasm memory for the time of `body`. */
export function withDims(dims: readonly number[], body: (ptr: number) => void): void {
  const block = allocate(Math.max(dims.length, 1) * 4);
  i32View(block.ptr, dims.length).set(dims);
  body(block.ptr);
  release(block);
}

/** Axes of equal walks merged: sizes and, for each operand, strides in elements. Size-1 axes vanish. */
export interface Walk {
  sizes: number[];
  strides: number[][];
}

/** Merges neighbouring axes that every operand walks with one stride, so that kernels see as few and as long rows as possible. */
export function mergeAxes(sizes: readonly number[], strides: readonly (readonly number[])[]): Walk {
  const merged: Walk = { sizes: [], strides: strides.map(() => []) };
  for (let axis = 0; axis < sizes.length; axis++) {
    if (sizes[axis] === 1) continue;
    const last = merged.sizes.length - 1;
    const continues = last >= 0 && strides.every((s, k) => merged.strides[k][last] === s[axis] * sizes[axis]);
    if (continues) {
      merged.sizes[last] *= sizes[axis];
      for (let k = 0; k < strides.length; k++) merged.strides[k][last] = strides[k][axis];
    } else {
      merged.sizes.push(sizes[axis]);
      for (let k = 0; k < strides.length; k++) merged.strides[k].push(strides[k][axis]);
    }
  }
  return merged;
}

/** Strides of an operand inside a broadcast result: 0 along the axes that stretch. */
export function broadcastStrides(shape: readonly number[], out: readonly number[]): number[] {
  const strides = new Array<number>(out.length).fill(0);
  for (let i = shape.length - 1, stride = 1; i >= 0; i--) {
    if (shape[i] !== 1) strides[out.length - shape.length + i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/** Elements of one parallel chunk of a flat kernel: some 20 µs of memory traffic; a multiple of 16. */
export const GRAIN = 16384;

/** Rows of `width` elements in one chunk. */
export const rowGrain = (width: number): number => Math.max(1, Math.ceil(GRAIN / Math.max(width, 1)));

/** A row is the unit of work, so a long one is cut in halves while that is possible and worth a chunk of its own. */
function pieceOf(inner: number): number {
  let piece = inner;
  while (piece > GRAIN && piece % 2 === 0) piece /= 2;
  return piece;
}

/** Runs a kernel over operands that broadcast: flat where all shapes agree, else along merged rows. */
export function runBroadcast(kernel: string, y: Tensor, operands: readonly Tensor[]): void {
  if (operands.every((t) => sameShape(t.shape, y.shape))) {
    parallel(kernel as KernelName, y.size, GRAIN, y.ptr, ...operands.map((t) => t.ptr));
    return;
  }
  if (y.size === 0) return;
  const { sizes, strides } = mergeAxes(
    y.shape,
    operands.map((t) => broadcastStrides(t.shape, y.shape)),
  );
  let inner = sizes.pop() ?? 1;
  const innerStrides = strides.map((s) => s.pop() ?? 0);
  const piece = pieceOf(inner);
  if (piece < inner) {
    sizes.push(inner / piece);
    strides.forEach((s, k) => s.push(innerStrides[k] * piece));
    inner = piece;
  }
  withDims([...sizes, ...strides.flat()], (dims) =>
    parallel(
      `${kernel}Broadcast` as KernelName,
      y.size / inner,
      rowGrain(inner),
      y.ptr,
      ...operands.map((t) => t.ptr),
      inner,
      ...innerStrides,
      sizes.length,
      dims,
    ),
  );
}

/** y[…] ← x[…] over `sizes`, each side with its own strides and offset in elements. */
export function copy(
  sizes: readonly number[],
  y: { readonly ptr: number },
  yStrides: readonly number[],
  yOffset: number,
  x: { readonly ptr: number },
  xStrides: readonly number[],
  xOffset: number,
): void {
  if (sizeOf(sizes) === 0) return;
  const walk = mergeAxes(sizes, [yStrides, xStrides]);
  const rows = sizeOf(walk.sizes);
  const inner = walk.sizes.pop() ?? 1;
  const [yInner, xInner] = walk.strides.map((s) => s.pop() ?? 1);
  withDims([...walk.sizes, ...walk.strides.flat()], (dims) =>
    parallel(
      "copyStrided",
      rows / inner,
      rowGrain(inner),
      y.ptr + 4 * yOffset,
      x.ptr + 4 * xOffset,
      inner,
      yInner,
      xInner,
      walk.sizes.length,
      dims,
    ),
  );
}
