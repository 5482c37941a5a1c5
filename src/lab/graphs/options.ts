/** What people may choose, as the address and the page name it. Nothing here computes, so that the page stays light. */
import type { Aggregation } from "../../nn/aggregate.ts";

export const AGGREGATION_TEXT = {
  sum: "sum",
  mean: "mean",
  max: "maximum",
  min: "minimum",
  std: "standard deviation",
} as const satisfies Record<Aggregation, string>;
export const KINDS = Object.keys(AGGREGATION_TEXT) as Aggregation[];

/** Steps of message passing that are shown. */
export const STEPS = 4;

/** What becomes of a node's number v and what it has received, a. */
export const UPDATE_TEXT = { average: "v ← (v + a) / 2", replace: "v ← a", add: "v ← v + a" } as const;
export type Update = keyof typeof UPDATE_TEXT;

/** Questions whose answers only the bonds tell: in each, molecules of both classes are made of the same atoms. */
export const TASKS = {
  ring: { text: "Is there a ring?", classes: ["no ring", "a ring"] },
  bond: { text: "Is N bonded to O?", classes: ["not bonded", "N–O bond"] },
  distance: { text: "Are N and O three bonds apart?", classes: ["farther", "three bonds"] },
} as const;
export type Task = keyof typeof TASKS;

/** Kinds of layers, and what the chosen aggregation does in them beside the readout. */
export const LAYERS = {
  gin: { text: "GIN", note: "GIN always sums its neighbours: the aggregation is that of the readout." },
  message: { text: "Messages", note: "Each edge's message is a layer of both ends, and a node aggregates them." },
  gcn: { text: "GCN", note: "GCN weighs neighbours by their degrees: the aggregation is that of the readout." },
  sage: {
    text: "GraphSAGE",
    note: "GraphSAGE takes the mean of its neighbours, or their maximum where that is chosen.",
  },
  gat: { text: "GAT", note: "GAT weighs neighbours by attention: the aggregation is that of the readout." },
} as const;
export type LayerKind = keyof typeof LAYERS;

export const DEPTHS = [1, 2, 3, 4] as const;
export const WIDTHS = [8, 16, 32] as const;
export const COUNTS = [100, 200, 400, 800] as const;
export const BATCH_SIZES = [8, 16, 32, 64] as const;
export const LEARNING_RATES = [0.0003, 0.001, 0.003, 0.01, 0.03] as const;
export const EPOCHS = { least: 1, most: 300 };
export const LAST_SEED = 999_999;
/** Numbers in a neighbourhood. */
export const MOST_NEIGHBOURS = 5;
