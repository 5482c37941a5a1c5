import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Model } from "../nn/index.ts";
import { Cgcnn, type CgcnnOptions } from "./cgcnn.ts";
import { Cnn1d, type Cnn1dOptions } from "./cnn1d.ts";
import { ElemNet } from "./elemnet.ts";
import { LeNet5 } from "./leNet5.ts";
import { Mlp, type MlpOptions } from "./mlp.ts";
import { TinyVgg, type TinyVggOptions } from "./tinyVgg.ts";
import { type ImageShape, Vgg, type VggDepth, type VggOptions } from "./vgg.ts";

/** A model as plain data: what a model file says about itself. */
export type Architecture =
  | ({ model: "mlp"; sizes: readonly number[] } & MlpOptions)
  | { model: "elemnet"; inputs: number; outputs: number; dropout?: boolean }
  | ({ model: "cgcnn"; inputs: number; outputs: number } & CgcnnOptions)
  | ({ model: "vgg"; depth: VggDepth; inputs: ImageShape; outputs: number } & VggOptions)
  | ({ model: "tinyvgg"; inputs: ImageShape; outputs: number } & TinyVggOptions)
  | { model: "lenet"; inputs: ImageShape; outputs: number }
  | ({ model: "cnn1d"; inputs: ImageShape; outputs: number } & Cnn1dOptions);

/** Makes the model that an architecture describes, with fresh weights. */
export function buildModel(architecture: Architecture, rng: Rng): Model {
  switch (architecture.model) {
    case "mlp":
      return new Mlp(architecture.sizes, rng, architecture);
    case "elemnet":
      return new ElemNet(architecture.inputs, architecture.outputs, rng, architecture);
    case "cgcnn":
      return new Cgcnn(architecture.inputs, architecture.outputs, rng, architecture);
    case "vgg":
      return new Vgg(architecture.inputs, architecture.outputs, rng, architecture);
    case "tinyvgg":
      return new TinyVgg(architecture.inputs, architecture.outputs, rng, architecture);
    case "lenet":
      return new LeNet5(architecture.inputs, architecture.outputs, rng);
    case "cnn1d":
      return new Cnn1d(architecture.inputs, architecture.outputs, rng, architecture);
    default:
      throw new UserError(`There is no model "${(architecture as { model: string }).model}".`);
  }
}
