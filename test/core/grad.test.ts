import { beforeAll, describe, expect, test } from "vitest";
import {
  checkpoint,
  grad,
  init,
  jvp,
  memoryUse,
  noGrad,
  ones,
  Rng,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { LayerNorm } from "../../src/nn/index.ts";
import { difference } from "./difference.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

/** d/dx, d²/dx², … of Σ f(x). */
function derivatives(f: (x: Tensor) => Tensor, x: Tensor, order: number): Float32Array[] {
  const found: Float32Array[] = [];
  let y = f(x);
  for (let k = 1; k <= order; k++) {
    [y] = grad(y.sum(), [x], { differentiable: k < order });
    found.push(y.toArray());
  }
  return found;
}

describe("orders one to four", () => {
  const points = [-1.3, -0.4, 0.3, 0.9, 1.7];

  test("x⁵", () => {
    const expected = [
      (x: number) => 5 * x ** 4,
      (x: number) => 20 * x ** 3,
      (x: number) => 60 * x ** 2,
      (x: number) => 120 * x,
    ];
    const found = derivatives((x) => x.mul(x).mul(x.square()).mul(x), tensor(points), 4);
    expected.forEach((f, k) => expect(difference(found[k], points.map(f))).toBeLessThan(1e-6));
  });

  test("sin(x)·eˣ: through the tape of tapes", () => {
    const [s, c, e] = [Math.sin, Math.cos, Math.exp];
    const expected = [
      (x: number) => e(x) * (s(x) + c(x)),
      (x: number) => 2 * e(x) * c(x),
      (x: number) => 2 * e(x) * (c(x) - s(x)),
      (x: number) => -4 * e(x) * s(x),
    ];
    const found = derivatives((x) => x.sin().mul(x.exp()), tensor(points), 4);
    expected.forEach((f, k) => expect(difference(found[k], points.map(f))).toBeLessThan(2e-6));
  });

  test("a fused op: σ, by its kernel at order one and by its expansion above", () => {
    const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
    const expected = [
      (x: number) => sigma(x) * (1 - sigma(x)),
      (x: number) => sigma(x) * (1 - sigma(x)) * (1 - 2 * sigma(x)),
      (x: number) => sigma(x) * (1 - sigma(x)) * (1 - 6 * sigma(x) + 6 * sigma(x) ** 2),
    ];
    for (const order of [1, 2, 3]) {
      const found = derivatives((x) => x.sigmoid(), tensor(points), order);
      found.forEach((g, k) => expect(difference(g, points.map(expected[k])), `${k} of ${order}`).toBeLessThan(1e-6));
    }
  });

  test("a gradient inside the loss: forces, then their gradient by the weights", () => {
    // E = tanh(w·x), F = −dE/dx = −w·s, L = F², dL/dw = 2F·dF/dw with s = 1 − tanh²(wx)
    const [w, x] = [tensor([0.7]), tensor([0.9])];
    const [slope] = grad(w.mul(x).tanh().sum(), [x], { differentiable: true });
    const [g] = grad(slope.neg().square().sum(), [w]);
    const t = Math.tanh(0.63);
    const s = 1 - t * t;
    expect(g.item()).toBeCloseTo(2 * 0.7 * s * (s - 2 * 0.7 * t * s * 0.9), 5);
  });
});

describe("graphs", () => {
  test("100,000 ops deep: no stack overflows, in both modes", () => {
    scope(() => {
      const x = tensor([1, 2]);
      let y = x;
      for (let i = 0; i < 100_000; i++) y = y.add(i % 2 ? 0.5 : -0.5);
      expect([...grad(y.mul(y).sum(), [x])[0].data]).toEqual([2, 4]);
      const [g] = grad(y.mul(y).sum(), [x], { differentiable: true });
      expect([...grad(g.sum(), [x])[0].data]).toEqual([2, 2]);
    });
  });

  test("a ladder of 60 doublings has 2⁶⁰ paths and is walked once", () => {
    const x = tensor([1]);
    let y = x;
    for (let i = 0; i < 60; i++) y = y.add(y);
    expect(grad(y, [x])[0].item()).toBe(2 ** 60);
  });

  test("shared sub-expressions receive from all their uses before they send", () => {
    const x = tensor([0.3, -0.8]);
    const s = x.tanh();
    const y = s.mul(s).add(s.exp()).sub(s.mul(x)).sum();
    const expected = [0.3, -0.8].map((v) => {
      const t = Math.tanh(v);
      return (1 - t * t) * (2 * t + Math.exp(t) - v) - t;
    });
    expect(difference(grad(y, [x])[0].data, expected)).toBeLessThan(1e-6);
    expect(difference(grad(y, [x], { differentiable: true })[0].data, expected)).toBeLessThan(1e-6);
  });

  test("xs may be intermediates, also of one another", () => {
    const x = tensor([2]);
    const h = x.square();
    const k = h.mul(3);
    const y = k.mul(h).add(x).sum(); // 3x⁴ + x
    for (const differentiable of [false, true]) {
      const values = grad(y, [k, x, h], { differentiable }).map((g) => g.item());
      expect(values).toEqual([4, 97, 24]);
      expect(grad(y, [h], { differentiable })[0].item()).toBe(24);
      expect(grad(y, [k], { differentiable })[0].item()).toBe(4);
    }
  });

  test("what y does not depend on gets zeros; so does all where y is a constant", () => {
    const [x, other] = [tensor([1, 2]), tensor([[3], [4]])];
    const gs = grad(x.sum(), [other, x]);
    expect([[...gs[0].data], gs[0].shape]).toEqual([
      [0, 0],
      [2, 1],
    ]);
    expect([...gs[1].data]).toEqual([1, 1]);
    expect([...grad(tensor([5]), [x])[0].data]).toEqual([0, 0]);
    expect([...grad(x.sum(), [x.add(1)])[0].data]).toEqual([0, 0]);
  });

  test("y may be one of the xs", () => {
    const y = tensor([3]);
    expect(grad(y, [y])[0].item()).toBe(1);
    const x = tensor([2]);
    const z = x.square();
    expect(grad(z, [z, x]).map((g) => g.item())).toEqual([1, 4]);
    const v = tensor([[1, 2]]);
    const [g] = grad(v, [v], { gradOutput: tensor([[5, 6]]) });
    expect([...g.data]).toEqual([5, 6]);
  });

  test("gradOutput is the cotangent of y: vᵀ·Jacobian", () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const v = tensor([
      [1, 0],
      [-1, 2],
    ]);
    expect([...grad(x.square(), [x], { gradOutput: v })[0].data]).toEqual([2, 0, -6, 16]);
    expect(() => grad(x, [x])).toThrow("grad: y has shape [2, 2], not one element.");
    expect(() => grad(x, [x], { gradOutput: ones([4]) })).toThrow("gradOutput [4] is not shaped like y [2, 2]");
  });

  test("a scalar of any rank needs no gradOutput", () => {
    const x = tensor([[[2]]]);
    expect(grad(x.square(), [x])[0].shape).toEqual([1, 1, 1]);
  });
});

