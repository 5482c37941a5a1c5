/** y = f(a, b), element by element: flat where the shapes are equal, by strided rows where one of them is broadcast. */
import { pow4 } from "./math";
import { select } from "./simd";

const ADD = 0;
const SUB = 1;
const MUL = 2;
const DIV = 3;
const MAXIMUM = 4;
const MINIMUM = 5;
const POW = 6;
const EQ = 7;
const NE = 8;
const LT = 9;
const LE = 10;
const GT = 11;
const GE = 12;

// @ts-ignore: decorator
@inline
function apply(op: i32, a: v128, b: v128): v128 {
  if (op == ADD) return f32x4.add(a, b);
  if (op == SUB) return f32x4.sub(a, b);
  if (op == MUL) return f32x4.mul(a, b);
  if (op == DIV) return f32x4.div(a, b);
  if (op == MAXIMUM) return f32x4.max(a, b);
  if (op == MINIMUM) return f32x4.min(a, b);
  if (op == POW) return pow4(a, b);
  return v128.and(compare(op, a, b), f32x4.splat(1));
}

// @ts-ignore: decorator
@inline
function compare(op: i32, a: v128, b: v128): v128 {
  if (op == EQ) return f32x4.eq(a, b);
  if (op == NE) return f32x4.ne(a, b);
  if (op == LT) return f32x4.lt(a, b);
  if (op == LE) return f32x4.le(a, b);
  if (op == GT) return f32x4.gt(a, b);
  return f32x4.ge(a, b);
}

/** y = f(a, b) for elements [begin, end): blocks are padded, so whole vectors are written. */
// @ts-ignore: decorator
@inline
function flat(op: i32, begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  for (let i = <usize>begin << 2, n = <usize>end << 2; i < n; i += 16)
    v128.store(y + i, apply(op, v128.load(a + i), v128.load(b + i)));
}

/** Σ index·stride in bytes of outer row `row`, the last axis fastest. */
function rowOffset(row: i32, rank: i32, sizes: usize, strides: usize): usize {
  let offset = 0;
  for (let d = rank - 1; d >= 0; d--) {
    const at = <usize>d << 2;
    const size = load<i32>(sizes + at);
    offset += (row % size) * load<i32>(strides + at);
    row /= size;
  }
  return <usize>offset << 2;
}

/** The next one to three floats, without touching what follows them. */
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
  if (count == 1) v128.store32_lane(p, v, 0);
  else {
    v128.store64_lane(p, v, 0);
    if (count == 3) v128.store32_lane(p, v, 2, 8);
  }
}

/** One row of n floats; a and b are vectors' addresses where their inner stride is 1, one float's where it is 0. */
// @ts-ignore: decorator
@inline
function row(op: i32, y: usize, a: usize, b: usize, n: i32, aInner: bool, bInner: bool): void {
  const a0 = v128.load32_splat(a);
  const b0 = v128.load32_splat(b);
  const whole = <usize>(n & ~3) << 2;
  let i: usize = 0;
  for (; i < whole; i += 16)
    v128.store(y + i, apply(op, aInner ? v128.load(a + i) : a0, bInner ? v128.load(b + i) : b0));
  const rest = n & 3;
  if (rest)
    storeSome(y + i, apply(op, aInner ? loadSome(a + i, rest) : a0, bInner ? loadSome(b + i, rest) : b0), rest);
}

/**
 * y = f(a, b) for rows [begin, end) of `inner` contiguous floats. aInner, bInner ∈ {0, 1} are the strides within a row;
 * `dims` points to i32 [rank sizes][rank strides of a][rank strides of b] of the outer axes, in elements.
 */
