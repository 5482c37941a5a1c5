/** Kernels of 3 × 3, row by row. */
export const PRESETS = {
  edgeX: [-1, 0, 1, -2, 0, 2, -1, 0, 1],
  edgeY: [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  blur: [1, 2, 1, 2, 4, 2, 1, 2, 1].map((n) => n / 16),
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
  laplacian: [0, 1, 0, 1, -4, 1, 0, 1, 0],
  identity: [0, 0, 0, 0, 1, 0, 0, 0, 0],
} as const satisfies Record<string, readonly number[]>;

export const KERNELS = ["edgeX", "edgeY", "blur", "sharpen", "laplacian", "identity", "custom", "learned"] as const;
export type KernelName = (typeof KERNELS)[number];

/** As people read them. */
export const KERNEL_TEXT: Record<KernelName, string> = {
  edgeX: "Vertical edges (Sobel x)",
  edgeY: "Horizontal edges (Sobel y)",
  blur: "Blur (Gaussian)",
  sharpen: "Sharpen",
  laplacian: "Laplacian",
  identity: "Identity",
  custom: "Your own numbers",
  learned: "Learned by the network",
};

/** Side of a kernel. */
export const SIDE = 3;

/** How a kernel goes over a square image. */
export interface Walk {
  /** Pixels on each side of the image. */
  size: number;
  stride: number;
  padding: number;
  dilation: number;
}

/** Places along one side of the output. */
export const placesOf = ({ size, stride, padding, dilation }: Walk): number =>
  Math.floor((size + 2 * padding - dilation * (SIDE - 1) - 1) / stride) + 1;

/** The same in numbers, to read. */
export const placesText = (walk: Walk): string => {
  const { size, stride, padding, dilation } = walk;
  return `⌊(${size} + 2·${padding} − ${dilation}·(${SIDE} − 1) − 1) / ${stride}⌋ + 1 = ${placesOf(walk)}`;
};
