import { fma } from "./simd";

/**
 * `end − begin` rounds of twelve independent multiply-adds in registers, x ← x·m + n: what the machine gives at most. m and n are
 * the first two vectors at y (constants would be built anew in every round by some engines); the first is overwritten.
 */
export function peak(begin: i32, end: i32, y: usize): void {
  let a = v128.load(y);
  let b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
  const m = v128.load(y);
  const n = v128.load(y, 16);
  for (let round = begin; round < end; round++) {
    a = fma(a, m, n);
    b = fma(b, m, n);
    c = fma(c, m, n);
    d = fma(d, m, n);
    e = fma(e, m, n);
    f = fma(f, m, n);
    g = fma(g, m, n);
    h = fma(h, m, n);
    i = fma(i, m, n);
    j = fma(j, m, n);
    k = fma(k, m, n);
    l = fma(l, m, n);
  }
  const s = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  v128.store(y, f32x4.add(s, f32x4.add(f32x4.add(i, j), f32x4.add(k, l))));
}
