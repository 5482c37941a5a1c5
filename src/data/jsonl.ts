import { UserError } from "../core/errors.ts";
import { decodeText, quote } from "./open.ts";
import type { Structure } from "./structure.ts";

/** One record and the line on which it begins, from 1. */
export interface JsonRow {
  line: number;
  value: Record<string, unknown>;
}

/**
 * The objects of a JSON lines file (one object per line), or of a file that is one JSON array of objects: the first character
 * tells them apart. Both stream: memory holds one record and one piece of the file. Blank lines are skipped.
 *
 * @throws UserError naming file, line, column and text for what is not JSON, a record that is not an object, a record above
 *   64 MB, and text that is not UTF-8
 */
export async function* readJsonl(
  chunks: AsyncIterable<Uint8Array>,
  { file = "input" }: { file?: string } = {},
): AsyncGenerator<JsonRow> {
  for await (const piece of readPieces(chunks, file)) yield parse(piece, file);
}

async function* readPieces(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Piece> {
  const splitter = new Splitter(file);
  for await (const text of decodeText(chunks, { file })) yield* splitter.push(text);
  yield* splitter.end();
}

/** A record as a row of a table: a string where it comes from CSV, any value from JSON, undefined for a field it lacks. */
export interface JsonCells {
  line: number;
  cells: readonly unknown[];
  /** In a table of structures. */
  structure?: Structure;
  /** Why there is no row: what is wrong with the record or its structure. */
  error?: UserError;
}

/**
 * The same objects as rows of a table, like those of a CSV file: first the names of the first record's fields, then each record's
 * values under these names.
 *
 * @param closed   a field that the first record has not is an error
 * @param skipBad  a record that is not JSON is a row with an `error`, and the next ones are read
 */
export async function* readJsonCells(
  chunks: AsyncIterable<Uint8Array>,
  { file = "input", closed = false, skipBad = false }: { file?: string; closed?: boolean; skipBad?: boolean } = {},
): AsyncGenerator<JsonCells> {
  const names = new Set<string>();
  const early: { line: number; cells: []; error: UserError }[] = [];
  for await (const piece of readPieces(chunks, file)) {
    let row: JsonRow;
    try {
      row = parse(piece, file);
    } catch (error) {
      if (!skipBad || !(error instanceof UserError)) throw error;
      const bad = { line: piece.line, cells: [] as [], error };
      if (names.size > 0) yield bad;
      else early.push(bad);
      continue;
    }
    const { line, value } = row;
    if (names.size === 0) {
      for (const name of Object.keys(value)) names.add(name);
      yield { line, cells: [...names] };
      yield* early;
    }
    const extra = closed ? Object.keys(value).find((name) => !names.has(name)) : undefined;
    if (extra !== undefined) {
      throw new UserError(
        `${file}:${line}: the first record has no field ${quote(extra)}.`,
        'With numeric: ["*"] all records need the same fields: name the columns instead.',
      );
    }
    yield { line, cells: Array.from(names, (name) => (Object.hasOwn(value, name) ? value[name] : undefined)) };
  }
  if (early.length > 0 && names.size === 0) throw early[0].error;
}

/** Characters in one record. */
const MAX_RECORD = 64 * 2 ** 20;

/** The text of one record and where it begins. */
interface Piece {
  text: string;
  line: number;
  column: number;
}

enum Mode {
  Start,
  Lines,
  /** Inside the array, before an element or its closing bracket. */
  Element,
  AfterArray,
}

/** Cuts text, in pieces that may end anywhere, into records: at line ends, or at the commas of the outermost array. */
class Splitter {
  private mode = Mode.Start;
  private line = 1;
  private column = 1;
  private parts: string[] = [];
  private size = 0;
  private from = { line: 1, column: 1 };
  private depth = 0;
  private inText = false;
  private escaped = false;
  private afterComma = false;

  constructor(private readonly file: string) {}

  push(text: string): Piece[] {
    const pieces: Piece[] = [];
    let begin = 0;
    if (this.mode === Mode.Start) {
      begin = this.skipSpace(text, 0);
      if (begin === text.length) return pieces;
      this.from = { line: this.line, column: this.column };
      if (text[begin] === "[") {
        this.mode = Mode.Element;
        this.advance(text, begin, ++begin);
      } else this.mode = Mode.Lines;
    }
    if (this.mode === Mode.Lines) this.splitLines(text, begin, pieces);
    else this.splitArray(text, begin, pieces);
    return pieces;
  }

  end(): Piece[] {
    if (this.mode === Mode.Lines && this.size > 0) return [this.take()].filter(({ text }) => text.trim() !== "");
    if (this.mode === Mode.Element) {
      throw new UserError(`${this.file}:${this.line}:${this.column}: the file ends inside its JSON array.`, CUT);
    }
    return [];
  }

  private splitLines(text: string, begin: number, pieces: Piece[]): void {
    for (let i = begin; i < text.length; ) {
      const end = text.indexOf("\n", i);
      this.keep(text, i, end < 0 ? text.length : end);
      if (end < 0) return;
      const piece = this.take();
      if (piece.text.trim() !== "") pieces.push(piece);
      this.line++;
      this.from = { line: this.line, column: 1 };
      i = end + 1;
    }
  }

  private splitArray(text: string, begin: number, pieces: Piece[]): void {
    let from = begin;
    for (let i = begin; i < text.length; i++) {
      const char = text[i];
      if (this.mode === Mode.AfterArray) {
        if (!SPACE.test(char)) this.fail(`${quote(text.slice(i, i + 20))} follows the end of the JSON array.`);
      } else if (this.inText) {
        if (this.escaped) this.escaped = false;
        else if (char === "\\") this.escaped = true;
        else if (char === '"') this.inText = false;
      } else if (this.depth === 0 && (char === "," || char === "]")) {
        this.keep(text, from, i);
        from = i + 1;
        const piece = this.take();
        const blank = piece.text.trim() === "";
        if (!blank) pieces.push(piece);
        else if (char === "," || this.afterComma) this.fail(`an object is expected before ${quote(char)}.`);
        this.afterComma = char === ",";
        if (char === "]") this.mode = Mode.AfterArray;
        this.advance(text, i, i + 1);
        this.from = { line: this.line, column: this.column };
        continue;
      } else if (char === '"') this.inText = true;
      else if (char === "{" || char === "[") this.depth++;
      else if (char === "}" || char === "]") {
        if (this.depth === 0) this.fail(`${quote(char)} closes nothing.`);
        this.depth--;
      }
      this.advance(text, i, i + 1);
    }
    if (this.mode === Mode.Element) this.keep(text, from, text.length);
  }

  private skipSpace(text: string, begin: number): number {
    let end = begin;
    while (end < text.length && SPACE.test(text[end])) end++;
    this.advance(text, begin, end);
    return end;
  }

  private advance(text: string, begin: number, end: number): void {
    for (let i = begin; i < end; i++) {
      if (text[i] === "\n") {
        this.line++;
        this.column = 1;
      } else this.column++;
    }
  }

  private keep(text: string, begin: number, end: number): void {
    this.parts.push(text.slice(begin, end));
    this.size += end - begin;
    if (this.size <= MAX_RECORD) return;
    throw new UserError(
      `${this.file}:${this.from.line}: a record longer than 64 MB.`,
      "Is it JSON lines or a JSON array?",
    );
  }

  private take(): Piece {
    const piece = { text: this.parts.join(""), ...this.from };
    this.parts = [];
    this.size = 0;
    return piece;
  }

  private fail(what: string): never {
    throw new UserError(`${this.file}:${this.line}:${this.column}: ${what}`);
  }
}

const SPACE = /[ \t\r\n]/;
const SCALAR = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
const CUT = "Was the file cut short? In JSON lines each object stands on one line.";

function parse({ text, line, column }: Piece, file: string): JsonRow {
  const begin = text.search(/[^ \t\r\n]/);
  const start = place(text, begin, line, column);
  const value = parseJson(text, { file, line, column });
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return { line: start.line, value: value as Record<string, unknown> };
  }
  const kind = value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
  throw new UserError(
    `${file}:${start.line}:${start.column}: ${kind} where an object is expected: ${excerpt(text, begin)}.`,
    'Each record is one object: {"formula": "NaCl", "gap": 5.0}',
  );
}

