import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { atomVector92 } from "../../src/data/atomVector.ts";
import { elementFractions, magpieNames, magpieStatistics } from "../../src/data/composition.ts";
import { type FeatureRows, type FeatureSpec, Featuriser } from "../../src/data/featuriser.ts";
import { parseFormula } from "../../src/data/formula.ts";
import { readTable } from "../../src/data/table.ts";

const read = (csv: string, options = {}) =>
  readTable(new TextEncoder().encode(csv), { file: "alloys.csv", ...options });

const ALLOYS = `id,formula,temperature,pressure,phase,route
a,Fe2O3,300,1,alpha,cast
b,NaCl,500,1,beta,rolled
c,NaN,700,1,alpha,rolled
d,TiO2,1100,1,gamma,cast
`;
const columns = { numeric: ["temperature", "pressure"], categorical: ["phase", "route"] };
const alloys = await read(ALLOYS, columns);
const rowsOf = (features: Float32Array, width: number) =>
  Array.from({ length: features.length / width }, (_, i) => Array.from(features.subarray(i * width, (i + 1) * width)));

/** The message and hint of what `body` throws. */
function complaint(body: () => unknown): { message: string; hint?: string } {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message, hint } = error as UserError;
    return { message: message.split("\n")[0], hint };
  }
  throw new Error("nothing was thrown");
}

test("numbers are taken as they are and categories become 0 and 1", () => {
  const featuriser = Featuriser.fit({ ...columns, standardise: false }, alloys);
  expect(featuriser.names).toEqual([
    "temperature",
    "pressure",
    "phase=alpha",
    "phase=beta",
    "phase=gamma",
    "route=cast",
    "route=rolled",
  ]);
  expect(rowsOf(featuriser.transform(alloys), featuriser.width)).toEqual([
    [300, 1, 1, 0, 0, 1, 0],
    [500, 1, 0, 1, 0, 0, 1],
    [700, 1, 1, 0, 0, 0, 1],
    [1100, 1, 0, 0, 1, 1, 0],
  ]);
});

test("standardised features have mean 0 and deviation 1 on the training rows; constant ones are 0", () => {
  const featuriser = Featuriser.fit({ formula: "magpie+fractions", ...columns }, alloys);
  const rows = rowsOf(featuriser.transform(alloys), featuriser.width);
  featuriser.names.forEach((name, c) => {
    const values = rows.map((row) => row[c]);
    const mean = values.reduce((sum, x) => sum + x) / 4;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 4;
    expect(Math.abs(mean), name).toBeLessThan(1e-6);
    expect(Math.abs(variance - (values.some((x) => x !== 0) ? 1 : 0)), name).toBeLessThan(1e-5);
  });
  const of = (name: string) => rows.map((row) => row[featuriser.names.indexOf(name)]);
  expect(of("pressure")).toEqual([0, 0, 0, 0]);
  // 300, 500, 700, 1100: mean 650, deviation √87500.
  of("temperature").forEach(
    (x, i) => void expect(x).toBeCloseTo(([300, 500, 700, 1100][i] - 650) / Math.sqrt(87500), 6),
  );
  expect(of("fraction of He")).toEqual([0, 0, 0, 0]);
});

test("new rows are measured by the training rows", async () => {
  const featuriser = Featuriser.fit({ numeric: ["temperature"] }, alloys);
  const later = await read("temperature\n650\n1650\n", { numeric: ["temperature"] });
  expect(featuriser.transform(later)[0]).toBe(0);
  expect(featuriser.transform(later)[1]).toBeCloseTo(1000 / Math.sqrt(87500), 5);
});

test.each<[FeatureSpec["formula"], number]>([
  ["fractions", 86],
  ["allFractions", 103],
  ["magpie", 152],
  ["magpie+fractions", 255],
  ["cgcnn", 92],
])("formula features %s are %i, each with a name of its own", (formula, width) => {
  const featuriser = Featuriser.fit({ formula }, alloys);
  expect(featuriser.width).toBe(width);
  expect(new Set(featuriser.names).size).toBe(width);
  expect(featuriser.transform(alloys)).toHaveLength(4 * width);
});

