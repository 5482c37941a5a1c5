import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Model } from "../nn/index.ts";
import { Alignn, type AlignnOptions } from "./alignn.ts";
import { Cgcnn, type CgcnnOptions } from "./cgcnn.ts";
import { Cnn1d, type Cnn1dOptions } from "./cnn1d.ts";
import { CrabNet, type CrabNetOptions } from "./crabnet.ts";
import { Egnn, type EgnnOptions } from "./egnn.ts";
import { ElemNet } from "./elemnet.ts";
import { Gcn, type GcnOptions } from "./gcn.ts";
import { LeNet5 } from "./leNet5.ts";
import { Megnet, type MegnetOptions } from "./megnet.ts";
import { Mlp, type MlpOptions } from "./mlp.ts";
import { Mpnn, type MpnnOptions } from "./mpnn.ts";
import { EgnnVel, NBodyGnn, type NBodyNetOptions } from "./nbody.ts";
import { NodeNet, type NodeNetKind, type NodeNetOptions } from "./nodeNet.ts";
import { PaiNN, type PaiNNOptions } from "./painn.ts";
import { PointNet, type PointNetOptions } from "./pointNet.ts";
import { Roost, type RoostOptions } from "./roost.ts";
import { SchNet, type SchNetOptions } from "./schnet.ts";
import { TinyVgg, type TinyVggOptions } from "./tinyVgg.ts";
import { type ImageShape, Vgg, type VggDepth, type VggOptions } from "./vgg.ts";

/** A model as plain data: what a model file says about itself. */
export type Architecture =
  | ({ model: "mlp"; sizes: readonly number[] } & MlpOptions)
  | { model: "elemnet"; inputs: number; outputs: number; dropout?: boolean }
  | ({ model: "roost"; inputs: number; outputs: number } & RoostOptions)
  | ({ model: "crabnet"; inputs: number; outputs: number } & CrabNetOptions)
  | ({ model: "cgcnn"; inputs: number; outputs: number } & CgcnnOptions)
  | ({ model: "schnet"; outputs: number } & SchNetOptions)
  | ({ model: "painn"; outputs: number } & PaiNNOptions)
  | ({ model: "egnn"; outputs: number } & EgnnOptions)
  | ({ model: "egnn_vel" | "gnn" } & NBodyNetOptions)
  | ({ model: "pointnet"; outputs: number } & PointNetOptions)
  | ({ model: "megnet"; outputs: number } & MegnetOptions)
  | ({ model: "alignn"; inputs: number; outputs: number } & AlignnOptions)
  | ({ model: "mpnn"; outputs: number } & MpnnOptions)
  | ({ model: "gcn"; inputs: number; outputs: number } & GcnOptions)
  | ({ model: NodeNetKind; inputs: number; outputs: number } & NodeNetOptions)
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
    case "roost":
      return new Roost(architecture.inputs, architecture.outputs, rng, architecture);
    case "crabnet":
      return new CrabNet(architecture.inputs, architecture.outputs, rng, architecture);
    case "cgcnn":
      return new Cgcnn(architecture.inputs, architecture.outputs, rng, architecture);
    case "schnet":
      return new SchNet(architecture.outputs, rng, architecture);
    case "painn":
      return new PaiNN(architecture.outputs, rng, architecture);
    case "egnn":
      return new Egnn(architecture.outputs, rng, architecture);
    case "egnn_vel":
      return new EgnnVel(rng, architecture);
    case "gnn":
      return new NBodyGnn(rng, architecture);
    case "pointnet":
      return new PointNet(architecture.outputs, rng, architecture);
    case "megnet":
      return new Megnet(architecture.outputs, rng, architecture);
    case "alignn":
      return new Alignn(architecture.inputs, architecture.outputs, rng, architecture);
    case "mpnn":
      return new Mpnn(architecture.outputs, rng, architecture);
    case "gcn":
      return new Gcn(architecture.inputs, architecture.outputs, rng, architecture);
    case "gat":
    case "sage":
    case "gin":
      return new NodeNet(architecture.model, architecture.inputs, architecture.outputs, rng, architecture);
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
