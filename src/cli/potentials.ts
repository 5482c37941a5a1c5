import { UserError } from "../core/errors.ts";
import { CrystalGraphFeaturiser } from "../data/crystalGraph.ts";
import { readCrystals } from "../data/crystals.ts";
import type { LabelledDataset, RowFeaturiser } from "../data/dataset.ts";
import { ELEMENTS } from "../data/elements.ts";
import { writeExtxyz } from "../data/extxyz.ts";
import { neighbourList } from "../data/neighbours.ts";
import { type PotentialRecord, readRecords, writeRecord } from "../data/potentialDataset.ts";
import type { PotentialFeaturiser } from "../data/potentialFeaturiser.ts";
import { forcesIn, VOIGT, virialIn } from "../data/potentialLabels.ts";
import type { References } from "../data/referenceEnergies.ts";
import type { Property, Structure } from "../data/structure.ts";
import type { Table } from "../data/table.ts";
import { csvLine } from "../io/csv.ts";
import { POTENTIAL_WEIGHTS, type PotentialConfig, potentialScale } from "../train/potentialTask.ts";
import type { RowPredictor } from "../train/predictor.ts";
import type { PotentialRow, Split } from "../train/report.ts";
import type { Task } from "../train/task.ts";
import type { RunConfig } from "./config.ts";
import { graphSpec } from "./featurisers.ts";
import type { Outcome } from "./trainOne.ts";

/** What is asked of each frame to learn a potential from; free atoms are there for their energies alone. */
export function frameCheck(config: RunConfig): Pick<CrystalGraphFeaturiser, "check"> {
  const { forces, stress, radius = 0 } = config;
  const graphs = new CrystalGraphFeaturiser(graphSpec(config));
  return {
    check(structure) {
      graphs.check(structure);
      if (isFree(structure, radius)) return;
      if (forces !== undefined) forcesIn(structure, forces);
      if (stress !== undefined) virialIn(structure, stress);
    },
  };
}

const isFree = (structure: Structure, cutoff: number): boolean =>
  structure.length === 1 && neighbourList(structure, { cutoff }).index.length === 0;

/** Free atoms apart from the others: a network has nothing to learn from them, but the elements' energies are theirs. */
export function withoutAtoms(
  table: Table,
  { radius = 0 }: RunConfig,
  note: (text: string) => void,
): { rest: Table; atoms?: Map<number, number> } {
  const free = table.ids.map((_, row) => isFree(table.structures![row], radius));
  if (!free.includes(true)) return { rest: table };
  const rows = table.ids.map((_, row) => row);
  const rest = table.rows(rows.filter((row) => !free[row]));
  if (rest.length === 0)
    throw new UserError(`${table.file} holds isolated atoms only: there is nothing to learn from.`);
  const alone = table.rows(rows.filter((row) => free[row]));
  note(
    `${table.file}: ${alone.length} isolated ${alone.length === 1 ? "atom" : "atoms"}, used for the energies of the elements`,
  );
  return { rest, atoms: energiesOf(alone) };
}

/** The energies of free atoms: of the file that is named, or of those among the training frames. */
export async function freeAtoms(
  { references, energy, radius = 0 }: RunConfig,
  found: References | undefined,
): Promise<References | undefined> {
  if (references === undefined) return found;
  const table = await readCrystals(references, { target: energy, task: "regression" });
  const other = table.structures!.find((structure) => !isFree(structure, radius));
  if (other)
    throw new UserError(
      `${other.source}: ${other.length} atoms (${other.formula}); ${references} must hold single, isolated atoms.`,
      "--references names an xyz file with one frame of one atom for each element.",
    );
  return energiesOf(table);
}

function energiesOf({ structures, targets }: Table): Map<number, number> {
  const energies = new Map<number, number>();
  structures!.forEach(({ numbers: [z], source }, i) => {
    const energy = targets!.values[i];
    const before = energies.get(z);
    if (before !== undefined && Math.abs(before - energy) > 1e-6)
      throw new UserError(
        `${source}: the isolated atom ${ELEMENTS[z - 1].symbol} has an energy of ${energy} eV here and of ${before} eV elsewhere.`,
        "Keep one of them.",
      );
    energies.set(z, energy);
  });
  return energies;
}

/** How the energies and forces of a training set are learned. */
export function potentialConfig(config: RunConfig, train: LabelledDataset): PotentialConfig {
  const parts = { forces: config.forces !== undefined, stress: config.stress !== undefined };
  const { energy, forces, stress } = POTENTIAL_WEIGHTS;
  // Forces that vanish by symmetry choose no epoch.
  const atRest = readRecords(train.y, parts).every((record) => record.forces.every((f) => f === 0));
  const { energyWeight = energy, forcesWeight = forces, stressWeight = stress } = config;
  return {
    kind: "potential",
    loss: config.loss as PotentialConfig["loss"],
    scale: potentialScale(train.y, parts),
    weights: { energy: energyWeight, forces: forcesWeight, stress: stressWeight },
    ...parts,
    ...(parts.forces && atRest && { monitor: "loss" }),
  };
}

