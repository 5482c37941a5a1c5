import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { type GivenFile, readFiles } from "../../src/lab/crystals/reading.ts";
import { BROKEN, CSCL, folder, KCL } from "./crystalFiles.ts";

const given = (path: string, contents: string | Uint8Array): GivenFile => ({
  path,
  file: new File([contents as BlobPart], path.slice(path.lastIndexOf("/") + 1)),
});
const names = ({ structures }: Awaited<ReturnType<typeof readFiles>>): string[] => structures.map(({ name }) => name);
const XYZ = (energies: readonly (number | string)[]): string =>
  energies.map((e) => `1\nLattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3 energy=${e}\nCu 0 0 0\n`).join("");

test("a folder with id_prop.csv: rows, structures without a row, rows without a structure, foreign files", async () => {
  const files = folder().slice(0, 4);
  const table = `${files[0].buffer.toString().split("\n").slice(0, 3).join("\n")}\nLiF-9,1\n`;
  const reading = await readFiles([
    given("set/id_prop.csv", table),
    ...files.slice(1).map(({ name, buffer }) => given(`set/${name}`, buffer)),
    given("set/extra/KCl.cif", KCL),
    ...[given("set/atom_init.json", "{}"), given("set/.DS_Store", "x"), given("set/README.md", "Some crystals.")],
  ]);
  expect(names(reading)).toEqual(["LiF-4.2", "LiF-5.4", "LiF-6.6", "extra/KCl"]);
  expect(reading.data!.length).toBe(3);
  expect(reading.data!.numeric.names).toEqual(["target"]);
  expect(reading.problems.map(({ file }) => file)).toEqual([
    ...["set/id_prop.csv:4", "set/README.md", "set/atom_init.json"],
  ]);
  expect(reading.problems[0].message).toMatch(/no structure file for "LiF-9"/);
});

test("a table that names nothing does not hide the structures beside it", async () => {
  const reading = await readFiles([given("other.csv", "x,y\n1,2\n3,4\n"), given("KCl.cif", KCL)]);
  expect(names(reading)).toEqual(["KCl"]);
  expect(reading.data).toBeUndefined();
  expect(reading.problems).toMatchObject([{ file: "other.csv" }]);
});

test("archives are read as folders are; a bad file in one keeps back no other", async () => {
  const text = (value: string) => new TextEncoder().encode(value);
  const zip = zipSync({ "a/KCl.cif": text(KCL), "a/broken.cif": text(BROKEN), "a/POSCAR": text(CSCL) });
  const reading = await readFiles([given("all.zip", zip), given("bad.zip", zip.subarray(0, 40))]);
  expect(names(reading).sort()).toEqual(["a", "a/KCl"]);
  expect(reading.problems.map(({ file }) => file)).toEqual(["all.zip/a/broken.cif", "bad.zip"]);
  expect(reading.problems[0].message).toMatch(/_cell_length_c/);

  const set = zipSync(Object.fromEntries(folder().map(({ name, buffer }) => [name, new Uint8Array(buffer)])));
  const { data, structures, problems } = await readFiles([given("set.zip", set)]);
  expect([data?.length, structures.length, problems.length]).toEqual([60, 60, 0]);
});

test("numbers of extended xyz can be learned", async () => {
  const { data, structures } = await readFiles([given("md.extxyz", XYZ([-1, -2.5, -3]))]);
  expect(structures.length).toBe(3);
  expect(data!.numeric.names).toEqual(["energy"]);
  expect([...data!.numeric.values]).toEqual([-1, -2.5, -3]);
});
