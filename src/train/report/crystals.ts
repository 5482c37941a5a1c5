import type { ViewedStructure } from "../../viewer/structure.ts";
import type { Row, Split } from "./data.ts";
import { elementsTable } from "./elementsTable.ts";
import { type Column, formulaMarkup, html, type Markup, number, table, whole } from "./html.ts";
import { card, SPLIT_NAMES } from "./sections.ts";
import { CRYSTAL_SYSTEMS, crystalSystem, spaceGroupMarkup } from "./spaceGroups.ts";
import { errorByGroup, type GroupError } from "./statistics.ts";

/** As many of the worst structures are drawn. */
const DRAWN = 6;

const atomsOf = (row: Row): number | undefined => row.atoms ?? row.structure?.numbers.length;

/** How a page measures the error of a row, and what it calls the mean: "MAE", "wrong". */
export interface Measure<R extends Row> {
  error: (row: R) => number;
  name: string;
  /** Begins the sentences under the titles: "Mean absolute error of". */
  words: string;
  format: (x: number) => string;
}

/** Where the errors are: by element, crystal system and space group, and number of atoms, as far as the rows know them. */
export function groupSections<R extends Row>(rows: readonly R[], split: Split, measure: Measure<R>): Markup {
  const { error, name, words, format } = measure;
  const of = `${words} the ${SPLIT_NAMES[split]} rows`;
  const elements = errorByGroup(rows, error, ({ elements = [] }) => elements);
  const bySystem = systemSection(rows, measure);
  const bySize = sizeSection(rows, measure);
  const wide = !(bySystem && bySize);
  return html`${
    elements.length > 0 &&
    card("Error by element", `${of} that contain the element.`, elementsTable(elements, name, format), { wide: true })
  }
${bySystem && card("Error by crystal system", `${of}${someOf(rows, ({ spaceGroup }) => spaceGroup)}.`, bySystem, { wide })}
${bySize && card("Error by number of atoms", `${of}${someOf(rows, atomsOf)}, by atoms in the cell.`, bySize, { wide })}`;
}

/** Says where only some rows know what they are grouped by. */
function someOf<R extends Row>(rows: readonly R[], of: (row: R) => number | undefined): string {
  const known = rows.filter((row) => of(row) !== undefined).length;
  return known < rows.length ? ` where it is known, ${whole(known)} of ${whole(rows.length)}` : "";
}

function systemSection<R extends Row>(rows: readonly R[], { error, name, format }: Measure<R>): Markup | undefined {
  const listOf = <Key>(key: Key | undefined): Key[] => (key === undefined ? [] : [key]);
  const groups = errorByGroup(rows, error, ({ spaceGroup }) => listOf(spaceGroup));
  if (groups.length === 0) return undefined;
  const systems = errorByGroup(rows, error, ({ spaceGroup = 0 }) => listOf(crystalSystem(spaceGroup)));
  systems.sort((a, b) => CRYSTAL_SYSTEMS.indexOf(a.key) - CRYSTAL_SYSTEMS.indexOf(b.key));
  const details = table(
    [
      { title: "space group", cell: ({ key }) => spaceGroupMarkup(key) },
      { title: "rows", cell: ({ count }) => whole(count), numeric: true },
      { title: name, cell: ({ mean }) => number(mean), numeric: true },
    ],
    groups.sort((a, b) => b.count - a.count),
    { caption: `${name} by space group, the most frequent first` },
  );
  return html`${bars(systems, "crystal system", name, format)}
<details><summary>By space group, ${whole(groups.length)} of them</summary>${details}</details>`;
}

/** In bins that end at the powers of two: 1, 2, 3–4, 5–8 … */
function sizeSection<R extends Row>(rows: readonly R[], { error, name, format }: Measure<R>): Markup | undefined {
  const bins = errorByGroup(rows, error, (row) => {
    const atoms = atomsOf(row);
    return atoms !== undefined && atoms >= 1 ? [Math.ceil(Math.log2(atoms))] : [];
  });
  if (bins.length === 0) return undefined;
  const title = (power: number): string => {
    const [first, last] = [2 ** (power - 1) + 1, 2 ** power];
    return power < 2 ? String(last) : `${whole(first)}–${whole(last)}`;
  };
  return bars(
    bins.map((bin) => ({ ...bin, key: title(bin.key) })),
    "atoms",
    name,
    format,
  );
}

