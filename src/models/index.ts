/** spinel/models: the models of the literature, one file each, and how to make one from plain data. */
export { type Architecture, buildModel } from "./build.ts";
export { CGCNN_BASIS, CgConv, Cgcnn, type CgcnnOptions } from "./cgcnn.ts";
export { Cnn1d, type Cnn1dOptions } from "./cnn1d.ts";
export { ElemNet } from "./elemnet.ts";
export { LeNet5, PartialConv2d } from "./leNet5.ts";
export { Mlp, type MlpOptions } from "./mlp.ts";
export { TinyVgg, type TinyVggOptions } from "./tinyVgg.ts";
export { type ImageShape, Vgg, type VggDepth, type VggOptions, vggParameterCount } from "./vgg.ts";
