import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { strToU8, zipSync } from "fflate";
import { afterAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import type { Source } from "../../src/data/open.ts";
import { formatOf, parseStructures, readStructures, writeStructure } from "../../src/data/structureFiles.ts";
import { readZip } from "../../src/data/zip.ts";
import { structureTrial } from "../fuzz/structures.ts";
import { fuzz } from "../fuzz/tables.ts";
import { expectClose } from "./anyStructure.ts";

const POSCAR = "Na Cl\n1\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n";
const [SALT] = parseStructures(POSCAR, { file: "POSCAR" });
const TEXTS = {
  "salt.cif": writeStructure(SALT, "salt.cif"),
  "salt.vasp": POSCAR,
  "salt.xyz": writeStructure(SALT, "salt.xyz"),
  "salt.json": writeStructure(SALT, "salt.json"),
};
const folder = mkdtempSync(join(tmpdir(), "spinel-structures-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("names tell formats", () => {
  const names = [
    "a.cif",
    "A.CIF.gz",
    "a.mcif",
    "POSCAR",
    "x/CONTCAR_2",
    "POSCAR.1",
    "a.poscar",
    "a.vasp.gz",
    "a.xyz",
    "a.extxyz",
  ];
  expect([...names, "POSCAR.json", "a.zip", "a.csv", "a.jsonl.gz", "POSCAR/readme", "a.md"].map(formatOf)).toEqual([
    ...["cif", "cif", "cif", "poscar", "poscar", "poscar", "poscar", "poscar", "xyz", "xyz"],
    ...["json", "zip", "table", "table", undefined, undefined],
  ]);
});

describe.each(Object.entries(TEXTS))("%s", (name, text) => {
  const bytes = strToU8(text);
  const sources: Record<string, [Source, string | undefined]> = {
    "by its name": [bytes, name],
    "by its contents": [bytes, "unknown.bin"],
    gzipped: [gzipSync(bytes), `${name}.gz`],
    "a browser's file": [new File([bytes], name), undefined],
    "with Windows' line ends": [strToU8(text.replaceAll("\n", "\r\n")), "unknown"],
  };
  test.each(Object.entries(sources))("%s", async (_, [source, file]) => {
    const structures = await readStructures(source, { file });
    expect(structures).toHaveLength(1);
    expect([...structures[0].numbers]).toEqual([11, 17]);
    expectClose(structures[0].lattice!.matrix.flat(), SALT.lattice!.matrix.flat());
    expectClose(structures[0].positions, SALT.positions);
  });
});

test("a path, and the name in the messages", async () => {
  writeFileSync(join(folder, "a.vasp"), POSCAR.replace("0.5 0.5 0.5", "half"));
  await expect(readStructures(join(folder, "a.vasp"))).rejects.toThrow(/a\.vasp:10: the position of atom 2/);
});

test("records of other kinds in JSON, alone or as a list", () => {
  const record = {
    lattice: { a: 4, b: 4, c: 4, alpha: 90, beta: 90, gamma: 90 },
    numbers: [11, 17],
    frac: [
      [0, 0, 0],
      [0.5, 0.5, 0.5],
    ],
  };
  const molecule = { symbols: ["O"], positions: [[1, 2, 3]] };
  const parsed = parseStructures(JSON.stringify([record, molecule]), { file: "a.json" });
  expect(parsed.map(({ formula }) => formula)).toEqual(["NaCl", "O"]);
  expect(parsed[1].source).toBe("a.json: structure 2");
  expect(parseStructures(JSON.stringify(record, null, 2), { file: "a.json" })).toHaveLength(1);
});

test.each<[string, string, string, RegExp]>([
  [
    "a text",
    "notes.md",
    "# Notes",
    /notes\.md is no structure file: it begins with "# Notes"\.\n {2}Structure files are \*\.cif/,
  ],
  ["an empty file", "notes", "", /notes is no structure file/],
  ["JSON that ends", "a.json", '{"sites": [', /a\.json:1:12: not JSON: "\]" is missing/],
  ["JSON of something else", "a.json", '{"a": 1}', /a\.json is .* which holds no structure/],
  ["a list of something else", "a.json", "[1]", /a\.json: structure 1 is "1", which holds no structure/],
  ["no structures", "a.json", "[]", /a\.json holds no structures/],
])("%s", async (_, file, text, message) => {
  const error = await readStructures(strToU8(text), { file }).catch((reason) => reason);
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toMatch(message);
});

test("writeStructure needs a name that tells the format", () => {
  expect(() => writeStructure(SALT, "salt.txt")).toThrow(/"salt.txt": its ending tells no format/);
});

describe("zip archives", () => {
  const files = Object.fromEntries(Object.entries(TEXTS).map(([name, text]) => [`x/${name}`, strToU8(text)]));
  const others = {
    "x/": strToU8(""),
    "__MACOSX/x/._salt.cif": strToU8("?"),
    "x/.hidden.cif": strToU8("?"),
    "readme.md": strToU8("?"),
  };

  test("structures in the order of their names; nothing hidden, nothing else", async () => {
    const stored = { "x/a.vasp": [strToU8(POSCAR), { level: 0 }] as [Uint8Array, { level: 0 }] };
    const archive = zipSync({ ...files, ...others, ...stored });
    const structures = await readStructures(archive, { file: "a.zip" });
    expect(structures.map(({ source }) => source)).toEqual([
      ...["a.zip/x/a.vasp", "a.zip/x/salt.cif", "a.zip/x/salt.json", "a.zip/x/salt.vasp", "a.zip/x/salt.xyz:1"],
    ]);
    await expect(readStructures(zipSync(others), { file: "a.zip" })).rejects.toThrow(/a\.zip holds no structures/);
    await expect(readStructures(zipSync({}), { file: "a.zip" })).rejects.toThrow(/a\.zip holds no structures/);
  });

  const archive = zipSync({ "a.vasp": strToU8(POSCAR.repeat(50)) });
  test("sizes are limited before anything is unpacked", () => {
    const limits = { entry: 1000, total: 10_000 };
    expect(() => readZip(archive, { file: "z", limits })).toThrow(
      /z: "a\.vasp" unpacks to 0 MB; more than 0 MB are not read/,
    );
    expect(() =>
      readZip(zipSync({ a: new Uint8Array(9), b: new Uint8Array(9) }), { limits: { entry: 9, total: 17 } }),
    ).toThrow(/unpacks to more than/);
  });
  const directory = archive.length - 22 - 46 - "a.vasp".length;
  const patched = (at: number, ...bytes: number[]) => {
    const copy = archive.slice();
    copy.set(bytes, at);
    return copy;
  };
  test.each<[string, Uint8Array, RegExp]>([
    ["cut short", archive.slice(0, -30), /z: the zip archive is cut short or damaged \(its end is missing\)/],
    ["no directory", patched(directory, 0), /damaged \(no directory entry/],
    ["a directory outside", patched(archive.length - 6, 0xff, 0xff, 0xff, 0x7f), /points outside/],
    ["other contents", patched(60, archive[60] ^ 1), /damaged \(in "a\.vasp"\)/],
    ["another checksum", patched(directory + 16, archive[directory + 16] ^ 1), /damaged \(in "a\.vasp"\)/],
    ["a false size", patched(directory + 24, 9, 0, 0, 0), /damaged \(in "a\.vasp"\)/],
    ["a false size beyond deflate's powers", patched(directory + 24, 0, 0, 0, 0x0f), /damaged \(in "a\.vasp"\)/],
    ["encrypted", patched(directory + 8, 1), /z: "a\.vasp" is encrypted/],
    ["another method", patched(directory + 10, 12), /z: "a\.vasp" is packed by method 12/],
  ])("%s", (_, bytes, message) => {
    const all = () => readZip(bytes, { file: "z" }).map((entry) => entry.bytes());
    expect(all).toThrow(UserError);
    expect(all).toThrow(message);
  });
});

test("1500 mutated files: sound structures or a clear error", async () => {
  const { accepted, rejected } = await fuzz(structureTrial, { seed: 4, trials: 1500 });
  expect(accepted).toBeGreaterThan(100);
  expect(rejected).toBeGreaterThan(100);
});
