import { beforeAll, describe, expect, test } from "vitest";
import * as s from "../../src/index.ts";
import { init, Rng, ShapeError, type Tensor, UserError, zeros } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const z = (...shape: number[]): Tensor => zeros(shape);
const x = (): Tensor => z(2, 4, 8, 8);
const rng = (): Rng => new Rng(1);

/** A wrong call, and what its error must say. */
type Misuse = [call: () => unknown, ...words: string[]];

/** Shapes that do not fit: both are shown. */
const SHAPES: Record<string, Misuse[]> = {
  "kernel larger than the padded input": [
    [() => s.conv2d(z(1, 3, 4, 4), z(8, 3, 5, 5)), "conv2d([1, 3, 4, 4], [8, 3, 5, 5])", "kernel", "padded input"],
    [() => s.conv2d(z(1, 3, 2, 9), z(8, 3, 5, 5), { padding: 1 }), "[1, 3, 2, 9]", "5 × 5", "4 × 11"],
    [() => s.conv2d(z(1, 3, 4, 4), z(8, 3, 3, 3), { dilation: 2 }), "[8, 3, 3, 3]", "5 × 5", "dilation", "4 × 4"],
    [() => s.conv2d(z(1, 3, 0, 4), z(8, 3, 1, 1)), "[1, 3, 0, 4]", "0 × 4"],
    [() => s.conv1d(z(1, 3, 4), z(8, 3, 5)), "[1, 3", "[8, 3", "kernel", "padded input"],
    [() => s.maxPool2d(z(1, 3, 2, 2), { kernelSize: 3 }), "maxPool2d([1, 3, 2, 2])", "kernel", "3 × 3", "2 × 2"],
    [() => s.avgPool2d(z(1, 3, 4, 1), { kernelSize: 2 }), "avgPool2d([1, 3, 4, 1])", "kernel", "2 × 2", "4 × 1"],
    [() => s.maxPool2d(z(1, 3, 4, 4), { kernelSize: 3, dilation: 2 }), "maxPool2d([1, 3, 4, 4])", "kernel", "dilation"],
    [() => s.maxPool1d(z(1, 3, 2), { kernelSize: 3 }), "[1, 3", "kernel"],
    [() => s.avgPool1d(z(1, 3, 2), { kernelSize: 3 }), "[1, 3", "kernel"],
    [
      () => s.convTranspose2d(z(1, 3, 1, 1), z(3, 2, 3, 3), { padding: 2 }),
      "convTranspose2d([1, 3, 1, 1], [3, 2, 3, 3])",
    ],
  ],
  "the same in a layer": [
    [() => new nn.Conv2d(3, 8, 5, rng()).forward(z(1, 3, 4, 4)), "[1, 3, 4, 4]", "kernel", "padded input"],
    [() => new nn.MaxPool2d(5).forward(z(1, 4, 3, 3)), "[1, 4, 3, 3]", "kernel", "5 × 5", "3 × 3"],
    [() => new nn.AvgPool1d(5).forward(z(1, 4, 3)), "[1, 4", "kernel", "5", "3"],
  ],
  "groups that do not divide": [
    [() => s.conv2d(x(), z(6, 4, 3, 3), { groups: 3 }), "conv2d([2, 4, 8, 8], [6, 4, 3, 3])", "3 groups", "4 channels"],
    [() => s.conv2d(x(), z(5, 2, 3, 3), { groups: 2 }), "[5, 2, 3, 3]", "2 groups", "5 outputs"],
    [() => s.convTranspose2d(x(), z(4, 2, 3, 3), { groups: 3 }), "convTranspose2d([2, 4", "3 groups", "4 channels"],
    [() => s.groupNorm(x(), z(4), z(4), { groups: 3 }), "groupNorm([2, 4, 8, 8]", "3 groups", "4 channels"],
  ],
  "wrong number of channels": [
    [() => s.conv2d(x(), z(8, 3, 3, 3)), "conv2d([2, 4, 8, 8], [8, 3, 3, 3])", "4 channels", "3"],
    [
      () => s.conv2d(x(), z(8, 4, 3, 3), { groups: 2 }),
      "[2, 4, 8, 8], [8, 4, 3, 3]",
      "4 channels",
      "8",
      "2 groups of 4",
    ],
    [() => s.conv1d(z(2, 4, 8), z(8, 3, 3)), "[8, 3", "4 channels", "3"],
    [() => s.convTranspose2d(x(), z(3, 8, 3, 3)), "convTranspose2d([2, 4, 8, 8], [3, 8, 3, 3])"],
    [() => s.conv2d(x(), z(8, 4, 3, 3), z(7)), "conv2d([2, 4, 8, 8], [8, 4, 3, 3], [7])", "bias", "[8]"],
    [() => s.convTranspose2d(x(), z(4, 8, 3, 3), z(7)), "[4, 8, 3, 3], [7]", "bias", "[8]"],
    [() => s.batchNorm(x(), z(3), z(3)), "batchNorm([2, 4, 8, 8], [3], [3])", "[4]"],
    [() => s.batchNorm(x(), z(4), z(4), { training: false, mean: z(8), variance: z(8) }), "batchNorm([2, 4", "[4]"],
    [() => s.groupNorm(x(), z(3), z(4), { groups: 2 }), "groupNorm([2, 4, 8, 8], [3], [4])", "[4]"],
  ],
  "wrong rank": [
    [() => s.conv2d(z(4, 8, 8), z(8, 4, 3, 3)), "conv2d([4, 8, 8], [8, 4, 3, 3])", "[N, C, H, W]"],
    [() => s.conv2d(x(), z(8, 36)), "conv2d([2, 4, 8, 8], [8, 36])", "[N, C, H, W]"],
    [() => s.conv1d(x(), z(8, 4, 3)), "conv1d([2, 4, 8, 8], [8, 4, 3])", "[N, C, L]"],
    [() => s.convTranspose2d(z(4, 8, 8), z(4, 8, 3, 3)), "convTranspose2d([4, 8, 8], [4, 8, 3, 3])", "[N, C, H, W]"],
    [() => s.maxPool2d(z(4, 8, 8), { kernelSize: 2 }), "maxPool2d([4, 8, 8])", "[N, C, H, W]"],
    [() => s.avgPool2d(z(8, 8), { kernelSize: 2 }), "avgPool2d([8, 8])", "[N, C, H, W]"],
    [() => s.maxPool1d(x(), { kernelSize: 2 }), "maxPool1d([2, 4, 8, 8])", "[N, C, L]"],
    [() => s.avgPool1d(z(8), { kernelSize: 2 }), "avgPool1d([8])", "[N, C, L]"],
    [() => s.adaptiveAvgPool2d(z(4, 8, 8), { outputSize: 2 }), "adaptiveAvgPool2d([4, 8, 8])", "[N, C, H, W]"],
    [() => s.adaptiveAvgPool1d(x(), { outputSize: 2 }), "adaptiveAvgPool1d([2, 4, 8, 8])", "[N, C, L]"],
    [() => s.globalAvgPool(z(2, 4)), "globalAvgPool([2, 4])"],
    [() => s.globalMaxPool(z(4)), "globalMaxPool([4])"],
    [() => s.upsample(z(4, 8, 8), { scaleFactor: 2 }), "upsample([4, 8, 8])", "[N, C, H, W]"],
    [() => s.batchNorm(z(4), z(4), z(4)), "batchNorm([4], [4], [4])"],
    [() => s.groupNorm(z(4), z(4), z(4), { groups: 2 }), "groupNorm([4], [4], [4])"],
  ],
  "nothing to compute with": [
    [() => s.globalMaxPool(z(2, 4, 0, 3)), "globalMaxPool([2, 4, 0, 3])"],
    [() => s.pad(x(), { axis: 2, before: 8, mode: "reflect" }), "pad([2, 4, 8, 8])", "8"],
    [() => s.pad(x(), { axis: -1, after: 9, mode: "reflect" }), "pad([2, 4, 8, 8])", "9"],
    [() => s.pad(z(2, 4, 0), { axis: 2, before: 1, mode: "reflect" }), "pad([2, 4, 0])"],
  ],
};

