import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { build, get, type Nd, offset, reduce, reshape, total } from "./nd.ts";
import { varianceOf } from "./rows.ts";

export interface Windows {
  kernelSize: readonly [number, number];
  stride: readonly [number, number];
  padding: readonly [number, number];
  dilation?: readonly [number, number];
  ceilMode?: boolean;
}

/** Where the windows along an axis start, counted one by one. */
function starts(
  size: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
  ceil: boolean,
): number[] {
  const reach = dilation * (kernel - 1) + 1;
  const found: number[] = [];
  for (let at = -padding; ; at += stride) {
    const whole = at + reach <= size + padding;
    // Rounded up: one more window where the last one before did not reach the end, if it starts inside.
    const more = ceil && at < size && at - stride + reach < size + padding;
    if (!whole && !more) return found;
    found.push(at);
  }
}

/** f of the elements of each window of x [N, C, H, W], and of how many elements it has with padding. */
export function pool(x: Nd, attrs: Windows, f: (values: number[], area: number) => number): Nd {
  const { kernelSize, stride, padding, dilation = [1, 1], ceilMode = false } = attrs;
  const [n, c, ...space] = x.shape;
  const at = space.map((size, a) => starts(size, kernelSize[a], stride[a], padding[a], dilation[a], ceilMode));
  return build([n, c, at[0].length, at[1].length], ([b, k, i, j]) => {
    const [top, left] = [at[0][i], at[1][j]];
    const values: number[] = [];
    let area = 0;
    for (let p = 0; p < kernelSize[0]; p++)
      for (let q = 0; q < kernelSize[1]; q++) {
        const [y, z] = [top + p * dilation[0], left + q * dilation[1]];
        if (y < space[0] + padding[0] && z < space[1] + padding[1]) area++;
        if (y >= 0 && z >= 0 && y < space[0] && z < space[1]) values.push(get(x, [b, k, y, z]));
      }
    return f(values, area);
  });
}

/** Means over [⌊i·n/m⌋, ⌈(i + 1)·n/m⌉) along both axes. */
export function adaptiveMean(x: Nd, [oh, ow]: readonly [number, number]): Nd {
  const [n, c, h, w] = x.shape;
  const range = (i: number, size: number, count: number): number[] => {
    const from = Math.floor((i * size) / count);
    return Array.from({ length: Math.ceil(((i + 1) * size) / count) - from }, (_, k) => from + k);
  };
  return build([n, c, oh, ow], ([b, k, i, j]) => {
    const columns = range(j, w, ow);
    const values = range(i, h, oh).flatMap((y) => columns.map((z) => get(x, [b, k, y, z])));
    return total(values) / values.length;
  });
}

/** The nearest elements; positions are f32's, as PyTorch computes them. */
export const nearest = (x: Nd, [oh, ow]: readonly [number, number], ratios: readonly [number, number]): Nd => {
  const [n, c, h, w] = x.shape;
  const source = (i: number, ratio: number, size: number): number =>
    Math.min(Math.floor(Math.fround(i * Math.fround(ratio))), size - 1);
  return build([n, c, oh, ow], ([b, k, i, j]) => get(x, [b, k, source(i, ratios[0], h), source(j, ratios[1], w)]));
};

/** Bilinear interpolation: element i comes from `position(i, axis)`, held within the image. */
export function bilinear(x: Nd, [oh, ow]: readonly [number, number], position: (i: number, axis: 0 | 1) => number): Nd {
  const [n, c, h, w] = x.shape;
  return build([n, c, oh, ow], ([b, k, i, j]) => {
    const y = Math.min(Math.max(position(i, 0), 0), h - 1);
    const z = Math.min(Math.max(position(j, 1), 0), w - 1);
    let sum = 0;
    for (let p = 0; p < h; p++)
      for (let q = 0; q < w; q++)
        sum += Math.max(0, 1 - Math.abs(y - p)) * Math.max(0, 1 - Math.abs(z - q)) * get(x, [b, k, p, q]);
    return sum;
  });
}

/** The elements of each channel of x [N, C, …]: f over each → [N, C]. */
export const overSpace = (x: Nd, f: (values: number[]) => number): Nd =>
  reduce(reshape(x, [x.shape[0], x.shape[1], sizeOf(x.shape.slice(2))]), [2], false, f);

/** (x − mean)/√(variance + ε)·w + b by channel, the statistics over all elements with one `key(n, c)`. */
export function normaliseBy(x: Nd, w: Nd, b: Nd, eps: number, key: (n: number, c: number) => number): Nd {
  const groups = new Map<number, number[]>();
  const keyOf = ([n, c]: readonly number[]): number => key(n, c);
  build(x.shape, (index) => {
    const k = keyOf(index);
    if (!groups.has(k)) groups.set(k, []);
    return groups.get(k)!.push(get(x, index));
  });
  const moments = new Map(
    [...groups].map(([k, values]) => [k, [total(values) / values.length, varianceOf(values, 0)] as const]),
  );
  return build(x.shape, (index) => {
    const [mean, variance] = moments.get(keyOf(index))!;
    return ((get(x, index) - mean) / Math.sqrt(variance + eps)) * w.data[index[1]] + b.data[index[1]];
  });
}

/** x with elements mirrored in the first and last of an axis. */
export function reflect(x: Nd, axis: number, before: number, after: number): Nd {
  const shape: Shape = x.shape.map((n, d) => (d === axis ? n + before + after : n));
  const last = x.shape[axis] - 1;
  return build(shape, (index) => {
    const i = Math.abs(index[axis] - before);
    const from = index.map((k, d) => (d === axis ? last - Math.abs(last - i) : k));
    return x.data[offset(x.shape, from)];
  });
}
