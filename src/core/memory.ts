import { UserError } from "./errors.ts";
import { HEAP_BASE, theEngine } from "./wasm.ts";

/**
 * A piece of the Wasm memory: 64-byte aligned, its size rounded up to a size class. Tensors hold blocks; a reshaped tensor
 * holds the same one. `ptr` is 0 once the block is dead.
 */
export class Block {
  /** Holders among the gradients of a running backward walk (grad.ts); 0 otherwise. */
  held = 0;
  constructor(
    public ptr: number,
    readonly sizeClass: number,
    /** The scope that frees it; undefined: it lives as long as its JavaScript object. */
    public scope: Scope | undefined,
  ) {}
}

export interface Scope {
  readonly name: string;
  readonly blocks: Block[];
}

/** Free pointers by size class. Eight classes an octave: at most 12.5 % of a block is waste. */
const free: number[][] = [];
let top = HEAP_BASE;
let committed = 0;
let live = 0;
let scope: Scope | undefined;

/** Class of a size in units of 64 bytes: 1…8 exactly, then eight steps for each doubling. */
function classOf(units: number): number {
  if (units <= 8) return units;
  const shift = 28 - Math.clz32(units - 1); // units - 1 has 32 - clz bits, of which the upper 4 count
  return (shift << 3) + ((units - 1) >>> shift) + 1;
}

/** Bytes of a class: the inverse of `classOf`. */
function bytesOf(sizeClass: number): number {
  if (sizeClass <= 8) return sizeClass * 64;
  const shift = (sizeClass - 9) >> 3;
  return (sizeClass - (shift << 3)) * 2 ** shift * 64;
}

/** When a block that no scope owns is collected by the garbage collector, its memory is free again. */
const collected = new FinalizationRegistry<{ ptr: number; sizeClass: number }>(({ ptr, sizeClass }) => {
  recycle(ptr, sizeClass);
});

function recycle(ptr: number, sizeClass: number): void {
  (free[sizeClass] ??= []).push(ptr);
  live -= bytesOf(sizeClass);
}

function take(bytes: number, owner: Scope | undefined): Block {
  if (bytes > ADDRESSABLE) throw outOfMemory(bytes);
  const sizeClass = classOf(Math.max(1, Math.ceil(bytes / 64)));
  live += bytesOf(sizeClass);
  const list = free[sizeClass];
  if (list !== undefined && list.length > 0) return new Block(list.pop()!, sizeClass, owner);
  if (sizeClass >= LARGE)
    for (let larger = sizeClass + 1; larger <= sizeClass + 8; larger++)
      if (free[larger]?.length) {
        live += bytesOf(larger) - bytesOf(sizeClass);
        return new Block(free[larger].pop()!, larger, owner);
      }
  return new Block(takeNew(sizeClass), sizeClass, owner);
}

/** From this class (64 KiB) on a free block of up to twice the size serves too, so that batches of varying size share blocks. */
const LARGE = classOf(1024);

/** Memory that was never used before. */
function takeNew(sizeClass: number): number {
  const size = bytesOf(sizeClass);
  const ptr = top;
  const end = ptr + size;
  if (end > committed) {
    const { memory } = theEngine();
    const pages = Math.ceil((end - memory.buffer.byteLength) / 65536);
    if (pages > 0) {
      // Grow by an eighth at least: each growth of unshared memory renews every view.
      const generous = Math.max(pages, Math.min(memory.buffer.byteLength >>> 19, 4096));
      if (!grow(memory, generous) && !grow(memory, pages)) {
        live -= size;
        throw outOfMemory(size);
      }
    }
    committed = memory.buffer.byteLength;
  }
  top = end;
  return ptr;
}

/** All that a 32-bit pointer reaches. */
const ADDRESSABLE = 2 ** 32;

const outOfMemory = (bytes: number): UserError =>
  new UserError(
    `Out of memory: ${megabytes(bytes)} more on top of ${megabytes(live)} do not fit into WebAssembly's 4 GiB (or this machine's memory).`,
    "Use smaller batches, run steps inside `scope(…)`, or wrap parts of the model in `checkpoint(…)`.",
  );

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function grow(memory: WebAssembly.Memory, pages: number): boolean {
  try {
    memory.grow(pages);
    return true;
  } catch {
    return false;
  }
}

/**
 * A block for a tensor: it belongs to the innermost scope, or to the garbage collector where there is none. With a `sibling`
 * it belongs to whoever owns that one.
 */
export function allocateOwned(bytes: number, sibling?: Block): Block {
  const owner = sibling ? sibling.scope : scope;
  const block = take(bytes, owner);
  if (owner !== undefined) owner.blocks.push(block);
  else collected.register(block, { ptr: block.ptr, sizeClass: block.sizeClass }, block);
  return block;
}

/** A block for a kernel's workspace: the caller gives it back with `release`. */
export function allocate(bytes: number): Block {
  return take(bytes, undefined);
}

/** Frees a block now. Freeing it twice is harmless. */
export function release(block: Block): void {
  if (block.ptr === 0) return;
  if (block.scope === undefined) collected.unregister(block);
  recycle(block.ptr, block.sizeClass);
  block.ptr = 0;
  block.scope = undefined;
}

/** Opens a scope; pair it with `closeScope`. */
export function openScope(name: string): { scope: Scope; outer: Scope | undefined } {
  const outer = scope;
  scope = { name, blocks: [] };
  return { scope, outer };
}

/** Frees the scope's blocks, except those in `keep`, which move out to the enclosing scope. */
export function closeScope(opened: { scope: Scope; outer: Scope | undefined }, keep: Set<Block>): void {
  scope = opened.outer;
  for (const block of opened.scope.blocks) {
    if (block.ptr === 0) continue;
    if (!keep.has(block)) {
      recycle(block.ptr, block.sizeClass);
      block.ptr = 0;
      continue;
    }
    block.scope = scope;
    if (scope !== undefined) scope.blocks.push(block);
    else collected.register(block, { ptr: block.ptr, sizeClass: block.sizeClass }, block);
  }
}

/** Bytes in use by live tensors, and the size of the Wasm memory that holds them. */
export function memoryUse(): { live: number; heap: number } {
  return { live, heap: top };
}

/** Views of the memory; not to be kept across an allocation, which may replace the buffer. */
export const f32View = (ptr: number, length: number): Float32Array<ArrayBuffer> =>
  new Float32Array(theEngine().memory.buffer as ArrayBuffer, ptr, length);
export const i32View = (ptr: number, length: number): Int32Array<ArrayBuffer> =>
  new Int32Array(theEngine().memory.buffer as ArrayBuffer, ptr, length);
export const isMemory = (buffer: ArrayBufferLike): boolean => buffer === theEngine().memory.buffer;
