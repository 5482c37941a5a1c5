import { beforeAll, describe, expect, test } from "vitest";
import { Lattice } from "../../src/data/lattice.ts";
import { neighbourList } from "../../src/data/neighbours.ts";
import { Structure } from "../../src/data/structure.ts";
import { grad, indices, init, type Tensor, tensor } from "../../src/index.ts";
import { angles, cosines, displacements, distances } from "../../src/ops/geometry.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

/** Gradients of Σ f up to the third order, each the gradient of the sum of the one before. */
function orders(f: (x: Tensor) => Tensor, x: Tensor): number[][] {
  const found: number[][] = [];
  let y = f(x).sum();
  for (let order = 0; order < 3; order++) {
    const [g] = grad(y, [x], { differentiable: true });
    found.push([...g.toArray()].map((v) => v + 0));
    y = g.sum();
  }
  return found;
}
const finite = (found: number[][]): void => {
  for (const v of found.flat()) if (!Number.isFinite(v)) expect.fail(`a derivative is ${v}`);
};

describe("at the vector 0 there is a value and gradients of any order are 0", () => {
  const zero = [
    [0, 0, 0],
    [3, 4, 0],
  ];
  const none = [0, 0, 0];

  test("distances", () => {
    const x = tensor(zero);
    expect([...distances(x).data]).toEqual([0, 5]);
    const [first, ...higher] = orders(distances, x);
    expect(first.slice(0, 3)).toEqual(none);
    expect(first[3]).toBeCloseTo(0.6, 6);
    for (const g of higher) expect(g.slice(0, 3)).toEqual(none);
    finite(higher);
  });

  test.each([
    ["cosines", cosines],
    ["angles", angles],
  ] as const)("%s", (_name, f) => {
    const v = tensor([
      [1, 2, 3],
      [0, 2, 0],
    ]);
    expect(f(tensor(zero), v).data[0]).toBe(0);
    for (const g of [...orders((x) => f(x, v), tensor(zero)), ...orders((x) => f(v, x), tensor(zero))]) {
      expect(g.slice(0, 3)).toEqual(none);
      finite([g]);
    }
    // The other vector gets none either.
    for (const g of orders((x) => f(tensor(zero), x), v)) expect(g.slice(0, 3)).toEqual(none);
  });
});

describe("collinear vectors", () => {
  const U = [1, 2, 3, 1, 2, 3, 0, 0, 2];
  const V = [2, 4, 6, -3, -6, -9, 0, 0, 2];
  const rows = (values: number[]): Tensor => tensor(values, [values.length / 3, 3]);

  test("have cosines ±1 and angles 0 and π", () => {
    cosines(rows(U), rows(V)).data.forEach((c, e) => void expect(c).toBeCloseTo([1, -1, 1][e], 6));
    expect([...angles(rows(U), rows(V)).data]).toEqual([0, Math.fround(Math.PI), 0]);
  });

  test("have finite gradients of any order; the angle's kink counts as flat", () => {
    finite(orders((x) => cosines(x, rows(V)), rows(U)));
    const found = orders((x) => angles(x, rows(V)), rows(U));
    expect(found.flat().every((g) => g === 0)).toBe(true);
  });

  test("nearly collinear ones have angles to all digits, where an arc cosine has half of them", () => {
    const v = rows([1, 1e-5, 0]);
    const angle = angles(rows([1, 0, 0]), v);
    expect(angle.item() / 1e-5).toBeCloseTo(1, 6);
    expect(grad(angle.sum(), [v])[0].data[1]).toBeCloseTo(1, 5);
  });
});

test("displacements of a neighbour list are its vectors, and their lengths its distances", () => {
  const structure = new Structure({
    numbers: [11, 17],
    lattice: Lattice.fromParameters(3.9, 3.9, 3.9, 60, 60, 60),
    fractional: [0.1, 0, 0, 1.6, 0.5, -0.5],
  });
  const { ptr, index, image, vector, distance } = neighbourList(structure, { cutoff: 5 });
  const receiver = Array.from(index, (_, e) => (e < ptr[1] ? 0 : 1));
  const shift = receiver.flatMap((_, e) =>
    structure.lattice!.toCartesian([image[3 * e], image[3 * e + 1], image[3 * e + 2]]),
  );
  const positions = tensor(structure.positions, [2, 3]);
  const attrs = { receiver: indices(receiver), sender: indices(index), shift: tensor(shift, [index.length, 3]) };
  const vectors = displacements(positions, attrs);
  expect(index.length).toBeGreaterThan(30);
  vectors.data.forEach((x, k) => void expect(x).toBeCloseTo(vector[k], 5));
  distances(vectors).data.forEach((r, e) => void expect(r).toBeCloseTo(distance[e], 5));
  // Moving the whole crystal changes nothing: forces add up to 0.
  const [g] = grad(distances(displacements(positions, attrs)).pow(-6).sum(), [positions]);
  for (let c = 0; c < 3; c++) expect(g.data[c] + g.data[3 + c]).toBeCloseTo(0, 7);
});

describe("what does not fit is named", () => {
  const x = (): Tensor => tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const at = (...values: number[]) => indices(values);
  test.each<[string, () => unknown, string]>([
    ["not vectors", () => distances(tensor([1, 2])), "distances([2]): vectors are rows [edges, 3]"],
    ["planar vectors", () => cosines(tensor([[1, 2]]), tensor([[1, 2]])), "cosines([1, 2], [1, 2]): vectors are rows"],
    ["unequal numbers", () => angles(x(), tensor([[1, 2, 3]])), "angles([2, 3], [1, 3]): vectors are rows"],
    ["unequal ends", () => displacements(x(), { receiver: at(0), sender: at(0, 1) }), "1 receivers for 2 senders"],
    [
      "no such atom",
      () => displacements(x(), { receiver: at(0), sender: at(2) }),
      "index 2 (at position 0) is outside",
    ],
    ["shift", () => displacements(x(), { receiver: at(0), sender: at(1), shift: x() }), "shift must be [1, 3]"],
  ])("%s", (_name, body, text) => {
    expect(body).toThrow(text);
  });
});
