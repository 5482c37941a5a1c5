import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { type ColumnOptions, type OpenTable, openTable, type Roles, type TableOptions } from "./columns.ts";
import { type Among, cellText, isMissing, label, numberHint, parseNumber } from "./csv.ts";
import { splitRows } from "./dataset.ts";
import type { Image } from "./image.ts";
import type { JsonCells } from "./jsonl.ts";
import type { GraphNode } from "./nodeGraph.ts";
import { ownText, quote, type Source } from "./open.ts";
import type { Structure } from "./structure.ts";

export type { ColumnOptions, TableOptions };

/** The contents of a `Table`. */
export type TableColumns = Omit<Table, "length" | "rows" | "split">;

/** A table whose columns are checked and typed. */
export class Table {
  declare readonly file: string;
  declare readonly ids: readonly string[];
  declare readonly formulas: readonly string[] | undefined;
  /** Of the rows of structure files. */
  declare readonly structures?: readonly Structure[];
  /** Of the rows that are pictures or signals. */
  declare readonly images?: readonly Image[];
  /** Of the rows that are nodes of a graph. */
  declare readonly nodes?: readonly GraphNode[];
  /** The line of the file on which each row begins. */
  declare readonly lines: Int32Array;
  /** values [length, names.length], row-major. */
  declare readonly numeric: { readonly names: readonly string[]; readonly values: Float64Array };
  /** values[c][row] is the text of column names[c]. */
  declare readonly categorical: { readonly names: readonly string[]; readonly values: readonly (readonly string[])[] };
  /** values [length, names.length], row-major; for classification the index of the row's label in `classes`. */
  declare readonly targets: { readonly names: readonly string[]; readonly values: Float64Array } | undefined;
  declare readonly classes?: readonly string[];
  declare readonly fold?: Int32Array;
  /** Columns of the file that have no role here. */
  declare readonly unused: readonly string[];
  /** Rows left out, and why. */
  declare readonly dropped: readonly { readonly line: number; readonly reason: string }[];

  constructor(columns: TableColumns) {
    Object.assign(this, columns);
  }

  get length(): number {
    return this.ids.length;
  }

  /** The rows `indices` in that order; an index may come twice. */
  rows(indices: ArrayLike<number>): Table {
    const wrong = Array.from(indices).find((i) => !(Number.isInteger(i) && i >= 0 && i < this.length));
    if (wrong !== undefined) throw new UserError(`rows: there is no row ${wrong} in a table of ${this.length} rows.`);
    const picked = Int32Array.from(indices);
    const texts = (values: readonly string[]) => Array.from(picked, (i) => values[i]);
    const floats = ({ names, values }: { names: readonly string[]; values: Float64Array }) => {
      const width = names.length;
      const out = new Float64Array(picked.length * width);
      for (let row = 0; row < picked.length; row++) {
        out.set(values.subarray(picked[row] * width, (picked[row] + 1) * width), row * width);
      }
      return { names, values: out };
    };
    const { formulas, structures, images, nodes, lines, categorical, targets, fold } = this;
    return new Table({
      ...this,
      ids: texts(this.ids),
      formulas: formulas && texts(formulas),
      structures: structures && Array.from(picked, (i) => structures[i]),
      images: images && Array.from(picked, (i) => images[i]),
      nodes: nodes && Array.from(picked, (i) => nodes[i]),
      lines: picked.map((i) => lines[i]),
      numeric: floats(this.numeric),
      categorical: { names: categorical.names, values: categorical.values.map(texts) },
      targets: targets && floats(targets),
      fold: fold && picked.map((i) => fold[i]),
    });
  }

  /**
   * A random share of the rows, or of each class, to train on and the rest to validate with; made before features, which then learn
   * from the former alone.
   */
  split(fraction: number, rng: Rng): { train: Table; validation: Table } {
    const labels = this.classes ? this.targets?.values : undefined;
    const [train, validation] = splitRows(this.length, fraction, rng, labels);
    return { train: this.rows(train), validation: this.rows(validation) };
  }
}

/**
 * Reads a CSV, JSON lines or JSON table, gzipped or not, and checks it. A missing value is an empty cell, null, NA, N/A, ? or -,
 * in columns of numbers also NaN; a formula is missing only where its cell is empty ("NaN" is sodium nitride).
 *
 * @throws UserError naming file, line and column for a column that is not there, a missing value (all are counted), a number that
 *   is not one or not finite, a label that is not among `classes`, and an id that comes twice
 */
export async function readTable(source: Source, options: TableOptions = {}): Promise<Table> {
  return collect(await openTable(source, options), options);
}

/** The whole table. */
export async function collect({ file, roles, rows }: OpenTable, options: BuilderOptions): Promise<Table> {
  const builder = new Builder(file, roles, options);
  for await (const row of rows) builder.add(row);
  const table = builder.take();
  if (table.length === 0) throw noRows(file, table);
  if (roles.id >= 0) checkUnique(table, roles.names[roles.id]);
  return table;
}

