import "./crystals.css";
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
import { type CrystalsState, FIELDS, type GalleryName, type Source, trainingConfig } from "./config.ts";
import { CrystalPanel } from "./crystalPanel.ts";
import type { Entry, functions, Picture, Scene } from "./functions.ts";
import { GraphPanel } from "./graphPanel.ts";
import { PredictionPanel } from "./predictionPanel.ts";
import { Shelf, titleOf } from "./shelf.ts";
import { TrainingControls } from "./trainingControls.ts";
import { TrainingResults } from "./trainingResults.ts";

/** Crystals and their neighbour graphs; CGCNN trained on them, and its predictions for the page's own files. */
export const demo: Demo = {
  async mount({ host, query, remember, say }: Place) {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    // Deterministic, so that an address shows the same training to everybody.
    const session = await connect<typeof functions>(worker, { deterministic: true });
    const { state: initial, rejected } = readState(FIELDS, query);
    const { gallery, basis } = await session.run("scenery");
    const entries = new Map<string, Entry>(gallery.map((entry) => [entry.key, entry]));
    let state: CrystalsState = initial;
    let source: Source = { data: "embedded" };
    let scene: Scene | undefined;
    let picture: Picture | undefined;
    let shown = `gallery:${state.structure}`;

    let ended = false;
    /** The status line belongs to the next demo then. */
    const tell = (text: string): void => {
      if (!ended) say(text);
    };
    const fail = (error: unknown): void => tell(error instanceof Error ? error.message : String(error));
    const config = () => trainingConfig(state, source);

    /** The Worker's part of what is shown, for the newest wishes. */
    const showCrystal = latest(async (key: string) => {
      try {
        const view = await session.run("view", { key, settings: state });
        crystal.show(titleOf(entries.get(key)!), view, state);
        graph.show(view, state);
      } catch (error) {
        fail(error);
      }
    });

    const change = (changes: Partial<CrystalsState>): void => {
      state = { ...state, ...changes };
      remember(writeState(FIELDS, state));
      controls.show(state, source);
      graph.showControls(state);
      compare();
      if (GRAPH.some((key) => key in changes)) showCrystal(shown);
      if ("learningRate" in changes || "epochs" in changes) driver.tune();
    };
    const compare = (): void => controls.compare(picture && picture.epoch > 0 ? scene?.config : undefined, config());

    const select = async (entry: Entry): Promise<void> => {
      const { key } = entry;
      entries.set(key, entry);
      shown = key;
      shelf.select(entry);
      const [kind, name] = key.split(":");
      change({ atom: 1, ...(kind === "gallery" ? { structure: name as GalleryName } : {}) });
      await showCrystal(key);
      if (picture) show(picture);
      await driver.look();
    };

    const takeFiles = async (files: PathFile[]): Promise<void> => {
      say(`Reading ${files.length} ${files.length === 1 ? "file" : "files"} …`);
      try {
        const { entries: found, problems, data } = await session.run("read", files);
        for (const entry of found) entries.set(entry.key, entry);
        shelf.addFiles(found, problems);
        if (data) {
          controls.showColumns(data);
          setSource({ data: "own", column: data.columns[0] });
        }
        const targets = data ? ` ${data.rows} of them have numbers to learn: ${data.columns.join(", ")}.` : "";
        const wrong = problems.length > 0 ? ` Not read: ${problems.length}, see the list.` : "";
        say(`${found.length} ${found.length === 1 ? "structure" : "structures"} read.${targets}${wrong}`);
        if (found.length > 0) await select(found[0]);
      } catch (error) {
        fail(error);
      }
    };

    const setSource = (changed: Source): void => {
      source = changed;
      controls.show(state, source);
      compare();
    };

    const show = (next: Picture): void => {
      picture = next;
      transport.showEpoch(next.epoch);
      results.draw(next, shown);
      compare();
      const at = scene!.validation.entries.findIndex(({ key }) => key === shown);
      const found = next.shown?.key === shown ? next.shown : undefined;
      const unit = scene!.target.unit ? ` ${scene!.target.unit}` : "";
      const origin = `predicted ${scene!.target.name}, epoch ${next.epoch}`;
      crystal.showPrediction(found, unit, origin, at < 0 ? undefined : scene!.validation.target[at]);
    };

    const shelf = new Shelf({
      onFiles: takeFiles,
      onSelect: (key) => select(entries.get(key)!),
      async onClear() {
        if (shown.startsWith("file:")) await select(gallery[0]);
        await session.run("clear");
        shelf.clearFiles();
        controls.showColumns(undefined);
        setSource({ data: "embedded" });
      },
    });
    const crystal = new CrystalPanel();
    const graph = new GraphPanel(basis, change);
    const results = new TrainingResults(select);
    const driver = new Driver(
      session,
      {
        showScene(next: Scene, first: Picture) {
          if (next.revision !== scene?.revision) {
            for (const key of entries.keys()) if (key.startsWith("row:") && key !== shown) entries.delete(key);
            for (const entry of next.validation.entries) entries.set(entry.key, entry);
          }
          scene = next;
          controls.showScene(next);
          results.showScene(next);
          predictions.showTrained();
          say(driver.playing ? "Training." : "");
          show(first);
        },
        showPicture: show,
        showPlaying: (playing) => transport.showPlaying(playing),
        say: tell,
      },
      config,
      "Making the crystals and their graphs …",
    );
    const transport = new Transport({
      onPlay: () => driver.play(),
      onPause: () => driver.pause(),
      onStep: () => driver.step(),
      onReset: () => driver.reset(),
    });
    const controls = new TrainingControls(transport.element, { change, onSource: setSource });
    const predictions = new PredictionPanel({
      async onPredict(use) {
        try {
          const found = await session.run("predict", { use });
          predictions.show(found, use === "loaded" ? "the model file" : `the network of epoch ${found.epoch}`);
        } catch (error) {
          fail(error);
        }
      },
      async onSave() {
        try {
          const parts = await session.run("save");
          download("model.safetensors", parts as BlobPart[], "application/octet-stream");
        } catch (error) {
          fail(error);
        }
      },
      async onLoad(file) {
        try {
          const { target, notes } = await session.run("load", file);
          predictions.showLoaded(file.name, target, notes);
          say(`${file.name} is loaded.`);
        } catch (error) {
          fail(error);
        }
      },
    });

    shelf.showGallery(gallery);
    shelf.select(entries.get(shown)!);
    graph.showControls(state);
    controls.show(state, source);
    const endDrops = acceptDrops(host, takeFiles);
    const endTheme = withTheme((theme) => results.restyle(theme));
    const lead =
      "Crystals as graphs: atoms are nodes, near neighbours are joined. Choose or drop a structure, move the sliders, then train a network on such graphs and let it predict.";
    host.replaceChildren(
      h(
        "div",
        { className: "crystals" },
        h("p", { className: "about" }, lead),
        shelf.element,
        crystal.element,
        graph.charts,
        graph.element,
        h(
          "section",
          { className: "card learn" },
          h("h2", {}, "Train a crystal graph network"),
          controls.element,
          results.element,
        ),
        predictions.element,
      ),
    );
    await showCrystal(shown);
    say(engineLine(session.capabilities, rejected));

    return () => {
      ended = true;
      endDrops();
      endTheme();
      crystal.destroy();
      results.destroy();
      session.close();
    };
  },
};

/** Controls that change what is drawn of a crystal. */
const GRAPH: readonly (keyof CrystalsState)[] = ["cutoff", "neighbours", "shells", "edges", "atom"];
