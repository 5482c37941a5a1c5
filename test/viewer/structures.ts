import type { ViewedStructure } from "../../src/viewer/structure.ts";

const cubic = (a: number, numbers: number[], fractional: number[][]): ViewedStructure => ({
  lattice: [
    [a, 0, 0],
    [0, a, 0],
    [0, 0, a],
  ],
  periodic: [true, true, true],
  numbers,
  positions: fractional.flat().map((x) => a * x),
});

export const ROCKSALT = cubic(
  5.64,
  [11, 11, 11, 11, 17, 17, 17, 17],
  [
    ...[
      [0, 0, 0],
      [0.5, 0.5, 0],
      [0.5, 0, 0.5],
      [0, 0.5, 0.5],
    ],
    ...[
      [0.5, 0, 0],
      [0, 0.5, 0],
      [0, 0, 0.5],
      [0.5, 0.5, 0.5],
    ],
  ],
);

export const CESIUM_CHLORIDE = cubic(
  4.12,
  [55, 17],
  [
    [0, 0, 0],
    [0.5, 0.5, 0.5],
  ],
);

/** Edges from the chlorine at the centre to the eight corners, and between the cesium atoms along x. */
export const CESIUM_CHLORIDE_GRAPH: ViewedStructure = {
  ...CESIUM_CHLORIDE,
  edges: [
    ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => [1, 0, n & 1, (n >> 1) & 1, n >> 2] as const),
    [0, 0, 1, 0, 0],
    [0, 0, -1, 0, 0],
  ],
};

export const METHANE: ViewedStructure = {
  periodic: [false, false, false],
  numbers: [6, 1, 1, 1, 1],
  positions: [
    [0, 0, 0],
    [0.63, 0.63, 0.63],
    [-0.63, -0.63, 0.63],
    [-0.63, 0.63, -0.63],
    [0.63, -0.63, -0.63],
  ].flat(),
};