test("formula features are those of composition.ts", () => {
  const [rust] = ["Fe2O3"].map(parseFormula);
  const first = (formula: FeatureSpec["formula"]) => {
    const featuriser = Featuriser.fit({ formula, standardise: false }, alloys);
    return featuriser.transform(alloys).subarray(0, featuriser.width);
  };
  expect(first("fractions")).toEqual(elementFractions(rust));
  expect(first("magpie")).toEqual(magpieStatistics(rust));
  expect(first("magpie+fractions").subarray(0, magpieNames.length)).toEqual(magpieStatistics(rust));
  expect(first("magpie+fractions")[magpieNames.length + 7]).toBe(Math.fround(0.6)); // oxygen is eighth of all
  const [iron, oxygen] = [atomVector92(26), atomVector92(8)];
  first("cgcnn").forEach((x, i) => void expect(x).toBeCloseTo(0.4 * iron[i] + 0.6 * oxygen[i], 6));
});

test("columns may come in another order, and others beside them", async () => {
  const featuriser = Featuriser.fit({ formula: "fractions", ...columns }, alloys);
  const shuffled = await read(
    `route,x,pressure,formula,temperature,phase
cast,9,1,Fe2O3,300,alpha
`,
    { numeric: ["x", "pressure", "temperature"], categorical: ["route", "phase"] },
  );
  expect(featuriser.transform(shuffled)).toEqual(featuriser.transform(alloys).slice(0, featuriser.width));
});

test("a featuriser survives JSON: the same features, the same hash", () => {
  for (const formula of [undefined, "magpie", "cgcnn"] as const) {
    const featuriser = Featuriser.fit({ formula, ...columns }, alloys);
    const again = Featuriser.fromJSON(JSON.parse(JSON.stringify(featuriser)));
    expect(again.names).toEqual(featuriser.names);
    expect(again.spec).toEqual(featuriser.spec);
    expect(again.hash).toBe(featuriser.hash);
    expect(again.transform(alloys)).toEqual(featuriser.transform(alloys));
  }
});

test("hashes are digests that tell apart every difference", () => {
  const hashes = [
    Featuriser.fit({ formula: "magpie" }, alloys),
    Featuriser.fit({ formula: "magpie", standardise: false }, alloys),
    Featuriser.fit({ formula: "magpie" }, alloys.rows([0, 1])),
    Featuriser.fit({ formula: "fractions" }, alloys),
    Featuriser.fit({ categorical: ["phase"] }, alloys),
    Featuriser.fit({ categorical: ["route"] }, alloys),
  ].map(({ hash }) => hash);
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(hashes).size).toBe(hashes.length);
});

test("an unknown category names file, line, column, value and what is known", async () => {
  const featuriser = Featuriser.fit(columns, alloys);
  const later = await read("temperature,pressure,phase,route\n1,1,alpha,cast\n1,1,delta,cast\n", columns);
  expect(complaint(() => featuriser.transform(later))).toEqual({
    message: 'alloys.csv:3: column "phase" holds "delta", which the training rows did not.',
    hint: 'They had "alpha", "beta", "gamma".',
  });
});

test("a formula that cannot be read names file and line", async () => {
  const rows = await read("formula\nFe2O3\n\nNACL\n");
  expect(complaint(() => Featuriser.fit({ formula: "magpie" }, rows))).toEqual({
    message: 'alloys.csv:4: formula "NACL", position 2: there is no element "A".',
    hint: 'Did you mean "NaCl"?',
  });
  const helium = await read("formula\nNa2He\n");
  const { message } = complaint(() => Featuriser.fit({ formula: "fractions" }, alloys).transform(helium));
  expect(message).toBe("alloys.csv:2: Helium in Na2He is not one of the 86 elements of this featuriser.");
});

