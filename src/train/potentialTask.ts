import { GPA } from "../atoms/energyModel.ts";
import { UserError } from "../core/errors.ts";
import { indices, type Tensor, tensor } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import { type PotentialRecord, type RecordParts, readRecords, writeRecord } from "../data/potentialDataset.ts";
import { VOIGT } from "../data/potentialLabels.ts";
import { forcesOf } from "../nn/index.ts";
import { add, affine, huberLoss, l1Loss, mseLoss, mul, reshape, take } from "../ops/index.ts";
import type { Task } from "./task.ts";

/** What the errors of energies (per atom), forces and stresses (times the volume, per atom) count in the loss. */
export interface PotentialWeights {
  energy: number;
  forces: number;
  stress: number;
}

export interface PotentialConfig {
  kind: "potential";
  /** Of every number's error: squared, absolute, or squared where it is small (< `delta` scales). */
  loss: "mse" | "l1" | "huber";
  delta?: number;
  /** What a network's output of 1 stands for: eV, and eV/Å. The root mean square of the forces to learn from makes a good one. */
  scale: number;
  weights: PotentialWeights;
  forces: boolean;
  stress: boolean;
  /** The metric that chooses the best epoch. Default: forceMae, or energyMae where there are no forces. */
  monitor?: string;
}

/**
 * Equal weights of energies per atom and forces are, for a molecule of ten atoms, SchNetPack's 0.01 of squared energies and 0.99 of
 * squared forces.
 */
export const POTENTIAL_WEIGHTS: PotentialWeights = { energy: 1, forces: 1, stress: 0.1 };

/**
 * The scale of energies and forces in a data set: the root mean square of the forces, eV/Å; where there are none, or all vanish by
 * symmetry, that of the energies per atom, eV.
 */
export function potentialScale(targets: Float32Array, parts: RecordParts): number {
  const records = readRecords(targets, parts);
  const rms = (values: readonly number[]): number => Math.sqrt(average(values, (x) => x * x));
  const forces = records.flatMap((record) => [...record.forces]);
  return rms(forces) || rms(records.map(({ energy, atoms }) => energy / atoms)) || 1;
}

/**
 * Energies with forces and stresses as their derivatives. A model gives one number for each structure, its energy in units of
 * `scale`; loss = wE·ℓ(ΔE/atoms) + wF·ℓ(ΔF) + wS·ℓ(Δ(stress·volume)/atoms), all in units of `scale` (eV, eV/Å), ℓ averaged over
 * structures or components.
 */
export class PotentialTask implements Task {
  readonly outputs = 1;
  readonly recorded: boolean;
  readonly monitor: { metric: string; mode: "min" };

  constructor(private readonly config: PotentialConfig) {
    const { forces, stress, scale } = config;
    if (!(scale > 0 && Number.isFinite(scale)))
      throw new UserError(`A potential's scale must be above 0, not ${scale}.`);
    this.recorded = forces || stress;
    this.monitor = { metric: config.monitor ?? (forces ? "forceMae" : "energyMae"), mode: "min" };
  }

  loss(output: Tensor, targets: Float32Array, [graph]: readonly unknown[]): Tensor {
    const { scale, weights, forces, stress } = this.config;
    const records = readRecords(targets, this.config);
    const column = (of: (record: PotentialRecord) => number): Tensor => tensor(records.map(of), [records.length, 1]);
    const perAtom = column(({ atoms }) => 1 / atoms);
    let loss = affine(
      this.measure(
        mul(output, perAtom),
        column(({ energy, atoms }) => energy / (scale * atoms)),
      ),
      { scale: weights.energy, shift: 0 },
    );
    if (!this.recorded) return loss;
    const found = forcesOf(output, graph as Graph, { differentiable: true, stress });
    const term = (predicted: Tensor, wanted: number[], weight: number): void => {
      const error = this.measure(predicted, tensor(wanted, predicted.shape));
      loss = add(loss, affine(error, { scale: weight, shift: 0 }));
    };
    if (forces)
      term(
        found.forces,
        records.flatMap((r) => Array.from(r.forces, (f) => f / scale)),
        weights.forces,
      );
    if (stress)
      term(
        mul(voigt(found.virial!), perAtom),
        records.flatMap(({ virial, atoms }) => Array.from(virial, (w) => w / (scale * atoms))),
        weights.stress,
      );
    return loss;
  }

