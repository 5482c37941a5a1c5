import type { Aggregation } from "../../nn/aggregate.ts";
import { h } from "../kit/dom.ts";
import { svg } from "../kit/svg.ts";
import { short } from "./numbers.ts";
import { KINDS, MOST_NEIGHBOURS } from "./options.ts";

type Neighbourhoods = readonly (readonly number[])[];

const TITLES = ["The mean cannot tell", "The maximum cannot tell", "The sum cannot tell"];
/** Numbers that f32 rounds differently are still the same. */
const SAME = 1e-5;

/** Three pairs of neighbourhoods, and which aggregations tell them apart. */
export class PairsPanel {
  readonly element: HTMLElement;
  private readonly cards: {
    fields: HTMLInputElement[];
    pictures: SVGElement[];
    body: HTMLTableSectionElement;
    title: HTMLElement;
  }[];
  private shown: Neighbourhoods = [];

  constructor(events: {
    onChange(pairs: Neighbourhoods): void;
    onDraw(left: readonly number[], right: readonly number[]): void;
  }) {
    this.cards = TITLES.map((_, k) => {
      const fields = ["left", "right"].map((side, s) => {
        const field = h("input", {
          type: "text",
          inputMode: "decimal",
          ariaLabel: `Pair ${k + 1}, ${side} neighbours`,
        });
        field.onchange = () => {
          const values = parse(field.value);
          if (values) events.onChange(this.shown.map((old, i) => (i === 2 * k + s ? values : old)));
          else this.show(this.shown);
        };
        return field;
      });
      const pictures = fields.map(() => svg("svg", { class: "hood", viewBox: "0 0 120 100", "aria-hidden": "true" }));
      return { fields, pictures, body: h("tbody"), title: h("h3") };
    });
    const heads = ["", "left", "right", ""].map((text) => h("th", { scope: "col" }, text));
    this.element = h(
      "section",
      { className: "card pairs" },
      h("h2", {}, "Where mean, max and sum each fail"),
      h(
        "p",
        { className: "note" },
        "Two nodes with different neighbours: an aggregation that gives both the same number cannot tell them apart, whatever is learned afterwards. Type other numbers, separated by commas.",
      ),
      h(
        "div",
        { className: "trio" },
        ...this.cards.map(({ fields, pictures, body, title }, k) => {
          const draw = h("button", { type: "button", textContent: "Draw this pair" });
          draw.ariaLabel = `Draw pair ${k + 1}`;
          draw.onclick = () => events.onDraw(this.shown[2 * k], this.shown[2 * k + 1]);
          const sides = fields.map((field, s) => h("div", {}, pictures[s] as unknown as HTMLElement, field));
          const head = h("thead", {}, h("tr", {}, ...heads.map((th) => th.cloneNode(true))));
          return h("div", {}, title, h("div", { className: "sides" }, ...sides), h("table", {}, head, body), draw);
        }),
      ),
    );
  }

  show(pairs: Neighbourhoods): void {
    this.shown = pairs;
    this.cards.forEach(({ fields, pictures }, k) => {
      for (const s of [0, 1]) {
        const values = pairs[2 * k + s];
        fields[s].value = values.map(short).join(", ");
        pictures[s].replaceChildren(...star(values));
      }
    });
  }

  /** What each aggregation makes of the neighbourhoods. */
  draw(results: Record<Aggregation, readonly number[]>): void {
    this.cards.forEach(({ body, title }, k) => {
      const blind: string[] = [];
      const rows = KINDS.map((kind) => {
        const [left, right] = results[kind].slice(2 * k);
        const same = Math.abs(left - right) <= SAME * Math.max(1, Math.abs(left));
        if (same) blind.push(kind);
        const verdict = h("td", { className: same ? "same" : "other" }, same ? "= the same" : "≠ different");
        return h(
          "tr",
          {},
          h("th", { scope: "row" }, kind),
          ...[left, right].map((x) => h("td", {}, short(x))),
          verdict,
        );
      });
      body.replaceChildren(...rows);
      const main = blind.filter((kind) => kind === "sum" || kind === "mean" || kind === "max");
      title.textContent =
        main.length === 0
          ? "Sum, mean and max all tell"
          : main.length === 1
            ? TITLES[["mean", "max", "sum"].indexOf(main[0])]
            : `${main.join(" and ")} cannot tell`;
    });
  }
}

/** "1, 3" as numbers; undefined for anything else. */
function parse(text: string): number[] | undefined {
  const parts = text
    .replaceAll("−", "-")
    .split(/[,;\s]+/)
    .filter((part) => part !== "");
  const values = parts.map((part) => Math.round(10 * Number(part)) / 10);
  const fits = values.length >= 1 && values.length <= MOST_NEIGHBOURS && values.every((x) => Math.abs(x) < 100);
  return fits ? values : undefined;
}

function star(values: readonly number[]): SVGElement[] {
  const text = (words: string, x: number, y: number): SVGElement => {
    const element = svg("text", { x, y: y + 4, "text-anchor": "middle" });
    element.textContent = words;
    return element;
  };
  const places = values.map((_, i) => {
    const angle = ((-0.5 + (2 * i) / values.length) * Math.PI) % (2 * Math.PI);
    return { x: 60 + 38 * Math.cos(angle), y: 50 + 35 * Math.sin(angle) };
  });
  return [
    ...places.map(({ x, y }) => svg("line", { x1: 60, y1: 50, x2: x, y2: y })),
    svg("circle", { class: "middle", cx: 60, cy: 50, r: 10 }),
    text("?", 60, 50),
    ...places.flatMap(({ x, y }, i) => [svg("circle", { cx: x, cy: y, r: 13 }), text(short(values[i]), x, y)]),
  ];
}
