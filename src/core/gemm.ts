/** C (+)= A·B + bias, then an activation: chooses the kernel, plans the blocks. A picture is in assembly/matmul.ts. */

import { allocate, release } from "./memory.ts";
import { parallel } from "./parallel.ts";
import { theEngine } from "./wasm.ts";

/** Sizes and strides in floats: A(i, p) = a[i·ars + p·acs], B(p, j) = b[p·brs + j·bcs], C(i, j) = c[i·ldc + j]. */
export interface Product {
  m: number;
  n: number;
  k: number;
  ars: number;
  acs: number;
  brs: number;
  bcs: number;
  /** Distance of C's rows; n by default. */
  ldc?: number;
  /** Add to what C holds instead of overwriting it. */
  accumulate?: boolean;
  /** Pointer to n floats that are added to every row. */
  bias?: number;
  activation?: Activation;
  /** This many products, whose operands are strideA, strideB, strideC apart (0: shared by all). */
  batch?: number;
  strideA?: number;
  strideB?: number;
  strideC?: number;
}

export type Activation = keyof typeof ACTIVATIONS;
const ACTIVATIONS = { none: 0, relu: 1 };

/** Blocks of C that a thread takes at a time: 60 rows are panels of 6 and of 5, the heights in the two builds. */
const ROWS = 60;
const COLUMNS = 64;
/** Floats in which a block of C completes the tiles that C's edge cuts. */
const EDGE = 48;
/** Depth of a slice of k: a panel of A (12 KB) and one of B (16 KB) share the first cache. */
const DEPTH = 512;
/** Floats of workspace that one pair of jobs aims at, and the block of C that it starts from. */
const WORKSPACE = 1 << 21;
const MOST_ROWS = 34 * ROWS;
const MOST_COLUMNS = 16 * COLUMNS;
/** Multiplications, and floats to pack, that are worth waking another thread for. */
const WORTHWHILE = 1 << 18;
const WORTH_PACKING = 1 << 15;

/** C [batch, m, n] (+)= A [batch, m, k] · B [batch, k, n] + bias, then the activation; `c`, `a`, `b` are pointers. */
export function gemm(c: number, a: number, b: number, product: Product): void {
  const { m, n, k, ars, acs, brs, bcs, ldc = n, accumulate = false, bias = 0, activation = "none" } = product;
  const { batch = 1, strideA = 0, strideB = 0, strideC = 0 } = product;
  const [add, select] = [+accumulate, ACTIVATIONS[activation]];
  const thin = Math.min(m, n);
  if (batch * thin === 0) return;
  if (batch > 1 && strideB === 0 && strideA === m * ars && strideC === m * ldc) {
    gemm(c, a, b, { ...product, m: batch * m, batch: 1 });
  } else if (acs === 1 && brs === 1 && dotsAreFaster(thin, k)) {
    // The kernel wants the thinner operand first; for a thin B that is Cᵀ = Bᵀ·Aᵀ.
    const swap = n < m;
    const [x, y] = [
      [a, ars, strideA],
      [b, bcs, strideB],
    ];
    const operands = [c, ldc, strideC, +swap, ...(swap ? y : x), ...(swap ? x : y)];
    const wide = Math.max(m, n);
    const grain = Math.ceil(WORTHWHILE / (3 * k * thin));
    parallel("gemmDot", batch * Math.ceil(wide / 3), grain, ...operands, thin, wide, k, add, bias, select);
  } else if (packingIsSlower(m * n * k, bcs)) {
    const grain = Math.ceil(WORTHWHILE / (n * k + 1));
    const operands = [c, ldc, strideC, a, ars, acs, strideA, b, brs, bcs, strideB];
    parallel("gemmSmall", batch * m, grain, ...operands, m, n, k, add, bias, select);
  } else {
    packed(c, a, b, product);
  }
}

