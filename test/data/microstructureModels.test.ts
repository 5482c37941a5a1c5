import { describe, expect, test } from "vitest";
import { NumpyRandom } from "../../src/core/numpyRandom.ts";
import { CahnHilliard, spinodal } from "../../src/data/cahnHilliard.ts";
import { type Solidification, solidify } from "../../src/data/dendrites.ts";
import { Fft2, powerOfTwo } from "../../src/data/fft.ts";
import { fibres } from "../../src/data/fibres.ts";
import { gaussianField, porous } from "../../src/data/gaussianField.ts";
import { laguerre, pearlite } from "../../src/data/voronoi.ts";

const sum = (x: ArrayLike<number>) => Array.from(x).reduce((a, b) => a + b, 0);
const noise = (n: number, seed: number) => {
  const random = new NumpyRandom(seed);
  return Float64Array.from({ length: n }, () => random.normal());
};

describe("Fft2", () => {
  test("there and back is where it began, and lengths agree (Parseval)", () => {
    for (const n of [1, 2, 8, 32]) {
      const fft = new Fft2(n);
      const [x, y] = [noise(n * n, 1), noise(n * n, 2)];
      const [re, im] = [x.slice(), y.slice()];
      fft.forward(re, im);
      const square = (a: Float64Array, b: Float64Array) => sum(a.map((v, i) => v * v + b[i] * b[i]));
      expect(square(re, im) / (n * n) / square(x, y)).toBeCloseTo(1, 12);
      fft.inverse(re, im);
      for (let i = 0; i < n * n; i++) {
        expect(Math.abs(re[i] - x[i])).toBeLessThan(1e-14 * n);
        expect(Math.abs(im[i] - y[i])).toBeLessThan(1e-14 * n);
      }
    }
    expect([1, 16, 17, 48, 64].map(powerOfTwo)).toEqual([1, 16, 32, 64, 64]);
  });

  test("a plane wave has one place, whose |k|² is the wave's", () => {
    const n = 16;
    const fft = new Fft2(n);
    for (const [fx, fy] of [
      [0, 0],
      [3, 0],
      [0, 5],
      [2, -7],
      [-8, 1],
    ]) {
      const phase = (i: number) => (2 * Math.PI * (fx * (i % n) + fy * Math.floor(i / n))) / n;
      const re = Float64Array.from({ length: n * n }, (_, i) => Math.cos(phase(i)));
      const im = Float64Array.from({ length: n * n }, (_, i) => Math.sin(phase(i)));
      fft.forward(re, im);
      const place = re.findIndex((v) => v > 1);
      expect(re[place]).toBeCloseTo(n * n, 9);
      expect(sum(re.map((v, i) => v * v + im[i] * im[i]))).toBeCloseTo(n ** 4, 5);
      expect(fft.waves[place]).toBeCloseTo((2 * Math.PI * Math.hypot(fx, fy)) ** 2 / n ** 2, 12);
    }
  });
});

describe("CahnHilliard", () => {
  const fft = new Fft2(32);

  test("the mean is conserved and the free energy falls, whatever the time step", () => {
    for (const dt of [0.01, 1, 20]) {
      const alloy = new CahnHilliard(
        fft,
        noise(1024, 5).map((x) => 0.1 + 0.3 * x),
        0.6,
      );
      const mean = sum(alloy.c) / 1024;
      let energy = alloy.energy();
      for (let i = 0; i < 25; i++) {
        alloy.step(dt);
        expect(alloy.energy()).toBeLessThan(energy);
        energy = alloy.energy();
      }
      expect(sum(alloy.c) / 1024).toBeCloseTo(mean, 12);
    }
  });

  test("a faint wave grows as the linear theory says: k²(1 − κk²), so that short waves die out", () => {
    for (const [f, kappa] of [
      [3, 0.6],
      [9, 0.6],
    ]) {
      const k2 = ((2 * Math.PI * f) / 32) ** 2;
      const wave = Float64Array.from({ length: 1024 }, (_, i) => 1e-5 * Math.cos((2 * Math.PI * f * (i % 32)) / 32));
      const alloy = new CahnHilliard(fft, wave.slice(), kappa);
      for (let i = 0; i < 200; i++) alloy.step(0.0001);
      const rate = Math.log(alloy.c[0] / wave[0]) / 0.02;
      expect(rate / (k2 * (1 - kappa * k2))).toBeCloseTo(1, 2);
    }
  });

  test("a quenched alloy ends in two phases", () => {
    const { values, facts } = spinodal(32, new NumpyRandom(2));
    expect(values.filter((c) => Math.abs(c) > 0.6).length / values.length).toBeGreaterThan(0.6);
    expect(facts.richFraction).toBe(values.filter((c) => c > 0).length / values.length);
    expect(Math.abs(sum(values) / values.length - facts.mean)).toBeLessThan(0.05);
  });
});

