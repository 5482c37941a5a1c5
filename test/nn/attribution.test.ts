import { describe, expect, test } from "vitest";
import { init, Rng, type Tensor, tensor, zeros } from "../../src/index.ts";
import { Cnn1d, TinyVgg } from "../../src/models/index.ts";
import {
  Conv2d,
  Flatten,
  gradCam,
  Linear,
  layerOutputs,
  type Module,
  occlusion,
  Sequential,
  saliency,
} from "../../src/nn/index.ts";
import { globalAvgPool, relu, softmax } from "../../src/ops/index.ts";

await init({ threads: 1 }); // here, for the tables of cases below hold models

const rng = new Rng(1);
const close = (t: Tensor, expected: readonly number[]): void =>
  expected.forEach((value, i) => expect(t.data[i]).toBeCloseTo(value, 5));

describe("layerOutputs", () => {
  test("what each named module puts out, the rectified where it rectifies", () => {
    const model = new TinyVgg([1, 16, 16], 2, rng);
    const x = rng.normal([2, 1, 16, 16]);
    const all = layerOutputs(model, [x]);
    expect([...all.keys()]).toEqual([
      "conv_1_1",
      "conv_1_2",
      "max_pool_1",
      "conv_2_1",
      "conv_2_2",
      "max_pool_2",
      "output",
    ]);
    expect(all.get("output")!.toArray()).toEqual(model.forward(x).toArray());
    const [first] = layerOutputs(model, [x], ["conv_1_1"]).values();
    close(first, [...model.conv_1_1.forward(x).relu().data]);
    expect(first.node).toBeUndefined();
  });

  test("nested modules have dotted names", () => {
    const model = {
      body: new Sequential(new Linear(2, 3, rng), relu),
      forward: (x: Tensor): Tensor => model.body.forward(x),
    };
    expect([...layerOutputs(model, [zeros([1, 2])]).keys()]).toEqual(["body.0", "body"]);
    expect(() => layerOutputs(model, [zeros([1, 2])], ["body.1"])).toThrow(
      'layerOutputs: the model has no layer "body.1".\n  It has body, body.0.',
    );
  });

  test("leaves the modules as they were, also by an error", () => {
    const own = { forward: (x: Tensor): Tensor => x };
    const model = {
      own,
      linear: new Linear(2, 2, rng),
      forward: (x: Tensor): Tensor => model.own.forward(model.linear.forward(x)),
    };
    const { forward } = own;
    layerOutputs(model, [zeros([1, 2])]);
    expect(() => layerOutputs(model, [zeros([1, 3])])).toThrow("the input has 3 features, not 2");
    expect(own.forward).toBe(forward);
    expect(Object.keys(own)).toEqual(["forward"]);
    for (const method of ["forward", "apply"]) expect(Object.hasOwn(model.linear, method)).toBe(false);
  });
});

/** Logits W·x of an image of two channels of 2 × 2. */
function linearNet(rows: number[][]): Module {
  const linear = new Linear(8, rows.length, rng, { bias: false });
  linear.weight.set(rows.flat());
  return new Sequential(new Flatten(), linear);
}

describe("saliency", () => {
  test("of a linear net is the larger of each pixel's two weights", () => {
    const model = linearNet([
      [1, -2, 3, 0, -5, 1, 1, 0],
      [0, 1, 0, 1, 0, 0, -9, 0],
    ]);
    const x = tensor([1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], [2, 2, 2, 2]);
    const map = saliency(model, x);
    expect(map.shape).toEqual([2, 2, 2]);
    close(map, [5, 2, 3, 0, 0, 1, 9, 1]); // the likeliest: class 0 of the first image, 1 of the second
    close(saliency(model, x, { classIndex: 1 }), [0, 1, 9, 1, 0, 1, 9, 1]);
    expect(() => saliency(model, x, { classIndex: 2 })).toThrow("saliency: there is no class 2; the model puts out 2.");
  });

  test("signals", () => {
    const model = new Cnn1d([1, 1, 40], 3, rng);
    expect(saliency(model, rng.normal([2, 1, 40])).shape).toEqual([2, 40]);
  });
});

