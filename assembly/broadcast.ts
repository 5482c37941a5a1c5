/**
 * y = f(a, b) element by element: flat where the shapes are equal, else by rows with strides. Flat ranges count
 * elements as in elementwise, and y may be a or b. The ranges of the `…Broadcast` kernels count rows of y, `inner`
 * contiguous floats each, read and written exactly; aInner, bInner ∈ {0, 1} are the operands' strides within a row,
 * and `dims` points to i32 [rank sizes][rank strides of a][rank strides of b] of the outer axes, in elements, the last
 * axis fastest.
 */
import { pow4 } from "./math";
import { select } from "./simd";

const enum Op {
  Add,
  Sub,
  Mul,
  Div,
  Maximum,
  Minimum,
  Pow,
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
}

// @ts-ignore: decorator
@inline
function apply(op: Op, a: v128, b: v128): v128 {
  if (op == Op.Add) return f32x4.add(a, b);
  if (op == Op.Sub) return f32x4.sub(a, b);
  if (op == Op.Mul) return f32x4.mul(a, b);
  if (op == Op.Div) return f32x4.div(a, b);
  if (op == Op.Maximum) return f32x4.max(a, b);
  if (op == Op.Minimum) return f32x4.min(a, b);
  if (op == Op.Pow) return pow4(a, b);
  if (op == Op.Eq) return flag(f32x4.eq(a, b));
  if (op == Op.Ne) return flag(f32x4.ne(a, b));
  if (op == Op.Lt) return flag(f32x4.lt(a, b));
  if (op == Op.Le) return flag(f32x4.le(a, b));
  if (op == Op.Gt) return flag(f32x4.gt(a, b));
  return flag(f32x4.ge(a, b));
}

/** 1 where the mask is set, else 0. */
// @ts-ignore: decorator
@inline
function flag(mask: v128): v128 {
  return v128.and(mask, f32x4.splat(1));
}

// @ts-ignore: decorator
@inline
function flat(op: Op, begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  if (begin >= end) return;
  const last = <usize>end << 2;
  let i = <usize>begin << 2;
  do v128.store(y + i, apply(op, v128.load(a + i), v128.load(b + i)));
  while ((i += 16) < last);
}

/** Bytes from the first element to that of outer row `row`: Σ index·stride. */
function rowOffset(row: i32, rank: i32, sizes: usize, strides: usize): usize {
  let offset: usize = 0;
  for (let d = rank - 1; d >= 0; d--) {
    const at = <usize>d << 2;
    const size = load<i32>(sizes + at);
    offset += <usize>(row % size) * load<i32>(strides + at);
    row /= size;
  }
  return offset << 2;
}

/** The next one, two or three floats; what follows them may not be memory. */
// @ts-ignore: decorator
@inline
function loadSome(p: usize, count: i32): v128 {
  if (count == 1) return v128.load32_zero(p);
  const pair = v128.load64_zero(p);
  return count == 2 ? pair : v128.load32_lane(p, pair, 2, 8);
}

// @ts-ignore: decorator
@inline
function storeSome(p: usize, v: v128, count: i32): void {
  if (count == 1) {
    v128.store32_lane(p, v, 0);
  } else {
    v128.store64_lane(p, v, 0);
    if (count == 3) v128.store32_lane(p, v, 2, 8);
  }
}

/** One row of n floats. */
// @ts-ignore: decorator
@inline
function row(op: Op, y: usize, a: usize, b: usize, n: i32, aInner: i32, bInner: i32): void {
  const a1 = v128.load32_splat(a);
  const b1 = v128.load32_splat(b);
  const whole = <usize>(n & ~3) << 2;
  let i: usize = 0;
  if (whole)
    do v128.store(y + i, apply(op, aInner ? v128.load(a + i) : a1, bInner ? v128.load(b + i) : b1));
    while ((i += 16) < whole);
  const rest = n & 3;
  if (rest)
    storeSome(y + i, apply(op, aInner ? loadSome(a + i, rest) : a1, bInner ? loadSome(b + i, rest) : b1), rest);
}

