import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CrystalOptions, type CrystalSource, readCrystals } from "../../src/data/crystals.ts";
import { writeExtxyz } from "../../src/data/extxyz.ts";
import { toPymatgen } from "../../src/data/pymatgen.ts";
import { writeStructure } from "../../src/data/structureFiles.ts";
import { cif, failure, folder, KBR, MGO, NACL, picked, poscar, zip } from "./saltFiles.ts";

const CGCNN = {
  "id_prop.csv": "a,1.5\nb,-2\nc,nan\n",
  "a.cif": cif(NACL),
  "b.cif": cif(KBR),
  "c.cif": cif(MGO),
  "atom_init.json": "{}",
};

describe("a folder with id_prop.csv", () => {
  test.each<[string, () => CrystalSource]>([
    ["folder", () => folder(CGCNN)],
    ["its id_prop.csv", () => join(folder(CGCNN), "id_prop.csv")],
    ["zip archive", () => zip(CGCNN)],
    [
      "zip archive of a folder",
      () => zip(Object.fromEntries(Object.entries(CGCNN).map(([name, text]) => [`x/${name}`, text]))),
    ],
    ["browser's files", () => picked(CGCNN)],
  ])("%s", async (_, source) => {
    const table = await readCrystals(source(), { target: "gap", dropMissing: true });
    expect(table.ids).toEqual(["a", "b"]);
    expect(table.formulas).toEqual(["NaCl", "KBr"]);
    expect(table.structures!.map(({ formula }) => formula)).toEqual(["NaCl", "KBr"]);
    expect(table.structures![1].source).toMatch(/b\.cif$/);
    expect(table.targets).toEqual({ names: ["gap"], values: Float64Array.of(1.5, -2) });
    expect([...table.lines]).toEqual([1, 2]);
    expect(table.dropped).toEqual([{ line: 3, reason: 'no value in "gap"' }]);
    expect(table.unused).toEqual([]);
    expect(table.rows([1]).structures![0].formula).toBe("KBr");
  });

  test("structure files are found by what people call them", async () => {
    const source = folder({
      "id_prop.csv": "v,1\np,2\nq,3\nr,4\ns.cif,5\nt,6\nu/CONTCAR,7\nw,8\n",
      ...{ "v.vasp": poscar(NACL), "p/POSCAR": poscar(NACL), "POSCAR.q": poscar(NACL), "cifs/r.cif": cif(NACL) },
      ...{ "s.cif": cif(NACL), "t.xyz": writeStructure(NACL, "t.xyz"), "u/CONTCAR": poscar(NACL), "u/POSCAR": "" },
      "w.json": JSON.stringify(toPymatgen(NACL)),
    });
    const table = await readCrystals(source, { target: "y" });
    expect(table.structures).toHaveLength(8);
    expect(table.ids[4]).toBe("s.cif");
    expect(table.unused).toEqual(["u/POSCAR"]);
  });

  test("a header is recognised, and so are labels and several columns", async () => {
    const files = { "a.cif": cif(NACL), "b.cif": cif(KBR) };
    const read = (csv: string, options: CrystalOptions) =>
      readCrystals(picked({ ...files, "id_prop.csv": csv }), options);
    const headed = await read("material,gap,note\na,1,x\nb,2,y\n", { target: "gap", categorical: ["note"] });
    expect([headed.ids, [...headed.targets!.values], [...headed.lines]]).toEqual([
      ["a", "b"],
      [1, 2],
      [2, 3],
    ]);
    expect((await read("id,class\na,metal\nb,glass\n", { target: "class" })).classes).toEqual(["glass", "metal"]);
    expect((await read("a,metal\nb,glass\n", { target: "class" })).classes).toEqual(["glass", "metal"]);
    expect((await read("a,0\nb,1\n", { target: "metal" })).classes).toEqual(["0", "1"]);
    const several = await read("a,1,5\nb,2,6\n", { target: "column 3", numeric: ["target"] });
    expect([...several.targets!.values, ...several.numeric.values]).toEqual([5, 6, 1, 2]);
    expect((await read("a\nb\n", {})).ids).toEqual(["a", "b"]);
    expect((await read("id,file,y\nx,a.cif,1\ny,b.cif,2\n", { target: "y" })).ids).toEqual(["x", "y"]);
    expect((await read("file;y\na.cif;1\nb.cif;2\n", { target: "y" })).ids).toEqual(["a.cif", "b.cif"]);
  });

  test("without one, the only CSV with a column of files counts; else structures have no targets", async () => {
    const files = { "a.cif": cif(NACL), "b.vasp": poscar(KBR) };
    const named = await readCrystals(folder({ ...files, "targets.csv": "y,name\n1,b\n2,a\n" }), { target: "y" });
    expect([named.ids, named.formulas]).toEqual([
      ["b", "a"],
      ["KBr", "NaCl"],
    ]);
    for (const more of [{}, { "notes.csv": "x,y\n1,2\n" }]) {
      const table = await readCrystals(folder({ ...files, ...more } as Record<string, string>));
      expect([table.ids, table.formulas, table.targets]).toEqual([["a", "b"], ["NaCl", "KBr"], undefined]);
    }
  });

  test("every mistake has its message", async () => {
    const { "a.cif": a, "b.cif": b } = CGCNN;
    const read = (files: Record<string, string>, options: CrystalOptions = { target: "y" }) =>
      failure(picked({ z: "", ...files }), options);
    const csv = "id_prop.csv";
    expect(await read({ [csv]: "a,1\nx,2\n", "a.cif": a })).toMatch(
      /^id_prop\.csv:2: there is no structure file for "x"\.\n {2}Expected x\.cif, x\.vasp, .* in the 3 files\. Or leave it out \(skipBad\)\.$/,
    );
    expect(await read({ [csv]: "a,1\na,2\n", "a.cif": a })).toMatch(/lines 1 and 2 have the same id "a"/);
    expect(await read({ [csv]: "a,1\n", "a.cif": a, "a.vasp": "" })).toMatch(
      /^id_prop\.csv:1: "a" may be a\.cif or a\.vasp/,
    );
    expect(await read({ [csv]: "a,1\nb,x\n", "a.cif": a, "b.cif": b })).toMatch(
      /^id_prop\.csv:2: column "y" holds "x"/,
    );
    expect(await read({ [csv]: "a,1,2\n", "a.cif": a })).toMatch(
      /no target column "y"\.\n.*"id", "target", "column 3"/,
    );
    expect(await read({ [csv]: "", "a.cif": a })).toMatch(/^id_prop\.csv is empty\.\n {2}Add id_prop\.csv/);
    expect(await read({ [csv]: "a,1\n", "a.cif": "data_a\n" })).toMatch(/^a\.cif/);
    expect(await read({ [csv]: "a,1\n", "a.xyz": writeExtxyz([NACL, NACL]) })).toMatch(
      /^a\.xyz: there are 2 structures where one is expected/,
    );
    expect(await read({ "a.cif": a })).toMatch(/has no target column "y"\.\n {2}Add id_prop\.csv: a line id,value/);
    expect(await read({ "a.cif": a, "t.csv": "u,v\n1,2\n" })).toMatch(
      /t\.csv: no column names structure files in the 3 files/,
    );
    expect(await read({ "a.csv": "u,v\n1,2\n" })).toMatch(
      /holds no structure files, only a\.csv, z\.\n {2}If a\.csv is the table, give that file/,
    );
    expect(await read({ y: "" })).toMatch(/only y, z\.\n {2}Expected structure files and id_prop\.csv/);
    expect(await read({ "x/id_prop.csv": "a,1\n", "y/id_prop.csv": "a,1\n" })).toMatch(
      /there are .*id_prop\.csv and .*id_prop\.csv/,
    );
    expect(await failure(folder({}))).toMatch(/^\/f\d+ holds no structure files; it is empty\./);
  });

  test("skipBad leaves out what is wrong and says what", async () => {
    const source = folder({
      ...CGCNN,
      "id_prop.csv": "a,1\nb,x\nc,3\nd,4\ne,\nf,6\n",
      "c.cif": "data_\n",
      "f.vasp": poscar(MGO),
    });
    const table = await readCrystals(source, { target: "y", task: "regression", skipBad: true });
    expect(table.ids).toEqual(["a", "f"]);
    expect(table.structures).toHaveLength(2);
    expect(table.formulas).toEqual(["NaCl", "MgO"]);
    expect(table.dropped.map(({ line, reason }) => `${line}: ${reason.replace(`${source}/`, "")}`)).toEqual([
      '2: column "y" holds "x", which is not a finite number.',
      expect.stringMatching(/^3: c\.cif/),
      '4: there is no structure file for "d".',
      '5: there is no structure file for "e".',
    ]);
    const none = folder({ "id_prop.csv": "a,1\n", "b.cif": "" });
    expect(await failure(none, { target: "y", skipBad: true })).toMatch(
      /every row has a mistake, e\.g\. line 1: there is no/,
    );
  });
});

