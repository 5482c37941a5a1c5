import { fma, fnma, sumLanes, sumRow } from "./simd";

export * from "./batchNorm";
export * from "./planeNorm";

/**
 * Layer norm: rows normalised on their own: mean and 1/√(variance + ε) of x[r, :] to `mean`, `rstd`; y = (x − mean)·rstd·w + b.
 * Ba, Kiros, Hinton 2016. Rows of n floats; `begin`, `end` count rows.
 */
export function layerNorm(
  begin: i32, end: i32, y: usize, mean: usize, rstd: usize, x: usize, w: usize, b: usize, n: i32, eps: f32,
): void {
  for (let r = begin; r < end; r++) {
    const at = <usize>r * n << 2;
    const mu = sumRow(x + at, n) / <f32>n;
    const m = f32x4.splat(mu);
    let squares = f32x4.splat(0);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const d = f32x4.sub(v128.load(x + at + (<usize>i << 2)), m);
      squares = fma(d, d, squares);
    }
    let sum = sumLanes(squares);
    for (; i < n; i++) {
      const d = load<f32>(x + at + (<usize>i << 2)) - mu;
      sum += d * d;
    }
    const scale: f32 = <f32>1 / sqrt<f32>(sum / <f32>n + eps);
    const s = f32x4.splat(scale);
    for (i = 0; i + 4 <= n; i += 4) {
      const p = <usize>i << 2;
      const h = f32x4.mul(f32x4.sub(v128.load(x + at + p), m), s);
      v128.store(y + at + p, fma(h, v128.load(w + p), v128.load(b + p)));
    }
    for (; i < n; i++) {
      const p = <usize>i << 2;
      store<f32>(y + at + p, (load<f32>(x + at + p) - mu) * scale * load<f32>(w + p) + load<f32>(b + p));
    }
    store<f32>(mean + (<usize>r << 2), mu);
    store<f32>(rstd + (<usize>r << 2), scale);
  }
}

/**
 * Layer norm's gradient for x, and x̂ ⊙ g to `gh` (its column sums are the gradient of w).
 * d = rstd·(gw − mean(gw) − x̂·mean(gw ⊙ x̂)), gw = g ⊙ w.
 */
export function layerNormGrad(
  begin: i32, end: i32, d: usize, gh: usize, g: usize, x: usize, w: usize, mean: usize, rstd: usize, n: i32,
): void {
  const bytes = <usize>n << 2;
  const whole = bytes & ~15;
  for (let r = begin; r < end; r++) {
    const at = <usize>r * bytes;
    const mu = v128.load32_splat(mean + (<usize>r << 2));
    const s = v128.load32_splat(rstd + (<usize>r << 2));
    let sums = f32x4.splat(0);
    let dots = sums;
    let i: usize = 0;
    for (; i < whole; i += 16) {
      const h = f32x4.mul(f32x4.sub(v128.load(x + at + i), mu), s);
      const gi = v128.load(g + at + i);
      const gw = f32x4.mul(gi, v128.load(w + i));
      v128.store(gh + at + i, f32x4.mul(gi, h));
      sums = f32x4.add(sums, gw);
      dots = fma(gw, h, dots);
    }
    for (; i < bytes; i += 4) {
      const h = f32x4.mul(f32x4.sub(v128.load32_zero(x + at + i), mu), s);
      const gi = v128.load32_zero(g + at + i);
      const gw = f32x4.mul(gi, v128.load32_zero(w + i));
      v128.store32_lane(gh + at + i, f32x4.mul(gi, h), 0);
      sums = f32x4.add(sums, gw);
      dots = fma(gw, h, dots);
    }
    const m = f32x4.splat(sumLanes(sums) / <f32>n);
    const slope = f32x4.splat(sumLanes(dots) / <f32>n);
    for (i = 0; i < whole; i += 16) {
      const h = f32x4.mul(f32x4.sub(v128.load(x + at + i), mu), s);
      const gw = f32x4.mul(v128.load(g + at + i), v128.load(w + i));
      v128.store(d + at + i, f32x4.mul(s, fnma(h, slope, f32x4.sub(gw, m))));
    }
    for (; i < bytes; i += 4) {
      const h = f32x4.mul(f32x4.sub(v128.load32_zero(x + at + i), mu), s);
      const gw = f32x4.mul(v128.load32_zero(g + at + i), v128.load32_zero(w + i));
      v128.store32_lane(d + at + i, f32x4.mul(s, fnma(h, slope, f32x4.sub(gw, m))), 0);
    }
  }
}
