/**
 * Reads the JSON tables of Matbench and matminer: what pandas writes with orient="split",
 *
 *     {"index": [0, …], "columns": ["composition", "gap expt"], "data": [["Ag(AuS)2", 0.0], …]}
 *
 * with pymatgen's structures and compositions as nested records. Rows are taken from the stream one by one, since the larger
 * files are longer than a JavaScript string may be.
 */

import { UserError } from "../core/errors.ts";
import type { JsonCells } from "./jsonl.ts";
import { decodeText, quote } from "./open.ts";
import { isRecord, show } from "./pymatgen.ts";

/** Whether a file that begins with `head` is such a table. */
export function isMatbench(head: Uint8Array): boolean {
  return /^\s*\{\s*"(?:index|columns|data)"\s*:\s*\[/.test(new TextDecoder().decode(head));
}

/**
 * The rows of such a table like those of a CSV file: first the names of the columns, then each row's cells; `line` counts rows.
 * A table that has no formulas but structures gets their compositions instead, as a column "composition", unless `structures`
 * says to leave them as they are. Where the index
 * names the rows it is the first column, "id"; in a file named matbench_… it is "mbid", the official ids such as mb-steels-001.
 * Python's NaN, which JSON does not know, is null: a missing value.
 *
 * @throws UserError naming file and row when it is no such table, is cut short, or holds something else where a formula belongs
 */
export async function* readMatbenchCells(
  chunks: AsyncIterable<Uint8Array>,
  { file = "input", structures = false }: { file?: string; structures?: boolean } = {},
): AsyncGenerator<JsonCells> {
  const index: unknown[] = [];
  const columns: string[] = [];
  let layout: Layout | undefined;
  let rows = 0;
  for await (const { key, n, value } of readItems(decodeText(chunks, { file }), file)) {
    if (key === "index") index.push(value);
    else if (key === "columns") columns.push(String(value));
    else {
      if (!layout) yield { line: 1, cells: (layout = plan(columns, index, file, structures)).names };
      if (!Array.isArray(value) || value.length !== columns.length)
        throw new UserError(`${file}, row ${n + 1}: ${show(value)} is not a row of ${columns.length} cells.`);
      const cells = layout.id ? [layout.id(n), ...value] : value;
      const at = layout.formula;
      if (at >= 0) cells[at] = toFormula(cells[at], `${file}, row ${n + 1}, ${quote(layout.names[at])}`);
      yield { line: ++rows, cells };
    }
  }
  if (index.length > 0 && index.length !== rows)
    throw new UserError(`${file}: the index names ${index.length} rows, but there are ${rows}.`, EXPECTED);
  if (!layout) yield { line: 1, cells: plan(columns, index, file, structures).names };
}

interface Layout {
  names: string[];
  /** The column with compositions; -1 where there is none. */
  formula: number;
  /** The id of row n, where rows have one. */
  id?: (n: number) => unknown;
}

function plan(columns: string[], index: unknown[], file: string, structures: boolean): Layout {
  if (columns.length === 0)
    throw new UserError(`${file}: "data" comes before "columns", so that its cells have no names.`, EXPECTED);
  const names = [...columns];
  const known = ["composition", "formula", ...(structures ? [] : ["structure"])];
  let formula = known.map((name) => names.indexOf(name)).find((i) => i >= 0) ?? -1;
  if (names[formula] === "structure") names[formula] = "composition";
  const task = /(?:^|[/\\])matbench_(\w+)\.json(?:\.gz)?$/.exec(file)?.[1];
  const named = typeof index[0] === "string";
  if (!named && (task === undefined || index.length === 0)) return { names, formula };
  names.unshift(task === undefined ? "id" : "mbid");
  if (formula >= 0) formula++;
  if (named) return { names, formula, id: (n) => index[n] };
  // Matbench counts from 1, in as many digits as the last row needs.
  const digits = String(index.length).length;
  const prefix = `mb-${task!.replaceAll("_", "-")}-`;
  return { names, formula, id: (n) => prefix + String(Number(index[n]) + 1).padStart(digits, "0") };
}

/** A formula or null as it is; the composition of pymatgen's Composition {"Fe": 2, "O": 3} or Structure, whose sites are counted. */
function toFormula(cell: unknown, where: string): unknown {
  if (typeof cell === "string" || cell === null) return cell;
  const amounts = new Map<string, number>();
  function add(element: unknown, amount: unknown): void {
    if (typeof element !== "string" || typeof amount !== "number") throw neither();
    amounts.set(element, (amounts.get(element) ?? 0) + amount);
  }
  function neither(): UserError {
    return new UserError(`${where}: ${show(cell)} is neither a formula nor a structure.`);
  }
  if (!isRecord(cell)) throw neither();
  if (Array.isArray(cell.sites)) {
    for (const site of cell.sites) {
      if (!isRecord(site) || !Array.isArray(site.species)) throw neither();
      for (const species of site.species) add(species?.element, species?.occu);
    }
  } else for (const [element, amount] of Object.entries(cell)) if (!element.startsWith("@")) add(element, amount);
  if (amounts.size === 0) throw neither();
  // Sums of decimal occupancies: 0.30000000000000004 is 0.3.
  return [...amounts].map(([element, amount]) => element + (amount === 1 ? "" : Number(amount.toFixed(8)))).join("");
}

const EXPECTED = 'Matbench\'s files are {"index": […], "columns": […], "data": […]}, pandas\' orient="split".';

/** An item of one of the table's arrays: number `n`, from 0, of the array called `key`. */
interface Item {
  key: string;
  n: number;
  value: unknown;
}

/** The items of the table's three arrays as they go by. Memory holds one of them and one piece of the text. */
async function* readItems(chunks: AsyncIterable<string>, file: string): AsyncGenerator<Item> {
  let [text, at, start, depth] = ["", 0, 0, 0];
  let [inString, escaped] = [false, false];
  let [key, n] = ["", 0];
  for await (const chunk of chunks) {
    [text, at, start] = [text.slice(start) + chunk, at - start, 0];
    for (; at < text.length; at++) {
      const c = text[at];
      if (inString) {
        if (escaped) escaped = false;
        else if (c === "\\") escaped = true;
        else if (c === '"') {
          inString = false;
          if (depth === 1) key = text.slice(start + 1, at);
        }
      } else if (c === '"') {
        inString = true;
        if (depth === 1) start = at;
      } else if (depth === 2 && (c === "," || c === "]" || c === "}")) {
        const item = text.slice(start, c === "}" ? at + 1 : at); // "}" closes no array and spoils its item
        if (c !== "]" || n > 0 || item.trim() !== "")
          yield { key, n, value: parseJson(item, `${file}, item ${n + 1} of ${quote(key)}`) };
        start = at + 1;
        n++;
        if (c !== ",") depth--;
      } else if ((depth === 0 && c === "{" && key === "") || (depth === 1 && c === "[")) {
        if (++depth === 1) continue;
        if (!["index", "columns", "data"].includes(key))
          throw new UserError(`${file}: a table of Matbench's kind has no ${quote(key)}.`, EXPECTED);
        [start, n] = [at + 1, 0];
      } else if (depth === 1 && c === "}") depth--;
      else if (depth < 2) {
        if (!(depth === 0 ? /\s/ : /[\s:,]/).test(c))
          throw new UserError(`${file} is not a table of Matbench's kind.`, EXPECTED);
      } else if (c === "[" || c === "{") depth++;
      else if (c === "]" || c === "}") depth--;
    }
    if (depth === 0 || (depth === 1 && !inString)) start = at;
  }
  if (depth > 0 || key === "")
    throw new UserError(
      `${file} ends early, after ${n} items of ${quote(key)}.`,
      "Was it cut short? Download it again.",
    );
}

/** JSON, or what Python writes instead: NaN, here null, and Infinity, here text, for which a column of numbers has no use. */
function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const bare = /"(?:[^"\\]|\\.)*"|\bNaN\b|-?\bInfinity\b/g;
    try {
      return JSON.parse(text.replace(bare, (m) => (m === "NaN" ? "null" : m.startsWith('"') ? m : `"${m}"`)));
    } catch {
      throw new UserError(`${where}: ${quote(text.trim())} is not JSON.`);
    }
  }
}
