import { UserError } from "../../core/errors.ts";
import { ionicCrystals } from "../../data/ionicCrystals.ts";
import type { Structure } from "../../data/structure.ts";
import { Table } from "../../data/table.ts";
import { type Architecture, buildModel, CGCNN_BASIS } from "../../models/index.ts";
import { stateDict } from "../../nn/index.ts";
import type { GaussianBasis } from "../../ops/index.ts";
import { Predictor } from "../../train/predictor.ts";
import type { Control } from "../../worker/index.ts";
import { type GraphSettings, sameNetwork, type TrainingConfig } from "./config.ts";
import { gallery } from "./gallery.ts";
import { type Prediction, predictAll } from "./predictions.ts";
import { type GivenFile, type Problem, readFiles } from "./reading.ts";
import { type Curve, type LearningData, Regressor } from "./regressor.ts";
import { type CrystalView, viewOf } from "./view.ts";

/** A structure that the page may ask for by its key. */
export interface Entry {
  key: string;
  name: string;
  formula: string;
  atoms: number;
}

/** What a training learns from, as the Worker took it over. */
export interface Scene {
  config: TrainingConfig;
  revision: number;
  target: LearningData["target"];
  counts: { train: number; validation: number; edges: number; isolated: number; parameters: number };
  meanMae: number;
  /** The validation rows. */
  validation: { entries: Entry[]; target: Float64Array };
  left: Problem[];
}

/** The training at one moment. */
export interface Picture {
  revision: number;
  epoch: number;
  done: boolean;
  curves: Curve;
  /** Of the validation rows. */
  predicted: Float32Array;
  /** What the network says of the structure that is looked at. */
  shown?: Prediction & { key: string };
}

/** The columns of numbers that files brought with their structures. */
export interface OwnData {
  file: string;
  rows: number;
  columns: readonly string[];
}

const prototypes = gallery();
const structures = new Map<string, { name: string; structure: Structure }>(
  prototypes.map(({ name, title, structure }) => [`gallery:${name}`, { name: title, structure }]),
);
/** Keys of the structures that were given as files. */
let given: string[] = [];
let own: Table | undefined;
let embedded: Table | undefined;
let current: { regressor: Regressor; scene: Scene } | undefined;
let loaded: Predictor | undefined;
let shown: string | undefined;
let revision = 0;

const entryOf = (key: string): Entry => {
  const { name, structure } = structures.get(key)!;
  return { key, name, formula: structure.formula, atoms: structure.length };
};

function theCurrent(): NonNullable<typeof current> {
  if (!current) throw new UserError("There is no network yet.", "Press play to train one, or load a model file.");
  return current;
}

/** Rows to learn from, of the embedded crystals or of the page's files. */
function learningData({ data, column, crystals }: TrainingConfig): LearningData {
  if (data === "embedded") {
    // The first rows are the same for every count.
    if (!embedded || embedded.length < crystals) embedded = ionicCrystals({ count: crystals });
    const rows = Int32Array.from({ length: crystals }, (_, i) => i);
    return { table: embedded.rows(rows), target: { name: "energy_per_atom", unit: "eV/atom" } };
  }
  if (!own)
    throw new UserError(
      "The files that were given hold no numbers to learn.",
      "Give the structure files together with id_prop.csv: a line id,value for each of them, without a header.",
    );
  const { names, values } = own.numeric;
  const at = names.indexOf(column ?? names[0]);
  if (at < 0) throw new UserError(`${own.file} has no column "${column}".`, `There are ${names.join(", ")}.`);
  const target = Float64Array.from({ length: own.length }, (_, row) => values[row * names.length + at]);
  const table = new Table({
    ...own,
    numeric: { names: [], values: new Float64Array(0) },
    targets: { names: [names[at]], values: target },
  });
  return { table, target: { name: names[at] } };
}

function sceneOf(regressor: Regressor, config: TrainingConfig): Scene {
  const { train, validation, edges, isolated, parameters, meanMae, target, left } = regressor;
  revision++;
  // The one that is looked at stays.
  for (const key of structures.keys()) if (key.startsWith("row:") && key !== shown) structures.delete(key);
  const entries = validation.ids.map((name, i) => {
    const key = `row:${revision}:${i}`;
    structures.set(key, { name, structure: validation.structures![i] });
    return entryOf(key);
  });
  const counts = { train: train.length, validation: validation.length, edges, isolated, parameters };
  const held = { entries, target: validation.targets!.values };
  return { config, revision, target, counts, meanMae, validation: held, left };
}

