import { UserError } from "../core/errors.ts";
import { atomicNumber } from "./elements.ts";
import { quote } from "./open.ts";

const HINT = "Give the element in _atom_site_type_symbol, like Fe or Fe3+.";

/**
 * The atomic number of an _atom_site_type_symbol: an element in any case, with or without a charge. "Fe3+", "FE", "O2-", "Cl-1"; D is H.
 *
 * @throws UserError for all else, such as "Wat" and "OH"
 */
export function elementOfType(symbol: string): number {
  const [, letters] = /^([a-z]{1,2})(?:\d{0,2}[+-]?|[+-]\d{0,2})$/i.exec(symbol) ?? [];
  const number = letters && known(letters);
  if (!number) throw new UserError(`_atom_site_type_symbol is ${quote(symbol, 30)}: no element.`);
  return number;
}

/**
 * The atomic number of an _atom_site_label, which begins with the element's symbol: "Fe1", "O2A", "SiT". What can be read two ways
 * ("CA1": Ca or C) is decided by the elements that the block names elsewhere, or not at all.
 *
 * @param named  atomic numbers of the block's formula, or empty where it has none
 * @throws UserError for labels that begin with no element ("Wat1", "M1"), or with one of two
 */
export function elementOfLabel(label: string, named: ReadonlySet<number>): number {
  const word = /^[a-z]*/i.exec(label)![0];
  const fail = (why: string): never => {
    throw new UserError(`the element of the label ${quote(label, 30)} is not clear: ${why}.`, HINT);
  };
  const [one, two] = [known(word.slice(0, 1)), word.length > 1 ? known(word.slice(0, 2)) : undefined];
  // Words such as water, vacancy and octahedral are not tungsten, vanadium and oxygen.
  if ((!one && !two) || /^.[a-z]{2}|^(wat|vac|oct|tet|cat)/.test(word) || /^(WAT|VAC|OCT|TET|CAT)/.test(word))
    return fail("it begins with no element");
  const [first, letter] = [word[0].toUpperCase() + word.slice(1, 2).toLowerCase(), word[0].toUpperCase()];
  if (!one) return two!;
  if (word.length === 1) return one;
  const cased = /^[A-Z][a-z]/.test(word);
  if (!two) {
    // "KA", "Ow": a site's name follows the symbol. Elsewhere small letters belong to it, and "Va" is no element.
    if (named.has(one) || (named.size === 0 && (!cased || /^(O[wh]|Hw)/.test(word)))) return one;
    return fail(named.size === 0 ? `${first} is no element` : `the formula has no ${letter}`);
  }
  if (cased && (named.size === 0 || named.has(two))) return two;
  const likely = [one, two].filter((z) => named.has(z));
  return likely.length === 1 && !cased ? likely[0] : fail(`${first} or ${letter}`);
}

/**
 * The atomic numbers in a _chemical_formula_sum, "C2 H6 O1"; none where it is not written so.
 */
export function elementsOfFormula(formula: string): ReadonlySet<number> {
  const numbers = formula
    .trim()
    .split(/\s+/)
    .map((part) => {
      const [, symbol] = /^([A-Z][a-z]?)(?:\d+(?:\.\d*)?|\.\d+)?$/.exec(part) ?? [];
      return symbol ? known(symbol) : undefined;
    });
  return new Set(numbers.every((z) => z !== undefined) ? numbers : []);
}

/** D is an isotope of H. T is none here: in labels it names tetrahedra. */
function known(letters: string): number | undefined {
  if (letters === "") return undefined;
  const symbol = letters[0].toUpperCase() + letters.slice(1).toLowerCase();
  return symbol === "D" ? 1 : atomicNumber(symbol);
}
