import { type Shape, sizeOf } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { AnyModel } from "./capture.ts";
import { ConvTranspose2d } from "./conv.ts";
import { Linear } from "./linear.ts";
import { parameterCount, parameters } from "./module.ts";
import { trace, typeOf, weightOf } from "./trace.ts";

export interface LayerRow {
  /** As in the state dict, without ".weight". */
  name: string;
  /** Conv2d, MaxPool2d, Linear … */
  type: string;
  /** Of one input: [channels, height, width], [features]. */
  output: Shape;
  /** Numbers that are learned, frozen or not. */
  parameters: number;
  /** Products added up for one input, of convolutions and linear layers. */
  macs: number;
}

export interface LayerTable {
  /** In the order of the calls. */
  rows: LayerRow[];
  total: { parameters: number /** Without the frozen ones. */; trained: number; macs: number };
}

/** A model's layers for an input of this shape, without the batch: [C, H, W]. Shapes only: the model's work is not done. */
export function layerTable(model: AnyModel, inputs: Shape): LayerTable {
  const counted = new Set<Tensor>();
  const rows: LayerRow[] = [];
  trace(model, inputs, ({ name, module, input, output }) => {
    let count = 0;
    for (const parameter of parameters(module, { frozen: true }).values())
      if (!counted.has(parameter)) {
        counted.add(parameter);
        count += parameter.size;
      }
    const macs = macsOf(module, input, output);
    rows.push({ name, type: typeOf(module), output: output.shape.slice(1), parameters: count, macs });
  });
  const all = [...parameters(model, { frozen: true }).values()];
  return {
    rows,
    total: {
      parameters: all.reduce((sum, { size }) => sum + size, 0),
      trained: parameterCount(model),
      macs: rows.reduce((sum, row) => sum + row.macs, 0),
    },
  };
}

/** Every number of a kernel meets one of the input for each place of the output; of a transposed one for each of the input. */
function macsOf(module: object, { shape: input }: Tensor, { shape: output }: Tensor): number {
  const weight = weightOf(module);
  if (!weight) return 0;
  if (module instanceof Linear) return (sizeOf(output) / output[output.length - 1]) * weight.size;
  if (weight.rank < 3 || output.length < 3) return 0;
  return sizeOf((module instanceof ConvTranspose2d ? input : output).slice(2)) * weight.size;
}