/**
 * JSON text that begins at `line` and `column` of a file.
 *
 * @throws UserError naming file, line, column and what is wrong there
 */
export function parseJson(
  text: string,
  { file, line = 1, column = 1 }: { file: string; line?: number; column?: number },
): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const { at, what, hint } = findError(text);
    const where = place(text, at, line, column);
    throw new UserError(`${file}:${where.line}:${where.column}: not JSON: ${what} at ${excerpt(text, at)}.`, hint);
  }
}

function place(text: string, at: number, line: number, column: number): { line: number; column: number } {
  const before = text.slice(0, at);
  const lines = before.split("\n").length - 1;
  return { line: line + lines, column: lines === 0 ? column + at : at - before.lastIndexOf("\n") };
}

function excerpt(text: string, at: number): string {
  return at >= text.length ? "the end of the record" : quote(text.slice(at, at + 25).split(/[\r\n]/)[0] || text[at]);
}

/** Where `text` stops being JSON, and why. Engines word their own messages differently and often name no place. */
function findError(text: string): { at: number; what: string; hint?: string } {
  const stack: string[] = [];
  let expect: "value" | "key" | "colon" | "next" = "value";
  let mayClose = false;
  for (let at = 0; ; ) {
    while (at < text.length && SPACE.test(text[at])) at++;
    const char = text[at];
    const inside = stack[stack.length - 1];
    if (char === undefined) {
      return { at, what: inside ? `"${inside}" is missing` : "a value is expected", hint: CUT };
    }
    if (expect === "next" && inside === undefined) {
      return {
        at,
        what: "the record goes on after its end",
        hint: "Write one object per line, or an array: [{…}, {…}]",
      };
    }
    if ((mayClose || expect === "next") && char === inside) {
      stack.pop();
      expect = "next";
      mayClose = false;
      at++;
    } else if (expect === "next") {
      if (char !== ",") return { at, what: `"," or "${inside}" is expected` };
      expect = inside === "}" ? "key" : "value";
      at++;
    } else if (expect === "colon") {
      if (char !== ":") return { at, what: '":" is expected' };
      expect = "value";
      at++;
    } else if (expect === "value" && (char === "{" || char === "[")) {
      stack.push(char === "{" ? "}" : "]");
      expect = char === "{" ? "key" : "value";
      mayClose = true;
      at++;
    } else if (char === '"') {
      const end = stringEnd(text, at);
      if (end < 0) return { at: -end, what: -end < text.length ? "a character that must be escaped" : "an open quote" };
      expect = expect === "key" ? "colon" : "next";
      mayClose = false;
      at = end;
    } else {
      if (expect === "key") return { at, what: 'a name in double quotes (") is expected' };
      let end = at;
      while (end < text.length && /[\w.+-]/.test(text[end])) end++;
      const token = text.slice(at, end);
      if (end - at > 1000 || !SCALAR.test(token)) {
        const special = /^-?(nan|inf)/i.test(token);
        return {
          at,
          what: "a value is expected",
          hint: special ? "JSON has no NaN and no infinity: write null." : undefined,
        };
      }
      expect = "next";
      mayClose = false;
      at = end;
    }
  }
}

/** The index after the string that begins at `at`; minus the index of the character that is not allowed in it. */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '"') return i + 1;
    if (text.charCodeAt(i) < 32) return -i;
    if (text[i] !== "\\") continue;
    if (!/^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(text.slice(i + 1, i + 6))) return -i;
    i++;
  }
  return -text.length;
}
