import { noGrad } from "../../core/op.ts";
import { scope, type Tensor } from "../../core/tensor.ts";
import { overlay } from "../../data/heatmap.ts";
import { image } from "../../data/image.ts";
import { gradCam, layerOutputs, occlusion, saliency } from "../../nn/index.ts";
import type { Method } from "./config.ts";
import type { SquareMap } from "./convolution.ts";
import type { Learner } from "./learner.ts";
import { rowOf } from "./pictures.ts";

/** The picture that is looked at, and what people want to see of it in the network. */
export interface View {
  /** Bytes [size, size]. */
  pixels: Uint8Array;
  size: number;
  layer: string;
  method: Method;
  /** The class that is explained; left out, the likeliest. */
  classIndex?: number;
}

/** What the network makes of that picture. */
export interface Seen {
  view: View;
  probabilities: Float32Array;
  /** What the layer puts out: one map for each channel. */
  maps: SquareMap[];
  /** Where in the picture the class is seen, laid over it: bytes [3, size, size]. */
  explanation: Uint8Array;
}

const explain: Record<Method, (learner: Learner, x: Tensor, classIndex?: number) => Tensor> = {
  gradCam: ({ model }, x, classIndex) => gradCam(model, x, { classIndex }),
  saliency: ({ model }, x, classIndex) => saliency(model, x, { classIndex }),
  occlusion: ({ model }, x, classIndex) => occlusion(model, x, { classIndex }),
};

export function see(learner: Learner, view: View): Seen {
  const { pixels, size, layer, method, classIndex } = view;
  return scope(() => {
    const { model, task, featuriser } = learner;
    const [x] = featuriser.dataset(rowOf(pixels, size)).batch(Int32Array.of(0)).inputs as [Tensor];
    const probabilities = noGrad(() => task.decode(model.forward(x), [x]));
    const output = layerOutputs(model, [x], [layer]).get(layer)!;
    const side = output.shape[3];
    const all = output.toArray();
    const maps = Array.from({ length: output.shape[1] }, (_, c) => ({
      side,
      data: all.slice(c * side * side, (c + 1) * side * side),
    }));
    const map = explain[method](learner, x, classIndex);
    const data = map.toArray();
    const [height, width] = map.shape.slice(-2);
    const most = data.reduce((a, b) => Math.max(a, b), 0);
    const laid = overlay(image(size, size, 1, pixels), image(width, height, 1, data), { range: [0, most || 1] });
    return { view, probabilities, maps, explanation: laid.data as Uint8Array };
  }, "picture");
}
