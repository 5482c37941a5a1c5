import { fma, fnma } from "./simd";

// Every kernel here updates parameters p and state in place from gradients g, over elements [begin, end); no tails (padded blocks).

/**
 * SGD after PyTorch: d = g + weightDecay·p; v = momentum·v + (1 − dampening)·d (v = d at the first step);
 * p −= lr·(nesterov ? d + momentum·v : v). With momentum 0 neither v is read nor written.
 */
export function sgd(
  begin: i32, end: i32, p: usize, g: usize, v: usize,
  lr: f32, momentum: f32, dampening: f64, weightDecay: f32, nesterov: i32, first: i32,
): void {
  const mu = f32x4.splat(momentum);
  const keep = f32x4.splat(<f32>(1 - dampening));
  const decay = f32x4.splat(weightDecay);
  const rate = f32x4.splat(lr);
  for (let i = <usize>begin << 2, n = <usize>end << 2; i < n; i += 16) {
    const x = v128.load(p + i);
    let d = f32x4.add(v128.load(g + i), f32x4.mul(decay, x));
    if (momentum != 0) {
      const m = first ? d : f32x4.add(f32x4.mul(mu, v128.load(v + i)), f32x4.mul(keep, d));
      v128.store(v + i, m);
      d = nesterov ? f32x4.add(d, f32x4.mul(mu, m)) : m;
    }
    v128.store(p + i, f32x4.sub(x, f32x4.mul(rate, d)));
  }
}

/**
 * Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019) and AMSGrad (Reddi et al. 2018; `top` holds the largest v, or is 0).
 * step = lr/(1 − β₁ᵗ), root = 1/√(1 − β₂ᵗ); decay is L2 added to g, shrink = lr·weightDecay the decoupled one.
 * p = (p − shrink·p) − step·m/(√v·root + ε): 1 − shrink in f32 would be wrong in the same direction at every step.
 */
export function adam(
  begin: i32, end: i32, p: usize, g: usize, m: usize, v: usize, top: usize,
  step: f32, root: f32, beta1: f64, beta2: f64, eps: f32, decay: f32, shrink: f32,
): void {
  // 1 − β in f64: in f32, 1 − 0.999 has lost three of its seven digits.
  const b1 = f32x4.splat(<f32>beta1);
  const a1 = f32x4.splat(<f32>(1 - beta1));
  const b2 = f32x4.splat(<f32>beta2);
  const a2 = f32x4.splat(<f32>(1 - beta2));
  const wd = f32x4.splat(decay);
  const lost = f32x4.splat(shrink);
  const rate = f32x4.splat(step);
  const scale = f32x4.splat(root);
  const e = f32x4.splat(eps);
  for (let i = <usize>begin << 2, n = <usize>end << 2; i < n; i += 16) {
    const x = v128.load(p + i);
    const d = fma(wd, x, v128.load(g + i));
    const m1 = fma(a1, d, f32x4.mul(b1, v128.load(m + i)));
    const v1 = fma(f32x4.mul(a2, d), d, f32x4.mul(b2, v128.load(v + i)));
    v128.store(m + i, m1);
    v128.store(v + i, v1);
    let u = v1;
    if (top) {
      u = f32x4.max(v128.load(top + i), v1);
      v128.store(top + i, u);
    }
    const denominator = fma(f32x4.sqrt(u), scale, e);
    v128.store(p + i, f32x4.sub(fnma(lost, x, x), f32x4.div(f32x4.mul(rate, m1), denominator)));
  }
}

