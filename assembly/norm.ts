import { fma, sumLanes, sumRow } from "./simd";

/**
 * Rows normalised on their own: mean and 1/√(variance + ε) of x[r, :] to `mean`, `rstd`; y = (x − mean)·rstd·w + b.
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
  for (let r = begin; r < end; r++) {
    const at = <usize>r * n << 2;
    const mu = load<f32>(mean + (<usize>r << 2));
    const s = load<f32>(rstd + (<usize>r << 2));
    let sum: f32 = 0;
    let dot: f32 = 0;
    for (let i = 0; i < n; i++) {
      const p = <usize>i << 2;
      const h = (load<f32>(x + at + p) - mu) * s;
      const gi = load<f32>(g + at + p);
      const gw = gi * load<f32>(w + p);
      store<f32>(gh + at + p, gi * h);
      sum += gw;
      dot += gw * h;
    }
    sum /= <f32>n;
    dot /= <f32>n;
    for (let i = 0; i < n; i++) {
      const p = <usize>i << 2;
      const h = (load<f32>(x + at + p) - mu) * s;
      store<f32>(d + at + p, s * (load<f32>(g + at + p) * load<f32>(w + p) - sum - h * dot));
    }
  }
}

/** Columns that one unit of the batch-norm kernels owns. */
const COLUMNS: i32 = 4;

/**
 * Columns normalised over the batch: x [rows, width]. Mean and biased variance to `mean`, `variance`;
 * y = (x − mean)/√(variance + ε)·w + b. Ioffe & Szegedy 2015. `begin`, `end` count groups of 4 columns.
 * Two passes for the statistics: the variance of data far from 0 stays right.
 */
export function batchNorm(
  begin: i32, end: i32, y: usize, mean: usize, variance: usize, x: usize, w: usize, b: usize, rows: i32, width: i32, eps: f32,
): void {
  for (let unit = begin; unit < end; unit++) {
    const c = unit * COLUMNS;
    const columns = min(COLUMNS, width - c);
    const at = <usize>c << 2;
    if (columns == COLUMNS) {
      const step = <usize>width << 2;
      const from = x + at;
      const count = f32x4.splat(<f32>rows);
      const mu = f32x4.div(columnSum(from, rows, step, f32x4.splat(0), false), count);
      const v = f32x4.div(columnSum(from, rows, step, mu, true), count);
      v128.store(mean + at, mu);
      v128.store(variance + at, v);
      const scale = f32x4.div(v128.load(w + at), f32x4.sqrt(f32x4.add(v, f32x4.splat(eps))));
      const shift = v128.load(b + at);
      for (let r = 0, p = <usize>0; r < rows; r++, p += step)
        v128.store(y + at + p, fma(f32x4.sub(v128.load(from + p), mu), scale, shift));
    } else
      for (let k = c; k < c + columns; k++) {
        const p = <usize>k << 2;
        let sum: f64 = 0;
        for (let r = 0; r < rows; r++) sum += load<f32>(x + p + (<usize>r * width << 2));
        const mu = <f32>(sum / rows);
        sum = 0;
        for (let r = 0; r < rows; r++) {
          const d = load<f32>(x + p + (<usize>r * width << 2)) - mu;
          sum += d * d;
        }
        const v = <f32>(sum / rows);
        store<f32>(mean + p, mu);
        store<f32>(variance + p, v);
        const scale = load<f32>(w + p) / sqrt<f32>(v + eps);
        for (let r = 0; r < rows; r++) {
          const q = p + (<usize>r * width << 2);
          store<f32>(y + q, (load<f32>(x + q) - mu) * scale + load<f32>(b + p));
        }
      }
  }
}

/** Σ x or Σ (x − mu)² down four columns, in blocks of 512 rows so that the error of a long sum stays that of a short one. */
function columnSum(x: usize, rows: i32, step: usize, mu: v128, squared: bool): v128 {
  let total = f32x4.splat(0);
  for (let first = 0; first < rows; first += 512) {
    let sum = f32x4.splat(0);
    for (let r = first, last = min(first + 512, rows), p = x + <usize>first * step; r < last; r++, p += step) {
      const v = f32x4.sub(v128.load(p), mu);
      sum = squared ? fma(v, v, sum) : f32x4.add(sum, v);
    }
    total = f32x4.add(total, sum);
  }
  return total;
}

/**
 * Batch norm's gradients: d for x, `dw`, `db` for weight and bias.
 * d = w/√(v + ε)·(g − mean(g) − x̂·mean(g ⊙ x̂)). Units as in `batchNorm`.
 */
export function batchNormGrad(
  begin: i32, end: i32, d: usize, dw: usize, db: usize, g: usize, x: usize, w: usize, mean: usize, variance: usize,
  rows: i32, width: i32, eps: f32,
): void {
  for (let unit = begin; unit < end; unit++) {
    const c = unit * COLUMNS;
    for (let k = c, last = min(c + COLUMNS, width); k < last; k++) {
      const p = <usize>k << 2;
      const mu = load<f32>(mean + p);
      const s: f32 = <f32>1 / sqrt<f32>(load<f32>(variance + p) + eps);
      let sum: f64 = 0;
      let dot: f64 = 0;
      for (let r = 0; r < rows; r++) {
        const q = p + (<usize>r * width << 2);
        const gi = load<f32>(g + q);
        sum += gi;
        dot += gi * ((load<f32>(x + q) - mu) * s);
      }
      store<f32>(db + p, <f32>sum);
      store<f32>(dw + p, <f32>dot);
      const scale = load<f32>(w + p) * s;
      const m = <f32>(sum / rows);
      const h = <f32>(dot / rows);
      for (let r = 0; r < rows; r++) {
        const q = p + (<usize>r * width << 2);
        store<f32>(d + q, scale * (load<f32>(g + q) - m - (load<f32>(x + q) - mu) * s * h));
      }
    }
  }
}