describe("gradCam", () => {
  /** Two maps, x and 2·x rectified, averaged and weighted: y₀ = 3·m₀ − m₁, y₁ = m₁. */
  class Known implements Module {
    readonly conv = new Conv2d(1, 2, 1, rng, { bias: false });
    readonly head = new Linear(2, 2, rng, { bias: false });
    constructor() {
      this.conv.weight.set([1, 2]);
      this.head.weight.set([3, -1, 0, 1]);
    }
    forward(x: Tensor): Tensor {
      return this.head.forward(globalAvgPool(this.conv.apply(x, "relu")));
    }
  }

  test("is the maps weighted by the mean of their gradients, rectified, up to 1", () => {
    const x = tensor([1, -1, 2, 4], [1, 1, 2, 2]);
    close(gradCam(new Known(), x, { classIndex: 0 }), [0.25, 0, 0.5, 1]); // (3·A₀ − A₁)/4 = A₀/4
    const against = new Known();
    against.head.weight.set([-3, -1, 0, 1]);
    close(gradCam(against, x, { layer: "conv", classIndex: 0 }), [0, 0, 0, 0]);
  });

  test("each image for itself, at the size asked for", () => {
    const x = tensor([0, 1, 0, 0, 2, 2, 2, 8], [2, 1, 2, 2]);
    close(gradCam(new Known(), x, { classIndex: 1 }), [0, 1, 0, 0, 0.25, 0.25, 0.25, 1]);
    const large = gradCam(new Known(), x, { size: [6, 4] });
    expect(large.shape).toEqual([2, 6, 4]);
    expect(Math.max(...large.data)).toBeCloseTo(1, 5);
    const signals = new Cnn1d([1, 1, 40], 3, rng);
    expect(gradCam(signals, rng.normal([2, 1, 1, 40])).shape).toEqual([2, 5]);
    expect(gradCam(signals, rng.normal([2, 1, 1, 40]), { size: [1, 40] }).shape).toEqual([2, 40]);
  });

  test("a layer that is not there, or has no maps", () => {
    const x = zeros([1, 1, 2, 2]);
    expect(() => gradCam(new Known(), x, { layer: "conv2" })).toThrow('gradCam: the model has no layer "conv2".');
    expect(() => gradCam(new Known(), x, { layer: "head" })).toThrow(
      'gradCam: layer "head" puts out [1, 2], not maps [N, channels, …].',
    );
    expect(() => gradCam(linearNet([[1, 1, 1, 1, 1, 1, 1, 1]]), zeros([1, 2, 2, 2]))).toThrow(
      "gradCam: no layer of the model puts out maps",
    );
  });
});

describe("occlusion", () => {
  /** Class 1 where pixel (1, 2) of 4 × 4 is bright. */
  const model: Module = {
    forward: (x) => {
      const pixel = x.slice({ axis: 2, start: 1, end: 2 }).slice({ axis: 3, start: 2, end: 3 }).reshape(x.shape[0], 1);
      return pixel.matmul(tensor([[0, 1]]));
    },
  };
  const x = tensor(new Float32Array(16).fill(3), [1, 1, 4, 4]);
  const p = (v: number): number => softmax(tensor([[0, v]])).data[1];

  test("falls where the patch covers what counts", () => {
    const map = occlusion(model, x, { size: 1, stride: 1, classIndex: 1 });
    expect(map.shape).toEqual([4, 4]);
    const expected = new Array(16).fill(0);
    expected[6] = p(3) - p(0);
    close(map, expected);
    close(occlusion(model, x, { size: 1, stride: 1, value: 5, classIndex: 1 }), [
      ...expected.map((d) => d && p(3) - p(5)),
    ]);
  });

  test("a pixel has the mean of the patches over it; the last patch ends at the border", () => {
    const map = occlusion(model, x, { size: [4, 3], stride: [1, 2] });
    const drop = p(3) - p(0);
    close(
      map,
      Array.from({ length: 16 }, () => drop),
    ); // columns 0–2 and 1–3 both cover the pixel
    const narrow = occlusion(model, x, { size: [4, 2], stride: [1, 2] });
    close(
      narrow,
      Array.from({ length: 16 }, (_, i) => (i % 4 >= 2 ? drop : 0)),
    );
  });

  test("mistakes", () => {
    expect(() => occlusion(model, zeros([2, 1, 4, 4]))).toThrow("occlusion([2, 1, 4, 4]): the input must be one image");
    expect(() => occlusion(model, x, { size: 1, stride: 2 })).toThrow("some pixels are never covered");
    expect(() => occlusion(model, x, { size: 0 })).toThrow("occlusion: size must be a whole number ≥ 1, not 0.");
  });
});
