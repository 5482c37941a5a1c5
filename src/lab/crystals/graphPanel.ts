import type { GaussianBasis } from "../../ops/index.ts";
import { Bars } from "../kit/bars.ts";
import { h } from "../kit/dom.ts";
import { select, slider, toggle } from "../kit/inputs.ts";
import { type CrystalsState, CUTOFF, NEIGHBOURS } from "./config.ts";
import type { CrystalView } from "./view.ts";

/** Å: bars of the histogram. */
const BIN = 0.1;
/** Atoms that a list offers. */
const MOST_ATOMS = 5000;

/** The right-hand column: which atoms are neighbours, and what a network is told of them. */
export class GraphPanel {
  readonly element: HTMLElement;
  /** Of all edges and atoms. */
  readonly charts: HTMLElement;
  private readonly cutoff;
  private readonly neighbours;
  private readonly shells;
  private readonly edges;
  private readonly counts = h("p", { className: "counts" });
  private readonly remark = h("p", { className: "remark", role: "note" });
  private readonly atom = h("select");
  private readonly body = h("tbody");
  private readonly distances = new Bars({ x: "distance in Å", y: "edges" });
  private readonly degrees = new Bars({ x: "neighbours of an atom", y: "atoms" });
  private readonly basis = new Bars({ x: "centre of the Gaussian in Å", y: "value" });
  private readonly basisTitle = h("h3");
  private view: CrystalView | undefined;
  private names = "";
  private chosen = 0;
  /** Of the chosen atom's neighbours, the one whose distance is expanded. */
  private row = 0;

