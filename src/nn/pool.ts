import type { Tensor } from "../core/tensor.ts";
import {
  type AvgPoolAttrs,
  adaptiveAvgPool2d,
  avgPool1d,
  avgPool2d,
  type MaxPoolAttrs,
  maxPool1d,
  maxPool2d,
  type Pair,
} from "../ops/index.ts";
import type { Module } from "./module.ts";

/** The largest of each window: x [N, C, H, W] → [N, C, H′, W′]; windows stand side by side unless a stride is given. */
export class MaxPool2d implements Module {
  constructor(
    readonly kernelSize: Pair,
    readonly options: Omit<MaxPoolAttrs, "kernelSize"> = {},
  ) {}

  forward(x: Tensor): Tensor {
    return maxPool2d(x, { ...this.options, kernelSize: this.kernelSize });
  }
}

/** The largest of each window: x [N, C, L] → [N, C, L′]. */
export class MaxPool1d implements Module {
  constructor(
    readonly kernelSize: number,
    readonly options: Omit<MaxPoolAttrs<number>, "kernelSize"> = {},
  ) {}

  forward(x: Tensor): Tensor {
    return maxPool1d(x, { ...this.options, kernelSize: this.kernelSize });
  }
}

/** The mean of each window: x [N, C, H, W] → [N, C, H′, W′]. */
export class AvgPool2d implements Module {
  constructor(
    readonly kernelSize: Pair,
    readonly options: Omit<AvgPoolAttrs, "kernelSize"> = {},
  ) {}

  forward(x: Tensor): Tensor {
    return avgPool2d(x, { ...this.options, kernelSize: this.kernelSize });
  }
}

/** The mean of each window: x [N, C, L] → [N, C, L′]. */
export class AvgPool1d implements Module {
  constructor(
    readonly kernelSize: number,
    readonly options: Omit<AvgPoolAttrs<number>, "kernelSize"> = {},
  ) {}

  forward(x: Tensor): Tensor {
    return avgPool1d(x, { ...this.options, kernelSize: this.kernelSize });
  }
}

/** Means over windows that cover the image evenly, whatever its size: x [N, C, H, W] → [N, C, …outputSize]. */
export class AdaptiveAvgPool2d implements Module {
  constructor(readonly outputSize: Pair) {}

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, { outputSize: this.outputSize });
  }
}
