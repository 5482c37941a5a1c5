import { h } from "../kit/dom.ts";
import { type Input, select, slider } from "../kit/inputs.ts";
import type { Theme } from "../kit/theme.ts";
import { DILATION, FILTERS, PADDING, STRIDE, type VisionState } from "./config.ts";
import type { ConvolutionResult } from "./convolution.ts";
import { KERNEL_TEXT, KERNELS, placesOf, placesText, SIDE } from "./kernels.ts";
import { greyPixels, MapView, mapPixels } from "./mapView.ts";
import { KernelGrid, NumberGrid } from "./numberGrid.ts";
import { short } from "./numbers.ts";
import { Player } from "./player.ts";
import { PoolingView } from "./poolingView.ts";

/** The kernel's window over the picture, place by place, with its numbers, and the map that they make. */
export class WindowPanel {
  readonly element: HTMLElement;
  private readonly inputs: { [K in keyof VisionState]?: Input<VisionState[K]> };
  private readonly kernel: KernelGrid;
  private readonly input: MapView;
  private readonly output: MapView;
  private readonly patch = new NumberGrid("Input under the window");
  private readonly products = new NumberGrid("Products");
  private readonly sum = h("output", { className: "sum" });
  private readonly size = h("p", { className: "note" });
  private readonly legend = h("p", { className: "note" });
  private readonly remark = h("p", { className: "remark" });
  private readonly player = new Player((position, playing) => this.move(position, playing));
  private readonly pooling: PoolingView;
  private theme: Theme | undefined;
  private result: ConvolutionResult | undefined;
  private at = { column: 4, row: 4 };

  constructor(change: (changes: Partial<VisionState>) => void) {
    const kernels = KERNELS.map((name) => [name, KERNEL_TEXT[name]] as const);
    const filters = Array.from({ length: FILTERS }, (_, i) => [i + 1, String(i + 1)] as const);
    const inputs = {
      kernel: select("Kernel", kernels, (kernel) => change({ kernel })),
      stride: slider("Stride", STRIDE, (stride) => change({ stride })),
      padding: slider("Padding", PADDING, (padding) => change({ padding })),
      dilation: slider("Dilation", DILATION, (dilation) => change({ dilation })),
      filter: select("Filter", filters, (filter) => change({ filter })),
    };
    this.inputs = inputs;
    this.kernel = new KernelGrid(SIDE, (weights) => change({ kernel: "custom", weights }));
    const arrow = (columns: number, rows: number): void => this.go(this.at.column + columns, this.at.row + rows);
    this.input = new MapView("Input", { onPoint: (column, row) => this.goUnder(column, row), onArrow: arrow });
    this.output = new MapView("Output", { onPoint: (column, row) => this.go(column, row), onArrow: arrow });
    this.pooling = new PoolingView(change, (column, row) => this.go(column, row));
    const titled = (title: string, ...content: HTMLElement[]): HTMLElement =>
      h("div", { className: "stage" }, h("h3", {}, title), ...content);
    this.element = h(
      "section",
      { className: "card convolution" },
      h("h2", {}, "Convolution and pooling"),
      h("div", { className: "fields" }, ...Object.values(inputs).map(({ element }) => element)),
      h(
        "div",
        { className: "stages" },
        titled("Input", this.input.element, this.player.element),
        h(
          "div",
          { className: "stage sums" },
          h("h3", {}, "Input × kernel, added up"),
          h("div", { className: "grids" }, this.patch.element, this.kernel.element, this.products.element),
          this.sum,
        ),
        titled("Output: point at it", this.output.element, this.size, this.legend),
        this.pooling.element,
      ),
      this.remark,
    );
  }

  showState(state: VisionState): void {
    for (const [key, input] of Object.entries(this.inputs) as [keyof VisionState, Input<unknown>][])
      input.show(state[key]);
    this.inputs.filter!.element.hidden = state.kernel !== "learned";
    this.pooling.showState(state);
  }

