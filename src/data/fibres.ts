import type { NumpyRandom } from "../core/numpyRandom.ts";
import { cosPi, sinPi } from "../core/portable.ts";
import { between, type Field } from "./field.ts";

/**
 * A short-fibre composite: straight fibres in the plane, drawn one over the other until they cover the fraction drawn.
 *
 * Their directions are isotropic ones after a planar extension by the factor λ in moulding, (x, y) → (λx, y/λ), which slender
 * fibres follow as lines of the fluid do: λ = 1 leaves a mat, λ = 4 all but aligns them.
 *
 * @see Jeffery, Proc. R. Soc. A 102, 161 (1922); Advani & Tucker, J. Rheol. 31, 751 (1987) for the order of orientations
 */
export function fibres(size: number, random: NumpyRandom): Field {
  const wanted = between(random, 0.15, 0.5);
  const extension = between(random, 1, 3);
  const flow = random.random();
  const [fx, fy] = [cosPi(flow), sinPi(flow)];
  const radius = between(random, 0.8, 1.6);
  const length = between(random, 14, 40);
  const values = new Float64Array(size * size);
  let covered = 0;
  let order = 0;
  let count = 0;
  while (covered < wanted * values.length) {
    const angle = 2 * random.random();
    const along = extension * cosPi(angle);
    const across = sinPi(angle) / extension;
    const norm = Math.sqrt(along * along + across * across);
    const [ux, uy] = [(along * fx - across * fy) / norm, (along * fy + across * fx) / norm];
    const half = (length * between(random, 0.6, 1.4)) / 2;
    // Centres also beyond the edge, as far as a fibre reaches in.
    const margin = half + radius;
    const x = between(random, -margin, size + margin);
    const y = between(random, -margin, size + margin);
    const level = between(random, 0.7, 1);
    const drawn = draw(values, size, { x, y, ux, uy, half, radius, level });
    if (drawn.touched === 0) continue;
    covered += drawn.gained;
    order += (2 * along * along) / (norm * norm) - 1;
    count++;
  }
  const facts = { fibreFraction: covered / values.length, orientationOrder: order / count, fibreLength: length };
  return { values, facts: { ...facts, fibreDiameter: 2 * radius } };
}

/** A line of half the length `half` about (x, y) along (ux, uy) with round ends, all in px. */
interface Fibre {
  x: number;
  y: number;
  ux: number;
  uy: number;
  half: number;
  radius: number;
  level: number;
}

/** Draws over what is there. @returns how many pixels the fibre reaches, and how many more lie in fibres than before. */
function draw(values: Float64Array, size: number, { x, y, ux, uy, half, radius, level }: Fibre) {
  let touched = 0;
  let gained = 0;
  const extent = (u: number, centre: number) => {
    const reach = Math.abs(u) * half + radius + 1;
    return [Math.max(0, Math.ceil(centre - reach)), Math.min(size - 1, Math.floor(centre + reach))];
  };
  const [left, right] = extent(ux, x);
  const [top, bottom] = extent(uy, y);
  for (let row = top; row <= bottom; row++)
    for (let column = left; column <= right; column++) {
      const [dx, dy] = [column - x, row - y];
      const at = Math.max(-half, Math.min(half, dx * ux + dy * uy));
      const [px, py] = [dx - at * ux, dy - at * uy];
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.sqrt(px * px + py * py)));
      if (cover === 0) continue;
      const i = row * size + column;
      const before = values[i];
      values[i] = before * (1 - cover) + level * cover;
      touched++;
      if (before < 0.5 && values[i] >= 0.5) gained++;
    }
  return { touched, gained };
}
