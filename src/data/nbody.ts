import { UserError } from "../core/errors.ts";
import { NumpyRandom } from "../core/numpyRandom.ts";
import { sha256 } from "../core/sha256.ts";
import { GraphDataset } from "./crystalGraph.ts";
import { type DatasetRows, type RowFeaturiser, targetsOf } from "./dataset.ts";
import { type GraphData, graphData } from "./graph.ts";
import { Table } from "./table.ts";

/** Charged particles at two times. */
export interface NBodySystem {
  /** ±1 [particles] */
  readonly charges: Float64Array;
  /** At the first time [particles · 3]. */
  readonly positions: Float64Array;
  readonly velocities: Float64Array;
  /** At the second [particles · 3]. */
  readonly future: Float64Array;
}

/** Particles of a system. */
export const BODIES = 5;
const DT = 0.001;
const LARGEST_FORCE = 100;
/** Steps of the leapfrog to frames 30 and 40, a hundred steps each, frame 0 after the first hundred: one unit of time apart. */
const [FROM, TO] = [3100, 4100];

/**
 * One system of particles with charge ±1 that attract and repel each other in free space by Coulomb's law, F = q·q'·r/|r|³ (all
 * masses 1): the "charged particles" of Kipf et al. (ICML 2018) in three dimensions, as Satorras, Hoogeboom & Welling (ICML 2021) set
 * them. The same bits on every engine.
 */
export function nBodySystem(random: NumpyRandom): NBodySystem {
  const n = BODIES;
  const charges = Float64Array.from({ length: n }, () => (random.random() < 0.5 ? -1 : 1));
  // Drawn axis by axis.
  const draw = (): Float64Array => {
    const byAxis = Float64Array.from({ length: 3 * n }, () => random.normal());
    return byAxis.map((_, k) => byAxis[(k % 3) * n + Math.floor(k / 3)]);
  };
  const x = draw();
  const v = draw();
  for (let i = 0; i < n; i++) {
    const speed = Math.sqrt(v[3 * i] ** 2 + v[3 * i + 1] ** 2 + v[3 * i + 2] ** 2);
    for (let c = 0; c < 3; c++) v[3 * i + c] *= 0.5 / speed;
  }
  const force = new Float64Array(3 * n);
  kick(v, x, charges, force);
  let [positions, velocities] = [x, v];
  for (let step = 1; step <= TO; step++) {
    for (let k = 0; k < 3 * n; k++) x[k] += DT * v[k];
    if (step === FROM) [positions, velocities] = [x.slice(), v.slice()];
    if (step < TO) kick(v, x, charges, force);
  }
  return { charges, positions, velocities, future: x };
}

/** v += dt·F, each component of F at most ±100. */
function kick(v: Float64Array, x: Float64Array, q: Float64Array, force: Float64Array): void {
  force.fill(0);
  const n = q.length;
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const a = x[3 * i] - x[3 * j];
      const b = x[3 * i + 1] - x[3 * j + 1];
      const c = x[3 * i + 2] - x[3 * j + 2];
      const d2 = a * a + b * b + c * c;
      const size = (q[i] * q[j]) / (d2 * Math.sqrt(d2));
      force[3 * i] += size * a;
      force[3 * i + 1] += size * b;
      force[3 * i + 2] += size * c;
      force[3 * j] -= size * a;
      force[3 * j + 1] -= size * b;
      force[3 * j + 2] -= size * c;
    }
  for (let k = 0; k < 3 * n; k++) v[k] += DT * Math.min(LARGEST_FORCE, Math.max(-LARGEST_FORCE, force[k]));
}

/** Of each particle, in this order: its charge, its position, its velocity. */
const STATE = ["q", "x", "y", "z", "vx", "vy", "vz"];

/**
 * Systems as a table: the numeric columns q1, x1, y1, z1, vx1, vy1, vz1, q2, … and the targets x1, y1, z1, x2, … one unit of time later.
 * What a straight line x + v·t predicts is off by a mean square of 0.083 at best (t = 0.73).
 *
 * @param options.count   rows; any first rows do not depend on it
 * @param options.seed    0 … 2³² − 1
 */
