import { Chart, type Range } from "./chart.ts";
import { svg, titled } from "./svg.ts";

export interface Bar {
  /** The middle. */
  x: number;
  value: number;
  title: string;
  marked?: boolean;
}

/** Bars of one width over a line of numbers. */
export class Bars {
  readonly element: SVGElement;
  private readonly chart: Chart;

  constructor(axes: { x: string; y: string }) {
    this.chart = new Chart(axes, { width: 300, height: 132 });
    this.element = this.chart.element;
  }

  draw(label: string, x: Range, bars: readonly Bar[], width: number, highest = 0): void {
    const top = bars.reduce((most, { value }) => Math.max(most, value), highest);
    this.chart.draw(label, x, [0, top || 1], (scales) =>
      bars.map(({ x, value, title, marked }) => {
        const [left, right] = [scales.x(x - width / 2), scales.x(x + width / 2)];
        const [upper, lower] = [scales.y(value), scales.y(0)];
        // A hairline of space between neighbours, where there is room for it.
        const gap = right - left > 4 ? 1 : 0;
        const size = { x: left, y: upper, width: Math.max(1, right - left - gap), height: lower - upper };
        return titled(svg("rect", { ...size, class: marked ? "marked" : "bar" }), title);
      }),
    );
  }
}
