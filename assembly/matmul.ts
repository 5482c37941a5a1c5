/**
 * C (+)= A·B + bias, then an activation: the product behind every linear layer, convolution and attention.
 *
 * C [m, n] is row-major with rows `ldc` apart; A(i, p) = a[i·ars + p·acs] and B(p, j) = b[p·brs + j·bcs], so that a
 * transposed operand is a swap of strides. Sizes and strides count floats. A batch of products has its operands
 * strideA, strideB, strideC apart. accumulate: add to what C holds; bias [n]: 0 for none; activation: 0 none, 1 relu.
 *
 *      A [m, k]           B [k, n]           slices of kc along k; inside a slice A is cut into panels of MR rows
 *      ┌──┬──┐            ┌───┬───┐          and B into panels of NR columns, each stored p by p:
 *   MR ├──┼──┤         kc ├───┼───┤            panel A: [kc][MR]    panel B: [kc][NR]    edges padded with 0
 *      ├──┼──┤            └───┴───┘          so that the inner loop reads both from front to back.
 *      └──┴──┘              NR
 *       kc
 *
 * Every element of C is summed in an order that depends on the sizes alone: the same bits on any number of threads.
 * |error| ≤ (k + 3)·2⁻²⁴·Σ|aᵢₚ·bₚⱼ|; on random operands 5·2⁻²⁴·Σ|aᵢₚ·bₚⱼ| at most was seen, whatever k.
 */

import { dotTile } from "./dot";
import { packPanels } from "./pack";
import { ceilDiv, directTile, EDGE, finish, floats, MR, NR, storeCorner, tile } from "./tile";

/**
 * Packs A and B for `gemmTiles`.   `begin`, `end` count blocks; a batch item has, for each slice of k, ⌈m / rows⌉
 * blocks of A, then ⌈n / columns⌉ of B. `rows` is a multiple of MR in either build (30, 60, …), `columns` of NR.
 * packedA [batch, slices, kc · ⌈m / rows⌉ · rows], packedB [batch, slices, kc · ⌈n / columns⌉ · columns].
 */
export function gemmPack(
  begin: i32, end: i32, packedA: usize, packedB: usize,
  a: usize, ars: i32, acs: i32, strideA: i32, b: usize, brs: i32, bcs: i32, strideB: i32,
  m: i32, n: i32, k: i32, kc: i32, rows: i32, columns: i32,
): void {
  const blocksA = ceilDiv(m, rows);
  const blocksB = ceilDiv(n, columns);
  const blocks = blocksA + blocksB;
  const slices = ceilDiv(k, kc);
  for (let u = begin; u < end; u++) {
    const item = u / (slices * blocks);
    const slice = (u / blocks) % slices;
    const block = u % blocks;
    const p = slice * kc;
    const depth = min(kc, k - p);
    if (block < blocksA) {
      const i = block * rows;
      const out = packedA + floats((item * slices + slice) * kc, blocksA * rows) + floats(i, depth);
      const from = a + floats(item, strideA) + floats(i, ars) + floats(p, acs);
      packPanels(MR, out, from, ars, acs, min(rows, m - i), depth);
    } else {
      const j = (block - blocksA) * columns;
      const out = packedB + floats((item * slices + slice) * kc, blocksB * columns) + floats(j, depth);
      const from = b + floats(item, strideB) + floats(p, brs) + floats(j, bcs);
      packPanels(NR, out, from, bcs, brs, min(columns, n - j), depth);
    }
  }
}

/**
 * C (+)= A·B from packed panels, + bias, then the activation, k ≥ 1.   `begin`, `end` count blocks of rows × columns of
 * C, ⌈m / rows⌉ · ⌈n / columns⌉ in a batch item, row by row. edges: 48 floats of workspace for each of them.
 */
