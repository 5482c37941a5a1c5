import { mismatch, UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { BatchNorm1d, Dropout, init, Linear, type Module, type Training } from "../nn/index.ts";
import { add, argmax, linear, matmul, max, mean, norm, reshape, slice, square, sub, sum } from "../ops/index.ts";

export interface PointNetOptions {
  /** Whether the points' features are turned by a learned matrix, too (T-net 64), not only the points. */
  featureTransform?: boolean;
  /** Widths of the layers that all points share; the last is the number of global features. */
  shared?: readonly [first: number, second: number, global: number];
  /** Widths of the two layers between the global features and the output, of classifier and T-nets. */
  head?: readonly [number, number];
  /** Share of the second head layer dropped while training. */
  dropout?: number;
  /**
   * What keeps the 64 × 64 matrix A of a cloud near an orthogonal one: the authors' "squared", Σ (I − AAᵀ)²/2 summed over the clouds, or the
   * PyTorch port's "norm", the mean over the clouds of ‖I − AAᵀ‖.
   */
  regulariser?: "squared" | "norm";
  /** Its share in the loss. */
  regularisation?: number;
}

type Widths = Pick<Required<PointNetOptions>, "shared" | "head">;

const SHARED = [64, 128, 1024] as const;
const HEAD = [512, 256] as const;

/** A layer that all points share: x [rows, in] → [rows, out]. Its weight [out, in, 1] is that of PyTorch's convolution with a kernel of 1. */
export class PointLayer {
  readonly weight: Tensor;
  readonly bias: Tensor;

  constructor(inputs: number, outputs: number, rng: Rng) {
    this.weight = init.fanInUniform([outputs, inputs, 1], rng);
    this.bias = init.fanInUniform([outputs], rng, inputs);
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.matrix, this.bias);
  }

  /** [out, in] */
  get matrix(): Tensor {
    const [outputs, inputs] = this.weight.shape;
    return reshape(this.weight, { shape: [outputs, inputs] });
  }
}

/** The largest of each feature over a cloud's points: x [clouds · points, features] → [clouds, features]. */
const overPoints = (x: Tensor, clouds: number): Tensor =>
  max(reshape(x, { shape: [clouds, x.shape[0] / clouds, x.shape[1]] }), { axis: 1 });

/** x [clouds · points, k], each cloud times its matrix [clouds, k, k]. */
const turn = (x: Tensor, matrices: Tensor): Tensor => {
  const [clouds, k] = matrices.shape;
  return reshape(matmul(reshape(x, { shape: [clouds, x.shape[0] / clouds, k] }), matrices), { shape: x.shape });
};

/** T-net: a matrix [k, k] for each cloud from all of its points; the identity at first. */
export class TNet {
  readonly conv1: PointLayer;
  readonly conv2: PointLayer;
  readonly conv3: PointLayer;
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly fc3: Linear;
  readonly bn1: BatchNorm1d;
  readonly bn2: BatchNorm1d;
  readonly bn3: BatchNorm1d;
  readonly bn4: BatchNorm1d;
  readonly bn5: BatchNorm1d;

  constructor(
    readonly k: number,
    rng: Rng,
    { shared: [a, b, c] = SHARED, head: [d, e] = HEAD }: Partial<Widths> = {},
  ) {
    this.conv1 = new PointLayer(k, a, rng);
    this.conv2 = new PointLayer(a, b, rng);
    this.conv3 = new PointLayer(b, c, rng);
    this.fc1 = new Linear(c, d, rng);
    this.fc2 = new Linear(d, e, rng);
    this.fc3 = new Linear(e, k * k, rng);
    this.fc3.weight.set(new Float32Array(e * k * k));
    this.fc3.bias!.set(new Float32Array(k * k));
    [this.bn1, this.bn2, this.bn3, this.bn4, this.bn5] = [a, b, c, d, e].map((width) => new BatchNorm1d(width));
  }

