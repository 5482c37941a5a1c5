import { describe, expect, test } from "vitest";
import { Rng } from "../../src/core/random.ts";
import { AUGMENT_PRESETS, Augmenter, type AugmentSpec, parseAugment } from "../../src/data/augment.ts";

type Shape = [number, number, number];

/** `count` augmented versions of planes of this shape, by default 1, 2, 3, … */
function views(
  spec: AugmentSpec,
  shape: Shape,
  count: number,
  source = Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => i + 1),
): number[][] {
  const augmenter = new Augmenter(spec, shape);
  const rng = new Rng(5);
  return Array.from({ length: count }, () => {
    const out = new Float32Array(source.length).fill(Number.NaN);
    augmenter.apply(out, source, rng);
    return [...out];
  });
}
const distinct = (all: number[][]) => new Set(all.map((each) => each.join()));

describe("what moves only whole pixels interpolates nothing", () => {
  test("mirrors", () => {
    expect(distinct(views({ flip: "horizontal" }, [1, 2, 3], 20))).toEqual(new Set(["1,2,3,4,5,6", "3,2,1,6,5,4"]));
    expect(distinct(views({ flip: "vertical" }, [1, 2, 3], 20))).toEqual(new Set(["1,2,3,4,5,6", "4,5,6,1,2,3"]));
    const both = new Set(["1,2,3,4", "2,1,4,3", "3,4,1,2", "4,3,2,1"]);
    expect(distinct(views({ flip: "both" }, [1, 2, 2], 40))).toEqual(both);
    expect(distinct(views({ flip: "horizontal" }, [2, 1, 2], 20))).toEqual(new Set(["1,2,3,4", "2,1,4,3"]));
  });

  test("quarter turns", () => {
    const turned = new Set(["1,2,3,4", "2,4,1,3", "4,3,2,1", "3,1,4,2"]);
    expect(distinct(views({ quarterTurns: true }, [1, 2, 2], 40))).toEqual(turned);
    expect(distinct(views({ quarterTurns: true, flip: "both" }, [1, 3, 3], 200)).size).toBe(8);
  });

  test("shifts, and what comes in over the border", () => {
    const seen = (fill: AugmentSpec["fill"]) => distinct(views({ shift: 1, fill }, [1, 1, 3], 40));
    expect(seen("edge")).toEqual(new Set(["1,2,3", "1,1,2", "2,3,3"]));
    expect(seen("reflect")).toEqual(new Set(["1,2,3", "2,1,2", "2,3,2"]));
    expect(seen("mean")).toEqual(new Set(["1,2,3", "0,1,2", "2,3,0"]));
    expect(seen(undefined)).toEqual(seen("reflect"));
    // A share of the side, in both directions.
    const moved = views({ shift: 0.34, fill: "mean" }, [1, 3, 3], 200);
    expect(distinct(moved).size).toBe(9);
  });
});

test("turning, magnifying: a linear image stays one, with its middle in place", () => {
  const [height, width] = [9, 9];
  const ramp = Float32Array.from({ length: 81 }, (_, i) => (i % 9) - 4 + 2 * (Math.floor(i / 9) - 4));
  for (const [spec, stretch] of [
    [{ rotate: 30 }, [1, 1]],
    [{ zoom: [1.5, 2] }, [0.5, 1 / 1.5]],
  ] as const)
    for (const view of views(spec, [1, height, width], 20, ramp)) {
      expect(view[4 * 9 + 4]).toBeCloseTo(0, 5);
      const [dx, dy] = [view[4 * 9 + 5], view[5 * 9 + 4]];
      expect(view[6 * 9 + 3]).toBeCloseTo(2 * dy - dx, 4);
      const slope = Math.hypot(dx, dy) / Math.hypot(1, 2);
      expect(slope).toBeGreaterThan(stretch[0] - 1e-5);
      expect(slope).toBeLessThan(stretch[1] + 1e-5);
    }
});

test("light: brightness adds, contrast keeps the mean", () => {
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x) / values.length;
  const plain = [1, 2, 3, 4];
  const offsets = views({ brightness: 0.5 }, [1, 2, 2], 50).map((view) => {
    view.forEach((x, i) => expect(x - plain[i]).toBeCloseTo(view[0] - 1, 5));
    return view[0] - 1;
  });
  expect(Math.max(...offsets)).toBeGreaterThan(0.3);
  expect(Math.min(...offsets)).toBeLessThan(-0.3);
  expect(Math.max(...offsets.map(Math.abs))).toBeLessThanOrEqual(0.5001);
  const factors = views({ contrast: 0.2 }, [1, 2, 2], 50).map((view) => {
    expect(mean(view)).toBeCloseTo(2.5, 5);
    return (view[3] - view[0]) / 3;
  });
  expect(Math.max(...factors)).toBeLessThanOrEqual(1.2001);
  expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.7999);
});

