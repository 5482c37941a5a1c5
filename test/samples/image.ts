import * as ops from "../../src/ops/index.ts";
import { adaptiveMean, bilinear, nearest, overSpace, pool } from "../reference/image.ts";
import { type Nd, reshape, total } from "../reference/nd.ts";
import type { Case, Draw } from "./draw.ts";

type Two = [number, number];

/** [N, C, height, width] of a few hundred elements at most; `least` to an axis of the image. */
const image = (d: Draw, least: number, most = 7): number[] => {
  const batch = [d.size({ most: 3 }), d.size({ most: 3 })];
  const side = (): number => Math.max(least, d.size({ empty: false, most: d.large ? 20 : most }));
  return d.large ? [5, 7, side(), side()] : [...batch, side(), side()];
};

const two = (draw: () => number): Two => [draw(), draw()];

/** Windows of any kind; of 2 × 2 side by side every other time. */
function windows(d: Draw, dilations: readonly number[]) {
  const plain = d.chance(0.4);
  const kernelSize: Two = plain ? [2, 2] : two(() => d.int(1, 3));
  const stride: Two = plain ? [2, 2] : two(() => d.int(1, 4));
  const padding = plain ? ([0, 0] as Two) : (kernelSize.map((k) => d.int(0, Math.floor(k / 2))) as Two);
  const dilation = plain ? ([1, 1] as Two) : two(() => d.pick(dilations));
  const least = Math.max(...kernelSize.map((k, axis) => dilation[axis] * (k - 1) + 1 - 2 * padding[axis]), 1);
  return { least, attrs: { kernelSize, stride, padding, dilation, ceilMode: d.chance(0.4) } };
}

const max2d: Case = {
  draw(d) {
    const { least, attrs } = windows(d, [1, 2]);
    return {
      attrs,
      inputs: [d.distinct(image(d, least, 11))],
      run: ([x]) => ops.maxPool2d(x, attrs),
      reference: ([x]) => pool(x, attrs, (values) => Math.max(...values)),
    };
  },
};

/** `exact` windows have 1, 2 or 4 elements, with whose means f32 computes exactly. */
const avg2d = (exact: boolean): Case => ({
  linear: exact ? "jointly" : undefined,
  draw(d) {
    const { least, attrs: any } = windows(d, [1]);
    const kernelSize: Two = exact ? two(() => d.int(1, 2)) : any.kernelSize;
    const padding: Two = exact ? [0, 0] : any.padding;
    const { stride, ceilMode } = any;
    const attrs = { kernelSize, stride, padding, ceilMode: ceilMode && !exact, countIncludePad: d.chance(0.5) };
    return {
      attrs,
      inputs: [d.values(image(d, exact ? 2 : least))],
      run: ([x]) => ops.avgPool2d(x, attrs),
      reference: ([x]) =>
        pool(x, attrs, (values, area) => total(values) / (attrs.countIncludePad ? area : values.length)),
    };
  },
});

/** Pooling of [N, C, L]: as of [N, C, 1, L]. */
const line = (run: typeof ops.avgPool1d, f: (values: number[], area: number) => number, distinct = false): Case => ({
  draw(d) {
    const kernelSize = d.int(1, 4);
    const attrs = {
      kernelSize,
      stride: d.int(1, 3),
      padding: d.int(0, Math.floor(kernelSize / 2)),
      ceilMode: d.chance(0.5),
    };
    const [n, c, , w] = image(d, kernelSize, 17);
    const pair = (first: number, second: number): Two => [first, second];
    const flat = {
      kernelSize: pair(1, kernelSize),
      stride: pair(1, attrs.stride),
      padding: pair(0, attrs.padding),
      ceilMode: attrs.ceilMode,
    };
    return {
      attrs,
      inputs: [distinct ? d.distinct([n, c, w]) : d.values([n, c, w])],
      run: ([x]) => run(x, attrs),
      reference([x]) {
        const y = pool(reshape(x, [n, c, 1, w]), flat, f);
        return reshape(y, [n, c, y.shape[3]]);
      },
    };
  },
});

const meanOf = (values: number[]): number => total(values) / values.length;

