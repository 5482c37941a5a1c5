import { Csr } from "../core/csr.ts";
import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { sha256 } from "../core/sha256.ts";
import { emptyIndices, type Indices } from "../core/tensor.ts";
import { type Batch, type DatasetRows, type LabelledDataset, type RowFeaturiser, targetsOf } from "./dataset.ts";
import { ELEMENTS } from "./elements.ts";
import {
  type ElementVectorKind,
  type ElementVectors,
  elementVectors,
  isElementVectorKind,
  readElementVectors,
} from "./elementVectors.ts";
import { parseFormula } from "./formula.ts";
import type { Source } from "./open.ts";
import { Table } from "./table.ts";

/** One composition: atomic numbers and their fractions, the most frequent first; equal fractions by atomic number. */
export interface ElementSet {
  readonly numbers: readonly number[];
  readonly fractions: readonly number[];
}

/** Compositions side by side, their elements one after the other: what composition networks take. */
export class ElementSets {
  private constructor(
    /** How many compositions. */
    readonly count: number,
    /** Elements of all compositions together. */
    readonly tokens: number,
    /** Atomic numbers [tokens]. */
    readonly numbers: Indices,
    /** [tokens], of each composition adding up to 1. */
    readonly fractions: Float32Array,
    /** [compositions × tokens]: `segmentMean` over it averages a composition's elements. */
    readonly owners: Csr,
    /** The composition of each token [tokens]. */
    readonly owner: Indices,
    /** Elements of each composition. */
    readonly sizes: Int32Array,
  ) {}

  /**
   * Puts compositions side by side; they keep their order. With a generator, every fraction f becomes f·(1 + jitter·N(0, 1)),
   * within [0, 1], and the sum 1 again: CrabNet's way of telling nearly equal compositions apart no more sharply than they are.
   */
  static batch(sets: readonly ElementSet[], { rng, jitter = 0 }: { rng?: Rng; jitter?: number } = {}): ElementSets {
    const count = sets.length;
    const tokens = sets.reduce((sum, { numbers }) => sum + numbers.length, 0);
    const fractions = new Float32Array(tokens);
    const noise = rng && jitter > 0 ? rng.normal([tokens]).toArray() : undefined;
    const [numbers, owner, column, ptr] = [tokens, tokens, tokens, count + 1].map((n) => emptyIndices(n));
    const [numberOf, ownerOf, columnOf, start] = [numbers, owner, column, ptr].map(({ data }) => data);
    let at = 0;
    sets.forEach((set, s) => {
      start[s] = at;
      const varied = set.fractions.map((f, i) => {
        return noise ? Math.min(1, Math.max(0, f * (1 + jitter * noise[at + i]))) : f;
      });
      const total = varied.reduce((sum, f) => sum + f, 0);
      set.numbers.forEach((z, i) => {
        numberOf[at] = z;
        ownerOf[at] = s;
        columnOf[at] = at;
        fractions[at++] = varied[i] / total;
      });
    });
    start[count] = at;
    const sizes = Int32Array.from(sets, (set) => set.numbers.length);
    return new ElementSets(count, tokens, numbers, fractions, new Csr(count, tokens, ptr, column), owner, sizes);
  }
}

export interface ElementSetOptions {
  /** How much fractions vary while training; CrabNet's 0.02 by default. */
  jitter?: number;
}

export interface ElementSetJson {
  readonly version: 1;
  readonly kind: "elements";
  readonly vectors: string;
  readonly width: number;
  readonly jitter: number;
  /** Atomic numbers of the elements that have a vector. */
  readonly elements: readonly number[];
  /** SHA-256 of the vectors. They themselves are among the model's weights. */
  readonly sha256: string;
}

/** Turns formulas into sets of elements, and knows the vectors that the elements have. */
export class ElementSetFeaturiser implements RowFeaturiser {
  private readonly known: ReadonlySet<number>;

  private constructor(
    private readonly json: ElementSetJson,
    /** Undefined for a featuriser that was read from a model file: the model has the vectors. */
    readonly vectors: ElementVectors | undefined,
  ) {
    this.known = new Set(json.elements);
  }

  static of(
    vectors: ElementVectors | ElementVectorKind,
    { jitter = 0.02 }: ElementSetOptions = {},
  ): ElementSetFeaturiser {
    if (!(jitter >= 0 && jitter < 1)) throw new UserError(`jitter must be at least 0 and below 1, not ${jitter}.`);
    const own = typeof vectors === "string" ? elementVectors(vectors) : vectors;
    const { name, width, elements, hash } = own;
    const json = { version: 1, kind: "elements", vectors: name, width, jitter, elements, sha256: hash } as const;
    return new ElementSetFeaturiser(json, own);
  }

  /** With the vectors of a kind ("onehot", "descriptors"), or of a table (`readElementVectors`). */
  static async read(vectors: string | Source, options?: ElementSetOptions): Promise<ElementSetFeaturiser> {
    return ElementSetFeaturiser.of(isElementVectorKind(vectors) ? vectors : await readElementVectors(vectors), options);
  }