/** RMSprop after PyTorch: v = α·v + (1 − α)·d²; p −= lr·d/(√v + ε), d = g + weightDecay·p; with momentum the step is run through b. */
export function rmsprop(
  begin: i32, end: i32, p: usize, g: usize, v: usize, b: usize,
  lr: f32, alpha: f64, eps: f32, weightDecay: f32, momentum: f32,
): void {
  const keep = f32x4.splat(<f32>alpha);
  const fresh = f32x4.splat(<f32>(1 - alpha));
  const wd = f32x4.splat(weightDecay);
  const rate = f32x4.splat(lr);
  const e = f32x4.splat(eps);
  const mu = f32x4.splat(momentum);
  for (let i = <usize>begin << 2, n = <usize>end << 2; i < n; i += 16) {
    const x = v128.load(p + i);
    const d = f32x4.add(v128.load(g + i), f32x4.mul(wd, x));
    const v1 = f32x4.add(f32x4.mul(keep, v128.load(v + i)), f32x4.mul(f32x4.mul(fresh, d), d));
    v128.store(v + i, v1);
    let u = f32x4.div(d, f32x4.add(f32x4.sqrt(v1), e));
    if (b) {
      u = f32x4.add(f32x4.mul(mu, v128.load(b + i)), u);
      v128.store(b + i, u);
    }
    v128.store(p + i, f32x4.sub(x, f32x4.mul(rate, u)));
  }
}

/** Adagrad (Duchi et al. 2011): v += d²; p −= lr·d/(√v + ε), d = g + weightDecay·p. `lr` is already decayed. */
export function adagrad(begin: i32, end: i32, p: usize, g: usize, v: usize, lr: f32, eps: f32, weightDecay: f32): void {
  const wd = f32x4.splat(weightDecay);
  const rate = f32x4.splat(lr);
  const e = f32x4.splat(eps);
  for (let i = <usize>begin << 2, n = <usize>end << 2; i < n; i += 16) {
    const x = v128.load(p + i);
    const d = f32x4.add(v128.load(g + i), f32x4.mul(wd, x));
    const v1 = f32x4.add(v128.load(v + i), f32x4.mul(d, d));
    v128.store(v + i, v1);
    v128.store(p + i, f32x4.sub(x, f32x4.mul(rate, f32x4.div(d, f32x4.add(f32x4.sqrt(v1), e)))));
  }
}

/** y += weight·(x − y): moving averages of weights and of statistics. */
export function lerp(begin: i32, end: i32, y: usize, x: usize, weight: f32): void {
  const w = f32x4.splat(weight);
  for (let i = <usize>begin << 2, n = <usize>end << 2; i < n; i += 16) {
    const a = v128.load(y + i);
    v128.store(y + i, f32x4.add(a, f32x4.mul(w, f32x4.sub(v128.load(x + i), a))));
  }
}

/** g += strength·sign(p): the gradient of the L1 penalty. */
export function addSigns(begin: i32, end: i32, g: usize, p: usize, strength: f32): void {
  const s = f32x4.splat(strength);
  const zero = f32x4.splat(0);
  for (let i = <usize>begin << 2, n = <usize>end << 2; i < n; i += 16) {
    const x = v128.load(p + i);
    const up = v128.and(s, f32x4.gt(x, zero));
    const down = v128.and(s, f32x4.lt(x, zero));
    v128.store(g + i, f32x4.add(v128.load(g + i), f32x4.sub(up, down)));
  }
}

/**
 * y[b] = Σ x² over the b-th block of 4096 of x's n floats, as f64. Units: blocks.
 * Eight running sums, so that no addition waits for the one before, then one fixed order.
 */
export function sumSquares(begin: i32, end: i32, y: usize, x: usize, n: i32): void {
  for (let b = begin; b < end; b++) {
    const count = min(4096, n - b * 4096);
    let at = x + (<usize>b << 14);
    let s0 = f64x2.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let i = 0;
    for (; i + 8 <= count; i += 8, at += 32) {
      const a0 = f64x2.promote_low_f32x4(v128.load64_zero(at));
      const a1 = f64x2.promote_low_f32x4(v128.load64_zero(at, 8));
      const a2 = f64x2.promote_low_f32x4(v128.load64_zero(at, 16));
      const a3 = f64x2.promote_low_f32x4(v128.load64_zero(at, 24));
      s0 = f64x2.add(s0, f64x2.mul(a0, a0));
      s1 = f64x2.add(s1, f64x2.mul(a1, a1));
      s2 = f64x2.add(s2, f64x2.mul(a2, a2));
      s3 = f64x2.add(s3, f64x2.mul(a3, a3));
    }
    s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
    let total = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
    for (; i < count; i++, at += 4) {
      const v = <f64>load<f32>(at);
      total += v * v;
    }
    store<f64>(y + (<usize>b << 3), total);
  }
}
