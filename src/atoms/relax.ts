import { UserError } from "../core/errors.ts";
import { Lattice, type Matrix3, times, type Vector3 } from "../data/lattice.ts";
import type { Structure } from "../data/structure.ts";
import { type EnergyModel, type Evaluation, GPA, largestForce } from "./energyModel.ts";

export interface RelaxOptions {
  /** Let the lattice change, too, until the stress is gone. */
  cell?: boolean;
  /** Converged when no force is larger, eV/Å. Default 0.01. */
  fmax?: number;
  /** Converged when no component of the stress is larger, GPa; where the cell is free. Default 0.1. */
  smax?: number;
  /** Default 1000. */
  maxSteps?: number;
}

export interface RelaxStep {
  step: number;
  structure: Structure;
  evaluation: Evaluation;
  /** The largest force, eV/Å. */
  force: number;
  /** The largest component of the stress, GPa, where there is a stress. */
  stress: number | undefined;
  converged: boolean;
}

/** The parameters of Bitzek et al.; the time step is in units in which all masses are 1. */
const FIRE = { start: 0.1, dt: 0.1, most: 1, grow: 1.1, shrink: 0.5, wait: 5, alpha: 0.99 };
/** Å: no coordinate moves farther in one step. */
const FARTHEST = 0.2;

/**
 * Moves atoms, and with `cell` the lattice, downhill to where forces vanish: FIRE, molecular dynamics that is steered towards the
 * forces and stopped when it goes uphill. Yields the structure after every step, first of all as given; the last one is converged,
 * or `maxSteps` were not enough. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006). A free cell is a further set of coordinates, the
 * deformation F (r = F·x) times the number of atoms, with the force −V·σ·F⁻ᵀ: Tadmor et al., Phys. Rev. B 59, 235 (1999).
 *
 * @throws UserError for forces that are not finite, and for a free cell where there is none
 */
export function* relax(structure: Structure, model: EnergyModel, options: RelaxOptions = {}): Generator<RelaxStep> {
  const { cell = false, fmax = 0.01, smax = 0.1, maxSteps = 1000 } = options;
  if (cell && !(structure.lattice && structure.periodic.every(Boolean)))
    throw new UserError(`${structure.source}: its cell cannot relax: it does not repeat in three directions.`);
  const space = new Coordinates(structure, cell);
  const velocity = new Float64Array(space.size);
  let [dt, alpha, downhill] = [FIRE.dt, FIRE.start, 0];
  for (let step = 0; ; step++) {
    const now = space.structure;
    const evaluation = model(now);
    const force = largestForce(evaluation, `${structure.source}: relaxation, step ${step}`);
    const pressure = evaluation.stress && GPA * Math.max(...evaluation.stress.flat().map(Math.abs));
    if (cell && pressure === undefined)
      throw new UserError("relax: a free cell needs a potential that gives the stress.");
    const converged = force <= fmax && (!cell || pressure! <= smax);
    yield { step, structure: now, evaluation, force, stress: pressure, converged };
    if (converged || step >= maxSteps) return;

    const f = space.forces(evaluation);
    const power = dot(f, velocity);
    if (power > 0) {
      const share = alpha * Math.sqrt(dot(velocity, velocity) / dot(f, f));
      for (let k = 0; k < f.length; k++) velocity[k] = (1 - alpha) * velocity[k] + share * f[k];
      if (downhill++ > FIRE.wait) {
        dt = Math.min(FIRE.most, FIRE.grow * dt);
        alpha *= FIRE.alpha;
      }
    } else if (step > 0) {
      velocity.fill(0);
      [dt, alpha, downhill] = [FIRE.shrink * dt, FIRE.start, 0];
    }
    for (let k = 0; k < f.length; k++) velocity[k] += dt * f[k];
    const length = dt * Math.sqrt(dot(velocity, velocity));
    const scale = dt * Math.min(1, FARTHEST / length);
    space.move(velocity, scale);
  }
}

/** Positions x of the atoms in the undeformed cell, and atoms · F: what a free cell is relaxed by. */
class Coordinates {
  readonly size: number;
  private readonly x: Float64Array;
  private f: Matrix3 = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];

  constructor(
    private readonly first: Structure,
    private readonly cell: boolean,
  ) {
    this.x = first.positions.slice();
    this.size = this.x.length + (cell ? 9 : 0);
  }

  /** r = F·x, and the lattice's vectors likewise. */
  get structure(): Structure {
    const { first, x } = this;
    if (!this.cell) return first.with({ positions: x });
    const turned = transpose(this.f);
    const positions = new Float64Array(x.length);
    for (let i = 0; i < x.length; i += 3) positions.set(times([x[i], x[i + 1], x[i + 2]], turned), i);
    const lattice = new Lattice(first.lattice!.matrix.map((v) => times(v, turned)) as unknown as Matrix3);
    return first.with({ positions, lattice });
  }

  forces({ forces, stress }: Evaluation): Float64Array {
    if (!this.cell) return forces;
    const out = new Float64Array(this.size);
    for (let i = 0; i < forces.length; i += 3) out.set(times([forces[i], forces[i + 1], forces[i + 2]], this.f), i);
    const { volume } = this.structure.lattice!;
    // σ·F⁻ᵀ, over the number of atoms, by which F is scaled as a coordinate.
    const inverse = transpose(new Lattice(this.f).inverse);
    stress!.forEach((row, a) => {
      out.set(
        times(row, inverse).map((x) => (-volume * x) / this.first.length),
        forces.length + 3 * a,
      );
    });
    return out;
  }

  move(velocity: Float64Array, by: number): void {
    const { x } = this;
    for (let k = 0; k < x.length; k++) x[k] += by * velocity[k];
    if (!this.cell) return;
    const n = this.first.length;
    this.f = this.f.map((row, a) =>
      row.map((value, b) => value + (by * velocity[x.length + 3 * a + b]) / n),
    ) as unknown as Matrix3;
  }
}

const transpose = ([a, b, c]: Matrix3): Matrix3 =>
  [
    [a[0], b[0], c[0]],
    [a[1], b[1], c[1]],
    [a[2], b[2], c[2]],
  ] as [Vector3, Vector3, Vector3];

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}
