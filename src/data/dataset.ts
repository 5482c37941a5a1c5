import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { emit, type Tensor } from "../core/tensor.ts";
import { quote } from "./open.ts";
import type { Table } from "./table.ts";

/** One minibatch: what the model's `forward` takes, and the targets (class numbers or values, row-major). */
export interface Batch {
  inputs: readonly unknown[];
  targets: Float32Array;
}

/** Anything that can be cut into minibatches. `batch` runs inside the step's scope, so its tensors need no care. */
export interface Dataset {
  readonly length: number;
  /** Rows that a batch may have where nothing is learned, so that memory stays bounded; 1024 unless given. */
  readonly inferenceBatch?: number;
  /** `rng` is given while training: a data set that augments its inputs does so then, and only then. */
  batch(rows: Int32Array, rng?: Rng): Batch;
}

/** A data set all of whose targets are at hand: y [length, outputs], row-major. */
export interface LabelledDataset extends Dataset {
  readonly y: Float32Array;
  readonly outputs: number;
}

/** The part of a table that inputs and targets are made of. */
export type DatasetRows = Pick<Table, "file" | "length" | "formulas" | "lines" | "numeric" | "categorical"> &
  Partial<Pick<Table, "structures" | "images" | "nodes" | "targets">>;

/** What turns the rows of tables into a model's inputs, always in the same way. It is stored with the model. */
export interface RowFeaturiser {
  /** Numbers that describe a row, or an atom. */
  readonly width: number;
  /** SHA-256 of all that it depends on: equal hashes make equal inputs of equal rows. */
  readonly hash: string;
  /** Inputs and targets (zeros where the rows have none). */
  dataset(rows: DatasetRows): LabelledDataset;
  toJSON(): unknown;
}

/** Rows of numbers with targets: x [length, width], y [length, outputs], both row-major. */
export class ArrayDataset implements LabelledDataset {
  constructor(
    readonly x: Float32Array,
    readonly y: Float32Array,
    readonly length: number,
  ) {
    if (length === 0 || x.length % length !== 0 || y.length % length !== 0)
      throw new UserError(`ArrayDataset: ${x.length} inputs and ${y.length} targets do not make ${length} rows.`);
  }

  /** Features of a row. */
  get width(): number {
    return this.x.length / this.length;
  }

  /** Targets of a row. */
  get outputs(): number {
    return this.y.length / this.length;
  }

  batch(rows: Int32Array): Batch {
    return { inputs: [this.inputs(rows)], targets: gather(this.y, rows, this.outputs) };
  }

  private inputs(rows: Int32Array): Tensor {
    const { x, width } = this;
    return emit([rows.length, width], ({ data }) => {
      for (let i = 0; i < rows.length; i++) data.set(x.subarray(rows[i] * width, (rows[i] + 1) * width), i * width);
    });
  }

  /** The given rows, in that order. */
  rows(indices: ArrayLike<number>): ArrayDataset {
    const picked = Int32Array.from(indices);
    return new ArrayDataset(gather(this.x, picked, this.width), gather(this.y, picked, this.outputs), picked.length);
  }

  /** A random share of the rows to train on and the rest to validate with. */
  split(fraction: number, rng: Rng): { train: ArrayDataset; validation: ArrayDataset } {
    const [train, validation] = splitRows(this.length, fraction, rng);
    return { train: this.rows(train), validation: this.rows(validation) };
  }
}

/**
 * The targets of rows in f32, zeros where they have none.
 *
 * @throws UserError naming file, line and column for a number that f32 cannot hold
 */
export function targetsOf({ file, length, lines, targets }: DatasetRows): Float32Array<ArrayBuffer> {
  if (!targets) return new Float32Array(length);
  const { names, values } = targets;
  const y = Float32Array.from(values);
  const at = y.findIndex((value) => !Number.isFinite(value));
  if (at >= 0)
    throw new UserError(
      `${file}:${lines[Math.floor(at / names.length)]}: column ${quote(names[at % names.length])} is ${values[at]}, too large: f32 ends at ±3.4e38.`,
      "Give the column in another unit, or leave the row out.",
    );
  return y;
}

function gather(values: Float32Array, rows: Int32Array, width: number): Float32Array {
  const out = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) out.set(values.subarray(rows[i] * width, (rows[i] + 1) * width), i * width);
  return out;
}

/**
 * Two disjoint sets of row numbers: `fraction` of n (at least one row on each side) and the rest, both in random order. Where
 * `labels` are given, the rows of each label are shared out so.
 */
export function splitRows(n: number, fraction: number, rng: Rng, labels?: ArrayLike<number>): [Int32Array, Int32Array] {
  if (!(fraction > 0 && fraction < 1))
    throw new UserError(`A split needs a fraction between 0 and 1, not ${fraction}.`);
  if (n < 2) throw new UserError(`${n} row cannot be split into two sets.`);
  const order = rng.permutation(n);
  const count = Math.min(n - 1, Math.max(1, Math.round(n * fraction)));
  if (!labels) return [order.slice(0, count), order.slice(count)];
  const seen = new Map<number, number>();
  const sizes = new Map<number, number>();
  for (const row of order) sizes.set(labels[row], (sizes.get(labels[row]) ?? 0) + 1);
  const first = (row: number): boolean => {
    const i = seen.get(labels[row]) ?? 0;
    seen.set(labels[row], i + 1);
    return i < Math.round(sizes.get(labels[row])! * fraction);
  };
  const sets: [number[], number[]] = [[], []];
  for (const row of order) sets[first(row) ? 0 : 1].push(row);
  const empty = sets.findIndex((set) => set.length === 0);
  if (empty >= 0) sets[empty].push(sets[1 - empty].pop()!);
  return [Int32Array.from(sets[0]), Int32Array.from(sets[1])];
}
