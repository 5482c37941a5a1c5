import { h } from "../kit/dom.ts";

/** A small square of numbers with a caption. */
export class NumberGrid {
  readonly element: HTMLElement;
  private readonly body = h("tbody");
  private readonly caption: HTMLElement;

  constructor(caption: string) {
    this.caption = h("figcaption", {}, caption);
    this.element = h("figure", { className: "numbers" }, this.caption, h("table", {}, this.body));
  }

  title(text: string): void {
    this.caption.textContent = text;
  }

  /** Numbers as texts [side, side]; `marked` is the place of the one that counts. */
  show(texts: readonly string[], side: number, marked = -1): void {
    const { body } = this;
    while (body.rows.length > side) body.deleteRow(-1);
    while (body.rows.length < side) body.insertRow();
    for (let i = 0; i < side; i++) {
      const row = body.rows[i];
      while (row.cells.length > side) row.deleteCell(-1);
      while (row.cells.length < side) row.insertCell();
      for (let j = 0; j < side; j++) {
        const cell = row.cells[j];
        cell.textContent = texts[i * side + j];
        cell.className = i * side + j === marked ? "marked" : "";
      }
    }
  }
}

/** The same to be typed into; what is no number is put back. */
export class KernelGrid {
  readonly element: HTMLElement;
  private readonly fields: HTMLInputElement[];
  private shown: readonly number[] = [];

  constructor(side: number, onChange: (values: number[]) => void) {
    this.fields = Array.from({ length: side * side }, (_, i) => {
      const name = `Kernel, row ${Math.floor(i / side) + 1}, column ${(i % side) + 1}`;
      const field = h("input", { type: "number", step: "any", min: "-9999", max: "9999", ariaLabel: name });
      field.onchange = () => {
        const value = Math.round(field.valueAsNumber * 10_000) / 10_000;
        if (!(Math.abs(value) <= 9999)) this.show(this.shown);
        else onChange(this.shown.map((old, at) => (at === i ? value : old)));
      };
      return field;
    });
    const rows = Array.from({ length: side }, (_, row) =>
      h("tr", {}, ...this.fields.slice(row * side, (row + 1) * side).map((field) => h("td", {}, field))),
    );
    const body = h("table", {}, h("tbody", {}, ...rows));
    this.element = h("figure", { className: "numbers kernel" }, h("figcaption", {}, "Kernel: type to change"), body);
  }

  show(values: readonly number[]): void {
    this.shown = values;
    this.fields.forEach((field, i) => {
      field.value = String(Math.round(values[i] * 10_000) / 10_000);
    });
  }
}
