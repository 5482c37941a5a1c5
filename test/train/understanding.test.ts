import { beforeAll, describe, expect, test } from "vitest";
import { CrystalGraphFeaturiser, type CrystalGraphSpec } from "../../src/data/crystalGraph.ts";
import type { RowFeaturiser } from "../../src/data/dataset.ts";
import { ElementSetFeaturiser } from "../../src/data/elementSet.ts";
import { Featuriser } from "../../src/data/featuriser.ts";
import { ionicTable } from "../../src/data/ionic.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { readRecords } from "../../src/data/potentialDataset.ts";
import { PotentialFeaturiser } from "../../src/data/potentialFeaturiser.ts";
import { Structure } from "../../src/data/structure.ts";
import { init, Rng } from "../../src/index.ts";
import { type Architecture, buildModel, type CrabNet, type SchNet } from "../../src/models/index.ts";
import { atomContributions, contributionsByElement } from "../../src/train/contributions.ts";
import { elementEmbeddings } from "../../src/train/embeddings.ts";
import { Predictor } from "../../src/train/predictor.ts";
import { divergingColors } from "../../src/train/report/materials.ts";
import { type ReportData, renderReport } from "../../src/train/report.ts";
import { type TaskConfig, taskFrom } from "../../src/train/task.ts";

beforeAll(() => init({ threads: 1 }));

const NUMBERS: TaskConfig = { kind: "regression", loss: "l1", mean: [3], std: [2] };

function predictorOf(architecture: Architecture, featuriser: RowFeaturiser, config: TaskConfig = NUMBERS, notes = {}) {
  const model = buildModel(architecture, new Rng(7));
  return Predictor.of(model, featuriser, taskFrom(config), { architecture, target: { name: "y" }, notes });
}

const crystals = (spec: Partial<CrystalGraphSpec>): CrystalGraphFeaturiser =>
  new CrystalGraphFeaturiser({ radius: 4, maxNeighbours: undefined, shells: "whole", ...spec });
const SCHNET = { model: "schnet", outputs: 1, nAtomBasis: 8, nInteractions: 1, nRbf: 6, cutoff: 4 } as const;

/** Rocksalt and a molecule-like cell. */
const structures = [
  new Structure({ numbers: [11, 17], fractional: [0, 0, 0, 0.5, 0.5, 0.5], lattice: Lattice.cubic(3.4) }),
  new Structure({ numbers: [8, 1, 1], positions: [0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0] }),
];
const rows = {
  ...ionicTable().rows([0, 1]),
  length: 2,
  targets: undefined,
  structures,
  formulas: structures.map(({ formula }) => formula),
};

describe("element embeddings", () => {
  test("of an embedding by number are its rows", () => {
    const predictor = predictorOf(SCHNET, crystals({ atoms: "numbers" }), NUMBERS, { elements: "Na Cl H O" });
    const { elements, vectors } = elementEmbeddings(predictor);
    expect(elements).toEqual([1, 8, 11, 17]);
    const { weight } = (predictor.model as SchNet).embedding;
    const [, width] = weight.shape;
    elements.forEach((z, i) => expect(vectors[i]).toEqual(weight.toArray().slice(z * width, (z + 1) * width)));
    expect(elementEmbeddings(predictor, { elements: [26] }).elements).toEqual([26]);
  });

  test.each<[string, Architecture, RowFeaturiser, number]>([
    ["CGCNN", { model: "cgcnn", inputs: 92, outputs: 1, atomFeaLen: 8, nConv: 1 }, crystals({ atoms: "cgcnn" }), 8],
    [
      "ALIGNN",
      { model: "alignn", inputs: 92, outputs: 1, alignnLayers: 1, gcnLayers: 1, hiddenFeatures: 12 },
      crystals({ atoms: "cgcnn", maxNeighbours: 6, symmetric: true, pads: "mask" }),
      12,
    ],
    ["MEGNet", { model: "megnet", outputs: 1, embedding: 5 }, crystals({ atoms: "numbers" }), 5],
    [
      "CrabNet",
      { model: "crabnet", inputs: 118, outputs: 1, width: 16, layers: 1, heads: 2, feedForward: 8, hidden: [8] },
      ElementSetFeaturiser.of("onehot"),
      16,
    ],
  ])("of %s", (_name, architecture, featuriser, width) => {
    const predictor = predictorOf(architecture, featuriser);
    if (featuriser instanceof ElementSetFeaturiser) (predictor.model as CrabNet).useVectors(featuriser.vectors!);
    const { elements, vectors } = elementEmbeddings(predictor, { elements: [3, 8, 26] });
    expect(elements).toEqual([3, 8, 26]);
    expect(vectors.map(({ length }) => length)).toEqual([width, width, width]);
    expect(vectors.flatMap((v) => [...v]).every(Number.isFinite)).toBe(true);
    expect(vectors[0]).not.toEqual(vectors[1]);
  });

  test("a model without them says so", () => {
    const table = ionicTable().rows([0, 1, 2]);
    const featuriser = Featuriser.fit({ formula: "fractions" }, table);
    const mlp = predictorOf({ model: "mlp", sizes: [featuriser.width, 4, 1] }, featuriser);
    expect(() => elementEmbeddings(mlp)).toThrow("makes no vectors of the elements");
    expect(() => atomContributions(mlp, table)).toThrow("not sums over atoms");
  });
});