/**
 * The same without targets, in tables of `batch` rows of the file each (less the dropped ones): memory does not grow with the
 * file. Ids may repeat.
 */
export async function* readRows(
  source: Source,
  { batch = 1024, ...options }: ColumnOptions & { batch?: number } = {},
): AsyncGenerator<Table> {
  if (!(batch >= 1 && Number.isInteger(batch))) throw new UserError(`readRows: batch is ${batch}, not 1, 2, …`);
  yield* inBatches(await openTable(source, options), { ...options, batch });
}

/** The rows of an open table in tables of `batch` rows each (less the dropped ones). */
export async function* inBatches(
  { file, roles, rows }: OpenTable,
  { batch, ...options }: BuilderOptions & { batch: number },
): AsyncGenerator<Table> {
  let builder = new Builder(file, roles, options);
  for await (const row of rows) {
    builder.add(row);
    if (builder.read % batch > 0) continue;
    yield builder.take();
    builder = new Builder(file, roles, options, builder.read);
  }
  if (builder.read === 0) throw noRows(file, builder.take());
  if (builder.read % batch > 0) yield builder.take();
}

/** With `skipBad`, a row with anything wrong is dropped. */
type BuilderOptions = TableOptions & { skipBad?: boolean };

/** Rows → columns. Numbers and labels are checked as they come; missing values are counted to the end. */
class Builder {
  private readonly ids: string[] = [];
  private readonly formulas: string[] = [];
  private readonly structures: Structure[] = [];
  private readonly lines: number[] = [];
  private readonly folds: number[] = [];
  private readonly numbers: number[][];
  private readonly categories: string[][];
  private readonly targets: number[][];
  /** One copy of every category's text, and the index of every label. */
  private readonly known = new Map<string, string>();
  private readonly labels = new Map<string, number>();
  private readonly needed: { column: number; among: Among }[];
  private readonly dropped: { line: number; reason: string }[] = [];
  private readonly missing: string[] = [];
  private missingRows = 0;
  private kind: "number" | "label" | undefined;

  constructor(
    private readonly file: string,
    private readonly roles: Roles,
    private readonly options: BuilderOptions,
    /** Rows of the file so far, kept or not. */
    public read = 0,
  ) {
    const { numeric, categorical, targets, fold, id, formula } = roles;
    this.numbers = numeric.map(() => []);
    this.categories = categorical.map(() => []);
    this.targets = targets.map(() => []);
    const need = (columns: readonly number[], among: Among) => columns.map((column) => ({ column, among }));
    const needed = [
      need([...numeric, ...targets, fold], "numbers"),
      need(categorical, "categories"),
      need([id, formula], "names"),
    ];
    this.needed = needed.flat().filter(({ column }) => column >= 0);
    for (const name of options.classes ?? []) this.labels.set(label(name), this.labels.size);
    if (options.classes || options.task === "classification") this.kind = "label";
    else if (options.task === "regression" || targets.length > 1) this.kind = "number";
  }

  add(row: JsonCells): void {
    this.read++;
    try {
      if (row.error) throw row.error;
      this.push(row);
    } catch (error) {
      if (!this.options.skipBad || !(error instanceof UserError)) throw error;
      const [reason] = error.message.split("\n");
      // The row's own line need not be said twice; 1 begins 13, too, which is another line.
      const place = `${this.file}:${row.line}`;
      const after = reason.startsWith(place) ? reason.slice(place.length) : "";
      this.dropped.push({ line: row.line, reason: /^[:\s]/.test(after) ? after.replace(/^[:\s]+/, "") : reason });
    }
  }

  /** All or nothing: what may fail comes first. */
  private push({ line, cells, structure }: JsonCells): void {
    const { names, id, formula, fold, numeric, categorical, targets } = this.roles;
    const text = (i: number) => cellText(cells[i]) ?? this.fail(line, i, "holds an array or an object, not a value.");
    const gone = this.needed.filter(({ column, among }) => isMissing(text(column), among));
    if (gone.length > 0) {
      const columns = gone.map(({ column }) => quote(names[column], 40)).join(", ");
      if (this.options.dropMissing || this.options.skipBad)
        this.dropped.push({ line, reason: `no value in ${columns}` });
      else if (this.missingRows++ < 5) this.missing.push(`line ${line} ${columns}`);
      return;
    }
    const name = formula >= 0 ? ownText(text(formula)) : structure?.formula;
    const foldNumber = fold >= 0 ? this.fold(text(fold), line, fold) : -1;
    const numbers = numeric.map((i) => this.number(text(i), line, i));
    const labels = categorical.map(text);
    const wanted = targets.map((i) => this.target(text(i), line, i));

    this.lines.push(line);
    this.ids.push(id < 0 ? String(this.read) : ownText(text(id)));
    if (name !== undefined) this.formulas.push(name);
    if (structure) this.structures.push(structure);
    if (fold >= 0) this.folds.push(foldNumber);
    numbers.forEach((value, c) => void this.numbers[c].push(value));
    wanted.forEach((value, c) => void this.targets[c].push(value));
    labels.forEach((value, c) => {
      if (!this.known.has(value)) this.known.set(ownText(value), ownText(value));
      this.categories[c].push(this.known.get(value)!);
    });
  }

