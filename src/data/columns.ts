import { UserError } from "../core/errors.ts";
import { cellText, isMissing, parseNumber, readCsvRows } from "./csv.ts";
import { type JsonCells, readJsonCells } from "./jsonl.ts";
import { isMatbench, readMatbenchCells } from "./matbench.ts";
import { isJson, openChunks, peek, quote, type Source, sourceName, unknownName } from "./open.ts";

/** Which columns to read, and as what. A name that the file does not have is an error, and so is a column with two roles. */
export interface ColumnOptions {
  /** Default: a column named id, mbid, material_id, … in any case; where there is none, rows are numbered from 1. */
  id?: string;
  /** Default: a column named formula or composition in any case. Values are never looked at. */
  formula?: string;
  /** "*" adds every column without another role whose first value (in the first 1000 rows) is a number. */
  numeric?: readonly string[];
  categorical?: readonly string[];
  ignore?: readonly string[];
  /** Leave out rows with missing values and list them in `dropped`, instead of failing. */
  dropMissing?: boolean;
  /** Of CSV: one character or "tab"; default: the one that the header has most of. */
  delimiter?: string;
  /** The name used in messages; its ending (.csv, .jsonl, .json, …) tells the format. Default: the source's own name. */
  file?: string;
}

export interface TableOptions extends ColumnOptions {
  target?: string | readonly string[];
  /** Default: classification where a single target is text, true/false, or all 0 and 1; otherwise regression. */
  task?: "regression" | "classification";
  /** The class labels in order, for a table that must agree with an earlier one. Implies classification. */
  classes?: readonly string[];
  /** A column of fold numbers 0, 1, … */
  foldColumn?: string;
}

/** The column of each role, by index; -1 where there is none. */
export interface Roles {
  names: readonly string[];
  id: number;
  formula: number;
  fold: number;
  numeric: readonly number[];
  categorical: readonly number[];
  targets: readonly number[];
  unused: readonly string[];
}

export const ID_NAMES = ["id", "mbid", "material_id", "mp_id", "mpid", "jid", "sample_id", "entry_id"];
export const FORMULA_NAMES = ["formula", "composition"];
/** Rows looked at to decide which columns "*" means. */
const SAMPLE = 1000;

/** A table whose columns have their roles: what `Builder` takes. */
export interface OpenTable {
  file: string;
  roles: Roles;
  rows: AsyncGenerator<JsonCells>;
}

/** Opens a table of any format that is read, and settles what each column is for. */
export async function openTable(source: Source, options: TableOptions): Promise<OpenTable> {
  const { file = sourceName(source), delimiter, numeric = [] } = options;
  const { head, chunks } = await peek(openChunks(source, { file }), 64);
  const rows: AsyncGenerator<JsonCells> = isMatbench(head)
    ? readMatbenchCells(chunks, { file })
    : isJson(file, head)
      ? readJsonCells(chunks, { file, closed: numeric.includes("*") })
      : readCsvRows(chunks, { file, delimiter });
  return settle(file, rows, options);
}

/**
 * Settles what each column of `rows` is for, of which the first are the columns' names.
 *
 * @param structure  the names of columns that hold structures, and so have no other role
 */
export async function settle(
  file: string,
  rows: AsyncGenerator<JsonCells>,
  options: TableOptions,
  structure: readonly string[] = [],
): Promise<OpenTable> {
  const all = options.numeric?.includes("*");
  const sample: JsonCells[] = [];
  async function* data() {
    try {
      yield* sample.splice(0);
      yield* rows;
    } finally {
      await rows.return(undefined);
    }
  }
  try {
    const header = await rows.next();
    if (header.done) throw new UserError(`${file} is empty.`);
    for (let next: IteratorResult<JsonCells>; all && sample.length < SAMPLE; sample.push(next.value)) {
      if ((next = await rows.next()).done) break;
    }
    return { file, roles: resolveRoles(file, header.value, sample, options, structure), rows: data() };
  } catch (error) {
    await rows.return(undefined);
    throw error;
  }
}

function resolveRoles(
  file: string,
  header: JsonCells,
  sample: readonly JsonCells[],
  options: TableOptions,
  structure: readonly string[],
): Roles {
  const names = header.cells.map((cell) => String(cell).trim());
  const roleOf = new Map<number, string>();
  const index = new Map<string, number>();
  names.forEach((name, i) => {
    const other = index.get(name);
    if (other === undefined) index.set(name, i);
    else if (name !== "") {
      throw new UserError(`${file}:${header.line}: columns ${other + 1} and ${i + 1} are both ${quote(name)}.`);
    }
  });
  function assign(name: string, role: string): number {
    const i = index.get(name);
    if (i === undefined) throw unknownName(`${file} has no ${role} column`, name, names);
    const other = roleOf.get(i);
    if (other) throw new UserError(`${file}: column ${quote(name)} cannot be both ${other} and ${role}.`);
    roleOf.set(i, role);
    return i;
  }
  function guess(known: readonly string[], role: string): number {
    const free = (wanted: string) => names.findIndex((name, i) => name.toLowerCase() === wanted && !roleOf.has(i));
    const i = known.map(free).find((found) => found >= 0) ?? -1;
    if (i >= 0) roleOf.set(i, role);
    return i;
  }
  const assignAll = (list: readonly string[], role: string) =>
    list.filter((name) => name !== "*").map((name) => assign(name, role));
  assignAll(structure, "structure");
  const { target = [], numeric = [], categorical = [], ignore = [] } = options;
  const targets = assignAll(typeof target === "string" ? [target] : target, "target");
  if (targets.length > 1 && (options.task === "classification" || options.classes)) {
    throw new UserError(`classification has one target, not ${targets.length}.`);
  }
  const numbers = assignAll(numeric, "numeric");
  const texts = assignAll(categorical, "categorical");
  assignAll(ignore, "ignored");
  const fold = options.foldColumn === undefined ? -1 : assign(options.foldColumn, "fold");
  const explicitId = options.id === undefined ? undefined : assign(options.id, "id");
  const formula = options.formula === undefined ? guess(FORMULA_NAMES, "formula") : assign(options.formula, "formula");
  const id = explicitId ?? guess(ID_NAMES, "id");
  if (numeric.includes("*")) {
    names.forEach((name, i) => {
      const texts = sample.map((row) => cellText(row.cells[i]) ?? "an object");
      const first = texts.find((text) => !isMissing(text, "numbers"));
      if (roleOf.has(i) || name === "" || first === undefined || parseNumber(first) === undefined) return;
      numbers.push(i);
      roleOf.set(i, "numeric");
    });
  }
  const unused = names.filter((_, i) => !roleOf.has(i) || roleOf.get(i) === "ignored");
  return { names, id, formula, fold, numeric: numbers, categorical: texts, targets, unused };
}
