import { h } from "./dom.ts";
import { type IconName, icon } from "./icons.ts";

export interface TransportEvents {
  onPlay(): void;
  onPause(): void;
  onStep(): void;
  onReset(): void;
}

/** Reset, play or pause, one step, and the epoch counter. */
export class Transport {
  readonly element: HTMLElement;
  private readonly toggle: HTMLButtonElement;
  private readonly epoch = h("output", { textContent: "0" });
  private playing = false;

  constructor({ onPlay, onPause, onStep, onReset }: TransportEvents) {
    const button = (name: string, picture: IconName, onclick: () => void): HTMLButtonElement =>
      h("button", { type: "button", className: picture, ariaLabel: name, title: name, onclick }, icon(picture));
    this.toggle = button("Play", "play", () => (this.playing ? onPause() : onPlay()));
    this.element = h(
      "div",
      { className: "transport", role: "group", ariaLabel: "Training" },
      button("Reset: a new network from the same seed", "reset", onReset),
      this.toggle,
      button("Step: one epoch", "step", onStep),
      h("div", { className: "epoch" }, h("span", {}, "Epoch"), this.epoch),
    );
  }

  showPlaying(playing: boolean): void {
    this.playing = playing;
    this.toggle.ariaLabel = this.toggle.title = playing ? "Pause" : "Play";
    this.toggle.replaceChildren(icon(playing ? "pause" : "play"));
  }

  showEpoch(epoch: number): void {
    this.epoch.textContent = epoch.toLocaleString("en");
  }
}