describe("solidify", () => {
  const size = 36;
  const growth: Solidification = {
    nuclei: [{ x: 17.5, y: 17.5, orientation: 0 }],
    symmetry: 4,
    anisotropy: 0.05,
    latentHeat: 1.8,
    solidFraction: 0.25,
    maxSteps: 400,
  };
  const grown = solidify(size, growth, new NumpyRandom(1));
  /** Solid pixels from the middle along the axes and along the diagonals. */
  const arms = ({ phase }: { phase: Float64Array }) => {
    const along = (dx: number, dy: number) => {
      let r = 0;
      while (r < 17 && phase[Math.round(17.5 + dy * r) * size + Math.round(17.5 + dx * r)] > 0.5) r++;
      return r;
    };
    const d = Math.SQRT1_2;
    return {
      axes: along(1, 0) + along(-1, 0) + along(0, 1) + along(0, -1),
      diagonals: along(d, d) + along(-d, d) + along(d, -d) + along(-d, -d),
    };
  };

  test("the latent heat of all that froze is in the square", () => {
    const start = solidify(size, { ...growth, maxSteps: 0 }, new NumpyRandom(1));
    expect(sum(start.temperature)).toBe(0);
    const frozen = sum(grown.phase) - sum(start.phase);
    expect(sum(grown.temperature) / (growth.latentHeat * frozen)).toBeCloseTo(1, 10);
    expect(grown.solid).toBe(sum(grown.phase) / (size * size));
    expect(grown.solid).toBeGreaterThanOrEqual(0.25);
    expect(grown.solid).toBeLessThan(0.27);
    expect(grown.phase.every((p) => p >= 0 && p <= 1)).toBe(true);
  });

  test("arms grow along the crystal's axes and turn with it", () => {
    const straight = arms(grown);
    expect(straight.axes).toBeGreaterThan(1.3 * straight.diagonals);
    const turned = solidify(size, { ...growth, nuclei: [{ x: 17.5, y: 17.5, orientation: 0.25 }] }, new NumpyRandom(1));
    expect(arms(turned).diagonals).toBeGreaterThan(1.3 * arms(turned).axes);
  });
});

describe("laguerre", () => {
  test("borders lie where cells meet, also across the edges", () => {
    const size = 40;
    const { cell, border, cells } = laguerre(size, 12, 0.5, new NumpyRandom(4));
    expect(cells).toBe(Math.round((4 * size * size) / (Math.PI * 144)));
    const at = (x: number, y: number) => ((y + size) % size) * size + ((x + size) % size);
    let met = 0;
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const i = at(x, y);
        expect(border[i]).toBeGreaterThanOrEqual(0);
        for (const j of [at(x + 1, y), at(x, y + 1), at(x - 1, y), at(x, y - 1)]) {
          if (cell[i] === cell[j]) continue;
          met++;
          expect(border[i], `${x}, ${y}`).toBeLessThanOrEqual(1);
        }
      }
    expect(met).toBeGreaterThan(200);
  });

  test("the mean diameter is the one asked for, while every cell owns pixels", () => {
    expect(laguerre(64, 10, 0, new NumpyRandom(1)).diameter).toBeCloseTo(10, 1);
  });
});

test("pearlite's plates cover the fraction that its facts say", () => {
  for (let seed = 0; seed < 6; seed++) {
    const { values, facts } = pearlite(48, new NumpyRandom(seed));
    expect(Math.abs(sum(values) / values.length - facts.cementiteFraction)).toBeLessThan(0.06);
    expect(facts.spacing).toBeGreaterThan(3);
  }
});

test("fibres cover the fraction that the facts say, and lie along the flow the more the more they are ordered", () => {
  const drawn = Array.from({ length: 40 }, (_, seed) => fibres(48, new NumpyRandom(seed)));
  /** |⟨exp 2iθ⟩| of the gradients' directions. */
  const order = (values: Float64Array) => {
    let [cos, sin, all] = [0, 0, 0];
    for (let i = 0; i < 47 * 48; i++) {
      if (i % 48 === 47) continue;
      const [gx, gy] = [values[i + 1] - values[i], values[i + 48] - values[i]];
      cos += gx * gx - gy * gy;
      sin += 2 * gx * gy;
      all += gx * gx + gy * gy;
    }
    return Math.hypot(cos, sin) / all;
  };
  for (const { values, facts } of drawn) {
    expect(facts.fibreFraction).toBe(values.filter((x) => x >= 0.5).length / values.length);
    expect(facts.fibreFraction).toBeGreaterThan(0.14);
    expect(facts.fibreFraction).toBeLessThan(0.6);
  }
  const sorted = drawn.sort((a, b) => a.facts.orientationOrder - b.facts.orientationOrder);
  const mean = (some: typeof drawn) => sum(some.map(({ values }) => order(values))) / some.length;
  expect(mean(sorted.slice(30))).toBeGreaterThan(1.5 * mean(sorted.slice(0, 10)));
});

test("porous solids have the porosity drawn, to a pixel", () => {
  for (let seed = 0; seed < 8; seed++) {
    const { values, facts } = porous(33, new NumpyRandom(seed));
    const drawn = 0.15 + 0.4 * new NumpyRandom(seed).random();
    expect(Math.abs(values.filter((x) => x === 0).length / values.length - drawn)).toBeLessThanOrEqual(
      0.5 / 33 ** 2 + 1e-12,
    );
    expect(facts.porosity).toBeCloseTo(drawn, 2);
  }
});

test("a Gaussian field's covariance is Matérn's: at distance r, (r/ξ)·K₁(r/ξ) for order 2", () => {
  const n = 64;
  let [zero, far] = [0, 0];
  for (let seed = 0; seed < 12; seed++) {
    const x = gaussianField(n, 3, 2, new NumpyRandom(seed));
    for (let i = 0; i < n * n; i++) {
      zero += x[i] * x[i];
      far += (x[i] * x[Math.floor(i / n) * n + ((i + 3) % n)] + x[i] * x[(i + 3 * n) % (n * n)]) / 2;
    }
  }
  // K₁(1) = 0.6019; the mean, whose amplitude is largest, is drawn, too.
  expect(far / zero).toBeGreaterThan(0.55);
  expect(far / zero).toBeLessThan(0.66);
});
