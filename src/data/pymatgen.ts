import { UserError } from "../core/errors.ts";
import { atomicNumber, ELEMENTS } from "./elements.ts";
import { Lattice, type Matrix3, type Vector3 } from "./lattice.ts";
import { quote } from "./open.ts";
import { type Occupant, type Property, Structure } from "./structure.ts";

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The atomic number of an element or ion, as in Fe, Fe3+, O2-, Na+; deuterium (D) and tritium (T) are hydrogen. */
export function speciesNumber(species: string): number | undefined {
  const symbol = /^([A-Z][a-z]?)(?:\d*\.?\d*[+-])?$/.exec(species)?.[1];
  return symbol === "D" || symbol === "T" ? 1 : atomicNumber(symbol ?? "");
}

/** `value` in quotes, for a message. */
export const show = (value: unknown, limit?: number): string =>
  value === undefined
    ? "nothing"
    : typeof value === "string"
      ? quote(value, limit)
      : quote(JSON.stringify(value), limit);

/**
 * The record that pymatgen makes of a Structure or Molecule (as_dict): lattice.matrix in Å, sites with species and abc (or xyz,
 * Å). Oxidation states are left out; numbers that every site has (magmom, forces) become arrays.
 *
 * @param where  begins the messages, and is the structure's source
 * @throws UserError naming the site and the field
 */
export function structureFromPymatgen(value: unknown, { where = "structure" }: { where?: string } = {}): Structure {
  const fail = (what: string, hint?: string): never => {
    throw new UserError(`${where}: ${what}`, hint);
  };
  if (!isRecord(value) || !Array.isArray(value.sites))
    return fail(
      `${show(value)} is no structure: it has no list of "sites".`,
      'Expected pymatgen\'s {"lattice": {"matrix": […]}, "sites": […]}.',
    );
  const { sites } = value;
  const lattice = value.lattice === undefined || value.lattice === null ? undefined : readLattice(value.lattice, where);
  const numbers = new Int32Array(sites.length);
  const coordinates = new Float64Array(3 * sites.length);
  const disorder = new Map<number, Occupant[]>();
  // pymatgen itself reads abc where there is a lattice; without abc at the first site, xyz counts throughout.
  const field = lattice && isRecord(sites[0]) && sites[0].abc !== undefined ? "abc" : "xyz";
  sites.forEach((site: unknown, i) => {
    const name = `site ${i + 1}`;
    if (!isRecord(site)) return fail(`${name} is ${show(site)}.`);
    coordinates.set(readVector(site[field], `${where}: "${field}" of ${name}`), 3 * i);
    const occupants = readSpecies(site.species, `${where}: "species" of ${name}`);
    if (occupants.length === 1 && occupants[0].occupancy === 1) numbers[i] = occupants[0].number;
    else disorder.set(i, occupants);
  });
  const properties = Object.fromEntries(
    Object.entries(isRecord(value.properties) ? value.properties : {}).filter(isProperty),
  );
  if (typeof value.charge === "number" && value.charge !== 0) properties.charge = value.charge;
  return new Structure({
    ...{ numbers, lattice, disorder, properties, arrays: siteArrays(sites), source: where },
    periodic: lattice ? readPeriodic((value.lattice as Record<string, unknown>).pbc, where) : undefined,
    [field === "abc" ? "fractional" : "positions"]: coordinates,
  });
}

/** What pymatgen's Structure.from_dict reads; without a lattice, Molecule.from_dict. */
export function toPymatgen(structure: Structure): object {
  const { lattice, numbers, disorder, periodic, properties, arrays, length } = structure;
  const symbol = (z: number) => ELEMENTS[z - 1].symbol;
  const fractional = lattice && structure.fractional;
  const sites = Array.from(numbers, (z, i) => {
    const occupants = disorder.get(i) ?? [{ number: z, occupancy: 1 }];
    return {
      species: occupants.map((each) => ({ element: symbol(each.number), occu: each.occupancy })),
      ...(fractional && { abc: [...fractional.subarray(3 * i, 3 * i + 3)] }),
      xyz: [...structure.position(i)],
      [lattice ? "label" : "name"]: occupants.map((each) => symbol(each.number)).join(":"),
      properties: Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, slice(values, i, length)])),
    };
  });
  const of = { "@module": "pymatgen.core.structure", "@class": lattice ? "Structure" : "Molecule" };
  if (!lattice) return { ...of, charge: 0, sites, properties };
  const { matrix, parameters, volume } = lattice;
  return { ...of, charge: null, lattice: { matrix, pbc: periodic, ...parameters, volume }, sites, properties };
}

