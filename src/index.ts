/** spinel: tensors, ops, gradients of any order and random numbers on SIMD WebAssembly kernels. */
export { Csr } from "./core/csr.ts";
export { ShapeError, UserError } from "./core/errors.ts";
export { checkpoint, type GradOptions, grad, jvp } from "./core/grad.ts";
export { memoryUse } from "./core/memory.ts";
export { noGrad } from "./core/op.ts";
export { capabilities, init } from "./core/parallel.ts";
export { Rng, type RngState } from "./core/random.ts";
export type { Shape } from "./core/shape.ts";
export { full, Indices, indices, type NestedNumbers, ones, scope, Tensor, tensor, zeros } from "./core/tensor.ts";
export type { Capabilities, InitOptions, Variant } from "./core/wasm.ts";
export * from "./ops/index.ts";
