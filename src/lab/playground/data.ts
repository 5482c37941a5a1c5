import type { Rng } from "../../core/random.ts";
import { scope, tensor } from "../../core/tensor.ts";
import { cos, sin } from "../../ops/index.ts";
import type { DatasetName } from "./config.ts";

/** Points of the plane with their class, −1 or +1. */
export interface Points {
  x1: Float32Array;
  x2: Float32Array;
  label: Float32Array;
}

interface Request {
  count: number;
  /** 0 … 0.5. */
  noise: number;
  rng: Rng;
}

/** Draws, sines and cosines come from the kernels: JavaScript's own differ in their last bits between engines. */
const uniform = (rng: Rng, count: number, low: number, high: number): Float32Array =>
  scope(() => rng.uniform([count], low, high).toArray());
const circular = (angles: Float32Array): [sin: Float32Array, cos: Float32Array] =>
  scope(() => {
    const t = tensor(angles);
    return [sin(t).toArray(), cos(t).toArray()];
  });

function collect(count: number, point: (i: number) => readonly [x1: number, x2: number, label: number]): Points {
  const points: Points = {
    x1: new Float32Array(count),
    x2: new Float32Array(count),
    label: new Float32Array(count),
  };
  for (let i = 0; i < count; i++) [points.x1[i], points.x2[i], points.label[i]] = point(i);
  return points;
}

/** The four data sets of TensorFlow Playground, whose definitions these follow. The first half of the points comes first. */
const generators: Record<DatasetName, (request: Request) => Points> = {
  /** A disc of radius 2.5 inside a ring from 3.5 to 5. Noise moves a point only for the choice of its label. */
  circle({ count, noise, rng }) {
    const inside = Math.ceil(count / 2);
    const radius = Float32Array.of(...uniform(rng, inside, 0, 2.5), ...uniform(rng, count - inside, 3.5, 5));
    const [s, c] = circular(uniform(rng, count, 0, 2 * Math.PI));
    const n1 = uniform(rng, count, -5 * noise, 5 * noise);
    const n2 = uniform(rng, count, -5 * noise, 5 * noise);
    return collect(count, (i) => {
      const [x1, x2] = [radius[i] * s[i], radius[i] * c[i]];
      const [d1, d2] = [x1 + n1[i], x2 + n2[i]];
      return [x1, x2, d1 * d1 + d2 * d2 < 2.5 * 2.5 ? 1 : -1];
    });
  },

  /** Four squares, +1 where x₁ and x₂ have the same sign, a strip of 0.3 either side of the axes left free. */
  xor({ count, noise, rng }) {
    const x1 = uniform(rng, count, -5, 5);
    const x2 = uniform(rng, count, -5, 5);
    const n1 = uniform(rng, count, -5 * noise, 5 * noise);
    const n2 = uniform(rng, count, -5 * noise, 5 * noise);
    const apart = (x: number): number => x + (x > 0 ? 0.3 : -0.3);
    return collect(count, (i) => {
      const [a, b] = [apart(x1[i]), apart(x2[i])];
      return [a, b, (a + n1[i]) * (b + n2[i]) >= 0 ? 1 : -1];
    });
  },

  /** Normal clouds of variance 0.5 + 7·noise about (2, 2), +1, and (−2, −2), −1. */
  gauss({ count, noise, rng }) {
    const half = Math.ceil(count / 2);
    const deviates = scope(() => rng.normal([count, 2], 0, Math.sqrt(0.5 + 7 * noise)).toArray());
    return collect(count, (i) => {
      const label = i < half ? 1 : -1;
      return [2 * label + deviates[2 * i], 2 * label + deviates[2 * i + 1], label];
    });
  },

  /** Two interleaved spirals of 1¾ turns: r = 5i/n, the angle 1.75·2π·i/n, and half a turn on for −1. */
  spiral({ count, noise, rng }) {
    const half = Math.ceil(count / 2);
    const along = (i: number): number => (i < half ? i / half : (i - half) / (count - half));
    const turn = (i: number): number => (i < half ? 0 : Math.PI);
    const [s, c] = circular(Float32Array.from({ length: count }, (_, i) => 1.75 * 2 * Math.PI * along(i) + turn(i)));
    const n1 = uniform(rng, count, -noise, noise);
    const n2 = uniform(rng, count, -noise, noise);
    return collect(count, (i) => [5 * along(i) * s[i] + n1[i], 5 * along(i) * c[i] + n2[i], i < half ? 1 : -1]);
  },
};

/** `count` points in random order, a function of the generator's state alone. */
export function generate(dataset: DatasetName, request: Request): Points {
  const { x1, x2, label } = generators[dataset](request);
  const order = request.rng.permutation(request.count);
  return collect(request.count, (i) => [x1[order[i]], x2[order[i]], label[order[i]]]);
}

/** The points from `first` up to `end`. */
export function part({ x1, x2, label }: Points, first: number, end: number): Points {
  return { x1: x1.slice(first, end), x2: x2.slice(first, end), label: label.slice(first, end) };
}