test("columns that are missing are named", async () => {
  const bare = await read("id,temperature\na,1\n", { numeric: ["temperature"] });
  const fit = (spec: FeatureSpec) => complaint(() => Featuriser.fit(spec, bare)).message;
  expect(fit({ formula: "magpie" })).toBe("alloys.csv has no formula column.");
  const misspelt = complaint(() => Featuriser.fit({ numeric: ["temprature"] }, bare));
  expect(misspelt.message).toBe('alloys.csv has no numeric column "temprature".');
  expect(misspelt.hint).toContain('Did you mean "temperature"?');
  expect(fit({ categorical: ["phase"] })).toBe('alloys.csv has no categorical column "phase".');
  expect(fit({})).toBe("There are no features: choose a formula, numeric or categorical column.");
  expect(complaint(() => Featuriser.fit({ formula: "magpi" as "magpie" }, alloys))).toEqual({
    message: 'There are no formula features "magpi".',
    hint: "Choose fractions, allFractions, magpie, magpie+fractions, cgcnn.",
  });
  expect(complaint(() => Featuriser.fit({ numeric: ["temperature"] }, bare.rows([]))).message).toBe(
    "alloys.csv has no rows to learn features from.",
  );
  const trained = Featuriser.fit(columns, alloys);
  expect(complaint(() => trained.transform(bare)).message).toBe('alloys.csv has no numeric column "pressure".');
});

test("JSON that is not a whole featuriser is refused", () => {
  const json = JSON.parse(JSON.stringify(Featuriser.fit({ formula: "magpie", ...columns }, alloys)));
  const damaged: unknown[] = [
    null,
    7,
    {},
    { ...json, version: 2 },
    { ...json, spec: { ...json.spec, formula: "toString" } },
    { ...json, spec: { ...json.spec, numeric: "temperature" } },
    { ...json, categories: json.categories.slice(1) },
    { ...json, mean: [...json.mean.slice(1), null] },
    { ...json, deviation: json.deviation.map(() => 0) },
  ];
  for (const each of damaged) {
    const { message } = complaint(() => Featuriser.fromJSON(each));
    expect(message).toBe("This is not a featuriser, or one of a newer version of spinel.");
  }
  expect(complaint(() => Featuriser.fromJSON({ ...json, mean: [] })).message).toBe(
    "The featuriser needs 159 means and deviations but has 0 and 159.",
  );
  const other = complaint(() => Featuriser.fromJSON({ ...json, elements: "0".repeat(64) }));
  expect(other.message).toContain("another table of the elements");
});

test("standardised features of any numbers are finite, and undoing the standardisation gives the numbers back", () => {
  const number = fc.double({ min: -1e12, max: 1e12, noNaN: true }).map((x) => (Math.abs(x) < 1e-100 ? 0 : x));
  const numbers = fc.array(number, { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(numbers, (values) => {
      const rows: FeatureRows = {
        file: "made up",
        length: values.length,
        formulas: undefined,
        lines: Int32Array.from(values, (_, i) => i + 2),
        numeric: { names: ["x"], values: Float64Array.from(values) },
        categorical: { names: [], values: [] },
      };
      const featuriser = Featuriser.fit({ numeric: ["x"] }, rows);
      const { mean, deviation } = featuriser.toJSON();
      const scale = Math.max(...values.map(Math.abs), 1e-300);
      featuriser.transform(rows).forEach((x, i) => {
        expect(Number.isFinite(x)).toBe(true);
        expect(Math.abs(x * deviation[0] + mean[0] - values[i])).toBeLessThanOrEqual(1e-5 * scale);
      });
    }),
    { seed: 5 },
  );
});

test("tens of thousands of formulas take seconds", () => {
  const formulas = Array.from({ length: 20_000 }, (_, i) => `Na${(i % 7) + 1}Fe(P${(i % 3) + 1}O4)${(i % 5) + 1}`);
  const rows: FeatureRows = {
    file: "made up",
    length: formulas.length,
    formulas,
    lines: Int32Array.from(formulas, (_, i) => i + 2),
    numeric: { names: [], values: new Float64Array() },
    categorical: { names: [], values: [] },
  };
  const featuriser = Featuriser.fit({ formula: "magpie", standardise: false }, rows);
  const start = performance.now();
  const features = featuriser.transform(rows);
  expect(performance.now() - start).toBeLessThan(4000); // 0.2 s on an idle machine
  expect(features).toHaveLength(20_000 * 152);
});
