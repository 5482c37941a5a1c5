import { UserError } from "../core/errors.ts";
import { decodeText, quote } from "./open.ts";

/** One record: the line it begins on (from 1) and its cells as written, without quotes. */
export interface CsvRow {
  line: number;
  cells: string[];
}

export interface CsvOptions {
  /** One character, or "tab". Default: the one of , ; tab | that the header has most of, outside quotes. */
  delimiter?: string;
  /** The name used in messages. */
  file?: string;
}

/**
 * The records of a delimited text file (RFC 4180), the header first. Lines end in LF, CRLF or CR; a cell in double quotes may
 * hold delimiters, line ends and doubled quotes. A quote inside an unquoted cell (5" pipe) is an ordinary character. Lines of
 * nothing but spaces are skipped. Streams: memory holds one record and one piece of the file.
 *
 * @throws UserError naming file and line for a header with two delimiters equally often, a record whose cells do not match the
 *   header, text after a closing quote, a quote that is never closed, a cell above 10 MB (what an unclosed quote looks like in a
 *   large file), and text that is not UTF-8
 */
export async function* readCsvRows(
  chunks: AsyncIterable<Uint8Array>,
  { delimiter, file = "input" }: CsvOptions = {},
): AsyncGenerator<CsvRow> {
  const header = new HeaderScan(file);
  let parser: CsvParser | undefined;
  let begin = "";
  const start = () => new CsvParser(delimiter === undefined ? header.delimiter : checkDelimiter(delimiter), file);
  for await (const text of decodeText(chunks, { file })) {
    if (parser) {
      for (const row of parser.push(text)) yield row;
      continue;
    }
    begin += text;
    if (begin.length > MAX_CELL) throw new UserError(`${file}:1: the header is longer than 10 MB.`, "Is it a table?");
    if (delimiter === undefined && !header.push(text)) continue;
    parser = start();
    for (const row of parser.push(begin)) yield row;
  }
  if (!parser) {
    parser = start();
    for (const row of parser.push(begin)) yield row;
  }
  for (const row of parser.end()) yield row;
}

