import { ELEMENTS } from "../../data/elements.ts";
import type { Parity } from "./charts.ts";
import { crystalColumns, structureFigures } from "./crystals.ts";
import type { Metrics, PotentialResults, PotentialRow, ReportData, Split } from "./data.ts";
import { elementsTable } from "./elementsTable.ts";
import { html, type Markup, number, table } from "./html.ts";
import { type ParityPoint, parityFigure } from "./parity.ts";
import {
  type Body,
  capital,
  card,
  idColumns,
  judged,
  metricsSection,
  SPLIT_NAMES,
  SPLITS,
  type Tile,
} from "./sections.ts";
import { errorByGroup } from "./statistics.ts";

/** As many structures are listed as worst. */
const WORST = 20;
const AXES = ["x", "y", "z"];

/** An interatomic potential: energies, forces and stresses predicted and true, errors by element, the worst structures. */
export function potentialPage(data: ReportData, { predictions, metrics }: PotentialResults): Body {
  const [split, rows] = judged(predictions);
  if (rows.length === 0) return { tiles: [], metrics: html``, figures: html``, charts: {}, structures: [] };
  const own = Object.fromEntries(
    SPLITS.flatMap((name) =>
      predictions[name]?.length ? [[name, { rows: predictions[name].length, metrics: metrics[name] ?? {} }]] : [],
    ),
  );
  const each = <T>(of: (row: PotentialRow) => T[]): Partial<Record<Split, T[]>> =>
    Object.fromEntries(SPLITS.map((name) => [name, (predictions[name] ?? []).flatMap(of)]));
  const parities: { figure: Parity; markup: Markup }[] = [energyParity(each)];
  if (rows[0].forces) parities.push(forceParity(each));
  if (rows[0].stress) parities.push(stressParity(each));
  const worst = worstSection(rows, split);
  return {
    tiles: tiles(split, metrics[split] ?? {}),
    metrics: metricsSection(data, own),
    figures: html`${parities.map(({ markup }) => html`${markup}\n`)}
${elementSection(rows, split)}
${worst.markup}`,
    charts: { parities: parities.map(({ figure }) => figure) },
    structures: worst.structures,
  };
}

function tiles(split: Split, { energyMae, forceMae, forceRmse, stressMae }: Metrics): Tile[] {
  const title = capital(SPLIT_NAMES[split]);
  const all = [
    { name: `${title} energy MAE`, value: energyMae, unit: "meV/atom" },
    { name: `${title} force MAE`, value: forceMae, unit: "meV/Å" },
    { name: `${title} force RMSE`, value: forceRmse, unit: "meV/Å" },
    { name: `${title} stress MAE`, value: stressMae, unit: "GPa" },
  ];
  return all.flatMap(({ value, ...tile }) => (value === undefined ? [] : [{ ...tile, value: number(value) }]));
}

type Each = (of: (row: PotentialRow) => ParityPoint[]) => Partial<Record<Split, ParityPoint[]>>;

const energyParity = (each: Each) =>
  parityFigure(
    each(({ id, formula, atoms, energy, predictedEnergy }) => [
      { id, formula, target: energy / atoms, predicted: predictedEnergy / atoms },
    ]),
    { id: "energies", title: "Energies", target: "energy", unit: "eV/atom", rows: "structures" },
  );

const forceParity = (each: Each) =>
  parityFigure(
    each(({ id, structure, forces = [], predictedForces = [] }) =>
      Array.from(forces, (target, k) => {
        const atom = Math.floor(k / 3);
        const symbol = ELEMENTS[structure.numbers[atom] - 1]?.symbol ?? "";
        return { target, predicted: predictedForces[k], id: `${id}, atom ${atom + 1} ${symbol}, ${AXES[k % 3]}` };
      }),
    ),
    { id: "forces", title: "Forces", target: "force component", unit: "eV/Å", rows: "components" },
  );

