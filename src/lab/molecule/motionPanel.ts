import type { Session } from "../../worker/index.ts";
import { h } from "../kit/dom.ts";
import { icon } from "../kit/icons.ts";
import { type Input, select, slider, toggle } from "../kit/inputs.ts";
import { latest } from "../kit/latest.ts";
import { reducedMotion, type Theme } from "../kit/theme.ts";
import { MOLECULE_TEXT, type MoleculeState, type SimulationConfig, TEMPERATURE, TIME_STEPS } from "./config.ts";
import { EnergyChart } from "./energyChart.ts";
import type { functions, Subject } from "./functions.ts";
import type { MoleculeName } from "./molecules.ts";
import type { Frame } from "./simulation.ts";
import { MoleculeView } from "./view.ts";

/** Time steps from frame to frame; with reduced motion, where frames are a second apart. */
const EVERY = 8;
const SELDOM = 400;
/** Time steps of a leap. */
const LEAP = 1000;
/** Milliseconds between two drawings of the curves: drawing them is the dearest part. */
const CHART_EVERY = 150;

/** The molecule, moving, and its energies. */
export class MotionPanel {
  /** The molecule with its controls. */
  readonly stage: HTMLElement;
  readonly energies: HTMLElement;
  private readonly view = new MoleculeView();
  private readonly chart = new EnergyChart();
  private readonly inputs: { [K in keyof MoleculeState]?: Input<MoleculeState[K]> };
  private readonly arrows: Input<boolean>;
  private readonly go = h("button", { type: "button", className: "start" });
  private readonly restart = h("button", { type: "button", textContent: "From rest" });
  private readonly leap = h("button", { type: "button", textContent: `${LEAP.toLocaleString("en")} steps` });
  private readonly source = h("p", { className: "note" });
  private readonly figures = { time: h("output"), temperature: h("output"), mean: h("output"), drift: h("output") };
  private session: Session<typeof functions> | undefined;
  private config: () => SimulationConfig = () => ({}) as SimulationConfig;
  private say: (text: string) => void = () => {};
  private moving = false;
  /** Whether there is a simulation, moving or not. */
  private begun = false;
  /** Counts what was asked for: an earlier run ends by itself. */
  private turn = 0;
  private chartedAt = 0;
  private readonly retune: (config: SimulationConfig) => Promise<void>;

  constructor(change: (changes: Partial<MoleculeState>) => void) {
    this.inputs = {
      forces: select(
        "Forces of",
        [
          ["network", "the network"],
          ["reference", "the reference"],
        ],
        (forces) => {
          change({ forces });
          // Other forces are another simulation.
          if (this.begun) this.begin(this.moving);
        },
      ),
      timeStep: select(
        "Time step",
        TIME_STEPS.map((dt) => [dt, `${dt} fs`] as const),
        (timeStep) => change({ timeStep }),
      ),
      temperature: slider("Temperature", TEMPERATURE, (temperature) => change({ temperature })),
      bath: toggle("Heat bath (Langevin)", (bath) => change({ bath })),
    };
    this.arrows = toggle("Forces as arrows", (on) => this.view.showForces(on));
    this.retune = latest(async (config: SimulationConfig) => {
      await this.attempt(() => this.session!.run("tune", config));
    });
    this.go.onclick = () => (this.moving ? this.hold() : this.play());
    this.restart.onclick = () => this.begin(this.moving);
    this.restart.title = "A new simulation, from the geometry at rest, with the potential as it is now";
    this.leap.onclick = () => this.jump();
    this.leap.title = "Compute so many time steps at once";
    const { forces, timeStep, temperature, bath } = this.inputs;
    this.stage = h(
      "div",
      { className: "stage" },
      this.view.element,
      h("div", { className: "row" }, this.go, this.leap, this.restart),
      h("div", { className: "pair" }, forces!.element, timeStep!.element),
      temperature!.element,
      h("div", { className: "row" }, bath!.element, this.arrows.element),
    );
    const figure = (name: string, value: HTMLElement): HTMLElement[] => [h("dt", {}, name), h("dd", {}, value)];
    const { time, temperature: now, mean, drift } = this.figures;
    this.energies = h(
      "div",
      { className: "energies" },
      h("h3", {}, "Energies, from the molecule at rest"),
      this.chart.element as unknown as HTMLElement,
      h(
        "p",
        { className: "key" },
        ...["potential", "kinetic", "total"].map((name) => h("span", { className: name }, name)),
      ),
      h(
        "dl",
        { className: "figures" },
        ...figure("Time", time),
        ...figure("Temperature", now),
        ...figure("Mean of it", mean),
        ...figure("Largest drift of the total", drift),
      ),
      this.source,
    );
    this.setMoving(false);
    this.clear();
  }

