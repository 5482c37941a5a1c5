import { describe, expect, test } from "vitest";
import { grad, init, Rng, type Tensor } from "../../src/index.ts";
import { Vgg } from "../../src/models/index.ts";
import {
  AdaptiveAvgPool2d,
  AvgPool1d,
  AvgPool2d,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  type Module,
  receptiveField,
  Sequential,
  stateDict,
  Upsample,
} from "../../src/nn/index.ts";
import { relu } from "../../src/ops/index.ts";

await init({ threads: 1 }); // here, for the tables of cases below hold models

const rng = new Rng(1);

test("VGG16: conv5_3 sees 196 pixels, pool5 212", () => {
  const rows = receptiveField(new Vgg([3, 64, 64], 2, rng, { head: "cifar" }), [3, 64, 64]);
  const find = (name: string) => rows.find((row) => row.name === name);
  expect(find("features.2")).toMatchObject({ type: "Conv2d", size: [5, 5], stride: [1, 1], start: [0, 0] });
  expect(find("features.28")).toMatchObject({ size: [196, 196], stride: [16, 16] });
  expect(find("features.30")).toMatchObject({ type: "MaxPool2d", size: [212, 212], stride: [32, 32] });
});

/** Two ways from the input, one longer. */
class Branches implements Module {
  readonly long = new Sequential(
    new Conv2d(1, 2, 3, rng, { padding: 1 }),
    relu,
    new Conv2d(2, 2, 3, rng, { padding: 1 }),
  );
  readonly short = new Conv2d(1, 2, 1, rng);
  readonly after = new Conv2d(2, 1, 3, rng);
  forward(x: Tensor): Tensor {
    return this.after.forward(relu(this.long.forward(x).add(this.short.forward(x))));
  }
}

/** Where the input counts for output `at`, its channels added up: [first, last] along each axis. Winograd's zeros are rounded. */
function extent(model: Module, x: Tensor, at: number[]): [number, number][] {
  const y = at.reduce((part, i, axis) => part.slice({ axis: axis + 2, start: i, end: i + 1 }), model.forward(x));
  const [slope] = grad(y.sum(), [x]);
  const shape = x.shape.slice(2);
  const least = 1e-4 * Math.max(...slope.data);
  return shape.map((_, axis) => {
    const places = [...slope.data].flatMap((value, i) => {
      const inner = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
      return value > least ? [Math.floor(i / inner) % shape[axis]] : [];
    });
    return [Math.min(...places), Math.max(...places)];
  });
}

describe("is what the gradient reaches", () => {
  test.each<[string, Module, number[], number[]]>([
    ["convolutions", new Sequential(new Conv2d(1, 2, 3, rng), new Conv2d(2, 1, [3, 5], rng)), [1, 15, 15], [4, 3]],
    [
      "strides",
      new Sequential(new Conv2d(1, 1, 4, rng, { stride: 3, padding: 1 }), new AvgPool2d(2)),
      [1, 40, 40],
      [2, 3],
    ],
    ["dilation", new Sequential(new Conv2d(1, 1, 3, rng, { dilation: [2, 4], padding: "same" })), [1, 19, 19], [9, 10]],
    ["branches", new Branches(), [1, 17, 17], [6, 7]],
    ["an even adaptive pool", new Sequential(new Conv2d(1, 1, 3, rng), new AdaptiveAvgPool2d(4)), [1, 22, 22], [1, 2]],
    [
      "nearest upsampling",
      new Sequential(new Upsample({ scaleFactor: 2 }), new Conv2d(1, 1, 2, rng)),
      [1, 9, 9],
      [9, 9],
    ],
    [
      "a transposed convolution",
      new Sequential(new ConvTranspose2d(1, 1, 4, rng, { stride: 2, padding: 1 })),
      [1, 9, 9],
      [8, 8],
    ],
    [
      "signals",
      new Sequential(new Conv1d(1, 3, 7, rng, { stride: 2 }), new AvgPool1d(3, { stride: 1 })),
      [1, 60],
      [11],
    ],
  ])("%s", (_name, model, inputs, at) => {
    for (const [name, t] of stateDict(model))
      if (name.endsWith("weight")) t.set(t.toArray().map((w) => 0.1 + Math.abs(w)));
    const field = receptiveField(model, inputs).at(-1)!;
    extent(model, rng.uniform([1, ...inputs], 1, 2), at).forEach(([first, last], axis) => {
      const middle = field.start[axis] + at[axis] * field.stride[axis];
      // Upsampled numbers between two pixels see parts of the field only.
      const half = (field.size[axis] - 1) / 2;
      expect(first).toBeGreaterThanOrEqual(Math.floor(middle - half));
      expect(last).toBeLessThanOrEqual(Math.ceil(middle + half));
      if (field.stride[axis] >= 1) expect([first, last]).toEqual([middle - half, middle + half]);
      else expect(last - first + 1).toBeGreaterThanOrEqual(Math.floor(field.size[axis]));
    });
  });
});

test("layers behind the last map have no field", () => {
  const rows = receptiveField(new Vgg([1, 32, 32], 2, rng, { depth: 11, head: "cifar" }), [1, 32, 32]);
  expect(rows.at(-1)!.name).toBe("avgpool");
});
