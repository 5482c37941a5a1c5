import { svg } from "./svg.ts";

export type Range = readonly [low: number, high: number];
export interface Scales {
  x(value: number): number;
  y(value: number): number;
}

/** In units of the drawing, which the page scales to its place. */
const MARGIN = { left: 40, right: 8, top: 8, bottom: 34 };

/** A drawing with two axes. The style sheet colours it, so that it needs no change with the scheme. */
export class Chart {
  readonly element: SVGSVGElement;
  private readonly grid = svg("g", { class: "grid" });
  private readonly marks = svg("g", { class: "marks" });

  constructor(
    private readonly axes: { x: string; y: string },
    private readonly size: { width: number; height: number },
  ) {
    const { width, height } = size;
    this.element = svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img" });
    this.element.append(this.grid, this.marks);
  }

  /** `label` is what those hear who do not see it; `marks` makes what stands in the field. */
  draw(label: string, x: Range, y: Range, marks: (scales: Scales) => Iterable<SVGElement>): void {
    const { width, height } = this.size;
    const [left, right] = [MARGIN.left, width - MARGIN.right];
    const [top, bottom] = [MARGIN.top, height - MARGIN.bottom];
    const scales: Scales = {
      x: (value) => left + ((value - x[0]) / (x[1] - x[0])) * (right - left),
      y: (value) => bottom - ((value - y[0]) / (y[1] - y[0])) * (bottom - top),
    };
    const text = (value: string, attributes: Record<string, string | number>): SVGElement => {
      const element = svg("text", attributes);
      element.textContent = value;
      return element;
    };
    this.element.setAttribute("aria-label", label);
    this.grid.replaceChildren(
      ...ticks(y, height / 32).flatMap((value) => [
        svg("line", { x1: left, x2: right, y1: scales.y(value), y2: scales.y(value) }),
        text(plain(value), { x: left - 5, y: scales.y(value) + 4, "text-anchor": "end" }),
      ]),
      ...ticks(x, width / 50).map((value) =>
        text(plain(value), { x: scales.x(value), y: bottom + 14, "text-anchor": "middle" }),
      ),
      svg("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }),
      text(this.axes.x, { x: (left + right) / 2, y: height - 4, "text-anchor": "middle" }),
      text(this.axes.y, {
        x: 0,
        y: 0,
        transform: `translate(9 ${(top + bottom) / 2}) rotate(-90)`,
        "text-anchor": "middle",
      }),
    );
    this.marks.replaceChildren(...marks(scales));
  }
}

/** Round numbers in a range, about `count` of them. */
export function ticks([low, high]: Range, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

const plain = (value: number): string => String(Number(value.toPrecision(6))).replace("-", "−");
