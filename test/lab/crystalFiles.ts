import { prototype } from "../../src/data/prototypes.ts";
import { writeStructure } from "../../src/data/structureFiles.ts";

/** A file as playwright gives it to a page. */
export interface TestFile {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

export const file = (name: string, text: string | Uint8Array): TestFile => ({
  name,
  mimeType: "application/octet-stream",
  buffer: Buffer.from(text),
});

const rocksalt = (a: number, cation: string, anion: string) => prototype("rocksalt", { species: [cation, anion], a });

/** KCl in its primitive cell. */
export const KCL = writeStructure(rocksalt(6.29, "K", "Cl"), "KCl.cif");

/** CsCl as POSCAR. */
export const CSCL = `CsCl
1.0
4.12 0 0
0 4.12 0
0 0 4.12
Cs Cl
1 1
Direct
0 0 0
0.5 0.5 0.5
`;

/** The length of c is missing. */
export const BROKEN = KCL.replace(/^_cell_length_c.*\n/m, "");

/** Half of the potassium is sodium. */
export const MIXED = `data_mixed
_cell_length_a 6
_cell_length_b 6
_cell_length_c 6
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
K1 K 0 0 0 0.5
Na1 Na 0 0 0 0.5
Cl1 Cl 0.5 0.5 0.5 1
`;

const CATIONS = ["Li", "Na", "K", "Rb", "Cs"];
const ANIONS = ["F", "Cl", "Br", "I"];

/** Alkali halides in the rocksalt structure with id_prop.csv: each at several sizes, the target is −10/a. */
export function folder(): TestFile[] {
  const rows = CATIONS.flatMap((cation) =>
    ANIONS.flatMap((anion, i) =>
      [4.2, 5.4, 6.6].map((size) => {
        const a = size + 0.2 * i;
        const id = `${cation}${anion}-${size}`;
        return { id, target: -10 / a, cif: writeStructure(rocksalt(a, cation, anion), `${id}.cif`) };
      }),
    ),
  );
  const table = rows.map(({ id, target }) => `${id},${target.toFixed(4)}\n`).join("");
  return [file("id_prop.csv", table), ...rows.map(({ id, cif }) => file(`${id}.cif`, cif))];
}