/** Options that no shapes fit: the option and its value are named. */
const OPTIONS: Record<string, Misuse[]> = {
  convolution: [
    [() => s.conv2d(x(), z(8, 4, 3, 3), { stride: 0 }), "conv2d", "stride", "0"],
    [() => s.conv2d(x(), z(8, 4, 3, 3), { stride: [1, 1.5] }), "conv2d", "stride", "1.5"],
    [() => s.conv2d(x(), z(8, 4, 3, 3), { padding: -1 }), "conv2d", "padding", "-1"],
    [() => s.conv2d(x(), z(8, 4, 3, 3), { dilation: 0 }), "conv2d", "dilation", "0"],
    [() => s.conv2d(x(), z(8, 4, 3, 3), { groups: 0 }), "conv2d", "groups", "0"],
    [() => s.conv2d(x(), z(8, 4, 3, 3), { stride: 2, padding: "same" }), "conv2d", "same", "stride", "2"],
    [() => s.conv1d(z(1, 4, 8), z(8, 4, 3), { stride: 0 }), "stride", "0"],
    [() => s.conv1d(z(1, 4, 8), z(8, 4, 3), { padding: -2 }), "padding", "-2"],
    [() => s.convTranspose2d(x(), z(4, 8, 3, 3), { stride: 0 }), "convTranspose2d", "stride", "0"],
    [() => s.convTranspose2d(x(), z(4, 8, 3, 3), { padding: -1 }), "convTranspose2d", "padding", "-1"],
    [
      () => s.convTranspose2d(x(), z(4, 8, 3, 3), { stride: 2, outputPadding: 2 }),
      "convTranspose2d",
      "outputPadding",
      "2",
    ],
  ],
  pooling: [
    [() => s.maxPool2d(x(), { kernelSize: 0 }), "maxPool2d", "kernelSize", "0"],
    [() => s.maxPool2d(x(), { kernelSize: 2, stride: 0 }), "maxPool2d", "stride", "0"],
    [() => s.maxPool2d(x(), { kernelSize: 2, padding: -1 }), "maxPool2d", "padding", "-1"],
    [() => s.maxPool2d(x(), { kernelSize: 2, padding: 2 }), "maxPool2d", "padding", "2"],
    [() => s.maxPool2d(x(), { kernelSize: 2, dilation: 0 }), "maxPool2d", "dilation", "0"],
    [() => s.avgPool2d(x(), { kernelSize: [2, 0] }), "avgPool2d", "kernelSize", "0"],
    [() => s.avgPool2d(x(), { kernelSize: 2, padding: [0, 2] }), "avgPool2d", "padding", "2"],
    [() => s.maxPool1d(z(1, 4, 8), { kernelSize: 2, stride: -1 }), "stride", "-1"],
    [() => s.avgPool1d(z(1, 4, 8), { kernelSize: 2.5 }), "kernelSize", "2.5"],
    [() => s.adaptiveAvgPool2d(x(), { outputSize: 0 }), "adaptiveAvgPool2d", "outputSize", "0"],
    [() => s.adaptiveAvgPool1d(z(1, 4, 8), { outputSize: -1 }), "outputSize", "-1"],
  ],
  resampling: [
    [() => s.upsample(x(), {}), "upsample", "size", "scaleFactor"],
    [() => s.upsample(x(), { scaleFactor: 0 }), "upsample([2, 4, 8, 8])", "0"],
    [() => s.upsample(x(), { scaleFactor: 0.1 }), "upsample([2, 4, 8, 8])", "0"],
    [() => s.upsample(x(), { size: 0 }), "upsample", "size", "0"],
    [() => s.pad(x(), { axis: 2, before: -1, mode: "reflect" }), "pad", "before", "-1"],
  ],
  normalising: [
    [() => s.groupNorm(x(), z(4), z(4), { groups: 0 }), "groupNorm", "groups", "0"],
    [() => s.batchNorm(x(), z(4), z(4), { training: false }), "batchNorm", "mean", "variance"],
  ],
};

