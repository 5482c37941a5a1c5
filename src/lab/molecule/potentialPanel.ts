import { Curves } from "../kit/curves.ts";
import { h } from "../kit/dom.ts";
import { type Input, numberField, select } from "../kit/inputs.ts";
import type { Theme } from "../kit/theme.ts";
import {
  EPOCHS,
  FRAMES,
  LAST_SEED,
  LEARNING_RATES,
  MOLECULE_TEXT,
  type MoleculeState,
  type PotentialConfig,
  samePotential,
  WIDTHS,
} from "./config.ts";
import type { Picture, Scene } from "./functions.ts";
import type { MoleculeName } from "./molecules.ts";

const plain = <T extends number>(values: readonly T[]): (readonly [T, string])[] => values.map((v) => [v, String(v)]);

/** What the potential learns from, and how well: errors of forces and energies by epoch. */
export class PotentialPanel {
  readonly element: HTMLElement;
  readonly fields: HTMLElement;
  readonly notes: HTMLElement;
  private readonly inputs: { [K in keyof MoleculeState]?: Input<MoleculeState[K]> };
  private readonly figures = { force: h("output"), energy: h("output"), mean: h("output") };
  private readonly force = new Curves("Force error by epoch, meV/Å: the network, and no network at all", [
    { name: "force error", colour: (theme) => theme.text },
    { name: "all forces zero", colour: (theme) => theme.negative },
  ]);
  private readonly energy = new Curves("Energy error by epoch, meV", [
    { name: "energy error", colour: (theme) => theme.text },
  ]);
  private readonly facts = h("p", { className: "note" });
  private readonly pending = h("p", { className: "remark", role: "note", hidden: true });
  private readonly save = h("button", { type: "button", textContent: "Save potential", disabled: true });
  private scene: Scene | undefined;

  constructor(change: (changes: Partial<MoleculeState>) => void, onSave: () => void) {
    const names = Object.entries(MOLECULE_TEXT) as [MoleculeName, string][];
    const inputs = {
      molecule: select("Molecule", names, (molecule) => change({ molecule })),
      frames: select("Frames", plain(FRAMES), (frames) => change({ frames })),
      basis: select("Width", plain(WIDTHS), (basis) => change({ basis })),
      rate: select("Learning rate", plain(LEARNING_RATES), (rate) => change({ rate })),
      rounds: numberField("Epochs", EPOCHS, (rounds) => change({ rounds })),
      potentialSeed: numberField("Seed", { least: 0, most: LAST_SEED }, (potentialSeed) => change({ potentialSeed })),
    };
    this.inputs = inputs;
    this.save.onclick = onSave;
    this.save.title = "A model file for spinel md, relax and predict";
    this.fields = h("div", { className: "fields" }, ...Object.values(inputs).map(({ element }) => element), this.save);
    this.notes = h("div", {}, this.pending, this.facts);
    this.facts.textContent = "Press play to train the potential.";
    const heading = (text: string, value: HTMLElement, unit: string): HTMLElement => h("h3", {}, text, value, unit);
    this.element = h(
      "div",
      { className: "learned" },
      heading("Force error, validation: ", this.figures.force, " meV/Å"),
      this.force.element,
      heading("Energy error, validation: ", this.figures.energy, " meV"),
      this.energy.element,
      h(
        "p",
        { className: "key" },
        h("span", {}, "network"),
        h("span", { className: "zero" }, "all forces zero: ", this.figures.mean),
      ),
    );
    this.figures.force.textContent = this.figures.energy.textContent = "–";
  }

  restyle(theme: Theme): void {
    this.force.restyle(theme);
    this.energy.restyle(theme);
  }

  showState(state: MoleculeState): void {
    for (const [key, input] of Object.entries(this.inputs) as [keyof MoleculeState, Input<unknown>][])
      input.show(state[key]);
  }

  showScene(scene: Scene): void {
    this.scene = scene;
    const { counts, meanForce, config } = scene;
    const { train, validation, parameters } = counts;
    this.save.disabled = false;
    this.figures.mean.textContent = `${meanForce.toFixed(0)} meV/Å`;
    this.facts.textContent = `${MOLECULE_TEXT[config.molecule]}: ${train} frames at 900 K to learn from, ${validation} of another trajectory to validate; ${parameters.toLocaleString("en")} parameters.`;
  }

  draw({ curves }: Picture): void {
    const { epochs, force, energy } = curves;
    this.figures.force.textContent = force.at(-1)!.toFixed(0);
    this.figures.energy.textContent = energy.at(-1)!.toFixed(1);
    this.force.draw(epochs, [force, force.map(() => this.scene!.meanForce)]);
    this.energy.draw(epochs, [energy]);
  }

  /** Says so where a reset would make another network than the one there is. */
  compare(made: PotentialConfig | undefined, wanted: PotentialConfig): void {
    this.pending.hidden = !made || samePotential(made, wanted);
    this.pending.textContent =
      "Controls have changed, and this potential keeps its own: reset for a new one with their values.";
  }

  destroy(): void {
    this.force.destroy();
    this.energy.destroy();
  }
}
