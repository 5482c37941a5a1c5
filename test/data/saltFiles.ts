import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { afterAll, expect } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { type CrystalOptions, type CrystalSource, readCrystals } from "../../src/data/crystals.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { writeStructure } from "../../src/data/structureFiles.ts";

/** Rock salt with these two elements. */
export function salt(...numbers: [number, number]): Structure {
  return new Structure({ numbers, fractional: [0, 0, 0, 0.5, 0.5, 0.5], lattice: Lattice.cubic(4) });
}
export const NACL = salt(11, 17);
export const KBR = salt(19, 35);
export const MGO = salt(12, 8);
export const cif = (structure: Structure) => writeStructure(structure, "a.cif");
export const poscar = (structure: Structure) => writeStructure(structure, "a.vasp");

const root = mkdtempSync(join(tmpdir(), "spinel-crystals-"));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
/** A folder with these files. */
export function folder(files: Record<string, string>): string {
  const path = join(root, `f${count++}`);
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}
export const zip = (files: Record<string, string>, name = "a.zip") =>
  new File([zipSync(Object.fromEntries(Object.entries(files).map(([key, text]) => [key, strToU8(text)])))], name);
/** Browser's files. */
export const picked = (files: Record<string, string>) =>
  Object.entries(files).map(([name, text]) => new File([text], name));

/** The message of the UserError, without the temporary folder. */
export async function failure(source: CrystalSource, options: CrystalOptions = {}): Promise<string> {
  const error = await readCrystals(source, options).catch((reason) => reason);
  expect(error).toBeInstanceOf(UserError);
  return error.message.replaceAll(root, "");
}