/** Whether dot products of rows with columns, both contiguous, beat the packed kernel; the limits are measured. */
function dotsAreFaster(thin: number, k: number): boolean {
  if (k < 16 || thin > 32) return false;
  return thin <= 3 || (k >= 256 && (thin <= 16 || theEngine().variant.startsWith("relaxed")));
}

/** Whether a product of so many multiplications is too small to be worth packing; the limits are measured. */
function packingIsSlower(size: number, bcs: number): boolean {
  return size < (bcs === 1 ? 20_000 : 8_000);
}

/** The product by packed panels, block by block. */
function packed(c: number, a: number, b: number, product: Product): void {
  const { m, n, k, ars, acs, brs, bcs, ldc = n, accumulate = false, bias = 0, activation = "none" } = product;
  const { batch = 1, strideA = 0, strideB = 0, strideC = 0 } = product;
  const { mb, nb, kb, kc, items } = plan(m, n, k, batch);
  const [blocksA, blocksB] = [Math.ceil(mb / ROWS), Math.ceil(nb / COLUMNS)];
  const sizeA = 4 * kb * blocksA * ROWS * items;
  const sizeB = 4 * kb * blocksB * COLUMNS * items;
  const workspace = allocate(sizeA + sizeB + 4 * EDGE * blocksA * blocksB * items);
  const panels = [workspace.ptr, workspace.ptr + sizeA];
  const edges = workspace.ptr + sizeA + sizeB;
  for (let item = 0; item < batch; item += items) {
    for (let j = 0; j < n; j += nb) {
      for (let p = 0; p < k; p += kb) {
        for (let i = 0; i < m; i += mb) {
          const count = Math.min(items, batch - item);
          const [rows, columns, depth] = [Math.min(mb, m - i), Math.min(nb, n - j), Math.min(kb, k - p)];
          const [ra, cb, slices] = [Math.ceil(rows / ROWS), Math.ceil(columns / COLUMNS), Math.ceil(depth / kc)];
          const sizes = [rows, columns, depth, kc, ROWS, COLUMNS];
          const fromA = [a + 4 * (item * strideA + i * ars + p * acs), ars, acs, strideA];
          const fromB = [b + 4 * (item * strideB + p * brs + j * bcs), brs, bcs, strideB];
          const packGrain = Math.ceil(WORTH_PACKING / (ROWS * kc));
          parallel("gemmPack", count * slices * (ra + cb), packGrain, ...panels, ...fromA, ...fromB, ...sizes);
          const to = [c + 4 * (item * strideC + i * ldc + j), ldc, strideC];
          const last = p + kb >= k;
          const finish = [+(accumulate || p > 0), last && bias ? bias + 4 * j : 0, last ? ACTIVATIONS[activation] : 0];
          const tileGrain = Math.ceil(WORTHWHILE / (ROWS * COLUMNS * depth));
          parallel("gemmTiles", count * ra * cb, tileGrain, ...to, ...panels, edges, ...sizes, ...finish);
        }
      }
    }
  }
  release(workspace);
}

/**
 * The block mb × nb of C, the depth kb of k in slices of kc, and the number of batch items that one pair of jobs takes:
 * about WORKSPACE floats in all, so that large products cost no large workspace and small ones few jobs. Equal parts
 * leave no sliver at the end.
 */
function plan(m: number, n: number, k: number, batch: number) {
  const nb = part(n, MOST_COLUMNS, COLUMNS);
  const kc = part(k, DEPTH, 4);
  const kb = part(k, Math.max(kc, WORKSPACE / (part(m, MOST_ROWS, ROWS) + nb)), kc);
  const mb = part(m, Math.max(MOST_ROWS, WORKSPACE / kb - nb), ROWS);
  const items = Math.min(batch, Math.max(1, Math.floor(WORKSPACE / ((mb + nb) * kb))));
  return { mb, nb, kb, kc, items };
}

/** The smallest multiple of `unit` that cuts `size` into the fewest parts of at most `most`. */
function part(size: number, most: number, unit: number): number {
  return Math.ceil(size / Math.ceil(size / most) / unit) * unit;
}
