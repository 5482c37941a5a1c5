import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { strToU8, zipSync } from "fflate";
import { ELEMENTS } from "../../../src/data/elements.ts";
import { writeExtxyz } from "../../../src/data/extxyz.ts";
import { Lattice } from "../../../src/data/lattice.ts";
import { toPymatgen } from "../../../src/data/pymatgen.ts";
import { Structure } from "../../../src/data/structure.ts";
import { writeStructure } from "../../../src/data/structureFiles.ts";

const CATIONS = [3, 11, 19, 37, 12, 20, 38, 30];
const ANIONS = [9, 17, 35, 53, 8, 16];
export const CRYSTALS = 24;

/** Crystal i of data sets that have something to learn: rock salt or caesium chloride, and what follows from its ions and size. */
export function crystal(i: number): { id: string; structure: Structure; energy: number; metal: number } {
  const [cation, anion] = [CATIONS[i % 8], ANIONS[(i * 5 + Math.floor(i / 8)) % 6]];
  const a = 3.2 + ((i * 7) % 24) / 12;
  const rocksalt = i % 2 === 0;
  const half = a / 2;
  const lattice = rocksalt
    ? new Lattice([
        [0, half * 1.4, half * 1.4],
        [half * 1.4, 0, half * 1.4],
        [half * 1.4, half * 1.4, 0],
      ])
    : Lattice.cubic(a);
  const structure = new Structure({
    ...{ numbers: [cation, anion], fractional: [0, 0, 0, 0.5, 0.5, 0.5], lattice },
    spaceGroup: rocksalt ? 225 : 221,
  });
  return { id: `x${i}`, structure, energy: Math.round(1000 * (a - cation / 20)) / 1000, metal: cation > 18 ? 1 : 0 };
}

export const cif = (i: number): string => writeStructure(crystal(i).structure, `x${i}.cif`);
/** The file x7.cif with atoms too far apart to be neighbours, and with an O for a 0 in line 22. */
export const SPARSE = cif(7).replace(/(_cell_length_.) .*/g, "$1 30");
export const BROKEN = cif(7).replace("0.5 0.5 0.5", "0.5 O.5 0.5");
const all = Array.from({ length: CRYSTALS }, (_, i) => i);

/** CGCNN's folder: id_prop.csv without a header and a CIF file for each of its rows. `change` adds and replaces files, undefined removes. */
export function cifFolder(change: Record<string, string | undefined> = {}): Record<string, string> {
  const files: Record<string, string | undefined> = { "id_prop.csv": idProp(({ energy }) => energy) };
  for (const i of all) files[`x${i}.cif`] = cif(i);
  return Object.fromEntries(
    Object.entries({ ...files, ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Lines id,value; `change` replaces the values of single rows. */
export function idProp(
  value: (row: ReturnType<typeof crystal>) => number | string,
  change: Record<number, string> = {},
): string {
  return all.map((i) => `${crystal(i).id},${change[i] ?? value(crystal(i))}\n`).join("");
}

/** A JSON line: lattice, species, frac and the targets. */
export function line(i: number, change: Record<string, unknown> = {}): string {
  const { id, structure, energy, metal } = crystal(i);
  const { lattice, numbers, fractional, spaceGroup } = structure;
  const record = {
    ...{ id, lattice: lattice!.matrix, species: Array.from(numbers, (z) => ELEMENTS[z - 1].symbol) },
    ...{ frac: [[...fractional.subarray(0, 3)], [...fractional.subarray(3)]], spacegroup: spaceGroup, energy, metal },
  };
  return `${JSON.stringify({ ...record, ...change })}\n`;
}

/** JSON lines; `change` replaces single ones. */
export const jsonLines = (change: Record<number, string> = {}): string => all.map((i) => change[i] ?? line(i)).join("");

/** Frames whose second lines hold energy and name. */
export const frames = (): string =>
  writeExtxyz(
    all.map((i) => {
      const { id, structure, energy } = crystal(i);
      return structure.with({ properties: { energy, name: id } });
    }),
  );

/** As Matbench publishes its data sets, gzipped. */
export function matbench(): Uint8Array {
  const data = all.map((i) => [toPymatgen(crystal(i).structure), crystal(i).energy]);
  return gzipSync(JSON.stringify({ index: all, columns: ["structure", "energy"], data }));
}

export const zipped = (files: Record<string, string>): Uint8Array =>
  zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));

/** Writes files below the folder. */
export function write(folder: string, files: Record<string, string | Uint8Array>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** A crystal graph network that trains in a second. */
export const SMALL = [
  ...["--atom-fea-len", "8", "--n-conv", "1", "--h-fea-len", "8"],
  ...["--batch-size", "8", "--epochs", "2", "--threads", "1"],
];
