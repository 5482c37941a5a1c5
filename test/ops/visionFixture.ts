import { readFileSync } from "node:fs";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { decodeNpy } from "../../src/io/npy.ts";

/** One call of an op whose results PyTorch computed: see fixtures/vision.py. */
export interface Configuration {
  /** Names its random numbers. */
  number: number;
  /** Where its results begin among the numbers of vision.npy. */
  at: number;
  inputs: readonly Shape[];
  output: Shape;
  attrs?: object;
}

const file = (type: string): URL => new URL(`../fixtures/vision.${type}`, import.meta.url);

export const CONFIGURATIONS: Record<string, Configuration[]> = JSON.parse(readFileSync(file("json"), "utf8"));

/** What is stored of each array. */
const PROBES = 6;
const PROJECTIONS = 2;

/** Slots of a configuration's random numbers; its inputs have 0, 1, 2, the directions of the second derivative 10, 11, 12. */
export const DIRECTION = 10;
export const COTANGENT = 20;
const PROJECTION = 21;
const POSITION = 23;

/** 32 bits from (seed, i): Murmur's finaliser. */
function hashed(seed: number, i: number): number {
  let h = (Math.imul(seed, 0x9e3779b9) + i) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** k/2²⁰ in [−2, 2), exact in f32: the same numbers as PyTorch got. */
export const draw = ({ number }: Configuration, slot: number, shape: Shape): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((hashed(32 * number + slot, i) >>> 10) - 2 ** 21) / 2 ** 20);

/** An array to be compared, and the error allowed relative to its largest element. */
export interface Quantity {
  what: string;
  data: Float32Array;
  tolerance: number;
}

const NUMBERS = decodeNpy(new Uint8Array(readFileSync(file("npy")))).data as Float32Array;

/**
 * What is wrong with the arrays that a configuration gave. Elements may be off by the tolerance times max|q|; inner products Σ r·q by
 * that times √Σ r², the size of a sum of independent errors: an element that is wrong anywhere shows.
 */
export function compare(configuration: Configuration, quantities: readonly Quantity[]): string[] {
  let next = configuration.at;
  const problems: string[] = [];
  for (const { what, data, tolerance } of quantities.filter((q) => q.data.length > 0)) {
    const largest = data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const near = (where: string, found: number, allowed: number): void => {
      const known = NUMBERS[next++];
      if (!(Math.abs(found - known) <= allowed))
        problems.push(`${what}${where} is ${found}, not ${known} ± ${allowed.toExponential(1)}`);
    };
    for (let k = 0; k < PROBES; k++) {
      const at = hashed(32 * configuration.number + POSITION, k) % data.length;
      near(`[${at}]`, data[at], tolerance * largest);
    }
    for (let k = 0; k < PROJECTIONS; k++) {
      const r = draw(configuration, PROJECTION + k, [data.length]);
      let [product, norm] = [0, 0];
      for (const [i, v] of r.entries()) {
        product += v * data[i];
        norm += v * v;
      }
      near(`·r${k + 1}`, product, tolerance * largest * Math.sqrt(norm));
    }
  }
  return problems;
}
