import { beforeAll, expect, test } from "vitest";
import {
  batchNorm,
  checkpoint,
  grad,
  init,
  jvp,
  layerNorm,
  linear,
  matmul,
  memoryUse,
  type mseLoss,
  noGrad,
  ones,
  Rng,
  scope,
  softmax,
  tensor,
  zeros,
} from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

test("ops are methods, numbers need no tensor", () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect([...x.add(1).mul(2).toArray()]).toEqual([4, 6, 8, 10]);
  expect([...x.matmul(x).toArray()]).toEqual([7, 10, 15, 22]);
  expect([...x.sum({ axes: 0 }).toArray()]).toEqual([4, 6]);
  expect([...x.permute({ axes: [1, 0] }).toArray()]).toEqual([1, 3, 2, 4]);
  expect([...x.max({ axis: 0 }).toArray()]).toEqual([3, 4]);
  expect(String(x)).toBe("Tensor [2, 2] [[1, 2], [3, 4]]");
});

test("gradients of order one, two and three", () => {
  const x = tensor([0.5]);
  const y = x.tanh().square().sum();
  const [g] = grad(y, [x], { differentiable: true });
  const [h] = grad(g.sum(), [x], { differentiable: true });
  const [third] = grad(h.sum(), [x]);
  const t = Math.tanh(0.5);
  const s = 1 - t * t;
  expect(g.item()).toBeCloseTo(2 * t * s, 5);
  expect(h.item()).toBeCloseTo(2 * s * (1 - 3 * t * t), 5);
  expect(third.item()).toBeCloseTo(-8 * t * s * (2 - 3 * t * t), 4);
});

test("broadcasting is undone, linear agrees with its expansion", () => {
  const rng = new Rng(1);
  const x = rng.normal([5, 3]);
  const w = rng.normal([4, 3]);
  const b = rng.normal([4]);
  const loss = (): ReturnType<typeof mseLoss> => linear(x, w, b).tanh().square().sum();
  const first = grad(loss(), [x, w, b]);
  const again = grad(loss(), [x, w, b], { differentiable: true });
  const plain = grad(matmul(x, w, { transposeB: true }).add(b).tanh().square().sum(), [x, w, b]);
  for (let i = 0; i < 3; i++) {
    expect(first[i].shape).toEqual([x, w, b][i].shape);
    first[i].toArray().forEach((v, k) => {
      expect(v).toBeCloseTo(plain[i].data[k], 4);
      expect(again[i].data[k]).toBeCloseTo(v, 4);
    });
  }
});

test("checkpoint: the same gradients as without, also for closed-over tensors", () => {
  const rng = new Rng(2);
  const x = rng.normal([6, 4]);
  const w = rng.normal([4, 4]);
  const body = (t: typeof x): typeof x => t.matmul(w).tanh().matmul(w).sigmoid();
  const plain = grad(body(body(x)).sum(), [x, w]);
  const again = grad(checkpoint(body, checkpoint(body, x)).sum(), [x, w]);
  for (let i = 0; i < 2; i++) expect(again[i].toArray()).toEqual(plain[i].toArray());
});

test("jvp is the directional derivative", () => {
  const rng = new Rng(3);
  const x = rng.normal([3, 4]);
  const v = rng.normal([3, 4]);
  const f = (t: typeof x): typeof x => softmax(t).square();
  const { tangent } = jvp(f, [x], [v]);
  const e = 1e-2;
  const plus = f(x.add(v.mul(e)));
  const minus = f(x.sub(v.mul(e)));
  plus
    .sub(minus)
    .div(2 * e)
    .toArray()
    .forEach((d, i) => expect(tangent.data[i]).toBeCloseTo(d, 3));
});

test("norms: first order by kernels, second by expansion", () => {
  const rng = new Rng(4);
  const x = rng.normal([7, 5]);
  for (const f of [batchNorm, layerNorm]) {
    const w = rng.normal([5]);
    const b = rng.normal([5]);
    const v = rng.normal([7, 5]);
    const first = grad(f(x, w, b).mul(v).sum(), [x, w, b]);
    const second = grad(f(x, w, b).mul(v).sum(), [x, w, b], { differentiable: true });
    for (let i = 0; i < 3; i++) first[i].toArray().forEach((d, k) => expect(second[i].data[k]).toBeCloseTo(d, 4));
  }
});

test("scopes free what they do not return; a dead tensor says so", () => {
  const before = memoryUse().live;
  let lost: ReturnType<typeof zeros> | undefined;
  const kept = scope(() => {
    lost = zeros([1000]);
    return ones([10]).add(1);
  }, "step 3");
  expect(memoryUse().live - before).toBeLessThan(200);
  expect(kept.data[9]).toBe(2);
  expect(() => lost!.data).toThrow(/was freed when scope "step 3" ended/);
});

test("a gradient walk leaves only its results behind", () => {
  const rng = new Rng(5);
  const x = rng.normal([100, 100]);
  scope(() => {
    const y = x.tanh().matmul(x).sigmoid().mul(x).sum();
    const before = memoryUse().live;
    grad(y, [x]);
    expect(memoryUse().live - before).toBeLessThan(50_000);
  });
  noGrad(() => expect(x.add(1).node).toBeUndefined());
});

test("a shape error's stack begins where the op was called", () => {
  const model = {
    forward: (x: ReturnType<typeof zeros>) => matmul(x, zeros([10, 784])),
  };
  try {
    model.forward(zeros([32, 784]));
    expect.unreachable();
  } catch (error) {
    const { message, stack = "" } = error as Error;
    expect(message).toMatch(/^matmul\(\[32, 784\], \[10, 784\]\): inner sizes 784 and 10 differ\.\n {2}Did you mean/);
    expect(stack.split("\n").find((line) => line.includes(" at "))).toMatch(/forward/);
  }
});
