import "./vision.css";
import { connect } from "../../worker/index.ts";
import type { Demo, Place } from "../demo.ts";
import { h } from "../kit/dom.ts";
import { download } from "../kit/download.ts";
import { Driver } from "../kit/driver.ts";
import { engineLine } from "../kit/engine.ts";
import { acceptDrops, type PathFile } from "../kit/files.ts";
import { latest } from "../kit/latest.ts";
import { readState, writeState } from "../kit/state.ts";
import { withTheme } from "../kit/theme.ts";
import { Transport } from "../kit/transport.ts";
import { FIELDS, trainingConfig, type VisionState } from "./config.ts";
import { DrawingPad } from "./drawingPad.ts";
import type { functions, Picture, Scene } from "./functions.ts";
import { InsidePanel } from "./insidePanel.ts";
import { kernelOf } from "./kernelOf.ts";
import { likeliest, percent } from "./numbers.ts";
import { TrainingControls } from "./trainingControls.ts";
import { TrainingResults } from "./trainingResults.ts";
import { WindowPanel } from "./windowPanel.ts";

/** A picture, the kernel's window going over it, and a small convolutional network that learns kinds of microstructures. */
export const demo: Demo = {
  async mount({ host, query, remember, say }: Place) {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    // Deterministic, so that an address shows the same training to everybody.
    const session = await connect<typeof functions>(worker, { deterministic: true });
    const { state: initial, rejected } = readState(FIELDS, query);
    let state: VisionState = initial;
    let shown = { pixels: new Uint8Array(0), size: 0 };
    let generated = true;
    let scene: Scene | undefined;
    let picture: Picture | undefined;

    let ended = false;
    /** The status line belongs to the next demo then. */
    const tell = (text: string): void => {
      if (!ended) say(text);
    };
    const attempt = async (work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        tell(error instanceof Error ? error.message : String(error));
      }
    };

    const convolve = latest(() =>
      attempt(async () => {
        const { stride, padding, dilation, pool, poolSize } = state;
        const { kernel, remark } = kernelOf(state, scene, picture);
        stage.say(remark);
        stage.draw(await session.run("convolve", { ...shown, ...kernel, stride, padding, dilation, pool, poolSize }));
      }),
    );
    const watch = latest(() =>
      attempt(async () => {
        const { layer, method, explain } = state;
        const at = scene?.config.classes.indexOf(explain as never) ?? -1;
        await session.run("watch", { ...shown, layer, method, classIndex: at < 0 ? undefined : at });
        await driver.look();
      }),
    );
    const look = (pixels: Uint8Array, size: number): Promise<unknown> => {
      shown = { pixels: pixels.slice(), size };
      return Promise.all([convolve(undefined), watch(undefined)]);
    };
    const generate = latest(() =>
      attempt(async () => {
        const { picture, pictureSeed, size } = state;
        const pixels = await session.run("generate", { picture, pictureSeed, size });
        generated = true;
        pad.show(pixels, size, `Simulated: ${picture}, seed ${pictureSeed}.`);
        await look(pixels, size);
      }),
    );
    const resize = latest(() =>
      attempt(async () => {
        const { size } = state;
        const pixels = await session.run("resize", { pixels: shown.pixels, from: shown.size, to: size });
        pad.show(pixels, size, "Your picture.");
        await look(pixels, size);
      }),
    );
    const takeFile = ({ file, path }: PathFile): Promise<void> =>
      attempt(async () => {
        const { size } = state;
        const pixels = await session.run("read", { file, size });
        generated = false;
        pad.show(pixels, size, `${path}.`);
        await look(pixels, size);
        tell(`${path} is read: its middle, grey, ${size} × ${size} pixels.`);
      });

    const change = (changes: Partial<VisionState>): void => {
      state = { ...state, ...changes };
      remember(writeState(FIELDS, state));
      showState();
      const has = (...keys: (keyof VisionState)[]): boolean => keys.some((key) => key in changes);
      if (has("picture", "pictureSeed") || (generated && has("size"))) generate(undefined);
      else if (has("size")) resize(undefined);
      if (has("kernel", "weights", "filter", "stride", "padding", "dilation", "pool", "poolSize")) convolve(undefined);
      if (has("layer", "method", "explain")) watch(undefined);
      if (has("learningRate", "epochs")) driver.tune();
    };
    const showState = (): void => {
      pad.showState(state);
      stage.showState(state);
      controls.show(state);
      inside.showState(state);
      compare();
    };
    const compare = (): void =>
      controls.compare(picture && picture.epoch > 0 ? scene?.config : undefined, trainingConfig(state));

    const show = (next: Picture): void => {
      picture = next;
      const { epoch, seen } = next;
      transport.showEpoch(epoch);
      results.draw(next);
      inside.draw(next);
      compare();
      const best = seen && likeliest(seen.probabilities);
      pad.say(
        best === undefined
          ? ""
          : `${scene!.config.classes[best]}, ${percent(seen!.probabilities[best])} (epoch ${epoch})`,
      );
      if (state.kernel === "learned") convolve(undefined);
    };

    const pad = new DrawingPad({
      change,
      onFile: takeFile,
      onDraw(pixels) {
        generated = false;
        look(pixels, shown.size);
      },
    });
    const stage = new WindowPanel(change);
    const results = new TrainingResults(({ id, pixels }) => {
      generated = false;
      const { size } = scene!.config;
      pad.show(pixels, size, `Validation image ${id}.`);
      look(pixels, size);
    });
    const inside = new InsidePanel(change);
    const driver = new Driver(
      session,
      {
        showScene(next: Scene, first: Picture) {
          scene = next;
          controls.showScene(next);
          results.showScene(next);
          inside.showScene(next);
          tell(driver.playing ? "Training." : "");
          show(first);
          // Classes have their numbers now.
          watch(undefined);
        },
        showPicture: show,
        showPlaying: (playing) => transport.showPlaying(playing),
        say: tell,
      },
      () => trainingConfig(state),
      "Making images …",
    );
    const transport = new Transport({
      onPlay: () => driver.play(),
      onPause: () => driver.pause(),
      onStep: () => driver.step(),
      onReset: () => driver.reset(),
    });
    const controls = new TrainingControls(transport.element, change, () =>
      attempt(async () => {
        const parts = await session.run("save");
        download("model.safetensors", parts as BlobPart[], "application/octet-stream");
      }),
    );

    showState();
    const endDrops = acceptDrops(host, ([file]) => takeFile(file));
    const endTheme = withTheme((theme) => {
      stage.restyle(theme);
      results.restyle(theme);
      inside.restyle(theme);
    });
    const lead =
      "A convolution moves a small kernel over a picture and adds up products. Watch one at work, then train a network of such kernels to tell microstructures apart, and look inside it.";
    host.replaceChildren(
      h(
        "div",
        { className: "vision" },
        h("p", { className: "note" }, lead),
        pad.element,
        stage.element,
        h(
          "section",
          { className: "card school" },
          h("h2", {}, "Train a convolutional network"),
          controls.element,
          results.element,
        ),
        inside.element,
      ),
    );
    await generate(undefined);
    say(engineLine(session.capabilities, rejected));

    return () => {
      ended = true;
      endDrops();
      endTheme();
      stage.destroy();
      results.destroy();
      session.close();
    };
  },
};