/** What is known and predicted of each structure, energies with the elements' own. */
export function potentialRows(
  config: PotentialConfig,
  featuriser: RowFeaturiser,
  { ids, structures, targets }: Table,
  predictions: Float32Array,
  y: Float32Array,
): PotentialRow[] {
  const wanted = readRecords(y, config);
  return readRecords(predictions, config).map((predicted, i) => {
    const structure = structures![i];
    const reference = (featuriser as PotentialFeaturiser).reference(structure);
    const stressOf = ({ virial }: PotentialRecord): number[] | undefined =>
      config.stress ? Array.from(virial, (x) => x / structure.lattice!.volume) : undefined;
    return {
      id: ids[i],
      formula: structure.formula,
      elements: [...new Set(structure.numbers)].map((z) => ELEMENTS[z - 1].symbol),
      structure,
      atoms: structure.length,
      spaceGroup: structure.spaceGroup,
      energy: targets!.values[i],
      predictedEnergy: reference + predicted.energy,
      ...(config.forces && { forces: wanted[i].forces, predictedForces: predicted.forces }),
      ...(config.stress && { stress: stressOf(wanted[i]), predictedStress: stressOf(predicted) }),
    };
  });
}

/** The least to be beaten: the elements' energies, without forces. */
export function elementsAlone(data: Partial<Record<Split, LabelledDataset>>, task: Task): Outcome["baselines"][number] {
  const config = task.toJSON() as PotentialConfig;
  const zeros = (y: Float32Array): Float32Array => {
    const records = readRecords(y, config).map(({ atoms, forces, virial }) =>
      writeRecord({ atoms, volume: 0, energy: 0, forces: forces.map(() => 0), virial: virial.map(() => 0) }),
    );
    return Float32Array.from(records.flatMap((record) => [...record]));
  };
  const figures = Object.entries(data).map(([split, { y }]) => [split, task.metrics(zeros(y), y)]);
  return { name: `the elements' energies${config.forces ? ", no forces" : ""}`, metrics: Object.fromEntries(figures) };
}

/** The frames of validation and test (with folds, of all test sets) with what is known and predicted of them. */
export function predictionsXyz(outcomes: readonly Outcome[]): string {
  const frames = outcomes.flatMap(({ rows }, i) =>
    (["validation", "test"] as const).flatMap((split) =>
      ((rows[split] ?? []) as PotentialRow[]).flatMap(({ structure, predictedEnergy, predictedForces, ...row }) => {
        if (outcomes.length > 1 && split === "validation") return [];
        const stress = row.predictedStress && nine(row.predictedStress);
        const more = { split, ...(outcomes.length > 1 && { fold: i + 1 }) };
        const predicted = { energy: predictedEnergy, forces: predictedForces, stress };
        return [withPrediction(structure as Structure, predicted, more)];
      }),
    ),
  );
  return writeExtxyz(frames);
}

/** A potential's predictions for structures as text: energies as CSV, or all of it as extended xyz or JSON lines. */
export function potentialLines(
  predictor: RowPredictor,
  table: Table,
  { json, header, xyz }: { json: boolean; header: boolean; xyz: boolean },
): string {
  if (table.length === 0) return "";
  const featuriser = predictor.featuriser as PotentialFeaturiser;
  const records = readRecords(predictor.predict(table), predictor.task.toJSON() as PotentialConfig);
  const predicted = records.map((record, i) => {
    const structure = table.structures![i];
    const { volume } = structure.lattice ?? { volume: Number.NaN };
    const crystal = record.virial.length > 0 && structure.periodic.every(Boolean);
    return {
      id: table.ids[i],
      structure,
      energy: featuriser.reference(structure) + record.energy,
      forces: record.forces.length > 0 ? record.forces : undefined,
      stress: crystal ? nine(record.virial.map((x) => x / volume)) : undefined,
    };
  });
  if (json)
    return predicted
      .map(({ id, structure: { formula }, energy, forces, stress }) => {
        const triples =
          forces && Array.from({ length: forces.length / 3 }, (_, k) => [...forces.slice(3 * k, 3 * k + 3)]);
        return `${JSON.stringify({ id, formula, energy, forces: triples, stress })}\n`;
      })
      .join("");
  if (xyz) return writeExtxyz(predicted.map((p) => withPrediction(p.structure, p)));
  const rows = predicted.map(({ id, structure, energy }) => [id, structure.formula, energy]);
  const columns = ["id", "formula", `predicted ${predictor.card.target.name}`];
  return (header ? [columns, ...rows] : rows).map(csvLine).join("");
}

/** A structure with what is predicted of it beside what its file says: predicted_energy, predicted_forces, predicted_stress. */
function withPrediction(
  structure: Structure,
  predicted: { energy: number; forces?: ArrayLike<number>; stress?: ArrayLike<number> },
  more: Record<string, Property> = {},
): Structure {
  const { energy, forces, stress } = predicted;
  return structure.with({
    properties: {
      ...structure.properties,
      ...more,
      predicted_energy: energy,
      ...(stress && { predicted_stress: Array.from(stress).join(" ") }),
    },
    arrays: { ...structure.arrays, ...(forces && { predicted_forces: Float64Array.from(forces) }) },
  });
}

/** Six numbers in Voigt's order as the nine of a matrix, by rows. */
function nine(voigt: ArrayLike<number>): number[] {
  const out = new Array<number>(9).fill(0);
  VOIGT.forEach(([i, j], k) => {
    out[3 * i + j] = out[3 * j + i] = voigt[k];
  });
  return out;
}
