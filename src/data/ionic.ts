import { UserError } from "../core/errors.ts";
import { element } from "./elements.ts";
import { greatestDivisor, parseFormula } from "./formula.ts";
import { Table } from "./table.ts";

/** A compound and its lattice energy, kJ per mole of the formula as it is written. */
export interface IonicCompound {
  readonly formula: string;
  readonly energy: number;
}

interface Ion {
  readonly formula: string;
  readonly charge: number;
  /** pm */
  readonly radius: number;
}

/** By charge, one to four. */
const CATIONS = [
  "Li Na K Rb Cs Cu Ag Tl NH4",
  "Be Mg Ca Sr Ba V Cr Mn Fe Co Ni Cu Zn Cd Hg Pb Eu Yb",
  "Al Sc Ti V Cr Mn Fe Co Ga Rh In Y La Ce Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Tl Bi",
  "Ti V Mn Ge Zr Sn Ce Hf Pb Th U",
];

/** By charge, minus one to minus three. */
const ANIONS = [
  "F Cl Br I OH HS CN SCN NCO N3 NH2 NO2 NO3 ClO3 ClO4 BrO3 IO3 MnO4 ReO4 BF4 BH4 PF6 HF2 HCO3 HSO4 H2PO4",
  "O S Se Te CO3 SO3 SO4 S2O3 SeO4 CrO4 MoO4 WO4 SiF6",
  "N P As PO4 AsO4",
];

/** Thermochemical radii, pm: Roobottom, Jenkins, Passmore & Glasser, J. Chem. Educ. 76, 1570 (1999). */
const POLYATOMIC: ReadonlyMap<string, number> = new Map(
  `NH4:136 OH:152 HS:191 CN:187 SCN:209 NCO:193 N3:180 NH2:168 NO2:187 NO3:200 ClO3:208 ClO4:225 BrO3:214 IO3:218 MnO4:220
  ReO4:227 BF4:205 BH4:205 PF6:242 HF2:172 HCO3:207 HSO4:221 H2PO4:213 CO3:189 SO3:204 SO4:218 S2O3:251 SeO4:229 CrO4:229
  MoO4:231 WO4:237 SiF6:248 PO4:230 AsO4:237`
    .split(/\s+/)
    .map((entry) => entry.split(":"))
    .map(([formula, radius]) => [formula, Number(radius)]),
);

/** Monatomic ions have the radii of the table of the elements (Shannon). */
function ion(formula: string, charge: number): Ion {
  const radius = POLYATOMIC.get(formula) ?? element(formula).ionicRadii.get(charge);
  if (radius === undefined) throw new Error(`no radius for ${formula}, charge ${charge}`);
  return { formula, charge, radius };
}

const cations = (charge: number) => CATIONS[charge - 1].split(" ").map((formula) => ion(formula, charge));
const anions = (charge: number) => ANIONS[charge - 1].split(" ").map((formula) => ion(formula, -charge));

/** So many of an ion in the formula. */
type Share = readonly [count: number, ion: Ion];

/** K, kJ·pm/mol, and d, pm. */
const K = 1.202e5;
const D = 34.5;

/**
 * The lattice energy of a salt by Kapustinskii's equation, kJ per mole of the formula,
 *
 *   U = K · ν·|z₊|·|z₋| / r · (1 − d/r),   r = r₊ + r₋,   K = 1.202·10⁻⁴ J·m/mol,   d = 34.5 pm,
 *
 * in Glasser's form for any number of ions: Σ nᵢ·zᵢ² for ν·|z₊|·|z₋| (equal to it for two), and for r₊ and r₋ the means over all
 * cations and all anions.
 *
 * @param ions   how many of each ion the formula has, its charge and its radius in pm
 * @throws UserError where the charges do not cancel, or there are none
 * @see Kapustinskii, Q. Rev. Chem. Soc. 10, 283 (1956); Glasser, Inorg. Chem. 34, 4935 (1995)
 */
export function latticeEnergy(ions: readonly (readonly [count: number, ion: Omit<Ion, "formula">])[]): number {
  let strength = 0;
  let charges = 0;
  const sums = { cations: 0, cationRadii: 0, anions: 0, anionRadii: 0 };
  for (const [count, { charge, radius }] of ions) {
    strength += count * charge * charge;
    charges += count * charge;
    if (charge > 0) {
      sums.cations += count;
      sums.cationRadii += count * radius;
    } else {
      sums.anions += count;
      sums.anionRadii += count * radius;
    }
  }
  if (charges !== 0 || strength === 0)
    throw new UserError(`latticeEnergy: the charges add up to ${charges}, not to a neutral salt.`);
  const r = sums.cationRadii / sums.cations + sums.anionRadii / sums.anions;
  return ((K * strength) / r) * (1 - D / r);
}

