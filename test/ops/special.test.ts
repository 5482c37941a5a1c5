import { beforeAll, describe, expect, test } from "vitest";
import * as ops from "../../src/index.ts";
import { Csr, grad, indices, init, type Tensor, tensor, zeros } from "../../src/index.ts";

/** NaN, infinities, zeros and ties: what the ops promise where formulas leave a choice. */
const INF = Number.POSITIVE_INFINITY;
const NAN = Number.NaN;

beforeAll(async () => {
  await init({ threads: 1 });
});

const gradOf = (f: (x: Tensor) => Tensor, x: Tensor): number[] => [...grad(f(x).sum(), [x])[0].data];

describe("unary ops at NaN, ∞, −∞, 0", () => {
  const ROWS: [(x: Tensor) => Tensor, number[]][] = [
    [ops.relu, [NAN, INF, 0, 0]],
    [ops.sigmoid, [NAN, 1, 0, 0.5]],
    [ops.softplus, [NAN, INF, 0, Math.fround(Math.LN2)]],
    [ops.silu, [NAN, INF, -0, 0]],
    [ops.gelu, [NAN, INF, -0, 0]],
    [ops.geluTanh, [NAN, INF, -0, 0]],
    [ops.mish, [NAN, INF, -0, 0]],
    [(x) => ops.elu(x), [NAN, INF, -1, 0]],
    [(x) => ops.leakyRelu(x, { slope: 0.5 }), [NAN, INF, -INF, 0]],
    [ops.tanh, [NAN, 1, -1, 0]],
    [ops.erf, [NAN, 1, -1, 0]],
    [ops.exp, [NAN, INF, 0, 1]],
    [ops.expm1, [NAN, INF, -1, 0]],
    [ops.log, [NAN, INF, NAN, -INF]],
    [ops.log1p, [NAN, INF, NAN, 0]],
    [ops.log2, [NAN, INF, NAN, -INF]],
    [ops.sqrt, [NAN, INF, NAN, 0]],
    [ops.recip, [NAN, 0, -0, INF]],
    [ops.rsqrt, [NAN, 0, NAN, INF]],
    [ops.square, [NAN, INF, INF, 0]],
    [ops.abs, [NAN, INF, INF, 0]],
    [ops.sign, [NAN, 1, -1, 0]],
    [ops.floor, [NAN, INF, -INF, 0]],
    [ops.sin, [NAN, NAN, NAN, 0]],
    [ops.cos, [NAN, NAN, NAN, 1]],
    [(x) => ops.clamp(x, { min: -2, max: 3 }), [NAN, 3, -2, 0]],
    [ops.hardSigmoid, [NAN, 1, 0, 0.5]],
  ];
  test.each(ROWS.map(([f, known]) => [f.name || String(f), f, known] as const))("%s", (_name, f, known) => {
    expect([...f(tensor([NAN, INF, -INF, 0])).data]).toEqual(known);
  });
});

describe("kinks and poles have PyTorch's gradients, or stated ones", () => {
  const ROWS: [string, (x: Tensor) => Tensor, number[], number[]][] = [
    ["abs: 0 at 0", ops.abs, [-1, 0, 2], [-1, 0, 1]],
    ["relu: 0 at 0", ops.relu, [-1, 0, 2], [0, 0, 1]],
    ["clamp: 1 at the limits", (x) => ops.clamp(x, { min: -1, max: 2 }), [-2, -1, 0, 2, 3], [0, 1, 1, 1, 0]],
    ["sqrt: 0 at 0, not ∞", ops.sqrt, [0, 4], [0, 0.25]],
    ["norm: 0 at the origin, not NaN", (x) => ops.norm(x), [0, 0], [0, 0]],
    ["sinc: 0 at 0", ops.sinc, [0], [0]],
    ["x⁰: 0 everywhere", (x) => ops.powScalar(x, { p: 0 }), [0, 2], [0, 0]],
    ["x¹ at 0", (x) => ops.powScalar(x, { p: 1 }), [0], [1]],
    ["maximum: ties share", (x) => ops.maximum(x, tensor([1, 1, 1])), [0, 1, 2], [0, 0.5, 1]],
    ["minimum: ties share", (x) => ops.minimum(x, tensor([1, 1, 1])), [0, 1, 2], [1, 0.5, 0]],
    ["max: the first of equals", (x) => ops.max(x), [3, 5, 5], [0, 1, 0]],
    ["min: the first of equals", (x) => ops.min(x), [5, 3, 3], [0, 1, 0]],
    ["0^b has no gradient for b", (b) => ops.pow(tensor([0, 2]), b), [2, 0], [0, Math.fround(Math.LN2)]],
    ["heaviside: 0", (x) => ops.heaviside(x), [-1, 0, 1], [0, 0, 0]],
    ["geluTanh far out", ops.geluTanh, [1e30, -1e30], [1, 0]],
  ];
  test.each(ROWS)("%s", (_name, f, at, known) => {
    expect(gradOf(f, tensor(at))).toEqual(known.map((v) => v + 0));
    const x = tensor(at);
    const [again] = grad(f(x).sum(), [x], { differentiable: true });
    expect([...again.data].map((v) => v + 0)).toEqual(known);
  });

  test("sinc has a second derivative at 0: −1/3", () => {
    const x = tensor([0]);
    const [first] = grad(ops.sinc(x).sum(), [x], { differentiable: true });
    expect(grad(first.sum(), [x])[0].item()).toBeCloseTo(-1 / 3, 6);
  });
});