describe("results", () => {
  test("share no memory, so that each may be changed in place", () => {
    const [a, b] = [tensor([1, 2]), tensor([3, 4])];
    const v = tensor([1, 1]);
    const gs = grad(a.add(b), [a, b, a], { gradOutput: v });
    gs[0].data.fill(7);
    expect([...gs[1].data, ...gs[2].data, ...v.data]).toEqual([1, 1, 1, 1, 1, 1]);
    const [same] = grad(a, [a], { gradOutput: v });
    same.data.fill(9);
    expect([...v.data]).toEqual([1, 1]);
    const flat = tensor([1, 2, 3, 4]);
    const table = flat.reshape(2, 2);
    const [gTable, gFlat] = grad(table.sum(), [table, flat]);
    gTable.data.fill(0);
    expect([...gFlat.data]).toEqual([1, 1, 1, 1]);
  });

  test("are all that a walk leaves behind; dead ends and replays included", () => {
    const rng = new Rng(1);
    const [x, w] = [rng.normal([64, 64]), rng.normal([64, 64])];
    const norm = new LayerNorm(64);
    const body = (t: Tensor): Tensor => norm.forward(t.matmul(w)).tanh();
    scope(() => {
      const y = checkpoint(body, checkpoint(body, body(x)).sigmoid())
        .softmax()
        .square()
        .sum();
      for (const xs of [[x, w], [w], [norm.weight], [x, x]]) {
        const before = memoryUse().live;
        const gs = grad(y, xs);
        const size = gs.reduce((bytes, g) => bytes + 4 * g.size, 0);
        expect(memoryUse().live - before).toBe(size);
        for (const g of gs) g.dispose();
        expect(memoryUse().live).toBe(before);
      }
    });
  });

  test("a walk needs the memory of a few gradients, not of all", () => {
    const x = new Rng(2).normal([256, 256]);
    const before = memoryUse().heap;
    scope(() => {
      let y = x;
      for (let i = 0; i < 50; i++) y = y.sin();
      const loss = y.sum();
      const forward = memoryUse().heap;
      grad(loss, [x]);
      expect(forward - before).toBeLessThan(52 * 4 * x.size);
      expect(memoryUse().heap - forward).toBeLessThanOrEqual(5 * 4 * x.size);
    });
  });

  test("an error on the way back frees everything", () => {
    const x = tensor([1, 2]);
    const before = memoryUse().live;
    scope(() => {
      let dying = x.exp();
      const y = dying.mul(x).sum();
      dying.dispose();
      dying = x;
      expect(() => grad(y, [x])).toThrow(/was freed/);
    });
    expect(memoryUse().live).toBe(before);
    expect([...grad(x.sum(), [x])[0].data], "and the next walk is well").toEqual([1, 1]);
  });
});

