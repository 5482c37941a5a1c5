import { describe, expect, test } from "vitest";
import { parseCif } from "../../src/data/cif.ts";
import { readStar } from "../../src/data/cifStar.ts";

const CELL = "_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n";
const NAMES = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n";
const SOUND = `data_x\n${CELL}${NAMES}Fe1 0 0 0\nO1 .5 .5 .5\n`;

/** All names and values of the first block. */
function values(text: string): Record<string, string[]> {
  const [{ columns }] = readStar(text, "a.cif");
  return Object.fromEntries(
    [...columns].map(([key, { loop, at }]) => [key, loop.values.filter((_, i) => i % loop.names.length === at)]),
  );
}

const message = (text: string): string => {
  try {
    parseCif(text, { file: "a.cif" });
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
  return "";
};

describe("STAR", () => {
  test("names, values, comments, quotes", () => {
    expect(
      values(
        `#\\#CIF_1.1\nDATA_x # a block\n_a 1\n_B.c 'a dog's "life"'  # why\n_d "it's" _e a'b#c\n_f ';'\t_g '' _h ?`,
      ),
    ).toEqual({ _a: ["1"], _b_c: [`a dog's "life"`], _d: ["it's"], _e: ["a'b#c"], _f: [";"], _g: [""], _h: ["?"] });
  });

  test("text fields", () => {
    expect(values("data_x\n_a\n;one\n two;\n'\n;\n_b\n;\n;\n_c ;d\n_e\n;f\n;_g 1")).toEqual({
      ...{ _a: ["one\n two;\n'"], _b: [""], _c: [";d"], _e: ["f"], _g: ["1"] },
    });
  });

  test("loops", () => {
    expect(values("data_x LOOP_ _a _b 1 2\n3 'loop_' _c 5 loop_ _d stop_ _e 6 loop_ _f 'data_y' data_y _a 1")).toEqual({
      ...{ _a: ["1", "3"], _b: ["2", "loop_"], _c: ["5"], _d: [], _e: ["6"], _f: ["data_y"] },
    });
  });

  test.each(["\n", "\r\n", "\r"])("line ends %j, a byte-order mark, tabs", (end) => {
    const text = `\ufeff${SOUND.replaceAll(" ", "\t").replaceAll("\n", end)}_t${end};a${end}b${end};${end}_cell_angle_alpha x`;
    expect(message(text)).toBe('a.cif:16: _cell_angle_alpha is "x": not a number.');
    expect(parseCif(text.replace("_cell_angle_alpha", "_other"))[0].length).toBe(2);
  });

  test("save frames are left out, blocks without atoms passed over", () => {
    const [structure, ...others] = parseCif(
      `global_ _a 1 data_text _b 2 ${SOUND}save_frame\n_cell_length_a 9\nsave_\n_c 3\ndata_form ${NAMES} ? ? ? ?`,
      { file: "a.cif" },
    );
    expect(others).toEqual([]);
    expect(structure.source).toBe("a.cif");
    expect(structure.lattice!.parameters.a).toBe(4);
  });

  test("each block with atoms is a structure", () => {
    const structures = parseCif(SOUND + SOUND.replace("data_x", "data_Y-2"), { file: "a.cif" });
    expect(structures.map(({ source }) => source)).toEqual(["a.cif:x", "a.cif:Y-2"]);
    expect(structures.map(({ properties }) => properties.id)).toEqual(["x", "Y-2"]);
  });

  test.each([
    ["", "a.cif: there is nothing in it."],
    [" # only a comment", "a.cif: there is nothing in it."],
    ["\nNaCl\n1.0\n5 0 0", 'a.cif:2: this is not CIF: it begins "NaCl", not data_….'],
    ['{"lattice": 1}', 'a.cif:1: this is not CIF: it begins "{\\"lattice\\":", not data_….'],
    ["PK\u0003\u0004\u0000", 'a.cif:1: this is not CIF: it begins "PK", not data_….'],
    ["data_x\n_a 1 2", 'a.cif:2: "2" stands under no name.'],
    ["data_x\n_a\n_b 1", 'a.cif:2: "_a" has no value.'],
    ["data_x\n_a", 'a.cif:2: "_a" has no value.'],
    ["data_x\nloop_ 1", "a.cif:2: no names follow loop_."],
    ["data_x\n\n_a 'b\nc'", 'a.cif:3: the quote that opens "\'b" is not closed on its line.'],
    ["data_x\n_a\n;b\n c;\n", "a.cif:3: the text that the semicolon at the beginning of this line opens never ends."],
    [
      "data_x\nloop_\n_a\n_b\n1 2\n3",
      "a.cif:6: the loop of _a, _b has 3 values, no multiple of its 2 names: on this line there are 1.",
    ],
    ["data_x\nloop_\n_a\n_b\n_c\n1\n2", "a.cif:2: the loop of _a, …, _c has 2 values, no multiple of its 3 names."],
    ["data_x\n_a 1", "a.cif: no data block has atom sites (_atom_site_fract_x)."],
    [`${SOUND}_cell_length_a 5`, "a.cif:12: _cell_length_a comes again, with another content than on line 2."],
  ])("%j", (text, expected) => expect(message(text)).toBe(expected));

  test("what comes twice and is the same does no harm", () => expect(message(`${SOUND}_cell_length_a 4`)).toBe(""));

  test("time grows with length, no faster", () => {
    const rows = Array.from(
      { length: 40_000 },
      (_, i) => `H${i} ${((i % 40) + 0.5) / 40} ${((i / 40) % 40) / 40} ${i / 4e4}`,
    );
    const big = SOUND.replaceAll(" 4\n", " 200\n").replace(/Fe1.*/s, rows.join("\n"));
    const texts = [
      big,
      `data_x _a ${"'b c' ".repeat(3).trim()}`.replace(/ 'b c' 'b c'$/, ` loop_ _b ${"'b c' ".repeat(300_000)}`),
      `data_x _a ${"1".repeat(2_000_000)}x`,
      `data_x loop_ _a ${"\n;\nx\n;".repeat(200_000)}`,
      `${SOUND}_cell_angle_alpha ${"9".repeat(2_000_000)}x`,
      `${SOUND}_symmetry_space_group_name_Hall '${"P 2 ".repeat(300_000)}'`,
      `${SOUND}_symmetry_space_group_name_H-M '${"P 2 ".repeat(300_000)}'`,
      `${SOUND}_symmetry_equiv_pos_as_xyz '${"x+".repeat(300_000)}'`,
      `data_x ${"#".repeat(1_000_000)}\n${"'".repeat(1_000_000)}`,
    ];
    for (const text of texts) {
      const begin = process.cpuUsage();
      const error = message(text);
      expect(process.cpuUsage(begin).user / 1e3, `${text.slice(-40)}: ${error}`).toBeLessThan(3000);
      expect(error.length).toBeLessThan(400);
    }
    expect(parseCif(big)[0].length).toBe(40_000);
  });
});
