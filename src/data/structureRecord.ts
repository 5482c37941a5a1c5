import { UserError } from "../core/errors.ts";
import { parseCif } from "./cif.ts";
import { ELEMENTS } from "./elements.ts";
import {
  isRecord,
  readLattice,
  readPeriodic,
  readVector,
  show,
  speciesNumber,
  structureFromPymatgen,
} from "./pymatgen.ts";
import { Structure } from "./structure.ts";

/** The fields of a record that together are a structure, by the names that they have there. */
export interface StructureFields {
  /** pymatgen's record, or CIF text. */
  structure?: string;
  /** The record itself is pymatgen's. */
  sites?: string;
  cif?: string;
  /** What `readLattice` reads. */
  lattice?: string;
  /** Symbols, or atomic numbers. */
  species?: string;
  /** [[x, y, z], …] in units of the lattice vectors. */
  fractional?: string;
  /** [[x, y, z], …] in Å. */
  positions?: string;
  pbc?: string;
}

const NAMES: Required<{ [Field in keyof StructureFields]: readonly string[] }> = {
  structure: ["structure"],
  sites: ["sites"],
  cif: ["cif"],
  lattice: ["lattice", "cell"],
  species: ["species", "symbols", "numbers", "atomic_numbers"],
  fractional: ["frac", "frac_coords", "fractional"],
  positions: ["positions", "coords", "cart_coords"],
  pbc: ["pbc"],
};
const SPACE_GROUPS = ["spacegroup", "space_group", "spacegroup_number"];

/** Those among the names of a table's columns; undefined where they are too few for a structure. */
export function structureFields(names: readonly string[]): StructureFields | undefined {
  const find = (known: readonly string[]) => known.find((name) => names.includes(name));
  const found = Object.fromEntries(
    Object.entries(NAMES).map(([field, known]) => [field, find(known)]),
  ) as StructureFields;
  const { structure, sites, cif, lattice, species, fractional, positions, pbc } = found;
  if (structure !== undefined) return { structure };
  if (sites !== undefined) return { sites, ...(lattice !== undefined && { lattice }) };
  if (cif !== undefined) return { cif };
  if (species === undefined || (positions === undefined && (fractional === undefined || lattice === undefined))) return;
  return { lattice, species, ...(fractional !== undefined && lattice ? { fractional } : { positions }), pbc };
}

/**
 * The structure that `record` holds in `fields`, with its spacegroup (1 … 230) where it has one.
 *
 * @param where  begins the messages, and is the structure's source
 * @throws UserError naming the field and the offending text
 */
export function structureFromRecord(
  record: Readonly<Record<string, unknown>>,
  fields: StructureFields,
  { where }: { where: string },
): Structure {
  const structure = read(record, fields, where);
  const group = SPACE_GROUPS.map((name) => Number(record[name] ?? Number.NaN)).find((n) => Number.isInteger(n));
  return group !== undefined && group >= 1 && group <= 230 ? structure.with({ spaceGroup: group }) : structure;
}

function read(record: Readonly<Record<string, unknown>>, fields: StructureFields, where: string): Structure {
  if (fields.sites) return structureFromPymatgen(record, { where });
  const text = fields.cif ?? fields.structure;
  if (text !== undefined) {
    const value = record[text];
    if (text === fields.cif || (typeof value === "string" && !value.trimStart().startsWith("{")))
      return fromCif(value, text, where);
    return structureFromPymatgen(typeof value === "string" ? parseJson(value, text, where) : value, { where });
  }
  const list = (name: string): readonly unknown[] => {
    const value = record[name];
    if (Array.isArray(value) && value.length > 0) return value;
    throw new UserError(`${where}: ${show(name)} is ${show(value)}, not a list with an entry for each atom.`);
  };
  const { lattice, species, fractional, positions, pbc } = fields;
  const numbers = list(species!).map((each, i) => {
    const z = typeof each === "number" && ELEMENTS[each - 1] ? each : speciesNumber(String(each));
    if (z === undefined)
      throw new UserError(`${where}: ${show(species)}: atom ${i + 1} is ${show(each)}, which is no element.`);
    return z;
  });
  const name = (fractional ?? positions)!;
  const coordinates = list(name).flatMap((row, i) => readVector(row, `${where}: ${show(name)} of atom ${i + 1}`));
  if (coordinates.length !== 3 * numbers.length)
    throw new UserError(
      `${where}: ${numbers.length} atoms in ${show(species)}, but ${coordinates.length / 3} in ${show(name)}.`,
    );
  const cell = lattice === undefined ? undefined : record[lattice];
  return new Structure({
    numbers,
    [fractional === undefined ? "positions" : "fractional"]: coordinates,
    lattice: cell === undefined || cell === null ? undefined : readLattice(cell, where),
    periodic: pbc === undefined ? undefined : readPeriodic(record[pbc], where),
    source: where,
  });
}

function fromCif(value: unknown, name: string, where: string): Structure {
  if (typeof value !== "string" || !/[\r\n]/.test(value.trim()))
    throw new UserError(
      `${where}: ${show(name)} is ${show(value)}, not the text of a CIF file.`,
      'A column with names of files is called "file".',
    );
  return only(parseCif(value, { file: where }), where).with({ source: where });
}

/** @throws UserError unless there is exactly one */
export function only(structures: readonly Structure[], where: string): Structure {
  if (structures.length === 1) return structures[0];
  throw new UserError(`${where}: there are ${structures.length} structures where one is expected.`);
}

function parseJson(text: string, name: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError(`${where}: ${show(name)} holds ${show(text)}, which is not JSON.`);
  }
}

/** Structures of parsed JSON: pymatgen's record, a record with lattice, species and frac, or a list of such. */
export function structuresFromJson(value: unknown, { where }: { where: string }): Structure[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map((each, i) => {
    const name = Array.isArray(value) ? `${where}: structure ${i + 1}` : where;
    const fields = isRecord(each) ? structureFields(Object.keys(each)) : undefined;
    if (fields) return structureFromRecord(each as Record<string, unknown>, fields, { where: name });
    throw new UserError(
      `${name} is ${show(each)}, which holds no structure.`,
      'Expected pymatgen\'s {"lattice": {"matrix": […]}, "sites": […]}, or {"lattice": […], "species": […], "frac": […]}.',
    );
  });
}
