import { type Cell, type CifBlock, cellOf, isBlank, rowsOf } from "./cifBlock.ts";
import { elementOfLabel, elementOfType, elementsOfFormula } from "./cifElement.ts";
import type { Column } from "./cifStar.ts";
import { Lattice, type Matrix3, type Vector3 } from "./lattice.ts";
import { quote } from "./open.ts";

/** One row of the atom sites. */
export interface Site {
  readonly label: string;
  readonly line: number;
  /** Atomic number. */
  readonly number: number;
  /** Above 0, at most 1. */
  readonly occupancy: number;
  readonly fractional: Vector3;
}

/** By how much the occupancies at a site may pass 1: they are measured, and rounded. */
export const OCCUPANCY_TOLERANCE = 0.02;

const AXES = ["x", "y", "z"];
const FRACTIONAL = AXES.map((axis) => `_atom_site_fract_${axis}`);
const CARTESIAN = AXES.map((axis) => `_atom_site_Cartn_${axis}`);

/** Whether a block lists atoms; rows of nothing but ? and "." are a form that nobody filled in. */
export function hasSites(block: CifBlock): boolean {
  const names = [...FRACTIONAL, ...CARTESIAN, "_atom_site_label", "_atom_site_type_symbol"];
  return names.some((name) => block.column(name)?.loop.values.some((text) => !isBlank(text)));
}

/**
 * The rows of a block's atom sites, without dummies and those with an occupancy of 0.
 *
 * @throws UserError naming file, line and name for places, elements and occupancies that are missing, unknown or none
 */
export function readSites(block: CifBlock, lattice: Lattice): Site[] {
  const names = FRACTIONAL.some((name) => block.column(name)) ? FRACTIONAL : CARTESIAN;
  const { loop } = names.map((name) => block.column(name)).find((found) => found !== undefined) ?? noPlaces(block);
  const column = (name: string): Column | undefined => {
    const found = block.column(name);
    if (found && found.loop !== loop)
      block.fail(found.line, `${found.name} stands in another loop than the coordinates of the atom sites.`);
    return found;
  };
  const places = names.map((name) => column(name) ?? block.fail(loop.line, `the atom sites have no ${name}.`));
  const labels = column("_atom_site_label") ?? column("_atom_site_label_atom_id");
  const types = column("_atom_site_type_symbol");
  const occupancies = column("_atom_site_occupancy");
  const flags = column("_atom_site_calc_flag");
  const groups = column("_atom_site_disorder_group");
  const assemblies = column("_atom_site_disorder_assembly");
  const first = types ?? labels;
  if (!first) return block.fail(loop.line, "the atom sites have neither _atom_site_type_symbol nor _atom_site_label.");
  const named = elementsOfFormula(block.text("_chemical_formula_sum")?.text ?? "");
  const fractional = names === FRACTIONAL ? undefined : fromCartesian(block, lattice);
  const at = (of: Column | undefined, row: number): Cell | undefined => of && cellOf(of, row);
  const sites: Site[] = [];
  const alternatives = new Alternatives(block);
  for (let row = 0; row < rowsOf(loop); row++) {
    if (/^dum/i.test(at(flags, row)?.text ?? "")) continue;
    const occupancy = readOccupancy(block, at(occupancies, row));
    if (occupancy === 0) continue;
    const [type, label] = [at(types, row), at(labels, row)];
    const number = block.at(cellOf(first, row).line, () =>
      type && !isBlank(type.text) ? elementOfType(type.text) : elementOfLabel(label?.text ?? "?", named),
    );
    const [x, y, z] = places.map((place) => readPlace(block, cellOf(place, row)));
    const site: Site = {
      label: (label ?? type)!.text,
      line: loop.lines[row * loop.names.length],
      number,
      occupancy,
      fractional: fractional?.([x, y, z]) ?? [x, y, z],
    };
    alternatives.add(site, at(assemblies, row)?.text, at(groups, row)?.text);
    sites.push(site);
  }
  return sites;
}

function noPlaces(block: CifBlock): never {
  const { line } = (block.column("_atom_site_label") ?? block.column("_atom_site_type_symbol"))!;
  return block.fail(line, "the atom sites have no coordinates: neither _atom_site_fract_x nor _atom_site_Cartn_x.");
}