test("a branch that is not taken sends and receives nothing, not even NaN", () => {
  const x = tensor([0, 4]);
  const safe = (t: Tensor): Tensor => ops.where(ops.gt(t, zeros([2])), ops.log(t), zeros([2]));
  expect([...safe(x).data]).toEqual([0, Math.fround(Math.log(4))]);
  const [a, b] = [tensor([1, NAN]), tensor([NAN, 2])];
  const y = ops.where(tensor([1, 0]), a, b);
  expect([...y.data]).toEqual([1, 2]);
  expect(grad(y.sum(), [a, b]).map((g) => [...g.data])).toEqual([
    [1, 0],
    [0, 1],
  ]);
});

test("NaN is passed on by maximum and minimum, and equals nothing", () => {
  const [a, b] = [tensor([NAN, 1]), tensor([1, NAN])];
  for (const f of [ops.maximum, ops.minimum]) expect([...f(a, b).data]).toEqual([NAN, NAN]);
  for (const f of [ops.eq, ops.lt, ops.le, ops.gt, ops.ge]) expect([...f(a, b).data]).toEqual([0, 0]);
  expect([...ops.ne(a, a).data]).toEqual([1, 0]);
  expect([...ops.pow(tensor([0, NAN, -2, -8]), tensor([0, 0, 3, 1 / 3])).data]).toEqual([1, 1, -8, NAN]);
});

test("the largest: a NaN is not lost, the first of equals wins", () => {
  const x = tensor([
    [1, NAN, 3, NAN],
    [2, 7, 7, -1],
  ]);
  expect([...ops.max(x).data]).toEqual([NAN, 7]);
  expect([...ops.min(x).data]).toEqual([NAN, -1]);
  expect([...ops.argmax(x).data]).toEqual([1, 1]);
  expect([...ops.argmin(x).data]).toEqual([1, 3]);
  expect([...ops.argsort(x).data]).toEqual([0, 2, 1, 3, 3, 0, 1, 2]);
  expect([...ops.argsort(x, { descending: true }).data]).toEqual([1, 3, 2, 0, 1, 2, 0, 3]);
  expect([...ops.topk(x, { k: 2 }).values.data]).toEqual([NAN, NAN, 7, 7]);
});

test("sums of exponentials neither overflow nor lose a row of −∞", () => {
  const x = tensor([
    [1000, 1000, 1000],
    [-1000, -1000, -1000],
    [-INF, -INF, -INF],
    [INF, 0, 0],
    [0, NAN, 0],
    [-INF, 0, -INF],
  ]);
  const ln3 = Math.log(3);
  expect([...ops.logSumExp(x).data]).toEqual([Math.fround(1000 + ln3), Math.fround(-1000 + ln3), -INF, INF, NAN, 0]);
  const rows = ops.softmax(x).data;
  expect([...rows.slice(15)]).toEqual([0, 1, 0]);
  expect([...rows.slice(12, 15)]).toEqual([NAN, NAN, NAN]);
  for (let i = 0; i < 6; i++) expect(rows[i]).toBeCloseTo(1 / 3, 6);
  const logs = ops.logSoftmax(x).data;
  for (let i = 0; i < 6; i++) expect(logs[i]).toBeCloseTo(-ln3, 6);
  expect([...logs.slice(15)]).toEqual([-INF, 0, -INF]);
});

test("receivers without neighbours get 0, also from a maximum", () => {
  const adj = Csr.fromPairs([0, 2, 2], [0, 0, 1], 3, 2);
  const x = tensor([[-5], [-7]]);
  expect([...ops.segmentSum(x, { adj }).data]).toEqual([-5, 0, -12]);
  expect([...ops.segmentMean(x, { adj }).data]).toEqual([-5, 0, -6]);
  expect([...ops.segmentMax(x, { adj }).data]).toEqual([-5, 0, -5]);
  expect([...ops.segmentMin(x, { adj }).data]).toEqual([-5, 0, -7]);
  expect([...ops.segmentCount({ adj }).data]).toEqual([1, 0, 2]);
  expect([...ops.segmentMax(tensor([[NAN], [1]]), { adj }).data]).toEqual([NAN, 0, NAN]);
});

test("the gradient of a structure is right the second time, also inside scopes", () => {
  const adj = Csr.fromPairs([0, 1, 1], [0, 1, 2], 2, 3);
  const x = tensor([1, 2, 3]);
  for (let step = 0; step < 3; step++)
    ops.scope(() => expect([...grad(ops.segmentSum(x, { adj }).sum(), [x])[0].data]).toEqual([1, 1, 1]));
});

test("over nothing: sums are 0, means NaN, a negative index gives zeros", () => {
  expect(ops.sum(zeros([0, 3])).item()).toBe(0);
  expect([...ops.sum(zeros([0, 2]), { axes: 0 }).data]).toEqual([0, 0]);
  expect(ops.mean(zeros([0])).item()).toBeNaN();
  expect(ops.variance(tensor([1])).item()).toBeNaN();
  expect(ops.norm(zeros([0])).item()).toBe(0);
  expect(ops.logSumExp(zeros([2, 0])).toArray()).toEqual(new Float32Array([-INF, -INF]));
  expect([...ops.matmul(zeros([2, 0]), zeros([0, 2])).data]).toEqual([0, 0, 0, 0]);
  expect([...ops.take(tensor([1, 2]), { index: indices([-1, 1, -1]) }).data]).toEqual([0, 2, 0]);
});
