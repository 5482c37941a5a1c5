import { h } from "../kit/dom.ts";
import { type Drawing, joins } from "./drawing.ts";

/** The adjacency matrix: a button for each pair of nodes, pressed where an edge joins them. */
export class AdjacencyMatrix {
  readonly element: HTMLElement;
  private readonly table = h("table", { className: "adjacency" });
  private cells: { i: number; j: number; cell: HTMLElement; button: HTMLButtonElement | undefined }[] = [];
  private heads: HTMLElement[] = [];
  private size = -1;

  constructor(
    private readonly events: {
      onToggle(i: number, j: number): void;
      onHover(pair: readonly [number, number] | undefined): void;
    },
  ) {
    this.table.onpointerleave = () => events.onHover(undefined);
    this.element = h("div", { className: "scroll" }, this.table);
  }

  show(drawing: Drawing): void {
    const n = drawing.nodes.length;
    // Changed in place: a button must not vanish under the finger.
    if (n !== this.size) this.build(n);
    for (const { i, j, cell, button } of this.cells) {
      const on = joins(drawing, i, j);
      cell.classList.toggle("on", on);
      if (!button) continue;
      button.ariaPressed = String(on);
      button.textContent = on ? "1" : "0";
    }
  }

  /** Marks a node's row and column. */
  light(node: number | undefined): void {
    for (const { i, j, cell } of this.cells) cell.classList.toggle("lit", i === node || j === node);
    this.heads.forEach((head, k) => head.classList.toggle("lit", k % this.size === node));
  }

  private build(n: number): void {
    this.size = n;
    const numbers = Array.from({ length: n }, (_, i) => i);
    const head = (i: number, scope: string): HTMLElement => h("th", { scope }, String(i + 1));
    const [columns, rows] = ["col", "row"].map((scope) => numbers.map((i) => head(i, scope)));
    this.heads = [...columns, ...rows];
    this.cells = numbers.flatMap((i) => numbers.map((j) => this.cell(i, j)));
    this.table.replaceChildren(
      h("tr", {}, h("th"), ...columns),
      ...numbers.map((i) => h("tr", {}, rows[i], ...this.cells.slice(i * n, (i + 1) * n).map(({ cell }) => cell))),
    );
  }

  private cell(i: number, j: number) {
    // A node is not its own neighbour.
    if (i === j) return { i, j, cell: h("td", { className: "own" }, "·"), button: undefined };
    const button = h("button", {
      type: "button",
      ariaLabel: `Edge from node ${j + 1} to node ${i + 1}`,
      onclick: () => this.events.onToggle(i, j),
      onpointerenter: () => this.events.onHover([i, j]),
      onfocus: () => this.events.onHover([i, j]),
      onblur: () => this.events.onHover(undefined),
    });
    return { i, j, cell: h("td", {}, button), button };
  }
}
