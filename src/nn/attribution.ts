import { mismatch, UserError } from "../core/errors.ts";
import { grad } from "../core/grad.ts";
import { noGrad, withRecording } from "../core/op.ts";
import { emit, type Indices, indices, scope, type Tensor } from "../core/tensor.ts";
import { abs, argmax, max, mean, mul, pick, relu, reshape, softmax, sum, upsample } from "../ops/index.ts";
import { type AnyModel, type Call, checkNames, intercept, modules, run } from "./capture.ts";

/** Why a net of images [N, C, …] → [N, classes] answers as it does: maps over the image, larger where the image counts more. */
export interface AttributionOptions {
  /** The class that is explained; left out, each image's likeliest. 0 where the net puts out one number. */
  classIndex?: number;
}

/** The class explained for each image. */
function classesOf(call: string, y: Tensor, { classIndex }: AttributionOptions): Indices {
  if (y.rank !== 2) throw mismatch(call, [y.shape], "the model must put out [N, classes].");
  const [n, classes] = y.shape;
  if (classIndex === undefined) return argmax(y);
  if (!(Number.isInteger(classIndex) && classIndex >= 0 && classIndex < classes))
    throw new UserError(`${call}: there is no class ${classIndex}; the model puts out ${classes}.`);
  return indices(new Int32Array(n).fill(classIndex));
}

/**
 * |∂yₖ/∂x|, the largest over the channels: x [N, C, H, W] → [N, H, W], signals [N, C, L] → [N, L]. How much a small change of each
 * pixel would change the class's output.  Simonyan, Vedaldi & Zisserman, ICLR workshop 2014.
 */
export function saliency(model: AnyModel, x: Tensor, options: AttributionOptions = {}): Tensor {
  return scope(() => {
    const input = x.detach();
    const score = withRecording(true, () => {
      const y = run(model, [input]);
      return sum(pick(y, { index: classesOf("saliency", y, options) }));
    });
    const [slope] = grad(score, [input]);
    return noGrad(() => max(abs(slope), { axis: 1 }));
  }, "saliency");
}

export interface GradCamOptions extends AttributionOptions {
  /** A layer that puts out [N, channels, …]; left out, the last such layer with weights. */
  layer?: string;
  /** Brings the map to this height and width, those of the image as a rule. */
  size?: readonly [number, number];
}

/**
 * Grad-CAM: the layer's maps A added up, each weighted by the mean of ∂yₖ/∂A over its positions, what is negative cut off, brought
 * to 0 … 1 image by image. x [N, C, H, W] → [N, h, w] of the layer's size.  Selvaraju et al., ICCV 2017.
 * Where a rectifier follows the layer in the same pass, A is what comes out of it.
 */
export function gradCam(model: AnyModel, x: Tensor, options: GradCamOptions = {}): Tensor {
  const { layer, size } = options;
  if (layer !== undefined) checkNames("gradCam", model, [layer]);
  return scope(() => {
    let maps: Tensor | undefined;
    const around = ({ name, module }: Call, compute: () => Tensor): Tensor => {
      const y = compute();
      const fits = layer === undefined ? y.rank >= 3 && "weight" in module : name === layer;
      if (fits) maps = y;
      return y;
    };
    const score = withRecording(true, () => {
      const y = intercept(model, around, () => run(model, [x.detach()]));
      return sum(pick(y, { index: classesOf("gradCam", y, options) }));
    });
    if (!maps || maps.rank < 3)
      throw new UserError(
        layer === undefined
          ? "gradCam: no layer of the model puts out maps [N, channels, …]."
          : `gradCam: layer "${layer}" puts out ${maps ? `[${maps.shape.join(", ")}]` : "nothing"}, not maps [N, channels, …].`,
        `The layers are ${[...modules(model).keys()].join(", ")}.`,
      );
    const [slope] = grad(score, [maps]);
    return noGrad(() => {
      const space = maps!.shape.slice(2).map((_, i) => i + 2);
      const weights = mean(slope, { axes: space, keepDim: true });
      const map = relu(sum(mul(maps!, weights), { axes: 1 }));
      const full = size ? enlarged(map, size) : map;
      return normalised(full);
    });
  }, "gradCam");
}

/** Maps [N, h, w], or [N, l] for signals, at another size, bilinear. */
function enlarged(map: Tensor, size: readonly [number, number]): Tensor {
  const [n, ...space] = map.shape;
  const [h, w] = space.length === 1 ? [1, space[0]] : space;
  const image = upsample(reshape(map, { shape: [n, 1, h, w] }), { size, mode: "bilinear" });
  return reshape(image, { shape: space.length === 1 && size[0] === 1 ? [n, size[1]] : [n, ...size] });
}

