import { Chart } from "./chart.ts";
import { svg, titled } from "./svg.ts";

export interface Pair {
  target: number;
  predicted: number;
  title: string;
  marked?: boolean;
}

const limits = (values: readonly number[]): [number, number] => [
  values.reduce((a, b) => Math.min(a, b)),
  values.reduce((a, b) => Math.max(a, b)),
];

/** Predictions over true values: a perfect model's points lie on the diagonal. */
export class Parity {
  readonly element: SVGElement;
  private readonly chart: Chart;

  constructor(
    axes: { x: string; y: string },
    private readonly onPick: (index: number) => void,
  ) {
    this.chart = new Chart(axes, { width: 320, height: 300 });
    this.element = this.chart.element;
  }

  draw(label: string, pairs: readonly Pair[]): void {
    const [low, high] = limits(pairs.map(({ target }) => target));
    const [least, most] = limits(pairs.map(({ predicted }) => predicted));
    const span = high - low || 1;
    // The targets decide: what is predicted far outside stands at the edge.
    const range = [Math.max(low - span, Math.min(low, least)), Math.min(high + span, Math.max(high, most))].map(
      (end, i) => end + (i - 0.5) * 0.1 * span,
    ) as [number, number];
    const within = (value: number): number => Math.min(range[1], Math.max(range[0], value));
    this.chart.draw(label, range, range, ({ x, y }) => [
      svg("line", { class: "diagonal", x1: x(range[0]), y1: y(range[0]), x2: x(range[1]), y2: y(range[1]) }),
      ...pairs.map(({ target, predicted, title, marked }, i) => {
        const at = { cx: x(target), cy: y(within(predicted)), r: marked ? 5 : 3.2 };
        const dot = titled(svg("circle", { ...at, class: marked ? "dot marked" : "dot" }), title);
        dot.addEventListener("click", () => this.onPick(i));
        return dot;
      }),
    ]);
  }
}