  private measure(predicted: Tensor, wanted: Tensor): Tensor {
    const { loss, delta } = this.config;
    if (loss === "huber") return huberLoss(predicted, wanted, { delta });
    return loss === "l1" ? l1Loss(predicted, wanted) : mseLoss(predicted, wanted);
  }

  decode(output: Tensor, [graph]: readonly unknown[]): Float32Array {
    const { scale, stress } = this.config;
    const energies = output.toArray();
    const found = this.recorded ? forcesOf(output, graph as Graph, { stress }) : undefined;
    const forces = this.config.forces ? found!.forces.toArray() : undefined;
    const virial = found?.virial && voigt(found.virial).toArray();
    const start = (graph as Graph).owners.ptr.toArray();
    const records = Array.from(energies, (energy, g) => {
      const cut = (values: Float32Array | undefined, from: number, to: number): Float32Array =>
        (values?.subarray(from, to) ?? new Float32Array()).map((x) => scale * x);
      return writeRecord({
        ...{ atoms: start[g + 1] - start[g], volume: 0, energy: scale * energy },
        forces: cut(forces, 3 * start[g], 3 * start[g + 1]),
        virial: cut(virial, 6 * g, 6 * g + 6),
      });
    });
    const out = new Float32Array(records.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const record of records) {
      out.set(record, at);
      at += record.length;
    }
    return out;
  }

  /**
   * energyMae (meV/atom), energyMaeStructure (meV), forceMae and forceRmse (meV/Å, over components), stressMae (GPa, over components),
   * and the loss.
   */
  metrics(predictions: Float32Array, targets: Float32Array): Record<string, number> {
    const { forces, stress, scale, weights } = this.config;
    const predicted = readRecords(predictions, this.config);
    const wanted = readRecords(targets, this.config);
    const perAtom: number[] = [];
    const whole: number[] = [];
    const force: number[] = [];
    const virial: number[] = [];
    const tension: number[] = [];
    wanted.forEach((w, i) => {
      const p = predicted[i];
      whole.push(p.energy - w.energy);
      perAtom.push((p.energy - w.energy) / w.atoms);
      for (let k = 0; k < w.forces.length; k++) force.push(p.forces[k] - w.forces[k]);
      for (let k = 0; k < w.virial.length; k++) {
        virial.push((p.virial[k] - w.virial[k]) / w.atoms);
        tension.push((p.virial[k] - w.virial[k]) / w.volume);
      }
    });
    const term = (errors: number[]): number => average(errors, (x) => this.pointwise(x / scale));
    const loss =
      weights.energy * term(perAtom) +
      (forces ? weights.forces * term(force) : 0) +
      (stress ? weights.stress * term(virial) : 0);
    return {
      loss,
      energyMae: 1000 * average(perAtom, Math.abs),
      energyMaeStructure: 1000 * average(whole, Math.abs),
      ...(forces && {
        forceMae: 1000 * average(force, Math.abs),
        forceRmse: 1000 * Math.sqrt(average(force, (x) => x * x)),
      }),
      ...(stress && { stressMae: GPA * average(tension, Math.abs) }),
    };
  }

  /** ℓ of one error. */
  private pointwise(error: number): number {
    const { loss, delta = 1 } = this.config;
    const size = Math.abs(error);
    if (loss === "l1") return size;
    if (loss === "mse") return size * size;
    return size < delta ? 0.5 * size * size : delta * (size - 0.5 * delta);
  }

  toJSON(): PotentialConfig {
    return this.config;
  }
}

/** [graphs, 3, 3] → [graphs, 6]. */
const voigt = (virial: Tensor): Tensor =>
  take(reshape(virial, { shape: [virial.shape[0], 9] }), { index: indices(VOIGT.map(([i, j]) => 3 * i + j)), axis: 1 });

function average(values: readonly number[], of: (x: number) => number): number {
  let sum = 0;
  for (const x of values) sum += of(x);
  return sum / values.length;
}
