import { h } from "../kit/dom.ts";
import { type Input, numberField, select, toggle } from "../kit/inputs.ts";
import { OPTIMIZER_TEXT } from "../kit/optimizers.ts";
import {
  BATCH_SIZES,
  EPOCHS,
  IMAGES,
  KINDS,
  LAST_SEED,
  LEARNING_RATES,
  OPTIMIZERS,
  SIZES,
  sameNetwork,
  type TrainingConfig,
  type VisionState,
} from "./config.ts";
import type { Scene } from "./functions.ts";
import { many } from "./numbers.ts";

const plain = <T extends number>(values: readonly T[]): (readonly [T, string])[] => values.map((v) => [v, String(v)]);

/** What to train on, and how; and what the network in training was made from. */
export class TrainingControls {
  readonly element: HTMLElement;
  private readonly inputs: { [K in keyof VisionState]?: Input<VisionState[K]> };
  private readonly classes: Input<boolean>[];
  private readonly boxes: HTMLInputElement[];
  private readonly facts = h("p", { className: "note" });
  private readonly pending = h("p", { className: "remark", role: "note", hidden: true });
  private readonly save = h("button", { type: "button", textContent: "Save model", disabled: true });
  private chosen: VisionState["classes"] = [];

  constructor(transport: HTMLElement, change: (changes: Partial<VisionState>) => void, onSave: () => void) {
    const inputs = {
      images: select("Images", plain(IMAGES), (images) => change({ images })),
      size: select(
        "Image size",
        SIZES.map((size) => [size, `${size} × ${size}`] as const),
        (size) => change({ size }),
      ),
      optimizer: select(
        "Optimizer",
        OPTIMIZERS.map((name) => [name, OPTIMIZER_TEXT[name]] as const),
        (optimizer) => change({ optimizer }),
      ),
      learningRate: select("Learning rate", plain(LEARNING_RATES), (learningRate) => change({ learningRate })),
      batchSize: select("Batch size", plain(BATCH_SIZES), (batchSize) => change({ batchSize })),
      epochs: numberField("Epochs", EPOCHS, (epochs) => change({ epochs })),
      seed: numberField("Seed", { least: 0, most: LAST_SEED }, (seed) => change({ seed })),
      augment: toggle("Augment: turn, mirror, shift", (augment) => change({ augment })),
    };
    this.inputs = inputs;
    this.classes = KINDS.map((kind) =>
      toggle(kind, (on) => change({ classes: KINDS.filter((k) => (k === kind ? on : this.chosen.includes(k))) })),
    );
    this.boxes = this.classes.map(({ element }) => element.querySelector("input")!);
    this.save.onclick = onSave;
    const kinds = h("fieldset", { className: "kinds" }, h("legend", {}, "Classes"));
    kinds.append(...this.classes.map(({ element }) => element));
    const { augment, ...fields } = inputs;
    this.element = h(
      "div",
      { className: "schooling" },
      h(
        "div",
        { className: "row" },
        transport,
        h("div", { className: "fields" }, ...Object.values(fields).map(({ element }) => element)),
      ),
      h("div", { className: "row" }, kinds, augment.element, this.save),
      this.pending,
      this.facts,
    );
    this.facts.textContent =
      "Press play: simulated micrographs are made, and a TinyVGG (Wang et al. 2021) learns to tell their kinds apart.";
  }

  show(state: VisionState): void {
    for (const [key, input] of Object.entries(this.inputs) as [keyof VisionState, Input<unknown>][])
      input.show(state[key]);
    this.chosen = state.classes;
    KINDS.forEach((kind, i) => {
      const on = state.classes.includes(kind);
      this.classes[i].show(on);
      this.boxes[i].disabled = on && state.classes.length === 2;
    });
  }

  showScene({ counts, config }: Scene): void {
    const { train, validation, parameters, macs } = counts;
    this.save.disabled = false;
    this.facts.textContent = `${many(train)} images to learn from, ${many(validation)} to validate, ${config.classes.length} classes; ${many(parameters)} parameters, ${(macs / 1e6).toFixed(1)} million multiplications for an image.`;
  }

  /** Says so where a reset would make another network than the one there is. */
  compare(made: TrainingConfig | undefined, wanted: TrainingConfig): void {
    this.pending.hidden = !made || sameNetwork(made, wanted);
    this.pending.textContent =
      "Controls have changed, and this network keeps its own: reset for a new one with their values.";
  }
}
