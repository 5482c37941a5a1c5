import { UserError } from "../core/errors.ts";
import { cosPi, sinPi } from "../core/portable.ts";
import { Rng } from "../core/random.ts";
import { sha256 } from "../core/sha256.ts";
import { emit } from "../core/tensor.ts";
import { type Batch, type DatasetRows, type LabelledDataset, type RowFeaturiser, targetsOf } from "./dataset.ts";
import type { Structure } from "./structure.ts";

/** How structures become clouds of points. */
export interface PointCloudSpec {
  /** Points of a cloud: as many are picked at random of a larger one; those of a smaller one come several times. */
  points: number;
  /** What is done to clouds each time they are seen in training: turned about the y axis and shaken, or nothing. */
  augment: "up" | "none";
}

export interface PointCloudJson {
  readonly version: 1;
  readonly kind: "pointCloud";
  readonly spec: PointCloudSpec;
}

/** The authors' noise, in units of the cloud's radius, and where it is cut off. */
const [JITTER, FARTHEST] = [0.01, 0.05];

/** Turns the atoms' positions of structures into clouds about the origin, the farthest point 1 away; elements play no part. */
export class PointCloudFeaturiser implements RowFeaturiser {
  readonly spec: PointCloudSpec;
  /** Numbers that describe a point. */
  readonly width = 3;

  /** @throws UserError for fewer points than one */
  constructor({ points = 128, augment = "up" }: Partial<PointCloudSpec> = {}) {
    if (!(Number.isInteger(points) && points >= 1))
      throw new UserError(`The points of a cloud must be a whole number ≥ 1, not ${points}.`);
    this.spec = { points, augment };
  }

  get hash(): string {
    return sha256(JSON.stringify(this.toJSON()));
  }

  /** @throws UserError where the rows have no structures */
  dataset(rows: DatasetRows): PointCloudDataset {
    if (!rows.structures)
      throw new UserError(
        `${rows.file} has no structures.`,
        "A net of points learns from the positions in xyz, extxyz, CIF or POSCAR files.",
      );
    return new PointCloudDataset(rows.structures.map(unitCloud), targetsOf(rows), this.spec);
  }

  toJSON(): PointCloudJson {
    return { version: 1, kind: "pointCloud", spec: this.spec };
  }

  /** The featuriser that `toJSON` came from. @throws UserError for anything else */
  static fromJSON({ version, kind, spec }: Partial<PointCloudJson>): PointCloudFeaturiser {
    if (version !== 1 || kind !== "pointCloud")
      throw new UserError("This is not a point-cloud featuriser, or one of a newer version of spinel.");
    return new PointCloudFeaturiser(spec);
  }
}

/** Positions about their mean, divided by the largest distance from it [atoms · 3]. */
function unitCloud({ positions, length }: Structure): Float32Array {
  const mean = [0, 1, 2].map((c) => positions.filter((_, k) => k % 3 === c).reduce((sum, x) => sum + x / length, 0));
  const centred = positions.map((x, k) => x - mean[k % 3]);
  let square = 0;
  for (let k = 0; k < centred.length; k += 3)
    square = Math.max(square, centred[k] ** 2 + centred[k + 1] ** 2 + centred[k + 2] ** 2);
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  return Float32Array.from(centred, (x) => x * scale);
}

/** Clouds in the order of a table's rows. */
export class PointCloudDataset implements LabelledDataset {
  constructor(
    /** Each [points · 3]. */
    private readonly clouds: readonly Float32Array[],
    readonly y: Float32Array,
    private readonly spec: PointCloudSpec,
  ) {}

  get length(): number {
    return this.clouds.length;
  }

  get outputs(): number {
    return this.y.length / this.length;
  }

  /** A net's widest layer holds a thousand numbers for each point. */
  get inferenceBatch(): number {
    return Math.max(1, Math.floor(16384 / this.spec.points));
  }

  /** inputs: [points [rows, points, 3]]. While training (`rng`) other points of a large cloud are picked each time. */
  batch(rows: Int32Array, rng?: Rng): Batch {
    const { points, augment } = this.spec;
    const { outputs, y } = this;
    const targets = new Float32Array(rows.length * outputs);
    rows.forEach((row, i) => targets.set(y.subarray(row * outputs, (row + 1) * outputs), i * outputs));
    const values = new Float32Array(rows.length * points * 3);
    rows.forEach((row, i) => {
      const cloud = this.clouds[row];
      const count = cloud.length / 3;
      // The same points every time where nothing is learned.
      const order = count > points ? (rng ?? new Rng(0)).permutation(count) : undefined;
      const [cos, sin] = rng && augment === "up" ? turnOf(rng) : [1, 0];
      for (let k = 0; k < points; k++) {
        const at = 3 * (order ? order[k] : k % count);
        const [x, height, z] = cloud.subarray(at, at + 3);
        values.set([cos * x + sin * z, height, cos * z - sin * x], 3 * (i * points + k));
      }
    });
    if (rng && augment === "up") jitter(values, rng);
    return { inputs: [emit([rows.length, points, 3], ({ data }) => data.set(values))], targets };
  }
}

function turnOf(rng: Rng): [cos: number, sin: number] {
  const half = 2 * rng.random();
  return [cosPi(half), sinPi(half)];
}

function jitter(values: Float32Array, rng: Rng): void {
  const noise = rng.normal([values.length], 0, JITTER).data;
  for (let k = 0; k < values.length; k++) values[k] += Math.min(FARTHEST, Math.max(-FARTHEST, noise[k]));
}
