import { UserError } from "../../src/core/errors.ts";
import { magpieStatistics } from "../../src/data/composition.ts";
import { parseFormula } from "../../src/data/formula.ts";
import { below, pick, type Random, seeded } from "./tables.ts";

const SOUND = [
  "NaN",
  "Ca(OH)2",
  "K4[Fe(CN)6]",
  "CuSO4·5H2O",
  "3CaO.Al2O3",
  "CaCl.2H2O",
  "La0.7Sr0.3MnO3",
  "Ca₁₀(PO₄)₆(OH)₂",
  "{Fe[O(H)2]3}2",
  " Hf2 Si2 Te2 ",
  "Fe1e-3O2.5",
];
const PIECES = [
  ..."()[]{}.·*+-^ eEDxH0123456789Fe",
  "H2O",
  ".5",
  "Uue",
  "1e9",
  "0.0",
  "\n",
  "\u0000",
  "😀",
  "\ud800",
  "((((",
  "))))",
];

function mutate(random: Random): string {
  let text = [...pick(random, SOUND)];
  for (let edits = 1 + below(random, 6); edits > 0; edits--) {
    const at = below(random, text.length + 1);
    const length = below(random, 5);
    const edit = below(random, 4);
    if (edit === 0) text.splice(at, length);
    else if (edit === 1) text.splice(at, 0, pick(random, PIECES));
    else if (edit === 2) text.splice(at, length, ...pick(random, SOUND));
    else text = [...text, ...text.slice(at)];
  }
  return text.join("");
}

/**
 * Reads `count` damaged formulas. Each must be refused by a UserError of at most two lines, or have fractions that add up to 1,
 * finite features, and a printed formula that means the same. Returns how many were refused.
 */
export function fuzzFormulas(count: number, seed: number): number {
  const random = seeded(seed);
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const formula = mutate(random);
    try {
      const composition = parseFormula(formula);
      const { elements, amounts, fractions } = composition;
      const again = parseFormula(String(composition));
      if (again.elements.join() !== elements.join() || again.amounts.join() !== amounts.join())
        throw new Error(`is not ${again}`);
      if (Math.abs(fractions.reduce((sum, f) => sum + f) - 1) > 1e-12)
        throw new Error("its fractions do not add up to 1");
      if (!magpieStatistics(composition).every(Number.isFinite)) throw new Error("a feature is not finite");
    } catch (error) {
      const clear = error instanceof UserError && error.message.split("\n").length <= 2;
      if (!clear) throw new Error(`seed ${seed}, case ${i}, ${JSON.stringify(formula)}: ${error}`, { cause: error });
      refused++;
    }
  }
  return refused;
}
