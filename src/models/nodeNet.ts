import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Indices, Tensor } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import type { SparseRows } from "../data/sparseRows.ts";
import {
  BatchNorm1d,
  Dropout,
  dropRows,
  type GatAttention,
  GatConv,
  GinConv,
  type GinLayers,
  Linear,
  type Module,
  SageConv,
  type Training,
} from "../nn/index.ts";
import { elu, relu, take } from "../ops/index.ts";

export const NODE_NETS = ["gat", "sage", "gin"] as const;
export type NodeNetKind = (typeof NODE_NETS)[number];

export interface NodeNetOptions {
  /** Widths of the hidden layers; gat: of each head. */
  hidden?: readonly number[];
  /** gat: of hidden layers; the output layer has one. */
  heads?: number;
  /** sage: "max" is the paper's pooling. */
  aggregator?: "mean" | "max";
  /** Share of the inputs, and of each hidden layer's outputs, dropped while training; gat: of the attention coefficients, too. */
  dropout?: number;
}

/** What the layers have in common. */
interface Conv {
  forward(x: Tensor | SparseRows, graph: Graph, training?: Training): Tensor;
}

/** x → linear → batch norm → ReLU → linear, what GIN's authors make of each sum. */
export const ginMlp = (inputs: number, outputs: number, rng: Rng): GinLayers => [
  new Linear(inputs, outputs, rng),
  new BatchNorm1d(outputs),
  relu,
  new Linear(outputs, outputs, rng),
];

/**
 * Layers of one kind for nodes, with rectifiers between them (gat: exponential linear units) and dropout before each: GAT of
 * Veličković et al. 2018, GraphSAGE of Hamilton et al. 2017 (all neighbours, not a sample), GIN of Xu et al. 2019.
 */
export class NodeNet implements Module<[x: Tensor | SparseRows, graph: Graph, nodes?: Indices]> {
  readonly convs: Conv[];
  private readonly dropout: Dropout;

  constructor(
    readonly kind: NodeNetKind,
    inputs: number,
    outputs: number,
    rng: Rng,
    { hidden = kind === "gat" ? [8] : [64], heads = 8, aggregator = "mean", dropout = 0.5 }: NodeNetOptions = {},
  ) {
    this.dropout = new Dropout(dropout);
    let width = inputs;
    this.convs = [...hidden, outputs].map((n, i) => {
      const last = i === hidden.length;
      const from = width;
      width = kind === "gat" && !last ? n * heads : n;
      if (kind === "gat") return new GatConv(from, n, rng, { heads: last ? 1 : heads, concat: !last, dropout });
      if (kind === "sage") return new SageConv(from, n, rng, { aggregator });
      return new GinConv(last ? [new Linear(from, n, rng)] : ginMlp(from, n, rng));
    });
  }

  /** x [all nodes, inputs] and their graph → logits [nodes, outputs] of the given nodes, or of all. */
  forward(x: Tensor | SparseRows, graph: Graph, nodes?: Indices, training?: Training): Tensor {
    const logits = this.layers(x, graph, training).at(-1)!;
    return nodes ? take(logits, { index: nodes }) : logits;
  }

  /** gat: who attends to whom, layer by layer. @throws UserError for layers without attention */
  attention(x: Tensor | SparseRows, graph: Graph): GatAttention[] {
    const inputs = [x, ...this.layers(x, graph)];
    return this.convs.map((conv, i) => {
      if (conv instanceof GatConv) return conv.attention(inputs[i], graph);
      throw new UserError(`${this.kind} layers weigh all neighbours alike: there is no attention to show.`);
    });
  }

  /** What each layer makes of the nodes, the logits last. */
  layers(x: Tensor | SparseRows, graph: Graph, training?: Training): Tensor[] {
    const outputs: Tensor[] = [];
    for (const [i, conv] of this.convs.entries()) {
      const h = conv.forward(dropRows(this.dropout, i === 0 ? x : outputs[i - 1], training), graph, training);
      outputs.push(i === this.convs.length - 1 ? h : this.kind === "gat" ? elu(h) : relu(h));
    }
    return outputs;
  }
}
