import type { Control, Running, Session } from "../../worker/index.ts";

/** What a Worker serves where something is trained. Pictures are its state at one moment, a scene is what they all share. */
export type Trainee<Config, Scene, Picture> = {
  /** Makes what the configuration describes, or tunes what there is; it reports what people may read meanwhile. */
  prepare(
    args: { config: Config; fresh: boolean },
    control: Control<string>,
  ): { scene: Scene; picture: Picture } | Promise<{ scene: Scene; picture: Picture }>;
  look(): Picture;
  /** To the end of an epoch. */
  step(args: undefined, control: Control): Picture | Promise<Picture>;
  /** To the end of the last epoch. */
  train(args: undefined, control: Control<Picture>): Promise<Picture>;
};

export interface Watcher<Scene, Picture> {
  showScene(scene: Scene, picture: Picture): void;
  showPicture(picture: Picture): void;
  showPlaying(playing: boolean): void;
  say(text: string): void;
}

/** The page's side of a training: at most one run is under way, and a picture is drawn when the last one has been. */
export class Driver<Config, Scene extends { revision: number }, Picture extends { revision: number; epoch: number }> {
  playing = false;
  private run: Running<Picture> | undefined;
  private revision = -1;
  /** `play` waits for its network. */
  private starting = false;
  /** Networks are made one after the other. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly session: Session<Trainee<Config, Scene, Picture>>,
    private readonly watcher: Watcher<Scene, Picture>,
    /** What the controls say now. */
    private readonly config: () => Config,
    /** What is said while a network and its data are made. */
    private readonly making: string,
  ) {}

  /** Whether there is a network. */
  get begun(): boolean {
    return this.revision >= 0;
  }

  async play(): Promise<void> {
    this.setPlaying(true);
    if (this.starting) return;
    this.starting = true;
    const ready = await this.prepare();
    this.starting = false;
    if (!ready || !this.playing) return;
    if (this.run) {
      this.run.resume();
      return;
    }
    const run = this.session.run("train", undefined, { onProgress: (picture) => this.onNextFrame(picture) });
    this.run = run;
    try {
      const last = await run;
      this.show(last);
      this.watcher.say(`Trained for ${last.epoch} epochs. Raise "Epochs" to go on, or reset for a new network.`);
    } catch (error) {
      this.fail(error);
    } finally {
      this.run = undefined;
      this.setPlaying(false);
    }
  }

  /** Holds the training; the picture then shown is that of the last epoch that ended. */
  async pause(): Promise<void> {
    this.run?.pause();
    this.setPlaying(false);
    await this.look();
  }

  /** To the end of an epoch. */
  async step(): Promise<void> {
    this.run?.pause();
    this.setPlaying(false);
    if (await this.prepare()) await this.ask("step");
  }

  /** A new network from the controls as they stand. */
  async reset(): Promise<void> {
    this.run?.pause();
    this.setPlaying(false);
    await this.prepare(true);
  }

  /** Takes over what may change while a network is there. */
  async tune(): Promise<void> {
    if (this.begun) await this.prepare();
  }

  /** Shows what the network says of what is now looked at. */
  async look(): Promise<void> {
    if (this.begun && !this.playing) await this.ask("look");
  }

  private prepare(fresh = false): Promise<boolean> {
    const made = this.queue.then(() => this.make(fresh));
    this.queue = made;
    return made;
  }

  private async make(fresh: boolean): Promise<boolean> {
    const { session, watcher } = this;
    if (!this.begun || fresh) watcher.say(this.making);
    try {
      const args = { config: this.config(), fresh };
      const { scene, picture } = await session.run("prepare", args, { onProgress: (text) => watcher.say(text) });
      this.revision = scene.revision;
      watcher.showScene(scene, picture);
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  private async ask(name: "look" | "step"): Promise<void> {
    try {
      this.show(await (name === "look" ? this.session.run("look") : this.session.run("step", undefined)));
    } catch (error) {
      this.fail(error);
    }
  }

  private show(picture: Picture): void {
    if (picture.revision === this.revision) this.watcher.showPicture(picture);
  }

  private onNextFrame(picture: Picture): Promise<void> {
    return new Promise((resolve) => {
      requestAnimationFrame(() => {
        // Paused in between: what was asked for since is newer.
        if (this.playing) this.show(picture);
        resolve();
      });
    });
  }

  private setPlaying(playing: boolean): void {
    this.playing = playing;
    this.watcher.showPlaying(playing);
  }

  private fail(error: unknown): void {
    this.setPlaying(false);
    this.watcher.say(error instanceof Error ? error.message : String(error));
  }
}
