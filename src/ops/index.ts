/** Every op, and the ops as methods of Tensor. */
import { asTensor, Tensor } from "../core/tensor.ts";
import * as activation from "./activation.ts";
import * as elementwise from "./elementwise.ts";
import * as gather from "./gather.ts";
import * as layout from "./layout.ts";
import * as matmul from "./matmul.ts";
import * as reduce from "./reduce.ts";

export * from "./activation.ts";
export * from "./conv.ts";
export * from "./elementwise.ts";
export * from "./filter.ts";
export * from "./gather.ts";
export * from "./geometry.ts";
export * from "./layout.ts";
export * from "./loss.ts";
export * from "./matmul.ts";
export * from "./message.ts";
export * from "./norm.ts";
export * from "./pool.ts";
export * from "./reduce.ts";
export * from "./resample.ts";

/** x op b, where a number needs no tensor: x + s and x · s are one pass each. */
const arithmetic = {
  add: (x: Tensor, b: Tensor | number): Tensor =>
    typeof b === "number" ? elementwise.affine(x, { scale: 1, shift: b }) : elementwise.add(x, b),
  sub: (x: Tensor, b: Tensor | number): Tensor =>
    typeof b === "number" ? elementwise.affine(x, { scale: 1, shift: -b }) : elementwise.sub(x, b),
  mul: (x: Tensor, b: Tensor | number): Tensor =>
    typeof b === "number" ? elementwise.affine(x, { scale: b, shift: 0 }) : elementwise.mul(x, b),
  div: (x: Tensor, b: Tensor | number): Tensor => elementwise.div(x, asTensor(b)),
  pow: (x: Tensor, b: Tensor | number): Tensor =>
    typeof b === "number" ? elementwise.powScalar(x, { p: b }) : elementwise.pow(x, b),
  maximum: (x: Tensor, b: Tensor | number): Tensor => elementwise.maximum(x, asTensor(b)),
  minimum: (x: Tensor, b: Tensor | number): Tensor => elementwise.minimum(x, asTensor(b)),
  eq: (x: Tensor, b: Tensor | number): Tensor => elementwise.eq(x, asTensor(b)),
  ne: (x: Tensor, b: Tensor | number): Tensor => elementwise.ne(x, asTensor(b)),
  lt: (x: Tensor, b: Tensor | number): Tensor => elementwise.lt(x, asTensor(b)),
  le: (x: Tensor, b: Tensor | number): Tensor => elementwise.le(x, asTensor(b)),
  gt: (x: Tensor, b: Tensor | number): Tensor => elementwise.gt(x, asTensor(b)),
  ge: (x: Tensor, b: Tensor | number): Tensor => elementwise.ge(x, asTensor(b)),
};

const { abs, clamp, cos, erf, exp, expm1, floor, log, log1p, log2, maskedFill, neg, recip, rsqrt } = elementwise;
const { sign, sin, sinc, sqrt, square, tanh } = elementwise;
const { elu, gelu, leakyRelu, mish, prelu, relu, sigmoid, silu, softplus } = activation;
const { argmax, argmin, argsort, topk } = reduce;
const { expand, logSoftmax, logSumExp, max, mean, min, norm, softmax, sum, sumTo, variance } = reduce;
const { chunk, flatten, flip, pad, permute, roll, slice, split, squeeze, transpose, unsqueeze } = layout;
const { pick, put, take } = gather;

/** Ops whose first argument becomes `this`. */
const methods = {
  ...arithmetic,
  ...{ abs, clamp, cos, erf, exp, expm1, floor, log, log1p, log2, maskedFill, neg, recip, rsqrt },
  ...{ sign, sin, sinc, sqrt, square, tanh, elu, gelu, leakyRelu, mish, prelu, relu, sigmoid, silu, softplus },
  ...{ argmax, argmin, argsort, topk, expand, logSoftmax, logSumExp, max, mean, min, norm, softmax, sum, sumTo },
  ...{
    variance,
    chunk,
    flatten,
    flip,
    pad,
    permute,
    roll,
    slice,
    split,
    squeeze,
    transpose,
    unsqueeze,
    pick,
    put,
    take,
  },
  matmul: matmul.matmul,
  reshape: (x: Tensor, ...shape: number[]): Tensor => layout.reshape(x, { shape }),
};

type Methods = {
  [K in keyof typeof methods]: (typeof methods)[K] extends (x: Tensor, ...rest: infer R) => infer Y
    ? (...rest: R) => Y
    : never;
};

declare module "../core/tensor.ts" {
  interface Tensor extends Methods {}
}

for (const [name, f] of Object.entries(methods))
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return (f as (...args: unknown[]) => unknown)(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
