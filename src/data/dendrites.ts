import type { NumpyRandom } from "../core/numpyRandom.ts";
import { cosPi, sinPi } from "../core/portable.ts";
import { between, type Field } from "./field.ts";

/** Kobayashi's numbers: ε̄, τ, α, γ, and the noise; time and length are his, too. */
const EPSILON = 0.01;
const TAU = 0.0003;
const ALPHA = 0.9;
const GAMMA = 10;
const NOISE = 0.01;
/** A pixel: twice his, so that a picture of 64 pixels shows side arms. Much longer time steps are unstable with it. */
const STEP = 0.055;
const DT = 0.00045;
/** Radius of a nucleus, pixels. */
const NUCLEUS = 2.5;
/** So near to 0 or 1 the phase is set to it, so that nothing need be computed away from interfaces. */
const BULK = 1e-4;

/** (α/π)·arctan(γu) at u = i/256 − ½, i = 0 … 512: the driving force m, |m| < ½, of the undercooling u. */
const DRIVING = Float64Array.from({ length: 513 }, (_, i) => (ALPHA / Math.PI) * arctan(GAMMA * (i / 256 - 0.5)));

/** arctan x within 1e-12 from its series, after halving the angle three times. */
function arctan(x: number): number {
  let t = x;
  for (let i = 0; i < 3; i++) t /= 1 + Math.sqrt(1 + t * t);
  let sum = 0;
  for (let k = 20; k >= 0; k--) sum = 1 / (2 * k + 1) - t * t * sum;
  return 8 * t * sum;
}

export interface Solidification {
  /** Nuclei: places in px, and each crystal's orientation in half turns. */
  readonly nuclei: readonly { readonly x: number; readonly y: number; readonly orientation: number }[];
  /** Arms of a crystal, 4 or 6. */
  readonly symmetry: 4 | 6;
  /** δ, of the interface's energy. */
  readonly anisotropy: number;
  /** K, dimensionless: at 1/K the melt's undercooling is used up. */
  readonly latentHeat: number;
  /** Stops when so much is solid, 0 … 1, or after `maxSteps`. */
  readonly solidFraction: number;
  readonly maxSteps: number;
}

/**
 * Growth of crystals into an undercooled melt by Kobayashi's phase field, p = 1 solid and 0 liquid, T = 0 the melt and 1 melting:
 *
 *   τ ∂p/∂t = ∂ₓ(ε²∂ₓp − εε′∂ᵧp) + ∂ᵧ(ε²∂ᵧp + εε′∂ₓp) + p(1 − p)(p − ½ + m(T)) + noise,   ∂T/∂t = ∇²T + K ∂p/∂t
 *
 * with ε = ε̄(1 + δ cos j(θ − θ₀)), θ the direction of −∇p, m = (α/π) arctan γ(1 − T). Heat does not leave the square. Finite volumes,
 * explicit in time; each pixel takes its crystal's orientation θ₀ from the nearest nucleus.
 *
 * @returns   p and T, [size, size] each, and the solid fraction reached
 * @see Kobayashi, Physica D 63, 410 (1993)
 */
export function solidify(
  size: number,
  { nuclei, symmetry, anisotropy, latentHeat, solidFraction, maxSteps }: Solidification,
  random: NumpyRandom,
): { phase: Float64Array; temperature: Float64Array; solid: number } {
  // One more pixel on each side repeats the outermost, so that nothing flows out.
  const width = size + 2;
  const p = new Float64Array(width * width);
  const t = new Float64Array(width * width);
  const change = new Float64Array(width * width);
  const turns = { cos: new Float64Array(width * width), sin: new Float64Array(width * width) };
  for (let i = 0; i < p.length; i++) {
    let distance = Infinity;
    for (const { x, y, orientation } of nuclei) {
      const [dx, dy] = [x + 1 - (i % width), y + 1 - Math.floor(i / width)];
      if (dx * dx + dy * dy >= distance) continue;
      distance = dx * dx + dy * dy;
      turns.cos[i] = orientation;
    }
    p[i] = Math.max(0, Math.min(1, NUCLEUS + 0.5 - Math.sqrt(distance)));
    turns.sin[i] = sinPi(symmetry * turns.cos[i]);
    turns.cos[i] = cosPi(symmetry * turns.cos[i]);
  }
  // A congruential generator suffices to roughen the interface, and is cheap.
  const noise = new Uint32Array([random.uint32()]);
  let solid = 0;
  for (let step = 0; step < maxSteps && solid < solidFraction; step++) {
    mirror(p, width);
    mirror(t, width);
    diffuse(p, change.fill(0), turns, size, symmetry, anisotropy);
    solid = advance(p, t, change, size, latentHeat, noise) / (size * size);
  }
  return { phase: inner(p, size), temperature: inner(t, size), solid };
}

