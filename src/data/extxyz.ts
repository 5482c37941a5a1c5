import { UserError } from "../core/errors.ts";
import { parseNumber } from "./csv.ts";
import { ELEMENTS } from "./elements.ts";
import { cross, dot, Lattice, type Matrix3, type Vector3 } from "./lattice.ts";
import { quote } from "./open.ts";
import { speciesNumber } from "./pymatgen.ts";
import { type Property, Structure } from "./structure.ts";

/**
 * The frames of an xyz file, plain or extended: Lattice="ax ay az bx …" in Å, Properties=species:S:1:pos:R:3:forces:R:3, pbc="T T F",
 * key=value (by custom Å, eV, eV/Å; nothing is converted). Keys become `properties`: numbers, true and false (T, F), else text, so
 * also arrays; columns of numbers become `arrays`. Without a lattice it is a molecule. Vectors of zeros, which ASE writes along
 * directions that do not repeat, are completed at right angles to the others. The comment of a plain xyz file is not looked at.
 *
 * @see https://github.com/libAtoms/extxyz
 * @throws UserError naming file and line
 */
export function parseExtxyz(text: string, { file = "xyz" }: { file?: string } = {}): Structure[] {
  const cutter = new FrameCutter(file);
  return [...cutter.push(text), ...cutter.end()].map((frame) => parseFrame(frame, file));
}

/** The lines of a frame after the number of atoms: the comment and the atoms. */
export interface Frame {
  /** Of the number of atoms, from 1. */
  line: number;
  lines: string[];
}

/** Cuts text, in pieces that may end anywhere, into frames. */
export class FrameCutter {
  private rest = "";
  private line = 0;
  private frame: Frame | undefined;
  private wanted = 0;

  constructor(private readonly file: string) {}

  push(text: string): Frame[] {
    const all = this.rest + text;
    // A CR at the end may be half of a line end.
    const whole = all.endsWith("\r") ? all.slice(0, -1) : all;
    const end = Math.max(whole.lastIndexOf("\n"), whole.lastIndexOf("\r")) + 1;
    this.rest = all.slice(end);
    const frames = end === 0 ? [] : this.cut(all.slice(0, end));
    if (this.rest.length > MAX_LINE)
      throw new UserError(`${this.file}:${this.line + 1}: a line longer than 1 MB.`, "Is it an xyz file?");
    return frames;
  }

  end(): Frame[] {
    const frames = this.rest === "" ? [] : this.cut(this.rest.endsWith("\r") ? this.rest : `${this.rest}\n`);
    this.rest = "";
    if (!this.frame) return frames;
    const { line, lines } = this.frame;
    throw new UserError(
      `${this.file}:${this.line}: the file ends after ${Math.max(0, lines.length - 1)} of the ${this.wanted - 1} atoms that line ${line} announces.`,
      "Was it cut short?",
    );
  }

  private cut(text: string): Frame[] {
    const frames: Frame[] = [];
    const lines = text.split(/\r\n|\r|\n/);
    lines.pop();
    for (const content of lines) {
      this.line++;
      if (this.frame) this.frame.lines.push(content);
      else if (content.trim() === "") continue;
      else {
        const count = content.trim();
        if (!/^\d{1,9}$/.test(count) || Number(count) === 0)
          throw new UserError(`${this.file}:${this.line}: the number of atoms is expected, not ${quote(count)}.`);
        this.frame = { line: this.line, lines: [] };
        this.wanted = Number(count) + 1;
      }
      if (this.frame.lines.length < this.wanted) continue;
      frames.push(this.frame);
      this.frame = undefined;
    }
    return frames;
  }
}

