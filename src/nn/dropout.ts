import { mismatch, UserError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { mul } from "../ops/index.ts";
import type { Module, Training } from "./module.ts";

function checkShare(layer: string, p: number): void {
  if (!(p >= 0 && p < 1))
    throw new UserError(`${layer}: p must be in [0, 1), not ${p}.`, "p is the share that is dropped.");
}

/** While training, each element is 0 with probability p and scaled by 1/(1 − p) otherwise. Srivastava et al. 2014. */
export class Dropout implements Module {
  constructor(readonly p = 0.5) {
    checkShare("Dropout", p);
  }

  forward(x: Tensor, training?: Training): Tensor {
    if (!training || this.p === 0) return x;
    return mul(x, training.rng.mask(x.shape, 1 - this.p));
  }
}

/** While training, each channel of each item is 0 with probability p and scaled by 1/(1 − p) otherwise: x [N, C, …]. Tompson et al. 2015. */
export class Dropout2d implements Module {
  constructor(readonly p = 0.5) {
    checkShare("Dropout2d", p);
  }

  forward(x: Tensor, training?: Training): Tensor {
    if (x.rank < 3) throw mismatch("Dropout2d", [x.shape], "the input must be [N, C, …].");
    if (!training || this.p === 0) return x;
    const channels = x.shape.map((n, axis) => (axis < 2 ? n : 1));
    return mul(x, training.rng.mask(channels, 1 - this.p));
  }
}
