import { Curves } from "../kit/curves.ts";
import { h } from "../kit/dom.ts";
import { type Input, numberField, slider } from "../kit/inputs.ts";
import type { Theme } from "../kit/theme.ts";
import { EmbeddingChart } from "./embeddingChart.ts";
import type { Picture, Scene } from "./functions.ts";
import type { Cloud } from "./learner.ts";
import { percent } from "./numbers.ts";
import { TASKS } from "./options.ts";

const series = [
  { name: "validation", colour: (theme: Theme) => theme.text },
  { name: "training", colour: (theme: Theme) => theme.accent },
];

export interface ResultEvents {
  /** An epoch whose embeddings are wanted. */
  onReplay(epoch: number): void;
  /** A validation molecule to look at. */
  onPick(row: number): void;
}

/** How well the network does, and how it sees the validation molecules, now and at any earlier epoch. */
export class TrainingResults {
  readonly element: HTMLElement;
  private readonly figures = { loss: h("output"), accuracy: h("output") };
  private readonly loss = new Curves("Loss by epoch: validation and training", series);
  private readonly accuracy = new Curves("Accuracy by epoch: validation and training", series);
  private readonly chart: EmbeddingChart;
  private readonly title = h("h3");
  private readonly legend = h("p", { className: "key classes" });
  private readonly verdict = h("p", { className: "note" });
  private readonly range: HTMLInputElement;
  private readonly epoch: Input<number>;
  private readonly row: Input<number>;
  private readonly rowField: HTMLInputElement;
  private scene: Scene | undefined;
  private cloud: Cloud | undefined;
  private picked: number | undefined;
  /** The newest epoch is shown as it comes, until an earlier one is chosen. */
  private following = true;
  private last = 0;

  constructor(events: ResultEvents) {
    const pick = (row: number): void => {
      this.picked = row;
      this.row.show(row + 1);
      if (this.cloud) this.drawCloud(this.cloud);
      events.onPick(row);
    };
    this.chart = new EmbeddingChart(pick);
    this.epoch = slider("Epoch shown", { least: 0, most: 1 }, (epoch) => {
      this.following = epoch === this.last;
      events.onReplay(epoch);
    });
    this.range = this.epoch.element.querySelector("input")!;
    this.row = numberField("Molecule", { least: 1, most: 999 }, (row) => pick(row - 1));
    this.rowField = this.row.element.querySelector("input")!;
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
      h("div", {}, this.title, this.chart.element as unknown as HTMLElement, this.legend),
      h(
        "div",
        {},
        h("h3", {}, "Go back in time"),
        this.epoch.element,
        h("h3", {}, "Click a point, or choose its number: it is drawn above, to look at and to change"),
        this.row.element,
        this.verdict,
      ),
    );
  }

  restyle(theme: Theme): void {
    this.loss.restyle(theme);
    this.accuracy.restyle(theme);
  }

  showScene(scene: Scene): void {
    if (scene.revision !== this.scene?.revision) {
      this.following = true;
      this.picked = undefined;
    }
    this.scene = scene;
    const { classes } = TASKS[scene.config.task];
    this.legend.replaceChildren(
      ...classes.map((name, k) => h("span", { className: k === 0 ? "negative" : "positive" }, name)),
      h("span", { className: "ring" }, "wrong"),
    );
    this.rowField.max = String(scene.labels.length);
    this.element.hidden = false;
  }

  draw({ epoch, curves, cloud }: Picture): void {
    this.last = epoch;
    this.range.max = String(Math.max(1, epoch));
    this.figures.loss.textContent = curves.loss.at(-1)!.toFixed(3);
    this.figures.accuracy.textContent = percent(curves.accuracy.at(-1)!);
    this.loss.draw(curves.epochs, [curves.loss, curves.trainLoss]);
    this.accuracy.draw(curves.epochs, [curves.accuracy, curves.trainAccuracy]);
    if (this.following) this.drawCloud(cloud);
  }

  /** The embeddings of one epoch. */
  drawCloud(cloud: Cloud): void {
    this.cloud = cloud;
    const { config, labels } = this.scene!;
    const { classes } = TASKS[config.task];
    this.epoch.show(cloud.epoch);
    this.title.textContent = `Validation molecules as the network of epoch ${cloud.epoch} sees them: their embeddings' plane of largest variance`;
    this.chart.draw(cloud, labels, classes, this.picked);
    const { picked } = this;
    if (picked === undefined) this.verdict.textContent = "";
    else {
      const share = cloud.probability[picked];
      const found = Number(share > 0.5);
      const sure = percent(found === 1 ? share : 1 - share);
      const right = found === labels[picked] ? "right" : `wrong: ${classes[labels[picked]]}`;
      this.verdict.textContent = `Molecule ${picked + 1}, epoch ${cloud.epoch}: ${classes[found]}, ${sure} (${right}).`;
    }
  }

  destroy(): void {
    this.loss.destroy();
    this.accuracy.destroy();
  }
}
