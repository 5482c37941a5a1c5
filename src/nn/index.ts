/** spinel/nn: layers, activations, initialisers, and the walk that names a model's tensors. */
export { type ActivationName, activation, activations, PReLU } from "./activation.ts";
export {
  type AttributionOptions,
  type GradCamOptions,
  gradCam,
  type OcclusionOptions,
  occlusion,
  saliency,
} from "./attribution.ts";
export { type AnyModel, layerOutputs, modules } from "./capture.ts";
export { Conv1d, Conv2d, type ConvLayerOptions, ConvTranspose2d } from "./conv.ts";
export { Dropout, Dropout2d } from "./dropout.ts";
export { Flatten } from "./flatten.ts";
export { init, type KaimingOptions, type Nonlinearity } from "./init.ts";
export { layerDiagram } from "./layerDiagram.ts";
export { type LayerRow, type LayerTable, layerTable } from "./layerTable.ts";
export { Embedding, Linear } from "./linear.ts";
export {
  buffer,
  freeze,
  isFrozen,
  type LoadOptions,
  loadStateDict,
  type Model,
  type Module,
  matchStateDict,
  parameterCount,
  parameters,
  stateDict,
  type Training,
  unfreeze,
} from "./module.ts";
export { BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm } from "./norm.ts";
export { AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d } from "./pool.ts";
export { type Field, type FieldRow, receptiveField } from "./receptiveField.ts";
export { Sequential } from "./sequential.ts";
export { features, replaceHead } from "./transfer.ts";
export { Upsample } from "./upsample.ts";
