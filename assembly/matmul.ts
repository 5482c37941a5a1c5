/**
 * C (+)= A·B + bias, then an activation: the product behind every linear layer, convolution and attention.
 *
 * C [m, n] is row-major with rows `ldc` apart; A(i, p) = a[i·ars + p·acs] and B(p, j) = b[p·brs + j·bcs], so a transposed operand is
 * a swap of strides. Sizes and strides count floats. A batch of products has its operands strideA, strideB, strideC apart.
 *
 *      A [m, k]           B [k, n]           slices of kc along k; inside a slice A is cut into panels of MR rows
 *      ┌──┬──┐            ┌───┬───┐          and B into panels of NR columns, each stored p by p:
 *   MR ├──┼──┤         kc ├───┼───┤            panel A: [kc][MR]    panel B: [kc][NR]    edges padded with 0
 *      ├──┼──┤            └───┴───┘          so that the inner loop reads both from front to back.
 *      └──┴──┘              NR
 *       kc
 *
 * Every element of C is summed in the order of p, slice by slice, whatever the range: the same bits on any number of threads.
 */

import { fma, sumLanes } from "./simd";

/** Rows of a register tile: MR·2 sums, 2 vectors of B and 1 of A fill the 15 vector registers that V8 gives; without fma one holds the product. */
// @ts-ignore: decorator
@inline
const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;
/** Columns of a register tile. */
// @ts-ignore: decorator
@inline
const NR: i32 = 8;
/** Floats in which a block of C completes the tiles that C's edge cuts. */
// @ts-ignore: decorator
@inline
const EDGE: i32 = 48;

/**
 * Packs A and B for `gemmTiles`.   `begin`, `end` count blocks; a batch item has, for each slice of k, ⌈m / rows⌉ blocks of A, then
 * ⌈n / columns⌉ of B. `rows` is a multiple of MR in either build (30, 60, …), `columns` of NR.
 * packedA [batch, slices, kc · ⌈m / rows⌉ · rows], packedB [batch, slices, kc · ⌈n / columns⌉ · columns].
 */
export function gemmPack(
  begin: i32, end: i32, packedA: usize, packedB: usize,
  a: usize, ars: i32, acs: i32, strideA: i32, b: usize, brs: i32, bcs: i32, strideB: i32,
  m: i32, n: i32, k: i32, kc: i32, rows: i32, columns: i32,
): void {
  const blocksA = ceilDiv(m, rows), blocksB = ceilDiv(n, columns), blocks = blocksA + blocksB, slices = ceilDiv(k, kc);
  for (let u = begin; u < end; u++) {
    const item = u / (slices * blocks), slice = (u / blocks) % slices, block = u % blocks;
    const p = slice * kc, depth = min(kc, k - p);
    if (block < blocksA) {
      const i = block * rows;
      const out = packedA + floats((item * slices + slice) * kc, blocksA * rows) + floats(i, depth);
      packPanels(MR, out, a + floats(item, strideA) + floats(i, ars) + floats(p, acs), ars, acs, min(rows, m - i), depth);
    } else {
      const j = (block - blocksA) * columns;
      const out = packedB + floats((item * slices + slice) * kc, blocksB * columns) + floats(j, depth);
      packPanels(NR, out, b + floats(item, strideB) + floats(p, brs) + floats(j, bcs), bcs, brs, min(columns, n - j), depth);
    }
  }
}

/**
 * C (+)= A·B from packed panels, + bias [n], then the activation.   `begin`, `end` count tiles of rows × columns of C: a batch item has
 * ⌈m / rows⌉ · ⌈n / columns⌉, row by row. accumulate: add to what C holds; bias: 0 for none; activation: 0 none, 1 relu.
 * edges: 48 floats of workspace for each unit.
 */
