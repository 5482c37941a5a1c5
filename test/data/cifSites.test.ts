import { describe, expect, test } from "vitest";
import { parseCif } from "../../src/data/cif.ts";
import { elementOfLabel, elementOfType, elementsOfFormula } from "../../src/data/cifElement.ts";
import { ELEMENTS } from "../../src/data/elements.ts";

interface Parts {
  cell?: string;
  symmetry?: string;
  names?: string;
  rows: string;
}

/** A file of a cubic cell of 4 Å with rows of `label x y z` and more. */
function file({
  cell = "_cell_length_a 4 _cell_length_b 4 _cell_length_c 4",
  symmetry = "",
  names = "",
  rows,
}: Parts): string {
  const columns = ["label", "fract_x", "fract_y", "fract_z", ...names.split(" ").filter(Boolean)];
  return `data_x\n${cell}\n${symmetry}\nloop_\n${columns.map((name) => `_atom_site_${name}`).join("\n")}\n${rows}\n`;
}

const read = (parts: Parts) => parseCif(file(parts), { file: "a.cif" })[0];

function message(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
  return "";
}

const symbolOf = (z: number) => ELEMENTS[z - 1].symbol;

describe("elements", () => {
  test.each([
    ..."Fe Fe3+ FE fe Fe+3 Fe3".split(" ").map((type) => [type, "Fe"]),
    ...[
      ["O2-", "O"],
      ["Cl-1", "Cl"],
      ["Na1+", "Na"],
      ["D", "H"],
      ["C", "C"],
      ["CO", "Co"],
      ["K0", "K"],
    ],
  ])("type %s is %s", (type, symbol) => expect(symbolOf(elementOfType(type))).toBe(symbol));

  test.each(["Wat", "OH", "X", "Fe3+x", "1", "", "T", "Cval", "Fe3+2-"])("type %s is none", (type) =>
    expect(message(() => elementOfType(type))).toBe(`_atom_site_type_symbol is ${JSON.stringify(type)}: no element.`),
  );

  test.each([
    ["Fe1", "", "Fe"],
    ["Fe", "", "Fe"],
    ["C1A", "", "C"],
    ["O(1)", "", "O"],
    ["N_2'", "", "N"],
    ["Ca1", "", "Ca"],
    ["Co1", "", "Co"],
    ["SiT", "", "Si"],
    ["AlT1", "", "Al"],
    ["MgM2", "", "Mg"],
    ["KA", "", "K"],
    ["Ow1", "", "O"],
    ["OH3", "", "O"],
    ["o2", "", "O"],
    ["D1", "", "H"],
    ["AL1", "", "Al"],
    ["FE2A", "Fe2 O3", "Fe"],
    ["CA1", "C2 H4", "C"],
    ["CA1", "Ca1 O1", "Ca"],
    ["HO1", "H2 O", "H"],
    ["NH4", "N H4 Cl", "N"],
    ["Ho1", "Ho2 O3 H2", "Ho"],
    ["Ob1", "Si O2", "O"],
  ])("label %s in %j is %s", (label, formula, symbol) =>
    expect(symbolOf(elementOfLabel(label, elementsOfFormula(formula)))).toBe(symbol),
  );

  test.each([
    ["FE2A", "", "Fe or F"],
    ["CA1", "", "Ca or C"],
    ["CA1", "Ca C O3", "Ca or C"],
    ["CA1", "Na Cl", "Ca or C"],
    ["Ho1", "H2 O", "Ho or H"],
    ["Wat1", "W O3", "it begins with no element"],
    ["WAT", "", "it begins with no element"],
    ["Oct", "O1", "it begins with no element"],
    ["Va1", "", "Va is no element"],
    ["Va1", "O2", "the formula has no V"],
    ["M1", "", "it begins with no element"],
    ["T1", "Si O2", "it begins with no element"],
    ["1Fe", "", "it begins with no element"],
    ["?", "", "it begins with no element"],
  ])("label %s in %j is not clear: %s", (label, formula, why) =>
    expect(message(() => elementOfLabel(label, elementsOfFormula(formula)))).toBe(
      `the element of the label ${JSON.stringify(label)} is not clear: ${why}.`,
    ),
  );

  test("formulas", () => {
    const symbols = (formula: string) => [...elementsOfFormula(formula)].map(symbolOf).join(" ");
    expect(symbols("C2 H6.5 O")).toBe("C H O");
    expect(symbols(" D2\nO ")).toBe("H O");
    for (const other of ["FE2 O3", "NaCl", "", "?", "(C H4)2"]) expect(symbols(other)).toBe("");
  });
});

