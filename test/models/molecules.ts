/** Small clusters of atoms as graphs, and what may be done to them without changing their energy. */
import type { Rng } from "../../src/core/random.ts";
import { type GraphData, graphData } from "../../src/data/graph.ts";

export interface Cluster {
  numbers: number[];
  /** Å [atoms · 3] */
  positions: number[];
}

export function randomCluster(atoms: number, rng: Rng, spread = 1.3): Cluster {
  return {
    numbers: Array.from({ length: atoms }, () => [1, 6, 8][rng.integer(3)]),
    positions: Array.from({ length: 3 * atoms }, () => spread * (2 * rng.random() - 1)),
  };
}

/** Atoms nearer than the cutoff see each other. */
export function clusterGraph({ numbers, positions }: Cluster, cutoff = 5): GraphData {
  const [sender, receiver, vector]: number[][] = [[], [], []];
  for (let i = 0; i < numbers.length; i++)
    for (let j = 0; j < numbers.length; j++) {
      const r = [0, 1, 2].map((c) => positions[3 * j + c] - positions[3 * i + c]);
      if (i === j || Math.hypot(...r) >= cutoff) continue;
      receiver.push(i);
      sender.push(j);
      vector.push(...r);
    }
  return graphData(numbers.length, sender, receiver, {
    numbers: Int32Array.from(numbers),
    vector: Float32Array.from(vector),
  });
}

type Matrix = number[][];

/** A rotation from two random rows by Gram–Schmidt; with `mirror`, a reflection, too. */
export function randomRotation(rng: Rng, { mirror = false } = {}): Matrix {
  const draw = () => [0, 1, 2].map(() => 2 * rng.random() - 1);
  const dot = (a: number[], b: number[]) => a.reduce((s, x, k) => s + x * b[k], 0);
  const unit = (a: number[]) => a.map((x) => x / Math.sqrt(dot(a, a)));
  const a = unit(draw());
  const c = draw();
  const b = unit(c.map((x, k) => x - dot(c, a) * a[k]));
  const n = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  return [a, b, mirror ? n.map((x) => -x) : n];
}

/** R·x for each of the vectors [n · 3], then + shift. */
export const turned = (x: ArrayLike<number>, r: Matrix, shift = [0, 0, 0]): number[] =>
  Array.from(x, (_, k) => {
    const first = k - (k % 3);
    return r[k % 3].reduce((sum, m, c) => sum + m * x[first + c], 0) + shift[k % 3];
  });

/** Rows of x [n · width] in another order. */
export const permuted = (x: ArrayLike<number>, order: ArrayLike<number>, width: number): number[] =>
  Array.from({ length: x.length }, (_, k) => x[order[Math.floor(k / width)] * width + (k % width)]);
