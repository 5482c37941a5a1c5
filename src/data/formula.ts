import { UserError } from "../core/errors.ts";
import { atomicNumber, ELEMENTS } from "./elements.ts";
import { quote } from "./open.ts";

/** How much there is of each element. Immutable; elements are in order of atomic number. */
export class Composition {
  /** Atomic numbers, ascending. */
  readonly elements: readonly number[];
  /** amounts[i] > 0 of elements[i]. */
  readonly amounts: readonly number[];
  /** Σ amounts. */
  readonly total: number;

  /** From pairs of atomic number and amount; what comes twice is added up. */
  constructor(pairs: Iterable<readonly [z: number, amount: number]>) {
    const sums = new Map<number, number>();
    for (const [z, amount] of pairs) sums.set(z, (sums.get(z) ?? 0) + amount);
    const elements = [...sums.keys()].sort((a, b) => a - b);
    const amounts = elements.map((z) => sums.get(z)!);
    elements.forEach((z, i) => {
      if (!ELEMENTS[z - 1]) throw new UserError(`There is no element ${z}: atomic numbers are 1 … 118.`);
      if (amounts[i] >= LEAST && amounts[i] <= MOST) return;
      throw new UserError(`The amount of ${ELEMENTS[z - 1].symbol}, ${amounts[i]}, is not in ${RANGE}.`);
    });
    if (elements.length === 0) throw new UserError("A composition needs at least one element.");
    this.elements = Object.freeze(elements);
    this.amounts = Object.freeze(amounts);
    this.total = amounts.reduce((sum, amount) => sum + amount, 0);
  }

  /** amounts / total. */
  get fractions(): readonly number[] {
    return this.amounts.map((amount) => amount / this.total);
  }

  /** The amount of the element with atomic number z, 0 where there is none. */
  get(z: number): number {
    const i = this.elements.indexOf(z);
    return i < 0 ? 0 : this.amounts[i];
  }

  /** The formula with these amounts, the least electronegative element first: Fe2O3. Parsing it gives the same composition. */
  toString(): string {
    return this.print(1);
  }

  /** The formula with the smallest whole amounts (Fe4O6 → Fe2O3), which names a compound; fractional amounts stay as they are. */
  reduced(): string {
    const whole = this.amounts.every(Number.isInteger);
    return this.print(whole ? this.amounts.reduce((a, b) => greatestDivisor(a, b)) : 1);
  }

  private print(divisor: number): string {
    const order = [...this.elements.keys()].sort((a, b) => rank(this.elements[a]) - rank(this.elements[b]) || a - b);
    const count = (amount: number) => (amount === 1 ? "" : String(amount));
    const text = order.map((i) => ELEMENTS[this.elements[i] - 1].symbol + count(this.amounts[i] / divisor)).join("");
    return /[1-9]\d*\.\d+H2O$/.test(text) ? `${text}1` : text; // "Na4.5H2O" could be a hydrate, and is not read.
  }
}

/** Amounts outside are slips; inside, sums and quotients of amounts are exact enough. */
const LEAST = 1e-9;
const MOST = 1e9;
const RANGE = "1e-9 … 1e9";

const rank = (z: number) => ELEMENTS[z - 1].electronegativity || 10;

/** Of whole numbers, by Euclid. */
export const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
const isDigit = (code: number) => code >= 48 && code <= 57;
const isLower = (code: number) => code >= 97 && code <= 122;
const SEPARATOR = /[·•∙⋅*]/;
const NUMBER = /(\d+)(\.\d+)?(e[-+]?\d+)?/y;
/** A part that is water, as it stands at the end of a hydrate; with the full stop and factor before it. */
const WATER = /H2O\s*(?:$|[·•∙⋅*.])/y;
const STOP_WATER = /\.\d+(?:\.\d+)?H2O\s*(?:$|[·•∙⋅*.])/y;
const STOP_DIGIT = /\.\d/y;

/**
 * Reads a chemical formula: Fe2O3, Ca(OH)2, K4[Fe(CN)6], Li0.5CoO2, "K6 S6", H₂O, CuSO4·5H2O, 3CaO·Al2O3. Repeated elements add
 * up. Parts are joined by · • ∙ ⋅ * or a full stop, and may begin with a factor.
 *
 * A full stop between two digits is a decimal point, any other joins parts. Where that would misread a hydrate or a decimal
 * (CuSO4.5H2O, Li.5Fe) the formula is refused and both ways to write it are named. Deuterium and charges are refused too.
 *
 * @throws UserError naming the formula, the position (from 1) and the offending text
 */
export function parseFormula(formula: string): Composition {
  try {
    return parse(formula);
  } catch (error) {
    const name = `formula ${quote(formula)}`;
    if (error instanceof UserError) throw new UserError(`${name}: ${error.message}`);
    if (!(error instanceof Misread)) throw error;
    const where = error.at === undefined ? name : `${name}, position ${error.at + 1}`;
    throw new UserError(`${where}: ${error.what}.`, error.hint ?? suggestion(formula));
  }
}

/** What `parse` found wrong, before it is put into words. */
class Misread extends Error {
  constructor(
    readonly at: number | undefined,
    readonly what: string,
    readonly hint?: string,
  ) {
    super(what);
  }
}

type Amounts = Map<number, number>;

function add(into: Amounts, from: Amounts, factor: number): Amounts {
  if (into.size === 0 && factor === 1) return from;
  for (const [z, amount] of from) into.set(z, (into.get(z) ?? 0) + amount * factor);
  return into;
}