/** The finite decimal number that `text` is, such as -1.5e3; undefined for all else, also what JavaScript reads: 0x10, Infinity. */
export function parseNumber(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** What a column holds, so far as missing values are concerned. */
export type Among = "numbers" | "categories" | "names";

/** Whether the text of a cell says that there is no value. Ids and formulas are never missing unless empty: NaN is sodium nitride. */
export function isMissing(text: string, among: Among): boolean {
  if (text.length === 0 || text.length > 4 || among === "names") return text.length === 0;
  return (among === "numbers" && /^(nan|NaN|NAN)$/.test(text)) || /^(NA|N\/A|null|\?|-)$/.test(text);
}

/** What is probably wrong with a number that `parseNumber` does not accept. */
export function numberHint(text: string): string {
  if (/^[+-]?(inf|infinity|[\d.]+e\+?\d+)$/i.test(text)) return "Leave out the row or the column.";
  if (/^[+-]?\d+,\d+$/.test(text)) return `A decimal comma? Numbers need a point: ${text.replace(",", ".")}`;
  if (text.startsWith("\u2212")) return "Its minus sign is the character U+2212: write an ordinary -";
  return "Correct it, or give the column another role: categorical, ignored, or a target of classes.";
}

/** A cell as text without surrounding spaces, empty where there is nothing; undefined for arrays and objects. */
export function cellText(cell: unknown): string | undefined {
  if (typeof cell === "string") return cell.trim();
  if (cell === undefined || cell === null) return "";
  return typeof cell === "object" ? undefined : String(cell);
}

/** A class label, spelled in one way: True is true, 1.0 is 1. */
export function label(text: string): string {
  const value = parseNumber(text);
  if (value !== undefined) return String(value);
  return /^(true|false)$/i.test(text) ? text.toLowerCase() : text;
}

/** Characters in one cell; the longest text that anybody keeps in a table is far below. */
const MAX_CELL = 10 * 2 ** 20;
const QUOTE = 34;
const LF = 10;
const CR = 13;

function checkDelimiter(delimiter: string): string {
  const char = delimiter === "tab" || delimiter === "\\t" ? "\t" : delimiter;
  if (char.length !== 1 || char === '"' || char === "\n" || char === "\r") {
    throw new UserError(`delimiter ${quote(delimiter)}: it must be one character.`, 'For example "," or ";" or "tab".');
  }
  return char;
}

/** Counts the possible delimiters outside quotes, up to the end of the first line that is not blank. */
class HeaderScan {
  private readonly counts = new Map([",", ";", "\t", "|"].map((char) => [char, 0]));
  private quoted = false;
  private blank = true;
  private cellStart = true;
  private previous = "";

  constructor(private readonly file: string) {}

  /** Whether the header is complete. */
  push(text: string): boolean {
    for (const char of text) {
      if (!this.quoted && (char === "\n" || char === "\r")) {
        if (!this.blank) return true;
        this.cellStart = true;
        continue;
      }
      const count = this.counts.get(char);
      if (count !== undefined && !this.quoted) this.counts.set(char, count + 1);
      if (char === '"') this.quoted = !this.quoted && (this.cellStart || this.previous === '"');
      if (count !== undefined || char.trim() !== "") this.blank = false;
      this.cellStart = count !== undefined && !this.quoted;
      this.previous = char;
    }
    return false;
  }

  get delimiter(): string {
    const [first, second] = [...this.counts].sort((a, b) => b[1] - a[1]);
    if (first[1] === 0 || first[1] > second[1]) return first[0];
    throw new UserError(
      `${this.file}: the header has as many ${quote(first[0])} as ${quote(second[0])}: which is the delimiter?`,
      `Say so (delimiter), for example ${quote(first[0])}.`,
    );
  }
}

enum State {
  CellStart,
  Plain,
  Quoted,
  /** After a quote inside a quoted cell: either the first of two, or the closing one. */
  AfterQuote,
  /** After a CR that ended a record: an LF that follows belongs to it. */
  AfterCr,
}

/** The state machine: text in pieces that may end anywhere → records. */
class CsvParser {
  private state = State.CellStart;
  private cell = "";
  private cells: string[] = [];
  private count = 0;
  private names: string[] | undefined;
  private line = 1;
  private recordLine = 1;
  private quoteLine = 1;
  private quotedRecord = false;
  private afterCr = false;
  private readonly delimiterCode: number;

  constructor(
    private readonly delimiter: string,
    private readonly file: string,
  ) {
    this.delimiterCode = delimiter.charCodeAt(0);
  }

  push(text: string): CsvRow[] {
    const rows: CsvRow[] = [];
    let i = 0;
    while (i < text.length) {
      switch (this.state) {
        case State.AfterCr:
          if (text.charCodeAt(i) === LF) i++;
          this.state = State.CellStart;
          break;
        case State.CellStart:
          if (text.charCodeAt(i) === QUOTE) {
            this.state = State.Quoted;
            this.quotedRecord = true;
            this.quoteLine = this.line;
            this.afterCr = false;
            i++;
          } else this.state = State.Plain;
          break;
        case State.Plain: {
          let end = i;
          while (end < text.length && !this.endsCell(text.charCodeAt(end))) end++;
          this.append(text, i, end);
          i = end;
          if (i < text.length) this.endCell(text.charCodeAt(i++), rows);
          break;
        }
        case State.Quoted: {
          const close = text.indexOf('"', i);
          const end = close < 0 ? text.length : close;
          this.countLines(text, i, end);
          this.append(text, i, end);
          i = end;
          if (close >= 0) {
            this.state = State.AfterQuote;
            i++;
          }
          break;
        }
        case State.AfterQuote: {
          const code = text.charCodeAt(i++);
          if (code === QUOTE) {
            this.cell += '"';
            this.afterCr = false;
            this.state = State.Quoted;
          } else if (this.endsCell(code)) this.endCell(code, rows);
          else this.failAfterQuote(text[i - 1]);
        }
      }
    }
    return rows;
  }

  end(): CsvRow[] {
    const rows: CsvRow[] = [];
    if (this.state === State.Quoted) {
      throw new UserError(
        `${this.file}:${this.quoteLine}: the quote that opens cell ${this.count + 1} is never closed.`,
        'A quote inside a quoted cell is written twice: "5"" pipe".',
      );
    }
    const open = this.state === State.Plain || this.state === State.AfterQuote;
    if (open || this.count > 0) this.endCell(LF, rows);
    return rows;
  }

  private endsCell(code: number): boolean {
    return code === this.delimiterCode || code === LF || code === CR;
  }

  private append(text: string, begin: number, end: number): void {
    this.cell += text.slice(begin, end);
    if (this.cell.length <= MAX_CELL) return;
    const quoted = this.state === State.Quoted;
    throw new UserError(
      `${this.file}:${quoted ? this.quoteLine : this.line}: cell ${this.count + 1} is longer than 10 MB.`,
      quoted ? "The quote that opens it is probably never closed." : "Is it a table?",
    );
  }

  private countLines(text: string, begin: number, end: number): void {
    for (let i = begin; i < end; i++) {
      const code = text.charCodeAt(i);
      if (code === CR || (code === LF && !this.afterCr)) this.line++;
      this.afterCr = code === CR;
    }
  }

  /** Ends a cell at a delimiter or line end. Cells beyond the header's width are counted, not kept. */
  private endCell(code: number, rows: CsvRow[]): void {
    this.count++;
    if (!this.names || this.count <= this.names.length) this.cells.push(this.cell);
    this.cell = "";
    this.state = State.CellStart;
    if (code === this.delimiterCode) return;
    this.endRecord(rows);
    this.line++;
    this.recordLine = this.line;
    if (code === CR) this.state = State.AfterCr;
  }

  private endRecord(rows: CsvRow[]): void {
    const { cells, count, quotedRecord } = this;
    this.cells = [];
    this.count = 0;
    this.quotedRecord = false;
    if (count === 1 && !quotedRecord && cells[0].trim() === "") return;
    this.names ??= cells;
    if (count !== this.names.length) this.failCount(cells, count, this.names);
    rows.push({ line: this.recordLine, cells });
  }

  private failCount(cells: readonly string[], count: number, names: readonly string[]): never {
    const shown = names.slice(0, 8).map((name) => quote(name.trim(), 30));
    const cellsText = (n: number) => (n === 1 ? "1 cell" : `${n} cells`);
    const spaced = cells.some((cell) => /^\s+"/.test(cell));
    throw new UserError(
      `${this.file}:${this.recordLine}: ${cellsText(count)} where the header has ${names.length} (${shown.join(", ")}${names.length > 8 ? ", …" : ""}).`,
      spaced
        ? "A quote opens a cell only directly after the delimiter: remove the spaces before it."
        : `A cell that contains the delimiter ${quote(this.delimiter)} must stand in double quotes.`,
    );
  }

  private failAfterQuote(char: string): never {
    throw new UserError(
      `${this.file}:${this.line}: ${quote(char)} follows the closing quote of cell ${this.count + 1}, which begins ${quote(this.cell, 30)}.`,
      'A quote inside a quoted cell is written twice: "5"" pipe".',
    );
  }
}