  /** x [clouds · points, k] → [clouds, k, k]. */
  forward(x: Tensor, clouds: number, training?: Training): Tensor {
    const { k } = this;
    let y = this.bn1.apply(this.conv1.forward(x), "relu", training);
    y = this.bn2.apply(this.conv2.forward(y), "relu", training);
    y = overPoints(this.bn3.apply(this.conv3.forward(y), "relu", training), clouds);
    y = this.bn4.apply(this.fc1.forward(y), "relu", training);
    y = this.bn5.apply(this.fc2.forward(y), "relu", training);
    const identity = Float32Array.from({ length: k * k }, (_, i) => (i % (k + 1) === 0 ? 1 : 0));
    return reshape(add(this.fc3.forward(y), tensor(identity)), { shape: [clouds, k, k] });
  }
}

/** What the two nets share: points, turned by a T-net, to features of each point and of the whole cloud. */
export class PointNetFeatures {
  readonly stn: TNet;
  readonly conv1: PointLayer;
  readonly conv2: PointLayer;
  readonly conv3: PointLayer;
  readonly bn1: BatchNorm1d;
  readonly bn2: BatchNorm1d;
  readonly bn3: BatchNorm1d;
  readonly fstn?: TNet;
  private readonly penalty: (transform: Tensor) => Tensor;

  constructor(
    rng: Rng,
    {
      shared = SHARED,
      head = HEAD,
      featureTransform = false,
      regulariser = "squared",
      regularisation = 0.001,
    }: PointNetOptions = {},
  ) {
    const [a, b, c] = shared;
    this.stn = new TNet(3, rng, { shared, head });
    this.conv1 = new PointLayer(3, a, rng);
    this.conv2 = new PointLayer(a, b, rng);
    this.conv3 = new PointLayer(b, c, rng);
    [this.bn1, this.bn2, this.bn3] = [a, b, c].map((width) => new BatchNorm1d(width));
    if (featureTransform) this.fstn = new TNet(a, rng, { shared, head });
    this.penalty = (transform) => orthogonality(transform, { kind: regulariser }).mul(regularisation);
  }

  /** points [clouds, points, 3] → features of each point after the first layer [clouds · points, 64], and after the last [… 1024]. */
  forward(points: Tensor, training?: Training): { local: Tensor; last: Tensor } {
    const [clouds, count, axes] = points.shape;
    if (points.rank !== 3 || axes !== 3) throw mismatch("PointNet", [points.shape], "clouds are [clouds, points, 3].");
    if (count === 0) throw new UserError("PointNet: a cloud has no points.");
    const flat = reshape(points, { shape: [clouds * count, 3] });
    const upright = turn(flat, this.stn.forward(flat, clouds, training));
    let local = this.bn1.apply(this.conv1.forward(upright), "relu", training);
    if (this.fstn) {
      const transform = this.fstn.forward(local, clouds, training);
      training?.penalties?.push(this.penalty(transform));
      local = turn(local, transform);
    }
    const y = this.bn2.apply(this.conv2.forward(local), "relu", training);
    return { local, last: this.bn3.forward(this.conv3.forward(y), training) };
  }
}

/** How far matrices A [clouds, k, k] are from orthogonal ones: Σ (I − AAᵀ)²/2 over all, or the mean of ‖I − AAᵀ‖ over the clouds. */
export function orthogonality(a: Tensor, { kind = "squared" }: { kind?: "squared" | "norm" } = {}): Tensor {
  const difference = sub(init.identity([a.shape[1], a.shape[1]]), matmul(a, a, { transposeB: true }));
  return kind === "squared" ? sum(square(difference)).mul(0.5) : mean(norm(difference, { axes: [1, 2] }));
}

/**
 * PointNet for classification: points apart, the largest of each of 1024 features over all of them, a classifier. The order of the
 * points does not matter; how they are turned does. Qi, Su, Mo & Guibas, CVPR 2017, in the form of the PyTorch port (names and
 * shapes are its state dict's): 1,614,129 parameters for 40 classes, 3,471,473 with `featureTransform`.
 */
export class PointNet implements Module<[points: Tensor]> {
  readonly feat: PointNetFeatures;
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly fc3: Linear;
  readonly bn1: BatchNorm1d;
  readonly bn2: BatchNorm1d;
  private readonly dropout: Dropout;

