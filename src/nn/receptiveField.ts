import type { Shape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { type ConvOptions, geometryOf, type Pair, pair } from "../ops/convGeometry.ts";
import type { AnyModel } from "./capture.ts";
import { ConvTranspose2d } from "./conv.ts";
import { AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d } from "./pool.ts";
import { type Layer, trace, typeOf, weightOf } from "./trace.ts";
import { Upsample } from "./upsample.ts";

/** The part of the image that one number of a layer depends on, along the image's axes: [vertical, horizontal], of signals [along]. */
export interface Field {
  /** In pixels. */
  size: number[];
  /** From a number's field to its neighbour's, in pixels. */
  stride: number[];
  /** Middle of the first number's field: 0 is the middle of the first pixel; negative within the padding. */
  start: number[];
}

export interface FieldRow extends Field {
  name: string;
  type: string;
}

/** What a layer does along one axis: outputs a stride apart see `reach` inputs, the first centred at `offset`. */
interface Step {
  reach: number;
  stride: number;
  offset: number;
}

/**
 * The receptive fields of all layers that put out maps, in the order of the calls, for an input of this shape without the batch.
 * size ← size + (k − 1)·dilation·stride, stride ← stride·s; where branches meet, the field that covers both.
 * VGG16: `features.28` (conv5_3) sees 196 pixels, `features.30` 212.  Araujo, Norris & Sim, Distill 2019.
 */
export function receptiveField(model: AnyModel, inputs: Shape): FieldRow[] {
  const rows: FieldRow[] = [];
  const known = new Map<Tensor, Field | undefined>();
  const fieldOf = (t: Tensor): Field | undefined => {
    if (!known.has(t)) known.set(t, t.node ? cover(t.node.inputs.map(fieldOf)) : undefined);
    return known.get(t);
  };
  trace(model, inputs, (layer, x) => {
    const ones = inputs.slice(1).map(() => 1);
    if (!known.has(x)) known.set(x, { size: ones, stride: ones, start: ones.map(() => 0) });
    const before = fieldOf(layer.input);
    const space = layer.output.rank - 2;
    if (!before || space < 1) return;
    const steps = stepsOf(layer, space);
    // A signal may come as an image of height 1.
    const along = (values: number[]): number[] => values.slice(-space);
    const [size, stride, start] = [along(before.size), along(before.stride), along(before.start)];
    const field: Field = {
      size: size.map((n, i) => n + (steps[i].reach - 1) * stride[i]),
      stride: stride.map((n, i) => n * steps[i].stride),
      start: start.map((n, i) => n + steps[i].offset * stride[i]),
    };
    known.set(layer.output, field);
    rows.push({ name: layer.name, type: typeOf(layer.module), ...field });
  });
  return rows;
}

/** The smallest field that covers several. */
function cover(fields: readonly (Field | undefined)[]): Field | undefined {
  const found = fields.filter((field) => field !== undefined);
  return found.reduce<Field | undefined>((a, b) => {
    if (a === undefined || a === b) return b;
    const low = a.start.map((n, i) => Math.min(n - (a.size[i] - 1) / 2, b.start[i] - (b.size[i] - 1) / 2));
    const high = a.start.map((n, i) => Math.max(n + (a.size[i] - 1) / 2, b.start[i] + (b.size[i] - 1) / 2));
    return {
      size: low.map((n, i) => high[i] - n + 1),
      stride: a.stride.map((n, i) => Math.max(n, b.stride[i])),
      start: low.map((n, i) => (n + high[i]) / 2),
    };
  }, undefined);
}

/** The layer's step along each of its `space` axes. */
function stepsOf({ module, input, output }: Layer, space: number): Step[] {
  const [from, to] = [input.shape.slice(-space), output.shape.slice(-space)];
  if (module instanceof AdaptiveAvgPool2d)
    return to.map((n, i) => {
      const stride = Math.floor(from[i] / n);
      const reach = from[i] - (n - 1) * stride;
      return { reach, stride, offset: (reach - 1) / 2 };
    });
  if (module instanceof Upsample)
    return to.map((n, i) => ({ reach: 1, stride: from[i] / n, offset: (from[i] / n - 1) / 2 }));
  const kernel = kernelOf(module, space);
  if (!kernel) return to.map(() => ({ reach: 1, stride: 1, offset: 0 }));
  const { options = {} } = module as { options?: ConvOptions };
  const isPool = [MaxPool1d, MaxPool2d, AvgPool1d, AvgPool2d].some((type) => module instanceof type);
  const stride = options.stride ?? (isPool ? (kernel.slice(-2) as [number, number]) : 1);
  const geometry = geometryOf(typeOf(module), kernel, { ...options, stride });
  return to.map((_, i) => {
    const axis = 2 - space + i;
    const spread = (geometry.kernel[axis] - 1) * geometry.dilation[axis];
    const [s, before] = [geometry.stride[axis], geometry.before[axis]];
    if (module instanceof ConvTranspose2d)
      return { reach: Math.ceil((spread + 1) / s), stride: 1 / s, offset: (before - spread / 2) / s };
    return { reach: spread + 1, stride: s, offset: spread / 2 - before };
  });
}

/** [vertical, horizontal] size of a layer's window, if it has one; of signals the horizontal counts. */
function kernelOf(module: object, space: number): readonly [number, number] | undefined {
  const { kernelSize } = module as { kernelSize?: Pair };
  if (kernelSize !== undefined) return pair(kernelSize);
  const weight = weightOf(module);
  if (!weight || weight.rank < 3) return undefined;
  const sides = weight.shape.slice(-space);
  return [sides[0], sides[sides.length - 1]];
}
