import { UserError } from "../core/errors.ts";
import { CifBlock } from "./cifBlock.ts";
import { expandSites } from "./cifExpand.ts";
import { hasSites, readSites } from "./cifSites.ts";
import { readStar } from "./cifStar.ts";
import { readOperations, readSpaceGroup } from "./cifSymmetry.ts";
import { ELEMENTS } from "./elements.ts";
import { Lattice } from "./lattice.ts";
import { Structure } from "./structure.ts";

/**
 * The crystals in a CIF file, one for each data block with atom sites; mmCIF names will do. Symmetry is expanded: the structure holds
 * all atoms of the cell, each site as written followed by its images in the cell, and `spaceGroup` as the file has it.
 *
 * Images closer than 0.05 Å are one atom, put on the symmetry element between them (0.3333 becomes ⅓); sites closer than that share
 * one place. Partly occupied sites and those with several elements are in `disorder`, alternatives (disorder groups) with their
 * occupancies. Left out: dummy atoms, sites with an occupancy of 0, attached hydrogens that are not listed. Angles not given are 90°.
 * `properties` has the block's name as `id`, and its chemical `name` and `formula` where given.
 *
 * @param options.file  how messages call it, and the structure's `source`: "file", or "file:block" when there are several
 * @throws UserError with file, line, name and text for what is broken, unknown where it is needed, or could be read two ways
 */
export function parseCif(text: string, { file = "input" }: { file?: string } = {}): Structure[] {
  const blocks = readStar(text, file).map((block) => new CifBlock(block, file));
  const withSites = blocks.filter(hasSites);
  if (withSites.length === 0)
    throw new UserError(
      `${file}: no data block has atom sites (_atom_site_fract_x).`,
      "Is it a CIF file without a structure?",
    );
  return withSites.map((block) => readBlock(block, withSites.length > 1 ? `${file}:${block.name}` : file));
}

function readBlock(block: CifBlock, source: string): Structure {
  const lattice = readLattice(block);
  const sites = readSites(block, lattice);
  if (sites.length === 0) throw new UserError(`${source}: all atom sites are dummies, or have an occupancy of 0.`);
  const contents = expandSites(block, sites, readOperations(block, lattice), lattice);
  const name = block.text("_chemical_name_common", "_chemical_name_mineral", "_chemical_name_systematic");
  const formula = block.text("_chemical_formula_sum");
  const properties = {
    id: block.name,
    ...(name && { name: name.text.trim() }),
    ...(formula && { formula: formula.text.trim() }),
  };
  return new Structure({ ...contents, lattice, spaceGroup: readSpaceGroup(block), properties, source });
}

function readLattice(block: CifBlock): Lattice {
  const edges = ["a", "b", "c"].map((edge) => `_cell_length_${edge}`);
  const missing = edges.filter((name) => block.column(name) === undefined);
  if (missing.length > 0)
    throw new UserError(`${block.file}: the cell is missing: block ${block.name} has no ${missing.join(", ")}.`);
  const first = block.column(edges[0])!;
  const [a, b, c] = edges.map((name) => block.number(name) ?? block.fail(first.line, `${name} has no value.`));
  for (const [i, edge] of [a, b, c].entries())
    if (!(edge > 0.1 && edge < 1e5))
      block.fail(block.column(edges[i])!.line, `${edges[i]} is ${edge}: edges are in Å, 0.1 … 100,000.`);
  const [alpha, beta, gamma] = ["alpha", "beta", "gamma"].map((angle) => block.number(`_cell_angle_${angle}`) ?? 90);
  return block.at(first.line, () => Lattice.fromParameters(a, b, c, alpha, beta, gamma));
}

/**
 * A structure as CIF, with all its atoms in space group P 1; a site of several elements takes as many rows. Read back, the crystal is
 * the same to 1e-6 Å, turned so that a lies along x and b in the plane of x and y. A left-handed lattice is written as the
 * right-handed −a, −b, −c. Properties and arrays of atoms are left out.
 *
 * @param options.name  of the data block. Default: the property `id`, else the formula
 * @throws UserError for a structure that does not repeat along three vectors
 */
export function writeCif(structure: Structure, { name }: { name?: string } = {}): string {
  const { lattice, periodic, source, length, numbers, disorder } = structure;
  if (!lattice || !periodic.every(Boolean))
    throw new UserError(
      `${source} does not repeat along three vectors: CIF holds crystals only.`,
      "With a lattice and periodic: [true, true, true] a slab or molecule can be written as a crystal with empty space.",
    );
  const sign = Math.sign(lattice.determinant);
  const fractional = structure.fractional;
  const counts = new Map<string, number>();
  const rows: string[] = [];
  for (let i = 0; i < length; i++) {
    const place = Array.from(fractional.subarray(3 * i, 3 * i + 3), (x) => decimal(sign * x)).join(" ");
    for (const { number, occupancy } of disorder.get(i) ?? [{ number: numbers[i], occupancy: 1 }]) {
      const { symbol } = ELEMENTS[number - 1];
      counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
      rows.push(`${symbol}${counts.get(symbol)} ${symbol} ${place} ${decimal(occupancy)}`);
    }
  }
  const { elements, amounts } = structure.composition;
  const formula = elements.map((z, i) => `${ELEMENTS[z - 1].symbol}${decimal(amounts[i])}`).join(" ");
  const id = name ?? structure.properties.id ?? structure.formula;
  const { a, b, c, alpha, beta, gamma } = lattice.parameters;
  return `data_${String(id).replace(/[^!-~]+/g, "_") || "structure"}
_chemical_formula_sum '${formula}'
_cell_length_a ${decimal(a)}
_cell_length_b ${decimal(b)}
_cell_length_c ${decimal(c)}
_cell_angle_alpha ${decimal(alpha)}
_cell_angle_beta ${decimal(beta)}
_cell_angle_gamma ${decimal(gamma)}
_space_group_name_H-M_alt 'P 1'
_space_group_IT_number 1
loop_
_space_group_symop_operation_xyz
x,y,z
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
${rows.join("\n")}
`;
}

/** Ten decimals at most. */
function decimal(x: number): string {
  const value = Number(x.toFixed(10));
  return value === 0 ? "0" : value.toFixed(10).replace(/\.?0+$/, "");
}
