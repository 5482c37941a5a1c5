import { beforeAll, describe, expect, test } from "vitest";
import { flatten, grad, init, permute, Rng, reshape, type Tensor } from "../../src/index.ts";
import {
  AdaptiveAvgPool2d,
  AvgPool1d,
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Dropout2d,
  Flatten,
  GroupNorm,
  MaxPool1d,
  MaxPool2d,
  parameters,
  Sequential,
  stateDict,
  Upsample,
} from "../../src/nn/index.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

const images = (...shape: number[]): Tensor => new Rng(1).normal(shape);
const counted = (...shape: number[]): Tensor => {
  const x = images(...shape);
  return x.set(Float32Array.from(x.data, (_, i) => i));
};

/** Equal up to f32's rounding of numbers of order 1. */
function close(actual: Tensor, expected: Tensor, what: string): void {
  expect(actual.shape, what).toEqual(expected.shape);
  const { data } = expected;
  actual.toArray().forEach((v, i) => {
    expect(Math.abs(v - data[i]), `${what}, element ${i}: ${v}, not ${data[i]}`).toBeLessThan(3e-6);
  });
}

describe("BatchNorm2d", () => {
  const rng = new Rng(3);
  /** The pixels of [N, C, H, W] as rows [N·H·W, C]. */
  const rows = (x: Tensor): Tensor => flatten(permute(x, { axes: [1, 0, 2, 3] }), { start: 1 }).transpose();
  /** Both norms with the same weights. */
  function norms(): [BatchNorm2d, BatchNorm1d] {
    const pair: [BatchNorm2d, BatchNorm1d] = [
      new BatchNorm2d(3, { momentum: 0.3 }),
      new BatchNorm1d(3, { momentum: 0.3 }),
    ];
    for (const norm of pair) {
      norm.weight.set([0.5, -1, 2]);
      norm.bias.set([0.1, 0.2, -0.3]);
    }
    return pair;
  }

  test("is BatchNorm1d of the pixels: values, gradients, running statistics, inference, with and without the rectifier", () => {
    for (const activation of ["none", "relu"] as const) {
      const [planes, lines] = norms();
      for (const training of [{ rng }, { rng }, undefined]) {
        const x = images(4, 3, 5, 7).mul(2).add(1);
        const [y, known] = [planes.apply(x, activation, training), lines.apply(rows(x), activation, training)];
        close(rows(y), known, "y");
        const g = new Rng(5).normal(y.shape);
        const of = (norm: BatchNorm1d | BatchNorm2d): Tensor[] => [x, norm.weight, norm.bias];
        const gradients = grad(y, of(planes), { gradOutput: g });
        const pixels = grad(known, of(lines), { gradOutput: rows(g) });
        gradients.forEach((d, k) => close(d.mul(0.01), pixels[k].mul(0.01), `gradient ${k}`));
        for (const [name, t] of stateDict(planes)) close(t, stateDict(lines).get(name)!, name);
      }
    }
  });

  test("a rectifier of its own pass is the same", () => {
    const [norm] = norms();
    const x = images(2, 3, 4, 4);
    expect(norm.apply(x, "relu").toArray()).toEqual(norm.forward(x).relu().toArray());
  });

  test("has PyTorch's names; statistics are not trained", () => {
    const [norm] = norms();
    expect([...stateDict(norm).keys()]).toEqual(["weight", "bias", "running_mean", "running_var"]);
    expect([...parameters(norm).keys()]).toEqual(["weight", "bias"]);
  });

  test("names itself and what it takes; one value for a channel has no variance to train on", () => {
    const norm = new BatchNorm2d(3);
    expect(() => norm.forward(images(2, 4, 2, 2))).toThrow(
      "BatchNorm2d([2, 4, 2, 2]): the input must be [N, 3, height, width].",
    );
    expect(() => norm.forward(images(2, 3))).toThrow("BatchNorm2d([2, 3]): the input must be");
    expect(() => norm.forward(images(1, 3, 1, 1), { rng })).toThrow(/BatchNorm2d.*no variance[\s\S]*batch size ≥ 2/);
    expect(norm.forward(images(1, 3, 1, 1)).shape).toEqual([1, 3, 1, 1]);
    expect(norm.forward(images(1, 3, 1, 2), { rng }).shape).toEqual([1, 3, 1, 2]);
  });

  test("BatchNorm1d takes signals, too", () => {
    const [planes, lines] = norms();
    const x = images(4, 3, 6);
    const y = lines.forward(x, { rng });
    close(y, reshape(planes.forward(reshape(x, { shape: [4, 3, 1, 6] }), { rng }), { shape: [4, 3, 6] }), "y");
    close(lines.running_var, planes.running_var, "running_var");
  });
});

