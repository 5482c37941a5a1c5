import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Featuriser } from "../../src/data/featuriser.ts";
import { ionicTable } from "../../src/data/ionic.ts";
import { init, Rng } from "../../src/index.ts";
import { type Architecture, buildModel } from "../../src/models/index.ts";
import {
  centralShare,
  coverageCurve,
  errorByDeviation,
  miscalibration,
  reliability,
} from "../../src/train/calibration.ts";
import { calibrate, conformalIntervals, conformalRadius } from "../../src/train/conformal.ts";
import { Ensemble } from "../../src/train/ensemble.ts";
import { mcDropout } from "../../src/train/mcDropout.ts";
import { pca, symmetricEigen } from "../../src/train/pca.ts";
import { Predictor } from "../../src/train/predictor.ts";
import { type TaskConfig, taskFrom } from "../../src/train/task.ts";

const fixture = JSON.parse(readFileSync(new URL("../fixtures/uncertainty.json", import.meta.url), "utf8"));
const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-12): void => {
  expect(actual.length).toBe(expected.length);
  Array.from(expected, (x, i) => expect(Math.abs(actual[i] - x)).toBeLessThanOrEqual(tolerance));
};

beforeAll(() => init({ threads: 1 }));

describe("split-conformal intervals", () => {
  const { targets, predictions, deviations, levels } = fixture;

  test("radii are numpy's finite-sample quantiles", () => {
    const absolute = calibrate(targets, predictions);
    close(
      levels.map((level: number) => conformalRadius(absolute, level)),
      fixture.absolute,
    );
    const normalised = calibrate(targets, predictions, deviations);
    expect([absolute.kind, normalised.kind]).toEqual(["absolute", "normalised"]);
    close(
      levels.map((level: number) => conformalRadius(normalised, level)),
      fixture.normalised,
    );
  });

  test("hold the promised share of exchangeable rows, on average over calibration sets", () => {
    const rng = new Rng(3);
    const errors = (n: number): number[] =>
      Array.from({ length: n }, () => (rng.random() - 0.5) * (1 + 4 * rng.random()));
    for (const level of [0.5, 0.9]) {
      let [inside, all] = [0, 0];
      for (let round = 0; round < 200; round++) {
        const radius = conformalRadius(calibrate(errors(29), new Array(29).fill(0)), level);
        for (const e of errors(50)) if (Math.abs(e) <= radius) inside++;
        all += 50;
      }
      // Exactly ⌈30·level⌉/30 is expected: 0.5 and 0.9.
      expect(Math.abs(inside / all - level)).toBeLessThan(0.015);
    }
  });

  test("of many rows a thousand scores are kept, and intervals get no narrower", () => {
    const errors = Array.from({ length: 12345 }, (_, i) => ((i * 7919) % 12345) / 100);
    const config = calibrate(errors, new Array(12345).fill(0));
    expect([config.rows, config.scores.length]).toEqual([12345, 1000]);
    for (const level of [0.1, 0.9, 0.999]) {
      const exact = (Math.ceil(12346 * level) - 1) / 100;
      expect(conformalRadius(config, level)).toBeGreaterThanOrEqual(exact);
      expect(conformalRadius(config, level)).toBeLessThan(exact + 0.13);
    }
  });

  test("follow the deviations, and forgive a few of zero", () => {
    const config = calibrate([1, -2, 3, 0], [0, 0, 0, 0], [1, 2, 3, 0]);
    const prediction = { predictions: Float32Array.of(10, 10), deviations: Float32Array.of(2, 0) };
    const { lower, upper } = conformalIntervals(config, 0.8, prediction);
    close(upper, [12, 10.015], 1e-6);
    close(lower, [8, 9.985], 1e-6);
    expect(calibrate([1, 2], [0, 0], [0, 0]).kind).toBe("absolute");
  });

  test("too few rows, and levels that are no share, are refused", () => {
    const config = calibrate([1, 2, 3, 4], [0, 0, 0, 0]);
    expect(conformalRadius(config, 0.8)).toBe(4);
    expect(() => conformalRadius(config, 0.9)).toThrow("need at least 9 calibration rows; there were 4");
    expect(() => conformalRadius(config, 1)).toThrow("between 0 and 1");
    expect(() => calibrate([1], [Number.NaN])).toThrow("finite");
    expect(() =>
      conformalIntervals(calibrate([1, 2], [0, 1], [1, 1]), 0.5, { predictions: Float32Array.of(1) }),
    ).toThrow("no deviations");
  });
});

