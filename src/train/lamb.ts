import { UserError } from "../core/errors.ts";
import { parallel } from "../core/parallel.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import { type Group, type GroupOptions, gradientNorm, Optimizer } from "./optim.ts";

export interface LambOptions extends GroupOptions {
  betas?: readonly [number, number];
  eps?: number;
  /** A tensor's norm counts at most so much. */
  maxNorm?: number;
}

const GRAIN = 16384;

/**
 * LAMB: Adam's step, as long for each tensor as the tensor itself: u = m/(√v + ε) + weightDecay·p,
 * p ← p − lr·min(|p|, maxNorm)/|u| · u (where either norm is 0, their ratio is 1). Without bias correction, as in the paper's third
 * version. You et al., ICLR 2020.
 */
export class Lamb extends Optimizer {
  private betas: readonly [number, number];
  private readonly eps: number;
  private readonly maxNorm: number;

  constructor(target: object | readonly Group[], options: LambOptions = {}) {
    const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-6, maxNorm = 10, ...rest } = options;
    for (const beta of betas)
      if (!(beta >= 0 && beta < 1)) throw new UserError(`Lamb: betas must be in [0, 1), not ${beta}.`);
    if (!(eps >= 0 && maxNorm > 0))
      throw new UserError(`Lamb: eps must be ≥ 0 and maxNorm > 0, not ${eps}, ${maxNorm}.`);
    super(target, { lr, ...rest }, ["exp_avg", "exp_avg_sq"]);
    this.betas = betas;
    this.eps = eps;
    this.maxNorm = maxNorm;
  }

  override setMomentum(value: number): void {
    this.betas = [value, this.betas[1]];
  }

  protected update(p: Tensor, g: Tensor, state: Record<string, Tensor>, lr: number, weightDecay: number): void {
    const [beta1, beta2] = this.betas;
    const { exp_avg: m, exp_avg_sq: v } = state;
    // Adam's step of length 1 from the origin leaves −u.
    const u = zeros(p.shape);
    parallel("adam", u.size, GRAIN, u.ptr, g.ptr, m.ptr, v.ptr, 0, 1, 1, beta1, beta2, this.eps, 0, 0);
    if (weightDecay > 0) parallel("addScaled", u.size, GRAIN, u.ptr, p.ptr, -weightDecay);
    const [size, length] = [Math.min(gradientNorm([p]), this.maxNorm), gradientNorm([u])];
    const trust = size > 0 && length > 0 ? size / length : 1;
    parallel("addScaled", p.size, GRAIN, p.ptr, u.ptr, lr * trust);
    u.dispose();
  }
}
