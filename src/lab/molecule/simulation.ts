import { DriftMeter, type DynamicsStep, dynamics, type EnergyModel } from "../../atoms/index.ts";
import type { Structure } from "../../data/structure.ts";
import type { SimulationConfig } from "./config.ts";

/** Energies along a simulation, eV, over the time, fs: thinned out as they grow. */
export interface Trace {
  time: Float64Array;
  potential: Float64Array;
  kinetic: Float64Array;
  total: Float64Array;
}

/** A simulation at one moment. */
export interface Frame {
  /** Å [atoms · 3] */
  positions: Float64Array;
  /** eV/Å [atoms · 3] */
  forces: Float64Array;
  /** fs */
  time: number;
  /** K: now, and the mean since the beginning or the last change. */
  temperature: number;
  meanTemperature: number;
  /** meV per atom: the largest distance of the total energy from the first; undefined in a heat bath, which gives and takes energy. */
  drift?: number;
  trace: Trace;
}

/** Most points of a trace. */
const MOST = 600;
/** 1/fs: of the heat bath. */
const FRICTION = 0.02;

type Point = readonly [time: number, potential: number, kinetic: number, total: number];

/** Atoms under forces; what may change while it runs goes on from where they are. */
export class Simulation {
  /** Of the present settings. */
  private steps: Generator<DynamicsStep>;
  private now: DynamicsStep;
  private meter: DriftMeter;
  /** Time at which the present settings began. */
  private begun = 0;
  private sum = 0;
  private count = 0;
  private points: Point[] = [];
  private stride = 1;
  private taken = 0;

  /** Of the structure at the beginning, eV: shown as 0. */
  private readonly zero: number;

  constructor(
    structure: Structure,
    private readonly model: EnergyModel,
    private config: SimulationConfig,
  ) {
    this.zero = model(structure).energy;
    this.meter = new DriftMeter(structure.length);
    this.steps = this.start(structure);
    this.now = this.steps.next().value;
    this.observe();
  }

  private start(structure: Structure, velocities?: Float64Array): Generator<DynamicsStep> {
    const { timeStep, temperature, bath } = this.config;
    return dynamics(structure, this.model, {
      ...{ steps: Number.MAX_SAFE_INTEGER, dt: timeStep, temperature, velocities },
      // Another sequence of kicks after each change.
      ...{ seed: this.taken, friction: bath ? FRICTION : undefined },
    });
  }

  /** Other settings from now on. Without a heat bath, another temperature is a kick: the velocities are scaled to it. */
  tune(config: SimulationConfig): void {
    const before = this.config;
    this.config = config;
    const { structure, velocities, temperature } = this.now;
    const kicked = !config.bath && config.temperature !== before.temperature && temperature > 0;
    const factor = kicked ? Math.sqrt(config.temperature / temperature) : 1;
    this.begun += this.now.time;
    this.steps = this.start(
      structure,
      velocities.map((v) => factor * v),
    );
    this.now = this.steps.next().value;
    this.meter = new DriftMeter(structure.length);
    this.sum = this.count = 0;
    this.observe();
  }

  /** One time step. @throws UserError where it explodes */
  advance(): void {
    this.now = this.steps.next().value;
    this.taken++;
    this.observe();
  }

  private observe(): void {
    const { now, zero } = this;
    this.meter.add(now);
    this.sum += now.temperature;
    this.count++;
    if (this.taken % this.stride > 0) return;
    this.points.push([this.begun + now.time, now.evaluation.energy - zero, now.kinetic, now.total - zero]);
    if (this.points.length <= MOST) return;
    this.points = this.points.filter((_, i) => i % 2 === 0);
    this.stride *= 2;
  }

  get frame(): Frame {
    const { now, points, config, meter, begun, sum, count } = this;
    const along = (k: number): Float64Array => Float64Array.from(points, (point) => point[k]);
    return {
      ...{ positions: now.structure.positions.slice(), forces: now.evaluation.forces.slice() },
      ...{ time: begun + now.time, temperature: now.temperature, meanTemperature: sum / count },
      drift: config.bath ? undefined : meter.drift.largest,
      trace: { time: along(0), potential: along(1), kinetic: along(2), total: along(3) },
    };
  }
}
