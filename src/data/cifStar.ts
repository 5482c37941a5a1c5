import { UserError } from "../core/errors.ts";
import { quote } from "./open.ts";

/** Values under one or several names; what stands alone is a loop of one name and one value. */
export interface Loop {
  /** As written. */
  readonly names: string[];
  /** Row after row. Quoted or not: both '?' and ? mean unknown. */
  readonly values: string[];
  /** The line on which each value begins, from 1. */
  readonly lines: number[];
  /** Where loop_ or the lone name stands. */
  readonly line: number;
}

/** All values under one name. */
export interface Column {
  readonly name: string;
  readonly loop: Loop;
  /** Its place among the loop's names. */
  readonly at: number;
  readonly line: number;
  /** The line on which the same name comes again with another content: the block says two things. */
  repeated?: number;
}

/** A data block: columns by `columnKey`. */
export interface Block {
  readonly name: string;
  readonly columns: Map<string, Column>;
}

/** Names do not count case, and a dot (mmCIF, DDLm) is an underscore: "_atom_site.fract_x" is "_atom_site_fract_x". */
export const columnKey = (name: string): string => name.toLowerCase().replace(/\./g, "_");

/**
 * The data blocks of a file in the STAR syntax of CIF 1.1. Line ends may be of any kind, lines of any length; save frames are left out.
 * Time and memory grow with the length of the text, no faster.
 *
 * @throws UserError with file and line for quotes and text fields that never end, values without a name, names without a value,
 *   loops that are no whole number of rows, and text that is not CIF
 */
