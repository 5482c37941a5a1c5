import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { type Indices, indices, type Tensor, zeros } from "../core/tensor.ts";
import { Conv2d, init, Linear, MaxPool2d, type Module } from "../nn/index.ts";
import { conv2d, flatten, lecunTanh, put, reshape } from "../ops/index.ts";
import { checkSize, type ImageShape } from "./vgg.ts";

/** Which of the six maps each of the sixteen maps of the second convolution sees. LeCun et al. 1998, table I. */
const TABLE: readonly (readonly number[])[] = [
  ...Array.from({ length: 6 }, (_, i) => [i, (i + 1) % 6, (i + 2) % 6]),
  ...Array.from({ length: 6 }, (_, i) => [i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6]),
  ...Array.from({ length: 3 }, (_, i) => [i, (i + 1) % 6, (i + 3) % 6, (i + 4) % 6]),
  [0, 1, 2, 3, 4, 5],
].map((maps) => maps.sort((a, b) => a - b));

/** A 5 × 5 convolution of 6 maps into 16 that has only the sixty kernels of the table. */
export class PartialConv2d implements Module {
  /** [60, 5, 5]: the kernels of the first map in the order of its inputs, then those of the second, … */
  readonly weight: Tensor;
  readonly bias: Tensor;
  /** Where each kernel stands among the 16 × 6. */
  private readonly places: Indices;

  constructor(rng: Rng) {
    const places = TABLE.flatMap((maps, out) => maps.map((map) => 6 * out + map));
    this.places = indices(places);
    this.weight = rng.normal([places.length, 5, 5]);
    const { data } = this.weight;
    let at = 0;
    for (const maps of TABLE) for (let i = 0; i < 25 * maps.length; i++) data[at++] /= Math.sqrt(25 * maps.length);
    this.bias = zeros([16]);
  }

  /** x [N, 6, H, W] → [N, 16, H − 4, W − 4]. */
  forward(x: Tensor): Tensor {
    const all = put(this.weight, { index: this.places, size: 16 * 6 });
    return conv2d(x, reshape(all, { shape: [16, 6, 5, 5] }), this.bias);
  }
}

/**
 * LeNet-5 after LeCun et al., Proc. IEEE 86, 2278 (1998), as of Harley, "An interactive node-link visualization of convolutional
 * neural networks" (ISVC 2015): maximum pooling, 120, 100 and the outputs, 1.7159·tanh(2x/3) after every layer, the last too.
 * 62,902 parameters for one channel of 28 × 28, around which two rows of zeros are added, or 32 × 32, and ten outputs.
 */
export class LeNet5 implements Module {
  readonly conv1: Conv2d;
  readonly pool1 = new MaxPool2d(2);
  readonly conv2: PartialConv2d;
  readonly pool2 = new MaxPool2d(2);
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly fc3: Linear;

  constructor(
    private readonly inputs: ImageShape,
    outputs: number,
    rng: Rng,
  ) {
    const [channels, height, width] = inputs;
    const padding = Math.min(height, width) < 32 ? 2 : 0;
    const [h, w] = [height, width].map((n) => Math.floor((Math.floor((n + 2 * padding - 4) / 2) - 4) / 2));
    if (!(Math.min(h, w) >= 1))
      throw new UserError(`LeNet-5: images of ${height} × ${width} are too small.`, "Resize them to 28 × 28.");
    this.conv1 = scaled(new Conv2d(channels, 6, 5, rng, { padding }), rng);
    this.conv2 = new PartialConv2d(rng);
    this.fc1 = scaled(new Linear(16 * h * w, 120, rng), rng);
    this.fc2 = scaled(new Linear(120, 100, rng), rng);
    this.fc3 = scaled(new Linear(100, outputs, rng), rng);
  }

  /** x [N, C, H, W] → [N, outputs], within ±1.7159. */
  forward(x: Tensor): Tensor {
    checkSize("LeNet5", x, this.inputs);
    // The tanh rises, so that of the largest is the largest of the tanhs: pooling first leaves a quarter of the work.
    const first = lecunTanh(this.pool1.forward(this.conv1.forward(x)));
    const second = lecunTanh(this.pool2.forward(this.conv2.forward(first)));
    const hidden = lecunTanh(this.fc1.forward(flatten(second, { start: 1 })));
    return lecunTanh(this.fc3.forward(lecunTanh(this.fc2.forward(hidden))));
  }
}

/** Weights N(0, 1/fanIn), biases 0: keeps this tanh's outputs at variance 1.  LeCun et al., "Efficient BackProp" (1998). */
function scaled<L extends { weight: Tensor; bias?: Tensor }>(layer: L, rng: Rng): L {
  const draws = init.kaimingNormal(layer.weight.shape, rng, { nonlinearity: "linear" });
  layer.weight.set(draws.data);
  layer.bias?.data.fill(0);
  draws.dispose();
  return layer;
}
