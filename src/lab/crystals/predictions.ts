import { UserError } from "../../core/errors.ts";
import type { DatasetRows } from "../../data/dataset.ts";
import type { Structure } from "../../data/structure.ts";
import type { Predictor } from "../../train/predictor.ts";

export interface Prediction {
  name: string;
  formula: string;
  atoms: number;
  /** In the target's unit. */
  value?: number;
  /** Why there is none. */
  problem?: string;
}

/** What a model says of structures, each by itself: one that makes no graph does not keep back the others. */
export function predictAll(
  predictor: Predictor,
  structures: readonly { name: string; structure: Structure }[],
): Prediction[] {
  const made = structures.map(({ name, structure }) => {
    const { formula, length: atoms } = structure;
    return {
      ...{ name, formula, atoms, structure },
      ...attempt(() => predictor.featuriser.dataset(rowsOf([structure]))),
    };
  });
  const good = made.filter(({ problem }) => problem === undefined).map(({ structure }) => structure);
  const values = good.length === 0 ? [] : predictor.predict(rowsOf(good));
  let next = 0;
  return made.map(({ structure: _, ...row }) => (row.problem === undefined ? { ...row, value: values[next++] } : row));
}

/** Structures as the rows of a table. */
function rowsOf(structures: readonly Structure[]): DatasetRows {
  return {
    file: "structures",
    length: structures.length,
    structures,
    formulas: structures.map(({ formula }) => formula),
    lines: Int32Array.from(structures, (_, i) => i + 1),
    numeric: { names: [], values: new Float64Array(0) },
    categorical: { names: [], values: [] },
  };
}

function attempt(make: () => unknown): { problem?: string } {
  try {
    make();
    return {};
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { problem: error.message.split("\n")[0] };
  }
}
