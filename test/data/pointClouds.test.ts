import { beforeAll, describe, expect, test } from "vitest";
import { NumpyRandom } from "../../src/core/numpyRandom.ts";
import { PointCloudFeaturiser } from "../../src/data/pointCloudFeaturiser.ts";
import { cluster, MOTIFS, POINT_CLOUDS, pointClouds, SHAPES } from "../../src/data/pointClouds.ts";
import { featuriserFromJSON } from "../../src/data/rowFeaturiser.ts";
import { init, Rng, scope, type Tensor } from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const radii = (positions: ArrayLike<number>): number[] =>
  Array.from({ length: positions.length / 3 }, (_, i) =>
    Math.hypot(positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]),
  );

test.each([
  ["fcc", 12, Math.SQRT2],
  ["bcc", 8, 2 / Math.sqrt(3)],
  ["hcp", 12, Math.SQRT2],
  ["diamond", 4, Math.sqrt(8 / 3)],
])("%s: an atom has %d neighbours 1 away, the next are at %d", (kind, count, next) => {
  const distances = radii(cluster(MOTIFS[kind], 200, 0, 0, 0).flat());
  expect(distances[0]).toBe(0);
  for (const d of distances.slice(1, count + 1)) expect(d).toBeCloseTo(1, 9);
  expect(distances[count + 1]).toBeCloseTo(next, 9);
  expect(distances).toHaveLength(200);
  // No atom of the outermost shells is missing: as many lie within a radius as its volume holds.
  const density = 200 / ((4 / 3) * Math.PI * distances[199] ** 3);
  const inside = cluster(MOTIFS[kind], 400, 0.3, 0.2, 0.1).flat();
  expect(density / (400 / ((4 / 3) * Math.PI * Math.max(...radii(inside)) ** 3))).toBeCloseTo(1, 0);
});

describe("clouds", () => {
  const table = pointClouds({ count: 18, points: 400, seed: 1 });

  test("take turns, with as many points each", () => {
    expect(table.classes).toEqual(POINT_CLOUDS);
    expect(POINT_CLOUDS).toHaveLength(9);
    expect([...table.targets!.values]).toEqual([...POINT_CLOUDS, ...POINT_CLOUDS].map((_, i) => i % 9));
    expect(table.ids.slice(8, 10)).toEqual(["diamond-1", "sphere-2"]);
    expect(table.structures!.every((s) => s.length === 400 && !s.lattice)).toBe(true);
    expect(pointClouds({ count: 3, points: 400, seed: 1 }).structures![2].positions).toEqual(
      table.structures![2].positions,
    );
    expect(() => pointClouds({ points: 0 })).toThrow("points is 0");
  });
});

test("surfaces are what they are called, and their points evenly spread", () => {
  const random = new NumpyRandom(5);
  const points = (kind: string): number[][] => Array.from({ length: 2000 }, () => SHAPES[kind](random));
  const share = (of: number[][], where: (p: number[]) => boolean): number => of.filter(where).length / of.length;
  const radius = ([x, , z]: number[]): number => Math.hypot(x, z);
  const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9;

  const sphere = points("sphere");
  expect(share(sphere, (p) => near(Math.hypot(...p), 1))).toBe(1);
  expect(share(sphere, ([, y]) => y > 0.5)).toBeCloseTo(0.25, 1);
  const cube = points("cube");
  expect(share(cube, (p) => near(Math.max(...p.map(Math.abs)), 1))).toBe(1);
  for (const c of [0, 1, 2]) expect(share(cube, (p) => near(p[c], 1))).toBeCloseTo(1 / 6, 1);
  const torus = points("torus");
  expect(share(torus, (p) => near(Math.hypot(radius(p) - 1, p[1]), 0.35))).toBe(1);
  expect(share(torus, (p) => radius(p) > 1)).toBeCloseTo(0.5 + 0.35 / Math.PI, 1);
  const cone = points("cone");
  expect(share(cone, (p) => p[1] === -1 || near(radius(p), (1 - p[1]) / 2))).toBe(1);
  expect(share(cone, ([, y]) => y === -1)).toBeCloseTo(1 / (1 + Math.sqrt(5)), 1);
  const cylinder = points("cylinder");
  expect(share(cylinder, (p) => near(Math.abs(p[1]), 1) || near(radius(p), 1))).toBe(1);
  expect(share(cylinder, ([, y]) => Math.abs(y) === 1)).toBeCloseTo(1 / 3, 1);
});

describe("as a net sees them", () => {
  const table = pointClouds({ count: 3, points: 60, seed: 2 });
  const rows = Int32Array.from([2, 0]);
  const pointsOf = (featuriser: PointCloudFeaturiser, rng?: Rng): Float32Array =>
    scope(() => (featuriser.dataset(table).batch(rows, rng).inputs[0] as Tensor).toArray());

  test("they lie about the origin, the farthest point 1 away", () => {
    const points = pointsOf(new PointCloudFeaturiser({ points: 60 }));
    expect(points).toHaveLength(360);
    for (const part of [points.subarray(0, 180), points.subarray(180)]) {
      expect(Math.max(...radii(part))).toBeCloseTo(1, 5);
      for (let c = 0; c < 3; c++)
        expect(part.filter((_, k) => k % 3 === c).reduce((s, x) => s + x, 0)).toBeCloseTo(0, 4);
    }
  });

  test("a larger cloud is sampled, always alike where nothing is learned; a smaller one repeated", () => {
    const few = new PointCloudFeaturiser({ points: 20, augment: "none" });
    expect(pointsOf(few)).toEqual(pointsOf(few));
    expect(pointsOf(few, new Rng(1))).not.toEqual(pointsOf(few));
    const all = new Set(radii(pointsOf(new PointCloudFeaturiser({ points: 60 }))));
    expect(radii(pointsOf(few, new Rng(1))).every((r) => all.has(r))).toBe(true);
    const twice = pointsOf(new PointCloudFeaturiser({ points: 120 }));
    expect(twice.slice(180, 360)).toEqual(twice.slice(0, 180));
  });

  test("training turns them about the y axis and shakes them a little", () => {
    const still = pointsOf(new PointCloudFeaturiser({ points: 60 }));
    const seen = pointsOf(new PointCloudFeaturiser({ points: 60 }), new Rng(4));
    const off = (f: (x: Float32Array, k: number) => number): number =>
      Math.max(...Array.from({ length: 60 }, (_, i) => Math.abs(f(seen, 3 * i) - f(still, 3 * i))));
    expect(off((x, k) => x[k + 1])).toBeLessThan(0.0501);
    expect(off((x, k) => x[k + 1])).toBeGreaterThan(0.005);
    expect(off((x, k) => Math.hypot(x[k], x[k + 2]))).toBeLessThan(0.08);
    expect(off((x, k) => x[k])).toBeGreaterThan(0.2);
  });

  test("the featuriser survives its JSON", () => {
    const featuriser = new PointCloudFeaturiser({ points: 64, augment: "none" });
    const again = featuriserFromJSON(JSON.parse(JSON.stringify(featuriser)));
    expect(again.toJSON()).toEqual(featuriser.toJSON());
    expect(again.hash).toBe(featuriser.hash);
    expect(again.hash).not.toBe(new PointCloudFeaturiser().hash);
    expect(() => new PointCloudFeaturiser({ points: 0 })).toThrow("whole number");
    expect(() => featuriser.dataset({ ...table, length: 3, structures: undefined })).toThrow("no structures");
  });
});
