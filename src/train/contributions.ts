import { UserError } from "../core/errors.ts";
import { noGrad } from "../core/op.ts";
import { scope, type Tensor } from "../core/tensor.ts";
import type { DatasetRows } from "../data/dataset.ts";
import type { Graph } from "../data/graph.ts";
import type { PotentialFeaturiser } from "../data/potentialFeaturiser.ts";
import type { Predictor } from "./predictor.ts";

/** What each atom of a structure adds to its prediction. */
export interface AtomContributions {
  /** Atomic numbers [atoms]. */
  numbers: Int32Array;
  /** In the target's unit [atoms]. */
  values: Float64Array;
  /** Of a potential: the energies of the free atoms, which its energy has beside these values, eV [atoms]. */
  references?: Float64Array;
  /** The prediction is their sum, or their mean. */
  readout: "sum" | "mean";
}

/** A model that is a sum, or mean, over atoms. */
interface Atomwise {
  /** → [atoms, outputs] */
  atomwise(graph: Graph): Tensor;
}

const isAtomwise = (model: object): model is Atomwise =>
  !("readout" in model && model.readout === "pooled") &&
  typeof (model as Partial<Atomwise>).atomwise === "function" &&
  !("graph_dec" in model && model.graph_dec);

/** Whether a model's numbers are sums or means of what its atoms add. */
export const hasAtomContributions = ({ model, card }: Predictor): boolean =>
  isAtomwise(model) && card.task.kind !== "classification";

/**
 * What each atom adds to the predictions for structures, of models that add atoms up (SchNet, PaiNN, EGNN); of a potential, its atomic
 * energies. Only their sum, or mean, is learned; how it is shared among atoms is the model's choice.
 *
 * @throws UserError for other models
 */
export function atomContributions(predictor: Predictor, rows: DatasetRows): AtomContributions[] {
  const { model, card, featuriser } = predictor;
  if (!isAtomwise(model) || card.task.kind === "classification")
    throw new UserError(
      "Atoms' contributions: the model's numbers are not sums over atoms.",
      "Models of numbers by painn and egnn are, and those of schnet with --readout mean or sum.",
    );
  const readout = (card.architecture as { readout?: "sum" | "mean" }).readout ?? "sum";
  const data = predictor.dataset(rows);
  return Array.from({ length: data.length }, (_, row) => {
    const structure = rows.structures![row];
    const raw = noGrad(() =>
      scope(() => {
        const [graph] = data.batch(Int32Array.of(row)).inputs as [Graph];
        return firstColumn(model.atomwise(graph));
      }),
    );
    const { numbers, length } = structure;
    const { task } = card;
    if (task.kind === "potential") {
      const { references } = featuriser as PotentialFeaturiser;
      const free = Float64Array.from(numbers, (z) => references.get(z)!);
      return { numbers, values: raw.map((x) => task.scale * x), references: free, readout };
    }
    const { mean, std } = task as { mean: number[]; std: number[] };
    const share = readout === "sum" ? length : 1;
    return { numbers, values: raw.map((x) => std[0] * x + mean[0] / share), readout };
  });
}

function firstColumn(values: Tensor): Float64Array {
  const [rows, columns] = values.shape;
  const all = values.toArray();
  return Float64Array.from({ length: rows }, (_, i) => all[i * columns]);
}

/** The mean contribution of each element's atoms, by atomic number. */
export function contributionsByElement(
  all: readonly Pick<AtomContributions, "numbers" | "values">[],
): { element: number; mean: number; count: number }[] {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const { numbers, values } of all)
    numbers.forEach((z, i) => {
      const entry = sums.get(z) ?? { sum: 0, count: 0 };
      entry.sum += values[i];
      entry.count++;
      sums.set(z, entry);
    });
  return [...sums]
    .map(([element, { sum, count }]) => ({ element, mean: sum / count, count }))
    .sort((a, b) => a.element - b.element);
}