/** Each map divided by its largest value; a map of zeros stays. */
function normalised(maps: Tensor): Tensor {
  const length = maps.size / maps.shape[0];
  return emit(maps.shape, ({ data }) => {
    data.set(maps.data);
    for (let start = 0; start < data.length; start += length) {
      const map = data.subarray(start, start + length);
      const largest = map.reduce((a, b) => Math.max(a, b), 0);
      if (largest > 0) for (let i = 0; i < length; i++) map[i] /= largest;
    }
  });
}

export interface OcclusionOptions extends AttributionOptions {
  /** Side of the patch, or [height, width]; a quarter of the image where left out. */
  size?: number | readonly [number, number];
  /** From one patch to the next, at most the size; half of it where left out. */
  stride?: number | readonly [number, number];
  /** What the patch is filled with, in the units of x. Default 0, the mean of a normalised image. */
  value?: number;
}

/** Occluded copies that are computed at a time. */
const BATCH = 32;

/**
 * How far the class's probability falls when a patch of the image is covered: x [1, C, H, W] → [H, W], at each pixel the mean over
 * the patches that cover it.  Zeiler & Fergus, ECCV 2014. Negative where covering helps. Needs a net whose outputs are logits.
 */
export function occlusion(model: AnyModel, x: Tensor, options: OcclusionOptions = {}): Tensor {
  if (x.rank !== 4 || x.shape[0] !== 1)
    throw mismatch("occlusion", [x.shape], "the input must be one image, [1, C, H, W].");
  const [, channels, height, width] = x.shape;
  const size = pairOf("size", options.size ?? [Math.ceil(height / 4), Math.ceil(width / 4)]);
  const stride = pairOf("stride", options.stride ?? [Math.ceil(size[0] / 2), Math.ceil(size[1] / 2)]);
  if (stride[0] > size[0] || stride[1] > size[1])
    throw new UserError(`occlusion: with stride ${stride} and size ${size} some pixels are never covered.`);
  const [rows, columns] = [starts(height, size[0], stride[0]), starts(width, size[1], stride[1])];
  const patches = rows.flatMap((row) => columns.map((column) => [row, column] as const));
  const image = x.toArray();
  const drops = noGrad(() => {
    const [index, whole] = scope(() => {
      const y = run(model, [x]);
      const found = classesOf("occlusion", y, options).data[0];
      return [found, softmax(y).data[found]];
    });
    const result: number[] = [];
    for (let start = 0; start < patches.length; start += BATCH)
      scope(() => {
        const part = patches.slice(start, start + BATCH);
        const copies = emit([part.length, channels, height, width], ({ data }) => {
          part.forEach(([row, column], i) => {
            data.set(image, i * image.length);
            for (let c = 0; c < channels; c++)
              for (let r = row; r < Math.min(row + size[0], height); r++) {
                const from = ((i * channels + c) * height + r) * width + column;
                data.fill(options.value ?? 0, from, from + Math.min(size[1], width - column));
              }
          });
        });
        const p = softmax(run(model, [copies]));
        for (let i = 0; i < part.length; i++) result.push(whole - p.data[i * p.shape[1] + index]);
      });
    return result;
  });
  return emit([height, width], ({ data }) => {
    const counts = new Float32Array(data.length);
    data.fill(0);
    patches.forEach(([row, column], i) => {
      for (let r = row; r < Math.min(row + size[0], height); r++)
        for (let c = column; c < Math.min(column + size[1], width); c++) {
          data[r * width + c] += drops[i];
          counts[r * width + c]++;
        }
    });
    for (let i = 0; i < data.length; i++) data[i] /= counts[i];
  });
}

function pairOf(name: string, size: number | readonly [number, number]): readonly [number, number] {
  const both = typeof size === "number" ? ([size, size] as const) : size;
  if (!both.every((n) => Number.isInteger(n) && n >= 1))
    throw new UserError(`occlusion: ${name} must be a whole number ≥ 1, not ${JSON.stringify(size)}.`);
  return both;
}

/** Where patches begin along an axis: a stride apart, the last at the border. */
function starts(length: number, size: number, stride: number): number[] {
  const last = Math.max(0, length - size);
  const regular = Array.from({ length: Math.floor(last / stride) + 1 }, (_, i) => i * stride);
  return regular.at(-1) === last ? regular : [...regular, last];
}
