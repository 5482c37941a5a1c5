import { fused, type Op, type OpDefinition, op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { broadcastShapes, type Shape } from "../core/shape.ts";
import { emit, full, type Tensor, zeros } from "../core/tensor.ts";
import type { KernelName } from "../core/wasm.ts";
import { GRAIN, runBroadcast } from "./strides.ts";

const same = ([shape]: readonly [Shape]): Shape => shape;

/** Runs a flat kernel y ← f(x, …rest). */
const map =
  (kernel: KernelName) =>
  (y: Tensor, [x]: readonly [Tensor]): void =>
    parallel(kernel, y.size, GRAIN, y.ptr, x.ptr);

type Vjp = OpDefinition<[x: Tensor], undefined>["vjp"];
const unary = (name: KernelName, vjp: Vjp): Op<[x: Tensor]> => op(name, { shape: same, forward: map(name), vjp });

type Binary = Op<[a: Tensor, b: Tensor]>;
const binary = (name: string, vjp: OpDefinition<[a: Tensor, b: Tensor], undefined>["vjp"]): Binary =>
  op(name, {
    shape: (shapes) => broadcastShapes(name, shapes),
    forward: (y, operands) => runBroadcast(name, y, operands),
    vjp,
  });

/** a + b, broadcasting. */
export const add: Binary = binary("add", (g) => [g, g]);
/** a − b, broadcasting. */
export const sub: Binary = binary("sub", (g, _x, _y, _attrs, [, wantsB]) => [g, wantsB ? neg(g) : undefined]);
/** a · b by elements, broadcasting. */
export const mul: Binary = binary("mul", (g, [a, b], _y, _attrs, [wantsA, wantsB]) => [
  wantsA ? mul(g, b) : undefined,
  wantsB ? mul(g, a) : undefined,
]);
/** a / b by elements, broadcasting. */
export const div: Binary = binary("div", (g, [, b], y, _attrs, [, wantsB]) => {
  const gb = div(g, b);
  return [gb, wantsB ? neg(mul(gb, y)) : undefined];
});
/** a^b by elements, broadcasting; as Math.pow. The gradient for b is taken as 0 where a = 0. */
export const pow: Binary = binary("pow", (g, [a, b], y, _attrs, [wantsA, wantsB]) => [
  wantsA ? mul(g, mul(b, pow(a, affine(b, { scale: 1, shift: -1 })))) : undefined,
  wantsB ? mul(g, where(isZero(a), zeroLike(y), mul(y, log(a)))) : undefined,
]);
/** The larger of a and b; NaN if one is NaN. Where they are equal each gets half the gradient, as in PyTorch. */
export const maximum: Binary = binary("maximum", (g, [a, b]) => {
  const share = tieShare(a, b);
  return [mul(g, share), mul(g, affine(share, { scale: -1, shift: 1 }))];
});
/** The smaller of a and b; NaN if one is NaN. Ties share the gradient. */
export const minimum: Binary = binary("minimum", (g, [a, b]) => {
  const share = tieShare(b, a);
  return [mul(g, share), mul(g, affine(share, { scale: -1, shift: 1 }))];
});

/** 1 where a > b, ½ where equal, else 0. */
const tieShare = (a: Tensor, b: Tensor): Tensor => add(mul(gt(a, b), constant(1)), mul(eq(a, b), constant(0.5)));

const comparison = (name: string): Binary => binary(name, () => [undefined, undefined]);
/** 1 where a = b, else 0. Comparisons are constant: their gradient is 0. */
export const eq: Binary = comparison("eq");
export const ne: Binary = comparison("ne");
export const lt: Binary = comparison("lt");
export const le: Binary = comparison("le");
export const gt: Binary = comparison("gt");
export const ge: Binary = comparison("ge");

const constant = (value: number): Tensor => full([], value);
const zeroLike = (x: Tensor): Tensor => zeros(x.shape);
const isZero = (x: Tensor): Tensor => eq(x, constant(0));

/** c ≠ 0 ? a : b by elements, broadcasting. A branch that is not taken sends and receives nothing, not even NaN. */
export const where: Op<[c: Tensor, a: Tensor, b: Tensor]> = op("where", {
  shape: (shapes) => broadcastShapes("where", shapes),
  forward: (y, operands) => runBroadcast("where", y, operands),
  vjp: (g, [c], _y, _attrs, [, wantsA, wantsB]) => [
    undefined,
    wantsA ? where(c, g, zeroLike(g)) : undefined,
    wantsB ? where(c, zeroLike(g), g) : undefined,
  ],
});

/** scale·x + shift with two numbers. */
export const affine: Op<[x: Tensor], { scale: number; shift: number }> = op("affine", {
  shape: same,
  forward: (y, [x], { scale, shift }) => parallel("affine", y.size, GRAIN, y.ptr, x.ptr, scale, shift),
  vjp: (g, _x, _y, { scale }) => [scale === 1 ? g : affine(g, { scale, shift: 0 })],
});

/** −x. */
export const neg = (x: Tensor): Tensor => affine(x, { scale: -1, shift: 0 });

/** x^p for a number p. Powers with a kernel of their own run in a tenth of the time. */
export const powScalar: Op<[x: Tensor], { p: number }> = op("powScalar", {
  shape: same,
  forward(y, [x], { p }) {
    const kernel = p === 2 ? "square" : p === -1 ? "recip" : p === 1 ? undefined : "powScalar";
    if (kernel === "powScalar") parallel(kernel, y.size, GRAIN, y.ptr, x.ptr, p);
    else if (kernel) parallel(kernel, y.size, GRAIN, y.ptr, x.ptr);
    else y.data.set(x.data);
  },
  vjp: (g, [x], _y, { p }) => [
    p === 0 ? zeroLike(x) : mul(g, affine(powScalar(x, { p: p - 1 }), { scale: p, shift: 0 })),
  ],
});

/** x limited to [min, max]. The gradient passes inside and at the limits. */
export const clamp: Op<[x: Tensor], { min?: number; max?: number }> = op("clamp", {
  shape: same,
  forward: (y, [x], { min = -Infinity, max = Infinity }) => parallel("clamp", y.size, GRAIN, y.ptr, x.ptr, min, max),
  vjp: (g, [x], y) => [mul(g, eq(x, y))],
});

/** |x|; gradient 0 at 0. */
export const abs: Op<[x: Tensor]> = unary("abs", (g, [x]) => [mul(g, sign(x))]);
/** −1, 0 or 1. */
export const sign: Op<[x: Tensor]> = unary("sign", () => [undefined]);
/** The largest whole number ≤ x. */
export const floor: Op<[x: Tensor]> = unary("floor", () => [undefined]);
/** x². */
export const square: Op<[x: Tensor]> = unary("square", (g, [x]) => [mul(g, affine(x, { scale: 2, shift: 0 }))]);
/** √x. The gradient at 0 is 0 instead of ∞, so that distances of coinciding points train. */
export const sqrt: Op<[x: Tensor]> = unary("sqrt", (g, _x, y) => [
  mul(g, where(y, affine(recip(where(y, y, constant(1))), { scale: 0.5, shift: 0 }), zeroLike(y))),
]);
/** 1/x. */
export const recip: Op<[x: Tensor]> = unary("recip", (g, _x, y) => [neg(mul(g, square(y)))]);
/** 1/√x. */
export const rsqrt: Op<[x: Tensor]> = unary("rsqrt", (g, [x], y) => [
  mul(g, affine(div(y, x), { scale: -0.5, shift: 0 })),
]);
/** eˣ. */
export const exp: Op<[x: Tensor]> = unary("exp", (g, _x, y) => [mul(g, y)]);
/** eˣ − 1, exact near 0. */
export const expm1: Op<[x: Tensor]> = unary("expm1", (g, _x, y) => [mul(g, affine(y, { scale: 1, shift: 1 }))]);
/** ln x. */
export const log: Op<[x: Tensor]> = unary("log", (g, [x]) => [div(g, x)]);
/** ln(1 + x), exact near 0. */
export const log1p: Op<[x: Tensor]> = unary("log1p", (g, [x]) => [div(g, affine(x, { scale: 1, shift: 1 }))]);
/** log₂ x. */
export const log2 = (x: Tensor): Tensor => affine(log(x), { scale: Math.LOG2E, shift: 0 });
/** sin x, x in radians. */
export const sin: Op<[x: Tensor]> = unary("sin", (g, [x]) => [mul(g, cos(x))]);
/** cos x, x in radians. */
export const cos: Op<[x: Tensor]> = unary("cos", (g, [x]) => [neg(mul(g, sin(x)))]);
/** erf x = 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf: Op<[x: Tensor]> = unary("erf", (g, [x]) => [
  mul(g, affine(exp(neg(square(x))), { scale: 2 / Math.sqrt(Math.PI), shift: 0 })),
]);
/** sin(x)/x, 1 at 0, by its series where |x| < 1, so that every derivative is finite at 0 and none cancels near it. */
export const sinc = (x: Tensor): Tensor => {
  const near = lt(abs(x), constant(1));
  const safe = where(near, constant(1), x);
  const x2 = square(where(near, x, constant(0)));
  let series = constant(1 / 6227020800);
  for (const c of [-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1])
    series = add(mul(series, x2), constant(c));
  return where(near, series, div(sin(safe), safe));
};
/** 0 below 0, 1 above, `atZero` at 0. */
export const heaviside = (x: Tensor, { atZero = 0.5 }: { atZero?: number } = {}): Tensor =>
  where(eq(x, constant(0)), constant(atZero), gt(x, constant(0)));
/** x, with `value` where mask ≠ 0. */
export function maskedFill(x: Tensor, mask: Tensor, { value }: { value: number }): Tensor {
  broadcastShapes("maskedFill", [x.shape, mask.shape]);
  return where(mask, constant(value), x);
}

/** tanh x. */
export const tanh: Op<[x: Tensor]> = fused("tanh", {
  shape: same,
  expand: ([x]) => {
    // 2σ(2x) − 1 loses digits near 0; expm1 does not. |x| ≥ 20 is ±1 and must not overflow.
    const e = expm1(affine(clamp(x, { min: -20, max: 20 }), { scale: 2, shift: 0 }));
    return div(e, affine(e, { scale: 1, shift: 2 }));
  },
  forward: map("tanh"),
  backward: (g, [x], y) => [emit(x.shape, (d) => parallel("tanhGrad", x.size, GRAIN, d.ptr, g.ptr, y.ptr))],
});
