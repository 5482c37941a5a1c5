import type { Rng } from "../core/random.ts";
import type { Shape } from "../core/shape.ts";
import { emit, full, type Tensor, zeros } from "../core/tensor.ts";

/** How far a layer's inputs and outputs spread: fan-in and fan-out of a weight [out, in, …kernel]. */
function fans(shape: Shape): { fanIn: number; fanOut: number } {
  const receptive = shape.slice(2).reduce((product, n) => product * n, 1);
  return { fanIn: (shape[1] ?? shape[0] ?? 1) * receptive, fanOut: (shape[0] ?? 1) * receptive };
}

/** PyTorch's gains for the nonlinearity that follows. */
const GAINS = { linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.SQRT2, selu: 0.75 };
export type Nonlinearity = keyof typeof GAINS;

export interface KaimingOptions {
  mode?: "fanIn" | "fanOut";
  nonlinearity?: Nonlinearity;
}

const fanOf = (shape: Shape, mode: "fanIn" | "fanOut"): number => Math.max(1, fans(shape)[mode]);

/** Every weight initialiser: shape and generator in, tensor out. */
export const init = {
  zeros,
  constant: full,

  uniform: (shape: Shape, rng: Rng, low = 0, high = 1): Tensor => rng.uniform(shape, low, high),

  normal: (shape: Shape, rng: Rng, mean = 0, std = 1): Tensor => rng.normal(shape, mean, std),

  /** U(±gain·√(6/(fanIn + fanOut))). Glorot & Bengio 2010. */
  xavierUniform(shape: Shape, rng: Rng, gain = 1): Tensor {
    const { fanIn, fanOut } = fans(shape);
    const bound = gain * Math.sqrt(6 / Math.max(1, fanIn + fanOut));
    return rng.uniform(shape, -bound, bound);
  },

  /** N(0, gain²·2/(fanIn + fanOut)). */
  xavierNormal(shape: Shape, rng: Rng, gain = 1): Tensor {
    const { fanIn, fanOut } = fans(shape);
    return rng.normal(shape, 0, gain * Math.sqrt(2 / Math.max(1, fanIn + fanOut)));
  },

  /** U(±gain·√(3/fan)). He et al. 2015. */
  kaimingUniform(shape: Shape, rng: Rng, { mode = "fanIn", nonlinearity = "relu" }: KaimingOptions = {}): Tensor {
    const bound = GAINS[nonlinearity] * Math.sqrt(3 / fanOf(shape, mode));
    return rng.uniform(shape, -bound, bound);
  },

  /** N(0, gain²/fan). */
  kaimingNormal(shape: Shape, rng: Rng, { mode = "fanIn", nonlinearity = "relu" }: KaimingOptions = {}): Tensor {
    return rng.normal(shape, 0, GAINS[nonlinearity] / Math.sqrt(fanOf(shape, mode)));
  },

  /** U(±1/√fanIn): the default of PyTorch's linear and convolution layers (Kaiming uniform with a = √5). */
  fanInUniform(shape: Shape, rng: Rng, fanIn = fanOf(shape, "fanIn")): Tensor {
    const bound = 1 / Math.sqrt(Math.max(1, fanIn));
    return rng.uniform(shape, -bound, bound);
  },

  /** Orthonormal rows or columns, whichever are fewer, times gain: Gram–Schmidt, twice, on normal deviates. Saxe et al. 2014. */
  orthogonal(shape: Shape, rng: Rng, gain = 1): Tensor {
    const rows = shape[0] ?? 1;
    const columns = shape.slice(1).reduce((product, n) => product * n, 1);
    const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
    const draws = rng.normal([count, length]);
    const basis = Array.from({ length: count }, (_, i) =>
      Float64Array.from(draws.data.subarray(i * length, (i + 1) * length)),
    );
    draws.dispose();
    basis.forEach((v, i) => {
      for (let pass = 0; pass < 2; pass++)
        for (let j = 0; j < i; j++) {
          const dot = v.reduce((sum, x, k) => sum + x * basis[j][k], 0);
          for (let k = 0; k < length; k++) v[k] -= dot * basis[j][k];
        }
      const norm = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
      for (let k = 0; k < length; k++) v[k] /= norm;
    });
    return emit(shape, ({ data }) => {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) data[i * columns + j] = gain * (rows <= columns ? basis[i][j] : basis[j][i]);
    });
  },

  /** Ones on the diagonal. */
  identity(shape: readonly [number, number]): Tensor {
    return emit(shape, ({ data }) => {
      data.fill(0);
      for (let i = 0; i < Math.min(...shape); i++) data[i * shape[1] + i] = 1;
    });
  },
};
