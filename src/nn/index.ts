/** spinel/nn: layers, activations, initialisers, and the walk that names a model's tensors. */
export { type ActivationName, activation, activations, PReLU } from "./activation.ts";
export {
  AGGREGATIONS,
  type Aggregation,
  AttentionAggregation,
  aggregate,
  attend,
  attentionWeights,
} from "./aggregate.ts";
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
export { type EdgeInputs, EdgeLinear, type EdgeLinearOptions, type GraphWidths } from "./edgeLinear.ts";
export { Flatten } from "./flatten.ts";
export { type ForceOptions, type Forces, forcesOf } from "./forces.ts";
export { type GatAttention, GatConv, type GatConvOptions } from "./gatConv.ts";
export { GcnConv } from "./gcnConv.ts";
export { GinConv, type GinLayers } from "./ginConv.ts";
export {
  type Arrow,
  edgeOwners,
  GraphNet,
  type GraphNetArrows,
  type GraphNetParts,
  type GraphState,
} from "./graphNet.ts";
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
export { besselBasis, cosineCutoff, gaussiansTo, polynomialCutoff } from "./radial.ts";
export { type Field, type FieldRow, receptiveField } from "./receptiveField.ts";
export { GRUCell, LSTMCell, type LstmState } from "./recurrent.ts";
export { SageConv, type SageConvOptions } from "./sageConv.ts";
export { type Neighbours, neighboursOf, withSelfLoops } from "./selfLoops.ts";
export { Sequential } from "./sequential.ts";
export { Set2Set, type Set2SetOptions } from "./set2set.ts";
export { dropRows, linearRows } from "./sparse.ts";
export { features, replaceHead } from "./transfer.ts";
export {
  MultiheadAttention,
  Sequences,
  TransformerEncoder,
  TransformerEncoderLayer,
  type TransformerOptions,
} from "./transformer.ts";
export { Upsample } from "./upsample.ts";
