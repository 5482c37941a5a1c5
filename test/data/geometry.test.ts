import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { minimumImage, reducedBasis } from "../../src/data/geometry.ts";
import { cross, dot, Lattice, type Vector3 } from "../../src/data/lattice.ts";

const whole = (size: number) => fc.integer({ min: -size, max: size });
const vector = (size: number) => fc.tuple(whole(size), whole(size), whole(size)) as fc.Arbitrary<Vector3>;
const times = (v: Vector3, s: number): Vector3 => [s * v[0], s * v[1], s * v[2]];
const plus = (u: Vector3, v: Vector3): Vector3 => [u[0] + v[0], u[1] + v[1], u[2] + v[2]];

/** Lattices of vectors with few digits, so that ties occur, most of them skewed. */
const lattice = fc
  .tuple(vector(6), vector(6), vector(6))
  .filter(([a, b, c]) => dot(a, cross(b, c)) !== 0)
  .map(([a, b, c]) => new Lattice([times(a, 0.5), times(b, 0.5), times(c, 0.5)]));
const periodic = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());

/** The length of the shortest image, from all images that can be as short as the vector itself. */
function shortest(v: Vector3, { matrix, inverse }: Lattice, along: readonly boolean[]): number {
  const length = Math.hypot(...v);
  const most = [0, 1, 2].map((c) =>
    along[c] ? Math.floor(2 * length * Math.hypot(...inverse.map((r) => r[c])) + 1e-9) : 0,
  );
  let least = length;
  for (let a = -most[0]; a <= most[0]; a++)
    for (let b = -most[1]; b <= most[1]; b++)
      for (let c = -most[2]; c <= most[2]; c++) {
        const shift = plus(plus(times(matrix[0], a), times(matrix[1], b)), times(matrix[2], c));
        least = Math.min(least, Math.hypot(...plus(v, shift)));
      }
  return least;
}

describe("minimumImage", () => {
  test("is the shortest of all images, in cells of any shape and periodicity", () => {
    fc.assert(
      fc.property(vector(12), lattice, periodic, (v, cell, along) => {
        const found = minimumImage(times(v, 0.25), cell, along);
        expect(Math.hypot(...found)).toBeCloseTo(shortest(times(v, 0.25), cell, along), 10);
        const f = cell.toFractional(plus(found, times(v, -0.25)));
        f.forEach((n, c) => {
          expect(Math.abs(n - Math.round(n))).toBeLessThan(1e-9);
          if (!along[c]) expect(Math.round(n) + 0).toBe(0);
        });
      }),
      { seed: 5, numRuns: 1000 },
    );
  });

  test("finds what rounding the fractional coordinates misses", () => {
    const skewed = new Lattice([
      [1, 0, 0],
      [4.45, 1, 0],
      [0, 0, 1],
    ]);
    // Fractional coordinates 0.05, −0.5 and 0 are already rounded.
    const v = skewed.toCartesian([0.05, 0.5, 0]);
    expect(Math.hypot(...v)).toBeGreaterThan(2);
    const near = minimumImage(v, skewed);
    expect(near[0]).toBeCloseTo(-0.175, 12);
    expect(near[1]).toBeCloseTo(-0.5, 12);
  });

  test("is periodic in all directions unless told otherwise, and survives far vectors", () => {
    const cube = Lattice.cubic(2);
    expect(minimumImage([1.5, -0.5, 2e6 + 0.25], cube)).toEqual([-0.5, -0.5, 0.25]);
    expect(minimumImage([1.5, -0.5, 7], cube, [true, false, false])).toEqual([-0.5, -0.5, 7]);
    expect(minimumImage([1.5, -0.5, 7], cube, [false, false, false])).toEqual([1.5, -0.5, 7]);
  });
});

test("a reduced basis spans the same lattice with the shortest vectors there are", () => {
  fc.assert(
    fc.property(lattice, (cell) => {
      const { vectors, images } = reducedBasis(cell, [true, true, true]);
      const [a, b, c] = vectors;
      expect(Math.abs(dot(a, cross(b, c)))).toBeCloseTo(cell.volume, 10);
      expect(Math.abs(dot(images[0], cross(images[1], images[2])))).toBe(1);
      // Minkowski's conditions.
      const length = vectors.map((v) => Math.hypot(...v));
      for (let k = 1; k < 3; k++) expect(length[k]).toBeGreaterThanOrEqual(length[k - 1] * (1 - 1e-9));
      for (const p of [-1, 0, 1]) {
        expect(Math.hypot(...plus(b, times(a, p)))).toBeGreaterThanOrEqual(length[1] * (1 - 1e-9));
        for (const q of [-1, 0, 1])
          expect(Math.hypot(...plus(c, plus(times(a, p), times(b, q))))).toBeGreaterThanOrEqual(length[2] * (1 - 1e-9));
      }
    }),
    { seed: 6, numRuns: 500 },
  );
});