/** Over all of [N, C, …], of which no image is empty. */
const globally = (run: typeof ops.globalAvgPool, f: (values: number[]) => number, distinct = false): Case => ({
  draw(d) {
    const [n, c, h, w] = image(d, 1);
    const shape = d.pick([
      [n, c, w],
      [n, c, h, w],
      [n, c, h, w, 2],
    ]);
    return {
      inputs: [distinct ? d.distinct(shape) : d.values(shape)],
      run: ([x]) => run(x),
      reference: ([x]) => overSpace(x, f),
    };
  },
});

/** Sizes to be made of those of x: directly, or by factors. */
function resized(d: Draw, [h, w]: readonly number[]) {
  const same = { size: undefined, scaleFactor: undefined };
  if (d.chance(0.5)) {
    const size = two(() => d.int(1, 12));
    return { attrs: { ...same, size }, size, ratios: [h / size[0], w / size[1]] as Two };
  }
  const factors: Two = d.chance(0.5) ? [2, 2] : two(() => d.pick([1, 1.5, 2, 3, 3.7]));
  const size: Two = [Math.floor(h * factors[0]), Math.floor(w * factors[1])];
  const scaleFactor = factors[0] === factors[1] ? factors[0] : factors;
  return { attrs: { ...same, scaleFactor }, size, ratios: [1 / factors[0], 1 / factors[1]] as Two };
}

const upsampleNearest: Case = {
  linear: "jointly",
  draw(d) {
    const shape = image(d, 1, 5);
    const { attrs, size, ratios } = resized(d, shape.slice(2));
    return {
      attrs,
      inputs: [d.values(shape)],
      run: ([x]) => ops.upsample(x, attrs),
      reference: ([x]) => nearest(x, size, ratios),
    };
  },
};

const upsampleBilinear: Case = {
  // Positions are f32's: of an element 10 places on, 10⁻⁶ of the way to the next.
  tolerance: { value: 3e-6, gradient: 3e-6, second: 3e-6 },
  draw(d) {
    const shape = image(d, 1, 5);
    const { attrs, size, ratios } = resized(d, shape.slice(2));
    const alignCorners = d.chance(0.5);
    const space = shape.slice(2);
    const position = (i: number, axis: 0 | 1): number => {
      if (size[axis] === space[axis]) return i;
      if (!alignCorners) return (i + 0.5) * ratios[axis] - 0.5;
      return size[axis] > 1 ? (i * (space[axis] - 1)) / (size[axis] - 1) : 0;
    };
    return {
      attrs: { ...attrs, alignCorners },
      inputs: [d.values(shape)],
      run: ([x]) => ops.upsample(x, { ...attrs, mode: "bilinear", alignCorners }),
      reference: ([x]) => bilinear(x, size, position),
    };
  },
};

const adaptive = (rank: 3 | 4): Case => ({
  draw(d) {
    const [n, c, h, w] = image(d, 1);
    const outputSize: Two = [rank === 3 ? 1 : d.int(1, 9), d.int(1, 9)];
    const shape = rank === 3 ? [n, c, 1, w] : [n, c, h, w];
    const own = (x: Nd, last: number): Nd => (rank === 3 ? reshape(x, [n, c, last]) : x);
    return {
      attrs: { outputSize },
      inputs: [own(d.values(shape), w)],
      run: ([x]) =>
        rank === 3 ? ops.adaptiveAvgPool1d(x, { outputSize: outputSize[1] }) : ops.adaptiveAvgPool2d(x, { outputSize }),
      reference: ([x]) => own(adaptiveMean(reshape(x, shape), outputSize), outputSize[1]),
    };
  },
});

export const IMAGE = {
  maxPool2d: [max2d],
  avgPool2d: [avg2d(false), avg2d(true)],
  maxPool1d: [line(ops.maxPool1d, (values) => Math.max(...values), true)],
  avgPool1d: [line(ops.avgPool1d, (values, area) => total(values) / area)],
  adaptiveAvgPool1d: [adaptive(3)],
  adaptiveAvgPool2d: [adaptive(4)],
  globalAvgPool: [globally(ops.globalAvgPool, meanOf)],
  globalMaxPool: [globally(ops.globalMaxPool, (values) => Math.max(...values), true)],
  upsample: [upsampleNearest, upsampleBilinear],
} satisfies Record<string, Case[]>;
