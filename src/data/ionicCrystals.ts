import { UserError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import { ELEMENTS, element } from "./elements.ts";
import { ewaldEnergy } from "./ewald.ts";
import { Composition, greatestDivisor } from "./formula.ts";
import { ionicEnergy, relaxedVolume } from "./ionicEnergy.ts";
import { Lattice, type Matrix3, times } from "./lattice.ts";
import { PROTOTYPES, type Prototype, type PrototypeName, prototype } from "./prototypes.ts";
import { Structure } from "./structure.ts";
import { Table } from "./table.ts";

interface Ion {
  /** Atomic number. */
  readonly number: number;
  readonly charge: number;
}

const ions = (text: string, charge: number): Ion[] =>
  text.split(" ").map((symbol) => ({ number: element(symbol).number, charge }));

const CATIONS = [
  ...ions("Li Na K Rb Cs Ag Tl", 1),
  ...ions("Mg Ca Sr Ba Mn Fe Zn Cd Pb", 2),
  ...ions("Al Sc Y La Ga Fe", 3),
];
const ANIONS = [...ions("F Cl Br I", -1), ...ions("O S Se", -2)];

/** Salts whose ions have a larger mean square charge (MgO, TiO2) are left out: their energies would dwarf all differences of form. */
const MEAN_SQUARE_CHARGE = 2;
/** Formulas of one stoichiometry at most: salts of four elements would crowd out those of two. */
const PER_STOICHIOMETRY = 28;
/** A formula crystallises in those prototypes whose energy is within as many eV/atom of its best. */
const WINDOW = 1.5;
/** Of all lengths, relative to the volume of least energy. */
const SCALE = { low: 0.94, high: 1.25 };
/** The largest component of the strain besides. */
const STRAIN = 0.06;
/** Å along each axis, at most. */
const DISPLACEMENT = 0.25;

/** Which ions on the sites of which prototype: on A, B, C cations, on X, Y anions. */
interface Candidate {
  readonly name: PrototypeName;
  readonly ions: readonly Ion[];
}

/** A candidate at the volume of its least energy. */
interface Host {
  readonly name: PrototypeName;
  readonly structure: Structure;
  readonly charges: Float64Array;
  /** eV/atom. */
  readonly energy: number;
}

/** Every neutral choice of one ion for each letter, which has so many sites. */
function assignments(letters: readonly string[], counts: readonly number[]): Ion[][] {
  let chosen: { ions: Ion[]; charge: number }[] = [{ ions: [], charge: 0 }];
  letters.forEach((letter, i) => {
    const pool = letter < "X" ? CATIONS : ANIONS;
    const last = i === letters.length - 1;
    chosen = chosen.flatMap(({ ions, charge }) =>
      pool
        .filter((next) => !last || charge + counts[i] * next.charge === 0)
        .filter(({ number }) => ions.every((before) => before.number !== number))
        .map((next) => ({ ions: [...ions, next], charge: charge + counts[i] * next.charge })),
    );
  });
  return chosen.map(({ ions }) => ions);
}

/** The salts of each stoichiometry by formula, with all they might crystallise as. Always in the same order. */
function salts(): Map<string, Candidate[]>[] {
  const found = new Map<string, Map<string, Candidate[]>>();
  for (const name of Object.keys(PROTOTYPES) as PrototypeName[]) {
    const sites: Prototype["sites"] = PROTOTYPES[name].sites;
    const counts = Object.values(sites).map(({ length }) => length);
    const atoms = counts.reduce((a, b) => a + b);
    const unit = counts.reduce(greatestDivisor);
    for (const ions of assignments(Object.keys(sites), counts)) {
      const squares = ions.reduce((sum, { charge }, i) => sum + counts[i] * charge * charge, 0);
      if (squares > MEAN_SQUARE_CHARGE * atoms) continue;
      const formula = new Composition(ions.map(({ number }, i) => [number, counts[i]])).reduced();
      const kind = ions
        .map(({ charge }, i) => `${counts[i] / unit}·${charge}`)
        .sort()
        .join();
      const group = found.get(kind) ?? new Map<string, Candidate[]>();
      found.set(kind, group.set(formula, [...(group.get(formula) ?? []), { name, ions }]));
    }
  }
  return [...found.values()];
}

function host({ name, ions }: Candidate): Host {
  const { sites }: Prototype = PROTOTYPES[name];
  const charges = Object.values(sites).flatMap((places, i) => places.map(() => ions[i].charge));
  const species = ions.map(({ number }) => ELEMENTS[number - 1].symbol);
  const { structure, energy } = relaxedVolume(prototype(name, { species, a: 1 }), charges);
  return { name, structure, charges: Float64Array.from(charges), energy: energy / structure.length };
}

/** Of all that a salt might crystallise as, what it might well. */
function hosts(candidates: readonly Candidate[]): Host[] {
  const all = candidates.map(host);
  const best = Math.min(...all.map(({ energy }) => energy));
  return all.filter(({ energy }) => energy <= best + WINDOW);
}

/** Strained at random, every atom moved at random. */
function deformed({ structure, name }: Host, rng: Rng): Structure {
  const between = (low: number, high: number) => low + (high - low) * rng.random();
  const scale = between(SCALE.low, SCALE.high);
  const strain = () => STRAIN * between(-1, 1);
  const [xx, yy, zz, yz, xz, xy] = [strain(), strain(), strain(), strain() / 2, strain() / 2, strain() / 2];
  const change: Matrix3 = [
    [scale * (1 + xx), scale * xy, scale * xz],
    [scale * xy, scale * (1 + yy), scale * yz],
    [scale * xz, scale * yz, scale * (1 + zz)],
  ];
  const [a, b, c] = structure.lattice!.matrix;
  const amplitude = between(0, DISPLACEMENT);
  const positions = Array.from({ length: structure.length }, (_, i) =>
    times(structure.position(i), change).map((x) => x + amplitude * between(-1, 1)),
  );
  return new Structure({
    numbers: structure.numbers,
    lattice: new Lattice([times(a, change), times(b, change), times(c, change)]),
    positions: positions.flat(),
    properties: { prototype: name },
  });
}

/** The column of `ionicCrystals`, eV/atom. */
export const IONIC_TARGET = "energy_per_atom";

/** The column of `withMadelung`, eV/atom. */
export const MADELUNG_TARGET = "madelung_energy_per_atom";

/**
 * The embedded crystals: salts in several prototypes each, strained and with displaced atoms, and their energies by `ionicEnergy`.
 * Nobody measured these energies and not all of the crystals exist: they are what the sum says, exactly, so that it is known how
 * well a model can do. Formulas repeat with other energies, so that composition alone does not suffice.
 *
 * Every structure has the arrays "charges" (in e) and "forces" (eV/Å) and the property "prototype".
 *
 * @returns   a table with ids "NaCl-rocksalt-1", formulas, structures, and the target "energy_per_atom", eV/atom; 0 is the ions
 *            far apart. The same bits on every engine for the same seed; the first rows are the same for every count.
 */
export function ionicCrystals({ seed = 1, count = 3500 }: { seed?: number; count?: number } = {}): Table {
  if (!(Number.isInteger(count) && count > 0)) throw new UserError(`ionicCrystals: count is ${count}, not 1, 2, …`);
  const rng = new Rng(seed);
  const chosen = salts().flatMap((group) => {
    const all = [...group.values()];
    return Array.from(rng.permutation(all.length).slice(0, PER_STOICHIOMETRY)).flatMap((i) => hosts(all[i]));
  });
  const used = new Map<string, number>();
  const ids: string[] = [];
  const structures: Structure[] = [];
  const energies: number[] = [];
  for (let order = rng.permutation(chosen.length), row = 0; row < count; row++) {
    const pick = chosen[order[row % chosen.length]];
    const crystal = deformed(pick, rng);
    const { energy, forces } = ionicEnergy(crystal, pick.charges);
    const name = `${crystal.formula}-${pick.name}`;
    used.set(name, (used.get(name) ?? 0) + 1);
    ids.push(`${name}-${used.get(name)}`);
    structures.push(crystal.with({ arrays: { charges: pick.charges, forces }, source: ids[row] }));
    energies.push(energy / crystal.length);
  }
  return new Table({
    file: "ionic crystals",
    ids,
    formulas: structures.map(({ formula }) => formula),
    structures,
    lines: Int32Array.from(ids, (_, i) => i + 1),
    numeric: { names: [], values: new Float64Array(0) },
    categorical: { names: [], values: [] },
    targets: { names: [IONIC_TARGET], values: Float64Array.from(energies) },
    unused: [],
    dropped: [],
  });
}

/**
 * The same crystals with another property for target, "madelung_energy_per_atom", eV/atom: of the energy, what is due to the charges
 * alone (Ewald's sum), without the repulsion of closed shells. Related, but another one: something to fine-tune a model for.
 */
export function withMadelung(table: Table): Table {
  const energies = table.structures!.map(
    (structure) => ewaldEnergy(structure, structure.arrays.charges).energy / structure.length,
  );
  return new Table({ ...table, targets: { names: [MADELUNG_TARGET], values: Float64Array.from(energies) } });
}