export function gemmTiles(
  begin: i32, end: i32, c: usize, ldc: i32, strideC: i32, packedA: usize, packedB: usize, edges: usize,
  m: i32, n: i32, k: i32, kc: i32, rows: i32, columns: i32, accumulate: i32, bias: usize, activation: i32,
): void {
  const blocksA = ceilDiv(m, rows), blocksB = ceilDiv(n, columns), slices = ceilDiv(k, kc);
  for (let u = begin; u < end; u++) {
    const item = u / (blocksA * blocksB), i0 = ((u / blocksB) % blocksA) * rows, j0 = (u % blocksB) * columns;
    const i1 = min(m, i0 + rows), j1 = min(n, j0 + columns), edge = edges + floats(u, EDGE);
    for (let slice = 0; slice < slices; slice++) {
      const depth = min(kc, k - slice * kc);
      const panelsA = packedA + floats((item * slices + slice) * kc, blocksA * rows);
      const panelsB = packedB + floats((item * slices + slice) * kc, blocksB * columns);
      for (let i = i0; i < i1; i += MR) {
        for (let j = j0; j < j1; j += NR) {
          const at = c + floats(item, strideC) + floats(i, ldc) + floats(j, 1);
          const panelA = panelsA + floats(i, depth), panelB = panelsB + floats(j, depth);
          if (m - i >= MR && n - j >= NR) {
            tile(at, ldc, panelA, panelB, depth, accumulate | slice);
          } else {
            tile(edge, NR, panelA, panelB, depth, 0);
            storeCorner(at, ldc, edge, min(MR, m - i), n - j, accumulate | slice);
          }
        }
      }
    }
    if (bias || activation) {
      finish(c + floats(item, strideC) + floats(i0, ldc) + floats(j0, 1), ldc, i1 - i0, j1 - j0, bias ? bias + floats(j0, 1) : 0, activation);
    }
  }
}

/**
 * C (+)= A·B + bias, then the activation, as dot products of A's rows with B's columns, both contiguous: for a thin A [m, k] whose product
 * with B would be over before B is packed.   `begin`, `end` count groups of 3 columns, ⌈n / 3⌉ in a batch item.
 * transposed: c holds Cᵀ, so a thin B serves as well when the caller swaps the operands; `bias` runs along the rows of what c holds.
 */
export function gemmDot(
  begin: i32, end: i32, c: usize, ldc: i32, strideC: i32, transposed: i32,
  a: usize, ars: i32, strideA: i32, b: usize, bcs: i32, strideB: i32,
  m: i32, n: i32, k: i32, accumulate: i32, bias: usize, activation: i32,
): void {
  const groups = ceilDiv(n, 3), crs = transposed ? 1 : ldc, ccs = transposed ? ldc : 1;
  const floor: f32 = activation == 1 ? 0 : -Infinity;
  for (let u = begin; u < end; u++) {
    const item = u / groups, j = (u % groups) * 3;
    for (let i = 0; i < m; i += 3) {
      dotTile(
        c + floats(item, strideC) + floats(i, crs) + floats(j, ccs), floats(crs, 1), floats(ccs, 1),
        a + floats(item, strideA) + floats(i, ars), floats(ars, 1), b + floats(item, strideB) + floats(j, bcs), floats(bcs, 1),
        m - i, n - j, k, accumulate, bias ? bias + floats(transposed ? i : j, 1) : 0, transposed, floor,
      );
    }
  }
}

/**
 * C (+)= A·B + bias, then the activation, straight from the operands: for products too small to be worth packing.
 * `begin`, `end` count rows of C over the whole batch.
 */
export function gemmSmall(
  begin: i32, end: i32, c: usize, ldc: i32, strideC: i32,
  a: usize, ars: i32, acs: i32, strideA: i32, b: usize, brs: i32, bcs: i32, strideB: i32,
  m: i32, n: i32, k: i32, accumulate: i32, bias: usize, activation: i32,
): void {
  for (let u = begin; u < end; ) {
    const item = u / m, i = u % m, rows = min(min(MR, m - i), end - u);
    const rowA = a + floats(item, strideA) + floats(i, ars), rowC = c + floats(item, strideC) + floats(i, ldc);
    for (let j = 0; j < n; j += NR) {
      const columnB = b + floats(item, strideB) + floats(j, bcs);
      if (bcs == 1 && n - j >= NR) {
        directTile(true, rowC + floats(j, 1), ldc, rowA, ars, acs, columnB, brs, bcs, k, rows, n - j, accumulate);
      } else {
        directTile(false, rowC + floats(j, 1), ldc, rowA, ars, acs, columnB, brs, bcs, k, rows, n - j, accumulate);
      }
    }
    if (bias || activation) finish(rowC, ldc, rows, n, bias, activation);
    u += rows;
  }
}

