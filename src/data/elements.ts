import { UserError } from "../core/errors.ts";
import { ATOMS, SUBSTANCES } from "./elementTable.ts";

/** Electrons by orbital. */
export type Orbitals = { readonly s: number; readonly p: number; readonly d: number; readonly f: number };

/** Facts about an element; NaN where unknown. Most were collected from the sources named here by pymatgen and periodictable. */
export interface Element {
  /** Atomic number. */
  readonly number: number;
  readonly symbol: string;
  readonly name: string;
  /** Standard atomic weight (IUPAC 2021), else the mass number of the longest-lived isotope; g/mol. */
  readonly weight: number;
  /** 1 … 18; NaN for La … Yb and Ac … No, which have none. Sc, Y, Lu, Lr are group 3. */
  readonly group: number;
  readonly period: number;
  readonly block: keyof Orbitals;
  /** Electrons outside the noble-gas core in the ground state (NIST); for a noble gas, outside the core before. */
  readonly valence: Orbitals;
  /** Places left in those orbitals that hold at least one electron. */
  readonly unfilled: Orbitals;
  /** s and p electrons of the main groups, s and d of the transition metals, s alone of lanthanides and actinides. */
  readonly valenceElectrons: number;
  /** Pauling's scale, with WebElements' values for Kr, Rn, Pm, Eu, Tb, Yb and the actinides. */
  readonly electronegativity: number;
  /** Covalent radius, pm: Cordero et al., Dalton Trans. 2832 (2008); sp³ carbon, low-spin Mn, Fe, Co. */
  readonly covalentRadius: number;
  /** Covalent radius in single bonds, pm: Pyykkö & Atsumi, Chem. Eur. J. 15, 186 (2009). */
  readonly singleBondRadius: number;
  /** Empirical atomic radius, pm: Slater, J. Chem. Phys. 41, 3199 (1964). */
  readonly atomicRadius: number;
  /** Van der Waals radius, pm: CRC Handbook, 91st ed., after Bondi and later work. */
  readonly vanDerWaalsRadius: number;
  /** First ionisation energy, eV (NIST Atomic Spectra Database). */
  readonly ionisationEnergy: number;
  /** Electron affinity, eV (CRC Handbook and later measurements); NaN where no stable anion is known. */
  readonly electronAffinity: number;
  /** Static dipole polarizability of the atom, atomic units: Schwerdtfeger & Nagle, Mol. Phys. 117, 1200 (2019). */
  readonly polarizability: number;
  /** Place in Pettifor's chemical order, 1 (He) … 103 (H): Pettifor, Solid State Commun. 51, 31 (1984). */
  readonly mendeleevNumber: number;
  /** Common oxidation states, ascending (Greenwood & Earnshaw). */
  readonly oxidationStates: readonly number[];
  /** K (CRC Handbook, WebElements); He under pressure, C: sublimation. */
  readonly meltingPoint: number;
  /** K (CRC Handbook, WebElements). */
  readonly boilingPoint: number;
  /** kg/m³ at room temperature, gases at 273 K and 1 atm (CRC Handbook, WebElements). */
  readonly density: number;
  /** Molar volume of the solid, in the cold for what is a gas or a liquid, cm³/mol (WebElements). */
  readonly molarVolume: number;
  /** Enthalpy of formation of the gaseous atom at 298 K, kJ/mol (CODATA, CRC Handbook). */
  readonly atomisationEnthalpy: number;
  /**
   * Radius in pm by charge: Shannon, Acta Cryst. A32, 751 (1976), effective ionic radii in sixfold coordination (or the nearest
   * to it that he has), high spin; P³⁻ and As³⁻: Pauling's crystal radii.
   */
  readonly ionicRadii: ReadonlyMap<number, number>;
}

/** The last atomic number of each period; f-electron series begin at 57 and 89. */
const PERIODS = [0, 2, 10, 18, 36, 54, 86, 118];

