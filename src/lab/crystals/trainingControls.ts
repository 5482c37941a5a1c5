import { h } from "../kit/dom.ts";
import { type Input, numberField, select, slider } from "../kit/inputs.ts";
import {
  BATCH_SIZES,
  CONVOLUTIONS,
  CRYSTALS,
  type CrystalsState,
  EPOCHS,
  LAST_SEED,
  LEARNING_RATES,
  type Source,
  sameNetwork,
  type TrainingConfig,
  WIDTHS,
} from "./config.ts";
import type { OwnData, Scene } from "./functions.ts";

export interface TrainingEvents {
  change(changes: Partial<CrystalsState>): void;
  onSource(source: Source): void;
}

const plain = <T extends number>(values: readonly T[]): (readonly [T, string])[] => values.map((v) => [v, String(v)]);

/** What to train on, and how; and what the network in training was made from. */
export class TrainingControls {
  readonly element: HTMLElement;
  private readonly inputs: { [K in keyof CrystalsState]?: Input<CrystalsState[K]> };
  private readonly data: Input<Source["data"]>;
  private readonly column = h("select");
  private readonly columnField = h("label", { className: "select" }, h("span", {}, "Target"), this.column);
  private readonly facts = h("p", { className: "note" });
  private readonly pending = h("p", { className: "remark", role: "note", hidden: true });

  constructor(transport: HTMLElement, { change, onSource }: TrainingEvents) {
    const inputs = {
      crystals: select("Crystals", plain(CRYSTALS), (crystals) => change({ crystals })),
      convolutions: slider("Convolutions", CONVOLUTIONS, (convolutions) => change({ convolutions })),
      width: select("Width", plain(WIDTHS), (width) => change({ width })),
      learningRate: select("Learning rate", plain(LEARNING_RATES), (learningRate) => change({ learningRate })),
      batchSize: select("Batch size", plain(BATCH_SIZES), (batchSize) => change({ batchSize })),
      epochs: numberField("Epochs", EPOCHS, (epochs) => change({ epochs })),
      seed: numberField("Seed", { least: 0, most: LAST_SEED }, (seed) => change({ seed })),
    };
    this.inputs = inputs;
    this.data = select(
      "Data",
      [
        ["embedded", "embedded"],
        ["own", "your files"],
      ],
      (data) => onSource({ data, column: this.column.value || undefined }),
    );
    this.column.onchange = () => onSource({ data: "own", column: this.column.value });
    const fields = [this.data.element, this.columnField, ...Object.values(inputs).map(({ element }) => element)];
    this.element = h(
      "div",
      { className: "controls" },
      h("div", { className: "row" }, transport, h("div", { className: "fields" }, ...fields)),
      this.pending,
      this.facts,
    );
    this.facts.textContent =
      "Press play: a network (CGCNN, Xie & Grossman 2018) learns the energies of made-up ionic crystals from graphs like the one above.";
  }

  show(state: CrystalsState, { data, column }: Source): void {
    for (const [key, input] of Object.entries(this.inputs) as [keyof CrystalsState, Input<unknown>][])
      input.show(state[key]);
    this.data.show(data);
    this.inputs.crystals!.element.hidden = data === "own";
    this.columnField.hidden = data !== "own" || this.column.options.length === 0;
    if (column !== undefined) this.column.value = column;
  }

  /** The columns of numbers that files brought. */
  showColumns(data: OwnData | undefined): void {
    this.column.replaceChildren(...(data?.columns ?? []).map((name) => h("option", { value: name }, name)));
  }

  showScene({ counts, config, left }: Scene): void {
    const { train, validation, edges, isolated, parameters } = counts;
    const { shells, neighbours, cutoff } = config;
    const many = (n: number): string => n.toLocaleString("en");
    this.facts.textContent = [
      `${many(train)} crystals to learn from, ${many(validation)} to validate;`,
      `${shells === "whole" ? "whole shells of at least " : ""}${neighbours} neighbours within ${cutoff} Å: ${many(edges)} edges;`,
      `${many(parameters)} parameters.`,
      isolated > 0 ? `${many(isolated)} atoms have no neighbour.` : "",
      left.length > 0 ? `Left out: ${left.length}; ${left[0].message}` : "",
    ].join(" ");
  }

  /** Says so where a reset would make another network than the one there is. */
  compare(made: TrainingConfig | undefined, wanted: TrainingConfig): void {
    this.pending.hidden = !made || sameNetwork(made, wanted);
    this.pending.textContent =
      "Controls have changed, and this network keeps its own: reset for a new one with their values.";
  }
}
