import { h, onResize } from "../kit/dom.ts";
import { HeatMap } from "../kit/heatmap.ts";
import { type Input, stepper } from "../kit/inputs.ts";
import type { Theme } from "../kit/theme.ts";
import { type Config, FEATURES, type FeatureName, GRID, MOST_LAYERS, MOST_NEURONS } from "./config.ts";
import type { Picture } from "./functions.ts";

const FEATURE_TEXT: Record<FeatureName, string> = {
  x1: "x₁",
  x2: "x₂",
  x1Squared: "x₁²",
  x2Squared: "x₂²",
  x1x2: "x₁x₂",
  sinX1: "sin x₁",
  sinX2: "sin x₂",
};

/** What the large map shows: the output, an input, or a neuron of a layer (the output's layer is the last). */
export type Focus = { feature: number } | { layer: number; neuron: number } | undefined;

export interface DiagramEvents {
  onFeatures(features: readonly FeatureName[]): void;
  onShape(shape: readonly number[]): void;
  /** Pointed at or focused; undefined when that ends. */
  onLook(focus: Focus): void;
}

/** A node of the drawing: a button with a small map on it. */
interface Node {
  button: HTMLButtonElement;
  map: HeatMap;
}

/** The network: a column of inputs, one for each hidden layer, one for the output; the weights between them are lines behind the nodes. */
export class Diagram {
  readonly element: HTMLElement;
  private readonly links = h("canvas", { className: "links", ariaHidden: "true" });
  private readonly columns = h("div", { className: "columns" });
  private readonly layerCount: Input<number>;
  private readonly inputs: Node[];
  private readonly inputColumn: HTMLElement;
  /** Hidden layers, then the output. */
  private layers: Node[][] = [];
  private config: Config | undefined;
  private theme: Theme | undefined;
  private features: readonly Uint8Array[] = [];
  private picture: Picture | undefined;
  private looked: Focus;
  private readonly observer: ResizeObserver;
  /** Centres of the nodes' left and right edges, in canvas pixels; measured when the layout changes. */
  private anchors: { left: number; right: number; y: number }[][] = [];

  constructor(private readonly events: DiagramEvents) {
    this.layerCount = stepper(
      { least: 0, most: MOST_LAYERS },
      { less: "Remove the last hidden layer", more: "Add a hidden layer" },
      (n) => (n === 1 ? "1 hidden layer" : `${n} hidden layers`),
      (n) => this.changeShape((shape) => (n < shape.length ? shape.slice(0, n) : [...shape, shape.at(-1) ?? 4])),
    );
    this.inputs = FEATURES.map((name, i) => {
      const node = this.node(`Input ${FEATURE_TEXT[name]}`, { feature: i }, () => this.toggleFeature(name));
      node.button.prepend(h("span", {}, FEATURE_TEXT[name]));
      return node;
    });
    this.inputColumn = column(h("h3", {}, "Inputs"), this.inputs);
    this.element = h(
      "section",
      { className: "card network" },
      h("div", { className: "heading" }, h("h2", {}, "Network"), this.layerCount.element),
      h("div", { className: "scroller" }, h("div", { className: "diagram" }, this.links, this.columns)),
    );
    this.observer = onResize(this.columns, () => this.measure());
  }

  restyle(theme: Theme): void {
    this.theme = theme;
    this.drawInputs();
    if (this.picture) this.draw(this.picture);
  }

  setFeatureMaps(maps: readonly Uint8Array[]): void {
    this.features = maps;
    this.drawInputs();
  }

  /** The columns of a configuration. Its nodes are kept where the shape stays, so that the keyboard's focus is. */
  showConfig(config: Config): void {
    const before = this.config;
    this.config = config;
    this.layerCount.show(config.networkShape.length);
    this.inputs.forEach(({ button }, i) => {
      const on = config.features.includes(FEATURES[i]);
      button.ariaPressed = String(on);
      button.title = on && config.features.length === 1 ? "The last input stays" : on ? "Leave out" : "Use";
    });
    if (before && String(before.networkShape) === String(config.networkShape)) return;
    this.build(config.networkShape);
  }

  private build(shape: readonly number[]): void {
    const refocus = describeFocus(this.columns);
    this.layers = [...shape, 1].map((count, l) =>
      Array.from({ length: count }, (_, n) => {
        const name = l === shape.length ? "Output" : `Layer ${l + 1}, neuron ${n + 1}`;
        return this.node(name, { layer: l, neuron: n }, () => {});
      }),
    );
    const hidden = shape.map((count, l) => {
      const neurons = stepper(
        { least: 1, most: MOST_NEURONS },
        { less: `Remove a neuron from layer ${l + 1}`, more: `Add a neuron to layer ${l + 1}` },
        String,
        (n) => this.changeShape((sizes) => sizes.map((size, i) => (i === l ? n : size))),
      );
      neurons.show(count);
      return column(neurons.element, this.layers[l]);
    });
    this.columns.replaceChildren(this.inputColumn, ...hidden, column(h("h3", {}, "Output"), this.layers[shape.length]));
    if (refocus) this.columns.querySelector<HTMLElement>(`[aria-label="${refocus}"]`)?.focus();
    this.measure();
  }

