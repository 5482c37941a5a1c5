import { h } from "../kit/dom.ts";
import { LAYERS, type VisionState } from "./config.ts";
import type { LayerFacts } from "./functions.ts";
import { many } from "./numbers.ts";

type Layer = VisionState["layer"];

const HEAD = ["Layer", "Output", "Parameters", "MACs", "Sees, px"];

/** The network's layers; those that put out maps can be chosen. */
export class LayerTable {
  readonly element: HTMLElement;
  private readonly body = h("tbody");
  private readonly radios = new Map<Layer, HTMLInputElement>();
  private chosen: Layer = LAYERS[0];

  constructor(private readonly onChoose: (layer: Layer) => void) {
    const head = h("tr", {}, ...HEAD.map((text) => h("th", { scope: "col" }, text)));
    this.element = h("table", { className: "layers" }, h("thead", {}, head), this.body);
  }

  show(layers: readonly LayerFacts[]): void {
    this.radios.clear();
    this.body.replaceChildren(
      ...layers.map(({ name, output, parameters, macs, field }) => {
        const cells = [
          output.join(" × "),
          many(parameters),
          many(macs),
          field === undefined ? "all" : `${field} × ${field}`,
        ];
        return h("tr", {}, h("td", {}, this.nameCell(name)), ...cells.map((text) => h("td", {}, text)));
      }),
    );
    this.choose(this.chosen);
  }

  private nameCell(name: string): HTMLElement {
    const layer = LAYERS.find((each) => each === name);
    if (!layer) return h("span", {}, name);
    const radio = h("input", { type: "radio", name: "layer", onchange: () => this.onChoose(layer) });
    this.radios.set(layer, radio);
    return h("label", {}, radio, name);
  }

  choose(layer: Layer): void {
    this.chosen = layer;
    const radio = this.radios.get(layer);
    if (radio) radio.checked = true;
  }
}
