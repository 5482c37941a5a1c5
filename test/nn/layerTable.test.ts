import { beforeAll, describe, expect, test } from "vitest";
import { init, Rng, type Tensor } from "../../src/index.ts";
import { LeNet5, TinyVgg, Vgg } from "../../src/models/index.ts";
import {
  BatchNorm2d,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  freeze,
  Linear,
  layerDiagram,
  layerTable,
  type Module,
  receptiveField,
  Sequential,
} from "../../src/nn/index.ts";
import { relu } from "../../src/ops/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const rng = new Rng(1);

describe("products and parameters", () => {
  test("TinyVGG, layer by layer", () => {
    const { rows, total } = layerTable(new TinyVgg([3, 64, 64], 10, rng), [3, 64, 64]);
    expect(rows.map((row) => [row.name, row.type, row.output, row.parameters, row.macs])).toEqual([
      ["conv_1_1", "Conv2d", [10, 62, 62], 280, 62 * 62 * 270],
      ["conv_1_2", "Conv2d", [10, 60, 60], 910, 60 * 60 * 900],
      ["max_pool_1", "MaxPool2d", [10, 30, 30], 0, 0],
      ["conv_2_1", "Conv2d", [10, 28, 28], 910, 28 * 28 * 900],
      ["conv_2_2", "Conv2d", [10, 26, 26], 910, 26 * 26 * 900],
      ["max_pool_2", "MaxPool2d", [10, 13, 13], 0, 0],
      ["output", "Linear", [10], 16_910, 16_900],
    ]);
    expect(total.parameters).toBe(19_920);
  });

  test("VGG16 at 224 × 224: 15.47 GMAC, of which 124 million in the large head", () => {
    const { rows, total } = layerTable(new Vgg([3, 224, 224], 10, rng, { head: "cifar" }), [3, 224, 224]);
    const head = 512 * 49 * 4096 + 4096 * 4096 + 4096 * 1000;
    expect(total).toEqual({ parameters: 14_719_818, trained: 14_719_818, macs: 15_346_630_656 + 5120 });
    expect(15_346_630_656 + head).toBe(15_470_264_320);
    expect(rows.find(({ name }) => name === "features.28")!.output).toEqual([512, 14, 14]);
  });

  test("the partial connections of LeNet-5 count sixty kernels", () => {
    const { rows } = layerTable(new LeNet5([1, 28, 28], 10, rng), [1, 28, 28]);
    expect(rows.find(({ name }) => name === "conv2")).toMatchObject({ parameters: 1516, macs: 60 * 25 * 100 });
  });

  test("strides, groups, signals and transposed convolutions; the shapes are those of the run", () => {
    const grouped = new Sequential(
      new Conv2d(4, 6, [3, 5], rng, { stride: [2, 1], padding: 1, groups: 2, dilation: [1, 2] }),
      new BatchNorm2d(6),
      relu,
      new ConvTranspose2d(6, 4, 3, rng, { stride: 2, outputPadding: 1, groups: 2 }),
    );
    const { rows } = layerTable(grouped, [4, 9, 12]);
    const shapes = [
      [6, 5, 6],
      [6, 5, 6],
      [4, 12, 14],
    ];
    expect(rows.map((row) => row.output)).toEqual(shapes);
    expect(grouped.forward(rng.normal([1, 4, 9, 12])).shape).toEqual([1, ...shapes[2]]);
    expect(rows.map((row) => row.macs)).toEqual([6 * 5 * 6 * 2 * 15, 0, 6 * 5 * 6 * 2 * 9]);
    for (const options of [{ stride: 3, padding: 2, dilation: 2 }, { padding: "same" as const }]) {
      const signals = new Sequential(new Conv1d(2, 3, 5, rng, options));
      const output = layerTable(signals, [2, 40]).rows[0].output;
      expect([1, ...output]).toEqual(signals.forward(rng.normal([1, 2, 40])).shape);
    }
  });
});

test("a layer that is called twice has two rows and one set of parameters; frozen ones are told apart", () => {
  class Twice implements Module {
    readonly inner = new Linear(5, 5, rng);
    readonly last = new Linear(5, 2, rng, { bias: false });
    forward(x: Tensor): Tensor {
      return this.last.forward(this.inner.apply(this.inner.forward(x), "relu"));
    }
  }
  const model = new Twice();
  freeze(model, /^inner\./);
  const { rows, total } = layerTable(model, [5]);
  expect(rows.map(({ name, parameters }) => [name, parameters])).toEqual([
    ["inner", 30],
    ["inner", 0],
    ["last", 10],
  ]);
  expect(total).toEqual({ parameters: 40, trained: 10, macs: 60 });
});

test("what does not fit is the layer's own error", () => {
  const model = new TinyVgg([3, 32, 32], 2, rng);
  expect(() => layerTable(model, [1, 32, 32])).toThrow(/Conv2d\(3 → 10, 3×3\).*the input has 1 channels/);
  expect(() => layerTable(model, [3, 40, 40])).toThrow(
    /TinyVgg\(\[1, 3, 40, 40\]\): it was made for images of 32 × 32/,
  );
});

test("as a picture: a box for each layer, well-formed whatever the names", () => {
  const model = { "<a&b>": new Conv2d(1, 2, 3, rng), forward: (x: Tensor): Tensor => model["<a&b>"].forward(x) };
  const table = layerTable(model, [1, 8, 8]);
  const picture = layerDiagram(table, receptiveField(model, [1, 8, 8]));
  expect(picture).toContain("&lt;a&amp;b&gt;: Conv2d → 2 × 6 × 6\n20 parameters, 648 products\nsees 3 × 3 pixels");
  const tags = picture.match(/<[^>]+>/g)!.filter((tag) => !tag.endsWith("/>"));
  expect(tags.filter((tag) => tag.startsWith("</")).length).toBe(tags.length / 2);
  expect(layerDiagram(table)).not.toContain("receptive field");
});