export function nBody({ count = 3000, seed = 43 }: { count?: number; seed?: number } = {}): Table {
  if (!(Number.isInteger(count) && count >= 1)) throw new UserError(`nBody: count is ${count}, not 1, 2, …`);
  const random = new NumpyRandom(seed);
  const particles = Array.from({ length: BODIES }, (_, i) => i + 1);
  const width = STATE.length * BODIES;
  const values = new Float64Array(count * width);
  const targets = new Float64Array(count * 3 * BODIES);
  for (let row = 0; row < count; row++) {
    const { charges, positions, velocities, future } = nBodySystem(random);
    targets.set(future, row * future.length);
    charges.forEach((q, i) => {
      const own = [q, ...positions.subarray(3 * i, 3 * i + 3), ...velocities.subarray(3 * i, 3 * i + 3)];
      values.set(own, row * width + i * STATE.length);
    });
  }
  return new Table({
    ...{ file: "nbody", ids: Array.from({ length: count }, (_, row) => `system-${row + 1}`), formulas: undefined },
    lines: Int32Array.from({ length: count }, (_, row) => row + 1),
    numeric: { names: particles.flatMap((i) => STATE.map((name) => `${name}${i}`)), values },
    categorical: { names: [], values: [] },
    targets: { names: particles.flatMap((i) => ["x", "y", "z"].map((name) => `${name}${i}`)), values: targets },
    ...{ unused: [], dropped: [] },
  });
}

export interface NBodyJson {
  readonly version: 1;
  readonly kind: "nbody";
}

/** Turns rows of `nBody` into graphs in which every particle sees every other: v positions and velocities, e products of charges. */
export class NBodyFeaturiser implements RowFeaturiser {
  /** Numbers that describe a particle. */
  readonly width = 6;

  get hash(): string {
    return sha256(JSON.stringify(this.toJSON()));
  }

  /** @throws UserError for a table with other columns */
  dataset(rows: DatasetRows): GraphDataset {
    const { names, values } = rows.numeric;
    const width = names.length;
    if (
      width === 0 ||
      names.some((name, k) => name !== `${STATE[k % STATE.length]}${Math.floor(k / STATE.length) + 1}`)
    )
      throw new UserError(`${rows.file} are no moving particles.`, `Their columns are ${STATE.join("1, ")}1, q2, …`);
    const part = (row: number, first: number, count: number): Float64Array =>
      Float64Array.from({ length: (width / STATE.length) * count }, (_, k) => {
        const particle = Math.floor(k / count);
        return values[row * width + particle * STATE.length + first + (k % count)];
      });
    const graphs = Array.from({ length: rows.length }, (_, row) =>
      nBodyGraph({ charges: part(row, 0, 1), positions: part(row, 1, 3), velocities: part(row, 4, 3) }),
    );
    return new GraphDataset(graphs, undefined, this.width, targetsOf(rows));
  }

  toJSON(): NBodyJson {
    return { version: 1, kind: "nbody" };
  }

  static fromJSON({ version, kind }: Partial<NBodyJson>): NBodyFeaturiser {
    if (version !== 1 || kind !== "nbody")
      throw new UserError("This is not an N-body featuriser, or one of a newer version of spinel.");
    return new NBodyFeaturiser();
  }
}

/** The complete graph of a system's particles: v positions and velocities, e products of charges, vectors from receiver to sender. */
export function nBodyGraph({ charges, positions, velocities }: Omit<NBodySystem, "future">): GraphData {
  const nodes = charges.length;
  const [sender, receiver]: number[][] = [[], []];
  for (let i = 0; i < nodes; i++)
    for (let j = 0; j < nodes; j++)
      if (i !== j) {
        receiver.push(i);
        sender.push(j);
      }
  const v = new Float32Array(6 * nodes);
  for (let i = 0; i < nodes; i++) {
    v.set(positions.subarray(3 * i, 3 * i + 3), 6 * i);
    v.set(velocities.subarray(3 * i, 3 * i + 3), 6 * i + 3);
  }
  const vector = new Float32Array(3 * sender.length);
  sender.forEach((j, e) => {
    for (let c = 0; c < 3; c++) vector[3 * e + c] = positions[3 * j + c] - positions[3 * receiver[e] + c];
  });
  return graphData(nodes, sender, receiver, {
    v,
    e: Float32Array.from(sender, (j, e) => charges[j] * charges[receiver[e]]),
    vector,
  });
}