/**
 * C [MR, NR] (+)= panel A [depth, MR] · panel B [depth, NR], depth ≥ 1: the loop where the time goes. V8 keeps it free of spills and of address
 * arithmetic because the first step stands before the loop (offsets are formed there), nothing but sums and stores touches the sums,
 * and they are loaded and stored in one order. Look at the machine code after a change.
 */
function tile(c: usize, ldc: i32, a: usize, b: usize, depth: i32, accumulate: i32): void {
  const row = floats(ldc, 1), e = b + floats(depth, NR);
  let b0 = v128.load(b), b1 = v128.load(b, 16), x: v128;
  let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128;
  let c30: v128, c31: v128, c40: v128, c41: v128, c50 = b0, c51 = b1;
  x = v128.load32_splat(a);
  c00 = f32x4.mul(x, b0);
  c01 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 4);
  c10 = f32x4.mul(x, b0);
  c11 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 8);
  c20 = f32x4.mul(x, b0);
  c21 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 12);
  c30 = f32x4.mul(x, b0);
  c31 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 16);
  c40 = f32x4.mul(x, b0);
  c41 = f32x4.mul(x, b1);
  if (MR > 5) {
    x = v128.load32_splat(a, 20);
    c50 = f32x4.mul(x, b0);
    c51 = f32x4.mul(x, b1);
  }
  while ((b += NR << 2) < e) {
    a += MR << 2;
    b0 = v128.load(b);
    b1 = v128.load(b, 16);
    x = v128.load32_splat(a);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    if (MR > 5) {
      x = v128.load32_splat(a, 20);
      c50 = fma(x, b0, c50);
      c51 = fma(x, b1, c51);
    }
  }
  if (accumulate) {
    v128.store(c, f32x4.add(v128.load(c), c00));
    v128.store(c, f32x4.add(v128.load(c, 16), c01), 16);
    v128.store(c + row, f32x4.add(v128.load(c + row), c10));
    v128.store(c + row, f32x4.add(v128.load(c + row, 16), c11), 16);
    v128.store(c + 2 * row, f32x4.add(v128.load(c + 2 * row), c20));
    v128.store(c + 2 * row, f32x4.add(v128.load(c + 2 * row, 16), c21), 16);
    v128.store(c + 3 * row, f32x4.add(v128.load(c + 3 * row), c30));
    v128.store(c + 3 * row, f32x4.add(v128.load(c + 3 * row, 16), c31), 16);
    v128.store(c + 4 * row, f32x4.add(v128.load(c + 4 * row), c40));
    v128.store(c + 4 * row, f32x4.add(v128.load(c + 4 * row, 16), c41), 16);
    if (MR > 5) {
      v128.store(c + 5 * row, f32x4.add(v128.load(c + 5 * row), c50));
      v128.store(c + 5 * row, f32x4.add(v128.load(c + 5 * row, 16), c51), 16);
    }
  } else {
    v128.store(c, c00);
    v128.store(c, c01, 16);
    v128.store(c + row, c10);
    v128.store(c + row, c11, 16);
    v128.store(c + 2 * row, c20);
    v128.store(c + 2 * row, c21, 16);
    v128.store(c + 3 * row, c30);
    v128.store(c + 3 * row, c31, 16);
    v128.store(c + 4 * row, c40);
    v128.store(c + 4 * row, c41, 16);
    if (MR > 5) {
      v128.store(c + 5 * row, c50);
      v128.store(c + 5 * row, c51, 16);
    }
  }
}

/**
 * C [mr, nr] (+)= A [mr, k] · B [k, nr] by strides. `whole`: B's NR columns are adjacent and all there. Otherwise its lanes are picked one by
 * one, and lanes and rows past the edge repeat the last one, so that nothing outside the operands is read.
 */
