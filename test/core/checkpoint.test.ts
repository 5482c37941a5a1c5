import { beforeAll, describe, expect, test } from "vitest";
import { checkpoint, grad, init, memoryUse, Rng, scope, type Tensor, tensor } from "../../src/index.ts";
import { difference } from "./difference.ts";

beforeAll(async () => {
  await init({ threads: 2 });
});

describe("checkpoint", () => {
  const rng = new Rng(3);
  const setup = (): { x: Tensor; w: Tensor; body: (t: Tensor) => Tensor } => {
    const [x, w] = [rng.normal([5, 4]), rng.normal([4, 4])];
    return { x, w, body: (t) => t.matmul(w).tanh().matmul(w).sigmoid() };
  };

  test("in a checkpoint in a checkpoint: the same bits, for inputs and for what the body closes over", () => {
    const { x, w, body } = setup();
    const nested = (t: Tensor): Tensor => checkpoint((u) => checkpoint(body, u.mul(2)).add(u), t);
    const plain = (t: Tensor): Tensor => body(t.mul(2)).add(t);
    const expected = grad(plain(plain(x)).sum(), [x, w]);
    const found = grad(checkpoint(nested, nested(x)).sum(), [x, w]);
    for (let i = 0; i < 2; i++) expect(found[i].toArray()).toEqual(expected[i].toArray());
  });

  test("a computed tensor that several bodies close over waits for all of them", () => {
    const { x, w } = setup();
    const loss = (layer: (t: Tensor, weight: Tensor) => Tensor): Tensor => {
      const weight = w.square();
      return layer(layer(x, weight).tanh(), weight).sum();
    };
    const expected = grad(
      loss((t, weight) => t.matmul(weight).tanh()),
      [x, w],
    );
    const found = grad(
      loss((t, weight) => checkpoint((u) => u.matmul(weight).tanh(), t)),
      [x, w],
    );
    for (let i = 0; i < 2; i++) expect(difference(found[i].data, expected[i].data)).toBeLessThan(1e-6);
  });

  test("is differentiable to second order", () => {
    const { x, w, body } = setup();
    const second = (f: (t: Tensor) => Tensor): Tensor[] => {
      const [g] = grad(f(x).square().sum(), [x], { differentiable: true });
      return grad(g.square().sum(), [x, w]);
    };
    const expected = second(body);
    const found = second((t) => checkpoint(body, t));
    for (let i = 0; i < 2; i++) expect(difference(found[i].data, expected[i].data)).toBeLessThan(1e-6);
  });

  test("keeps only its result", () => {
    const x = rng.normal([64, 64]);
    const body = (t: Tensor): Tensor => {
      for (let i = 0; i < 10; i++) t = t.tanh();
      return t;
    };
    scope(() => {
      const before = memoryUse().live;
      checkpoint(body, x);
      expect(memoryUse().live - before).toBe(4 * 64 * 64);
    });
  });

  test("a body that returns its input, and one that computes nothing from the xs", () => {
    const { x } = setup();
    expect([...grad(checkpoint((t) => t, x).sum(), [x])[0].data]).toEqual(new Array(20).fill(1));
    const constant = tensor([1, 2]);
    expect(grad(checkpoint((_t: Tensor) => constant, x).sum(), [x])[0].data.every((g) => g === 0)).toBe(true);
  });
});
