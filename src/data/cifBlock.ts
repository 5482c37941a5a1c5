import { UserError } from "../core/errors.ts";
import { type Block, type Column, columnKey, type Loop } from "./cifStar.ts";
import { quote } from "./open.ts";

/** A value, where it stands, and what to call it. */
export interface Cell {
  readonly name: string;
  readonly text: string;
  readonly line: number;
}

/** What a data block says under the names that one asks for; messages give file and line. */
export class CifBlock {
  constructor(
    private readonly block: Block,
    readonly file: string,
  ) {}

  get name(): string {
    return this.block.name;
  }

  /** The column of the first of `names` that is there. */
  column(...names: string[]): Column | undefined {
    const found = names.map((name) => this.block.columns.get(columnKey(name))).find((column) => column !== undefined);
    if (found?.repeated !== undefined)
      this.fail(found.repeated, `${found.name} comes again, with another content than on line ${found.line}.`);
    return found;
  }

  /** The first column whose name begins so. */
  beginning(part: string): Column | undefined {
    for (const [name, column] of this.block.columns) if (name.startsWith(columnKey(part))) return column;
    return undefined;
  }

  /** The one value under the first of `names` that has one: neither ? nor "." */
  text(...names: string[]): Cell | undefined {
    const cells = names.map((name) => this.single(name));
    return cells.find((cell) => cell !== undefined && !isBlank(cell.text));
  }

  /** Like `text`, but ? is an error and "." is none. */
  number(...names: string[]): number | undefined {
    const cell = names.map((name) => this.single(name)).find((found) => found !== undefined);
    return cell === undefined || cell.text === "." ? undefined : this.parse(cell);
  }

  /** A number, with or without its uncertainty: 5.640(2). */
  parse(cell: Cell): number {
    const value = parseCifNumber(cell.text);
    if (value !== undefined) return value;
    return isBlank(cell.text)
      ? this.fail(cell.line, `${cell.name} is ${cell.text}: unknown.`)
      : this.fail(cell.line, `${cell.name} is ${quote(cell.text, 30)}: not a number.`);
  }

  fail(line: number, what: string, hint?: string): never {
    throw new UserError(`${this.file}:${line}: ${what}`, hint);
  }

  /** What `body` returns; its error begins with file and line. */
  at<T>(line: number, body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${this.file}:${line}: ${error.message.split("\n")[0]}`, error.hint);
    }
  }

  private single(name: string): Cell | undefined {
    const column = this.column(name);
    if (!column) return undefined;
    const cells = cellsOf(column);
    if (cells.length > 1) this.fail(column.line, `${column.name} has ${cells.length} values, and one is needed.`);
    return cells[0];
  }
}

/** Neither said (?) nor meant (.). */
export const isBlank = (text: string): boolean => text === "?" || text === ".";

export const rowsOf = (loop: Loop): number => loop.values.length / loop.names.length;

/** The value in a row, from 0. */
export function cellOf({ name, loop, at }: Column, row: number): Cell {
  const i = row * loop.names.length + at;
  return { name, text: loop.values[i], line: loop.lines[i] };
}

export const cellsOf = (column: Column): Cell[] =>
  Array.from({ length: rowsOf(column.loop) }, (_, row) => cellOf(column, row));

/** "5.640(2)", "1.5(12)e-3", "-.25" without the uncertainty; undefined for what is not a number. */
export function parseCifNumber(text: string): number | undefined {
  const [, digits, exponent = ""] = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:\(\d+\))?(e[+-]?\d+)?$/i.exec(text) ?? [];
  const value = Number(digits + exponent);
  return digits !== undefined && Number.isFinite(value) ? value : undefined;
}
