import { UserError } from "../core/errors.ts";

export type Vector3 = readonly [x: number, y: number, z: number];
export type Matrix3 = readonly [Vector3, Vector3, Vector3];

/** The three vectors that a crystal repeats by, in Å: the rows a, b, c of a matrix, of either handedness. */
export class Lattice {
  /** Signed: negative for a left-handed set of vectors. Å³. */
  readonly determinant: number;
  /** Fractional = Cartesian · inverse. */
  readonly inverse: Matrix3;

  /** @throws UserError for vectors that are not finite or span no volume */
  constructor(readonly matrix: Matrix3) {
    const [a, b, c] = matrix;
    if (matrix.length !== 3 || matrix.some((row) => row.length !== 3 || !row.every(Number.isFinite)))
      throw new UserError(`A lattice is three vectors of three finite numbers, not ${JSON.stringify(matrix)}.`);
    const bc = cross(b, c);
    this.determinant = dot(a, bc);
    const lengths = matrix.map((v) => Math.hypot(...v));
    // A cell a million times flatter than a cube of its edges is a slip, and leaves nothing of f64's digits.
    if (!(Math.abs(this.determinant) > 1e-6 * lengths[0] * lengths[1] * lengths[2]))
      throw new UserError(
        `The lattice vectors ${matrix.map((v) => `[${v.join(", ")}]`).join(", ")} lie in a plane: they span no volume.`,
      );
    const over = (v: Vector3): Vector3 => [v[0] / this.determinant, v[1] / this.determinant, v[2] / this.determinant];
    this.inverse = transpose([over(bc), over(cross(c, a)), over(cross(a, b))]);
  }

  /**
   * From edges in Å and angles in degrees: a along x, b in the plane of x and y (as pymatgen and ASE put them).
   *
   * @throws UserError for edges ≤ 0 and angles that close no cell
   */
  static fromParameters(a: number, b: number, c: number, alpha: number, beta: number, gamma: number): Lattice {
    const [ca, cb, cg] = [alpha, beta, gamma].map(cosine);
    const sg = Math.sin((gamma * Math.PI) / 180);
    const y = (ca - cb * cg) / sg;
    const square = 1 - cb * cb - y * y;
    if (![a, b, c].every((edge) => edge > 0) || ![alpha, beta, gamma].every((t) => t > 0 && t < 180) || !(square > 0))
      throw new UserError(`There is no cell with edges ${a}, ${b}, ${c} Å and angles ${alpha}, ${beta}, ${gamma}°.`);
    return new Lattice([
      [a, 0, 0],
      [b * cg, b * sg, 0],
      [c * cb, c * y, c * Math.sqrt(square)],
    ]);
  }

  static cubic(a: number): Lattice {
    return Lattice.fromParameters(a, a, a, 90, 90, 90);
  }

  /** Å³. */
  get volume(): number {
    return Math.abs(this.determinant);
  }

  /** Edges in Å and angles in degrees. */
  get parameters(): { a: number; b: number; c: number; alpha: number; beta: number; gamma: number } {
    const [a, b, c] = this.matrix;
    return {
      ...{ a: Math.hypot(...a), b: Math.hypot(...b), c: Math.hypot(...c) },
      ...{ alpha: angle(b, c), beta: angle(a, c), gamma: angle(a, b) },
    };
  }

  /** fractional · matrix, Å. */
  toCartesian(fractional: Vector3): Vector3 {
    return times(fractional, this.matrix);
  }

  /** Å → in units of the lattice vectors; not wrapped into the cell. */
  toFractional(cartesian: Vector3): Vector3 {
    return times(cartesian, this.inverse);
  }
}

export const dot = (a: Vector3, b: Vector3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export const cross = (a: Vector3, b: Vector3): Vector3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** The row v times the matrix m. */
export const times = (v: Vector3, m: Matrix3): Vector3 => [
  v[0] * m[0][0] + v[1] * m[1][0] + v[2] * m[2][0],
  v[0] * m[0][1] + v[1] * m[1][1] + v[2] * m[2][1],
  v[0] * m[0][2] + v[1] * m[1][2] + v[2] * m[2][2],
];

const transpose = ([a, b, c]: Matrix3): Matrix3 => [
  [a[0], b[0], c[0]],
  [a[1], b[1], c[1]],
  [a[2], b[2], c[2]],
];

/** Degrees. */
const angle = (u: Vector3, v: Vector3): number => (Math.atan2(Math.hypot(...cross(u, v)), dot(u, v)) * 180) / Math.PI;

/** Of degrees; exactly 0 and ±½ where it is. */
function cosine(degrees: number): number {
  const exact: Record<number, number> = { 60: 0.5, 90: 0, 120: -0.5 };
  return exact[degrees] ?? Math.cos((degrees * Math.PI) / 180);
}
