import type { ElementSetFeaturiser } from "../data/elementSet.ts";
import { ELEMENTS } from "../data/elements.ts";
import { parseFormula } from "../data/formula.ts";
import type { Table } from "../data/table.ts";
import { type AttentionMap, attentionMaps, CrabNet, elementContributions } from "../models/index.ts";
import { atomContributions, contributionsByElement, hasAtomContributions } from "../train/contributions.ts";
import { elementEmbeddings, hasElementEmbeddings } from "../train/embeddings.ts";
import type { Predictor } from "../train/predictor.ts";
import type { AttentionExample, Understanding } from "../train/report.ts";

/** As many attention maps are in a report, and as many rows are asked for contributions. */
const MAPS = 3;
const ROWS = 500;

/** What a report shows of a model of crystals or compositions: from rows that it has not learned from. */
export function understandingOf(
  predictor: Predictor,
  table: Table,
  { elements, rows }: { elements: readonly number[]; rows: string },
): Understanding {
  const some = table.length > ROWS ? table.rows(Array.from({ length: ROWS }, (_, i) => i)) : table;
  const where = some === table ? `the ${rows}` : `the first ${ROWS} of the ${rows}`;
  const embeddings = hasElementEmbeddings(predictor) ? elementEmbeddings(predictor, { elements }) : undefined;
  if (hasAtomContributions(predictor)) {
    const all = atomContributions(predictor, some);
    const { readout, references } = all[0];
    const values = contributionsByElement(all);
    return {
      embeddings,
      contributions: { what: "an atom", readout, beside: references !== undefined, rows: where, values },
    };
  }
  if (!(predictor.model instanceof CrabNet)) return { embeddings };
  const own = compositionContributions(predictor, some);
  const values = contributionsByElement(
    own?.map((each) => ({ numbers: Int32Array.from(each.elements), values: Float64Array.from(each.values) })) ?? [],
  );
  return {
    embeddings,
    contributions: own && { what: "an element", readout: "mean", rows: where, values },
    attention: attentionExamples(predictor, withMany(some)),
  };
}

/** A few rows, those with the most elements: there is more to see. */
function withMany(table: Table): Table {
  const counts = table.formulas!.map((formula) => parseFormula(formula).elements.length);
  const order = [...counts.keys()].sort((a, b) => Math.min(5, counts[b]) - Math.min(5, counts[a]) || a - b);
  return table.rows(order.slice(0, MAPS));
}

/** What each element of the rows' compositions says; undefined of classes. */
export function compositionContributions({ model, featuriser, card }: Predictor, table: Table) {
  if (card.task.kind !== "regression") return undefined;
  const { mean, std } = card.task;
  const sets = table.formulas!.map((_, row) => (featuriser as ElementSetFeaturiser).set(table, row));
  return elementContributions(model as CrabNet, sets, { mean: mean[0], std: std[0] });
}

/** How the elements of the rows' compositions look at each other, with what each says where that is a number. */
export function attentionExamples(predictor: Predictor, table: Table): AttentionExample[] {
  const { model, featuriser, card } = predictor;
  const sets = table.formulas!.map((_, row) => (featuriser as ElementSetFeaturiser).set(table, row));
  const maps: AttentionMap[] = attentionMaps(model as CrabNet, sets);
  const says = compositionContributions(predictor, table);
  const unit = card.target.unit ? ` ${card.target.unit}` : "";
  return maps.map(({ elements, weights }, i) => ({
    id: table.ids[i],
    formula: table.formulas![i],
    ...{ elements, weights },
    facts: says
      ? elements.map((z, k): [string, string] => [
          `${ELEMENTS[z - 1].symbol} says`,
          `${Number(says[i].values[k].toPrecision(4))}${unit}`,
        ])
      : [],
  }));
}

/** Atomic numbers of the elements in a table's rows. */
export function elementsIn({ structures, formulas }: Table): number[] {
  const found = new Set<number>();
  if (structures) for (const { numbers } of structures) for (const z of numbers) found.add(z);
  else for (const formula of new Set(formulas)) for (const z of parseFormula(formula).elements) found.add(z);
  found.delete(0);
  return [...found].sort((a, b) => a - b);
}
