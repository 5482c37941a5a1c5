import "./graphs.css";
import { connect } from "../../worker/index.ts";
import type { Demo, Place } from "../demo.ts";
import { h } from "../kit/dom.ts";
import { Driver } from "../kit/driver.ts";
import { engineLine } from "../kit/engine.ts";
import { latest } from "../kit/latest.ts";
import { readState, writeState } from "../kit/state.ts";
import { withTheme } from "../kit/theme.ts";
import { Transport } from "../kit/transport.ts";
import { mountMolecule } from "../molecule/index.ts";
import { FIELDS, type GraphsState, trainingConfig } from "./config.ts";
import { EditorPanel } from "./editorPanel.ts";
import type { functions, Picture, Scene } from "./functions.ts";
import { percent } from "./numbers.ts";
import { TASKS } from "./options.ts";
import { PairsPanel } from "./pairsPanel.ts";
import { PassingPanel } from "./passingPanel.ts";
import { twoStars } from "./presets.ts";
import { TrainingControls } from "./trainingControls.ts";
import { TrainingResults } from "./trainingResults.ts";

/** Graphs to draw, message passing as numbers, a graph network that learns here, and a molecule that moves by a learned potential. */
export const demo: Demo = {
  async mount({ host, query, remember, say }: Place) {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    // Deterministic, so that an address shows the same training to everybody; and such small graphs need one thread only.
    const session = await connect<typeof functions>(worker, { deterministic: true, threads: 1 });
    const { state: initial, rejected } = readState(FIELDS, query);
    let state: GraphsState = initial;
    let scene: Scene | undefined;
    let picture: Picture | undefined;
    let hovered: number | undefined;

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

    const passOn = latest(() =>
      attempt(async () => {
        const { graph: drawing, aggregation, update } = state;
        passing.show(await session.run("pass", { drawing, aggregation, update }));
        // What has been drawn since comes with the next answer.
        if (drawing === state.graph) showPassing();
      }),
    );
    const pool = latest(() => attempt(async () => pairs.draw(await session.run("pool", state.pairs))));
    const watch = latest(() =>
      attempt(async () => {
        await session.run("watch", state.graph);
        await driver.look();
      }),
    );
    const replay = latest((epoch: number) =>
      attempt(async () => {
        const cloud = await session.run("replay", { epoch });
        results.drawCloud(cloud);
      }),
    );
    const pick = latest((row: number) => attempt(async () => panel.load(await session.run("pick", { row }))));

    const change = (changes: Partial<GraphsState>): void => {
      state = { ...state, ...changes };
      remember(writeState(FIELDS, state));
      showState();
      const has = (...keys: (keyof GraphsState)[]): boolean => keys.some((key) => key in changes);
      if (has("graph", "aggregation", "update", "phase")) passOn(undefined);
      if (has("graph")) watch(undefined);
      if (has("pairs")) pool(undefined);
      if (has("learningRate", "epochs")) driver.tune();
      molecule.change(changes);
    };
    const showState = (): void => {
      passing.showState(state);
      pairs.show(state.pairs);
      controls.show(state);
      compare();
    };
    const compare = (): void =>
      controls.compare(picture && picture.epoch > 0 ? scene?.config : undefined, trainingConfig(state));
    const showPassing = (): void => {
      const { overlay } = passing;
      if (overlay) panel.editor.lay(overlay);
      hover(hovered);
    };
    const hover = (node: number | undefined): void => {
      hovered = node !== undefined && node < state.graph.nodes.length ? node : undefined;
      panel.editor.light(hovered === undefined ? undefined : passing.near(hovered));
      passing.sayReach(hovered);
    };
    const show = (next: Picture): void => {
      picture = next;
      transport.showEpoch(next.epoch);
      results.draw(next);
      compare();
      const { seen, epoch } = next;
      const { text, classes } = TASKS[scene!.config.task];
      const found = Number(seen !== undefined && seen > 0.5);
      const answer = `${classes[found]}, ${percent(found === 1 ? seen! : 1 - seen!)}`;
      panel.judge(seen === undefined ? "" : `${text} The network of epoch ${epoch} says of this graph: ${answer}.`);
    };

    const panel = new EditorPanel((graph) => change({ graph }), hover);
    const passing = new PassingPanel(change);
    const pairs = new PairsPanel({
      onChange: (pairs) => change({ pairs }),
      onDraw(left, right) {
        panel.load(twoStars(left, right));
        panel.element.scrollIntoView({ block: "nearest" });
      },
    });
    const results: TrainingResults = new TrainingResults({ onReplay: replay, onPick: pick });
    const driver = new Driver(
      session,
      {
        showScene(next: Scene, first: Picture) {
          scene = next;
          controls.showScene(next);
          results.showScene(next);
          tell(driver.playing ? "Training." : "");
          show(first);
        },
        showPicture: show,
        showPlaying: (playing) => transport.showPlaying(playing),
        say: tell,
      },
      () => trainingConfig(state),
      "Making molecules …",
    );
    const transport = new Transport({
      onPlay: () => driver.play(),
      onPause: () => driver.pause(),
      onStep: () => driver.step(),
      onReset: () => driver.reset(),
    });
    const controls = new TrainingControls(transport.element, change);
    const molecule = mountMolecule(initial, { change, say: tell });

    panel.show(state.graph);
    showState();
    const endTheme = withTheme((theme) => {
      results.restyle(theme);
      molecule.restyle(theme);
    });
    const lead =
      "Nodes that send each other numbers along their edges: that is all a graph network does. Draw a graph, follow the numbers, see what an aggregation cannot see, train a network that answers by the bonds alone, and let a molecule move by forces that were learned here.";
    host.replaceChildren(
      h(
        "div",
        { className: "graphs" },
        h("p", { className: "note" }, lead),
        panel.element,
        passing.element,
        h("section", { className: "card matrix" }, h("h2", {}, "Adjacency matrix"), panel.matrix.element),
        pairs.element,
        h(
          "section",
          { className: "card school" },
          h("h2", {}, "Train a graph network"),
          controls.element,
          results.element,
        ),
        molecule.element,
      ),
    );
    await Promise.all([passOn(undefined), pool(undefined), watch(undefined), molecule.ready]);
    say(engineLine(session.capabilities, rejected));

    return () => {
      ended = true;
      endTheme();
      results.destroy();
      molecule.destroy();
      session.close();
    };
  },
};