export function readStar(text: string, file: string): Block[] {
  return new BlockReader(new Scanner(text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n"), file), file).read();
}

type Kind = "end" | "name" | "value" | "data" | "save" | "loop" | "stop" | "global";

const NEWLINE = 10;
const SEMICOLON = 59;

/** Cuts text into tokens. */
class Scanner {
  kind: Kind = "end";
  text = "";
  line = 1;
  private at = 0;
  private nextLine = 1;

  constructor(
    private readonly source: string,
    private readonly file: string,
  ) {}

  next(): void {
    this.skipSpace();
    const { source, at } = this;
    this.line = this.nextLine;
    if (at >= source.length) {
      this.kind = "end";
      this.text = "";
    } else if (source.charCodeAt(at) === SEMICOLON && (at === 0 || source.charCodeAt(at - 1) === NEWLINE)) {
      this.readField();
    } else if (source[at] === "'" || source[at] === '"') this.readQuoted(source.charCodeAt(at));
    else this.readPlain();
  }

  private skipSpace(): void {
    const { source } = this;
    for (; this.at < source.length; this.at++) {
      const code = source.charCodeAt(this.at);
      if (code === NEWLINE) this.nextLine++;
      else if (code === 35) {
        while (this.at + 1 < source.length && source.charCodeAt(this.at + 1) !== NEWLINE) this.at++;
      } else if (code > 32) return;
    }
  }

  /** Lines between one that begins with a semicolon and the next that does. */
  private readField(): void {
    const end = this.source.indexOf("\n;", this.at);
    if (end < 0)
      throw new UserError(
        `${this.file}:${this.line}: the text that the semicolon at the beginning of this line opens never ends.`,
        "A semicolon at the beginning of a line ends it. Was the file cut short?",
      );
    this.take("value", this.at + 1, end, end + 2);
    for (let i = this.text.indexOf("\n"); i >= 0; i = this.text.indexOf("\n", i + 1)) this.nextLine++;
    this.nextLine++;
  }

  /** A quote ends where space follows: 'a dog's life' is one value. */
  private readQuoted(mark: number): void {
    const { source, at } = this;
    for (let i = at + 1; i < source.length; i++) {
      const code = source.charCodeAt(i);
      if (code === NEWLINE) break;
      if (code !== mark || (i + 1 < source.length && source.charCodeAt(i + 1) > 32)) continue;
      this.take("value", at + 1, i, i + 1);
      return;
    }
    throw new UserError(
      `${this.file}:${this.line}: the quote that opens ${quote(source.slice(at, at + 40).split("\n")[0])} is not closed on its line.`,
      "A quoted value ends with the same mark, before a space or the end of the line.",
    );
  }

  private readPlain(): void {
    const { source, at } = this;
    let end = at;
    while (end < source.length && source.charCodeAt(end) > 32) end++;
    this.take("value", at, end, end);
    if (source[at] === "_") this.kind = "name";
    else if (/^(data_|save_|(loop|stop|global)_$)/i.test(this.text)) {
      this.kind = this.text.slice(0, this.text.indexOf("_")).toLowerCase() as Kind;
    }
  }

  private take(kind: Kind, begin: number, end: number, next: number): void {
    this.kind = kind;
    this.text = this.source.slice(begin, end);
    this.at = next;
  }
}

/** Puts tokens together to blocks. */
class BlockReader {
  private readonly blocks: Block[] = [];
  private block: Block | undefined;
  /** In a save frame: read, and forgotten. */
  private frame: Block | undefined;

  constructor(
    private readonly scan: Scanner,
    private readonly file: string,
  ) {}

  read(): Block[] {
    const { scan } = this;
    scan.next();
    if (scan.kind === "end") throw new UserError(`${this.file}: there is nothing in it.`);
    if (scan.kind !== "data" && scan.kind !== "global")
      throw new UserError(`${this.file}:${scan.line}: this is not CIF: it begins ${quote(scan.text, 30)}, not data_….`);
    do this.readPart();
    while (this.goesOn);
    return this.blocks;
  }

  private get goesOn(): boolean {
    return this.scan.kind !== "end";
  }

  private readPart(): void {
    const { scan } = this;
    const { kind, text, line } = scan;
    scan.next();
    if (kind === "data" || kind === "global") {
      this.block = { name: kind === "data" ? text.slice(5) : "", columns: new Map() };
      this.frame = undefined;
      this.blocks.push(this.block);
    } else if (kind === "save") {
      this.frame = text.length > 5 ? { name: text, columns: new Map() } : undefined;
    } else if (kind === "name") {
      if (scan.kind !== "value") this.fail(line, `${quote(text)} has no value.`, "An unknown value is written as ?.");
      this.add({ names: [text], values: [scan.text], lines: [scan.line], line }, [line]);
      scan.next();
    } else if (kind === "loop") this.readLoop(line);
    else if (kind === "value")
      this.fail(line, `${quote(text, 30)} stands under no name.`, "Values with spaces are written in quotes.");
  }

  private readLoop(line: number): void {
    const { scan } = this;
    const loop: Loop = { names: [], values: [], lines: [], line };
    const nameLines: number[] = [];
    for (; scan.kind === "name"; scan.next()) {
      loop.names.push(scan.text);
      nameLines.push(scan.line);
    }
    if (loop.names.length === 0) this.fail(line, "no names follow loop_.");
    for (; scan.kind === "value"; scan.next()) {
      loop.values.push(scan.text);
      loop.lines.push(scan.line);
    }
    if (loop.values.length % loop.names.length !== 0) this.failRows(loop);
    this.add(loop, nameLines);
  }

  private add(loop: Loop, lines: readonly number[]): void {
    const { columns } = this.frame ?? this.block!;
    loop.names.forEach((name, at) => {
      const known = columns.get(columnKey(name));
      if (!known) columns.set(columnKey(name), { name, loop, at, line: lines[at] });
      else if (!sameValues(known, { name, loop, at, line: lines[at] })) known.repeated ??= lines[at];
    });
  }

  private failRows({ names, values, lines, line }: Loop): never {
    const perLine = new Map<number, number>();
    for (const at of lines) perLine.set(at, (perLine.get(at) ?? 0) + 1);
    const counts = [...perLine];
    const odd = counts[0][1] === names.length ? counts.find(([, count]) => count !== names.length) : undefined;
    const shown = names.length > 2 ? `${names[0]}, …, ${names[names.length - 1]}` : names.join(", ");
    const count = values.length === 1 ? "1 value" : `${values.length} values`;
    this.fail(
      odd?.[0] ?? line,
      `the loop of ${shown} has ${count}, no multiple of its ${names.length} names${odd ? `: on this line there are ${odd[1]}` : ""}.`,
      "Unknown values are written as ?, and those with spaces in quotes.",
    );
  }

  private fail(line: number, what: string, hint?: string): never {
    throw new UserError(`${this.file}:${line}: ${what}`, hint);
  }
}

function sameValues(a: Column, b: Column): boolean {
  const rows = a.loop.values.length / a.loop.names.length;
  if (rows !== b.loop.values.length / b.loop.names.length) return false;
  const value = ({ loop, at }: Column, row: number) => loop.values[row * loop.names.length + at];
  for (let row = 0; row < rows; row++) if (value(a, row) !== value(b, row)) return false;
  return true;
}
