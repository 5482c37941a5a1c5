import type { EnergyModel } from "../../atoms/index.ts";
import { UserError } from "../../core/errors.ts";
import type { DatasetRows } from "../../data/dataset.ts";
import type { Control } from "../../worker/index.ts";
import { type PotentialConfig, type SimulationConfig, samePotential } from "./config.ts";
import { type Curves, frozen, PotentialLearner } from "./learner.ts";
import { MOLECULES, type MoleculeName } from "./molecules.ts";
import { referenceFrames, rested } from "./reference.ts";
import { type Frame, Simulation } from "./simulation.ts";

/** What a training learns from, as the Worker took it over. */
export interface Scene {
  config: PotentialConfig;
  revision: number;
  counts: { train: number; validation: number; parameters: number };
  /** The error of no network at all, meV/Å. */
  meanForce: number;
}

/** The training at one moment. */
export interface Picture {
  revision: number;
  epoch: number;
  curves: Curves;
}

/** What moves: drawn before anything is simulated. */
export interface Subject {
  numbers: number[];
  bonds: (readonly [number, number])[];
  positions: Float64Array;
}

let current: { learner: PotentialLearner; scene: Scene } | undefined;
let frames: { config: PotentialConfig; train: DatasetRows; validation: DatasetRows } | undefined;
let simulation: { running: Simulation; end(): void } | undefined;
let revision = 0;

function theCurrent(): NonNullable<typeof current> {
  if (!current) throw new UserError("There is no potential yet.", "Press play to train one.");
  return current;
}

function theSimulation(): Simulation {
  if (!simulation) throw new UserError("Nothing is simulated yet.", "Press start.");
  return simulation.running;
}

/** The frames of a configuration: those there are, where they are the same. */
async function framesFor(config: PotentialConfig, control: Control<string>): Promise<NonNullable<typeof frames>> {
  const keys = ["molecule", "frames", "potentialSeed"] as const;
  if (frames && keys.every((key) => frames!.config[key] === config[key])) return frames;
  const { molecule, frames: count, potentialSeed: seed } = config;
  const of = async (count: number, seed: number): Promise<DatasetRows> => {
    const made = await referenceFrames(molecule, { count, seed }, () => control.proceed());
    if (!made) throw new UserError("The making of the frames was stopped.");
    return made;
  };
  // Of different trajectories: neighbouring frames are too much alike for a test.
  frames = { config, train: await of(count, 2 * seed), validation: await of(count / 4, 2 * seed + 1) };
  return frames;
}

function picture(): Picture {
  const { learner, scene } = theCurrent();
  return { revision: scene.revision, epoch: learner.epoch, curves: learner.curves };
}

/** What the page may ask of the Worker. */
export const functions = {
  /** A molecule at rest. */
  subject({ molecule }: { molecule: MoleculeName }): Subject {
    const { numbers, bonds } = MOLECULES[molecule];
    return { numbers: [...numbers], bonds: [...bonds], positions: rested(molecule).structure.positions.slice() };
  },

  /**
   * Makes the network of the controls, and its frames where they are new, if there is none or a `fresh` one is wanted, or if the
   * present one has learned nothing yet; else only what may change in training is taken over.
   */
  async prepare(
    { config, fresh }: { config: PotentialConfig; fresh: boolean },
    control: Control<string>,
  ): Promise<{ scene: Scene; picture: Picture }> {
    if (current && !fresh && (current.learner.begun || samePotential(current.scene.config, config))) {
      const { rate, rounds } = config;
      const tuned = { ...current.scene.config, rate, rounds };
      current.learner.tune(tuned);
      current.scene = { ...current.scene, config: tuned };
    } else {
      const { train, validation } = await framesFor(config, control);
      const learner = new PotentialLearner({ train, validation }, config);
      current?.learner.dispose();
      const { parameters, meanForce } = learner;
      const counts = { train: train.length, validation: validation.length, parameters };
      current = { learner, scene: { config, revision: ++revision, counts, meanForce } };
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

  /** The potential as a file, as `spinel md` and `spinel relax` take it. */
  save: (): Uint8Array[] => Array.from(theCurrent().learner.predictor().toSafetensors(), (p) => p.slice()),

  /** Begins a simulation, from rest, with the potential as it is now. */
  start(config: SimulationConfig): { frame: Frame; source: string } {
    const { structure, reference } = rested(config.molecule);
    let forces: { evaluate: EnergyModel; end(): void } = { evaluate: reference, end: () => {} };
    let source = "reference forces";
    if (config.forces === "network") {
      const { learner, scene } = theCurrent();
      if (scene.config.molecule !== config.molecule)
        throw new UserError(
          `The network has learned ${scene.config.molecule}, not ${config.molecule}.`,
          "Reset the training for a network of this molecule, or simulate with the reference's forces.",
        );
      forces = frozen(learner);
      source = `the network's forces, epoch ${learner.epoch}`;
    }
    const running = new Simulation(structure, forces.evaluate, config);
    simulation?.end();
    simulation = { running, end: forces.end };
    return { frame: running.frame, source };
  },

  /** Temperature, heat bath and time step from now on. */
  tune(config: SimulationConfig): void {
    simulation?.running.tune(config);
  },

  /** So many time steps. */
  async move({ steps }: { steps: number }, control: Control): Promise<Frame> {
    const running = theSimulation();
    for (let step = 0; step < steps && simulation?.running === running && (await control.proceed()); step++)
      running.advance();
    return running.frame;
  },
};
