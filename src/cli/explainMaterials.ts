import { existsSync } from "node:fs";
import { UserError } from "../core/errors.ts";
import { noGrad } from "../core/op.ts";
import { scope, type Tensor } from "../core/tensor.ts";
import { ElementSetFeaturiser } from "../data/elementSet.ts";
import { ELEMENTS } from "../data/elements.ts";
import { parseFormula } from "../data/formula.ts";
import type { Graph } from "../data/graph.ts";
import { NodeFeaturiser } from "../data/nodeFeaturiser.ts";
import { Table } from "../data/table.ts";
import { CrabNet, NodeNet } from "../models/index.ts";
import { atomContributions } from "../train/contributions.ts";
import type { Predictor } from "../train/predictor.ts";
import {
  type AttentionExample,
  type ExplainedStructure,
  renderAttention,
  renderContributions,
} from "../train/report.ts";
import { tables } from "./inputs.ts";
import { tellDropped } from "./rows.ts";
import { RunFolder } from "./runFolder.ts";
import { attentionExamples } from "./understanding.ts";

interface Flags {
  out?: string;
  limit: number;
  json?: boolean;
  skipBad?: boolean;
}

/** A row as a JSON line and as a person reads it. */
interface Told {
  json: object;
  text: string;
}

const symbolOf = (z: number): string => ELEMENTS[z - 1].symbol;
const digits = (x: number): string => String(Number(x.toPrecision(4)));

/**
 * Tells of structures what each atom contributes, of compositions which element looks at which, of a graph's nodes whom they attend to:
 * as text or JSON lines, or as a page in the folder `out`.
 */
export async function explainMaterials(
  model: string,
  predictor: Predictor,
  files: readonly string[],
  { out, limit, json, skipBad }: Flags,
): Promise<void> {
  const { unit } = predictor.card.target;
  const structures: ExplainedStructure[] = [];
  const maps: AttentionExample[] = [];
  let rows = 0;
  for await (const whole of rowsOf(files, predictor, skipBad)) {
    tellDropped(whole);
    const table = whole.length > limit - rows ? whole.rows([...whole.ids.keys()].slice(0, limit - rows)) : whole;
    rows += table.length;
    let told: Told[];
    if (predictor.featuriser instanceof NodeFeaturiser) {
      if (out !== undefined)
        throw new UserError("--out: of nodes there is no page, only text.", "Leave it out, or use --json.");
      told = attendingNodes(predictor, table);
    } else if (predictor.model instanceof CrabNet) {
      const own = attentionExamples(predictor, table);
      maps.push(...own);
      told = own.map(tellMap);
    } else {
      const own = explainedStructures(predictor, table);
      structures.push(...own);
      told = own.map((each) => tellAtoms(each, unit));
    }
    if (out === undefined)
      process.stdout.write(told.map((each) => (json ? `${JSON.stringify(each.json)}\n` : each.text)).join(""));
    if (rows >= limit) break;
  }
  if (rows === 0) throw new UserError("Every row was left out: there is nothing to explain.");
  if (out === undefined) return;
  const folder = new RunFolder(out);
  folder.create();
  const title = `What ${model} makes of ${maps.length > 0 ? "elements" : "atoms"}`;
  const page = maps.length > 0 ? renderAttention(title, maps) : await renderContributions(title, unit, structures);
  await folder.write("index.html", page);
  process.stderr.write(`${rows} ${rows === 1 ? "row" : "rows"} explained: ${folder.file("index.html")}\n`);
}

/** The rows of the files. A model of compositions takes formulas in their place. */
async function* rowsOf(files: readonly string[], predictor: Predictor, skipBad?: boolean): AsyncGenerator<Table> {
  const isFormula = (text: string): boolean => {
    if (!(predictor.featuriser instanceof ElementSetFeaturiser) || existsSync(text)) return false;
    try {
      return parseFormula(text).elements.length > 0;
    } catch {
      return false;
    }
  };
  for (const file of files)
    if (isFormula(file)) yield formulaTable(file);
    else yield* tables([file], predictor, { skipBad });
}

const formulaTable = (formula: string): Table =>
  new Table({
    file: "the command line",
    ids: [formula],
    formulas: [formula],
    lines: Int32Array.of(1),
    numeric: { names: [], values: new Float64Array() },
    categorical: { names: [], values: [] },
    targets: undefined,
    unused: [],
    dropped: [],
  });