  constructor(outputs: number, rng: Rng, options: PointNetOptions = {}) {
    const { shared = SHARED, head = HEAD, dropout = 0.3 } = options;
    this.feat = new PointNetFeatures(rng, options);
    this.fc1 = new Linear(shared[2], head[0], rng);
    this.fc2 = new Linear(head[0], head[1], rng);
    this.fc3 = new Linear(head[1], outputs, rng);
    [this.bn1, this.bn2] = head.map((width) => new BatchNorm1d(width));
    this.dropout = new Dropout(dropout);
  }

  /** points [clouds, points, 3] → logits [clouds, outputs]. While training, the regulariser joins `training.penalties`. */
  forward(points: Tensor, training?: Training): Tensor {
    const { last } = this.feat.forward(points, training);
    let y = this.bn1.apply(this.fc1.forward(overPoints(last, points.shape[0])), "relu", training);
    y = this.bn2.apply(this.dropout.forward(this.fc2.forward(y), training), "relu", training);
    return this.fc3.forward(y);
  }

  /**
   * The critical set of each cloud: its points, by their numbers, that are the largest in some feature. All that the net knows of a
   * cloud are these; without the others it would say the same.
   */
  criticalPoints(points: Tensor): number[][] {
    const [clouds, count] = points.shape;
    const { last } = this.feat.forward(points);
    const width = last.shape[1];
    const chosen = argmax(reshape(last, { shape: [clouds, count, width] }), { axis: 1 }).toArray();
    return Array.from({ length: clouds }, (_, i) =>
      [...new Set(chosen.subarray(i * width, (i + 1) * width))].sort((a, b) => a - b),
    );
  }
}

/**
 * PointNet for segmentation: each point's own 64 features beside the cloud's 1024, then layers that all points share.
 * 3,533,563 parameters for 50 kinds of parts with `featureTransform`.
 */
export class PointNetSegmentation implements Module<[points: Tensor]> {
  readonly feat: PointNetFeatures;
  readonly conv1: PointLayer;
  readonly conv2: PointLayer;
  readonly conv3: PointLayer;
  readonly conv4: PointLayer;
  readonly bn1: BatchNorm1d;
  readonly bn2: BatchNorm1d;
  readonly bn3: BatchNorm1d;

  constructor(outputs: number, rng: Rng, options: PointNetOptions = {}) {
    const { shared = SHARED, head = HEAD } = options;
    const widths = [shared[2] + shared[0], ...head, head[1] >> 1, outputs];
    this.feat = new PointNetFeatures(rng, options);
    [this.conv1, this.conv2, this.conv3, this.conv4] = [0, 1, 2, 3].map(
      (k) => new PointLayer(widths[k], widths[k + 1], rng),
    );
    [this.bn1, this.bn2, this.bn3] = [1, 2, 3].map((k) => new BatchNorm1d(widths[k]));
  }

  /** points [clouds, points, 3] → logits of each point [clouds, points, outputs]. */
  forward(points: Tensor, training?: Training): Tensor {
    const [clouds, count] = points.shape;
    const { local, last } = this.feat.forward(points, training);
    const { matrix, bias } = this.conv1;
    const [out, width] = matrix.shape;
    const split = last.shape[1];
    // W·[global; local]: the global part once for each cloud, and no concatenated matrix.
    const ofCloud = linear(overPoints(last, clouds), slice(matrix, { axis: 1, start: 0, end: split }), bias);
    const ofPoint = matmul(local, slice(matrix, { axis: 1, start: split, end: width }), { transposeB: true });
    const both = add(reshape(ofPoint, { shape: [clouds, count, out] }), reshape(ofCloud, { shape: [clouds, 1, out] }));
    let y = this.bn1.apply(reshape(both, { shape: [clouds * count, out] }), "relu", training);
    y = this.bn2.apply(this.conv2.forward(y), "relu", training);
    y = this.bn3.apply(this.conv3.forward(y), "relu", training);
    y = this.conv4.forward(y);
    return reshape(y, { shape: [clouds, count, y.shape[1]] });
  }
}
