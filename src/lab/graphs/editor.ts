import { svg } from "../kit/svg.ts";
import {
  changed,
  type Drawing,
  ELEMENT_TEXT,
  FIELD,
  MOST_NODES,
  neighboursOf,
  toggled,
  withNode,
  withoutNode,
} from "./drawing.ts";
import { short } from "./numbers.ts";

/** What is drawn over the graph: the numbers of one moment of the message passing. */
export interface Overlay {
  /** [nodes] */
  values: ArrayLike<number>;
  /** At the foot of each node [nodes], and what these numbers are. */
  notes?: { values: ArrayLike<number>; name: string };
  /** Along edges, near the node that receives. */
  messages?: readonly { from: number; to: number; value: number }[];
  /** The largest number, for the colours. */
  scale: number;
}

export interface EditorEvents {
  /** The graph as a person changed it. */
  onEdit(drawing: Drawing): void;
  onSelect(node: number | undefined): void;
  /** A node is pointed at, or none any more. */
  onHover(node: number | undefined): void;
}

const RADIUS = 23;
/** Units that a pointer may move without dragging. */
const STILL = 6;
/** Units that an arrow key moves a node. */
const STRIDE = 12;

/** The field on which a graph is drawn: pointers and keys add, join, move and remove. */
export class GraphEditor {
  readonly element: SVGSVGElement;
  private readonly edges = svg("g", { class: "edges" });
  private readonly nodes = svg("g");
  private readonly messages = svg("g", { class: "messages" });
  private readonly rubber = svg("line", { class: "rubber" });
  private drawing: Drawing = { nodes: [], edges: [] };
  private overlay: Overlay | undefined;
  private selected: number | undefined;
  /** A node that waits for its partner: E was pressed on it. */
  private from: number | undefined;
  private press:
    | { node: number | undefined; edge: number | undefined; x: number; y: number; moved: boolean }
    | undefined;