test("erasing blots out one rectangle in all channels, as often as asked", () => {
  const source = new Float32Array(2 * 20 * 20).fill(7);
  const all = views({ erase: 0.5 }, [2, 20, 20], 100, source);
  const erased = all.filter((view) => view.includes(0));
  expect(erased.length).toBeGreaterThan(30);
  expect(erased.length).toBeLessThan(70);
  for (const view of erased) {
    const at = [...view.keys()].filter((i) => view[i] === 0);
    const [xs, ys] = [at.map((i) => i % 20), at.map((i) => Math.floor((i % 400) / 20))];
    const area = (Math.max(...xs) - Math.min(...xs) + 1) * (Math.max(...ys) - Math.min(...ys) + 1);
    expect(at.length).toBe(2 * area);
    expect(area).toBeLessThan(0.4 * 400);
  }
  expect(views({ erase: 1 }, [1, 1, 50], 1)[0].filter((x) => x === 0).length).toBeGreaterThan(0);
});

test("the same generator gives the same images", () => {
  const spec = parseAugment("photo,erase:0.5");
  expect(views(spec, [3, 6, 6], 5)).toEqual(views(spec, [3, 6, 6], 5));
  expect(distinct(views(spec, [3, 6, 6], 5)).size).toBe(5);
  for (const view of views(spec, [3, 6, 6], 5)) expect(view.every(Number.isFinite)).toBe(true);
});

test("what signals cannot have done to them, and squares alone", () => {
  const signal: Shape = [1, 1, 50];
  expect(views(AUGMENT_PRESETS.signal, signal, 2)).toHaveLength(2);
  for (const spec of [{ rotate: 10 }, { quarterTurns: true }, { flip: "both" }] as const)
    expect(() => new Augmenter(spec, signal)).toThrow(/is for pictures; these are signals/);
  expect(() => new Augmenter({ quarterTurns: true }, [1, 2, 3])).toThrow(/needs squares; these images are 2 × 3/);
});

test("as an object: a wrong name or choice is an error", () => {
  for (const [spec, says] of [
    [{ rotat: 10 }, /there is no "rotat"/],
    [{ flip: true }, /flip is one of horizontal, vertical, both, not true/],
  ] as const)
    expect(() => new Augmenter(spec as object, [1, 4, 4])).toThrow(says);
});

describe("as text", () => {
  test.each<[string, AugmentSpec]>([
    ["flip,rotate:10,shift:2,erase:0.5", { flip: "horizontal", rotate: 10, shift: 2, erase: 0.5 }],
    ["flip:both, zoom:0.1, fill:edge", { flip: "both", zoom: [0.9, 1.1], fill: "edge" }],
    ["zoom:0.8:1,quarterTurns,noise:.1", { zoom: [0.8, 1], quarterTurns: true, noise: 0.1 }],
    ["texture,contrast:0", { ...AUGMENT_PRESETS.texture, contrast: 0 }],
    ["none", {}],
  ])("%s", (text, spec) => expect(parseAugment(text)).toEqual(spec));

  test.each<[string, RegExp]>([
    ["rotat:10", /there is no "rotat"\.\n {2}Did you mean rotate\? There are flip, fill, rotate, .*presets digits/],
    ["", /there is no ""/],
    ["rotate", /"rotate" is not like rotate:10/],
    ["shift:x", /"shift:x" is not like shift:0\.2/],
    ["shift:", /"shift:" is not like/],
    ["flip:left", /"flip:left" is not flip:horizontal, flip:vertical, flip:both/],
    ["quarterTurns:1", /has no amount/],
    ["zoom:1:2:3", /is not like zoom:0\.1 or zoom:0\.9:1\.1/],
    ["zoom:2:1", /zoom is 2 … 1\./],
    ["rotate:200", /rotate is 200; it goes from 0 to 180 degrees/],
    ["erase:2", /erase is 2; it goes from 0 to 1\./],
    ["texture:2", /there is no "texture"/],
  ])("%s", (text, message) => expect(() => parseAugment(text)).toThrow(message));
});
