import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Model } from "../nn/index.ts";
import { Cgcnn, type CgcnnOptions } from "./cgcnn.ts";
import { ElemNet } from "./elemnet.ts";
import { Mlp, type MlpOptions } from "./mlp.ts";

/** A model as plain data: what a model file says about itself. */
export type Architecture =
  | ({ model: "mlp"; sizes: readonly number[] } & MlpOptions)
  | { model: "elemnet"; inputs: number; outputs: number; dropout?: boolean }
  | ({ model: "cgcnn"; inputs: number; outputs: number } & CgcnnOptions);

/** Makes the model that an architecture describes, with fresh weights. */
export function buildModel(architecture: Architecture, rng: Rng): Model {
  switch (architecture.model) {
    case "mlp":
      return new Mlp(architecture.sizes, rng, architecture);
    case "elemnet":
      return new ElemNet(architecture.inputs, architecture.outputs, rng, architecture);
    case "cgcnn":
      return new Cgcnn(architecture.inputs, architecture.outputs, rng, architecture);
    default:
      throw new UserError(`There is no model "${(architecture as { model: string }).model}".`);
  }
}