  constructor(private readonly events: EditorEvents) {
    const { width, height } = FIELD;
    this.element = svg("svg", { class: "field", viewBox: `0 0 ${width} ${height}`, role: "group" });
    this.rubber.setAttribute("visibility", "hidden");
    this.element.append(this.edges, this.rubber, this.nodes, this.messages);
    this.element.addEventListener("pointerdown", (event) => this.down(event));
    this.element.addEventListener("pointermove", (event) => this.move(event));
    this.element.addEventListener("pointerup", (event) => this.up(event));
    this.element.addEventListener("pointercancel", () => this.release());
    this.element.addEventListener("pointerleave", () => this.press ?? events.onHover(undefined));
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  show(drawing: Drawing): void {
    this.drawing = drawing;
    const { length } = drawing.nodes;
    while (this.nodes.childElementCount > length) this.nodes.lastElementChild!.remove();
    while (this.nodes.childElementCount < length) this.nodes.append(this.newNode(this.nodes.childElementCount));
    if (this.selected !== undefined && this.selected >= length) this.select(undefined);
    this.edges.replaceChildren(
      ...drawing.edges.flatMap(([i, j], e) => {
        const [a, b] = [drawing.nodes[i], drawing.nodes[j]];
        const ends = { x1: a.x, y1: a.y, x2: b.x, y2: b.y, "data-edge": e };
        return [svg("line", { class: "edge", ...ends }), svg("line", { class: "grip", ...ends })];
      }),
    );
    this.element.setAttribute(
      "aria-label",
      `Graph of ${length} nodes and ${drawing.edges.length} edges. Tab to a node: arrow keys move it, E joins it to another, Delete removes it.`,
    );
    this.draw();
  }

  /** Numbers on the drawing; they are dropped where they belong to another graph. */
  lay(overlay: Overlay): void {
    this.overlay = overlay;
    this.draw();
  }

  select(node: number | undefined): void {
    this.selected = node;
    this.draw();
    this.events.onSelect(node);
  }

  /** Nodes that are near, by number; without any, all are. And two nodes whose edge is pointed at. */
  light(near: ReadonlySet<number> | undefined, pair?: readonly [number, number]): void {
    Array.from(this.nodes.children, (group, i) => {
      group.classList.toggle("near", near?.has(i) ?? false);
      group.classList.toggle("distant", near !== undefined && !near.has(i));
      group.classList.toggle("ringed", pair?.includes(i) ?? false);
    });
    for (const line of this.edges.children) {
      const ends = this.drawing.edges[Number((line as SVGElement).dataset.edge)];
      line.classList.toggle("ringed", pair !== undefined && ends.every((end) => pair.includes(end)));
      line.classList.toggle("distant", near !== undefined && !ends.every((end) => near.has(end)));
    }
  }

  /** A node more, in the first free place; it is selected. */
  add(): void {
    const { nodes } = this.drawing;
    const places = Array.from({ length: 40 }, (_, i) => ({
      x: FIELD.margin + 14 + (i % 8) * 69,
      y: FIELD.margin + 14 + Math.floor(i / 8) * 68,
    }));
    const free = ({ x, y }: { x: number; y: number }): number =>
      Math.min(1e4, ...nodes.map((node) => Math.hypot(node.x - x, node.y - y)));
    const best = places.reduce((a, b) => (free(b) > free(a) + 1 ? b : a));
    this.addAt(best.x, best.y);
    this.focus(this.drawing.nodes.length - 1);
  }

  remove(node: number): void {
    const left = withoutNode(this.drawing, node);
    this.from = undefined;
    this.selected = undefined;
    this.edit(left);
    this.select(left.nodes.length > 0 ? Math.min(node, left.nodes.length - 1) : undefined);
  }

  private addAt(x: number, y: number): void {
    if (this.drawing.nodes.length >= MOST_NODES) return;
    this.edit(withNode(this.drawing, { x, y, symbol: "C", value: 1 }));
    this.select(this.drawing.nodes.length - 1);
  }

  private edit(drawing: Drawing): void {
    this.show(drawing);
    this.events.onEdit(drawing);
  }

  private focus(node: number): void {
    (this.nodes.children[node] as SVGElement | undefined)?.focus();
  }

  private newNode(i: number): SVGElement {
    const group = svg("g", { class: "node", tabindex: 0, role: "button", "data-node": i });
    const text = (name: string, y: number): SVGElement => svg("text", { class: name, "text-anchor": "middle", y });
    group.append(
      svg("circle", { class: "halo", r: RADIUS + 6 }),
      svg("circle", { class: "disc", r: RADIUS }),
      text("value", 5),
      svg("text", { class: "name", x: -RADIUS - 1, y: -RADIUS + 6, "text-anchor": "middle" }),
      svg("text", { class: "symbol", x: RADIUS + 1, y: -RADIUS + 6, "text-anchor": "middle" }),
      svg("rect", { class: "plate", y: RADIUS - 8, height: 18, rx: 9 }),
      text("note", RADIUS + 5),
    );
    group.addEventListener("focus", () => {
      this.select(i);
      this.events.onHover(i);
    });
    group.addEventListener("blur", () => this.events.onHover(undefined));
    group.addEventListener("pointerenter", () => this.press ?? this.events.onHover(i));
    group.addEventListener("pointerleave", () => this.press ?? this.events.onHover(undefined));
    return group;
  }

  private draw(): void {
    const { drawing, overlay, selected, from } = this;
    const fits = overlay?.values.length === drawing.nodes.length;
    const neighbours = neighboursOf(drawing);
    Array.from(this.nodes.children, (element, i) => {
      const group = element as SVGElement;
      const node = drawing.nodes[i];
      const value = fits ? overlay.values[i] : node.value;
      const note = fits && overlay.notes ? short(overlay.notes.values[i]) : "";
      group.setAttribute("transform", `translate(${node.x} ${node.y})`);
      group.classList.toggle("selected", i === selected);
      group.classList.toggle("waiting", i === from);
      group.classList.toggle("negative", value < 0);
      group.style.setProperty(
        "--share",
        `${Math.round(75 * Math.min(1, Math.abs(value) / (fits ? overlay.scale : 1)))}%`,
      );
      const say = (name: string, text: string): void => {
        group.querySelector(`.${name}`)!.textContent = text;
      };
      say("value", short(value));
      say("name", String(i + 1));
      say("symbol", node.symbol);
      say("note", note);
      const half = note === "" ? 0 : 6 + 3.8 * note.length;
      const plate = group.querySelector(".plate")!;
      plate.setAttribute("x", String(-half));
      plate.setAttribute("width", String(2 * half));
      const joined = neighbours[i].map((j) => j + 1).join(", ") || "none";
      const extra = note ? `, ${overlay!.notes!.name} ${note}` : "";
      group.setAttribute(
        "aria-label",
        `Node ${i + 1}, ${ELEMENT_TEXT[node.symbol]}, value ${short(value)}${extra}, neighbours ${joined}`,
      );
      group.setAttribute("aria-pressed", String(i === selected));
    });
    this.messages.replaceChildren(...(fits ? this.pills(overlay) : []));
  }

  /** A message's number stands near its receiver, on the right of its way, so that what goes the other way has room. */
  private pills({ messages = [] }: Overlay): SVGElement[] {
    const { nodes } = this.drawing;
    return messages.map(({ from, to, value }) => {
      const [a, b] = [nodes[from], nodes[to]];
      const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
      // The way of the message.
      const [dx, dy] = [(b.x - a.x) / length, (b.y - a.y) / length];
      const back = Math.min(0.5 * length, RADIUS + 21);
      const at = (along: number, aside: number): string =>
        `${(b.x + (along - back) * dx - aside * dy).toFixed(1)} ${(b.y + (along - back) * dy + aside * dx).toFixed(1)}`;
      const words = short(value);
      const half = 6 + 3.6 * words.length;
      // A wide number lies farther from a steep edge.
      const aside = 11 + Math.abs(dy) * Math.max(0, half - 9);
      const group = svg("g", { class: "message", transform: `translate(${at(0, aside)})` });
      const label = svg("text", { "text-anchor": "middle", y: 4 });
      label.textContent = words;
      const tip = (along: number, side: number): string =>
        `${(along * dx - side * dy).toFixed(1)},${(along * dy + side * dx).toFixed(1)}`;
      const reach = 9 + Math.abs(dx) * (half - 9);
      group.append(
        svg("polygon", { points: `${tip(reach + 8, 0)} ${tip(reach - 3, 6)} ${tip(reach - 3, -6)}` }),
        svg("rect", { x: -half, y: -9, width: 2 * half, height: 18, rx: 9 }),
        label,
      );
      return group;
    });
  }

  private place({ clientX, clientY }: PointerEvent): { x: number; y: number } {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    return { x: ((clientX - left) / width) * FIELD.width, y: ((clientY - top) / height) * FIELD.height };
  }

  private nodeAt(x: number, y: number): number | undefined {
    // Of nodes that overlap, the one on top.
    const near = this.drawing.nodes.map((node) => Math.hypot(node.x - x, node.y - y) <= RADIUS + 4);
    return near.includes(true) ? near.lastIndexOf(true) : undefined;
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const { x, y } = this.place(event);
    const node = this.nodeAt(x, y);
    const edge = node === undefined ? (event.target as SVGElement).dataset.edge : undefined;
    this.press = { node, edge: edge === undefined ? undefined : Number(edge), x, y, moved: false };
    if (node !== undefined) this.element.setPointerCapture(event.pointerId);
  }

  private move(event: PointerEvent): void {
    const { press } = this;
    if (!press) return;
    const { x, y } = this.place(event);
    press.moved ||= Math.hypot(x - press.x, y - press.y) > STILL;
    if (!press.moved || press.node === undefined) return;
    const { x: x1, y: y1 } = this.drawing.nodes[press.node];
    const over = this.nodeAt(x, y);
    const end = over === undefined ? { x, y } : this.drawing.nodes[over];
    for (const [key, value] of Object.entries({ x1, y1, x2: end.x, y2: end.y, visibility: "visible" }))
      this.rubber.setAttribute(key, String(value));
    this.light(undefined, over === undefined ? [press.node, press.node] : [press.node, over]);
  }

  private up(event: PointerEvent): void {
    const { press, drawing } = this;
    if (!press) return;
    this.release();
    const { x, y } = this.place(event);
    const { node, edge, moved } = press;
    if (node === undefined) {
      if (moved) return;
      if (edge === undefined) this.addAt(x, y);
      else this.edit(toggled(drawing, ...drawing.edges[edge]));
    } else if (!moved) this.focus(node);
    else {
      const over = this.nodeAt(x, y);
      if (over === undefined) this.edit(changed(drawing, node, { x, y }));
      else if (over !== node) this.edit(toggled(drawing, node, over));
    }
  }

  private release(): void {
    this.press = undefined;
    this.rubber.setAttribute("visibility", "hidden");
    this.light(undefined);
  }

  private key(event: KeyboardEvent): void {
    const at = (event.target as SVGElement).dataset.node;
    if (at === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const i = Number(at);
    const { x, y } = this.drawing.nodes[i];
    const moves: Record<string, { x: number; y: number }> = {
      ArrowLeft: { x: x - STRIDE, y },
      ArrowRight: { x: x + STRIDE, y },
      ArrowUp: { x, y: y - STRIDE },
      ArrowDown: { x, y: y + STRIDE },
    };
    if (event.key in moves) this.edit(changed(this.drawing, i, moves[event.key]));
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(i);
    else if (event.key === "Escape") this.wait(undefined);
    else if (event.key === "e" || event.key === "E") {
      const { from } = this;
      this.wait(from === undefined ? i : undefined);
      if (from !== undefined && from !== i) this.edit(toggled(this.drawing, from, i));
    } else return;
    event.preventDefault();
  }

  private wait(node: number | undefined): void {
    this.from = node;
    this.draw();
  }
}
