import { Chart } from "../kit/chart.ts";
import { svg, titled } from "../kit/svg.ts";
import type { Cloud } from "./learner.ts";
import { percent } from "./numbers.ts";

/** Embeddings as points of a plane, coloured by their true class; those that the network gets wrong have a ring. */
export class EmbeddingChart {
  readonly element: SVGElement;
  private readonly chart = new Chart({ x: "first component", y: "second component" }, { width: 360, height: 300 });

  constructor(private readonly onPick: (row: number) => void) {
    this.element = this.chart.element;
  }

  draw(cloud: Cloud, labels: readonly number[], classes: readonly string[], picked: number | undefined): void {
    const { points, explained, probability, epoch } = cloud;
    const limits = (axis: number): [number, number] => {
      const values = labels.map((_, i) => points[2 * i + axis]);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const edge = 0.06 * (high - low) || 1;
      return [low - edge, high + edge];
    };
    const wrong = labels.map((label, i) => Number(probability[i] > 0.5) !== label);
    const shares = explained.map(percent).join(" and ");
    const label = `Embeddings of ${labels.length} molecules at epoch ${epoch}; the axes hold ${shares} of the variance; ${wrong.filter(Boolean).length} are wrong`;
    this.chart.draw(label, limits(0), limits(1), ({ x, y }) => {
      const dots = labels.map((kind, i) => {
        const name = ["dot", kind === 0 ? "negative" : "positive", ...(wrong[i] ? ["wrong"] : [])];
        const at = { cx: x(points[2 * i]), cy: y(points[2 * i + 1]) };
        const dot = svg("circle", { class: name.join(" "), ...at, r: 4, "data-row": i });
        dot.addEventListener("click", () => this.onPick(i));
        const sure = kind === 1 ? probability[i] : 1 - probability[i];
        return titled(dot, `Molecule ${i + 1}: ${classes[kind]}, to the network ${percent(sure)}`);
      });
      const ring =
        picked === undefined
          ? []
          : [svg("circle", { class: "picked", cx: x(points[2 * picked]), cy: y(points[2 * picked + 1]), r: 8 })];
      return [...dots, ...ring];
    });
  }
}
