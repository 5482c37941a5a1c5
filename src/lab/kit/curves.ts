import { Chart, LinearScale, LineController, LineElement, PointElement, Tooltip } from "chart.js";
import { h } from "./dom.ts";
import type { Theme } from "./theme.ts";

Chart.register(LineController, LineElement, PointElement, LinearScale, Tooltip);

/** Curves over one axis that are drawn again as they grow. */
export class Curves {
  readonly element: HTMLElement;
  private readonly chart: Chart<"line", { x: number; y: number }[]>;

  constructor(
    label: string,
    private readonly series: readonly { name: string; colour: (theme: Theme) => string }[],
  ) {
    const canvas = h("canvas", { ariaLabel: label, role: "img" });
    this.element = h("div", { className: "curves" }, canvas);
    this.chart = new Chart(canvas, {
      type: "line",
      data: { datasets: series.map(({ name }) => ({ label: name, data: [], borderWidth: 1.5, pointRadius: 0 })) },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { type: "linear", min: 0, ticks: { maxTicksLimit: 6, maxRotation: 0, includeBounds: false } },
          y: { beginAtZero: true, ticks: { maxTicksLimit: 4 } },
        },
        plugins: {
          tooltip: {
            displayColors: false,
            callbacks: {
              title: ([item]) => `epoch ${item.parsed.x}`,
              label: ({ dataset, parsed }) => `${dataset.label} ${(parsed.y ?? Number.NaN).toFixed(4)}`,
            },
          },
        },
      },
    });
  }

  restyle(theme: Theme): void {
    const { data, options } = this.chart;
    this.series.forEach(({ colour }, i) => {
      data.datasets[i].borderColor = colour(theme);
    });
    for (const scale of Object.values(options.scales!)) {
      scale!.ticks!.color = theme.muted;
      scale!.grid!.color = theme.line;
    }
    this.chart.update("none");
  }

  draw(x: Float64Array, ys: readonly Float64Array[]): void {
    ys.forEach((y, s) => {
      this.chart.data.datasets[s].data = Array.from(x, (value, i) => ({ x: value, y: y[i] }));
    });
    this.chart.options.scales!.x!.max = Math.max(1, x.at(-1) ?? 1);
    this.chart.update("none");
  }

  destroy(): void {
    this.chart.destroy();
  }
}