function readPlace(block: CifBlock, cell: Cell): number {
  const value = block.parse(cell);
  if (Math.abs(value) > 1e6)
    block.fail(cell.line, `${cell.name} is ${quote(cell.text, 30)}: far outside of every cell.`);
  return value;
}

/** 1 where nothing is said. */
function readOccupancy(block: CifBlock, cell: Cell | undefined): number {
  if (cell === undefined || cell.text === ".") return 1;
  const value = block.parse(cell);
  if (value < 0 || value > 1 + OCCUPANCY_TOLERANCE)
    block.fail(cell.line, `${cell.name} is ${quote(cell.text, 30)}: occupancies are 0 … 1.`);
  return Math.min(value, 1);
}

/** Alternatives (_atom_site_disorder_group) are read as what they are when their occupancies say so: never two that are both there. */
class Alternatives {
  /** Of each assembly, the groups and what they have in full. */
  private readonly full = new Map<string, Map<string, Site>>();

  constructor(private readonly block: CifBlock) {}

  add(site: Site, assembly = ".", group = "."): void {
    if (isBlank(group) || site.occupancy < 1) return;
    const groups = this.full.get(assembly) ?? new Map<string, Site>();
    this.full.set(assembly, groups.set(group, site));
    if (groups.size < 2) return;
    const [[one, first], [two, second]] = groups;
    this.block.fail(
      second.line,
      `${first.label} and ${second.label} are alternatives (groups ${one} and ${two}), and both have an occupancy of 1.`,
      "Give the share of each in _atom_site_occupancy, or leave out all but one.",
    );
  }
}

/** Cartesian coordinates in Å → fractional ones, by the matrix that the file gives or else with a along x and b in the plane of x and y. */
function fromCartesian(block: CifBlock, lattice: Lattice): (r: Vector3) => Vector3 {
  const toFractional = readTransform(block, "_atom_sites_fract_tran");
  const toCartesian = toFractional ? undefined : readTransform(block, "_atom_sites_Cartn_tran");
  const given = toFractional ?? toCartesian;
  if (!given) return (r) => lattice.toFractional(r);
  const { axes, origin } = block.at(given.line, () => {
    const rows = new Lattice(transpose(given.matrix));
    const axes = toFractional ? new Lattice(rows.inverse) : rows;
    const [x, y, z] = axes.toCartesian(given.vector);
    return { axes, origin: toFractional ? ([-x, -y, -z] as const) : given.vector };
  });
  const [own, cell] = [axes.parameters, lattice.parameters];
  for (const name of ["a", "b", "c", "alpha", "beta", "gamma"] as const)
    if (Math.abs(own[name] - cell[name]) > (name.length > 1 ? 1 : 0.01 * cell[name]))
      block.fail(
        given.line,
        `the matrix of the atom sites means ${name} = ${Number(own[name].toFixed(4))}, not ${cell[name]}.`,
      );
  return (r) => axes.toFractional([r[0] - origin[0], r[1] - origin[1], r[2] - origin[2]]);
}

interface Transform {
  matrix: Matrix3;
  vector: Vector3;
  line: number;
}

/** Of columns of coordinates: matrix · x + vector. */
function readTransform(block: CifBlock, name: string): Transform | undefined {
  const first = block.column(`${name}_matrix_11`, `${name}sf_matrix[1][1]`);
  if (!first) return undefined;
  const entry = (core: string, macro: string) => block.number(`${name}_${core}`, `${name}sf_${macro}`);
  const vector = [1, 2, 3].map((i) => entry(`vector_${i}`, `vector[${i}]`) ?? 0);
  const matrix = [1, 2, 3].map((i) => [1, 2, 3].map((j) => entry(`matrix_${i}${j}`, `matrix[${i}][${j}]`)));
  if (matrix.flat().includes(undefined))
    return block.fail(first.line, "a part of the matrix of the atom sites is missing.");
  return { matrix: matrix as never as Matrix3, vector: vector as never as Vector3, line: first.line };
}

const transpose = ([a, b, c]: Matrix3): Matrix3 => [
  [a[0], b[0], c[0]],
  [a[1], b[1], c[1]],
  [a[2], b[2], c[2]],
];
