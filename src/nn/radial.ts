import { mismatch } from "../core/errors.ts";
import { full, type Tensor, tensor } from "../core/tensor.ts";
import { affine, cos, type GaussianBasis, lt, mul, reshape, sinc, square } from "../ops/index.ts";

/** SchNetPack's Gaussians: `count` centres from 0 to the cutoff, exp(−½(d − μ)²/Δ²), Δ their distance. */
export function gaussiansTo(cutoff: number, count: number): GaussianBasis {
  const step = cutoff / Math.max(1, count - 1);
  return { start: 0, step, count, gamma: 0.5 / step ** 2 };
}

/** ½(cos(πd/c) + 1) for d < c, else 0: d [edges], Å → [edges]. Its first derivative is 0 at the cutoff c. Behler & Parrinello 2007. */
export function cosineCutoff(d: Tensor, { cutoff }: { cutoff: number }): Tensor {
  const wave = affine(cos(affine(d, { scale: Math.PI / cutoff, shift: 0 })), { scale: 0.5, shift: 0.5 });
  return mul(wave, lt(d, tensor(cutoff)));
}

/**
 * 1 − (p+1)(p+2)/2·xᵖ + p(p+2)·xᵖ⁺¹ − p(p+1)/2·xᵖ⁺², x = d/c, for d < c, else 0: value and two derivatives are 0 at the cutoff.
 * Gasteiger, Groß, Günnemann, "Directional message passing for molecular graphs", ICLR 2020.
 */
export function polynomialCutoff(d: Tensor, { cutoff, p = 6 }: { cutoff: number; p?: number }): Tensor {
  const x = affine(d, { scale: 1 / cutoff, shift: 0 });
  // As (1 − x)³·Σ (k+1)(k+2)/2·xᵏ, k < p, which does not cancel near the cutoff.
  let series = full(d.shape, (p * (p + 1)) / 2);
  for (let k = p - 2; k >= 0; k--) series = affine(mul(series, x), { scale: 1, shift: ((k + 1) * (k + 2)) / 2 });
  const rest = affine(x, { scale: -1, shift: 1 });
  return mul(mul(mul(rest, square(rest)), series), lt(d, tensor(cutoff)));
}

/**
 * Bessel functions bₙ(d) = √(2/c)·sin(nπd/c)/d, n = 1 … count: d [edges], Å → [edges, count]; at 0 the limit, with finite gradients.
 * Gasteiger, Groß, Günnemann, "Directional message passing for molecular graphs", ICLR 2020, eq. 7.
 */
export function besselBasis(d: Tensor, { cutoff, count }: { cutoff: number; count: number }): Tensor {
  if (d.rank !== 1) throw mismatch("besselBasis", [d.shape], "the distances must be [edges].");
  // sinc(x) is sin(x)/x.
  const orders = tensor(Float32Array.from({ length: count }, (_, n) => ((n + 1) * Math.PI) / cutoff));
  const heights = tensor(
    Float32Array.from({ length: count }, (_, n) => (Math.sqrt(2 / cutoff) * (n + 1) * Math.PI) / cutoff),
  );
  return mul(sinc(mul(reshape(d, { shape: [d.size, 1] }), orders)), heights);
}