describe("structure files without a table", () => {
  test("paths, each with its name as id", async () => {
    const path = folder({
      "a.cif": cif(NACL),
      "x/b.vasp": poscar(KBR),
      "c.xyz": writeExtxyz([MGO, NACL]),
      "d.txt": "what?",
    });
    const table = await readCrystals(["a.cif", "x/b.vasp", "c.xyz"].map((name) => join(path, name)));
    expect(table.ids).toEqual(["a", "c#1", "c#2", "x/b"]);
    expect([...table.lines]).toEqual([1, 2, 3, 4]);
    expect((await readCrystals(join(path, "a.cif"))).length).toBe(1);
    expect((await readCrystals([join(path, "a.cif")])).length).toBe(1);
    expect(await failure([join(path, "a.cif"), join(path, "d.txt")])).toMatch(/d\.txt is no structure file/);
    const table2 = await readCrystals([join(path, "d.txt"), join(path, "a.cif")], { skipBad: true });
    expect(table2.ids).toEqual(["a"]);
    expect(table2.dropped).toEqual([{ line: 2, reason: expect.stringContaining("d.txt is no structure file") }]);
    expect(await failure([join(path, "a.cif"), join(path, "none.cif")])).toMatch(/none\.cif: there is no such file/);
  });
  test("two of one name", async () => {
    expect(await failure(picked({ "a.cif": cif(NACL), "a.vasp": poscar(KBR) }))).toMatch(
      /lines 1 and 2 have the same id "a"/,
    );
  });
  test("pymatgen's JSON over several lines, and on one", async () => {
    for (const indent of [0, 2]) {
      const table = await readCrystals(new File([JSON.stringify(toPymatgen(NACL), null, indent)], "a.json"));
      expect(table.formulas).toEqual(["NaCl"]);
    }
  });
});
