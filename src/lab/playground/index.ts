import "./playground.css";
import { connect } from "../../worker/index.ts";
import type { Demo, Place } from "../demo.ts";
import { h } from "../kit/dom.ts";
import { engineLine } from "../kit/engine.ts";
import { readState, writeState } from "../kit/state.ts";
import { withTheme } from "../kit/theme.ts";
import { Transport } from "../kit/transport.ts";
import { type Config, FIELDS, type PlaygroundState } from "./config.ts";
import { Controls } from "./controls.ts";
import { Diagram, type Focus, titleOf } from "./diagram.ts";
import { Driver, type Scene } from "./driver.ts";
import type { functions, Picture } from "./functions.ts";
import { Output } from "./output.ts";

/** A two-input classifier in the manner of TensorFlow Playground (Smilkov, Carter et al., playground.tensorflow.org). */
export const demo: Demo = {
  async mount({ host, query, remember, say }: Place) {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    // Deterministic, so that an address shows the same training to everybody.
    const session = await connect<typeof functions>(worker, { deterministic: true });
    const { state: initial, rejected } = readState(FIELDS, query);
    let state: PlaygroundState = initial;
    let picture: Picture | undefined;
    let focus: Focus;

    const line = engineLine(session.capabilities, rejected);

    const draw = (): void => {
      if (!picture) return;
      const map = !focus
        ? picture.maps.at(-1)![0]
        : "feature" in focus
          ? features[focus.feature]
          : picture.maps[focus.layer]?.[focus.neuron];
      output.draw(picture, map ?? picture.maps.at(-1)![0], titleOf(focus, picture), driver.playing);
    };
    const change = (changes: Partial<PlaygroundState>): void => {
      state = { ...state, ...changes };
      controls.show(state);
      output.setView(state);
      remember(writeState(FIELDS, state));
      if (Object.keys(changes).some((key) => key !== "showTestData" && key !== "discretize"))
        driver.configure(configOf(state));
      draw();
    };

    const controls = new Controls(change);
    const output = new Output(controls.display);
    const diagram = new Diagram({
      onFeatures: (features) => change({ features }),
      onShape: (networkShape) => change({ networkShape }),
      onLook: (looked) => {
        focus = looked;
        draw();
      },
    });
    const driver = new Driver(session, {
      showScene(scene: Scene) {
        diagram.showConfig(scene.config);
        output.showScene(scene);
        this.showPicture(scene.picture);
      },
      showPicture(next: Picture) {
        picture = next;
        transport.showEpoch(next.epoch);
        diagram.draw(next);
        draw();
      },
      showPlaying: (playing) => transport.showPlaying(playing),
      say,
    });
    const transport = new Transport({
      onPlay: () => driver.play(),
      onPause: () => driver.pause(),
      onStep: () => driver.step(),
      onReset: () => {
        say(line);
        driver.configure(configOf(state), true);
      },
    });

    const { samples, features } = await session.run("scenery");
    diagram.setFeatureMaps(features);
    const endTheme = withTheme((theme) => {
      controls.drawThumbnails(samples, theme);
      diagram.restyle(theme);
      output.restyle(theme);
      draw();
    });
    controls.show(state);
    output.setView(state);
    say(line);
    await driver.configure(configOf(state));
    host.replaceChildren(
      h(
        "div",
        { className: "playground" },
        h(
          "p",
          { className: "lead" },
          "A small network learns to tell the blue points from the orange ones. Choose a data set, press play, and point at a neuron to see what it has found.",
        ),
        h("div", { className: "card bar" }, transport.element, controls.training),
        controls.data,
        diagram.element,
        output.element,
      ),
    );

    return () => {
      endTheme();
      diagram.destroy();
      output.destroy();
      session.close();
    };
  },
};

function configOf({ showTestData, discretize, ...config }: PlaygroundState): Config {
  return config;
}