/** Adds to `change` what the phase's fluxes bring into each pixel in one step. */
function diffuse(
  p: Float64Array,
  change: Float64Array,
  turns: { cos: Float64Array; sin: Float64Array },
  size: number,
  symmetry: 4 | 6,
  anisotropy: number,
): void {
  const width = size + 2;
  const scale = (DT / (TAU * STEP * STEP)) * EPSILON * EPSILON;
  /** Through a face: the gradient is (nx, ny), `ahead` its part along the face's normal, `left` the one a quarter turn on. */
  const flux = (ahead: number, left: number, nx: number, ny: number, i: number): number => {
    const square = nx * nx + ny * ny;
    if (square === 0) return 0;
    // (cos jθ, sin jθ) as a power of the unit vector: j is even, so that the gradient's sign does not matter.
    const c2 = (nx * nx - ny * ny) / square;
    const s2 = (2 * nx * ny) / square;
    const c4 = c2 * c2 - s2 * s2;
    const s4 = 2 * c2 * s2;
    const c = symmetry === 4 ? c4 : c4 * c2 - s4 * s2;
    const s = symmetry === 4 ? s4 : s4 * c2 + c4 * s2;
    const epsilon = 1 + anisotropy * (c * turns.cos[i] + s * turns.sin[i]);
    const slope = -anisotropy * symmetry * (s * turns.cos[i] - c * turns.sin[i]);
    return scale * epsilon * (epsilon * ahead - slope * left);
  };
  for (let row = 1; row <= size; row++)
    for (let column = 1, i = row * width + 1; column <= size; column++, i++) {
      const here = p[i];
      const right = p[i + 1];
      const below = p[i + width];
      const corner = p[i + width + 1];
      const rightAbove = p[i + 1 - width];
      const leftBelow = p[i - 1 + width];
      if (here === right && here === below && here === corner && here === rightAbove && here === leftBelow) continue;
      if (column < size) {
        const gx = right - here;
        const gy = (corner - rightAbove + below - p[i - width]) / 4;
        const through = flux(gx, gy, gx, gy, i);
        change[i] += through;
        change[i + 1] -= through;
      }
      if (row < size) {
        const gx = (corner - leftBelow + right - p[i - 1]) / 4;
        const gy = below - here;
        const through = flux(gy, -gx, gx, gy, i);
        change[i] += through;
        change[i + width] -= through;
      }
    }
}

/** Adds the reaction and the heat to the fluxes in `change` and takes the step. @returns the sum of p */
function advance(
  p: Float64Array,
  t: Float64Array,
  change: Float64Array,
  size: number,
  latentHeat: number,
  noise: Uint32Array,
): number {
  const width = size + 2;
  const heat = DT / (STEP * STEP);
  let word = noise[0];
  for (let row = 1; row <= size; row++)
    for (let i = row * width + 1, end = i + size; i < end; i++) {
      const mixed = p[i] * (1 - p[i]);
      if (mixed === 0) continue;
      const place = Math.max(0, Math.min(511.999, (1.5 - t[i]) * 256));
      const low = Math.floor(place);
      const driving = DRIVING[low] + (place - low) * (DRIVING[low + 1] - DRIVING[low]);
      word = (Math.imul(word, 1664525) + 1013904223) | 0;
      change[i] += (DT / TAU) * mixed * (p[i] - 0.5 + driving + NOISE * word * 2 ** -32);
    }
  noise[0] = word;
  let sum = 0;
  const above = t.slice(0, width);
  for (let row = 1; row <= size; row++) {
    let left = t[row * width];
    for (let column = 1, i = row * width + 1; column <= size; column++, i++) {
      const here = t[i];
      const after = p[i] + change[i];
      const next = after < BULK ? 0 : after > 1 - BULK ? 1 : after;
      const spread = above[column] + left + t[i + 1] + t[i + width] - 4 * here;
      t[i] = here + heat * spread + latentHeat * (next - p[i]);
      sum += p[i] = next;
      above[column] = left = here;
    }
  }
  return sum;
}

/** The outermost pixels repeat the next ones. */
function mirror(x: Float64Array, width: number): void {
  const last = (width - 1) * width;
  x.copyWithin(0, width, 2 * width);
  x.copyWithin(last, last - width, last);
  for (let row = 0; row <= last; row += width) {
    x[row] = x[row + 1];
    x[row + width - 1] = x[row + width - 2];
  }
}

function inner(x: Float64Array, size: number): Float64Array {
  return Float64Array.from(
    { length: size * size },
    (_, i) => x[(Math.floor(i / size) + 1) * (size + 2) + 1 + (i % size)],
  );
}

/** Dendrites with four or six arms, one nucleus or two for 64 × 64 pixels; the melt around them is a little brighter where it is warm. */
export function dendrites(size: number, random: NumpyRandom): Field {
  const symmetry = random.integer(2) === 0 ? 4 : 6;
  const count = Math.max(1, Math.round(((size * size) / 4096) * between(random, 0.5, 2.5)));
  const nuclei = Array.from({ length: count }, () => ({
    x: between(random, 0.1, 0.9) * size,
    y: between(random, 0.1, 0.9) * size,
    orientation: 2 * random.random(),
  }));
  const latentHeat = between(random, 1.75, 2);
  // Six arms need less: from δ = 1/(j² − 1) on, directions are missing from the equilibrium shape.
  const anisotropy = between(random, 0.6, 1) * (symmetry === 4 ? 0.055 : 0.033);
  const solidFraction = between(random, 0.25, 0.4);
  const growth = { nuclei, symmetry, anisotropy, latentHeat, solidFraction, maxSteps: 1000 } as const;
  const { phase, temperature, solid } = solidify(size, growth, random);
  const warmth = between(random, 0, 0.3);
  const values = phase.map((x, i) => x + warmth * temperature[i]);
  return { values, facts: { symmetry, nuclei: count, latentHeat, anisotropy, solidFraction: solid } };
}
