import { h } from "../kit/dom.ts";
import { type Input, select } from "../kit/inputs.ts";
import type { Theme } from "../kit/theme.ts";
import type { VisionState } from "./config.ts";
import type { ConvolutionResult } from "./convolution.ts";
import { MapView, type Mark, mapPixels } from "./mapView.ts";
import { NumberGrid } from "./numberGrid.ts";
import { likeliest, short } from "./numbers.ts";

/** The convolution's output pooled: its map, and the numbers of the window that the chosen output is in. */
export class PoolingView {
  readonly element: HTMLElement;
  private readonly pool: Input<VisionState["pool"]>;
  private readonly poolSize: Input<VisionState["poolSize"]>;
  private readonly map: MapView;
  private readonly numbers = new NumberGrid("Pooling window");
  private readonly sum = h("output", { className: "sum" });
  private theme: Theme | undefined;
  private result: ConvolutionResult | undefined;
  private at = { column: 0, row: 0 };

  /** `onGo` moves the window to a place of the output. */
  constructor(
    change: (changes: Partial<VisionState>) => void,
    private readonly onGo: (column: number, row: number) => void,
  ) {
    this.pool = select(
      "Pooling",
      [
        ["max", "max"],
        ["average", "average"],
      ],
      (pool) => change({ pool }),
    );
    this.poolSize = select(
      "Pooling size",
      [
        [2, "2 × 2"],
        [3, "3 × 3"],
      ],
      (poolSize) => change({ poolSize }),
    );
    this.map = new MapView("Pooled", {
      onPoint: (column, row) => this.go(column, row),
      onArrow: (columns, rows) => this.go(this.at.column + columns, this.at.row + rows),
    });
    this.element = h(
      "div",
      { className: "stage pooling" },
      h("h3", {}, "Pooled"),
      this.map.element,
      h("div", { className: "pair" }, this.pool.element, this.poolSize.element),
      this.numbers.element,
      this.sum,
    );
  }

  private go(column: number, row: number): void {
    if (!this.result) return;
    const { pooled, request } = this.result;
    const within = (n: number): number => Math.max(0, Math.min(pooled.side - 1, n)) * request.poolSize;
    this.onGo(within(column), within(row));
  }

  showState({ pool, poolSize }: VisionState): void {
    this.pool.show(pool);
    this.poolSize.show(poolSize);
  }

  restyle(theme: Theme): void {
    this.theme = theme;
  }

  draw(result: ConvolutionResult): void {
    this.result = result;
    const { pooled, output } = result;
    if (!this.theme || pooled.side === 0) return;
    // In the output's colours, so that the two can be compared.
    this.map.draw(mapPixels(pooled.data, output.data, this.theme).pixels, pooled.side);
    this.map.describe(`Pooled to ${pooled.side} × ${pooled.side}. Arrow keys move the window.`);
  }

  /** Shows the window that holds a place of the output; what is to be marked there. */
  mark(column: number, row: number): Mark[] {
    if (!this.result) return [];
    const { output, pooled, request } = this.result;
    const { pool, poolSize } = request;
    this.at = { column: Math.floor(column / poolSize), row: Math.floor(row / poolSize) };
    const outside = Math.max(this.at.column, this.at.row) >= pooled.side;
    if (outside) {
      this.map.mark([]);
      this.numbers.show(new Array<string>(poolSize ** 2).fill("–"), poolSize);
      this.sum.textContent = "This place is in no whole window: it is left out.";
      return [];
    }
    const [left, top] = [this.at.column * poolSize, this.at.row * poolSize];
    const values = Array.from({ length: poolSize ** 2 }, (_, i) => {
      const [x, y] = [left + (i % poolSize), top + Math.floor(i / poolSize)];
      return output.data[y * output.side + x];
    });
    const best = likeliest(values);
    const isMax = pool === "max";
    this.numbers.show(values.map(short), poolSize, isMax ? best : -1);
    const value = short(pooled.data[this.at.row * pooled.side + this.at.column]);
    this.sum.textContent = `${isMax ? "Largest" : "Mean"} = ${value} → row ${this.at.row + 1}, column ${this.at.column + 1}`;
    this.map.mark([{ x: this.at.column, y: this.at.row, width: 1, height: 1, kind: "pixel" }]);
    const chosen = { x: left + (best % poolSize), y: top + Math.floor(best / poolSize), width: 1, height: 1 };
    return [
      { x: left, y: top, width: poolSize, height: poolSize, kind: "window" },
      ...(isMax ? [{ ...chosen, kind: "chosen" }] : []),
    ];
  }
}
