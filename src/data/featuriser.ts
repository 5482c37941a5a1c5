import { UserError } from "../core/errors.ts";
import { sha256 } from "../core/sha256.ts";
import { atomVector92 } from "./atomVector.ts";
import { ALL_ELEMENTS, ELEMNET_ELEMENTS, elementFractions, magpieNames, magpieStatistics } from "./composition.ts";
import { ArrayDataset, type DatasetRows, type RowFeaturiser, targetsOf } from "./dataset.ts";
import { ELEMENTS } from "./elements.ts";
import { ATOMS, SUBSTANCES } from "./elementTable.ts";
import { type Composition, parseFormula } from "./formula.ts";
import { quote, unknownName } from "./open.ts";
import type { Table } from "./table.ts";

/** Which columns become features, and how. */
export interface FeatureSpec {
  /**
   * What is made of the formula: "fractions" of ElemNet's 86 elements, "allFractions" of H … Lr, "magpie" statistics, both
   * ("magpie+fractions", of H … Lr), or "cgcnn", the mean over the atoms of CGCNN's 92-bit vectors. Default: nothing.
   */
  readonly formula?: FormulaFeatures;
  /** Columns taken as they are. */
  readonly numeric?: readonly string[];
  /** Columns that become one feature for each value of the training rows, 0 or 1. */
  readonly categorical?: readonly string[];
  /** Take every feature less its mean, over its standard deviation, of the training rows (constant ones over 1). Default: true. */
  readonly standardise?: boolean;
}

export type FormulaFeatures = "fractions" | "allFractions" | "magpie" | "magpie+fractions" | "cgcnn";

/** The part of a `Table` that features are made of. */
export type FeatureRows = Pick<Table, "file" | "length" | "formulas" | "lines" | "numeric" | "categorical">;

/** All that a featuriser is, to be stored with a model. */
export interface FeaturiserJson {
  readonly version: 1;
  readonly spec: Required<Omit<FeatureSpec, "formula">> & { readonly formula: FormulaFeatures | null };
  /** The values of each categorical column, sorted. */
  readonly categories: readonly (readonly string[])[];
  /** Of each feature; empty where they are not standardised. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** SHA-256 of the table of the elements, where features depend on it. */
  readonly elements: string | null;
}

interface FormulaKind {
  readonly names: readonly string[];
  of(composition: Composition): Float32Array;
}

const fractionNames = (elements: readonly number[]) => elements.map((z) => `fraction of ${ELEMENTS[z - 1].symbol}`);
const magpie: FormulaKind = { names: magpieNames, of: magpieStatistics };
const fractions: FormulaKind = { names: fractionNames(ELEMNET_ELEMENTS), of: (c) => elementFractions(c) };
const allFractions: FormulaKind = { names: fractionNames(ALL_ELEMENTS), of: (c) => elementFractions(c, ALL_ELEMENTS) };

const FORMULA_KINDS: Readonly<Record<FormulaFeatures, FormulaKind>> = {
  fractions,
  allFractions,
  magpie,
  "magpie+fractions": {
    names: [...magpie.names, ...allFractions.names],
    of(c) {
      const both = new Float32Array(magpie.names.length + allFractions.names.length);
      both.set(magpie.of(c));
      both.set(allFractions.of(c), magpie.names.length);
      return both;
    },
  },
  cgcnn: {
    names: Array.from({ length: 92 }, (_, bit) => `CGCNN bit ${bit}`),
    of(c) {
      const mean = new Float32Array(92);
      c.elements.forEach((z, i) => {
        const bits = (atomVectors[z] ??= atomVector92(z));
        for (let b = 0; b < mean.length; b++) mean[b] += (bits[b] * c.amounts[i]) / c.total;
      });
      return mean;
    },
  },
};

/** Made once: by atomic number, as far as they were asked for. */
const atomVectors: Float32Array[] = [];
let elementsHash: string | undefined;

const F32_MAX = (2 - 2 ** -23) * 2 ** 127;

/** Turns rows into features, always in the same way: what it learned from the training rows is all that it holds. */
export class Featuriser implements RowFeaturiser {
  /** One for each feature. */
  readonly names: readonly string[];
  private readonly formula: FormulaKind | undefined;

