import type { NumpyRandom } from "../core/numpyRandom.ts";
import { cosPi, sinPi } from "../core/portable.ts";
import { between, type Field } from "./field.ts";

/** A division of the periodic square [size, size] into cells. */
export interface Tessellation {
  /** The cell of each pixel. */
  readonly cell: Int32Array;
  /** From each pixel to its cell's border with the nearest other cell, px. */
  readonly border: Float64Array;
  /** Cells in all; of a Laguerre tessellation some may own no pixel. */
  readonly cells: number;
  /** Of the circle of the mean area of those cells that own one, px. */
  readonly diameter: number;
}

/**
 * The Laguerre (power) tessellation of Poisson points: pixel x belongs to the site s with the least |x − s|² − w, periodically.
 * Weights w = 0 give Voronoi's; the more they spread, the more the sizes do.
 *
 * @param diameter   expected, px
 * @param spread     the largest radius √w in units of half a diameter
 * @see Fan, Wu, Zhang & Jiang, Comput. Mater. Sci. 29, 301 (2004) for polycrystals
 */
export function laguerre(size: number, diameter: number, spread: number, random: NumpyRandom): Tessellation {
  const cells = Math.max(2, Math.round((4 * size * size) / (Math.PI * diameter * diameter)));
  const draw = (high: number) => Float64Array.from({ length: cells }, () => between(random, 0, high));
  const x = draw(size);
  const y = draw(size);
  const weights = draw((spread * diameter) / 2).map((radius) => radius * radius);
  const cell = new Int32Array(size * size);
  const border = new Float64Array(size * size);
  /** The shorter way around the torus. */
  const around = (d: number) => (d > size / 2 ? d - size : d < -size / 2 ? d + size : d);
  /** (row − y)² − w of each site, the part of its power that a row shares. */
  const shared = new Float64Array(cells);
  const powers = new Float64Array(cells);
  for (let row = 0; row < size; row++) {
    for (let s = 0; s < cells; s++) shared[s] = around(row - y[s]) * around(row - y[s]) - weights[s];
    for (let column = 0; column < size; column++) {
      let best = Infinity;
      let owner = 0;
      for (let s = 0; s < cells; s++) {
        const dx = around(column - x[s]);
        powers[s] = dx * dx + shared[s];
        if (powers[s] >= best) continue;
        best = powers[s];
        owner = s;
      }
      cell[row * size + column] = owner;
      // The difference of two powers is linear across their border and 2·(distance of the sites) ≤ √8·size steep.
      let nearest = Infinity;
      for (let s = 0; s < cells; s++) {
        if (powers[s] - best >= nearest * 2 * Math.SQRT2 * size || s === owner) continue;
        const dx = around(column - x[owner]) - around(column - x[s]);
        const dy = around(row - y[owner]) - around(row - y[s]);
        nearest = Math.min(nearest, (powers[s] - best) / (2 * Math.sqrt(dx * dx + dy * dy)));
      }
      border[row * size + column] = nearest;
    }
  }
  return { cell, border, cells, diameter: Math.sqrt((4 * cell.length) / (Math.PI * new Set(cell).size)) };
}

/** A polycrystal: a grey level for each grain's orientation, etched and therefore dark along the boundaries (bright where the picture is a negative). */
export function grains(size: number, random: NumpyRandom): Field {
  const { cell, border, cells, diameter } = laguerre(size, between(random, 8, 20), between(random, 0, 1), random);
  const shades = between(random, 0.1, 1);
  const levels = Float64Array.from({ length: cells }, () => shades * random.random());
  const width = between(random, 0.5, 1);
  const depth = between(random, 0.6, 1.2);
  const values = Float64Array.from(cell, (grain, i) => {
    const near = Math.max(0, Math.min(1, width + 0.5 - border[i]));
    return levels[grain] * (1 - near) - depth * near;
  });
  return { values, facts: { meanGrainDiameter: diameter, boundaryWidth: 2 * width } };
}

/**
 * Pearlite: colonies of parallel plates of cementite in ferrite. The plates of a colony lie anywhere in space, so that the section
 * shows them λ/sin θ apart for their spacing λ and the angle θ between their normal and the section's; they bend a little.
 *
 * @see Underwood, Quantitative Stereology (1970); Vander Voort & Roósz, Metallography 17, 1 (1984)
 */
export function pearlite(size: number, random: NumpyRandom): Field {
  const { cell, cells, diameter } = laguerre(size, between(random, 18, 44), 0.5, random);
  const spacing = between(random, 3.2, 6);
  const cementite = between(random, 0.2, 0.5);
  const colonies = Array.from({ length: cells }, () => {
    const direction = random.random();
    // Normals uniform on the sphere; plates nearly in the section would show no plates.
    const cosine = between(random, 0, 0.9);
    const apparent = spacing / Math.sqrt(1 - cosine * cosine);
    return { nx: cosPi(direction), ny: sinPi(direction), apparent, phase: random.random() };
  });
  const bend = between(random, 0, 2);
  const period = between(random, 24, 60);
  const [bx, by, start] = [between(random, -1, 1), between(random, -1, 1), between(random, 0, 2)];
  const values = Float64Array.from(cell, (colony, i) => {
    const { nx, ny, apparent, phase } = colonies[colony];
    const x = i % size;
    const y = (i - x) / size;
    const bent = bend * sinPi(start + (2 * (bx * x + by * y)) / period);
    const turns = (nx * x + ny * y + bent) / apparent + phase;
    const fromPlate = Math.abs(turns - Math.floor(turns) - 0.5) * apparent;
    return Math.max(0, Math.min(1, (cementite * apparent) / 2 - fromPlate + 0.5));
  });
  return { values, facts: { colonyDiameter: diameter, spacing, cementiteFraction: cementite } };
}