  connect(session: Session<typeof functions>, config: () => SimulationConfig, say: (text: string) => void): void {
    this.session = session;
    this.config = config;
    this.say = say;
  }

  restyle(theme: Theme): void {
    this.view.restyle(theme);
  }

  showState(state: MoleculeState): void {
    for (const [key, input] of Object.entries(this.inputs) as [keyof MoleculeState, Input<unknown>][])
      input.show(state[key]);
  }

  /** Another molecule, at rest. */
  showSubject(subject: Subject, name: MoleculeName): void {
    this.hold();
    this.begun = false;
    this.view.showSubject(subject, MOLECULE_TEXT[name]);
    this.clear();
  }

  tune(): void {
    if (this.begun) this.retune(this.config());
  }

  destroy(): void {
    this.view.destroy();
  }

  private clear(): void {
    for (const output of Object.values(this.figures)) output.textContent = "–";
    this.chart.draw(undefined);
    this.source.textContent = "Train the potential first, or take the reference's forces; then press start.";
  }

  private async attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  /** From rest; true if there is a simulation now. */
  private async begin(move: boolean): Promise<boolean> {
    this.hold();
    this.begun = await this.attempt(async () => {
      const { frame, source } = await this.session!.run("start", this.config());
      this.source.textContent = `By ${source}. All atoms begin where they rest, with velocities of the temperature: half of that energy soon goes into the bonds.`;
      this.draw(frame, true);
    });
    if (this.begun && move) await this.play();
    return this.begun;
  }

  /** Frame by frame, at the screen's pace, until it is held. */
  private async play(): Promise<void> {
    if (!this.session || (!this.begun && !(await this.begin(false)))) return;
    const turn = ++this.turn;
    this.setMoving(true);
    const [steps, pause] = reducedMotion() ? [SELDOM, 1000] : [EVERY, 0];
    while (this.moving && this.turn === turn) {
      if (!(await this.move(steps))) break;
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, pause)));
    }
    if (this.turn === turn) this.setMoving(false);
  }

  private hold(): void {
    this.turn++;
    this.setMoving(false);
  }

  private async jump(): Promise<void> {
    if (this.session && (this.begun || (await this.begin(false)))) await this.move(LEAP, true);
  }

  /** So many time steps, then a picture; false where that fails. `whole`: with the curves in any case. */
  private move(steps: number, whole = false): Promise<boolean> {
    return this.attempt(async () => this.draw(await this.session!.run("move", { steps }), whole));
  }

  private setMoving(moving: boolean): void {
    this.moving = moving;
    this.go.replaceChildren(icon(moving ? "pause" : "play"), moving ? "Hold" : "Start");
  }

  private draw(frame: Frame, whole = false): void {
    const { time, temperature, meanTemperature, drift, trace } = frame;
    this.view.draw(frame);
    const { figures } = this;
    figures.time.textContent = time < 1000 ? `${time.toFixed(1)} fs` : `${(time / 1000).toFixed(2)} ps`;
    figures.temperature.textContent = `${temperature.toFixed(0)} K`;
    figures.mean.textContent = `${meanTemperature.toFixed(0)} K`;
    figures.drift.textContent = drift === undefined ? "the bath gives and takes" : `${drift.toFixed(2)} meV/atom`;
    const now = performance.now();
    if (!whole && now - this.chartedAt < CHART_EVERY) return;
    this.chartedAt = now;
    this.chart.draw(trace);
  }
}