  private node(name: string, focus: Focus, onclick: () => void): Node {
    const map = new HeatMap(GRID / 2);
    map.canvas.ariaHidden = "true";
    const look = (): void => this.look(focus);
    const leave = (): void => this.look(undefined);
    const button = h(
      "button",
      {
        ...{ type: "button", className: "node", ariaLabel: name, onclick },
        ...{ onpointerenter: look, onfocus: look, onpointerleave: leave, onblur: leave },
      },
      map.canvas,
    );
    return { button, map };
  }

  private look(focus: Focus): void {
    this.looked = focus;
    this.drawLinks();
    this.events.onLook(focus);
  }

  private toggleFeature(name: FeatureName): void {
    if (!this.config) return;
    const { features } = this.config;
    const next = FEATURES.filter((feature) => features.includes(feature) !== (feature === name));
    if (next.length > 0) this.events.onFeatures(next);
  }

  private changeShape(change: (shape: readonly number[]) => readonly number[]): void {
    if (this.config) this.events.onShape(change(this.config.networkShape));
  }

  private drawInputs(): void {
    const { theme } = this;
    if (theme && this.features.length > 0)
      this.inputs.forEach(({ map }, i) => map.draw(this.features[i], theme.continuous, GRID));
  }

  draw(picture: Picture): void {
    this.picture = picture;
    const { theme } = this;
    if (!theme) return;
    picture.maps.forEach((maps, l) =>
      maps.forEach((map, n) => this.layers[l][n].map.draw(map, theme.continuous, GRID)),
    );
    this.drawLinks();
  }

  /** Where the lines begin and end. The canvas covers the columns at the screen's resolution. */
  private measure(): void {
    const { links, columns } = this;
    const frame = columns.getBoundingClientRect();
    if (frame.width === 0) return;
    links.width = Math.round(frame.width * devicePixelRatio);
    links.height = Math.round(frame.height * devicePixelRatio);
    const scale = links.width / frame.width;
    this.anchors = [this.inputs, ...this.layers].map((nodes) =>
      nodes.map(({ map }) => {
        const box = map.canvas.getBoundingClientRect();
        return {
          left: (box.left - frame.left) * scale,
          right: (box.right - frame.left) * scale,
          y: (box.top - frame.top + box.height / 2) * scale,
        };
      }),
    );
    this.drawLinks();
  }

  /** One line for each weight: its colour is the sign, its width the size. Lines that do not enter the node looked at fade. */
  private drawLinks(): void {
    const { links, theme, picture, config, anchors, looked } = this;
    const context = links.getContext("2d")!;
    context.clearRect(0, 0, links.width, links.height);
    if (!theme || !picture || !config) return;
    const scale = links.width / Math.max(1, links.clientWidth);
    const inputs = config.features.map((name) => FEATURES.indexOf(name));
    picture.layers.forEach(({ weight, bias }, l) => {
      const width = weight.length / bias.length;
      weight.forEach((w, i) => {
        const [to, from] = [Math.floor(i / width), i % width];
        const start = anchors[l]?.[l === 0 ? inputs[from] : from];
        const end = anchors[l + 1]?.[to];
        if (!start || !end) return;
        const size = Math.min(1, Math.abs(w) / 1.5);
        const faded = looked && "layer" in looked && !(looked.layer === l && looked.neuron === to);
        context.globalAlpha = (0.25 + 0.75 * size) * (faded ? 0.2 : 1);
        context.strokeStyle = w < 0 ? theme.negative : theme.positive;
        context.lineWidth = (0.4 + 5.6 * size) * scale;
        const bend = (end.left - start.right) / 2;
        context.beginPath();
        context.moveTo(start.right, start.y);
        context.bezierCurveTo(start.right + bend, start.y, end.left - bend, end.y, end.left, end.y);
        context.stroke();
      });
    });
    context.globalAlpha = 1;
  }

  destroy(): void {
    this.observer.disconnect();
  }
}

const column = (head: HTMLElement, nodes: readonly Node[]): HTMLElement =>
  h(
    "div",
    { className: "column" },
    h("div", { className: "head" }, head),
    h("div", { className: "nodes" }, ...nodes.map(({ button }) => button)),
  );

/** The label of the focused button inside `parent`, to find its successor by. */
function describeFocus(parent: HTMLElement): string | null {
  const { activeElement } = document;
  return parent.contains(activeElement) ? activeElement!.ariaLabel : null;
}

/** What is looked at, in words. */
export function titleOf(focus: Focus, picture: Picture): string {
  if (!focus) return "Output of the network";
  if ("feature" in focus) return `Input ${FEATURE_TEXT[FEATURES[focus.feature]]}`;
  const { layer, neuron } = focus;
  if (layer === picture.layers.length - 1) return "Output of the network";
  return `Layer ${layer + 1}, neuron ${neuron + 1} (bias ${picture.layers[layer].bias[neuron].toFixed(2)})`;
}
