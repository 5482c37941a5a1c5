import { h } from "../kit/dom.ts";
import { icon } from "../kit/icons.ts";
import { reducedMotion } from "../kit/theme.ts";

/** Milliseconds that the window stays at a place. */
const PACE = 220;

/** Moves a position from 0 to a last one: play, single steps, and a slider to scrub. It stands still while the page is hidden. */
export class Player {
  readonly element: HTMLElement;
  private readonly toggle: HTMLButtonElement;
  private readonly range = h("input", { type: "range", min: "0", step: "1", ariaLabel: "Position of the window" });
  private playing = false;
  private due = 0;
  private frame = 0;

  constructor(private readonly onMove: (position: number, playing: boolean) => void) {
    this.toggle = h("button", { type: "button", className: "round" });
    this.toggle.onclick = () => (this.playing ? this.hold() : this.play());
    const next = h("button", { type: "button", className: "round" }, icon("step"));
    next.ariaLabel = next.title = "Next position of the window";
    next.onclick = () => {
      this.hold();
      this.advance();
    };
    this.range.oninput = () => {
      this.hold();
      this.onMove(this.range.valueAsNumber, false);
    };
    this.element = h("div", { className: "player", role: "group", ariaLabel: "Window" }, this.toggle, next, this.range);
    this.show(0, 1);
    this.showPlaying();
  }

  /** Where it is, of how many. */
  show(position: number, count: number): void {
    this.range.max = String(count - 1);
    this.range.value = String(position);
    this.range.ariaValueText = `${position + 1} of ${count}`;
  }

  hold(): void {
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.showPlaying();
  }

  private play(): void {
    this.playing = true;
    this.due = 0;
    this.frame = requestAnimationFrame(this.tick);
    this.showPlaying();
  }

  private readonly tick = (now: number): void => {
    if (now >= this.due) {
      this.due = now + (reducedMotion() ? 4 * PACE : PACE);
      this.advance();
    }
    if (this.playing) this.frame = requestAnimationFrame(this.tick);
  };

  private advance(): void {
    const { max, valueAsNumber } = this.range;
    this.onMove(valueAsNumber < Number(max) ? valueAsNumber + 1 : 0, this.playing);
  }

  private showPlaying(): void {
    this.toggle.ariaLabel = this.toggle.title = this.playing ? "Hold the window" : "Move the window";
    this.toggle.replaceChildren(icon(this.playing ? "pause" : "play"));
  }
}
