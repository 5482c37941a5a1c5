import { UserError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { mul } from "../ops/index.ts";
import type { Module, Training } from "./module.ts";

/** While training, each element is 0 with probability p and scaled by 1/(1 − p) otherwise. Srivastava et al. 2014. */
export class Dropout implements Module {
  constructor(readonly p = 0.5) {
    if (!(p >= 0 && p < 1))
      throw new UserError(`Dropout: p must be in [0, 1), not ${p}.`, "p is the share that is dropped.");
  }

  forward(x: Tensor, training?: Training): Tensor {
    if (!training || this.p === 0) return x;
    return mul(x, training.rng.mask(x.shape, 1 - this.p));
  }
}
