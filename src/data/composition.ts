import { UserError } from "../core/errors.ts";
import { ELEMENTS, type Element, element } from "./elements.ts";
import type { Composition } from "./formula.ts";

/** The first `last` atomic numbers, less those left out. */
function atomicNumbers(last: number, without = ""): readonly number[] {
  const left = new Set(without.split(" "));
  return ELEMENTS.slice(0, last).flatMap(({ number, symbol }) => (left.has(symbol) ? [] : [number]));
}

/** H … Lr. */
export const ALL_ELEMENTS = atomicNumbers(103);

/** The 86 elements of ElemNet: H … Pu without those of which no compounds are known well enough (Jha et al., Sci. Rep. 8, 17593 (2018)). */
export const ELEMNET_ELEMENTS = atomicNumbers(94, "He Ne Ar Po At Rn Fr Ra");

/**
 * The fraction of each of `elements` (atomic numbers) in a composition: [elements.length], adding up to 1.
 *
 * @throws UserError for an element that is not among them
 */
export function elementFractions(composition: Composition, elements = ELEMNET_ELEMENTS): Float32Array<ArrayBuffer> {
  const out = new Float32Array(elements.length);
  composition.elements.forEach((z, i) => {
    const slot = elements.indexOf(z);
    if (slot < 0) {
      const { name } = element(z);
      throw new UserError(
        `${name} in ${composition} is not one of the ${elements.length} elements of this featuriser.`,
        elements === ELEMNET_ELEMENTS ? "ElemNet knows H … Pu without He, Ne, Ar, Po, At, Rn, Fr, Ra." : undefined,
      );
    }
    out[slot] = composition.amounts[i] / composition.total;
  });
  return out;
}

/** 1 in the place of the element with atomic number z, 0 elsewhere: [elements.length]. */
export function oneHot(z: number, elements = ALL_ELEMENTS): Float32Array<ArrayBuffer> {
  const slot = elements.indexOf(z);
  if (slot < 0)
    throw new UserError(`${element(z).name} is not one of the ${elements.length} elements of this featuriser.`);
  const out = new Float32Array(elements.length);
  out[slot] = 1;
  return out;
}

/** Lanthanides and actinides stand under scandium, as in Magpie. */
const column = (e: Element) => e.group || 3;
const sum = ({ s, p, d, f }: Element["valence"]) => s + p + d + f;

/**
 * What the statistics are taken of. The first 18 are Magpie's (Mendeleev numbers on Pettifor's own scale); its four from DFT (volume, gap and moment of the ground state,
 * space group) are replaced by measured ones, which serve formation energies at least as well.
 */
const PROPERTIES: readonly (readonly [name: string, (e: Element) => number])[] = [
  ["atomic number", (e) => e.number],
  ["Mendeleev number", (e) => e.mendeleevNumber],
  ["atomic weight", (e) => e.weight],
  ["melting point", (e) => e.meltingPoint],
  ["column", column],
  ["row", (e) => e.period],
  ["covalent radius", (e) => e.covalentRadius],
  ["electronegativity", (e) => e.electronegativity],
  ["s valence", (e) => e.valence.s],
  ["p valence", (e) => e.valence.p],
  ["d valence", (e) => e.valence.d],
  ["f valence", (e) => e.valence.f],
  ["valence", (e) => sum(e.valence)],
  ["s unfilled", (e) => e.unfilled.s],
  ["p unfilled", (e) => e.unfilled.p],
  ["d unfilled", (e) => e.unfilled.d],
  ["f unfilled", (e) => e.unfilled.f],
  ["unfilled", (e) => sum(e.unfilled)],
  ["molar volume", (e) => e.molarVolume],
  ["ionisation energy", (e) => e.ionisationEnergy],
  ["electron affinity", (e) => e.electronAffinity || 0],
  ["polarizability", (e) => e.polarizability],
  ["atomisation enthalpy", (e) => e.atomisationEnthalpy],
];
const STATISTICS = ["minimum", "maximum", "range", "mean", "mean deviation", "mode"];
const NORMS = [2, 3, 5, 7, 10];

/**
 * A property of every element, by atomic number. Gaps (in H … Cm: electronegativity of He, Ne, Ar, volume of At and Fr, atomisation
 * of Pm and At) are filled linearly in the atomic number between the nearest known elements, and beyond the last with the last.
 */