  /** Numbers that describe an element. */
  get width(): number {
    return this.json.width;
  }

  /** As `Featuriser`'s: what is made of the formula; there are no other columns. */
  get spec() {
    const { vectors, jitter } = this.json;
    return { formula: "elements", numeric: [], categorical: [], vectors, jitter } as const;
  }

  /** Equal hashes make equal inputs of equal rows. */
  get hash(): string {
    return sha256(JSON.stringify(this.json));
  }

  /** @throws UserError naming file and line for a formula that cannot be read or has an element without a vector */
  set(rows: DatasetRows, row: number): ElementSet {
    return inRow(rows, row, (text) => {
      const { elements, fractions } = parseFormula(text);
      const unknown = elements.find((z) => !this.known.has(z));
      if (unknown !== undefined)
        throw new UserError(
          `${ELEMENTS[unknown - 1].name} in ${quoteFormula(text)} has no vector in ${this.json.vectors}.`,
          "Leave the row out, or use one-hot vectors.",
        );
      const order = [...elements.keys()].sort((a, b) => fractions[b] - fractions[a] || elements[a] - elements[b]);
      return { numbers: order.map((i) => elements[i]), fractions: order.map((i) => fractions[i]) };
    });
  }

  /** @throws UserError as `set`, and where the rows have no formulas */
  dataset(rows: DatasetRows): ElementSetDataset {
    if (!rows.formulas)
      throw new UserError(
        `${rows.file} has no formula column.`,
        "Name the column that holds formulas (--formula COLUMN).",
      );
    const sets = rows.formulas.map((_, row) => this.set(rows, row));
    return new ElementSetDataset(sets, targetsOf(rows), this.json.jitter);
  }

  toJSON(): ElementSetJson {
    return this.json;
  }

  /** The featuriser that `toJSON` came from. @throws UserError for anything else */
  static fromJSON(json: unknown): ElementSetFeaturiser {
    const { version, kind, elements, width } = (json ?? {}) as Partial<ElementSetJson>;
    if (version !== 1 || kind !== "elements" || !Array.isArray(elements) || !Number.isInteger(width))
      throw new UserError("This is not a featuriser of element sets, or one of a newer version of spinel.");
    return new ElementSetFeaturiser(json as ElementSetJson, undefined);
  }
}

const quoteFormula = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** Compositions in the order of a table's rows. */
export class ElementSetDataset implements LabelledDataset {
  constructor(
    readonly sets: readonly ElementSet[],
    readonly y: Float32Array,
    private readonly jitter = 0,
  ) {}

  get length(): number {
    return this.sets.length;
  }

  get outputs(): number {
    return this.y.length / this.length;
  }

  /** inputs: [the compositions of these rows as one `ElementSets`]. */
  batch(rows: Int32Array, rng?: Rng): Batch {
    const { outputs, y, jitter } = this;
    const sets = ElementSets.batch(
      Array.from(rows, (row) => this.sets[row]),
      { rng, jitter },
    );
    const targets = new Float32Array(rows.length * outputs);
    rows.forEach((row, i) => targets.set(y.subarray(row * outputs, (row + 1) * outputs), i * outputs));
    return { inputs: [sets], targets };
  }
}

/**
 * One row for each composition, where its first stood: targets are averaged, and of classes the most frequent is taken (of equally
 * frequent ones the first). What contradicts itself cannot be learned, and what comes often would count often. Rows to judge a model
 * by are not grouped.
 *
 * @param options.pure  whether pure elements are kept (true by default)
 */
export function groupFormulas(table: Table, { pure = true }: { pure?: boolean } = {}): Table {
  const { formulas, targets } = table;
  if (!formulas || !targets) return table;
  const groups = new Map<string, number[]>();
  formulas.forEach((_, row) => {
    const { elements, fractions } = inRow(table, row, parseFormula);
    if (!pure && elements.length === 1) return;
    const key = elements.map((z, i) => `${z}:${fractions[i].toPrecision(9)}`).join();
    const rows = groups.get(key);
    if (rows) rows.push(row);
    else groups.set(key, [row]);
  });
  if (groups.size === 0) throw new UserError(`${table.file}: every row is a pure element; none is left to learn from.`);
  const width = targets.names.length;
  const values = new Float64Array(groups.size * width);
  [...groups.values()].forEach((rows, i) => {
    for (let c = 0; c < width; c++) {
      const own = rows.map((row) => targets.values[row * width + c]);
      values[i * width + c] = table.classes ? mostFrequent(own) : own.reduce((sum, y) => sum + y, 0) / own.length;
    }
  });
  const first = table.rows([...groups.values()].map(([row]) => row));
  return new Table({ ...first, targets: { names: targets.names, values } });
}

/** What `use` makes of a row's formula; its errors name file and line. */
function inRow<T>({ file, lines, formulas }: DatasetRows, row: number, use: (formula: string) => T): T {
  try {
    return use(formulas![row]);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${file}:${lines[row]}: ${error.message.split("\n")[0]}`, error.hint);
  }
}

function mostFrequent(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}
