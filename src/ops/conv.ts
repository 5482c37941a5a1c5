/**
 * Convolution and its two adjoints. T(x, w, g) = Σ g · (x ∗ w) is linear in each of its three arguments, so `convolve`,
 * `convolveInput` and `convolveWeight`, its derivatives, are each other's gradients: differentiable to any order.
 */
import { mismatch, UserError } from "../core/errors.ts";
import { allocate, f32View, i32View, release } from "../core/memory.ts";
import { fused, type Op, op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { type Shape, sameShape } from "../core/shape.ts";
import { emit, Tensor } from "../core/tensor.ts";
import { relu } from "./activation.ts";
import {
  type ConvOptions,
  checkedPair,
  convolvedShape,
  type Geometry,
  geometryOf,
  outputSize,
  type Pair,
} from "./convGeometry.ts";
import { type Correlation, correlate, correlateWeights } from "./correlate.ts";
import { add } from "./elementwise.ts";
import { pad, reshape, squeeze, unsqueeze } from "./layout.ts";
import { sum } from "./reduce.ts";
import { GRAIN } from "./strides.ts";
import { type Filter, tileSize, winograd, winogradWeights } from "./winograd.ts";

export type { ConvOptions, Pair };

/** Epilogue of a convolution. */
interface Finish {
  bias?: number;
  activation?: "none" | "relu";
}

const hw = (shape: Shape): [number, number] => [shape[2], shape[3]];

/** The correlation that a convolution of x [N, C, H, W] with w [O, C / groups, kh, kw] is. */
function forwardCorrelation(x: Shape, w: Shape, geometry: Geometry): Correlation {
  const { stride, before, dilation, groups } = geometry;
  const grid = outputSize(x.slice(2), geometry) as [number, number];
  const taps: [number, number][] = [];
  for (let i = 0; i < w[2]; i++)
    for (let j = 0; j < w[3]; j++) taps.push([i * dilation[0] - before[0], j * dilation[1] - before[1]]);
  const [rows, channels] = [w[0] / groups, w[1]];
  const target = { target: grid, start: [0, 0], step: [1, 1] } as const;
  return { images: x[0], groups, rows, channels, grid, read: stride, taps, source: hw(x), ...target };
}

/** The filter of 3 × 3 that a convolution of x [N, C, H, W] to [N, rows, …] is. */
const filterOf = (x: Shape, rows: number, { before }: Geometry, target: readonly [number, number]): Filter => ({
  ...{ images: x[0], channels: x[1], rows, source: hw(x), target, before },
});

function runForward(y: Tensor, x: Tensor, w: Tensor, geometry: Geometry, finish: Finish = {}): void {
  if (y.size === 0) return;
  const filter = { ...filterOf(x.shape, w.shape[0], geometry, hw(y.shape)), ...finish };
  const m = tileSize(filter, geometry);
  if (m) {
    winograd(m, y.ptr, x.ptr, w.ptr, { rowStep: 9 * filter.channels, depthStep: 9, flip: false }, filter);
    return;
  }
  correlate(y.ptr, x.ptr, w.ptr, { ...forwardCorrelation(x.shape, w.shape, geometry), ...finish });
}

/**
 * The input's gradient d [N, C, H, W] from g [N, O, …]. Inputs a stride apart meet the same taps, so each such class is a
 * correlation of its own, with those taps only.
 */
function runInput(d: Tensor, g: Tensor, w: Tensor, geometry: Geometry): void {
  const { stride, before, dilation, groups } = geometry;
  if (d.size === 0) return;
  const turned = { ...geometry, before: [2 - before[0], 2 - before[1]] as const };
  const filter = filterOf(g.shape, w.shape[1], turned, hw(d.shape));
  const m = tileSize(filter, geometry);
  if (m) {
    winograd(m, d.ptr, g.ptr, w.ptr, { rowStep: 9, depthStep: 9 * filter.rows, flip: true }, filter);
    return;
  }
  const [rows, channels] = [w.shape[1], w.shape[0] / groups];
  const size = hw(d.shape);
  const along = (axis: number, start: number): [tap: number, offset: number][] =>
    Array.from({ length: w.shape[2 + axis] }, (_, tap): [number, number] => [
      tap,
      (start + before[axis] - tap * dilation[axis]) / stride[axis],
    ]).filter(([, offset]) => Number.isInteger(offset));
  const flipped = allocate(4 * w.size);
  const list = allocate(4 * w.shape[2] * w.shape[3]);
  for (let y0 = 0; y0 < Math.min(stride[0], size[0]); y0++)
    for (let x0 = 0; x0 < Math.min(stride[1], size[1]); x0++) {
      const grid = [Math.ceil((size[0] - y0) / stride[0]), Math.ceil((size[1] - x0) / stride[1])] as const;
      const pairs = along(0, y0).flatMap(([i, dy]) =>
        along(1, x0).map(([j, dx]) => ({ tap: i * w.shape[3] + j, at: [dy, dx] as const })),
      );
      const target = { target: size, start: [y0, x0], step: stride } as const;
      const reached = pairs.length > 0 && g.size > 0;
      // A class that no tap reaches is 0: a correlation with one tap of weight 0 writes that.
      const taps = reached ? pairs.map(({ at }) => at) : [[0, 0] as const];
      const numbers = pairs.map(({ tap }) => tap);
      if (reached) {
        i32View(list.ptr, numbers.length).set(numbers);
        const sizes = [channels, rows, w.shape[2] * w.shape[3], numbers.length];
        parallel("convFlip", groups * rows, 64, flipped.ptr, w.ptr, list.ptr, ...sizes);
      } else f32View(flipped.ptr, groups * rows * channels).fill(0);
      correlate(d.ptr, g.ptr, flipped.ptr, {
        ...{ images: d.shape[0], groups, rows, channels, grid, read: [1, 1], taps, source: hw(g.shape), ...target },
      });
    }
  release(list);
  release(flipped);
}

function runWeight(d: Tensor, x: Tensor, g: Tensor, geometry: Geometry): void {
  if (d.size === 0) return;
  const filter = filterOf(x.shape, g.shape[1], geometry, hw(g.shape));
  const m = tileSize(filter, geometry);
  if (m) winogradWeights(m, d.ptr, x.ptr, g.ptr, filter);
  else correlateWeights(d.ptr, x.ptr, g.ptr, forwardCorrelation(x.shape, d.shape, geometry));
}

/** x [N, C, H, W] ∗ w [O, C / groups, kh, kw] → [N, O, …]: cross-correlation, as everywhere in deep learning. */
export const convolve: Op<[x: Tensor, weight: Tensor], { geometry: Geometry }> = op("convolve", {
  shape: (shapes, { geometry }) => convolvedShape("convolve", shapes, geometry),
  forward: (y, [x, w], { geometry }) => runForward(y, x, w, geometry),
  vjp: (g, [x, w], _y, { geometry }) => [
    convolveInput(g, w, { geometry, size: hw(x.shape) }),
    convolveWeight(x, g, { geometry }),
  ],
});

/** The adjoint of `convolve` in x: g [N, O, …] → [N, C, H, W] of the given size. */
export const convolveInput: Op<[g: Tensor, weight: Tensor], { geometry: Geometry; size: readonly [number, number] }> =
  op("convolveInput", {
    shape([g, w], { geometry, size }) {
      const x = [g[0], w[1] * geometry.groups, ...size];
      const out = convolvedShape("convolveInput", [x, w], geometry);
      if (!sameShape(out, g))
        throw mismatch("convolveInput", [g, w], `an input of ${size.join(" × ")} has an output [${out.join(", ")}].`);
      return x;
    },
    forward: (d, [g, w], { geometry }) => runInput(d, g, w, geometry),
    vjp: (h, [g, w], _d, { geometry }) => [convolve(h, w, { geometry }), convolveWeight(h, g, { geometry })],
  });

/** The adjoint of `convolve` in the weight: x [N, C, H, W], g [N, O, …] → [O, C / groups, kh, kw]. */
export const convolveWeight: Op<[x: Tensor, g: Tensor], { geometry: Geometry }> = op("convolveWeight", {
  shape([x, g], { geometry }) {
    const w = [g[1], x[1] / geometry.groups, ...geometry.kernel];
    const out = convolvedShape("convolveWeight", [x, w], geometry);
    if (!sameShape(out, g)) throw mismatch("convolveWeight", [x, g], `this input has an output [${out.join(", ")}].`);
    return w;
  },
  forward: (d, [x, g], { geometry }) => runWeight(d, x, g, geometry),
  vjp: (u, [x, g], _d, { geometry }) => [
    convolveInput(g, u, { geometry, size: hw(x.shape) }),
    convolve(x, u, { geometry }),
  ],
});

/** Rectify in the same pass, where asked for. */
interface Activated {
  activation?: "none" | "relu";
}

/** With a bias or without. */
interface Convolution<Options> {
  (x: Tensor, weight: Tensor, options?: Options): Tensor;
  (x: Tensor, weight: Tensor, bias: Tensor | undefined, options?: Options): Tensor;
}

/** Input, weight and, where there is one, bias. */
type Inputs = readonly Tensor[];

const biased = fused<Inputs, Activated & { geometry: Geometry }>("conv2d", {
  shape: (shapes, { geometry }) => convolvedShape("conv2d", shapes, geometry),
  expand(inputs, { geometry, activation }) {
    const [x, w, b] = inputs;
    const y = convolve(x, w, { geometry });
    const shifted = inputs.length > 2 ? add(y, reshape(b, { shape: [b.size, 1, 1] })) : y;
    return activation === "relu" ? relu(shifted) : shifted;
  },
  forward(y, inputs, { geometry, activation }) {
    const [x, w, b] = inputs;
    runForward(y, x, w, geometry, { bias: inputs.length > 2 ? b.ptr : 0, activation });
  },
  backward(g, inputs, y, { geometry, activation }, [wantX, wantW, wantB]) {
    const [x, w] = inputs;
    const d =
      activation === "relu" ? emit(g.shape, (t) => parallel("reluGrad", g.size, GRAIN, t.ptr, g.ptr, y.ptr)) : g;
    return [
      wantX ? emit(x.shape, (t) => runInput(t, d, w, geometry)) : undefined,
      wantW ? emit(w.shape, (t) => runWeight(t, x, d, geometry)) : undefined,
      ...(inputs.length > 2 ? [wantB ? sum(d, { axes: [0, 2, 3] }) : undefined] : []),
    ];
  },
});

/** Checks what the user gave, in the shapes that the user knows, and convolves images made of it by `planes`. */
function checked(
  call: string,
  rank: 3 | 4,
  [x, weight, bias]: readonly [Tensor, Tensor, Tensor?],
  options: ConvOptions & Activated,
  planes: (t: Tensor) => Tensor = (t) => t,
): Tensor {
  const shapes = (bias ? [x, weight, bias] : [x, weight]).map((t) => t.shape);
  if (x.rank !== rank || weight.rank !== rank) {
    const forms =
      rank === 4
        ? "the input must be [N, C, H, W], the weight [out, in / groups, height, width]."
        : "the input must be [N, C, L], the weight [out, in / groups, k].";
    throw mismatch(call, shapes, forms);
  }
  const { activation = "none" } = options;
  if (activation !== "none" && activation !== "relu")
    throw new UserError(`${call}: activation must be "none" or "relu", not ${JSON.stringify(activation)}.`);
  const w = planes(weight);
  const geometry = geometryOf(call, [w.shape[2], w.shape[3]], options);
  const out = convolvedShape(call, shapes, geometry);
  if (bias && !sameShape(bias.shape, [out[1]])) throw mismatch(call, shapes, `the bias must be [${out[1]}].`);
  return biased(...(bias ? [planes(x), w, bias] : [planes(x), w]), { geometry, activation });
}

/**
 * x [N, C, H, W] ∗ weight [O, C / groups, kh, kw] + bias [O], then an optional ReLU, in one pass: → [N, O, H′, W′] with
 * H′ = ⌊(H + 2·padding − dilation·(kh − 1) − 1)/stride⌋ + 1. PyTorch's conv2d.
 *
 * @throws ShapeError if the channels do not fit or the kernel is larger than the padded input
 */
export const conv2d: Convolution<ConvOptions & Activated> = (x: Tensor, weight: Tensor, ...rest: unknown[]): Tensor => {
  const { bias, options } = trailing<ConvOptions & Activated>(rest);
  return checked("conv2d", 4, [x, weight, bias], options);
};

/** conv2d along one axis: x [N, C, L], weight [O, C / groups, k], bias [O] → [N, O, L′]. */
export const conv1d: Convolution<ConvOptions<number> & Activated> = (
  x: Tensor,
  weight: Tensor,
  ...rest: unknown[]
): Tensor => {
  const { bias, options } = trailing<ConvOptions<number> & Activated>(rest);
  const { stride = 1, padding = 0, dilation = 1 } = options;
  for (const [name, size] of Object.entries({ stride, padding, dilation }))
    if (typeof size === "object")
      throw new UserError(`conv1d: ${name} must be one number, not ${JSON.stringify(size)}.`);
  const across: ConvOptions & Activated = {
    ...options,
    stride: [1, stride],
    padding: typeof padding === "number" ? [0, padding] : padding,
    dilation: [1, dilation],
  };
  const y = checked("conv1d", 3, [x, weight, bias], across, (t) => unsqueeze(t, { axis: 2 }));
  return squeeze(y, { axis: 2 });
};

interface TransposeAttrs extends Omit<ConvOptions, "padding"> {
  padding?: Pair;
  /** Rows and columns added at the end, where a stride leaves the size open. */
  outputPadding?: Pair;
}

/**
 * The adjoint of a convolution, which enlarges images: x [N, C, H, W], weight [C, O / groups, kh, kw], bias [O] →
 * [N, O, (H − 1)·stride − 2·padding + dilation·(kh − 1) + outputPadding + 1, …]. PyTorch's conv_transpose2d.
 */
export const convTranspose2d: Convolution<TransposeAttrs> = (x: Tensor, weight: Tensor, ...rest: unknown[]): Tensor => {
  const call = "convTranspose2d";
  const { bias, options } = trailing<TransposeAttrs>(rest);
  if (x.rank !== 4 || weight.rank !== 4)
    throw mismatch(call, [x.shape, weight.shape], "they must be [N, C, H, W] and [C, out / groups, height, width].");
  if (x.shape[1] !== weight.shape[0])
    throw mismatch(
      call,
      [x.shape, weight.shape],
      `the input has ${x.shape[1]} channels, the weight takes ${weight.shape[0]}.`,
    );
  if (typeof options.padding === "string")
    throw new UserError(`${call}: padding must be a number, or two, not "${options.padding}".`);
  const geometry = geometryOf(call, [weight.shape[2], weight.shape[3]], options);
  const { kernel, stride, before, after, dilation, groups } = geometry;
  if (x.shape[1] % groups !== 0)
    throw mismatch(call, [x.shape, weight.shape], `${groups} groups do not divide ${x.shape[1]} channels.`);
  const extra = checkedPair(call, "outputPadding", options.outputPadding ?? 0, 0);
  for (const axis of [0, 1])
    if (extra[axis] >= Math.max(stride[axis], dilation[axis]))
      throw new UserError(`${call}: outputPadding must be smaller than stride or dilation, not ${extra[axis]}.`);
  const [height, width] = [0, 1].map(
    (axis) =>
      (x.shape[2 + axis] - 1) * stride[axis] -
      (before[axis] + after[axis]) +
      dilation[axis] * (kernel[axis] - 1) +
      extra[axis] +
      1,
  );
  if (height < 1 || width < 1)
    throw mismatch(call, [x.shape, weight.shape], `the padding leaves an image of ${height} × ${width}.`);
  const out = groups * weight.shape[1];
  if (bias && !sameShape(bias.shape, [out]))
    throw mismatch(call, [x.shape, weight.shape, bias.shape], `the bias must be [${out}].`);
  // Where a dilation lets outputPadding reach a stride, the enlarged image is that of a larger x, whose margin is 0.
  const whole = [0, 1].reduce((t, axis) => {
    const after = Math.floor(extra[axis] / stride[axis]);
    return after > 0 ? pad(t, { axis: 2 + axis, after }) : t;
  }, x);
  const y = convolveInput(whole, weight, { geometry, size: [height, width] });
  return bias ? add(y, reshape(bias, { shape: [out, 1, 1] })) : y;
};

/** What comes after input and weight: a bias, options, both or neither. */
function trailing<Options extends object>(rest: readonly unknown[]): { bias?: Tensor; options: Options } {
  const [first, second] = rest as [(Tensor | Options)?, Options?];
  if (first instanceof Tensor) return { bias: first, options: second ?? ({} as Options) };
  return { options: second ?? first ?? ({} as Options) };
}
