/** spinel/nn: layers, activations, initialisers, and the walk that names a model's tensors. */
export { type ActivationName, activation, activations, PReLU } from "./activation.ts";
export { Dropout } from "./dropout.ts";
export { init, type KaimingOptions, type Nonlinearity } from "./init.ts";
export { Embedding, Linear } from "./linear.ts";
export {
  buffer,
  loadStateDict,
  type Model,
  type Module,
  parameterCount,
  parameters,
  Sequential,
  stateDict,
  type Training,
} from "./module.ts";
export { BatchNorm1d, LayerNorm } from "./norm.ts";
