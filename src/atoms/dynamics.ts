import { UserError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import type { Structure } from "../data/structure.ts";
import { ACCELERATION, BOLTZMANN, type EnergyModel, type Evaluation, largestForce, massesOf } from "./energyModel.ts";
import { gaussian } from "./gaussian.ts";

export interface DynamicsOptions {
  steps: number;
  /** fs */
  dt: number;
  /** K: of the first velocities, which are drawn by Maxwell and Boltzmann; with `friction`, of the heat bath. */
  temperature: number;
  /** 1/fs: Langevin dynamics at constant temperature. Without it, the energy is conserved. */
  friction?: number;
  seed?: number;
  /** Å/fs [atoms · 3], instead of drawn ones. */
  velocities?: ArrayLike<number>;
}

export interface DynamicsStep {
  step: number;
  /** fs */
  time: number;
  structure: Structure;
  evaluation: Evaluation;
  /** Å/fs [atoms · 3] */
  velocities: Float64Array;
  /** eV */
  kinetic: number;
  /** Kinetic and potential energy, eV. */
  total: number;
  /** K, by the degrees of freedom that there are: three less than coordinates where the centre of mass rests. */
  temperature: number;
}

/** K: no solid or molecule is there any more. */
const EXPLODED = 1e5;
/** Å: an atom that moves so far in one step has seen no force on its way. */
const FARTHEST = 1;

/**
 * Molecular dynamics. Without friction, velocity Verlet at constant energy; with it, Langevin dynamics by the splitting BAOAB, whose
 * averages of positions have the smallest error of its kind: Leimkuhler & Matthews, Appl. Math. Res. eXpress 2013, 34. Yields every
 * step, the first before anything moves. The same seed gives the same trajectory.
 *
 * @throws UserError where the simulation explodes or a force is not finite, and for options without sense
 */
export function* dynamics(structure: Structure, model: EnergyModel, options: DynamicsOptions): Generator<DynamicsStep> {
  const { steps, dt, temperature, friction, seed = 0 } = options;
  if (!(Number.isInteger(steps) && steps >= 1))
    throw new UserError(`dynamics: steps must be a whole number ≥ 1, not ${steps}.`);
  if (!(dt > 0 && dt < 1000)) throw new UserError(`dynamics: dt must be a number of femtoseconds above 0, not ${dt}.`);
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new UserError(`dynamics: the temperature must be a number of kelvins ≥ 0, not ${temperature}.`);
  if (friction !== undefined && !(friction > 0 && Number.isFinite(friction)))
    throw new UserError(`dynamics: the friction must be above 0 per femtosecond, not ${friction}.`);
  const rng = new Rng(seed);
  const n = 3 * structure.length;
  const masses = massesOf(structure);
  const mass = Float64Array.from({ length: n }, (_, k) => masses[Math.floor(k / 3)]);
  const resting = friction === undefined && structure.length > 1;
  const freedom = Math.max(1, resting ? n - 3 : n);
  const velocity = options.velocities
    ? Float64Array.from(options.velocities)
    : thermalVelocities(structure, temperature, rng.fork(1), freedom);
  if (velocity.length !== n)
    throw new UserError(`dynamics: ${structure.length} atoms need ${n} velocities, not ${velocity.length}.`);
  const noise = rng.fork(2);
  const kept = friction === undefined ? 1 : Math.exp(-friction * dt);
  const position = structure.positions.slice();
  let now = structure;
  let evaluation = model(now);
  const observe = (step: number): DynamicsStep => {
    const kinetic = kineticEnergy(mass, velocity);
    const found = (2 * kinetic) / (freedom * BOLTZMANN);
    const where = `${structure.source}: molecular dynamics, step ${step}`;
    if (!(found < EXPLODED))
      throw new UserError(
        `${where}: the simulation exploded: the temperature is ${found.toPrecision(3)} K.`,
        "Take a shorter time step, or begin with a relaxed structure; or the potential has left what it has learned.",
      );
    largestForce(evaluation, where);
    const total = kinetic + evaluation.energy;
    return {
      step,
      time: step * dt,
      structure: now,
      evaluation,
      velocities: velocity.slice(),
      kinetic,
      total,
      temperature: found,
    };
  };
  const kick = (): void => {
    const { forces } = evaluation;
    for (let k = 0; k < n; k++) velocity[k] += (0.5 * dt * ACCELERATION * forces[k]) / mass[k];
  };
  const drift = (time: number): void => {
    for (let k = 0; k < n; k++) position[k] += time * velocity[k];
  };
  const bathe = (): void => {
    for (let k = 0; k < n; k++) {
      const spread = Math.sqrt(((1 - kept * kept) * BOLTZMANN * temperature * ACCELERATION) / mass[k]);
      velocity[k] = kept * velocity[k] + spread * gaussian(noise);
    }
  };
  yield observe(0);
  for (let step = 1; step <= steps; step++) {
    kick();
    const before = position.slice();
    if (friction === undefined) drift(dt);
    else {
      drift(0.5 * dt);
      bathe();
      drift(0.5 * dt);
    }
    const far = position.findIndex((x, k) => !(Math.abs(x - before[k]) < FARTHEST));
    if (far >= 0)
      throw new UserError(
        `${structure.source}: molecular dynamics, step ${step}: the simulation exploded: atom ${Math.floor(far / 3) + 1} moved by more than ${FARTHEST} Å in one step.`,
        "Take a shorter time step, or begin with a relaxed structure; or the potential has left what it has learned.",
      );
    now = structure.with({ positions: position });
    evaluation = model(now);
    kick();
    yield observe(step);
  }
}

/** Velocities at a temperature, Å/fs [atoms · 3], drawn and then brought to exactly that; the centre of mass rests. */
export function thermalVelocities(
  structure: Structure,
  temperature: number,
  rng: Rng,
  freedom = Math.max(1, 3 * structure.length - 3),
): Float64Array {
  const masses = massesOf(structure);
  const velocity = Float64Array.from(
    { length: 3 * structure.length },
    (_, k) => gaussian(rng) / Math.sqrt(masses[Math.floor(k / 3)]),
  );
  if (structure.length > 1) {
    const total = masses.reduce((sum, m) => sum + m, 0);
    for (let c = 0; c < 3; c++) {
      const drift = masses.reduce((sum, m, i) => sum + m * velocity[3 * i + c], 0) / total;
      for (let i = 0; i < masses.length; i++) velocity[3 * i + c] -= drift;
    }
  }
  const mass = Float64Array.from(velocity, (_, k) => masses[Math.floor(k / 3)]);
  const found = (2 * kineticEnergy(mass, velocity)) / (freedom * BOLTZMANN);
  const scale = found > 0 ? Math.sqrt(temperature / found) : 0;
  return velocity.map((v) => scale * v);
}

/** ½Σmv², eV, of masses in g/mol and velocities in Å/fs. */
function kineticEnergy(mass: Float64Array, velocity: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < velocity.length; k++) sum += mass[k] * velocity[k] * velocity[k];
  return (0.5 * sum) / ACCELERATION;
}

/** How the total energy of a simulation at constant energy wanders. */
export interface Drift {
  /** The slope of a straight line through the total energies, meV per atom and ps. */
  slope: number;
  /** The largest distance from the first, meV per atom. */
  largest: number;
}

/** Collects the total energies of a simulation, step by step. */
export class DriftMeter {
  private count = 0;
  private readonly sums = { t: 0, e: 0, tt: 0, te: 0 };
  private first = 0;
  private largest = 0;

  constructor(private readonly atoms: number) {}

  add({ time, total }: Pick<DynamicsStep, "time" | "total">): void {
    if (this.count++ === 0) this.first = total;
    const [t, e] = [time / 1000, (1000 * (total - this.first)) / this.atoms];
    const { sums } = this;
    sums.t += t;
    sums.e += e;
    sums.tt += t * t;
    sums.te += t * e;
    this.largest = Math.max(this.largest, Math.abs(e));
  }

  get drift(): Drift {
    const { count: n, sums, largest } = this;
    const spread = n * sums.tt - sums.t * sums.t;
    return { slope: spread > 0 ? (n * sums.te - sums.t * sums.e) / spread : 0, largest };
  }
}
