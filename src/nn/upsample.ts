import type { Tensor } from "../core/tensor.ts";
import { type UpsampleAttrs, upsample } from "../ops/index.ts";
import type { Module } from "./module.ts";

/** Images at another size, by a factor or to a size: x [N, C, H, W] → [N, C, H′, W′]. */
export class Upsample implements Module {
  constructor(readonly options: UpsampleAttrs) {}

  forward(x: Tensor): Tensor {
    return upsample(x, this.options);
  }
}
