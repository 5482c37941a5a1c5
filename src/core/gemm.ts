/** C (+)= A·B + bias, then an activation: plans the blocks, packs, multiplies. The kernels and their pictures are in assembly/matmul.ts. */

import { allocate, release } from "./memory.ts";
import { parallel } from "./parallel.ts";

/** Sizes and strides of a product, in floats: A(i, p) = a[i·ars + p·acs], B(p, j) = b[p·brs + j·bcs], C(i, j) = c[i·ldc + j]. */
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

/** Blocks of C that one thread takes at a time: 60 rows are panels of 6 as well as of 5, the heights in the two builds. */
const ROWS = 60;
const COLUMNS = 64;
/** Floats in which a block of C completes the tiles that C's edge cuts. */
const EDGE = 48;
/** Depth of a slice of k: a panel of A (6 KB) and one of B (8 KB) share the first cache. */
const DEPTH = 256;
/** Products of fewer multiplications than this are not worth packing. */
const SMALL = 4096;
/** Floats of workspace that one pair of jobs aims at, and the block of C that it starts from. */
const WORKSPACE = 1 << 21;
const MOST_ROWS = 34 * ROWS;
const MOST_COLUMNS = 16 * COLUMNS;
/** Multiplications that are worth waking another thread for. */
const WORTHWHILE = 1 << 18;

/** C [batch, m, n] (+)= A [batch, m, k] · B [batch, k, n] + bias, then the activation; `c`, `a`, `b` are pointers. */
export function gemm(c: number, a: number, b: number, product: Product): void {
  const { m, n, k, ars, acs, brs, bcs, ldc = n, accumulate = false, bias = 0, activation = "none" } = product;
  const { batch = 1, strideA = 0, strideB = 0, strideC = 0 } = product;
  if (batch > 1 && strideB === 0 && strideA === m * ars && strideC === m * ldc) {
    gemm(c, a, b, { ...product, m: batch * m, batch: 1 });
    return;
  }
  if (batch * m * n === 0) return;
  const select = ACTIVATIONS[activation];
  if (m * n * k < SMALL) {
    const operands = [c, ldc, strideC, a, ars, acs, strideA, b, brs, bcs, strideB];
    const grain = Math.ceil(WORTHWHILE / (n * k + 1));
    parallel("gemmSmall", batch * m, grain, ...operands, m, n, k, +accumulate, bias, select);
    return;
  }
  const { mb, nb, kb, kc, items } = plan(m, n, k, batch);
  const blocksA = Math.ceil(mb / ROWS);
  const blocksB = Math.ceil(nb / COLUMNS);
  const sizeA = 4 * kb * blocksA * ROWS * items;
  const sizeB = 4 * kb * blocksB * COLUMNS * items;
  const workspace = allocate(sizeA + sizeB + 4 * EDGE * blocksA * blocksB * items);
  const packedA = workspace.ptr;
  const packedB = packedA + sizeA;
  const edges = packedB + sizeB;
  for (let item = 0; item < batch; item += items) {
    for (let j = 0; j < n; j += nb) {
      for (let p = 0; p < k; p += kb) {
        for (let i = 0; i < m; i += mb) {
          const [count, rows, columns, depth] = [
            Math.min(items, batch - item),
            Math.min(mb, m - i),
            Math.min(nb, n - j),
            Math.min(kb, k - p),
          ];
          const fromA = a + 4 * (item * strideA + i * ars + p * acs);
          const fromB = b + 4 * (item * strideB + p * brs + j * bcs);
          const to = c + 4 * (item * strideC + i * ldc + j);
          const [ra, cb] = [Math.ceil(rows / ROWS), Math.ceil(columns / COLUMNS)];
          const last = p + kb >= k;
          const sizes = [rows, columns, depth, kc, ROWS, COLUMNS];
          const operands = [fromA, ars, acs, strideA, fromB, brs, bcs, strideB];
          parallel("gemmPack", count * Math.ceil(depth / kc) * (ra + cb), 4, packedA, packedB, ...operands, ...sizes);
          const finish = [+(accumulate || p > 0), last && bias ? bias + 4 * j : 0, last ? select : 0];
          const grain = Math.ceil(WORTHWHILE / (ROWS * COLUMNS * depth));
          parallel("gemmTiles", count * ra * cb, grain, to, ldc, strideC, packedA, packedB, edges, ...sizes, ...finish);
        }
      }
    }
  }
  release(workspace);
}

/**
 * The block mb × nb of C, the depth kb of k in slices of kc, and the number of batch items, that one pair of jobs takes: about WORKSPACE
 * floats in all, so that large products cost no large workspace and small ones few jobs. Equal parts leave no sliver at the end.
 */
function plan(m: number, n: number, k: number, batch: number) {
  const nb = part(n, MOST_COLUMNS, COLUMNS);
  const kc = part(k, DEPTH, 4);
  const kb = part(k, Math.max(kc, WORKSPACE / (Math.min(m, MOST_ROWS) + nb)), kc);
  const mb = part(m, Math.max(MOST_ROWS, WORKSPACE / kb - nb), ROWS);
  const items = Math.min(batch, Math.max(1, Math.floor(WORKSPACE / ((mb + nb) * kb))));
  return { mb, nb, kb, kc, items };
}

/** The smallest multiple of `unit` that cuts `size` into the fewest parts of at most `most`. */
function part(size: number, most: number, unit: number): number {
  return Math.ceil(size / Math.ceil(size / most) / unit) * unit;
}
