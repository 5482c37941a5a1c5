import { statSync } from "node:fs";
import { UserError } from "../core/errors.ts";
import { hasStructures } from "../data/crystals.ts";
import { formatOf } from "../data/structureFiles.ts";
import { readRows, type Table } from "../data/table.ts";

export const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Whether the formulas that a model of compositions needs are those of structures, for want of a column of formulas. */
export async function formulasAreOfStructures(file: string): Promise<boolean> {
  if (isFolder(file)) return true;
  if (/\.xlsx?$/i.test(file) || !(await hasStructures(file))) return false;
  const format = formatOf(file);
  if (format !== undefined && format !== "table" && format !== "json") return true;
  try {
    for await (const { formulas } of readRows(file, { batch: 1 })) return formulas === undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return true;
}

/** Says which rows of a stream are left out, and why. */
export function tellDropped({ file, dropped }: Pick<Table, "file" | "dropped">): void {
  for (const { line, reason } of dropped)
    process.stderr.write(`${reason.startsWith(file) ? "" : `${file}:${line}: `}left out: ${reason}\n`);
}