const stressParity = (each: Each) =>
  parityFigure(
    each(({ id, stress = [], predictedStress = [] }) =>
      Array.from(stress, (target, k) => ({
        target,
        predicted: predictedStress[k],
        id: `${id}, ${["xx", "yy", "zz", "yz", "xz", "xy"][k]}`,
      })),
    ),
    { id: "stresses", title: "Stresses", target: "stress component", unit: "eV/Å³", rows: "components" },
  );

/** Of forces by the element of the atom they act on; of energies, by the elements a structure contains. */
function elementSection(rows: readonly PotentialRow[], split: Split): Markup {
  const format = (x: number): string => number(x);
  if (!rows[0].forces) {
    const errors = errorByGroup(
      rows,
      (row) => 1000 * energyError(row),
      ({ elements = [] }) => elements,
    );
    const sub = `Mean absolute error of the energy per atom, in meV, over the ${SPLIT_NAMES[split]} structures that contain the element.`;
    return card("Error by element", sub, elementsTable(errors, "energy MAE", format), { wide: true });
  }
  const components = rows.flatMap(({ structure, forces = [], predictedForces = [] }) =>
    Array.from(forces, (force, k) => ({
      error: 1000 * Math.abs(predictedForces[k] - force),
      symbol: ELEMENTS[structure.numbers[Math.floor(k / 3)] - 1].symbol,
    })),
  );
  const errors = errorByGroup(
    components,
    ({ error }) => error,
    ({ symbol }) => [symbol],
  );
  const sub = `Mean absolute error of the force components on atoms of each element, in meV/Å, over the ${SPLIT_NAMES[split]} structures; rows are components.`;
  return card("Force error by element", sub, elementsTable(errors, "force MAE", format), { wide: true });
}

/** eV/atom */
const energyError = ({ energy, predictedEnergy, atoms }: PotentialRow): number =>
  Math.abs(predictedEnergy - energy) / atoms;

/** Root mean square over components, eV/Å. */
function forceError({ forces = [], predictedForces = [] }: PotentialRow): number {
  let sum = 0;
  for (let k = 0; k < forces.length; k++) sum += (predictedForces[k] - forces[k]) ** 2;
  return Math.sqrt(sum / forces.length);
}

/** A box around what does not repeat, as codes for molecules write it, would only make the molecule small. */
function withoutBox(row: PotentialRow): PotentialRow {
  const { numbers, positions, periodic } = row.structure;
  return periodic.some(Boolean) ? row : { ...row, structure: { numbers, positions, periodic } };
}

function worstSection(rows: readonly PotentialRow[], split: Split) {
  const withForces = rows[0].forces !== undefined;
  const measure = withForces ? forceError : energyError;
  const worst = [...rows].sort((a, b) => measure(b) - measure(a)).slice(0, WORST);
  const facts = (row: PotentialRow): [string, string][] => [
    ["energy, meV/atom", number(1000 * energyError(row))],
    ...(withForces ? [["forces, meV/Å", number(1000 * forceError(row))] as [string, string]] : []),
  ];
  const content = table(
    [
      ...idColumns(worst),
      ...crystalColumns(worst),
      { title: "energy (eV)", cell: ({ energy }) => energy.toFixed(3).replace("-", "−"), numeric: true },
      { title: "error (meV/atom)", cell: (row) => number(1000 * energyError(row)), numeric: true },
      ...(withForces
        ? [{ title: "force RMSE (meV/Å)", cell: (row: PotentialRow) => number(1000 * forceError(row)), numeric: true }]
        : []),
    ],
    worst,
    { caption: "Structures with the largest errors" },
  );
  const { markup, structures } = structureFigures(worst.map(withoutBox), facts);
  const sub = `The ${worst.length} ${SPLIT_NAMES[split]} structures with the largest errors of ${withForces ? "forces" : "energy"}.`;
  return { structures, markup: card("Worst cases", sub, html`${markup}${content}`, { wide: true }) };
}
