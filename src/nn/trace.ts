import { withRecording } from "../core/op.ts";
import type { Shape } from "../core/shape.ts";
import { empty, scope, Tensor, zeros } from "../core/tensor.ts";
import { convolvedShape, geometryOf } from "../ops/convGeometry.ts";
import { type AnyModel, type Call, intercept, modules, run } from "./capture.ts";
import { Conv1d, Conv2d } from "./conv.ts";
import { Linear } from "./linear.ts";

/** One call of a layer: a module with none inside. */
export interface Layer {
  name: string;
  module: object;
  input: Tensor;
  output: Tensor;
}

/** What kind of layer it is: its class's name. */
export const typeOf = (module: object): string => module.constructor.name;

/** A module's weight, where it has one. */
export function weightOf(module: object): Tensor | undefined {
  const { weight } = module as { weight?: unknown };
  return weight instanceof Tensor ? weight : undefined;
}

/**
 * The layers in the order of their calls for an input of this shape, without the batch: [C, H, W]. The tape is on, so that `visit` can
 * follow a layer's input back to the outputs of others. Convolutions and linear layers, nearly all of the work, are not computed.
 */
export function trace(model: AnyModel, inputs: Shape, visit: (layer: Layer, x: Tensor) => void): void {
  const names = [...modules(model).keys()];
  const leaves = new Set(names.filter((name) => !names.some((other) => other.startsWith(`${name}.`))));
  scope(() => {
    const x = zeros([1, ...inputs]);
    const around = ({ name, module, input }: Call, compute: () => Tensor): Tensor => {
      if (!leaves.has(name)) return compute();
      const shape = shapeWithout(module, input);
      const output = shape ? empty(shape) : compute();
      visit({ name, module, input, output }, x);
      return output;
    };
    withRecording(true, () => intercept(model, around, () => run(model, [x])));
  }, "trace");
}

/** The output's shape where it can be told without computing; what the layer would refuse is left to it. */
function shapeWithout(module: object, { shape }: Tensor): Shape | undefined {
  if (module instanceof Linear) {
    const [out, features] = module.weight.shape;
    return shape.at(-1) === features ? [...shape.slice(0, -1), out] : undefined;
  }
  if (module instanceof Conv2d && shape.length === 4 && shape[1] === module.inChannels)
    return convolvedShape(
      "Conv2d",
      [shape, module.weight.shape],
      geometryOf("Conv2d", module.kernelSize, module.options),
    );
  if (module instanceof Conv1d && shape.length === 3 && shape[1] === module.inChannels) {
    const [n, c, length] = shape;
    const [out, channels, kernel] = module.weight.shape;
    const { stride = 1, padding = 0, dilation = 1, groups } = module.options;
    const along = (value: number, across: number): [number, number] => [across, value];
    const geometry = geometryOf("Conv1d", [1, kernel], {
      stride: along(stride, 1),
      padding: typeof padding === "number" ? along(padding, 0) : padding,
      dilation: along(dilation, 1),
      groups,
    });
    const y = convolvedShape(
      "Conv1d",
      [
        [n, c, 1, length],
        [out, channels, 1, kernel],
      ],
      geometry,
    );
    return [y[0], y[1], y[3]];
  }
  return undefined;
}