  private constructor(private readonly json: FeaturiserJson) {
    const { formula, numeric, categorical } = json.spec;
    this.formula = formula === null ? undefined : FORMULA_KINDS[formula];
    const values = categorical.flatMap((name, c) => json.categories[c].map((value) => `${name}=${value}`));
    this.names = [...(this.formula?.names ?? []), ...numeric, ...values];
  }

  /**
   * Learns the values of categorical columns, means and deviations from the training rows.
   *
   * @param values  rows whose categorical values are to be known, too: those held out of the same table
   * @throws UserError for a column that the rows do not have, and as `transform`
   */
  static fit(
    { formula, numeric = [], categorical = [], standardise = true }: FeatureSpec,
    rows: FeatureRows,
    values: FeatureRows = rows,
  ): Featuriser {
    if (formula !== undefined && !Object.hasOwn(FORMULA_KINDS, formula))
      throw new UserError(
        `There are no formula features ${quote(formula)}.`,
        `Choose ${Object.keys(FORMULA_KINDS).join(", ")}.`,
      );
    if (rows.length === 0) throw new UserError(`${rows.file} has no rows to learn features from.`);
    const spec = { formula: formula ?? null, numeric: [...numeric], categorical: [...categorical], standardise };
    const categories = columnsOf(values, "categorical", categorical).map((c) => {
      return [...new Set(values.categorical.values[c])].sort();
    });
    const elements =
      formula === "magpie" || formula === "magpie+fractions" || formula === "cgcnn" ? hashElements() : null;
    const json = { version: 1 as const, spec, categories, mean: [], deviation: [], elements };
    const plain = new Featuriser(json);
    if (plain.width === 0) {
      throw new UserError("There are no features: choose a formula, numeric or categorical column.");
    }
    return standardise ? new Featuriser({ ...json, ...plain.moments(rows) }) : plain;
  }

  /** The number of features. */
  get width(): number {
    return this.names.length;
  }

  get spec(): FeatureSpec {
    const { formula, ...rest } = this.json.spec;
    return { ...rest, formula: formula ?? undefined };
  }

  /** SHA-256, 64 hexadecimal digits, of all that features depend on: equal hashes make equal features of equal rows. */
  get hash(): string {
    return sha256(JSON.stringify([this.json, this.names]));
  }

  /**
   * The features of rows, [length, width], row-major.
   *
   * @throws UserError naming file and line for a formula that cannot be read or has an element without features, for a value
   *   that the training rows did not have, and for a number too large for f32; naming the file for a missing column
   */
  transform(rows: FeatureRows): Float32Array<ArrayBuffer> {
    const { width } = this;
    const { mean, deviation } = this.json;
    const out = new Float32Array(rows.length * width);
    this.each(rows, (features, row) => {
      for (let i = 0; i < mean.length; i++) features[i] = (features[i] - mean[i]) / deviation[i];
      this.checkRange(features, rows, row);
      out.set(features, row * width);
    });
    return out;
  }

  dataset(rows: DatasetRows): ArrayDataset {
    return new ArrayDataset(this.transform(rows), targetsOf(rows), rows.length);
  }

  /** Mean and standard deviation (over n) of every feature. Sums are of differences from the first row: exactly 0 for constants. */
  private moments(rows: FeatureRows): { mean: number[]; deviation: number[] } {
    const first = new Float64Array(this.width);
    const sum = new Float64Array(this.width);
    const squares = new Float64Array(this.width);
    this.each(rows, (features, row) => {
      if (row === 0) first.set(features);
      for (let i = 0; i < features.length; i++) {
        const difference = features[i] - first[i];
        sum[i] += difference;
        squares[i] += difference * difference;
      }
    });
    const n = rows.length;
    const variance = (i: number) => (squares[i] - (sum[i] * sum[i]) / n) / n;
    return {
      mean: Array.from(first, (x, i) => x + sum[i] / n),
      deviation: Array.from(first, (_, i) => (variance(i) > 0 ? Math.sqrt(variance(i)) : 1)),
    };
  }

