import type { Tensor } from "../core/tensor.ts";
import { flatten } from "../ops/index.ts";
import type { Module } from "./module.ts";

/** Each item as one row: x [N, …] → [N, features]. */
export class Flatten implements Module {
  forward(x: Tensor): Tensor {
    return flatten(x, { start: 1 });
  }
}
