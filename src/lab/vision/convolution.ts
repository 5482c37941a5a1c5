import { noGrad } from "../../core/op.ts";
import { scope, type Tensor, tensor } from "../../core/tensor.ts";
import { avgPool2d, conv2d, maxPool2d } from "../../ops/index.ts";
import { SIDE, type Walk } from "./kernels.ts";

/** One kernel over one image, and a pooling of what comes out. */
export interface ConvolutionRequest extends Walk {
  /** Bytes [size, size]. */
  pixels: Uint8Array;
  /** What bytes are multiplied by, and what is then added, before the kernel meets them. */
  scale: number;
  offset: number;
  /** [3, 3] */
  kernel: readonly number[];
  bias: number;
  pool: "max" | "average";
  poolSize: number;
}

/** Square maps, row-major. */
export interface SquareMap {
  side: number;
  data: Float32Array;
}

export interface ConvolutionResult {
  request: ConvolutionRequest;
  /** The image in the numbers that the kernel meets. */
  input: SquareMap;
  output: SquareMap;
  /** Its side is 0 where no window fits. */
  pooled: SquareMap;
}

const mapOf = (t: Tensor): SquareMap => ({ side: t.shape[3], data: t.toArray() });

export function convolve(request: ConvolutionRequest): ConvolutionResult {
  const { pixels, size, scale, offset, kernel, bias, stride, padding, dilation, pool, poolSize } = request;
  return scope(() =>
    noGrad(() => {
      const x = tensor(
        Float32Array.from(pixels, (byte) => byte * scale + offset),
        [1, 1, size, size],
      );
      const weight = tensor([...kernel], [1, 1, SIDE, SIDE]);
      const y = conv2d(x, weight, tensor([bias], [1]), { stride, padding, dilation });
      const fits = y.shape[3] >= poolSize;
      const pooled = fits ? (pool === "max" ? maxPool2d : avgPool2d)(y, { kernelSize: poolSize }) : undefined;
      return {
        ...{ request, input: mapOf(x), output: mapOf(y) },
        pooled: pooled ? mapOf(pooled) : { side: 0, data: new Float32Array(0) },
      };
    }),
  );
}
