import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { strToU8 } from "fflate";
import { describe, expect, test } from "vitest";
import { type CrystalOptions, hasStructures, readCrystalRows, readCrystals } from "../../src/data/crystals.ts";
import { ELEMENTS } from "../../src/data/elements.ts";
import { writeExtxyz } from "../../src/data/extxyz.ts";
import { toPymatgen } from "../../src/data/pymatgen.ts";
import { Structure } from "../../src/data/structure.ts";
import { readTable } from "../../src/data/table.ts";
import { cif, failure, folder, KBR, MGO, NACL, poscar, zip } from "./saltFiles.ts";

const record = ({ numbers, lattice, fractional }: Structure) => ({
  lattice: lattice!.matrix,
  species: Array.from(numbers, (z) => ELEMENTS[z - 1].symbol),
  frac: [0, 1].map((i) => [...fractional.subarray(3 * i, 3 * i + 3)]),
});
const jsonl = (...rows: object[]) => strToU8(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

describe("records", () => {
  test("lattice, species and frac; other fields are columns", async () => {
    const rows = jsonl(
      { id: "m-1", ...record(NACL), spacegroup: 221, y: 1, gap: 5 },
      { id: 7, ...record(KBR), spacegroup: 1, y: 2, gap: 4 },
    );
    for (const source of [rows, gzipSync(rows)]) {
      const table = await readCrystals(source, { file: "a.jsonl", target: "y", numeric: ["*"] });
      expect(table.ids).toEqual(["m-1", "7"]);
      expect(table.structures!.map(({ spaceGroup }) => spaceGroup)).toEqual([221, 1]);
      expect(table.structures![0].source).toBe("a.jsonl:1 (m-1)");
      expect(table.formulas).toEqual(["NaCl", "KBr"]);
      expect(table.numeric.names).toEqual(["spacegroup", "gap"]);
      expect(table.unused).toEqual([]);
    }
  });
  test.each<[string, object]>([
    [
      "Cartesian positions",
      {
        lattice: NACL.lattice!.matrix,
        species: ["Na+", "Cl-"],
        positions: [
          [0, 0, 0],
          [2, 2, 2],
        ],
      },
    ],
    [
      "atomic numbers",
      {
        cell: [4, 0, 0, 0, 4, 0, 0, 0, 4],
        numbers: [11, 17],
        coords: [
          [0, 0, 0],
          [2, 2, 2],
        ],
      },
    ],
    ["edges and angles", { ...record(NACL), lattice: NACL.lattice!.parameters }],
    ["{ matrix }", { ...record(NACL), lattice: { matrix: NACL.lattice!.matrix } }],
    ["pymatgen's structure", { structure: toPymatgen(NACL) }],
    ["pymatgen's structure as text", { structure: JSON.stringify(toPymatgen(NACL)) }],
    ["pymatgen's structure as record", { ...toPymatgen(NACL), y: 1 }],
    ["CIF", { cif: cif(NACL) }],
  ])("%s", async (_, fields) => {
    const [structure] = (await readCrystals(jsonl(fields), { file: "a.jsonl" })).structures!;
    expect([...structure.numbers]).toEqual([11, 17]);
    for (let i = 0; i < 6; i++) expect(structure.positions[i]).toBeCloseTo(i < 3 ? 0 : 2, 6);
  });
  test("Matbench's files, whose official ids stay", async () => {
    const data = [
      [toPymatgen(NACL), 1.5],
      [toPymatgen(KBR), 2.5],
    ];
    const text = JSON.stringify({ index: [0, 1], columns: ["structure", "last phdos peak"], data });
    const source = new File([gzipSync(text)], "matbench_phonons.json.gz");
    const table = await readCrystals(source, { target: "last phdos peak" });
    expect(table.ids).toEqual(["mb-phonons-1", "mb-phonons-2"]);
    expect(table.formulas).toEqual(["NaCl", "KBr"]);
    expect(table.structures).toHaveLength(2);
    const plain = await readTable(source, { target: "last phdos peak" });
    expect([plain.formulas, plain.structures]).toEqual([["NaCl", "KBr"], undefined]);
    expect(await hasStructures(source)).toBe(true);
  });
  test("a CSV with CIF text, or with the names of files beside it", async () => {
    const quoted = `"${cif(NACL).replaceAll('"', '""')}"`;
    const table = await readCrystals(strToU8(`material_id,cif,y\nm,${quoted},3\n`), { file: "a.csv", target: "y" });
    expect([table.ids, table.formulas, table.unused]).toEqual([["m"], ["NaCl"], []]);
    const path = folder({ "t.csv": "id,path,y\nm,sub/a.cif,3\n", "sub/a.cif": cif(NACL) });
    expect((await readCrystals(join(path, "t.csv"), { target: "y" })).formulas).toEqual(["NaCl"]);
    expect(await failure(strToU8("file,y\na.cif,1\n"), { file: "t.csv" })).toMatch(
      /^t\.csv:2: the table names the file "a\.cif"\.\n {2}Give the table and/,
    );
  });
  test.each<[string, object, RegExp]>([
    [
      "no element",
      { ...record(NACL), species: ["Na", "Xx"] },
      /^a\.jsonl:1 \(m\): "species": atom 2 is "Xx", which is no element/,
    ],
    ["no list", { ...record(NACL), species: "NaCl" }, /^a\.jsonl:1 \(m\): "species" is "NaCl", not a list/],
    [
      "two numbers",
      {
        ...record(NACL),
        frac: [
          [0, 0],
          [1, 1, 1],
        ],
      },
      /^a\.jsonl:1 \(m\): "frac" of atom 1 is "\[0,0\]", not three/,
    ],
    [
      "a missing atom",
      { ...record(NACL), frac: [[0, 0, 0]] },
      /^a\.jsonl:1 \(m\): 2 atoms in "species", but 1 in "frac"/,
    ],
    [
      "a flat lattice",
      {
        ...record(NACL),
        lattice: [
          [1, 0, 0],
          [0, 1, 0],
          [1, 1, 0],
        ],
      },
      /^a\.jsonl:1 \(m\): The lattice vectors/,
    ],
    ["no structure", { structure: null }, /^a\.jsonl:1 \(m\): "null" is no structure/],
    ["JSON that is none", { structure: "{" }, /^a\.jsonl:1 \(m\): "structure" holds "{", which is not JSON/],
    [
      "a file for CIF",
      { cif: "a.cif" },
      /^a\.jsonl:1 \(m\): "cif" is "a\.cif", not the text of a CIF file\.\n.*called "file"/,
    ],
    ["bad CIF", { cif: "data_a\n_cell_length_a x\n" }, /^a\.jsonl:1 \(m\)/],
    ["nothing", { formula: "NaCl" }, /^a\.jsonl holds no structures: its columns are "id", "formula"/],
  ])("%s", async (_, fields, message) => {
    expect(await failure(jsonl({ id: "m", ...fields }), { file: "a.jsonl" })).toMatch(message);
  });
  test("skipBad goes on after damaged lines and structures", async () => {
    const lines = [
      '{"id": "x", "lattice"',
      JSON.stringify({ id: "a", ...record(NACL) }),
      "{",
      JSON.stringify({ id: "b", ...record(KBR), species: ["Q", "R"] }),
      JSON.stringify({ id: "c", ...record(MGO) }),
    ];
    const table = await readCrystals(strToU8(lines.join("\n")), { file: "a.jsonl", skipBad: true });
    expect(table.formulas).toEqual(["NaCl", "MgO"]);
    expect(table.dropped.map(({ line, reason }) => `${line}: ${reason}`)).toEqual([
      expect.stringMatching(/^1: 22: not JSON/),
      expect.stringMatching(/^3: 2: not JSON/),
      '4: (b): "species": atom 1 is "Q", which is no element.',
    ]);
    expect(await failure(strToU8("{\n{\n"), { file: "a.jsonl", skipBad: true })).toMatch(/^a\.jsonl:1:2: not JSON/);
  });
  test("a column of structures is nothing else", async () => {
    expect(await failure(jsonl(record(NACL)), { file: "a.jsonl", target: "lattice" })).toMatch(
      /column "lattice" cannot be both structure and target/,
    );
  });
});

describe("extended xyz", () => {
  const frames = [
    NACL.with({ properties: { energy: -1, name: "a", phase: "rock salt" } }),
    KBR.with({ properties: { energy: -2, name: "b", phase: "x" } }),
  ];
  test("keys are columns", async () => {
    const table = await readCrystals(strToU8(writeExtxyz(frames)), {
      file: "a.xyz",
      target: "energy",
      categorical: ["phase"],
    });
    expect(table.ids).toEqual(["a", "b"]);
    expect([...table.targets!.values]).toEqual([-1, -2]);
    expect(table.categorical.values).toEqual([["rock salt", "x"]]);
    expect([...table.lines]).toEqual([1, 5]);
    const bare = await readCrystals(strToU8(writeExtxyz([NACL, KBR])), { file: "a.xyz" });
    expect(bare.ids).toEqual(["1", "2"]);
  });
  test("mistakes", async () => {
    const text = writeExtxyz(frames);
    const read = (wrong: string, options: CrystalOptions = {}) =>
      failure(strToU8(wrong), { file: "a.xyz", ...options });
    expect(await read(text, { target: "forces" })).toMatch(
      /^a\.xyz has no target column "forces"\.\n {2}It has "energy"/,
    );
    expect(await read(writeExtxyz([NACL]), { target: "energy" })).toMatch(
      /no target column "energy"\.\n {2}Write it into/,
    );
    expect(await read(text.replace("energy=-2", ""), { target: "energy" })).toMatch(
      /values are missing in 1 of 2 rows: line 5 "energy"/,
    );
    expect(await read(text.replace("\nBr", "\nXx"))).toMatch(/^a\.xyz:8: "Xx" is no element/);
    expect(await read(text.slice(0, -20))).toMatch(/^a\.xyz/);
    const table = await readCrystals(strToU8(text.replace("\nCl", "\nXx")), { file: "a.xyz", skipBad: true });
    expect(table.ids).toEqual(["b"]);
    expect(table.dropped).toEqual([{ line: 1, reason: 'a.xyz:4: "Xx" is no element.' }]);
  });
});

test("readCrystalRows reads as far as it is asked to", async () => {
  let taken = 0;
  async function* endless() {
    for (;;) {
      taken++;
      yield jsonl(record(NACL), { ...record(KBR), species: ["Q", "R"] });
    }
  }
  const ids: string[] = [];
  for await (const table of readCrystalRows(endless(), { file: "a.jsonl", batch: 4, skipBad: true })) {
    expect(table.structures).toHaveLength(2);
    expect(table.dropped.map(({ reason }) => reason)).toEqual(
      Array(2).fill('"species": atom 1 is "Q", which is no element.'),
    );
    if (ids.push(...table.ids) >= 6) break;
  }
  expect(ids).toEqual(["1", "3", "5", "7", "9", "11"]);
  expect(taken).toBeLessThan(50);
});

test("the line of a mistake is not taken for the row's, which it begins with", async () => {
  const first = writeExtxyz([
    new Structure({ numbers: Array(12).fill(1), positions: Float64Array.from({ length: 36 }, (_, i) => i) }),
  ]);
  const text = first.trimEnd().split("\n");
  text[12] = text[12].replace(/^H/, "Xx");
  const source = strToU8(`${text.join("\n")}\n${writeExtxyz([NACL])}`);
  const { dropped } = await readCrystals(source, { file: "a.xyz", skipBad: true });
  expect(dropped).toEqual([{ line: 1, reason: 'a.xyz:13: "Xx" is no element.' }]);
});

test("hasStructures tells what readCrystals is for", async () => {
  const yes = [
    folder({}),
    [],
    zip({}),
    new File([cif(NACL)], "a.cif"),
    jsonl(record(NACL)),
    strToU8(poscar(NACL)),
    strToU8(writeExtxyz([NACL])),
    strToU8("id,file\na,b.cif\n"),
  ];
  for (const source of yes) expect(await hasStructures(source as File)).toBe(true);
  const no = [
    strToU8("formula,y\nNaCl,1\n"),
    strToU8("file,y\nnotes.txt,1\n"),
    jsonl({ formula: "NaCl" }),
    strToU8(""),
    strToU8("{"),
    strToU8('{"index":[0],"columns":["composition"],"data":[["Fe"]]}'),
  ];
  for (const source of no) expect(await hasStructures(source)).toBe(false);
});
