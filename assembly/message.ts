import { exp4, expMinusAbs4, log1pUnit } from "./math";
import { fillRow, fma, select } from "./simd";

/**
 * The Gaussians exp(−γ(d − μₖ)²), μₖ = start + k·step, that are not negligible at d: of edge e the `count` from k = first[e] on,
 * coefficient[e, count] (rows of `count` rounded up to 4). `begin`, `end` count edges; `reach` is where a Gaussian ends, in steps.
 */
export function gaussianTerms(
  begin: i32, end: i32, first: usize, coefficient: usize, d: usize, centres: i32, count: i32, start: f64, step: f64, gamma: f32,
  reach: f64,
): void {
  const width = <usize>((count + 3) & ~3) << 2;
  const lanes = f32x4(0, 1, 2, 3);
  for (let e = begin; e < end; e++) {
    const x = <f64>load<f32>(d + (<usize>e << 2)) - start;
    const lowest = ceil<f64>(x / step - reach);
    // NaN compares false: it takes the first window, and its coefficients are NaN.
    const k = lowest > 0 ? (lowest < <f64>(centres - count) ? <i32>lowest : centres - count) : 0;
    store<i32>(first + (<usize>e << 2), k);
    // From the window's first centre in f64: far from 0, f32 would lose digits that γ multiplies.
    let delta = f32x4.sub(f32x4.splat(<f32>(x - <f64>k * step)), f32x4.mul(lanes, f32x4.splat(<f32>step)));
    const to = coefficient + <usize>e * width;
    for (let at = <usize>0; at < width; at += 16) {
      v128.store(to + at, exp4(f32x4.mul(f32x4.mul(delta, delta), f32x4.splat(-gamma))));
      delta = f32x4.sub(delta, f32x4.splat(<f32>(4 * step)));
    }
  }
}

/**
 * y[e, :] = Σₜ coefficient[e, t]·w[first[e] + t, :], t < count: w [centres, width] times the few Gaussians that matter; with
 * `accumulate` 1 instead of 0, added to y. `begin`, `end` count edges.
 */
export function gaussianLinear(
  begin: i32, end: i32, y: usize, first: usize, coefficient: usize, w: usize, count: i32, width: i32, accumulate: i32,
): void {
  const bytes = <usize>width << 2;
  const row = <usize>((count + 3) & ~3) << 2;
  for (let e = begin; e < end; e++) {
    const from = w + <usize>load<i32>(first + (<usize>e << 2)) * bytes;
    const terms = coefficient + <usize>e * row;
    const last = terms + (<usize>count << 2);
    const to = y + <usize>e * bytes;
    let c = <usize>0;
    for (; c + 128 <= bytes; c += 128) {
      let a0 = f32x4.splat(0);
      let a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
      if (accumulate) {
        a0 = v128.load(to + c);
        a1 = v128.load(to + c, 16);
        a2 = v128.load(to + c, 32);
        a3 = v128.load(to + c, 48);
        a4 = v128.load(to + c, 64);
        a5 = v128.load(to + c, 80);
        a6 = v128.load(to + c, 96);
        a7 = v128.load(to + c, 112);
      }
      for (let t = terms, p = from + c; t < last; t += 4, p += bytes) {
        const s = v128.load32_splat(t);
        a0 = fma(s, v128.load(p), a0);
        a1 = fma(s, v128.load(p, 16), a1);
        a2 = fma(s, v128.load(p, 32), a2);
        a3 = fma(s, v128.load(p, 48), a3);
        a4 = fma(s, v128.load(p, 64), a4);
        a5 = fma(s, v128.load(p, 80), a5);
        a6 = fma(s, v128.load(p, 96), a6);
        a7 = fma(s, v128.load(p, 112), a7);
      }
      v128.store(to + c, a0);
      v128.store(to + c, a1, 16);
      v128.store(to + c, a2, 32);
      v128.store(to + c, a3, 48);
      v128.store(to + c, a4, 64);
      v128.store(to + c, a5, 80);
      v128.store(to + c, a6, 96);
      v128.store(to + c, a7, 112);
    }
    for (; c + 16 <= bytes; c += 16) {
      let a = accumulate ? v128.load(to + c) : f32x4.splat(0);
      for (let t = terms, p = from + c; t < last; t += 4, p += bytes) a = fma(v128.load32_splat(t), v128.load(p), a);
      v128.store(to + c, a);
    }
    for (; c < bytes; c += 4) {
      let a: f32 = accumulate ? load<f32>(to + c) : 0;
      for (let t = terms, p = from + c; t < last; t += 4, p += bytes) a += load<f32>(t) * load<f32>(p);
      store<f32>(to + c, a);
    }
  }
}