// @ts-ignore: decorator
@inline
function directTile(
  whole: bool, c: usize, ldc: i32, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32,
  k: i32, mr: i32, nr: i32, accumulate: i32,
): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0), c41 = f32x4.splat(0), c50 = f32x4.splat(0), c51 = f32x4.splat(0);
  const a1 = floats(min(1, mr - 1), ars), a2 = floats(min(2, mr - 1), ars), a3 = floats(min(3, mr - 1), ars);
  const a4 = floats(min(4, mr - 1), ars), a5 = floats(min(5, mr - 1), ars);
  const o1 = floats(min(1, nr - 1), bcs), o2 = floats(min(2, nr - 1), bcs), o3 = floats(min(3, nr - 1), bcs);
  const o4 = floats(min(4, nr - 1), bcs), o5 = floats(min(5, nr - 1), bcs), o6 = floats(min(6, nr - 1), bcs);
  const o7 = floats(min(7, nr - 1), bcs);
  for (let p = 0; p < k; p++) {
    let b0: v128, b1: v128;
    if (whole) {
      b0 = v128.load(b);
      b1 = v128.load(b, 16);
    } else {
      b0 = v128.load_lane<f32>(b + o3, v128.load_lane<f32>(b + o2, v128.load_lane<f32>(b + o1, v128.load32_zero(b), 1), 2), 3);
      b1 = v128.load_lane<f32>(b + o7, v128.load_lane<f32>(b + o6, v128.load_lane<f32>(b + o5, v128.load32_zero(b + o4), 1), 2), 3);
    }
    let x = v128.load32_splat(a);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a + a1);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a + a2);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a + a3);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a + a4);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    if (MR > 5) {
      x = v128.load32_splat(a + a5);
      c50 = fma(x, b0, c50);
      c51 = fma(x, b1, c51);
    }
    a += floats(acs, 1);
    b += floats(brs, 1);
  }
  storeTile(c, ldc, mr, nr, accumulate, c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51);
}

/** C [mr, nr] (+)= the corner of a whole tile [MR, NR]. */
function storeCorner(c: usize, ldc: i32, whole: usize, mr: i32, nr: i32, accumulate: i32): void {
  for (let i = 0; i < mr; i++, c += floats(ldc, 1), whole += NR << 2) {
    storeRow(c, v128.load(whole), v128.load(whole, 16), nr, accumulate);
  }
}

/** Stores, or adds to C, the mr × nr elements of a tile that exist. */
function storeTile(
  c: usize, ldc: i32, mr: i32, nr: i32, accumulate: i32,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128,
  c30: v128, c31: v128, c40: v128, c41: v128, c50: v128, c51: v128,
): void {
  const row = floats(ldc, 1);
  storeRow(c, c00, c01, nr, accumulate);
  if (mr > 1) storeRow(c += row, c10, c11, nr, accumulate);
  if (mr > 2) storeRow(c += row, c20, c21, nr, accumulate);
  if (mr > 3) storeRow(c += row, c30, c31, nr, accumulate);
  if (mr > 4) storeRow(c += row, c40, c41, nr, accumulate);
  if (MR > 5 && mr > 5) storeRow(c + row, c50, c51, nr, accumulate);
}

// @ts-ignore: decorator
@inline
function storeRow(c: usize, c0: v128, c1: v128, nr: i32, accumulate: i32): void {
  if (accumulate) {
    c0 = f32x4.add(c0, loadLanes(c, nr));
    c1 = f32x4.add(c1, loadLanes(c + 16, nr - 4));
  }
  storeLanes(c, c0, nr);
  storeLanes(c + 16, c1, nr - 4);
}

/** C [rows, columns] ← activation(C + bias), while C is in the cache. */
function finish(c: usize, ldc: i32, rows: i32, columns: i32, bias: usize, activation: i32): void {
  const floor = f32x4.splat(activation == 1 ? 0 : -Infinity);
  for (let i = 0; i < rows; i++, c += floats(ldc, 1)) {
    for (let j = 0; j < columns; j += 4) {
      const at = c + floats(j, 1), left = columns - j;
      let y = loadLanes(at, left);
      if (bias) y = f32x4.add(y, loadLanes(bias + floats(j, 1), left));
      storeLanes(at, f32x4.pmax(y, floor), left);
    }
  }
}

/** The first `count` floats at p; 0 in the other lanes. */
// @ts-ignore: decorator
@inline
function loadLanes(p: usize, count: i32): v128 {
  return count >= 4 ? v128.load(p) : loadSome(p, count);
}

function loadSome(p: usize, count: i32): v128 {
  let v = f32x4.splat(0);
  if (count > 0) v = v128.load32_zero(p);
  if (count > 1) v = v128.load_lane<f32>(p, v, 1, 4);
  if (count > 2) v = v128.load_lane<f32>(p, v, 2, 8);
  return v;
}