function place(z: number): Pick<Element, "group" | "period" | "block"> {
  const period = PERIODS.findIndex((last) => z <= last);
  const series = z >= 57 && z <= 70 ? 57 : z >= 89 && z <= 102 ? 89 : 0;
  if (series > 0) return { group: Number.NaN, period, block: "f" };
  const fromStart = z - PERIODS[period - 1];
  const group = fromStart <= 2 && z !== 2 ? fromStart : 18 - (PERIODS[period] - z);
  return { group, period, block: group <= 2 || z === 2 ? "s" : group <= 12 ? "d" : "p" };
}

const CAPACITY: Orbitals = { s: 2, p: 6, d: 10, f: 14 };

/** "s2d10" → { s: 2, p: 0, d: 10, f: 0 }. */
function readOrbitals(text: string): Orbitals {
  const counts = { s: 0, p: 0, d: 0, f: 0 };
  for (const [, orbital, count] of text.matchAll(/([spdf])(\d+)/g)) counts[orbital as keyof Orbitals] = Number(count);
  return counts;
}

function unfilled(valence: Orbitals): Orbitals {
  const left = (orbital: keyof Orbitals) => (valence[orbital] > 0 ? CAPACITY[orbital] - valence[orbital] : 0);
  return { s: left("s"), p: left("p"), d: left("d"), f: left("f") };
}

const readNumber = (text: string) => (text === "-" ? Number.NaN : Number(text));
const readList = (text: string) => (text === "-" ? [] : text.split(","));
const readRows = (table: string) =>
  table
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(/ {2,}/));

/** All 118, by atomic number: `ELEMENTS[z - 1]`. */
export const ELEMENTS: readonly Element[] = (() => {
  const substances = readRows(SUBSTANCES);
  return readRows(ATOMS).map(([symbol, weight, shells, ...atom], i): Element => {
    const [, name, ...substance] = substances[i];
    const [electronegativity, covalent, single, radius, vdw, ionisation, affinity, polar, mendeleev] =
      atom.map(readNumber);
    const [melting, boiling, density, volume, atomisation] = substance.map(readNumber);
    const position = place(i + 1);
    const valence = readOrbitals(shells);
    return {
      number: i + 1,
      symbol,
      name,
      weight: Number(weight),
      ...position,
      valence,
      unfilled: unfilled(valence),
      valenceElectrons: valence.s + (position.block === "d" ? valence.d : 0) + (position.block === "f" ? 0 : valence.p),
      electronegativity,
      covalentRadius: covalent,
      singleBondRadius: single,
      atomicRadius: radius,
      vanDerWaalsRadius: vdw,
      ionisationEnergy: ionisation,
      electronAffinity: affinity,
      polarizability: polar,
      mendeleevNumber: mendeleev,
      oxidationStates: readList(atom[9]).map(Number),
      meltingPoint: melting,
      boilingPoint: boiling,
      density,
      molarVolume: volume,
      atomisationEnthalpy: atomisation,
      ionicRadii: new Map(readList(substance[5]).map((pair) => pair.split(":").map(Number) as [number, number])),
    };
  });
})();

const NUMBERS: ReadonlyMap<string, number> = new Map(ELEMENTS.map(({ symbol, number }) => [symbol, number]));

/** The atomic number of an exact symbol, or undefined. */
export function atomicNumber(symbol: string): number | undefined {
  return NUMBERS.get(symbol);
}

/**
 * The facts about an element, by symbol ("Fe") or atomic number.
 *
 * @throws UserError for what is neither
 */
export function element(which: string | number): Element {
  const found = ELEMENTS[(typeof which === "number" ? which : (NUMBERS.get(which) ?? 0)) - 1];
  if (found) return found;
  if (typeof which === "number") throw new UserError(`There is no element ${which}: atomic numbers are 1 … 118.`);
  const letters = which.slice(0, 1).toUpperCase() + which.slice(1).toLowerCase();
  const hint = NUMBERS.has(letters) ? `Did you mean ${letters}?` : undefined;
  throw new UserError(`There is no element ${JSON.stringify(which.slice(0, 20))}.`, hint);
}