/**
 * Partial gradients of w: partial[b, first[e] + t, :] = Σ coefficient[e, t]·g[e, :] over the edges of block b.
 * `begin`, `end` count blocks of `block` edges, so that the sum over the blocks does not depend on threads.
 */
export function gaussianLinearGrad(
  begin: i32, end: i32, partial: usize, g: usize, first: usize, coefficient: usize, edges: i32, block: i32, centres: i32,
  count: i32, width: i32,
): void {
  const bytes = <usize>width << 2;
  const row = <usize>((count + 3) & ~3) << 2;
  for (let b = begin; b < end; b++) {
    const own = partial + <usize>b * centres * bytes;
    fillRow(own, 0, centres * width);
    for (let e = b * block, stop = min(edges, e + block); e < stop; e++) {
      const to = own + <usize>load<i32>(first + (<usize>e << 2)) * bytes;
      const terms = coefficient + <usize>e * row;
      const last = terms + (<usize>count << 2);
      const from = g + <usize>e * bytes;
      let c = <usize>0;
      for (; c + 128 <= bytes; c += 128) {
        const g0 = v128.load(from + c);
        const g1 = v128.load(from + c, 16);
        const g2 = v128.load(from + c, 32);
        const g3 = v128.load(from + c, 48);
        const g4 = v128.load(from + c, 64);
        const g5 = v128.load(from + c, 80);
        const g6 = v128.load(from + c, 96);
        const g7 = v128.load(from + c, 112);
        for (let t = terms, p = to + c; t < last; t += 4, p += bytes) {
          const s = v128.load32_splat(t);
          v128.store(p, fma(s, g0, v128.load(p)));
          v128.store(p, fma(s, g1, v128.load(p, 16)), 16);
          v128.store(p, fma(s, g2, v128.load(p, 32)), 32);
          v128.store(p, fma(s, g3, v128.load(p, 48)), 48);
          v128.store(p, fma(s, g4, v128.load(p, 64)), 64);
          v128.store(p, fma(s, g5, v128.load(p, 80)), 80);
          v128.store(p, fma(s, g6, v128.load(p, 96)), 96);
          v128.store(p, fma(s, g7, v128.load(p, 112)), 112);
        }
      }
      for (; c < bytes; c += 4) {
        const gc = load<f32>(from + c);
        for (let t = terms, p = to + c; t < last; t += 4, p += bytes) store<f32>(p, load<f32>(p) + load<f32>(t) * gc);
      }
    }
  }
}

/**
 * z[e, :] = u[e, :] + p[receiver[e], :] + q[sender[e], :], without u where that is 0.   `begin`, `end` count edges; rows have
 * `width` floats.
 */
export function edgeSum(
  begin: i32, end: i32, z: usize, p: usize, q: usize, u: usize, receiver: usize, sender: usize, width: i32,
): void {
  const bytes = <usize>width << 2;
  for (let e = begin; e < end; e++) {
    const to = z + <usize>e * bytes;
    const own = u + <usize>e * bytes;
    const from = p + <usize>load<i32>(receiver + (<usize>e << 2)) * bytes;
    const other = q + <usize>load<i32>(sender + (<usize>e << 2)) * bytes;
    let c = <usize>0;
    for (; c + 16 <= bytes; c += 16) {
      const sum = f32x4.add(v128.load(from + c), v128.load(other + c));
      v128.store(to + c, u ? f32x4.add(sum, v128.load(own + c)) : sum);
    }
    for (; c < bytes; c += 4) {
      const sum = load<f32>(from + c) + load<f32>(other + c);
      store<f32>(to + c, u ? sum + load<f32>(own + c) : sum);
    }
  }
}