  /** Something that people should know of this kernel, or nothing. */
  say(text: string): void {
    this.remark.textContent = text;
  }

  restyle(theme: Theme): void {
    this.theme = theme;
    this.pooling.restyle(theme);
    if (this.result) this.draw(this.result);
  }

  draw(result: ConvolutionResult): void {
    this.result = result;
    const { request, input, output } = result;
    const { theme } = this;
    if (!theme) return;
    const { padding } = request;
    const side = input.side + 2 * padding;
    const beyond = theme.continuous[128];
    const pixels = new Uint32Array(side * side).fill(beyond);
    const greys = greyPixels(request.pixels);
    for (let row = 0; row < input.side; row++)
      pixels.set(greys.subarray(row * input.side, (row + 1) * input.side), (row + padding) * side + padding);
    this.input.draw(pixels, side);
    this.input.describe(
      `Input of ${input.side} × ${input.side}${padding > 0 ? `, with ${padding} of padding` : ""}. Arrow keys move the window.`,
    );
    const { pixels: colours, legend } = mapPixels(output.data, output.data, theme);
    this.output.draw(colours, output.side);
    this.output.describe(`Output of ${output.side} × ${output.side}. Arrow keys move the window.`);
    this.legend.textContent = legend(short);
    this.size.textContent = `Size: ${placesText(request)}`;
    this.kernel.show(request.kernel);
    this.pooling.draw(result);
    this.go(this.at.column, this.at.row);
  }

  private move(position: number, playing: boolean): void {
    const side = this.result?.output.side ?? 1;
    // While it runs, it would be too much to hear.
    this.sum.ariaLive = playing ? "off" : "polite";
    this.go(position % side, Math.floor(position / side), true);
  }

  /** To the output whose window's middle is nearest to a pixel of the padded input. */
  private goUnder(column: number, row: number): void {
    if (!this.result) return;
    const { stride, dilation } = this.result.request;
    const place = (pixel: number): number => Math.round((pixel - dilation) / stride);
    this.go(place(column), place(row));
  }

  private go(column: number, row: number, moving = false): void {
    const { result } = this;
    if (!result) return;
    if (!moving) this.player.hold();
    const { request, input, output } = result;
    const { stride, padding, dilation, kernel, bias } = request;
    const within = (n: number): number => Math.max(0, Math.min(placesOf(request) - 1, n));
    this.at = { column: within(column), row: within(row) };
    const [left, top] = [this.at.column * stride, this.at.row * stride];
    const taps = kernel.map((_, i) => ({ x: left + (i % SIDE) * dilation, y: top + Math.floor(i / SIDE) * dilation }));
    const values = taps.map(({ x, y }) => {
      const [c, r] = [x - padding, y - padding];
      const inside = c >= 0 && r >= 0 && c < input.side && r < input.side;
      return inside ? input.data[r * input.side + c] : 0;
    });
    const span = dilation * (SIDE - 1) + 1;
    const one = { width: 1, height: 1 };
    this.input.mark([
      ...(dilation > 1 ? taps.map((tap) => ({ ...tap, ...one, kind: "tap" })) : []),
      { x: left, y: top, width: span, height: span, kind: "window" },
    ]);
    this.patch.show(values.map(short), SIDE);
    this.products.show(
      values.map((value, i) => short(value * kernel[i])),
      SIDE,
    );
    const place = this.at.row * output.side + this.at.column;
    const total = short(output.data[place]);
    this.sum.textContent = `Sum${bias === 0 ? "" : ` + bias ${short(bias)}`} = ${total} → output, row ${this.at.row + 1}, column ${this.at.column + 1}`;
    this.player.show(place, output.side ** 2);
    const mark = this.pooling.mark(this.at.column, this.at.row);
    this.output.mark([...mark, { x: this.at.column, y: this.at.row, ...one, kind: "pixel" }]);
  }

  destroy(): void {
    this.player.hold();
  }
}
