import type { Running, Session } from "../../worker/index.ts";
import { reducedMotion } from "../kit/theme.ts";
import type { Config } from "./config.ts";
import type { functions, Picture } from "./functions.ts";

/** One configuration as the Worker took it over, with the first picture of it. */
export interface Scene {
  config: Config;
  points: Awaited<ReturnType<typeof functions.configure>>["points"];
  picture: Picture;
}

export interface Viewer {
  showScene(scene: Scene): void;
  showPicture(picture: Picture): void;
  showPlaying(playing: boolean): void;
  /** Something that people should read: what failed, or that the numbers overflowed. */
  say(text: string): void;
}

/**
 * The page's side of the training: sends the controls' values and shows what comes back. At most one configuration and one picture are
 * under way, so moving a slider never piles up messages; pictures are drawn by animation frames, and the Worker makes the next one
 * when the last has been drawn.
 */
export class Driver {
  playing = false;
  private run: Running<Picture> | undefined;
  private wanted: { config: Config; fresh: boolean } | undefined;
  private configuring = false;
  private revision = 0;
  private shown = 0;

  constructor(
    private readonly session: Session<typeof functions>,
    private readonly viewer: Viewer,
  ) {}

  /** The newest values win; `fresh` begins a new network in any case. */
  async configure(config: Config, fresh = false): Promise<void> {
    this.wanted = { config, fresh: fresh || (this.wanted?.fresh ?? false) };
    if (this.configuring) return;
    this.configuring = true;
    try {
      while (this.wanted) {
        const { wanted } = this;
        this.wanted = undefined;
        const revision = ++this.revision;
        const { points, picture } = await this.session.run("configure", { ...wanted, revision });
        this.shown = revision;
        this.viewer.showScene({ config: wanted.config, points, picture });
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.configuring = false;
    }
  }

  play(): void {
    this.setPlaying(true);
    if (this.run) {
      this.run.resume();
      return;
    }
    this.run = this.session.run("train", undefined, { onProgress: (picture) => this.onNextFrame(picture) });
    this.run.then(
      (last) => {
        this.run = undefined;
        this.setPlaying(false);
        this.viewer.showPicture(last);
        this.viewer.say(
          `The numbers overflowed in epoch ${last.epoch}. Choose a lower learning rate or regularization rate, then reset.`,
        );
      },
      (error) => {
        this.run = undefined;
        this.fail(error);
      },
    );
  }

  /** Holds the training; the picture then shown is that of the last epoch, however many were between. */
  async pause(): Promise<void> {
    this.setPlaying(false);
    this.run?.pause();
    await this.ask("look");
  }

  /** One epoch. */
  async step(): Promise<void> {
    this.run?.pause();
    this.setPlaying(false);
    await this.ask("step");
  }

  private async ask(name: "look" | "step"): Promise<void> {
    try {
      this.show(await this.session.run(name));
    } catch (error) {
      this.fail(error);
    }
  }

  private show(picture: Picture): void {
    if (picture.revision === this.shown) this.viewer.showPicture(picture);
  }

  private onNextFrame(picture: Picture): Promise<void> {
    return new Promise((resolve) => {
      requestAnimationFrame(() => {
        // Paused in between: what was asked for since is newer.
        if (this.playing) this.show(picture);
        setTimeout(resolve, reducedMotion() ? 1000 : 0);
      });
    });
  }

  private setPlaying(playing: boolean): void {
    this.playing = playing;
    this.viewer.showPlaying(playing);
  }

  private fail(error: unknown): void {
    this.setPlaying(false);
    this.viewer.say(error instanceof Error ? error.message : String(error));
  }
}
