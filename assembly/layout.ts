import { copyRow, fillRow } from "./simd";

/**
 * y[…, i·yInner] = x[…, i·xInner] for rows of `inner` elements: every re-arrangement of a tensor is one strided copy.
 * `dims` points to i32 [rank sizes][rank strides of y][rank strides of x] of the outer axes, in elements; strides may be 0
 * (expand) or negative (flip). `begin`, `end` count rows. Elements are 4 bytes of any type.
 */
export function copyStrided(
  begin: i32, end: i32, y: usize, x: usize, inner: i32, yInner: i32, xInner: i32, rank: i32, dims: usize,
): void {
  const ys = dims + (<usize>rank << 2);
  const xs = ys + (<usize>rank << 2);
  for (let row = begin; row < end; row++) {
    let to = y;
    let from = x;
    for (let d = rank - 1, rest = row; d >= 0; d--) {
      const at = <usize>d << 2;
      const size = load<i32>(dims + at);
      const index = rest % size;
      rest /= size;
      to += index * load<i32>(ys + at) << 2;
      from += index * load<i32>(xs + at) << 2;
    }
    if (yInner == 1 && xInner == 1) {
      copyRow(to, from, inner);
    } else if (yInner == 1 && xInner == 0) {
      fillRow(to, load<u32>(from), inner);
    } else {
      const yStep = yInner << 2;
      const xStep = xInner << 2;
      for (let i = 0; i < inner; i++, to += yStep, from += xStep) store<u32>(to, load<u32>(from));
    }
  }
}

/**
 * y[b, j, i] = x[b, i, j]: x [batch, m, n] → y [batch, n, m], in 4 × 4 blocks of lanes so that both sides move in whole vectors.
 * `begin`, `end` count (b, four rows of y).
 */
export function transpose(begin: i32, end: i32, y: usize, x: usize, m: i32, n: i32): void {
  const strips = (n + 3) >> 2;
  for (let unit = begin; unit < end; unit++) {
    const b = unit / strips;
    const j = (unit % strips) << 2;
    const from = x + (<usize>b * m * n + j << 2);
    const to = y + (<usize>b * m * n + j * m << 2);
    const rowBytes = <usize>n << 2;
    const outBytes = <usize>m << 2;
    let i = 0;
    if (j + 4 <= n)
      for (; i + 4 <= m; i += 4) {
        const p = from + i * rowBytes;
        const a0 = v128.load(p);
        const a1 = v128.load(p + rowBytes);
        const a2 = v128.load(p + 2 * rowBytes);
        const a3 = v128.load(p + 3 * rowBytes);
        const t0 = v128.shuffle<i32>(a0, a1, 0, 4, 1, 5);
        const t1 = v128.shuffle<i32>(a0, a1, 2, 6, 3, 7);
        const t2 = v128.shuffle<i32>(a2, a3, 0, 4, 1, 5);
        const t3 = v128.shuffle<i32>(a2, a3, 2, 6, 3, 7);
        const q = to + (<usize>i << 2);
        v128.store(q, v128.shuffle<i64>(t0, t2, 0, 2));
        v128.store(q + outBytes, v128.shuffle<i64>(t0, t2, 1, 3));
        v128.store(q + 2 * outBytes, v128.shuffle<i64>(t1, t3, 0, 2));
        v128.store(q + 3 * outBytes, v128.shuffle<i64>(t1, t3, 1, 3));
      }
    const columns = min(4, n - j);
    for (; i < m; i++)
      for (let c = 0; c < columns; c++)
        store<u32>(to + (<usize>(c * m + i) << 2), load<u32>(from + i * rowBytes + (<usize>c << 2)));
  }
}
