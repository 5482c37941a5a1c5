import { UserError } from "../core/errors.ts";
import type { Lattice } from "./lattice.ts";
import type { Structure } from "./structure.ts";

/** Atoms i ≤ j, the vector from i to an image of j in Å, and its length. */
export type PairVisitor = (i: number, j: number, x: number, y: number, z: number, r: number) => void;

/** The lattice of a structure that repeats in all three directions. */
export function fullLattice({ lattice, periodic, source }: Structure, call: string): Lattice {
  if (lattice && periodic.every(Boolean)) return lattice;
  throw new UserError(`${call}: ${source} does not repeat along three lattice vectors, as a crystal does.`);
}

/**
 * Visits every pair of a crystal closer than `cutoff` Å once per cell, in f64 and in an order that the input alone decides: i with
 * each image of j > i, and i with one of every two opposite images of itself.
 *
 * @throws UserError for two atoms at one place, and where the structure does not repeat along three vectors
 */
export function visitPairs(structure: Structure, cutoff: number, visit: PairVisitor): void {
  const lattice = fullLattice(structure, "visitPairs");
  const { length, positions, source } = structure;
  const [[ax, ay, az], [bx, by, bz], [cx, cy, cz]] = lattice.matrix;
  const fractional = structure.fractional;
  // The planes of fractional coordinate s lie s/|column of the inverse| apart.
  const reach = [0, 1].map((k) => {
    const [x, y, z] = [0, 1, 2].map((row) => lattice.inverse[row][k]);
    return cutoff * Math.sqrt(x * x + y * y + z * z);
  });
  const square = cutoff * cutoff;
  const cc = cx * cx + cy * cy + cz * cz;
  for (let i = 0; i < length; i++) {
    for (let j = i; j < length; j++) {
      const dx = positions[3 * j] - positions[3 * i];
      const dy = positions[3 * j + 1] - positions[3 * i + 1];
      const dz = positions[3 * j + 2] - positions[3 * i + 2];
      const da = fractional[3 * j] - fractional[3 * i];
      const db = fractional[3 * j + 1] - fractional[3 * i + 1];
      const lastA = Math.floor(reach[0] - da);
      const lastB = Math.floor(reach[1] - db);
      for (let a = i === j ? 0 : Math.ceil(-reach[0] - da); a <= lastA; a++) {
        const own = i === j && a === 0;
        for (let b = own ? 0 : Math.ceil(-reach[1] - db); b <= lastB; b++) {
          const x0 = dx + a * ax + b * bx;
          const y0 = dy + a * ay + b * by;
          const z0 = dz + a * az + b * bz;
          // Where the line along c is inside the sphere.
          const middle = -(x0 * cx + y0 * cy + z0 * cz) / cc;
          const half = Math.sqrt(Math.max(0, middle * middle + (square - x0 * x0 - y0 * y0 - z0 * z0) / cc));
          const lastC = Math.floor(middle + half + 1e-9);
          for (let c = own && b === 0 ? 1 : Math.ceil(middle - half - 1e-9); c <= lastC; c++) {
            const x = x0 + c * cx;
            const y = y0 + c * cy;
            const z = z0 + c * cz;
            const s = x * x + y * y + z * z;
            if (s >= square) continue;
            if (s < 1e-6) throw new UserError(`${source}: atoms ${i + 1} and ${j + 1} are at one place.`);
            visit(i, j, x, y, z, Math.sqrt(s));
          }
        }
      }
    }
  }
}
