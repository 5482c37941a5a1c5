/** spinel/models: the models of the literature, one file each, and how to make one from plain data. */

export { Alignn, type AlignnOptions, EdgeGatedGraphConv } from "./alignn.ts";
export { type Architecture, buildModel } from "./build.ts";
export { CGCNN_BASIS, CgConv, Cgcnn, type CgcnnOptions } from "./cgcnn.ts";
export { Cnn1d, type Cnn1dOptions } from "./cnn1d.ts";
export {
  type AttentionMap,
  attentionMaps,
  CrabNet,
  type CrabNetOptions,
  type ElementContributions,
  elementContributions,
} from "./crabnet.ts";
export { EGcl, Egnn, type EgnnOptions } from "./egnn.ts";
export { ElemNet } from "./elemnet.ts";
export { Gcn, type GcnOptions } from "./gcn.ts";
export { headOf, withOutputs } from "./head.ts";
export { LeNet5, PartialConv2d } from "./leNet5.ts";
export { MEGNET_KERAS, MEGNET_MATGL, Megnet, type MegnetOptions } from "./megnet.ts";
export { Mlp, type MlpOptions } from "./mlp.ts";
export { MPNN_BASIS, Mpnn, type MpnnOptions } from "./mpnn.ts";
export { EgnnVel, NBodyGnn, type NBodyNetOptions } from "./nbody.ts";
export { ginMlp, NODE_NETS, NodeNet, type NodeNetKind, type NodeNetOptions } from "./nodeNet.ts";
export { PaiNN, type PaiNNOptions } from "./painn.ts";
export { orthogonality, PointNet, type PointNetOptions, PointNetSegmentation, TNet } from "./pointNet.ts";
export { Roost, type RoostOptions } from "./roost.ts";
export { SchNet, SchNetInteraction, type SchNetOptions } from "./schnet.ts";
export { TinyVgg, type TinyVggOptions } from "./tinyVgg.ts";
export { type ImageShape, Vgg, type VggDepth, type VggOptions, vggParameterCount } from "./vgg.ts";
