import { h } from "../kit/dom.ts";

/** How often each class was taken for each. */
export class Confusion {
  readonly element: HTMLElement;
  private readonly head = h("tr");
  private readonly body = h("tbody");
  private cells: HTMLTableCellElement[][] = [];

  constructor() {
    const caption = h("caption", {}, "Rows: what an image shows. Columns: what the network says.");
    this.element = h("table", { className: "confusion" }, caption, h("thead", {}, this.head), this.body);
  }

  showClasses(classes: readonly string[]): void {
    const heading = (text: string, scope: string): HTMLTableCellElement => h("th", { scope, title: text }, text);
    this.head.replaceChildren(h("td"), ...classes.map((name) => heading(name, "col")));
    this.cells = classes.map(() => classes.map(() => h("td")));
    this.body.replaceChildren(...classes.map((name, i) => h("tr", {}, heading(name, "row"), ...this.cells[i])));
  }

  draw(counts: readonly (readonly number[])[]): void {
    counts.forEach((row, i) => {
      const total = row.reduce((a, b) => a + b, 0) || 1;
      row.forEach((count, j) => {
        const cell = this.cells[i][j];
        cell.textContent = count === 0 ? "·" : String(count);
        cell.className = i === j ? "right" : "wrong";
        cell.style.setProperty("--share", `${Math.round((80 * count) / total)}%`);
      });
    });
  }
}
