import { mismatch } from "../core/errors.ts";
import type { Activation } from "../core/gemm.ts";
import { fused, type Op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { empty, ones, Tensor, zeros } from "../core/tensor.ts";
import { relu } from "./activation.ts";
import { add, affine, div, mul, rsqrt, sqrt, square, sub } from "./elementwise.ts";
import { reshape } from "./layout.ts";
import {
  alongChannels,
  type BatchNormAttrs,
  checkStatistics,
  given,
  keep,
  kept,
  normalised,
  normaliserGradients,
  normaliserOf,
} from "./normalise.ts";
import { mean, sum } from "./reduce.ts";
import { rowGrain } from "./strides.ts";

export type { BatchNormAttrs };

type Norm = [x: Tensor, weight: Tensor, bias: Tensor];

function checkAffine(call: string, shapes: readonly [Shape, Shape, Shape], width: number): Shape {
  for (const s of shapes.slice(1))
    if (!sameShape(s, [width])) throw mismatch(call, shapes, `weight and bias must be [${width}].`);
  return shapes[0];
}

/** Each row (last axis) brought to mean 0 and variance 1, then ·weight + bias. x [… n], weight, bias [n]. Ba, Kiros & Hinton 2016. */
export const layerNorm: Op<Norm, { eps?: number } | undefined> = fused<Norm, { eps?: number } | undefined>(
  "layerNorm",
  {
    shape: (shapes) => checkAffine("layerNorm", shapes, shapes[0].at(-1) ?? 0),
    expand([x, w, b], { eps = 1e-5 } = {}) {
      const d = sub(x, mean(x, { axes: -1, keepDim: true }));
      const v = mean(square(d), { axes: -1, keepDim: true });
      return add(mul(mul(d, rsqrt(affine(v, { scale: 1, shift: eps }))), w), b);
    },
    forward(y, [x, w, b], { eps = 1e-5 } = {}) {
      const n = x.shape.at(-1)!;
      const rows = sizeOf(x.shape.slice(0, -1));
      const [mu, rstd] = keep(y, 2, rows);
      parallel("layerNorm", rows, rowGrain(n), y.ptr, mu.ptr, rstd.ptr, x.ptr, w.ptr, b.ptr, n, eps);
    },
    backward(g, [x, w], y, _attrs, [, wantsWeight, wantsBias]) {
      const n = x.shape.at(-1)!;
      const rows = sizeOf(x.shape.slice(0, -1));
      const [mu, rstd] = kept.get(y)!;
      const d = empty(x.shape);
      const gh = empty([rows, n]);
      parallel("layerNormGrad", rows, rowGrain(n), d.ptr, gh.ptr, g.ptr, x.ptr, w.ptr, mu.ptr, rstd.ptr, n);
      const flat = new Tensor([rows, n], g.block);
      return [d, wantsWeight ? sum(gh, { axes: 0 }) : undefined, wantsBias ? sum(flat, { axes: 0 }) : undefined];
    },
  },
);

/** With `activation: "relu"`, the rectifier is part of the same pass. */
type ChannelNormAttrs = BatchNormAttrs & { activation?: Activation };

/**
 * Each channel (axis 1) brought to mean 0 and variance 1 over the batch and all further axes, then ·weight + bias, then the
 * activation: x [rows, width] or [N, C, …], weight, bias [C]. With given statistics it is, up to the activation, a linear map of x,
 * (x − mean)·weight/√(variance + ε) + bias. Ioffe & Szegedy 2015.
 */
export const batchNorm: Op<Norm, ChannelNormAttrs | undefined> = fused<Norm, ChannelNormAttrs | undefined>(
  "batchNorm",
  {
    shape(shapes, attrs) {
      if (shapes[0].length < 2) throw mismatch("batchNorm", shapes, "the input must be [rows, width] or [N, C, …].");
      checkStatistics("batchNorm", shapes, shapes[0][1], attrs);
      return checkAffine("batchNorm", shapes, shapes[0][1]);
    },
    expand([x, w, b], attrs = {}) {
      const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
      const shape = alongChannels(x.shape);
      const [mu, v] = given(attrs)?.map((t) => reshape(t, { shape })) ?? [mean(x, { axes, keepDim: true })];
      const d = sub(x, mu);
      const squares = v ?? mean(square(d), { axes, keepDim: true });
      const normal = div(d, sqrt(affine(squares, { scale: 1, shift: attrs.eps ?? 1e-5 })));
      const y = add(mul(normal, reshape(w, { shape })), reshape(b, { shape }));
      return attrs.activation === "relu" ? relu(y) : y;
    },
    forward(y, [x, w, b], attrs = {}) {
      const { mean: mu, scale } = normaliserOf(y, x, w, attrs);
      normalised(y, x, mu, scale, b, attrs.activation === "relu");
    },
    backward: (g, [x, w, b], y, attrs, needed) =>
      normaliserGradients(g, empty(x.shape), x, w, y, attrs, needed, attrs?.activation === "relu" ? b : undefined),
  },
);

export interface GroupNormAttrs {
  /** Groups of neighbouring channels; they divide the channels. */
  groups: number;
  eps?: number;
}

/**
 * Each group of channels of each item brought to mean 0 and variance 1, then ·weight + bias by channel: x [N, C, …], weight, bias [C].
 * Wu & He 2018.
 */
export function groupNorm(x: Tensor, weight: Tensor, bias: Tensor, { groups, eps }: GroupNormAttrs): Tensor {
  const shapes = [x.shape, weight.shape, bias.shape] as const;
  if (x.rank < 2) throw mismatch("groupNorm", shapes, "the input must be [N, C, …].");
  const [batch, channels] = x.shape;
  checkAffine("groupNorm", shapes, channels);
  if (!(Number.isInteger(groups) && groups > 0 && channels % groups === 0))
    throw mismatch("groupNorm", shapes, `${groups} groups do not divide ${channels} channels.`);
  if (eps !== undefined && !(eps >= 0)) throw mismatch("groupNorm", shapes, `eps must be ≥ 0, not ${eps}.`);
  // A group is a row whose own weights are all 1: they are the channels'.
  const n = channels === 0 ? 0 : (channels / groups) * sizeOf(x.shape.slice(2));
  const rows = reshape(x, { shape: [batch * groups, n] });
  const normal = reshape(layerNorm(rows, ones([n]), zeros([n]), { eps }), { shape: x.shape });
  const shape = alongChannels(x.shape);
  return add(mul(normal, reshape(weight, { shape })), reshape(bias, { shape }));
}
