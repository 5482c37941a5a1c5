import { fused, type Op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { broadcastShapes, type Shape } from "../core/shape.ts";
import { asTensor, emit, type Tensor } from "../core/tensor.ts";
import type { KernelName } from "../core/wasm.ts";
import { add, affine, clamp, erf, exp, expm1, gt, log1p, mul, neg, tanh, where } from "./elementwise.ts";
import { GRAIN } from "./strides.ts";

const same = ([shape]: readonly [Shape]): Shape => shape;

/**
 * An activation with kernels f(y, x) and fGrad(d, g, source), where the gradient is written in x or in y; `slope` is the derivative
 * in ops, where that is less than to differentiate `expand`.
 */
function activation(
  name: KernelName,
  source: "x" | "y",
  expand: (x: Tensor) => Tensor,
  slope?: (x: Tensor, y: Tensor) => Tensor,
): Op<[x: Tensor]> {
  const gradKernel = `${name}Grad` as KernelName;
  return fused(name, {
    shape: same,
    expand: ([x]) => expand(x),
    vjp: slope && ((g, [x], y) => [mul(g, slope(x, y))]),
    forward: (y, [x]) => parallel(name, x.size, GRAIN, y.ptr, x.ptr),
    backward: (g, [x], y) => [
      emit(x.shape, (d) => parallel(gradKernel, x.size, GRAIN, d.ptr, g.ptr, source === "x" ? x.ptr : y.ptr)),
    ],
  });
}

/** max(0, x); derivative 0 at 0. */
export const relu: Op<[x: Tensor]> = activation(
  "relu",
  "y",
  (x) => mul(x, gt(x, asTensor(0))),
  (_x, y) => gt(y, asTensor(0)),
);

/** σ(x) = 1/(1 + e⁻ˣ), by two branches so that neither overflows. */
export const sigmoid: Op<[x: Tensor]> = activation(
  "sigmoid",
  "y",
  (x) => affine(tanh(affine(x, { scale: 0.5, shift: 0 })), { scale: 0.5, shift: 0.5 }),
  (_x, y) => mul(y, affine(y, { scale: -1, shift: 1 })),
);

/** ln(1 + eˣ) = max(x, 0) + log1p(e^(−|x|)). */
export const softplus: Op<[x: Tensor]> = activation(
  "softplus",
  "x",
  (x) =>
    // The two halves of |x| at 0 must add up to a derivative of ½: relu gives 0, so the kink is moved into one smooth branch each.
    where(
      gt(x, asTensor(0)),
      add(x, log1p(exp(neg(where(gt(x, asTensor(0)), x, asTensor(0)))))),
      log1p(exp(where(gt(x, asTensor(0)), asTensor(0), x))),
    ),
  (x) => sigmoid(x),
);

/** x·σ(x), also called Swish-1. */
export const silu: Op<[x: Tensor]> = activation(
  "silu",
  "x",
  (x) => mul(x, sigmoid(x)),
  (x, y) => {
    const s = sigmoid(x);
    return add(s, mul(y, affine(s, { scale: -1, shift: 1 })));
  },
);

/** x·Φ(x), Φ the normal distribution's cumulative function. Hendrycks & Gimpel 2016. */
export const gelu: Op<[x: Tensor]> = activation("gelu", "x", (x) =>
  mul(x, affine(erf(affine(x, { scale: Math.SQRT1_2, shift: 0 })), { scale: 0.5, shift: 0.5 })),
);

/** GELU's approximation ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
export const geluTanh: Op<[x: Tensor]> = activation("geluTanh", "x", (x) => {
  // Beyond ±16 tanh is ±1, and x³ must not overflow.
  const u = clamp(x, { min: -16, max: 16 });
  const inner = mul(u, affine(mul(u, u), { scale: 0.044715, shift: 1 }));
  return mul(x, affine(tanh(affine(inner, { scale: Math.sqrt(2 / Math.PI), shift: 0 })), { scale: 0.5, shift: 0.5 }));
});

/** x·tanh(softplus(x)). Misra 2019. */
export const mish: Op<[x: Tensor]> = activation("mish", "x", (x) => mul(x, tanh(softplus(x))));

/** x above 0, α(eˣ − 1) below. Clevert et al. 2016. */
export const elu: Op<[x: Tensor], { alpha?: number } | undefined> = fused<[x: Tensor], { alpha?: number } | undefined>(
  "elu",
  {
    shape: same,
    expand: ([x], { alpha = 1 } = {}) => {
      const above = gt(x, asTensor(0));
      return where(above, x, affine(expm1(where(above, asTensor(0), x)), { scale: alpha, shift: 0 }));
    },
    forward: (y, [x], { alpha = 1 } = {}) => parallel("elu", x.size, GRAIN, y.ptr, x.ptr, alpha),
    backward: (g, [x], _y, { alpha = 1 } = {}) => [
      emit(x.shape, (d) => parallel("eluGrad", x.size, GRAIN, d.ptr, g.ptr, x.ptr, alpha)),
    ],
  },
);

/** x above 0, slope·x below and for the derivative at 0. */
export const leakyRelu: Op<[x: Tensor], { slope?: number } | undefined> = fused<
  [x: Tensor],
  { slope?: number } | undefined
>("leakyRelu", {
  shape: same,
  expand: ([x], { slope = 0.01 } = {}) => where(gt(x, asTensor(0)), x, affine(x, { scale: slope, shift: 0 })),
  forward: (y, [x], { slope = 0.01 } = {}) => parallel("leakyRelu", x.size, GRAIN, y.ptr, x.ptr, slope),
  backward: (g, [x], _y, { slope = 0.01 } = {}) => [
    emit(x.shape, (d) => parallel("leakyReluGrad", x.size, GRAIN, d.ptr, g.ptr, x.ptr, slope)),
  ],
});

/** x above 0, slope·x elsewhere, with a learned slope (one, or one for each channel: broadcast along the last axis). */
export function prelu(x: Tensor, slope: Tensor): Tensor {
  broadcastShapes("prelu", [x.shape, slope.shape]);
  return where(gt(x, asTensor(0)), x, mul(x, slope));
}

/** softplus(x) − ln 2, 0 at 0: SchNet's activation. */
export const ssp = (x: Tensor): Tensor => affine(softplus(x), { scale: 1, shift: -Math.LN2 });

/** λ·elu(x; α). Klambauer et al. 2017. */
export const selu = (x: Tensor): Tensor =>
  affine(elu(x, { alpha: 1.6732632423543772 }), { scale: 1.0507009873554805, shift: 0 });

/** x·σ(βx). */
export const swish = (x: Tensor, { beta = 1 }: { beta?: number } = {}): Tensor =>
  mul(x, sigmoid(affine(x, { scale: beta, shift: 0 })));

/** x·relu6(x + 3)/6. At ±3 the derivative is PyTorch's: −½ and 1½. */
export const hardSwish = (x: Tensor): Tensor => {
  const gate = clamp(affine(x, { scale: 1, shift: 3 }), { min: 0, max: 6 });
  return affine(mul(x, gate), { scale: 1 / 6, shift: 0 });
};

/** Keras's hard sigmoid, clip(0.2x + 0.5, 0, 1); derivative 0.2 inside. */
export const hardSigmoid = (x: Tensor): Tensor => clamp(affine(x, { scale: 0.2, shift: 0.5 }), { min: 0, max: 1 });

/** 1.7159·tanh(2x/3). LeCun et al., "Efficient BackProp", 1998. */
export const lecunTanh = (x: Tensor): Tensor =>
  affine(tanh(affine(x, { scale: 2 / 3, shift: 0 })), { scale: 1.7159, shift: 0 });

/** ln σ(x) = −softplus(−x). */
export const logSigmoid = (x: Tensor): Tensor => neg(softplus(neg(x)));
