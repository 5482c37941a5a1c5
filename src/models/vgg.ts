import { mismatch, UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Linear,
  MaxPool2d,
  type Module,
  Sequential,
  type Training,
} from "../nn/index.ts";
import { flatten, relu } from "../ops/index.ts";

export type VggDepth = 11 | 13 | 16 | 19;

export interface VggOptions {
  /** Layers with weights: configurations A, B, D and E of the paper. */
  depth?: VggDepth;
  /** Batch norm after every convolution. */
  batchNorm?: boolean;
  /** "imagenet": 7 × 7 averages, then layers of 4096, 4096 and the outputs; "cifar": one layer on the 512 averages, for small images. */
  head?: "imagenet" | "cifar";
  /** Share dropped in the head while training; 0.5 for "imagenet", none for "cifar". */
  dropout?: number;
}

/** [channels, height, width] of an input. */
export type ImageShape = readonly [number, number, number];

/** @throws ShapeError for images that have not the size that the net was made for: its last layers count every pixel */
export function checkSize(net: string, x: Tensor, [, height, width]: ImageShape): void {
  if (x.rank === 4 && (x.shape[2] !== height || x.shape[3] !== width))
    throw mismatch(
      net,
      [x.shape],
      `it was made for images of ${height} × ${width}.`,
      "Resize the images, or make the net for their size.",
    );
}

/** 3 × 3 convolutions in each of five stages, between which the image is halved, and their widths. */
const STAGES: Record<VggDepth, readonly number[]> = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
};
const WIDTHS = [64, 128, 256, 512, 512];

type Convolution = readonly [inChannels: number, outChannels: number];
type Connection = readonly [inFeatures: number, outFeatures: number];

/** What a VGG consists of, from which it is built, and counted without being built. */
function plan(channels: number, outputs: number, { depth = 16, head = "imagenet" }: VggOptions) {
  const counts = STAGES[depth];
  if (counts === undefined) throw new UserError(`VGG: the depth must be 11, 13, 16 or 19, not ${depth}.`);
  if (head !== "imagenet" && head !== "cifar")
    throw new UserError(`VGG: the head must be "imagenet" or "cifar", not "${head}".`);
  const stages = counts.map((count, stage): Convolution[] =>
    Array.from({ length: count }, (_, i) => [i > 0 ? WIDTHS[stage] : (WIDTHS[stage - 1] ?? channels), WIDTHS[stage]]),
  );
  const sizes = head === "cifar" ? [512, outputs] : [512 * 7 * 7, 4096, 4096, outputs];
  return { stages, classifier: sizes.slice(1).map((size, i): Connection => [sizes[i], size]) };
}

/** Numbers that a VGG trains, counted from its plan: VGG16 has 138,357,544 for three channels and 1000 outputs. */
export function vggParameterCount(channels: number, outputs: number, options: VggOptions = {}): number {
  const { stages, classifier } = plan(channels, outputs, options);
  const convolutions = stages.flat().map(([from, to]) => 9 * from * to + to + (options.batchNorm ? 2 * to : 0));
  return [...convolutions, ...classifier.map(([from, to]) => from * to + to)].reduce((sum, n) => sum + n, 0);
}

/**
 * VGG: 3 × 3 convolutions and rectifiers, five times halved, and fully connected layers.  Simonyan & Zisserman, ICLR 2015.
 * Names, shapes and initial weights are torchvision's (`features.0.weight`, …, `classifier.6.bias`), so that its weights load as
 * they are; with the small head there is one layer, `classifier.weight`.
 */
export class Vgg implements Module {
  readonly features: Sequential;
  readonly avgpool: AdaptiveAvgPool2d;
  readonly classifier: Sequential | Linear;
  private readonly dropout?: Dropout;

  constructor([channels, height, width]: ImageShape, outputs: number, rng: Rng, options: VggOptions = {}) {
    const { batchNorm = false, head = "imagenet", dropout = head === "cifar" ? 0 : 0.5 } = options;
    const { stages, classifier } = plan(channels, outputs, options);
    if (!(Math.min(height, width) >= 32))
      throw new UserError(
        `VGG: images of ${height} × ${width} are too small: it halves them five times.`,
        "Resize them to 32 × 32 at least.",
      );
    this.features = new Sequential(
      ...stages.flatMap((stage) => [
        ...stage.flatMap(([from, to]) => {
          const conv = new Conv2d(from, to, 3, rng, { padding: 1 });
          redraw(conv, rng, Math.sqrt(2 / (9 * to)));
          return batchNorm ? [conv, new BatchNorm2d(to), relu] : [conv, relu];
        }),
        new MaxPool2d(2),
      ]),
    );
    this.avgpool = new AdaptiveAvgPool2d(head === "cifar" ? 1 : 7);
    if (head === "cifar") this.dropout = new Dropout(dropout);
    const layers = classifier.map(([from, to]) => {
      const layer = new Linear(from, to, rng);
      redraw(layer, rng, 0.01);
      return layer;
    });
    const [first, second, third] = layers;
    this.classifier =
      head === "cifar"
        ? first
        : new Sequential(first, relu, new Dropout(dropout), second, relu, new Dropout(dropout), third);
  }

  /** x [N, C, H, W] → [N, outputs]. */
  forward(x: Tensor, training?: Training): Tensor {
    const averages = flatten(this.avgpool.forward(this.features.forward(x, training)), { start: 1 });
    return this.classifier.forward(this.dropout?.forward(averages, training) ?? averages, training);
  }
}

/** Numbers drawn at a time. */
const PIECE = 1 << 20;

/** Overwrites a layer's weight by N(0, std²) and its bias by 0: piece by piece, for the largest weight has 411 MB. */
function redraw({ weight, bias }: { weight: Tensor; bias?: Tensor }, rng: Rng, std: number): void {
  for (let at = 0; at < weight.size; at += PIECE) {
    const draws = rng.normal([Math.min(PIECE, weight.size - at)], 0, std);
    weight.data.set(draws.data, at);
    draws.dispose();
  }
  bias?.data.fill(0);
}