function compound(...ions: readonly Share[]): IonicCompound {
  const formula = ions.map(([count, { formula }]) => {
    if (count === 1) return formula;
    return POLYATOMIC.has(formula) ? `(${formula})${count}` : `${formula}${count}`;
  });
  return { formula: formula.join(""), energy: latticeEnergy(ions) };
}

/** Every cation with every anion: NaCl, Al2O3, (NH4)2SO4. */
function* binarySalts(): Generator<IonicCompound> {
  for (let plus = 1; plus <= CATIONS.length; plus++) {
    for (const cation of cations(plus)) {
      for (let minus = 1; minus <= ANIONS.length; minus++) {
        const common = greatestDivisor(plus, minus);
        for (const anion of anions(minus)) yield compound([minus / common, cation], [plus / common, anion]);
      }
    }
  }
}

/** Two cations of different elements with one anion, in proportions that nature likes. */
const DOUBLE_SALTS: readonly {
  charges: [number, number];
  counts: [number, number, number];
  anions: string;
  minus: number;
}[] = [
  { charges: [1, 2], counts: [1, 1, 3], anions: "F Cl Br I", minus: 1 }, // halide perovskites, CsPbI3
  { charges: [2, 4], counts: [1, 1, 3], anions: "O S", minus: 2 }, // perovskites, BaTiO3
  { charges: [2, 3], counts: [1, 2, 4], anions: "O S", minus: 2 }, // spinels, MgAl2O4
  { charges: [1, 3], counts: [1, 1, 2], anions: "O SO4", minus: 2 }, // LiCoO2; anhydrous alums, KAl(SO4)2
  { charges: [1, 4], counts: [2, 1, 6], anions: "F Cl", minus: 1 }, // K2ZrF6
];

function* doubleSalts(): Generator<IonicCompound> {
  for (const { charges, counts, anions, minus } of DOUBLE_SALTS) {
    for (const a of cations(charges[0])) {
      for (const b of cations(charges[1])) {
        if (a.formula === b.formula) continue;
        for (const x of anions.split(" ")) yield compound([counts[0], a], [counts[1], b], [counts[2], ion(x, -minus)]);
      }
    }
  }
}

/** One cation with two anions: BaFCl, LaOBr. */
function* mixedAnions(): Generator<IonicCompound> {
  const halides = ["F", "Cl", "Br", "I"].map((formula) => ion(formula, -1));
  for (const cation of cations(2)) {
    for (const [i, first] of halides.entries()) {
      for (const second of halides.slice(i + 1)) yield compound([1, cation], [1, first], [1, second]);
    }
  }
  for (const cation of cations(3)) {
    for (const halide of halides) yield compound([1, cation], [1, ion("O", -2)], [1, halide]);
  }
}

/**
 * The embedded data: salts made from the ions above, each composition once (the first formula that has it), always in the same
 * order: binary salts, double salts, salts with two anions. Nobody measured these energies and not all of the salts exist: they
 * are what the equation says, exactly, so that it is known how well a model can do.
 */
export function ionicCompounds(): IonicCompound[] {
  const seen = new Set<string>();
  return [...binarySalts(), ...doubleSalts(), ...mixedAnions()].filter(({ formula }) => {
    const key = parseFormula(formula).reduced();
    return !seen.has(key) && seen.add(key);
  });
}

/** The same as a table with formulas, ids (the formulas again) and the target "lattice energy", kJ/mol. */
export function ionicTable(): Table {
  const compounds = ionicCompounds();
  const formulas = compounds.map(({ formula }) => formula);
  return new Table({
    file: "ionic compounds",
    ids: formulas,
    formulas,
    lines: Int32Array.from(formulas, (_, i) => i + 1),
    numeric: { names: [], values: new Float64Array(0) },
    categorical: { names: [], values: [] },
    targets: { names: ["lattice energy"], values: Float64Array.from(compounds, ({ energy }) => energy) },
    unused: [],
    dropped: [],
  });
}
