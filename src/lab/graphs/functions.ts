import { UserError } from "../../core/errors.ts";
import type { Control } from "../../worker/index.ts";
import { sameNetwork, type TrainingConfig } from "./config.ts";
import type { Drawing } from "./drawing.ts";
import { layout } from "./layout.ts";
import { type Cloud, type Curves, Learner } from "./learner.ts";
import { pass, pool } from "./passing.ts";

/** What a training learns from, as the Worker took it over. */
export interface Scene {
  config: TrainingConfig;
  revision: number;
  counts: { train: number; validation: number; parameters: number };
  /** Of the validation molecules. */
  labels: number[];
}

/** The training at one moment. */
export interface Picture {
  revision: number;
  epoch: number;
  curves: Curves;
  cloud: Cloud;
  /** The share of the second class for the graph that is looked at; none where it has no nodes. */
  seen?: number;
}

let current: { learner: Learner; scene: Scene } | undefined;
let looked: Drawing | undefined;
let revision = 0;

function theCurrent(): NonNullable<typeof current> {
  if (!current) throw new UserError("There is no network yet.", "Press play to train one.");
  return current;
}

function sceneOf({ train, validation, parameters }: Learner, config: TrainingConfig): Scene {
  return {
    ...{ config, revision: ++revision },
    counts: { train: train.length, validation: validation.length, parameters },
    labels: validation.map(({ label }) => label),
  };
}

function picture(): Picture {
  const { learner, scene } = theCurrent();
  const { epoch, curves, clouds } = learner;
  const nodes = looked?.nodes ?? [];
  const molecule = { symbols: nodes.map(({ symbol }) => symbol), edges: looked?.edges ?? [] };
  const seen = nodes.length > 0 ? { seen: learner.predict(molecule) } : {};
  return { revision: scene.revision, epoch, curves, cloud: clouds.at(-1)!, ...seen };
}

/** What the page may ask of the Worker. */
export const functions = {
  pass,
  pool,

  /** The graph that is looked at from now on: pictures of the training show what the network says of it. */
  watch(drawing: Drawing): void {
    looked = drawing;
  },

  /**
   * Makes the network of the controls, and its molecules, if there is none or a `fresh` one is wanted, or if the present one has
   * learned nothing yet; else only what may change in training is taken over.
   */
  prepare({ config, fresh }: { config: TrainingConfig; fresh: boolean }): { scene: Scene; picture: Picture } {
    if (current && !fresh && (current.learner.begun || sameNetwork(current.scene.config, config))) {
      const { learningRate, epochs } = config;
      const tuned = { ...current.scene.config, learningRate, epochs };
      current.learner.tune(tuned);
      current.scene = { ...current.scene, config: tuned };
    } else {
      const learner = new Learner(config);
      current?.learner.dispose();
      current = { learner, scene: sceneOf(learner, config) };
    }
    return { scene: theCurrent().scene, picture: picture() };
  },

  look: (): Picture => picture(),

  /** To the end of an epoch. */
  async step(_: undefined, control: Control): Promise<Picture> {
    while (!theCurrent().learner.done && !theCurrent().learner.advance() && (await control.proceed()));
    return picture();
  },

  /** To the end of the last epoch, or until stopped. */
  async train(_: undefined, control: Control<Picture>): Promise<Picture> {
    while ((await control.proceed()) && !theCurrent().learner.done) {
      const ended = theCurrent().learner.advance();
      if (ended && control.ready) control.report(picture());
    }
    return picture();
  },

  /** How an earlier network saw the validation molecules. */
  replay({ epoch }: { epoch: number }): Cloud {
    const { clouds } = theCurrent().learner;
    return clouds[Math.min(epoch, clouds.length - 1)];
  },

  /** A validation molecule, laid out to be drawn; its nodes count 1, 2 and 3 for C, N and O. */
  pick({ row }: { row: number }): Drawing {
    const { symbols, edges } = theCurrent().learner.validation[row];
    const places = layout(symbols.length, edges);
    return {
      nodes: symbols.map((symbol, i) => ({ symbol, value: 1 + ["C", "N", "O"].indexOf(symbol), ...places[i] })),
      edges,
    };
  },
};
