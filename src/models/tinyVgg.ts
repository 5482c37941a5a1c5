import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import { Conv2d, init, Linear, MaxPool2d, type Module } from "../nn/index.ts";
import { flatten } from "../ops/index.ts";
import { checkSize, type ImageShape } from "./vgg.ts";

export interface TinyVggOptions {
  /** Channels of every convolution; 10 in the paper. */
  width?: number;
}

/**
 * TinyVGG: four 3 × 3 convolutions of ten channels, halved twice, one fully connected layer.  Wang et al., "CNN Explainer",
 * IEEE TVCG 27, 1396 (2021), whose layer names these are. 19,920 parameters for [3, 64, 64] and ten outputs.
 * The last layer's inputs are in the order channel, row, column (in the Explainer's own weights: row, column, channel).
 */
export class TinyVgg implements Module {
  readonly conv_1_1: Conv2d;
  readonly conv_1_2: Conv2d;
  readonly max_pool_1 = new MaxPool2d(2);
  readonly conv_2_1: Conv2d;
  readonly conv_2_2: Conv2d;
  readonly max_pool_2 = new MaxPool2d(2);
  readonly output: Linear;

  constructor(
    private readonly inputs: ImageShape,
    outputs: number,
    rng: Rng,
    { width = 10 }: TinyVggOptions = {},
  ) {
    const [channels, height, across] = inputs;
    const [h, w] = [height, across].map((n) => Math.floor((Math.floor((n - 4) / 2) - 4) / 2));
    if (!(Math.min(h, w) >= 1))
      throw new UserError(
        `TinyVGG: images of ${height} × ${across} are too small.`,
        "Resize them to 16 × 16 at least.",
      );
    const conv = (from: number): Conv2d => {
      const layer = new Conv2d(from, width, 3, rng);
      const draws = init.kaimingNormal(layer.weight.shape, rng);
      layer.weight.set(draws.data);
      layer.bias!.data.fill(0);
      draws.dispose();
      return layer;
    };
    this.conv_1_1 = conv(channels);
    this.conv_1_2 = conv(width);
    this.conv_2_1 = conv(width);
    this.conv_2_2 = conv(width);
    this.output = new Linear(width * h * w, outputs, rng);
  }

  /** x [N, C, H, W] → [N, outputs]. */
  forward(x: Tensor): Tensor {
    checkSize("TinyVgg", x, this.inputs);
    const first = this.conv_1_2.apply(this.conv_1_1.apply(x, "relu"), "relu");
    const second = this.conv_2_1.apply(this.max_pool_1.forward(first), "relu");
    const pooled = this.max_pool_2.forward(this.conv_2_2.apply(second, "relu"));
    return this.output.forward(flatten(pooled, { start: 1 }));
  }
}
