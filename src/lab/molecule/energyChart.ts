import { Chart } from "../kit/chart.ts";
import { svg } from "../kit/svg.ts";
import type { Trace } from "./simulation.ts";

const SERIES = ["potential", "kinetic", "total"] as const;

/** meV */
const MILLI = 1000;

/** Potential, kinetic and total energy over the time. */
export class EnergyChart {
  readonly element: SVGElement;
  private readonly chart = new Chart({ x: "time, fs", y: "energy, meV" }, { width: 380, height: 220 });

  constructor() {
    this.element = this.chart.element;
  }

  draw(trace: Trace | undefined): void {
    const time = trace?.time ?? new Float64Array();
    const end = Math.max(10, time.at(-1) ?? 0);
    let [low, high] = [0, 100];
    for (const name of SERIES)
      for (const value of trace?.[name] ?? []) {
        low = Math.min(low, MILLI * value);
        high = Math.max(high, MILLI * value);
      }
    const last = SERIES.map((name) => `${name} ${(MILLI * (trace?.[name].at(-1) ?? 0)).toFixed(0)} meV`).join(", ");
    const label = trace ? `Energies up to ${end.toFixed(0)} fs; now ${last}` : "No simulation yet";
    this.chart.draw(label, [0, end], [low, low + 1.06 * (high - low)], ({ x, y }) =>
      SERIES.map((name) => {
        const points = Array.from(
          trace?.[name] ?? [],
          (value, i) => `${x(time[i]).toFixed(1)},${y(MILLI * value).toFixed(1)}`,
        );
        return svg("polyline", { class: name, points: points.join(" ") });
      }),
    );
  }
}