  constructor(
    /** Of the network's distances. */
    private readonly gaussians: GaussianBasis,
    change: (changes: Partial<CrystalsState>) => void,
  ) {
    this.cutoff = slider("Cutoff", CUTOFF, (cutoff) => change({ cutoff }));
    this.neighbours = slider("Neighbours", NEIGHBOURS, (neighbours) => change({ neighbours }));
    this.shells = toggle("Whole shells", (whole) => change({ shells: whole ? "whole" : "cut" }));
    this.shells.element.title = "Equally distant neighbours are kept together, even if they are more than that";
    this.edges = select(
      "Draw the edges of",
      [
        ["all", "all atoms"],
        ["atom", "the atom below"],
        ["none", "none: draw bonds"],
      ],
      (edges) => change({ edges }),
    );
    this.atom.onchange = () => {
      this.row = 0;
      change({ atom: this.atom.selectedIndex + 1 });
    };
    const head = ["", "Neighbour", "Å", "Image"].map((text) => h("th", { scope: "col" }, text));
    this.charts = h("section", { className: "card histograms", ariaLabel: "Histograms" });
    this.charts.append(this.distances.element, this.degrees.element);
    this.element = h(
      "section",
      { className: "card graph" },
      h("h2", {}, "Neighbour graph"),
      this.cutoff.element,
      this.neighbours.element,
      h("div", { className: "row" }, this.shells.element, this.edges.element),
      this.counts,
      this.remark,
      h("label", { className: "select" }, h("span", {}, "Atom"), this.atom),
      h("div", { className: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...head)), this.body)),
      this.basisTitle,
      this.basis.element,
    );
  }

  /** The controls as they are now, before the Worker has answered. */
  showControls({ cutoff, neighbours, shells, edges }: CrystalsState): void {
    this.cutoff.show(cutoff);
    this.neighbours.show(neighbours);
    this.shells.show(shells === "whole");
    this.edges.show(edges);
  }

  show(view: CrystalView, { atom, cutoff }: CrystalsState): void {
    this.view = view;
    const { names, neighbours, remark } = view;
    const { ptr } = neighbours;
    this.chosen = Math.min(atom, names.length) - 1;
    const degrees = names.map((_, i) => ptr[i + 1] - ptr[i]);
    const [least, most] = [degrees.reduce((a, b) => Math.min(a, b)), degrees.reduce((a, b) => Math.max(a, b))];
    const edges = ptr[names.length];
    const isolated = degrees.filter((degree) => degree === 0).length;
    this.counts.replaceChildren(
      h("b", { className: "edges" }, String(edges)),
      ` edges: ${least === most ? least : `${least} to ${most}`} ${most === 1 ? "neighbour" : "neighbours"} of each atom`,
    );
    this.remark.textContent =
      remark ??
      (isolated > 0 ? `${isolated} ${isolated === 1 ? "atom has" : "atoms have"} no neighbour: raise the cutoff.` : "");
    this.showAtoms();
    this.showDegrees(degrees);
    this.showRows(cutoff);
  }

  private showAtoms(): void {
    const { names } = this.view!;
    if (names.join() !== this.names) {
      this.names = names.join();
      this.atom.replaceChildren(...names.slice(0, MOST_ATOMS).map((name, i) => h("option", {}, `${i + 1} ${name}`)));
    }
    this.atom.selectedIndex = this.chosen;
  }

  private showDegrees(degrees: readonly number[]): void {
    const counts = new Map<number, number>();
    for (const degree of degrees) counts.set(degree, (counts.get(degree) ?? 0) + 1);
    const most = Math.max(...counts.keys());
    const bars = [...counts].map(([x, value]) => ({ x, value, title: `${value} atoms with ${x} neighbours` }));
    const label = `Atoms by number of neighbours: ${bars.map(({ title }) => title).join(", ")}`;
    this.degrees.draw(label, [-0.5, Math.max(6, most) + 0.5], bars, 1);
  }

  /** The table of the chosen atom's neighbours, and what goes with it. */
  private showRows(cutoff: number): void {
    const { neighbours, names } = this.view!;
    const { ptr, index, image, distance } = neighbours;
    const [first, last] = [ptr[this.chosen], ptr[this.chosen + 1]];
    if (this.row >= last - first) this.row = 0;
    const rows = Array.from({ length: last - first }, (_, row) => {
      const e = first + row;
      const cell = [...image.subarray(3 * e, 3 * e + 3)].map((n) => String(n).replace("-", "−")).join(" ");
      const neighbour = `${names[index[e]]} ${index[e] + 1}`;
      const mark = h("input", {
        ...{ type: "radio", name: "neighbour", checked: row === this.row },
        ariaLabel: `Neighbour ${row + 1}: ${neighbour}, ${distance[e].toFixed(3)} Å`,
        onchange: () => {
          this.row = row;
          this.showDistances(cutoff);
        },
      });
      const texts = [neighbour, distance[e].toFixed(3), cell].map((text) => h("td", {}, text));
      const line = h("tr", {}, h("td", {}, mark), ...texts);
      line.onclick = ({ target }) => {
        if (target !== mark) mark.click();
      };
      return line;
    });
    this.body.replaceChildren(...rows);
    this.showDistances(cutoff);
  }

  private showDistances(cutoff: number): void {
    const { ptr, distance } = this.view!.neighbours;
    const e = ptr[this.chosen] + this.row;
    const d = e < ptr[this.chosen + 1] ? distance[e] : undefined;
    const counts = new Uint32Array(Math.ceil(cutoff / BIN) + 1);
    for (const r of distance) counts[Math.floor(r / BIN)]++;
    const bars = Array.from(counts, (value, i) => ({
      ...{ x: (i + 0.5) * BIN, value, marked: d !== undefined && Math.floor(d / BIN) === i },
      title: `${value} edges of ${(i * BIN).toFixed(1)} to ${((i + 1) * BIN).toFixed(1)} Å`,
    })).filter(({ value }) => value > 0);
    this.distances.draw(`Edges by distance, ${distance.length} in all`, [0, cutoff], bars, BIN);
    this.showBasis(d);
  }

  private showBasis(d: number | undefined): void {
    const { start, step, count, gamma } = this.gaussians;
    this.basisTitle.textContent =
      d === undefined ? "No neighbour" : `${d.toFixed(3)} Å as the network sees it: ${count} Gaussians`;
    const bars = Array.from({ length: d === undefined ? 0 : count }, (_, k) => {
      const x = start + k * step;
      const value = Math.exp(-gamma * (d! - x) ** 2);
      return { x, value, title: `exp(−(d − ${x.toFixed(1)} Å)²/(0.2 Å)²) = ${value.toFixed(3)}` };
    });
    const label = d === undefined ? "No distance" : `Gaussian expansion of ${d.toFixed(3)} Å`;
    this.basis.draw(label, [start - step, start + count * step], bars, step, 1);
  }
}
