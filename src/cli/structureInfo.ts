import { openCrystals } from "../data/crystals.ts";
import { ELEMENTS } from "../data/elements.ts";
import { spaceGroupSettings } from "../data/spaceGroups.ts";
import type { Structure } from "../data/structure.ts";
import { structureFields } from "../data/structureRecord.ts";
import { Column } from "./tableInfo.ts";

/** What a set of structures holds: its columns, elements, sizes and space groups, and what of it cannot be read. */
export async function structureInfo(file: string): Promise<Record<string, unknown>> {
  const { roles, rows } = (await openCrystals(file, {})).table;
  const hidden = Object.values(structureFields(roles.names) ?? {});
  const columns = roles.names.map((name) => new Column(name));
  const set = new StructureSet();
  for await (const { cells, structure, error } of rows) {
    cells.forEach((cell, i) => void columns[i].add(cell));
    set.add(structure, error);
  }
  return {
    file,
    kind: "structures",
    rows: set.rows,
    columns: columns.filter((_, i) => !hidden.includes(roles.names[i])).map((column) => column.summary),
    ...set.summary,
  };
}

class StructureSet {
  rows = 0;
  private only: Structure | undefined;
  private readonly formulas = new Set<string>();
  private readonly elements = new Map<string, number>();
  private readonly groups = new Map<number, number>();
  private readonly sizes: number[] = [];
  private disordered = 0;
  private free = 0;
  private readonly bad: string[] = [];

  add(structure: Structure | undefined, error: Error | undefined): void {
    this.rows++;
    if (!structure) {
      this.bad.push((error?.message ?? "no structure").split("\n")[0]);
      return;
    }
    this.only = structure;
    const { composition, formula, spaceGroup, lattice, disorder, length } = structure;
    this.formulas.add(formula);
    for (const z of composition.elements) count(this.elements, ELEMENTS[z - 1].symbol);
    if (spaceGroup !== undefined) count(this.groups, spaceGroup);
    if (!lattice) this.free++;
    if (disorder.size > 0) this.disordered++;
    this.sizes.push(length);
  }

  get summary(): Record<string, unknown> {
    const { only, formulas, elements, groups, sizes, disordered, free, bad } = this;
    const sorted = [...elements].sort((a, b) => b[1] - a[1]);
    const known = [...groups].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const [least, most] = sizes.reduce(([low, high], n) => [Math.min(low, n), Math.max(high, n)], [Infinity, 0]);
    return {
      formula: formulas.size === 1 ? [...formulas][0] : undefined,
      formulas: formulas.size > 1 ? `${formulas.size} different` : undefined,
      cell: sizes.length === 1 ? only?.lattice?.parameters : undefined,
      "atoms per structure": sizes.length > 0 ? { least, mean: total / sizes.length, most } : undefined,
      "structures with each element": sizes.length > 0 ? Object.fromEntries(sorted) : undefined,
      "space groups": known.map(([number, rows]) => ({ number, symbol: symbolOf(number), rows })),
      "without a lattice": free || undefined,
      "with shared or partly empty sites": disordered || undefined,
      "cannot be read": bad,
    };
  }
}

const count = <Key>(counts: Map<Key, number>, key: Key): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

/** Hermann–Mauguin, whatever the choice of origin or axes. */
const symbolOf = (group: number): string => spaceGroupSettings(group)[0].symbol.replace(/:.*/, "");
