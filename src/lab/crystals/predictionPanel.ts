import { csvLine, shortest } from "../../io/csv.ts";
import { h } from "../kit/dom.ts";
import { download } from "../kit/download.ts";
import { fileButton } from "../kit/files.ts";
import { select } from "../kit/inputs.ts";
import { fixed } from "./numbers.ts";
import type { Prediction } from "./predictions.ts";

/** Lines that are shown; the file has all. */
const MOST_LINES = 500;

export type Use = "trained" | "loaded";

export interface PredictionEvents {
  onPredict(use: Use): void;
  onSave(): void;
  onLoad(file: File): void;
}

export interface Predictions {
  target: { name: string; unit?: string };
  rows: readonly Prediction[];
}

/** What a network says of the structures of one's own; the model as a file. */
export class PredictionPanel {
  readonly element: HTMLElement;
  private readonly use;
  private readonly models: HTMLElement;
  private readonly note = h("p", { className: "note" });
  private readonly head = h("tr");
  private readonly body = h("tbody");
  private readonly table: HTMLElement;
  private readonly predict = h("button", { type: "button", className: "main", textContent: "Predict" });
  private readonly csv = h("button", { type: "button", textContent: "Download CSV", disabled: true });
  private readonly save = h("button", { type: "button", textContent: "Save model", disabled: true });
  private chosen: Use = "trained";
  private trained = false;
  private loaded = false;
  private predictions: Predictions | undefined;

  constructor({ onPredict, onSave, onLoad }: PredictionEvents) {
    this.use = select(
      "Model",
      [
        ["trained", "trained here"],
        ["loaded", "model file"],
      ],
      (use) => {
        this.chosen = use;
        this.update();
      },
    );
    this.models = this.use.element;
    this.predict.onclick = () => onPredict(this.chosen);
    this.csv.onclick = () => this.downloadCsv();
    this.save.onclick = onSave;
    this.table = h("div", { className: "scroll", hidden: true }, h("table", {}, h("thead", {}, this.head), this.body));
    const load = fileButton("Load model", { accept: ".safetensors" }, ([{ file }]) => onLoad(file));
    this.element = h(
      "section",
      { className: "card predict" },
      h("h2", {}, "Predict"),
      h("div", { className: "row" }, this.predict, this.models, this.csv, this.save, load),
      this.note,
      this.table,
    );
    this.update();
  }

  /** There is a network. */
  showTrained(): void {
    this.trained = true;
    this.update();
  }

  showLoaded(file: string, { name, unit }: Predictions["target"], notes: Record<string, string | number>): void {
    this.loaded = true;
    // What is in the table is another model's.
    this.predictions = undefined;
    this.table.hidden = this.csv.disabled = true;
    this.chosen = "loaded";
    const facts = Object.entries(notes).map(
      ([key, value]) => `${key} ${typeof value === "number" ? shortest(value) : value}`,
    );
    this.note.textContent = `${file} predicts ${name}${unit ? ` in ${unit}` : ""}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}.`;
    this.update();
  }

  show(predictions: Predictions, model: string): void {
    this.predictions = predictions;
    const { target, rows } = predictions;
    const unit = target.unit ? `, ${target.unit}` : "";
    const cells = ["Structure", "Formula", "Atoms", `Predicted ${target.name}${unit}`];
    this.head.replaceChildren(...cells.map((text) => h("th", { scope: "col" }, text)));
    this.body.replaceChildren(
      ...rows.slice(0, MOST_LINES).map(({ name, formula, atoms, value, problem }) => {
        const last = h("td", { className: problem === undefined ? "" : "problem" }, problem ?? fixed(value!));
        return h("tr", {}, ...[name, formula, String(atoms)].map((text) => h("td", {}, text)), last);
      }),
    );
    const more = rows.length > MOST_LINES ? ` The first ${MOST_LINES} are shown; the CSV has all.` : "";
    this.note.textContent = `${rows.length} structures, by ${model}.${more}`;
    this.table.hidden = false;
    this.csv.disabled = false;
  }

  private update(): void {
    const { trained, loaded } = this;
    this.models.hidden = !(trained && loaded);
    this.use.show(this.chosen);
    this.save.disabled = !trained;
    this.predict.disabled = !(trained || loaded);
    if (!this.predictions && !loaded)
      this.note.textContent = trained
        ? "Predicts your files, or the prototypes while there are none. The model file is for here and for spinel predict."
        : "Train a network first, or load a model file, such as the model.safetensors of a run of spinel train.";
  }

  private downloadCsv(): void {
    const { target, rows } = this.predictions!;
    const cells = rows.map(({ name, formula, atoms, value, problem }) => [
      ...[name, formula, atoms, value === undefined ? undefined : shortest(value)],
      problem,
    ]);
    const lines = [["id", "formula", "atoms", `predicted ${target.name}`, "problem"], ...cells].map(csvLine);
    download("predictions.csv", lines, "text/csv");
  }
}
