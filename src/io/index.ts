/** spinel/io: safetensors and npy, in and out. */
export * from "./npy.ts";
export * from "./safetensors.ts";
export type { ByteSource } from "./source.ts";
