import { Curves } from "../kit/curves.ts";
import { h } from "../kit/dom.ts";
import { Parity } from "../kit/parity.ts";
import type { Theme } from "../kit/theme.ts";
import type { Entry, Picture, Scene } from "./functions.ts";
import { fixed } from "./numbers.ts";

/** Lines of the table of the largest errors. */
const WORST = 6;

/** How well the network does: curves, predictions over true values, and the worst of them. */
export class TrainingResults {
  readonly element: HTMLElement;
  private readonly figures = { validation: h("output"), train: h("output"), mean: h("output") };
  private readonly title = h("h3");
  private readonly curves = new Curves("Mean absolute error by epoch: validation, training, mean of the targets", [
    { name: "validation", colour: (theme) => theme.text },
    { name: "training", colour: (theme) => theme.accent },
    { name: "mean of the targets", colour: (theme) => theme.negative },
  ]);
  private readonly parity = new Parity({ x: "true", y: "predicted" }, (i) => this.pick(i));
  private readonly worst = h("tbody");
  private scene: Scene | undefined;

  constructor(private readonly onShow: (entry: Entry) => void) {
    const figure = (name: string, value: HTMLElement, className: string): HTMLElement[] => [
      h("dt", { className }, name),
      h("dd", {}, value),
    ];
    const figures = h(
      "dl",
      { className: "figures" },
      ...figure("Validation", this.figures.validation, "validation"),
      ...figure("Training", this.figures.train, "train"),
      ...figure("Mean of the targets", this.figures.mean, "mean"),
    );
    const head = ["Crystal", "True", "Predicted", "Error"].map((text) => h("th", { scope: "col" }, text));
    const table = h("table", { className: "worst" }, h("thead", {}, h("tr", {}, ...head)), this.worst);
    this.element = h(
      "div",
      { className: "results", hidden: true },
      h("div", {}, this.title, figures, this.curves.element),
      h("div", {}, h("h3", {}, "Validation crystals: choose a point to see it"), this.parity.element),
      h("div", {}, h("h3", {}, "Largest errors"), h("div", { className: "scroll" }, table)),
    );
  }

  restyle(theme: Theme): void {
    this.curves.restyle(theme);
  }

  showScene(scene: Scene): void {
    this.scene = scene;
    const { target } = scene;
    this.title.textContent = `Mean absolute error of ${target.name}${target.unit ? `, ${target.unit}` : ""}`;
    this.element.hidden = false;
  }

  /** `shown` is the key of the crystal that is looked at. */
  draw({ epoch, curves, predicted }: Picture, shown: string): void {
    const { validation, meanMae } = this.scene!;
    this.figures.validation.textContent = fixed(curves.validation.at(-1)!);
    this.figures.train.textContent = epoch === 0 ? "–" : fixed(curves.train.at(-1)!);
    this.figures.mean.textContent = fixed(meanMae);
    this.curves.draw(curves.epochs, [curves.validation, curves.train, curves.validation.map(() => meanMae)]);
    const pairs = validation.entries.map(({ key, name }, i) => ({
      ...{ target: validation.target[i], predicted: predicted[i], marked: key === shown },
      title: `${name}: ${fixed(predicted[i])}, true ${fixed(validation.target[i])}`,
    }));
    this.parity.draw(`Predictions of ${pairs.length} validation crystals over their true values`, pairs);
    this.showWorst(predicted);
  }

  private showWorst(predicted: Float32Array): void {
    const { entries, target } = this.scene!.validation;
    const errors = entries.map((_, i) => predicted[i] - target[i]);
    const worst = errors.map((_, i) => i).sort((a, b) => Math.abs(errors[b]) - Math.abs(errors[a]));
    const lines = worst.slice(0, WORST);
    // Changed in place: a button must not vanish under the finger.
    while (this.worst.rows.length < lines.length) this.worst.append(this.newLine());
    while (this.worst.rows.length > lines.length) this.worst.deleteRow(-1);
    lines.forEach((i, row) => {
      const [name, ...cells] = this.worst.rows[row].cells;
      const button = name.firstChild as HTMLButtonElement;
      button.textContent = entries[i].name;
      button.value = String(i);
      [target[i], predicted[i], errors[i]].forEach((value, c) => {
        cells[c].textContent = fixed(value);
      });
    });
  }

  private newLine(): HTMLTableRowElement {
    const button = h("button", { type: "button", className: "link", title: "Show this crystal" });
    button.onclick = () => this.pick(Number(button.value));
    return h("tr", {}, h("td", {}, button), ...[0, 1, 2].map(() => h("td")));
  }

  private pick(i: number): void {
    this.onShow(this.scene!.validation.entries[i]);
  }

  destroy(): void {
    this.curves.destroy();
  }
}
