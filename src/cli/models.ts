import { type Architecture, CGCNN_BASIS, type ImageShape, type VggDepth } from "../models/index.ts";
import type { RunConfig } from "./config.ts";
import { NODE_DEFAULTS, NODE_FIELDS, NODE_MODELS, NODE_NAMES, type NodeModel } from "./nodeModels.ts";

export { needsNodes } from "./nodeModels.ts";

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

/** The nets that learn from crystals and molecules alone. */
export const STRUCTURE_MODELS = ["cgcnn", "schnet", "painn", "egnn", "pointnet", "megnet", "alignn", "mpnn"] as const;

/** Those of them whose energies can be differentiated by the atoms' positions. */
export const POTENTIAL_MODELS: readonly string[] = ["schnet", "painn", "egnn"];

export const MODELS = [
  "mlp",
  "elemnet",
  "crabnet",
  "gnn",
  ...STRUCTURE_MODELS,
  ...NODE_MODELS,
  ...IMAGE_MODELS,
] as const;

export type ModelName = (typeof MODELS)[number];
export type ImageModel = (typeof IMAGE_MODELS)[number];
export type StructureModel = (typeof STRUCTURE_MODELS)[number];
type Family =
  | "mlp"
  | "elemnet"
  | "crabnet"
  | "gnn"
  | StructureModel
  | NodeModel
  | "vgg"
  | "lenet"
  | "tinyvgg"
  | "cnn1d";

/** As a sentence lists them. */
export const MODEL_LIST =
  "mlp, elemnet, crabnet, cgcnn, schnet, painn, egnn, pointnet, megnet, alignn, mpnn, gnn, gcn, gat, sage, gin, vgg11, vgg13, vgg16, vgg19 (with batch norm: vgg16_bn), lenet, tinyvgg and cnn1d";

/** Models that differ in depth alone have the same options. */
export const familyOf = (model: ModelName): Family => (model.startsWith("vgg") ? "vgg" : (model as Family));

/** Whether the model learns from crystals or molecules alone. */
export const needsStructures = (model: ModelName): model is StructureModel =>
  (STRUCTURE_MODELS as readonly string[]).includes(model);

/** Whether the model learns from images alone; an mlp may. */
export const needsImages = (model: ModelName): model is ImageModel => isImageModel(model);

export const isImageModel = (name: string): name is ImageModel => (IMAGE_MODELS as readonly string[]).includes(name);