  /** Calls `use` with the features of each row, before standardisation, in an array that is used again for the next. */
  private each(rows: FeatureRows, use: (features: Float64Array, row: number) => void): void {
    const { spec, categories } = this.json;
    if (this.formula && !rows.formulas) {
      throw new UserError(`${rows.file} has no formula column.`, "Name the column that holds formulas (formula).");
    }
    const numeric = columnsOf(rows, "numeric", spec.numeric);
    const categorical = columnsOf(rows, "categorical", spec.categorical);
    const slots = categories.map((values) => new Map(values.map((value, slot) => [value, slot])));
    const features = new Float64Array(this.width);
    for (let row = 0; row < rows.length; row++) {
      features.fill(0);
      let at = 0;
      if (this.formula) {
        features.set(this.ofFormula(rows, row));
        at = this.formula.names.length;
      }
      for (const c of numeric) features[at++] = rows.numeric.values[row * rows.numeric.names.length + c];
      categorical.forEach((c, i) => {
        const value = rows.categorical.values[c][row];
        const slot = slots[i].get(value);
        if (slot === undefined) throw unknownValue(rows, row, spec.categorical[i], value, categories[i]);
        features[at + slot] = 1;
        at += categories[i].length;
      });
      this.checkRange(features, rows, row);
      use(features, row);
    }
  }

  private checkRange(features: Float64Array, { file, lines }: FeatureRows, row: number): void {
    for (let i = 0; i < features.length; i++)
      if (!(Math.abs(features[i]) <= F32_MAX))
        throw new UserError(
          `${file}:${lines[row]}: the feature ${quote(this.names[i])} is too large: f32 ends at ±3.4e38.`,
          "Give the column in another unit, or leave the row out.",
        );
  }

  private ofFormula({ file, lines, formulas }: FeatureRows, row: number): Float32Array {
    try {
      return this.formula!.of(parseFormula(formulas![row]));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${file}:${lines[row]}: ${error.message.split("\n")[0]}`, error.hint);
    }
  }

  toJSON(): FeaturiserJson {
    return this.json;
  }

  /**
   * The featuriser that `toJSON` came from.
   *
   * @throws UserError for anything else, and where the table of the elements has changed since
   */
  static fromJSON(json: unknown): Featuriser {
    if (!isFeaturiser(json)) throw new UserError("This is not a featuriser, or one of a newer version of spinel.");
    const featuriser = new Featuriser(json);
    const moments = json.spec.standardise ? featuriser.width : 0;
    const [means, deviations] = [json.mean.length, json.deviation.length];
    if (means !== moments || deviations !== moments) {
      throw new UserError(`The featuriser needs ${moments} means and deviations but has ${means} and ${deviations}.`);
    }
    if (json.elements !== null && json.elements !== hashElements()) {
      throw new UserError(
        "The features were made with another table of the elements: predictions would be wrong.",
        "Use the version of spinel that trained the model, or train it again.",
      );
    }
    return featuriser;
  }
}

function hashElements(): string {
  elementsHash ??= sha256(ATOMS + SUBSTANCES);
  return elementsHash;
}

/** The places of the named columns. */
function columnsOf(rows: FeatureRows, kind: "numeric" | "categorical", names: readonly string[]): number[] {
  return names.map((name) => {
    const column = rows[kind].names.indexOf(name);
    if (column < 0) throw unknownName(`${rows.file} has no ${kind} column`, name, rows[kind].names);
    return column;
  });
}

function unknownValue(
  { file, lines }: FeatureRows,
  row: number,
  column: string,
  value: string,
  known: readonly string[],
): UserError {
  const shown = known.slice(0, 20).map((each) => quote(each, 40));
  if (known.length > 20) shown.push(`… (${known.length} in all)`);
  return new UserError(
    `${file}:${lines[row]}: column ${quote(column)} holds ${quote(value)}, which the training rows did not.`,
    `They had ${shown.join(", ")}.`,
  );
}

function isFeaturiser(json: unknown): json is FeaturiserJson {
  const texts = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === "string");
  const numbers = (value: unknown) => Array.isArray(value) && value.every(Number.isFinite);
  const { version, spec, categories, mean, deviation, elements } = (json ?? {}) as Partial<FeaturiserJson>;
  if (version !== 1 || !spec || !Array.isArray(categories)) return false;
  return (
    (spec.formula === null || Object.hasOwn(FORMULA_KINDS, spec.formula)) &&
    texts(spec.numeric) &&
    texts(spec.categorical) &&
    typeof spec.standardise === "boolean" &&
    categories.length === spec.categorical.length &&
    categories.every(texts) &&
    numbers(mean) &&
    numbers(deviation) &&
    deviation!.every((d) => d > 0) &&
    (elements === null || typeof elements === "string")
  );
}