/** One pass from left to right; open brackets are on a stack of our own, so that no formula is too deep. */
function parse(formula: string): Composition {
  const text = formula.replace(/[₀-₉]/g, (digit) => String(digit.charCodeAt(0) - 0x2080));
  let whole: Amounts = new Map();
  const open: { at: number; outer: Amounts }[] = [];
  let part: Amounts = new Map();
  let factor = 1;
  let i = 0;

  function at(pattern: RegExp): boolean {
    pattern.lastIndex = i;
    return pattern.test(text);
  }

  function number(): number | undefined {
    NUMBER.lastIndex = i;
    const found = isDigit(text.charCodeAt(i)) ? NUMBER.exec(text) : null;
    if (!found) return undefined;
    const value = Number(found[0]);
    if (!(value >= LEAST && value <= MOST)) {
      throw new Misread(i, value === 0 ? "the amount is 0" : `the amount ${quote(found[0], 20)} is not in ${RANGE}`);
    }
    i += found[0].length;
    return value;
  }

  /** The amount right behind an element or a bracket. */
  function amount(): number {
    const start = i;
    const value = number() ?? 1;
    const point = value >= 1 ? text.slice(start, i).indexOf(".") : -1;
    if (point < 0) return value;
    const water = at(WATER);
    if (water || at(STOP_DIGIT)) {
      const two = `${text.slice(0, start + point)}·${text.slice(start + point + 1)}`;
      const one = `${text.slice(0, i)}(${text.slice(i)})`;
      const hint = `Write ${quote(two)}${water ? ` or, for the decimal, ${quote(one)}` : ""}.`;
      throw new Misread(start + point, "this full stop may be a decimal point or join two parts", hint);
    }
    return value;
  }

  function element(): void {
    let end = i + 1;
    while (isLower(text.charCodeAt(end)) && end < i + 12) end++;
    const symbol = text.slice(i, end);
    const z = atomicNumber(symbol);
    if (z === undefined) {
      const isotope = symbol === "D" || symbol === "T";
      const hint = isotope ? "Isotopes are not told apart: write H." : undefined;
      throw new Misread(i, `there is no element ${quote(symbol)}`, hint);
    }
    i = end;
    part.set(z, (part.get(z) ?? 0) + amount());
  }

  function close(): void {
    const group = open.pop();
    if (!group) throw new Misread(i, `${quote(text[i])} closes nothing`);
    const bracket = text[group.at];
    if (CLOSING[bracket] !== text[i]) {
      throw new Misread(i, `${quote(text[i])} cannot close the ${quote(bracket)} at position ${group.at + 1}`);
    }
    if (part.size === 0) throw new Misread(group.at, "the brackets are empty");
    i++;
    part = add(group.outer, part, amount());
  }

  function endPart(): void {
    if (open.length > 0)
      throw new Misread(open[open.length - 1].at, `${quote(text[open[open.length - 1].at])} is not closed`);
    if (part.size === 0)
      throw new Misread(i, i < text.length ? "an element should stand here" : "the formula ends too early");
    whole = add(whole, part, factor);
    part = new Map();
  }

  function separator(): void {
    if (open.length > 0) throw new Misread(i, `${quote(text[i])} cannot stand inside brackets`);
    if (at(STOP_DIGIT) && !at(STOP_WATER)) {
      const [before, rest] = [text.slice(0, i), text.slice(i + 1)];
      const hint = `Write ${quote(`${before}·${rest}`)} for two parts or ${quote(`${before}0.${rest}`)} for a decimal.`;
      throw new Misread(i, "this full stop may be a decimal point or join two parts", hint);
    }
    endPart();
    i++;
    begin();
  }

  function begin(): void {
    while (/\s/.test(text.charAt(i))) i++;
    factor = number() ?? 1;
  }

  if (text.trim() === "") throw new Misread(undefined, "it is empty");
  begin();
  while (i < text.length) {
    const c = text[i];
    if (c >= "A" && c <= "Z") element();
    else if (c in CLOSING) {
      open.push({ at: i++, outer: part });
      part = new Map();
    } else if (c === ")" || c === "]" || c === "}") close();
    else if (c === "." || SEPARATOR.test(c)) separator();
    else if (/\s/.test(c)) i++;
    else throw unexpected(text, i);
  }
  endPart();
  return new Composition(whole);
}

function unexpected(text: string, i: number): Misread {
  const c = text[i];
  const what = `${quote(String.fromCodePoint(text.codePointAt(i)!))} has no place in a formula`;
  if (/\d/.test(c))
    return new Misread(i, "this number stands behind no element", "Amounts follow their element at once: Fe2O3.");
  if (/[-+−^]/.test(c)) return new Misread(i, what, "Leave out charges and bonds, and write amounts as numbers.");
  return new Misread(i, what);
}

/** The formula with its capitals mended ("NACL" → NaCl, "fe2o3" → Fe2O3), where there is one. */
function suggestion(formula: string): string | undefined {
  if (formula.length > 60 || !/[a-zA-Z]/.test(formula)) return undefined;
  const mended = formula.replace(/[A-Za-z]+/g, (letters) => fewestSymbols(letters) ?? letters);
  try {
    parse(mended);
    return `Did you mean ${quote(mended)}?`;
  } catch {
    return undefined;
  }
}

/** The letters, in any case, as the fewest element symbols. */
function fewestSymbols(letters: string): string | undefined {
  const best: (readonly string[] | undefined)[] = [[]];
  for (let end = 1; end <= letters.length; end++) {
    for (const length of [2, 1]) {
      const before = end < length ? undefined : best[end - length];
      const symbol = letters.charAt(end - length).toUpperCase() + letters.slice(end - length + 1, end).toLowerCase();
      if (!before || atomicNumber(symbol) === undefined || (best[end]?.length ?? 99) <= before.length + 1) continue;
      best[end] = [...before, symbol];
    }
  }
  return best[letters.length]?.join("");
}