/**
 * A lattice given as three rows in Å, nine numbers, { matrix }, or { a, b, c, alpha, beta, gamma } in Å and degrees.
 *
 * @param where  begins the messages
 */
export function readLattice(value: unknown, where: string): Lattice {
  try {
    if (isRecord(value) && value.matrix === undefined) {
      const [a, b, c, alpha, beta, gamma] = ["a", "b", "c", "alpha", "beta", "gamma"].map((name) => {
        const number = value[name];
        if (typeof number === "number") return number;
        throw new UserError(
          `"${name}" of the lattice is ${show(number)}.`,
          "Expected a matrix, or a, b, c, alpha, beta, gamma.",
        );
      });
      return Lattice.fromParameters(a, b, c, alpha, beta, gamma);
    }
    const matrix = isRecord(value) ? value.matrix : value;
    const flat = Array.isArray(matrix) ? matrix.flat() : [];
    const rows = Array.isArray(matrix) && matrix.length === 9 ? [0, 3, 6].map((i) => flat.slice(i, i + 3)) : matrix;
    const sound = flat.length === 9 && flat.every((x) => typeof x === "number") && (rows as unknown[]).length === 3;
    if (!sound) throw new UserError(`the lattice ${show(matrix)} is not three rows of three numbers.`);
    return new Lattice(rows as unknown as Matrix3);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${where}: ${error.message.split("\n")[0]}`, error.hint);
  }
}

/** Along which vectors it repeats: undefined (all) where nothing is said. */
export function readPeriodic(value: unknown, where: string): readonly [boolean, boolean, boolean] | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.length === 3 && value.every((x) => typeof x === "boolean" || x === 0 || x === 1))
    return value.map(Boolean) as [boolean, boolean, boolean];
  throw new UserError(`${where}: "pbc" is ${show(value)}, not three times true or false.`);
}

export function readVector(value: unknown, where: string): Vector3 {
  if (Array.isArray(value) && value.length === 3 && value.every((x) => typeof x === "number"))
    return value as unknown as Vector3;
  throw new UserError(`${where} is ${show(value)}, not three numbers.`);
}

/** Occupancies of one element add up, whatever its charges. */
function readSpecies(species: unknown, where: string): Occupant[] {
  const fail = (what: string): never => {
    throw new UserError(`${where} ${what}`);
  };
  if (!Array.isArray(species) || species.length === 0) return fail(`is ${show(species)}, not a list of elements.`);
  const sums = new Map<number, number>();
  for (const each of species) {
    const { element, occu } = isRecord(each) ? each : {};
    const z = typeof element === "string" ? speciesNumber(element) : undefined;
    if (z === undefined) return fail(`has ${show(element ?? each)}, which is no element.`);
    if (typeof occu !== "number" || !(occu > 0)) return fail(`has ${element} with the occupancy ${show(occu)}.`);
    sums.set(z, (sums.get(z) ?? 0) + occu);
  }
  const total = [...sums.values()].reduce((sum, occupancy) => sum + occupancy, 0);
  if (total > 1 + 1e-6) fail(`has occupancies that add up to ${total}.`);
  if (sums.size === 1 && Math.abs(total - 1) < 1e-8) return [{ number: [...sums.keys()][0], occupancy: 1 }];
  return Array.from(sums, ([number, occupancy]) => ({ number, occupancy }));
}

function isProperty(entry: [string, unknown]): entry is [string, Property] {
  return ["number", "string", "boolean"].includes(typeof entry[1]);
}

/** The site properties that are one number, or equally many, at every site. */
function siteArrays(sites: readonly unknown[]): Record<string, Float64Array> {
  const of = (site: unknown) => (isRecord(site) && isRecord(site.properties) ? site.properties : {});
  const numbers = (value: unknown) => {
    const list = Array.isArray(value) ? value : [value];
    return list.length > 0 && list.every((x) => typeof x === "number") ? (list as number[]) : undefined;
  };
  const arrays: [string, Float64Array][] = [];
  for (const name of Object.keys(of(sites[0]))) {
    const values = sites.map((site) => numbers(of(site)[name]));
    const width = values[0]?.length;
    if (values.every((list) => list && list.length === width))
      arrays.push([name, Float64Array.from(values.flat() as number[])]);
  }
  return Object.fromEntries(arrays);
}

function slice(values: Float64Array, i: number, length: number): number | number[] {
  const width = values.length / length;
  return width === 1 ? values[i] : [...values.subarray(i * width, (i + 1) * width)];
}
