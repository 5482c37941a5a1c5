import { mismatch } from "../core/errors.ts";
import { isRecording, type Op, op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { emptyIndices, type Indices, type Tensor } from "../core/tensor.ts";
import { checkedPair, type Pair } from "./convGeometry.ts";
import { reshape } from "./layout.ts";
import { mean } from "./reduce.ts";
import { rowGrain } from "./strides.ts";
import { resample, Taps } from "./taps.ts";

export interface AvgPoolAttrs<S = Pair> {
  kernelSize: S;
  /** The kernel's size by default. */
  stride?: S;
  /** On either side; at most half the kernel. */
  padding?: S;
  /** Whether a last window that reaches beyond the padding counts; it must start before the input's end. */
  ceilMode?: boolean;
  /** Whether padding counts as zeros in the mean (true by default), or not at all. */
  countIncludePad?: boolean;
}

export interface MaxPoolAttrs<S = Pair> extends Omit<AvgPoolAttrs<S>, "countIncludePad"> {
  /** Distance of a window's elements. */
  dilation?: S;
}

/** The windows along one axis: the first starts at −padding. */
interface Windows {
  kernel: number;
  stride: number;
  padding: number;
  dilation: number;
  count: number;
}

/** The two axes' windows, rows first. */
function windowsOf(
  call: string,
  shape: Shape,
  attrs: MaxPoolAttrs | undefined,
  shown = shape,
): readonly [Windows, Windows] {
  if (shape.length !== 4) throw mismatch(call, [shown], "the input must be [N, C, H, W].");
  if (attrs?.kernelSize === undefined) throw mismatch(call, [shown], "it needs a kernelSize.");
  const { kernelSize, stride = kernelSize, ceilMode = false } = attrs;
  const kernels = checkedPair(call, "kernelSize", kernelSize, 1);
  const strides = checkedPair(call, "stride", stride, 1);
  const paddings = checkedPair(call, "padding", attrs.padding ?? 0, 0);
  const dilations = checkedPair(call, "dilation", attrs.dilation ?? 1, 1);
  // Of a line the caller knows the second axis only.
  const of = (sizes: readonly number[]): string => sizes.slice(4 - shown.length).join(" × ");
  const along = (axis: 0 | 1): Windows => {
    const [size, kernel, stride, padding] = [shape[2 + axis], kernels[axis], strides[axis], paddings[axis]];
    if (2 * padding > kernel)
      throw mismatch(call, [shown], `padding ${padding} is more than half of the kernel's size ${kernel}.`);
    const reach = dilations[axis] * (kernel - 1) + 1;
    const room = size + 2 * padding - reach;
    if (room < 0 || size === 0)
      throw mismatch(
        call,
        [shown],
        `the kernel, ${of(kernels)}${reach > kernel ? ` with dilation ${of(dilations)}` : ""}, is larger than the ` +
          `input, ${of(shape.slice(2))}${padding > 0 ? ` with padding ${of(paddings)}` : ""}.`,
        "Use larger images, a smaller kernel, or fewer layers that shrink the image.",
      );
    const count = Math.floor((room + (ceilMode ? stride - 1 : 0)) / stride) + 1;
    // A window that only the rounding up made must start inside.
    const last = (count - 1) * stride < size + padding;
    return { kernel, stride, padding, dilation: dilations[axis], count: last ? count : count - 1 };
  };
  return [along(0), along(1)];
}

/** Whether all windows are 2 × 2, side by side, and whole. */
const isPlain = (axes: readonly Windows[], shape: Shape): boolean =>
  axes.every(
    (a, i) => a.kernel === 2 && a.stride === 2 && a.padding === 0 && a.dilation === 1 && 2 * a.count <= shape[2 + i],
  );

/** Where each output of `maxPool2d` was taken from in its plane, kept for its gradient: the choices live as long as the output. */
const chosen = new WeakMap<Tensor, Indices>();

/**
 * The largest of each window: x [N, C, H, W] → [N, C, H′, W′], H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1 (rounded up
 * with `ceilMode`). Padding is −∞; NaN is larger than all. The gradient goes to the element chosen, the first of equals.
 */
export const maxPool2d: Op<[x: Tensor], MaxPoolAttrs> = op("maxPool2d", {
  shape: ([shape], attrs) => [...shape.slice(0, 2), ...windowsOf("maxPool2d", shape, attrs).map((a) => a.count)],
  forward(y, [x], attrs) {
    const axes = windowsOf("maxPool2d", x.shape, attrs);
    const [planes, h, w] = [x.shape[0] * x.shape[1], x.shape[2], x.shape[3]];
    let index = 0;
    if (isRecording()) {
      const choice = emptyIndices(y.size);
      chosen.set(y, choice);
      index = choice.ptr;
    }
    const operands = [y.ptr, index, x.ptr, h, w, y.shape[2], y.shape[3]];
    if (isPlain(axes, x.shape)) parallel("maxPool2x2", planes, rowGrain(h * w), ...operands);
    else {
      const [rows, columns] = axes;
      const sizes = (["kernel", "stride", "padding", "dilation"] as const).flatMap((key) => [rows[key], columns[key]]);
      const work = (y.size / Math.max(1, planes)) * rows.kernel * columns.kernel;
      parallel("maxPool", planes, rowGrain(2 * work), ...operands, ...sizes);
    }
  },
  vjp(g, [x], y, attrs) {
    const plain = isPlain(windowsOf("maxPool2d", x.shape, attrs), x.shape);
    return [putChosen(g, { index: chosen.get(y)!, shape: x.shape, plain })];
  },
});

/** The choices of a pooling: positions in the planes of a `shape` [N, C, H, W]. */
interface Choice {
  index: Indices;
  shape: Shape;
  /** 2 × 2 windows, side by side. */
  plain: boolean;
}

const planesOf = ({ shape }: Choice): { planes: number; size: number; grain: number } => {
  const size = sizeOf(shape.slice(2));
  return { planes: shape[0] * shape[1], size, grain: rowGrain(size) };
};

/** g [N, C, H′, W′] put back to where each of its elements was chosen, zeros elsewhere. Its adjoint is `takeChosen`. */
const putChosen: Op<[g: Tensor], Choice> = op("putChosen", {
  shape: (_shapes, { shape }) => shape,
  forward(d, [g], choice) {
    const { planes, size, grain } = planesOf(choice);
    const operands = [d.ptr, g.ptr, choice.index.ptr];
    const [h, w, oh, ow] = [...choice.shape.slice(2), ...g.shape.slice(2)];
    if (choice.plain) parallel("putChosen2x2", planes, grain, ...operands, h, w, oh, ow);
    else parallel("putChosen", planes, grain, ...operands, size, oh * ow);
  },
  vjp: (u, [g], _d, choice) => [takeChosen(u, { ...choice, pooled: g.shape })],
});

/** The elements chosen. */
const takeChosen: Op<[x: Tensor], Choice & { pooled: Shape }> = op("takeChosen", {
  shape: (_shapes, { pooled }) => pooled,
  forward(y, [x], choice) {
    const { planes, size, grain } = planesOf(choice);
    parallel("takeChosen", planes, grain, y.ptr, x.ptr, choice.index.ptr, size, sizeOf(choice.pooled.slice(2)));
  },
  vjp: (g, _x, _y, choice) => [putChosen(g, choice)],
});

/** The mean over each window along one axis, as a map of that axis. */
function means({ kernel, stride, padding, count }: Windows, size: number, countIncludePad: boolean): Taps {
  return new Taps(size, count, (i) => {
    const start = i * stride - padding;
    const [from, to] = [Math.max(start, 0), Math.min(start + kernel, size)];
    const divisor = countIncludePad ? Math.min(start + kernel, size + padding) - start : to - from;
    return Array.from({ length: to - from }, (_, k) => [from + k, 1 / divisor]);
  });
}

/** The mean of each window: x [N, C, H, W] → [N, C, H′, W′], sizes as for `maxPool2d`. */
export function avgPool2d(x: Tensor, { countIncludePad = true, ...attrs }: AvgPoolAttrs): Tensor {
  const [rows, columns] = windowsOf("avgPool2d", x.shape, attrs);
  return resample(x, {
    rows: means(rows, x.shape[2], countIncludePad),
    columns: means(columns, x.shape[3], countIncludePad),
  });
}

/** The mean over ⌊i·n/count⌋ … ⌈(i + 1)·n/count⌉ for each of `count` windows, which overlap where they do not divide n. */
const adaptive = (n: number, count: number): Taps =>
  new Taps(n, count, (i) => {
    const [from, to] = [Math.floor((i * n) / count), Math.ceil(((i + 1) * n) / count)];
    return Array.from({ length: to - from }, (_, k) => [from + k, 1 / (to - from)]);
  });

/** Means over windows that cover the image evenly, however large it is: x [N, C, H, W] → [N, C, …outputSize]. */
export function adaptiveAvgPool2d(x: Tensor, { outputSize }: { outputSize: Pair }): Tensor {
  if (x.rank !== 4) throw mismatch("adaptiveAvgPool2d", [x.shape], "the input must be [N, C, H, W].");
  if (outputSize === undefined) throw mismatch("adaptiveAvgPool2d", [x.shape], "it needs an outputSize.");
  const [oh, ow] = checkedPair("adaptiveAvgPool2d", "outputSize", outputSize, 1);
  const [h, w] = x.shape.slice(2);
  if (h * w === 0) throw mismatch("adaptiveAvgPool2d", [x.shape], "the image is empty: it has no mean.");
  if (oh === h && ow === w) return x;
  return resample(x, { rows: adaptive(h, oh), columns: adaptive(w, ow) });
}

/** A pooling of [N, C, L] as one of [N, C, 1, L]. */
function alongLine(call: string, x: Tensor, pool: (image: Tensor) => Tensor, attrs?: MaxPoolAttrs): Tensor {
  if (x.rank !== 3) throw mismatch(call, [x.shape], "the input must be [N, C, L].");
  const [n, c, length] = x.shape;
  if (attrs) windowsOf(call, [n, c, 1, length], attrs, x.shape);
  const y = pool(reshape(x, { shape: [n, c, 1, length] }));
  return reshape(y, { shape: [n, c, y.shape[3]] });
}

/** Sizes along a line as those of an image of height 1. */
function flat<A extends MaxPoolAttrs<number>>(call: string, x: Tensor, attrs: A | undefined) {
  if (attrs?.kernelSize === undefined) throw mismatch(call, [x.shape], "it needs a kernelSize.");
  const { kernelSize, stride = kernelSize, padding = 0, dilation = 1, ...rest } = attrs;
  const sizes = {
    kernelSize: [1, kernelSize],
    stride: [1, stride],
    padding: [0, padding],
    dilation: [1, dilation],
  } as const;
  return { ...rest, ...sizes };
}

/** The largest of each window: x [N, C, L] → [N, C, L′]; see `maxPool2d`. */
export function maxPool1d(x: Tensor, attrs: MaxPoolAttrs<number>): Tensor {
  const across = flat("maxPool1d", x, attrs);
  return alongLine("maxPool1d", x, (image) => maxPool2d(image, across), across);
}

/** The mean of each window: x [N, C, L] → [N, C, L′]; see `avgPool2d`. */
export function avgPool1d(x: Tensor, attrs: AvgPoolAttrs<number>): Tensor {
  const across = flat("avgPool1d", x, attrs);
  return alongLine("avgPool1d", x, (image) => avgPool2d(image, across), across);
}

/** Means over `outputSize` windows that cover the line evenly: x [N, C, L] → [N, C, outputSize]. */
export const adaptiveAvgPool1d = (x: Tensor, { outputSize }: { outputSize: number }): Tensor =>
  alongLine("adaptiveAvgPool1d", x, (image) => adaptiveAvgPool2d(image, { outputSize: [1, outputSize] }));

/** x [N, C, …] as [N, C, elements]. */
function asLine(call: string, x: Tensor): Tensor {
  if (x.rank < 3) throw mismatch(call, [x.shape], "the input must be [N, C, …].");
  const [n, c, ...space] = x.shape;
  if (sizeOf(space) === 0) throw mismatch(call, [x.shape], "the image is empty.");
  return reshape(x, { shape: [n, c, sizeOf(space)] });
}

/** The mean of each channel: x [N, C, …] → [N, C]. */
export const globalAvgPool = (x: Tensor): Tensor => mean(asLine("globalAvgPool", x), { axes: 2 });

/** The largest of each channel: x [N, C, …] → [N, C]. */
export function globalMaxPool(x: Tensor): Tensor {
  const line = asLine("globalMaxPool", x);
  return reshape(maxPool1d(line, { kernelSize: line.shape[2] }), { shape: x.shape.slice(0, 2) });
}
