import { UserError } from "../../core/errors.ts";
import { image } from "../../data/image.ts";
import { microstructure } from "../../data/microstructures.ts";
import { layerTable, receptiveField } from "../../nn/index.ts";
import type { Control } from "../../worker/index.ts";
import { sameImages, sameNetwork, type TrainingConfig, type VisionState } from "./config.ts";
import { convolve } from "./convolution.ts";
import { type Curves, Learner } from "./learner.ts";
import { fitted, type LearningImages, learningImages, readPicture } from "./pictures.ts";
import { type Seen, see, type View } from "./seeing.ts";

/** A line of the table of layers. */
export interface LayerFacts {
  name: string;
  type: string;
  output: readonly number[];
  parameters: number;
  macs: number;
  /** Pixels on each side of what one number of it sees; of fully connected layers, all. */
  field?: number;
}

/** A validation image on show. */
export interface Specimen {
  row: number;
  id: string;
  label: number;
  pixels: Uint8Array;
}

/** What a training learns from, as the Worker took it over. */
export interface Scene {
  config: TrainingConfig;
  revision: number;
  counts: { train: number; validation: number; parameters: number; macs: number };
  layers: LayerFacts[];
  /** Bytes are multiplied by `scale`, then `offset` is added, before the network sees them. */
  norm: { scale: number; offset: number };
  specimens: Specimen[];
}

/** The training at one moment. */
export interface Picture {
  revision: number;
  epoch: number;
  /** Share of the present epoch that is done. */
  share: number;
  curves: Curves;
  confusion: number[][];
  /** Of the specimens [specimens, classes], at the end of the last epoch. */
  probabilities: Float32Array;
  /** The first layer's kernels [filters, 3, 3] and biases [filters]. */
  filters: { weight: Float32Array; bias: Float32Array };
  /** What the network says of the picture that is looked at. */
  seen?: Seen;
}

/** Validation images of each class that are shown. */
const SPECIMENS = 2;
/** Milliseconds between two pictures within an epoch. */
const PICTURE_EVERY = 250;
/** Milliseconds between two lines on how far the images are. */
const LINE_EVERY = 200;

let images: { config: TrainingConfig; made: LearningImages } | undefined;
let current: { learner: Learner; scene: Scene } | undefined;
let view: View | undefined;
let revision = 0;

function theCurrent(): NonNullable<typeof current> {
  if (!current) throw new UserError("There is no network yet.", "Press play to train one.");
  return current;
}

/** The images of a configuration: those there are, where they are the same. */
async function imagesFor(config: TrainingConfig, control: Control<string>): Promise<LearningImages> {
  if (images && sameImages(images.config, config)) return images.made;
  let said = performance.now();
  const made = await learningImages(config, (count, of) => {
    const now = performance.now();
    if (now - said > LINE_EVERY) {
      said = now;
      control.report(`Making images: ${count} of ${of} …`);
    }
    return control.proceed();
  });
  if (!made) throw new UserError("The making of the images was stopped.");
  images = { config, made };
  return made;
}

function sceneOf(learner: Learner, config: TrainingConfig, { train, validation }: LearningImages): Scene {
  const inputs = learner.featuriser.shape;
  const { rows, total } = layerTable(learner.model, inputs);
  const fields = new Map(receptiveField(learner.model, inputs).map(({ name, size }) => [name, size[0]]));
  const { mean, std } = learner.featuriser.spec;
  const shown = Math.min(validation.length, SPECIMENS * config.classes.length);
  return {
    ...{ config, revision: ++revision },
    counts: {
      ...{ train: train.length, validation: validation.length },
      ...{ parameters: total.parameters, macs: total.macs },
    },
    layers: rows.map((row) => ({ ...row, field: fields.get(row.name) })),
    norm: { scale: 1 / (255 * std[0]), offset: -mean[0] / std[0] },
    specimens: Array.from({ length: shown }, (_, row) => ({
      ...{ row, id: validation.ids[row], label: validation.targets!.values[row] },
      pixels: validation.images![row].data as Uint8Array,
    })),
  };
}

function picture(): Picture {
  const { learner, scene } = theCurrent();
  const { weight, bias } = learner.model.conv_1_1;
  const fits = view?.size === scene.config.size;
  const { length } = scene.config.classes;
  const explained = view && view.classIndex !== undefined && view.classIndex < length ? view.classIndex : undefined;
  return {
    ...{ revision: scene.revision, epoch: learner.epoch, share: learner.step / learner.steps },
    ...{ curves: learner.curves, confusion: learner.confusion },
    probabilities: learner.probabilities.slice(0, scene.specimens.length * length),
    filters: { weight: weight.toArray(), bias: bias!.toArray() },
    ...(fits ? { seen: see(learner, { ...view!, classIndex: explained }) } : {}),
  };
}

/** What the page may ask of the Worker. */
export const functions = {
  /** A generated picture: bytes [size, size]. */
  generate: ({ picture, pictureSeed, size }: Pick<VisionState, "picture" | "pictureSeed" | "size">): Uint8Array =>
    microstructure(picture, { size, seed: pictureSeed }).data,

  /** A file's picture, grey and fitted: bytes [size, size]. */
  read: ({ file, size }: { file: File; size: number }): Promise<Uint8Array> => readPicture(file, size),

  /** A square picture in another size. */
  resize: ({ pixels, from, to }: { pixels: Uint8Array; from: number; to: number }): Uint8Array =>
    fitted(image(from, from, 1, pixels), to),

  convolve,

  /** The picture that is looked at from now on: pictures of the training show what the network says of it. */
  watch(wanted: View): void {
    view = wanted;
  },

  /**
   * Makes the network of the controls, and its images where they are new, if there is none or a `fresh` one is wanted, or if the
   * present one has learned nothing yet; else only what may change in training is taken over.
   */
  async prepare(
    { config, fresh }: { config: TrainingConfig; fresh: boolean },
    control: Control<string>,
  ): Promise<{ scene: Scene; picture: Picture }> {
    const begun = current && (current.learner.epoch > 0 || current.learner.step > 0);
    if (current && !fresh && (begun || sameNetwork(current.scene.config, config))) {
      const { learningRate, epochs } = config;
      const tuned = { ...current.scene.config, learningRate, epochs };
      current.learner.tune(tuned);
      current.scene = { ...current.scene, config: tuned };
    } else {
      const made = await imagesFor(config, control);
      const learner = new Learner(made, config);
      current?.learner.dispose();
      current = { learner, scene: sceneOf(learner, config, made) };
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
    let drawn = 0;
    while ((await control.proceed()) && !theCurrent().learner.done) {
      const ended = theCurrent().learner.advance();
      const now = performance.now();
      if (control.ready && (ended || now - drawn > PICTURE_EVERY)) {
        control.report(picture());
        drawn = now;
      }
    }
    return picture();
  },

  /** The model as a file. */
  save: (): Uint8Array[] => Array.from(theCurrent().learner.predictor().toSafetensors(), (p) => p.slice()),
};
