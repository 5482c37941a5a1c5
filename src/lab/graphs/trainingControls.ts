import { h } from "../kit/dom.ts";
import { type Input, numberField, select } from "../kit/inputs.ts";
import { type GraphsState, sameNetwork, type TrainingConfig } from "./config.ts";
import type { Scene } from "./functions.ts";
import { many } from "./numbers.ts";
import {
  AGGREGATION_TEXT,
  BATCH_SIZES,
  COUNTS,
  DEPTHS,
  EPOCHS,
  KINDS,
  LAST_SEED,
  LAYERS,
  type LayerKind,
  LEARNING_RATES,
  TASKS,
  type Task,
  WIDTHS,
} from "./options.ts";

const plain = <T extends number>(values: readonly T[]): (readonly [T, string])[] => values.map((v) => [v, String(v)]);
const texts = <K extends string>(table: Record<K, { text: string }>): (readonly [K, string])[] =>
  (Object.keys(table) as K[]).map((key) => [key, table[key].text] as const);

/** What to train on, and how; and what the network in training was made from. */
export class TrainingControls {
  readonly element: HTMLElement;
  private readonly inputs: { [K in keyof GraphsState]?: Input<GraphsState[K]> };
  private readonly layerNote = h("p", { className: "note" });
  private readonly facts = h("p", { className: "note" });
  private readonly pending = h("p", { className: "remark", role: "note", hidden: true });

  constructor(transport: HTMLElement, change: (changes: Partial<GraphsState>) => void) {
    const inputs = {
      task: select("Question", texts<Task>(TASKS), (task) => change({ task })),
      layer: select("Layer", texts<LayerKind>(LAYERS), (layer) => change({ layer })),
      readout: select(
        "Aggregation",
        KINDS.map((kind) => [kind, AGGREGATION_TEXT[kind]] as const),
        (readout) => change({ readout }),
      ),
      depth: select("Layers", plain(DEPTHS), (depth) => change({ depth })),
      width: select("Width", plain(WIDTHS), (width) => change({ width })),
      count: select("Molecules", plain(COUNTS), (count) => change({ count })),
      learningRate: select("Learning rate", plain(LEARNING_RATES), (learningRate) => change({ learningRate })),
      batchSize: select("Batch size", plain(BATCH_SIZES), (batchSize) => change({ batchSize })),
      epochs: numberField("Epochs", EPOCHS, (epochs) => change({ epochs })),
      seed: numberField("Seed", { least: 0, most: LAST_SEED }, (seed) => change({ seed })),
    };
    this.inputs = inputs;
    this.element = h(
      "div",
      { className: "schooling" },
      h(
        "div",
        { className: "row" },
        transport,
        h("div", { className: "fields" }, ...Object.values(inputs).map(({ element }) => element)),
      ),
      this.pending,
      this.layerNote,
      this.facts,
    );
    this.facts.textContent =
      "Press play: random molecules of C, N and O are made, half of them of each class, and a graph network learns to answer. Try the mean for rings, or one layer for three bonds.";
  }

  show(state: GraphsState): void {
    for (const [key, input] of Object.entries(this.inputs) as [keyof GraphsState, Input<unknown>][])
      input.show(state[key]);
    this.layerNote.textContent = LAYERS[state.layer].note;
  }

  showScene({ counts: { train, validation, parameters } }: Scene): void {
    this.facts.textContent = `${many(train)} molecules to learn from, ${many(validation)} to validate; ${many(parameters)} parameters.`;
  }

  /** Says so where a reset would make another network than the one there is. */
  compare(made: TrainingConfig | undefined, wanted: TrainingConfig): void {
    this.pending.hidden = !made || sameNetwork(made, wanted);
    this.pending.textContent =
      "Controls have changed, and this network keeps its own: reset for a new one with their values.";
  }
}
