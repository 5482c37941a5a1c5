import type { NumpyRandom } from "../core/numpyRandom.ts";
import { Fft2, powerOfTwo } from "./fft.ts";
import { between, crop, type Field } from "./field.ts";

/**
 * The convex part of the splitting: the free energy falls in every step of any length while 3c² − 1 ≤ 2·SPLIT, which holds for
 * all |c| ≤ 1.15.
 */
const SPLIT = 1.5;

/**
 * Phase separation of an alloy by the Cahn–Hilliard equation, ∂c/∂t = ∇²μ, μ = c³ − c − κ∇²c, periodic.
 *
 * A step treats μ's stiff linear part implicitly in Fourier space, where it is diagonal (Eyre's splitting), so that steps may be
 * a hundred times longer than an explicit scheme allows. The mean of c is conserved and the free energy falls.
 *
 * @see Cahn & Hilliard, J. Chem. Phys. 28, 258 (1958); Eyre, MRS Proc. 529, 39 (1998); Chen & Shen, Comput. Phys. Commun. 108, 147
 */
export class CahnHilliard {
  private readonly re: Float64Array;
  private readonly im: Float64Array;
  private readonly spectrum: { re: Float64Array; im: Float64Array };

  /**
   * @param c       concentration [n, n] from −1 to 1; `step` changes it
   * @param kappa   κ, px²: an interface is about √(2κ) wide, the first waves about 2π√(2κ) long
   */
  constructor(
    private readonly fft: Fft2,
    readonly c: Float64Array,
    private readonly kappa: number,
  ) {
    this.re = new Float64Array(c.length);
    this.im = new Float64Array(c.length);
    this.spectrum = { re: Float64Array.from(c), im: new Float64Array(c.length) };
    fft.forward(this.spectrum.re, this.spectrum.im);
  }

  step(dt: number): void {
    const { fft, c, re, im, kappa, spectrum } = this;
    for (let i = 0; i < c.length; i++) re[i] = c[i] * (c[i] * c[i] - 1 - SPLIT);
    im.fill(0);
    fft.forward(re, im);
    for (let i = 0; i < c.length; i++) {
      const k2 = fft.waves[i];
      const below = 1 / (1 + dt * k2 * (SPLIT + kappa * k2));
      re[i] = spectrum.re[i] = (spectrum.re[i] - dt * k2 * re[i]) * below;
      im[i] = spectrum.im[i] = (spectrum.im[i] - dt * k2 * im[i]) * below;
    }
    fft.inverse(re, im);
    c.set(re);
  }

  /** ∫ ¼(c² − 1)² + ½κ|∇c|², the gradient in Fourier space. */
  energy(): number {
    const { fft, c, kappa, spectrum } = this;
    let energy = 0;
    for (let i = 0; i < c.length; i++) {
      const well = c[i] * c[i] - 1;
      const square = spectrum.re[i] * spectrum.re[i] + spectrum.im[i] * spectrum.im[i];
      energy += (well * well) / 4 + (kappa * fft.waves[i] * square) / (2 * c.length);
    }
    return energy;
  }
}

/** An alloy quenched into its miscibility gap: labyrinths near equal parts, droplets away from them; coarser the longer it ages. */
export function spinodal(size: number, random: NumpyRandom): Field {
  const fft = new Fft2(powerOfTwo(size));
  const mean = between(random, -0.4, 0.4);
  const kappa = between(random, 0.4, 0.9);
  const steps = 24 + random.integer(60);
  const c = Float64Array.from({ length: fft.n * fft.n }, () => mean + 0.2 * random.normal());
  const alloy = new CahnHilliard(fft, c, kappa);
  // Longer steps later: diffusion slows down as the pattern coarsens.
  for (let i = 0; i < steps; i++) alloy.step(Math.min(4, 1 + 0.05 * i));
  const values = crop(c, fft.n, size);
  return { values, facts: { mean, kappa, steps, richFraction: values.filter((x) => x > 0).length / values.length } };
}