// @ts-ignore: decorator
@inline
function storeLanes(p: usize, v: v128, count: i32): void {
  if (count >= 4) v128.store(p, v);
  else storeSome(p, v, count);
}

function storeSome(p: usize, v: v128, count: i32): void {
  if (count > 0) v128.store_lane<f32>(p, v, 0);
  if (count > 1) v128.store_lane<f32>(p, v, 1, 4);
  if (count > 2) v128.store_lane<f32>(p, v, 2, 8);
}

/** C [mr, nr] (+)= three rows of A times three columns of B, or those of them that exist; the last one stands in for the missing. */
function dotTile(
  c: usize, crs: usize, ccs: usize, a: usize, ars: usize, b: usize, bcs: usize,
  mr: i32, nr: i32, k: i32, accumulate: i32, bias: usize, transposed: i32, floor: f32,
): void {
  let a0 = a, a1 = mr > 1 ? a0 + ars : a0, a2 = mr > 2 ? a1 + ars : a1;
  let b0 = b, b1 = nr > 1 ? b0 + bcs : b0, b2 = nr > 2 ? b1 + bcs : b1;
  let c00 = f32x4.splat(0), c10 = f32x4.splat(0), c20 = f32x4.splat(0);
  let c01 = f32x4.splat(0), c11 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c02 = f32x4.splat(0), c12 = f32x4.splat(0), c22 = f32x4.splat(0);
  const e = b0 + floats(k & ~3, 1);
  while (b0 < e) {
    const x0 = v128.load(a0), x1 = v128.load(a1), x2 = v128.load(a2);
    let y: v128;
    y = v128.load(b2);
    c22 = fma(x2, y, c22);
    c12 = fma(x1, y, c12);
    c02 = fma(x0, y, c02);
    y = v128.load(b1);
    c21 = fma(x2, y, c21);
    c11 = fma(x1, y, c11);
    c01 = fma(x0, y, c01);
    y = v128.load(b0);
    c20 = fma(x2, y, c20);
    c10 = fma(x1, y, c10);
    c00 = fma(x0, y, c00);
    a0 += 16;
    a1 += 16;
    a2 += 16;
    b0 += 16;
    b1 += 16;
    b2 += 16;
  }
  const biasRow: usize = transposed ? 4 : 0, biasColumn: usize = 4 - biasRow;
  storeDot(c, c00, a0, b0, k & 3, accumulate, bias ? bias : 0, floor);
  if (mr > 1) storeDot(c + crs, c10, a1, b0, k & 3, accumulate, bias ? bias + biasRow : 0, floor);
  if (mr > 2) storeDot(c + 2 * crs, c20, a2, b0, k & 3, accumulate, bias ? bias + 2 * biasRow : 0, floor);
  if (nr > 1) storeDot(c + ccs, c01, a0, b1, k & 3, accumulate, bias ? bias + biasColumn : 0, floor);
  if (mr > 1 && nr > 1) storeDot(c + crs + ccs, c11, a1, b1, k & 3, accumulate, bias ? bias + biasRow + biasColumn : 0, floor);
  if (mr > 2 && nr > 1) storeDot(c + 2 * crs + ccs, c21, a2, b1, k & 3, accumulate, bias ? bias + 2 * biasRow + biasColumn : 0, floor);
  if (nr > 2) storeDot(c + 2 * ccs, c02, a0, b2, k & 3, accumulate, bias ? bias + 2 * biasColumn : 0, floor);
  if (mr > 1 && nr > 2) storeDot(c + crs + 2 * ccs, c12, a1, b2, k & 3, accumulate, bias ? bias + biasRow + 2 * biasColumn : 0, floor);
  if (mr > 2 && nr > 2) storeDot(c + 2 * crs + 2 * ccs, c22, a2, b2, k & 3, accumulate, bias ? bias + 2 * biasRow + 2 * biasColumn : 0, floor);
}

/** The sum of the lanes and of the `rest` products that are left, to C. */
function storeDot(c: usize, lanes: v128, a: usize, b: usize, rest: i32, accumulate: i32, bias: usize, floor: f32): void {
  let y = sumLanes(lanes);
  for (const e = a + floats(rest, 1); a < e; a += 4, b += 4) y += load<f32>(a) * load<f32>(b);
  if (accumulate) y += load<f32>(c);
  if (bias) y += load<f32>(bias);
  store<f32>(c, max(y, floor));
}

