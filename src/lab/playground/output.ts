import { Curves } from "../kit/curves.ts";
import { h, onResize } from "../kit/dom.ts";
import { HeatMap } from "../kit/heatmap.ts";
import type { Theme } from "../kit/theme.ts";
import { GRID } from "./config.ts";
import type { Scene } from "./driver.ts";
import type { Picture } from "./functions.ts";
import { drawPoints } from "./scatter.ts";

/** Milliseconds between two drawings of the curves: they change slowly, and drawing them is the dearest part. */
const CURVES_EVERY = 120;

export interface OutputView {
  showTestData: boolean;
  discretize: boolean;
}

/** The right-hand column: losses, curves, and the plane with its points, coloured by the output or by a neuron that is looked at. */
export class Output {
  readonly element: HTMLElement;
  private readonly map = new HeatMap(GRID);
  private readonly dots = h("canvas", { ariaHidden: "true" });
  private readonly title = h("h3");
  private readonly trainLoss = h("output", { className: "train" });
  private readonly testLoss = h("output", { className: "test" });
  private readonly curves = new Curves("Loss by epoch on the training points and on the test points", [
    { name: "test", colour: (theme) => theme.text },
    { name: "training", colour: (theme) => theme.accent },
  ]);
  private readonly observer: ResizeObserver;
  private drawnAt = 0;
  private theme: Theme | undefined;
  private scene: Scene | undefined;
  private view: OutputView = { showTestData: false, discretize: false };

  constructor(display: HTMLElement) {
    this.map.canvas.role = "img";
    const plane = h("div", { className: "plane" }, this.map.canvas, this.dots);
    const axis = (className: string): HTMLElement =>
      h("div", { className, ariaHidden: "true" }, ...["−6", "0", "6"].map((tick) => h("span", {}, tick)));
    this.element = h(
      "section",
      { className: "card output" },
      h("h2", {}, "Output"),
      h(
        "dl",
        {},
        h("dt", {}, "Test loss"),
        h("dd", {}, this.testLoss),
        h("dt", {}, "Training loss"),
        h("dd", {}, this.trainLoss),
      ),
      this.curves.element,
      this.title,
      h("div", { className: "framed" }, axis("axis vertical"), plane, axis("axis horizontal")),
      h("div", { className: "legend", ariaHidden: "true" }, h("span", {}, "−1"), h("i"), h("span", {}, "+1")),
      display,
    );
    this.observer = onResize(plane, () => this.drawDots());
  }

  restyle(theme: Theme): void {
    this.theme = theme;
    this.curves.restyle(theme);
    this.drawDots();
  }

  showScene(scene: Scene): void {
    this.scene = scene;
    this.drawDots();
    this.drawnAt = 0;
  }

  setView(view: OutputView): void {
    this.view = view;
    this.drawDots();
  }

  /** `map` is what is looked at, `title` says what that is. */
  draw({ trainLoss, testLoss, history }: Picture, map: Uint8Array, title: string, playing: boolean): void {
    if (!this.theme) return;
    this.map.draw(map, this.view.discretize ? this.theme.discrete : this.theme.continuous);
    this.title.textContent = title;
    this.trainLoss.textContent = trainLoss.toFixed(3);
    this.testLoss.textContent = testLoss.toFixed(3);
    this.map.canvas.ariaLabel = `${title} over the plane; test loss ${testLoss.toFixed(3)}, training loss ${trainLoss.toFixed(3)}`;
    if (playing && performance.now() - this.drawnAt < CURVES_EVERY) return;
    this.drawnAt = performance.now();
    this.curves.draw(history.epochs, [history.test, history.train]);
  }

  private drawDots(): void {
    const { dots, scene, theme, view } = this;
    const side = Math.round(dots.clientWidth * devicePixelRatio);
    if (!scene || !theme || side === 0) return;
    dots.width = dots.height = side;
    const context = dots.getContext("2d")!;
    const radius = side / 110;
    drawPoints(context, scene.points.train, { side, radius, theme, ring: theme.trainRing });
    if (view.showTestData) drawPoints(context, scene.points.test, { side, radius, theme, ring: theme.testRing });
  }

  destroy(): void {
    this.observer.disconnect();
    this.curves.destroy();
  }
}