function complete(property: (e: Element) => number): Float64Array {
  const values = Float64Array.from([Number.NaN, ...ELEMENTS.map(property)]);
  let last = 0;
  for (let z = 1; z < values.length; z++) {
    if (Number.isNaN(values[z])) continue;
    for (let gap = last + 1; gap < z; gap++) {
      const from = last > 0 ? values[last] : values[z];
      values[gap] = from + ((values[z] - from) * (gap - last)) / (z - last);
    }
    last = z;
  }
  return values.fill(values[last], last + 1);
}

const VALUES = PROPERTIES.map(([, property]) => complete(property));
const valuesOf = (name: string) => VALUES[PROPERTIES.findIndex(([known]) => known === name)];
const ELECTRONEGATIVITY = valuesOf("electronegativity");
const SHELLS = ["s", "p", "d", "f"].map((orbital) => valuesOf(`${orbital} valence`));
/** The lowest and highest common oxidation state; 0 where there is none. */
const CHARGES = [Math.min, Math.max].map((pick) =>
  complete((e) => (e.oxidationStates.length ? pick(...e.oxidationStates) : 0)),
);

/** The names of `magpieStatistics`, in order. */
export const magpieNames: readonly string[] = [
  ...PROPERTIES.flatMap(([property]) => STATISTICS.map((statistic) => `${statistic} ${property}`)),
  "number of elements",
  ...NORMS.map((p) => `${p}-norm of fractions`),
  ...["s", "p", "d", "f"].map((orbital) => `share of ${orbital} valence`),
  "maximum ionic character",
  "mean ionic character",
  "lowest mean charge",
  "highest mean charge",
];

/**
 * What is known about a composition from its elements, [152], in the manner of Magpie (Ward et al., npj Comput. Mater. 2, 16028
 * (2016)) with matminer's definitions. With f the fraction of each element:
 * - of each property x: minimum, maximum, range, mean x̄ = Σ f·x, mean deviation Σ f·|x − x̄|, and mode, the x of the most frequent
 *   element (of equally frequent ones the least);
 * - stoichiometry: the number of elements and the norms (Σ fᵖ)^(1/p);
 * - the shares of s, p, d, f among all valence electrons;
 * - ionic character 1 − exp(−(χᵢ − χⱼ)²/4), its maximum over pairs of elements and Σ fᵢ·fⱼ·character over pairs i < j;
 * - the lowest and highest mean charge Σ f·q with q the least and greatest common oxidation state: neutral if 0 lies between.
 */
export function magpieStatistics({ elements, fractions }: Composition): Float32Array<ArrayBuffer> {
  const out = new Float32Array(magpieNames.length);
  const n = elements.length;
  let at = 0;
  const most = Math.max(...fractions) * (1 - 1e-5);
  for (const values of VALUES) {
    let least = Number.POSITIVE_INFINITY;
    let greatest = Number.NEGATIVE_INFINITY;
    let mode = Number.POSITIVE_INFINITY;
    for (let i = 0; i < n; i++) {
      const x = values[elements[i]];
      if (x < least) least = x;
      if (x > greatest) greatest = x;
      if (x < mode && fractions[i] >= most) mode = x;
    }
    const average = least < greatest ? mean(values) : least; // equal values leave no rounding error behind
    let deviation = 0;
    for (let i = 0; i < n; i++) deviation += fractions[i] * Math.abs(values[elements[i]] - average);
    out[at++] = least;
    out[at++] = greatest;
    out[at++] = greatest - least;
    out[at++] = average;
    out[at++] = deviation;
    out[at++] = mode;
  }
  out[at++] = n;
  for (const p of NORMS) out[at++] = fractions.reduce((total, f) => total + f ** p, 0) ** (1 / p);
  const shells = SHELLS.map(mean);
  const electrons = shells.reduce((a, b) => a + b);
  for (const share of shells) out[at++] = share / electrons;
  let highest = 0;
  let average = 0;
  for (let i = 1; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const difference = ELECTRONEGATIVITY[elements[i]] - ELECTRONEGATIVITY[elements[j]];
      const character = 1 - Math.exp(-(difference ** 2) / 4);
      highest = Math.max(highest, character);
      average += fractions[i] * fractions[j] * character;
    }
  }
  const charges = CHARGES.map(mean).map((charge) => (Math.abs(charge) < 1e-12 ? 0 : charge));
  out.set([highest, average, ...charges], at);
  return out;

  function mean(values: Float64Array): number {
    let total = 0;
    for (let i = 0; i < n; i++) total += fractions[i] * values[elements[i]];
    return total;
  }
}