/** σ(f) from z = e^(−|f|) and r = 1/(1 + z). */
// @ts-ignore: decorator
@inline
function sigmoidOf(f: v128, z: v128, r: v128): v128 {
  return select(i32x4.shr_s(f, 31), f32x4.mul(z, r), r);
}

/** (x − mean)·scale + shift. */
// @ts-ignore: decorator
@inline
function normalised(x: v128, mean: v128, scale: v128, shift: v128): v128 {
  return fma(f32x4.sub(x, mean), scale, shift);
}

/**
 * s[i, :] = Σ σ(y[e, :w])·softplus(y[e, w:]) over the edges e ∈ [ptr[i], ptr[i+1]) that i receives, y = (z − mean)·scale + shift:
 * z [edges, 2w], mean, scale, shift [2w], s [nodes, w]. `begin`, `end` count receivers; w is a multiple of 4.
 */
export function gatedSum(
  begin: i32, end: i32, s: usize, z: usize, mean: usize, scale: usize, shift: usize, ptr: usize, w: i32,
): void {
  const half = <usize>w << 2;
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  for (let i = begin; i < end; i++) {
    const from = z + <usize>load<i32>(ptr + (<usize>i << 2)) * half * 2;
    const to = z + <usize>load<i32>(ptr + (<usize>i << 2), 4) * half * 2;
    const out = s + <usize>i * half;
    for (let c = <usize>0; c < half; c += 16) {
      let sum = zero;
      for (let p = from + c; p < to; p += 2 * half) {
        const f = normalised(v128.load(p), v128.load(mean + c), v128.load(scale + c), v128.load(shift + c));
        const k = c + half;
        const x = normalised(v128.load(p + half), v128.load(mean + k), v128.load(scale + k), v128.load(shift + k));
        const zf = expMinusAbs4(f);
        const gate = sigmoidOf(f, zf, f32x4.div(one, f32x4.add(one, zf)));
        const core = f32x4.add(f32x4.max(x, zero), log1pUnit(expMinusAbs4(x)));
        sum = fma(gate, core, sum);
      }
      v128.store(out + c, sum);
    }
  }
}

/** Its gradient for y: d[e, :w] = g[i]·softplus·σ(1 − σ), d[e, w:] = g[i]·σ·σ(y[e, w:]), i the receiver of e. Units as in `gatedSum`. */
export function gatedSumGrad(
  begin: i32, end: i32, d: usize, g: usize, z: usize, mean: usize, scale: usize, shift: usize, ptr: usize, w: i32,
): void {
  const half = <usize>w << 2;
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  for (let i = begin; i < end; i++) {
    const first = <usize>load<i32>(ptr + (<usize>i << 2)) * half * 2;
    const last = <usize>load<i32>(ptr + (<usize>i << 2), 4) * half * 2;
    const own = g + <usize>i * half;
    for (let at = first; at < last; at += 2 * half)
      for (let c = <usize>0; c < half; c += 16) {
        const p = z + at + c;
        const k = c + half;
        const gi = v128.load(own + c);
        const f = normalised(v128.load(p), v128.load(mean + c), v128.load(scale + c), v128.load(shift + c));
        const x = normalised(v128.load(p + half), v128.load(mean + k), v128.load(scale + k), v128.load(shift + k));
        const zf = expMinusAbs4(f);
        const zx = expMinusAbs4(x);
        const rf = f32x4.div(one, f32x4.add(one, zf));
        const rx = f32x4.div(one, f32x4.add(one, zx));
        const core = f32x4.add(f32x4.max(x, zero), log1pUnit(zx));
        // σ(1 − σ) = z/(1 + z)², which does not cancel.
        v128.store(d + at + c, f32x4.mul(f32x4.mul(gi, core), f32x4.mul(f32x4.mul(zf, rf), rf)));
        v128.store(d + at + k, f32x4.mul(f32x4.mul(gi, sigmoidOf(f, zf, rf)), sigmoidOf(x, zx, rx)));
      }
  }
}
