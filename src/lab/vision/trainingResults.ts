import { Curves } from "../kit/curves.ts";
import { h } from "../kit/dom.ts";
import type { Theme } from "../kit/theme.ts";
import { Confusion } from "./confusion.ts";
import type { Picture, Scene, Specimen } from "./functions.ts";
import { greyPixels, MapView } from "./mapView.ts";
import { likeliest, percent } from "./numbers.ts";
import { Probabilities } from "./probabilities.ts";

const series = [
  { name: "validation", colour: (theme: Theme) => theme.text },
  { name: "training", colour: (theme: Theme) => theme.accent },
];

/** How well the network does: loss and accuracy by epoch, which classes it confuses, and images that it never learned from. */
export class TrainingResults {
  readonly element: HTMLElement;
  private readonly figures = { loss: h("output"), accuracy: h("output") };
  private readonly loss = new Curves("Loss by epoch: validation and training", series);
  private readonly accuracy = new Curves("Accuracy by epoch: validation and training", series);
  private readonly confusion = new Confusion();
  private readonly gallery = h("div", { className: "gallery" });
  private shown: { specimen: Specimen; verdict: HTMLElement; bars: Probabilities }[] = [];
  private scene: Scene | undefined;
  private drawn = -1;

  constructor(private readonly onPick: (specimen: Specimen) => void) {
    const heading = (text: string, value: HTMLElement): HTMLElement => h("h3", {}, text, value);
    this.element = h(
      "div",
      { className: "outcome", hidden: true },
      h(
        "div",
        {},
        heading("Loss, validation: ", this.figures.loss),
        this.loss.element,
        heading("Accuracy, validation: ", this.figures.accuracy),
        this.accuracy.element,
        h("p", { className: "key" }, h("span", {}, "validation"), h("span", { className: "train" }, "training")),
      ),
      h("div", {}, h("h3", {}, "Validation images"), h("div", { className: "scroll" }, this.confusion.element)),
      h("div", {}, h("h3", {}, "Some of them, the true class underlined: choose one to look at"), this.gallery),
    );
  }

  restyle(theme: Theme): void {
    this.loss.restyle(theme);
    this.accuracy.restyle(theme);
  }

  showScene(scene: Scene): void {
    if (scene.revision === this.scene?.revision) return;
    this.scene = scene;
    this.drawn = -1;
    const { classes, size } = scene.config;
    this.confusion.showClasses(classes);
    this.shown = scene.specimens.map((specimen) => {
      const bars = new Probabilities();
      bars.showClasses(classes, specimen.label);
      return { specimen, verdict: h("span"), bars };
    });
    this.gallery.replaceChildren(
      ...this.shown.map(({ specimen, verdict, bars }) => {
        const map = new MapView(specimen.id);
        map.draw(greyPixels(specimen.pixels), size);
        const button = h("button", { type: "button", title: `Look at ${specimen.id}` }, map.element, verdict);
        button.onclick = () => this.onPick(specimen);
        return h("div", {}, button, bars.element);
      }),
    );
    this.element.hidden = false;
  }

  draw({ epoch, curves, confusion, probabilities }: Picture): void {
    // All of this changes at the end of an epoch only.
    if (epoch === this.drawn) return;
    this.drawn = epoch;
    const { classes } = this.scene!.config;
    this.figures.loss.textContent = curves.loss.at(-1)!.toFixed(3);
    this.figures.accuracy.textContent = percent(curves.accuracy.at(-1)!);
    this.loss.draw(curves.epochs, [curves.loss, curves.trainLoss]);
    this.accuracy.draw(curves.epochs, [curves.accuracy, curves.trainAccuracy]);
    this.confusion.draw(confusion);
    this.shown.forEach(({ specimen, verdict, bars }, i) => {
      const own = probabilities.subarray(i * classes.length, (i + 1) * classes.length);
      const best = likeliest(own);
      verdict.textContent = best === specimen.label ? `✓ ${classes[best]}` : `✗ ${classes[best]}`;
      verdict.className = best === specimen.label ? "right" : "wrong";
      bars.draw(own);
    });
  }

  destroy(): void {
    this.loss.destroy();
    this.accuracy.destroy();
  }
}