describe("atoms' contributions", () => {
  test.each(["sum", "mean"] as const)("their %s is the prediction", (readout) => {
    const predictor = predictorOf({ ...SCHNET, readout }, crystals({ atoms: "numbers" }));
    const predictions = predictor.predict(rows);
    atomContributions(predictor, rows).forEach((own, i) => {
      expect([...own.numbers]).toEqual([...structures[i].numbers]);
      const sum = own.values.reduce((total, x) => total + x, 0);
      expect(sum / (readout === "mean" ? own.values.length : 1)).toBeCloseTo(predictions[i], 4);
    });
  });

  test("of a potential are its energy beside the free atoms'", () => {
    const featuriser = new PotentialFeaturiser(
      { cutoff: 4 },
      new Map([
        [1, -13],
        [8, -430],
        [11, -5],
        [17, -7],
      ]),
    );
    const config: TaskConfig = {
      kind: "potential",
      ...{ loss: "mse", scale: 0.5, weights: { energy: 1, forces: 1, stress: 1 }, forces: false, stress: false },
    };
    const predictor = predictorOf(SCHNET, featuriser, config);
    const energies = readRecords(predictor.predict(rows), { forces: false, stress: false });
    atomContributions(predictor, rows).forEach(({ values, references }, i) => {
      expect(values.reduce((total, x) => total + x, 0)).toBeCloseTo(energies[i].energy, 4);
      expect([...references!]).toEqual(
        [
          [-5, -7],
          [-430, -13, -13],
        ][i],
      );
    });
  });

  test("by element", () => {
    const all = [
      { numbers: Int32Array.of(8, 1, 1), values: Float64Array.of(4, 1, 2) },
      { numbers: Int32Array.of(8), values: Float64Array.of(6) },
    ];
    expect(contributionsByElement(all)).toEqual([
      { element: 1, mean: 1.5, count: 2 },
      { element: 8, mean: 5, count: 2 },
    ]);
  });

  test("colours go from blue over grey to red", () => {
    expect(divergingColors([-1, 0, 1])).toEqual(["#3b5ec0", "#dedede", "#c03430"]);
    expect(divergingColors([2, 2])).toEqual(["#dedede", "#dedede"]);
  });
});

describe("in the report", () => {
  const random = new Rng(2);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.random())) * Math.cos(2 * Math.PI * random.random());
  const some = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const target = normal();
      const deviation = 0.1 + 0.4 * random.random();
      return { id: `r${i}`, target, deviation, predicted: target + deviation * normal() };
    });
  const data: ReportData = {
    ...{ title: "t", model: { name: "CrabNet", parameters: 1 }, dataset: { name: "d", target: "gap", unit: "eV" } },
    ...{ seed: 0, command: "c", versions: {}, duration: 1, history: [], metric: "MAE" },
    results: { task: "regression", predictions: { validation: some(60), test: some(80) } },
    understanding: {
      embeddings: {
        elements: [3, 11, 19, 26, 58],
        vectors: [
          [1, 0, 0],
          [2, 0, 1],
          [3, 0, 0],
          [0, 5, 0],
          [0, 0, 7],
        ],
      },
      contributions: {
        ...{ what: "an element", readout: "mean", rows: "the test rows" },
        values: [
          { element: 8, mean: -1.5, count: 20 },
          { element: 26, mean: 0.25, count: 2 },
        ],
      },
      attention: [{ id: "Fe2O3", formula: "Fe2O3", elements: [8, 26], weights: [[[0.25, 0.75, 1, 0]]] }],
    },
  };

  test("sections of what the model knows of itself and of the elements", async () => {
    // The scripts' own texts apart.
    const page = (await renderReport(data)).split("<script")[0];
    const titles = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title);
    for (const title of [
      "Calibration",
      "Error and deviation",
      "Intervals",
      "Map of the elements",
      "Elements by likeness",
      "What elements contribute",
      "Attention",
    ])
      expect(titles).toContain(title);
    expect(page).toContain("Layer 1, head 1: O looks at Fe with 0.7500");
    expect(page).toContain("O, Oxygen: contribution −1.5 eV over 20 rows");
    expect(page).toContain("the deviations are about right");
    expect(page).not.toMatch(/>(undefined|NaN|Infinity)|\[object/);
    // Li – Na – K are joined; Fe and Ce stand alone.
    expect(page.match(/<line /g)?.length).toBe(2);
    const held = [...page.matchAll(/<td class="n">(\d+(?:\.\d+)?) %<\/td><td class="n">(\d+(?:\.\d+)?) %<\/td><td/g)];
    for (const [, promised, found] of held) expect(Math.abs(Number(promised) - Number(found))).toBeLessThan(16);
    expect(held.length).toBeGreaterThanOrEqual(4);
  });

  test("a model that boasts is told so; without deviations there are intervals alone", async () => {
    const { validation, test: judged } = data.results.predictions as Record<string, ReturnType<typeof some>>;
    const boasting = judged.map((row) => ({ ...row, deviation: row.deviation / 4 }));
    const told = await renderReport({ ...data, results: { task: "regression", predictions: { test: boasting } } });
    expect(told).toContain("the deviations are too small");
    expect(told).not.toContain("<h2>Intervals");
    const bare = [validation, judged].map((list) => list.map(({ deviation: _, ...row }) => row));
    const plain = await renderReport({
      ...data,
      results: { task: "regression", predictions: { validation: bare[0], test: bare[1] } },
    });
    expect(plain).toContain("equally wide for all rows");
    expect(plain).not.toContain("<h2>Calibration");
  });
});