function picture(): Picture {
  const { regressor, scene } = theCurrent();
  const found = shown === undefined ? undefined : structures.get(shown);
  return {
    revision: scene.revision,
    epoch: regressor.epoch,
    done: regressor.done,
    curves: regressor.curves,
    predicted: regressor.predicted,
    ...(found ? { shown: { key: shown!, ...predictAll(regressor.predictor(), [found])[0] } } : {}),
  };
}

const release = (predictor: Predictor | undefined): void => {
  if (predictor) for (const t of stateDict(predictor.model).values()) t.dispose();
};

/** What the page may ask of the Worker. */
export const functions = {
  /** What there is before anything is asked for: crystals, and the Gaussians by which networks see distances. */
  scenery: (): { gallery: Entry[]; basis: GaussianBasis } => ({
    gallery: prototypes.map(({ name }) => entryOf(`gallery:${name}`)),
    basis: CGCNN_BASIS,
  }),

  /** Adds the structures of files. Their numbers, if they have any, take the place of earlier ones. */
  async read(files: readonly GivenFile[]): Promise<{ entries: Entry[]; problems: Problem[]; data?: OwnData }> {
    const { structures: found, problems, data } = await readFiles(files);
    const keys = found.map((each, i) => {
      const key = `file:${given.length + i}`;
      structures.set(key, each);
      return key;
    });
    given.push(...keys);
    if (data) own = data;
    const facts = data && { file: data.file, rows: data.length, columns: data.numeric.names };
    return { entries: keys.map(entryOf), problems, data: facts };
  },

  /** Forgets all files. */
  clear(): void {
    for (const key of given) structures.delete(key);
    given = [];
    own = undefined;
  },

  /** A structure with its neighbours; it is the one whose prediction pictures show. */
  view({ key, settings }: { key: string; settings: GraphSettings }): CrystalView {
    shown = key;
    return viewOf(structures.get(key)!.structure, settings);
  },

  /**
   * Makes the network of the controls, where there is none or a `fresh` one is wanted, or where the present one has learned nothing
   * yet; else only what may change in training is taken over.
   */
  prepare({ config, fresh }: { config: TrainingConfig; fresh: boolean }): { scene: Scene; picture: Picture } {
    if (current && !fresh && (current.regressor.epoch > 0 || sameNetwork(current.scene.config, config))) {
      const { learningRate, epochs } = config;
      const tuned = { ...current.scene.config, learningRate, epochs };
      current.regressor.tune(tuned);
      current.scene = { ...current.scene, config: tuned };
    } else {
      const regressor = new Regressor(learningData(config), config);
      current?.regressor.dispose();
      current = { regressor, scene: sceneOf(regressor, config) };
    }
    return { scene: current.scene, picture: picture() };
  },

  look: (): Picture => picture(),

  /** To the end of an epoch. */
  async step(_: undefined, control: Control): Promise<Picture> {
    while (!theCurrent().regressor.done && !theCurrent().regressor.advance() && (await control.proceed()));
    return picture();
  },

  /** To the end of the last epoch, or until stopped. */
  async train(_: undefined, control: Control<Picture>): Promise<Picture> {
    while ((await control.proceed()) && !theCurrent().regressor.done) {
      const ended = theCurrent().regressor.advance();
      if (ended && control.ready) control.report(picture());
    }
    return picture();
  },

  /** The model as a file. */
  save: (): Uint8Array[] => Array.from(theCurrent().regressor.predictor().toSafetensors(), (p) => p.slice()),

  async load(file: File): Promise<{ target: LearningData["target"]; notes: Record<string, string | number> }> {
    const predictor = await Predictor.load<Architecture>(file, buildModel);
    if (predictor.task.outputs !== 1) {
      release(predictor);
      throw new UserError(
        `${file.name} is a model of classes or of several numbers.`,
        "The lab shows predictions of one number; use spinel predict for this one.",
      );
    }
    release(loaded);
    loaded = predictor;
    return { target: predictor.card.target, notes: predictor.card.notes };
  },

  /** Predictions for the files, or for the gallery while there are none. */
  predict({ use }: { use: "trained" | "loaded" }): {
    target: LearningData["target"];
    rows: Prediction[];
    /** Of the network trained here. */
    epoch?: number;
  } {
    const predictor = use === "loaded" && loaded ? loaded : theCurrent().regressor.predictor();
    const keys = given.length > 0 ? given : prototypes.map(({ name }) => `gallery:${name}`);
    const wanted = keys.map((key) => structures.get(key)!);
    return {
      target: predictor.card.target,
      rows: predictAll(predictor, wanted),
      epoch: current?.regressor.epoch,
    };
  },
};
