import { type ConvOptions, geometryOf, outputSize } from "../../src/ops/convGeometry.ts";
import * as ops from "../../src/ops/index.ts";
import * as reference from "../reference/conv.ts";
import { relu } from "../reference/functions.ts";
import { build, get, map, type Nd, reshape } from "../reference/nd.ts";
import type { Case, Draw } from "./draw.ts";

/** One convolution: options, and the shapes of input, weight and output. */
function drawn(d: Draw, axes: 1 | 2) {
  const pairOf = (low: number, high: number): readonly [number, number] => [
    axes === 1 ? low : d.int(low, high),
    d.int(low, high),
  ];
  // Where tiles are larger than this, they are Winograd's, on several threads.
  if (d.large) return sized([3, 20, 30, 31], [70, 20, 3, 3], { padding: 1 });
  const groups = d.pick([1, 1, 1, 2, 3]);
  const [inside, outside] = d.chance(0.2) ? [1, 1] : [d.int(1, 3), d.int(1, 5)];
  const kernel = pairOf(1, 3);
  const stride = pairOf(1, 2);
  const dilation = pairOf(1, 2);
  const padding = axes === 1 ? ([0, d.int(0, 2)] as const) : pairOf(0, 2);
  const reach = kernel.map((k, axis) => Math.max(1, dilation[axis] * (k - 1) + 1 - 2 * padding[axis]));
  const size = reach.map((n, axis) => (axes === 1 && axis === 0 ? 1 : n + d.int(0, 4)));
  const images = d.kind === 0 ? 0 : d.int(1, 2);
  return sized([images, inside * groups, ...size], [outside * groups, inside, ...kernel], {
    ...{ stride, dilation, padding, groups },
  });
}

function sized(x: number[], w: number[], options: ConvOptions) {
  const geometry = geometryOf("conv2d", [w[2], w[3]], options);
  const y = [x[0], w[0], ...outputSize(x.slice(2), geometry)];
  return { x, w, y, options, geometry, size: [x[2], x[3]] as const };
}

/** y + bias of each channel. */
const shifted = (y: Nd, b?: Nd): Nd => (b ? build(y.shape, (i) => get(y, i) + get(b, [i[1]])) : y);

const flat = (shape: number[]): number[] => [shape[0], shape[1], shape[3]];

export const CONV = {
  convolve: [
    {
      linear: "in each",
      draw(d) {
        const { x, w, y, geometry } = drawn(d, 2);
        return {
          attrs: { x, w, geometry },
          inputs: [d.values(x), d.values(w)],
          run: ([a, b]) => ops.convolve(a, b, { geometry }),
          reference: ([a, b]) => reference.convolve(a, b, y, geometry),
        };
      },
    },
  ],
  convolveInput: [
    {
      linear: "in each",
      draw(d) {
        const { x, w, y, geometry, size } = drawn(d, 2);
        return {
          attrs: { x, w, geometry },
          inputs: [d.values(y), d.values(w)],
          run: ([g, b]) => ops.convolveInput(g, b, { geometry, size }),
          reference: ([g, b]) => reference.convolveInput(g, b, x, geometry),
        };
      },
    },
  ],
  convolveWeight: [
    {
      linear: "in each",
      draw(d) {
        const { x, w, y, geometry } = drawn(d, 2);
        return {
          attrs: { x, w, geometry },
          inputs: [d.values(x), d.values(y)],
          run: ([a, g]) => ops.convolveWeight(a, g, { geometry }),
          reference: ([a, g]) => reference.convolveWeight(a, g, w, geometry),
        };
      },
    },
  ],
  conv2d: [
    {
      draw(d) {
        const { x, w, y, geometry, options } = drawn(d, 2);
        const bias = d.chance(0.7) ? [d.values([w[0]])] : [];
        return {
          attrs: { x, w, geometry },
          inputs: [d.values(x), d.values(w), ...bias],
          run: ([a, b, c]) => ops.conv2d(a, b, c, options),
          reference: ([a, b, c]) => shifted(reference.convolve(a, b, y, geometry), c),
        };
      },
    },
    {
      // Rectified, with a bias that keeps all sums of one sign: no difference is taken across the kink.
      draw(d) {
        const { x, w, y, geometry, options } = drawn(d, 2);
        const sign = d.pick([-1, 1]);
        const bias = d.values([w[0]], { low: 40, high: 50 });
        return {
          attrs: { x, w, geometry },
          inputs: [d.values(x, { low: -1, high: 1 }), d.values(w, { low: -1, high: 1 }), map(bias, (b) => sign * b)],
          run: ([a, b, c]) => ops.conv2d(a, b, c, { ...options, activation: "relu" }),
          reference: ([a, b, c]) => map(shifted(reference.convolve(a, b, y, geometry), c), relu),
        };
      },
    },
  ],
  conv1d: [
    {
      draw(d) {
        const { x, w, y, geometry } = drawn(d, d.large ? 2 : 1);
        const [signal, filter, out] = d.large ? [[4, 40, 300], [70, 40, 9], []] : [flat(x), flat(w), flat(y)];
        const [stride, dilation, padding] = [geometry.stride[1], geometry.dilation[1], geometry.before[1]];
        const options = d.large ? { padding: 4 } : { stride, dilation, padding, groups: geometry.groups };
        return {
          attrs: { x, w, geometry },
          inputs: [d.values(signal), d.values(filter), d.values([filter[0]])],
          run: ([a, b, c]) => ops.conv1d(a, b, c, options),
          reference: ([a, b, c]) =>
            reshape(shifted(reference.convolve(reshape(a, x), reshape(b, w), y, geometry), c), out),
        };
      },
    },
  ],
  convTranspose2d: [
    {
      draw(d) {
        const { x, w, y, geometry, options } = drawn(d, 2);
        const { stride, dilation, before } = geometry;
        const outputPadding = [0, 1].map(
          (axis) =>
            x[2 + axis] -
            ((y[2 + axis] - 1) * stride[axis] - 2 * before[axis] + dilation[axis] * (w[2 + axis] - 1) + 1),
        ) as [number, number];
        return {
          attrs: { x, w, geometry },
          inputs: [d.values(y), d.values(w), d.values([x[1]])],
          run: ([a, b, c]) => ops.convTranspose2d(a, b, c, { ...options, padding: before, outputPadding }),
          reference: ([a, b, c]) => shifted(reference.convolveInput(a, b, x, geometry), c),
        };
      },
    },
  ],
} satisfies Record<string, Case[]>;