export function gemmTiles(
  begin: i32, end: i32, c: usize, ldc: i32, strideC: i32, packedA: usize, packedB: usize, edges: usize,
  m: i32, n: i32, k: i32, kc: i32, rows: i32, columns: i32, accumulate: i32, bias: usize, activation: i32,
): void {
  const blocksA = ceilDiv(m, rows);
  const blocksB = ceilDiv(n, columns);
  const slices = ceilDiv(k, kc);
  for (let u = begin; u < end; u++) {
    const item = u / (blocksA * blocksB);
    const i0 = ((u / blocksB) % blocksA) * rows;
    const j0 = (u % blocksB) * columns;
    const i1 = min(m, i0 + rows);
    const j1 = min(n, j0 + columns);
    const cItem = c + floats(item, strideC);
    const edge = edges + floats(u, EDGE);
    for (let slice = 0; slice < slices; slice++) {
      const depth = min(kc, k - slice * kc);
      const add = accumulate | slice;
      const panelsA = packedA + floats((item * slices + slice) * kc, blocksA * rows);
      const panelsB = packedB + floats((item * slices + slice) * kc, blocksB * columns);
      for (let i = i0; i < i1; i += MR) {
        for (let j = j0; j < j1; j += NR) {
          const at = cItem + floats(i, ldc) + floats(j, 1);
          const panelA = panelsA + floats(i, depth);
          const panelB = panelsB + floats(j, depth);
          if (m - i >= MR && n - j >= NR) {
            tile(at, ldc, panelA, panelB, depth, add);
          } else {
            tile(edge, NR, panelA, panelB, depth, 0);
            storeCorner(at, ldc, edge, min(MR, m - i), n - j, add);
          }
        }
      }
    }
    const biasJ = bias ? bias + floats(j0, 1) : 0;
    finish(cItem + floats(i0, ldc) + floats(j0, 1), ldc, i1 - i0, j1 - j0, biasJ, activation);
  }
}

/**
 * C (+)= A·B + bias, then the activation, as dot products of A's rows with B's columns, both contiguous: for a thin A
 * whose product with B would be over before B is packed.   `begin`, `end` count groups of 3 columns, ⌈n / 3⌉ in a batch
 * item. transposed: c holds Cᵀ and the bias is [m], so that a thin B serves as well when the caller swaps the operands.
 */
export function gemmDot(
  begin: i32, end: i32, c: usize, ldc: i32, strideC: i32, transposed: i32,
  a: usize, ars: i32, strideA: i32, b: usize, bcs: i32, strideB: i32,
  m: i32, n: i32, k: i32, accumulate: i32, bias: usize, activation: i32,
): void {
  const groups = ceilDiv(n, 3);
  const crs = transposed ? 1 : ldc;
  const ccs = transposed ? ldc : 1;
  const floor: f32 = activation == 1 ? 0 : -Infinity;
  for (let u = begin; u < end; u++) {
    const item = u / groups;
    const j = (u % groups) * 3;
    const rowsA = a + floats(item, strideA);
    const columnB = b + floats(item, strideB) + floats(j, bcs);
    for (let i = 0; i < m; i += 3) {
      dotTile(
        c + floats(item, strideC) + floats(i, crs) + floats(j, ccs), floats(crs, 1), floats(ccs, 1),
        rowsA + floats(i, ars), floats(ars, 1), columnB, floats(bcs, 1),
        m - i, n - j, k, accumulate, bias ? bias + floats(transposed ? i : j, 1) : 0, transposed, floor,
      );
    }
  }
}

/**
 * C (+)= A·B + bias, then the activation, straight from the operands: for products too small to be worth packing, and
 * for k = 0.   `begin`, `end` count rows of C over the whole batch.
 */
export function gemmSmall(
  begin: i32, end: i32, c: usize, ldc: i32, strideC: i32,
  a: usize, ars: i32, acs: i32, strideA: i32, b: usize, brs: i32, bcs: i32, strideB: i32,
  m: i32, n: i32, k: i32, accumulate: i32, bias: usize, activation: i32,
): void {
  for (let u = begin; u < end; ) {
    const item = u / m;
    const i = u % m;
    const rows = min(min(MR, m - i), end - u);
    const rowA = a + floats(item, strideA) + floats(i, ars);
    const rowC = c + floats(item, strideC) + floats(i, ldc);
    const itemB = b + floats(item, strideB);
    for (let j = 0; j < n; j += NR) {
      const at = rowC + floats(j, 1);
      const columnB = itemB + floats(j, bcs);
      if (bcs == 1 && n - j >= NR) {
        directTile(true, at, ldc, rowA, ars, acs, columnB, brs, bcs, k, rows, n - j, accumulate);
      } else {
        directTile(false, at, ldc, rowA, ars, acs, columnB, brs, bcs, k, rows, n - j, accumulate);
      }
    }
    finish(rowC, ldc, rows, n, bias, activation);
    u += rows;
  }
}