// @ts-ignore: decorator
@inline
function rows(
  op: Op, begin: i32, end: i32, y: usize, a: usize, b: usize,
  inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  const width = <usize>inner << 2;
  const aStrides = dims + (<usize>rank << 2);
  const bStrides = aStrides + (<usize>rank << 2);
  const lastAxis = (<usize>rank - 1) << 2;
  const size = rank ? load<i32>(dims + lastAxis) : 1;
  const aStep = rank ? load<i32>(aStrides + lastAxis) << 2 : 0;
  const bStep = rank ? load<i32>(bStrides + lastAxis) << 2 : 0;
  for (let r = begin; r < end; ) {
    let to = y + <usize>r * width;
    let left = a + rowOffset(r, rank, dims, aStrides);
    let right = b + rowOffset(r, rank, dims, bStrides);
    // Along the last outer axis, offsets grow by one stride.
    for (const stop = min(end, r - (r % size) + size); r < stop; r++) {
      row(op, to, left, right, inner, aInner, bInner);
      to += width;
      left += aStep;
      right += bStep;
    }
  }
}

/** y = a + b. */
export function add(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Add, begin, end, y, a, b);
}

/** y = a − b. */
export function sub(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Sub, begin, end, y, a, b);
}

/** y = a·b. */
export function mul(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Mul, begin, end, y, a, b);
}

/** y = a/b. */
export function div(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Div, begin, end, y, a, b);
}

/** y = max(a, b), NaN if either is. */
export function maximum(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Maximum, begin, end, y, a, b);
}

/** y = min(a, b), NaN if either is. */
export function minimum(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Minimum, begin, end, y, a, b);
}

/** y = aᵇ, by the rules of Math.pow. */
export function pow(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Pow, begin, end, y, a, b);
}

/** y = 1 where a = b, else 0. */
export function eq(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Eq, begin, end, y, a, b);
}

/** y = 1 where a ≠ b, else 0. */
export function ne(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Ne, begin, end, y, a, b);
}

/** y = 1 where a < b, else 0. */
export function lt(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Lt, begin, end, y, a, b);
}

/** y = 1 where a ≤ b, else 0. */
export function le(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Le, begin, end, y, a, b);
}

/** y = 1 where a > b, else 0. */
export function gt(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Gt, begin, end, y, a, b);
}

/** y = 1 where a ≥ b, else 0. */
export function ge(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(Op.Ge, begin, end, y, a, b);
}

export function addBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Add, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function subBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Sub, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function mulBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Mul, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function divBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Div, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function maximumBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Maximum, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function minimumBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Minimum, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function powBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Pow, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function eqBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Eq, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function neBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Ne, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function ltBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Lt, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function leBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Le, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function gtBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Gt, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

export function geBroadcast(
  begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  rows(Op.Ge, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

/** y = a where c ≠ 0, else b. */
export function where(begin: i32, end: i32, y: usize, c: usize, a: usize, b: usize): void {
  if (begin >= end) return;
  const last = <usize>end << 2;
  let i = <usize>begin << 2;
  do v128.store(y + i, choose(v128.load(c + i), v128.load(a + i), v128.load(b + i)));
  while ((i += 16) < last);
}

// @ts-ignore: decorator
@inline
function choose(c: v128, a: v128, b: v128): v128 {
  return select(f32x4.ne(c, f32x4.splat(0)), a, b);
}

/** `where` by rows; `dims` has three lists of strides: [rank sizes][of c][of a][of b]. */
export function whereBroadcast(
  begin: i32, end: i32, y: usize, c: usize, a: usize, b: usize,
  inner: i32, cInner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize,
): void {
  const list = <usize>rank << 2;
  const whole = <usize>(inner & ~3) << 2;
  const rest = inner & 3;
  for (let r = begin; r < end; r++) {
    const to = y + (<usize>r * inner << 2);
    const test = c + rowOffset(r, rank, dims, dims + list);
    const left = a + rowOffset(r, rank, dims, dims + 2 * list);
    const right = b + rowOffset(r, rank, dims, dims + 3 * list);
    const c1 = v128.load32_splat(test);
    const a1 = v128.load32_splat(left);
    const b1 = v128.load32_splat(right);
    let i: usize = 0;
    for (; i < whole; i += 16) {
      const c4 = cInner ? v128.load(test + i) : c1;
      v128.store(to + i, choose(c4, aInner ? v128.load(left + i) : a1, bInner ? v128.load(right + i) : b1));
    }
    if (rest) {
      const c4 = cInner ? loadSome(test + i, rest) : c1;
      const a4 = aInner ? loadSome(left + i, rest) : a1;
      storeSome(to + i, choose(c4, a4, bInner ? loadSome(right + i, rest) : b1), rest);
    }
  }
}
