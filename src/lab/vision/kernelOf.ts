import type { VisionState } from "./config.ts";
import type { Picture, Scene } from "./functions.ts";
import { PRESETS, SIDE } from "./kernels.ts";

/** A kernel with what it needs of the picture: bytes as they are, or as a network sees them. */
export interface AppliedKernel {
  kernel: readonly number[];
  bias: number;
  scale: number;
  offset: number;
}

/** The kernel that the controls say, and what people should know of it. */
export function kernelOf(
  { kernel, weights, filter }: VisionState,
  scene: Scene | undefined,
  picture: Picture | undefined,
): { kernel: AppliedKernel; remark: string } {
  const plain = (numbers: readonly number[], remark = "") => ({
    kernel: { kernel: numbers, bias: 0, scale: 1, offset: 0 },
    remark,
  });
  if (kernel === "custom") return plain(weights);
  if (kernel !== "learned") return plain(PRESETS[kernel]);
  if (!scene || !picture)
    return plain(PRESETS.identity, "There is no network yet: train one below. Until then this is the identity.");
  const { weight, bias } = picture.filters;
  const taps = SIDE * SIDE;
  const learned = Array.from(weight.subarray((filter - 1) * taps, filter * taps));
  return {
    kernel: { kernel: learned, bias: bias[filter - 1], ...scene.norm },
    remark: `Filter ${filter} of ${weight.length / taps}, epoch ${picture.epoch}. The network sees pixels standardised, and rectifies what comes out.`,
  };
}
