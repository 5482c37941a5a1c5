import * as ops from "../../src/ops/index.ts";
import { relu } from "../reference/functions.ts";
import { normaliseBy } from "../reference/image.ts";
import { build, get, map, type Nd, nd, zip } from "../reference/nd.ts";
import { normalise } from "../reference/rows.ts";
import { type Case, type Draw, toTensor } from "./draw.ts";

/** Neighbours along an axis lie apart, so that no variance is small against the step of a difference. */
function spread(d: Draw, shape: readonly number[], axis: number): Nd {
  const noise = d.values(shape, { low: -0.3, high: 0.3 });
  return build(shape, (index) => Math.fround(get(noise, index) + (index.at(axis)! % 5) - 2));
}

const normCase = (run: typeof ops.layerNorm, axis: number): Case => ({
  draw(d) {
    const shape = axis === 0 ? d.shape(2, 2, { empty: false }) : d.shape(1, 3, { empty: d.chance(0.5) });
    const width = shape[shape.length - 1];
    const eps = d.pick([undefined, 1e-2]);
    return {
      attrs: { eps },
      inputs: [spread(d, shape, axis), d.values([width]), d.values([width])],
      run: ([x, w, b]) => run(x, w, b, eps === undefined ? undefined : { eps }),
      reference: ([x, w, b]) => normalise(x, w, b, axis, eps ?? 1e-5),
    };
  },
});

/** Batch norm as a trained model applies it: the statistics are given, and constant. */
const givenStatistics: Case = {
  draw(d) {
    const shape = d.shape(2, 2);
    const width = [shape[1]];
    const [mean, variance] = [d.values(width), d.values(width, { low: 0.5, high: 2 })];
    return {
      inputs: [d.values(shape), d.values(width), d.values(width)],
      run([x, w, b]) {
        return ops.batchNorm(x, w, b, { mean: toTensor(mean), variance: toTensor(variance), training: false });
      },
      reference: ([x, w, b]) =>
        zip((v, m, s, scale, shift) => ((v - m) / Math.sqrt(s + 1e-5)) * scale + shift, x, mean, variance, w, b),
    };
  },
};

/** [N, C] or [N, C, …], with images of one element too. */
function channelled(d: Draw, channels: number): number[] {
  if (d.large)
    return d.pick([
      [9, channels, 60, 41],
      [700, channels],
    ]);
  const side = (): number => d.size({ empty: false, most: 5 });
  return [d.size({ empty: false, most: 4 }), channels, ...d.pick([[], [side()], [side(), side()], [3, 1, side()]])];
}

/** Neighbours along every axis lie apart: of the channels, too, where one group has several. */
function scattered(d: Draw, shape: readonly number[], channels = false): Nd {
  const noise = d.values(shape, { low: -0.3, high: 0.3 });
  const places = (index: readonly number[]): number =>
    index.reduce((sum, i, axis) => (axis === 1 && !channels ? sum : sum + i), 0);
  return build(shape, (index) => Math.fround(get(noise, index) + (places(index) % 5) - 2));
}

/** A bias for each channel that keeps all of z + bias away from 0, with elements on both sides of it where there are gaps. */
function biasApart(d: Draw, z: Nd): Nd {
  const channels: number[][] = Array.from({ length: z.shape[1] }, () => []);
  build(z.shape, (index) => channels[index[1]].push(get(z, index)));
  const bias = channels.map((values) => {
    const sorted = [...values].sort((a, b) => a - b);
    const gaps = sorted.slice(1).flatMap((v, i) => (v - sorted[i] > 0.1 ? [(v + sorted[i]) / 2] : []));
    return Math.fround(gaps.length > 0 ? -d.pick(gaps) : 0.5 - (sorted[0] ?? 0));
  });
  return nd([z.shape[1]], bias);
}

/** Batch norm of [N, C, …], with a rectifier half of the time. */
const batchNormOfPlanes: Case = {
  draw(d) {
    const shape = channelled(d, d.pick([1, 2, 3, 5]));
    const activation = d.pick(["none", "relu"] as const);
    const eps = d.pick([1e-5, 1e-2]);
    const [x, w] = [scattered(d, shape), d.values([shape[1]])];
    const plain = (x: Nd, w: Nd, b: Nd): Nd => normaliseBy(x, w, b, eps, (_n, c) => c);
    const none = nd([shape[1]], new Float64Array(shape[1]));
    const b = activation === "relu" && !d.large ? biasApart(d, plain(x, w, none)) : d.values([shape[1]]);
    return {
      attrs: { activation, eps },
      inputs: [x, w, b],
      run: ([x, w, b]) => ops.batchNorm(x, w, b, { activation, eps }),
      reference: ([x, w, b]) => map(plain(x, w, b), activation === "relu" ? relu : (v) => v),
    };
  },
};

/** With given statistics, of a batch that may be empty; rectified values are those of whole channels. */
const givenForPlanes: Case = {
  draw(d) {
    const shape = [d.size({ most: 3 }), d.pick([1, 3, 4]), d.size({ most: 5 }), d.size({ empty: false, most: 5 })];
    const width = [shape[1]];
    const [mean, variance] = [d.values(width), d.values(width, { low: 0.5, high: 2 })];
    const activation = d.pick(["none", "relu"] as const);
    const b = map(d.values(width), (v) => v + (activation === "none" ? 0 : Math.sign(v) * 20));
    const known = { mean: toTensor(mean), variance: toTensor(variance), training: false };
    return {
      attrs: { activation },
      inputs: [d.values(shape), d.values(width), b],
      run: ([x, w, b]) => ops.batchNorm(x, w, b, { ...known, activation }),
      reference: ([x, w, b]) =>
        build(shape, (index) => {
          const [c, v] = [index[1], get(x, index)];
          const y = ((v - mean.data[c]) / Math.sqrt(variance.data[c] + 1e-5)) * w.data[c] + b.data[c];
          return activation === "relu" ? relu(y) : y;
        }),
    };
  },
};

const groupNorm: Case = {
  draw(d) {
    const [groups, each] = [d.int(1, 3), d.int(1, 3)];
    const shape = channelled(d, groups * each);
    if (shape.length === 2 || d.kind === 1) shape.push(4);
    const eps = d.pick([undefined, 1e-2]);
    return {
      attrs: { groups, eps },
      inputs: [scattered(d, shape, true), d.values([shape[1]]), d.values([shape[1]])],
      run: ([x, w, b]) => ops.groupNorm(x, w, b, { groups, eps }),
      reference: ([x, w, b]) => normaliseBy(x, w, b, eps ?? 1e-5, (n, c) => n * groups + Math.floor(c / each)),
    };
  },
};

export const NORM = {
  layerNorm: [normCase(ops.layerNorm, -1)],
  batchNorm: [normCase(ops.batchNorm, 0), givenStatistics, batchNormOfPlanes, givenForPlanes],
  groupNorm: [groupNorm],
} satisfies Record<string, Case[]>;
