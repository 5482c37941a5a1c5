import type { Architecture, ImageShape, VggDepth } from "../models/index.ts";
import type { RunConfig } from "./config.ts";

/** The nets that learn from pictures, or signals as pictures of height 1. */
export const IMAGE_MODELS = [
  "vgg11",
  "vgg11_bn",
  "vgg13",
  "vgg13_bn",
  "vgg16",
  "vgg16_bn",
  "vgg19",
  "vgg19_bn",
  "lenet",
  "tinyvgg",
  "cnn1d",
] as const;

export const MODELS = ["mlp", "elemnet", "cgcnn", ...IMAGE_MODELS] as const;

export type ModelName = (typeof MODELS)[number];
export type ImageModel = (typeof IMAGE_MODELS)[number];
type Family = "mlp" | "elemnet" | "cgcnn" | "vgg" | "lenet" | "tinyvgg" | "cnn1d";

/** As a sentence lists them. */
export const MODEL_LIST =
  "mlp, elemnet, cgcnn, vgg11, vgg13, vgg16, vgg19 (with batch norm: vgg16_bn), lenet, tinyvgg and cnn1d";

/** Models that differ in depth alone have the same options. */
export const familyOf = (model: ModelName): Family => (model.startsWith("vgg") ? "vgg" : (model as Family));

/** Whether the model learns from images alone; an mlp may. */
export const needsImages = (model: ModelName): model is ImageModel => isImageModel(model);

export const isImageModel = (name: string): name is ImageModel => (IMAGE_MODELS as readonly string[]).includes(name);

const NAMES: Record<Family, string> = {
  mlp: "MLP",
  elemnet: "ElemNet",
  cgcnn: "CGCNN",
  vgg: "VGG",
  lenet: "LeNet",
  tinyvgg: "TinyVGG",
  cnn1d: "1-D CNN",
};

/** As papers write it: VGG16 with batch norm. */
export function titleOf(model: ModelName): string {
  const [, depth, norm] = /^vgg(\d+)(_bn)?$/.exec(model) ?? [];
  return depth ? `VGG${depth}${norm ? " with batch norm" : ""}` : NAMES[familyOf(model)];
}

/** What a model is trained with where the user says nothing: ElemNet's and the signals' net's are the authors'. */
export function defaultsOf(model: ModelName): Partial<RunConfig> {
  // Without batch norm as deep a net stands no higher rate; nor do weights that are learned already.
  return model.endsWith("_bn") ? { ...DEFAULTS.vgg, lr: 1e-3 } : DEFAULTS[familyOf(model)];
}

const DEFAULTS: Record<Family, Partial<RunConfig>> = {
  mlp: {
    epochs: 100,
    batchSize: 64,
    optimizer: "adamw",
    lr: 1e-3,
    weightDecay: 1e-4,
    schedule: "cosineAnnealing",
    hidden: [256, 256],
    activation: "silu",
    dropout: 0,
    norm: "none",
    residual: false,
  },
  elemnet: { features: "fractions", epochs: 200, batchSize: 32, optimizer: "adam", lr: 1e-4, schedule: "constant" },
  cgcnn: {
    radius: 8,
    maxNeighbours: 12,
    shells: "cut",
    pads: "mask",
    atomVectors: "cgcnn",
    atomFeaLen: 64,
    nConv: 3,
    hFeaLen: 128,
    nH: 1,
    epochs: 60,
    batchSize: 128,
    optimizer: "adamw",
    lr: 5e-3,
    weightDecay: 1e-4,
    schedule: "oneCycle",
  },
  vgg: {
    epochs: 30,
    batchSize: 64,
    optimizer: "adamw",
    lr: 1e-4,
    weightDecay: 5e-4,
    schedule: "oneCycle",
  },
  lenet: { epochs: 20, batchSize: 64, optimizer: "adam", lr: 1e-3, schedule: "cosineAnnealing" },
  tinyvgg: { epochs: 50, batchSize: 32, optimizer: "adam", lr: 1e-3, schedule: "cosineAnnealing" },
  cnn1d: { epochs: 200, batchSize: 100, optimizer: "adam", lr: 1e-2, schedule: "constant" },
};

const OF_IMAGES = ["imageSize", "channels", "fit", "gamma", "augment"];

/** What only some of the models have. */
const FIELDS_OF: Record<Family, readonly string[]> = {
  mlp: ["hidden", "activation", "dropout", "norm", "residual", "features", ...OF_IMAGES],
  elemnet: ["dropout", "features"],
  cgcnn: [
    "radius",
    "maxNeighbours",
    "shells",
    "pads",
    "atomVectors",
    "atomFeaLen",
    "nConv",
    "hFeaLen",
    "nH",
    "dropout",
  ],
  vgg: ["head", "dropout", ...OF_IMAGES],
  lenet: OF_IMAGES,
  tinyvgg: ["width", ...OF_IMAGES],
  cnn1d: ["dropout", ...OF_IMAGES],
};

/** The families that know a field, where not all do. */
export function ownersOf(field: string): readonly string[] | undefined {
  const owners = Object.entries(FIELDS_OF).flatMap(([family, fields]) => (fields.includes(field) ? [family] : []));
  return owners.length > 0 ? owners : undefined;
}

/** A net for images [C, H, W]. VGG's head is the one of its paper for images as large as the paper's, else a single layer. */
export function imageNet(
  model: ImageModel,
  { head, dropout, width }: Pick<RunConfig, "head" | "dropout" | "width">,
  inputs: ImageShape,
  outputs: number,
): Architecture {
  if (model === "lenet") return { model, inputs, outputs };
  if (model === "tinyvgg") return { model, inputs, outputs, width };
  if (model === "cnn1d") return { model, inputs, outputs, dropout };
  const [depth, norm] = model.replace("vgg", "").split("_");
  const small = Math.min(inputs[1], inputs[2]) < 224;
  return {
    ...{ model: "vgg", depth: Number(depth) as VggDepth, batchNorm: norm === "bn", inputs, outputs },
    ...{ head: head ?? (small ? "cifar" : "imagenet"), dropout },
  };
}
