import { fillRow, fma } from "./simd";

/**
 * y[i, :] = Σ x[other[e], :] ⊙ f[pair[e], :] over the edges e = edge[k], k ∈ [ptr[i], ptr[i+1]).   `begin`, `end` count rows i of y;
 * rows have `width` floats. One thread owns each row and adds in order: the same bits on any number of threads.
 */
export function filteredSum(
  begin: i32, end: i32, y: usize, x: usize, f: usize, ptr: usize, edge: usize, other: usize, pair: usize, width: i32,
): void {
  const bytes = <usize>width << 2;
  for (let i = begin; i < end; i++) {
    const to = y + <usize>i * bytes;
    const first = load<i32>(ptr + (<usize>i << 2));
    const last = load<i32>(ptr + (<usize>i << 2), 4);
    let c = <usize>0;
    for (; c + 64 <= bytes; c += 64) {
      let a0 = f32x4.splat(0);
      let a1 = a0, a2 = a0, a3 = a0;
      for (let k = first; k < last; k++) {
        const e = <usize>load<i32>(edge + (<usize>k << 2)) << 2;
        const p = x + <usize>load<i32>(other + e) * bytes + c;
        const q = f + <usize>load<i32>(pair + e) * bytes + c;
        a0 = fma(v128.load(p), v128.load(q), a0);
        a1 = fma(v128.load(p, 16), v128.load(q, 16), a1);
        a2 = fma(v128.load(p, 32), v128.load(q, 32), a2);
        a3 = fma(v128.load(p, 48), v128.load(q, 48), a3);
      }
      v128.store(to + c, a0);
      v128.store(to + c, a1, 16);
      v128.store(to + c, a2, 32);
      v128.store(to + c, a3, 48);
    }
    for (; c < bytes; c += 4) {
      let a: f32 = 0;
      for (let k = first; k < last; k++) {
        const e = <usize>load<i32>(edge + (<usize>k << 2)) << 2;
        a += load<f32>(x + <usize>load<i32>(other + e) * bytes + c) * load<f32>(f + <usize>load<i32>(pair + e) * bytes + c);
      }
      store<f32>(to + c, a);
    }
  }
}

/**
 * y[p, :] = Σ a[receiver[e], :] ⊙ b[sender[e], :] over the edges e = edge[k], k ∈ [ptr[p], ptr[p+1]).   `begin`, `end` count pairs p.
 */
export function pairProduct(
  begin: i32, end: i32, y: usize, a: usize, b: usize, ptr: usize, edge: usize, receiver: usize, sender: usize, width: i32,
): void {
  const bytes = <usize>width << 2;
  for (let p = begin; p < end; p++) {
    const to = y + <usize>p * bytes;
    fillRow(to, 0, width);
    const last = load<i32>(ptr + (<usize>p << 2), 4);
    for (let k = load<i32>(ptr + (<usize>p << 2)); k < last; k++) {
      const e = <usize>load<i32>(edge + (<usize>k << 2)) << 2;
      const from = a + <usize>load<i32>(receiver + e) * bytes;
      const other = b + <usize>load<i32>(sender + e) * bytes;
      let c = <usize>0;
      for (; c + 16 <= bytes; c += 16)
        v128.store(to + c, fma(v128.load(from + c), v128.load(other + c), v128.load(to + c)));
      for (; c < bytes; c += 4) store<f32>(to + c, load<f32>(to + c) + load<f32>(from + c) * load<f32>(other + c));
    }
  }
}
