import type { Architecture } from "../models/index.ts";
import type { RunConfig } from "./config.ts";

/** The nets that learn from the nodes of one graph alone. */
export const NODE_MODELS = ["gcn", "gat", "sage", "gin"] as const;
export type NodeModel = (typeof NODE_MODELS)[number];

/** Whether the model learns from the nodes of one graph alone. */
export const needsNodes = (model: string): model is NodeModel => (NODE_MODELS as readonly string[]).includes(model);

export const NODE_NAMES: Record<NodeModel, string> = { gcn: "GCN", gat: "GAT", sage: "GraphSAGE", gin: "GIN" };

/** As the authors of GCN train: on all labelled nodes at once. */
const SHARED = { epochs: 200, optimizer: "adam", lr: 1e-2, weightDecay: 5e-4, schedule: "constant" } as const;

export const NODE_DEFAULTS: Record<NodeModel, Partial<RunConfig>> = {
  gcn: { hidden: [16], dropout: 0.5, ...SHARED },
  gat: { hidden: [8], heads: 8, dropout: 0.6, ...SHARED, epochs: 300, lr: 5e-3 },
  sage: { hidden: [64], aggregator: "mean", dropout: 0.5, ...SHARED },
  gin: { hidden: [64], dropout: 0.5, ...SHARED },
};

export const NODE_FIELDS: Record<NodeModel, readonly string[]> = {
  gcn: ["hidden", "dropout"],
  gat: ["hidden", "heads", "dropout"],
  sage: ["hidden", "aggregator", "dropout"],
  gin: ["hidden", "dropout"],
};

/** The net that a configuration describes. */
export function nodeNet(model: NodeModel, config: RunConfig, inputs: number, outputs: number): Architecture {
  const { hidden, dropout, heads, aggregator } = config;
  if (model === "gcn") return { model, inputs, outputs, hidden, dropout };
  return { model, inputs, outputs, hidden, dropout, heads, aggregator };
}

/** The net in words, for the report. */
export function describeNet({ model, hidden = [], heads, aggregator }: RunConfig): string {
  const widths = hidden.length > 0 ? `hidden layers of ${hidden.join(", ")}` : "no hidden layer";
  if (model === "gat") return `${widths} for each of ${heads} heads`;
  return model === "sage" ? `${widths}, ${aggregator} of all neighbours` : widths;
}