function checked(error: typeof UserError, misuses: readonly Misuse[]): void {
  for (const [call, ...words] of misuses) {
    let thrown: unknown;
    try {
      call();
    } catch (e) {
      thrown = e;
    }
    expect(thrown, `${call}`).toBeInstanceOf(error);
    const { message } = thrown as UserError;
    for (const word of words) expect(message, `${call}`).toContain(word);
    expect(message, `${call}`).not.toMatch(/NaN|undefined|\[object/);
  }
}

describe("shapes that do not fit", () => {
  test.each(Object.entries(SHAPES))("%s", (_why, misuses) => checked(ShapeError, misuses));
});

describe("options that are wrong for any shapes", () => {
  test.each(Object.entries(OPTIONS))("%s", (_family, misuses) => checked(UserError, misuses));
});

test("a layer's error names the layer and the image", () => {
  checked(ShapeError, [
    [
      () => new nn.Conv2d(16, 32, 3, rng()).forward(z(1, 3, 8, 8)),
      "Conv2d(16 → 32, 3×3)",
      "[1, 3, 8, 8]",
      "3 channels",
      "16",
    ],
    [() => new nn.Conv2d(3, 8, [1, 5], rng()).forward(z(1, 4, 8, 8)), "Conv2d(3 → 8, 1×5)", "[1, 4, 8, 8]"],
    [() => new nn.Conv2d(3, 8, 3, rng()).forward(z(3, 8, 8)), "Conv2d(3 → 8, 3×3)", "[3, 8, 8]"],
    [() => new nn.Conv1d(3, 8, 5, rng()).forward(z(1, 4, 9)), "Conv1d(3 → 8, 5)", "[1, 4, 9]", "4 channels"],
    [
      () => new nn.ConvTranspose2d(3, 8, 2, rng()).forward(z(1, 4, 9, 9)),
      "ConvTranspose2d(3 → 8, 2×2)",
      "[1, 4, 9, 9]",
    ],
    [() => new nn.BatchNorm2d(8).forward(z(1, 4, 9, 9)), "BatchNorm2d", "[1, 4, 9, 9]", "8"],
  ]);
});

test("layers that cannot be are refused when they are made", () => {
  checked(UserError, [
    [() => new nn.Conv2d(4, 6, 3, rng(), { groups: 3 }), "Conv2d", "3 groups", "4"],
    [() => new nn.GroupNorm(3, 4), "GroupNorm", "3", "4"],
    [() => new nn.Dropout2d(1), "Dropout2d", "p", "1"],
  ]);
});

describe("weights of another architecture", () => {
  const net = (channels: number, ...more: nn.Module[]): nn.Sequential =>
    new nn.Sequential(new nn.Conv2d(3, channels, 3, rng()), new nn.BatchNorm2d(channels), ...more);

  test("what is missing, unexpected and mis-shaped is listed together, and nothing is loaded", () => {
    const model = net(8, new nn.Conv2d(8, 2, 1, rng()));
    const before = [...nn.stateDict(model).values()].map((t) => t.toArray());
    const weights = nn.stateDict(net(16, new nn.Flatten(), new nn.Linear(16, 2, rng())));
    checked(UserError, [
      [
        () => nn.loadStateDict(model, weights),
        "missing: 2.weight, 2.bias",
        "unexpected: 3.weight, 3.bias",
        "mis-shaped: 0.weight is [16, 3, 3, 3], the model has [8, 3, 3, 3]",
        "1.running_var is [16], the model has [8]",
      ],
    ]);
    expect([...nn.stateDict(model).values()].map((t) => t.toArray())).toEqual(before);
  });

  test("those of the same architecture fit, PyTorch's counters apart", () => {
    const [model, other] = [net(8), net(8)];
    const weights = new Map([...nn.stateDict(other), ["1.num_batches_tracked", z()]]);
    nn.parameters(other).get("0.weight")!.data.fill(0.5);
    nn.loadStateDict(model, weights);
    expect(nn.parameters(model).get("0.weight")!.toArray()).toEqual(new Float32Array(216).fill(0.5));
  });
});