describe("calibration", () => {
  test("coverage, errors by deviation and ECE are scipy's and numpy's", () => {
    for (const distribution of ["normal", "laplace"] as const)
      close(
        coverageCurve(fixture, { distribution }).map(({ observed }) => observed),
        fixture[distribution],
      );
    const bins = errorByDeviation(fixture);
    for (const key of ["rows", "expected", "rmse"] as const)
      close(
        bins.map((bin) => bin[key]),
        fixture.bins.map((bin: Record<string, number>) => bin[key]),
      );
    expect(reliability(fixture.probabilities, fixture.labels).ece).toBeCloseTo(fixture.ece, 12);
  });

  test("the share within one, two and three deviations", () => {
    close(
      [1, 2, 3].map((z) => centralShare(z)),
      [0.6826894921370859, 0.9544997361036416, 0.9973002039367398],
      1e-14,
    );
    expect(centralShare(1, "laplace")).toBeCloseTo(1 - Math.exp(-Math.SQRT2), 14);
  });

  test("a model that is too sure lies below the diagonal", () => {
    const sure = { ...fixture, deviations: fixture.deviations.map((s: number) => s / 5) };
    const [honest, boasting] = [fixture, sure].map((rows) => coverageCurve(rows));
    expect(boasting[10].observed).toBeLessThan(0.25);
    expect(miscalibration(honest)).toBeLessThan(0.1);
    expect(miscalibration(boasting)).toBeGreaterThan(0.25);
  });
});

describe("principal components", () => {
  test.each(["tall", "wide"])("of a %s matrix are scikit-learn's but for signs", (name) => {
    const { rows, scores, explained } = fixture[name];
    const found = pca(rows, 2);
    close(found.explained, explained, 1e-10);
    for (const k of [0, 1]) {
      const sign = Math.sign(found.scores[0][k] * scores[0][k]);
      close(
        found.scores.map((row) => sign * row[k]),
        scores.map((row: number[]) => row[k]),
        1e-8,
      );
      const { [k]: component } = found.components;
      expect(Math.max(...component)).toBeGreaterThanOrEqual(-Math.min(...component));
    }
  });

  test("eigenvectors are orthonormal; nothing that varies gives zeros", () => {
    const { values, vectors } = symmetricEigen([
      [2, 1, 0],
      [1, 2, 0],
      [0, 0, -5],
    ]);
    close(values, [3, 1, -5]);
    vectors.forEach((u, i) =>
      vectors.forEach((v, j) => expect(u.reduce((s, x, k) => s + x * v[k], 0)).toBeCloseTo(i === j ? 1 : 0, 14)),
    );
    expect(
      pca(
        [
          [1, 2, 3],
          [1, 2, 3],
        ],
        1,
      ),
    ).toEqual({
      scores: [new Float64Array(1), new Float64Array(1)],
      components: [new Float64Array(3)],
      explained: [0],
    });
    expect(() => pca([[1], [2, 3]], 1)).toThrow("row 2 has 2 numbers");
    expect(() => pca([[1, 2]], 2)).toThrow("do not have 2 components");
  });
});

const rows = ionicTable().rows([0, 1, 2, 3, 4, 5]);
const featuriser = Featuriser.fit({ formula: "magpie" }, rows);