  take(): Table {
    const { file, roles, missing } = this;
    if (this.missingRows > 0) {
      const more = this.missingRows > missing.length ? "; …" : "";
      throw new UserError(
        `${file}: values are missing in ${this.missingRows} of ${this.read} rows: ${missing.join("; ")}${more}.`,
        "Fill them in, leave these rows out (dropMissing), or do not use the column.",
      );
    }
    const at = (indices: readonly number[]) => indices.map((i) => roles.names[i]);
    const targets = { names: at(roles.targets), values: interleave(this.targets) };
    return new Table({
      file,
      ids: this.ids,
      formulas: roles.formula < 0 && this.structures.length === 0 ? undefined : this.formulas,
      ...(this.structures.length > 0 && { structures: this.structures }),
      lines: Int32Array.from(this.lines),
      numeric: { names: at(roles.numeric), values: interleave(this.numbers) },
      categorical: { names: at(roles.categorical), values: this.categories },
      classes: this.classes(targets.values),
      targets: roles.targets.length > 0 ? targets : undefined,
      fold: roles.fold < 0 ? undefined : Int32Array.from(this.folds),
      unused: roles.unused,
      dropped: this.dropped,
    });
  }

  /** The labels; those found here are sorted (numbers by value) and `values` renumbered. 0 and 1 alone are labels, too. */
  private classes(values: Float64Array): readonly string[] | undefined {
    if (this.options.classes || this.targets.length === 0) return this.options.classes;
    if (this.kind === "number") {
      const binary = values.includes(0) && values.includes(1) && values.every((value) => value === 0 || value === 1);
      return binary && !this.options.task && this.targets.length === 1 ? ["0", "1"] : undefined;
    }
    const found = [...this.labels.keys()];
    const numbers = found.every((name) => parseNumber(name) !== undefined);
    const sorted = [...found].sort(numbers ? (a, b) => Number(a) - Number(b) : undefined);
    const place = new Map(sorted.map((name, i) => [name, i]));
    for (let i = 0; i < values.length; i++) values[i] = place.get(found[values[i]])!;
    return sorted;
  }

  private target(text: string, line: number, column: number): number {
    this.kind ??= parseNumber(text) === undefined ? "label" : "number";
    if (this.kind === "number") return this.number(text, line, column);
    const { task, classes } = this.options;
    if (!task && !classes && parseNumber(text) !== undefined) {
      this.fail(
        line,
        column,
        `is the number ${quote(text)} after text.`,
        'If these are labels: task "classification".',
      );
    }
    const name = label(text);
    const index = this.labels.get(name) ?? this.labels.size;
    if (index < this.labels.size) return index;
    if (classes) {
      const shown = classes.slice(0, 20).map((known) => quote(known, 30));
      this.fail(line, column, `holds ${quote(text)}, which is none of the classes.`, `They are ${shown.join(", ")}.`);
    }
    this.labels.set(ownText(name), index);
    return index;
  }

  private number(text: string, line: number, column: number): number {
    const value = parseNumber(text);
    if (value !== undefined) return value;
    this.fail(line, column, `holds ${quote(text)}, which is not a finite number.`, numberHint(text));
  }

  private fold(text: string, line: number, column: number): number {
    if (!/^\d{1,9}(\.0*)?$/.test(text)) this.fail(line, column, `holds ${quote(text)}, not a fold 0, 1, 2, …`);
    return Number(text);
  }

  private fail(line: number, column: number, what: string, hint?: string): never {
    throw new UserError(`${this.file}:${line}: column ${quote(this.roles.names[column])} ${what}`, hint);
  }
}

/** Columns → [rows, columns.length], row-major. */
function interleave(columns: readonly (readonly number[])[]): Float64Array {
  const width = columns.length;
  const out = new Float64Array(width === 0 ? 0 : width * columns[0].length);
  columns.forEach((values, c) => {
    for (let row = 0; row < values.length; row++) out[row * width + c] = values[row];
  });
  return out;
}

function checkUnique({ file, ids, lines, structures }: Table, column: string): void {
  const first = new Map<string, number>();
  ids.forEach((id, row) => {
    const before = first.get(id);
    first.set(id, row);
    if (before === undefined) return;
    throw new UserError(
      `${file}: lines ${lines[before]} and ${lines[row]} have the same id ${quote(id)} (column ${quote(column)}).`,
      structures
        ? "Ids name rows: make them different, or remove one of the lines."
        : "Ids name rows: make them different, or ignore the column (ignore).",
    );
  });
}

function noRows(file: string, { dropped: [first] }: Table): UserError {
  const lacking = first?.reason.startsWith("no value in") ? "every row lacks a value" : "every row has a mistake";
  const why = first ? `${lacking}, e.g. line ${first.line}: ${first.reason}` : "there are no rows";
  return new UserError(`${file}: ${why}.`);
}
