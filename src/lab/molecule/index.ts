import "./molecule.css";
import { connect } from "../../worker/index.ts";
import { h } from "../kit/dom.ts";
import { download } from "../kit/download.ts";
import { Driver } from "../kit/driver.ts";
import type { Theme } from "../kit/theme.ts";
import { Transport } from "../kit/transport.ts";
import { MOLECULE_FIELDS, type MoleculeState, potentialConfig, simulationConfig } from "./config.ts";
import type { functions, Picture, Scene } from "./functions.ts";
import { MotionPanel } from "./motionPanel.ts";
import { PotentialPanel } from "./potentialPanel.ts";

export interface MoleculeEvents {
  change(changes: Partial<MoleculeState>): void;
  say(text: string): void;
}

const OWN = Object.keys(MOLECULE_FIELDS) as (keyof MoleculeState)[];
/** Controls that a simulation follows while it runs. */
const LIVE = ["temperature", "bath", "timeStep"] as const;

/** A molecule that moves by the forces of a network which learned them on this page. It computes in a Worker of its own. */
export function mountMolecule(initial: MoleculeState, { change, say }: MoleculeEvents) {
  let state = initial;
  let scene: Scene | undefined;
  let picture: Picture | undefined;
  let ended = false;
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const connecting = connect<typeof functions>(worker, { deterministic: true, threads: 1 });

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!ended) say(error instanceof Error ? error.message : String(error));
    }
  };
  const potential = new PotentialPanel(change, () =>
    attempt(async () => {
      const parts = await (await connecting).run("save");
      download("potential.safetensors", parts as BlobPart[], "application/octet-stream");
    }),
  );
  const motion = new MotionPanel(change);

  const compare = (): void =>
    potential.compare(picture && picture.epoch > 0 ? scene?.config : undefined, potentialConfig(state));
  const show = (next: Picture): void => {
    picture = next;
    transport.showEpoch(next.epoch);
    potential.draw(next);
    compare();
  };
  const showSubject = (): Promise<void> =>
    attempt(async () => {
      const { molecule } = state;
      const subject = await (await connecting).run("subject", { molecule });
      if (molecule === state.molecule) motion.showSubject(subject, molecule);
    });
  const transport = new Transport({
    onPlay: () => driver?.play(),
    onPause: () => driver?.pause(),
    onStep: () => driver?.step(),
    onReset: () => driver?.reset(),
  });
  transport.element.ariaLabel = "Training of the potential";
  let driver: Driver<ReturnType<typeof potentialConfig>, Scene, Picture> | undefined;

  const ready = connecting.then(async (session) => {
    if (ended) return session.close();
    motion.connect(session, () => simulationConfig(state), say);
    driver = new Driver(
      session,
      {
        showScene(next: Scene, first: Picture) {
          scene = next;
          potential.showScene(next);
          say(driver?.playing ? "Training." : "");
          show(first);
        },
        showPicture: show,
        showPlaying: (playing) => transport.showPlaying(playing),
        say: (text) => ended || say(text),
      },
      () => potentialConfig(state),
      "Simulating the molecule by its reference forces, for frames to learn from …",
    );
    await showSubject();
  });

  const showState = (): void => {
    potential.showState(state);
    motion.showState(state);
    compare();
  };
  showState();
  const lead =
    "The reference is a formula: bonds are Morse springs, angles are stiff, far atoms repel each other. A SchNet sees energies and forces of frames from a hot simulation, learns both at once (forces are its energy's derivative, so learning them takes second derivatives), and then moves the atoms by itself.";
  return {
    ready,
    element: h(
      "section",
      { className: "card molecule" },
      h("h2", {}, "A molecule in motion, by a potential trained here"),
      h("p", { className: "note" }, lead),
      h(
        "div",
        { className: "schooling" },
        h("div", { className: "row" }, transport.element, potential.fields),
        potential.notes,
      ),
      h("div", { className: "motion" }, potential.element, motion.stage, motion.energies),
    ),
    /** Takes over what is its own of the changed controls. */
    change(changes: Partial<MoleculeState>): void {
      state = { ...state, ...changes };
      const has = (...keys: (keyof MoleculeState)[]): boolean => keys.some((key) => key in changes);
      if (!has(...OWN)) return;
      showState();
      if (has("molecule")) showSubject();
      if (has("rate", "rounds")) driver?.tune();
      if (has(...LIVE)) motion.tune();
    },
    restyle(theme: Theme): void {
      potential.restyle(theme);
      motion.restyle(theme);
    },
    destroy(): void {
      ended = true;
      potential.destroy();
      motion.destroy();
      connecting.then((session) => session.close());
    },
  };
}