describe("sites", () => {
  test("uncertainties, exponents, missing angles", () => {
    const cell = "_cell_length_a 5.640(2) _cell_length_b +5. _cell_length_c 60(1)e-1 _cell_angle_beta 90.00(3)";
    const structure = read({ cell, rows: "Na1 .25(1) -1.5(12)e-3 0." });
    const { a, b, c, alpha, beta, gamma } = structure.lattice!.parameters;
    expect([a, b, c, alpha, beta, gamma].map((x) => Number(x.toFixed(12)))).toEqual([5.64, 5, 6, 90, 90, 90]);
    expect([...structure.positions].map((x) => Number(x.toFixed(12)))).toEqual([1.41, -0.0075, 0]);
  });

  test("0.3333, 0.6667 on a threefold axis is ⅓, ⅔", () => {
    const cell = "_cell_length_a 20 _cell_length_b 20 _cell_length_c 5 _cell_angle_gamma 120";
    for (const [x, y] of [
      ["0.3333", "0.6667"],
      ["0.333", "0.667"],
      ["-0.6667", "-.3333"],
    ]) {
      const structure = read({ cell, symmetry: "_space_group_IT_number 194", rows: `Mg1 ${x} ${y} .25` });
      expect(structure.length).toBe(2);
      const [f] = structure.fractional;
      expect(f - Math.floor(f)).toBeCloseTo(1 / 3, 12);
    }
    expect(read({ cell, symmetry: "_space_group_IT_number 194", rows: "Mg1 .32 .68 .25" }).length).toBe(6);
  });

  test("the listed atom stays where it is written, images come into the cell", () => {
    const symmetry = "_space_group_symop_operation_xyz '-x,-y,-z'";
    expect([...read({ symmetry, rows: "O1 1.25 -.125 2.5" }).fractional]).toEqual([
      1.25, -0.125, 2.5, 0.75, 0.125, 0.5,
    ]);
  });

  test("several elements at a site, vacancies, full sites by rounding", () => {
    const structure = read({
      names: "occupancy",
      rows: "Ca1 0 0 0 .7\nSr1 0 0 0.001 .25(2)\nFe2 .5 .5 .5 .34\nFe3 .5 .5 -.5 .66\nO1 .5 0 0 .\nK1 0 .5 .5 1.01\nNa 0 .5 0 0.0",
    });
    expect([...structure.numbers]).toEqual([0, 26, 8, 19]);
    expect([...structure.disorder]).toEqual([
      [
        0,
        [
          { number: 20, occupancy: 0.7 },
          { number: 38, occupancy: 0.25 },
        ],
      ],
    ]);
  });

  test("dummies are left out, alternatives have their shares", () => {
    const structure = read({
      names: "occupancy calc_flag disorder_assembly disorder_group attached_hydrogens",
      rows: "X1 ? ? ? 1 dum . . 0\nC1 0 0 0 .6 d A 1 2\nC2 .2 0 0 .4 d A 2 ?\nC3 .6 0 0 1 d . . 3",
    });
    expect(structure.length).toBe(3);
    expect(structure.disorder.get(1)).toEqual([{ number: 6, occupancy: 0.4 }]);
  });

  test("mmCIF names and Cartesian coordinates, with the file's matrix or without", () => {
    const text = (matrix: string) => `data_1abc
_cell.length_a 5\n_cell.length_b 6\n_cell.length_c 7\n_cell.angle_alpha 90\n_cell.angle_beta 90\n_cell.angle_gamma 90
_symmetry.space_group_name_H-M 'P 1 21 1'\n${matrix}\nloop_\n_atom_site.group_PDB\n_atom_site.id\n_atom_site.type_symbol
_atom_site.label_atom_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\nHETATM 1 FE FE1 1 2 3\nATOM 2 C CA 2 2 2\n`;
    const [plain] = parseCif(text(""));
    expect([...plain.numbers]).toEqual([26, 26, 6, 6]);
    expect([...plain.positions].map((x) => Number(x.toFixed(9)))).toEqual([1, 2, 3, 4, 5, 4, 2, 2, 2, 3, 5, 5]);
    const entries = (rows: number[][], name: (i: number, j: number) => string) =>
      rows.flatMap((row, i) => row.map((x, j) => `${name(i + 1, j + 1)} ${x}`)).join("\n");
    // The same with x and y exchanged, and the origin at (0, 0, 1).
    const fractional = entries(
      [
        [0, 1 / 5, 0],
        [1 / 6, 0, 0],
        [0, 0, 1 / 7],
      ],
      (i, j) => `_atom_sites.fract_transf_matrix[${i}][${j}]`,
    );
    const shift = "_atom_sites.fract_transf_vector[3] -0.14285714285714285";
    const cartesian = entries(
      [
        [0, 6, 0],
        [5, 0, 0],
        [0, 0, 7],
      ],
      (i, j) => `_atom_sites_Cartn_tran_matrix_${i}${j}`,
    );
    for (const matrix of [`${fractional}\n${shift}`, `${cartesian}\n_atom_sites_Cartn_tran_vector_3 1`]) {
      const [turned] = parseCif(text(matrix));
      expect([...turned.positions.subarray(0, 3)].map((x) => Number(x.toFixed(9)))).toEqual([2, 1, 2]);
    }
    expect(message(() => parseCif(text(cartesian.replace("_12 6", "_12 8")), { file: "a.cif" }))).toBe(
      "a.cif:9: the matrix of the atom sites means b = 8, not 6.",
    );
    expect(message(() => parseCif(text("_atom_sites_Cartn_tran_matrix_11 1"), { file: "a.cif" }))).toBe(
      "a.cif:9: a part of the matrix of the atom sites is missing.",
    );
  });

  test.each<[Parts, string]>([
    [{ rows: "Fe1 0.3x 0 0" }, 'a.cif:9: _atom_site_fract_x is "0.3x": not a number.'],
    [{ rows: "Fe1 0 ? 0" }, "a.cif:9: _atom_site_fract_y is ?: unknown."],
    [{ rows: "Fe1 0 0 ." }, "a.cif:9: _atom_site_fract_z is .: unknown."],
    [{ rows: "Fe1 0 0 1e9" }, 'a.cif:9: _atom_site_fract_z is "1e9": far outside of every cell.'],
    [
      { rows: "O1 0 0 0\nXx 0 0 0" },
      'a.cif:10: the element of the label "Xx" is not clear: it begins with no element.',
    ],
    [{ rows: "Fe1 0 0 0 Fex", names: "type_symbol" }, 'a.cif:10: _atom_site_type_symbol is "Fex": no element.'],
    [{ rows: "Fe1 0 0 0 ?", names: "occupancy" }, "a.cif:10: _atom_site_occupancy is ?: unknown."],
    [{ rows: "Fe1 0 0 0 -.1", names: "occupancy" }, 'a.cif:10: _atom_site_occupancy is "-.1": occupancies are 0 … 1.'],
    [{ rows: "Fe1 0 0 0 4", names: "occupancy" }, 'a.cif:10: _atom_site_occupancy is "4": occupancies are 0 … 1.'],
    [{ rows: "Fe1 0 0 0\nCo1 0 0 1" }, "a.cif:10: the occupancies at the site of Fe1 (Fe1 1, Co1 1) add up to 2."],
    [{ rows: "Fe1 0 0 0 0", names: "occupancy" }, "a.cif: all atom sites are dummies, or have an occupancy of 0."],
    [
      { rows: "C1 0 0 0 1\nC2 0 0 .1 2", names: "disorder_group" },
      "a.cif:11: C1 and C2 are alternatives (groups 1 and 2), and both have an occupancy of 1.",
    ],
    [
      { rows: "Fe1 0 0 0", cell: "_cell_length_a 1" },
      "a.cif: the cell is missing: block x has no _cell_length_b, _cell_length_c.",
    ],
    [
      { rows: "Fe1 0 0 0", cell: "_cell_length_a ? _cell_length_b 1 _cell_length_c 1" },
      "a.cif:2: _cell_length_a is ?: unknown.",
    ],
    [
      { rows: "Fe1 0 0 0", cell: "_cell_length_a . _cell_length_b 1 _cell_length_c 1" },
      "a.cif:2: _cell_length_a has no value.",
    ],
    [
      { rows: "Fe1 0 0 0", cell: "_cell_length_a 1 _cell_length_b 1 _cell_length_c 0" },
      "a.cif:2: _cell_length_c is 0: edges are in Å, 0.1 … 100,000.",
    ],
    [
      { rows: "Fe1 0 0 0", cell: "_cell_length_a 4 _cell_length_b 4 _cell_length_c 4 _cell_angle_beta 180" },
      "a.cif:2: There is no cell with edges 4, 4, 4 Å and angles 90, 180, 90°.",
    ],
  ])("%j", (parts, expected) => expect(message(() => read(parts))).toBe(expected));

  test.each([
    [
      "_atom_site_label Fe1",
      "a.cif:3: the atom sites have no coordinates: neither _atom_site_fract_x nor _atom_site_Cartn_x.",
    ],
    ["_atom_site_label Fe1 _atom_site_fract_x 0", "a.cif:3: the atom sites have no _atom_site_fract_y."],
    [
      "loop_ _atom_site_fract_x _atom_site_fract_y _atom_site_fract_z 0 0 0",
      "a.cif:3: the atom sites have neither _atom_site_type_symbol nor _atom_site_label.",
    ],
    [
      "loop_ _atom_site_label Fe1 loop_ _atom_site_fract_x _atom_site_fract_y _atom_site_fract_z 0 0 0",
      "a.cif:3: _atom_site_label stands in another loop than the coordinates of the atom sites.",
    ],
  ])("%s", (sites, expected) => {
    const text = `data_x\n_cell_length_a 4 _cell_length_b 4 _cell_length_c 4\n${sites}`;
    expect(message(() => parseCif(text, { file: "a.cif" }))).toBe(expected);
  });
});