// @ts-ignore: decorator
@inline
function rows(
  op: i32,
  begin: i32,
  end: i32,
  y: usize,
  a: usize,
  b: usize,
  inner: i32,
  aInner: i32,
  bInner: i32,
  rank: i32,
  dims: usize,
): void {
  const aStrides = dims + (<usize>rank << 2);
  const bStrides = aStrides + (<usize>rank << 2);
  const width = <usize>inner << 2;
  for (let r = begin; r < end; r++) {
    const out = y + <usize>r * width;
    const left = a + rowOffset(r, rank, dims, aStrides);
    const right = b + rowOffset(r, rank, dims, bStrides);
    if (aInner) {
      if (bInner) row(op, out, left, right, inner, true, true);
      else row(op, out, left, right, inner, true, false);
    } else if (bInner) row(op, out, left, right, inner, false, true);
    else row(op, out, left, right, inner, false, false);
  }
}

/** y = a + b. */
export function add(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(ADD, begin, end, y, a, b);
}

/** y = a − b. */
export function sub(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(SUB, begin, end, y, a, b);
}

/** y = a·b. */
export function mul(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(MUL, begin, end, y, a, b);
}

/** y = a/b. */
export function div(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(DIV, begin, end, y, a, b);
}

/** y = max(a, b), NaN if either is. */
export function maximum(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(MAXIMUM, begin, end, y, a, b);
}

/** y = min(a, b), NaN if either is. */
export function minimum(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(MINIMUM, begin, end, y, a, b);
}

/** y = aᵇ, with the rules of Math.pow. */
export function pow(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(POW, begin, end, y, a, b);
}

/** y = 1 where a = b, else 0. */
export function eq(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(EQ, begin, end, y, a, b);
}

/** y = 1 where a ≠ b, else 0. */
export function ne(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(NE, begin, end, y, a, b);
}

/** y = 1 where a < b, else 0. */
export function lt(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(LT, begin, end, y, a, b);
}

/** y = 1 where a ≤ b, else 0. */
export function le(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(LE, begin, end, y, a, b);
}

/** y = 1 where a > b, else 0. */
export function gt(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(GT, begin, end, y, a, b);
}

/** y = 1 where a ≥ b, else 0. */
export function ge(begin: i32, end: i32, y: usize, a: usize, b: usize): void {
  flat(GE, begin, end, y, a, b);
}

// prettier-ignore
export function addBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(ADD, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function subBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(SUB, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function mulBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(MUL, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function divBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(DIV, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function maximumBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(MAXIMUM, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function minimumBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(MINIMUM, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function powBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(POW, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function eqBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(EQ, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function neBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(NE, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function ltBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(LT, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function leBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(LE, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function gtBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(GT, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

// prettier-ignore
export function geBroadcast(begin: i32, end: i32, y: usize, a: usize, b: usize, inner: i32, aInner: i32, bInner: i32, rank: i32, dims: usize): void {
  rows(GE, begin, end, y, a, b, inner, aInner, bInner, rank, dims);
}

/** y = a where c ≠ 0, else b. */
export function where(begin: i32, end: i32, y: usize, c: usize, a: usize, b: usize): void {
  for (let i = <usize>begin << 2, n = <usize>end << 2; i < n; i += 16) {
    const mask = f32x4.ne(v128.load(c + i), f32x4.splat(0));
    v128.store(y + i, select(mask, v128.load(a + i), v128.load(b + i)));
  }
}

/** `where` by rows, as in `rows`; `dims` has a third list of strides: [sizes][of c][of a][of b]. */
export function whereBroadcast(
  begin: i32,
  end: i32,
  y: usize,
  c: usize,
  a: usize,
  b: usize,
  inner: i32,
  cInner: i32,
  aInner: i32,
  bInner: i32,
  rank: i32,
  dims: usize,
): void {
  const strides = <usize>rank << 2;
  for (let r = begin; r < end; r++) {
    let to = y + (<usize>r * inner << 2);
    let test = c + rowOffset(r, rank, dims, dims + strides);
    let left = a + rowOffset(r, rank, dims, dims + 2 * strides);
    let right = b + rowOffset(r, rank, dims, dims + 3 * strides);
    for (let i = 0; i < inner; i++) {
      store<f32>(to, load<f32>(test) != 0 ? load<f32>(left) : load<f32>(right));
      to += 4;
      test += cInner << 2;
      left += aInner << 2;
      right += bInner << 2;
    }
  }
}
