import { build, get, type Nd } from "./nd.ts";

export interface Geometry2d {
  stride: readonly number[];
  before: readonly number[];
  dilation: readonly number[];
  groups: number;
}

/** Where tap (a, b) of output pixel (i, j) lies in x, or undefined outside of it. */
function at(x: { shape: readonly number[] }, [i, j]: number[], [a, b]: number[], g: Geometry2d): number[] | undefined {
  const r = i * g.stride[0] + a * g.dilation[0] - g.before[0];
  const c = j * g.stride[1] + b * g.dilation[1] - g.before[1];
  return r >= 0 && c >= 0 && r < x.shape[2] && c < x.shape[3] ? [r, c] : undefined;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Every (output pixel, tap, input pixel) that a convolution multiplies. */
function* products(x: readonly number[], w: readonly number[], y: readonly number[], g: Geometry2d) {
  const perGroup = w[0] / g.groups;
  for (const n of range(x[0]))
    for (const o of range(w[0]))
      for (const i of range(y[2]))
        for (const j of range(y[3]))
          for (const c of range(w[1]))
            for (const a of range(w[2]))
              for (const b of range(w[3])) {
                const pixel = at({ shape: x }, [i, j], [a, b], g);
                if (!pixel) continue;
                const channel = Math.floor(o / perGroup) * w[1] + c;
                yield { x: [n, channel, ...pixel], w: [o, c, a, b], y: [n, o, i, j] };
              }
}

const zeros = (shape: readonly number[]): Nd => build(shape, () => 0);
const index = (shape: readonly number[], place: readonly number[]): number =>
  place.reduce((offset, i, axis) => offset * shape[axis] + i, 0);

/** x ∗ w by its definition. */
export function convolve(x: Nd, w: Nd, out: readonly number[], g: Geometry2d): Nd {
  const y = zeros(out);
  for (const p of products(x.shape, w.shape, out, g)) y.data[index(out, p.y)] += get(x, p.x) * get(w, p.w);
  return y;
}

/** Its adjoint in x. */
export function convolveInput(dy: Nd, w: Nd, x: readonly number[], g: Geometry2d): Nd {
  const d = zeros(x);
  for (const p of products(x, w.shape, dy.shape, g)) d.data[index(x, p.x)] += get(dy, p.y) * get(w, p.w);
  return d;
}

/** Its adjoint in w. */
export function convolveWeight(x: Nd, dy: Nd, w: readonly number[], g: Geometry2d): Nd {
  const d = zeros(w);
  for (const p of products(x.shape, w, dy.shape, g)) d.data[index(w, p.w)] += get(x, p.x) * get(dy, p.y);
  return d;
}
