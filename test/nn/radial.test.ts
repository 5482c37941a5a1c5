import { beforeAll, describe, expect, test } from "vitest";
import { gaussianBasis, grad, init, scope, type Tensor, tensor } from "../../src/index.ts";
import { besselBasis, cosineCutoff, gaussiansTo, polynomialCutoff } from "../../src/nn/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const near = (y: Tensor, expected: readonly number[], digits = 6): void => {
  expect(y.size).toBe(expected.length);
  expected.forEach((value, i) => expect(y.data[i]).toBeCloseTo(value, digits));
};

/** Of the literature's bases, at 2.5 Å. */
describe("golden values", () => {
  const d = (): Tensor => tensor([2.5]);

  test.each([
    [
      "CGCNN",
      { start: 0, step: 0.2, count: 41, gamma: 25 },
      10,
      [0.0019304541, 0.1053992, 0.7788008, 0.7788008, 0.1053992, 0.0019304541],
    ],
    [
      "ALIGNN, bonds",
      { start: 0, step: 8 / 79, count: 80, gamma: 9.875 },
      22,
      [0.48123083, 0.74948404, 0.95326349, 0.9901595, 0.83992204, 0.58185453],
    ],
    [
      "MEGNet, Keras",
      { start: 0, step: 5 / 99, count: 100, gamma: 4 },
      45,
      [0.81333551, 0.88250816, 0.9382217, 0.97730466, 0.99745249, 0.99745249],
    ],
    [
      "MEGNet, matgl",
      { start: 0, step: 5 / 99, count: 100, gamma: 0.5 },
      45,
      [0.9745042, 0.98449801, 0.99206056, 0.99713451, 0.99968121, 0.99968121],
    ],
    [
      "SchNet",
      { start: 0, step: 20 / 199, count: 200, gamma: 10 },
      23,
      [0.70110006, 0.92558075, 0.998423, 0.87999621, 0.63374271],
    ],
    ["SchNetPack", gaussiansTo(5, 20), 7, [0.04393693, 0.32465247, 0.8824969, 0.8824969, 0.32465247, 0.04393693]],
  ] as const)("%s", (_name, basis, first, values) => {
    scope(() =>
      near(
        tensor(
          gaussianBasis(d(), basis)
            .toArray()
            .slice(first, first + values.length),
        ),
        values,
      ),
    );
  });

  test("Bessel functions with a cutoff of 5 Å", () => {
    scope(() => near(besselBasis(d(), { cutoff: 5, count: 6 }), [0.25298221, 0, -0.25298221, 0, 0.25298221, 0]));
  });

  test("cutoffs at a tenth, a half and nine tenths", () => {
    scope(() => {
      const x = tensor([0.5, 2.5, 4.5]);
      near(cosineCutoff(x, { cutoff: 5 }), [0.97552826, 0.5, 0.02447174]);
      near(polynomialCutoff(x, { cutoff: 5, p: 6 }), [0.99997659, 0.85546875, 0.03809179]);
      near(polynomialCutoff(x, { cutoff: 5, p: 5 }), [0.9998235, 0.7734375, 0.0256915]);
    });
  });
});

test("beyond the cutoff there is nothing, and at it the cutoffs are smooth", () => {
  scope(() => {
    const d = tensor([5 - 1e-4, 5 + 1e-4, 7]);
    for (const y of [cosineCutoff(d, { cutoff: 5 }), polynomialCutoff(d, { cutoff: 5 })]) {
      near(y, [0, 0, 0], 7);
      const [slope] = grad(y.sum(), [d]);
      near(slope, [0, 0, 0], 3);
    }
  });
});

test("Bessel functions have a limit at 0, and finite gradients of any order", () => {
  scope(() => {
    const d = tensor([0]);
    const y = besselBasis(d, { cutoff: 5, count: 3 });
    near(
      y,
      [1, 2, 3].map((n) => (Math.sqrt(2 / 5) * n * Math.PI) / 5),
    );
    const [first] = grad(y.sum(), [d], { differentiable: true });
    const [second] = grad(first.sum(), [d]);
    expect([...first.data, ...second.data].every(Number.isFinite)).toBe(true);
  });
});