describe("noGrad and detach", () => {
  test("noGrad records nothing, nests, and recording comes back after an error", () => {
    const x = tensor([1]);
    noGrad(() => {
      noGrad(() => x.add(1));
      expect(x.add(1).node).toBeUndefined();
    });
    expect(() =>
      noGrad(() => {
        throw new RangeError();
      }),
    ).toThrow(RangeError);
    expect(x.add(1).node).toBeDefined();
  });

  test("grad works where recording is off: gradients are constants unless asked to be differentiable", () => {
    const x = tensor([3]);
    const y = x.square();
    expect(grad(y, [x])[0].node).toBeUndefined();
    const [g] = noGrad(() => grad(y, [x], { differentiable: true }));
    expect(grad(g, [x])[0].item()).toBe(2);
  });

  test("detach is a constant with the same memory", () => {
    const x = tensor([3]);
    const h = x.square();
    expect(grad(h.detach().mul(x), [x])[0].item()).toBe(9);
    expect(h.detach().block).toBe(h.block);
  });
});

/** f(x) = Σ tanh(W·x)² + ¼ Σ x⁴ in f64, and the same in tensors. */
function testFunction(n: number): { W: number[][]; exact: (x: number[]) => number; f: (x: Tensor) => Tensor } {
  const w = new Rng(5).normal([n, n]);
  const flat = [...w.toArray()];
  const W = Array.from({ length: n }, (_, i) => flat.slice(i * n, (i + 1) * n));
  const exact = (x: number[]): number => {
    const tanhs = W.map((row) => Math.tanh(row.reduce((s, v, j) => s + v * x[j], 0)));
    return tanhs.reduce((s, t) => s + t * t, 0) + 0.25 * x.reduce((s, v) => s + v ** 4, 0);
  };
  const f = (x: Tensor): Tensor =>
    w.matmul(x.reshape(n, 1)).tanh().square().sum().add(x.square().square().sum().mul(0.25));
  return { W, exact, f };
}

describe("products with Jacobians and Hessians, against differences in f64", () => {
  const n = 6;
  const rng = new Rng(6);
  const [x, u, v] = [0, 1, 2].map(() => Array.from({ length: n }, () => rng.random() - 0.5));
  const along = (a: number, b: number): number[] => x.map((value, i) => value + a * u[i] + b * v[i]);

  test("gradient along a direction", () => {
    const { exact, f } = testFunction(n);
    const [g] = grad(f(tensor(x)), [tensor(x)]);
    expect(
      g.data.every((value) => value === 0),
      "another tensor with the same values is not x",
    ).toBe(true);
    const t = tensor(x);
    const [gradient] = grad(f(t), [t]);
    const e = 1e-6;
    const slope = (exact(along(e, 0)) - exact(along(-e, 0))) / (2 * e);
    expect(gradient.toArray().reduce((s, d, i) => s + d * u[i], 0)).toBeCloseTo(slope, 5);
  });

  test("jvp", () => {
    const { exact, f } = testFunction(n);
    const { value, tangent } = jvp(f, [tensor(x)], [tensor(v)]);
    const e = 1e-6;
    expect(value.item()).toBeCloseTo(exact(x), 5);
    expect(tangent.item()).toBeCloseTo((exact(along(0, e)) - exact(along(0, -e))) / (2 * e), 5);
  });

  test("jvp of several inputs, one of them unused; of the identity", () => {
    const [a, b, c] = [tensor([2]), tensor([3]), tensor([4])];
    const product = jvp((p, q) => p.mul(q), [a, b, c], [tensor([10]), tensor([100]), tensor([7])]);
    expect(product.tangent.item()).toBe(230);
    expect(jvp((p) => p, [a], [b]).tangent.item()).toBe(3);
    expect(jvp(() => c, [a], [b]).tangent.item()).toBe(0);
  });

  test("uᵀ·H·v by two gradients, by jvp of the gradient, and by differences", () => {
    const { exact, f } = testFunction(n);
    const e = 1e-4;
    const differences =
      (exact(along(e, e)) - exact(along(e, -e)) - exact(along(-e, e)) + exact(along(-e, -e))) / (4 * e * e);
    const t = tensor(x);
    const [g] = grad(f(t), [t], { differentiable: true });
    const [hv] = grad(g.mul(tensor(v)).sum(), [t]);
    expect(hv.mul(tensor(u)).sum().item()).toBeCloseTo(differences, 4);
    const { tangent } = jvp((p) => grad(f(p), [p], { differentiable: true })[0], [t], [tensor(v)]);
    expect(difference(tangent.data, hv.data)).toBeLessThan(1e-5);
  });

  test("the Hessian is symmetric", () => {
    const { f } = testFunction(n);
    const t = tensor(x);
    const [g] = grad(f(t), [t], { differentiable: true });
    const rows = Array.from({ length: n }, (_, i) => {
      const e = zeros([n]);
      e.data[i] = 1;
      return [...grad(g, [t], { gradOutput: e })[0].data];
    });
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) expect(rows[i][j]).toBeCloseTo(rows[j][i], 5);
  });
});

test("a number where a tensor belongs", async () => {
  const { add } = await import("../../src/index.ts");
  expect(() => add(tensor([1]), 2 as unknown as Tensor)).toThrow("add: argument 2 is the number 2.");
});
