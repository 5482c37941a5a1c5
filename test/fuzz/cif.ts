import { UserError } from "../../src/core/errors.ts";
import { parseCif } from "../../src/data/cif.ts";
import { below, pick, type Random, seeded } from "./tables.ts";

const SITES =
  "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n";

/** Sound files: listed operations, symbols, mmCIF names, disorder, text fields, two blocks. */
export const SOUND_CIF = [
  `# salt\ndata_NaCl\n_cell_length_a 5.640(2)\n_cell_length_b 5.640(2)\n_cell_length_c 5.640(2)\n_symmetry_space_group_name_H-M 'F m -3 m'
_symmetry_Int_Tables_number 225\n_publ_section_title\n;\nA 'title'\n;\n${SITES}Na1 Na1+ 0 0 0\nCl1 Cl1- 0.5 0.5 0.5\n`,
  `data_ZnS\n_cell_length_a 3.82\n_cell_length_b 3.82\n_cell_length_c 6.26\n_cell_angle_gamma 120\nloop_\n_symmetry_equiv_pos_site_id
_symmetry_equiv_pos_as_xyz\n1 'x,y,z'\n2 '-y,x-y,z'\n3 '-x+y,-x,z'\n4 '-x,-y,1/2+z'\n5 'y,-x+y,0.5+z'\n6 'x-y,x,z+1/2'
${SITES}Zn1 Zn 0.3333 0.6667 0\nS1 S 0.3333 0.6667 0.3748(2)\n`,
  `data_mixed\r\n_cell.length_a 4\r\n_cell.length_b 5\r\n_cell.length_c 6\r\n_cell.angle_beta 99.5\r\n_chemical_formula_sum 'Ca0.5 Sr0.5 O1'\r
_symmetry.space_group_name_Hall '-P 2ybc'\r\nloop_\r\n_atom_site.label\r\n_atom_site.Cartn_x\r\n_atom_site.Cartn_y\r\n_atom_site.Cartn_z\r
_atom_site.occupancy\r\n_atom_site.calc_flag\r\nCa1 0.1 0.2 0.3 0.5 d\r\nSr1 0.1 0.2 0.3 0.5(1) d\r\nO1 1.5 1.5e0 -.7 . d\r\nX1 0 0 0 1 dum\r\n`,
  `data_one\n_cell_length_a 3\n_cell_length_b 4\n_cell_length_c 5\n${SITES}Fe1 ? .1 .2 .3\ndata_text\n_title "a "b"c"\nsave_f\n_x 1\nsave_
data_two\n_cell_length_a 3\n_cell_length_b 3\n_cell_length_c 9\n_cell_angle_gamma 120\n_space_group_IT_number 166\n${SITES}. Bi3+ 0 0 .2`,
];
const PIECES = [
  ..."'\";#?._-+()/,: \n\t\r0123456789xyzFeH",
  ..."loop_ data_ data_x save_ stop_ global_ _cell_length_a _atom_site_occupancy 1e999 1e-9 -0 NaN 0.3333 1/3 x,y,z -x,-y,-z -3".split(
    " ",
  ),
  "\n;",
  "\n;\n",
  "\u0000",
  "\ufeff",
  "😀",
  "_atom_site_disorder_group",
];

function mutate(random: Random): string {
  let text = pick(random, SOUND_CIF);
  for (let edits = below(random, 6); edits > 0; edits--) {
    const at = below(random, text.length + 1);
    const length = below(random, random() < 0.7 ? 4 : 60);
    const edit = below(random, 8);
    const lines = text.split("\n");
    const row = below(random, lines.length);
    const replaceLine = (by: string[]) => [...lines.slice(0, row), ...by, ...lines.slice(row + 1)].join("\n");
    if (edit === 0) text = text.slice(0, at) + text.slice(at + length);
    else if (edit === 1) text = text.slice(0, at) + pick(random, PIECES) + text.slice(at);
    else if (edit === 2) text = text.slice(0, at) + pick(random, PIECES) + text.slice(at + 1);
    else if (edit === 3) text = text.slice(0, at) + text.slice(at).repeat(2);
    else if (edit === 4) text = replaceLine([]);
    else if (edit === 5) text = replaceLine([lines[row], lines[below(random, lines.length)]]);
    else if (edit === 6) text = replaceLine([pick(random, pick(random, SOUND_CIF).split("\n"))]);
    else if (random() < 0.3) text = text.slice(0, at);
  }
  return text;
}

/**
 * Reads `count` damaged files. Each must be refused by a UserError of at most two lines that names the file, or give structures with
 * finite coordinates and occupancies of at most 1, within two seconds of processor time. Returns how many were refused.
 */
export function fuzzCif(count: number, seed: number): number {
  const random = seeded(seed);
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const text = mutate(random);
    const begin = process.cpuUsage();
    try {
      const structures = parseCif(text, { file: "a.cif" });
      if (structures.length === 0) throw new Error("no structure and no message");
      for (const { positions, disorder, numbers } of structures) {
        if (!positions.every(Number.isFinite) || positions.length !== 3 * numbers.length)
          throw new Error("coordinates");
        for (const occupants of disorder.values()) {
          const sum = occupants.reduce((total, { occupancy }) => total + occupancy, 0);
          if (!(sum > 0 && sum < 1 + 1e-9)) throw new Error(`occupancies add up to ${sum}`);
        }
      }
    } catch (error) {
      const clear =
        error instanceof UserError && error.message.split("\n").length <= 2 && error.message.startsWith("a.cif");
      if (!clear) throw new Error(`seed ${seed}, case ${i}, ${JSON.stringify(text)}: ${error}`, { cause: error });
      refused++;
    }
    if (process.cpuUsage(begin).user > 2e6)
      throw new Error(`seed ${seed}, case ${i}, ${JSON.stringify(text)}: too slow`);
  }
  return refused;
}