describe("GroupNorm", () => {
  test("each group of each image has mean 0 and variance 1, whatever the rest of the batch; then channels are scaled", () => {
    const norm = new GroupNorm(2, 4);
    const x = images(3, 4, 5, 5).mul(3).add(2);
    const y = norm.forward(x);
    const groups = reshape(y, { shape: [3, 2, 50] });
    for (const v of groups.mean({ axes: 2 }).toArray()) expect(Math.abs(v)).toBeLessThan(1e-6);
    for (const v of groups.variance({ axes: 2, correction: 0 }).toArray()) expect(v).toBeCloseTo(1, 4);
    const first = x.slice({ axis: 0, start: 0, end: 1 });
    close(norm.forward(first), y.slice({ axis: 0, start: 0, end: 1 }), "alone");
    norm.weight.set([1, 2, 3, 4]);
    norm.bias.set([0, 0, 0, 5]);
    close(
      norm.forward(first).slice({ axis: 1, start: 3, end: 4 }),
      y.slice({ axis: 0, start: 0, end: 1 }).slice({ axis: 1, start: 3, end: 4 }).mul(4).add(5),
      "channel 3",
    );
    expect([...parameters(norm).keys()]).toEqual(["weight", "bias"]);
  });

  test("groups must divide the channels", () => {
    expect(() => new GroupNorm(3, 4)).toThrow("GroupNorm: 3 groups do not divide 4 channels.");
    expect(() => new GroupNorm(0, 4)).toThrow("GroupNorm: 0 groups");
  });
});

describe("Dropout2d", () => {
  test("drops whole channels, its share of them, and scales the others; the gradient goes the same way", () => {
    const x = images(60, 40, 3, 3).add(10);
    const y = new Dropout2d(0.25).forward(x, { rng: new Rng(6) });
    const [g] = grad(y.sum(), [x]);
    const [from, to, slope] = [x.toArray(), y.toArray(), g.toArray()];
    let [dropped, wrong] = [0, 0];
    for (let plane = 0; plane < 60 * 40; plane++) {
      const scale = to[9 * plane] === 0 ? 0 : Math.fround(4 / 3);
      if (scale === 0) dropped++;
      for (let i = 9 * plane; i < 9 * plane + 9; i++)
        if (to[i] !== Math.fround(from[i] * scale) || slope[i] !== scale) wrong++;
    }
    expect(wrong).toBe(0);
    expect(Math.abs(dropped / 2400 - 0.25)).toBeLessThan(0.03);
  });

  test("does nothing at inference; a wrong p or shape is refused", () => {
    const x = images(2, 3, 2, 2);
    expect(new Dropout2d().forward(x)).toBe(x);
    expect(() => new Dropout2d(1)).toThrow("Dropout2d: p must be in [0, 1), not 1.");
    expect(() => new Dropout2d().forward(images(2, 3))).toThrow("Dropout2d([2, 3]): the input must be [N, C, …].");
  });
});

describe("pooling, resizing, flattening", () => {
  test("layers are their ops, in a chain", () => {
    const net = new Sequential(
      new MaxPool2d(2),
      new AvgPool2d(2, { stride: 1 }),
      new Upsample({ scaleFactor: 2, mode: "bilinear" }),
      new AdaptiveAvgPool2d([3, 1]),
      new Flatten(),
    );
    expect([...stateDict(net).keys()]).toEqual([]);
    const x = counted(2, 2, 8, 8);
    // Linear in the row: 2 × 2 maxima are at 9 + 16i + 2j, their 2 × 2 means 9 further, and all that follows keeps the middle.
    const y = net.forward(x);
    expect(y.shape).toEqual([2, 6]);
    const [, middle] = y.toArray();
    expect(middle).toBeCloseTo(9 + 9 + 16 + 2, 4);
  });

  test("of signals", () => {
    const x = counted(1, 1, 6);
    expect([...new MaxPool1d(3, { stride: 2 }).forward(x).data]).toEqual([2, 4]);
    expect([...new AvgPool1d(3, { padding: 1 }).forward(x).data]).toEqual([Math.fround(1 / 3), 3].map(Math.fround));
  });
});