/** A table whose rows have bars as long as their means. */
function bars(groups: GroupError<string>[], title: string, what: string, format: (x: number) => string): Markup {
  const most = Math.max(...groups.map(({ mean }) => mean).filter(Number.isFinite));
  const share = (mean: number): string => (Number.isFinite(mean) && most > 0 ? mean / most : 0).toFixed(4);
  return table(
    [
      { title, cell: ({ key }) => key },
      { title: "", cell: ({ mean }) => html`<div class="bar" style="--share: ${share(mean)}"></div>` },
      { title: what, cell: ({ mean }) => format(mean), numeric: true },
      { title: "rows", cell: ({ count }) => whole(count), numeric: true },
    ],
    groups,
    { caption: `${what} by ${title}`, kind: "bars" },
  );
}

/** What the list of the worst rows says of crystals. */
export function crystalColumns<R extends Row>(rows: readonly R[]): Column<R>[] {
  const group: Column<R> = {
    title: "space group",
    cell: ({ spaceGroup }) => (spaceGroup === undefined ? "" : spaceGroupMarkup(spaceGroup)),
  };
  const atoms: Column<R> = { title: "atoms", cell: (row) => atomsOf(row), numeric: true };
  return [
    ...(rows.some(({ spaceGroup }) => spaceGroup !== undefined) ? [group] : []),
    ...(rows.some((row) => atomsOf(row) !== undefined) ? [atoms] : []),
  ];
}

/** The first of the rows with a structure, each in a figure that the viewer fills, and what it fills them with. */
export function structureFigures<R extends Row>(
  rows: readonly R[],
  facts: (row: R) => [name: string, value: string][],
): { markup: Markup | undefined; structures: ViewedStructure[] } {
  const drawn = rows.filter(({ structure }) => structure && structure.numbers.length > 0).slice(0, DRAWN);
  const figures = drawn.map((row, i) => {
    const { id, formula, spaceGroup } = row;
    const named = formula !== undefined && formula !== id;
    const label = `Structure of ${named ? `${formula}, ${id}` : id}`;
    return html`<figure><div class="structure" data-structure="${i}" data-label="${label}"></div>
<figcaption><p class="name"><b>${formulaMarkup(formula ?? id)}</b>${spaceGroup !== undefined && html`<span>${spaceGroupMarkup(spaceGroup)}</span>`}</p>
${named && html`<p class="id">${id}</p>`}
<dl>${facts(row).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></figcaption></figure>\n`;
  });
  return {
    markup: drawn.length > 0 ? html`<div class="crystals">${figures}</div>` : undefined,
    structures: drawn.map(({ structure }) => viewedJson(structure!)),
  };
}

/** As JSON, to a ten-thousandth of an ångström. */
export function viewedJson({
  numbers,
  positions,
  lattice,
  periodic,
  disorder,
  edges,
  labels,
  colors,
}: ViewedStructure): ViewedStructure {
  const round = (x: number): number => Math.round(1e4 * x) / 1e4;
  const matrix = lattice && ("matrix" in lattice ? lattice.matrix : lattice);
  const shared = disorder && [...disorder];
  return {
    numbers: Array.from(numbers),
    positions: Array.from(positions, round),
    ...(matrix ? { lattice: matrix.map((row) => row.map(round)) as unknown as typeof matrix } : {}),
    periodic,
    ...(shared && shared.length > 0 ? { disorder: shared } : {}),
    ...{ edges, labels, colors },
  };
}

/** Fills the figures' elements. It runs in the page, where only its own source text arrives, as with `drawFigures`. */
export function drawStructures(
  viewer: { mountStructure(element: HTMLElement, data: ViewedStructure, options: { label?: string }): unknown },
  structures: readonly ViewedStructure[],
): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-structure]"))
    viewer.mountStructure(element, structures[Number(element.dataset.structure)], { label: element.dataset.label });
}
