import { describe, expect, test } from "vitest";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import type { PotentialRow } from "../../src/train/report.ts";
import { type ReportData, renderEquationOfState, reportPage } from "../../src/train/report.ts";

const rows = (count: number, { forces = true, stress = false } = {}): PotentialRow[] =>
  Array.from({ length: count }, (_, i) => {
    const structure = new Structure({ numbers: [14, 8], positions: [0, 0, 0, 1.6, 0, 0], lattice: Lattice.cubic(5) });
    const wrong = i === 3 ? 1 : 0.01;
    return {
      ...{ id: String(i + 1), formula: "SiO", elements: ["Si", "O"], structure, atoms: 2 },
      ...{ energy: -4000 - i, predictedEnergy: -4000 - i + 0.002 },
      ...(forces && {
        forces: [0.1 * i, 0, 0, -0.1 * i, 0, 0],
        predictedForces: [0.1 * i + wrong, 0, 0, -0.1 * i, 0, 0],
      }),
      ...(stress && { stress: [1, 2, 3, 4, 5, 6], predictedStress: [1, 2, 3, 4, 5, 6.5] }),
    };
  });

const report = (options: Parameters<typeof rows>[1] = {}): ReportData => ({
  title: "SchNet: energy",
  model: { name: "SchNet", parameters: 226945 },
  dataset: { name: "frames.xyz", target: "energy", unit: "eV" },
  seed: 0,
  command: "spinel train schnet",
  versions: { spinel: "0" },
  duration: 60,
  history: [1, 2, 3].map((epoch) => ({
    ...{ epoch, loss: 1 / epoch, validationLoss: 1.1 / epoch, validationMetric: 100 / epoch, otherMetric: 10 / epoch },
  })),
  bestEpoch: 3,
  metric: "force MAE (meV/Å)",
  otherMetric: "energy MAE (meV/atom)",
  results: {
    task: "potential",
    predictions: { train: rows(8, options), validation: rows(6, options) },
    metrics: {
      train: { energyMae: 0.9 },
      validation: { energyMae: 1, forceMae: 29.17, forceRmse: 167, stressMae: 13.35 },
    },
  },
});

const figuresOf = (page: string) => JSON.parse(/id="figures">(.*?)<\/script>/s.exec(page)![1]);
const textOf = (page: string): string =>
  page
    .replace(/<(script|style)\b.*?<\/\1>/gs, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

describe("the report of a potential", () => {
  test("has parity plots of energies per atom, forces and stresses, and the curves of both errors", () => {
    const page = reportPage(report({ stress: true }), { chart: "" });
    const { curves, parities } = figuresOf(page);
    expect(curves.map(({ id, axis }: { id: string; axis: string }) => [id, axis])).toEqual([
      ["loss", "loss"],
      ["metric", "force MAE (meV/Å)"],
      ["otherMetric", "energy MAE (meV/atom)"],
    ]);
    expect(curves[2].series).toEqual([{ name: "validation", color: "validation", values: [10, 5, 10 / 3] }]);
    expect(parities.map(({ id, xAxis }: { id: string; xAxis: string }) => [id, xAxis])).toEqual([
      ["energies", "energy (eV/atom)"],
      ["forces", "force component (eV/Å)"],
      ["stresses", "stress component (eV/Å³)"],
    ]);
    const [train, validation] = parities[0].series;
    expect([train.points.length, validation.points.length]).toEqual([8, 6]);
    expect(validation.points[1]).toEqual({ x: -2000.5, y: -2000.499, name: "2  SiO" });
    expect(parities[1].series[1].points.length).toBe(36);
    expect(parities[1].series[1].points[6]).toEqual({ x: 0.1, y: 0.11, name: "2, atom 1 Si, x" });
    for (const { id } of parities) expect(page).toContain(`<canvas id="${id}"`);
    const text = textOf(page);
    for (const tile of ["Validation energy MAE 1.000 meV/atom", "force MAE 29.17 meV/Å", "stress MAE 13.35 GPa"])
      expect(text).toContain(tile);
  });

  test("says on which element the forces are wrong, and which structures are worst", () => {
    const text = textOf(reportPage(report(), { chart: "" }));
    // Six structures: 1 eV/Å once and 0.01 otherwise, over eighteen components.
    expect(text).toMatch(/Si 18 58\.33/);
    expect(text).toMatch(/ O 18 0 /);
    expect(text).toMatch(
      /The 6 validation structures with the largest errors of forces\. .*?4 SiO 2 −4003\.000 1\.000 408\.2/,
    );
  });

  test("draws molecules without the box that they are written in", () => {
    const data = report();
    if (data.results.task !== "potential") throw new Error("no potential");
    const [first] = rows(1);
    const boxed = {
      ...first,
      structure: new Structure({ ...(first.structure as Structure), periodic: [false, false, false] }),
    };
    const page = (row: PotentialRow): string =>
      reportPage(
        { ...data, results: { task: "potential", metrics: {}, predictions: { test: [row] } } },
        { chart: "", viewer: "" },
      );
    expect(page(first)).toContain('"lattice"');
    expect(page(boxed)).not.toContain('"lattice"');
  });

  test("of energies alone has no forces", () => {
    const page = reportPage(report({ forces: false }), { chart: "" });
    expect(figuresOf(page).parities.length).toBe(1);
    expect(textOf(page)).toContain("largest errors of energy.");
  });
});

test("the page of an equation of state draws points and curve", () => {
  const eos = { volume: 40, energy: -10, bulkModulus: 90, derivative: 4, residual: 0.0001 };
  const volumes = [36, 38, 40, 42, 44];
  const page = renderEquationOfState({
    ...{ id: "a<b", formula: "Si2", atoms: 2, volumes, eos },
    energies: [-9.9, -9.97, -10, -9.98, -9.93],
  });
  expect(page.match(/<circle /g)!.length).toBe(5);
  expect(page).toContain("a&lt;b");
  expect(page).not.toContain("NaN");
  expect(page).not.toContain("<script");
  expect(textOf(page)).toMatch(/Volume V₀ 20\.00 Å³\/atom .* Bulk modulus B₀ 90\.00 GPa/);
});