const NAMES: Record<Family, string> = {
  mlp: "MLP",
  elemnet: "ElemNet",
  crabnet: "CrabNet",
  cgcnn: "CGCNN",
  schnet: "SchNet",
  painn: "PaiNN",
  egnn: "EGNN",
  pointnet: "PointNet",
  gnn: "GNN",
  megnet: "MEGNet",
  alignn: "ALIGNN",
  mpnn: "MPNN",
  ...NODE_NAMES,
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
export function defaultsOf(model: ModelName, { potential = false, motion = false } = {}): Partial<RunConfig> {
  if (motion && model === "egnn") return OF_MOTION;
  if (potential) {
    const known = ([field]: [string, unknown]): boolean => ownersOf(field)?.includes(familyOf(model)) ?? true;
    return { ...defaultsOf(model), ...Object.fromEntries(Object.entries(OF_A_POTENTIAL).filter(known)) };
  }
  // Without batch norm as deep a net stands no higher rate; nor do weights that are learned already.
  return model.endsWith("_bn") ? { ...DEFAULTS.vgg, lr: 1e-3 } : DEFAULTS[familyOf(model)];
}

/** What suits nets of atoms as vectors. */
const OF_ATOMS = {
  epochs: 100,
  batchSize: 32,
  optimizer: "adamw",
  lr: 2e-3,
  weightDecay: 1e-3,
  schedule: "oneCycle",
  ema: 0.998,
} as const;

/** Of nets that say where particles will be. */
const OF_MOTION: Partial<RunConfig> = {
  nAtomBasis: 64,
  nInteractions: 4,
  epochs: 150,
  batchSize: 100,
  optimizer: "adamw",
  lr: 2e-3,
  weightDecay: 0.1,
  schedule: "oneCycle",
  ema: 0.999,
};

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
  crabnet: {
    elementVectors: "descriptors",
    epochs: 40,
    batchSize: 128,
    optimizer: "adamw",
    lr: 5e-4,
    weightDecay: 1e-2,
    schedule: "oneCycle",
    clipNorm: 5,
    ema: 0.99,
    // A checkpoint of 12 million weights is a quarter of a gigabyte.
    checkpointSeconds: 60,
  },
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
  schnet: {
    radius: 5,
    shells: "whole",
    nAtomBasis: 128,
    nInteractions: 3,
    nRbf: 25,
    readout: "pooled",
    ...OF_ATOMS,
  },
  painn: {
    radius: 5,
    shells: "whole",
    nAtomBasis: 128,
    nInteractions: 3,
    nRbf: 20,
    readout: "mean",
    ...OF_ATOMS,
  },
  egnn: { radius: 5, shells: "whole", nAtomBasis: 128, nInteractions: 4, readout: "mean", ...OF_ATOMS },
  pointnet: {
    points: 128,
    augment: "up",
    featureTransform: false,
    epochs: 30,
    batchSize: 32,
    optimizer: "adamw",
    lr: 1e-3,
    weightDecay: 1e-4,
    schedule: "oneCycle",
  },
  gnn: OF_MOTION,
  alignn: {
    radius: 8,
    maxNeighbours: 12,
    atomVectors: "cgcnn",
    alignnLayers: 4,
    gcnLayers: 4,
    hiddenFeatures: 256,
    epochs: 100,
    batchSize: 32,
    optimizer: "adamw",
    lr: 1e-3,
    weightDecay: 1e-5,
    schedule: "oneCycle",
  },
  mpnn: {
    radius: 5,
    shells: "whole",
    embedding: 32,
    nBlocks: 3,
    nRbf: 25,
    ...OF_ATOMS,
  },
  megnet: {
    radius: 5,
    shells: "whole",
    embedding: 64,
    nBlocks: 3,
    nRbf: 25,
    ...OF_ATOMS,
  },
  ...NODE_DEFAULTS,
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

/** Energies are sums over atoms, and forces want many steps at a rate that falls to nothing. */
const OF_A_POTENTIAL: Partial<RunConfig> = {
  readout: "sum",
  nRbf: 20,
  loss: "mse",
  epochs: 300,
  batchSize: 10,
  optimizer: "adam",
  lr: 1e-3,
  weightDecay: 0,
  schedule: "oneCycle",
  ema: 0.999,
};

const OF_POTENTIALS = ["energy", "forces", "stress", "references", "energyWeight", "forcesWeight", "stressWeight"];

const OF_IMAGES = ["imageSize", "channels", "fit", "gamma", "augment"];

/** What only some of the models have. */
const FIELDS_OF: Record<Family, readonly string[]> = {
  mlp: ["hidden", "activation", "dropout", "norm", "residual", "features", ...OF_IMAGES],
  elemnet: ["dropout", "features"],
  crabnet: ["elementVectors", "dropUnary", "width", "hidden", "dropout"],
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
  schnet: ["radius", "maxNeighbours", "shells", "nAtomBasis", "nInteractions", "nRbf", "readout", ...OF_POTENTIALS],
  painn: ["radius", "maxNeighbours", "shells", "nAtomBasis", "nInteractions", "nRbf", "readout", ...OF_POTENTIALS],
  egnn: ["radius", "maxNeighbours", "shells", "nAtomBasis", "nInteractions", "readout", ...OF_POTENTIALS],
  pointnet: ["points", "augment", "featureTransform", "dropout"],
  gnn: ["nAtomBasis", "nInteractions"],
  alignn: ["radius", "maxNeighbours", "atomVectors", "alignnLayers", "gcnLayers", "hiddenFeatures"],
  mpnn: ["radius", "maxNeighbours", "shells", "embedding", "nBlocks", "nRbf"],
  megnet: ["radius", "maxNeighbours", "shells", "embedding", "nBlocks", "nRbf", "dropout"],
  ...NODE_FIELDS,
  vgg: ["head", "dropout", ...OF_IMAGES],
  lenet: OF_IMAGES,
  tinyvgg: ["width", ...OF_IMAGES],
  cnn1d: ["dropout", ...OF_IMAGES],
};

/** Of what only some models have, what is about the training and not about the network and what it sees. */
const OF_TRAINING: readonly string[] = ["augment", "dropUnary", "readout", ...OF_POTENTIALS];

/** Whether a run that starts from another's model has this field from there. */
export const comesWithModel = (field: string): boolean => ownersOf(field) !== undefined && !OF_TRAINING.includes(field);

/** Defaults of a run that starts from another's model: what is learned already shall not be washed away by large steps. */
export function finetuneDefaults(model: ModelName, options: Parameters<typeof defaultsOf>[1]): Partial<RunConfig> {
  const own = Object.entries(defaultsOf(model, options)).filter(([field]) => ownersOf(field) === undefined);
  const { lr = 1e-3, ...rest } = Object.fromEntries(own) as Partial<RunConfig>;
  return { ...rest, lr: Number((lr / 5).toPrecision(6)) };
}

/** The families that know a field, where not all do. */
export function ownersOf(field: string): readonly string[] | undefined {
  const owners = Object.entries(FIELDS_OF).flatMap(([family, fields]) => (fields.includes(field) ? [family] : []));
  return owners.length > 0 ? owners : undefined;
}

/** A net for structures whose atoms' vectors have `inputs` numbers, or that learns vectors of the elements itself. */
export function structureNet(model: StructureModel, config: RunConfig, inputs: number, outputs: number): Architecture {
  const { atomFeaLen, nConv, hFeaLen, nH, dropout, radius, nAtomBasis, nInteractions, nRbf, readout } = config;
  const atoms = { outputs, cutoff: radius };
  if (model === "schnet") return { model, ...atoms, nAtomBasis, nInteractions, nRbf, readout };
  const added = readout === "pooled" ? undefined : readout;
  if (model === "painn") return { model, ...atoms, nAtomBasis, nInteractions, nRbf, readout: added };
  if (model === "egnn") return { model, ...atoms, hidden: nAtomBasis, layers: nInteractions, readout: added };
  if (model === "pointnet") return { model, outputs, featureTransform: config.featureTransform, dropout };
  if (model === "mpnn") return mpnnOf(config, outputs);
  if (model === "megnet") return megnetOf(config, outputs);
  if (model === "alignn") {
    const { alignnLayers, gcnLayers, hiddenFeatures } = config;
    return { model, inputs, outputs, alignnLayers, gcnLayers, hiddenFeatures };
  }
  // The authors' classifier drops half of the crystal's vector.
  const rate = dropout ?? (outputs > 1 && config.loss !== "robustL1" ? 0.5 : 0);
  return { model, inputs, outputs, atomFeaLen, nConv, hFeaLen, nH, basis: CGCNN_BASIS, dropout: rate };
}

/** MPNN with Gaussians as wide as two steps and an edge network twice as wide as its atoms. */
function mpnnOf({ radius = 5, embedding: dim = 32, nBlocks: steps, nRbf: count = 25 }: RunConfig, outputs: number) {
  const step = radius / count;
  const basis = { start: 0, step, count, gamma: 1 / (8 * step ** 2) };
  return { model: "mpnn" as const, outputs, dim, hidden: 2 * dim, steps, basis };
}

/** MEGNet as kgcnn trains it on Matbench: narrower last layers, a Set2Set that keeps its state, Gaussians as wide as two steps. */
function megnetOf({ radius = 5, embedding, nBlocks: blocks, nRbf: count = 25, dropout }: RunConfig, outputs: number) {
  const step = radius / count;
  return {
    ...{ model: "megnet" as const, outputs, elements: 119, embedding, state: 1, blocks, conv: [64, 32, 32], dropout },
    basis: { start: 0, step, count, gamma: 1 / (8 * step ** 2) },
    set2set: { hidden: 16, steps: 3, cellState: "kept" as const },
  };
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
