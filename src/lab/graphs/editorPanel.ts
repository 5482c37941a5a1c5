import { h } from "../kit/dom.ts";
import {
  type AtomSymbol,
  changed,
  type Drawing,
  ELEMENT_TEXT,
  MOST_NODES,
  SYMBOLS,
  toggled,
  VALUE,
} from "./drawing.ts";
import { GraphEditor } from "./editor.ts";
import { AdjacencyMatrix } from "./matrix.ts";
import { PRESETS, type PresetName } from "./presets.ts";

/** Earlier drawings that can be had back. */
const MOST_UNDO = 50;

/** The graph: drawn, as a matrix, and the node that is chosen as a form. */
export class EditorPanel {
  readonly element: HTMLElement;
  readonly matrix: AdjacencyMatrix;
  readonly editor: GraphEditor;
  private readonly presets = h("select");
  private readonly value = h("input", {
    type: "number",
    step: "0.5",
    min: String(VALUE.least),
    max: String(VALUE.most),
  });
  private readonly symbol = h("select", {}, ...SYMBOLS.map((symbol) => h("option", {}, ELEMENT_TEXT[symbol])));
  private readonly title = h("b");
  private readonly form: HTMLElement;
  private readonly add = h("button", { type: "button", textContent: "Add node" });
  private readonly back = h("button", { type: "button", textContent: "Undo", disabled: true });
  private readonly verdict = h("p", { className: "verdict", role: "note" });
  private drawing: Drawing = { nodes: [], edges: [] };
  private selected: number | undefined;
  private past: Drawing[] = [];

  constructor(
    private readonly onChange: (drawing: Drawing) => void,
    onHover: (node: number | undefined) => void,
  ) {
    const edit = (next: Drawing): void => this.edit(next);
    this.matrix = new AdjacencyMatrix({
      onToggle: (i, j) => edit(toggled(this.drawing, i, j)),
      onHover: (pair) => this.editor.light(undefined, pair),
    });
    this.editor = new GraphEditor({
      onEdit: edit,
      onHover: (node) => {
        this.matrix.light(node);
        onHover(node);
      },
      onSelect: (node) => this.showNode(node),
    });
    const names = Object.keys(PRESETS) as PresetName[];
    this.presets.append(
      h("option", { value: "", disabled: true, textContent: "Choose …" }),
      ...names.map((name) => h("option", { value: name }, PRESETS[name].text)),
    );
    this.presets.value = "";
    this.presets.onchange = () => {
      edit(PRESETS[this.presets.value as PresetName].drawing);
      this.editor.select(undefined);
      this.presets.value = "";
    };
    this.value.onchange = () => {
      const { selected, value } = this;
      if (selected === undefined) return;
      if (Number.isFinite(value.valueAsNumber)) edit(changed(this.drawing, selected, { value: value.valueAsNumber }));
      this.showNode(selected);
    };
    this.symbol.onchange = () => {
      const symbol: AtomSymbol = SYMBOLS[this.symbol.selectedIndex];
      if (this.selected !== undefined) edit(changed(this.drawing, this.selected, { symbol }));
    };
    const remove = h("button", { type: "button", textContent: "Delete node" });
    remove.onclick = () => this.selected !== undefined && this.editor.remove(this.selected);
    this.add.onclick = () => this.editor.add();
    this.back.onclick = () => this.undo();
    const clear = h("button", { type: "button", textContent: "Clear", onclick: () => edit({ nodes: [], edges: [] }) });
    const labelled = (label: string, field: HTMLElement): HTMLElement => h("label", {}, h("span", {}, label), field);
    this.form = h(
      "div",
      { className: "row chosen" },
      this.title,
      labelled("Value", this.value),
      labelled("Element", this.symbol),
      remove,
    );
    this.element = h(
      "section",
      { className: "card drawing" },
      h(
        "div",
        { className: "row head" },
        h("h2", {}, "A small graph"),
        h("label", { className: "preset" }, h("span", {}, "Begin with"), this.presets),
        h("div", { className: "row tools" }, this.add, this.back, clear),
      ),
      this.editor.element,
      h(
        "p",
        { className: "note" },
        "Click a free place for a node, an edge to remove it. Drag a node onto another to join or part them, elsewhere to move it.",
      ),
      this.form,
      this.verdict,
    );
    this.showNode(undefined);
  }

  /** A graph from elsewhere: the address, or a molecule that was picked. */
  show(drawing: Drawing): void {
    this.drawing = drawing;
    this.editor.show(drawing);
    this.matrix.show(drawing);
    this.add.disabled = drawing.nodes.length >= MOST_NODES;
    this.showNode(this.selected);
  }

  /** The same as if a person had drawn it: it can be undone. */
  load(drawing: Drawing): void {
    this.editor.select(undefined);
    this.edit(drawing);
  }

  /** What a trained network says of the graph. */
  judge(text: string): void {
    this.verdict.textContent = text;
  }

  private edit(next: Drawing): void {
    this.past = [...this.past.slice(1 - MOST_UNDO), this.drawing];
    this.back.disabled = false;
    this.show(next);
    this.onChange(next);
  }

  private undo(): void {
    const before = this.past.pop();
    if (!before) return;
    this.back.disabled = this.past.length === 0;
    this.show(before);
    this.onChange(before);
  }

  private showNode(node: number | undefined): void {
    const found = node === undefined ? undefined : this.drawing.nodes[node];
    this.selected = found && node;
    this.form.classList.toggle("none", !found);
    for (const field of this.form.querySelectorAll<HTMLInputElement>("input, select, button")) field.disabled = !found;
    this.title.textContent = found ? `Node ${node! + 1}` : "No node chosen";
    this.value.value = found ? String(found.value) : "";
    this.symbol.selectedIndex = found ? SYMBOLS.indexOf(found.symbol) : -1;
  }
}
