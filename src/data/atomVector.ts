import { UserError } from "../core/errors.ts";
import { ELEMENTS, element } from "./elements.ts";

/** Bins on a line: bin i holds low + i·width < x ≤ low + (i + 1)·width. */
interface Bins {
  readonly low: number;
  readonly high: number;
}

const BINS = 10;

/** The bin of x, −1 outside and for NaN. Edges are computed in double precision, as they were for the published table. */
function bin(x: number, { low, high }: Bins): number {
  const width = (high - low) / BINS;
  let i = -1;
  while (i < BINS && low + (i + 1) * width < x) i++;
  return i < BINS ? i : -1;
}

/** "Kr:- Tc:2.1" → by symbol; NaN for "-". */
function readFacts(text: string): ReadonlyMap<string, number> {
  const pairs = text.split(/\s+/).map((fact) => fact.split(":"));
  return new Map(pairs.map(([symbol, value]) => [symbol, Number.parseFloat(value)]));
}

/**
 * The published vectors were made in 2017 from a table of the elements that held older or fewer facts than ours. What it had
 * instead, where that is another bin ("-": nothing): Pauling's own electronegativities; calculated or superseded electron
 * affinities (eV; Ac has 0.35, on an edge, which the vector counts above); volumes of liquids (cm³/mol) for the gases.
 */
const OLDER_FACTS = {
  electronegativity: readFacts(
    `Kr:- Tc:2.1 Pm:- Eu:- Tb:- Yb:- Lu:1.0 W:1.7 Pt:2.2 Hg:1.9 Pb:1.8 Bi:1.9 Rn:- U:1.7 Am:- Cm:- Bk:- Cf:- Es:- Fm:-`,
  ),
  electronAffinity: readFacts(
    `Be:-2.4 N:-1.4 Ga:0.43 In:0.3 Xe:-0.056 Pr:0.962 Nd:1.916 Pm:- Sm:- Eu:0.864 Gd:- Tb:1.165 Ho:- Er:- Yb:-0.02 Tl:0.377
    Po:1.9 Ac:0.351 Th:- Pa:- U:- Np:- Am:- Cm:-`,
  ),
  molarVolume: readFacts(
    `H:14.1 He:31.8 B:4.6 N:17.3 F:17.1 Ne:16.8 Cl:18.7 Ar:24.2 Kr:32.2 Xe:42.9 Pm:- Rn:- Ra:45.0 Np:21.1 Pu:- Am:20.8
    Cm:18.28 Bk:- Cf:- Es:-`,
  ),
  // Pd has no 5s electron: the outermost shell is the fourth, 4s² with 3d¹⁰ inside.
  valenceElectrons: readFacts("Pd:12"),
};

/**
 * CGCNN's vector of an element, [92], each block one-hot or, where the fact is unknown, all zero:
 * 0–18 group (0: none) · 19–25 period · 26–35 electronegativity 0.5 … 4.0 · 36–45 covalent radius 25 … 250 pm · 46–57 valence
 * electrons 1 … 12 · 58–67 ln of the ionisation energy in eV 1.3 … 3.3 · 68–77 electron affinity −3 … 3.7 eV · 78–81 block s p d f ·
 * 82–91 ln of the molar volume in cm³/mol 1.5 … 4.3.
 *
 * Equals the authors' table of Z = 1 … 100 bit by bit: Xie & Grossman, Phys. Rev. Lett. 120, 145301 (2018).
 *
 * @throws UserError for z outside 1 … 100
 */
export function atomVector92(z: number): Float32Array<ArrayBuffer> {
  if (z > 100 && ELEMENTS[z - 1])
    throw new UserError(`CGCNN has no vector for ${element(z).name}: its table ends with fermium.`);
  const e = element(z);
  const fact = (property: keyof typeof OLDER_FACTS) => OLDER_FACTS[property].get(e.symbol) ?? e[property];
  const blocks: readonly (readonly [size: number, index: number])[] = [
    [19, e.group || 0],
    [7, e.period - 1],
    [BINS, bin(fact("electronegativity"), { low: 0.5, high: 4 })],
    [BINS, bin(e.singleBondRadius, { low: 25, high: 250 })],
    [12, fact("valenceElectrons") - 1],
    [BINS, bin(Math.log(e.ionisationEnergy), { low: 1.3, high: 3.3 })],
    [BINS, bin(fact("electronAffinity"), { low: -3, high: 3.7 })],
    [4, "spdf".indexOf(e.block)],
    [BINS, bin(Math.log(fact("molarVolume")), { low: 1.5, high: 4.3 })],
  ];
  const out = new Float32Array(92);
  let start = 0;
  for (const [size, index] of blocks) {
    if (index >= 0) out[start + index] = 1;
    start += size;
  }
  return out;
}
