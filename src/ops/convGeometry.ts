/** What a convolution's options mean: one form for all of them, checked. */
import { mismatch, UserError } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";

/** One size for both axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

export interface ConvOptions<P = Pair> {
  stride?: P;
  /** Zeros around the image; "same" keeps its size (for stride 1), "valid" is 0. */
  padding?: P | "same" | "valid";
  dilation?: P;
  /** Into so many parts the channels are cut, each convolved on its own; as many as channels: depthwise. */
  groups?: number;
}

/** [vertical, horizontal] each; `before` and `after` are the margins of zeros. */
export interface Geometry {
  kernel: readonly [number, number];
  stride: readonly [number, number];
  before: readonly [number, number];
  after: readonly [number, number];
  dilation: readonly [number, number];
  groups: number;
}

export const pair = (size: Pair): [number, number] => (typeof size === "number" ? [size, size] : [size[0], size[1]]);

/** Whole numbers ≥ least, or an error that names the option. */
export function checkedPair(call: string, name: string, size: Pair, least: number): [number, number] {
  const sizes: readonly unknown[] = typeof size === "number" ? [size, size] : Array.isArray(size) ? size : [];
  if (sizes.length !== 2 || !sizes.every((n) => Number.isInteger(n) && (n as number) >= least))
    throw new UserError(
      `${call}: ${name} must be a whole number ≥ ${least}, or two of them, not ${JSON.stringify(size)}.`,
    );
  return [sizes[0] as number, sizes[1] as number];
}

export function geometryOf(call: string, kernel: readonly [number, number], options: ConvOptions): Geometry {
  checkedPair(call, "the kernel", kernel, 1);
  const stride = checkedPair(call, "stride", options.stride ?? 1, 1);
  const dilation = checkedPair(call, "dilation", options.dilation ?? 1, 1);
  const { padding = 0, groups = 1 } = options;
  if (!(Number.isInteger(groups) && groups >= 1))
    throw new UserError(`${call}: groups must be a whole number ≥ 1, not ${groups}.`);
  if (padding !== "same") {
    const margins = checkedPair(call, "padding", padding === "valid" ? 0 : padding, 0);
    return { kernel, stride, before: margins, after: margins, dilation, groups };
  }
  if (stride[0] !== 1 || stride[1] !== 1)
    throw new UserError(
      `${call}: padding "same" goes with stride 1, not ${JSON.stringify(options.stride)}.`,
      "Give the padding as a number: (kernel − 1) / 2 for an odd kernel.",
    );
  const total = kernel.map((k, axis) => dilation[axis] * (k - 1));
  const before: [number, number] = [Math.floor(total[0] / 2), Math.floor(total[1] / 2)];
  return { kernel, stride, before, after: [total[0] - before[0], total[1] - before[1]], dilation, groups };
}

/** Height and width of the result. */
export function outputSize(size: readonly number[], { kernel, stride, before, after, dilation }: Geometry): number[] {
  return size.map((n, axis) =>
    Math.floor((n + before[axis] + after[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis] + 1),
  );
}

const by = (size: readonly number[]): string => size.join(" × ");

/** The shape of a convolution of x [N, C, H, W] with weight [O, C / groups, kh, kw], and of one of signals [N, C, L]. */
export function convolvedShape(call: string, shapes: readonly Shape[], geometry: Geometry): Shape {
  const [x, weight] = shapes;
  const { groups, kernel, dilation, before, after } = geometry;
  if (weight[0] % groups !== 0 || x[1] % groups !== 0)
    throw mismatch(
      call,
      shapes,
      `${groups} groups do not divide ${x[1] % groups !== 0 ? `${x[1]} channels` : `${weight[0]} outputs`}.`,
    );
  if (x[1] !== weight[1] * groups)
    throw mismatch(
      call,
      shapes,
      `the input has ${x[1]} channels, the weight takes ${weight[1] * groups}${groups > 1 ? ` (${groups} groups of ${weight[1]})` : ""}.`,
    );
  // A signal is an image of height 1.
  const axes = x.slice(2);
  const [last] = axes.slice(-1);
  const size = outputSize(axes.length === 1 ? [1, last] : axes, geometry).slice(-axes.length);
  if (size.some((n) => n < 1)) {
    const of = (sizes: readonly number[]): number[] => sizes.slice(-axes.length);
    const padded = of(before).map((n, axis) => n + axes[axis] + of(after)[axis]);
    const reach = of(kernel.map((k, axis) => dilation[axis] * (k - 1) + 1));
    throw mismatch(
      call,
      shapes,
      `the kernel, ${by(reach)}${dilation.some((d) => d > 1) ? " with its dilation" : ""}, is larger than the padded input, ${by(padded)}.`,
      "Use more padding, a smaller kernel, or larger images.",
    );
  }
  return [x[0], weight[0], ...size];
}
