import { birchMurnaghan, type EquationOfState } from "../../atoms/equationOfState.ts";
import { formulaMarkup, html, Markup, number, table } from "./html.ts";
import { page } from "./page.ts";
import { card } from "./sections.ts";

export interface EquationOfStatePage {
  id: string;
  formula: string;
  atoms: number;
  /** Å³ */
  volumes: readonly number[];
  /** eV */
  energies: readonly number[];
  eos: EquationOfState;
}

const [WIDTH, HEIGHT] = [760, 420];
const EDGE = { left: 84, right: 18, top: 18, bottom: 48 };
/** Lengths of the curve's pieces, in pixels. */
const PIECE = 4;

/** The page of an equation of state: figures, curve, table; it works offline and runs no script. */
export function renderEquationOfState(data: EquationOfStatePage): string {
  const { id, formula, atoms, volumes, energies, eos } = data;
  const tiles = [
    ["Volume V₀", number(eos.volume / atoms), "Å³/atom"],
    ["Energy E₀", (eos.energy / atoms).toFixed(4).replace("-", "−"), "eV/atom"],
    ["Bulk modulus B₀", number(eos.bulkModulus), "GPa"],
    ["Its derivative B₀′", number(eos.derivative), ""],
  ];
  const values = table(
    [
      { title: "V (Å³/atom)", cell: ({ v }) => number(v), numeric: true },
      { title: "E − E₀ (meV/atom)", cell: ({ e }) => number(e), numeric: true },
      { title: "fit (meV/atom)", cell: ({ fitted }) => number(fitted), numeric: true },
    ],
    volumes.map((volume, i) => ({
      v: volume / atoms,
      e: (1000 * (energies[i] - eos.energy)) / atoms,
      fitted: (1000 * (birchMurnaghan(volume, eos) - eos.energy)) / atoms,
    })),
    { caption: "Energies by volume" },
  );
  const sub = `Points: the potential. Line: Birch and Murnaghan to third order, ${number((1000 * eos.residual) / atoms)} meV/atom from the points in the root mean square.`;
  const body = html`<header><h1>Equation of state of ${formulaMarkup(formula)}</h1><p class="lead">${id}, ${atoms} atoms in the cell</p>
<dl class="tiles">${tiles.map(
    ([name, value, unit]) =>
      html`<div class="tile"><dt>${name}</dt><dd>${value}${unit && html` <small>${unit}</small>`}</dd></div>\n`,
  )}</dl></header>
<div class="cards">
${card("Energy by volume", sub, html`${curve(data)}<details><summary>Data as a table</summary>${values}</details>`, { wide: true })}
</div>`;
  return page(`${formula}: equation of state`, body, []);
}

/** The drawing, in the page's colours. */
function curve({ atoms, volumes, energies, eos }: EquationOfStatePage): Markup {
  const all = [...volumes, eos.volume];
  const [low, high] = [Math.min(...all) / atoms, Math.max(...all) / atoms];
  const margin = 0.04 * (high - low);
  const [from, to] = [low - margin, high + margin];
  const milli = (energy: number): number => (1000 * (energy - eos.energy)) / atoms;
  const fitted = (v: number): number => milli(birchMurnaghan(v * atoms, eos));
  const top = 1.08 * Math.max(...energies.map(milli), fitted(from), fitted(to), 1e-6);
  const x = (v: number): number => EDGE.left + ((v - from) / (to - from)) * (WIDTH - EDGE.left - EDGE.right);
  const bottom = HEIGHT - EDGE.bottom;
  const y = (e: number): number => bottom - (e / top) * (bottom - EDGE.top) * 0.96 - 6;
  const count = Math.round((WIDTH - EDGE.left - EDGE.right) / PIECE);
  const line = Array.from({ length: count + 1 }, (_, k) => {
    const v = from + ((to - from) * k) / count;
    return `${x(v).toFixed(1)},${y(fitted(v)).toFixed(1)}`;
  });
  const text = (at: string, words: string): Markup =>
    html`<text fill="var(--muted)" font-size="13" ${new Markup(at)}>${words}</text>\n`;
  const grid = [
    ...ticks(from, to).map((v) => [
      html`<path d="M${x(v)} ${EDGE.top}V${bottom}" stroke="var(--grid)"/>\n`,
      text(`x="${x(v)}" y="${bottom + 20}" text-anchor="middle"`, label(v)),
    ]),
    ...ticks(0, top).map((e) => [
      html`<path d="M${EDGE.left} ${y(e)}H${WIDTH - EDGE.right}" stroke="var(--grid)"/>\n`,
      text(`x="${EDGE.left - 8}" y="${y(e) + 4}" text-anchor="end"`, label(e)),
    ]),
  ];
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="100%" role="img" aria-label="Energy by volume, with the fitted curve; the values are in the table below">
${grid}
<path d="M${x(eos.volume / atoms)} ${EDGE.top}V${bottom}" stroke="var(--good)" stroke-dasharray="3 3"/>
<polyline points="${line.join(" ")}" fill="none" stroke="var(--validation)" stroke-width="1.75"/>
${volumes.map((v, i) => html`<circle cx="${x(v / atoms).toFixed(1)}" cy="${y(milli(energies[i])).toFixed(1)}" r="4" fill="var(--test)"/>\n`)}
${text(`x="${(EDGE.left + WIDTH - EDGE.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle"`, "volume (Å³/atom)")}
${text(`transform="translate(16 ${(EDGE.top + bottom) / 2}) rotate(-90)" text-anchor="middle"`, "energy above the minimum (meV/atom)")}
</svg>`;
}

/** Round numbers between two, four to eight of them. */
function ticks(from: number, to: number): number[] {
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (rough / power >= 5 ? 5 : rough / power >= 2 ? 2 : 1);
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, k) => (first + k) * step);
}

const label = (x: number): string => String(Number(x.toPrecision(6)));