function explainedStructures(predictor: Predictor, table: Table): ExplainedStructure[] {
  const { unit } = predictor.card.target;
  const sum = (values: Float64Array): number => values.reduce((total, x) => total + x, 0);
  return atomContributions(predictor, table).map(({ values, references, readout }, i) => {
    const total = sum(values) / (readout === "mean" ? values.length : 1);
    const free = references && sum(references);
    const value = `${digits(total + (free ?? 0))}${unit ? ` ${unit}` : ""}`;
    const how = free === undefined ? `the ${readout} of` : `the free atoms' ${digits(free)} and`;
    const structure = table.structures![i];
    const verdict = `Predicted ${value}: ${how} what its atoms contribute.`;
    return { id: table.ids[i], formula: structure.formula, structure, verdict, values };
  });
}

function tellAtoms({ id, formula, structure, verdict, values }: ExplainedStructure, unit?: string): Told {
  const atoms = Array.from(values, (value, k) => ({ element: symbolOf(structure.numbers[k]), contribution: value }));
  const lines = atoms.map(({ element, contribution }, k) => {
    return `  ${String(k + 1).padStart(4)}  ${element.padEnd(2)}  ${digits(contribution)}${unit ? ` ${unit}` : ""}\n`;
  });
  return { json: { id, formula, atoms }, text: `${id}  ${formula}  ${verdict}\n${lines.join("")}` };
}

/** In text the mean over layers and heads; all of them in JSON. */
function tellMap({ id, formula, elements, weights, facts = [] }: AttentionExample): Told {
  const symbols = elements.map(symbolOf);
  const n = symbols.length;
  const all = weights.flat();
  const mean = (k: number): number => all.reduce((sum, map) => sum + map[k], 0) / all.length;
  const line = (i: number): string =>
    symbols
      .map((_, j) =>
        mean(i * n + j)
          .toFixed(2)
          .padStart(5),
      )
      .join(" ");
  const rows = symbols.map(
    (symbol, i) => `  ${symbol.padEnd(2)} ${line(i)}${facts[i] ? `   ${facts[i].join(" ")}` : ""}\n`,
  );
  const attention = weights.map((layer) =>
    layer.map((map) => symbols.map((_, i) => Array.from({ length: n }, (_, j) => map[i * n + j]))),
  );
  return {
    json: { id, formula, elements: symbols, attention },
    text: `${id === formula ? id : `${id}  ${formula}`}: attention of the row's element to the column's, mean of ${all.length} heads\n     ${symbols.map((symbol) => symbol.padStart(5)).join(" ")}\n${rows.join("")}`,
  };
}

/** Whom each node attends to, by layer: the mean over its heads, the node itself included. */
function attendingNodes(predictor: Predictor, table: Table): Told[] {
  const { model } = predictor;
  if (!(model instanceof NodeNet && model.kind === "gat"))
    throw new UserError("Only gat's nodes attend to each other; this net weighs all neighbours alike.");
  const nodes = table.nodes!;
  const { ids } = nodes[0].of;
  return noGrad(() =>
    scope(() => {
      const [x, graph] = predictor.dataset(table).batch(Int32Array.of(0)).inputs as [Tensor, Graph];
      const layers = model.attention(x, graph).map(({ weights, edges }) => {
        const heads = weights.shape[1];
        const values = weights.toArray();
        const start = edges.receivers.ptr.toArray();
        const sender = edges.sender.data;
        return (node: number): { node: string; weight: number }[] =>
          Array.from({ length: start[node + 1] - start[node] }, (_, k) => {
            const e = start[node] + k;
            const own = values.subarray(e * heads, (e + 1) * heads);
            return { node: ids[sender[e]], weight: own.reduce((sum, w) => sum + w, 0) / heads };
          }).sort((a, b) => b.weight - a.weight);
      });
      return nodes.map(({ index }, row) => {
        const attends = layers.map((of) => of(index));
        const lines = attends.map((all, l) => {
          const shown = all.slice(0, 8).map(({ node, weight }) => `${node} ${weight.toFixed(3)}`);
          return `  layer ${l + 1}: ${shown.join(", ")}${all.length > 8 ? ", …" : ""}\n`;
        });
        return {
          json: { id: table.ids[row], layers: attends },
          text: `${table.ids[row]} attends to\n${lines.join("")}`,
        };
      });
    }),
  );
}