describe("symmetry", () => {
  const rows = "O1 .1 .2 .3";
  const operations = (list: string) => `loop_\n_symmetry_equiv_pos_as_xyz\n${list}`;

  test.each([
    ["", 1],
    ["_symmetry_space_group_name_H-M 'P 1'", 1],
    [operations("'x, y, z'\n'-x,-y,-z'"), 2],
    [operations("x, y, z\n-x, -y, -z + 1/2"), 2],
    [operations("x,y,z -x,-y,-z"), 2],
    [operations("'-X,-Y,-Z'"), 2],
    ["loop_ _symmetry_equiv_pos_site_id _symmetry_equiv_pos_as_xyz 1 x,y,z 2 1/2-x,0.5-y,-z", 2],
    ["loop_ _space_group_symop.id _space_group_symop.operation_xyz 1 x,y,z 2 y,x,z", 2],
    ["_symmetry_space_group_name_H-M ? _space_group_IT_number 221", 48],
    ["_symmetry_space_group_name_Hall '-P 4 2 3' _symmetry_space_group_name_H-M 'P m -3 m'", 48],
  ])("%j: %i atoms", (symmetry, count) => expect(read({ symmetry, rows }).length).toBe(count));

  test.each([
    ["_symmetry_Int_Tables_number 62", 62],
    ["_symmetry_space_group_name_H-M Pnma", 62],
    ["_symmetry_space_group_name_Hall '-P 2ac 2n'", 62],
    [operations("x,y,z"), undefined],
    ["", undefined],
  ])("the space group of %j is %s", (symmetry, number) => expect(read({ symmetry, rows }).spaceGroup).toBe(number));

  test.each([
    [operations("x,y,z\nx,y,q"), 'a.cif:6: "x,y,q" is not a symmetry operation: "q" is not like -x+1/2.'],
    [
      operations("x,y,z\n-x,-y,z\n-x,y,-z"),
      "a.cif:5: the 3 operations of _symmetry_equiv_pos_as_xyz are no group: x,-y,-z is missing.",
    ],
    [operations("x,y,z\n-y,x-y,z"), 'a.cif:6: the operation "-y,x-y,z" does not turn the cell into itself.'],
    ["_symmetry_equiv_pos_as_xyz ?", "a.cif:3: the symmetry is unknown: _symmetry_equiv_pos_as_xyz has no value."],
    [
      "_symmetry_space_group_name_H-M ?",
      "a.cif:3: the symmetry is unknown: _symmetry_space_group_name_H-M has no value.",
    ],
    ["_symmetry_space_group_name_H-M 'F m -3 q'", 'a.cif:3: There is no space group "F m -3 q".'],
    [
      "_symmetry_space_group_name_H-M Fd-3m",
      'a.cif:3: Space group "Fd-3m" has two choices of origin, and nothing says which.',
    ],
    [
      "_symmetry_space_group_name_H-M P6",
      'a.cif:3: The cell with edges 4, 4, 4 Å and angles 90, 90, 90° has not the symmetry of space group "P6".',
    ],
    [
      "_symmetry_space_group_name_Hall 'P 6'",
      'a.cif:3: the cell has not the symmetry of _symmetry_space_group_name_Hall "P 6".',
    ],
    ["_symmetry_space_group_name_Hall 'P q'", 'a.cif:3: "P q" is not a Hall symbol: "q" is no rotation.'],
    ["_symmetry_Int_Tables_number 231", 'a.cif:3: _symmetry_Int_Tables_number is "231": space groups are 1 … 230.'],
    [
      "_symmetry_Int_Tables_number 62 _symmetry_space_group_name_H-M Pbca",
      'a.cif:3: _symmetry_space_group_name_H-M "Pbca" is space group 61, but _symmetry_Int_Tables_number is "62".',
    ],
    [
      "_symmetry_Int_Tables_number 1 _symmetry_space_group_name_Hall 'P 2'",
      'a.cif:3: _symmetry_space_group_name_Hall "P 2" is space group 3, but _symmetry_Int_Tables_number is "1".',
    ],
    ["_space_group_symop_magn_operation.xyz x,y,z,+1", "a.cif:3: the symmetry operations are magnetic ones only."],
  ])("%j", (symmetry, expected) => expect(message(() => read({ symmetry, rows }))).toBe(expected));
});
