/** spinel/models: the models of the literature, one file each, and how to make one from plain data. */
export { type Architecture, buildModel } from "./build.ts";
export { CGCNN_BASIS, CgConv, Cgcnn, type CgcnnOptions } from "./cgcnn.ts";
export { ElemNet } from "./elemnet.ts";
export { Mlp, type MlpOptions } from "./mlp.ts";