/** Untrained nets of formulas that differ in their random starts. */
function member(seed: number, options: { dropout?: number; norm?: "batch"; task?: TaskConfig } = {}): Predictor {
  const { dropout, norm, task: config = { kind: "regression", loss: "l1", mean: [100], std: [10] } } = options;
  const task = taskFrom(config);
  const architecture: Architecture = { model: "mlp", sizes: [featuriser.width, 8, task.outputs], dropout, norm };
  return Predictor.of(buildModel(architecture, new Rng(seed)), featuriser, task, {
    architecture,
    target: { name: "y" },
  });
}

const spread = (values: number[]): [mean: number, deviation: number] => {
  const mean = values.reduce((s, x) => s + x, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((s, x) => s + (x - mean) ** 2, 0) / values.length)];
};

describe("ensembles", () => {
  test("predict the members' mean, and how far they differ", async () => {
    const members = [1, 2, 3].map((seed) => member(seed));
    const files = members.map((m) => new Uint8Array(Buffer.concat([...m.toSafetensors()])));
    const ensemble = await Ensemble.load(files, buildModel);
    const { predictions, deviations } = ensemble.predictWithDeviations(rows);
    const single = members.map((m) => m.predict(rows));
    const wanted = [0, 1, 2, 3, 4, 5].map((i) => spread(single.map((p) => p[i])));
    close(
      predictions,
      wanted.map(([m]) => m),
      1e-4,
    );
    close(
      deviations,
      wanted.map(([, s]) => s),
      1e-4,
    );
    expect(Math.min(...deviations)).toBeGreaterThan(0.01);
    expect(ensemble.predict(rows)).toEqual(predictions);
  });

  test("add up what members expect themselves", () => {
    const task: TaskConfig = { kind: "regression", loss: "robustL1", mean: [0], std: [2] };
    const twice = member(4, { task });
    const own = twice.predictWithDeviations(rows);
    const both = new Ensemble([twice, twice]).predictWithDeviations(rows);
    close(both.predictions, own.predictions, 1e-6);
    close(both.deviations, own.deviations!, 1e-5);
  });

  test("average the probabilities of classes", () => {
    const task = { kind: "classification", classes: ["a", "b", "c"] } as const;
    const members = [1, 2].map((seed) => member(seed, { task: { ...task, classes: [...task.classes] } }));
    const [p, q] = members.map((m) => m.predict(rows));
    close(
      new Ensemble(members).predict(rows),
      p.map((x, i) => (x + q[i]) / 2),
      1e-6,
    );
  });

  test("members must be of one kind", () => {
    expect(() => new Ensemble([member(1)])).toThrow("at least two members");
    const other = member(1, { task: { kind: "classification", classes: ["a", "b"] } });
    expect(() => new Ensemble([member(1), other])).toThrow("Members 1 and 2");
  });
});

describe("Monte Carlo dropout", () => {
  test("spreads around the plain prediction, by the seed alone, and leaves batch norm's statistics", () => {
    const predictor = member(1, { dropout: 0.3, norm: "batch" });
    const plain = predictor.predict(rows);
    const sample = (seed: number) => mcDropout(predictor, rows, { samples: 200, rng: new Rng(seed) });
    const { predictions, deviations } = sample(1);
    expect(sample(1).predictions).toEqual(predictions);
    expect(sample(2).predictions).not.toEqual(predictions);
    // The mean of 200 passes is within a few standard errors of a net that is nearly linear.
    plain.forEach((p, i) => expect(Math.abs(predictions[i] - p)).toBeLessThan(0.5 * deviations[i]));
    expect(Math.min(...deviations)).toBeGreaterThan(0.01);
    expect(predictor.predict(rows)).toEqual(plain);
  });

  test("needs dropout and two samples", () => {
    expect(() => mcDropout(member(1), rows, { rng: new Rng(1) })).toThrow("the model has no dropout");
    expect(() => mcDropout(member(1, { dropout: 0.1 }), rows, { samples: 1, rng: new Rng(1) })).toThrow(
      "at least 2 samples",
    );
  });
});
