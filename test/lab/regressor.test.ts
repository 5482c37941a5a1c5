import { beforeAll, expect, test } from "vitest";
import { readCrystals } from "../../src/data/crystals.ts";
import { Table } from "../../src/data/table.ts";
import { init, memoryUse } from "../../src/index.ts";
import { FIELDS, sameNetwork, type TrainingConfig, trainingConfig } from "../../src/lab/crystals/config.ts";
import { gallery } from "../../src/lab/crystals/gallery.ts";
import { predictAll } from "../../src/lab/crystals/predictions.ts";
import { type LearningData, Regressor } from "../../src/lab/crystals/regressor.ts";
import { viewOf } from "../../src/lab/crystals/view.ts";
import { readState } from "../../src/lab/kit/state.ts";
import { folder } from "./crystalFiles.ts";

let data: LearningData;

beforeAll(async () => {
  await init({ threads: 1, deterministic: true });
  const files = folder().map(({ name, buffer }) => new File([new Uint8Array(buffer)], name));
  data = { table: await readCrystals(files, { target: "x" }), target: { name: "x" } };
});

const config = (changes: Partial<TrainingConfig> = {}): TrainingConfig => ({
  ...trainingConfig(readState(FIELDS, "width=8&convolutions=1&batchSize=16&epochs=4").state, { data: "own" }),
  ...changes,
});
const run = (regressor: Regressor): Regressor => {
  while (!regressor.done) regressor.advance();
  return regressor;
};

test("the same seed trains the same network, another seed another", () => {
  const [a, b, c] = [config(), config(), config({ seed: 2 })].map((each) => run(new Regressor(data, each)));
  expect(a.epoch).toBe(4);
  expect([...a.curves.validation]).toEqual([...b.curves.validation]);
  expect([...a.curves.validation]).not.toEqual([...c.curves.validation]);
  expect(a.train.length + a.validation.length).toBe(60);
  expect(a.curves.validation.length).toBe(5);
  for (const each of [a, b, c]) each.dispose();
});

test("it gives its memory back", () => {
  run(new Regressor(data, config())).dispose();
  const before = memoryUse().live;
  run(new Regressor(data, config())).dispose();
  expect(memoryUse().live).toBe(before);
});

test("crystals without neighbours train, too", () => {
  const regressor = run(new Regressor(data, config({ cutoff: 1 })));
  expect(regressor.edges).toBe(0);
  expect(regressor.isolated).toBe(120);
  expect(regressor.curves.validation.every(Number.isFinite)).toBe(true);
  regressor.dispose();
});

test("numbers that overflow end in advice", () => {
  const regressor = new Regressor(data, config({ learningRate: 1, epochs: 500 }));
  regressor.tune(config({ learningRate: 1e20 as never, epochs: 500 }));
  expect(() => run(regressor)).toThrow(/overflowed in epoch 1\.\n {2}Choose a lower learning rate/);
  regressor.dispose();
});

test("rows that make no graph are left out and named; too few of the others are an error", () => {
  const { table } = data;
  const mixed = table.structures![0].with({
    numbers: [0, 9],
    disorder: new Map([[0, [{ number: 3, occupancy: 0.5 }]]]),
    source: "half.cif",
  });
  const some = new Table({ ...table, structures: [mixed, ...table.structures!.slice(1)] });
  const regressor = new Regressor({ ...data, table: some }, config());
  expect(regressor.left).toMatchObject([{ file: table.ids[0], message: /^half\.cif: site 1 is shared/ }]);
  regressor.dispose();
  expect(() => new Regressor({ ...data, table: table.rows([0, 1, 2]) }, config())).toThrow(/3 of 3 crystals.*too few/);
});

test("predictions name what cannot be predicted", () => {
  const regressor = run(new Regressor(data, config()));
  const [sodium] = data.table.structures!;
  const lawrencium = sodium.with({ numbers: [103, 9], source: "LrF.cif" });
  const rows = predictAll(regressor.predictor(), [
    { name: "a", structure: lawrencium },
    { name: "b", structure: sodium },
  ]);
  expect(rows[0].problem).toMatch(/LrF\.cif: CGCNN has no vector for Lawrencium/);
  expect(rows[1].value).toBeCloseTo(regressor.predictor().predict(data.table.rows([0]))[0], 6);
  regressor.dispose();
});

test("learning rate and epochs may change in training, the rest is another network", () => {
  expect(sameNetwork(config(), config({ learningRate: 0.1, epochs: 9, crystals: 100 }))).toBe(true);
  expect(sameNetwork(config(), config({ cutoff: 5 }))).toBe(false);
  expect(sameNetwork(config(), config({ data: "embedded" }))).toBe(false);
  expect(sameNetwork(config({ data: "embedded" }), config({ data: "embedded", crystals: 100 }))).toBe(false);
});

test("the gallery's crystals have the atoms, densities and coordination of textbooks", () => {
  // Density in g/cm³ (CRC Handbook, X-ray), nearest neighbours of the first atom.
  const known: Record<string, [atoms: number, density: number, neighbours: number]> = {
    NaCl: [8, 2.16, 6],
    CsCl: [2, 3.99, 8],
    ZnS: [8, 4.09, 4],
    ZnO: [4, 5.6, 4],
    C: [8, 3.51, 4],
    CaF2: [12, 3.18, 8],
    TiO2: [6, 4.25, 4],
    Al2O3: [30, 3.99, 3],
    ReO3: [4, 7.4, 6],
    SrTiO3: [5, 5.12, 12],
    MgAl2O4: [56, 3.58, 4],
    CdI2: [3, 5.64, 6],
  };
  for (const { name, structure } of gallery()) {
    const { neighbours, facts, numbers } = viewOf(structure, { cutoff: 4, neighbours: 1, shells: "whole" });
    const density = Number.parseFloat(facts.find(([fact]) => fact === "Density")![1]);
    expect([numbers.length, neighbours.ptr[1]], name).toEqual([known[name][0], known[name][2]]);
    expect(Math.abs(density / known[name][1] - 1), `${name}: ${density}`).toBeLessThan(0.05);
  }
});