/** @throws UserError naming file and line */
export function parseFrame({ line, lines }: Frame, file: string): Structure {
  const source = `${file}:${line}`;
  const fail = (at: number, what: string, hint?: string): never => {
    throw new UserError(`${file}:${line + at}: ${what}`, hint);
  };
  const length = lines.length - 1;
  const comment = lines[0];
  const extended = /(?:^|\s)["']?(?:Properties|Lattice|pbc)["']?\s*=/.test(comment);
  const info = extended ? readInfo(comment, (what) => fail(1, what)) : new Map<string, string | true>();
  const taken = (name: string) => {
    const value = info.get(name);
    info.delete(name);
    return value === true ? fail(1, `${name} has no value.`) : value;
  };
  const description = taken("Properties");
  const columns = describe(description ?? "species:S:1:pos:R:3", (what) => fail(1, what));
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  const positions = columns.find(({ name, width }) => width === 3 && (name === "pos" || name === "positions"));
  const species = columns.find(({ name, width }) => width === 1 && SPECIES.includes(name));
  if (!positions || !species)
    return fail(1, `Properties ${quote(description!)} have no column of ${positions ? "species" : "pos:R:3"}.`);

  const numbers = new Int32Array(length);
  const kept = columns.filter(({ type, name }) => type !== "S" && !SPECIES.includes(name));
  const values = new Map(kept.map((column) => [column, new Float64Array(length * column.width)]));
  for (let i = 0; i < length; i++) {
    const at = i + 2;
    const words = lines[i + 1].trim().split(/\s+/);
    if (description === undefined ? words.length < width : words.length !== width)
      fail(
        at,
        `${quote(lines[i + 1].trim())} has ${words.length} values where ${width} are expected (${columns.map(({ name }) => name).join(", ")}).`,
      );
    const symbol = words[species.begin];
    numbers[i] =
      /^\d{1,3}$/.test(symbol) && ELEMENTS[Number(symbol) - 1]
        ? Number(symbol)
        : (speciesNumber(symbol) ?? fail(at, `${quote(symbol)} is no element.`));
    for (const [column, out] of values)
      for (let k = 0; k < column.width; k++) {
        const word = words[column.begin + k];
        out[i * column.width + k] =
          (column.type === "L" ? readBoolean(word) : parseNumber(word)) ??
          fail(
            at,
            `${quote(word)} of ${quote(column.name)} is not ${column.type === "L" ? "T or F" : "a finite number"}.`,
          );
      }
  }

  const pbc = taken("pbc");
  const periodic = pbc === undefined ? undefined : readPbc(pbc, (what) => fail(1, what));
  const cell = taken("Lattice");
  try {
    const lattice = cell === undefined ? undefined : readCell(cell, periodic);
    const arrays = Object.fromEntries(Array.from(values, ([{ name }, value]) => [name, value]));
    delete arrays[positions.name];
    return new Structure({
      ...{ numbers, positions: values.get(positions)!, lattice, periodic, arrays, source },
      properties: Object.fromEntries(Array.from(info, ([key, value]) => [key, readProperty(value)])),
    });
  } catch (error) {
    if (!(error instanceof UserError) || error.message.startsWith(file)) throw error;
    return fail(1, error.message);
  }
}

/**
 * Extended xyz that `parseExtxyz` and ASE read back: one frame for each structure. Text that looks like a number comes back as one.
 *
 * @throws UserError for disorder, and for names of arrays that the format cannot hold
 */
export function writeExtxyz(structures: readonly Structure[]): string {
  return structures.map(writeFrame).join("");
}

function writeFrame(structure: Structure): string {
  const { lattice, numbers, disorder, properties, periodic, length, source } = structure;
  if (disorder.size > 0) throw new UserError(`${source}: xyz has no partial occupancies.`, "Write it as CIF or JSON.");
  const arrays = Object.entries(structure.arrays).map(([name, values]) => ({
    name,
    values,
    width: values.length / length,
  }));
  const wrong = arrays.find(
    ({ name, width }) =>
      !/^[^\s:"'=]+$/.test(name) ||
      [...SPECIES, "pos", "positions"].includes(name) ||
      !(width >= 1 && Number.isInteger(width)),
  );
  if (wrong)
    throw new UserError(
      `${source}: the array ${quote(wrong.name)} (${wrong.values.length} numbers for ${length} atoms) cannot be a column of xyz.`,
    );
  const info = [
    ...(lattice ? [`Lattice="${lattice.matrix.flat().join(" ")}"`] : []),
    `Properties=species:S:1:pos:R:3${arrays.map(({ name, width }) => `:${name}:R:${width}`).join("")}`,
    `pbc="${periodic.map((yes) => (yes ? "T" : "F")).join(" ")}"`,
    ...Object.entries(properties).map(
      ([key, value]) => `${word(key)}=${typeof value === "boolean" ? (value ? "T" : "F") : word(String(value))}`,
    ),
  ];
  const atoms = Array.from(numbers, (z, i) => {
    const columns = [{ values: structure.positions, width: 3 }, ...arrays];
    return [
      ELEMENTS[z - 1].symbol,
      ...columns.flatMap(({ values, width }) => [...values.subarray(i * width, (i + 1) * width)]),
    ].join(" ");
  });
  return [length, info.join(" "), ...atoms, ""].join("\n");
}

/** Characters. */
const MAX_LINE = 2 ** 20;
const SPECIES = ["species", "Z", "numbers", "atomic_numbers"];

interface Column {
  name: string;
  type: string;
  width: number;
  /** Of its first word in the line of an atom. */
  begin: number;
}

/** name:type:width, … */
function describe(text: string, fail: (what: string) => never): Column[] {
  const parts = text.split(":");
  const columns: Column[] = [];
  for (let i = 0, begin = 0; i < parts.length; i += 3) {
    const [name, type, width] = parts.slice(i, i + 3);
    if (!name || !/^[SRIL]$/.test(type ?? "") || !/^[1-9]\d{0,3}$/.test(width ?? ""))
      fail(`Properties ${quote(text)} are not name:type:columns …, the type one of S R I L.`);
    if (columns.some((column) => column.name === name)) fail(`Properties ${quote(text)} name ${quote(name)} twice.`);
    columns.push({ name, type, width: Number(width), begin });
    begin += Number(width);
  }
  return columns;
}

/** key=value key="a value" flag … */
function readInfo(comment: string, fail: (what: string) => never): Map<string, string | true> {
  const info = new Map<string, string | true>();
  const token =
    /\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s="'{[]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{[^{}]*\}|\[[^\n]*?\](?=\s|$)|[^\s"'{[]\S*))?\s*/y;
  while (token.lastIndex < comment.length) {
    const at = token.lastIndex;
    const found = token.exec(comment);
    if (!found || comment[token.lastIndex] === "=") return fail(`${quote(comment.slice(at).trim())} is not key=value.`);
    const key = unquoted(found[1]);
    if (info.has(key)) fail(`${quote(key)} comes twice.`);
    info.set(key, found[2] === undefined ? true : unquoted(found[2]));
  }
  return info;
}

function unquoted(text: string): string {
  if (!/^["'{]/.test(text)) return text;
  const inside = text.slice(1, -1);
  return text[0] === "{" ? inside : inside.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
}

/** Bare where that is unmistakable. */
function word(text: string): string {
  if (/^[\w.+-]+$/.test(text)) return text;
  return `"${text.replace(/["\\]/g, "\\$&").replace(/\r\n?|\n/g, "\\n")}"`;
}

function readBoolean(text: string): 0 | 1 | undefined {
  return /^(?:t|true|1)$/i.test(text) ? 1 : /^(?:f|false|0)$/i.test(text) ? 0 : undefined;
}

function readProperty(value: string | true): Property {
  if (value === true || /^(?:T|true)$/i.test(value)) return true;
  return /^(?:F|false)$/i.test(value) ? false : (parseNumber(value) ?? value);
}

function readPbc(text: string, fail: (what: string) => never): [boolean, boolean, boolean] {
  const flags = text
    .replace(/[[\],]/g, " ")
    .trim()
    .split(/\s+/)
    .map(readBoolean);
  if (flags.length !== 3 || flags.includes(undefined)) fail(`pbc ${quote(text)} is not three of T and F.`);
  return flags.map((flag) => flag === 1) as [boolean, boolean, boolean];
}

/** Nine numbers; undefined for nothing but zeros. Vectors of zeros that do not repeat are completed. */
function readCell(text: string, periodic?: readonly boolean[]): Lattice | undefined {
  const numbers = text
    .replace(/[[\],]/g, " ")
    .trim()
    .split(/\s+/)
    .map(parseNumber);
  if (numbers.length !== 9 || numbers.includes(undefined))
    throw new UserError(`Lattice ${quote(text)} is not nine numbers, ax ay az bx by bz cx cy cz.`);
  const rows = [0, 3, 6].map((i) => numbers.slice(i, i + 3)) as unknown as [Vector3, Vector3, Vector3];
  const empty = [0, 1, 2].filter((i) => rows[i].every((x) => x === 0) && periodic?.[i] === false);
  if (empty.length === 3) return undefined;
  if (empty.length === 2) {
    const [given] = [0, 1, 2].filter((i) => !empty.includes(i));
    const r = rows[given];
    const least = Math.min(...r.map(Math.abs));
    rows[empty.pop()!] = unit(
      cross(r, [0, 1, 2].map((k) => Number(k === r.findIndex((x) => Math.abs(x) === least))) as unknown as Vector3),
    );
  }
  if (empty.length === 1) rows[empty[0]] = unit(cross(rows[(empty[0] + 1) % 3], rows[(empty[0] + 2) % 3]));
  return new Lattice(rows as Matrix3);
}

function unit(v: Vector3): Vector3 {
  const length = Math.sqrt(dot(v, v)) || 1;
  return [v[0] / length, v[1] / length, v[2] / length];
}