/**
 * Panels of W lines, each [depth][W], from `lines` lines that are `across` apart and whose elements are `along` apart; the last panel is
 * padded with 0. A's lines are its rows, B's its columns.
 */
// @ts-ignore: decorator
@inline
function packPanels(W: i32, out: usize, src: usize, across: i32, along: i32, lines: i32, depth: i32): void {
  const panels = lines / W, panel = floats(depth, W);
  if (across == 1) {
    for (let p = 0; p < depth; p++) {
      let to = out + floats(p, W), from = src + floats(p, along);
      for (let q = 0; q < panels; q++) {
        v128.store(to, v128.load(from));
        if (W == 8) v128.store(to, v128.load(from, 16), 16);
        else if (W == 6) store<u64>(to, load<u64>(from, 16), 16);
        else store<u32>(to, load<u32>(from, 16), 16);
        to += panel;
        from += W << 2;
      }
    }
  } else {
    const vectors = along == 1 ? depth & ~3 : 0;
    for (let q = 0; q < panels; q++) {
      const line = floats(across, 1), to = out + floats(q * W, depth), from = src + floats(q * W, across);
      for (let p = 0; p < vectors; p += 4) {
        const f = from + floats(p, 1), g = f + 4 * line, t = to + floats(p, W);
        transpose(W, t, v128.load(f), v128.load(f + line), v128.load(f + 2 * line), v128.load(f + 3 * line));
        if (W == 8) {
          transpose(W, t + 16, v128.load(g), v128.load(g + line), v128.load(g + 2 * line), v128.load(g + 3 * line));
        } else if (W == 6) {
          const x = v128.load(g), y = v128.load(g + line);
          const low = v128.shuffle<f32>(x, y, 0, 4, 1, 5), high = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
          v128.store_lane<u64>(t, low, 0, 16);
          v128.store_lane<u64>(t, low, 1, 40);
          v128.store_lane<u64>(t, high, 0, 64);
          v128.store_lane<u64>(t, high, 1, 88);
        } else {
          const x = v128.load(g);
          v128.store_lane<f32>(t, x, 0, 16);
          v128.store_lane<f32>(t, x, 1, 36);
          v128.store_lane<f32>(t, x, 2, 56);
          v128.store_lane<f32>(t, x, 3, 76);
        }
      }
      packLines(W, to, from, across, along, W, vectors, depth);
    }
  }
  if (panels * W < lines) packLines(W, out + floats(panels * W, depth), src + floats(panels * W, across), across, along, lines - panels * W, 0, depth);
}

/** Elements [from, depth) of one panel of W lines, `lines` of which exist. */
function packLines(W: i32, out: usize, src: usize, across: i32, along: i32, lines: i32, from: i32, depth: i32): void {
  for (let p = from; p < depth; p++) {
    for (let w = 0; w < W; w++) {
      store<f32>(out + floats(p, W) + floats(w, 1), w < lines ? load<f32>(src + floats(w, across) + floats(p, along)) : 0);
    }
  }
}

/** Four vectors as the columns of four rows that are W floats apart. */
// @ts-ignore: decorator
@inline
function transpose(W: i32, out: usize, x: v128, y: v128, z: v128, w: v128): void {
  const xy = v128.shuffle<f32>(x, y, 0, 4, 1, 5), zw = v128.shuffle<f32>(z, w, 0, 4, 1, 5);
  v128.store(out, v128.shuffle<f32>(xy, zw, 0, 1, 4, 5));
  v128.store(out + W * 4, v128.shuffle<f32>(xy, zw, 2, 3, 6, 7));
  const xy2 = v128.shuffle<f32>(x, y, 2, 6, 3, 7), zw2 = v128.shuffle<f32>(z, w, 2, 6, 3, 7);
  v128.store(out + W * 8, v128.shuffle<f32>(xy2, zw2, 0, 1, 4, 5));
  v128.store(out + W * 12, v128.shuffle<f32>(xy2, zw2, 2, 3, 6, 7));
}

/** Bytes of count · each floats. */
// @ts-ignore: decorator
@inline
function floats(count: i32, each: i32): usize {
  return <usize>(count * each) << 2;
}

// @ts-ignore: decorator
@inline
function ceilDiv(x: i32, y: i32): i32 {
  return (x + y - 1) / y;
}
